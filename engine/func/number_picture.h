// Pictures of to_char and to_number for numbers: what one asks for, and the two walks along it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace orrery {

enum class NumberKey : uint8_t {
  none,
  comma,
  point,
  zero,
  nine,
  blank,
  local_point,
  exponent,
  fill_mode,
  group,
  currency,
  minus,
  plus,
  bracket,
  roman,
  roman_lower,
  any_sign,
  sign,
  ordinal,
  ordinal_lower,
  shift,
  spelled,  // SP: known, and nothing
};

struct NumberNode {
  NumberKey key = NumberKey::none;
  std::string_view text;  // without a key: one character that stands for itself
};

enum class SignPlace : uint8_t { none, before, after };  // of S

struct NumberPicture {
  std::vector<NumberNode> nodes;
  int before = 0, after = 0;  // digits before and after the point
  int shift = 0;              // digits after V
  int zero_start = 0, zero_end = 0;
  int before_sign = 0;  // digits before S
  SignPlace sign_place = SignPlace::none;
  bool has_point = false, fill_mode = false, has_zero = false, has_sign = false, bracket = false,
       minus = false, plus = false, roman = false, shifts = false, exponent = false, blank = false;
};

// 42601 for what cannot stand together.
Result<NumberPicture> parse_number_picture(std::string_view picture);

// Shows `digits` (no sign) after `blanks` leading places. `digits` may be '#'s: it does not fit.
// 22P02 where TH finds no digit.
Result<std::string> format_number(NumberPicture picture, std::string_view digits, int blanks,
                                  char sign);
// The number in `text` as numeric input takes it, its sign (or a blank) first.
Result<std::string> read_number(const NumberPicture& picture, std::string_view text);
// Fifteen '#'s for what Romans could not write.
std::string roman_numeral(int64_t value);

}  // namespace orrery
