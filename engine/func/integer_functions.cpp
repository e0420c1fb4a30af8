// Arithmetic and bits of smallint, integer and bigint. Overflow is 22003, checked after each loop
// where it can be.
#include <numeric>

#include "base/text.h"
#include "func/lift.h"

namespace orrery {

Status raise_out_of_range(std::string_view type) {
  return raise(sqlstate::numeric_value_out_of_range, cat(type, " out of range"));
}

namespace {

Status division_by_zero() { return raise(sqlstate::division_by_zero, "division by zero"); }

template <class R>
bool add_over(R a, R b, R* r) {
  return __builtin_add_overflow(a, b, r);
}
template <class R>
bool sub_over(R a, R b, R* r) {
  return __builtin_sub_overflow(a, b, r);
}
template <class R>
bool mul_over(R a, R b, R* r) {
  return __builtin_mul_overflow(a, b, r);
}

template <class A, class B, class R>
constexpr Kernel kAdd = overflow_checked<A, B, R, add_over<R>>;
template <class A, class B, class R>
constexpr Kernel kSub = overflow_checked<A, B, R, sub_over<R>>;
template <class A, class B, class R>
constexpr Kernel kMul = overflow_checked<A, B, R, mul_over<R>>;

template <class A, class B, class R>
constexpr Kernel kDiv = lift([](A a, B b) -> Result<R> {
  if (b == 0) return division_by_zero();
  if (b == -1) {
    R result;
    if (__builtin_sub_overflow(R{0}, static_cast<R>(a), &result))
      return raise_out_of_range(kIntegerName<R>);
    return result;
  }
  return static_cast<R>(static_cast<R>(a) / static_cast<R>(b));
});
template <class T>
constexpr Kernel kMod = lift([](T a, T b) -> Result<T> {
  if (b == 0) return division_by_zero();
  return b == -1 ? T{0} : static_cast<T>(a % b);
});
template <class T>
constexpr Kernel kNegate = lift([](T a) -> Result<T> {
  if (a == std::numeric_limits<T>::min()) return raise_out_of_range(kIntegerName<T>);
  return static_cast<T>(-a);
});
template <class T>
constexpr Kernel kAbs = lift([](T a) -> Result<T> {
  if (a == std::numeric_limits<T>::min()) return raise_out_of_range(kIntegerName<T>);
  return static_cast<T>(a < 0 ? -a : a);
});
template <class T>
constexpr Kernel kAnd = lift([](T a, T b) { return static_cast<T>(a & b); });
template <class T>
constexpr Kernel kOr = lift([](T a, T b) { return static_cast<T>(a | b); });
template <class T>
constexpr Kernel kXor = lift([](T a, T b) { return static_cast<T>(a ^ b); });
template <class T>
constexpr Kernel kNot = lift([](T a) { return static_cast<T>(~a); });
template <class T>
constexpr Kernel kSame = lift([](T a) { return a; });
// Shift counts wrap at the width of the machine's operation, as the processor's do.
template <class T>
constexpr int kShiftMask = sizeof(T) == 8 ? 63 : 31;
template <class T>
constexpr Kernel kShl = lift(
    [](T a, int32_t n) { return static_cast<T>(static_cast<uint64_t>(a) << (n & kShiftMask<T>)); });
template <class T>
constexpr Kernel kShr =
    lift([](T a, int32_t n) { return static_cast<T>(a >> (n & kShiftMask<T>)); });

// The magnitude of a gcd can be one more than the type holds.
template <class T>
Result<T> gcd_of(T a, T b) {
  using U = std::make_unsigned_t<T>;
  U x = a < 0 ? U(0) - static_cast<U>(a) : static_cast<U>(a);
  U y = b < 0 ? U(0) - static_cast<U>(b) : static_cast<U>(b);
  const U divisor = std::gcd(x, y);
  if (divisor > static_cast<U>(std::numeric_limits<T>::max()))
    return raise_out_of_range(kIntegerName<T>);
  return static_cast<T>(divisor);
}
template <class T>
constexpr Kernel kGcd = lift([](T a, T b) { return gcd_of(a, b); });
template <class T>
constexpr Kernel kLcm = lift([](T a, T b) -> Result<T> {
  if (a == 0 || b == 0) return T{0};
  const T divisor = TRY(gcd_of(a, b));
  T result;
  if (__builtin_mul_overflow(static_cast<T>(a / divisor), b, &result) ||
      result == std::numeric_limits<T>::min()) {
    return raise_out_of_range(kIntegerName<T>);
  }
  return static_cast<T>(result < 0 ? -result : result);
});
template <class T>
constexpr Kernel kInRange =
    lift([](T value, T base, int64_t offset, bool subtract, bool less) -> Result<bool> {
      if (offset < 0) {
        return raise(sqlstate::invalid_preceding_or_following_size,
                     "invalid preceding or following size in window function");
      }
      const __int128 bound =
          subtract ? static_cast<__int128>(base) - offset : static_cast<__int128>(base) + offset;
      return less ? value <= bound : value >= bound;
    });
template <class T, class Offset>
constexpr Kernel kInRangeOf =
    lift([](T value, T base, Offset offset, bool subtract, bool less) -> Result<bool> {
      if (offset < 0) {
        return raise(sqlstate::invalid_preceding_or_following_size,
                     "invalid preceding or following size in window function");
      }
      const __int128 bound =
          subtract ? static_cast<__int128>(base) - offset : static_cast<__int128>(base) + offset;
      return less ? value <= bound : value >= bound;
    });

// Which of `count` equal buckets between two bounds; 0 below and count + 1 above.
Result<int32_t> bucket_of(const Numeric& operand, const Numeric& low, const Numeric& high,
                          int32_t count) {
  const auto bad = [](std::string_view what) {
    return raise(sqlstate::invalid_argument_for_width_bucket_function, std::string(what));
  };
  if (count <= 0) return bad("count must be greater than zero");
  if (operand.is_nan() || low.is_nan() || high.is_nan())
    return bad("operand, lower bound, and upper bound cannot be NaN");
  if (!low.is_finite() || !high.is_finite()) return bad("lower and upper bounds must be finite");
  const int order = compare_numeric(low, high);
  if (order == 0) return bad("lower bound cannot equal upper bound");
  const bool rising = order < 0;
  const int from_low = compare_numeric(operand, low);
  if (rising ? from_low < 0 : from_low > 0) return 0;
  const int from_high = compare_numeric(operand, high);
  if (rising ? from_high >= 0 : from_high <= 0) {
    if (count == INT32_MAX) return raise_out_of_range("integer");
    return count + 1;
  }
  const Numeric distance = absolute(subtract(operand, low));
  const Numeric span = absolute(subtract(high, low));
  const Numeric bucket = divide_to(multiply(distance, Numeric::from_int(count)), span, 0, false);
  return static_cast<int32_t>(*numeric_to_int64(bucket)) + 1;
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("int2pl", kAdd<int16_t, int16_t, int16_t>),
    body("int4pl", kAdd<int32_t, int32_t, int32_t>),
    body("int8pl", kAdd<int64_t, int64_t, int64_t>),
    body("int24pl", kAdd<int16_t, int32_t, int32_t>),
    body("int42pl", kAdd<int32_t, int16_t, int32_t>),
    body("int28pl", kAdd<int16_t, int64_t, int64_t>),
    body("int82pl", kAdd<int64_t, int16_t, int64_t>),
    body("int48pl", kAdd<int32_t, int64_t, int64_t>),
    body("int84pl", kAdd<int64_t, int32_t, int64_t>),
    body("int2mi", kSub<int16_t, int16_t, int16_t>),
    body("int4mi", kSub<int32_t, int32_t, int32_t>),
    body("int8mi", kSub<int64_t, int64_t, int64_t>),
    body("int24mi", kSub<int16_t, int32_t, int32_t>),
    body("int42mi", kSub<int32_t, int16_t, int32_t>),
    body("int28mi", kSub<int16_t, int64_t, int64_t>),
    body("int82mi", kSub<int64_t, int16_t, int64_t>),
    body("int48mi", kSub<int32_t, int64_t, int64_t>),
    body("int84mi", kSub<int64_t, int32_t, int64_t>),
    body("int2mul", kMul<int16_t, int16_t, int16_t>),
    body("int4mul", kMul<int32_t, int32_t, int32_t>),
    body("int8mul", kMul<int64_t, int64_t, int64_t>),
    body("int24mul", kMul<int16_t, int32_t, int32_t>),
    body("int42mul", kMul<int32_t, int16_t, int32_t>),
    body("int28mul", kMul<int16_t, int64_t, int64_t>),
    body("int82mul", kMul<int64_t, int16_t, int64_t>),
    body("int48mul", kMul<int32_t, int64_t, int64_t>),
    body("int84mul", kMul<int64_t, int32_t, int64_t>),
    body("int2div", kDiv<int16_t, int16_t, int16_t>),
    body("int4div", kDiv<int32_t, int32_t, int32_t>),
    body("int8div", kDiv<int64_t, int64_t, int64_t>),
    body("int24div", kDiv<int16_t, int32_t, int32_t>),
    body("int42div", kDiv<int32_t, int16_t, int32_t>),
    body("int28div", kDiv<int16_t, int64_t, int64_t>),
    body("int82div", kDiv<int64_t, int16_t, int64_t>),
    body("int48div", kDiv<int32_t, int64_t, int64_t>),
    body("int84div", kDiv<int64_t, int32_t, int64_t>),
    body("int2mod", kMod<int16_t>),
    body("int4mod", kMod<int32_t>),
    body("int8mod", kMod<int64_t>),
    body("int2um", kNegate<int16_t>),
    body("int4um", kNegate<int32_t>),
    body("int8um", kNegate<int64_t>),
    body("int2abs", kAbs<int16_t>),
    body("int4abs", kAbs<int32_t>),
    body("int8abs", kAbs<int64_t>),
    body("int2up", kSame<int16_t>),
    body("int4up", kSame<int32_t>),
    body("int8up", kSame<int64_t>),
    body("int2and", kAnd<int16_t>),
    body("int4and", kAnd<int32_t>),
    body("int8and", kAnd<int64_t>),
    body("int2or", kOr<int16_t>),
    body("int4or", kOr<int32_t>),
    body("int8or", kOr<int64_t>),
    body("int2xor", kXor<int16_t>),
    body("int4xor", kXor<int32_t>),
    body("int8xor", kXor<int64_t>),
    body("int2not", kNot<int16_t>),
    body("int4not", kNot<int32_t>),
    body("int8not", kNot<int64_t>),
    body("int2shl", kShl<int16_t>),
    body("int4shl", kShl<int32_t>),
    body("int8shl", kShl<int64_t>),
    body("int2shr", kShr<int16_t>),
    body("int4shr", kShr<int32_t>),
    body("int8shr", kShr<int64_t>),
    body("int4gcd", kGcd<int32_t>),
    body("int8gcd", kGcd<int64_t>),
    body("int4lcm", kLcm<int32_t>),
    body("int8lcm", kLcm<int64_t>),
    body("int4inc", lift([](int32_t a) -> Result<int32_t> {
           if (a == INT32_MAX) return raise_out_of_range("integer");
           return a + 1;
         })),
    body("int8inc", lift([](int64_t a) -> Result<int64_t> {
           if (a == INT64_MAX) return raise_out_of_range("bigint");
           return a + 1;
         })),
    body("int8dec", lift([](int64_t a) -> Result<int64_t> {
           if (a == INT64_MIN) return raise_out_of_range("bigint");
           return a - 1;
         })),
    body("in_range_int8_int8", kInRange<int64_t>),
    body("in_range_int4_int8", kInRangeOf<int32_t, int64_t>),
    body("in_range_int4_int4", kInRangeOf<int32_t, int32_t>),
    body("in_range_int4_int2", kInRangeOf<int32_t, int16_t>),
    body("in_range_int2_int8", kInRangeOf<int16_t, int64_t>),
    body("in_range_int2_int4", kInRangeOf<int16_t, int32_t>),
    body("in_range_int2_int2", kInRangeOf<int16_t, int16_t>),
    body("width_bucket_numeric",
         lift([](const Numeric& operand, const Numeric& low, const Numeric& high, int32_t count) {
           return bucket_of(operand, low, high, count);
         })),
}));

}  // namespace

std::span<const FunctionBody> integer_functions() { return kTable; }

}  // namespace orrery
