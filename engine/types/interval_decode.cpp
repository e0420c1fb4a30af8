// Intervals: "1 year 2 days 03:04:05", "1-2 3 4:05" (SQL), "P1Y2DT3H" (ISO 8601), each with signs
// and fractions.
#include <cmath>

#include "base/text.h"
#include "types/date_time_decode.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

using enum DecodeError;
constexpr int kMonthsPerYear = 12;
constexpr int kDaysPerMonth = 30;

// Adds with the ranges of the stored form in mind: months and days must fit 32 bits, microseconds
// 64.
class Sum {
 public:
  explicit Sum(DecodedInterval& out) : out_(out) {}
  bool micros(int64_t count, double fraction, int64_t scale) {
    int64_t product = 0;
    return !__builtin_mul_overflow(count, scale, &product) &&
           !__builtin_add_overflow(out_.micros, product, &out_.micros) &&
           fractional_micros(fraction, scale);
  }
  bool fractional_micros(double fraction, int64_t scale) {
    if (fraction == 0) return true;
    fraction *= static_cast<double>(scale);
    auto whole = static_cast<int64_t>(fraction);
    fraction -= static_cast<double>(whole);
    if (fraction > 0.5) ++whole;
    if (fraction < -0.5) --whole;
    return !__builtin_add_overflow(out_.micros, whole, &out_.micros);
  }
  bool days(int64_t count, int64_t scale) { return add(out_.days, count, scale); }
  bool fractional_days(double fraction, int scale) {
    fraction *= scale;
    const auto whole = static_cast<int64_t>(fraction);
    return add(out_.days, whole, 1) &&
           fractional_micros(fraction - static_cast<double>(whole), kMicrosPerDay);
  }
  bool months(int64_t count) { return add(out_.months, count, 1); }
  bool years(int64_t count, int64_t scale, double fraction) {
    return add(out_.years, count, scale) &&
           add(out_.months,
               static_cast<int64_t>(
                   std::rint(fraction * static_cast<double>(scale) * kMonthsPerYear)),
               1);
  }
  bool add_unit(Unit unit, int64_t value, double fraction);

 private:
  static bool add(int64_t& to, int64_t count, int64_t scale) {
    int64_t product = 0;
    return !__builtin_mul_overflow(count, scale, &product) &&
           !__builtin_add_overflow(to, product, &to) && to <= INT32_MAX && to >= INT32_MIN;
  }
  DecodedInterval& out_;
};

bool Sum::add_unit(Unit unit, int64_t value, double fraction) {
  switch (unit) {
    case Unit::microsecond: {
      const double rounded = fraction > 0.5 ? 1 : fraction < -0.5 ? -1 : 0;
      return micros(value + static_cast<int64_t>(rounded), 0, 1);
    }
    case Unit::millisecond:     return micros(value, fraction, 1000);
    case Unit::second:          return micros(value, fraction, kMicrosPerSecond);
    case Unit::minute:          return micros(value, fraction, kMicrosPerMinute);
    case Unit::hour:            return micros(value, fraction, kMicrosPerHour);
    case Unit::day:             return days(value, 1) && fractional_micros(fraction, kMicrosPerDay);
    case Unit::week:            return days(value, 7) && fractional_days(fraction, 7);
    case Unit::month:           return months(value) && fractional_days(fraction, kDaysPerMonth);
    case Unit::year:            return years(value, 1, fraction);
    case Unit::decade:          return years(value, 10, fraction);
    case Unit::century:         return years(value, 100, fraction);
    case Unit::millennium:      return years(value, 1000, fraction);
    case Unit::none:
    case Unit::quarter:
    case Unit::julian:
    case Unit::day_of_year:
    case Unit::day_of_week:
    case Unit::iso_day_of_week:
    case Unit::iso_year:
    case Unit::epoch:
    case Unit::zone:
    case Unit::zone_hour:
    case Unit::zone_minute:
    case Unit::time:            return false;
  }
  UNREACHABLE();
}

