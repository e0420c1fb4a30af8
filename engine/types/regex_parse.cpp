// The grammar of regular expressions: from text to tree.
#include <algorithm>
#include <vector>

#include "base/text.h"
#include "types/regex_internal.h"
#include "types/text_scan.h"
#include "types/utf8.h"

namespace orrery {
namespace {

constexpr uint32_t kMaxCodePoint = 0x10ffff;
constexpr int kMaxDepth = 1000;
// Pieces and alternatives side by side nest too, once joined; what walks them recurs.
constexpr size_t kMaxJoined = 5000;

Status invalid(std::string_view what) {
  return raise(sqlstate::invalid_regular_expression, cat("invalid regular expression: ", what));
}

using Ranges = std::vector<CodeRange>;

void add_class(Ranges& ranges, std::string_view name) {
  const auto add = [&](uint32_t low, uint32_t high) { ranges.push_back({low, high}); };
  if (name == "digit") {
    add('0', '9');
  } else if (name == "alpha") {
    add('a', 'z');
    add('A', 'Z');
  } else if (name == "alnum" || name == "word") {
    add('a', 'z');
    add('A', 'Z');
    add('0', '9');
    if (name == "word") add('_', '_');
  } else if (name == "upper") {
    add('A', 'Z');
  } else if (name == "lower") {
    add('a', 'z');
  } else if (name == "space") {
    add('\t', '\r');
    add(' ', ' ');
  } else if (name == "blank") {
    add('\t', '\t');
    add(' ', ' ');
  } else if (name == "punct") {
    add('!', '/');
    add(':', '@');
    add('[', '`');
    add('{', '~');
  } else if (name == "graph") {
    add('!', '~');
  } else if (name == "print") {
    add(' ', '~');
  } else if (name == "cntrl") {
    add(0, 31);
    add(127, 127);
  } else if (name == "xdigit") {
    add('0', '9');
    add('a', 'f');
    add('A', 'F');
  } else if (name == "ascii") {
    add(0, 127);
  }
}
bool is_class(std::string_view name) {
  constexpr std::string_view kNames[] = {"alnum", "alpha", "ascii",  "blank", "cntrl",
                                         "digit", "graph", "lower",  "print", "punct",
                                         "space", "upper", "xdigit", "word"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

void normalise(Ranges& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](CodeRange a, CodeRange b) { return a.low < b.low; });
  Ranges merged;
  for (const CodeRange range : ranges) {
    if (!merged.empty() && range.low <= merged.back().high + 1) {
      merged.back().high = std::max(merged.back().high, range.high);
    } else {
      merged.push_back(range);
    }
  }
  ranges = std::move(merged);
}
void complement(Ranges& ranges) {
  normalise(ranges);
  Ranges rest;
  uint32_t next = 0;
  for (const CodeRange range : ranges) {
    if (range.low > next) rest.push_back({next, range.low - 1});
    next = range.high + 1;
  }
  if (next <= kMaxCodePoint) rest.push_back({next, kMaxCodePoint});
  ranges = std::move(rest);
}
// The other case of ASCII letters, as the C collation folds.
void add_other_case(Ranges& ranges) {
  for (size_t i = 0, n = ranges.size(); i < n; ++i) {
    const auto overlap = [&](uint32_t low, uint32_t high, int32_t shift) {
      const uint32_t from = std::max(ranges[i].low, low);
      const uint32_t to = std::min(ranges[i].high, high);
      if (from <= to)
        ranges.push_back({from + static_cast<uint32_t>(shift), to + static_cast<uint32_t>(shift)});
    };
    overlap('a', 'z', -32);
    overlap('A', 'Z', 32);
  }
}

class Parser {
 public:
  Parser(Arena& arena, std::string_view pattern, RegexProgram& program)
      : arena_(arena), program_(program), options_(program.options) {
    for (size_t at = 0; at < pattern.size();) points_.push_back(utf8_decode(pattern, at));
  }

