// to_date and to_timestamp: reads a text under a picture, field by field, then makes a moment of
// what the fields say together.
#include <charconv>
#include <climits>

#include "base/text.h"
#include "func/format_picture.h"
#include "types/date_time_decode.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

using enum PictureKey;

enum class Calendar : uint8_t { undecided, gregorian, iso_week };

// Fields as they were read; 0 is "not given".
struct Fields {
  Calendar calendar = Calendar::undecided;
  int32_t hour = 0, minute = 0, second = 0, second_of_day = 0;
  int32_t pm = 0, bc = 0;
  int32_t weekday = 0;  // 1 is Sunday
  int32_t day = 0, day_of_year = 0, month = 0, year = 0, week = 0, week_of_month = 0, century = 0,
          julian = 0;
  int32_t millis = 0, micros = 0;
  int32_t year_digits = 0;
  bool half_day_clock = false;
  int32_t zone_sign = 0, zone_hour = 0, zone_minute = 0;
  int32_t fraction_digits = 0;
};

// A year of fewer than four digits lies near 2020.
int32_t near_2020(int32_t year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  if (year < 1000) return year + 1000;
  return year;
}

Status invalid_value(std::string_view text, std::string_view field) {
  return raise(sqlstate::invalid_datetime_format,
               cat("invalid value \"", text, "\" for \"", field, "\""));
}

bool is_separator(char c) { return is_punct(c); }

class Reader {
 public:
  Reader(const std::vector<PictureNode>& nodes, std::string_view text)
      : nodes_(nodes), text_(text) {}

