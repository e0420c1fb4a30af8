// Intervals times and over numbers: fractions of months spill into days, fractions of days into
// time.
#pragma once

#include "types/date_time.h"

namespace orrery {

Result<Interval> add_intervals(const Interval& a, const Interval& b);
Result<Interval> negate_interval(const Interval& value);
Result<Interval> multiply_interval(const Interval& value, double factor);
Result<Interval> divide_interval(const Interval& value, double divisor);
Status interval_out_of_range();

// The microsecond at which a date starts; infinities to infinities.
Result<int64_t> timestamp_of_date(int32_t date);
// The same, and the moment that is `timestamp` in a zone, as places in an order: what lies beyond
// the range of timestamps stands beside the infinity on its side, where no timestamp is.
int64_t place_of_date(int32_t date);
int64_t place_in_zone(int64_t timestamp, const TimeZone& zone);
// A moment some months, days and microseconds on; a day past the month's end is its last.
// Infinities stay.
Result<int64_t> timestamp_plus(int64_t timestamp, const Interval& span);
// Months and days count on local clocks.
Result<int64_t> timestamptz_plus(int64_t timestamp, const Interval& span, const TimeZone& zone);

}  // namespace orrery
