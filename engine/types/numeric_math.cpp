// Roots, logarithms and powers. Each chooses a scale for its result from an estimate of the
// result's magnitude, so that
// 16 significant digits come out at least, then computes with guard digits beyond it and rounds once.
#include <cmath>

#include "types/numeric.h"

namespace orrery {
namespace {

constexpr int kGuardDecimals = 8;
constexpr double kLog10E = 0.434294481903252;

int32_t display_scale(int32_t wanted, int32_t at_least_a, int32_t at_least_b) {
  return std::min(std::max({wanted, at_least_a, at_least_b, 0}), Numeric::kMaxDisplayScale);
}

Numeric decimal(int64_t value, int32_t scale) {  // value / 10^scale
  Numeric result = Numeric::from_int(value);
  Numeric divisor = Numeric::from_int(1);
  for (int i = 0; i < scale; ++i) divisor = multiply_to(divisor, Numeric::from_int(10), 0);
  return divide_to(result, divisor, scale, true);
}

// Decimal weight of ln(value), roughly. Near 1, ln(1 + x) is about x.
int ln_decimal_weight(const Numeric& value) {
  if (value.negative || value.digits.empty()) return 0;
  if (compare_numeric(value, decimal(9, 1)) >= 0 && compare_numeric(value, decimal(11, 1)) <= 0) {
    const Numeric x = subtract(value, Numeric::from_int(1));
    if (x.digits.empty()) return 0;
    return x.weight * Numeric::kDecimals +
           static_cast<int>(std::log10(static_cast<double>(x.digits[0])));
  }
  double digits = value.digits[0];
  int weight = value.weight * Numeric::kDecimals;
  if (value.digits.size() > 1) {
    digits = digits * Numeric::kBase + value.digits[1];
    weight -= Numeric::kDecimals;
  }
  const double ln = std::log(digits) + weight * 2.302585092994046;
  return static_cast<int>(std::log10(std::fabs(ln)));
}

// Newton's iteration from a double; each step doubles the digits that hold.
Numeric sqrt_to(const Numeric& value, int32_t scale) {
  if (value.digits.empty()) return Numeric::zero(std::max(scale, 0));
  double leading = 0;
  for (int i = 0; i < 4; ++i)
    leading = leading * Numeric::kBase + (i < value.digits.size() ? value.digits[i] : 0);
  leading /= 1e12;  // value is about leading * 10000^weight
  int weight = value.weight;
  if (weight % 2 != 0) {
    leading *= Numeric::kBase;
    --weight;
  }
  Numeric root = numeric_from_double(std::sqrt(leading));
  root.weight += weight / 2;
  const int32_t full = scale + kGuardDecimals;
  const Numeric half = decimal(5, 1);
  const int needed = (root.weight + 1) * Numeric::kDecimals + full;
  for (int exact = 14; exact / 2 < needed; exact *= 2) {
    const int32_t working = std::min(full, exact * 2 - root.weight * Numeric::kDecimals);
    root = multiply_to(add(root, divide_to(value, root, working, true)), half, working);
    if (root.digits.empty()) break;  // the root is below the scale
  }
  root.round(scale);
  return root;
}

// e^value. 22003 when too large.
Result<Numeric> exp_to(const Numeric& value, int32_t scale) {
  const double estimate = numeric_to_double(value);
  if (std::fabs(estimate) >= Numeric::kMaxResultScale * 3) {
    if (estimate > 0) return numeric_overflow();
    return Numeric::zero(scale);
  }
  const int decimal_weight = static_cast<int>(estimate * kLog10E);
  const int significant = 1 + decimal_weight + scale;
  if (significant < 0) return Numeric::zero(scale);
  // e^x = (e^(x / 2^n))^(2^n), with the inner argument small enough for the series to run fast.
  int halvings = 0;
  for (double x = std::fabs(estimate); x > 0.01; x /= 2) ++halvings;
  const int digits = significant + halvings / 3 + kGuardDecimals + 2;
  const Numeric x = divide_to(value, Numeric::from_int(int64_t{1} << halvings), digits, true);
  Numeric sum = add(Numeric::from_int(1), x);
  Numeric term = x;
  for (int n = 2; !term.digits.empty(); ++n) {
    term = divide_to(multiply_to(term, x, digits), Numeric::from_int(n), digits, true);
    sum = add(sum, term);
  }
  for (int i = 0; i < halvings; ++i) {
    const int32_t working = std::max(digits - sum.weight * 2 * Numeric::kDecimals, 0);
    sum = multiply_to(sum, sum, working);
  }
  sum.round(scale);
  return sum;
}

// ln(value). REQUIRES: value > 0.
Numeric ln_to(const Numeric& value, int32_t scale) {
  const Numeric one = Numeric::from_int(1);
  const Numeric low = decimal(9, 1);
  const Numeric high = decimal(11, 1);
  // Square roots bring the argument near 1: ln(x) = 2^n ln(x^(1/2^n)).
  Numeric x = value;
  int roots = 0;
  const int extra = kGuardDecimals + 10;
  while (compare_numeric(x, low) < 0 || compare_numeric(x, high) > 0) {
    x = sqrt_to(x, std::max(scale + extra - x.weight * Numeric::kDecimals / 2, 0));
    ++roots;
  }
  const int32_t working = std::max(scale, 0) + extra;
  // ln(x) = 2 (z + z^3/3 + z^5/5 + ...), z = (x - 1) / (x + 1).
  const Numeric z = divide_to(subtract(x, one), add(x, one), working, true);
  const Numeric square = multiply_to(z, z, working);
  Numeric sum = z;
  Numeric odd_power = z;
  for (int n = 3; !odd_power.digits.empty(); n += 2) {
    odd_power = multiply_to(odd_power, square, working);
    sum = add(sum, divide_to(odd_power, Numeric::from_int(n), working, true));
  }
  return multiply_to(sum, Numeric::from_int(int64_t{2} << roots), scale);
}

bool is_odd(const Numeric& value) {
  return !value.digits.empty() && value.digits.size() == value.weight + 1 &&
         (value.digits[value.digits.size() - 1] & 1) != 0;
}

// log10(|value|), good to a double.
double log10_estimate(const Numeric& value) {
  double digits = value.digits[0];
  int weight = value.weight * Numeric::kDecimals;
  for (int i = 1; i < value.digits.size() && i * Numeric::kDecimals < 16; ++i) {
    digits = digits * Numeric::kBase + value.digits[i];
    weight -= Numeric::kDecimals;
  }
  return std::log10(digits) + weight;
}

// base^exponent by squaring, each product kept to the significant digits that the result needs.
Result<Numeric> power_by_squaring(const Numeric& base, int32_t exponent, int32_t scale,
                                  int significant) {
  const bool inverted = exponent < 0;
  uint64_t bits = static_cast<uint64_t>(std::abs(int64_t{exponent}));
  Numeric square = base;
  Numeric result = (bits & 1) != 0 ? base : Numeric::from_int(1);
  while ((bits >>= 1) > 0) {
    int32_t working = significant - 2 * square.weight * Numeric::kDecimals;
    working = std::max(std::min(working, 2 * square.scale), 0);
    square = multiply_to(square, square, working);
    if ((bits & 1) != 0) {
      working = significant - (square.weight + result.weight) * Numeric::kDecimals;
      working = std::max(std::min(working, square.scale + result.scale), 0);
      result = multiply_to(square, result, working);
    }
    // Past what can be stored, only the inverse of the result, zero, is of use.
    if (square.weight > INT16_MAX || result.weight > INT16_MAX) {
      if (!inverted) return numeric_overflow();
      return Numeric::zero(scale);
    }
  }
  if (inverted) return divide_to(Numeric::from_int(1), result, scale, true);
  result.round(scale);
  return result;
}

// Whole exponents show 16 decimals, or the base's if it has more.
Result<Numeric> power_of_int(const Numeric& base, int32_t exponent) {
  const int32_t scale = display_scale(Numeric::kMinSignificantDigits, base.scale, 0);
  if (exponent == 0) {  // 0^0 too
    Numeric one = Numeric::from_int(1);
    one.scale = scale;
    return one;
  }
  if (base.digits.empty()) {
    if (exponent < 0) return raise(sqlstate::division_by_zero, "division by zero");
    return Numeric::zero(scale);
  }
  if (exponent == 1) {
    Numeric same = base;
    same.round(scale);
    return same;
  }
  if (exponent == -1) return divide_to(Numeric::from_int(1), base, scale, true);
  if (exponent == 2) return multiply_to(base, base, scale);
  const double weight = exponent * log10_estimate(base);
  if (weight > (INT16_MAX + 1) * static_cast<double>(Numeric::kDecimals)) return numeric_overflow();
  if (weight + 1 < -scale) return Numeric::zero(scale);
  const int significant = 1 + scale + static_cast<int>(weight) +
                          static_cast<int>(std::log(std::fabs(static_cast<double>(exponent)))) +
                          kGuardDecimals;
  return power_by_squaring(base, exponent, scale, significant);
}

Result<Numeric> power_finite(const Numeric& base, const Numeric& exponent) {
  if (exponent.is_integral()) {
    const std::optional<int64_t> whole = numeric_to_int64(exponent);
    if (whole && *whole >= INT32_MIN && *whole <= INT32_MAX) {
      return power_of_int(base, static_cast<int32_t>(*whole));
    }
  }
  if (base.digits.empty()) return Numeric::zero(Numeric::kMinSignificantDigits);
  const bool negative = base.negative && is_odd(exponent);
  const Numeric magnitude = absolute(base);
  const int ln_weight = ln_decimal_weight(magnitude);
  // A rough run tells how large the result will be.
  int32_t working = std::max(8 - ln_weight, 0);
  Numeric logarithm_of_base = ln_to(magnitude, working);
  double estimate = numeric_to_double(multiply_to(logarithm_of_base, exponent, working));
  if (std::fabs(estimate) > Numeric::kMaxResultScale * 3.01) {
    if (estimate > 0) return numeric_overflow();
    return Numeric::zero(Numeric::kMaxDisplayScale);
  }
  estimate *= kLog10E;
  const int32_t scale = display_scale(Numeric::kMinSignificantDigits - static_cast<int>(estimate),
                                      base.scale, exponent.scale);
  const int significant = std::max(scale + static_cast<int>(estimate), 0);
  working = std::max(significant - ln_weight + kGuardDecimals, 0);
  logarithm_of_base = ln_to(magnitude, working);
  Numeric result = TRY(exp_to(multiply_to(logarithm_of_base, exponent, working), scale));
  if (negative && !result.digits.empty()) result.negative = true;
  return result;
}

Numeric one_or_nan(bool is_one) { return is_one ? Numeric::from_int(1) : Numeric::nan(); }

// POSIX's rules for pow(3). REQUIRES: an operand is not finite.
Numeric power_special(const Numeric& base, const Numeric& exponent) {
  const Numeric one = Numeric::from_int(1);
  if (base.is_nan()) return one_or_nan(exponent.is_zero());
  if (exponent.is_nan()) return one_or_nan(compare_numeric(base, one) == 0);
  if (compare_numeric(base, one) == 0 || exponent.sign() == 0) return one;
  if (base.sign() == 0) return Numeric::zero();
  if (exponent.is_infinite()) {
    if (base.is_finite() && compare_magnitude(base, one) == 0) return one;
    const bool grows = base.is_infinite() || compare_magnitude(base, one) > 0;
    return grows == (exponent.sign() > 0) ? Numeric::infinity(false) : Numeric::zero();
  }
  if (exponent.sign() < 0) return Numeric::zero();
  return Numeric::infinity(base.sign() < 0 && is_odd(exponent));
}

Status check_logarithm_argument(const Numeric& value) {
  if (value.is_nan()) return {};
  if (value.sign() == 0)
    return raise(sqlstate::invalid_argument_for_log, "cannot take logarithm of zero");
  if (value.sign() < 0) {
    return raise(sqlstate::invalid_argument_for_log, "cannot take logarithm of a negative number");
  }
  return {};
}

}  // namespace

Numeric square_root_to(const Numeric& value, int32_t scale) { return sqrt_to(value, scale); }

Result<Numeric> square_root(const Numeric& value) {
  if (value.is_nan()) return value;
  if (value.sign() < 0) {
    return raise(sqlstate::invalid_argument_for_power_function,
                 "cannot take square root of a negative number");
  }
  if (value.is_infinite()) return value;
  const int weight = value.weight * Numeric::kDecimals / 2 + 1;
  return sqrt_to(value, display_scale(Numeric::kMinSignificantDigits - weight, value.scale, 0));
}

Result<Numeric> natural_log(const Numeric& value) {
  TRY(check_logarithm_argument(value));
  if (!value.is_finite()) return value;
  return ln_to(value, display_scale(Numeric::kMinSignificantDigits - ln_decimal_weight(value),
                                    value.scale, 0));
}

Result<Numeric> exponential(const Numeric& value) {
  if (value.is_infinite() && value.sign() < 0) return Numeric::zero();
  if (!value.is_finite()) return value;
  double weight = numeric_to_double(value) * kLog10E;
  weight = std::min(std::max(weight, -double{Numeric::kMaxResultScale}),
                    double{Numeric::kMaxResultScale});
  return exp_to(value, display_scale(Numeric::kMinSignificantDigits - static_cast<int>(weight),
                                     value.scale, 0));
}

Result<Numeric> logarithm(const Numeric& base, const Numeric& value) {
  if (base.is_nan() || value.is_nan()) return Numeric::nan();
  if (!base.is_finite() || !value.is_finite()) {
    if (value.sign() < 0) TRY(check_logarithm_argument(value));
  }
  TRY(check_logarithm_argument(base));
  TRY(check_logarithm_argument(value));
  if (base.is_infinite()) return value.is_infinite() ? Numeric::nan() : Numeric::zero();
  if (value.is_infinite()) return value;
  const int base_weight = ln_decimal_weight(base);
  const int value_weight = ln_decimal_weight(value);
  const int weight = value_weight - base_weight;
  const int32_t scale =
      display_scale(Numeric::kMinSignificantDigits - weight, base.scale, value.scale);
  const Numeric ln_base = ln_to(base, std::max(scale + weight - base_weight + kGuardDecimals, 0));
  const Numeric ln_value =
      ln_to(value, std::max(scale + weight - value_weight + kGuardDecimals, 0));
  if (ln_base.digits.empty()) return raise(sqlstate::division_by_zero, "division by zero");
  return divide_to(ln_value, ln_base, scale, true);
}

Result<Numeric> power(const Numeric& base, const Numeric& exponent) {
  if (base.is_nan() || exponent.is_nan()) return power_special(base, exponent);
  if (base.sign() == 0 && exponent.sign() < 0) {
    return raise(sqlstate::invalid_argument_for_power_function,
                 "zero raised to a negative power is undefined");
  }
  if (base.sign() < 0 && exponent.is_finite() && !exponent.is_integral()) {
    return raise(sqlstate::invalid_argument_for_power_function,
                 "a negative number raised to a non-integer power yields a complex result");
  }
  if (!base.is_finite() || !exponent.is_finite()) return power_special(base, exponent);
  return power_finite(base, exponent);
}

}  // namespace orrery
