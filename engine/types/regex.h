// Regular expressions as PostgreSQL has them: POSIX advanced regular expressions after Henry
// Spencer, over code points.
//
// What matches is settled in three steps, and the rules are his:
//   1. the match that starts leftmost;
//   2. of those, the longest, or the shortest if the expression as a whole prefers that: a branch prefers what its first
//      quantified atom with a preference does; alternatives joined by | prefer the longest;
//   3. captures: the whole is divided from left to right, each part taking the longest (or shortest) piece that lets the rest
//      match; of alternatives the first that fits its piece.
//
// Steps 1 and 2 run an automaton over the text in one pass per start, without backtracking, through
// a table of transitions filled as it is used (a lazy DFA) where the expression has no constraints
// inside. Step 3 asks the same kind of automaton of each part for the places where the part can
// end, so it is polynomial; only back-references make it try alternatives.
//
// A Regex lives in an arena and is trivially destructible, scratch memory included: it may be kept
// with a plan.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/stop_sign.h"

namespace orrery {

struct RegexOptions {
  bool advanced = true;  // false: extended (flag e); literal and basic follow
  bool literal = false;  // flag q
  bool ignore_case = false;
  bool expanded = false;              // blanks and # comments in the pattern are skipped
  bool dot_excludes_newline = false;  // flags n, p
  bool lines = false;                 // ^ and $ match at newlines: flags n, w
  bool global = false;                // g: of the caller's making
};

// Bytes of the text; from < 0: the group did not take part.
struct RegexSpan {
  int32_t from = -1;
  int32_t to = -1;
};

struct RegexProgram;  // types/regex_internal.h

class Regex {
 public:
  // 2201B "invalid regular expression: ...".
  static Result<Regex*> compile(Arena& arena, std::string_view pattern,
                                const RegexOptions& options);

  // From now, `stop` ends a search: it finds nothing, and its caller asks the sign.
  void stop_by(const StopSign* stop);
  int groups() const;  // capturing ones
  // Whether it matches anywhere.
  bool matches(std::string_view text);
  // The first match that starts at byte `from` or later; spans[0] is the whole, spans[i] group i.
  // Fewer spans may be asked for: without groups nothing is divided. Constraints look at the text
  // before `from` as well.
  bool find(std::string_view text, size_t from, std::span<RegexSpan> spans);
  // The same in the text of the last find() or matches(), which is not read again.
  bool find_again(size_t from, std::span<RegexSpan> spans);

 private:
  friend struct RegexProgram;
  RegexProgram* program_ = nullptr;
};

// Flags as regexp functions take them: "gin...". 22023 for an unknown one.
Result<RegexOptions> parse_regex_flags(std::string_view flags);
// SIMILAR TO's pattern as a regular expression. `escape`: nullopt is backslash, empty none. 22025,
// 22019.
Result<std::string> similar_to_regex(std::string_view pattern,
                                     std::optional<std::string_view> escape);

}  // namespace orrery
