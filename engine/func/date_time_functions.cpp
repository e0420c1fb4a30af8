// Arithmetic of dates, times and intervals, conversions between them, zones, and making them from
// numbers.
#include <cmath>

#include "base/text.h"
#include "func/interval_math.h"
#include "func/lift.h"

namespace orrery {
namespace {

constexpr double kSecondsPerDay = 86400;

Status date_out_of_range() {
  return raise(sqlstate::datetime_value_out_of_range, "date out of range");
}
TimeZone zone_of(Call& call) { return session_zone(call.settings()); }

int64_t wrap_day(int64_t micros) {
  micros %= kMicrosPerDay;
  return micros < 0 ? micros + kMicrosPerDay : micros;
}

Result<int64_t> timestamptz_of_date(int32_t date, const TimeZone& zone) {
  const int64_t local = TRY(timestamp_of_date(date));
  return timestamp_to_timestamptz(local, zone);
}
int32_t date_of_timestamp(int64_t timestamp) {
  if (timestamp == kTimestampInfinity) return kDateInfinity;
  if (timestamp == kTimestampMinusInfinity) return kDateMinusInfinity;
  return static_cast<int32_t>(timestamp / kMicrosPerDay - (timestamp % kMicrosPerDay < 0));
}

Result<Interval> difference(int64_t a, int64_t b) {
  if (is_infinite_timestamp(a) || is_infinite_timestamp(b)) {
    return raise(sqlstate::datetime_value_out_of_range, "cannot subtract infinite timestamps");
  }
  int64_t micros = 0;
  if (__builtin_sub_overflow(a, b, &micros)) return interval_out_of_range();
  return Interval{micros % kMicrosPerDay, static_cast<int32_t>(micros / kMicrosPerDay), 0};
}

// The calendar's difference: years and months, then days, then time, all of one sign.
Interval age_of(DateTimeParts a, DateTimeParts b) {
  const bool swapped = [&] {
    const int64_t day_a = julian_of_date(a.year, a.month, a.day);
    const int64_t day_b = julian_of_date(b.year, b.month, b.day);
    return day_a != day_b ? day_a < day_b : time_of_parts(a) < time_of_parts(b);
  }();
  const DateTimeParts& later = swapped ? b : a;
  const DateTimeParts& earlier = swapped ? a : b;
  int64_t months = (later.year - earlier.year) * 12 + (later.month - earlier.month);
  int64_t days = later.day - earlier.day;
  int64_t micros = time_of_parts(later) - time_of_parts(earlier);
  if (micros < 0) {
    micros += kMicrosPerDay;
    --days;
  }
  while (days < 0) {
    // Days borrowed are those of the month in which `b` lies when going forward, of `a`'s when
    // going back.
    days += swapped ? days_in_month(a.year, a.month) : days_in_month(b.year, b.month);
    --months;
  }
  const int sign = swapped ? -1 : 1;
  return {sign * micros, static_cast<int32_t>(sign * days), static_cast<int32_t>(sign * months)};
}

Result<Interval> age(int64_t a, int64_t b, const TimeZone* zone) {
  if (a == kTimestampMinusInfinity || b == kTimestampMinusInfinity) return timestamp_out_of_range();
  if (zone != nullptr)
    return age_of(parts_of_timestamptz(a, *zone), parts_of_timestamptz(b, *zone));
  return age_of(parts_of_timestamp(a), parts_of_timestamp(b));
}

Result<int32_t> make_date(int32_t year, int32_t month, int32_t day, bool of_timestamp = false) {
  int32_t y = year;
  if (year < 0) y = year + 1;  // -1 is 1 BC
  const auto bad = [&] {
    return raise(
        sqlstate::datetime_field_overflow,
        cat("date field value out of range: ", of_timestamp ? year : y, "-",
            month < 10 && month >= 0 ? "0" : "", month, "-", day < 10 && day >= 0 ? "0" : "", day));
  };
  if (year == 0 || year == INT32_MIN || month < 1 || month > 12 || day < 1 ||
      day > days_in_month(y, month))
    return bad();
  if (!is_valid_julian_date(y, month, day)) {
    return raise(sqlstate::datetime_value_out_of_range,
                 cat("date out of range: ", year, "-", month < 10 ? "0" : "", month, "-",
                     day < 10 ? "0" : "", day));
  }
  return julian_of_date(y, month, day) - kEpochJulian;
}

Result<int64_t> make_time(int32_t hour, int32_t minute, double second) {
  const double micros = std::isnan(second) || std::isinf(second) ? -1 : std::rint(second * 1e6);
  const bool fits =
      hour >= 0 && hour <= 24 && minute >= 0 && minute <= 59 && micros >= 0 && micros <= 60e6 &&
      hour * kMicrosPerHour + minute * kMicrosPerMinute + static_cast<int64_t>(micros) <=
          kMicrosPerDay;
  if (!fits) {
    char text[64];
    std::snprintf(text, sizeof text, "time field value out of range: %d:%02d:", hour, minute);
    if (std::isnan(second)) return raise(sqlstate::datetime_field_overflow, cat(text, "NaN"));
    std::snprintf(text, sizeof text, "time field value out of range: %d:%02d:%02g", hour, minute,
                  second);
    return raise(sqlstate::datetime_field_overflow, text);
  }
  return hour * kMicrosPerHour + minute * kMicrosPerMinute + static_cast<int64_t>(micros);
}

Result<int64_t> make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour,
                               int32_t minute, double second) {
  const int32_t date = TRY(make_date(year, month, day, true));
  const int64_t time = TRY(make_time(hour, minute, second));
  int64_t result = 0;
  if (__builtin_mul_overflow(int64_t{date}, kMicrosPerDay, &result) ||
      __builtin_add_overflow(result, time, &result) || !is_valid_timestamp(result)) {
    return timestamp_out_of_range();
  }
  return result;
}

Result<Interval> make_interval_of(int32_t years, int32_t months, int32_t weeks, int32_t days,
                                  int32_t hours, int32_t minutes, double seconds) {
  if (!std::isfinite(seconds)) return interval_out_of_range();
  Interval v;
  const int64_t all_months = int64_t{years} * 12 + months;
  const int64_t all_days = int64_t{weeks} * 7 + days;
  const double micros = std::rint(seconds * 1e6);
  if (all_months > INT32_MAX || all_months < INT32_MIN || all_days > INT32_MAX ||
      all_days < INT32_MIN || std::fabs(micros) >= 9.2e18) {
    return interval_out_of_range();
  }
  v.months = static_cast<int32_t>(all_months);
  v.days = static_cast<int32_t>(all_days);
  if (__builtin_add_overflow(hours * kMicrosPerHour + minutes * kMicrosPerMinute,
                             static_cast<int64_t>(micros), &v.micros)) {
    return interval_out_of_range();
  }
  return v;
}

Result<int64_t> timestamptz_of_seconds(double seconds) {
  if (std::isnan(seconds))
    return raise(sqlstate::datetime_value_out_of_range, "timestamp cannot be NaN");
  if (std::isinf(seconds)) return seconds < 0 ? kTimestampMinusInfinity : kTimestampInfinity;
  const auto bad = [&] {
    char text[64];
    std::snprintf(text, sizeof text, "timestamp out of range: \"%g\"", seconds);
    return raise(sqlstate::datetime_value_out_of_range, text);
  };
  if (seconds < kSecondsPerDay * (0 - 2440588) ||
      seconds >= kSecondsPerDay * (109203528.0 - 2440588))
    return bad();
  const auto result =
      static_cast<int64_t>(std::rint((seconds - static_cast<double>(kUnixEpochSeconds)) * 1e6));
  if (!is_valid_timestamp(result)) return bad();
  return result;
}

// Days to months where they make 30, hours to days where they make 24; then all of one sign.
Status carry_hours(Interval& v) {
  if (__builtin_add_overflow(v.days, static_cast<int32_t>(v.micros / kMicrosPerDay), &v.days))
    return interval_out_of_range();
  v.micros %= kMicrosPerDay;
  return {};
}
Status carry_days(Interval& v) {
  if (__builtin_add_overflow(v.months, v.days / 30, &v.months)) return interval_out_of_range();
  v.days %= 30;
  return {};
}
void align_hours(Interval& v) {
  if (v.days > 0 && v.micros < 0) {
    v.micros += kMicrosPerDay;
    --v.days;
  } else if (v.days < 0 && v.micros > 0) {
    v.micros -= kMicrosPerDay;
    ++v.days;
  }
}
Result<Interval> justify_hours(Interval v) {
  TRY(carry_hours(v));
  align_hours(v);
  return v;
}
Result<Interval> justify_days(Interval v) {
  TRY(carry_days(v));
  if (v.months > 0 && v.days < 0) {
    v.days += 30;
    --v.months;
  } else if (v.months < 0 && v.days > 0) {
    v.days -= 30;
    ++v.months;
  }
  return v;
}
Result<Interval> justify(Interval v) {
  // Or the hours could overflow days that months would take.
  if ((v.days > 0 && v.micros > 0) || (v.days < 0 && v.micros < 0)) TRY(carry_days(v));
  TRY(carry_hours(v));
  TRY(carry_days(v));
  if (v.months > 0 && (v.days < 0 || (v.days == 0 && v.micros < 0))) {
    v.days += 30;
    --v.months;
  } else if (v.months < 0 && (v.days > 0 || (v.days == 0 && v.micros > 0))) {
    v.days -= 30;
    ++v.months;
  }
  align_hours(v);
  return v;
}

// The largest multiple of `stride` from `origin` that is not after `value`.
Result<int64_t> bin(const Interval& stride, int64_t value, int64_t origin) {
  if (is_infinite_timestamp(value)) return value;
  if (is_infinite_timestamp(origin))
    return raise(sqlstate::datetime_value_out_of_range, "origin out of range");
  if (stride.months != 0) {
    return raise(sqlstate::feature_not_supported,
                 "timestamps cannot be binned into intervals containing months or years");
  }
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{stride.days}, kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, stride.micros, &micros)) {
    return interval_out_of_range();
  }
  if (micros <= 0)
    return raise(sqlstate::datetime_value_out_of_range, "stride must be greater than zero");
  int64_t since = 0;
  if (__builtin_sub_overflow(value, origin, &since)) return interval_out_of_range();
  int64_t rest = since % micros;
  if (rest < 0) rest += micros;
  return value - rest;
}

