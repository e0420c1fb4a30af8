#include "types/date_time.h"

#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "types/date_time_decode.h"
#include "types/integer_types.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

constexpr int64_t kPowers[] = {1, 10, 100, 1000, 10'000, 100'000, 1'000'000};

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

DateTimeParts parts_of_day_and_time(int64_t days, int64_t micros) {
  DateTimeParts parts;
  const CalendarDate date = date_of_julian(static_cast<int32_t>(days + kEpochJulian));
  parts.year = date.year;
  parts.month = date.month;
  parts.day = date.day;
  set_time(parts, micros);
  return parts;
}

Status out_of_range(std::string_view what, std::string_view text) {
  return raise(sqlstate::datetime_value_out_of_range, cat(what, " out of range: \"", text, "\""));
}

// Reads a number of exactly `count` digits at text[at] and moves past it.
bool take_digits(std::string_view text, size_t& at, size_t count, int32_t& value) {
  if (text.size() < at + count) return false;
  value = 0;
  for (const size_t end = at + count; at < end; ++at) {
    if (!is_digit(text[at])) return false;
    value = value * 10 + (text[at] - '0');
  }
  return true;
}
bool take_char(std::string_view text, size_t& at, char wanted) {
  return at < text.size() && text[at++] == wanted;
}

// YYYY-MM-DD and YYYY-MM-DD HH:MM:SS[.ffffff], which mean the same in every DateStyle and are what
// most data holds. nullopt: all else, and all that is wrong, is the decoder's. No zone.
std::optional<DateTimeParts> parse_iso(std::string_view text) {
  DateTimeParts parts;
  size_t at = 0;
  if (!take_digits(text, at, 4, parts.year) || !take_char(text, at, '-') ||
      !take_digits(text, at, 2, parts.month) || !take_char(text, at, '-') ||
      !take_digits(text, at, 2, parts.day)) {
    return std::nullopt;
  }
  if (parts.year < 1 || parts.month < 1 || parts.month > 12 || parts.day < 1 ||
      parts.day > days_in_month(parts.year, parts.month)) {
    return std::nullopt;
  }
  if (at == text.size()) return parts;
  if (!take_char(text, at, ' ') || !take_digits(text, at, 2, parts.hour) ||
      !take_char(text, at, ':') || !take_digits(text, at, 2, parts.minute) ||
      !take_char(text, at, ':') || !take_digits(text, at, 2, parts.second)) {
    return std::nullopt;
  }
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 59) return std::nullopt;
  if (at == text.size()) return parts;
  const size_t decimals = text.size() - at - 1;
  if (!take_char(text, at, '.') || decimals == 0 || decimals > 6 ||
      !take_digits(text, at, decimals, parts.micros)) {
    return std::nullopt;
  }
  parts.micros *= static_cast<int32_t>(kPowers[6 - decimals]);
  return parts;
}

struct Decoded {
  DateTimeKind kind;
  DateTimeParts parts;
};
// Splits and decodes; the type's name is for messages.
Result<Decoded> decode(const TypeSettings& settings, std::string_view text, std::string_view type,
                       bool time_only) {
  std::vector<DateTimeField> fields;
  DecodedDateTime out;
  DecodeError error = split_fields(text, fields);
  if (error == DecodeError::none) {
    error = time_only ? decode_time(settings, fields, true, out)
                      : decode_date_time(settings, fields, true, out);
  }
  if (error != DecodeError::none) return decode_status(error, text, type, out.bad_zone);
  return Decoded{out.kind, out.parts};
}

int32_t date_of_parts(const DateTimeParts& parts) {
  return julian_of_date(parts.year, parts.month, parts.day) - kEpochJulian;
}

