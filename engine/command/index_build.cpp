// Building an index over the rows that a table has.
#include <algorithm>

#include "access/btree.h"
#include "access/table_scan.h"
#include "access/toast.h"
#include "base/text.h"
#include "command/relation_storage.h"
#include "exec/row_sorter.h"
#include "exec/table_writer.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// A tid as a word that sorts as tids do, with whether the row lives in its lowest bit; and back.
Datum tid_word(Tid tid, bool is_live) {
  return Datum::of((int64_t{tid.block.v} << 16 | tid.slot) << 1 | (is_live ? 1 : 0));
}
Tid word_tid(Datum word) {
  const auto v = word.as<int64_t>() >> 1;
  return Tid{BlockNo(static_cast<uint32_t>(v >> 16)), static_cast<uint16_t>(v)};
}
bool word_is_live(Datum word) { return (word.as<int64_t>() & 1) != 0; }

// The table's rows are sorted in the order of the index, with their tids as the last column, and
// handed to the builder.
class IndexBuild {
 public:
  IndexBuild(CommandContext& context, const RelationInfo& table, const CatalogIndex& index)
      : context_(context),
        table_(table),
        index_(index),
        budget_(context.arena.budget(), context.session.maintenance_memory_bytes),
        plan_arena_(&budget_),
        execution_(context.fiber, plan_arena_, budget_, context.catalog, context.session, plan_) {}

  Status run();

 private:
  Status make_sorter();
  Status prepare();
  Status read_rows();
  // `batch` is laid out by attribute number.
  Status add_rows(Arena& arena, const Batch& batch, const Tid* tids, const TableScan& scan);
  Status duplicate(const StoredRow& row);

  CommandContext& context_;
  const RelationInfo& table_;
  const CatalogIndex& index_;
  std::vector<int16_t> scanned_;  // 0-based columns read, ascending
  std::optional<RowSorter> sorter_;
  // For keys that are expressions, and the predicate.
  MemoryBudget budget_;
  Arena plan_arena_;
  const Plan plan_;
  ExecContext execution_;
  std::vector<Evaluator> expressions_;
  std::optional<Evaluator> predicate_;
};

Status IndexBuild::make_sorter() {
  std::vector<ColumnDesc> columns;
  std::vector<KeyColumn> keys;
  for (size_t i = 0; i < index_.columns.size(); ++i) {
    columns.push_back(index_.storage.desc[i]);
    if (i >= static_cast<size_t>(index_.keys)) continue;
    const IndexColumn& by = index_.storage.keys[i];
    keys.push_back({.column = static_cast<int>(i),
                    .compare = by.compare,
                    .hash = nullptr,
                    .descending = by.descending,
                    .nulls_first = by.nulls_first});
  }
  const CatalogType* word = TRY(context_.catalog.type(context_.fiber, type_oid::int8));
  columns.push_back(word->column());
  keys.push_back({.column = static_cast<int>(index_.columns.size()),
                  .compare = word->io.compare,
                  .hash = nullptr});
  sorter_.emplace(context_.fiber, context_.arena.budget(), std::move(columns), std::move(keys),
                  context_.session.maintenance_memory_bytes, context_.session.temp_space);
  return {};
}

Status IndexBuild::prepare() {
  execution_.access = &context_.store.access();
  execution_.transaction = context_.store.transaction();
  for (const std::string& sql : index_.expressions) {
    Evaluator expression = TRY(compile_stored(execution_, table_, sql));
    expressions_.push_back(expression);
  }
  if (!index_.predicate.empty()) {
    predicate_ = TRY(compile_stored(execution_, table_, index_.predicate));
  }
  if (predicate_ || !expressions_.empty()) {
    for (size_t c = 0; c < table_.columns.size(); ++c) {
      if (!table_.desc()[c].dropped) scanned_.push_back(static_cast<int16_t>(c));
    }
    return {};
  }
  for (int16_t column : index_.columns) scanned_.push_back(static_cast<int16_t>(column - 1));
  std::ranges::sort(scanned_);
  scanned_.erase(std::unique(scanned_.begin(), scanned_.end()), scanned_.end());
  return {};
}

