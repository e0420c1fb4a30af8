// Subqueries inside expressions. A correlated one runs once a row with that row's values in its
// parameters; one without outer references runs at most once.
#include "base/text.h"
#include "exec/arrays.h"
#include "exec/detoast.h"
#include "exec/eval_internal.h"
#include "exec/operator.h"
#include "types/type_io.h"

namespace orrery {
namespace {

// The subplan's operator, made or started over.
Result<Operator*> start(ExecContext& context, SubPlanState& state) {
  if (state.root == nullptr) {
    OperatorPtr made =
        TRY(make_operator(context, *context.plan.subplans[static_cast<size_t>(state.expr->plan)]));
    state.root = made.get();
    context.keep(std::move(made));
  } else {
    TRY(state.root->rescan());
  }
  return state.root;
}

Result<NullableDatum> keep_value(ExecContext& context, Arena& arena, const Vector& column,
                                 uint32_t row, Oid type) {
  if (column.is_null(row)) return NullableDatum{};
  const ColumnDesc desc = TRY(type_desc(context, type));
  return NullableDatum{copy_datum(arena, column.value(row), desc), false};
}

Result<NullableDatum> run_exists(ExecContext& context, SubPlanState& state) {
  Operator* root = TRY(start(context, state));
  root->set_row_limit(1);
  Batch* batch = TRY(root->next());
  return NullableDatum{Datum::of(batch != nullptr), false};
}

Result<NullableDatum> run_expression(ExecContext& context, SubPlanState& state, Arena& arena) {
  Operator* root = TRY(start(context, state));
  NullableDatum value;
  bool found = false;
  while (Batch* batch = TRY(root->next())) {
    if (found || batch->rows.count > 1) {
      return raise(sqlstate::cardinality_violation,
                   "more than one row returned by a subquery used as an expression");
    }
    found = true;
    value = TRY(keep_value(context, arena, batch->columns[0], batch->rows[0], state.expr->type));
  }
  return value;
}

// x op ANY (...): true at the first match; NULL when none matched but one was unknown. ALL is the
// mirror image.
Result<NullableDatum> run_quantified(ExecContext& context, SubPlanState& state, Arena& arena,
                                     const Batch& outer, uint32_t outer_row) {
  const SubPlanExpr& expr = *state.expr;
  const bool any = expr.kind == SublinkKind::any;
  Operator* root = TRY(start(context, state));
  bool unknown = false;
  while (Batch* batch = TRY(root->next())) {
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      const uint32_t row = batch->rows[i];
      for (size_t c = 0; c < expr.test_params.size(); ++c) {
        context.exec_params[static_cast<size_t>(expr.test_params[c])] = batch->columns[c].at(row);
      }
      const auto index = static_cast<uint16_t>(outer_row);
      const Vector* test = TRY(run_step(context, *state.test, arena, outer, Rows{&index, 1}));
      if (test->is_null(outer_row)) {
        unknown = true;
      } else if (test->value(outer_row).as<bool>() == any) {
        return NullableDatum{Datum::of(any), false};
      }
      TRY(context.fiber.charge(1));
    }
  }
  if (unknown) return NullableDatum{};
  return NullableDatum{Datum::of(!any), false};
}

Result<NullableDatum> run_array_sublink(ExecContext& context, SubPlanState& state, Arena& arena) {
  Operator* root = TRY(start(context, state));
  std::vector<NullableDatum> elements;
  Oid element_type;
  while (Batch* batch = TRY(root->next())) {
    element_type = root->plan().targets[0].expr->type;
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      elements.push_back(
          TRY(keep_value(context, arena, batch->columns[0], batch->rows[i], element_type)));
    }
  }
  element_type = root->plan().targets[0].expr->type;
  return build_array(context, arena, element_type, elements);
}

Result<NullableDatum> run_one(ExecContext& context, SubPlanState& state, Arena& arena,
                              const Batch& outer, uint32_t row) {
  switch (state.expr->kind) {
    case SublinkKind::exists:      return run_exists(context, state);
    case SublinkKind::expression:  return run_expression(context, state, arena);
    case SublinkKind::array:       return run_array_sublink(context, state, arena);
    case SublinkKind::any:
    case SublinkKind::all:         return run_quantified(context, state, arena, outer, row);
    case SublinkKind::row_compare: return unsupported("comparison of a row with a subquery");
  }
  UNREACHABLE();
}

}  // namespace

Result<const Vector*> run_sub_plan(ExecContext& context, EvalNode& node, Arena& arena,
                                   const Batch& batch, Rows rows) {
  SubPlanState& state = *node.sub_plan;
  const SubPlanExpr& expr = *state.expr;
  if (expr.is_init_plan) {
    const auto slot = static_cast<size_t>(expr.result_param);
    if (context.init_plan_done[slot] == 0) {
      context.exec_params[slot] = TRY(run_one(context, state, context.arena, batch, 0));
      context.init_plan_done[slot] = 1;
    }
    prepare_output(context, node, rows);
    for (uint32_t i = 0; i < rows.count; ++i) node.out.set(rows[i], context.exec_params[slot]);
    return &node.out;
  }
  std::vector<const Vector*> values;
  for (EvalNode* value : state.values)
    values.push_back(TRY(run_step(context, *value, arena, batch, rows)));
  prepare_output(context, node, rows);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    for (size_t p = 0; p < values.size(); ++p) {
      context.exec_params[static_cast<size_t>(expr.param_slots[p])] = values[p]->at(row);
    }
    const NullableDatum value = TRY(run_one(context, state, arena, batch, row));
    node.out.set(row, value);
  }
  return &node.out;
}

}  // namespace orrery
