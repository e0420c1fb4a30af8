// Sums, averages and variances of numeric, and variances of integers and floats, and regression.
#include <cmath>

#include "func/aggregate.h"
#include "func/lift.h"

namespace orrery {
namespace {

// A sum of numerics: one 64-bit column per base-10000 digit, signed, carried only at the end. A
// column takes 10^14 additions before it could overflow.
struct DigitSum {
  int64_t* columns;
  int32_t high;  // weight of columns[0]
  int32_t count;

  void add(Arena& arena, const Numeric& value) {
    if (value.digits.empty()) return;
    const int32_t low = value.weight - value.digits.size() + 1;
    if (count == 0 || value.weight > high || low < high - count + 1) grow(arena, value.weight, low);
    const int64_t sign = value.negative ? -1 : 1;
    int64_t* const to = columns + (high - value.weight);
    for (int i = 0; i < value.digits.size(); ++i) to[i] += sign * value.digits[i];
  }
  void add(Arena& arena, const DigitSum& other) {
    if (other.count == 0) return;
    const int32_t low = other.high - other.count + 1;
    if (count == 0 || other.high > high || low < high - count + 1) grow(arena, other.high, low);
    for (int32_t i = 0; i < other.count; ++i) columns[high - other.high + i] += other.columns[i];
  }
  Numeric value(int32_t scale) const {
    Numeric result;
    result.scale = scale;
    if (count == 0) return result;
    // The sign is that of the first column that carries do not cancel: carry with borrow, then look
    // at what leaves the top.
    constexpr int kRoom = 5;  // digits that carries may need
    std::vector<int64_t> work(static_cast<size_t>(count + kRoom));
    const auto settle = [&](int64_t sign) {
      int64_t carry = 0;
      for (int32_t i = count + kRoom - 1; i >= 0; --i) {
        int64_t digit = carry + (i >= kRoom ? sign * columns[i - kRoom] : 0);
        carry = digit / Numeric::kBase;
        digit %= Numeric::kBase;
        if (digit < 0) {
          digit += Numeric::kBase;
          --carry;
        }
        work[static_cast<size_t>(i)] = digit;
      }
      return carry;
    };
    if (settle(1) < 0) {
      result.negative = true;
      CHECK(settle(-1) == 0);
    }
    result.weight = high + kRoom;
    result.digits.resize(count + kRoom);
    for (int32_t i = 0; i < count + kRoom; ++i)
      result.digits[i] = static_cast<int16_t>(work[static_cast<size_t>(i)]);
    result.normalise();
    return result;
  }

