// Subqueries inside expressions. A correlated one runs once a row with that row's values in its
// parameters; one without outer references runs at most once.
#include "base/text.h"
#include "exec/arrays.h"
#include "exec/detoast.h"
#include "exec/eval_internal.h"
#include "exec/keys.h"
#include "exec/operator.h"
#include "exec/shared_rows.h"
#include "types/type_io.h"

namespace orrery {

// The rows of an uncorrelated IN (SELECT ...), read once into a hash table.
class HashedSubPlan final : public Operator {
 public:
  HashedSubPlan(ExecContext& context, const PlanNode& plan) : Operator(context, plan) {}

  Status open() override {
    child_ = TRY(make_operator(context_, plan_));
    std::vector<ColumnDesc> descs = TRY(column_descs(context_, plan_.targets.first(1)));
    key_ = TRY(key_of_type(context_, plan_.targets[0].expr->type, 0));
    if (key_.hash == nullptr) return unsupported("hashing of this type");
    desc_ = descs[0];
    rows_.emplace(context_, std::move(descs), std::vector<KeyColumn>{key_});
    Arena arena(&context_.budget);
    std::vector<uint16_t> kept(kBatchRows);
    while (true) {
      Batch* in = TRY(child_->next());
      if (in == nullptr) break;
      arena.reset();
      Vector column = in->columns[0];
      TRY(detoast_column(context_, arena, column, in->rows, desc_));
      uint32_t count = 0;
      for (uint32_t i = 0; i < in->rows.count; ++i) {
        if (column.is_null(in->rows[i]))
          has_null_ = true;
        else
          kept[count++] = static_cast<uint16_t>(in->rows[i]);
      }
      std::vector<uint16_t> fresh(kBatchRows);
      TRY(rows_->keep_new(Batch{{&column, 1}, Rows{kept.data(), count}}, fresh.data()));
    }
    child_.reset();
    return {};
  }
  Result<Batch*> next() override { return static_cast<Batch*>(nullptr); }
  Status rescan() override { return {}; }

  // value = ANY (rows): NULL when that cannot be known.
  NullableDatum contains(const Vector& column, uint32_t row) const {
    if (rows_->size() == 0 && !has_null_) return {Datum::of(false), false};
    if (column.is_null(row)) return {};
    const std::span<const Vector> columns(&column, 1);
    if (rows_->find(columns, row, rows_->hash(columns, row)) != nullptr)
      return {Datum::of(true), false};
    return has_null_ ? NullableDatum{} : NullableDatum{Datum::of(false), false};
  }

 private:
  OperatorPtr child_;
  KeyColumn key_;
  ColumnDesc desc_;
  std::optional<RowSet> rows_;
  bool has_null_ = false;
};

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
  root->wanted = 1;
  Batch* batch = TRY(root->next());
  return NullableDatum{Datum::of(batch != nullptr), false};
}

Result<NullableDatum> run_expression(ExecContext& context, SubPlanState& state, Arena& arena) {
  Operator* root = TRY(start(context, state));
  root->wanted = 1;
  NullableDatum value;
  bool found = false;
  while (true) {
    Batch* batch = TRY(root->next());
    if (batch == nullptr) break;
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
Result<NullableDatum> run_quantified(ExecContext& context, SubPlanState& state, const Batch& outer,
                                     uint32_t outer_row) {
  const SubPlanExpr& expr = *state.expr;
  const bool any = expr.kind == SublinkKind::any;
  Operator* root = TRY(start(context, state));
  root->wanted = 1;
  Arena scratch(&context.budget);  // of one comparison
  bool unknown = false;
  while (true) {
    Batch* batch = TRY(root->next());
    if (batch == nullptr) break;
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      const uint32_t row = batch->rows[i];
      for (size_t c = 0; c < expr.test_params.size(); ++c) {
        context.set_param(expr.test_params[c], batch->columns[c].at(row));
      }
      const auto index = static_cast<uint16_t>(outer_row);
      scratch.reset();
      const Vector* test = TRY(run_step(context, *state.test, scratch, outer, Rows{&index, 1}));
      if (test->is_null(outer_row)) {
        unknown = true;
      } else if (test->value(outer_row).as<bool>() == any) {
        return NullableDatum{Datum::of(any), false};
      }
      TRY(context.fiber.charge(1));
    }
    TRY(context.budget.check());
  }
  if (unknown) return NullableDatum{};
  return NullableDatum{Datum::of(!any), false};
}

Result<NullableDatum> run_array_sublink(ExecContext& context, SubPlanState& state, Arena& arena) {
  Operator* root = TRY(start(context, state));
  std::vector<NullableDatum> elements;
  Oid element_type;
  while (true) {
    Batch* batch = TRY(root->next());
    if (batch == nullptr) break;
    element_type = root->plan().targets[0].expr->type;
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      const NullableDatum value =
          TRY(keep_value(context, arena, batch->columns[0], batch->rows[i], element_type));
      elements.push_back(value);
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
    case SublinkKind::all:         return run_quantified(context, state, outer, row);
    case SublinkKind::row_compare: return unsupported("comparison of a row with a subquery");
  }
  UNREACHABLE();
}

Result<const Vector*> run_hashed(ExecContext& context, EvalNode& node, Arena& arena,
                                 const Batch& batch, Rows rows) {
  SubPlanState& state = *node.sub_plan;
  if (state.hashed == nullptr) {
    const PlanNode& plan = *context.plan.subplans[static_cast<size_t>(state.expr->plan)];
    auto made = std::make_unique<HashedSubPlan>(context, plan);
    TRY(made->open());
    state.hashed = made.get();
    context.keep(std::move(made));
  }
  const Vector probe = *TRY(run_step(context, *state.probe, arena, batch, rows));
  prepare_output(context, node, rows);
  for (uint32_t i = 0; i < rows.count; ++i)
    node.out.set(rows[i], state.hashed->contains(probe, rows[i]));
  TRY(context.fiber.charge(rows.count));
  return &node.out;
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
  if (expr.hashed) return run_hashed(context, node, arena, batch, rows);
  std::vector<const Vector*> values;
  for (EvalNode* value : state.values) {
    const Vector* computed = TRY(run_step(context, *value, arena, batch, rows));
    values.push_back(computed);
  }
  prepare_output(context, node, rows);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    for (size_t p = 0; p < values.size(); ++p) {
      context.set_param(expr.param_slots[p], values[p]->at(row));
    }
    const NullableDatum value = TRY(run_one(context, state, arena, batch, row));
    node.out.set(row, value);
  }
  return &node.out;
}

}  // namespace orrery