uint32_t bit_of(Unit unit, double fraction) {
  using namespace field_bit;
  switch (unit) {
    case Unit::microsecond:     return microsecond;
    case Unit::millisecond:     return millisecond;
    case Unit::second:          return fraction == 0 ? second : all_seconds;
    case Unit::minute:          return minute;
    case Unit::hour:            return hour;
    case Unit::day:             return day;
    case Unit::week:            return week;
    case Unit::month:           return month;
    case Unit::year:            return year;
    case Unit::decade:          return decade;
    case Unit::century:         return century;
    case Unit::millennium:      return millennium;
    case Unit::none:
    case Unit::quarter:
    case Unit::julian:
    case Unit::day_of_year:
    case Unit::day_of_week:
    case Unit::iso_day_of_week:
    case Unit::iso_year:
    case Unit::epoch:
    case Unit::zone:
    case Unit::zone_hour:
    case Unit::zone_minute:
    case Unit::time:            return 0;
  }
  UNREACHABLE();
}

// The unit of a bare number at the end, by the fields that the type declares.
Unit default_unit(int32_t range) {
  const auto bits = static_cast<uint32_t>(range);
  if (range == kIntervalFullRange || (bits & field_bit::second) != 0) return Unit::second;
  if ((bits & field_bit::minute) != 0) return Unit::minute;
  if ((bits & field_bit::hour) != 0) return Unit::hour;
  if ((bits & field_bit::day) != 0) return Unit::day;
  if ((bits & field_bit::month) != 0) return Unit::month;
  if ((bits & field_bit::year) != 0) return Unit::year;
  return Unit::second;
}

// hh:mm[:ss[.fff]], or mm:ss where the type says MINUTE TO SECOND.
DecodeError clock(std::string_view text, int32_t range, int64_t& micros) {
  int64_t parts[3] = {};
  size_t at = 0;
  double fraction = 0;
  if (const DecodeError error = parse_int_prefix(text, at, parts[0]); error != none) return error;
  if (at == text.size() || text[at] != ':') return bad_format;
  ++at;
  if (const DecodeError error = parse_int_prefix(text, at, parts[1]); error != none) return error;
  const auto shift = [&] {
    parts[2] = parts[1];
    parts[1] = parts[0];
    parts[0] = 0;
  };
  if (at == text.size()) {
    if (static_cast<uint32_t>(range) == (field_bit::minute | field_bit::second)) shift();
  } else if (text[at] == '.') {
    if (const DecodeError error = parse_fraction(text.substr(at), fraction); error != none)
      return error;
    shift();
  } else if (text[at] == ':') {
    ++at;
    if (const DecodeError error = parse_int_prefix(text, at, parts[2]); error != none) return error;
    if (at < text.size()) {
      if (const DecodeError error = parse_fraction(text.substr(at), fraction); error != none)
        return error;
    }
  } else {
    return bad_format;
  }
  if (parts[0] < 0 || parts[1] < 0 || parts[1] > 59 || parts[2] < 0 || parts[2] > 60)
    return field_overflow;
  int64_t hours = 0;
  if (__builtin_mul_overflow(parts[0], kMicrosPerHour, &hours) ||
      __builtin_add_overflow(hours,
                             parts[1] * kMicrosPerMinute + parts[2] * kMicrosPerSecond +
                                 static_cast<int64_t>(std::rint(fraction * 1e6)),
                             &micros)) {
    return field_overflow;
  }
  return none;
}

bool is_negative(const std::string& text) { return text.starts_with('-'); }

