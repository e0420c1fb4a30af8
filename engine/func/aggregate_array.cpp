// array_agg: of values into one dimension; of arrays into one dimension more. min and max of
// arrays.
#include <cstring>

#include "base/text.h"
#include "func/aggregate.h"
#include "func/large_work.h"
#include "func/lift.h"
#include "types/array.h"

namespace orrery {
namespace {

// Values are copied to the aggregate's arena and kept in a span that doubles.
struct ArrayState {
  NullableDatum* values;
  uint64_t count, room;
  Oid element;
  int32_t sizes[kMaxArrayDimensions];  // of the arrays aggregated
  int32_t dimensions;
  int64_t arrays;
};

Status add_value(EvalContext& context, ArrayState& state, const TypeInfo& type,
                 NullableDatum value) {
  if (state.count == state.room) {
    state.room = std::max<uint64_t>(16, state.room * 2);
    void* const larger = context.arena.allocate(state.room * sizeof(NullableDatum));
    TRY(copy_large(context, larger, state.values, state.count * sizeof(NullableDatum)));
    state.values = static_cast<NullableDatum*>(larger);
  }
  if (!value.is_null && !type.by_value) {
    ColumnDesc column{.type = type.oid, .length = type.length, .alignment = type.alignment};
    value.value = copy_datum(context.arena, value.value, column);
  }
  state.values[state.count++] = value;
  return {};
}
uint64_t values_weight(const void* state) {
  return static_cast<const ArrayState*>(state)->count * sizeof(NullableDatum);
}

Status agg_rows(EvalContext& context, CallSite& site, void* const* states,
                std::span<const Vector> args, Rows rows) {
  const TypeInfo* const type = TRY(find_type(context.session.types, site.argument_types[0]));
  for (uint32_t i = 0; i < rows.count; ++i) {
    auto& state = *static_cast<ArrayState*>(states[i]);
    state.element = type->oid;
    TRY(add_value(context, state, *type, args[0].at(rows[i])));
  }
  return {};
}
Status agg_final(EvalContext& context, CallSite&, const void* at, NullableDatum* out) {
  const auto& state = *static_cast<const ArrayState*>(at);
  if (state.count == 0) return {};
  const TypeInfo* const type = TRY(find_type(context.session.types, state.element));
  const Datum array = TRY(
      make_array(context.arena, *type, std::span<const NullableDatum>(state.values, state.count)));
  *out = {array, false};
  return {};
}

Status mismatch() {
  return raise(sqlstate::array_subscript_error,
               "cannot accumulate arrays of different dimensionality");
}
Status agg_array_rows(EvalContext& context, CallSite&, void* const* states,
                      std::span<const Vector> args, Rows rows) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    if (args[0].is_null(rows[i]))
      return raise(sqlstate::null_value_not_allowed, "cannot accumulate null arrays");
    auto& state = *static_cast<ArrayState*>(states[i]);
    const Datum array = args[0].value(rows[i]);
    const TypeInfo* const type =
        TRY(find_type(context.session.types, ArrayView::element_type(array)));
    ArrayView view(array, *type);
    const int dimensions = view.shape().dimensions();
    if (dimensions == 0)
      return raise(sqlstate::array_subscript_error, "cannot accumulate empty arrays");
    if (dimensions + 1 > kMaxArrayDimensions) return too_many_dimensions(dimensions + 1);
    if (state.arrays == 0) {
      state.element = type->oid;
      state.dimensions = dimensions;
      std::copy(view.shape().sizes.begin(), view.shape().sizes.end(), state.sizes);
    } else if (state.dimensions != dimensions ||
               !std::equal(view.shape().sizes.begin(), view.shape().sizes.end(), state.sizes)) {
      return mismatch();
    }
    ++state.arrays;
    for (int64_t n = 0; n < view.count(); ++n) TRY(add_value(context, state, *type, view.next()));
  }
  return {};
}
Status agg_array_final(EvalContext& context, CallSite&, const void* at, NullableDatum* out) {
  const auto& state = *static_cast<const ArrayState*>(at);
  if (state.arrays == 0) return {};
  const TypeInfo* const type = TRY(find_type(context.session.types, state.element));
  ArrayShape shape{{static_cast<int32_t>(state.arrays)}, {}};
  shape.sizes.insert(shape.sizes.end(), state.sizes, state.sizes + state.dimensions);
  shape.lower.assign(shape.sizes.size(), 1);
  TRY(check_array_size(shape));
  const Datum array = TRY(make_array(context.arena, *type, shape,
                                     std::span<const NullableDatum>(state.values, state.count)));
  *out = {array, false};
  return {};
}

struct BestArray {
  Datum value;
  bool any;
};
template <int kSign>
Status best_rows(EvalContext& context, CallSite&, void* const* states, std::span<const Vector> args,
                 Rows rows) {
  return for_each_row<BestArray>(states, args, rows, [&](BestArray& state, uint32_t row) {
    const Datum value = args[0].value(row);
    if (!state.any || compare_array(value, state.value) * kSign > 0)
      state = {make_varlena(context.arena, value.text()), true};
  });
}
Status best_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const BestArray*>(state);
  if (s.any) *out = {s.value, false};
  return {};
}

}  // namespace

constexpr AggregateKernel kArrayAgg{sizeof(ArrayState), nullptr,      agg_rows, nullptr,
                                    agg_final,          values_weight};
constexpr AggregateKernel kArrayAggArray{sizeof(ArrayState), nullptr,      agg_array_rows, nullptr,
                                         agg_array_final,    values_weight};
constexpr AggregateKernel kMaxArray{sizeof(BestArray), nullptr, best_rows<1>, nullptr, best_final};
constexpr AggregateKernel kMinArray{sizeof(BestArray), nullptr, best_rows<-1>, nullptr, best_final};

}  // namespace orrery
