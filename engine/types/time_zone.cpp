#include "types/time_zone.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/text.h"
#include "types/calendar.h"
#include "types/text_scan.h"
#include "types/time_zone_table.h"

namespace orrery {
namespace {

constexpr int64_t kDay = 86400;
constexpr int64_t kUnixEpochJulian = 2440588;

constexpr ZoneAbbreviation kAbbreviations[] = {
#define ZONE_ABBREVIATION(name, east, dst, zone) {name, east, dst, zone},
#include "types/time_zone_abbreviations.def"
#undef ZONE_ABBREVIATION
};
static_assert(std::is_sorted(std::begin(kAbbreviations), std::end(kAbbreviations),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

int year_of(int64_t time) {
  const int64_t julian = floor_divide(time, kDay) + kUnixEpochJulian;
  if (julian < 0 || julian > INT32_MAX) return julian < 0 ? -4713 : 5874897;
  return date_of_julian(static_cast<int32_t>(julian)).year;
}
int64_t start_of_day(int year, int month, int day) {
  return (julian_of_date(year, month, day) - kUnixEpochJulian) * kDay;
}

// Scans a POSIX TZ string.
class PosixScanner {
 public:
  explicit PosixScanner(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ == text_.size(); }
  bool accept(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Letters, or anything between < and >; at least three.
  bool name(char (&out)[24]) {
    const bool quoted = accept('<');
    const size_t start = at_;
    const auto ends = [&](char c) {
      return quoted ? c == '>' : is_digit(c) || c == ',' || c == '-' || c == '+';
    };
    while (!at_end() && !ends(text_[at_])) ++at_;
    const size_t length = at_ - start;
    if (length >= sizeof out) return false;
    std::memcpy(out, text_.data() + start, length);
    out[length] = '\0';
    return !quoted || accept('>');
  }
  bool number(int32_t& out, int32_t most) {
    if (at_end() || !is_digit(text_[at_])) return false;
    out = 0;
    while (!at_end() && is_digit(text_[at_])) {
      out = out * 10 + (text_[at_++] - '0');
      if (out > most) return false;
    }
    return true;
  }
  // [+-]hh[:mm[:ss]]
  bool time(int32_t& out) {
    const bool negative = accept('-');
    if (!negative) accept('+');
    int32_t hours = 0;
    int32_t minutes = 0;
    int32_t seconds = 0;
    if (!number(hours, 167)) return false;
    if (accept(':') && !number(minutes, 59)) return false;
    if (accept(':') && !number(seconds, 60)) return false;
    out = hours * 3600 + minutes * 60 + seconds;
    if (negative) out = -out;
    return true;
  }
  bool change(PosixRule::Change& out) {
    using Kind = PosixRule::Change::Kind;
    out = {};
    if (accept('J')) {
      out.kind = Kind::julian_without_leap;
      if (!number(out.day, 365) || out.day < 1) return false;
    } else if (accept('M')) {
      if (!number(out.month, 12) || out.month < 1 || !accept('.') || !number(out.week, 5) ||
          out.week < 1 || !accept('.') || !number(out.day, 6)) {
        return false;
      }
    } else {
      out.kind = Kind::day_of_year;
      if (!number(out.day, 365)) return false;
    }
    return !accept('/') || time(out.seconds);
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

// The moment of a change in a year, on local clocks before it.
int64_t local_change(const PosixRule::Change& change, int year) {
  using Kind = PosixRule::Change::Kind;
  const int64_t new_year = start_of_day(year, 1, 1);
  switch (change.kind) {
    case Kind::julian_without_leap: {
      const int leap = is_leap_year(year) && change.day >= 60;
      return new_year + (change.day - 1 + leap) * kDay + change.seconds;
    }
    case Kind::day_of_year:    return new_year + change.day * kDay + change.seconds;
    case Kind::month_week_day: {
      const int first = day_of_week(julian_of_date(year, change.month, 1));
      int day = 1 + (change.day - first + 7) % 7 + (change.week - 1) * 7;
      if (day > days_in_month(year, change.month)) day -= 7;
      return start_of_day(year, change.month, day) + change.seconds;
    }
  }
  UNREACHABLE();
}

}  // namespace

std::optional<PosixRule> PosixRule::parse(std::string_view text) {
  PosixRule rule;
  PosixScanner scan(text);
  int32_t west = 0;
  if (!scan.name(rule.standard) || !scan.time(west)) return std::nullopt;
  rule.standard_east = -west;
  if (scan.at_end()) return rule;
  if (!scan.name(rule.daylight) || rule.daylight[0] == '\0') return std::nullopt;
  rule.has_daylight = true;
  rule.daylight_east = rule.standard_east + 3600;
  if (!scan.at_end() && !scan.accept(',')) {
    if (!scan.time(west)) return std::nullopt;
    rule.daylight_east = -west;
    if (!scan.at_end() && !scan.accept(',')) return std::nullopt;
  }
  if (scan.at_end()) {  // the rule of the United States
    rule.start = {.day = 0, .week = 2, .month = 3};
    rule.end = {.day = 0, .week = 1, .month = 11};
    return rule;
  }
  if (!scan.change(rule.start) || !scan.accept(',') || !scan.change(rule.end) || !scan.at_end())
    return std::nullopt;
  return rule;
}

ZoneOffset PosixRule::at(int64_t time) const {
  const ZoneOffset plain{standard_east, false, standard};
  if (!has_daylight) return plain;
  const int year = year_of(time + standard_east);
  const int64_t starts = local_change(start, year) - standard_east;
  const int64_t ends = local_change(end, year) - daylight_east;
  const bool in_daylight =
      starts < ends ? time >= starts && time < ends : time >= starts || time < ends;
  return in_daylight ? ZoneOffset{daylight_east, true, daylight} : plain;
}

std::optional<int64_t> PosixRule::next_change(int64_t time) const {
  if (!has_daylight) return std::nullopt;
  std::optional<int64_t> next;
  const int year = year_of(time + standard_east);
  for (int y = year; y <= year + 1; ++y) {
    for (const int64_t change :
         {local_change(start, y) - standard_east, local_change(end, y) - daylight_east}) {
      if (change > time && (!next || change < *next)) next = change;
    }
  }
  return next;
}

TimeZone::TimeZone() {
  set_name("UTC");
  rule_ = *PosixRule::parse("UTC0");
  has_rule_ = true;
}

void TimeZone::set_name(std::string_view name) {
  name_length_ = std::min(name.size(), kNameBytes);
  std::memcpy(name_, name.data(), name_length_);
}

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  const auto folded_less = [](std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return lower_ascii(x) < lower_ascii(y);
    });
  };
  const std::span<const ZoneEntry> zones = zone_table();
  const auto at = std::lower_bound(
      zones.begin(), zones.end(), name,
      [&](const ZoneEntry& zone, std::string_view key) { return folded_less(zone.name, key); });
  TimeZone zone;
  if (at != zones.end() && equals_ignoring_case(at->name, name)) {
    zone.set_name(at->name);
    CHECK(zone.load(at->tzif));
    return zone;
  }
  if (name.size() > kNameBytes) return std::nullopt;
  const std::optional<PosixRule> rule = PosixRule::parse(to_upper(name));
  if (!rule) return std::nullopt;
  zone.set_name(to_upper(name));
  zone.rule_ = *rule;
  return zone;
}

TimeZone TimeZone::fixed(int32_t east_seconds) {
  const int32_t magnitude = std::abs(east_seconds);
  std::string digits = cat(magnitude / 3600 < 10 ? "0" : "", magnitude / 3600);
  if (magnitude % 3600 != 0) {
    const int32_t minutes = magnitude / 60 % 60;
    digits += cat(minutes < 10 ? ":0" : ":", minutes);
    if (const int32_t seconds = magnitude % 60; seconds != 0)
      digits += cat(seconds < 10 ? ":0" : ":", seconds);
  }
  const std::string name =
      cat("<", east_seconds < 0 ? "-" : "+", digits, ">", east_seconds < 0 ? "+" : "-", digits);
  TimeZone zone;
  zone.set_name(name);
  zone.rule_ = *PosixRule::parse(name);
  return zone;
}

// TZif: header of 44 bytes, transition times, type indexes, types of 6 bytes, abbreviations, leap
// seconds, indicators, then the rule between two newlines. The table is our own build's, but
// lengths are checked all the same.
bool TimeZone::load(std::string_view tzif) {
  if (tzif.size() < 44) return false;
  const auto count = [&](size_t i) { return load_be<uint32_t>(tzif.data() + 20 + 4 * i); };
  time_count_ = count(3);
  type_count_ = count(4);
  abbreviation_bytes_ = count(5);
  const size_t end = size_t{44} + time_count_ * 9 + type_count_ * 6 + abbreviation_bytes_ +
                     count(2) * 12 + count(1) + count(0);
  if (end + 2 > tzif.size() || type_count_ == 0) return false;
  times_ = tzif.data() + 44;
  indexes_ = times_ + time_count_ * 8;
  types_ = indexes_ + time_count_;
  abbreviations_ = types_ + type_count_ * 6;
  const std::string_view footer = tzif.substr(end + 1, tzif.size() - end - 2);
  has_rule_ = !footer.empty();
  if (has_rule_) {
    const std::optional<PosixRule> rule = PosixRule::parse(footer);
    if (!rule) return false;
    rule_ = *rule;
  }
  return true;
}

int64_t TimeZone::transition(uint32_t i) const { return load_be<int64_t>(times_ + size_t{i} * 8); }

uint32_t TimeZone::count_at_or_before(int64_t time) const {
  uint32_t low = 0;
  uint32_t high = time_count_;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (transition(middle) <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

ZoneOffset TimeZone::type(uint32_t i) const {
  const char* const at = types_ + size_t{i} * 6;
  return {load_be<int32_t>(at), at[4] != 0, abbreviations_ + static_cast<unsigned char>(at[5])};
}
ZoneOffset TimeZone::type_after(uint32_t i) const {
  return type(static_cast<unsigned char>(indexes_[i]));
}

ZoneOffset TimeZone::at(int64_t time) const {
  if (type_count_ == 0) return rule_.at(time);
  const uint32_t before = count_at_or_before(time);
  if (before == 0) return type(0);
  if (before == time_count_ && has_rule_) return rule_.at(time);
  return type_after(before - 1);
}

std::optional<int64_t> TimeZone::next_change(int64_t time) const {
  if (type_count_ == 0) return rule_.next_change(time);
  const uint32_t before = count_at_or_before(time);
  if (before < time_count_) return transition(before);
  return has_rule_ ? rule_.next_change(time) : std::nullopt;
}

ZoneOffset TimeZone::at_local(int64_t local) const {
  const int64_t day_before = local - kDay;
  const ZoneOffset before = at(day_before);
  const std::optional<int64_t> change = next_change(day_before);
  if (!change) return before;
  const ZoneOffset after = at(*change);
  const int64_t as_before = local - before.east_seconds;
  const int64_t as_after = local - after.east_seconds;
  if (as_before < *change && as_after < *change) return before;
  if (as_before > *change && as_after >= *change) return after;
  return as_before > as_after ? before : after;
}

std::optional<int32_t> TimeZone::constant_offset() const {
  const ZoneOffset first = at(INT64_MIN / 2);
  if (has_rule_ && rule_.has_daylight) return std::nullopt;
  if (type_count_ == 0 && rule_.has_daylight) return std::nullopt;
  for (uint32_t i = 0; i < type_count_; ++i) {
    if (type(i).east_seconds != first.east_seconds) return std::nullopt;
  }
  return first.east_seconds;
}

std::optional<ZoneOffset> TimeZone::abbreviation_at(std::string_view abbreviation,
                                                    int64_t time) const {
  const auto matches = [&](const ZoneOffset& offset) {
    return equals_ignoring_case(offset.abbreviation, abbreviation);
  };
  if (const ZoneOffset now = at(time); matches(now)) return now;
  if (has_rule_ || type_count_ == 0) {
    // In the years of the rule: its other half, if that has the name.
    const bool ruled = type_count_ == 0 || count_at_or_before(time) == time_count_;
    if (ruled && rule_.has_daylight) {
      const ZoneOffset standard{rule_.standard_east, false, rule_.standard};
      const ZoneOffset daylight{rule_.daylight_east, true, rule_.daylight};
      if (matches(standard)) return standard;
      if (matches(daylight)) return daylight;
    }
  }
  const uint32_t before = count_at_or_before(time);
  for (uint32_t i = before; i-- > 0;) {
    if (const ZoneOffset past = type_after(i); matches(past)) return past;
  }
  if (type_count_ > 0 && matches(type(0))) return type(0);
  for (uint32_t i = before; i < time_count_; ++i) {
    if (const ZoneOffset future = type_after(i); matches(future)) return future;
  }
  return std::nullopt;
}

const ZoneAbbreviation* find_zone_abbreviation(std::string_view name) {
  const ZoneAbbreviation* const at = std::lower_bound(
      std::begin(kAbbreviations), std::end(kAbbreviations), name,
      [](const ZoneAbbreviation& entry, std::string_view key) { return entry.name < key; });
  return at != std::end(kAbbreviations) && at->name == name ? at : nullptr;
}

}  // namespace orrery
