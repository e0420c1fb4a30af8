#include "types/date_time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "types/facts.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

TypeSettings settings_of(const std::string& date_style, const std::string& interval_style,
                         const TimeZone& zone) {
  TypeSettings settings;
  const std::string style = date_style.substr(0, date_style.find(','));
  settings.date_style = style == "ISO"      ? DateStyle::iso
                        : style == "SQL"    ? DateStyle::sql
                        : style == "German" ? DateStyle::german
                                            : DateStyle::postgres;
  settings.date_order = date_style.ends_with("DMY")   ? DateOrder::dmy
                        : date_style.ends_with("YMD") ? DateOrder::ymd
                                                      : DateOrder::mdy;
  settings.interval_style = interval_style == "postgres"           ? IntervalStyle::postgres
                            : interval_style == "postgres_verbose" ? IntervalStyle::postgres_verbose
                            : interval_style == "sql_standard"     ? IntervalStyle::sql_standard
                                                                   : IntervalStyle::iso_8601;
  settings.time_zone = &zone;
  return settings;
}

Oid type_named(std::string_view name) {
  for (const Oid oid : {type_oid::date, type_oid::time, type_oid::timetz, type_oid::timestamp,
                        type_oid::timestamptz, type_oid::interval}) {
    if (find_builtin_type(oid)->name == name) return oid;
  }
  return {};
}

TEST(DateTime, ReadsAndPrintsAsPostgreSQLInEveryStyle) {
  const TimeZone zone = *TimeZone::find("PST8PDT");
  Arena arena;
  int checked = 0;
  for (const Fact& fact : read_facts("testdata/date_time.facts")) {
    const TypeSettings settings = settings_of(fact[0], fact[1], zone);
    const Oid type = type_named(fact[2]);
    Result<Datum> value = input_value(arena, settings, type, fact[4], std::stoi(fact[3]));
    std::string got;
    if (value.ok()) {
      const Status status = output_value(arena, settings, type, *value, got);
      if (!status.ok()) got = error_fact(status);
    } else {
      got = error_fact(value.status());
    }
    EXPECT_EQ(got, fact.result()) << "date_time.facts:" << fact.line << " " << fact[0] << " "
                                  << fact[2] << " '" << fact[4] << "'";
    ++checked;
  }
  EXPECT_GT(checked, 1000);
}

TEST(TimeZone, KnowsHistoryTheRuleAfterItAndNamesInAnyCase) {
  const TimeZone zone = *TimeZone::find("europe/berlin");
  EXPECT_EQ(zone.name(), "Europe/Berlin");
  EXPECT_EQ(zone.at(-3000000000).east_seconds, 3208);  // local mean time
  EXPECT_EQ(zone.at(1300000000).abbreviation, "CET");
  EXPECT_EQ(zone.at(1310000000).abbreviation, "CEST");
  EXPECT_EQ(zone.at(4120000000).east_seconds, 7200);  // a summer after the table's end
  EXPECT_EQ(zone.at(4130000000 + 8 * 86400 * 7).is_dst, false);
  EXPECT_FALSE(TimeZone::find("Nowhere/At_All"));
  EXPECT_EQ(TimeZone::fixed(-8 * 3600).name(), "<-08>+08");
  EXPECT_EQ(TimeZone::fixed(5 * 3600 + 1800).at(0).east_seconds, 19800);
  EXPECT_EQ(TimeZone::find("FOO+3BAR")->at(1310000000).abbreviation, "BAR");
}

RC_GTEST_PROP(Calendar, JulianDaysAndDatesAreInverse, ()) {
  const int32_t julian = *rc::gen::inRange(0, 2147483494);
  const CalendarDate date = date_of_julian(julian);
  RC_ASSERT(julian_of_date(date.year, date.month, date.day) == julian);
  RC_ASSERT(date.day >= 1 && date.day <= days_in_month(date.year, date.month));
  const IsoWeek week = iso_week_of_date(date.year, date.month, date.day);
  RC_ASSERT(julian_of_iso_week(week.year, week.week) <= julian);
  RC_ASSERT(julian - julian_of_iso_week(week.year, week.week) < 7);
}

RC_GTEST_PROP(DateTimeProperty, WhatIsPrintedReadsBack, ()) {
  const TimeZone zone = *TimeZone::find(
      *rc::gen::element<std::string>("PST8PDT", "UTC", "Asia/Kolkata", "Australia/Lord_Howe"));
  const std::string style =
      *rc::gen::element<std::string>("ISO, MDY", "SQL, DMY", "Postgres, MDY", "German, DMY");
  const TypeSettings settings = settings_of(style, "postgres", zone);
  const auto timestamp = *rc::gen::inRange<int64_t>(kMinTimestamp, kTimestampEnd);
  std::string text;
  RC_ASSERT(append_timestamp(text, timestamp, settings).ok());
  RC_ASSERT(parse_timestamp(settings, text).value() == timestamp);
  text.clear();
  append_date(text, static_cast<int32_t>(timestamp / kMicrosPerDay), settings);
  RC_ASSERT(parse_date(settings, text).value() == static_cast<int32_t>(timestamp / kMicrosPerDay));
  if (style.starts_with("ISO") && timestamp > kMinTimestamp + kMicrosPerDay) {
    text.clear();
    RC_ASSERT(append_timestamptz(text, timestamp, settings).ok());
    RC_ASSERT(parse_timestamptz(settings, text).value() == timestamp);
  }
}

// A leading space sends the same text to the decoder.
RC_GTEST_PROP(DateTimeProperty, IsoTextReadsAsTheDecoderReadsIt, ()) {
  const TimeZone zone = *TimeZone::find("Australia/Lord_Howe");
  const TypeSettings settings = settings_of(
      *rc::gen::element<std::string>("ISO, MDY", "SQL, DMY", "German, YMD"), "postgres", zone);
  const auto number = [](int limit, int width) {
    std::string text = std::to_string(*rc::gen::inRange(0, limit));
    return std::string(width - std::min<size_t>(width, text.size()), '0') + text;
  };
  std::string text = number(10100, 4) + "-" + number(14, 2) + "-" + number(33, 2);
  const bool with_time = *rc::gen::arbitrary<bool>();
  if (with_time) text += " " + number(26, 2) + ":" + number(62, 2) + ":" + number(62, 2);
  if (with_time && *rc::gen::arbitrary<bool>())
    text += "." + number(10'000'000, *rc::gen::inRange(0, 8));
  const auto same = [&](auto read) {
    const auto fast = read(settings, text);
    const auto slow = read(settings, " " + text);
    RC_ASSERT(fast.ok() == slow.ok());
    if (fast.ok()) RC_ASSERT(fast.value() == slow.value());
  };
  same(parse_date);
  same(parse_timestamp);
  same(parse_timestamptz);
}

RC_GTEST_PROP(DateTimeProperty, IntervalsReadBackInEveryStyle, ()) {
  TypeSettings settings;
  settings.interval_style =
      *rc::gen::element(IntervalStyle::postgres, IntervalStyle::postgres_verbose,
                        IntervalStyle::sql_standard, IntervalStyle::iso_8601);
  const Interval value{*rc::gen::inRange<int64_t>(-1'000'000'000'000, 1'000'000'000'000),
                       *rc::gen::inRange(-10000, 10000), *rc::gen::inRange(-10000, 10000)};
  std::string text;
  append_interval(text, value, settings.interval_style);
  const Interval back = parse_interval(settings, text).value();
  RC_ASSERT(back.micros == value.micros);
  RC_ASSERT(back.days == value.days);
  RC_ASSERT(back.months == value.months);
}

}  // namespace
}  // namespace orrery
