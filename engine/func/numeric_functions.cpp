// numeric: operators and mathematics; types/numeric.h does the work.
#include "func/lift.h"

namespace orrery {
namespace {

Numeric with_scale(Numeric value, int32_t scale) {
  value.scale = scale;
  return value;
}
// Beyond what the format holds either way, nothing changes.
constexpr int32_t clamp_scale(int32_t scale) {
  constexpr int32_t kMostDecimals = 0x3FFF;
  constexpr int32_t kMostDigits = (0x7FFF + 1) * 4;
  return std::min(std::max(scale, -kMostDigits), kMostDecimals);
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("numeric_add", lift([](const Numeric& a, const Numeric& b) { return add(a, b); })),
    body("numeric_sub", lift([](const Numeric& a, const Numeric& b) { return subtract(a, b); })),
    body("numeric_mul", lift([](const Numeric& a, const Numeric& b) { return multiply(a, b); })),
    body("numeric_div", lift([](const Numeric& a, const Numeric& b) { return divide(a, b); })),
    body("numeric_div_trunc",
         lift([](const Numeric& a, const Numeric& b) { return divide_truncating(a, b); })),
    body("numeric_mod", lift([](const Numeric& a, const Numeric& b) { return modulo(a, b); })),
    body("numeric_uminus", lift([](const Numeric& a) { return negate(a); })),
    body("numeric_uplus", lift([](const Numeric& a) { return a; })),
    body("numeric_abs", lift([](const Numeric& a) { return absolute(a); })),
    body("numeric_sign",
         lift([](const Numeric& a) { return a.is_nan() ? a : Numeric::from_int(a.sign()); })),
    body("numeric_ceil", lift([](const Numeric& a) { return ceiling(a); })),
    body("numeric_floor", lift([](const Numeric& a) { return floor(a); })),
    body("numeric_round", lift([](Numeric a, int32_t scale) {
           a.round(clamp_scale(scale));
           return a;
         })),
    body("numeric_trunc", lift([](Numeric a, int32_t scale) {
           a.truncate(clamp_scale(scale));
           return a;
         })),
    body("numeric_sqrt", lift([](const Numeric& a) { return square_root(a); })),
    body("numeric_exp", lift([](const Numeric& a) { return exponential(a); })),
    body("numeric_ln", lift([](const Numeric& a) { return natural_log(a); })),
    body("numeric_log",
         lift([](const Numeric& base, const Numeric& a) { return logarithm(base, a); })),
    body("numeric_power", lift([](const Numeric& a, const Numeric& b) { return power(a, b); })),
    body("numeric_gcd", lift([](Call& call, const Numeric& a, const Numeric& b) {
           return gcd(a, b, call.settings().stop);
         })),
    body("numeric_lcm", lift([](Call& call, const Numeric& a, const Numeric& b) {
           return lcm(a, b, call.settings().stop);
         })),
    body("numeric_fac", lift([](int64_t n) { return factorial(n); })),
    body("numeric_inc", lift([](const Numeric& a) { return add(a, Numeric::from_int(1)); })),
    body("numeric_scale", lift([](const Numeric& a) -> std::optional<int32_t> {
           if (!a.is_finite()) return std::nullopt;
           return a.scale;
         })),
    body("numeric_min_scale", lift([](const Numeric& a) -> std::optional<int32_t> {
           if (!a.is_finite()) return std::nullopt;
           return min_scale(a);
         })),
    body("numeric_trim_scale",
         lift([](const Numeric& a) { return a.is_finite() ? with_scale(a, min_scale(a)) : a; })),
    // The length coercion: numeric(numeric, typmod).
    body("numeric", lift([](Numeric a, int32_t typmod) -> Result<Numeric> {
           TRY(apply_numeric_typmod(a, typmod));
           return a;
         })),
    body("in_range_numeric_numeric",
         lift([](const Numeric& value, const Numeric& base, const Numeric& offset, bool sub,
                 bool less) -> Result<bool> {
           if (offset.is_nan() || offset.sign() < 0) {
             return raise(sqlstate::invalid_preceding_or_following_size,
                          "invalid preceding or following size in window function");
           }
           if (value.is_nan()) return base.is_nan() ? true : !less;
           if (base.is_nan()) return less;
           const Numeric bound = sub ? subtract(base, offset) : add(base, offset);
           if (bound.is_nan()) return true;
           return less ? compare_numeric(value, bound) <= 0 : compare_numeric(value, bound) >= 0;
         })),
}));

}  // namespace

std::span<const FunctionBody> numeric_functions() { return kTable; }

}  // namespace orrery
