// Products and quotients, by the methods of the schoolbook [Knuth97 §4.3.1].
#include <cstring>

#include "types/numeric.h"

namespace orrery {
namespace {

constexpr int64_t kBase = Numeric::kBase;

Status division_by_zero(std::source_location where = std::source_location::current()) {
  return raise(sqlstate::division_by_zero, "division by zero", where);
}

// How many decimals a / b shows: at least 16 significant digits, and no fewer than either operand.
int32_t quotient_scale(const Numeric& a, const Numeric& b) {
  const int first_a = a.digits.empty() ? 0 : a.digits[0];
  const int first_b = b.digits.empty() ? 0 : b.digits[0];
  int weight = a.weight - b.weight;
  if (first_a <= first_b) --weight;
  int32_t scale = Numeric::kMinSignificantDigits - weight * Numeric::kDecimals;
  scale = std::max({scale, a.scale, b.scale, 0});
  return std::min(scale, Numeric::kMaxDisplayScale);
}

// quotient[0..count) = dividend[0..count) / divisor, one digit at a time; for divisors of one
// digit.
void divide_by_digit(const int16_t* dividend, int available, int divisor, int16_t* quotient,
                     int count) {
  int rest = 0;
  for (int i = 0; i < count; ++i) {
    rest = rest * Numeric::kBase + (i < available ? dividend[i] : 0);
    quotient[i] = static_cast<int16_t>(rest / divisor);
    rest %= divisor;
  }
}

// Knuth's algorithm D. quotient digit i has the weight of dividend digit i; the first may be zero.
void divide_long(const NumericDigits& a, const NumericDigits& b, int16_t* quotient, int count) {
  const int n = b.size();
  const int scale_up = static_cast<int>(kBase) / (b[0] + 1);
  std::vector<int32_t> divisor(static_cast<size_t>(n));
  int carry = 0;
  for (int i = n - 1; i >= 0; --i) {
    const int product = b[i] * scale_up + carry;
    divisor[static_cast<size_t>(i)] = product % Numeric::kBase;
    carry = product / Numeric::kBase;
  }
  CHECK(carry == 0);
  std::vector<int32_t> rest(
      static_cast<size_t>(count + n + 1));  // one leading zero, then the dividend
  for (int i = count + n - 1; i >= 0; --i) {
    const int product = (i < a.size() ? a[i] * scale_up : 0) + carry;
    rest[static_cast<size_t>(i + 1)] = product % Numeric::kBase;
    carry = product / Numeric::kBase;
  }
  rest[0] = carry;
  const int32_t* const d = divisor.data();
  for (int i = 0; i < count; ++i) {
    int32_t* const r = rest.data() + i;  // r[0..n] is the running remainder
    const int32_t top = r[0] * Numeric::kBase + r[1];
    int32_t guess = top / d[0];
    int32_t left = top % d[0];
    const int32_t next_r = r[2];
    while (guess >= kBase ||
           static_cast<int64_t>(guess) * d[1] > static_cast<int64_t>(left) * kBase + next_r) {
      --guess;
      left += d[0];
      if (left >= kBase) break;
    }
    if (guess > 0) {
      int64_t borrow = 0;
      for (int j = n - 1; j >= 0; --j) {
        int64_t digit = r[j + 1] - static_cast<int64_t>(guess) * d[j] + borrow;
        borrow = digit < 0 ? -((kBase - 1 - digit) / kBase) : 0;
        r[j + 1] = static_cast<int32_t>(digit - borrow * kBase);
      }
      r[0] += static_cast<int32_t>(borrow);
      if (r[0] < 0) {  // the guess was one too high: add back
        --guess;
        int32_t up = 0;
        for (int j = n - 1; j >= 0; --j) {
          const int32_t digit = r[j + 1] + d[j] + up;
          up = digit >= kBase;
          r[j + 1] = up ? digit - Numeric::kBase : digit;
        }
        r[0] += up;
      }
      CHECK_SLOW(r[0] == 0);
    }
    quotient[i] = static_cast<int16_t>(guess);
  }
}

// NaN, and infinities by rules of sign, for products.
Numeric multiply_special(const Numeric& a, const Numeric& b) {
  if (a.is_nan() || b.is_nan()) return Numeric::nan();
  const int sign = a.sign() * b.sign();
  return sign == 0 ? Numeric::nan() : Numeric::infinity(sign < 0);
}

// Quotients with a special operand. REQUIRES: one of them is not finite.
Result<Numeric> divide_special(const Numeric& a, const Numeric& b) {
  if (a.is_nan() || b.is_nan()) return Numeric::nan();
  if (a.is_infinite()) {
    if (b.is_infinite()) return Numeric::nan();
    if (b.is_zero()) return division_by_zero();
    return Numeric::infinity(a.sign() * b.sign() < 0);
  }
  return Numeric::zero();
}

Numeric product(const Numeric& a, const Numeric& b) {
  Numeric result;
  if (a.digits.empty() || b.digits.empty()) return result;
  const Numeric& longer = a.digits.size() >= b.digits.size() ? a : b;
  const Numeric& shorter = &longer == &a ? b : a;
  const int count = a.digits.size() + b.digits.size();
  std::vector<int64_t> heap;
  int64_t small[40] = {};
  int64_t* sums = small;
  if (count > 40) {
    heap.resize(static_cast<size_t>(count));
    sums = heap.data();
  }
  // A column sums at most 2^16 products below 10^8: far from overflow, so carries wait for the end.
  const int16_t* const l = longer.digits.data();
  const int length = longer.digits.size();
  for (int i = 0; i < shorter.digits.size(); ++i) {
    const int32_t factor = shorter.digits[i];
    if (factor == 0) continue;
    int64_t* const to = sums + i + 1;
    for (int j = 0; j < length; ++j) to[j] += factor * l[j];
  }
  result.digits.resize(count);
  int64_t carry = 0;
  for (int i = count - 1; i >= 0; --i) {
    const int64_t digit = sums[i] + carry;
    carry = digit / kBase;
    result.digits[i] = static_cast<int16_t>(digit - carry * kBase);
  }
  result.weight = a.weight + b.weight + 1;
  result.negative = a.negative != b.negative;
  result.normalise();
  return result;
}

}  // namespace

Numeric multiply_to(const Numeric& a, const Numeric& b, int32_t scale) {
  Numeric result = product(a, b);
  result.round(scale);
  return result;
}

Numeric multiply(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) return multiply_special(a, b);
  Numeric result = product(a, b);
  result.scale = a.scale + b.scale;
  if (result.scale > Numeric::kMaxScale) result.round(Numeric::kMaxScale);
  return result;
}

