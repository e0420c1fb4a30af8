// The compiled form of an expression; shared by eval.cpp (running) and compile.cpp (making).
#pragma once

#include "exec/eval.h"
#include "exec/functions.h"
#include "func/large_work.h"

namespace orrery {

enum class Step : uint8_t {
  column,
  constant,
  external_param,
  exec_param,
  case_test,
  detoast,
  call,
  distinct,
  null_if,
  and_,
  or_,
  not_,
  case_,
  coalesce,
  greatest,
  least,
  is_null,
  is_not_null,
  boolean_test,
  scalar_array,
  row_compare,
  array,
  subscript,
  coerce_via_io,
  array_coerce,
  session_value,
  sub_plan,
  row_is_null,
  row_is_not_null,
};

struct SubPlanState;
class HashedSubPlan;  // sub_plan.cpp

struct EvalNode {
  Step step;
  Oid type;
  int16_t type_length = 8;
  bool type_by_value = true;
  std::span<EvalNode*> children;
  int index = 0;  // column, parameter, slot; CASE: 1 when there is an `arg`
  NullableDatum constant;
  uint64_t constant_of = 0;  // session_value: of this execution, counted from 1
  Kernel kernel = nullptr;
  CallSite site;
  CallShape shape;
  std::span<Vector> args;        // room for the children's results
  Comparator compare = nullptr;  // greatest, least
  BooleanTestKind test = BooleanTestKind::is_true;
  const Expr* source = nullptr;
  EvalNode* test_value = nullptr;  // the case_test that this CASE or array_coerce feeds
  SubPlanState* sub_plan = nullptr;
  bool use_or = false;  // scalar_array: ANY
  Oid element_type;
  std::span<NullableDatum> elements;  // scalar_array: of the array last taken apart ...
  uint64_t elements_of = 0;           // ... in this execution, counted from 1
  std::span<Comparator> compares;     // row_compare: one a pair
  EvalNode* element = nullptr;  // array_coerce: what is done to each element, read from test_value

  Vector out;
  uint32_t capacity = 0;
  uint16_t* scratch_a = nullptr;  // kBatchRows row numbers each, made when first needed
  uint16_t* scratch_b = nullptr;
};

// A subplan as an expression needs it: its operator, and what to set before it runs.
// Operators are made when first needed, and kept by the context.
struct SubPlanState {
  const SubPlanExpr* expr = nullptr;
  Operator* root = nullptr;
  std::span<EvalNode*> values;  // by param_slots
  EvalNode* test = nullptr;
  EvalNode* probe = nullptr;        // hashed: the value looked up ...
  HashedSubPlan* hashed = nullptr;  // ... in the subplan's rows; kept by the context
};

// Runs one step; see Evaluator::evaluate.
Result<const Vector*> run_step(ExecContext& context, EvalNode& node, Arena& arena,
                               const Batch& batch, Rows rows);
// Rows for which a boolean step is true.
Result<Rows> filter_step(ExecContext& context, EvalNode& node, Arena& arena, const Batch& batch,
                         Rows rows, uint16_t* kept);
Result<const Vector*> run_sub_plan(ExecContext& context, EvalNode& node, Arena& arena,
                                   const Batch& batch, Rows rows);
// eval_arrays.cpp
Result<const Vector*> run_row_compare(ExecContext& context, EvalNode& node, Arena& arena,
                                      const Batch& batch, Rows rows);
Result<const Vector*> run_array(ExecContext& context, EvalNode& node, Arena& arena,
                                const Batch& batch, Rows rows);
Result<const Vector*> run_subscript(ExecContext& context, EvalNode& node, Arena& arena,
                                    const Batch& batch, Rows rows);
Result<const Vector*> run_coerce_via_io(ExecContext& context, EvalNode& node, Arena& arena,
                                        const Batch& batch, Rows rows);
Result<const Vector*> run_array_coerce(ExecContext& context, EvalNode& node, Arena& arena,
                                       const Batch& batch, Rows rows);
Status evaluate_children(ExecContext& context, EvalNode& node, Arena& arena, const Batch& batch,
                         Rows rows);
Result<const Vector*> run_scalar_array(ExecContext& context, EvalNode& node, Arena& arena,
                                       const Batch& batch, Rows rows);

// Makes `node.out` large enough for the rows named, and says so.
void prepare_output(ExecContext& context, EvalNode& node, Rows rows);

}  // namespace orrery
