// Ordered-set aggregates: their answer is read off the sorted rows of the group. Keyed by the OIDs
// of pg_proc.
#include <cmath>

#include "base/text.h"
#include "exec/aggregates.h"
#include "exec/arrays.h"
#include "exec/functions.h"
#include "func/interval_math.h"
#include "types/date_time.h"
#include "types/float_types.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

enum class OrderedSet : uint16_t {
  percentile_disc = 3972,
  percentile_cont_float8 = 3974,
  percentile_cont_interval = 3976,
  percentile_disc_array = 3978,
  percentile_cont_float8_array = 3980,
  percentile_cont_interval_array = 3982,
  mode = 3984,
  rank = 3986,
  percent_rank = 3988,
  cume_dist = 3990,
  dense_rank = 3992,
};

// The rows with a value in their first column, one after the other, by number.
class Values {
 public:
  explicit Values(OrderedSetCall& call)
      : call_(call), desc_(call.rows.columns()[0]), kept_(&call.context.budget) {}

  // Counts the rows that are not NULL and keeps those that `wanted` may ask for: all of them, as
  // the count is not known before the end.
  Status read() {
    while (true) {
      const StoredRow* row = TRY(call_.rows.next());
      if (row == nullptr) return call_.context.budget.check();
      if (row->nulls(call_.rows.width())[0] != 0) continue;
      values_.push_back(copy_datum(kept_, row->values()[0], desc_));
      if (values_.size() % kBatchRows != 0) continue;
      TRY(call_.context.budget.check());
      TRY(call_.context.fiber.charge(kBatchRows));
    }
  }
  size_t size() const { return values_.size(); }
  Datum at(size_t i) const { return values_[i]; }
  const ColumnDesc& desc() const { return desc_; }

 private:
  OrderedSetCall& call_;
  const ColumnDesc desc_;
  Arena kept_;
  std::vector<Datum> values_;
};

Result<double> fraction_of(Datum value) {
  const auto p = value.as<double>();
  if (p < 0 || p > 1 || std::isnan(p)) {
    std::string text;
    append_float8(text, p);
    return raise(sqlstate::numeric_value_out_of_range,
                 cat("percentile value ", text, " is not between 0 and 1"));
  }
  return p;
}

// The first value whose position is at least the fraction of all.
NullableDatum discrete(OrderedSetCall& call, const Values& values, double p) {
  const auto row = static_cast<size_t>(std::ceil(p * static_cast<double>(values.size())));
  return {copy_datum(call.results, values.at(row == 0 ? 0 : row - 1), values.desc()), false};
}

// Between two neighbours, in proportion.
Result<NullableDatum> continuous(OrderedSetCall& call, const Values& values, double p,
                                 bool interval) {
  const double position = p * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(std::floor(position));
  const auto high = static_cast<size_t>(std::ceil(position));
  const double part = position - static_cast<double>(low);
  if (!interval) {
    const auto a = values.at(low).as<double>();
    const auto b = values.at(high).as<double>();
    return NullableDatum{Datum::of(low == high ? a : a + part * (b - a)), false};
  }
  const auto a = load<Interval>(values.at(low).as<const char*>());
  const auto b = load<Interval>(values.at(high).as<const char*>());
  Interval out = a;
  if (low != high) {
    const Interval minus = TRY(negate_interval(a));
    const Interval distance = TRY(add_intervals(b, minus));
    const Interval scaled = TRY(multiply_interval(distance, part));
    out = TRY(add_intervals(scaled, a));
  }
  auto* stored = static_cast<char*>(call.results.allocate(sizeof(Interval), 8));
  store<Interval>(stored, out);
  return NullableDatum{Datum::of(static_cast<const void*>(stored)), false};
}

enum class Percentile : uint8_t { disc, cont_float8, cont_interval };

Result<NullableDatum> percentile(OrderedSetCall& call, Percentile how, bool many) {
  if (call.direct[0].is_null) return NullableDatum{};
  Values values(call);
  TRY(values.read());
  const auto one = [&](double p) -> Result<NullableDatum> {
    if (how == Percentile::disc) return discrete(call, values, p);
    return continuous(call, values, p, how == Percentile::cont_interval);
  };
  if (!many) {
    const double p = TRY(fraction_of(call.direct[0].value));
    if (values.size() == 0) return NullableDatum{};
    return one(p);
  }
  const auto wanted =
      TRY(deconstruct(call.context, call.results, type_oid::float8, call.direct[0].value));
  if (values.size() == 0) return NullableDatum{};
  std::vector<NullableDatum> out;
  for (const NullableDatum& element : wanted) {
    if (element.is_null) {
      out.push_back({});
      continue;
    }
    const double p = TRY(fraction_of(element.value));
    {
      auto made = TRY(one(p));
      out.push_back(std::move(made));
    }
  }
  return rebuild_array(call.context, call.results, values.desc().type, call.direct[0].value, out);
}

