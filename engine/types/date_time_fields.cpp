// Cutting the text of a date, time or interval into fields, and reading the numbers in them.
#include <charconv>

#include "base/text.h"
#include "types/date_time_decode.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

constexpr size_t kMaxFields = 25;
constexpr size_t kMaxTextBytes = 127;
using enum DecodeError;

// Appends to a field while `more` says so; letters are folded.
template <class More>
void take_while(std::string_view text, size_t& at, std::string& field, More more) {
  while (at < text.size() && more(text[at])) field.push_back(lower_ascii(text[at++]));
}

FieldShape take_digits_field(std::string_view text, size_t& at, std::string& field) {
  take_while(text, at, field, is_digit);
  const char delimiter = at_or_nul(text, at);
  if (delimiter == ':') {
    take_while(text, at, field, [](char c) { return is_digit(c) || c == ':' || c == '.'; });
    return FieldShape::time;
  }
  if (delimiter != '-' && delimiter != '/' && delimiter != '.') return FieldShape::number;
  field.push_back(delimiter);
  ++at;
  if (!is_digit(at_or_nul(text, at))) {  // a month in letters
    take_while(text, at, field, [&](char c) { return is_alnum(c) || c == delimiter; });
    return FieldShape::date;
  }
  take_while(text, at, field, is_digit);
  if (at_or_nul(text, at) == delimiter) {  // three parts with one delimiter
    take_while(text, at, field, [&](char c) { return is_digit(c) || c == delimiter; });
    return FieldShape::date;
  }
  return delimiter == '.' ? FieldShape::number : FieldShape::date;
}

FieldShape take_word_field(std::string_view text, size_t& at, std::string& field) {
  take_while(text, at, field, is_alpha);
  const char next = at_or_nul(text, at);
  // A date with a month in front, or the name of a zone with punctuation in it.
  bool compound = next == '-' || next == '/' || next == '.';
  if (next == '+' || is_digit(next)) compound = date_word(field).token == Token::unknown;
  if (!compound) return FieldShape::word;
  take_while(text, at, field, [](char c) {
    return c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':' || is_alnum(c);
  });
  return FieldShape::date;
}

}  // namespace

DecodeError split_fields(std::string_view text, std::vector<DateTimeField>& fields) {
  if (text.size() > kMaxTextBytes) return bad_format;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (is_space(c)) {
      ++at;
      continue;
    }
    DateTimeField field;
    if (is_digit(c)) {
      field.shape = take_digits_field(text, at, field.text);
    } else if (c == '.') {
      field.text.push_back(text[at++]);
      take_while(text, at, field.text, is_digit);
      field.shape = FieldShape::number;
    } else if (is_alpha(c)) {
      field.shape = take_word_field(text, at, field.text);
    } else if (c == '+' || c == '-') {
      field.text.push_back(c);
      at = skip_spaces(text, at + 1);
      if (is_digit(at_or_nul(text, at))) {
        take_while(text, at, field.text,
                   [](char d) { return is_digit(d) || d == ':' || d == '.' || d == '-'; });
        field.shape = FieldShape::zone;
      } else if (is_alpha(at_or_nul(text, at))) {
        take_while(text, at, field.text, is_alpha);
        field.shape = FieldShape::special;
      } else {
        return bad_format;
      }
    } else if (is_punct(c)) {
      ++at;
      continue;
    } else {
      return bad_format;
    }
    if (fields.size() == kMaxFields) return bad_format;
    fields.push_back(std::move(field));
  }
  return none;
}

DecodeError parse_int_prefix(std::string_view text, size_t& at, int64_t& value) {
  size_t from = at;
  if (at_or_nul(text, from) == '+') ++from;
  const auto [end, error] = std::from_chars(text.data() + from, text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return field_overflow;
  if (error != std::errc()) {
    value = 0;
    return none;  // nothing was read: `at` says so
  }
  at = static_cast<size_t>(end - text.data());
  return none;
}

DecodeError parse_fraction(std::string_view text, double& fraction) {
  if (text.empty() || text[0] != '.') return bad_format;
  fraction = 0;
  if (text.size() == 1) return none;
  for (const char c : text.substr(1)) {
    if (!is_digit(c)) return bad_format;
  }
  std::from_chars(text.data(), text.data() + text.size(), fraction);
  return none;
}

DecodeError decode_zone_displacement(std::string_view text, int32_t& west_seconds) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return bad_format;
  const bool negative = text[0] == '-';
  size_t at = 1;
  int64_t hours = 0;
  int64_t minutes = 0;
  int64_t seconds = 0;
  if (!is_digit(at_or_nul(text, at))) return bad_format;
  if (parse_int_prefix(text, at, hours) != none) return zone_overflow;
  if (at_or_nul(text, at) == ':') {
    ++at;
    if (parse_int_prefix(text, at, minutes) != none) return zone_overflow;
    if (at_or_nul(text, at) == ':') {
      ++at;
      if (parse_int_prefix(text, at, seconds) != none) return zone_overflow;
    }
  } else if (at == text.size() && text.size() > 3) {
    minutes = hours % 100;
    hours /= 100;
  }
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59)
    return zone_overflow;
  const auto total = static_cast<int32_t>((hours * 60 + minutes) * 60 + seconds);
  west_seconds = negative ? total : -total;
  return at == text.size() ? none : bad_format;
}

}  // namespace orrery