 private:
  void grow(Arena& arena, int32_t weight, int32_t low) {
    const int32_t new_high = count == 0 ? weight + 1 : std::max(weight + 1, high);
    const int32_t new_low = count == 0 ? low : std::min(low, high - count + 1);
    const int32_t new_count = new_high - new_low + 1;
    int64_t* const larger = arena.make_array<int64_t>(static_cast<size_t>(new_count)).data();
    for (int32_t i = 0; i < count; ++i) larger[new_high - high + i] = columns[i];
    columns = larger;
    high = new_high;
    count = new_count;
  }
};

struct NumericState {
  DigitSum sum;
  DigitSum squares;
  int64_t count;
  int64_t nans, infinities, minus_infinities;
  int32_t scale;  // the largest of a finite value
};

void numeric_add(Arena& arena, NumericState& state, const Numeric& value, bool squares) {
  ++state.count;
  if (!value.is_finite()) {
    ++(value.is_nan() ? state.nans : value.sign() > 0 ? state.infinities : state.minus_infinities);
    return;
  }
  state.scale = std::max(state.scale, value.scale);
  state.sum.add(arena, value);
  if (squares) state.squares.add(arena, multiply(value, value));
}

template <class T>
Numeric load_numeric(Datum value) {
  if constexpr (std::is_same_v<T, Numeric>) {
    return Numeric::from_datum(value);
  } else {
    return Numeric::from_int(value.as<T>());
  }
}

template <class T, bool kSquares>
Status numeric_rows(EvalContext& context, CallSite&, void* const* states,
                    std::span<const Vector> args, Rows rows) {
  return for_each_row<NumericState>(states, args, rows, [&](NumericState& state, uint32_t row) {
    numeric_add(context.arena, state, load_numeric<T>(args[0].value(row)), kSquares);
  });
}
Status numeric_combine(EvalContext& context, CallSite&, void* into, const void* from) {
  auto& to = *static_cast<NumericState*>(into);
  const auto& other = *static_cast<const NumericState*>(from);
  to.sum.add(context.arena, other.sum);
  to.squares.add(context.arena, other.squares);
  to.count += other.count;
  to.nans += other.nans;
  to.infinities += other.infinities;
  to.minus_infinities += other.minus_infinities;
  to.scale = std::max(to.scale, other.scale);
  return {};
}

Status numeric_result(EvalContext& context, const Numeric& value, NullableDatum* out) {
  const Datum datum = TRY(make_numeric(context.arena, value));
  *out = {datum, false};
  return {};
}

// What special values make of a sum, if there were any.
std::optional<Numeric> special_sum(const NumericState& s) {
  if (s.nans > 0 || (s.infinities > 0 && s.minus_infinities > 0)) return Numeric::nan();
  if (s.infinities > 0 || s.minus_infinities > 0) return Numeric::infinity(s.minus_infinities > 0);
  return std::nullopt;
}

Status numeric_sum_final(EvalContext& context, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const NumericState*>(state);
  if (s.count == 0) return {};
  const std::optional<Numeric> special = special_sum(s);
  return numeric_result(context, special ? *special : s.sum.value(s.scale), out);
}
Status numeric_avg_final(EvalContext& context, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const NumericState*>(state);
  if (s.count == 0) return {};
  if (const std::optional<Numeric> special = special_sum(s))
    return numeric_result(context, *special, out);
  const Numeric average = TRY(divide(s.sum.value(s.scale), Numeric::from_int(s.count)));
  return numeric_result(context, average, out);
}

// (N * sum of squares - square of sum) / (N * (N or N - 1)), all exact but the quotient.
template <bool kSample, bool kRoot>
Status numeric_var_final(EvalContext& context, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const NumericState*>(state);
  if (s.count < (kSample ? 2 : 1)) return {};
  if (s.nans + s.infinities + s.minus_infinities > 0)
    return numeric_result(context, Numeric::nan(), out);
  const Numeric n = Numeric::from_int(s.count);
  const Numeric sum = s.sum.value(s.scale);
  const Numeric numerator = subtract(multiply(n, s.squares.value(2 * s.scale)), multiply(sum, sum));
  if (numerator.sign() <= 0) return numeric_result(context, Numeric::zero(), out);
  const Numeric denominator = multiply(n, Numeric::from_int(kSample ? s.count - 1 : s.count));
  Numeric result = TRY(divide(numerator, denominator));
  if (kRoot) result = square_root_to(result, result.scale);
  return numeric_result(context, result, out);
}

// Floats: N, sum and sum of squared differences, updated so that little is lost [Youngs71].
struct FloatState {
  double n, sx, sxx;
};
Status overflow() {
  return raise(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
}

template <class T>
Status float_rows(EvalContext&, CallSite&, void* const* states, std::span<const Vector> args,
                  Rows rows) {
  return for_each_row<FloatState>(states, args, rows, [&](FloatState& s, uint32_t row) -> Status {
    const auto value = static_cast<double>(args[0].value(row).as<T>());
    const double old_sx = s.sx;
    s.n += 1;
    s.sx += value;
    if (s.n > 1) {
      const double difference = value * s.n - s.sx;
      s.sxx += difference * difference / (s.n * (s.n - 1));
      if (std::isinf(s.sx) || std::isinf(s.sxx)) {
        if (!std::isinf(old_sx) && !std::isinf(value)) return overflow();
        s.sxx = std::nan("");
      }
    } else if (!std::isfinite(value)) {
      s.sxx = std::nan("");
    }
    return {};
  });
}
Status float_combine(EvalContext&, CallSite&, void* into, const void* from) {
  auto& a = *static_cast<FloatState*>(into);
  const auto& b = *static_cast<const FloatState*>(from);
  if (b.n == 0) return {};
  if (a.n == 0) {
    a = b;
    return {};
  }
  const double n = a.n + b.n;
  const double difference = a.sx / a.n - b.sx / b.n;
  const double sxx = a.sxx + b.sxx + a.n * b.n * difference * difference / n;
  const double sx = a.sx + b.sx;
  if ((std::isinf(sx) && !std::isinf(a.sx) && !std::isinf(b.sx)) ||
      (std::isinf(sxx) && !std::isinf(a.sxx) && !std::isinf(b.sxx))) {
    return overflow();
  }
  a = {n, sx, sxx};
  return {};
}
enum class Moment : uint8_t { average, var_pop, var_samp, stddev_pop, stddev_samp };
template <Moment kMoment>
Status float_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const FloatState*>(state);
  constexpr bool kSample = kMoment == Moment::var_samp || kMoment == Moment::stddev_samp;
  if (s.n < (kSample ? 2 : 1)) return {};
  double value = kMoment == Moment::average ? s.sx / s.n : s.sxx / (kSample ? s.n - 1 : s.n);
  if (kMoment == Moment::stddev_pop || kMoment == Moment::stddev_samp) value = std::sqrt(value);
  *out = {Datum::of(value), false};
  return {};
}

// Regression: first argument is Y, second X.
struct RegrState {
  double n, sx, sxx, sy, syy, sxy;
};
Status regr_rows(EvalContext&, CallSite&, void* const* states, std::span<const Vector> args,
                 Rows rows) {
  return for_each_row<RegrState>(states, args, rows, [&](RegrState& s, uint32_t row) -> Status {
    const double y = args[0].value(row).as<double>();
    const double x = args[1].value(row).as<double>();
    const RegrState old = s;
    s.n += 1;
    s.sx += x;
    s.sy += y;
    if (s.n > 1) {
      const double dx = x * s.n - s.sx;
      const double dy = y * s.n - s.sy;
      const double scale = 1.0 / (s.n * (s.n - 1));
      s.sxx += dx * dx * scale;
      s.syy += dy * dy * scale;
      s.sxy += dx * dy * scale;
      if (std::isinf(s.sx) || std::isinf(s.sxx) || std::isinf(s.sy) || std::isinf(s.syy) ||
          std::isinf(s.sxy)) {
        const bool x_finite = !std::isinf(old.sx) && !std::isinf(x);
        const bool y_finite = !std::isinf(old.sy) && !std::isinf(y);
        if (((std::isinf(s.sx) || std::isinf(s.sxx)) && x_finite) ||
            ((std::isinf(s.sy) || std::isinf(s.syy)) && y_finite) ||
            (std::isinf(s.sxy) && x_finite && y_finite)) {
          return overflow();
        }
        if (std::isinf(s.sxx)) s.sxx = std::nan("");
        if (std::isinf(s.syy)) s.syy = std::nan("");
        if (std::isinf(s.sxy)) s.sxy = std::nan("");
      }
    } else {
      if (!std::isfinite(x)) s.sxx = s.sxy = std::nan("");
      if (!std::isfinite(y)) s.syy = s.sxy = std::nan("");
    }
    return {};
  });
}
Status regr_combine(EvalContext&, CallSite&, void* into, const void* from) {
  auto& a = *static_cast<RegrState*>(into);
  const auto& b = *static_cast<const RegrState*>(from);
  if (b.n == 0) return {};
  if (a.n == 0) {
    a = b;
    return {};
  }
  const double n = a.n + b.n;
  const double dx = a.sx / a.n - b.sx / b.n;
  const double dy = a.sy / a.n - b.sy / b.n;
  const double weight = a.n * b.n / n;
  a = {n,
       a.sx + b.sx,
       a.sxx + b.sxx + weight * dx * dx,
       a.sy + b.sy,
       a.syy + b.syy + weight * dy * dy,
       a.sxy + b.sxy + weight * dx * dy};
  return {};
}
using RegrFinal = std::optional<double> (*)(const RegrState&);
template <RegrFinal F>
Status regr_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  const auto& s = *static_cast<const RegrState*>(state);
  if (s.n < 1) return {};
  if (const std::optional<double> value = F(s)) *out = {Datum::of(*value), false};
  return {};
}
Status regr_count_final(EvalContext&, CallSite&, const void* state, NullableDatum* out) {
  *out = {Datum::of(static_cast<int64_t>(static_cast<const RegrState*>(state)->n)), false};
  return {};
}
template <RegrFinal F>
constexpr AggregateKernel kRegr{sizeof(RegrState), nullptr, regr_rows, regr_combine, regr_final<F>};
using MaybeDouble = std::optional<double>;
template <class T, bool kSample, bool kRoot>
constexpr AggregateKernel kVariance{sizeof(NumericState), nullptr, numeric_rows<T, true>,
                                    numeric_combine, numeric_var_final<kSample, kRoot>};
template <class T, Moment kMoment>
constexpr AggregateKernel kFloat{sizeof(FloatState), nullptr, float_rows<T>, float_combine,
                                 float_final<kMoment>};

}  // namespace