  Result<RegexNode*> run() {
    TRY(prefixes());
    if (options_.literal) {
      RegexNode* node = make(RegexTag::empty);
      for (; at_ < points_.size(); ++at_) node = sequence(node, character(points_[at_]));
      return node;
    }
    RegexNode* const root = TRY(alternatives(0));
    if (at_ < points_.size()) return invalid("parentheses () not balanced");
    return root;
  }

 private:
  bool end() const { return at_ >= points_.size(); }
  uint32_t peek(size_t ahead = 0) const {
    return at_ + ahead < points_.size() ? points_[at_ + ahead] : UINT32_MAX;
  }
  bool looking_at(std::string_view text) const {
    for (size_t i = 0; i < text.size(); ++i) {
      if (peek(i) != static_cast<unsigned char>(text[i])) return false;
    }
    return true;
  }
  bool accept(std::string_view text) {
    if (!looking_at(text)) return false;
    at_ += text.size();
    return true;
  }

  // ***= and ***: choose the flavour; (?xyz) sets options.
  Status prefixes() {
    if (options_.literal) return {};
    if (accept("***=")) {
      options_.literal = true;
      return {};
    }
    if (accept("***:"))
      options_.advanced = true;
    else if (looking_at("***"))
      return invalid("invalid regexp (reg version 0.8)");
    if (!options_.advanced || !looking_at("(?") || peek(2) > 127 ||
        !is_alpha(static_cast<char>(peek(2))))
      return {};
    at_ += 2;
    for (; !end() && peek() != ')'; ++at_) {
      switch (peek()) {
        case 'b': return unsupported("basic regular expressions");
        case 'e': options_.advanced = false; break;
        case 'c': options_.ignore_case = false; break;
        case 'i': options_.ignore_case = true; break;
        case 'm':
        case 'n': options_.dot_excludes_newline = options_.lines = true; break;
        case 'p':
          options_.dot_excludes_newline = true;
          options_.lines = false;
          break;
        case 'q': options_.literal = true; break;
        case 's': options_.dot_excludes_newline = options_.lines = false; break;
        case 't': options_.expanded = false; break;
        case 'w':
          options_.dot_excludes_newline = false;
          options_.lines = true;
          break;
        case 'x': options_.expanded = true; break;
        default:  return invalid("invalid embedded option");
      }
    }
    if (!accept(")")) return invalid("invalid embedded option");
    return {};
  }

  // Blanks and comments of the expanded syntax, and (?#...) anywhere.
  void skip() {
    while (!end()) {
      if (options_.expanded && peek() < 128 && is_space(static_cast<char>(peek()))) {
        ++at_;
      } else if (options_.expanded && peek() == '#') {
        while (!end() && peek() != '\n') ++at_;
      } else if (options_.advanced && looking_at("(?#")) {
        while (!end() && peek() != ')') ++at_;
        if (!end()) ++at_;
      } else {
        return;
      }
    }
  }

  RegexNode* make(RegexTag tag) {
    RegexNode* const node = arena_.make<RegexNode>();
    node->tag = tag;
    return node;
  }
  RegexNode* join(RegexTag tag, RegexNode* left, RegexNode* right) {
    RegexNode* const node = make(tag);
    node->left = left;
    node->right = right;
    node->captures = left->captures || (right != nullptr && right->captures);
    node->back_references = left->back_references || (right != nullptr && right->back_references);
    return node;
  }
  RegexNode* sequence(RegexNode* left, RegexNode* right) {
    if (left->tag == RegexTag::empty) return right;
    RegexNode* const node = join(RegexTag::sequence, left, right);
    node->preference = left->preference != Preference::none ? left->preference : right->preference;
    return node;
  }
  RegexNode* of_ranges(Ranges ranges) {
    normalise(ranges);
    CodeSet* const set = arena_.make<CodeSet>();
    const auto kept = arena_.copy_array(ranges);
    set->ranges = kept.data();
    set->count = static_cast<uint32_t>(kept.size());
    for (const CodeRange range : kept) {
      program_.bounds.push(arena_, range.low);
      program_.bounds.push(arena_, range.high + 1);
    }
    RegexNode* const node = make(RegexTag::set);
    node->set = set;
    return node;
  }
  RegexNode* character(uint32_t c) {
    Ranges ranges = {{c, c}};
    if (options_.ignore_case) add_other_case(ranges);
    return of_ranges(std::move(ranges));
  }
  RegexNode* constraint(Constraint which) {
    RegexNode* const node = make(RegexTag::constraint);
    node->constraint = which;
    return node;
  }

