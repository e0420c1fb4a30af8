// SIMILAR TO patterns, rewritten as regular expressions: % is .*, _ is ., and the rest of POSIX's
// letters is as there.
#include <optional>
#include <string>

#include "types/regex.h"
#include "types/utf8.h"

namespace orrery {

Result<std::string> similar_to_regex(std::string_view pattern,
                                     std::optional<std::string_view> escape) {
  const std::string_view mark = escape.value_or("\\");
  if (utf8_count(mark) > 1) {
    return raise(sqlstate::invalid_escape_sequence, "invalid escape string")
        .hint("Escape string must be empty or one character.");
  }
  // The parts around escape-" pairs, of SUBSTRING(... SIMILAR ... ESCAPE ...), become groups of
  // which the middle captures.
  std::string out = "^(?:";
  bool after_escape = false;
  bool in_class = false;
  int separators = 0;
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view c = pattern.substr(at, utf8_step(pattern, at));
    at += c.size();
    if (after_escape) {
      if (c == "\"" && !in_class) {
        if (separators == 0) {
          out += "){1,1}?(";
        } else if (separators == 1) {
          out += "){1,1}(?:";
        } else {
          return raise(sqlstate::invalid_use_of_escape_character,
                       "SQL regular expression may not contain more than two escape-double-quote "
                       "separators");
        }
        ++separators;
      } else {
        out += "\\";
        out += c;
      }
      after_escape = false;
    } else if (!mark.empty() && c == mark) {
      after_escape = true;
    } else if (in_class) {
      if (c == "\\") out += "\\";
      out += c;
      in_class = c != "]";
    } else if (c == "[") {
      out += c;
      in_class = true;
    } else if (c == "%") {
      out += ".*";
    } else if (c == "_") {
      out += ".";
    } else if (c == "(") {
      out += "(?:";
    } else if (c == "\\" || c == "." || c == "^" || c == "$") {
      out += "\\";
      out += c;
    } else {
      out += c;
    }
  }
  out += ")$";
  return out;
}

}  // namespace orrery
