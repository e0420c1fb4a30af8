// Character classes as input functions see them: ASCII only, like PostgreSQL's in the C locale.
#pragma once

#include <cstddef>
#include <string_view>

namespace orrery {

constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) { return is_upper(c) || is_lower(c); }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_punct(char c) { return c > ' ' && c < 127 && !is_alnum(c); }
constexpr char lower_ascii(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }
constexpr char upper_ascii(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }
// -1 if it is none.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
constexpr char at_or_nul(std::string_view text, size_t at) {
  return at < text.size() ? text[at] : '\0';
}
constexpr size_t skip_spaces(std::string_view text, size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}
constexpr std::string_view trim_spaces(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}
// Whether `text` starts with `prefix` (lower case), ignoring case.
constexpr bool starts_with_folded(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (size_t i = 0; i < prefix.size(); ++i) {
    if (lower_ascii(text[i]) != prefix[i]) return false;
  }
  return true;
}

}  // namespace orrery
