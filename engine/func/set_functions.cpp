// Functions that return sets: generate_series, generate_subscripts, unnest, string_to_table.
#include "base/text.h"
#include "func/interval_math.h"
#include "func/lift.h"
#include "types/array.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

template <class State>
State* make_state(EvalContext& context) {
  void* const at = context.plan_arena.allocate(sizeof(State), 16);
  std::memset(at, 0, sizeof(State));
  return static_cast<State*>(at);
}

bool any_null(std::span<const NullableDatum> args) {
  for (const NullableDatum& arg : args) {
    if (arg.is_null) return true;
  }
  return false;
}

Status zero_step() {
  return raise(sqlstate::invalid_parameter_value, "step size cannot equal zero");
}

// Integers: the next value and what is left, so that no sum can overflow.
struct IntSeries {
  int64_t next, last, step;
  bool done;
};
template <class T>
Result<void*> begin_ints(EvalContext& context, CallSite&, std::span<const NullableDatum> args) {
  auto* const state = make_state<IntSeries>(context);
  state->done = any_null(args);
  if (state->done) return static_cast<void*>(state);
  state->next = args[0].value.as<T>();
  state->last = args[1].value.as<T>();
  state->step = args.size() > 2 ? args[2].value.as<T>() : 1;
  if (state->step == 0) return zero_step();
  return static_cast<void*>(state);
}
Result<uint32_t> next_ints(EvalContext&, CallSite&, void* at, std::span<Vector> columns) {
  auto& state = *static_cast<IntSeries*>(at);
  uint32_t count = 0;
  while (!state.done && count < kBatchRows) {
    if (state.step > 0 ? state.next > state.last : state.next < state.last) {
      state.done = true;
      break;
    }
    columns[0].set(count++, Datum::of(state.next));
    state.done = __builtin_add_overflow(state.next, state.step, &state.next);
  }
  return count;
}
template <class T>
constexpr SetKernel kIntSeries{begin_ints<T>, next_ints};

// numeric: values are made anew in each call's arena from text-free copies of the bounds.
struct NumericSeries {
  Datum start, last, step;
  int64_t index;
  bool done;
};
Datum keep(Arena& arena, Datum value) { return make_varlena(arena, value.text()); }
Result<void*> begin_numerics(EvalContext& context, CallSite&, std::span<const NullableDatum> args) {
  auto* const state = make_state<NumericSeries>(context);
  state->done = any_null(args);
  if (state->done) return static_cast<void*>(state);
  constexpr std::string_view kNames[] = {"start", "stop", "step size"};
  for (size_t i = 0; i < args.size(); ++i) {
    const Numeric value = Numeric::from_datum(args[i].value);
    if (value.is_finite()) continue;
    const std::string_view what = value.is_nan() ? "NaN" : "infinity";
    return raise(sqlstate::invalid_parameter_value,
                 cat(kNames[i], i == 2 ? "" : " value", " cannot be ", what));
  }
  state->start = keep(context.plan_arena, args[0].value);
  state->last = keep(context.plan_arena, args[1].value);
  if (args.size() > 2) {
    state->step = keep(context.plan_arena, args[2].value);
    if (Numeric::from_datum(state->step).is_zero()) return zero_step();
  } else {
    state->step = TRY(make_numeric(context.plan_arena, Numeric::from_int(1)));
  }
  return static_cast<void*>(state);
}
Result<uint32_t> next_numerics(EvalContext& context, CallSite&, void* at,
                               std::span<Vector> columns) {
  auto& state = *static_cast<NumericSeries*>(at);
  if (state.done) return 0U;
  const Numeric last = Numeric::from_datum(state.last);
  const Numeric step = Numeric::from_datum(state.step);
  Numeric value =
      add(Numeric::from_datum(state.start), multiply(step, Numeric::from_int(state.index)));
  if (state.index == 0) value = Numeric::from_datum(state.start);
  uint32_t count = 0;
  for (; count < kBatchRows; ++count, ++state.index) {
    const int order = compare_numeric(value, last);
    if (step.sign() > 0 ? order > 0 : order < 0) {
      state.done = true;
      break;
    }
    const Datum datum = TRY(make_numeric(context.arena, value));
    columns[0].set(count, datum);
    value = add(value, step);
  }
  return count;
}
constexpr SetKernel kNumericSeries{begin_numerics, next_numerics};

