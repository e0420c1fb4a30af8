#include "types/date_time_decode.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "types/float_types.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

using enum DecodeError;

// Decodes one text; a method a shape of field. Everything found so far is in `parts_` and `seen_`.
class Decoder {
 public:
  Decoder(const TypeSettings& settings, std::vector<DateTimeField>& fields, bool with_zone,
          bool time_only, DecodedDateTime& out)
      : settings_(settings),
        fields_(fields),
        with_zone_(with_zone),
        time_only_(time_only),
        out_(out),
        parts_(out.parts) {}

  DecodeError run() {
    for (i_ = 0; i_ < fields_.size(); ++i_) {
      mask_ = 0;
      skip_ = false;
      if (const DecodeError error = decode_field(fields_[i_]); error != none) return error;
      if (skip_) continue;
      if ((mask_ & seen_) != 0) return bad_format;
      seen_ |= mask_;
    }
    if (const DecodeError error = validate_date(); error != none) return error;
    if (const DecodeError error = apply_am_pm(); error != none) return error;
    return time_only_ ? finish_time() : finish_date_time();
  }

 private:
  bool has(uint32_t bits) const { return (seen_ & bits) == bits; }

  DecodeError decode_field(DateTimeField& field) {
    switch (field.shape) {
      case FieldShape::date:
        return time_only_ ? date_field_of_time(field.text) : date_field(field.text);
      case FieldShape::time:
        if (label_ != Unit::none) {
          if (label_ != Unit::time) return bad_format;
          label_ = Unit::none;
        }
        return clock(field.text);
      case FieldShape::zone: {
        if (!with_zone_) return bad_format;
        mask_ = field_bit::zone;
        return decode_zone_displacement(field.text, parts_.west_seconds);
      }
      case FieldShape::number:
        if (label_ != Unit::none) return labelled_number(field.text);
        return time_only_ ? number_of_time(field.text) : number(field.text);
      case FieldShape::word:
      case FieldShape::special: return word(field.text);
    }
    UNREACHABLE();
  }

  // A date, unless there is one: then a zone's name, or a time run together with a displacement.
  DecodeError date_field(std::string& text) {
    if (label_ == Unit::julian) {  // J2451187-08
      if (!with_zone_) return bad_format;
      label_ = Unit::none;
      size_t at = 0;
      int64_t julian = 0;
      if (parse_int_prefix(text, at, julian) != none || julian < 0 || julian > INT32_MAX)
        return field_overflow;
      set_julian(julian);
      if (const DecodeError error = decode_zone_displacement(text.substr(at), parts_.west_seconds);
          error != none)
        return error;
      mask_ = field_bit::date | field_bit::time | field_bit::zone;
      parts_.hour = parts_.minute = parts_.second = 0;
      return none;
    }
    if (label_ == Unit::none && !has(field_bit::month | field_bit::day)) return date(text);
    if (!with_zone_) return bad_format;
    if (!is_digit(text[0]) && label_ == Unit::none) return named_zone(text);
    if (label_ != Unit::none) {
      if (label_ != Unit::time) return bad_format;
      label_ = Unit::none;
    }
    if (has(field_bit::time)) return bad_format;
    return time_with_zone(text, seen_);
  }

  DecodeError date_field_of_time(std::string& text) {
    if (!with_zone_) return bad_format;
    if (i_ == 0 && fields_.size() >= 2 &&
        (fields_.back().shape == FieldShape::date || fields_[1].shape == FieldShape::time)) {
      return date(text);
    }
    if (!is_digit(text[0])) return named_zone(text);
    if (has(field_bit::time)) return bad_format;
    return time_with_zone(text, seen_ | field_bit::date);
  }

  DecodeError time_with_zone(std::string& text, uint32_t seen) {
    const size_t sign = text.find('-');
    if (sign == std::string::npos) return bad_format;
    if (const DecodeError error =
            decode_zone_displacement(std::string_view(text).substr(sign), parts_.west_seconds);
        error != none) {
      return error;
    }
    text.resize(sign);
    if (const DecodeError error = run_together(text, seen); error != none) return error;
    mask_ |= field_bit::zone;
    return none;
  }

  DecodeError named_zone(std::string_view text) {
    zone_ = TimeZone::find(text);
    if (!zone_) {
      out_.bad_zone = text;
      return unknown_zone;
    }
    mask_ = field_bit::zone;
    return none;
  }

