// Text to parse trees: PostgreSQL 15's grammar, by hand-written recursive descent with operator
// precedence.
//
// Nothing is looked up here: names, types and functions may not exist. What PostgreSQL's grammar
// refuses is refused with the same message at the same place; what it accepts is returned, whether
// or not the engine can run it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/queries.h"

namespace orrery {

// Said beside a successful parse; the session sends them as NoticeResponse (NOTICE or WARNING).
struct ParseNotice {
  SqlState code;
  bool is_warning = false;
  std::string message;
  std::string hint;
  int position = 0;  // 1-based character; 0 is none
};

struct ParseOptions {
  bool standard_conforming_strings = true;
  bool escape_string_warning = true;
  enum class BackslashQuote : uint8_t {
    off,
    on,
    safe_encoding
  } backslash_quote = BackslashQuote::safe_encoding;
  bool client_encoding_is_safe = true;  // no multibyte character contains an ASCII byte
  int max_depth = 1000;                 // of nested parentheses, subqueries, ...; beyond: 54001.
                                        // 200 take at most 150 KB of stack without optimisation
  std::vector<ParseNotice>* notices = nullptr;  // may be null
};

// The statements of `text`, in order; empty statements are left out. The trees point into `text`
// and `arena`. Raises 42601 and what else PostgreSQL's lexer and grammar raise (22025, 22P06,
// 42622, 0A000, 22023 ...), with position;
// 54001 when nested deeper than max_depth; 53200 when the arena's budget is exceeded.
Result<std::span<const RawStmt* const>> parse(Arena& arena, std::string_view text,
                                              const ParseOptions& options = {});

// The 1-based character that starts at byte `offset` of UTF-8 `text`: what error positions count. 0
// for a negative offset.
int character_position(std::string_view text, int32_t offset);

}  // namespace orrery
