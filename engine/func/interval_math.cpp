#include "func/interval_math.h"

#include <cmath>

namespace orrery {
namespace {

constexpr double kDaysPerMonth = 30;
constexpr double kSecondsPerDay = 86400;

// To microseconds, so that what follows compares as it prints.
double to_micros(double seconds) { return std::rint(seconds * 1e6) / 1e6; }
bool fits_int32(double v) { return v <= INT32_MAX && v >= INT32_MIN && !std::isnan(v); }

// Months * factor and days * factor in doubles; `micros` has been scaled already.
Result<Interval> scaled(double months, double days, double micros) {
  if (!fits_int32(months) || !fits_int32(days)) return interval_out_of_range();
  Interval result;
  result.months = static_cast<int32_t>(months);
  result.days = static_cast<int32_t>(days);
  double month_days = to_micros((months - result.months) * kDaysPerMonth);
  double seconds =
      to_micros((days - result.days + month_days - static_cast<int>(month_days)) * kSecondsPerDay);
  // A whole day hidden by the cascade of roundings.
  if (std::fabs(seconds) >= kSecondsPerDay) {
    const auto whole = static_cast<int32_t>(seconds / kSecondsPerDay);
    if (__builtin_add_overflow(result.days, whole, &result.days)) return interval_out_of_range();
    seconds -= whole * kSecondsPerDay;
  }
  if (__builtin_add_overflow(result.days, static_cast<int32_t>(month_days), &result.days))
    return interval_out_of_range();
  const double total = std::rint(micros + seconds * 1e6);
  if (std::isnan(total) || total < -9223372036854775808.0 || total >= 9223372036854775808.0)
    return interval_out_of_range();
  result.micros = static_cast<int64_t>(total);
  return result;
}

// The date that lies `months` on.
Result<DateTimeParts> shift_months(DateTimeParts parts, int32_t months) {
  int64_t month = int64_t{parts.month} + months;
  int64_t year = parts.year;
  if (month > 12) {
    year += (month - 1) / 12;
    month = (month - 1) % 12 + 1;
  } else if (month < 1) {
    year += month / 12 - 1;
    month = month % 12 + 12;
  }
  if (year > 5874898 || year < -4714) return timestamp_out_of_range();
  parts.year = static_cast<int32_t>(year);
  parts.month = static_cast<int32_t>(month);
  parts.day = std::min(parts.day, days_in_month(parts.year, parts.month));
  return parts;
}

}  // namespace

Status interval_out_of_range() {
  return raise(sqlstate::datetime_value_out_of_range, "interval out of range");
}

Result<Interval> add_intervals(const Interval& a, const Interval& b) {
  Interval sum;
  if (__builtin_add_overflow(a.micros, b.micros, &sum.micros) ||
      __builtin_add_overflow(a.days, b.days, &sum.days) ||
      __builtin_add_overflow(a.months, b.months, &sum.months)) {
    return interval_out_of_range();
  }
  return sum;
}

Result<Interval> negate_interval(const Interval& v) {
  if (v.micros == INT64_MIN || v.days == INT32_MIN || v.months == INT32_MIN)
    return interval_out_of_range();
  return Interval{-v.micros, -v.days, -v.months};
}

Result<Interval> multiply_interval(const Interval& v, double factor) {
  return scaled(v.months * factor, v.days * factor, static_cast<double>(v.micros) * factor);
}
Result<Interval> divide_interval(const Interval& v, double divisor) {
  if (divisor == 0) return raise(sqlstate::division_by_zero, "division by zero");
  return scaled(v.months / divisor, v.days / divisor, static_cast<double>(v.micros) / divisor);
}

Result<int64_t> timestamp_of_date(int32_t date) {
  if (date == kDateInfinity) return kTimestampInfinity;
  if (date == kDateMinusInfinity) return kTimestampMinusInfinity;
  int64_t result = 0;
  if (__builtin_mul_overflow(int64_t{date}, kMicrosPerDay, &result) || result >= kTimestampEnd) {
    return raise(sqlstate::datetime_value_out_of_range, "date out of range for timestamp");
  }
  return result;
}

int64_t place_of_date(int32_t date) {
  const Result<int64_t> start = timestamp_of_date(date);
  return start.ok() ? start.value() : kTimestampInfinity - 1;  // dates begin where timestamps do
}
int64_t place_in_zone(int64_t timestamp, const TimeZone& zone) {
  if (!is_valid_timestamp(timestamp)) return timestamp;
  const Result<int64_t> utc = timestamp_to_timestamptz(timestamp, zone);
  if (utc.ok()) return utc.value();
  return timestamp > 0 ? kTimestampInfinity - 1 : kTimestampMinusInfinity + 1;
}

Result<int64_t> timestamp_plus(int64_t timestamp, const Interval& span) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  if (span.months != 0) {
    const DateTimeParts parts = TRY(shift_months(parts_of_timestamp(timestamp), span.months));
    const std::optional<int64_t> shifted = timestamp_of_parts(parts);
    if (!shifted) return timestamp_out_of_range();
    timestamp = *shifted;
  }
  int64_t days = 0;
  if (__builtin_mul_overflow(int64_t{span.days}, kMicrosPerDay, &days) ||
      __builtin_add_overflow(timestamp, days, &timestamp) || !is_valid_timestamp(timestamp) ||
      __builtin_add_overflow(timestamp, span.micros, &timestamp) ||
      !is_valid_timestamp(timestamp)) {
    return timestamp_out_of_range();
  }
  return timestamp;
}

Result<int64_t> timestamptz_plus(int64_t timestamp, const Interval& span, const TimeZone& zone) {
  if (is_infinite_timestamp(timestamp)) return timestamp;
  const auto to_utc = [&](const DateTimeParts& parts) -> Result<int64_t> {
    const std::optional<int64_t> local = timestamp_of_parts(parts);
    if (!local) return timestamp_out_of_range();
    return *local + west_seconds_at(parts, zone) * kMicrosPerSecond;
  };
  if (span.months != 0) {
    const DateTimeParts parts =
        TRY(shift_months(parts_of_timestamptz(timestamp, zone), span.months));
    timestamp = TRY(to_utc(parts));
  }
  if (span.days != 0) {
    DateTimeParts parts = parts_of_timestamptz(timestamp, zone);
    const int64_t julian = int64_t{julian_of_date(parts.year, parts.month, parts.day)} + span.days;
    if (julian < 0 || julian > INT32_MAX) return timestamp_out_of_range();
    const CalendarDate date = date_of_julian(static_cast<int32_t>(julian));
    parts.year = date.year;
    parts.month = date.month;
    parts.day = date.day;
    timestamp = TRY(to_utc(parts));
  }
  if (__builtin_add_overflow(timestamp, span.micros, &timestamp) || !is_valid_timestamp(timestamp))
    return timestamp_out_of_range();
  return timestamp;
}

}  // namespace orrery
