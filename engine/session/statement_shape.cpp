#include "session/statement_shape.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "catalog/relation_info.h"
#include "sql/queries.h"

namespace orrery {
namespace {

constexpr size_t kLongest = 512;
constexpr size_t kMostValues = 32;

// What a character is to the search for integers.
enum Kind : uint8_t {
  kPlain,    // passed over
  kWord,     // of a name or a number: a digit that touches it is no integer of its own
  kDigit,    // a word too
  kStrange,  // quotes, parameters, what is not ASCII: the lexer's business
  kPair,     // may begin a comment
};
constexpr auto kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
    const bool strange =
        c < 9 || c >= 127 || c == '\'' || c == '"' || c == '$' || c == '\\' || c == '?' || c == ';';
    kinds[static_cast<size_t>(c)] = c >= '0' && c <= '9'   ? kDigit
                                    : letter               ? kWord
                                    : strange              ? kStrange
                                    : c == '-' || c == '/' ? kPair
                                                           : kPlain;
  }
  return kinds;
}();
Kind kind_of(char c) { return kKinds[static_cast<unsigned char>(c)]; }
bool is_word(char c) { return kind_of(c) == kWord || kind_of(c) == kDigit; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && (is_space(text.back()) || text.back() == ';')) text.remove_suffix(1);
  return text;
}

bool may_be_query(std::string_view text) {
  constexpr std::string_view kFirst = "sSiIuUdD";
  return text.size() <= kLongest && !text.empty() && kFirst.find(text[0]) != kFirst.npos;
}

// A run of digits at `at`: a value, or part of something else. False: too many values.
bool take_integer(StatementShape& shape, size_t& at, size_t& copied) {
  const std::string_view source = shape.source;
  int32_t value = 0;
  const auto [end, error] =
      std::from_chars(source.data() + at, source.data() + source.size(), value);
  const auto stop = static_cast<size_t>(end - source.data());
  if (error != std::errc() || (stop < source.size() && is_word(source[stop]))) {
    while (at < source.size() && is_word(source[at])) ++at;
    return true;
  }
  if (shape.values.size() == kMostValues) return false;
  shape.text += source.substr(copied, at - copied);
  shape.text += '?';
  shape.values.push_back(value);
  shape.places.push_back(static_cast<uint32_t>(at));
  shape.ends.push_back(static_cast<uint32_t>(stop));
  copied = at = stop;
  return true;
}

bool is_table_alone(const SelectStmt& select) {
  const bool plain = !select.is_distinct && select.distinct_on.empty() &&
                     select.into_clause == nullptr && select.group_clause.empty() &&
                     select.having_clause == nullptr && select.window_clause.empty() &&
                     select.sort_clause.empty() && select.limit_offset == nullptr &&
                     select.limit_count == nullptr && select.locking_clause.empty() &&
                     select.with_clause == nullptr && select.op == SetOperation::none;
  return plain && select.from_clause.size() <= 1 &&
         std::ranges::all_of(select.from_clause,
                             [](const Node* from) { return from->tag == NodeTag::RangeVar; });
}

bool is_whole_unique_key(const IndexScanPlan& scan) {
  if (!scan.index->unique || !scan.index->immediate) return false;
  for (int column = 0; column < scan.index->keys; ++column) {
    const bool bound = std::ranges::any_of(scan.conditions, [&](const IndexCondition& condition) {
      return condition.column == column && condition.strategy == IndexStrategy::eq;
    });
    if (!bound) return false;
  }
  return true;
}

bool is_steady_node(const Plan& plan, const PlanNode& node,
                    std::vector<const RelationInfo*>& read_whole) {
  if (!node.init_plans.empty() || node.right != nullptr) return false;
  if (node.tag == PlanTag::index_scan)
    return is_whole_unique_key(static_cast<const IndexScanPlan&>(node));
  if (node.tag == PlanTag::seq_scan) {
    const auto& scan = static_cast<const SeqScanPlan&>(node);
    read_whole.push_back(plan.range_table[static_cast<size_t>(scan.range - 1)]->relation);
    return read_whole.back() != nullptr;
  }
  if (node.tag == PlanTag::result) return node.left == nullptr;
  if (node.tag != PlanTag::modify_table || node.left == nullptr) return false;
  return static_cast<const ModifyTablePlan&>(node).on_conflict == nullptr &&
         is_steady_node(plan, *node.left, read_whole);
}

}  // namespace

std::string StatementShape::with_parameters() const {
  std::string out;
  size_t at = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    out += source.substr(at, places[i] - at);
    // A space, so that "-5" does not become "-$1", one operator to the lexer.
    out += cat(" $", i + 1);
    at = ends[i];
  }
  return out += source.substr(at);
}

bool read_shape(std::string_view source, StatementShape& shape) {
  source = trimmed(source);
  if (!may_be_query(source)) return false;
  shape.text.clear();
  shape.values.clear();
  shape.places.clear();
  shape.ends.clear();
  shape.source = source;
  size_t copied = 0;
  const size_t size = source.size();
  for (size_t at = 0; at < size;) {
    const Kind kind = kind_of(source[at]);
    if (kind == kPlain) {
      ++at;
    } else if (kind == kWord) {
      while (++at < size && is_word(source[at])) {
      }
    } else if (kind == kPair) {
      const char next = at + 1 < size ? source[at + 1] : ' ';
      if (source[at] == '-' ? next == '-' : next == '*') return false;
      ++at;
    } else if (kind == kStrange || !take_integer(shape, at, copied)) {
      return false;
    }
  }
  shape.text += source.substr(copied);
  return !shape.values.empty();
}

bool takes_parameters(const Node& statement) {
  if (const auto* select = as_if<SelectStmt>(&statement))
    return select->values_lists.empty() && is_table_alone(*select);
  if (const auto* insert = as_if<InsertStmt>(&statement)) {
    const SelectStmt* const rows = insert->select_stmt;
    return insert->with_clause == nullptr && insert->on_conflict_clause == nullptr &&
           rows != nullptr && rows->values_lists.size() == 1 && is_table_alone(*rows);
  }
  if (const auto* update = as_if<UpdateStmt>(&statement))
    return update->with_clause == nullptr && update->from_clause.empty();
  if (const auto* removal = as_if<DeleteStmt>(&statement))
    return removal->with_clause == nullptr && removal->using_clause.empty();
  return false;
}

bool is_steady(const Plan& plan, std::vector<const RelationInfo*>& read_whole) {
  return plan.subplans.empty() && plan.row_marks.empty() &&
         is_steady_node(plan, *plan.root, read_whole);
}

}  // namespace orrery
