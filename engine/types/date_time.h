// date, time, timetz, timestamp, timestamptz and interval: representations, text, and the
// arithmetic that text needs.
//
//   date           int32 days since 2000-01-01; INT32_MIN and INT32_MAX are -infinity and infinity
//   time           int64 microseconds of the day, 24:00:00 included
//   timetz         {int64 microseconds, int32 zone}: 12 bytes; zone is seconds WEST of UTC, as PostgreSQL stores it
//   timestamp      int64 microseconds since 2000-01-01 00:00; INT64_MIN and INT64_MAX are the infinities
//   timestamptz    the same in UTC
//   interval       {int64 microseconds, int32 days, int32 months}: 16 bytes; the three never carry into each other
#pragma once

#include <cstdint>

#include "types/calendar.h"
#include "types/time_zone.h"
#include "types/type_io.h"

namespace orrery {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;
constexpr int32_t kEpochJulian = 2451545;         // 2000-01-01
constexpr int32_t kUnixEpochDays = -10957;        // 1970-01-01 as a date
constexpr int64_t kUnixEpochSeconds = 946684800;  // of 2000-01-01
constexpr int32_t kDateInfinity = INT32_MAX;
constexpr int32_t kDateMinusInfinity = INT32_MIN;
constexpr int64_t kTimestampInfinity = INT64_MAX;
constexpr int64_t kTimestampMinusInfinity = INT64_MIN;
constexpr int32_t kMinDate = -kEpochJulian;              // Julian day 0
constexpr int32_t kDateEnd = 2147483494 - kEpochJulian;  // first day of 5874898
constexpr int64_t kMinTimestamp = -211813488000000000;   // Julian day 0
constexpr int64_t kTimestampEnd = 9223371331200000000;   // first moment of 294277
constexpr int32_t kMaxZoneSeconds = 16 * 3600;           // of a displacement, exclusive

struct Interval {
  int64_t micros = 0;
  int32_t days = 0;
  int32_t months = 0;
};
static_assert(sizeof(Interval) == 16);
struct TimeTz {
  int64_t micros = 0;
  int32_t west_seconds = 0;
};

inline Interval load_interval(Datum value) { return load<Interval>(value.as<const char*>()); }
Datum make_interval(Arena& arena, const Interval& value);
inline TimeTz load_timetz(Datum value) {
  const char* at = value.as<const char*>();
  return {load<int64_t>(at), load<int32_t>(at + 8)};
}
Datum make_timetz(Arena& arena, const TimeTz& value);

inline bool is_infinite_date(int32_t v) { return v == kDateInfinity || v == kDateMinusInfinity; }
inline bool is_infinite_timestamp(int64_t v) {
  return v == kTimestampInfinity || v == kTimestampMinusInfinity;
}
inline bool is_valid_date(int32_t v) { return v >= kMinDate && v < kDateEnd; }
inline bool is_valid_timestamp(int64_t v) { return v >= kMinTimestamp && v < kTimestampEnd; }

// A moment taken apart. Where a zone plays a part, west_seconds is set.
struct DateTimeParts {
  int32_t year = 0, month = 0, day = 0;
  int32_t hour = 0, minute = 0, second = 0, micros = 0;
  int32_t day_of_year = 0;
  int32_t west_seconds = 0;
  bool is_dst = false;
  char zone[24] = {};  // abbreviation, or empty
};

int64_t time_of_parts(const DateTimeParts& parts);
void set_time(DateTimeParts& parts, int64_t micros_of_day);
// REQUIRES: finite. Years of timestamps that Julian days cannot reach do not exist.
DateTimeParts parts_of_timestamp(int64_t timestamp);
DateTimeParts parts_of_timestamptz(int64_t timestamp, const TimeZone& zone);
DateTimeParts parts_of_date(int32_t date);
// nullopt when out of range. Local fields, no zone.
std::optional<int64_t> timestamp_of_parts(const DateTimeParts& parts);
bool is_valid_julian_date(int32_t year, int32_t month, int32_t day);

// The session's zone (UTC when none is set).
TimeZone session_zone(const TypeSettings& settings);
// Seconds west in force when clocks in `zone` show the parts.
int32_t west_seconds_at(const DateTimeParts& parts, const TimeZone& zone);
// Between local and UTC; 22008 "timestamp out of range".
Result<int64_t> timestamp_to_timestamptz(int64_t timestamp, const TimeZone& zone);
Result<int64_t> timestamptz_to_timestamp(int64_t timestamp, const TimeZone& zone);
Status timestamp_out_of_range(std::source_location where = std::source_location::current());

// Rounds to `precision` decimals of a second (typmod of time and timestamp types); -1 leaves it.
int64_t round_micros(int64_t micros, int32_t precision);
Status apply_timestamp_typmod(int64_t& timestamp, int32_t typmod);
Status apply_interval_typmod(Interval& value, int32_t typmod);
constexpr int32_t kIntervalFullRange = 0x7fff;
constexpr int32_t interval_range(int32_t typmod) { return (typmod >> 16) & 0x7fff; }
constexpr int32_t interval_precision(int32_t typmod) { return typmod & 0xffff; }

void append_date(std::string& out, int32_t date, const TypeSettings& settings);
void append_time(std::string& out, int64_t micros);
void append_timetz(std::string& out, const TimeTz& value, const TypeSettings& settings);
Status append_timestamp(std::string& out, int64_t timestamp, const TypeSettings& settings);
Status append_timestamptz(std::string& out, int64_t timestamp, const TypeSettings& settings);
void append_interval(std::string& out, const Interval& value, IntervalStyle style);

// Months as 30 days, days as 24 hours: how intervals compare.
__int128 interval_span(const Interval& value);
int compare_interval(Datum a, Datum b);
int compare_timetz(Datum a, Datum b);
uint64_t hash_interval(Datum value);
uint64_t hash_timetz(Datum value);

Result<int32_t> parse_date(const TypeSettings& settings, std::string_view text);
Result<int64_t> parse_time(const TypeSettings& settings, std::string_view text);
Result<TimeTz> parse_timetz(const TypeSettings& settings, std::string_view text);
Result<int64_t> parse_timestamp(const TypeSettings& settings, std::string_view text);
Result<int64_t> parse_timestamptz(const TypeSettings& settings, std::string_view text);
Result<Interval> parse_interval(const TypeSettings& settings, std::string_view text,
                                int32_t typmod = -1);
// A zone as AT TIME ZONE takes it: abbreviation, name or POSIX string. 22023 "time zone "..." not
// recognized".
Result<int64_t> shift_to_zone(std::string_view zone, int64_t timestamp, bool from_local);

Result<Datum> date_in(IoContext& context, std::string_view text);
Result<Datum> time_in(IoContext& context, std::string_view text);
Result<Datum> timetz_in(IoContext& context, std::string_view text);
Result<Datum> timestamp_in(IoContext& context, std::string_view text);
Result<Datum> timestamptz_in(IoContext& context, std::string_view text);
Result<Datum> interval_in(IoContext& context, std::string_view text);
Status date_out(IoContext& context, Datum value, std::string& out);
Status time_out(IoContext& context, Datum value, std::string& out);
Status timetz_out(IoContext& context, Datum value, std::string& out);
Status timestamp_out(IoContext& context, Datum value, std::string& out);
Status timestamptz_out(IoContext& context, Datum value, std::string& out);
Status interval_out(IoContext& context, Datum value, std::string& out);
Result<Datum> date_receive(IoContext& context, Bytes bytes);
Result<Datum> time_receive(IoContext& context, Bytes bytes);
Result<Datum> timetz_receive(IoContext& context, Bytes bytes);
Result<Datum> timestamp_receive(IoContext& context, Bytes bytes);  // timestamptz too
Result<Datum> interval_receive(IoContext& context, Bytes bytes);
Status timetz_send(IoContext& context, Datum value, std::string& out);
Status interval_send(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
