// The common end of most operators: drop the rows the plan node's filter rejects, then compute its
// target list. A Var in the target list is its input column itself, and filtered rows are left
// where they are: nothing is copied.
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
  // hold.
  Result<Batch*> apply(Arena& arena, const Batch& in);

 private:
  ExecContext& context_;
  std::optional<Evaluator> filter_;
  std::vector<Evaluator> targets_;
  std::vector<Vector> columns_;
  std::vector<uint16_t> kept_;
  Batch out_;
};

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