  Result<Fields> read() {
    for (at_node_ = 0; at_node_ < nodes_.size() && at_ < text_.size(); ++at_node_) {
      const PictureNode& node = nodes_[at_node_];
      if (!exact_ && node.key != exact && (node.is_field() || at_node_ == 0)) skip_spaces();
      if (node.kind == PictureNode::Kind::space || node.kind == PictureNode::Kind::separator) {
        match_separator();
        continue;
      }
      if (!node.is_field()) {
        match_text();
        continue;
      }
      TRY(read_field(node));
      if (!exact_) {
        extra_skipped_ = 0;
        skip_spaces();
      }
    }
    return fields_;
  }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) {
      ++at_;
      ++extra_skipped_;
    }
  }
  void skip_character() {
    if (at_ < text_.size()) at_ += utf8_step(text_, at_);
  }
  // A separator matches one separator or blank of the text, or nothing; under FX any character.
  void match_separator() {
    if (exact_) return skip_character();
    --extra_skipped_;
    if (at_ < text_.size() && (is_space(text_[at_]) || is_separator(text_[at_]))) {
      ++at_;
      ++extra_skipped_;
    }
  }
  // Text matches any character, which blanks skipped before may have been.
  void match_text() {
    if (!exact_ && extra_skipped_ > 0) {
      --extra_skipped_;
    } else {
      skip_character();
    }
  }
  void skip_ordinal(const PictureNode& node) {
    if (node.ordinal == 0) return;
    skip_character();
    skip_character();
  }

  Status set(int32_t& field, int32_t value, const PictureNode& node) {
    if (field != 0 && field != value) {
      return raise(sqlstate::invalid_datetime_format,
                   cat("conflicting values for \"", node.text, "\" field in formatting string"))
          .detail("This value contradicts a previous setting for the same field type.");
    }
    field = value;
    return {};
  }

  // Whether what follows in the picture cannot be a digit, so that a number may be of any length.
  bool number_may_run() const {
    const PictureNode& node = nodes_[at_node_];
    if (node.ordinal != 0 || at_node_ + 1 == nodes_.size()) return true;
    const PictureNode& next = nodes_[at_node_ + 1];
    if (next.is_field()) return !next.is_number;
    return !(next.text.size() == 1 && is_digit(next.text[0]));
  }

  // As strtol reads: blanks, a sign, digits. Returns where it ended, `from` if there was no number.
  static size_t scan_integer(std::string_view text, size_t from, int64_t* value, bool* overflow) {
    size_t at = from;
    while (at < text.size() && is_space(text[at])) ++at;
    bool negative = false;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
    if (at == text.size() || !is_digit(text[at])) return from;
    int64_t number = 0;
    for (; at < text.size() && is_digit(text[at]); ++at) {
      if (number <= INT64_C(1'000'000'000'000)) number = number * 10 + (text[at] - '0');
    }
    *value = negative ? -number : number;
    *overflow = *value > INT_MAX || *value < INT_MIN;
    return at;
  }

  // Returns how many characters were taken.
  Result<int32_t> read_number(const PictureNode& node, size_t width, int32_t* into) {
    const size_t start = at_;
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    int64_t value = 0;
    bool overflow = false;
    const std::string_view piece = text_.substr(at_, width);
    if (node.fill_mode || number_may_run()) {
      at_ = scan_integer(text_, start, &value, &overflow);
    } else {
      if (text_.size() - at_ < width) {
        return raise(sqlstate::invalid_datetime_format,
                     cat("source string too short for \"", node.text, "\" formatting field"))
            .detail(cat("Field requires ", width, " characters, but only ", text_.size() - at_,
                        " remain."))
            .hint("If your source string is not fixed-width, try using the \"FM\" modifier.");
      }
      const size_t used = scan_integer(piece, 0, &value, &overflow);
      if (used > 0 && used < width) {
        return invalid_value(piece, node.text)
            .detail(
                cat("Field requires ", width, " characters, but only ", used, " could be parsed."))
            .hint("If your source string is not fixed-width, try using the \"FM\" modifier.");
      }
      at_ += used;
    }
    if (at_ == start) {
      return invalid_value(piece, node.text).detail("Value must be an integer.");
    }
    if (overflow) {
      return raise(sqlstate::datetime_value_out_of_range,
                   cat("value for \"", node.text, "\" in source string is out of range"))
          .detail(cat("Value must be in the range ", INT_MIN, " to ", INT_MAX, "."));
    }
    if (into != nullptr) TRY(set(*into, static_cast<int32_t>(value), node));
    return static_cast<int32_t>(at_ - start);
  }
  Status read_plain(const PictureNode& node, size_t width, int32_t* into) {
    TRY(read_number(node, width, into));
    skip_ordinal(node);
    return {};
  }

  // The index of the first of `words` that the text goes on with, whatever its case.
  Result<int32_t> read_word(const PictureNode& node, std::span<const std::string_view> words,
                            size_t cut = std::string_view::npos) {
    for (size_t w = 0; w < words.size(); ++w) {
      const std::string_view word = words[w].substr(0, cut);
      if (!equals_ignoring_case(text_.substr(at_, word.size()), word)) continue;
      at_ += word.size();
      return static_cast<int32_t>(w);
    }
    const std::string_view rest = text_.substr(at_);
    size_t end = 0;
    while (end < rest.size() && !is_space(rest[end])) ++end;
    return invalid_value(rest.substr(0, end), node.text)
        .detail("The given value did not match any of the allowed values for this field.");
  }

  Status enter_calendar(PictureKey key) {
    Calendar wanted = Calendar::undecided;
    if (key == iso_day_of_year || key == iso_day || key == iso_week || key == iso_year)
      wanted = Calendar::iso_week;
    if (key == day_of_year || key == day || key == day_of_week || key == month ||
        key == month_name || key == month_short || key == roman_month || key == week ||
        key == week_of_month || key == year_comma || key == year) {
      wanted = Calendar::gregorian;
    }
    if (wanted == Calendar::undecided) return {};
    if (fields_.calendar != Calendar::undecided && fields_.calendar != wanted) {
      return raise(sqlstate::invalid_datetime_format, "invalid combination of date conventions")
          .hint("Do not mix Gregorian and ISO week date conventions in a formatting template.");
    }
    fields_.calendar = wanted;
    return {};
  }

  Status read_fraction(const PictureNode& node, int32_t width, int32_t* into) {
    const int32_t taken = TRY(read_number(node, static_cast<size_t>(width), into));
    const int32_t full = node.key == millisecond ? 3 : 6;
    for (int32_t i = taken; i < full; ++i) *into *= 10;
    skip_ordinal(node);
    return {};
  }
  Status read_zone_hour(const PictureNode& node) {
    if (text_[at_] == '+' || text_[at_] == '-' || text_[at_] == ' ') {
      fields_.zone_sign = text_[at_] == '-' ? -1 : 1;
      ++at_;
    } else {
      // The sign may have been taken for a separator.
      fields_.zone_sign = extra_skipped_ > 0 && text_[at_ - 1] == '-' ? -1 : 1;
    }
    TRY(read_number(node, 2, &fields_.zone_hour));
    return {};
  }
  Status read_year_with_comma(const PictureNode& node) {
    int64_t thousands = 0;
    bool overflow = false;
    size_t at = scan_integer(text_, at_, &thousands, &overflow);
    const size_t comma = at;
    if (at == at_ || overflow || comma >= text_.size() || text_[comma] != ',' ||
        comma + 1 >= text_.size() || !is_digit(text_[comma + 1])) {
      return raise(sqlstate::invalid_datetime_format, "invalid input string for \"Y,YYY\"");
    }
    int32_t rest = 0;
    for (at = comma + 1; at < text_.size() && at < comma + 4 && is_digit(text_[at]); ++at)
      rest = rest * 10 + (text_[at] - '0');
    at_ = at;
    fields_.year_digits = 4;
    TRY(set(fields_.year, static_cast<int32_t>(thousands * 1000) + rest, node));
    skip_ordinal(node);
    return {};
  }
  Status read_year(const PictureNode& node) {
    const int32_t taken = TRY(read_number(node, static_cast<size_t>(node.digits), &fields_.year));
    if (node.digits < 4 && taken < 4) fields_.year = near_2020(fields_.year);
    fields_.year_digits = node.digits;
    skip_ordinal(node);
    return {};
  }
  Status read_name(const PictureNode& node) {
    constexpr std::string_view kHalves[] = {"am", "pm"}, kDottedHalves[] = {"a.m.", "p.m."};
    constexpr std::string_view kEras[] = {"ad", "bc"}, kDottedEras[] = {"a.d.", "b.c."};
    if (node.key == am || node.key == am_dots) {
      const int32_t half =
          TRY(read_word(node, node.key == am ? std::span(kHalves) : kDottedHalves));
      fields_.half_day_clock = true;
      return set(fields_.pm, half, node);
    }
    if (node.key == ad || node.key == ad_dots) {
      const int32_t era = TRY(read_word(node, node.key == ad ? std::span(kEras) : kDottedEras));
      return set(fields_.bc, era, node);
    }
    if (node.key == day_name || node.key == day_short) {
      const size_t cut = node.key == day_short ? 3 : std::string_view::npos;
      const int32_t found = TRY(read_word(node, kDayNames, cut));
      return set(fields_.weekday, found + 1, node);
    }
    if (node.key == roman_month) {
      const int32_t found = TRY(read_word(node, kRomanMonths));
      return set(fields_.month, 12 - found, node);
    }
    const size_t cut = node.key == month_short ? 3 : std::string_view::npos;
    const int32_t found = TRY(read_word(node, kMonthNames, cut));
    return set(fields_.month, found + 1, node);
  }

  Status read_field(const PictureNode& node) {
    TRY(enter_calendar(node.key));
    switch (node.key) {
      case none:        return {};
      case exact:       exact_ = true; return {};
      case am:
      case am_dots:
      case ad:
      case ad_dots:
      case day_name:
      case day_short:
      case month_name:
      case month_short:
      case roman_month: return read_name(node);
      case hour12:
        TRY(read_plain(node, 2, &fields_.hour));
        fields_.half_day_clock = true;
        return {};
      case hour24:             return read_plain(node, 2, &fields_.hour);
      case PictureKey::minute: return read_plain(node, 2, &fields_.minute);
      case PictureKey::second: return read_plain(node, 2, &fields_.second);
      case PictureKey::second_of_day:
        return read_plain(node, node.text.size(), &fields_.second_of_day);
      case millisecond: return read_fraction(node, 3, &fields_.millis);
      case fraction:
        fields_.fraction_digits = node.digits;
        return read_fraction(node, node.digits, &fields_.micros);
      case microsecond: return read_fraction(node, 6, &fields_.micros);
      case zone_name:
      case zone_offset:
        return raise(sqlstate::feature_not_supported,
                     cat("formatting field \"", node.text, "\" is only supported in to_char"));
      case PictureKey::zone_hour: return read_zone_hour(node);
      case PictureKey::zone_minute:
        if (fields_.zone_sign == 0) fields_.zone_sign = 1;
        TRY(read_number(node, 2, &fields_.zone_minute));
        return {};
      case PictureKey::month:       return read_plain(node, 2, &fields_.month);
      case PictureKey::day:         return read_plain(node, 2, &fields_.day);
      case PictureKey::day_of_year:
      case iso_day_of_year:         return read_plain(node, 3, &fields_.day_of_year);
      case PictureKey::day_of_week: return read_plain(node, 1, &fields_.weekday);
      case iso_day:
        TRY(read_number(node, 1, &fields_.weekday));
        fields_.weekday = fields_.weekday >= 7 ? 1 : fields_.weekday + 1;  // Sunday comes first
        skip_ordinal(node);
        return {};
      case PictureKey::week:
      case iso_week:                  return read_plain(node, 2, &fields_.week);
      case quarter:                   return read_plain(node, 1, nullptr);  // tells no day
      case PictureKey::century:       return read_plain(node, 2, &fields_.century);
      case year_comma:                return read_year_with_comma(node);
      case PictureKey::year:
      case iso_year:                  return read_year(node);
      case PictureKey::week_of_month: return read_plain(node, 1, &fields_.week_of_month);
      case PictureKey::julian:        return read_plain(node, 1, &fields_.julian);
    }
    UNREACHABLE();
  }

  const std::vector<PictureNode>& nodes_;
  const std::string_view text_;
  size_t at_node_ = 0;
  size_t at_ = 0;
  int extra_skipped_ = 0;  // blanks and separators beyond those of the picture
  bool exact_ = false;     // after FX
  Fields fields_;
};

