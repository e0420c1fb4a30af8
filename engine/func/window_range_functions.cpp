// in_range: whether a row's value lies within an offset of another row's, for RANGE frames over
// dates, times and floats. (Integers and numerics have theirs beside their arithmetic.)
#include <cmath>

#include "func/interval_math.h"
#include "func/lift.h"

namespace orrery {
namespace {

Status bad_offset() {
  return raise(sqlstate::invalid_preceding_or_following_size,
               "invalid preceding or following size in window function");
}

int order_of(const Interval& a, const Interval& b) {
  return compare_interval(Datum::of(static_cast<const void*>(&a)),
                          Datum::of(static_cast<const void*>(&b)));
}

template <class T>
bool within(T value, T bound, bool less) {
  return less ? value <= bound : value >= bound;
}

// The offset as it is added; 22013 when it is negative.
Result<Interval> signed_offset(const Interval& offset, bool subtract) {
  if (order_of(offset, Interval{}) < 0) return bad_offset();
  return subtract ? negate_interval(offset) : offset;
}

Result<bool> timestamp_in_range(int64_t value, int64_t base, const Interval& offset, bool subtract,
                                bool less) {
  const Interval by = TRY(signed_offset(offset, subtract));
  const int64_t bound = TRY(timestamp_plus(base, by));
  return within(value, bound, less);
}

// Months and days of the offset do not count, and the bound does not wrap around midnight. False
// where it lies past every time.
Result<bool> time_bound(int64_t base, const Interval& offset, bool subtract, int64_t& bound) {
  if (offset.micros < 0) return bad_offset();
  if (subtract) {
    bound = base - offset.micros;
    return true;
  }
  return !__builtin_add_overflow(base, offset.micros, &bound);
}

template <class T>
constexpr Kernel kFloatInRange =
    lift([](T value, T base, double offset, bool subtract, bool less) -> Result<bool> {
      if (std::isnan(offset) || offset < 0) return bad_offset();
      if (std::isnan(value)) return std::isnan(base) ? true : !less;
      if (std::isnan(base)) return less;
      const double from = base;
      // An infinite step back from the end it came to reaches everything.
      if (std::isinf(offset) && std::isinf(from) && (subtract ? from > 0 : from < 0)) return true;
      return within<double>(value, subtract ? from - offset : from + offset, less);
    });

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("in_range_date_interval", lift([](int32_t value, int32_t base, const Interval& offset,
                                           bool subtract, bool less) -> Result<bool> {
           const int64_t from = TRY(timestamp_of_date(base));
           const int64_t at = TRY(timestamp_of_date(value));
           return timestamp_in_range(at, from, offset, subtract, less);
         })),
    body("in_range_timestamp_interval",
         lift([](int64_t value, int64_t base, const Interval& offset, bool subtract, bool less) {
           return timestamp_in_range(value, base, offset, subtract, less);
         })),
    body("in_range_timestamptz_interval",
         lift([](Call& call, int64_t value, int64_t base, const Interval& offset, bool subtract,
                 bool less) -> Result<bool> {
           const Interval by = TRY(signed_offset(offset, subtract));
           const int64_t bound = TRY(timestamptz_plus(base, by, session_zone(call.settings())));
           return within(value, bound, less);
         })),
    body("in_range_interval_interval",
         lift([](const Interval& value, const Interval& base, const Interval& offset, bool subtract,
                 bool less) -> Result<bool> {
           const Interval by = TRY(signed_offset(offset, subtract));
           const Interval bound = TRY(add_intervals(base, by));
           return within(order_of(value, bound), 0, less);
         })),
    body("in_range_time_interval", lift([](int64_t value, int64_t base, const Interval& offset,
                                           bool subtract, bool less) -> Result<bool> {
           int64_t bound = 0;
           const bool bounded = TRY(time_bound(base, offset, subtract, bound));
           return bounded ? within(value, bound, less) : less;
         })),
    body("in_range_timetz_interval",
         lift([](const TimeTz& value, const TimeTz& base, const Interval& offset, bool subtract,
                 bool less) -> Result<bool> {
           TimeTz bound = base;
           const bool bounded = TRY(time_bound(base.micros, offset, subtract, bound.micros));
           if (!bounded) return less;
           const int order = compare_timetz(Datum::of(static_cast<const void*>(&value)),
                                            Datum::of(static_cast<const void*>(&bound)));
           return within(order, 0, less);
         })),
    body("in_range_float8_float8", kFloatInRange<double>),
    body("in_range_float4_float8", kFloatInRange<float>),
}));

}  // namespace

std::span<const FunctionBody> window_range_functions() { return kTable; }

}  // namespace orrery