// The most frequent value, the first of equals.
Result<NullableDatum> most_frequent(OrderedSetCall& call) {
  Values values(call);
  TRY(values.read());
  if (values.size() == 0) return NullableDatum{};
  size_t best = 0;
  size_t best_count = 0;
  for (size_t i = 0; i < values.size();) {
    size_t end = i + 1;
    while (end < values.size() && call.keys[0].compare(values.at(i), values.at(end)) == 0) {
      if (++end % kBatchRows == 0) TRY(call.context.fiber.charge(kBatchRows));
    }
    TRY(call.context.fiber.charge(1));
    if (end - i > best_count) {
      best = i;
      best_count = end - i;
    }
    i = end;
  }
  return NullableDatum{copy_datum(call.results, values.at(best), values.desc()), false};
}

// Where a row of the direct arguments would stand among the rows.
Result<NullableDatum> hypothetical(OrderedSetCall& call, OrderedSet which) {
  const size_t width = call.rows.width();
  RowStore store(call.context, call.rows.columns());
  StoredRow* asked = store.add_empty();
  for (size_t i = 0; i < call.direct.size(); ++i) {
    asked->values()[i] = call.direct[i].value;
    asked->nulls(width)[i] = call.direct[i].is_null;
  }
  int64_t before = 0;
  int64_t not_after = 0;
  int64_t distinct_before = 0;
  int64_t all = 0;
  RowStore last_store(call.context, call.rows.columns());
  StoredRow* last = nullptr;
  while (true) {
    const StoredRow* row = TRY(call.rows.next());
    if (row == nullptr) break;
    if (++all % kBatchRows == 0) TRY(call.context.fiber.charge(kBatchRows));
    const int order = compare_rows(call.keys, *row, *asked, width);
    not_after += order <= 0;
    before += order < 0;
    if (order < 0 && (last == nullptr || !rows_equal(call.keys, *last, *row, width))) {
      ++distinct_before;
      if (last_store.bytes() > (1 << 16)) last_store.clear();
      last = last_store.add(*row);
    }
  }
  switch (which) {
    case OrderedSet::rank:         return NullableDatum{Datum::of(before + 1), false};
    case OrderedSet::dense_rank:   return NullableDatum{Datum::of(distinct_before + 1), false};
    case OrderedSet::percent_rank: {
      const double part = all == 0 ? 0.0 : static_cast<double>(before) / static_cast<double>(all);
      return NullableDatum{Datum::of(part), false};
    }
    case OrderedSet::cume_dist:
      return NullableDatum{
          Datum::of(static_cast<double>(not_after + 1) / static_cast<double>(all + 1)), false};
    case OrderedSet::percentile_disc:
    case OrderedSet::percentile_cont_float8:
    case OrderedSet::percentile_cont_interval:
    case OrderedSet::percentile_disc_array:
    case OrderedSet::percentile_cont_float8_array:
    case OrderedSet::percentile_cont_interval_array:
    case OrderedSet::mode:                           break;
  }
  UNREACHABLE();
}

}  // namespace

bool is_ordered_set(Oid aggregate) {
  return aggregate.v >= 3972 && aggregate.v <= 3992 && aggregate.v % 2 == 0;
}

Result<NullableDatum> ordered_set_result(OrderedSetCall& call) {
  const auto which = static_cast<OrderedSet>(call.expr.function.v);
  switch (which) {
    case OrderedSet::percentile_disc: return percentile(call, Percentile::disc, false);
    case OrderedSet::percentile_cont_float8:
      return percentile(call, Percentile::cont_float8, false);
    case OrderedSet::percentile_cont_interval:
      return percentile(call, Percentile::cont_interval, false);
    case OrderedSet::percentile_disc_array: return percentile(call, Percentile::disc, true);
    case OrderedSet::percentile_cont_float8_array:
      return percentile(call, Percentile::cont_float8, true);
    case OrderedSet::percentile_cont_interval_array:
      return percentile(call, Percentile::cont_interval, true);
    case OrderedSet::mode:         return most_frequent(call);
    case OrderedSet::rank:
    case OrderedSet::percent_rank:
    case OrderedSet::cume_dist:
    case OrderedSet::dense_rank:   return hypothetical(call, which);
  }
  UNREACHABLE();
}

}  // namespace orrery
