// A node of a running plan: asked for batches until it has none. Each plan node type has one
// Operator class; make_operator (operators.h) builds the tree.
//
// The life of an operator: open() once; next() until null; rescan() starts again, with whatever
// exec parameters hold now; rewind() starts again with the parameters it had; the destructor
// releases everything (it does not suspend). A batch is valid until the next call on the same
// operator.
//
// Between executions of a prepared statement the opened tree may be kept: restart() makes it ready
// for the next one, which has other parameters, another snapshot, another transaction.
#pragma once

#include <memory>

#include "exec/context.h"
#include "types/vector.h"

namespace orrery {

class Operator {
 public:
  Operator(ExecContext& context, const PlanNode& plan)
      : wanted(context.plan.row_by_row ? 1 : kBatchRows), context_(context), plan_(plan) {}
  Operator(const Operator&) = delete;
  virtual ~Operator() = default;

  virtual Status open() = 0;
  // The next batch, at least one row in it; null at the end. Suspends.
  virtual Result<Batch*> next() = 0;
  virtual Status rescan() = 0;
  // REQUIRES: no parameter that it reads has changed since the last start.
  virtual Status rewind() { return rescan(); }
  // Unlike rescan() it keeps nothing of what the last execution read or computed. False: this
  // operator cannot forget, the tree has to be built anew.
  virtual bool restart() { return false; }
  // An upper bound on the rows that will be asked for, told by a Limit above; -1 takes it back.
  virtual void set_row_limit(double) {}

  // How many rows the next call of next() is asked for; its caller says so beforehand. It may give
  // more. But what can be noticed of a row, as it fails, or calls a volatile function, or is
  // locked, happens for no row beyond these where that can be told apart: the operator keeps its
  // place.
  uint32_t wanted;

  const PlanNode& plan() const { return plan_; }
  // For EXPLAIN ANALYZE.
  uint64_t rows_out = 0;
  uint64_t loops = 0;

 protected:
  ExecContext& context_;
  const PlanNode& plan_;
};

using OperatorPtr = std::unique_ptr<Operator>;

// Builds the operators of `plan` and its children, opened. 0A000 for what has no implementation.
Result<OperatorPtr> make_operator(ExecContext& context, const PlanNode& plan);

}  // namespace orrery