Status IndexBuild::add_rows(Arena& arena, const Batch& batch, const Tid* tids,
                            const TableScan& scan) {
  const ToastTable* toast = table_.storage.toast ? &*table_.storage.toast : nullptr;
  uint16_t kept[kBatchRows];
  Rows rows = batch.rows;
  const uint32_t last = rows.count;
  if (predicate_) rows = TRY(predicate_->filter(arena, batch, rows, kept));
  std::vector<Vector> row;
  size_t expression = 0;
  for (size_t i = 0; i < index_.columns.size(); ++i) {
    const int16_t number = index_.columns[i];
    const Vector* from = nullptr;
    if (number > 0) {
      from = &batch.columns[static_cast<size_t>(number - 1)];
    } else {
      from = TRY(expressions_[expression++].evaluate(arena, batch, rows));
    }
    row.push_back(*from);
    if (index_.storage.desc[i].length != -1) continue;
    for (uint32_t r = 0; r < rows.count; ++r) {
      Vector& column = row.back();
      if (column.is_null(rows[r]) || !needs_detoast(column.value(rows[r]))) continue;
      const Datum plain = TRY(
          detoast(context_.fiber, context_.store.access(), toast, column.value(rows[r]), arena));
      column.values[rows[r]] = plain;
    }
  }
  row.push_back(Vector::make(arena, last));
  for (uint32_t r = 0; r < rows.count; ++r)
    row.back().set(rows[r], tid_word(tids[rows[r]], scan.is_live(rows[r])));
  return sorter_->add(row, rows);
}

Status IndexBuild::read_rows() {
  TRY(prepare());
  Access& access = context_.store.access();
  const Transaction* own = context_.store.transaction();
  const RegisteredSnapshot snapshot(access.transactions(),
                                    access.transactions().take_snapshot(own));
  execution_.snapshot = &snapshot.get();
  TableScan scan(access, table_.storage, snapshot.get(), scanned_, {.for_index_build = true});
  Arena batch(context_.arena.budget());
  Arena fixed(context_.arena.budget());
  std::vector<Vector> columns;
  for (size_t i = 0; i < scanned_.size(); ++i) columns.push_back(Vector::make(fixed));
  std::vector<Vector> by_number(table_.columns.size());
  std::vector<Tid> tids(kBatchRows);
  for (;;) {
    const uint32_t count = TRY(scan.next(context_.fiber, columns, batch, tids.data()));
    if (count == 0) break;
    for (size_t i = 0; i < scanned_.size(); ++i) {
      by_number[static_cast<size_t>(scanned_[i])] = columns[i];
    }
    TRY(add_rows(batch, Batch{by_number, Rows{nullptr, count}}, tids.data(), scan));
    batch.reset();
    TRY(context_.fiber.charge(count * 10));
  }
  if (scan.met_broken_chain())
    access.index_memory_of(index_.storage.file).broken_by = context_.store.transaction()->xid();
  return {};
}

Status IndexBuild::duplicate(const StoredRow& row) {
  std::string values;
  for (size_t i = 0; i < static_cast<size_t>(index_.keys); ++i) {
    if (i > 0) values += ", ";
    TRY(output_value(context_.arena, context_.session.types, index_.storage.desc[i].type,
                     row.values()[i], values));
  }
  std::vector<std::string> names;
  size_t expression = 0;
  for (size_t i = 0; i < static_cast<size_t>(index_.keys); ++i) {
    const int16_t column = index_.columns[i];
    names.push_back(column > 0 ? table_.column(column).name : index_.expressions[expression++]);
  }
  return raise(sqlstate::unique_violation,
               cat("could not create unique index \"", index_.name, "\""))
      .detail(cat("Key (", join(names, ", "), ")=(", values, ") is duplicated."))
      .constraint(table_.nsp_name, table_.name, index_.name);
}

Status IndexBuild::run() {
  TRY(make_sorter());
  TRY(read_rows());
  TRY(sorter_->sort());
  const Xid xid = TRY(context_.store.access().transactions().assign_xid(
      context_.fiber, *context_.store.transaction()));
  BTreeBuilder builder(context_.store.access(), index_.storage, xid);
  const size_t width = sorter_->width();
  while (true) {
    StoredRow* row = TRY(sorter_->next());
    if (row == nullptr) break;
    const Datum word = row->values()[width - 1];
    const bool added = TRY(builder.add(context_.fiber, RowValues{row->values(), row->nulls(width)},
                                       word_tid(word), word_is_live(word)));
    if (!added) return duplicate(*row);
    TRY(context_.fiber.charge(4));
  }
  return builder.finish(context_.fiber);
}

}  // namespace

Status build_index(CommandContext& context, const RelationInfo& table, const CatalogIndex& index) {
  return IndexBuild(context, table, index).run();
}

}  // namespace orrery
