#include "func/aggregate.h"

#include <algorithm>
#include <cmath>

#include "func/interval_math.h"
#include "func/large_work.h"
#include "func/lift.h"
#include "types/compare.h"
#include "types/float_types.h"
#include "types/inet.h"
#include "types/small_types.h"

namespace orrery {
namespace {

// count(*) and count(any)
struct CountState {
  int64_t count;
};
Status count_rows(EvalContext&, CallSite&, void* const* states, std::span<const Vector> args,
                  Rows rows) {
  if (rows.count == 0) return {};
  const bool all = args.empty() || !args[0].may_have_nulls;
  if (all && one_state(states, rows.count)) {
    static_cast<CountState*>(states[0])->count += rows.count;
    return {};
  }
  for (uint32_t i = 0; i < rows.count; ++i) {
    static_cast<CountState*>(states[i])->count += all || !args[0].is_null(rows[i]);
  }
  return {};
}
Status count_combine(EvalContext&, CallSite&, void* into, const void* from) {
  static_cast<CountState*>(into)->count += static_cast<const CountState*>(from)->count;
  return {};
}
Status count_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  *out = {Datum::of(static_cast<const CountState*>(state)->count), false};
  return {};
}
constexpr AggregateKernel kCount{sizeof(CountState), nullptr, count_rows, count_combine,
                                 count_final};

// Sums of integers in 128 bits: 2^64 rows of the largest bigint fit.
struct IntSum {
  __int128 sum;
  int64_t count;
};
template <class T>
Status int_sum_rows(EvalContext&, CallSite&, void* const* states, std::span<const Vector> args,
                    Rows rows) {
  if (rows.count == 0) return {};
  const Vector& arg = args[0];
  if (!arg.may_have_nulls && !arg.constant && rows.index == nullptr &&
      one_state(states, rows.count)) {
    auto& state = *static_cast<IntSum*>(states[0]);
    if constexpr (sizeof(T) < 8) {
      int64_t sum = 0;  // 1024 integers cannot overflow it
      for (uint32_t i = 0; i < rows.count; ++i) sum += arg.values[i].as<T>();
      state.sum += sum;
    } else {
      __int128 sum = 0;
      for (uint32_t i = 0; i < rows.count; ++i) sum += arg.values[i].as<int64_t>();
      state.sum += sum;
    }
    state.count += rows.count;
    return {};
  }
  return for_each_row<IntSum>(states, args, rows, [&](IntSum& state, uint32_t row) {
    state.sum += arg.value(row).as<T>();
    ++state.count;
  });
}
Status int_sum_combine(EvalContext&, CallSite&, void* into, const void* from) {
  auto& to = *static_cast<IntSum*>(into);
  const auto& other = *static_cast<const IntSum*>(from);
  to.sum += other.sum;
  to.count += other.count;
  return {};
}
Status int_sum_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const IntSum*>(state);
  if (s.count == 0) return {};
  if (s.sum > INT64_MAX || s.sum < INT64_MIN) return raise_out_of_range("bigint");
  *out = {Datum::of(static_cast<int64_t>(s.sum)), false};
  return {};
}
Status int_sum_final_numeric(EvalContext& context, CallSite&, const void* state,
                             NullableDatum* out) {
  const auto& s = *static_cast<const IntSum*>(state);
  if (s.count == 0) return {};
  const Datum value = TRY(make_numeric(context.arena, Numeric::from_int128(s.sum)));
  *out = {value, false};
  return {};
}
Status int_avg_final(EvalContext& context, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const IntSum*>(state);
  if (s.count == 0) return {};
  const Numeric average = TRY(divide(Numeric::from_int128(s.sum), Numeric::from_int(s.count)));
  const Datum value = TRY(make_numeric(context.arena, average));
  *out = {value, false};
  return {};
}
template <class T>
constexpr AggregateKernel kIntSum{sizeof(IntSum), nullptr, int_sum_rows<T>, int_sum_combine,
                                  int_sum_final};
template <class T>
constexpr AggregateKernel kIntSumNumeric{sizeof(IntSum), nullptr, int_sum_rows<T>, int_sum_combine,
                                         int_sum_final_numeric};
template <class T>
constexpr AggregateKernel kIntAvg{sizeof(IntSum), nullptr, int_sum_rows<T>, int_sum_combine,
                                  int_avg_final};