Result<int64_t> parse_moment(const TypeSettings& settings, std::string_view text, bool with_zone) {
  if (const std::optional<DateTimeParts> iso = parse_iso(text)) {
    const int64_t local = date_of_parts(*iso) * kMicrosPerDay + time_of_parts(*iso);
    if (!with_zone) return local;
    return local + west_seconds_at(*iso, session_zone(settings)) * kMicrosPerSecond;
  }
  const Decoded decoded =
      TRY(decode(settings, text, with_zone ? "timestamp with time zone" : "timestamp", false));
  switch (decoded.kind) {
    case DateTimeKind::late:      return kTimestampInfinity;
    case DateTimeKind::early:     return kTimestampMinusInfinity;
    case DateTimeKind::epoch:     return -kUnixEpochSeconds * kMicrosPerSecond;
    case DateTimeKind::time_only:
    case DateTimeKind::date_time: break;
  }
  std::optional<int64_t> local = timestamp_of_parts(decoded.parts);
  if (local && with_zone) *local += int64_t{decoded.parts.west_seconds} * kMicrosPerSecond;
  if (!local || !is_valid_timestamp(*local)) return out_of_range("timestamp", text);
  return *local;
}

Result<int64_t> zone_error(std::string_view zone) {
  return raise(sqlstate::invalid_parameter_value, cat("time zone \"", zone, "\" not recognized"));
}

}  // namespace

Datum make_interval(Arena& arena, const Interval& value) {
  void* to = arena.allocate(sizeof value, 8);
  std::memcpy(to, &value, sizeof value);
  return Datum::of(static_cast<const void*>(to));
}
Datum make_timetz(Arena& arena, const TimeTz& value) {
  char* to = static_cast<char*>(arena.allocate(12, 8));
  store(to, value.micros);
  store(to + 8, value.west_seconds);
  return Datum::of(static_cast<const void*>(to));
}

int64_t time_of_parts(const DateTimeParts& parts) {
  return parts.hour * kMicrosPerHour + parts.minute * kMicrosPerMinute +
         parts.second * kMicrosPerSecond + parts.micros;
}
void set_time(DateTimeParts& parts, int64_t micros) {
  parts.hour = static_cast<int32_t>(micros / kMicrosPerHour);
  parts.minute = static_cast<int32_t>(micros / kMicrosPerMinute % 60);
  parts.second = static_cast<int32_t>(micros / kMicrosPerSecond % 60);
  parts.micros = static_cast<int32_t>(micros % kMicrosPerSecond);
}

DateTimeParts parts_of_timestamp(int64_t timestamp) {
  const int64_t days = floor_divide(timestamp, kMicrosPerDay);
  return parts_of_day_and_time(days, timestamp - days * kMicrosPerDay);
}

DateTimeParts parts_of_timestamptz(int64_t timestamp, const TimeZone& zone) {
  const ZoneOffset offset = zone.at(floor_divide(timestamp, kMicrosPerSecond) + kUnixEpochSeconds);
  const int64_t days =
      floor_divide(timestamp + offset.east_seconds * kMicrosPerSecond, kMicrosPerDay);
  DateTimeParts parts = parts_of_day_and_time(
      days, timestamp + offset.east_seconds * kMicrosPerSecond - days * kMicrosPerDay);
  parts.west_seconds = -offset.east_seconds;
  parts.is_dst = offset.is_dst;
  const size_t length = std::min(offset.abbreviation.size(), sizeof parts.zone - 1);
  std::memcpy(parts.zone, offset.abbreviation.data(), length);
  return parts;
}

DateTimeParts parts_of_date(int32_t date) { return parts_of_day_and_time(date, 0); }

bool is_valid_julian_date(int32_t year, int32_t month, int32_t day) {
  (void)day;
  return (year > -4713 || (year == -4713 && month >= 11)) &&
         (year < 5874898 || (year == 5874898 && month < 6));
}

std::optional<int64_t> timestamp_of_parts(const DateTimeParts& parts) {
  if (!is_valid_julian_date(parts.year, parts.month, parts.day)) return std::nullopt;
  const int64_t days = julian_of_date(parts.year, parts.month, parts.day) - kEpochJulian;
  int64_t result = 0;
  if (__builtin_mul_overflow(days, kMicrosPerDay, &result) ||
      __builtin_add_overflow(result, time_of_parts(parts), &result)) {
    return std::nullopt;
  }
  return result;
}