  // year-month-day in any order, a month perhaps in letters.
  DecodeError date(std::string_view text) {
    std::vector<std::string_view> pieces;
    for (size_t at = 0; at < text.size();) {
      while (at < text.size() && !is_alnum(text[at])) ++at;
      if (at == text.size()) return bad_format;
      const size_t start = at;
      if (is_digit(text[at])) {
        while (at < text.size() && is_digit(text[at])) ++at;
      } else {
        while (at < text.size() && is_alpha(text[at])) ++at;
      }
      pieces.push_back(text.substr(start, at - start));
      if (at < text.size()) ++at;
    }
    uint32_t seen = seen_;
    uint32_t found = 0;
    bool text_month = false;
    for (std::string_view& piece : pieces) {
      if (!is_alpha(piece[0])) continue;
      const Meaning meaning = date_word(piece);
      if (meaning.token == Token::ignore) {
        piece = {};
        continue;
      }
      if (meaning.token != Token::month || (seen & field_bit::month) != 0) return bad_format;
      parts_.month = meaning.value;
      text_month = true;
      seen |= field_bit::month;
      found |= field_bit::month;
      piece = {};
    }
    for (const std::string_view piece : pieces) {
      if (piece.empty()) continue;
      mask_ = 0;
      if (const DecodeError error = number_part(piece, text_month, seen); error != none)
        return error;
      if ((seen & mask_) != 0) return bad_format;
      seen |= mask_;
      found |= mask_;
    }
    if ((seen & ~(field_bit::day_of_year | field_bit::zone | field_bit::day_of_week |
                  field_bit::time | field_bit::am_pm | field_bit::era | field_bit::dst_modifier)) !=
        field_bit::date) {
      return bad_format;
    }
    mask_ = found;
    return none;
  }

  // hh:mm, hh:mm:ss, with decimals; mm:ss.sss.
  DecodeError clock(std::string_view text) {
    mask_ = field_bit::time;
    int64_t parts[3] = {};
    size_t at = 0;
    if (const DecodeError error = parse_int_prefix(text, at, parts[0]); error != none) return error;
    if (at_or_nul(text, at) != ':') return bad_format;
    ++at;
    if (const DecodeError error = parse_int_prefix(text, at, parts[1]); error != none) return error;
    double fraction = 0;
    if (at_or_nul(text, at) == '.') {
      if (const DecodeError error = parse_fraction(text.substr(at), fraction); error != none)
        return error;
      parts[2] = parts[1];
      parts[1] = parts[0];
      parts[0] = 0;
    } else if (at < text.size()) {
      if (text[at] != ':') return bad_format;
      ++at;
      if (const DecodeError error = parse_int_prefix(text, at, parts[2]); error != none)
        return error;
      if (at < text.size()) {
        if (const DecodeError error = parse_fraction(text.substr(at), fraction); error != none)
          return error;
      }
    }
    if (parts[0] < 0 || parts[0] > INT32_MAX || parts[1] < 0 || parts[1] > 59 || parts[2] < 0 ||
        parts[2] > 60)
      return field_overflow;
    parts_.hour = static_cast<int32_t>(parts[0]);
    parts_.minute = static_cast<int32_t>(parts[1]);
    parts_.second = static_cast<int32_t>(parts[2]);
    parts_.micros = static_cast<int32_t>(std::rint(fraction * 1e6));
    if (time_overflows()) return field_overflow;
    return none;
  }

  bool time_overflows() const {
    if (parts_.hour < 0 || parts_.hour > 24 || parts_.minute < 0 || parts_.minute > 59 ||
        parts_.second < 0 || parts_.second > 60 || parts_.micros < 0 ||
        parts_.micros > kMicrosPerSecond) {
      return true;
    }
    return time_of_parts(parts_) > kMicrosPerDay;
  }

  void set_julian(int64_t julian) {
    const CalendarDate date = date_of_julian(static_cast<int32_t>(julian));
    parts_.year = date.year;
    parts_.month = date.month;
    parts_.day = date.day;
    is_julian_ = true;
  }