// Which of year, month and day are known.
struct Known {
  bool year = false, month = false, day = false;
  void all() { year = month = day = true; }
};

Status set_clock(const Fields& f, DateTimeParts& t) {
  if (f.second_of_day != 0) {
    t.hour = f.second_of_day / 3600;
    t.minute = f.second_of_day % 3600 / 60;
    t.second = f.second_of_day % 60;
  }
  if (f.second != 0) t.second = f.second;
  if (f.minute != 0) t.minute = f.minute;
  if (f.hour != 0) t.hour = f.hour;
  if (!f.half_day_clock) return {};
  if (t.hour < 1 || t.hour > 12) {
    return raise(sqlstate::invalid_datetime_format,
                 cat("hour \"", t.hour, "\" is invalid for the 12-hour clock"))
        .hint("Use the 24-hour clock, or give an hour between 1 and 12.");
  }
  if (f.pm != 0 && t.hour < 12) t.hour += 12;
  if (f.pm == 0 && t.hour == 12) t.hour = 0;
  return {};
}

// Year 0 is 1 BC. A century with two digits of a year: the 21st runs from 2001 to 2100.
void set_year(const Fields& f, DateTimeParts& t, Known& known) {
  const int32_t century = f.bc != 0 ? -f.century : f.century;
  if (f.year != 0) {
    if (century != 0 && f.year_digits <= 2) {
      const int32_t of_century = f.year % 100;
      if (of_century == 0) {
        t.year = century * 100 + (century >= 0 ? 0 : 1);
      } else if (century >= 0) {
        t.year = of_century + (century - 1) * 100;
      } else {
        t.year = (century + 1) * 100 - of_century + 1;
      }
    } else {
      t.year = f.bc != 0 ? -f.year : f.year;
      if (t.year < 0) ++t.year;
    }
    known.year = true;
  } else if (century != 0) {
    t.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    known.year = true;
  }
}