  Result<RegexNode*> alternatives(int depth) {
    if (depth > kMaxDepth) return invalid("regular expression is too complex");
    RegexNode* node = TRY(branch(depth));
    while (accept("|")) {
      if (++joined_ > kMaxJoined) return invalid("regular expression is too complex");
      RegexNode* const other = TRY(branch(depth));
      node = join(RegexTag::choice, node, other);
      node->preference = Preference::longest;
    }
    return node;
  }

  Result<RegexNode*> branch(int depth) {
    std::vector<RegexNode*> pieces;
    for (skip(); !end() && peek() != '|' && !(peek() == ')' && depth > 0); skip()) {
      if (peek() == ')' && depth == 0) {
        if (options_.advanced) return invalid("parentheses () not balanced");
        pieces.push_back(character(')'));
        ++at_;
        continue;
      }
      RegexNode* const piece = TRY(quantified(depth));
      pieces.push_back(piece);
    }
    joined_ += pieces.size();
    if (joined_ > kMaxJoined) return invalid("regular expression is too complex");
    if (pieces.empty()) return make(RegexTag::empty);
    // From the right, so that dividing settles what stands leftmost first.
    RegexNode* node = pieces.back();
    for (size_t i = pieces.size() - 1; i-- > 0;) node = sequence(pieces[i], node);
    return node;
  }

  Result<RegexNode*> quantified(int depth) {
    RegexNode* node = TRY(atom(depth));
    const bool quantifiable = node->tag != RegexTag::constraint && node->tag != RegexTag::look;
    skip();
    int32_t low = 0;
    int32_t high = 0;
    bool found = TRY(quantifier(low, high));
    if (!found) return node;
    if (!quantifiable) return invalid("quantifier operand invalid");
    const bool lazy = options_.advanced && accept("?");
    RegexNode* const repeat = join(RegexTag::repeat, node, nullptr);
    repeat->low = low;
    repeat->high = high;
    repeat->preference = low == high ? node->preference
                         : lazy      ? Preference::shortest
                                     : Preference::longest;
    skip();
    int32_t more = 0;
    found = TRY(quantifier(more, more));
    if (found) return invalid("quantifier operand invalid");
    if (low < 1 || !node->captures || node->back_references) return repeat;
    // Only the last iteration's groups are seen: x{m,n} is x{m-1,n-1}x with groups in the last x
    // alone.
    if (high == 1) return node;
    repeat->low = low - 1;
    repeat->high = high == kRepeatForever ? high : high - 1;
    repeat->captures = false;
    RegexNode* const both = sequence(repeat, node);
    both->preference = repeat->preference;
    return both;
  }

  Result<bool> quantifier(int32_t& low, int32_t& high) {
    if (accept("*")) {
      low = 0;
      high = kRepeatForever;
      return true;
    }
    if (accept("+")) {
      low = 1;
      high = kRepeatForever;
      return true;
    }
    if (accept("?")) {
      low = 0;
      high = 1;
      return true;
    }
    // An opening brace without a digit after it stands for itself.
    if (peek() != '{' || peek(1) > 127 || !is_digit(static_cast<char>(peek(1)))) return false;
    ++at_;
    low = TRY(repeat_count());
    high = low;
    if (accept(",")) {
      high = kRepeatForever;
      if (peek() < 128 && is_digit(static_cast<char>(peek()))) {
        high = TRY(repeat_count());
        if (low > high) return invalid("invalid repetition count(s)");
      }
    }
    if (!accept("}"))
      return end() ? invalid("braces {} not balanced") : invalid("invalid repetition count(s)");
    return true;
  }
  Result<int32_t> repeat_count() {
    int32_t count = 0;
    while (peek() < 128 && is_digit(static_cast<char>(peek()))) {
      count = count * 10 + static_cast<int32_t>(points_[at_++] - '0');
      if (count > kMaxRepeat) return invalid("invalid repetition count(s)");
    }
    return count;
  }

