// The lexer: PostgreSQL 15's tokens, one at a time, with its error messages and places.
//
// Identifiers are folded to lower case (ASCII only) and cut to 63 bytes; strings are decoded. Text
// that needs no change is a view into the statement; the rest is copied into the arena. An error
// becomes a tok_error token and is kept, because the parser may find a syntax error before it gets
// there; from then on every token is tok_error.
//
// Operators follow PostgreSQL's rule that + and - may end a longer operator only if it contains one
// of ~ ! @ # % ^ & | ` ?, so that "a=-1" is three tokens.
#pragma once

#include "sql/parser.h"
#include "sql/token.h"

namespace orrery {

constexpr size_t kNameBytesMax = 63;

class Lexer {
 public:
  Lexer(Arena& arena, std::string_view text, const ParseOptions& options);

  Token next();
  // What a run of '(' that starts at byte `offset` leads to: the kind of the first other token.
  // Costs what the run is long, once: asking again from inside the same run is free.
  TokenKind kind_after_parentheses(uint32_t offset);
  // The error behind tok_error. REQUIRES: next() has returned tok_error.
  Status take_error();
  // "<message> at or near "<token>"" with its place.
  Status syntax_error(std::string_view message, uint32_t start, uint32_t end) const;
  // Cuts to 63 bytes at a character's border and says so in a notice.
  std::string_view truncate(std::string_view identifier);

 private:
  friend class StatementSplitter;
  bool skip_space();  // false: an unterminated comment
  Token token(TokenKind kind, uint32_t start) const;
  Token fail(Status error);
  Token fail_at(std::string_view message, uint32_t start);
  Token identifier();
  Token quoted_identifier(uint32_t start);
  Token number();
  Token parameter_or_dollar_quote();
  Token operator_or_self();
  Token plain_string(uint32_t start, TokenKind kind, std::string_view prefix);
  Token escape_string(uint32_t start, bool warn);
  Token unicode(uint32_t start, char quote);
  bool escape(std::string& out, bool& verify, bool& warn);
  bool unicode_escape(std::string& out);
  void warn_escape(char escaped, bool& warn);
  bool read_unicode_escape(char& escape);
  bool decode_unicode(std::string_view body, char escape, uint32_t start, std::string& out);
  bool continues();  // whitespace with a newline, then another quote
  char at(uint32_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }

  Arena& arena_;
  std::string_view text_;
  const ParseOptions& options_;
  uint32_t offset_ = 0;
  bool failed_ = false;
  Status error_;
  uint32_t run_begin_ = 0;  // the run of parentheses last asked about
  uint32_t run_end_ = 0;
  TokenKind run_kind_ = tok_end;
  std::string scratch_;
};

}  // namespace orrery
