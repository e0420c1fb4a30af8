// Time zones: offsets from UTC as history has them, from embedded tzdata [RFC 8536], and by rule
// (POSIX TZ strings, as "EST5EDT" or "<+0330>-3:30") for the years after and for zones that users
// write themselves.
//
// A TimeZone is a small value over constant data: copying costs nothing, nothing is cached, nothing
// is shared. Offsets are seconds east of UTC, times are seconds since 1970-01-01 00:00 UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orrery {

struct ZoneOffset {
  int32_t east_seconds = 0;
  bool is_dst = false;
  std::string_view abbreviation;  // points into the zone
};

// "EST5EDT,M3.2.0,M11.1.0": standard time, and daylight saving time between two moments of each
// year.
struct PosixRule {
  struct Change {
    enum class Kind : uint8_t {
      julian_without_leap,
      day_of_year,
      month_week_day
    } kind = Kind::month_week_day;
    int32_t day = 0, week = 0, month = 0;
    int32_t seconds = 7200;  // local time of day
  };
  char standard[24] = {};
  char daylight[24] = {};
  int32_t standard_east = 0;
  int32_t daylight_east = 0;
  bool has_daylight = false;
  Change start, end;

  static std::optional<PosixRule> parse(std::string_view text);
  ZoneOffset at(int64_t time) const;
  // The first change after `time`; nullopt without daylight saving time.
  std::optional<int64_t> next_change(int64_t time) const;
};

class TimeZone {
 public:
  TimeZone();  // UTC
  // By name, ignoring case; else as a POSIX TZ string.
  static std::optional<TimeZone> find(std::string_view name);
  // What SET TIME ZONE makes of a number: named as "<-08>+08".
  static TimeZone fixed(int32_t east_seconds);

  ZoneOffset at(int64_t time) const;
  // The offset in force when local clocks show `local`. Of a moment that does not exist (clocks
  // went forward) the offset before the change is taken, of one that came twice the offset after
  // it, as PostgreSQL does.
  ZoneOffset at_local(int64_t local) const;
  // The first change after `time`.
  std::optional<int64_t> next_change(int64_t time) const;
  // Set if the zone never had but one offset.
  std::optional<int32_t> constant_offset() const;
  // What `abbreviation` (any case) meant around `time` here: in use then, or latest before, or
  // first after.
  std::optional<ZoneOffset> abbreviation_at(std::string_view abbreviation, int64_t time) const;
  std::string_view name() const { return {name_, name_length_}; }

 private:
  static constexpr size_t kNameBytes = 64;
  void set_name(std::string_view name);
  bool load(std::string_view tzif);
  int64_t transition(uint32_t i) const;
  uint32_t count_at_or_before(int64_t time) const;
  ZoneOffset type(uint32_t i) const;
  ZoneOffset type_after(uint32_t i) const;  // of transition i

  char name_[kNameBytes] = {};
  size_t name_length_ = 0;
  const char* times_ = nullptr;  // big-endian int64
  const char* indexes_ = nullptr;
  const char* types_ = nullptr;
  const char* abbreviations_ = nullptr;
  uint32_t time_count_ = 0;
  uint32_t type_count_ = 0;
  uint32_t abbreviation_bytes_ = 0;
  PosixRule rule_;
  bool has_rule_ = false;
};

// The abbreviation set "Default". `zone` names where it must be looked up by date; empty where the
// offset is fixed.
struct ZoneAbbreviation {
  std::string_view name;  // lower case
  int32_t east_seconds;
  bool is_dst;
  std::string_view zone;
};
const ZoneAbbreviation* find_zone_abbreviation(std::string_view lower_case_name);

}  // namespace orrery