  // A number whose meaning a word before it gave: "j 2451187", "t 040506".
  DecodeError labelled_number(std::string& text) {
    const Unit label = label_;
    label_ = Unit::none;
    size_t at = 0;
    int64_t value = 0;
    if (label == Unit::time) {
      if (const DecodeError error = run_together(text, seen_ | field_bit::date); error != none)
        return error;
      return mask_ == field_bit::time ? none : bad_format;
    }
    if (const DecodeError error = parse_int_prefix(text, at, value); error != none) return error;
    if (at < text.size() && (text[at] != '.' || (label != Unit::julian && label != Unit::second)))
      return bad_format;
    if (label == Unit::julian) {
      if (time_only_ && !with_zone_) return bad_format;
      if (value < 0 || value > INT32_MAX) return field_overflow;
      mask_ = field_bit::date;
      set_julian(value);
      if (at == text.size()) return none;
      double fraction = 0;
      if (parse_fraction(std::string_view(text).substr(at), fraction) != none) return bad_format;
      set_time(parts_, static_cast<int64_t>(fraction * static_cast<double>(kMicrosPerDay)));
      mask_ |= field_bit::time;
      return none;
    }
    return labelled_part(label, value, std::string_view(text).substr(at));
  }

  DecodeError labelled_part(Unit label, int64_t value, std::string_view fraction_text) {
    if (time_only_) return bad_format;
    if (value > INT32_MAX || value < INT32_MIN) return field_overflow;
    const auto narrow = static_cast<int32_t>(value);
    if (label == Unit::year) {
      parts_.year = narrow;
      mask_ = field_bit::year;
    } else if (label == Unit::month) {
      // "m" after hours is minutes.
      if ((seen_ & field_bit::month) != 0 && (seen_ & field_bit::hour) != 0) {
        parts_.minute = narrow;
        mask_ = field_bit::minute;
      } else {
        parts_.month = narrow;
        mask_ = field_bit::month;
      }
    } else if (label == Unit::day) {
      parts_.day = narrow;
      mask_ = field_bit::day;
    } else if (label == Unit::hour) {
      parts_.hour = narrow;
      mask_ = field_bit::hour;
    } else if (label == Unit::minute) {
      parts_.minute = narrow;
      mask_ = field_bit::minute;
    } else if (label == Unit::second) {
      parts_.second = narrow;
      mask_ = field_bit::second;
      if (!fraction_text.empty()) {
        double fraction = 0;
        if (parse_fraction(fraction_text, fraction) != none) return bad_format;
        parts_.micros = static_cast<int32_t>(std::rint(fraction * 1e6));
        mask_ = field_bit::all_seconds;
      }
    } else {
      return bad_format;
    }
    return none;
  }

  DecodeError number(std::string& text) {
    const size_t point = text.find('.');
    if (point != std::string::npos && (seen_ & field_bit::date) == 0) return date(text);
    if (point != std::string::npos && point > 2) return run_together(text, seen_);
    if (point == std::string::npos && text.size() >= 6 &&
        (!has_any(field_bit::date) || !has_any(field_bit::time))) {
      return run_together(text, seen_);
    }
    return number_part(text, text_month_, seen_);
  }
  bool has_any(uint32_t bits) const { return (seen_ & bits) != 0; }

  DecodeError number_of_time(std::string& text) {
    const size_t point = text.find('.');
    if (point != std::string::npos) {
      if (i_ == 0 && fields_.size() >= 2 && fields_.back().shape == FieldShape::date)
        return date(text);
      if (point > 2) return run_together(text, seen_ | field_bit::date);
      return bad_format;
    }
    if (text.size() > 4) return run_together(text, seen_ | field_bit::date);
    return number_part(text, false, seen_ | field_bit::date);
  }

