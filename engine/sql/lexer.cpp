#include "sql/lexer.h"

#include <array>
#include <charconv>

#include "base/text.h"

namespace orrery {
namespace {

enum CharClass : uint8_t { kSpace = 1, kIdentStart = 2, kDigit = 4, kOperatorChar = 8, kSelf = 16 };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (const char c : std::string_view(" \t\n\r\f")) classes[static_cast<uint8_t>(c)] |= kSpace;
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 128;
    if (letter) classes[static_cast<size_t>(c)] |= kIdentStart;
    if (c >= '0' && c <= '9') classes[static_cast<size_t>(c)] |= kDigit;
  }
  for (const char c : std::string_view("~!@#^&|`?+-*/%<>="))
    classes[static_cast<uint8_t>(c)] |= kOperatorChar;
  for (const char c : std::string_view(",()[].;:+-*/%^<>="))
    classes[static_cast<uint8_t>(c)] |= kSelf;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

bool is(char c, int classes) { return (kClasses[static_cast<uint8_t>(c)] & classes) != 0; }
bool is_ident_part(char c) { return is(c, kIdentStart | kDigit) || c == '$'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

int character_position(std::string_view text, int32_t offset) {
  if (offset < 0) return 0;
  int characters = 1;
  const size_t end = std::min(text.size(), static_cast<size_t>(offset));
  for (size_t i = 0; i < end; ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xc0) != 0x80) ++characters;
  }
  return characters;
}

Lexer::Lexer(Arena& arena, std::string_view text, const ParseOptions& options)
    : arena_(arena), text_(text), options_(options) {}

Status Lexer::take_error() {
  CHECK(failed_);
  return std::move(error_);
}

Status Lexer::syntax_error(std::string_view message, uint32_t start, uint32_t end) const {
  const int position = character_position(text_, static_cast<int32_t>(start));
  if (start >= text_.size()) {
    return raise(sqlstate::syntax_error, cat(message, " at end of input")).at(position);
  }
  const std::string_view near = text_.substr(start, end - start);
  return raise(sqlstate::syntax_error, cat(message, " at or near \"", near, "\"")).at(position);
}

Token Lexer::token(TokenKind kind, uint32_t start) const {
  Token t;
  t.kind = kind;
  t.start = start;
  t.end = offset_;
  t.text = text_.substr(start, offset_ - start);
  return t;
}

Token Lexer::fail(Status error) {
  failed_ = true;
  error_ = std::move(error);
  return token(tok_error, offset_);
}

Token Lexer::fail_at(std::string_view message, uint32_t start) {
  return fail(syntax_error(message, start, offset_));
}

bool Lexer::skip_space() {
  for (;;) {
    const char c = at(offset_);
    if (is(c, kSpace)) {
      ++offset_;
    } else if (c == '-' && at(offset_ + 1) == '-') {
      while (offset_ < text_.size() && text_[offset_] != '\n' && text_[offset_] != '\r') ++offset_;
    } else if (c == '/' && at(offset_ + 1) == '*') {
      const uint32_t start = offset_;
      offset_ += 2;
      for (int depth = 1; depth > 0;) {
        if (offset_ >= text_.size()) {
          fail_at("unterminated /* comment", start);
          return false;
        }
        if (at(offset_) == '*' && at(offset_ + 1) == '/') {
          --depth;
          offset_ += 2;
        } else if (at(offset_) == '/' && at(offset_ + 1) == '*') {
          ++depth;
          offset_ += 2;
        } else {
          ++offset_;
        }
      }
    } else {
      return true;
    }
  }
}

TokenKind Lexer::kind_after_parentheses(uint32_t offset) {
  if (offset >= run_begin_ && offset < run_end_) return run_kind_;
  ParseOptions silent = options_;
  silent.notices = nullptr;
  Lexer scout(arena_, text_, silent);
  scout.offset_ = offset;
  Token t = scout.next();
  while (t.kind == '(') t = scout.next();
  // VALUES is a query only before its first row; otherwise it is a column's or a table's name.
  if (t.kind == kw_values && scout.next().kind != '(') t.kind = tok_ident;
  run_begin_ = offset;
  run_end_ = t.start;
  run_kind_ = t.kind;
  return run_kind_;
}

