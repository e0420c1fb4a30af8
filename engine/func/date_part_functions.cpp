// extract, date_part and date_trunc. A field is found as a decimal number (units of 10^-scale),
// from which extract makes a numeric with that scale and date_part a double.
#include <cmath>

#include "base/text.h"
#include "func/interval_math.h"
#include "func/lift.h"
#include "types/date_time_decode.h"

namespace orrery {
namespace {

struct Field {
  int64_t value = 0;
  int32_t scale = 0;
  bool infinite = false;
  bool negative = false;  // of an infinity
  // Set for julian and epoch, which the two forms compute apart.
  std::optional<Numeric> exact;
  std::optional<double> inexact;
};

Status not_supported(std::string_view unit, std::string_view type) {
  return raise(sqlstate::feature_not_supported,
               cat("unit \"", unit, "\" not supported for type ", type));
}
Status not_recognized(std::string_view unit, std::string_view type) {
  return raise(sqlstate::invalid_parameter_value,
               cat("unit \"", unit, "\" not recognized for type ", type));
}

// What a unit's name means, in either dictionary.
std::optional<Unit> unit_of(std::string_view lower) {
  const Meaning meaning = interval_word(lower);
  if (meaning.token == Token::unit) return static_cast<Unit>(meaning.value);
  const Meaning special = date_word(lower);
  if (special.token == Token::unit) return static_cast<Unit>(special.value);
  if (special.token == Token::reserved) {
    return static_cast<Reserved>(special.value) == Reserved::epoch
               ? Unit::epoch
               : Unit::time;  // time: known, of no use
  }
  return std::nullopt;
}

Field whole(int64_t value) { return {.value = value}; }

int64_t decade_of(int32_t year) { return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10); }
int64_t century_of(int32_t year) {
  return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100);
}
int64_t millennium_of(int32_t year) {
  return year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000);
}

// Fields of the clock; nullopt if the unit is none.
std::optional<Field> clock_field(Unit unit, const DateTimeParts& parts) {
  const int64_t micros = parts.second * kMicrosPerSecond + parts.micros;
  if (unit == Unit::microsecond) return whole(micros);
  if (unit == Unit::millisecond) return Field{.value = micros, .scale = 3};
  if (unit == Unit::second) return Field{.value = micros, .scale = 6};
  if (unit == Unit::minute) return whole(parts.minute);
  if (unit == Unit::hour) return whole(parts.hour);
  return std::nullopt;
}
std::optional<Field> calendar_field(Unit unit, const DateTimeParts& parts) {
  const int32_t year = parts.year;
  const auto julian = [&] { return julian_of_date(year, parts.month, parts.day); };
  switch (unit) {
    case Unit::day:             return whole(parts.day);
    case Unit::week:            return whole(iso_week_of_date(year, parts.month, parts.day).week);
    case Unit::month:           return whole(parts.month);
    case Unit::quarter:         return whole((parts.month - 1) / 3 + 1);
    case Unit::year:            return whole(year > 0 ? year : year - 1);
    case Unit::decade:          return whole(decade_of(year));
    case Unit::century:         return whole(century_of(year));
    case Unit::millennium:      return whole(millennium_of(year));
    case Unit::day_of_year:     return whole(day_of_year(year, parts.month, parts.day));
    case Unit::day_of_week:     return whole(day_of_week(julian()));
    case Unit::iso_day_of_week: return whole((day_of_week(julian()) + 6) % 7 + 1);
    case Unit::iso_year:        {
      const int32_t iso = iso_week_of_date(year, parts.month, parts.day).year;
      return whole(iso > 0 ? iso : iso - 1);
    }
    case Unit::none:
    case Unit::microsecond:
    case Unit::millisecond:
    case Unit::second:
    case Unit::minute:
    case Unit::hour:
    case Unit::julian:
    case Unit::epoch:
    case Unit::zone:
    case Unit::zone_hour:
    case Unit::zone_minute:
    case Unit::time:        return std::nullopt;
  }
  UNREACHABLE();
}
std::optional<Field> zone_field(Unit unit, int32_t west_seconds) {
  if (unit == Unit::zone) return whole(-west_seconds);
  if (unit == Unit::zone_hour) return whole(-west_seconds / 3600);
  if (unit == Unit::zone_minute) return whole(-west_seconds / 60 % 60);
  return std::nullopt;
}
bool is_zone(Unit unit) {
  return unit == Unit::zone || unit == Unit::zone_hour || unit == Unit::zone_minute;
}