  // One number of a date; what it is depends on what is there already and on DateStyle's order.
  DecodeError number_part(std::string_view text, bool text_month, uint32_t seen) {
    using namespace field_bit;
    size_t at = 0;
    int64_t wide = 0;
    if (const DecodeError error = parse_int_prefix(text, at, wide); error != none) return error;
    if (at == 0) return bad_format;
    if (wide > INT32_MAX || wide < INT32_MIN) return field_overflow;
    const auto value = static_cast<int32_t>(wide);
    if (at_or_nul(text, at) == '.') {
      std::string copy(text);
      if (at > 2) return run_together(copy, seen | field_bit::date);
      double fraction = 0;
      if (const DecodeError error = parse_fraction(text.substr(at), fraction); error != none)
        return error;
      parts_.micros = static_cast<int32_t>(std::rint(fraction * 1e6));
    } else if (at != text.size()) {
      return bad_format;
    }
    const uint32_t have = seen & field_bit::date;
    if (text.size() == 3 && have == year && value >= 1 && value <= 366) {
      mask_ = field_bit::day_of_year | month | day;
      parts_.day_of_year = value;
      return none;
    }
    const bool long_number = text.size() >= 3 || settings_.date_order == DateOrder::ymd;
    if (have == 0) {
      mask_ = long_number ? year : settings_.date_order == DateOrder::dmy ? day : month;
    } else if (have == year) {
      mask_ = month;
    } else if (have == month) {
      mask_ = text_month && long_number ? year : day;
    } else if (have == (year | month)) {
      mask_ = day;
      if (text_month && text.size() >= 3 &&
          two_digit_year_) {  // what was taken for a year is the day
        parts_.day = parts_.year;
        parts_.year = value;
        two_digit_year_ = false;
        return none;
      }
    } else if (have == day) {
      mask_ = month;
    } else if (have == (month | day)) {
      mask_ = year;
    } else if (have == field_bit::date) {
      std::string copy(text);
      return run_together(copy, seen);
    } else {
      return bad_format;
    }
    if (mask_ == year) {
      parts_.year = value;
      two_digit_year_ = text.size() <= 2;
    } else {
      (mask_ == month ? parts_.month : parts_.day) = value;
    }
    return none;
  }

  // yymmdd, yyyymmdd, hhmm, hhmmss[.sss]
  DecodeError run_together(std::string& text, uint32_t seen) {
    const size_t point = text.find('.');
    if (point != std::string::npos) {
      double fraction = 0;
      const Result<double> parsed =
          parse_float8(cat("0", std::string_view(text).substr(point), "0"));
      if (!parsed.ok()) return bad_format;
      fraction = parsed.value();
      parts_.micros = static_cast<int32_t>(std::rint(fraction * 1e6));
      text.resize(point);
    }
    const std::string_view digits = text;
    const auto number_at = [&](size_t from, size_t count) {
      int32_t value = 0;
      for (const char c : digits.substr(from, count))
        value = is_digit(c) ? value * 10 + (c - '0') : value;
      return value;
    };
    const size_t n = digits.size();
    if (point == std::string::npos && (seen & field_bit::date) != field_bit::date && n >= 6) {
      if (n > 13) return field_overflow;
      mask_ = field_bit::date;
      parts_.day = number_at(n - 2, 2);
      parts_.month = number_at(n - 4, 2);
      parts_.year = number_at(0, n - 4);
      if (n == 6) two_digit_year_ = true;
      return none;
    }
    if ((seen & field_bit::time) == field_bit::time || (n != 6 && n != 4)) return bad_format;
    mask_ = field_bit::time;
    parts_.hour = number_at(0, 2);
    parts_.minute = number_at(2, 2);
    parts_.second = n == 6 ? number_at(4, 2) : 0;
    return none;
  }

  DecodeError word(std::string_view text) {
    if (const DecodeError error = abbreviation(text); error != none || mask_ != 0) return error;
    const Meaning meaning = date_word(text);
    switch (meaning.token) {
      case Token::ignore:   skip_ = true; return none;
      case Token::reserved: return reserved(static_cast<Reserved>(meaning.value));
      case Token::month:    return month_word(meaning.value);
      case Token::dst_modifier:
        if (!with_zone_) return bad_format;
        mask_ = field_bit::dst_modifier;
        parts_.is_dst = true;
        parts_.west_seconds -= meaning.value;
        return none;
      case Token::am_pm:
        mask_ = field_bit::am_pm;
        am_pm_ = meaning.value == 0 ? AmPm::am : AmPm::pm;
        return none;
      case Token::era:
        mask_ = field_bit::era;
        bc_ = meaning.value == 1;
        return none;
      case Token::day_of_week:
        mask_ = time_only_ ? 0 : field_bit::day_of_week;
        return time_only_ ? bad_format : none;
      case Token::unit: label_ = static_cast<Unit>(meaning.value); return none;
      case Token::iso_time:
        if (!time_only_ && !has(field_bit::date)) return bad_format;
        if (i_ + 1 >= fields_.size() || (fields_[i_ + 1].shape != FieldShape::number &&
                                         fields_[i_ + 1].shape != FieldShape::time &&
                                         fields_[i_ + 1].shape != FieldShape::date)) {
          return bad_format;
        }
        label_ = Unit::time;
        return none;
      case Token::unknown: {
        if (!with_zone_ && time_only_) return bad_format;
        zone_ = TimeZone::find(text);
        if (!zone_) return bad_format;
        mask_ = field_bit::zone;
        return none;
      }
      case Token::ago: return bad_format;
    }
    UNREACHABLE();
  }