// Plain sums of floats, in row order: the type's own addition.
template <class T>
struct FloatSum {
  T sum;
  bool any;
};
template <class T>
Status float_sum_rows(EvalContext&, CallSite&, void* const* states, std::span<const Vector> args,
                      Rows rows) {
  return for_each_row<FloatSum<T>>(
      states, args, rows, [&](FloatSum<T>& state, uint32_t row) -> Status {
        const T value = args[0].value(row).as<T>();
        const T sum = state.any ? state.sum + value : value;
        if (std::isinf(sum) && !std::isinf(value) && !std::isinf(state.sum)) {
          return raise(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
        }
        state = {sum, true};
        return {};
      });
}
template <class T>
Status float_sum_combine(EvalContext&, CallSite&, void* into, const void* from) {
  auto& to = *static_cast<FloatSum<T>*>(into);
  const auto& other = *static_cast<const FloatSum<T>*>(from);
  if (other.any) to = {to.any ? to.sum + other.sum : other.sum, true};
  return {};
}
template <class T>
Status float_sum_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const FloatSum<T>*>(state);
  if (s.any) *out = {Datum::of(s.sum), false};
  return {};
}
template <class T>
constexpr AggregateKernel kFloatSum{sizeof(FloatSum<T>), nullptr, float_sum_rows<T>,
                                    float_sum_combine<T>, float_sum_final<T>};

// Intervals add field by field.
struct IntervalSum {
  int64_t micros;
  int32_t days, months;
  int64_t count;
};
Status interval_add(IntervalSum& to, const Interval& v, int64_t count) {
  if (__builtin_add_overflow(to.micros, v.micros, &to.micros) ||
      __builtin_add_overflow(to.days, v.days, &to.days) ||
      __builtin_add_overflow(to.months, v.months, &to.months)) {
    return raise(sqlstate::datetime_value_out_of_range, "interval out of range");
  }
  to.count += count;
  return {};
}
Status interval_rows(EvalContext&, CallSite&, void* const* states, std::span<const Vector> args,
                     Rows rows) {
  return for_each_row<IntervalSum>(states, args, rows, [&](IntervalSum& state, uint32_t row) {
    return interval_add(state, load_interval(args[0].value(row)), 1);
  });
}
Status interval_combine(EvalContext&, CallSite&, void* into, const void* from) {
  const auto& other = *static_cast<const IntervalSum*>(from);
  return interval_add(*static_cast<IntervalSum*>(into), {other.micros, other.days, other.months},
                      other.count);
}
Status interval_sum_final(EvalContext& context, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const IntervalSum*>(state);
  if (s.count > 0) *out = {make_interval(context.arena, {s.micros, s.days, s.months}), false};
  return {};
}
Status interval_avg_final(EvalContext& context, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const IntervalSum*>(state);
  if (s.count == 0) return {};
  const Interval average =
      TRY(divide_interval({s.micros, s.days, s.months}, static_cast<double>(s.count)));
  *out = {make_interval(context.arena, average), false};
  return {};
}
constexpr AggregateKernel kIntervalSum{sizeof(IntervalSum), nullptr, interval_rows,
                                       interval_combine, interval_sum_final};
constexpr AggregateKernel kIntervalAvg{sizeof(IntervalSum), nullptr, interval_rows,
                                       interval_combine, interval_avg_final};