// Of an infinite moment: units that only grow are infinite, the others NULL.
std::optional<Field> infinite_field(Unit unit, bool negative) {
  if (unit == Unit::year || unit == Unit::decade || unit == Unit::century ||
      unit == Unit::millennium || unit == Unit::julian || unit == Unit::iso_year ||
      unit == Unit::epoch) {
    return Field{.infinite = true, .negative = negative};
  }
  return std::nullopt;
}

Numeric scaled_numeric(int64_t value, int32_t scale) {
  Numeric n = Numeric::from_int(value);
  int64_t divisor = 1;
  for (int32_t i = 0; i < scale; ++i) divisor *= 10;
  return divide_to(n, Numeric::from_int(divisor), scale, true);
}

using MaybeField = std::optional<Field>;

Result<MaybeField> timestamp_field(Call& call, std::string_view name, int64_t timestamp,
                                   bool with_zone) {
  const std::string lower = to_lower(name);
  const std::string_view type =
      with_zone ? "timestamp with time zone" : "timestamp without time zone";
  const std::optional<Unit> unit = unit_of(lower);
  if (!unit || *unit == Unit::none) return not_recognized(lower, type);
  if (*unit == Unit::time) return not_supported(lower, type);
  if (is_infinite_timestamp(timestamp)) return infinite_field(*unit, timestamp < 0);
  if (is_zone(*unit) && !with_zone) return not_supported(lower, type);
  const DateTimeParts parts = with_zone
                                  ? parts_of_timestamptz(timestamp, session_zone(call.settings()))
                                  : parts_of_timestamp(timestamp);
  if (*unit == Unit::epoch) {
    Field field;
    field.exact = scaled_numeric(timestamp, 6);
    field.exact = add(*field.exact, Numeric::from_int(kUnixEpochSeconds));
    field.inexact =
        timestamp < INT64_MAX - kUnixEpochSeconds * kMicrosPerSecond
            ? static_cast<double>(timestamp + kUnixEpochSeconds * kMicrosPerSecond) / 1e6
            : static_cast<double>(timestamp) / 1e6 + static_cast<double>(kUnixEpochSeconds);
    return MaybeField(field);
  }
  if (*unit == Unit::julian) {
    const int32_t julian = julian_of_date(parts.year, parts.month, parts.day);
    const int64_t time = time_of_parts(parts);
    Field field;
    const Numeric part = TRY(divide(Numeric::from_int(time), Numeric::from_int(kMicrosPerDay)));
    field.exact = add(Numeric::from_int(julian), part);
    field.inexact = julian + (static_cast<double>(time) / 1e6) / 86400.0;
    return MaybeField(field);
  }
  MaybeField field = clock_field(*unit, parts);
  if (!field) field = calendar_field(*unit, parts);
  if (!field) field = zone_field(*unit, parts.west_seconds);
  if (!field) return not_supported(lower, type);
  return field;
}

Result<MaybeField> date_field(std::string_view name, int32_t date) {
  const std::string lower = to_lower(name);
  const std::optional<Unit> unit = unit_of(lower);
  if (!unit || *unit == Unit::none) return not_recognized(lower, "date");
  if (*unit == Unit::time) return not_supported(lower, "date");
  if (clock_field(*unit, {}) || is_zone(*unit)) return not_supported(lower, "date");
  if (is_infinite_date(date)) return infinite_field(*unit, date < 0);
  const DateTimeParts parts = parts_of_date(date);
  if (*unit == Unit::epoch) return MaybeField(whole((int64_t{date} - kUnixEpochDays) * 86400));
  if (*unit == Unit::julian) return MaybeField(whole(int64_t{date} + kEpochJulian));
  return calendar_field(*unit, parts);
}