  // Sets mask_ if the word is a zone's abbreviation: in the session's zone first, then in the set.
  DecodeError abbreviation(std::string_view text) {
    const ZoneAbbreviation* const known = find_zone_abbreviation(text);
    if (known == nullptr) return none;
    if (time_only_ && !with_zone_) return bad_format;
    mask_ = field_bit::zone;
    if (known->zone.empty()) {
      parts_.is_dst = known->is_dst;
      parts_.west_seconds -= known->east_seconds;
    } else {
      zone_ = TimeZone::find(known->zone);
      if (!zone_) return bad_format;
      abbreviation_ = text;
    }
    return none;
  }

  DecodeError month_word(int32_t month) {
    if (time_only_) return bad_format;
    mask_ = field_bit::month;
    // A number taken for the month was the day after all.
    if ((seen_ & field_bit::month) != 0 && !text_month_ && (seen_ & field_bit::day) == 0 &&
        parts_.month >= 1 && parts_.month <= 31) {
      parts_.day = parts_.month;
      mask_ = field_bit::day;
    }
    text_month_ = true;
    parts_.month = month;
    return none;
  }

  DecodeError reserved(Reserved word) {
    const TimeZone zone = session_zone(settings_);
    DateTimeParts now = parts_of_timestamptz(settings_.now.v, zone);
    if (time_only_) {
      if (word == Reserved::now) {
        mask_ = field_bit::time;
        set_time(parts_, time_of_parts(now));
        return none;
      }
      if (word != Reserved::zulu) return bad_format;
      mask_ = field_bit::time | field_bit::zone;
      set_time(parts_, 0);
      return none;
    }
    mask_ = field_bit::date | field_bit::time | field_bit::zone;
    switch (word) {
      case Reserved::now:       parts_ = now; return none;
      case Reserved::today:
      case Reserved::tomorrow:
      case Reserved::yesterday: {
        mask_ = field_bit::date;
        const int shift = word == Reserved::today ? 0 : word == Reserved::tomorrow ? 1 : -1;
        const CalendarDate date =
            date_of_julian(julian_of_date(now.year, now.month, now.day) + shift);
        parts_.year = date.year;
        parts_.month = date.month;
        parts_.day = date.day;
        return none;
      }
      case Reserved::zulu:
        mask_ = field_bit::time | field_bit::zone;
        set_time(parts_, 0);
        parts_.west_seconds = 0;
        return none;
      case Reserved::epoch: out_.kind = DateTimeKind::epoch; return none;
      case Reserved::late:  out_.kind = DateTimeKind::late; return none;
      case Reserved::early: out_.kind = DateTimeKind::early; return none;
    }
    UNREACHABLE();
  }

  DecodeError validate_date() {
    if (out_.kind != DateTimeKind::date_time) return none;
    if ((seen_ & field_bit::year) != 0 && !is_julian_) {
      if (bc_) {
        if (parts_.year <= 0) return field_overflow;
        parts_.year = -(parts_.year - 1);
      } else if (two_digit_year_) {
        if (parts_.year < 0) return field_overflow;
        parts_.year += parts_.year < 70 ? 2000 : parts_.year < 100 ? 1900 : 0;
      } else if (parts_.year <= 0) {
        return field_overflow;
      }
    }
    if ((seen_ & field_bit::day_of_year) != 0) {
      const CalendarDate date =
          date_of_julian(julian_of_date(parts_.year, 1, 1) + parts_.day_of_year - 1);
      parts_.month = date.month;
      parts_.day = date.day;
      parts_.year = date.year;
    }
    if ((seen_ & field_bit::month) != 0 && (parts_.month < 1 || parts_.month > 12))
      return month_day_overflow;
    if ((seen_ & field_bit::day) != 0 && (parts_.day < 1 || parts_.day > 31))
      return month_day_overflow;
    if (has(field_bit::date) && parts_.day > days_in_month(parts_.year, parts_.month))
      return field_overflow;
    return none;
  }

  DecodeError apply_am_pm() {
    if (am_pm_ != AmPm::none && parts_.hour > 12) return field_overflow;
    if (am_pm_ == AmPm::am && parts_.hour == 12) parts_.hour = 0;
    if (am_pm_ == AmPm::pm && parts_.hour != 12) parts_.hour += 12;
    return none;
  }

