// to_char, to_date, to_timestamp and to_number as SQL calls them.
#include <climits>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "func/format_picture.h"
#include "func/lift.h"
#include "func/number_picture.h"
#include "types/date_time.h"

namespace orrery {
namespace {

using MaybeText = std::optional<std::string>;

Result<MaybeText> show(std::string_view picture, const ShownTime& shown) {
  std::string out = TRY(format_date_time(picture, shown));
  return MaybeText(std::move(out));
}

Result<MaybeText> timestamp_to_char(int64_t value, std::string_view picture) {
  if (picture.empty() || is_infinite_timestamp(value)) return MaybeText();
  return show(picture, ShownTime{.parts = parts_of_timestamp(value)});
}
Result<MaybeText> timestamptz_to_char(Call& call, int64_t value, std::string_view picture) {
  if (picture.empty() || is_infinite_timestamp(value)) return MaybeText();
  const TimeZone zone = session_zone(call.settings());
  return show(picture, ShownTime{.parts = parts_of_timestamptz(value, zone), .has_zone = true});
}
Result<MaybeText> interval_to_char(const Interval& value, std::string_view picture) {
  if (picture.empty()) return MaybeText();
  const int64_t hours = value.micros / kMicrosPerHour;
  if (hours > INT_MAX || hours < INT_MIN)
    return raise(sqlstate::datetime_field_overflow, "interval out of range");
  const int64_t rest = value.micros % kMicrosPerHour;
  ShownTime shown{.is_interval = true};
  shown.parts.year = value.months / 12;
  shown.parts.month = value.months % 12;
  shown.parts.day = value.days;
  shown.parts.hour = static_cast<int32_t>(hours);
  shown.parts.minute = static_cast<int32_t>(rest / kMicrosPerMinute);
  shown.parts.second = static_cast<int32_t>(rest % kMicrosPerMinute / kMicrosPerSecond);
  shown.parts.micros = static_cast<int32_t>(rest % kMicrosPerSecond);
  return show(picture, shown);
}

Result<int64_t> to_timestamp(Call& call, std::string_view text, std::string_view picture) {
  const ReadTime read = TRY(read_date_time(picture, text));
  const std::optional<int64_t> local = timestamp_of_parts(read.parts);
  if (!local) return timestamp_out_of_range();
  const TimeZone zone = session_zone(call.settings());
  const int32_t west = read.has_zone ? read.parts.west_seconds : west_seconds_at(read.parts, zone);
  int64_t moment = 0;
  if (__builtin_add_overflow(*local, west * kMicrosPerSecond, &moment) ||
      !is_valid_timestamp(moment)) {
    return timestamp_out_of_range();
  }
  return read.fraction_digits > 0 ? round_micros(moment, read.fraction_digits) : moment;
}

Result<int32_t> to_date(std::string_view text, std::string_view picture) {
  const ReadTime read = TRY(read_date_time(picture, text));
  const DateTimeParts& t = read.parts;
  const auto out_of_range = [&] {
    return raise(sqlstate::datetime_field_overflow, cat("date out of range: \"", text, "\""));
  };
  if (!is_valid_julian_date(t.year, t.month, t.day)) return out_of_range();
  const int32_t date = julian_of_date(t.year, t.month, t.day) - kEpochJulian;
  if (!is_valid_date(date)) return out_of_range();
  return date;
}

// Puts the decimal digits of a number, its sign in front, into a picture.
Result<MaybeText> place(const NumberPicture& picture, std::string_view number) {
  const char sign = number.starts_with('-') ? '-' : '+';
  if (sign == '-') number.remove_prefix(1);
  const size_t whole = std::min(number.find('.'), number.size());
  const auto wanted = static_cast<size_t>(picture.before);
  if (whole <= wanted) {
    std::string fitting =
        TRY(format_number(picture, number, static_cast<int>(wanted - whole), sign));
    return MaybeText(std::move(fitting));
  }
  std::string hashes(wanted + static_cast<size_t>(picture.after) + 1, '#');
  hashes[wanted] = '.';
  std::string unfit = TRY(format_number(picture, hashes, 0, sign));
  return MaybeText(std::move(unfit));
}

Result<MaybeText> place_roman(const NumberPicture& picture, int64_t value) {
  std::string out = TRY(format_number(picture, roman_numeral(value), 0, '+'));
  return MaybeText(std::move(out));
}

// An exponent cannot be shown: as many '#' as it would take.
std::string hashes_for_exponent(const NumberPicture& p) {
  std::string out(static_cast<size_t>(p.before + p.after + 6), '#');
  out[0] = ' ';
  out[static_cast<size_t>(p.before) + 1] = '.';
  return out;
}

std::string scientific(const Numeric& value, int decimals) {
  int32_t exponent = 0;
  if (!value.is_zero()) {
    int first = value.digits[0];
    exponent = value.weight * Numeric::kDecimals;
    while (first >= 10) {
      first /= 10;
      ++exponent;
    }
  }
  const auto mantissa_at = [&](int32_t e) {
    Numeric scaled = value;
    const auto shown = [&](const Numeric& n) {
      std::string text;
      append_numeric(text, n);
      return text;
    };
    Numeric ten = Numeric::from_int(1);
    const Numeric factor = Numeric::from_int(10);
    for (int32_t i = 0; i < std::abs(e); ++i) ten = multiply(ten, factor);
    scaled = e >= 0 ? divide_to(value, ten, decimals, true) : multiply_to(value, ten, decimals);
    scaled.scale = decimals;
    return shown(scaled);
  };
  std::string mantissa = mantissa_at(exponent);
  // Rounding may have made 10 of it.
  if (mantissa.starts_with("10") || mantissa.starts_with("-10")) mantissa = mantissa_at(++exponent);
  char tail[16];
  std::snprintf(tail, sizeof tail, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
  return mantissa + tail;
}

Result<MaybeText> numeric_to_char(const Numeric& value, std::string_view format) {
  if (format.empty()) return MaybeText(std::string());
  NumberPicture picture = TRY(parse_number_picture(format));
  if (picture.roman) {
    Numeric rounded = value;
    if (!value.is_finite())
      return raise(sqlstate::feature_not_supported, value.is_nan()
                                                        ? "cannot convert NaN to integer"
                                                        : "cannot convert infinity to integer");
    rounded.round(0);
    const std::optional<int64_t> whole = numeric_to_int64(rounded);
    if (!whole || *whole > INT_MAX || *whole < INT_MIN) return raise_out_of_range("integer");
    return place_roman(picture, *whole);
  }
  if (picture.exponent) {
    if (!value.is_finite()) return MaybeText(hashes_for_exponent(picture));
    const std::string text = scientific(value, picture.after);
    return MaybeText(text.starts_with('-') ? text : " " + text);
  }
  Numeric shown = value;
  if (picture.shifts) {
    for (int i = 0; i < picture.shift; ++i) shown = multiply(shown, Numeric::from_int(10));
    picture.before += picture.shift;
  }
  if (shown.is_finite()) shown.round(picture.after);
  std::string text;
  append_numeric(text, shown);
  return place(picture, text);
}

Result<MaybeText> integer_to_char(int64_t value, std::string_view format, bool is_int4) {
  if (format.empty()) return MaybeText(std::string());
  NumberPicture picture = TRY(parse_number_picture(format));
  if (picture.roman) {
    if (value > INT_MAX || value < INT_MIN) return raise_out_of_range("integer");
    return place_roman(picture, value);
  }
  if (picture.exponent) {
    const std::string text = scientific(Numeric::from_int(value), picture.after);
    return MaybeText(text.starts_with('-') ? text : " " + text);
  }
  if (picture.shifts) {
    for (int i = 0; i < picture.shift; ++i) {
      if (__builtin_mul_overflow(value, int64_t{10}, &value) ||
          (is_int4 && (value > INT_MAX || value < INT_MIN))) {
        return raise_out_of_range(is_int4 ? "integer" : "bigint");
      }
    }
    picture.before += picture.shift;
  }
  std::string text = cat(value);
  if (picture.after > 0) text += "." + std::string(static_cast<size_t>(picture.after), '0');
  return place(picture, text);
}

Result<MaybeText> float_to_char(double value, std::string_view format, int precision) {
  if (format.empty()) return MaybeText(std::string());
  NumberPicture picture = TRY(parse_number_picture(format));
  if (picture.roman) {
    const double whole = std::rint(value);
    const bool fits = whole >= 1 && whole <= 3999;
    return place_roman(picture, fits ? static_cast<int64_t>(whole) : 0);
  }
  char buffer[1100];
  if (picture.exponent) {
    if (!std::isfinite(value)) return MaybeText(hashes_for_exponent(picture));
    const int decimals = std::min(picture.after, 1000);
    std::snprintf(buffer, sizeof buffer, "%+.*e", decimals, value);
    if (buffer[0] == '+') buffer[0] = ' ';
    return MaybeText(std::string(buffer));
  }
  if (picture.shifts) {
    value *= std::pow(10, picture.shift);
    picture.before += picture.shift;
  }
  if (!std::isfinite(value)) {
    return place(picture, std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  }
  const int whole = std::snprintf(buffer, sizeof buffer, "%.0f", std::fabs(value));
  if (whole >= precision) {
    picture.after = 0;
  } else if (whole + picture.after > precision) {
    picture.after = precision - whole;
  }
  std::snprintf(buffer, sizeof buffer, "%.*f", picture.after, value);
  return place(picture, buffer);
}

Result<std::optional<Numeric>> to_number(std::string_view text, std::string_view format) {
  if (format.empty()) return std::optional<Numeric>();
  const NumberPicture picture = TRY(parse_number_picture(format));
  const std::string digits = TRY(read_number(picture, text));
  Numeric value = TRY(parse_numeric(digits));
  const size_t point = digits.find('.');
  const int decimals = point == std::string::npos ? 0 : static_cast<int>(digits.size() - point - 1);
  const int precision = picture.before + picture.shift + decimals;
  if (precision > 0 && precision <= Numeric::kMaxPrecision)
    TRY(apply_numeric_typmod(value, numeric_typmod(precision, decimals)));
  if (picture.shifts) {
    Numeric divisor = Numeric::from_int(1);
    for (int i = 0; i < picture.shift; ++i) divisor = multiply(divisor, Numeric::from_int(10));
    value = divide_to(value, divisor, std::max(picture.shift, 16), true);
  }
  return std::optional<Numeric>(std::move(value));
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("timestamp_to_char",
         lift([](int64_t v, std::string_view f) { return timestamp_to_char(v, f); })),
    body("timestamptz_to_char", lift([](Call& call, int64_t v, std::string_view f) {
           return timestamptz_to_char(call, v, f);
         })),
    body("interval_to_char",
         lift([](const Interval& v, std::string_view f) { return interval_to_char(v, f); })),
    body("to_timestamp", lift([](Call& call, std::string_view text, std::string_view f) {
           return to_timestamp(call, text, f);
         })),
    body("to_date",
         lift([](std::string_view text, std::string_view f) { return to_date(text, f); })),
    body("numeric_to_char",
         lift([](const Numeric& v, std::string_view f) { return numeric_to_char(v, f); })),
    body("int4_to_char",
         lift([](int32_t v, std::string_view f) { return integer_to_char(v, f, true); })),
    body("int8_to_char",
         lift([](int64_t v, std::string_view f) { return integer_to_char(v, f, false); })),
    body("float4_to_char",
         lift([](float v, std::string_view f) { return float_to_char(v, f, 6); })),
    body("float8_to_char",
         lift([](double v, std::string_view f) { return float_to_char(v, f, 15); })),
    body("numeric_to_number",
         lift([](std::string_view text, std::string_view f) { return to_number(text, f); })),
}));

}  // namespace

std::span<const FunctionBody> format_functions() { return kTable; }

}  // namespace orrery