constexpr AggregateKernel kNumericSum{sizeof(NumericState), nullptr, numeric_rows<Numeric, false>,
                                      numeric_combine, numeric_sum_final};
constexpr AggregateKernel kNumericAvg{sizeof(NumericState), nullptr, numeric_rows<Numeric, false>,
                                      numeric_combine, numeric_avg_final};
constexpr AggregateKernel kNumericVarPop = kVariance<Numeric, false, false>;
constexpr AggregateKernel kNumericVarSamp = kVariance<Numeric, true, false>;
constexpr AggregateKernel kNumericStddevPop = kVariance<Numeric, false, true>;
constexpr AggregateKernel kNumericStddevSamp = kVariance<Numeric, true, true>;
constexpr AggregateKernel kInt8VarPop = kVariance<int64_t, false, false>;
constexpr AggregateKernel kInt8VarSamp = kVariance<int64_t, true, false>;
constexpr AggregateKernel kInt8StddevPop = kVariance<int64_t, false, true>;
constexpr AggregateKernel kInt8StddevSamp = kVariance<int64_t, true, true>;
constexpr AggregateKernel kInt4VarPop = kVariance<int32_t, false, false>;
constexpr AggregateKernel kInt4VarSamp = kVariance<int32_t, true, false>;
constexpr AggregateKernel kInt4StddevPop = kVariance<int32_t, false, true>;
constexpr AggregateKernel kInt4StddevSamp = kVariance<int32_t, true, true>;
constexpr AggregateKernel kFloat8Avg = kFloat<double, Moment::average>;
constexpr AggregateKernel kFloat8VarPop = kFloat<double, Moment::var_pop>;
constexpr AggregateKernel kFloat8VarSamp = kFloat<double, Moment::var_samp>;
constexpr AggregateKernel kFloat8StddevPop = kFloat<double, Moment::stddev_pop>;
constexpr AggregateKernel kFloat8StddevSamp = kFloat<double, Moment::stddev_samp>;
constexpr AggregateKernel kFloat4Avg = kFloat<float, Moment::average>;
constexpr AggregateKernel kFloat4VarPop = kFloat<float, Moment::var_pop>;
constexpr AggregateKernel kFloat4VarSamp = kFloat<float, Moment::var_samp>;
constexpr AggregateKernel kFloat4StddevPop = kFloat<float, Moment::stddev_pop>;
constexpr AggregateKernel kFloat4StddevSamp = kFloat<float, Moment::stddev_samp>;
constexpr AggregateKernel kRegrCount{sizeof(RegrState), nullptr, regr_rows, regr_combine,
                                     regr_count_final};
