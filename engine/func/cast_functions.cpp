// Conversions between types: numbers, text, dates, and the length coercions of varchar(n), char(n),
// numeric(p,s).
#include <cmath>

#include "base/text.h"
#include "func/lift.h"
#include "types/bytea.h"
#include "types/float_types.h"
#include "types/integer_types.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

template <class To, class From>
constexpr Kernel kNarrow = lift([](From v) -> Result<To> {
  if (v > std::numeric_limits<To>::max() || v < std::numeric_limits<To>::min())
    return raise_out_of_range(kIntegerName<To>);
  return static_cast<To>(v);
});
template <class To, class From>
constexpr Kernel kWiden = lift([](From v) { return static_cast<To>(v); });

// Rounds half to even; a bound is exact as a double where -bound is.
template <class To, class From>
constexpr Kernel kFromFloat = lift([](From v) -> Result<To> {
  const From rounded = std::rint(v);
  constexpr auto low = static_cast<From>(std::numeric_limits<To>::min());
  if (std::isnan(v) || !(rounded >= low && rounded < -low))
    return raise_out_of_range(kIntegerName<To>);
  return static_cast<To>(rounded);
});

template <class To>
constexpr Kernel kFromNumeric = lift([](const Numeric& v) -> Result<To> {
  if (v.is_nan())
    return raise(sqlstate::feature_not_supported, cat("cannot convert NaN to ", kIntegerName<To>));
  if (v.is_infinite())
    return raise(sqlstate::feature_not_supported,
                 cat("cannot convert infinity to ", kIntegerName<To>));
  const std::optional<int64_t> whole = numeric_to_int64(v);
  if (!whole || *whole > std::numeric_limits<To>::max() ||
      *whole < std::numeric_limits<To>::min()) {
    return raise_out_of_range(kIntegerName<To>);
  }
  return static_cast<To>(*whole);
});

std::string_view trimmed(std::string_view v) { return trim_blanks(v); }

// The value printed and read again as another type, for casts that PostgreSQL writes as I/O
// conversions.
Result<Datum> fitted_text(Call& call, std::string_view text, int32_t typmod, bool is_explicit,
                          bool blank_padded) {
  if (blank_padded) return fit_bpchar(call.arena(), text, typmod, is_explicit);
  const std::string_view fitted = TRY(fit_varchar(text, typmod, is_explicit));
  return make_varlena(call.arena(), fitted);
}

constexpr Kernel kTextChar = lift([](Call& call, std::string_view v) {
  return input_value(call.arena(), call.settings(), type_oid::char_, v);
});

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("i2toi4", kWiden<int32_t, int16_t>),
    body("int28", kWiden<int64_t, int16_t>),
    body("int48", kWiden<int64_t, int32_t>),
    body("i4toi2", kNarrow<int16_t, int32_t>),
    body("int82", kNarrow<int16_t, int64_t>),
    body("int84", kNarrow<int32_t, int64_t>),
    body("i8tooid", lift([](int64_t v) -> Result<uint32_t> {
           if (v < 0 || v > UINT32_MAX)
             return raise(sqlstate::numeric_value_out_of_range, "OID out of range");
           return static_cast<uint32_t>(v);
         })),
    body("oidtoi8", kWiden<int64_t, uint32_t>),
    body("int4_bool", lift([](int32_t v) { return v != 0; })),
    body("bool_int4", kWiden<int32_t, bool>),
    body("chartoi4",
         lift([](char v) { return static_cast<int32_t>(static_cast<signed char>(v)); })),
    body("i4tochar", lift([](int32_t v) -> Result<char> {
           if (v < INT8_MIN || v > INT8_MAX)
             return raise(sqlstate::numeric_value_out_of_range, "\"char\" out of range");
           return static_cast<char>(v);
         })),
    body("i2tof", kWiden<float, int16_t>),
    body("i4tof", kWiden<float, int32_t>),
    body("i8tof", kWiden<float, int64_t>),
    body("i2tod", kWiden<double, int16_t>),
    body("i4tod", kWiden<double, int32_t>),
    body("i8tod", kWiden<double, int64_t>),
    body("ftod", kWiden<double, float>),
    body("dtof", lift([](double v) -> Result<float> {
           const auto narrow = static_cast<float>(v);
           if (std::isinf(narrow) && !std::isinf(v))
             return raise(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
           if (narrow == 0 && v != 0)
             return raise(sqlstate::numeric_value_out_of_range, "value out of range: underflow");
           return narrow;
         })),
    body("ftoi2", kFromFloat<int16_t, float>),
    body("ftoi4", kFromFloat<int32_t, float>),
    body("ftoi8", kFromFloat<int64_t, float>),
    body("dtoi2", kFromFloat<int16_t, double>),
    body("dtoi4", kFromFloat<int32_t, double>),
    body("dtoi8", kFromFloat<int64_t, double>),
    body("int2_numeric", lift([](int16_t v) { return Numeric::from_int(v); })),
    body("int4_numeric", lift([](int32_t v) { return Numeric::from_int(v); })),
    body("int8_numeric", lift([](int64_t v) { return Numeric::from_int(v); })),
    body("numeric_int2", kFromNumeric<int16_t>),
    body("numeric_int4", kFromNumeric<int32_t>),
    body("numeric_int8", kFromNumeric<int64_t>),
    body("float4_numeric", lift([](float v) { return numeric_from_float(v); })),
    body("float8_numeric", lift([](double v) { return numeric_from_double(v); })),
    body("numeric_float8", lift([](const Numeric& v) -> Result<double> {
           const double wide = numeric_to_double(v);
           std::string text;
           if (std::isinf(wide) && v.is_finite()) {
             append_numeric(text, v);
             return raise(sqlstate::numeric_value_out_of_range,
                          cat("\"", text, "\" is out of range for type double precision"));
           }
           return wide;
         })),
    body("numeric_float4", lift([](const Numeric& v) -> Result<float> {
           const float narrow = numeric_to_float(v);
           std::string text;
           if ((std::isinf(narrow) && v.is_finite()) ||
               (narrow == 0 && !v.is_zero() && v.is_finite())) {
             append_numeric(text, v);
             return raise(sqlstate::numeric_value_out_of_range,
                          cat("\"", text, "\" is out of range for type real"));
           }
           return narrow;
         })),
    body("booltext", lift([](bool v) { return std::string_view(v ? "true" : "false"); })),
    body("char_text", lift([](Call& call, char v) -> Result<std::string> {
           std::string text;
           TRY(output_value(call.arena(), call.settings(), type_oid::char_, Datum::of(v), text));
           return text;
         })),
    body("text_char", kTextChar),
    body("name_text", lift([](Name v) { return v.text; })),
    body("text_name", lift([](std::string_view v) { return Name{v}; })),
    body("name_bpchar", lift([](Name v) { return v.text; })),
    body("bpchar_name", lift([](std::string_view v) { return Name{trimmed(v)}; })),
    body("char_bpchar", lift([](char v) { return v == '\0' ? std::string() : std::string(1, v); })),
    body("varchar", lift([](Call& call, std::string_view v, int32_t typmod, bool is_explicit) {
           return fitted_text(call, v, typmod, is_explicit, false);
         })),
    body("bpchar", lift([](Call& call, std::string_view v, int32_t typmod, bool is_explicit) {
           return fitted_text(call, v, typmod, is_explicit, true);
         })),
}));

}  // namespace

std::span<const FunctionBody> cast_functions() { return kTable; }

}  // namespace orrery