TimeZone session_zone(const TypeSettings& settings) {
  return settings.time_zone != nullptr ? *settings.time_zone : TimeZone();
}

int32_t west_seconds_at(const DateTimeParts& parts, const TimeZone& zone) {
  if (!is_valid_julian_date(parts.year, parts.month, parts.day)) return 0;
  const int64_t days = julian_of_date(parts.year, parts.month, parts.day) - kEpochJulian;
  const int64_t local =
      days * 86400 + parts.hour * 3600 + parts.minute * 60 + parts.second + kUnixEpochSeconds;
  return -zone.at_local(local).east_seconds;
}

Status timestamp_out_of_range(std::source_location where) {
  return raise(sqlstate::datetime_value_out_of_range, "timestamp out of range", where);
}

Result<int64_t> timestamp_to_timestamptz(int64_t timestamp, const TimeZone& zone) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  const int64_t result =
      timestamp + west_seconds_at(parts_of_timestamp(timestamp), zone) * kMicrosPerSecond;
  if (!is_valid_timestamp(result)) return timestamp_out_of_range();
  return result;
}

Result<int64_t> timestamptz_to_timestamp(int64_t timestamp, const TimeZone& zone) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  const ZoneOffset offset = zone.at(floor_divide(timestamp, kMicrosPerSecond) + kUnixEpochSeconds);
  const int64_t result = timestamp + offset.east_seconds * kMicrosPerSecond;
  if (!is_valid_timestamp(result)) return timestamp_out_of_range();
  return result;
}

int64_t round_micros(int64_t micros, int32_t precision) {
  if (precision < 0 || precision >= 6) return micros;
  const int64_t unit = kPowers[6 - precision];
  return micros >= 0 ? (micros + unit / 2) / unit * unit : -((-micros + unit / 2) / unit * unit);
}

Status apply_timestamp_typmod(int64_t& timestamp, int32_t typmod) {
  if (!is_infinite_timestamp(timestamp)) timestamp = round_micros(timestamp, typmod);
  return {};
}

// Fields beyond the declared range are dropped; a range's finest field says what is cut.
Status apply_interval_typmod(Interval& value, int32_t typmod) {
  if (typmod < 0) return {};
  using namespace field_bit;
  const auto range = static_cast<uint32_t>(interval_range(typmod));
  const int32_t precision = interval_precision(typmod);
  if (range == year) {
    value = {0, 0, value.months / 12 * 12};
  } else if (range == month || range == (year | month)) {
    value = {0, 0, value.months};
  } else if (range == day) {
    value.micros = 0;
  } else if (range == hour || range == (day | hour)) {
    value.micros = value.micros / kMicrosPerHour * kMicrosPerHour;
  } else if (range == minute || range == (hour | minute) || range == (day | hour | minute)) {
    value.micros = value.micros / kMicrosPerMinute * kMicrosPerMinute;
  }
  if (precision != 0xffff && precision < 6) value.micros = round_micros(value.micros, precision);
  return {};
}

__int128 interval_span(const Interval& value) {
  const int64_t days = int64_t{value.months} * 30 + value.days;
  return static_cast<__int128>(days) * kMicrosPerDay + value.micros;
}
int compare_interval(Datum a, Datum b) {
  const __int128 x = interval_span(load_interval(a));
  const __int128 y = interval_span(load_interval(b));
  return (x > y) - (x < y);
}
uint64_t hash_interval(Datum value) {
  const __int128 span = interval_span(load_interval(value));
  return hash_combine(static_cast<uint64_t>(span), static_cast<uint64_t>(span >> 64));
}
int compare_timetz(Datum a, Datum b) {
  const TimeTz x = load_timetz(a);
  const TimeTz y = load_timetz(b);
  const int64_t utc_x = x.micros + x.west_seconds * kMicrosPerSecond;
  const int64_t utc_y = y.micros + y.west_seconds * kMicrosPerSecond;
  if (utc_x != utc_y) return utc_x < utc_y ? -1 : 1;
  return (x.west_seconds > y.west_seconds) - (x.west_seconds < y.west_seconds);
}
uint64_t hash_timetz(Datum value) {
  const TimeTz v = load_timetz(value);
  return hash_combine(hash_u64(static_cast<uint64_t>(v.micros)),
                      static_cast<uint64_t>(v.west_seconds));
}

