// Reading dates, times and intervals: text is cut into fields by shape, fields are understood from
// left to right in the light of what is known already (and of DateStyle), and the whole is checked
// at the end. The grammar is PostgreSQL's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "types/date_time.h"

namespace orrery {

enum class FieldShape : uint8_t {
  number,
  date,
  time,
  zone,
  word,
  special
};  // special: a word with a sign
struct DateTimeField {
  std::string text;
  FieldShape shape;
};

// What can go wrong, before it is known which type's message it becomes.
enum class DecodeError : uint8_t {
  none,
  bad_format,
  field_overflow,
  month_day_overflow,
  interval_overflow,
  zone_overflow,
  unknown_zone
};
Status decode_status(DecodeError error, std::string_view text, std::string_view type,
                     std::string_view zone = {});

// The things a word can mean.
enum class Token : uint8_t {
  unknown,
  ignore,
  month,
  day_of_week,
  am_pm,
  era,
  unit,
  iso_time,
  dst_modifier,
  reserved,
  ago,
};
enum class Unit : uint8_t {
  none,
  microsecond,
  millisecond,
  second,
  minute,
  hour,
  day,
  week,
  month,
  quarter,
  year,
  decade,
  century,
  millennium,
  julian,
  day_of_year,
  day_of_week,
  iso_day_of_week,
  iso_year,
  epoch,
  zone,
  zone_hour,
  zone_minute,
  time,
};
enum class Reserved : uint8_t { now, today, tomorrow, yesterday, epoch, late, early, zulu };
struct Meaning {
  Token token = Token::unknown;
  int32_t value = 0;  // month 1..12, Unit, Reserved; am 0, pm 1; ad 0, bc 1
};
Meaning date_word(std::string_view lower_case);
Meaning interval_word(std::string_view lower_case);

// Bits for the fields seen so far; also the range bits of an interval's typmod.
namespace field_bit {
constexpr uint32_t month = 1U << 1, year = 1U << 2, day = 1U << 3, hour = 1U << 10,
                   minute = 1U << 11, second = 1U << 12;
constexpr uint32_t zone = 1U << 5, dst_modifier = 1U << 17, day_of_year = 1U << 15, am_pm = 1U << 9,
                   era = 1U << 18;
constexpr uint32_t day_of_week = 1U << 16, julian = 1U << 31, microsecond = 1U << 14,
                   millisecond = 1U << 13, week = 1U << 24;
constexpr uint32_t decade = 1U << 25, century = 1U << 26, millennium = 1U << 27;
constexpr uint32_t date = year | month | day, time = hour | minute | second;
constexpr uint32_t all_seconds = second | millisecond | microsecond;
}  // namespace field_bit

DecodeError split_fields(std::string_view text, std::vector<DateTimeField>& fields);

enum class DateTimeKind : uint8_t { date_time, time_only, epoch, late, early };
struct DecodedDateTime {
  DateTimeKind kind = DateTimeKind::date_time;
  DateTimeParts parts;
  std::string bad_zone;  // with DecodeError::unknown_zone
};
// `with_zone` false: a zone in the text is an error for time, and ignored by the caller for date
// and timestamp.
DecodeError decode_date_time(const TypeSettings& settings, std::vector<DateTimeField>& fields,
                             bool with_zone, DecodedDateTime& out);
DecodeError decode_time(const TypeSettings& settings, std::vector<DateTimeField>& fields,
                        bool with_zone, DecodedDateTime& out);

struct DecodedInterval {
  int64_t micros = 0;
  int64_t days = 0, months = 0, years = 0;
};
DecodeError decode_interval(const TypeSettings& settings, const std::vector<DateTimeField>& fields,
                            int32_t range, DecodedInterval& out);
DecodeError decode_iso_interval(std::string_view text, DecodedInterval& out);

// Shared by the two decoders.
DecodeError parse_int_prefix(std::string_view text, size_t& at, int64_t& value);  // [+-]digits
DecodeError parse_fraction(std::string_view text, double& fraction);              // ".digits"
DecodeError decode_zone_displacement(std::string_view text, int32_t& west_seconds);

}  // namespace orrery