  Result<RegexNode*> atom(int depth) {
    const uint32_t c = points_[at_];
    switch (c) {
      case '*':
      case '+':
      case '?': return invalid("quantifier operand invalid");
      case '{':
        if (peek(1) < 128 && is_digit(static_cast<char>(peek(1))))
          return invalid("quantifier operand invalid");
        break;
      case '^':
        ++at_;
        return constraint(options_.lines ? Constraint::line_start : Constraint::text_start);
      case '$':
        ++at_;
        return constraint(options_.lines ? Constraint::line_end : Constraint::text_end);
      case '.': {
        ++at_;
        Ranges ranges;
        if (options_.dot_excludes_newline) ranges.push_back({'\n', '\n'});
        complement(ranges);
        return of_ranges(std::move(ranges));
      }
      case '[':  return bracket();
      case '(':  return parenthesis(depth);
      case '\\': return escape();
      default:   break;
    }
    ++at_;
    return character(c);
  }

  Result<RegexNode*> parenthesis(int depth) {
    ++at_;
    RegexNode* node = make(RegexTag::group);
    if (options_.advanced && accept("?")) {
      if (accept(":")) {
        node->group = 0;
      } else if (accept("=") || accept("!") || accept("<=") || accept("<!")) {
        node->tag = RegexTag::look;
        node->negative = points_[at_ - 1] == '!';
        node->behind = points_[at_ - 2] == '<';
      } else {
        return invalid("invalid regexp (reg version 0.8)");
      }
    } else if (in_look_ == 0) {
      node->group = ++program_.groups;  // groups inside lookaround do not capture
    }
    in_look_ += node->tag == RegexTag::look;
    node->left = TRY(alternatives(depth + 1));
    in_look_ -= node->tag == RegexTag::look;
    if (!accept(")")) return invalid("parentheses () not balanced");
    node->preference = node->left->preference;
    node->captures = node->group > 0 || node->left->captures;
    node->back_references = node->left->back_references;
    if (node->tag == RegexTag::look) {
      if (node->back_references) return invalid("invalid backreference number");
      node->preference = Preference::none;
      node->captures = false;
    }
    if (node->group > 0) closed_.push_back(node);
    return node;
  }

  RegexNode* shorthand(uint32_t c) {
    Ranges ranges;
    const uint32_t lower = c | 0x20;
    add_class(ranges, lower == 'd' ? "digit" : lower == 's' ? "space" : "word");
    if (c != lower) {
      if (options_.dot_excludes_newline && lower != 's') ranges.push_back({'\n', '\n'});
      complement(ranges);
    }
    return of_ranges(std::move(ranges));
  }