// min and max keep a copy of the best value. kLength as in pg_type; 8 and below are words.
struct BestState {
  Datum value;
  uint32_t room;  // bytes at value, for by-reference types
  bool any;
};
template <int kLength>
void keep(Arena& arena, BestState& state, Datum value) {
  state.any = true;
  if constexpr (kLength >= 0 && kLength <= 8 && kLength != 6) {
    state.value = value;
  } else {
    const char* const from = value.as<const char*>();
    const uint32_t bytes = kLength > 0 ? static_cast<uint32_t>(kLength) : varlena_size(from);
    if (bytes > state.room) {
      state.room = std::max(bytes, state.room * 2);
      state.value = Datum::of(static_cast<const void*>(arena.allocate(state.room, 8)));
    }
    std::memcpy(state.value.as<char*>(), from, bytes);
  }
}
// Equal values may look different (1.0 and 1.00): the later one is kept, but of char(n) the first,
// as larger() has it.
template <Comparator C, int kSign>
bool is_better(Datum candidate, Datum best) {
  const int order = C(candidate, best) * kSign;
  return order > 0 || (order == 0 && C != compare_bpchar);
}
template <Comparator C, int kLength, int kSign>
Status best_rows(EvalContext& context, CallSite&, void* const* states, std::span<const Vector> args,
                 Rows rows) {
  return for_each_row<BestState>(states, args, rows, [&](BestState& state, uint32_t row) {
    const Datum value = args[0].value(row);
    if (!state.any || is_better<C, kSign>(value, state.value))
      keep<kLength>(context.arena, state, value);
  });
}
template <Comparator C, int kLength, int kSign>
Status best_combine(EvalContext& context, CallSite&, void* into, const void* from) {
  auto& to = *static_cast<BestState*>(into);
  const auto& other = *static_cast<const BestState*>(from);
  if (other.any && (!to.any || is_better<C, kSign>(other.value, to.value)))
    keep<kLength>(context.arena, to, other.value);
  return {};
}
Status best_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const BestState*>(state);
  if (s.any) *out = {s.value, false};
  return {};
}
template <Comparator C, int kLength>
constexpr AggregateKernel kMax{sizeof(BestState), nullptr, best_rows<C, kLength, 1>,
                               best_combine<C, kLength, 1>, best_final};
template <Comparator C, int kLength>
constexpr AggregateKernel kMin{sizeof(BestState), nullptr, best_rows<C, kLength, -1>,
                               best_combine<C, kLength, -1>, best_final};

// bool_and, bool_or, bit_and, bit_or, bit_xor: a fold over words.
struct FoldState {
  uint64_t word;
  bool any;
};
enum class Fold : uint8_t { conjunction, disjunction, exclusive };
template <Fold kFold>
void fold_in(FoldState& state, uint64_t word) {
  if (!state.any) {
    state = {word, true};
  } else if constexpr (kFold == Fold::conjunction) {
    state.word &= word;
  } else if constexpr (kFold == Fold::disjunction) {
    state.word |= word;
  } else {
    state.word ^= word;
  }
}
template <Fold kFold>
Status fold_rows(EvalContext&, CallSite&, void* const* states, std::span<const Vector> args,
                 Rows rows) {
  return for_each_row<FoldState>(states, args, rows, [&](FoldState& state, uint32_t row) {
    fold_in<kFold>(state, args[0].value(row).raw);
  });
}
template <Fold kFold>
Status fold_combine(EvalContext&, CallSite&, void* into, const void* from) {
  const auto& other = *static_cast<const FoldState*>(from);
  if (other.any) fold_in<kFold>(*static_cast<FoldState*>(into), other.word);
  return {};
}
Status fold_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const FoldState*>(state);
  if (s.any) *out = {Datum(s.word), false};
  return {};
}
template <Fold kFold>
constexpr AggregateKernel kFoldOf{sizeof(FoldState), nullptr, fold_rows<kFold>, fold_combine<kFold>,
                                  fold_final};

// string_agg: the delimiter of the first value is not used; kept in a buffer that doubles.
struct StringState {
  char* data;
  uint64_t size;
  uint64_t room;
  uint64_t first_delimiter;  // bytes of it in front, for combine()
  bool any;
};
Status append_to(EvalContext& context, StringState& state, std::string_view text) {
  if (state.size + text.size() > kMaxValueBytes - kVarlenaHeaderBytes) {
    return raise(sqlstate::program_limit_exceeded, "out of memory")
        .detail("Cannot enlarge string buffer past 1 GB.");
  }
  if (state.size + text.size() > state.room) {
    state.room = std::max<uint64_t>({64, state.room * 2, state.size + text.size()});
    char* const larger = static_cast<char*>(context.arena.allocate(state.room, 1));
    TRY(copy_large(context, larger, state.data, state.size));
    state.data = larger;
  }
  TRY(copy_large(context, state.data + state.size, text.data(), text.size()));
  state.size += text.size();
  return {};
}
Status string_rows(EvalContext& context, CallSite&, void* const* states,
                   std::span<const Vector> args, Rows rows) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (args[0].is_null(row)) continue;
    auto& state = *static_cast<StringState*>(states[i]);
    const std::string_view delimiter =
        args[1].is_null(row) ? std::string_view() : args[1].value(row).text();
    TRY(append_to(context, state, delimiter));
    if (!state.any) state.first_delimiter = delimiter.size();
    state.any = true;
    TRY(append_to(context, state, args[0].value(row).text()));
  }
  return {};
}
Status string_combine(EvalContext& context, CallSite&, void* into, const void* from) {
  auto& to = *static_cast<StringState*>(into);
  const auto& other = *static_cast<const StringState*>(from);
  if (!other.any) return {};
  if (!to.any) to.first_delimiter = other.first_delimiter;
  to.any = true;
  return append_to(context, to, {other.data, other.size});
}
Status string_final(EvalContext& context, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const StringState*>(state);
  if (s.any)
    *out = {make_varlena(context.arena, std::string_view(s.data, s.size).substr(s.first_delimiter)),
            false};
  return {};
}
uint64_t string_weight(const void* state) { return static_cast<const StringState*>(state)->size; }
constexpr AggregateKernel kStringAgg{sizeof(StringState), nullptr,      string_rows,
                                     string_combine,      string_final, string_weight};

