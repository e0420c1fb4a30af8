// to_char of moments and intervals.
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "func/format_picture.h"
#include "types/character_types.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

using enum PictureKey;

std::string padded(int64_t value, int width) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%0*lld", width, static_cast<long long>(value));
  return buffer;
}

// FM drops the zeros in front; a sign takes a place more.
std::string number(const PictureNode& node, int64_t value, int width) {
  const int shown = node.fill_mode ? 0 : value >= 0 ? width : width + 1;
  return padded(value, shown);
}

std::string in_case(std::string_view text, LetterCase letters) {
  std::string out(text);
  for (char& c : out) {
    if (letters == LetterCase::upper) c = upper_ascii(c);
    if (letters == LetterCase::lower) c = lower_ascii(c);
  }
  return out;
}

std::string name(const PictureNode& node, std::string_view text, size_t width) {
  std::string out = in_case(text, node.letters);
  if (!node.fill_mode && !node.translated && out.size() < width)
    out.append(width - out.size(), ' ');
  return out;
}

// Fields that say where in the calendar a moment is mean nothing of an interval.
bool needs_calendar(PictureKey key) {
  return key == ad || key == ad_dots || key == zone_name || key == zone_hour ||
         key == zone_minute || key == zone_offset || key == month_name || key == month_short ||
         key == day_name || key == day_short || key == day_of_week || key == iso_day;
}

int64_t shown_year(const ShownTime& value, int32_t year) {
  return value.is_interval || year > 0 ? year : 1 - int64_t{year};
}

int64_t century_of(const ShownTime& value) {
  const int32_t year = value.parts.year;
  if (value.is_interval) return year / 100;
  return year > 0 ? (year - 1) / 100 + 1 : year / 100 - 1;
}

std::string year_text(const PictureNode& node, int64_t year) {
  switch (node.digits) {
    case 4:  return padded(year, node.fill_mode ? 0 : year >= 0 ? 4 : 5);
    case 3:  return padded(year % 1000, node.fill_mode ? 0 : year >= 0 ? 3 : 4);
    case 2:  return padded(year % 100, node.fill_mode ? 0 : year >= 0 ? 2 : 3);
    default: return padded(year % 10, 1);
  }
}

// Intervals of whole years have month 0, and negative ones count backwards.
std::string roman(const PictureNode& node, const DateTimeParts& parts) {
  if (parts.month == 0 && parts.year == 0) return {};
  int32_t at = 12 - parts.month;
  if (parts.month == 0) at = parts.year >= 0 ? 0 : 11;
  if (parts.month < 0) at = -(parts.month + 1);
  return name(node, kRomanMonths[at], 4);
}

std::string clock_field(const PictureNode& node, const DateTimeParts& t) {
  if (node.key == hour24) return number(node, t.hour, 2);
  if (node.key == hour12) return number(node, t.hour % 12 == 0 ? 12 : t.hour % 12, 2);
  if (node.key == minute) return number(node, t.minute, 2);
  if (node.key == second) return number(node, t.second, 2);
  if (node.key == millisecond) return padded(t.micros / 1000, 3);
  if (node.key == microsecond) return padded(t.micros, 6);
  if (node.key == fraction) {
    int64_t value = t.micros;
    for (int i = node.digits; i < 6; ++i) value /= 10;
    return padded(value, node.digits);
  }
  CHECK(node.key == second_of_day);
  return cat(int64_t{t.hour} * 3600 + t.minute * 60 + t.second);
}

std::string zone_field(const PictureNode& node, const ShownTime& value) {
  const int32_t east = -value.parts.west_seconds;
  const int32_t size = std::abs(east);
  const std::string sign = east >= 0 ? "+" : "-";
  if (node.key == zone_hour) return sign + padded(size / 3600, 2);
  if (node.key == zone_minute) return padded(size % 3600 / 60, 2);
  if (node.key == zone_name) {
    return value.has_zone ? in_case(value.parts.zone, node.letters) : std::string();
  }
  std::string out = sign + padded(size / 3600, node.fill_mode ? 0 : 2);
  if (size % 3600 != 0) out += cat(":", padded(size % 3600 / 60, 2));
  return out;
}

int64_t ordinal_day(const ShownTime& value) {
  const DateTimeParts& t = value.parts;
  if (value.is_interval) return (int64_t{t.year} * 12 + t.month) * 30 + t.day;
  return orrery::day_of_year(t.year, t.month, t.day);
}