  Result<RegexNode*> escape() {
    ++at_;
    if (end()) return invalid("invalid escape \\ sequence");
    const uint32_t c = points_[at_];
    if (!options_.advanced || c > 127 || !is_alnum(static_cast<char>(c))) {
      ++at_;
      return character(c);
    }
    switch (c) {
      case 'd':
      case 'D':
      case 's':
      case 'S':
      case 'w':
      case 'W': ++at_; return shorthand(c);
      case 'A': ++at_; return constraint(Constraint::text_start);
      case 'Z': ++at_; return constraint(Constraint::text_end);
      case 'm': ++at_; return constraint(Constraint::word_start);
      case 'M': ++at_; return constraint(Constraint::word_end);
      case 'y': ++at_; return constraint(Constraint::word_edge);
      case 'Y': ++at_; return constraint(Constraint::no_word_edge);
      default:  break;
    }
    if (c >= '1' && c <= '9') {
      size_t digits = 1;
      while (peek(digits) < 128 && is_digit(static_cast<char>(peek(digits)))) ++digits;
      int64_t number = 0;
      for (size_t i = 0; i < digits && number < 100000; ++i)
        number = number * 10 + static_cast<int64_t>(peek(i) - '0');
      // One digit is always a back-reference; more are if there are as many groups, else octal.
      if (digits == 1 || number <= program_.groups) {
        at_ += digits;
        for (const RegexNode* group : closed_) {
          if (group->group != number) continue;
          RegexNode* const node = make(RegexTag::back_reference);
          node->group = static_cast<int32_t>(number);
          node->left = group->left;  // its language bounds the reference's
          node->captures = node->back_references = true;
          program_.back_references = true;
          return node;
        }
        return invalid("invalid backreference number");
      }
    }
    const uint32_t value = TRY(character_escape());
    return character(value);
  }

  // The code point that an escape stands for, `at_` on the character after the backslash.
  Result<uint32_t> character_escape() {
    const uint32_t c = points_[at_++];
    const auto hex = [&](size_t least, size_t most) -> Result<uint32_t> {
      uint64_t value = 0;
      size_t n = 0;
      for (; n < most && peek() < 128 && hex_value(static_cast<char>(peek())) >= 0; ++n, ++at_) {
        value = value << 4 | static_cast<uint64_t>(hex_value(static_cast<char>(peek())));
      }
      if (n < least || value > kMaxCodePoint) return invalid("invalid escape \\ sequence");
      return static_cast<uint32_t>(value);
    };
    switch (c) {
      case 'a': return 7U;
      case 'b': return 8U;
      case 'B': return uint32_t{'\\'};
      case 'c': {
        if (end()) return invalid("invalid escape \\ sequence");
        return points_[at_++] & 037;
      }
      case 'e': return 27U;
      case 'f': return 12U;
      case 'n': return 10U;
      case 'r': return 13U;
      case 't': return 9U;
      case 'v': return 11U;
      case 'u': return hex(4, 4);
      case 'U': return hex(8, 8);
      case 'x': return hex(1, 255);
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7': {
        uint32_t value = c - '0';
        for (int n = 1; n < 3 && peek() >= '0' && peek() <= '7'; ++n)
          value = value * 8 + (points_[at_++] - '0');
        return value;
      }
      default: return invalid("invalid escape \\ sequence");
    }
  }

  // [.x.] or [.name.]; single characters and a few names.
  Result<uint32_t> collating_element(uint32_t delimiter) {
    at_ += 2;
    std::vector<uint32_t> inside;
    while (!end() && !(peek() == delimiter && peek(1) == ']')) inside.push_back(points_[at_++]);
    if (end()) return invalid("brackets [] not balanced");
    at_ += 2;
    if (inside.size() != 1) return invalid("invalid collating element");
    return inside[0];
  }

