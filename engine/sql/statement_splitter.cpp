#include "sql/statement_splitter.h"

#include "base/text.h"

namespace orrery {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_ident_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 128;
}
bool is_ident_part(char c) { return is_ident_start(c) || (c >= '0' && c <= '9') || c == '$'; }

// Reads over one statement, keeping what psql's scanner keeps.
class Scanner {
 public:
  Scanner(std::string_view text, bool standard_strings)
      : text_(text), standard_strings_(standard_strings) {}

  StatementEnd run() {
    while (offset_ < text_.size()) {
      if (!step()) return {std::string_view::npos, open_};
      if (done_) return {offset_, '='};
    }
    return {std::string_view::npos, parentheses_ > 0 ? '(' : '='};
  }

 private:
  char at(size_t ahead) const {
    return offset_ + ahead < text_.size() ? text_[offset_ + ahead] : '\0';
  }

  bool step() {
    const char c = at(0);
    if (c == '-' && at(1) == '-') {
      while (offset_ < text_.size() && text_[offset_] != '\n') ++offset_;
      return true;
    }
    if (c == '/' && at(1) == '*') return comment();
    if (c == '\'') return quoted('\'', !standard_strings_);
    if (c == '"') return quoted('"', false);
    if (c == '$' && !is_ident_part(previous())) return dollar();
    if (is_ident_start(c)) return word();
    if (c == '(') ++parentheses_;
    if (c == ')' && parentheses_ > 0) --parentheses_;
    ++offset_;
    if (c == ';' && parentheses_ == 0 && begin_depth_ == 0) done_ = true;
    return true;
  }

  char previous() const { return offset_ > 0 ? text_[offset_ - 1] : ' '; }

  bool comment() {
    int depth = 0;
    do {
      if (at(0) == '/' && at(1) == '*') {
        ++depth;
        offset_ += 2;
      } else if (at(0) == '*' && at(1) == '/') {
        --depth;
        offset_ += 2;
      } else if (offset_ >= text_.size()) {
        open_ = '*';
        return false;
      } else {
        ++offset_;
      }
    } while (depth > 0);
    return true;
  }

  bool quoted(char quote, bool escapes) {
    for (++offset_; offset_ < text_.size(); ++offset_) {
      if (escapes && at(0) == '\\') {
        ++offset_;
      } else if (at(0) == quote) {
        ++offset_;
        return true;
      }
    }
    open_ = quote;
    return false;
  }

  bool dollar() {
    size_t end = 1;
    if (is_ident_start(at(end))) {
      while (is_ident_part(at(end)) && at(end) != '$') ++end;
    }
    if (at(end) != '$') {
      ++offset_;
      return true;
    }
    const std::string_view tag = text_.substr(offset_, end + 1);
    const size_t close = text_.find(tag, offset_ + tag.size());
    if (close == std::string_view::npos) {
      open_ = '$';
      return false;
    }
    offset_ = close + tag.size();
    return true;
  }

  bool word() {
    const size_t start = offset_;
    while (is_ident_part(at(0))) ++offset_;
    const std::string lower = to_lower(text_.substr(start, offset_ - start));
    if ((lower == "e") && at(0) == '\'') return quoted('\'', true);
    ++words_;
    if (words_ == 1) creates_ = lower == "create";
    if (creates_ && words_ <= 4 && (lower == "function" || lower == "procedure")) routine_ = true;
    if (routine_ && parentheses_ == 0) {  // BEGIN ATOMIC ... END holds semicolons
      if (lower == "begin") ++begin_depth_;
      if (lower == "case" && begin_depth_ > 0) ++begin_depth_;
      if (lower == "end" && begin_depth_ > 0) --begin_depth_;
    }
    return true;
  }

  std::string_view text_;
  bool standard_strings_;
  size_t offset_ = 0;
  int parentheses_ = 0;
  int begin_depth_ = 0;
  int words_ = 0;
  bool creates_ = false;
  bool routine_ = false;
  bool done_ = false;
  char open_ = '=';
};

// Does this statement make psql read data lines?
bool is_copy_from_stdin(std::string_view statement) {
  std::string lower = to_lower(statement);
  size_t begin = 0;
  for (;;) {  // past comments in front
    while (begin < lower.size() && is_space(lower[begin])) ++begin;
    if (lower.compare(begin, 2, "--") == 0) {
      begin = lower.find('\n', begin);
      if (begin == std::string::npos) return false;
    } else {
      break;
    }
  }
  if (lower.compare(begin, 5, "copy ") != 0) return false;
  const size_t from = lower.find("from", begin);
  return from != std::string::npos && lower.find("stdin", from) != std::string::npos;
}

}  // namespace

StatementEnd find_statement_end(std::string_view text, bool standard_conforming_strings) {
  return Scanner(text, standard_conforming_strings).run();
}

std::vector<ScriptPiece> split_script(std::string_view script) {
  std::vector<ScriptPiece> pieces;
  bool standard_strings = true;
  const auto line_end = [&](size_t from) {
    const size_t newline = script.find('\n', from);
    return newline == std::string_view::npos ? script.size() : newline + 1;
  };
  size_t offset = 0;
  while (offset < script.size()) {
    while (offset < script.size() && is_space(script[offset])) ++offset;
    if (offset >= script.size()) break;
    if (script[offset] == '\\') {
      const size_t end = line_end(offset);
      pieces.push_back({ScriptPiece::Kind::backslash, script.substr(offset, end - offset)});
      offset = end;
      continue;
    }
    const std::string_view rest = script.substr(offset);
    const StatementEnd found = find_statement_end(rest, standard_strings);
    size_t length = found.end == std::string_view::npos ? rest.size() : found.end;
    // A psql command inside a statement (\gset, \;) ends it: such pieces are the caller's to
    // refuse.
    std::string_view text = rest.substr(0, length);
    if (text.ends_with(';')) text.remove_suffix(1);
    pieces.push_back({ScriptPiece::Kind::statement, text});
    offset += length;
    const std::string lower = to_lower(text);
    if (const size_t set = lower.find("standard_conforming_strings"); set != std::string::npos) {
      standard_strings = lower.find("off", set) == std::string::npos;
    }
    if (is_copy_from_stdin(text)) {
      offset = line_end(offset);
      const size_t begin = offset;
      while (offset < script.size()) {
        const size_t end = line_end(offset);
        const bool last = script.substr(offset, end - offset).starts_with("\\.");
        offset = end;
        if (last) break;
      }
      pieces.push_back({ScriptPiece::Kind::copy_data, script.substr(begin, offset - begin)});
    }
  }
  return pieces;
}

}  // namespace orrery