constexpr AggregateEntry kTable[] = {
    {Oid(2050), &kMaxArray},
    {Oid(2051), &kMinArray},
    {Oid(2100), &kIntAvg<int64_t>},
    {Oid(2101), &kIntAvg<int32_t>},
    {Oid(2102), &kIntAvg<int16_t>},
    {Oid(2103), &kNumericAvg},
    {Oid(2104), &kFloat4Avg},
    {Oid(2105), &kFloat8Avg},
    {Oid(2106), &kIntervalAvg},
    {Oid(2107), &kIntSumNumeric<int64_t>},
    {Oid(2108), &kIntSum<int32_t>},
    {Oid(2109), &kIntSum<int16_t>},
    {Oid(2110), &kFloatSum<float>},
    {Oid(2111), &kFloatSum<double>},
    {Oid(2112), &kIntSum<int64_t>},
    {Oid(2113), &kIntervalSum},
    {Oid(2114), &kNumericSum},
    {Oid(2115), &kMax<compare_int, 8>},
    {Oid(2116), &kMax<compare_int, 8>},
    {Oid(2117), &kMax<compare_int, 8>},
    {Oid(2118), &kMax<compare_unsigned, 8>},
    {Oid(2119), &kMax<compare_float4, 8>},
    {Oid(2120), &kMax<compare_float8, 8>},
    {Oid(2122), &kMax<compare_int, 8>},
    {Oid(2123), &kMax<compare_int, 8>},
    {Oid(2124), &kMax<compare_timetz, 12>},
    {Oid(2125), &kMax<compare_int, 8>},
    {Oid(2126), &kMax<compare_int, 8>},
    {Oid(2127), &kMax<compare_int, 8>},
    {Oid(2128), &kMax<compare_interval, 16>},
    {Oid(2129), &kMax<compare_bytes, -1>},
    {Oid(2130), &kMax<compare_numeric_datums, -1>},
    {Oid(2131), &kMin<compare_int, 8>},
    {Oid(2132), &kMin<compare_int, 8>},
    {Oid(2133), &kMin<compare_int, 8>},
    {Oid(2134), &kMin<compare_unsigned, 8>},
    {Oid(2135), &kMin<compare_float4, 8>},
    {Oid(2136), &kMin<compare_float8, 8>},
    {Oid(2138), &kMin<compare_int, 8>},
    {Oid(2139), &kMin<compare_int, 8>},
    {Oid(2140), &kMin<compare_timetz, 12>},
    {Oid(2141), &kMin<compare_int, 8>},
    {Oid(2142), &kMin<compare_int, 8>},
    {Oid(2143), &kMin<compare_int, 8>},
    {Oid(2144), &kMin<compare_interval, 16>},
    {Oid(2145), &kMin<compare_bytes, -1>},
    {Oid(2146), &kMin<compare_numeric_datums, -1>},
    {Oid(2147), &kCount},
    {Oid(2148), &kInt8VarSamp},
    {Oid(2149), &kInt4VarSamp},
    {Oid(2150), &kInt4VarSamp},
    {Oid(2151), &kFloat4VarSamp},
    {Oid(2152), &kFloat8VarSamp},
    {Oid(2153), &kNumericVarSamp},
    {Oid(2154), &kInt8StddevSamp},
    {Oid(2155), &kInt4StddevSamp},
    {Oid(2156), &kInt4StddevSamp},
    {Oid(2157), &kFloat4StddevSamp},
    {Oid(2158), &kFloat8StddevSamp},
    {Oid(2159), &kNumericStddevSamp},
    {Oid(2236), &kFoldOf<Fold::conjunction>},
    {Oid(2237), &kFoldOf<Fold::disjunction>},
    {Oid(2238), &kFoldOf<Fold::conjunction>},
    {Oid(2239), &kFoldOf<Fold::disjunction>},
    {Oid(2240), &kFoldOf<Fold::conjunction>},
    {Oid(2241), &kFoldOf<Fold::disjunction>},
    {Oid(2242), &kBitStringAnd},
    {Oid(2243), &kBitStringOr},
    {Oid(2244), &kMax<compare_bpchar, -1>},
    {Oid(2245), &kMin<compare_bpchar, -1>},
    {Oid(2335), &kArrayAgg},
    {Oid(2517), &kFoldOf<Fold::conjunction>},
    {Oid(2518), &kFoldOf<Fold::disjunction>},
    {Oid(2519), &kFoldOf<Fold::conjunction>},
    {Oid(2641), &kInt8VarSamp},
    {Oid(2642), &kInt4VarSamp},
    {Oid(2643), &kInt4VarSamp},
    {Oid(2644), &kFloat4VarSamp},
    {Oid(2645), &kFloat8VarSamp},
    {Oid(2646), &kNumericVarSamp},
    {Oid(2712), &kInt8StddevSamp},
    {Oid(2713), &kInt4StddevSamp},
    {Oid(2714), &kInt4StddevSamp},
    {Oid(2715), &kFloat4StddevSamp},
    {Oid(2716), &kFloat8StddevSamp},
    {Oid(2717), &kNumericStddevSamp},
    {Oid(2718), &kInt8VarPop},
    {Oid(2719), &kInt4VarPop},
    {Oid(2720), &kInt4VarPop},
    {Oid(2721), &kFloat4VarPop},
    {Oid(2722), &kFloat8VarPop},
    {Oid(2723), &kNumericVarPop},
    {Oid(2724), &kInt8StddevPop},
    {Oid(2725), &kInt4StddevPop},
    {Oid(2726), &kInt4StddevPop},
    {Oid(2727), &kFloat4StddevPop},
    {Oid(2728), &kFloat8StddevPop},
    {Oid(2729), &kNumericStddevPop},
    {Oid(2797), &kMax<compare_tid, 6>},
    {Oid(2798), &kMin<compare_tid, 6>},
    {Oid(2803), &kCount},
    {Oid(2818), &kRegrCount},
    {Oid(2819), &kRegrSxx},
    {Oid(2820), &kRegrSyy},
    {Oid(2821), &kRegrSxy},
    {Oid(2822), &kRegrAvgx},
    {Oid(2823), &kRegrAvgy},
    {Oid(2824), &kRegrR2},
    {Oid(2825), &kRegrSlope},
    {Oid(2826), &kRegrIntercept},
    {Oid(2827), &kCovarPop},
    {Oid(2828), &kCovarSamp},
    {Oid(2829), &kCorr},
    {Oid(3175), &kJsonAgg},
    {Oid(3197), &kJsonObjectAgg},
    {Oid(3267), &kJsonbAgg},
    {Oid(3270), &kJsonbObjectAgg},
    {Oid(3538), &kStringAgg},
    {Oid(3545), &kStringAgg},
    {Oid(3564), &kMax<compare_inet, -1>},
    {Oid(3565), &kMin<compare_inet, -1>},
    {Oid(4053), &kArrayAggArray},
    {Oid(4189), &kMax<compare_unsigned, 8>},
    {Oid(4190), &kMin<compare_unsigned, 8>},
    {Oid(5099), &kMax<compare_unsigned, 8>},
    {Oid(5100), &kMin<compare_unsigned, 8>},
    {Oid(6164), &kFoldOf<Fold::exclusive>},
    {Oid(6165), &kFoldOf<Fold::exclusive>},
    {Oid(6166), &kFoldOf<Fold::exclusive>},
    {Oid(6167), &kBitStringXor},
};
static_assert(std::is_sorted(std::begin(kTable), std::end(kTable),
                             [](const AggregateEntry& a, const AggregateEntry& b) {
                               return a.oid < b.oid;
                             }));

}  // namespace

std::span<const AggregateEntry> aggregate_table() { return kTable; }

}  // namespace orrery