Token Lexer::next() {
  if (failed_ || !skip_space()) return token(tok_error, offset_);
  const uint32_t start = offset_;
  if (start >= text_.size()) return token(tok_end, start);
  const char c = text_[start];
  const char second = at(start + 1);
  if (second == '\'') {
    switch (c) {
      case 'e':
      case 'E': offset_ += 2; return escape_string(start, false);
      case 'b':
      case 'B': offset_ += 2; return plain_string(start, tok_bconst, "b");
      case 'x':
      case 'X': offset_ += 2; return plain_string(start, tok_xconst, "x");
      case 'n':
      case 'N': {  // N'..' is the type nchar, then a string
        ++offset_;
        Token t = token(kw_nchar, start);
        t.text = "nchar";
        return t;
      }
      default: break;
    }
  }
  if ((c == 'u' || c == 'U') && second == '&' && (at(start + 2) == '\'' || at(start + 2) == '"')) {
    offset_ += 3;
    return unicode(start, at(start + 2));
  }
  if (is(c, kIdentStart)) return identifier();
  if (is(c, kDigit) || (c == '.' && is(second, kDigit))) return number();
  if (c == '\'') {
    ++offset_;
    if (options_.standard_conforming_strings) return plain_string(start, tok_sconst, "");
    return escape_string(start, true);
  }
  if (c == '"') {
    ++offset_;
    return quoted_identifier(start);
  }
  if (c == '$') return parameter_or_dollar_quote();
  return operator_or_self();
}

std::string_view Lexer::truncate(std::string_view identifier) {
  if (identifier.size() <= kNameBytesMax) return identifier;
  size_t size = kNameBytesMax;
  while (size > 0 && (static_cast<uint8_t>(identifier[size]) & 0xc0) == 0x80) --size;
  const std::string_view cut = identifier.substr(0, size);
  if (options_.notices != nullptr) {
    options_.notices->push_back(
        {sqlstate::name_too_long, false,
         cat("identifier \"", identifier, "\" will be truncated to \"", cut, "\""), "", 0});
  }
  return cut;
}

Token Lexer::identifier() {
  const uint32_t start = offset_;
  uint32_t hash = kKeywordHashSeed;
  bool fold = false;
  const char* const data = text_.data();
  const auto size = static_cast<uint32_t>(text_.size());
  uint32_t i = start;
  for (; i < size && is_ident_part(data[i]); ++i) {
    const char folded = lower(data[i]);
    fold |= folded != data[i];
    hash = keyword_hash_step(hash, folded);
  }
  offset_ = i;
  const std::string_view raw = text_.substr(start, i - start);
  Token t = token(find_keyword(raw, hash), start);
  if (t.kind != tok_ident) {
    t.text = keyword_text(t.kind);
    return t;
  }
  if (fold) {
    char* const folded = static_cast<char*>(arena_.allocate(raw.size(), 1));
    for (size_t j = 0; j < raw.size(); ++j) folded[j] = lower(raw[j]);
    t.text = {folded, raw.size()};
  }
  t.text = truncate(t.text);
  return t;
}

Token Lexer::quoted_identifier(uint32_t start) {
  const uint32_t body = offset_;
  bool doubled = false;
  for (;; ++offset_) {
    if (offset_ >= text_.size()) return fail_at("unterminated quoted identifier", start);
    if (text_[offset_] != '"') continue;
    if (at(offset_ + 1) != '"') break;
    doubled = true;
    ++offset_;
  }
  std::string_view raw = text_.substr(body, offset_ - body);
  ++offset_;
  if (raw.empty()) return fail_at("zero-length delimited identifier", start);
  if (doubled) {
    scratch_.clear();
    for (size_t i = 0; i < raw.size(); ++i) {
      scratch_ += raw[i];
      if (raw[i] == '"') ++i;
    }
    raw = arena_.copy(scratch_);
  }
  Token t = token(tok_ident, start);
  t.is_quoted = true;
  t.text = truncate(raw);
  return t;
}

