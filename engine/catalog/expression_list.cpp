#include "catalog/expression_list.h"

namespace orrery {
namespace {

// The position after the quoted piece that starts at `at`. In E'...' a backslash guards the next
// character; a doubled quote ends one piece and starts the next, which comes to the same.
size_t skip_quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '\'' && at > 0 && (text[at - 1] == 'E' || text[at - 1] == 'e');
  for (++at; at < text.size(); ++at) {
    if (escapes && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      return at + 1;
    }
  }
  return text.size();
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<std::string> split_expressions(std::string_view text) {
  std::vector<std::string> out;
  int depth = 0;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\'' || c == '"') {
      at = skip_quoted(text, at);
      continue;
    }
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == ',' && depth == 0) {
      out.emplace_back(trim(text.substr(start, at - start)));
      start = at + 1;
    }
    ++at;
  }
  if (const std::string_view last = trim(text.substr(start)); !last.empty()) out.emplace_back(last);
  return out;
}

}  // namespace orrery