  Result<RegexNode*> bracket() {
    if (accept("[[:<:]]")) return constraint(Constraint::word_start);
    if (accept("[[:>:]]")) return constraint(Constraint::word_end);
    ++at_;
    const bool negated = accept("^");
    Ranges ranges;
    bool first = true;
    while (true) {
      if (end()) return invalid("brackets [] not balanced");
      if (peek() == ']' && !first) break;
      first = false;
      if (looking_at("[:")) {
        at_ += 2;
        std::string name;
        while (!end() && peek() != ':' && peek() < 128)
          name.push_back(static_cast<char>(points_[at_++]));
        if (!accept(":]")) return invalid("invalid character class");
        if (!is_class(name)) return invalid("invalid character class");
        // Ignoring case, upper and lower are both letters.
        if (options_.ignore_case && (name == "upper" || name == "lower")) name = "alpha";
        add_class(ranges, name);
        continue;
      }
      if (options_.advanced && peek() == '\\' && peek(1) < 128) {
        const uint32_t c = peek(1);
        const uint32_t lower = c | 0x20;
        if (c == 'd' || c == 's' || c == 'w' || c == 'D' || c == 'S' || c == 'W') {
          at_ += 2;
          Ranges part;
          add_class(part, lower == 'd' ? "digit" : lower == 's' ? "space" : "word");
          if (c != lower) complement(part);
          ranges.insert(ranges.end(), part.begin(), part.end());
          continue;
        }
      }
      const uint32_t low = TRY(bracket_character());
      uint32_t high = low;
      if (peek() == '-' && peek(1) != ']' && peek(1) != UINT32_MAX) {
        ++at_;
        high = TRY(bracket_character());
        if (low > high) return invalid("invalid character range");
      }
      ranges.push_back({low, high});
    }
    ++at_;
    if (options_.ignore_case) add_other_case(ranges);
    if (negated) {
      if (options_.dot_excludes_newline) ranges.push_back({'\n', '\n'});
      complement(ranges);
    }
    return of_ranges(std::move(ranges));
  }
  Result<uint32_t> bracket_character() {
    if (looking_at("[.")) return collating_element('.');
    if (looking_at("[=")) return collating_element('=');
    if (options_.advanced && peek() == '\\') {
      ++at_;
      if (end()) return invalid("invalid escape \\ sequence");
      if (peek() > 127 || !is_alnum(static_cast<char>(peek()))) return points_[at_++];
      return character_escape();
    }
    return points_[at_++];
  }

  Arena& arena_;
  RegexProgram& program_;
  RegexOptions& options_;
  std::vector<uint32_t> points_;
  size_t at_ = 0;
  int in_look_ = 0;
  size_t joined_ = 0;
  std::vector<const RegexNode*> closed_;  // capturing groups so far
};

}  // namespace

Result<RegexProgram*> parse_regex(Arena& arena, std::string_view pattern, RegexOptions options) {
  RegexProgram* const program = arena.make<RegexProgram>();
  program->arena = &arena;
  program->options = options;
  Ranges word;
  add_class(word, "word");
  normalise(word);
  const auto kept = arena.copy_array(word);
  program->word = {kept.data(), static_cast<uint32_t>(kept.size())};
  program->root = TRY(Parser(arena, pattern, *program).run());
  std::sort(program->bounds.items, program->bounds.items + program->bounds.count);
  program->bounds.count = static_cast<uint32_t>(
      std::unique(program->bounds.items, program->bounds.items + program->bounds.count) -
      program->bounds.items);
  for (uint32_t c = 0; c < 128; ++c) {
    program->ascii_colour[c] = static_cast<uint16_t>(
        std::upper_bound(program->bounds.items, program->bounds.items + program->bounds.count, c) -
        program->bounds.items);
  }
  return program;
}

Result<RegexOptions> parse_regex_flags(std::string_view flags) {
  RegexOptions options;
  for (size_t at = 0; at < flags.size(); ++at) {
    switch (flags[at]) {
      case 'g': options.global = true; break;
      case 'b':
      case 'e': return unsupported("basic regular expressions");  // PostgreSQL reads both as basic
      case 'c': options.ignore_case = false; break;
      case 'i': options.ignore_case = true; break;
      case 'm':
      case 'n': options.dot_excludes_newline = options.lines = true; break;
      case 'p':
        options.dot_excludes_newline = true;
        options.lines = false;
        break;
      case 'q': options.literal = true; break;
      case 's': options.dot_excludes_newline = options.lines = false; break;
      case 't': options.expanded = false; break;
      case 'w':
        options.dot_excludes_newline = false;
        options.lines = true;
        break;
      case 'x': options.expanded = true; break;
      default:
        return raise(sqlstate::invalid_parameter_value,
                     cat("invalid regular expression option: \"",
                         flags.substr(at, utf8_step(flags, at)), "\""));
    }
  }
  return options;
}

}  // namespace orrery
