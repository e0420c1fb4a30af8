#include "command/analyze_table.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "access/table_scan.h"
#include "access/toast.h"
#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/row_builder.h"
#include "command/table_statistics.h"
#include "types/array.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr int kRowsPerTarget = 300;
enum Kind : int16_t { kMostCommon = 1, kHistogram = 2, kCorrelation = 3 };

struct SampledRow {
  Tid tid;
  std::span<NullableDatum> values;
};

// What is measured of one column.
struct Column {
  int16_t number;
  const TypeInfo* type;
  Oid collation;
  Oid equality, less;
  int target;
};

class Analysis {
 public:
  Analysis(CommandContext& context, const RelationInfo& relation, Prng& random)
      : context_(context), relation_(relation), random_(random), arena_(context.arena.budget()) {}

  Status choose_columns(std::span<const int16_t> wanted, int default_target);
  Result<TableCounts> sample();
  Status store();

 private:
  Status add_rows(std::span<Vector> columns, uint32_t count, const Tid* tids);
  void copy_row(SampledRow& row, std::span<Vector> columns, uint32_t number, Tid tid);
  Status store_column(size_t index);
  Result<uint32_t> plain(NullableDatum& value, Arena& arena);
  Status write_row(const Column& column, const ColumnStatistics& statistics);

  CommandContext& context_;
  const RelationInfo& relation_;
  Prng& random_;
  Arena arena_;  // of the sampled rows
  std::vector<Column> columns_;
  std::deque<TypeInfo> infos_;
  size_t rows_wanted_ = 100 * kRowsPerTarget;
  std::vector<SampledRow> rows_;
  uint64_t rows_seen_ = 0;
  double total_rows_ = 0;
};

Status Analysis::choose_columns(std::span<const int16_t> wanted, int default_target) {
  int most = 1;
  for (const ColumnInfo& info : relation_.columns) {
    const ColumnDesc& desc = relation_.desc()[static_cast<size_t>(info.number - 1)];
    const bool named =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), info.number) != wanted.end();
    if (!named || desc.dropped || info.statistics_target == 0) continue;
    auto found = find_type(context_.session.types, desc.type);
    // Of a type that nobody can read or compare, sizes are known.
    const TypeInfo* type =
        found.ok()
            ? *found
            : &infos_.emplace_back(TypeInfo{.oid = desc.type, .name = {}, .length = desc.length});
    const TypeOperators operators = TRY(context_.catalog.type_operators(context_.fiber, desc.type));
    const int target = info.statistics_target < 0 ? default_target : info.statistics_target;
    most = std::max(most, target);
    columns_.push_back({.number = info.number,
                        .type = type,
                        .collation = desc.collation,
                        .equality = operators.eq,
                        .less = operators.lt,
                        .target = target});
  }
  rows_wanted_ = static_cast<size_t>(most) * kRowsPerTarget;
  return {};
}

void Analysis::copy_row(SampledRow& row, std::span<Vector> columns, uint32_t number, Tid tid) {
  row.tid = tid;
  for (size_t c = 0; c < columns.size(); ++c) {
    NullableDatum value = columns[c].at(number);
    const ColumnDesc& desc = relation_.desc()[static_cast<size_t>(columns_[c].number - 1)];
    if (!value.is_null) value.value = copy_datum(arena_, value.value, desc);
    row.values[c] = value;
  }
}

// Each row seen so far is in the sample with equal chance (reservoir sampling).
Status Analysis::add_rows(std::span<Vector> columns, uint32_t count, const Tid* tids) {
  for (uint32_t i = 0; i < count; ++i) {
    ++rows_seen_;
    if (rows_.size() < rows_wanted_) {
      rows_.push_back({{}, arena_.make_array<NullableDatum>(columns.size())});
      copy_row(rows_.back(), columns, i, tids[i]);
      continue;
    }
    const uint64_t place = random_.below(rows_seen_);
    if (place < rows_.size()) copy_row(rows_[place], columns, i, tids[i]);
  }
  TRY(context_.fiber.charge(count * (1 + columns.size())));
  return arena_.budget() == nullptr ? Status() : arena_.budget()->check();
}

Result<TableCounts> Analysis::sample() {
  Access& access = context_.store.access();
  const uint32_t pages = TRY(table_block_count(context_.fiber, access, relation_.storage));
  const RegisteredSnapshot snapshot(
      access.transactions(), access.transactions().take_snapshot(context_.store.transaction()));
  std::vector<int16_t> wanted;
  for (const Column& column : columns_) wanted.push_back(static_cast<int16_t>(column.number - 1));
  Arena fixed, batch(context_.arena.budget());
  std::vector<Vector> vectors;
  for (size_t i = 0; i < wanted.size(); ++i) vectors.push_back(Vector::make(fixed));
  std::vector<Tid> tids(kBatchRows);
  uint32_t pages_read = 0;
  for (uint32_t block = 0; block < pages;) {
    // Each page left is chosen with the chance of those still wanted (selection sampling).
    uint32_t run = 0;
    while (block + run < pages && run < 64) {
      const uint64_t left = pages - block - run;
      const uint64_t missing =
          std::min<uint64_t>(rows_wanted_ - std::min<size_t>(pages_read + run, rows_wanted_), left);
      if (!random_.chance(missing, left)) break;
      ++run;
    }
    if (run == 0) {
      ++block;
      continue;
    }
    TableScan scan(access, relation_.storage, snapshot.get(), wanted,
                   {.first_block = BlockNo(block), .block_count = run});
    while (true) {
      const uint32_t count = TRY(scan.next(context_.fiber, vectors, batch, tids.data()));
      if (count == 0) break;
      TRY(add_rows(vectors, count, tids.data()));
      batch.reset();
    }
    pages_read += run;
    block += run;
  }
  std::sort(rows_.begin(), rows_.end(),
            [](const SampledRow& a, const SampledRow& b) { return a.tid < b.tid; });
  const auto seen = static_cast<double>(rows_seen_);
  total_rows_ = pages_read == pages ? seen : std::floor(seen / pages_read * pages + 0.5);
  return TableCounts{.pages = pages, .rows = total_rows_};
}

