// Text building without streams: cat() joins strings, numbers and strong integers. Floating point
// goes through types/.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace orrery {

void append_integer(std::string& out, int64_t value);
void append_integer(std::string& out, uint64_t value);
// Lower-case hexadecimal, `width` digits at least.
void append_hex(std::string& out, uint64_t value, int width = 1);

inline void append(std::string& out, std::string_view text) { out.append(text); }
inline void append(std::string& out, char c) { out.push_back(c); }
template <std::same_as<bool> T>  // a template, or every string literal would convert to bool
void append(std::string& out, T b) {
  out.append(b ? "true" : "false");
}
template <std::integral T>
  requires(!std::same_as<T, char> && !std::same_as<T, bool>)
void append(std::string& out, T value) {
  if constexpr (std::signed_integral<T>) {
    append_integer(out, static_cast<int64_t>(value));
  } else {
    append_integer(out, static_cast<uint64_t>(value));
  }
}
template <class T>
  requires requires(T t) { t.v; }
void append(std::string& out, T strong) {
  append(out, strong.v);
}

// cat("block ", block, " of ", 7) == "block 3 of 7"
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  (append(out, parts), ...);
  return out;
}

// Joins with a separator, for lists in messages.
template <class Range>
std::string join(const Range& parts, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& part : parts) {
    if (!first) out += separator;
    first = false;
    append(out, part);
  }
  return out;
}

// ASCII only, as PostgreSQL folds identifiers in the C locale.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace orrery
