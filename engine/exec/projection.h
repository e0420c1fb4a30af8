// The common end of most operators: drop the rows the plan node's filter rejects, then compute its
// target list. A Var in the target list is its input column itself, and filtered rows are left
// where they are: nothing is copied.
//
// When fewer rows are wanted than there are, no more than these are computed. A filter is computed
// for all rows at hand, as most have to be looked at to find a few; if that fails, or the filter
// has effects, it takes no more rows at a time than are still wanted.
#pragma once

#include <vector>

#include "exec/eval.h"

namespace orrery {

class Projection {
 public:
  explicit Projection(ExecContext& context) : context_(context) {}

  Status compile(const PlanNode& plan, ColumnOf column_of);
  // The same for an explicit filter (may be null) and targets.
  Status compile(const Expr* filter, std::span<const TargetEntry> targets, ColumnOf column_of);
  // Null when no row passes. The result is valid until the next call and while `in` and `arena`
  // hold. Rows beyond `wanted` are kept for rest().
  Result<Batch*> apply(Arena& arena, const Batch& in, uint32_t wanted = kBatchRows);
  // Goes on with the rows that the last call left; null when none is left that passes. Ask it
  // before `in` or `arena` change.
  Result<Batch*> rest(Arena& arena, uint32_t wanted) {
    if (rest_.count == 0) [[likely]]
      return static_cast<Batch*>(nullptr);
    return next_piece(arena, wanted);
  }
  void forget_rest() { rest_.count = 0; }

 private:
  Result<Batch*> next_piece(Arena& arena, uint32_t wanted);
  Result<Batch*> compute(Arena& arena, Rows rows);
  Status try_filter(Arena& arena);
  Rows take(uint32_t wanted);

  ExecContext& context_;
  const Expr* filter_expr_ = nullptr;
  std::optional<Evaluator> filter_;
  bool computes_ = false;  // it does more than passing columns on
  Batch in_;
  Rows rest_;               // of in_: rows not given out
  bool filtered_ = false;   // ... which the filter let through
  bool piecewise_ = false;  // ... which it looks at piece by piece
  std::vector<Evaluator> targets_;
  std::vector<Vector> columns_;
  std::vector<uint16_t> kept_;
  Batch out_;
};

// Whether an expression calls something volatile, or may: it is computed once a row, and for no row
// that nobody asked for.
Result<bool> has_effects(ExecContext& context, const Expr& expr);

// The layouts of inputs: a child's targets as kOuterVar columns; both children of a join side by
// side; a range entry.
int outer_column(const Expr& leaf);
struct JoinColumns {
  int outer_width;
  int operator()(const Expr& leaf) const;
};
// A scan's own columns: whatever entry the Var names, as a scan's expressions have no others.
int scanned_column(const Expr& leaf);

}  // namespace orrery