  DecodeError finish_date_time() {
    if (out_.kind != DateTimeKind::date_time) return none;
    if (!has(field_bit::date)) return bad_format;
    return resolve_zone(parts_);
  }

  DecodeError finish_time() {
    if (time_overflows()) return field_overflow;
    if (!has(field_bit::time)) return bad_format;
    if (!with_zone_) return none;
    DateTimeParts moment = parts_;
    if ((seen_ & field_bit::date) == 0) {
      if (zone_ && abbreviation_.empty() && !zone_->constant_offset())
        return bad_format;  // no date to ask it for
      const DateTimeParts now = parts_of_timestamptz(settings_.now.v, session_zone(settings_));
      moment.year = now.year;
      moment.month = now.month;
      moment.day = now.day;
    }
    return resolve_zone(moment);
  }

  // The displacement, once the date is known that a named zone must be asked for.
  DecodeError resolve_zone(const DateTimeParts& moment) {
    if ((zone_ || (seen_ & field_bit::zone) == 0) && with_zone_) {
      if ((seen_ & field_bit::dst_modifier) != 0) return bad_format;
    }
    if (zone_ && !abbreviation_.empty()) {
      const int32_t west = west_seconds_at(moment, *zone_);
      const std::optional<int64_t> local = timestamp_of_parts(moment);
      const int64_t time = (local ? *local / kMicrosPerSecond : 0) + kUnixEpochSeconds + west;
      const std::optional<ZoneOffset> meant = zone_->abbreviation_at(abbreviation_, time);
      parts_.west_seconds = meant ? -meant->east_seconds : west;
    } else if (zone_) {
      parts_.west_seconds = west_seconds_at(moment, *zone_);
    } else if ((seen_ & field_bit::zone) == 0 && with_zone_) {
      parts_.west_seconds = west_seconds_at(moment, session_zone(settings_));
    }
    return none;
  }

  enum class AmPm : uint8_t { none, am, pm };
  const TypeSettings& settings_;
  std::vector<DateTimeField>& fields_;
  const bool with_zone_;
  const bool time_only_;
  DecodedDateTime& out_;
  DateTimeParts& parts_;
  size_t i_ = 0;
  uint32_t seen_ = 0;
  uint32_t mask_ = 0;  // of the current field
  bool skip_ = false;
  Unit label_ = Unit::none;  // what a word said of the next number
  bool text_month_ = false;
  bool two_digit_year_ = false;
  bool is_julian_ = false;
  bool bc_ = false;
  AmPm am_pm_ = AmPm::none;
  std::optional<TimeZone> zone_;
  std::string abbreviation_;  // to be looked up in zone_
};

}  // namespace

Status decode_status(DecodeError error, std::string_view text, std::string_view type,
                     std::string_view zone) {
  switch (error) {
    case none: return {};
    case field_overflow:
      return raise(sqlstate::datetime_field_overflow,
                   cat("date/time field value out of range: \"", text, "\""));
    case month_day_overflow:
      return raise(sqlstate::datetime_field_overflow,
                   cat("date/time field value out of range: \"", text, "\""))
          .hint("Perhaps you need a different \"datestyle\" setting.");
    case interval_overflow:
      return raise(sqlstate::interval_field_overflow,
                   cat("interval field value out of range: \"", text, "\""));
    case zone_overflow:
      return raise(sqlstate::invalid_time_zone_displacement_value,
                   cat("time zone displacement out of range: \"", text, "\""));
    case unknown_zone:
      return raise(sqlstate::invalid_parameter_value,
                   cat("time zone \"", zone, "\" not recognized"));
    case bad_format:
      return raise(sqlstate::invalid_datetime_format,
                   cat("invalid input syntax for type ", type, ": \"", text, "\""));
  }
  UNREACHABLE();
}

DecodeError decode_date_time(const TypeSettings& settings, std::vector<DateTimeField>& fields,
                             bool with_zone, DecodedDateTime& out) {
  return Decoder(settings, fields, with_zone, false, out).run();
}
DecodeError decode_time(const TypeSettings& settings, std::vector<DateTimeField>& fields,
                        bool with_zone, DecodedDateTime& out) {
  return Decoder(settings, fields, with_zone, true, out).run();
}

}  // namespace orrery
