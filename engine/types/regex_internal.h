// The tree of a regular expression and the automata made of its parts. Everything lies in one
// arena.
#pragma once

#include <cstdint>
#include <string_view>

#include "types/regex.h"

namespace orrery {

// A vector in an arena: grows by doubling, never frees.
template <class T>
struct ArenaVector {
  T* items = nullptr;
  uint32_t count = 0;
  uint32_t room = 0;

  void push(Arena& arena, const T& item) {
    if (count == room) {
      room = room == 0 ? 8 : room * 2;
      T* const larger = arena.make_array<T>(room).data();
      for (uint32_t i = 0; i < count; ++i) larger[i] = items[i];
      items = larger;
    }
    items[count++] = item;
  }
  T& operator[](size_t i) { return items[i]; }
  const T& operator[](size_t i) const { return items[i]; }
};

struct CodeRange {
  uint32_t low, high;  // both included
};
struct CodeSet {  // sorted, apart from each other
  CodeRange* ranges = nullptr;
  uint32_t count = 0;
  bool contains(uint32_t c) const {
    uint32_t low = 0;
    uint32_t high = count;
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (ranges[middle].high < c) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < count && ranges[low].low <= c;
  }
};

enum class Preference : uint8_t { none, longest, shortest };
enum class RegexTag : uint8_t {
  empty,
  set,
  sequence,
  choice,
  repeat,
  group,
  back_reference,
  constraint,
  look
};
enum class Constraint : uint8_t {
  line_start,
  line_end,
  text_start,
  text_end,
  word_start,
  word_end,
  word_edge,
  no_word_edge
};
constexpr int kRepeatForever = -1;
constexpr int kMaxRepeat = 255;

struct Automaton;
struct RegexNode {
  RegexTag tag = RegexTag::empty;
  Preference preference = Preference::none;
  bool captures = false;  // a capturing group or back-reference is inside
  bool back_references = false;
  // set
  const CodeSet* set = nullptr;
  // sequence, choice: left and right; repeat, group, look: left
  RegexNode* left = nullptr;
  RegexNode* right = nullptr;
  int32_t low = 0, high = 0;  // repeat
  int32_t group = 0;          // group (0: does not capture), back_reference
  Constraint constraint = Constraint::text_start;
  bool behind = false, negative = false;  // look
  Automaton* automaton = nullptr;         // of this part, when asked for
};

// A Thompson automaton: state 0 starts, `accept` accepts.
struct Transition {
  enum class Kind : uint8_t { nothing, set, constraint } kind = Kind::nothing;
  const CodeSet* set = nullptr;
  const RegexNode* constraint = nullptr;  // constraint or look
  uint32_t to = 0;
  int32_t next = -1;  // of the same state
};
struct DfaState {
  uint64_t* members = nullptr;  // bit set of states
  int32_t* next = nullptr;      // by colour; -1 not known yet, -2 dead
  bool accepts = false;
};
struct Automaton {
  ArenaVector<int32_t> first;  // transition of each state
  ArenaVector<Transition> transitions;
  uint32_t accept = 0;
  uint32_t words = 0;  // of a bit set of states
  bool has_constraints = false;
  // Lazy DFA
  ArenaVector<DfaState> dfa;
  int32_t start = -1;
  // Scratch of the direct simulation.
  uint64_t* now = nullptr;
  uint64_t* then = nullptr;
  ArenaVector<uint32_t> stack;
};

struct RegexProgram {
  Arena* arena = nullptr;
  RegexOptions options;
  RegexNode* root = nullptr;
  int32_t groups = 0;
  bool back_references = false;
  // Code points that no set of the expression tells apart have one colour.
  ArenaVector<uint32_t> bounds;  // colour i: bounds[i-1] <= c < bounds[i]
  uint16_t ascii_colour[128] = {};
  CodeSet word;  // for \y and friends
  // The text at hand, as code points; offsets[i] is where point i starts.
  ArenaVector<uint32_t> text;
  ArenaVector<int32_t> offsets;
  bool is_ascii = true;
  const StopSign* stop = nullptr;  // once it is up nothing matches

  uint32_t colour(uint32_t c) const;
  void set_text(std::string_view bytes);
};

Result<RegexProgram*> parse_regex(Arena& arena, std::string_view pattern, RegexOptions options);

}  // namespace orrery