constexpr AggregateKernel kRegrSxx = kRegr<[](const RegrState& s) { return MaybeDouble(s.sxx); }>;
constexpr AggregateKernel kRegrSyy = kRegr<[](const RegrState& s) { return MaybeDouble(s.syy); }>;
constexpr AggregateKernel kRegrSxy = kRegr<[](const RegrState& s) { return MaybeDouble(s.sxy); }>;
constexpr AggregateKernel kRegrAvgx =
    kRegr<[](const RegrState& s) { return MaybeDouble(s.sx / s.n); }>;
constexpr AggregateKernel kRegrAvgy =
    kRegr<[](const RegrState& s) { return MaybeDouble(s.sy / s.n); }>;
constexpr AggregateKernel kRegrR2 = kRegr<[](const RegrState& s) -> MaybeDouble {
  if (s.sxx == 0) return std::nullopt;
  if (s.syy == 0) return 1.0;
  return (s.sxy * s.sxy) / (s.sxx * s.syy);
}>;
constexpr AggregateKernel kRegrSlope = kRegr<[](const RegrState& s) -> MaybeDouble {
  if (s.sxx == 0) return std::nullopt;
  return s.sxy / s.sxx;
}>;
constexpr AggregateKernel kRegrIntercept = kRegr<[](const RegrState& s) -> MaybeDouble {
  if (s.sxx == 0) return std::nullopt;
  return (s.sy - s.sx * s.sxy / s.sxx) / s.n;
}>;
constexpr AggregateKernel kCovarPop =
    kRegr<[](const RegrState& s) { return MaybeDouble(s.sxy / s.n); }>;
constexpr AggregateKernel kCovarSamp = kRegr<[](const RegrState& s) -> MaybeDouble {
  if (s.n < 2) return std::nullopt;
  return s.sxy / (s.n - 1);
}>;
constexpr AggregateKernel kCorr = kRegr<[](const RegrState& s) -> MaybeDouble {
  if (s.sxx == 0 || s.syy == 0) return std::nullopt;
  return s.sxy / std::sqrt(s.sxx * s.syy);
}>;

}  // namespace orrery
