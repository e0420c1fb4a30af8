// Expressions, compiled to trees of vector steps. One step computes a whole batch: the price of
// dispatch is paid once per batch, and a Var costs nothing, as its vector is the input's own
// [Boncz05].
//
// Rows that must not be computed are not: AND, OR, CASE and COALESCE hand their later arguments
// only the rows that still need them, so `CASE WHEN x <> 0 THEN 1 / x END` cannot divide by zero.
//
// An Evaluator is compiled once per plan node and execution; its buffers grow to the largest batch
// seen and are reused, so a steady state allocates nothing but by-reference results, which go to
// the operator's batch arena.
#pragma once

#include <cstdint>
#include <span>

#include "analyze/expr.h"
#include "base/function.h"
#include "exec/context.h"
#include "func/kernel.h"
#include "types/vector.h"

namespace orrery {

struct EvalNode;

// Where a leaf's value comes from: the position of a column in the input batch, or -1 to compile
// the node by itself.
using ColumnOf = FunctionRef<int(const Expr& leaf)>;

class Evaluator {
 public:
  // Compiles `expr` for batches laid out as `column_of` says. 0A000 for what has no implementation,
  // by name.
  static Result<Evaluator> compile(ExecContext& context, const Expr& expr, ColumnOf column_of);

  // Computes the rows named of `batch`. The vector returned is valid until the next call or until
  // the batch goes; results by reference lie in `arena`, which must live as long.
  Result<const Vector*> evaluate(Arena& arena, const Batch& batch, Rows rows);
  // Keeps the rows for which the expression is true (not false, not NULL). `kept` has room for
  // rows.count numbers.
  Result<Rows> filter(Arena& arena, const Batch& batch, Rows rows, uint16_t* kept);
  // The value of an expression without variables.
  Result<NullableDatum> single(Arena& arena);

 private:
  Evaluator(ExecContext& context, EvalNode* root) : context_(&context), root_(root) {}
  ExecContext* context_;
  EvalNode* root_;
};

}  // namespace orrery
