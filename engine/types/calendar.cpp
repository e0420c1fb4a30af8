#include "types/calendar.h"

namespace orrery {

// Counting years from March puts the leap day at the end: months then have lengths (153 m + 2) / 5.
int32_t julian_of_date(int32_t year, int32_t month, int32_t day) {
  int64_t y = int64_t{year} + 4800;
  int64_t m = month;
  if (m > 2) {
    m += 1;
  } else {
    m += 13;
    y -= 1;
  }
  const int64_t century = y / 100;
  return static_cast<int32_t>(y * 365 - 32167 + y / 4 - century + century / 4 + 7834 * m / 256 +
                              day);
}

CalendarDate date_of_julian(int32_t julian) {
  // Days since 1 March of year -4800, by cycles of 400, 100, 4 and 1 years.
  int64_t days = int64_t{julian} + 32044;
  const int64_t cycle = days / 146097;
  days %= 146097;
  int64_t century = days / 36524;
  if (century == 4) century = 3;
  days -= century * 36524;
  const int64_t four = days / 1461;
  days %= 1461;
  int64_t year = days / 365;
  if (year == 4) year = 3;
  days -= year * 365;
  const int64_t month = (5 * days + 2) / 153;
  const int64_t day = days - (153 * month + 2) / 5 + 1;
  const int64_t y = cycle * 400 + century * 100 + four * 4 + year - 4800;
  return {static_cast<int32_t>(month >= 10 ? y + 1 : y),
          static_cast<int32_t>(month >= 10 ? month - 9 : month + 3), static_cast<int32_t>(day)};
}

int32_t julian_of_iso_week(int32_t year, int32_t week) {
  const int32_t fourth = julian_of_date(year, 1, 4);
  const int32_t monday = fourth - (day_of_week(fourth) + 6) % 7;
  return monday + (week - 1) * 7;
}

IsoWeek iso_week_of_date(int32_t year, int32_t month, int32_t day) {
  const int32_t julian = julian_of_date(year, month, day);
  int32_t iso_year = year;
  if (julian < julian_of_iso_week(year, 1)) {
    --iso_year;
  } else if (julian >= julian_of_iso_week(year + 1, 1)) {
    ++iso_year;
  }
  return {iso_year, (julian - julian_of_iso_week(iso_year, 1)) / 7 + 1};
}

}  // namespace orrery