// Makes a varlena plain unless it is too wide to be looked at; returns its size as stored.
Result<uint32_t> Analysis::plain(NullableDatum& value, Arena& arena) {
  const char* at = value.value.as<const char*>();
  const uint32_t stored = varlena_size(at);
  if (varlena_is_plain(at)) return stored;
  if (toast_raw_size(value.value) > kWideBytes) return std::max(stored, kWideBytes + 1);
  const std::optional<ToastTable>& toast = relation_.storage.toast;
  value.value = TRY(detoast(context_.fiber, context_.store.access(), toast ? &*toast : nullptr,
                            value.value, arena));
  return stored;
}

Status Analysis::store_column(size_t index) {
  const Column& column = columns_[index];
  Arena values_arena(context_.arena.budget());
  std::vector<NullableDatum> values;
  std::vector<uint32_t> widths;
  values.reserve(rows_.size());
  for (const SampledRow& row : rows_) {
    NullableDatum value = row.values[index];
    uint32_t width = 0;
    if (!value.is_null && column.type->length == -1) width = TRY(plain(value, values_arena));
    if (!value.is_null && column.type->length == -2)
      width = static_cast<uint32_t>(std::strlen(value.value.as<const char*>()) + 1);
    values.push_back(value);
    widths.push_back(width);
  }
  TRY(context_.fiber.charge(values.size() * 8));
  // pg_statistic's own columns hold arrays of any type, which do not compare.
  const bool orders = column.less && column.type->oid != type_oid::anyarray;
  const Comparator compare = orders ? column.type->compare : nullptr;
  const ColumnStatistics statistics =
      compute_statistics({.values = values, .widths = widths, .total_rows = total_rows_},
                         *column.type, compare, column.target);
  return write_row(column, statistics);
}

Status Analysis::write_row(const Column& column, const ColumnStatistics& statistics) {
  Arena& arena = context_.arena;
  RowBuilder row(arena, pg_statistic::kRelation);
  row.set(pg_statistic::starelid, relation_.oid)
      .set(pg_statistic::staattnum, column.number)
      .set(pg_statistic::stainherit, false)
      .set(pg_statistic::stanullfrac, static_cast<float>(statistics.null_fraction))
      .set(pg_statistic::stawidth, statistics.width)
      .set(pg_statistic::stadistinct, static_cast<float>(statistics.distinct));
  const TypeInfo& float4 = *find_builtin_type(type_oid::float4);
  int16_t slot = 0;
  auto add = [&](Kind kind, Oid op, std::span<const float> numbers,
                 std::span<const Datum> values) -> Status {
    const auto at = [&](int16_t first) { return static_cast<int16_t>(first + slot); };
    row.set(at(pg_statistic::stakind1), static_cast<int16_t>(kind))
        .set(at(pg_statistic::staop1), op)
        .set(at(pg_statistic::stacoll1), column.collation);
    std::vector<NullableDatum> items;
    for (const float number : numbers) items.push_back({Datum::of(number), false});
    if (!numbers.empty()) {
      const Datum array = TRY(make_array(arena, float4, items));
      row.set(at(pg_statistic::stanumbers1), array);
    }
    items.clear();
    for (const Datum value : values) items.push_back({value, false});
    if (!values.empty()) {
      const Datum array = TRY(make_array(arena, *column.type, items));
      row.set(at(pg_statistic::stavalues1), array);
    }
    ++slot;
    return {};
  };
  if (!statistics.common.empty())
    TRY(add(kMostCommon, column.equality, statistics.common_fractions, statistics.common));
  if (!statistics.bounds.empty()) TRY(add(kHistogram, column.less, {}, statistics.bounds));
  const float correlation[] = {static_cast<float>(statistics.correlation)};
  if (statistics.has_correlation) TRY(add(kCorrelation, column.less, correlation, {}));
  for (; slot < 5; ++slot) {
    row.set(static_cast<int16_t>(pg_statistic::stakind1 + slot), int16_t{0})
        .set(static_cast<int16_t>(pg_statistic::staop1 + slot), kInvalidOid)
        .set(static_cast<int16_t>(pg_statistic::stacoll1 + slot), kInvalidOid);
  }
  const Datum keys[] = {Datum::of(relation_.oid), Datum::of(column.number), Datum::of(false)};
  Tid old;
  TRY(context_.store.scan(context_.fiber, pg_statistic::kRelation, kPgStatisticRelidAttInhIndex,
                          keys, [&](const CatalogRow&, Tid tid) -> Status {
                            old = tid;
                            return {};
                          }));
  if (old.is_valid())
    return context_.store.update(context_.fiber, pg_statistic::kRelation, old, row.values());
  return context_.store.insert(context_.fiber, pg_statistic::kRelation, row.values())
      .status()
      .clone();
}

Status Analysis::store() {
  if (rows_.empty()) return {};
  for (size_t i = 0; i < columns_.size(); ++i) TRY(store_column(i));
  return {};
}

}  // namespace

Result<TableCounts> analyze_table(CommandContext& context, const RelationInfo& relation,
                                  std::span<const int16_t> columns, int default_target,
                                  Prng& random) {
  Analysis analysis(context, relation, random);
  TRY(analysis.choose_columns(columns, default_target));
  const TableCounts counts = TRY(analysis.sample());
  TRY(analysis.store());
  return counts;
}

}  // namespace orrery
