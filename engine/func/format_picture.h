// The pictures of to_char, to_date, to_timestamp and to_number: a text is cut once into nodes,
// which are then walked beside a value (writing) or beside a text (reading).
//
// A node is a keyword with its modifiers, or text that stands for itself. Double quotes keep what
// looks like a keyword from being one; a backslash within quotes takes the next character as it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "types/date_time.h"

namespace orrery {

enum class PictureKey : uint8_t {
  none,
  ad_dots,
  am_dots,
  ad,
  am,  // with points or without; BC and PM are the same fields
  century,
  day_name,
  day_of_year,
  day,
  day_short,
  day_of_week,
  fraction,  // FF1..FF6; the node's `digits` tells
  exact,     // FX
  hour24,
  hour12,
  iso_day_of_year,
  iso_day,
  iso_week,
  iso_year,
  julian,
  minute,
  month,
  month_name,
  month_short,
  millisecond,
  zone_offset,
  quarter,
  roman_month,
  second_of_day,
  second,
  zone_hour,
  zone_minute,
  zone_name,
  microsecond,
  week,
  week_of_month,
  year_comma,
  year,
};
enum class LetterCase : uint8_t { upper, capital, lower };

struct PictureNode {
  enum class Kind : uint8_t { field, separator, space, text };
  Kind kind = Kind::text;
  std::string_view text;  // the keyword as written, or one character
  PictureKey key = PictureKey::none;
  LetterCase letters = LetterCase::upper;
  int digits = 0;           // of year and iso_year: 1..4; of a fraction: 1..6
  bool is_number = false;   // a field that reads as digits: the one before it must know its width
  bool fill_mode = false;   // FM: no padding
  bool translated = false;  // TM
  char ordinal = 0;         // 'T': TH, 't': th
  bool is_field() const { return kind == Kind::field; }
};

std::vector<PictureNode> parse_date_picture(std::string_view picture);

// A moment or a span of time to be shown. Of an interval, fields that name a place in the calendar
// raise 22007.
struct ShownTime {
  DateTimeParts parts;
  bool is_interval = false;
  bool has_zone = false;
};
Result<std::string> format_date_time(std::string_view picture, const ShownTime& value);

// What to_date and to_timestamp read; zone_seconds_west is set when the text held a zone.
struct ReadTime {
  DateTimeParts parts;
  bool has_zone = false;
  int fraction_digits = 0;  // FFn: the result is rounded so
};
Result<ReadTime> read_date_time(std::string_view picture, std::string_view text);

// Month and day names in full, capitalised, and the Roman months from XII down to I.
extern const std::string_view kMonthNames[12];
extern const std::string_view kDayNames[7];
extern const std::string_view kRomanMonths[12];

// "ST", "nd": of a number's text.
std::string_view ordinal_suffix(std::string_view number, bool upper);

}  // namespace orrery