std::string calendar_field(const PictureNode& node, const ShownTime& value) {
  const DateTimeParts& t = value.parts;
  const int32_t julian_day = julian_of_date(t.year, t.month, t.day);
  const int32_t weekday = orrery::day_of_week(julian_day);
  const auto iso = [&] { return iso_week_of_date(t.year, t.month, t.day); };
  const auto index = static_cast<size_t>(t.month > 0 ? t.month - 1 : 0);
  const PictureKey key = node.key;
  const int width = node.fill_mode ? 0 : 2;
  if (key == month_name || key == month_short) {
    if (t.month == 0) return {};
    const std::string_view full = kMonthNames[index];
    return key == month_name ? name(node, full, 9) : name(node, full.substr(0, 3), 3);
  }
  if (key == month) return number(node, t.month, 2);
  if (key == day_name) return name(node, kDayNames[weekday], 9);
  if (key == day_short) return name(node, kDayNames[weekday].substr(0, 3), 3);
  if (key == PictureKey::day_of_year) return padded(ordinal_day(value), node.fill_mode ? 0 : 3);
  if (key == iso_day_of_year) {
    const int32_t first = julian_of_iso_week(iso().year, 1);
    return padded(julian_day - first + 1, node.fill_mode ? 0 : 3);
  }
  if (key == day) return padded(t.day, width);
  if (key == PictureKey::day_of_week) return cat(weekday + 1);
  if (key == iso_day) return cat((weekday + 6) % 7 + 1);
  if (key == week) return padded((ordinal_day(value) - 1) / 7 + 1, width);
  if (key == iso_week) return padded(iso().week, width);
  if (key == quarter) return t.month == 0 ? std::string() : cat((t.month - 1) / 3 + 1);
  if (key == century) {
    const int64_t c = century_of(value);
    return c <= 99 && c >= -99 ? number(node, c, 2) : cat(c);
  }
  if (key == year_comma) {
    const int64_t shown = shown_year(value, t.year);
    return cat(shown / 1000, ",", padded(shown % 1000, 3));
  }
  if (key == year) return year_text(node, shown_year(value, t.year));
  if (key == iso_year) return year_text(node, shown_year(value, iso().year));
  if (key == roman_month) return roman(node, t);
  if (key == week_of_month) return cat((t.day - 1) / 7 + 1);
  CHECK(key == julian);
  return cat(julian_day);
}

std::string field_text(const PictureNode& node, const ShownTime& value) {
  const DateTimeParts& t = value.parts;
  const bool late = t.hour % 24 >= 12;
  const PictureKey key = node.key;
  if (key == exact || key == none) return {};
  if (key == am_dots) return in_case(late ? "P.M." : "A.M.", node.letters);
  if (key == am) return in_case(late ? "PM" : "AM", node.letters);
  if (key == ad_dots) return in_case(t.year <= 0 ? "B.C." : "A.D.", node.letters);
  if (key == ad) return in_case(t.year <= 0 ? "BC" : "AD", node.letters);
  if (key == zone_offset || key == zone_hour || key == zone_minute || key == zone_name)
    return zone_field(node, value);
  if (key == hour24 || key == hour12 || key == minute || key == second || key == millisecond ||
      key == microsecond || key == fraction || key == second_of_day) {
    return clock_field(node, t);
  }
  return calendar_field(node, value);
}

bool takes_ordinal(PictureKey key) {
  return key != zone_offset && key != zone_hour && key != zone_minute && key != zone_name &&
         key != ad && key != am && key != ad_dots && key != am_dots && key != month_name &&
         key != month_short && key != day_name && key != day_short && key != roman_month;
}

}  // namespace

Result<std::string> format_date_time(std::string_view picture, const ShownTime& value) {
  std::string out;
  for (const PictureNode& node : parse_date_picture(picture)) {
    if (!node.is_field()) {
      out += node.text;
      continue;
    }
    if (value.is_interval && needs_calendar(node.key)) {
      return raise(sqlstate::invalid_datetime_format,
                   "invalid format specification for an interval value")
          .hint("Intervals are not tied to specific calendar dates.");
    }
    const std::string text = field_text(node, value);
    out += text;
    if (node.ordinal != 0 && takes_ordinal(node.key) && !text.empty())
      out += ordinal_suffix(text, node.ordinal == 'T');
  }
  return out;
}

}  // namespace orrery
