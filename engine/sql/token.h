// Tokens and keywords. A token's kind is its own character for the single-character ones, so that
// the parser can say at('('); keywords come from keywords.def, with PostgreSQL's four classes.
#pragma once

#include <cstdint>
#include <string_view>

namespace orrery {

enum class KeywordClass : uint8_t {
  unreserved,      // any name
  col_name,        // a column or table name, but no function or type name
  type_func_name,  // a function or type name, but no column or table name
  reserved,        // no name unless quoted (or a label after AS)
};

enum TokenKind : uint16_t {
  tok_end = 0,      // 1 to 127 are the characters themselves
  tok_error = 256,  // the lexer met an error here and keeps it
  tok_ident,
  tok_sconst,
  tok_bconst,
  tok_xconst,
  tok_fconst,
  tok_iconst,
  tok_param,
  tok_op,
  tok_typecast,        // ::
  tok_dot_dot,         // ..
  tok_colon_equals,    // :=
  tok_equals_greater,  // =>
  tok_less_equals,
  tok_greater_equals,
  tok_not_equals,  // <> and !=
  tok_not_la,      // the parser's: NOT before BETWEEN, IN, LIKE, ILIKE, SIMILAR
  tok_with_la,     // WITH before TIME, ORDINALITY
  tok_nulls_la,    // NULLS before FIRST, LAST
  tok_before_keywords,
#define KEYWORD(word, keyword_class, bare_label) kw_##word,
#include "sql/keywords.def"
#undef KEYWORD
  tok_count,
};
constexpr TokenKind tok_first_keyword = static_cast<TokenKind>(tok_before_keywords + 1);

struct Token {
  TokenKind kind = tok_end;
  bool is_quoted = false;  // of an identifier: "x"
  int32_t ival = 0;        // of iconst and param
  uint32_t start = 0;      // byte offsets of the raw token
  uint32_t end = 0;
  std::string_view text;  // folded identifier, contents of a string, digits, operator, keyword
};

constexpr bool is_keyword(TokenKind kind) { return kind >= tok_first_keyword; }
KeywordClass keyword_class(TokenKind keyword);
bool is_bare_label(TokenKind keyword);  // may follow an expression as its label without AS
std::string_view keyword_text(TokenKind keyword);
// The keyword that `word` is, in any case, or tok_ident. `hash` is keyword_hash of the word.
TokenKind find_keyword(std::string_view word, uint32_t hash);
TokenKind find_keyword(std::string_view word);

// The hash is taken over lower-cased ASCII while an identifier is scanned.
constexpr uint32_t kKeywordHashSeed = 2166136261u;
constexpr uint32_t keyword_hash_step(uint32_t hash, char lower) {
  return (hash ^ static_cast<uint8_t>(lower)) * 16777619u;
}

}  // namespace orrery