// A number that is not a clock: "3", "-2.5", "1-2" (years and months).
DecodeError number(const DateTimeField& field, int32_t range, Unit& unit, Sum& sum,
                   uint32_t& mask) {
  if (unit == Unit::none) unit = default_unit(range);
  const std::string& text = field.text;
  size_t at = 0;
  int64_t value = 0;
  double fraction = 0;
  if (const DecodeError error = parse_int_prefix(text, at, value); error != none) return error;
  if (at == 0 && (is_negative(text) || text.starts_with('+'))) at = 1;  // "-.5"
  if (at < text.size() && text[at] == '-') {
    ++at;
    int64_t months = 0;
    if (const DecodeError error = parse_int_prefix(text, at, months); error != none) return error;
    if (months < 0 || months >= kMonthsPerYear) return field_overflow;
    if (at != text.size()) return bad_format;
    unit = Unit::month;
    if (is_negative(text)) months = -months;
    if (__builtin_mul_overflow(value, int64_t{kMonthsPerYear}, &value) ||
        __builtin_add_overflow(value, months, &value)) {
      return field_overflow;
    }
  } else if (at < text.size()) {
    if (const DecodeError error = parse_fraction(std::string_view(text).substr(at), fraction);
        error != none)
      return error;
    if (is_negative(text)) fraction = -fraction;
  }
  mask = bit_of(unit, fraction);
  if (mask == 0) return bad_format;
  if (!sum.add_unit(unit, value, fraction)) return field_overflow;
  if (unit == Unit::hour) unit = Unit::day;  // of a bare number to the left
  return none;
}

DecodeError negate(DecodedInterval& out) {
  if (out.micros == INT64_MIN || out.days == INT32_MIN || out.months == INT32_MIN ||
      out.years == INT32_MIN)
    return field_overflow;
  out = {-out.micros, -out.days, -out.months, -out.years};
  return none;
}

}  // namespace

DecodeError decode_interval(const TypeSettings& settings, const std::vector<DateTimeField>& fields,
                            int32_t range, DecodedInterval& out) {
  Sum sum(out);
  uint32_t seen = 0;
  Unit unit = Unit::none;
  bool is_before = false;
  // From right to left, so that units are known before their numbers.
  for (size_t i = fields.size(); i-- > 0;) {
    const DateTimeField& field = fields[i];
    uint32_t mask = 0;
    switch (field.shape) {
      case FieldShape::time:
      case FieldShape::zone: {
        const bool sign = field.shape == FieldShape::zone;
        int64_t micros = 0;
        if (!sign || field.text.find(':') != std::string::npos) {
          const DecodeError error =
              clock(std::string_view(field.text).substr(sign ? 1 : 0), range, micros);
          if (error == none) {
            if (is_negative(field.text)) micros = -micros;
            if (!sum.micros(micros, 0, 1)) return field_overflow;
            unit = Unit::day;
            mask = field_bit::time;
            break;
          }
          if (!sign) return error;
        }
        if (const DecodeError error = number(field, range, unit, sum, mask); error != none)
          return error;
        break;
      }
      case FieldShape::date:
      case FieldShape::number:
        if (const DecodeError error = number(field, range, unit, sum, mask); error != none)
          return error;
        break;
      case FieldShape::word:
      case FieldShape::special: {
        const Meaning meaning = interval_word(field.text);
        if (meaning.token == Token::ignore) continue;
        if (meaning.token == Token::unit) {
          unit = static_cast<Unit>(meaning.value);
        } else if (meaning.token == Token::ago) {
          is_before = true;
          unit = Unit::none;
        } else {
          return bad_format;
        }
        break;
      }
    }
    if ((mask & seen) != 0) return bad_format;
    seen |= mask;
  }
  if (seen == 0) return bad_format;
  // In SQL's style a sign in front belongs to every field, unless others have their own.
  if (settings.interval_style == IntervalStyle::sql_standard && is_negative(fields[0].text)) {
    bool more_signs = false;
    for (size_t i = 1; i < fields.size(); ++i)
      more_signs |= is_negative(fields[i].text) || fields[i].text.starts_with('+');
    if (!more_signs) {
      out = {out.micros > 0 ? -out.micros : out.micros, out.days > 0 ? -out.days : out.days,
             out.months > 0 ? -out.months : out.months, out.years > 0 ? -out.years : out.years};
    }
  }
  return is_before ? negate(out) : none;
}