Result<int32_t> parse_date(const TypeSettings& settings, std::string_view text) {
  if (const std::optional<DateTimeParts> iso = parse_iso(text)) return date_of_parts(*iso);
  const Decoded decoded = TRY(decode(settings, text, "date", false));
  switch (decoded.kind) {
    case DateTimeKind::late:      return kDateInfinity;
    case DateTimeKind::early:     return kDateMinusInfinity;
    case DateTimeKind::epoch:     return kUnixEpochDays;
    case DateTimeKind::time_only:
    case DateTimeKind::date_time: break;
  }
  const DateTimeParts& parts = decoded.parts;
  if (!is_valid_julian_date(parts.year, parts.month, parts.day)) return out_of_range("date", text);
  const int32_t date = date_of_parts(parts);
  if (!is_valid_date(date)) return out_of_range("date", text);
  return date;
}

Result<int64_t> parse_time(const TypeSettings& settings, std::string_view text) {
  const Decoded decoded = TRY(decode(settings, text, "time", true));
  return time_of_parts(decoded.parts);
}
Result<TimeTz> parse_timetz(const TypeSettings& settings, std::string_view text) {
  const Decoded decoded = TRY(decode(settings, text, "time with time zone", true));
  return TimeTz{time_of_parts(decoded.parts), decoded.parts.west_seconds};
}
Result<int64_t> parse_timestamp(const TypeSettings& settings, std::string_view text) {
  return parse_moment(settings, text, false);
}
Result<int64_t> parse_timestamptz(const TypeSettings& settings, std::string_view text) {
  return parse_moment(settings, text, true);
}

Result<Interval> parse_interval(const TypeSettings& settings, std::string_view text,
                                int32_t typmod) {
  std::vector<DateTimeField> fields;
  DecodedInterval out;
  DecodeError error = split_fields(text, fields);
  if (error == DecodeError::none) {
    error = decode_interval(settings, fields,
                            typmod >= 0 ? interval_range(typmod) : kIntervalFullRange, out);
  }
  if (error == DecodeError::bad_format) error = decode_iso_interval(text, out);
  if (error == DecodeError::field_overflow) error = DecodeError::interval_overflow;
  if (error != DecodeError::none) return decode_status(error, text, "interval");
  const int64_t months = out.years * 12 + out.months;
  if (months > INT32_MAX || months < INT32_MIN) {
    return raise(sqlstate::datetime_value_out_of_range, "interval out of range");
  }
  Interval value{out.micros, static_cast<int32_t>(out.days), static_cast<int32_t>(months)};
  TRY(apply_interval_typmod(value, typmod));
  return value;
}

Result<int64_t> shift_to_zone(std::string_view name, int64_t timestamp, bool from_local) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  const std::string lower = to_lower(name);
  std::optional<TimeZone> zone;
  if (const ZoneAbbreviation* const known = find_zone_abbreviation(lower); known != nullptr) {
    if (known->zone.empty()) {
      zone = TimeZone::fixed(known->east_seconds);
    } else if (const std::optional<TimeZone> named = TimeZone::find(known->zone)) {
      const int64_t seconds = floor_divide(timestamp, kMicrosPerSecond) + kUnixEpochSeconds;
      const int64_t around = from_local ? seconds - named->at_local(seconds).east_seconds : seconds;
      const std::optional<ZoneOffset> meant = named->abbreviation_at(lower, around);
      zone = meant ? TimeZone::fixed(meant->east_seconds) : *named;
    }
  }
  if (!zone) zone = TimeZone::find(name);
  if (!zone) return zone_error(name);
  return from_local ? timestamp_to_timestamptz(timestamp, *zone)
                    : timestamptz_to_timestamp(timestamp, *zone);
}