Numeric divide_to(const Numeric& a, const Numeric& b, int32_t scale, bool rounding) {
  CHECK(!b.digits.empty());
  Numeric result;
  if (a.digits.empty()) return Numeric::zero(std::max(scale, 0));
  // Quotient digit 0 has weight a.weight - b.weight (with algorithm D's leading zero it may be 0).
  result.weight = a.weight - b.weight;
  result.negative = a.negative != b.negative;
  // One decimal more than asked for decides the rounding, as what follows cannot move a half down.
  const int fraction_digits =
      (std::max(scale, -result.weight * Numeric::kDecimals - 4) + Numeric::kDecimals) /
      Numeric::kDecimals;
  const int count = std::max(result.weight + 1 + fraction_digits + 1, 1);
  result.digits.resize(count);
  if (b.digits.size() == 1) {
    divide_by_digit(a.digits.data(), a.digits.size(), b.digits[0], result.digits.data(), count);
  } else {
    divide_long(a.digits, b.digits, result.digits.data(), count);
  }
  // A leading zero digit is harmless to round() and truncate().
  if (rounding) {
    result.round(scale);
  } else {
    result.truncate(scale);
  }
  return result;
}

Result<Numeric> divide(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) return divide_special(a, b);
  if (b.is_zero()) return division_by_zero();
  return divide_to(a, b, quotient_scale(a, b), true);
}

Result<Numeric> divide_truncating(const Numeric& a, const Numeric& b) {
  if (!a.is_finite() || !b.is_finite()) return divide_special(a, b);
  if (b.is_zero()) return division_by_zero();
  return divide_to(a, b, 0, false);
}

Result<Numeric> modulo(const Numeric& a, const Numeric& b) {
  if (a.is_nan() || b.is_nan()) return Numeric::nan();
  if (a.is_infinite()) {
    if (b.is_zero()) return division_by_zero();
    return Numeric::nan();
  }
  if (b.is_infinite()) return a;  // of a finite number by an infinite one: itself
  if (b.is_zero()) return division_by_zero();
  Numeric result = subtract(a, product(divide_to(a, b, 0, false), b));
  result.scale = std::max(a.scale, b.scale);
  return result;
}

Result<Numeric> gcd(const Numeric& a, const Numeric& b, const StopSign* stop) {
  if (!a.is_finite() || !b.is_finite()) return Numeric::nan();
  const int32_t scale = std::max(a.scale, b.scale);
  Numeric x = absolute(a);
  Numeric y = absolute(b);
  while (!y.is_zero()) {
    TRY(check_stop(stop));
    Numeric rest = subtract(x, product(divide_to(x, y, 0, false), y));
    x = std::move(y);
    y = std::move(rest);
  }
  x.scale = scale;
  return x;
}

Result<Numeric> lcm(const Numeric& a, const Numeric& b, const StopSign* stop) {
  if (!a.is_finite() || !b.is_finite()) return Numeric::nan();
  const int32_t scale = std::max(a.scale, b.scale);
  if (a.is_zero() || b.is_zero()) return Numeric::zero(scale);
  const Numeric divisor = TRY(gcd(a, b, stop));
  const Numeric factor = divide_to(a, divisor, 0, false);
  Numeric result = absolute(product(b, factor));
  result.scale = scale;
  return result;
}

Result<Numeric> factorial(int64_t n) {
  if (n < 0) {
    return raise(sqlstate::numeric_value_out_of_range,
                 "factorial of a negative number is undefined");
  }
  if (n > 32177) return numeric_overflow();
  Numeric result = Numeric::from_int(1);
  // Factors go into the product three at a time: below 2^45 together.
  for (int64_t i = 2; i <= n; i += 3) {
    int64_t factors = i;
    for (int64_t j = i + 1; j <= n && j < i + 3; ++j) factors *= j;
    result = product(result, Numeric::from_int(factors));
  }
  return result;
}

}  // namespace orrery
