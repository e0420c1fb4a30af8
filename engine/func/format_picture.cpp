#include "func/format_picture.h"

#include "base/text.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {

const std::string_view kMonthNames[12] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
const std::string_view kDayNames[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
const std::string_view kRomanMonths[12] = {"XII", "XI", "X",  "IX",  "VIII", "VII",
                                           "VI",  "V",  "IV", "III", "II",   "I"};

namespace {

using enum PictureKey;
using enum LetterCase;

struct Keyword {
  std::string_view text;
  PictureKey key;
  LetterCase letters = upper;
  int digits = 0;
  bool is_number = false;
};

// Longer before shorter where one begins the other. In lower case too, except the capitalised ones.
constexpr Keyword kKeywords[] = {
    {"A.D.", ad_dots},
    {"A.M.", am_dots},
    {"AD", ad},
    {"AM", am},
    {"B.C.", ad_dots},
    {"BC", ad},
    {"CC", century, upper, 2, true},
    {"DAY", day_name},
    {"DDD", day_of_year, upper, 3, true},
    {"DD", day, upper, 2, true},
    {"DY", day_short},
    {"Day", day_name, capital},
    {"Dy", day_short, capital},
    {"D", day_of_week, upper, 1, true},
    {"FF1", fraction, upper, 1, true},
    {"FF2", fraction, upper, 2, true},
    {"FF3", fraction, upper, 3, true},
    {"FF4", fraction, upper, 4, true},
    {"FF5", fraction, upper, 5, true},
    {"FF6", fraction, upper, 6, true},
    {"FX", exact},
    {"HH24", hour24, upper, 2, true},
    {"HH12", hour12, upper, 2, true},
    {"HH", hour12, upper, 2, true},
    {"IDDD", iso_day_of_year, upper, 3, true},
    {"ID", iso_day, upper, 1, true},
    {"IW", iso_week, upper, 2, true},
    {"IYYY", iso_year, upper, 4, true},
    {"IYY", iso_year, upper, 3, true},
    {"IY", iso_year, upper, 2, true},
    {"I", iso_year, upper, 1, true},
    {"J", julian, upper, 1, true},
    {"MI", minute, upper, 2, true},
    {"MM", month, upper, 2, true},
    {"MONTH", month_name},
    {"MON", month_short},
    {"MS", millisecond, upper, 3, true},
    {"Month", month_name, capital},
    {"Mon", month_short, capital},
    {"OF", zone_offset},
    {"P.M.", am_dots},
    {"PM", am},
    {"Q", quarter, upper, 1, true},
    {"RM", roman_month},
    {"SSSSS", second_of_day, upper, 5, true},
    {"SSSS", second_of_day, upper, 4, true},
    {"SS", second, upper, 2, true},
    {"TZH", zone_hour},
    {"TZM", zone_minute, upper, 2, true},
    {"TZ", zone_name},
    {"US", microsecond, upper, 6, true},
    {"WW", week, upper, 2, true},
    {"W", week_of_month, upper, 1, true},
    {"Y,YYY", year_comma, upper, 4, true},
    {"YYYY", year, upper, 4, true},
    {"YYY", year, upper, 3, true},
    {"YY", year, upper, 2, true},
    {"Y", year, upper, 1, true},
};

bool is_separator(char c) { return c > 0x20 && c < 0x7f && !is_alnum(c); }

bool starts_in_lower_case(std::string_view text, std::string_view keyword) {
  if (text.size() < keyword.size()) return false;
  for (size_t i = 0; i < keyword.size(); ++i) {
    if (text[i] != lower_ascii(keyword[i])) return false;
  }
  return true;
}

// The keyword that `text` starts with, and how it is written.
const Keyword* find_keyword(std::string_view text, LetterCase* letters) {
  for (const Keyword& keyword : kKeywords) {
    if (text.starts_with(keyword.text)) {
      *letters = keyword.letters;
      return &keyword;
    }
    if (keyword.letters == upper && starts_in_lower_case(text, keyword.text)) {
      *letters = lower;
      return &keyword;
    }
  }
  return nullptr;
}

bool take_either(std::string_view& text, std::string_view word_upper) {
  if (!text.starts_with(word_upper) && !starts_in_lower_case(text, word_upper)) return false;
  text.remove_prefix(word_upper.size());
  return true;
}

PictureNode one_character(std::string_view& rest, PictureNode::Kind kind) {
  PictureNode node;
  node.kind = kind;
  node.text = rest.substr(0, utf8_step(rest, 0));
  rest.remove_prefix(node.text.size());
  return node;
}

void take_quoted(std::string_view& rest, std::vector<PictureNode>& nodes) {
  rest.remove_prefix(1);
  while (!rest.empty()) {
    if (rest[0] == '"') {
      rest.remove_prefix(1);
      return;
    }
    if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);
    nodes.push_back(one_character(rest, PictureNode::Kind::text));
  }
}

}  // namespace

std::vector<PictureNode> parse_date_picture(std::string_view picture) {
  std::vector<PictureNode> nodes;
  std::string_view rest = picture;
  while (!rest.empty()) {
    PictureNode node;
    if (take_either(rest, "FM")) {
      node.fill_mode = true;
    } else if (take_either(rest, "TM")) {
      node.translated = true;
    }
    if (rest.empty()) break;
    LetterCase letters = upper;
    if (const Keyword* const found = find_keyword(rest, &letters)) {
      node.kind = PictureNode::Kind::field;
      node.text = rest.substr(0, found->text.size());
      node.key = found->key;
      node.letters = letters;
      node.digits = found->digits;
      node.is_number = found->is_number;
      rest.remove_prefix(found->text.size());
      if (rest.starts_with("TH")) node.ordinal = 'T';
      if (rest.starts_with("th")) node.ordinal = 't';
      if (node.ordinal != 0 || rest.starts_with("SP")) rest.remove_prefix(2);
      nodes.push_back(node);
      continue;
    }
    if (rest[0] == '"') {
      take_quoted(rest, nodes);
      continue;
    }
    if (rest[0] == '\\' && rest.size() > 1 && rest[1] == '"') rest.remove_prefix(1);
    nodes.push_back(one_character(rest, is_separator(rest[0]) ? PictureNode::Kind::separator
                                        : is_space(rest[0])   ? PictureNode::Kind::space
                                                              : PictureNode::Kind::text));
  }
  return nodes;
}

std::string_view ordinal_suffix(std::string_view number, bool is_upper) {
  char last = number.empty() ? '0' : number.back();
  // Eleventh to nineteenth.
  if (number.size() > 1 && number[number.size() - 2] == '1') last = '0';
  switch (last) {
    case '1': return is_upper ? "ST" : "st";
    case '2': return is_upper ? "ND" : "nd";
    case '3': return is_upper ? "RD" : "rd";
    default:  return is_upper ? "TH" : "th";
  }
}

}  // namespace orrery