Result<Datum> date_in(IoContext& context, std::string_view text) {
  return Datum::of(TRY(parse_date(context.settings, text)));
}
Result<Datum> time_in(IoContext& context, std::string_view text) {
  const int64_t micros = TRY(parse_time(context.settings, text));
  return Datum::of(round_micros(micros, context.typmod));
}
Result<Datum> timetz_in(IoContext& context, std::string_view text) {
  TimeTz value = TRY(parse_timetz(context.settings, text));
  value.micros = round_micros(value.micros, context.typmod);
  return make_timetz(context.arena, value);
}
Result<Datum> timestamp_in(IoContext& context, std::string_view text) {
  int64_t value = TRY(parse_timestamp(context.settings, text));
  TRY(apply_timestamp_typmod(value, context.typmod));
  return Datum::of(value);
}
Result<Datum> timestamptz_in(IoContext& context, std::string_view text) {
  int64_t value = TRY(parse_timestamptz(context.settings, text));
  TRY(apply_timestamp_typmod(value, context.typmod));
  return Datum::of(value);
}
Result<Datum> interval_in(IoContext& context, std::string_view text) {
  const Interval value = TRY(parse_interval(context.settings, text, context.typmod));
  return make_interval(context.arena, value);
}

Result<Datum> date_receive(IoContext&, Bytes bytes) {
  if (bytes.size() != 4) return bad_binary_length(bytes, 4);
  const auto date = load_be<int32_t>(bytes.data());
  if (!is_infinite_date(date) && !is_valid_date(date)) {
    return raise(sqlstate::datetime_value_out_of_range, "date out of range");
  }
  return Datum::of(date);
}
Result<Datum> time_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() != 8) return bad_binary_length(bytes, 8);
  const auto micros = load_be<int64_t>(bytes.data());
  if (micros < 0 || micros > kMicrosPerDay)
    return raise(sqlstate::datetime_value_out_of_range, "time out of range");
  return Datum::of(round_micros(micros, context.typmod));
}
Result<Datum> timetz_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() != 12) return bad_binary_length(bytes, 12);
  const TimeTz value{load_be<int64_t>(bytes.data()), load_be<int32_t>(bytes.data() + 8)};
  if (value.micros < 0 || value.micros > kMicrosPerDay)
    return raise(sqlstate::datetime_value_out_of_range, "time out of range");
  if (value.west_seconds <= -kMaxZoneSeconds || value.west_seconds >= kMaxZoneSeconds) {
    return raise(sqlstate::invalid_time_zone_displacement_value,
                 "time zone displacement out of range");
  }
  return make_timetz(context.arena,
                     {round_micros(value.micros, context.typmod), value.west_seconds});
}
Result<Datum> timestamp_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() != 8) return bad_binary_length(bytes, 8);
  auto value = load_be<int64_t>(bytes.data());
  if (!is_infinite_timestamp(value) && !is_valid_timestamp(value)) return timestamp_out_of_range();
  TRY(apply_timestamp_typmod(value, context.typmod));
  return Datum::of(value);
}
Result<Datum> interval_receive(IoContext& context, Bytes bytes) {
  if (bytes.size() != 16) return bad_binary_length(bytes, 16);
  Interval value{load_be<int64_t>(bytes.data()), load_be<int32_t>(bytes.data() + 8),
                 load_be<int32_t>(bytes.data() + 12)};
  TRY(apply_interval_typmod(value, context.typmod));
  return make_interval(context.arena, value);
}
Status timetz_send(IoContext&, Datum value, std::string& out) {
  const TimeTz v = load_timetz(value);
  ByteWriter writer(out);
  writer.write_be(v.micros);
  writer.write_be(v.west_seconds);
  return {};
}
Status interval_send(IoContext&, Datum value, std::string& out) {
  const Interval v = load_interval(value);
  ByteWriter writer(out);
  writer.write_be(v.micros);
  writer.write_be(v.days);
  writer.write_be(v.months);
  return {};
}

}  // namespace orrery