Result<MaybeField> time_field(std::string_view name, int64_t micros,
                              std::optional<int32_t> west_seconds) {
  const std::string lower = to_lower(name);
  const std::string_view type = west_seconds ? "time with time zone" : "time without time zone";
  const std::optional<Unit> unit = unit_of(lower);
  if (!unit || *unit == Unit::none) return not_recognized(lower, type);
  if (*unit == Unit::time) return not_recognized(lower, type);
  DateTimeParts parts;
  set_time(parts, micros);
  if (*unit == Unit::epoch) {
    const int32_t west = west_seconds.value_or(0);
    return MaybeField(Field{.value = micros + west * kMicrosPerSecond,
                            .scale = 6,
                            .inexact = static_cast<double>(micros) / 1e6 + west});
  }
  MaybeField field = clock_field(*unit, parts);
  if (!field && west_seconds) field = zone_field(*unit, *west_seconds);
  if (!field) return not_supported(lower, type);
  return field;
}

Result<MaybeField> interval_field(std::string_view name, const Interval& v) {
  const std::string lower = to_lower(name);
  const std::optional<Unit> unit = unit_of(lower);
  if (!unit || *unit == Unit::none) return not_recognized(lower, "interval");
  if (*unit == Unit::time) return not_recognized(lower, "interval");
  const int32_t years = v.months / 12;
  const int32_t months = v.months % 12;
  const int64_t rest = v.micros % kMicrosPerMinute;
  switch (*unit) {
    case Unit::microsecond: return MaybeField(whole(rest));
    case Unit::millisecond: return MaybeField(Field{.value = rest, .scale = 3});
    case Unit::second:      return MaybeField(Field{.value = rest, .scale = 6});
    case Unit::minute:      return MaybeField(whole(v.micros / kMicrosPerMinute % 60));
    case Unit::hour:        return MaybeField(whole(v.micros / kMicrosPerHour));
    case Unit::day:         return MaybeField(whole(v.days));
    case Unit::month:       return MaybeField(whole(months));
    case Unit::quarter:     return MaybeField(whole(months / 3 + 1));
    case Unit::year:        return MaybeField(whole(years));
    case Unit::decade:      return MaybeField(whole(years / 10));
    case Unit::century:     return MaybeField(whole(years / 100));
    case Unit::millennium:  return MaybeField(whole(years / 1000));
    case Unit::epoch:       {
      // A year is 365.25 days here, a month 30.
      const int64_t seconds =
          (int64_t{years} * 1461 + int64_t{months} * 120 + int64_t{v.days} * 4) * (86400 / 4);
      Field field;
      field.exact = add(scaled_numeric(v.micros, 6), Numeric::from_int(seconds));
      field.inexact = static_cast<double>(v.micros) / 1e6 + 365.25 * 86400.0 * years +
                      30 * 86400.0 * months + 86400.0 * v.days;
      return MaybeField(field);
    }
    case Unit::none:
    case Unit::week:
    case Unit::julian:
    case Unit::day_of_year:
    case Unit::day_of_week:
    case Unit::iso_day_of_week:
    case Unit::iso_year:
    case Unit::zone:
    case Unit::zone_hour:
    case Unit::zone_minute:
    case Unit::time:            return not_supported(lower, "interval");
  }
  UNREACHABLE();
}

std::optional<Numeric> as_numeric(const MaybeField& field) {
  if (!field) return std::nullopt;
  if (field->infinite) return Numeric::infinity(field->negative);
  if (field->exact) return *field->exact;
  return field->scale == 0 ? Numeric::from_int(field->value)
                           : scaled_numeric(field->value, field->scale);
}
std::optional<double> as_double(const MaybeField& field) {
  if (!field) return std::nullopt;
  if (field->infinite) return field->negative ? -HUGE_VAL : HUGE_VAL;
  if (field->inexact) return *field->inexact;
  return static_cast<double>(field->value) / std::pow(10.0, field->scale);
}