namespace {

// A number with decimals at `at`, as ISO 8601 durations have them.
DecodeError iso_number(std::string_view text, size_t& at, int64_t& whole, double& fraction) {
  const size_t start = at;
  const bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && !is_digit(text[at]) && text[at] != '-' && text[at] != '+' &&
      text[at] != '.')
    return bad_format;
  if (const DecodeError error = parse_int_prefix(text, at, whole); error != none) return error;
  if (at == start && at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  fraction = 0;
  if (at < text.size() && (text[at] == '.' || text[at] == ',')) {
    size_t end = at + 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::string digits = cat(".", text.substr(at + 1, end - at - 1));
    if (const DecodeError error = parse_fraction(digits, fraction); error != none) return error;
    if (negative) fraction = -fraction;
    at = end;
  }
  return at == start ? bad_format : none;
}

int digits_at(std::string_view text, size_t at) {
  if (at < text.size() && text[at] == '-') ++at;
  int count = 0;
  while (at < text.size() && is_digit(text[at++])) ++count;
  return count;
}

}  // namespace

// P[nY][nM][nW][nD][T[nH][nM][nS]], PyyyymmddThhmmss, Pyyyy-mm-ddThh:mm:ss.
DecodeError decode_iso_interval(std::string_view text, DecodedInterval& out) {
  Sum sum(out);
  out = {};
  if (text.size() < 2 || text[0] != 'P') return bad_format;
  size_t at = 1;
  bool in_date = true;
  bool has_field = false;
  while (at < text.size()) {
    if (text[at] == 'T') {
      in_date = false;
      has_field = false;
      ++at;
      continue;
    }
    const size_t start = at;
    int64_t value = 0;
    double fraction = 0;
    if (const DecodeError error = iso_number(text, at, value, fraction); error != none)
      return error;
    const char unit = at < text.size() ? text[at++] : '\0';
    Unit known = Unit::none;
    if (in_date) {
      known = unit == 'Y'   ? Unit::year
              : unit == 'M' ? Unit::month
              : unit == 'W' ? Unit::week
              : unit == 'D' ? Unit::day
                            : Unit::none;
    } else {
      known = unit == 'H'   ? Unit::hour
              : unit == 'M' ? Unit::minute
              : unit == 'S' ? Unit::second
                            : Unit::none;
    }
    if (known != Unit::none) {
      if (!sum.add_unit(known, value, fraction)) return field_overflow;
      has_field = true;
      continue;
    }
    if (in_date && (unit == 'T' || unit == '\0') && digits_at(text, start) == 8 &&
        !has_field) {  // yyyymmdd
      if (!sum.years(value / 10000, 1, 0) || !sum.months(value / 100 % 100) ||
          !sum.days(value % 100, 1) || !sum.fractional_micros(fraction, kMicrosPerDay)) {
        return field_overflow;
      }
      if (unit == '\0') return none;
      in_date = false;
      has_field = false;
      continue;
    }
    if (!in_date && unit == '\0' && digits_at(text, start) == 6 && !has_field) {  // hhmmss
      if (!sum.micros(value / 10000, 0, kMicrosPerHour) ||
          !sum.micros(value / 100 % 100, 0, kMicrosPerMinute) ||
          !sum.micros(value % 100, 0, kMicrosPerSecond) || !sum.fractional_micros(fraction, 1)) {
        return field_overflow;
      }
      return none;
    }
    if (has_field || (unit != '\0' && unit != (in_date ? '-' : ':') && !(in_date && unit == 'T')))
      return bad_format;
    // Parts with delimiters: years-months-days, hours:minutes:seconds; what is left out at the end
    // is zero.
    constexpr Unit kDateParts[] = {Unit::year, Unit::month, Unit::day};
    constexpr Unit kTimeParts[] = {Unit::hour, Unit::minute, Unit::second};
    char delimiter = unit;
    for (int part = 0; part < 3; ++part) {
      if (part > 0) {
        if (const DecodeError error = iso_number(text, at, value, fraction); error != none)
          return error;
        delimiter = at < text.size() ? text[at++] : '\0';
      }
      if (!sum.add_unit(in_date ? kDateParts[part] : kTimeParts[part], value, fraction))
        return field_overflow;
      if (delimiter == '\0') return none;
      if (in_date && delimiter == 'T') break;
      if (part == 2 || delimiter != (in_date ? '-' : ':')) return bad_format;
    }
    in_date = false;
    has_field = false;
  }
  return has_field || !in_date ? none : bad_format;
}

}  // namespace orrery
