// The proleptic Gregorian calendar by Julian day numbers: day 0 is 24 November 4714 BC. Year 0 is 1
// BC, -1 is 2 BC.
#pragma once

#include <cstdint>

namespace orrery {

struct CalendarDate {
  int32_t year = 0;
  int32_t month = 0;  // 1..12
  int32_t day = 0;    // 1..31
};

// Valid from Julian day 0; months and days past their range count on.
int32_t julian_of_date(int32_t year, int32_t month, int32_t day);
CalendarDate date_of_julian(int32_t julian);

constexpr bool is_leap_year(int32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
constexpr int32_t days_in_month(int32_t year, int32_t month) {
  constexpr int32_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}
// 0 is Sunday.
constexpr int32_t day_of_week(int32_t julian) {
  const int32_t day = (julian + 1) % 7;
  return day < 0 ? day + 7 : day;
}
inline int32_t day_of_year(int32_t year, int32_t month, int32_t day) {
  return julian_of_date(year, month, day) - julian_of_date(year, 1, 1) + 1;
}

// ISO 8601 weeks: Monday to Sunday; week 1 holds 4 January.
struct IsoWeek {
  int32_t year;
  int32_t week;
};
IsoWeek iso_week_of_date(int32_t year, int32_t month, int32_t day);
int32_t julian_of_iso_week(int32_t year, int32_t week);  // its Monday

}  // namespace orrery