template <class R, R (*As)(const MaybeField&)>
struct Extract {
  static constexpr Kernel timestamp =
      lift([](Call& call, std::string_view unit, int64_t v) -> Result<R> {
        const MaybeField field = TRY(timestamp_field(call, unit, v, false));
        return As(field);
      });
  static constexpr Kernel timestamptz =
      lift([](Call& call, std::string_view unit, int64_t v) -> Result<R> {
        const MaybeField field = TRY(timestamp_field(call, unit, v, true));
        return As(field);
      });
  static constexpr Kernel date = lift([](std::string_view unit, int32_t v) -> Result<R> {
    const MaybeField field = TRY(date_field(unit, v));
    return As(field);
  });
  static constexpr Kernel time = lift([](std::string_view unit, int64_t v) -> Result<R> {
    const MaybeField field = TRY(time_field(unit, v, std::nullopt));
    return As(field);
  });
  static constexpr Kernel timetz = lift([](std::string_view unit, const TimeTz& v) -> Result<R> {
    const MaybeField field = TRY(time_field(unit, v.micros, v.west_seconds));
    return As(field);
  });
  static constexpr Kernel interval =
      lift([](std::string_view unit, const Interval& v) -> Result<R> {
        const MaybeField field = TRY(interval_field(unit, v));
        return As(field);
      });
};
using ExtractNumeric = Extract<std::optional<Numeric>, as_numeric>;
using ExtractDouble = Extract<std::optional<double>, as_double>;

// Cuts off what is finer than the unit. False if there is no such cut.
bool truncate(DateTimeParts& parts, Unit unit) {
  const int32_t year = parts.year;
  const auto start_of_year = [&](int32_t y) {
    parts.year = y;
    parts.month = parts.day = 1;
  };
  switch (unit) {
    case Unit::microsecond: return true;
    case Unit::millisecond: parts.micros = parts.micros / 1000 * 1000; return true;
    case Unit::second:      parts.micros = 0; return true;
    case Unit::minute:
      set_time(parts, time_of_parts(parts) / kMicrosPerMinute * kMicrosPerMinute);
      return true;
    case Unit::hour:
      set_time(parts, time_of_parts(parts) / kMicrosPerHour * kMicrosPerHour);
      return true;
    case Unit::day:  break;
    case Unit::week: {
      const int32_t julian = julian_of_date(year, parts.month, parts.day);
      const CalendarDate monday = date_of_julian(julian - (day_of_week(julian) + 6) % 7);
      parts.year = monday.year;
      parts.month = monday.month;
      parts.day = monday.day;
      break;
    }
    case Unit::month: parts.day = 1; break;
    case Unit::quarter:
      parts.month = (parts.month - 1) / 3 * 3 + 1;
      parts.day = 1;
      break;
    case Unit::year: start_of_year(year); break;
    case Unit::decade:
      start_of_year(year > 0 ? year / 10 * 10 : -((8 - (year - 1)) / 10) * 10);
      break;
    case Unit::century:
      start_of_year(year > 0 ? (year + 99) / 100 * 100 - 99 : -((99 - (year - 1)) / 100) * 100 + 1);
      break;
    case Unit::millennium:
      start_of_year(year > 0 ? (year + 999) / 1000 * 1000 - 999
                             : -((999 - (year - 1)) / 1000) * 1000 + 1);
      break;
    case Unit::none:
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
  set_time(parts, 0);
  return true;
}

Result<Unit> truncation_unit(std::string_view name, std::string_view type) {
  const std::string lower = to_lower(name);
  const Meaning meaning = interval_word(lower);
  if (meaning.token != Token::unit) return not_recognized(lower, type);
  const auto unit = static_cast<Unit>(meaning.value);
  DateTimeParts probe{.year = 2000, .month = 1, .day = 1};
  if (!truncate(probe, unit)) return not_supported(lower, type);
  return unit;
}

Result<int64_t> trunc_timestamp(std::string_view name, int64_t timestamp) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  const Unit unit = TRY(truncation_unit(name, "timestamp without time zone"));
  DateTimeParts parts = parts_of_timestamp(timestamp);
  truncate(parts, unit);
  const std::optional<int64_t> result = timestamp_of_parts(parts);
  if (!result) return timestamp_out_of_range();
  return *result;
}

Result<int64_t> trunc_timestamptz(std::string_view name, int64_t timestamp, const TimeZone& zone) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  const Unit unit = TRY(truncation_unit(name, "timestamp with time zone"));
  DateTimeParts parts = parts_of_timestamptz(timestamp, zone);
  truncate(parts, unit);
  // A day's start has its own displacement; within the day the moment's is kept.
  const bool within_day = unit == Unit::microsecond || unit == Unit::millisecond ||
                          unit == Unit::second || unit == Unit::minute || unit == Unit::hour;
  const int32_t west = within_day ? parts.west_seconds : west_seconds_at(parts, zone);
  const std::optional<int64_t> local = timestamp_of_parts(parts);
  if (!local) return timestamp_out_of_range();
  return *local + west * kMicrosPerSecond;
}

