// money: arithmetic in cents, conversions, and amounts in words.
#include <cmath>

#include "base/text.h"
#include "func/lift.h"
#include "types/money.h"

namespace orrery {
namespace {

Status out_of_range() { return raise(sqlstate::numeric_value_out_of_range, "money out of range"); }

Result<int64_t> round_to_cents(double value) {
  const double rounded = std::rint(value);
  if (!(rounded >= -0x1p63 && rounded < 0x1p63)) return out_of_range();
  return static_cast<int64_t>(rounded);
}
Result<int64_t> scale(int64_t cents, double by) {
  return round_to_cents(static_cast<double>(cents) * by);
}
Result<int64_t> divide_by(int64_t cents, double by) {
  if (by == 0) return raise(sqlstate::division_by_zero, "division by zero");
  return round_to_cents(static_cast<double>(cents) / by);
}
Result<int64_t> times(int64_t cents, int64_t by) {
  int64_t product = 0;
  if (__builtin_mul_overflow(cents, by, &product)) return out_of_range();
  return product;
}
Result<int64_t> over(int64_t cents, int64_t by) {
  if (by == 0) return raise(sqlstate::division_by_zero, "division by zero");
  if (by == -1) return times(cents, -1);
  return cents / by;
}
Result<int64_t> from_units(int64_t units) {
  int64_t cents = 0;
  if (__builtin_mul_overflow(units, 100, &cents))
    return raise(sqlstate::numeric_value_out_of_range, "bigint out of range");
  return cents;
}
Result<int64_t> from_numeric(const Numeric& value) {
  if (!value.is_finite()) {
    return raise(sqlstate::feature_not_supported,
                 cat("cannot convert ", value.is_nan() ? "NaN" : "infinity", " to bigint"));
  }
  const std::optional<int64_t> cents = numeric_to_int64(multiply(value, Numeric::from_int(100)));
  if (!cents) return raise(sqlstate::numeric_value_out_of_range, "bigint out of range");
  return *cents;
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("cash_pl", lift([](int64_t a, int64_t b) -> Result<int64_t> {
           int64_t sum = 0;
           if (__builtin_add_overflow(a, b, &sum)) return out_of_range();
           return sum;
         })),
    body("cash_mi", lift([](int64_t a, int64_t b) -> Result<int64_t> {
           int64_t difference = 0;
           if (__builtin_sub_overflow(a, b, &difference)) return out_of_range();
           return difference;
         })),
    body("cash_div_cash", lift([](int64_t a, int64_t b) -> Result<double> {
           if (b == 0) return raise(sqlstate::division_by_zero, "division by zero");
           return static_cast<double>(a) / static_cast<double>(b);
         })),
    body("cash_mul_flt8", lift([](int64_t a, double b) { return scale(a, b); })),
    body("cash_mul_flt4", lift([](int64_t a, float b) { return scale(a, double{b}); })),
    body("flt8_mul_cash", lift([](double a, int64_t b) { return scale(b, a); })),
    body("flt4_mul_cash", lift([](float a, int64_t b) { return scale(b, double{a}); })),
    body("cash_div_flt8", lift([](int64_t a, double b) { return divide_by(a, b); })),
    body("cash_div_flt4", lift([](int64_t a, float b) { return divide_by(a, double{b}); })),
    body("cash_mul_int8", lift([](int64_t a, int64_t b) { return times(a, b); })),
    body("cash_mul_int4", lift([](int64_t a, int32_t b) { return times(a, b); })),
    body("cash_mul_int2", lift([](int64_t a, int16_t b) { return times(a, b); })),
    body("int8_mul_cash", lift([](int64_t a, int64_t b) { return times(b, a); })),
    body("int4_mul_cash", lift([](int32_t a, int64_t b) { return times(b, a); })),
    body("int2_mul_cash", lift([](int16_t a, int64_t b) { return times(b, a); })),
    body("cash_div_int8", lift([](int64_t a, int64_t b) { return over(a, b); })),
    body("cash_div_int4", lift([](int64_t a, int32_t b) { return over(a, b); })),
    body("cash_div_int2", lift([](int64_t a, int16_t b) { return over(a, b); })),
    body("cashlarger", lift([](int64_t a, int64_t b) { return a > b ? a : b; })),
    body("cashsmaller", lift([](int64_t a, int64_t b) { return a < b ? a : b; })),
    body("cash_words", lift([](int64_t cents) { return money_words(cents); })),
    body("cash_numeric", lift([](int64_t cents) -> Result<Numeric> {
           return divide_to(Numeric::from_int(cents), Numeric::from_int(100), 2, true);
         })),
    body("numeric_cash", lift([](const Numeric& value) { return from_numeric(value); })),
    body("int4_cash", lift([](int32_t units) { return from_units(units); })),
    body("int8_cash", lift([](int64_t units) { return from_units(units); })),
}));

}  // namespace

std::span<const FunctionBody> money_functions() { return kTable; }

}  // namespace orrery
