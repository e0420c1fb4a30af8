#pragma once

#include "access/btree.h"
#include "exec/eval.h"

namespace orrery {

// Turns the plan's conditions into ranges of index keys. Equalities make a prefix; the first other
// condition bounds the next column. = ANY stands for one equality after the other: its elements are
// sorted as the index is and each is looked up once, so that the ranges, taken together, still run
// in index order.
class IndexBounds {
 public:
  IndexBounds(ExecContext& context, const IndexScanPlan& plan) : context_(context), plan_(plan) {}

  Status compile();

  // Takes the values of now and makes the first range. False: no key can match (a comparison with
  // NULL, an empty array).
  Result<bool> evaluate(Arena& arena);
  // Makes the range after the one at hand; false when there is none.
  bool advance();
  const IndexRange& range() const { return range_; }

 private:
  struct Condition {
    const IndexCondition* condition;
    std::optional<Evaluator> value;
    ColumnDesc desc;
    Oid element_type;             // = ANY: of the array
    std::vector<Datum> elements;  // = ANY: distinct, not NULL, in the order of the scan
    size_t at;                    // which of them the range is for
    NullableDatum now;
  };

  Status take_elements(Arena& arena, Condition& c);

  void make_range();

  // Turns the bounds into the types that their columns are searched with.
  void widen_all(Arena& arena);

  static void add(std::vector<NullableDatum>& side, size_t column, NullableDatum value) {
    if (side.size() == column) side.push_back(value);
  }
  // A bound in the value's order is a bound on the other side where the index descends. The open
  // side stops at NULLs, which no comparison matches.
  void bound(size_t column, const IndexColumn& key, NullableDatum value, bool is_lower,
             bool inclusive);
  void bound_not_null(size_t column, const IndexColumn& key) {
    fence(column, key, true);
    fence(column, key, false);
  }
  void fence(size_t column, const IndexColumn& key, bool low_side);

  ExecContext& context_;
  const IndexScanPlan& plan_;
  std::vector<Condition> conditions_;
  std::vector<NullableDatum> lower_, upper_;
  std::vector<const CrossSearch*> crosses_;  // of each key column; null: bounds are of its type
  std::vector<Comparator> compares_;
  bool any_cross_ = false;
  IndexRange range_;
};

}  // namespace orrery