Result<int64_t> trunc_in_zone(std::string_view unit, int64_t timestamp,
                              std::string_view zone_name) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  if (const ZoneAbbreviation* const known = find_zone_abbreviation(to_lower(zone_name));
      known != nullptr && known->zone.empty()) {
    return trunc_timestamptz(unit, timestamp, TimeZone::fixed(known->east_seconds));
  }
  const ZoneAbbreviation* const known = find_zone_abbreviation(to_lower(zone_name));
  const std::optional<TimeZone> zone = TimeZone::find(known != nullptr ? known->zone : zone_name);
  if (!zone)
    return raise(sqlstate::invalid_parameter_value,
                 cat("time zone \"", zone_name, "\" not recognized"));
  return trunc_timestamptz(unit, timestamp, *zone);
}

Result<Interval> trunc_interval(std::string_view name, Interval v) {
  const std::string lower = to_lower(name);
  const Meaning meaning = interval_word(lower);
  if (meaning.token != Token::unit) return not_recognized(lower, "interval");
  const auto unit = static_cast<Unit>(meaning.value);
  const auto months_to = [&](int32_t months) { return Interval{0, 0, v.months / months * months}; };
  const auto micros_to = [&](int64_t micros) {
    return Interval{v.micros / micros * micros, v.days, v.months};
  };
  switch (unit) {
    case Unit::millennium:  return months_to(12000);
    case Unit::century:     return months_to(1200);
    case Unit::decade:      return months_to(120);
    case Unit::year:        return months_to(12);
    case Unit::quarter:     return months_to(3);
    case Unit::month:       return months_to(1);
    case Unit::day:         return Interval{0, v.days, v.months};
    case Unit::hour:        return micros_to(kMicrosPerHour);
    case Unit::minute:      return micros_to(kMicrosPerMinute);
    case Unit::second:      return micros_to(kMicrosPerSecond);
    case Unit::millisecond: return micros_to(1000);
    case Unit::microsecond: return v;
    case Unit::week:
      return raise(sqlstate::feature_not_supported,
                   cat("unit \"", lower, "\" not supported for type interval"))
          .detail("Months usually have fractional weeks.");
    case Unit::none:
    case Unit::julian:
    case Unit::day_of_year:
    case Unit::day_of_week:
    case Unit::iso_day_of_week:
    case Unit::iso_year:
    case Unit::epoch:
    case Unit::zone:
    case Unit::zone_hour:
    case Unit::zone_minute:
    case Unit::time:            return not_supported(lower, "interval");
  }
  UNREACHABLE();
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("extract_timestamp", ExtractNumeric::timestamp),
    body("extract_timestamptz", ExtractNumeric::timestamptz),
    body("extract_date", ExtractNumeric::date),
    body("extract_time", ExtractNumeric::time),
    body("extract_timetz", ExtractNumeric::timetz),
    body("extract_interval", ExtractNumeric::interval),
    body("timestamp_part", ExtractDouble::timestamp),
    body("timestamptz_part", ExtractDouble::timestamptz),
    body("time_part", ExtractDouble::time),
    body("timetz_part", ExtractDouble::timetz),
    body("interval_part", ExtractDouble::interval),
    body("timestamp_trunc",
         lift([](std::string_view unit, int64_t v) { return trunc_timestamp(unit, v); })),
    body("timestamptz_trunc", lift([](Call& call, std::string_view unit, int64_t v) {
           return trunc_timestamptz(unit, v, session_zone(call.settings()));
         })),
    body("timestamptz_trunc_zone",
         lift([](std::string_view unit, int64_t v, std::string_view zone) {
           return trunc_in_zone(unit, v, zone);
         })),
    body("interval_trunc",
         lift([](std::string_view unit, const Interval& v) { return trunc_interval(unit, v); })),
}));

}  // namespace

std::span<const FunctionBody> date_part_functions() { return kTable; }

}  // namespace orrery
