// Matching: automata of parts of the tree, the search for the whole, and its division into groups.
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "types/regex_internal.h"
#include "types/utf8.h"

namespace orrery {
namespace {

constexpr uint32_t kMaxStates = 100000;
constexpr uint32_t kMaxDfaStates = 2000;
constexpr int32_t kUnknown = -1;
constexpr int32_t kDead = -2;

bool test_bit(const uint64_t* bits, uint32_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
void set_bit(uint64_t* bits, uint32_t i) { bits[i / 64] |= uint64_t{1} << (i % 64); }

// Builds a Thompson automaton of a tree.
class Builder {
 public:
  Builder(Arena& arena, Automaton& automaton) : arena_(arena), automaton_(automaton) {}
  bool build(const RegexNode& node) {
    const uint32_t start = state();
    automaton_.accept = state();
    add(node, start, automaton_.accept);
    automaton_.words = (automaton_.first.count + 63) / 64;
    return automaton_.first.count < kMaxStates;
  }

 private:
  uint32_t state() {
    automaton_.first.push(arena_, -1);
    return automaton_.first.count - 1;
  }
  void edge(uint32_t from, Transition transition) {
    transition.next = automaton_.first[from];
    automaton_.first[from] = static_cast<int32_t>(automaton_.transitions.count);
    automaton_.transitions.push(arena_, transition);
  }
  void free_edge(uint32_t from, uint32_t to) { edge(from, {.to = to}); }

  void add(const RegexNode& node, uint32_t from, uint32_t to) {
    if (automaton_.first.count >= kMaxStates) return;
    switch (node.tag) {
      case RegexTag::empty: return free_edge(from, to);
      case RegexTag::set:
        return edge(from, {.kind = Transition::Kind::set, .set = node.set, .to = to});
      case RegexTag::constraint:
      case RegexTag::look:
        automaton_.has_constraints = true;
        return edge(from, {.kind = Transition::Kind::constraint, .constraint = &node, .to = to});
      case RegexTag::group:
      case RegexTag::back_reference: return add(*node.left, from, to);
      case RegexTag::sequence:       {
        const uint32_t middle = state();
        add(*node.left, from, middle);
        return add(*node.right, middle, to);
      }
      case RegexTag::choice: add(*node.left, from, to); return add(*node.right, from, to);
      case RegexTag::repeat: return add_repeat(node, from, to);
    }
  }
  void add_repeat(const RegexNode& node, uint32_t from, uint32_t to) {
    for (int32_t i = 0; i < node.low; ++i) {
      const uint32_t next = state();
      add(*node.left, from, next);
      from = next;
    }
    if (node.high == kRepeatForever) {
      const uint32_t loop = state();
      free_edge(from, loop);
      const uint32_t back = state();
      add(*node.left, loop, back);
      free_edge(back, loop);
      return free_edge(loop, to);
    }
    for (int32_t i = node.low; i < node.high; ++i) {
      const uint32_t next = state();
      free_edge(from, to);
      add(*node.left, from, next);
      from = next;
    }
    free_edge(from, to);
  }

  Arena& arena_;
  Automaton& automaton_;
};

// One search over the program's text. Positions are code points.
class Matcher {
 public:
  explicit Matcher(RegexProgram& program)
      : program_(program),
        arena_(*program.arena),
        text_(program.text.items),
        length_(static_cast<int32_t>(program.text.count)) {}

  // The span of the match that starts at `from` or later.
  bool search(int32_t from, int32_t* begin, int32_t* finish, std::span<RegexSpan> spans) {
    const bool divide = spans.size() > 1 && program_.root->captures;
    for (int32_t start = from; start <= length_; ++start) {
      if (!program_.back_references) {
        const int32_t end = preferred_end(*program_.root, start, length_);
        if (end < 0) continue;
        *begin = start;
        *finish = end;
        if (divide) {
          clear(spans);
          CHECK(divide_span(*program_.root, start, end, spans));
        }
        return true;
      }
      if (search_with_references(start, begin, finish, spans)) return true;
    }
    return false;
  }

  // Any match at all, starting anywhere, in one pass.
  bool exists() {
    if (program_.back_references) {
      int32_t begin = 0;
      int32_t finish = 0;
      return search(0, &begin, &finish, {});
    }
    Automaton& a = automaton_of(*program_.root);
    clear_bits(a, a.now);
    for (int32_t at = 0;; ++at) {
      follow(a, a.now, 0, at);
      if (test_bit(a.now, a.accept)) return true;
      if (at == length_) return false;
      step(a, text_[at], at + 1);
    }
  }

 private:
  static void clear(std::span<RegexSpan> spans) {
    for (RegexSpan& span : spans) span = {};
  }

  Automaton& automaton_of(const RegexNode& node) {
    if (node.automaton == nullptr) {
      Automaton* const automaton = arena_.make<Automaton>();
      Builder(arena_, *automaton).build(node);  // its size was checked when the whole was built
      automaton->now = arena_.make_array<uint64_t>(automaton->words).data();
      automaton->then = arena_.make_array<uint64_t>(automaton->words).data();
      const_cast<RegexNode&>(node).automaton = automaton;
    }
    return *node.automaton;
  }
  static void clear_bits(Automaton& a, uint64_t* bits) {
    std::memset(bits, 0, a.words * sizeof(uint64_t));
  }

  bool is_word(int32_t at) const {
    return at >= 0 && at < length_ && program_.word.contains(text_[at]);
  }
  bool holds(const RegexNode& node, int32_t at) {
    if (node.tag == RegexTag::look) return look(node, at) != node.negative;
    switch (node.constraint) {
      case Constraint::text_start:   return at == 0;
      case Constraint::text_end:     return at == length_;
      case Constraint::line_start:   return at == 0 || text_[at - 1] == '\n';
      case Constraint::line_end:     return at == length_ || text_[at] == '\n';
      case Constraint::word_start:   return !is_word(at - 1) && is_word(at);
      case Constraint::word_end:     return is_word(at - 1) && !is_word(at);
      case Constraint::word_edge:    return is_word(at - 1) != is_word(at);
      case Constraint::no_word_edge: return is_word(at - 1) == is_word(at);
    }
    UNREACHABLE();
  }
  bool look(const RegexNode& node, int32_t at) {
    if (!node.behind) return longest_end(*node.left, at, length_) >= 0;
    for (int32_t start = at; start >= 0; --start) {
      if (can_span(*node.left, start, at)) return true;
    }
    return false;
  }

  // Adds a state and what can be reached from it without a character. Constraints are judged at
  // `at`.
  void follow(Automaton& a, uint64_t* bits, uint32_t state, int32_t at) {
    if (test_bit(bits, state)) return;
    set_bit(bits, state);
    const uint32_t base = a.stack.count;
    a.stack.push(arena_, state);
    while (a.stack.count > base) {
      const uint32_t from = a.stack[--a.stack.count];
      for (int32_t t = a.first[from]; t >= 0; t = a.transitions[static_cast<size_t>(t)].next) {
        const Transition& transition = a.transitions[static_cast<size_t>(t)];
        if (transition.kind == Transition::Kind::set || test_bit(bits, transition.to)) continue;
        if (transition.kind == Transition::Kind::constraint && !holds(*transition.constraint, at))
          continue;
        set_bit(bits, transition.to);
        a.stack.push(arena_, transition.to);
      }
    }
  }
  // Moves `now` over a character; the new position is `at`.
  void step(Automaton& a, uint32_t c, int32_t at) {
    clear_bits(a, a.then);
    for (uint32_t w = 0; w < a.words; ++w) {
      for (uint64_t rest = a.now[w]; rest != 0; rest &= rest - 1) {
        const uint32_t from = w * 64 + static_cast<uint32_t>(std::countr_zero(rest));
        for (int32_t t = a.first[from]; t >= 0; t = a.transitions[static_cast<size_t>(t)].next) {
          const Transition& transition = a.transitions[static_cast<size_t>(t)];
          if (transition.kind == Transition::Kind::set && transition.set->contains(c))
            follow(a, a.then, transition.to, at);
        }
      }
    }
    std::swap(a.now, a.then);
  }
  static bool is_empty(const Automaton& a, const uint64_t* bits) {
    for (uint32_t w = 0; w < a.words; ++w) {
      if (bits[w] != 0) return false;
    }
    return true;
  }

  // Asked now and then.
  bool is_stopped(int32_t at, int32_t start) const {
    constexpr int32_t kBetween = 4096;
    return (at - start) % kBetween == 0 && program_.stop != nullptr && program_.stop->is_raised();
  }

  // Calls `at_end(position)` for every place up to `limit` where a match of the node from `start`
  // can end, in rising order, until it returns false.
  template <class AtEnd>
  void each_end(const RegexNode& node, int32_t start, int32_t limit, AtEnd at_end) {
    Automaton& a = automaton_of(node);
    if (!a.has_constraints) return each_end_dfa(a, start, limit, at_end);
    // Constraints may ask this same automaton again (lookaround has its own): the sets are this
    // call's.
    clear_bits(a, a.now);
    follow(a, a.now, 0, start);
    for (int32_t at = start;; ++at) {
      if (is_stopped(at, start)) return;
      if (test_bit(a.now, a.accept) && !at_end(at)) return;
      if (at == limit || is_empty(a, a.now)) return;
      step(a, text_[at], at + 1);
    }
  }

  // The DFA state of the set in a.now, made if it is new; kDead for the empty set.
  int32_t intern(Automaton& a) {
    if (is_empty(a, a.now)) return kDead;
    for (uint32_t i = 0; i < a.dfa.count; ++i) {
      if (std::memcmp(a.dfa[i].members, a.now, a.words * sizeof(uint64_t)) == 0)
        return static_cast<int32_t>(i);
    }
    DfaState made;
    made.members = arena_.make_array<uint64_t>(a.words).data();
    std::memcpy(made.members, a.now, a.words * sizeof(uint64_t));
    made.next = arena_.make_array<int32_t>(program_.bounds.count + 1).data();
    std::fill(made.next, made.next + program_.bounds.count + 1, kUnknown);
    made.accepts = test_bit(a.now, a.accept);
    a.dfa.push(arena_, made);
    return static_cast<int32_t>(a.dfa.count - 1);
  }
  template <class AtEnd>
  void each_end_dfa(Automaton& a, int32_t start, int32_t limit, AtEnd at_end) {
    if (a.start < 0) {
      clear_bits(a, a.now);
      follow(a, a.now, 0, 0);
      a.start = intern(a);
    }
    int32_t state = a.start;
    for (int32_t at = start;; ++at) {
      if (is_stopped(at, start)) return;
      if (a.dfa[static_cast<size_t>(state)].accepts && !at_end(at)) return;
      if (at == limit) return;
      int32_t& next = a.dfa[static_cast<size_t>(state)].next[program_.colour(text_[at])];
      if (next == kUnknown) {
        if (a.dfa.count >= kMaxDfaStates) return finish_directly(a, state, at, limit, at_end);
        std::memcpy(a.now, a.dfa[static_cast<size_t>(state)].members, a.words * sizeof(uint64_t));
        step(a, text_[at], 0);
        int32_t* const row = a.dfa[static_cast<size_t>(state)].next;
        const int32_t found = intern(a);
        row[program_.colour(text_[at])] = found;
        state = found;
      } else {
        state = next;
      }
      if (state == kDead) return;
    }
  }
  // The table is full: go on with sets.
  template <class AtEnd>
  void finish_directly(Automaton& a, int32_t state, int32_t at, int32_t limit, AtEnd at_end) {
    std::memcpy(a.now, a.dfa[static_cast<size_t>(state)].members, a.words * sizeof(uint64_t));
    for (; at < limit && !is_empty(a, a.now);) {
      if (is_stopped(at, 0)) return;
      step(a, text_[at], 0);
      ++at;
      if (test_bit(a.now, a.accept) && !at_end(at)) return;
    }
  }

  int32_t longest_end(const RegexNode& node, int32_t start, int32_t limit) {
    int32_t end = -1;
    each_end(node, start, limit, [&](int32_t at) {
      end = at;
      return true;
    });
    return end;
  }
  int32_t preferred_end(const RegexNode& node, int32_t start, int32_t limit) {
    if (node.preference != Preference::shortest) return longest_end(node, start, limit);
    int32_t end = -1;
    each_end(node, start, limit, [&](int32_t at) {
      end = at;
      return false;
    });
    return end;
  }
  bool can_span(const RegexNode& node, int32_t start, int32_t end) {
    bool found = false;
    each_end(node, start, end, [&](int32_t at) {
      found = at == end;
      return true;
    });
    return found;
  }
  // Ends in the order in which the node prefers them.
  ArenaVector<int32_t> ends_of(const RegexNode& node, int32_t start, int32_t limit) {
    ArenaVector<int32_t> ends;
    each_end(node, start, limit, [&](int32_t at) {
      ends.push(arena_, at);
      return true;
    });
    if (node.preference != Preference::shortest) std::reverse(ends.items, ends.items + ends.count);
    return ends;
  }

  // Sets the groups inside `node`, which is known to span [start, end) but for back-references:
  // then it may fail.
  bool divide_span(const RegexNode& node, int32_t start, int32_t end, std::span<RegexSpan> spans) {
    if (!node.captures) return true;
    switch (node.tag) {
      case RegexTag::group:
        if (!divide_span(*node.left, start, end, spans)) return false;
        if (node.group > 0 && static_cast<size_t>(node.group) < spans.size())
          spans[static_cast<size_t>(node.group)] = {start, end};
        return true;
      case RegexTag::back_reference: return same_as_group(node.group, start, end, spans);
      case RegexTag::sequence:
        for (const ArenaVector<int32_t> ends = ends_of(*node.left, start, end);
             const int32_t middle : std::span(ends.items, ends.count)) {
          if (can_span(*node.right, middle, end) && divide_span(*node.left, start, middle, spans) &&
              divide_span(*node.right, middle, end, spans)) {
            return true;
          }
        }
        return false;
      case RegexTag::choice:
        for (const RegexNode* side : {node.left, node.right}) {
          if (can_span(*side, start, end) && divide_span(*side, start, end, spans)) return true;
        }
        return false;
      case RegexTag::repeat:     return divide_repeat(node, start, end, 0, spans);
      case RegexTag::empty:
      case RegexTag::set:
      case RegexTag::constraint:
      case RegexTag::look:       return true;
    }
    UNREACHABLE();
  }
  static void clear_groups(const RegexNode& node, std::span<RegexSpan> spans) {
    if (!node.captures || node.tag == RegexTag::back_reference) return;
    if (node.tag == RegexTag::group && node.group > 0 &&
        static_cast<size_t>(node.group) < spans.size()) {
      spans[static_cast<size_t>(node.group)] = {};
    }
    if (node.left != nullptr) clear_groups(*node.left, spans);
    if (node.right != nullptr && node.tag != RegexTag::repeat) clear_groups(*node.right, spans);
  }
  // Iteration number `done` starts at `start`; the last one's groups remain.
  bool divide_repeat(const RegexNode& node, int32_t start, int32_t end, int32_t done,
                     std::span<RegexSpan> spans) {
    if (start == end && done >= node.low) {
      if (done > 0 || node.low == 0) {
        // No iteration at all matches the empty text, unless the body must: then its groups are
        // empty.
        if (done == 0 && node.high != 0 && can_span(*node.left, start, end))
          divide_span(*node.left, start, end, spans);
        return true;
      }
    }
    if (node.high != kRepeatForever && done >= node.high) return false;
    const ArenaVector<int32_t> ends = ends_of(*node.left, start, end);
    // What this repetition prefers, each iteration prefers.
    for (uint32_t i = 0; i < ends.count; ++i) {
      const int32_t middle = ends[i];
      if (middle == start && done >= node.low) continue;  // an empty iteration leads nowhere
      if (!rest_can_span(node, middle, end, done + 1)) continue;
      clear_groups(*node.left, spans);  // of the iteration before
      if (divide_span(*node.left, start, middle, spans) &&
          divide_repeat(node, middle, end, done + 1, spans))
        return true;
    }
    return false;
  }
  bool rest_can_span(const RegexNode& node, int32_t start, int32_t end, int32_t done) {
    if (start == end) return true;  // the body that was matched so far may be empty again
    if (node.high != kRepeatForever && done >= node.high) return false;
    // Some number of further iterations.
    const int32_t least = std::max(node.low - done, 0);
    const int32_t most = node.high == kRepeatForever ? kRepeatForever : node.high - done;
    RegexNode rest = node;
    rest.low = least;
    rest.high = most;
    rest.automaton = nullptr;
    if (node.high == kRepeatForever && least == 0) return can_span(star_of(node), start, end);
    return can_span(rest, start, end);
  }
  // x* for a repetition of x: made once.
  const RegexNode& star_of(const RegexNode& node) {
    if (node.right == nullptr) {
      RegexNode* const star = arena_.make<RegexNode>(node);
      star->low = 0;
      star->high = kRepeatForever;
      star->automaton = nullptr;
      const_cast<RegexNode&>(node).right = star;
    }
    return *node.right;
  }

  bool same_as_group(int32_t group, int32_t start, int32_t end, std::span<RegexSpan> spans) {
    const RegexSpan span = spans[static_cast<size_t>(group)];
    if (span.from < 0 || span.to - span.from != end - start) return false;
    for (int32_t i = 0; i < end - start; ++i) {
      uint32_t a = text_[span.from + i];
      uint32_t b = text_[start + i];
      if (program_.options.ignore_case) {
        if (a >= 'A' && a <= 'Z') a += 32;
        if (b >= 'A' && b <= 'Z') b += 32;
      }
      if (a != b) return false;
    }
    return true;
  }
  bool search_with_references(int32_t start, int32_t* begin, int32_t* finish,
                              std::span<RegexSpan> spans) {
    const auto all = arena_.make_array<RegexSpan>(static_cast<size_t>(program_.groups) + 1);
    for (const ArenaVector<int32_t> ends = ends_of(*program_.root, start, length_);
         const int32_t end : std::span(ends.items, ends.count)) {
      clear(all);
      if (!divide_span(*program_.root, start, end, all)) continue;
      *begin = start;
      *finish = end;
      std::copy_n(all.begin(), std::min(all.size(), spans.size()), spans.begin());
      return true;
    }
    return false;
  }

  RegexProgram& program_;
  Arena& arena_;
  const uint32_t* text_;
  int32_t length_;
};

}  // namespace

uint32_t RegexProgram::colour(uint32_t c) const {
  if (c < 128) return ascii_colour[c];
  return static_cast<uint32_t>(std::upper_bound(bounds.items, bounds.items + bounds.count, c) -
                               bounds.items);
}

void RegexProgram::set_text(std::string_view bytes) {
  constexpr size_t kGrowing = 64 * 1024;  // longer ones get what they need
  if (text.room < bytes.size() + 1) {
    text.room = offsets.room = static_cast<uint32_t>(
        bytes.size() < kGrowing ? std::max<size_t>(64, bytes.size() * 2) : bytes.size() + 1);
    text.items = arena->make_array<uint32_t>(text.room).data();
    offsets.items = arena->make_array<int32_t>(offsets.room).data();
  }
  text.count = 0;
  for (size_t at = 0; at < bytes.size();) {
    offsets[text.count] = static_cast<int32_t>(at);
    if (static_cast<signed char>(bytes[at]) >= 0) {
      text[text.count++] = static_cast<unsigned char>(bytes[at++]);
    } else {
      text[text.count++] = utf8_decode(bytes, at);
    }
  }
  offsets[text.count] = static_cast<int32_t>(bytes.size());
}

Result<Regex*> Regex::compile(Arena& arena, std::string_view pattern, const RegexOptions& options) {
  RegexProgram* const program = TRY(parse_regex(arena, pattern, options));
  Automaton* const automaton = arena.make<Automaton>();
  if (!Builder(arena, *automaton).build(*program->root)) {
    return raise(sqlstate::invalid_regular_expression,
                 "invalid regular expression: regular expression is too complex");
  }
  automaton->now = arena.make_array<uint64_t>(automaton->words).data();
  automaton->then = arena.make_array<uint64_t>(automaton->words).data();
  program->root->automaton = automaton;
  Regex* const regex = arena.make<Regex>();
  regex->program_ = program;
  return regex;
}

void Regex::stop_by(const StopSign* stop) { program_->stop = stop; }
int Regex::groups() const { return program_->groups; }

bool Regex::matches(std::string_view text) {
  program_->set_text(text);
  return Matcher(*program_).exists();
}

bool Regex::find(std::string_view text, size_t from, std::span<RegexSpan> spans) {
  program_->set_text(text);
  return find_again(from, spans);
}

bool Regex::find_again(size_t from, std::span<RegexSpan> spans) {
  const int32_t* const offsets = program_->offsets.items;
  const auto start = static_cast<int32_t>(
      std::lower_bound(offsets, offsets + program_->text.count + 1, static_cast<int32_t>(from)) -
      offsets);
  for (RegexSpan& span : spans) span = {};
  int32_t begin = 0;
  int32_t end = 0;
  if (!Matcher(*program_).search(start, &begin, &end, spans)) return false;
  if (!spans.empty()) spans[0] = {begin, end};
  for (RegexSpan& span : spans) {
    if (span.from >= 0) span = {offsets[span.from], offsets[span.to]};
  }
  return true;
}

}  // namespace orrery
