// numeric: exact decimal numbers of up to 131072 digits before and 16383 after the point, with NaN
// and the infinities.
//
// A finite value is sum(digits[i] * 10000^(weight - i)), without leading or trailing zero digits,
// beside a `scale`: how many decimals it shows, which 1.10 and 1.1 differ in though they are equal.
// The rules by which each operation chooses the scale of its result are PostgreSQL's, as users see
// them in every quotient.
//
// Stored form, after the varlena header, 16-bit words:
//
//   short   1 s dddddd W wwwwww                sign, scale 0..63, weight -64..63; then the digits
//   long    0 s dddddddddddddd, weight         sign, scale 0..16383; int16 weight; then the digits
//   special 1100.. NaN, 1101.. Infinity, 1111.. -Infinity
//
// (short is recognised by its top bits 10; within it s is bit 13.)
//
// NaN equals itself and sorts above Infinity. Rounding is half away from zero.
#pragma once

#include <cstdint>
#include <memory>

#include "types/type_io.h"

namespace orrery {

// Digits in base 10000; the first few lie inside, so that everyday numbers allocate nothing.
class NumericDigits {
 public:
  NumericDigits() = default;
  NumericDigits(const NumericDigits& other) { assign(other.data(), other.size()); }
  NumericDigits(NumericDigits&& other) noexcept { take(other); }
  NumericDigits& operator=(const NumericDigits& other) {
    if (this != &other) assign(other.data(), other.size());
    return *this;
  }
  NumericDigits& operator=(NumericDigits&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }

  void assign(const int16_t* from, int count);
  void resize(int count);  // new digits are zero
  void drop_front(int count);
  void push_back(int16_t digit) {
    resize(count_ + 1);
    data()[count_ - 1] = digit;
  }

  int16_t* data() { return heap_ ? heap_.get() : inline_; }
  const int16_t* data() const { return heap_ ? heap_.get() : inline_; }
  int16_t& operator[](int i) { return data()[i]; }
  int16_t operator[](int i) const { return data()[i]; }
  int size() const { return count_; }
  bool empty() const { return count_ == 0; }

 private:
  static constexpr int kInline = 18;
  void take(NumericDigits& other);
  void reserve(int count);

  int count_ = 0;
  int capacity_ = kInline;
  int16_t inline_[kInline] = {};
  std::unique_ptr<int16_t[]> heap_;
};

struct Numeric {
  enum class Kind : uint8_t { finite, nan, positive_infinity, negative_infinity };
  Kind kind = Kind::finite;
  bool negative = false;  // never for zero
  int32_t weight = 0;     // 0 for zero
  int32_t scale = 0;
  NumericDigits digits;

  static constexpr int kBase = 10000;
  static constexpr int kDecimals = 4;            // per digit
  static constexpr int kMaxPrecision = 1000;     // of a typmod
  static constexpr int kMaxDisplayScale = 1000;  // that an operation chooses by itself
  static constexpr int kMaxScale = 0x3fff;
  static constexpr int kMinSignificantDigits = 16;  // of quotients and roots
  static constexpr int kMaxResultScale = 2 * kMaxPrecision;

  static Numeric nan() { return special(Kind::nan); }
  static Numeric infinity(bool is_negative) {
    return special(is_negative ? Kind::negative_infinity : Kind::positive_infinity);
  }
  static Numeric special(Kind kind);
  static Numeric from_int(int64_t value);
  static Numeric from_int128(__int128 value);
  static Numeric from_datum(Datum value);
  static Numeric zero(int32_t scale = 0);

  bool is_finite() const { return kind == Kind::finite; }
  bool is_nan() const { return kind == Kind::nan; }
  bool is_infinite() const {
    return kind == Kind::positive_infinity || kind == Kind::negative_infinity;
  }
  bool is_zero() const { return is_finite() && digits.empty(); }
  bool is_integral() const { return is_finite() && digits.size() <= weight + 1; }
  // -1, 0, 1; of an infinity its side. REQUIRES: not NaN.
  int sign() const;

  // Drops zero digits at both ends. Every operation leaves its result so.
  void normalise();
  // To `new_scale` decimals (may be negative), half away from zero, or cut off. The shown scale is
  // at least 0.
  void round(int32_t new_scale);
  void truncate(int32_t new_scale);
  void check() const;
};

// Into `arena`. 22003 "value overflows numeric format".
Result<Datum> make_numeric(Arena& arena, const Numeric& value);
Status numeric_overflow(std::source_location where = std::source_location::current());

int compare_numeric(const Numeric& a, const Numeric& b);
// Straight from the stored form, without building a Numeric.
int compare_numeric_datums(Datum a, Datum b);
uint64_t hash_numeric_datum(Datum value);

// Operations on all values, special ones included. Scales follow PostgreSQL.
Numeric add(const Numeric& a, const Numeric& b);
Numeric subtract(const Numeric& a, const Numeric& b);
Numeric multiply(const Numeric& a, const Numeric& b);
Result<Numeric> divide(const Numeric& a, const Numeric& b);             // 22012
Result<Numeric> divide_truncating(const Numeric& a, const Numeric& b);  // div(a, b)
Result<Numeric> modulo(const Numeric& a, const Numeric& b);
Numeric negate(Numeric value);
Numeric absolute(Numeric value);
Numeric floor(Numeric value);
Numeric ceiling(Numeric value);
Result<Numeric> gcd(const Numeric& a, const Numeric& b, const StopSign* stop);
Result<Numeric> lcm(const Numeric& a, const Numeric& b, const StopSign* stop);
Result<Numeric> factorial(int64_t n);
Result<Numeric> square_root(const Numeric& value);
Result<Numeric> natural_log(const Numeric& value);
Result<Numeric> exponential(const Numeric& value);
Result<Numeric> logarithm(const Numeric& base, const Numeric& value);
Result<Numeric> power(const Numeric& base, const Numeric& exponent);
// Fewest decimals that show the value exactly.
int32_t min_scale(const Numeric& value);

// Finite operands only, result rounded (or cut) to `scale` decimals.
Numeric multiply_to(const Numeric& a, const Numeric& b, int32_t scale);
Numeric square_root_to(const Numeric& value, int32_t scale);                          // value >= 0
Numeric divide_to(const Numeric& a, const Numeric& b, int32_t scale, bool rounding);  // b != 0
int compare_magnitude(const Numeric& a, const Numeric& b);

// Text and typmods.
Result<Numeric> parse_numeric(std::string_view text);
void append_numeric(std::string& out, const Numeric& value);
// numeric(p,s): rounds; 22003 "numeric field overflow".
Status apply_numeric_typmod(Numeric& value, int32_t typmod);
constexpr int32_t numeric_typmod(int32_t precision, int32_t scale) {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}
constexpr int32_t numeric_typmod_precision(int32_t typmod) { return ((typmod - 4) >> 16) & 0xffff; }
constexpr int32_t numeric_typmod_scale(int32_t typmod) {
  return (((typmod - 4) & 0x7ff) ^ 1024) - 1024;
}

// Other number types. Rounds; nullopt when out of range (or not finite).
std::optional<int64_t> numeric_to_int64(const Numeric& value);
double numeric_to_double(const Numeric& value);  // infinite beyond a double's range
float numeric_to_float(const Numeric& value);
Numeric numeric_from_double(double value);  // 15 significant digits
Numeric numeric_from_float(float value);    // 6

Result<Datum> numeric_in(IoContext& context, std::string_view text);
Status numeric_out(IoContext& context, Datum value, std::string& out);
Result<Datum> numeric_receive(IoContext& context, Bytes bytes);
Status numeric_send(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