// An interval as a zone's displacement: seconds only.
Result<int64_t> zone_seconds(const Interval& zone) {
  if (zone.months != 0 || zone.days != 0) {
    std::string text;
    append_interval(text, zone, IntervalStyle::postgres);
    return raise(sqlstate::invalid_parameter_value,
                 cat("interval time zone \"", text, "\" must not include months or days"));
  }
  return zone.micros / kMicrosPerSecond;
}
Result<int64_t> shifted(int64_t timestamp, const Interval& zone, int sign) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  const int64_t seconds = TRY(zone_seconds(zone));
  const int64_t result = timestamp + sign * seconds * kMicrosPerSecond;
  if (!is_valid_timestamp(result)) return timestamp_out_of_range();
  return result;
}
Result<TimeTz> timetz_at(Call& call, std::string_view name, TimeTz t) {
  // A zone with daylight saving time has today's displacement.
  const int64_t now = call.settings().now.v;
  const int64_t local = TRY(shift_to_zone(name, now, false));
  const auto west = static_cast<int32_t>((now - local) / kMicrosPerSecond);
  return TimeTz{wrap_day(t.micros + (t.west_seconds - west) * kMicrosPerSecond), west};
}

template <int kSign>
constexpr Kernel kDatePlusInt = lift([](int32_t date, int32_t days) -> Result<int32_t> {
  if (is_infinite_date(date)) return date;
  int32_t result = 0;
  if (__builtin_add_overflow(date, kSign * int64_t{days}, &result) || !is_valid_date(result))
    return date_out_of_range();
  return result;
});
template <bool kSubtract>
constexpr Kernel kTimestampInterval = lift([](int64_t t, const Interval& span) -> Result<int64_t> {
  const Interval by = kSubtract ? TRY(negate_interval(span)) : span;
  return timestamp_plus(t, by);
});
template <bool kSubtract>
constexpr Kernel kTimestamptzInterval =
    lift([](Call& call, int64_t t, const Interval& span) -> Result<int64_t> {
      const Interval by = kSubtract ? TRY(negate_interval(span)) : span;
      return timestamptz_plus(t, by, zone_of(call));
    });