void set_date(DateTimeParts& t, int32_t julian_day, Known& known) {
  const CalendarDate date = date_of_julian(julian_day);
  t.year = date.year;
  t.month = date.month;
  t.day = date.day;
  known.all();
}

Status set_day_of_year(const Fields& f, DateTimeParts& t, Known& known) {
  if (t.year == 0 && f.bc == 0) {
    return raise(sqlstate::invalid_datetime_format,
                 "cannot calculate day of year without year information");
  }
  if (f.calendar == Calendar::iso_week) {
    set_date(t, julian_of_iso_week(t.year, 1) - 1 + f.day_of_year, known);
    return {};
  }
  int32_t before = 0;
  int32_t in_month = 1;
  while (in_month <= 12 && f.day_of_year > before + days_in_month(t.year, in_month)) {
    before += days_in_month(t.year, in_month);
    ++in_month;
  }
  if (t.month <= 1) t.month = in_month;
  if (t.day <= 1) t.day = f.day_of_year - before;
  known.month = known.day = true;
  return {};
}

bool is_valid(const DateTimeParts& t, const Known& known) {
  if (known.month && (t.month < 1 || t.month > 12)) return false;
  if (known.day && (t.day < 1 || t.day > 31)) return false;
  if (known.year && known.month && known.day && t.day > days_in_month(t.year, t.month))
    return false;
  return t.hour >= 0 && t.hour < 24 && t.minute >= 0 && t.minute < 60 && t.second >= 0 &&
         t.second < 60 && t.micros >= 0 && t.micros < kMicrosPerSecond;
}

}  // namespace