struct MomentSeries {
  int64_t next, last;
  Interval step;
  int sign;
  bool with_zone;
  bool done;
};
template <bool kWithZone>
Result<void*> begin_moments(EvalContext& context, CallSite&, std::span<const NullableDatum> args) {
  auto* const state = make_state<MomentSeries>(context);
  state->done = any_null(args);
  if (state->done) return static_cast<void*>(state);
  *state = {args[0].value.as<int64_t>(),
            args[1].value.as<int64_t>(),
            load_interval(args[2].value),
            0,
            kWithZone,
            false};
  const __int128 span = interval_span(state->step);
  state->sign = (span > 0) - (span < 0);
  if (state->sign == 0) return zero_step();
  return static_cast<void*>(state);
}
Result<uint32_t> next_moments(EvalContext& context, CallSite&, void* at,
                              std::span<Vector> columns) {
  auto& state = *static_cast<MomentSeries*>(at);
  const TimeZone zone = session_zone(context.session.types);
  uint32_t count = 0;
  while (!state.done && count < kBatchRows) {
    if (state.sign > 0 ? state.next > state.last : state.next < state.last) {
      state.done = true;
      break;
    }
    columns[0].set(count++, Datum::of(state.next));
    state.next = state.with_zone ? TRY(timestamptz_plus(state.next, state.step, zone))
                                 : TRY(timestamp_plus(state.next, state.step));
  }
  return count;
}
constexpr SetKernel kTimestampSeries{begin_moments<false>, next_moments};
constexpr SetKernel kTimestamptzSeries{begin_moments<true>, next_moments};

// Subscripts of one dimension, perhaps backwards.
Result<void*> begin_subscripts(EvalContext& context, CallSite&,
                               std::span<const NullableDatum> args) {
  auto* const state = make_state<IntSeries>(context);
  state->done = true;
  if (any_null(args)) return static_cast<void*>(state);
  const ArrayShape shape = ArrayView::shape_of(args[0].value);
  const int32_t dimension = args[1].value.as<int32_t>();
  if (dimension < 1 || dimension > shape.dimensions()) return static_cast<void*>(state);
  const int32_t low = shape.lower[static_cast<size_t>(dimension - 1)];
  const int32_t high = low + shape.sizes[static_cast<size_t>(dimension - 1)] - 1;
  const bool reverse = args.size() > 2 && args[2].value.as<bool>();
  *state = {reverse ? high : low, reverse ? low : high, reverse ? -1 : 1, false};
  return static_cast<void*>(state);
}
constexpr SetKernel kSubscripts{begin_subscripts, next_ints};

// unnest(array): the array is copied, as its batch may go before the last row is asked for.
struct Unnest {
  std::span<NullableDatum> values;
  size_t at;
};
Result<void*> begin_unnest(EvalContext& context, CallSite&, std::span<const NullableDatum> args) {
  auto* const state = make_state<Unnest>(context);
  if (args[0].is_null) return static_cast<void*>(state);
  const Datum copy = keep(context.plan_arena, args[0].value);
  const TypeInfo* const type = TRY(find_type(context.session.types, ArrayView::element_type(copy)));
  ArrayView view(copy, *type);
  state->values = context.plan_arena.copy_array(view.all());
  return static_cast<void*>(state);
}
Result<uint32_t> next_unnest(EvalContext&, CallSite&, void* at, std::span<Vector> columns) {
  auto& state = *static_cast<Unnest*>(at);
  uint32_t count = 0;
  for (; count < kBatchRows && state.at < state.values.size(); ++count, ++state.at)
    columns[0].set(count, state.values[state.at]);
  return count;
}
constexpr SetKernel kUnnest{begin_unnest, next_unnest};

// string_to_table: text_to_array's fields as rows.
Result<void*> begin_fields(EvalContext& context, CallSite& site,
                           std::span<const NullableDatum> args) {
  auto* const state = make_state<Unnest>(context);
  const FunctionBody* const split =
      find_function({}, args.size() > 2 ? "text_to_array_null" : "text_to_array");
  CHECK(split != nullptr);
  std::vector<Vector> vectors;
  for (const NullableDatum& arg : args)
    vectors.push_back(Vector::make_constant(context.plan_arena, arg));
  Vector out = Vector::make(context.plan_arena, 1);
  EvalContext inner{context.fiber, context.plan_arena, context.plan_arena, context.session};
  TRY(split->kernel(inner, site, vectors, {nullptr, 1}, out));
  if (out.is_null(0)) return static_cast<void*>(state);
  ArrayView view(out.value(0), *find_builtin_type(type_oid::text));
  state->values = context.plan_arena.copy_array(view.all());
  return static_cast<void*>(state);
}
constexpr SetKernel kFields{begin_fields, next_unnest};

constexpr FunctionBody set(std::string_view name, const SetKernel* kernel) {
  return {.name = name, .set = kernel};
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    set("generate_series_int4", &kIntSeries<int32_t>),
    set("generate_series_step_int4", &kIntSeries<int32_t>),
    set("generate_series_int8", &kIntSeries<int64_t>),
    set("generate_series_step_int8", &kIntSeries<int64_t>),
    set("generate_series_numeric", &kNumericSeries),
    set("generate_series_step_numeric", &kNumericSeries),
    set("generate_series_timestamp", &kTimestampSeries),
    set("generate_series_timestamptz", &kTimestamptzSeries),
    set("generate_subscripts", &kSubscripts),
    set("generate_subscripts_nodir", &kSubscripts),
    set("array_unnest", &kUnnest),
    set("text_to_table", &kFields),
    set("text_to_table_null", &kFields),
}));

}  // namespace

std::span<const FunctionBody> set_functions() { return kTable; }

}  // namespace orrery