template <bool kSubtract>
constexpr Kernel kDateInterval = lift([](int32_t date, const Interval& span) -> Result<int64_t> {
  const Interval by = kSubtract ? TRY(negate_interval(span)) : span;
  const int64_t t = TRY(timestamp_of_date(date));
  return timestamp_plus(t, by);
});
template <int kSign>
constexpr Kernel kTimeInterval = lift([](int64_t t, const Interval& span) {
  return wrap_day(t + kSign * (span.micros % kMicrosPerDay));
});
template <int kSign>
constexpr Kernel kTimetzInterval = lift([](const TimeTz& t, const Interval& span) {
  return TimeTz{wrap_day(t.micros + kSign * (span.micros % kMicrosPerDay)), t.west_seconds};
});
constexpr Kernel kRoundTimestamp = lift([](int64_t v, int32_t typmod) -> Result<int64_t> {
  TRY(apply_timestamp_typmod(v, typmod));
  return v;
});

int order(int64_t a, int64_t b) { return (a > b) - (a < b); }
int date_order(int32_t date, int64_t timestamp) { return order(place_of_date(date), timestamp); }
int timestamp_order_tz(Call& call, int64_t timestamp, int64_t with_zone) {
  return order(place_in_zone(timestamp, zone_of(call)), with_zone);
}
int date_order_tz(Call& call, int32_t date, int64_t timestamp) {
  return timestamp_order_tz(call, place_of_date(date), timestamp);
}
bool holds(int order, char op) {
  switch (op) {
    case '=': return order == 0;
    case '!': return order != 0;
    case '<': return order < 0;
    case '[': return order <= 0;
    case '>': return order > 0;
    case ']': return order >= 0;
    default:  UNREACHABLE();
  }
}
template <char kOp>
constexpr Kernel kDateTimestamp =
    lift([](int32_t a, int64_t b) { return holds(date_order(a, b), kOp); });