Result<ReadTime> read_date_time(std::string_view picture, std::string_view text) {
  const std::vector<PictureNode> nodes = parse_date_picture(picture);
  Fields f = TRY(Reader(nodes, text).read());
  ReadTime out;
  DateTimeParts& t = out.parts;
  t.month = t.day = 1;
  Known known;
  TRY(set_clock(f, t));
  set_year(f, t, known);
  if (f.julian != 0) set_date(t, f.julian, known);
  if (f.week != 0 && f.calendar == Calendar::iso_week) {
    const int32_t monday = julian_of_iso_week(t.year, f.week);
    const int32_t past = f.weekday == 0 ? 0 : f.weekday > 1 ? f.weekday - 2 : 6;
    set_date(t, monday + past, known);
  } else if (f.week != 0) {
    f.day_of_year = (f.week - 1) * 7 + 1;
  }
  if (f.week_of_month != 0) f.day = (f.week_of_month - 1) * 7 + 1;
  if (f.day != 0) {
    t.day = f.day;
    known.day = true;
  }
  if (f.month != 0) {
    t.month = f.month;
    known.month = true;
  }
  if (f.day_of_year != 0 && (t.month <= 1 || t.day <= 1)) TRY(set_day_of_year(f, t, known));
  const int64_t micros = int64_t{f.millis} * 1000 + f.micros;
  const bool whole_second = micros >= 0 && micros < kMicrosPerSecond;
  t.micros = whole_second ? static_cast<int32_t>(micros) : -1;
  const bool zone_fits =
      f.zone_hour >= 0 && f.zone_hour <= 15 && f.zone_minute >= 0 && f.zone_minute < 60;
  if (!is_valid(t, known) || !zone_fits)
    return decode_status(DecodeError::field_overflow, text, "timestamp");
  out.has_zone = f.zone_sign != 0;
  t.west_seconds = -f.zone_sign * (f.zone_hour * 3600 + f.zone_minute * 60);
  out.fraction_digits = f.fraction_digits;
  return out;
}

}  // namespace orrery
