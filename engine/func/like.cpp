#include "func/like.h"

#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {

Result<bool> like(std::string_view text, std::string_view pattern, bool fold, const StopSign* stop,
                  char escape) {
  const auto same = [fold](char a, char b) {
    return fold ? lower_ascii(a) == lower_ascii(b) : a == b;
  };
  size_t t = 0;
  size_t p = 0;
  size_t retry_pattern = std::string_view::npos;  // just after the last %
  size_t retry_text = 0;
  while (true) {
    bool matched = false;
    if (p < pattern.size() && pattern[p] == '%') {
      retry_pattern = ++p;
      retry_text = t;
      continue;
    }
    if (p == pattern.size()) {
      if (t == text.size()) return true;
    } else if (t < text.size()) {
      if (pattern[p] == '_') {
        t += utf8_step(text, t);
        ++p;
        matched = true;
      } else {
        const bool escaped = escape != '\0' && pattern[p] == escape;
        if (escaped && p + 1 == pattern.size()) {
          return raise(sqlstate::invalid_escape_sequence,
                       "LIKE pattern must not end with escape character");
        }
        if (same(text[t], pattern[p + (escaped ? 1 : 0)])) {
          p += escaped ? 2 : 1;
          ++t;
          matched = true;
        }
      }
    }
    if (matched) continue;
    if (retry_pattern == std::string_view::npos || retry_text >= text.size()) return false;
    TRY(check_stop(stop));
    retry_text += utf8_step(text, retry_text);
    t = retry_text;
    p = retry_pattern;
  }
}

Result<std::string> rewrite_escape(std::string_view pattern, std::string_view escape) {
  std::string out;
  if (!escape.empty() && utf8_count(escape) != 1) {
    return raise(sqlstate::invalid_escape_sequence, "invalid escape string")
        .hint("Escape string must be empty or one character.");
  }
  if (escape == "\\") return std::string(pattern);
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view c = pattern.substr(at, utf8_step(pattern, at));
    at += c.size();
    if (!escape.empty() && c == escape) {
      out.push_back('\\');
      if (at < pattern.size()) {
        const size_t step = utf8_step(pattern, at);
        out += pattern.substr(at, step);
        at += step;
      }
    } else {
      if (c == "\\") out.push_back('\\');
      out += c;
    }
  }
  return out;
}

}  // namespace orrery