Token Lexer::number() {
  const uint32_t start = offset_;
  const auto digits = [this] {
    while (is(at(offset_), kDigit)) ++offset_;
  };
  bool integer = true;
  digits();
  if (at(offset_) == '.' && at(offset_ + 1) != '.') {
    integer = false;
    ++offset_;
    digits();
  }
  if (at(offset_) == 'e' || at(offset_) == 'E') {
    const bool sign = at(offset_ + 1) == '+' || at(offset_ + 1) == '-';
    if (is(at(offset_ + (sign ? 2 : 1)), kDigit)) {
      integer = false;
      offset_ += sign ? 2 : 1;
      digits();
    } else if (sign) {
      offset_ += 2;
      return fail_at("trailing junk after numeric literal", start);
    }
  }
  if (is(at(offset_), kIdentStart)) {
    ++offset_;
    return fail_at("trailing junk after numeric literal", start);
  }
  Token t = token(tok_fconst, start);
  if (integer) {
    const auto [end, error] = std::from_chars(t.text.data(), t.text.data() + t.text.size(), t.ival);
    if (error == std::errc{}) t.kind = tok_iconst;
  }
  return t;
}

Token Lexer::parameter_or_dollar_quote() {
  const uint32_t start = offset_++;
  if (is(at(offset_), kDigit)) {
    uint64_t number = 0;
    for (; is(at(offset_), kDigit); ++offset_) {
      number = std::min<uint64_t>(number * 10 + static_cast<uint64_t>(at(offset_) - '0'),
                                  INT64_MAX / 16);
    }
    if (is(at(offset_), kIdentStart)) {
      ++offset_;
      return fail_at("trailing junk after parameter", start);
    }
    Token t = token(tok_param, start);
    t.ival = static_cast<int32_t>(number);
    return t;
  }
  uint32_t i = offset_;
  if (is(at(i), kIdentStart)) {
    while (is(at(i), kIdentStart | kDigit)) ++i;
  }
  if (at(i) != '$') return token(static_cast<TokenKind>('$'), start);
  const std::string_view delimiter = text_.substr(start, i + 1 - start);
  const size_t close = text_.find(delimiter, i + 1);
  if (close == std::string_view::npos) {
    offset_ = static_cast<uint32_t>(text_.size());
    return fail_at("unterminated dollar-quoted string", start);
  }
  offset_ = static_cast<uint32_t>(close + delimiter.size());
  Token t = token(tok_sconst, start);
  t.text = text_.substr(i + 1, close - i - 1);
  return t;
}

Token Lexer::operator_or_self() {
  const uint32_t start = offset_;
  const char c = text_[start];
  const char second = at(start + 1);
  if (c == ':' && (second == ':' || second == '=')) {
    offset_ += 2;
    return token(second == ':' ? tok_typecast : tok_colon_equals, start);
  }
  if (c == '.' && second == '.') {
    offset_ += 2;
    return token(tok_dot_dot, start);
  }
  if (!is(c, kOperatorChar)) {
    ++offset_;
    return token(static_cast<TokenKind>(static_cast<uint8_t>(c)), start);
  }
  uint32_t end = start;
  bool plus_minus_may_end = false;
  for (; is(at(end), kOperatorChar); ++end) {
    if (at(end) == '/' && at(end + 1) == '*') break;
    if (at(end) == '-' && at(end + 1) == '-') break;
  }
  for (uint32_t i = start; i + 1 < end; ++i) {
    plus_minus_may_end |= std::string_view("~!@#^&|`?%").find(text_[i]) != std::string_view::npos;
  }
  if (!plus_minus_may_end) {
    while (end - start > 1 && (text_[end - 1] == '+' || text_[end - 1] == '-')) --end;
  }
  offset_ = end;
  const std::string_view op = text_.substr(start, end - start);
  if (op.size() == 1 && is(c, kSelf)) return token(static_cast<TokenKind>(c), start);
  if (op == "=>") return token(tok_equals_greater, start);
  if (op == ">=") return token(tok_greater_equals, start);
  if (op == "<=") return token(tok_less_equals, start);
  if (op == "<>" || op == "!=") return token(tok_not_equals, start);
  if (op.size() > kNameBytesMax) return fail_at("operator too long", start);
  return token(tok_op, start);
}

}  // namespace orrery