template <char kOp>
constexpr Kernel kTimestampDate =
    lift([](int64_t a, int32_t b) { return holds(-date_order(b, a), kOp); });
template <char kOp>
constexpr Kernel kDateTimestamptz =
    lift([](Call& call, int32_t a, int64_t b) { return holds(date_order_tz(call, a, b), kOp); });
template <char kOp>
constexpr Kernel kTimestamptzDate =
    lift([](Call& call, int64_t a, int32_t b) { return holds(-date_order_tz(call, b, a), kOp); });
template <char kOp>
constexpr Kernel kTimestampTimestamptz = lift(
    [](Call& call, int64_t a, int64_t b) { return holds(timestamp_order_tz(call, a, b), kOp); });
template <char kOp>
constexpr Kernel kTimestamptzTimestamp = lift(
    [](Call& call, int64_t a, int64_t b) { return holds(-timestamp_order_tz(call, b, a), kOp); });

#define SIX_MIXED(left, right, K)                                       \
  body(left "_eq_" right, K<'='>), body(left "_ne_" right, K<'!'>),     \
      body(left "_lt_" right, K<'<'>), body(left "_le_" right, K<'['>), \
      body(left "_gt_" right, K<'>'>), body(left "_ge_" right, K<']'>)

// (start, end) overlaps (start, end); NULL ends are allowed, so this is done by hand. T is the
// words' type.
template <Comparator C>
constexpr Kernel kOverlaps =
    [](EvalContext&, CallSite&, std::span<const Vector> args, Rows rows, Vector& out) -> Status {
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    NullableDatum s1 = args[0].at(row);
    NullableDatum e1 = args[1].at(row);
    NullableDatum s2 = args[2].at(row);
    NullableDatum e2 = args[3].at(row);
    // A NULL end is unknown; a period with both unknown makes all unknown.
    const auto arrange = [](NullableDatum& s, NullableDatum& e) {
      if (s.is_null && e.is_null) return false;
      if (s.is_null || (!e.is_null && C(s.value, e.value) > 0)) std::swap(s, e);
      return true;
    };
    if (!arrange(s1, e1) || !arrange(s2, e2)) {
      out.set_null(row);
      continue;
    }
    const int order = C(s1.value, s2.value);
    const NullableDatum& end = order > 0 ? e2 : e1;
    const Datum start = order > 0 ? s1.value : s2.value;
    if (order == 0) {
      if (e1.is_null || e2.is_null) {
        out.set_null(row);
      } else {
        out.set(row, Datum::of(true));
      }
    } else if (end.is_null) {
      out.set_null(row);
    } else if (C(start, end.value) < 0) {
      out.set(row, Datum::of(true));
    } else if ((order > 0 ? e1 : e2).is_null) {
      out.set_null(row);
    } else {
      out.set(row, Datum::of(false));
    }
  }
  return {};
};
int compare_words(Datum a, Datum b) {
  const auto x = a.as<int64_t>();
  const auto y = b.as<int64_t>();
  return (x > y) - (x < y);
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("date_pli", kDatePlusInt<1>),
    body("date_mii", kDatePlusInt<-1>),
    body("date_mi", lift([](int32_t a, int32_t b) -> Result<int32_t> {
           if (is_infinite_date(a) || is_infinite_date(b)) {
             return raise(sqlstate::datetime_value_out_of_range, "cannot subtract infinite dates");
           }
           return a - b;
         })),
    body("date_pl_interval", kDateInterval<false>),
    body("date_mi_interval", kDateInterval<true>),
    body("timestamp_pl_interval", kTimestampInterval<false>),
    body("timestamp_mi_interval", kTimestampInterval<true>),
    body("timestamptz_pl_interval", kTimestamptzInterval<false>),
    body("timestamptz_mi_interval", kTimestamptzInterval<true>),
    body("timestamp_mi", lift([](int64_t a, int64_t b) -> Result<Interval> {
           const Interval v = TRY(difference(a, b));
           return v;
         })),
    body("time_pl_interval", kTimeInterval<1>),
    body("time_mi_interval", kTimeInterval<-1>),
    body("timetz_pl_interval", kTimetzInterval<1>),
    body("timetz_mi_interval", kTimetzInterval<-1>),
    body("time_mi_time", lift([](int64_t a, int64_t b) { return Interval{a - b, 0, 0}; })),
    body("interval_pl",
         lift([](const Interval& a, const Interval& b) { return add_intervals(a, b); })),
    body("interval_mi", lift([](const Interval& a, const Interval& b) -> Result<Interval> {
           Interval v;
           if (__builtin_sub_overflow(a.micros, b.micros, &v.micros) ||
               __builtin_sub_overflow(a.days, b.days, &v.days) ||
               __builtin_sub_overflow(a.months, b.months, &v.months)) {
             return interval_out_of_range();
           }
           return v;
         })),
    body("interval_um", lift([](const Interval& a) { return negate_interval(a); })),
    body("interval_mul", lift([](const Interval& a, double f) { return multiply_interval(a, f); })),
    body("mul_d_interval",
         lift([](double f, const Interval& a) { return multiply_interval(a, f); })),
    body("interval_div", lift([](const Interval& a, double f) { return divide_interval(a, f); })),
    body("interval_justify_hours", lift([](const Interval& v) { return justify_hours(v); })),
    body("interval_justify_days", lift([](const Interval& v) { return justify_days(v); })),
    body("interval_justify_interval", lift([](const Interval& v) { return justify(v); })),
    body("interval_scale", lift([](Interval v, int32_t typmod) -> Result<Interval> {
           TRY(apply_interval_typmod(v, typmod));
           return v;
         })),
    body("timestamp_scale", kRoundTimestamp),
    body("timestamptz_scale", kRoundTimestamp),
    body("time_scale", lift([](int64_t v, int32_t typmod) { return round_micros(v, typmod); })),
    body("timetz_scale", lift([](const TimeTz& v, int32_t typmod) {
           return TimeTz{round_micros(v.micros, typmod), v.west_seconds};
         })),
    body("timestamp_age", lift([](int64_t a, int64_t b) { return age(a, b, nullptr); })),
    body("timestamptz_age", lift([](Call& call, int64_t a, int64_t b) {
           const TimeZone zone = zone_of(call);
           return age(a, b, &zone);
         })),
    body("date_finite", lift([](int32_t v) { return !is_infinite_date(v); })),
    body("timestamp_finite", lift([](int64_t v) { return !is_infinite_timestamp(v); })),
    body("interval_finite", lift([](const Interval&) { return true; })),
    // Conversions.
    body("date_timestamp", lift([](int32_t v) { return timestamp_of_date(v); })),
    body("date_timestamptz",
         lift([](Call& call, int32_t v) { return timestamptz_of_date(v, zone_of(call)); })),
    body("timestamp_date", lift([](int64_t v) { return date_of_timestamp(v); })),
    body("timestamptz_date", lift([](Call& call, int64_t v) -> Result<int32_t> {
           const int64_t local = TRY(timestamptz_to_timestamp(v, zone_of(call)));
           return date_of_timestamp(local);
         })),
    body("timestamp_timestamptz",
         lift([](Call& call, int64_t v) { return timestamp_to_timestamptz(v, zone_of(call)); })),
    body("timestamptz_timestamp",
         lift([](Call& call, int64_t v) { return timestamptz_to_timestamp(v, zone_of(call)); })),
    body("timestamp_time", lift([](int64_t v) -> std::optional<int64_t> {
           if (is_infinite_timestamp(v)) return std::nullopt;
           return wrap_day(v);
         })),
    body("timestamptz_time", lift([](Call& call, int64_t v) -> Result<std::optional<int64_t>> {
           if (is_infinite_timestamp(v)) return std::optional<int64_t>();
           const int64_t local = TRY(timestamptz_to_timestamp(v, zone_of(call)));
           return std::optional<int64_t>(wrap_day(local));
         })),
    body("timestamptz_timetz", lift([](Call& call, int64_t v) -> std::optional<TimeTz> {
           if (is_infinite_timestamp(v)) return std::nullopt;
           const DateTimeParts parts = parts_of_timestamptz(v, zone_of(call));
           return TimeTz{time_of_parts(parts), parts.west_seconds};
         })),
    body("time_timetz", lift([](Call& call, int64_t v) {
           DateTimeParts now = parts_of_timestamptz(call.settings().now.v, zone_of(call));
           set_time(now, v);
           return TimeTz{v, west_seconds_at(now, zone_of(call))};
         })),
    body("timetz_time", lift([](const TimeTz& v) { return v.micros; })),
    body("time_interval", lift([](int64_t v) { return Interval{v, 0, 0}; })),
    body("interval_time", lift([](const Interval& v) { return wrap_day(v.micros); })),
    body("datetime_timestamp", lift([](int32_t date, int64_t time) -> Result<int64_t> {
           const int64_t start = TRY(timestamp_of_date(date));
           if (is_infinite_timestamp(start)) return start;
           if (!is_valid_timestamp(start + time)) return timestamp_out_of_range();
           return start + time;
         })),
    body("datetimetz_timestamptz", lift([](int32_t date, const TimeTz& time) -> Result<int64_t> {
           const int64_t start = TRY(timestamp_of_date(date));
           if (is_infinite_timestamp(start)) return start;
           const int64_t result = start + time.micros + time.west_seconds * kMicrosPerSecond;
           if (!is_valid_timestamp(result)) return timestamp_out_of_range();
           return result;
         })),
    body("float8_timestamptz", lift([](double v) { return timestamptz_of_seconds(v); })),
    // Zones.
    body("timestamp_zone",
         lift([](std::string_view zone, int64_t v) { return shift_to_zone(zone, v, true); })),
    body("timestamptz_zone",
         lift([](std::string_view zone, int64_t v) { return shift_to_zone(zone, v, false); })),
    body("timestamp_izone",
         lift([](const Interval& zone, int64_t v) { return shifted(v, zone, -1); })),
    body("timestamptz_izone",
         lift([](const Interval& zone, int64_t v) { return shifted(v, zone, 1); })),
    body("timetz_zone", lift([](Call& call, std::string_view zone, const TimeTz& v) {
           return timetz_at(call, zone, v);
         })),
    body("timetz_izone", lift([](const Interval& zone, const TimeTz& v) -> Result<TimeTz> {
           const int64_t east = TRY(zone_seconds(zone));
           const auto west = static_cast<int32_t>(-east);
           return TimeTz{wrap_day(v.micros + (v.west_seconds - west) * kMicrosPerSecond), west};
         })),
    // From numbers.
    body("make_date", lift([](int32_t y, int32_t m, int32_t d) { return make_date(y, m, d); })),
    body("make_time", lift([](int32_t h, int32_t m, double s) { return make_time(h, m, s); })),
    body("make_timestamp", lift([](int32_t y, int32_t mo, int32_t d, int32_t h, int32_t mi,
                                   double s) { return make_timestamp(y, mo, d, h, mi, s); })),
    body("make_timestamptz", lift([](Call& call, int32_t y, int32_t mo, int32_t d, int32_t h,
                                     int32_t mi, double s) -> Result<int64_t> {
           const int64_t local = TRY(make_timestamp(y, mo, d, h, mi, s));
           return timestamp_to_timestamptz(local, zone_of(call));
         })),
    body("make_timestamptz_at_timezone",
         lift([](int32_t y, int32_t mo, int32_t d, int32_t h, int32_t mi, double s,
                 std::string_view zone) -> Result<int64_t> {
           const int64_t local = TRY(make_timestamp(y, mo, d, h, mi, s));
           return shift_to_zone(zone, local, true);
         })),
    body("make_interval",
         lift([](int32_t y, int32_t mo, int32_t w, int32_t d, int32_t h, int32_t mi, double s) {
           return make_interval_of(y, mo, w, d, h, mi, s);
         })),
    body("timestamp_bin", lift([](const Interval& stride, int64_t v, int64_t origin) {
           return bin(stride, v, origin);
         })),
    body("timestamptz_bin", lift([](const Interval& stride, int64_t v, int64_t origin) {
           return bin(stride, v, origin);
         })),
    // Comparisons across types.
    SIX_MIXED("date", "timestamp", kDateTimestamp),
    SIX_MIXED("timestamp", "date", kTimestampDate),
    SIX_MIXED("date", "timestamptz", kDateTimestamptz),
    SIX_MIXED("timestamptz", "date", kTimestamptzDate),
    SIX_MIXED("timestamp", "timestamptz", kTimestampTimestamptz),
    SIX_MIXED("timestamptz", "timestamp", kTimestamptzTimestamp),
    body("date_cmp_timestamp",
         lift([](int32_t a, int64_t b) { return int32_t{date_order(a, b)}; })),
    body("timestamp_cmp_date",
         lift([](int64_t a, int32_t b) { return int32_t{-date_order(b, a)}; })),
    body("date_cmp_timestamptz",
         lift([](Call& call, int32_t a, int64_t b) { return int32_t{date_order_tz(call, a, b)}; })),
    body("timestamptz_cmp_date", lift([](Call& call, int64_t a, int32_t b) {
           return int32_t{-date_order_tz(call, b, a)};
         })),
    body("timestamp_cmp_timestamptz", lift([](Call& call, int64_t a, int64_t b) {
           return int32_t{timestamp_order_tz(call, a, b)};
         })),
    body("timestamptz_cmp_timestamp", lift([](Call& call, int64_t a, int64_t b) {
           return int32_t{-timestamp_order_tz(call, b, a)};
         })),
    body("overlaps_timestamp", kOverlaps<compare_words>),
    body("overlaps_time", kOverlaps<compare_words>),
    body("overlaps_timetz", kOverlaps<compare_timetz>),
}));

}  // namespace

std::span<const FunctionBody> date_time_functions() { return kTable; }

}  // namespace orrery
