// Dates, times and intervals as text, in the styles that DateStyle and IntervalStyle name.
#include <cmath>

#include "base/text.h"
#include "types/date_time.h"

namespace orrery {
namespace {

constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

void append_padded(std::string& out, int64_t value, int width) {
  const std::string digits = std::to_string(value);
  for (int n = static_cast<int>(digits.size()); n < width; ++n) out.push_back('0');
  out += digits;
}
int32_t shown_year(int32_t year) { return year > 0 ? year : -(year - 1); }

// ".5", ".000001", or nothing.
void append_fraction(std::string& out, int32_t micros) {
  if (micros == 0) return;
  std::string digits = std::to_string(micros);
  digits.insert(0, 6 - digits.size(), '0');
  while (digits.back() == '0') digits.pop_back();
  out.push_back('.');
  out += digits;
}

void append_clock(std::string& out, const DateTimeParts& parts) {
  append_padded(out, parts.hour, 2);
  out.push_back(':');
  append_padded(out, parts.minute, 2);
  out.push_back(':');
  append_padded(out, parts.second, 2);
  append_fraction(out, parts.micros);
}

void append_displacement(std::string& out, int32_t west_seconds, bool always_minutes) {
  const int32_t magnitude = std::abs(west_seconds);
  const int32_t minutes = magnitude / 60 % 60;
  const int32_t seconds = magnitude % 60;
  out.push_back(west_seconds <= 0 ? '+' : '-');
  append_padded(out, magnitude / 3600, 2);
  if (minutes != 0 || seconds != 0 || always_minutes) {
    out.push_back(':');
    append_padded(out, minutes, 2);
  }
  if (seconds != 0) {
    out.push_back(':');
    append_padded(out, seconds, 2);
  }
}

// Day and month joined by a delimiter, in the order that DateStyle wants.
void append_day_month(std::string& out, const DateTimeParts& parts, bool day_first,
                      char delimiter) {
  append_padded(out, day_first ? parts.day : parts.month, 2);
  out.push_back(delimiter);
  append_padded(out, day_first ? parts.month : parts.day, 2);
  out.push_back(delimiter);
}

void append_date_parts(std::string& out, const DateTimeParts& parts, const TypeSettings& settings) {
  const bool day_first = settings.date_order == DateOrder::dmy;
  const int32_t year = shown_year(parts.year);
  switch (settings.date_style) {
    case DateStyle::iso:
      append_padded(out, year, 4);
      out.push_back('-');
      append_padded(out, parts.month, 2);
      out.push_back('-');
      append_padded(out, parts.day, 2);
      break;
    case DateStyle::sql:
      append_day_month(out, parts, day_first, '/');
      append_padded(out, year, 4);
      break;
    case DateStyle::german:
      append_day_month(out, parts, true, '.');
      append_padded(out, year, 4);
      break;
    case DateStyle::postgres:
      append_day_month(out, parts, day_first, '-');
      append_padded(out, year, 4);
      break;
  }
  if (parts.year <= 0) out += " BC";
}

void append_moment(std::string& out, const DateTimeParts& parts, const TypeSettings& settings,
                   bool with_zone) {
  const bool day_first = settings.date_order == DateOrder::dmy;
  const int32_t year = shown_year(parts.year);
  const auto zone_name = [&] {
    if (!with_zone) return;
    if (parts.zone[0] != '\0') {
      out.push_back(' ');
      out += parts.zone;
    } else {
      append_displacement(out, parts.west_seconds, false);
    }
  };
  switch (settings.date_style) {
    case DateStyle::iso:
      append_padded(out, year, 4);
      out.push_back('-');
      append_padded(out, parts.month, 2);
      out.push_back('-');
      append_padded(out, parts.day, 2);
      out.push_back(' ');
      append_clock(out, parts);
      if (with_zone) append_displacement(out, parts.west_seconds, false);
      break;
    case DateStyle::sql:
    case DateStyle::german: {
      const bool german = settings.date_style == DateStyle::german;
      append_day_month(out, parts, german || day_first, german ? '.' : '/');
      append_padded(out, year, 4);
      out.push_back(' ');
      append_clock(out, parts);
      zone_name();
      break;
    }
    case DateStyle::postgres:
      out += kDays[day_of_week(julian_of_date(parts.year, parts.month, parts.day))];
      out.push_back(' ');
      if (day_first) {
        append_padded(out, parts.day, 2);
        out.push_back(' ');
        out += kMonths[parts.month - 1];
      } else {
        out += kMonths[parts.month - 1];
        out.push_back(' ');
        append_padded(out, parts.day, 2);
      }
      out.push_back(' ');
      append_clock(out, parts);
      out.push_back(' ');
      append_padded(out, year, 4);
      if (with_zone && parts.zone[0] == '\0') out.push_back(' ');
      zone_name();
      break;
  }
  if (parts.year <= 0) out += " BC";
}

// The fields of an interval, with signs.
struct Fields {
  int32_t years, months, days;
  int64_t hours;
  int32_t minutes, seconds, micros;
  explicit Fields(const Interval& value)
      : years(value.months / 12),
        months(value.months % 12),
        days(value.days),
        hours(value.micros / kMicrosPerHour),
        minutes(static_cast<int32_t>(value.micros / kMicrosPerMinute % 60)),
        seconds(static_cast<int32_t>(value.micros / kMicrosPerSecond % 60)),
        micros(static_cast<int32_t>(value.micros % kMicrosPerSecond)) {}
  bool has_time() const { return hours != 0 || minutes != 0 || seconds != 0 || micros != 0; }
  bool time_negative() const { return hours < 0 || minutes < 0 || seconds < 0 || micros < 0; }
};
uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

// "[-]h:mm:ss.fff" of the time fields, without sign.
void append_interval_clock(std::string& out, const Fields& f, int hour_width) {
  const std::string hours = std::to_string(magnitude(f.hours));
  for (int n = static_cast<int>(hours.size()); n < hour_width; ++n) out.push_back('0');
  out += hours;
  out.push_back(':');
  append_padded(out, std::abs(f.minutes), 2);
  out.push_back(':');
  append_padded(out, std::abs(f.seconds), 2);
  append_fraction(out, std::abs(f.micros));
}

void append_postgres(std::string& out, const Fields& f) {
  bool is_zero = true;
  bool is_before = false;  // the last field was negative: a positive one then shows its sign
  const auto part = [&](int32_t value, std::string_view unit) {
    if (value == 0) return;
    out += cat(is_zero ? "" : " ", is_before && value > 0 ? "+" : "", value, " ", unit,
               value == 1 ? "" : "s");
    is_before = value < 0;
    is_zero = false;
  };
  part(f.years, "year");
  part(f.months, "mon");
  part(f.days, "day");
  if (!is_zero && !f.has_time()) return;
  out += cat(is_zero ? "" : " ", f.time_negative() ? "-" : is_before ? "+" : "");
  append_interval_clock(out, f, 2);
}

void append_verbose(std::string& out, const Fields& f) {
  out += "@";
  bool is_zero = true;
  bool is_before = false;
  // The first field's sign becomes "ago"; later ones are shown against it.
  const auto part = [&](int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (is_zero) is_before = value < 0;
    const bool minus = (value < 0) != is_before;
    out += cat(" ", minus ? "-" : "", magnitude(value), " ", unit,
               magnitude(value) == 1 && !minus ? "" : "s");
    is_zero = false;
  };
  part(f.years, "year");
  part(f.months, "mon");
  part(f.days, "day");
  part(f.hours, "hour");
  part(f.minutes, "min");
  if (f.seconds != 0 || f.micros != 0) {
    const bool negative = f.seconds < 0 || f.micros < 0;
    if (is_zero) is_before = negative;
    out += cat(" ", negative != is_before ? "-" : "", std::abs(f.seconds));
    append_fraction(out, std::abs(f.micros));
    out += std::abs(f.seconds) != 1 || f.micros != 0 ? " secs" : " sec";
    is_zero = false;
  }
  if (is_zero) out += " 0";
  if (is_before) out += " ago";
}

void append_sql(std::string& out, const Fields& f) {
  const bool negative = f.years < 0 || f.months < 0 || f.days < 0 || f.time_negative();
  const bool positive = f.years > 0 || f.months > 0 || f.days > 0 || f.hours > 0 || f.minutes > 0 ||
                        f.seconds > 0 || f.micros > 0;
  const bool has_year_month = f.years != 0 || f.months != 0;
  const bool has_day_time = f.days != 0 || f.has_time();
  if (!has_year_month && !has_day_time) {
    out += "0";
  } else if ((negative && positive) || (has_year_month && has_day_time)) {
    // The standard has no such intervals: every group with its sign.
    const bool time_negative = f.time_negative();
    out +=
        cat(f.years < 0 || f.months < 0 ? "-" : "+", magnitude(f.years), "-", magnitude(f.months),
            " ", f.days < 0 ? "-" : "+", magnitude(f.days), " ", time_negative ? "-" : "+");
    append_interval_clock(out, f, 1);
  } else if (has_year_month) {
    out += cat(negative ? "-" : "", magnitude(f.years), "-", magnitude(f.months));
  } else {
    out += negative ? "-" : "";
    if (f.days != 0) out += cat(magnitude(f.days), " ");
    append_interval_clock(out, f, 1);
  }
}

void append_iso(std::string& out, const Fields& f) {
  if (f.years == 0 && f.months == 0 && f.days == 0 && !f.has_time()) {
    out += "PT0S";
    return;
  }
  out += "P";
  const auto part = [&](int64_t value, char unit) {
    if (value != 0) out += cat(value, unit);
  };
  part(f.years, 'Y');
  part(f.months, 'M');
  part(f.days, 'D');
  if (!f.has_time()) return;
  out += "T";
  part(f.hours, 'H');
  part(f.minutes, 'M');
  if (f.seconds == 0 && f.micros == 0) return;
  if (f.seconds < 0 || f.micros < 0) out += "-";
  out += cat(std::abs(f.seconds));
  append_fraction(out, std::abs(f.micros));
  out += "S";
}

bool append_infinity(std::string& out, bool minus, bool plus) {
  if (minus) out += "-infinity";
  if (plus) out += "infinity";
  return minus || plus;
}

}  // namespace

void append_date(std::string& out, int32_t date, const TypeSettings& settings) {
  if (append_infinity(out, date == kDateMinusInfinity, date == kDateInfinity)) return;
  append_date_parts(out, parts_of_date(date), settings);
}

void append_time(std::string& out, int64_t micros) {
  DateTimeParts parts;
  set_time(parts, micros);
  append_clock(out, parts);
}
void append_timetz(std::string& out, const TimeTz& value, const TypeSettings&) {
  append_time(out, value.micros);
  append_displacement(out, value.west_seconds, false);
}

Status append_timestamp(std::string& out, int64_t timestamp, const TypeSettings& settings) {
  if (append_infinity(out, timestamp == kTimestampMinusInfinity, timestamp == kTimestampInfinity))
    return {};
  if (!is_valid_timestamp(timestamp)) return timestamp_out_of_range();
  append_moment(out, parts_of_timestamp(timestamp), settings, false);
  return {};
}
Status append_timestamptz(std::string& out, int64_t timestamp, const TypeSettings& settings) {
  if (append_infinity(out, timestamp == kTimestampMinusInfinity, timestamp == kTimestampInfinity))
    return {};
  if (!is_valid_timestamp(timestamp)) return timestamp_out_of_range();
  append_moment(out, parts_of_timestamptz(timestamp, session_zone(settings)), settings, true);
  return {};
}

void append_interval(std::string& out, const Interval& value, IntervalStyle style) {
  const Fields fields(value);
  switch (style) {
    case IntervalStyle::postgres:         return append_postgres(out, fields);
    case IntervalStyle::postgres_verbose: return append_verbose(out, fields);
    case IntervalStyle::sql_standard:     return append_sql(out, fields);
    case IntervalStyle::iso_8601:         return append_iso(out, fields);
  }
}

Status date_out(IoContext& context, Datum value, std::string& out) {
  append_date(out, value.as<int32_t>(), context.settings);
  return {};
}
Status time_out(IoContext&, Datum value, std::string& out) {
  append_time(out, value.as<int64_t>());
  return {};
}
Status timetz_out(IoContext& context, Datum value, std::string& out) {
  append_timetz(out, load_timetz(value), context.settings);
  return {};
}
Status timestamp_out(IoContext& context, Datum value, std::string& out) {
  return append_timestamp(out, value.as<int64_t>(), context.settings);
}
Status timestamptz_out(IoContext& context, Datum value, std::string& out) {
  return append_timestamptz(out, value.as<int64_t>(), context.settings);
}
Status interval_out(IoContext& context, Datum value, std::string& out) {
  append_interval(out, load_interval(value), context.settings.interval_style);
  return {};
}

}  // namespace orrery
