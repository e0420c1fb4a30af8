// UNION, INTERSECT, EXCEPT and recursion. A set operation's columns are named as Vars of its
// leftmost leaf.
#include <cmath>

#include "base/text.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {

namespace {

int leftmost(const SetOpNode& node) { return node.is_leaf ? node.range : leftmost(*node.left); }

}  // namespace

Expr* LevelPlanner::set_column(const SetOpNode& set, size_t c) {
  auto* var = arena_.make<VarExpr>();
  var->tag = ExprTag::var;
  var->type = set.types[c];
  var->typmod = set.typmods[c];
  var->collation = set.collations[c];
  var->range = leftmost(set);
  var->attno = static_cast<int>(c) + 1;
  return var;
}

// One input of `parent`: its columns as the parent's types, and nothing else; with the flag column
// of INTERSECT and EXCEPT.
Result<Rel*> LevelPlanner::set_input(const SetOpNode& parent, SetOpNode& child,
                                     std::span<Expr* const> columns, int flag) {
  Rel* input = nullptr;
  if (child.is_leaf) {
    input = TRY(scan_subquery(child.range, {}));
  } else {
    input = TRY(plan_set_operation(*query_, child));
  }
  std::vector<TargetEntry> targets;
  std::vector<Expr*> base;
  for (size_t c = 0; c < columns.size(); ++c) {
    TargetEntry target{};
    target.expr = TRY(prepare(columns[c]));
    target.resno = static_cast<int>(c) + 1;
    targets.push_back(target);
  }
  if (flag >= 0) {
    auto* constant = arena_.make<ConstantExpr>();
    constant->tag = ExprTag::constant;
    constant->type = type_oid::int4;
    constant->length = 4;
    constant->value = {Datum::of(int32_t{flag}), false};
    TargetEntry target{};
    target.expr = constant;
    target.resno = static_cast<int>(columns.size()) + 1;
    target.junk = true;
    targets.push_back(target);
  }
  static_cast<void>(parent);
  return project(input, targets, false);
}

Result<Rel*> LevelPlanner::plan_set_operation(Query& query, SetOpNode& set) {
  if (&set == query.set_operations && recursive_cte_ != nullptr) return plan_recursive_union(set);
  const bool needs_flag = set.kind != SetOpKind::union_;
  std::vector<Rel*> inputs;
  inputs.push_back(TRY(set_input(set, *set.left, set.left_columns, needs_flag ? 0 : -1)));
  inputs.push_back(TRY(set_input(set, *set.right, set.right_columns, needs_flag ? 1 : -1)));
  auto* append = node<AppendPlan>(PlanTag::append);
  std::vector<PlanNode*> nodes;
  for (Rel* input : inputs) {
    finish(*input);
    nodes.push_back(input->node);
    append->rows += input->node->rows;
    append->total_cost += input->node->total_cost;
    append->width = input->node->width;
  }
  append->inputs = arena_.copy_array(nodes);
  const RangeSet ranges = range_bit(leftmost(set));
  Rel* rel = make_rel(append, ranges);
  std::vector<GroupColumn> columns;
  const size_t width = set.types.size();
  for (size_t c = 0; c < width + (needs_flag ? 1 : 0); ++c) {
    const bool is_flag = c == width;
    Expr* base = is_flag ? inputs[0]->base[c] : set_column(set, c);
    auto* var = arena_.make<VarExpr>();
    static_cast<Expr&>(*var) = *base;
    var->tag = ExprTag::var;
    var->range = kOuterVar;
    var->attno = static_cast<int>(c) + 1;
    TargetEntry target{};
    target.expr = var;
    target.resno = static_cast<int>(c) + 1;
    target.junk = is_flag;
    rel->base.push_back(base);
    rel->targets.push_back(target);
    if (!is_flag && !set.groups.empty())
      columns.push_back({static_cast<int>(c) + 1, set.groups[c].equality_op, set.collations[c]});
  }
  if (set.kind == SetOpKind::union_ && set.all) return rel;
  for (const SortClause& group : set.groups) {
    if (!group.hashable) return unsupported("a set operation over a type that cannot be hashed");
  }
  if (set.kind == SetOpKind::union_) {
    auto* made = node<AggregatePlan>(PlanTag::aggregate);
    made->strategy = AggStrategy::hashed;
    made->groups = arena_.copy_array(columns);
    Rel* above = make_rel(made, ranges, rel);
    for (Expr* expr : std::vector<Expr*>(rel->base)) require(*above, expr);
    made->rows = std::max(1.0, append->rows);
    made->width = append->width;
    made->startup_cost = made->total_cost =
        append->total_cost +
        append->rows * context_.settings.cpu_operator_cost * static_cast<double>(width);
    return above;
  }
  auto* made = node<SetOpPlan>(PlanTag::set_op);
  made->kind = set.kind;
  made->all = set.all;
  made->columns = arena_.copy_array(columns);
  Rel* above = make_rel(made, ranges, rel);
  for (size_t c = 0; c < width; ++c) require(*above, rel->base[c]);
  made->rows = std::max(1.0, inputs[0]->node->rows);
  made->width = append->width;
  made->total_cost = append->total_cost + append->rows * context_.settings.cpu_operator_cost *
                                              static_cast<double>(width);
  made->startup_cost = made->total_cost;
  return above;
}

Result<Rel*> LevelPlanner::plan_recursive_union(SetOpNode& set) {
  if (set.kind != SetOpKind::union_) {
    return raise(sqlstate::invalid_recursion,
                 cat("recursive query \"", recursive_cte_->name,
                     "\" does not have the form non-recursive-term UNION [ALL] recursive-term"));
  }
  const CommonTable* cte = recursive_cte_;
  recursive_cte_ = nullptr;
  CtePlan& state = parent_->ctes_[static_cast<size_t>(recursive_index_)];
  Rel* base = TRY(set_input(set, *set.left, set.left_columns, -1));
  state.rows = base->node->rows * 10;
  Rel* step = TRY(set_input(set, *set.right, set.right_columns, -1));
  static_cast<void>(cte);
  auto* made = node<RecursiveUnionPlan>(PlanTag::recursive_union);
  made->work_table_param = parent_->ctes_[static_cast<size_t>(recursive_index_)].work_table;
  made->distinct = !set.all;
  Rel* rel = make_rel(made, range_bit(leftmost(set)), base, step);
  std::vector<GroupColumn> columns;
  for (size_t c = 0; c < set.types.size(); ++c) {
    Expr* column = set_column(set, c);
    auto* var = arena_.make<VarExpr>();
    static_cast<Expr&>(*var) = *column;
    var->tag = ExprTag::var;
    var->range = kOuterVar;
    var->attno = static_cast<int>(c) + 1;
    TargetEntry target{};
    target.expr = var;
    target.resno = static_cast<int>(c) + 1;
    rel->base.push_back(column);
    rel->targets.push_back(target);
    if (!set.all)
      columns.push_back({static_cast<int>(c) + 1, set.groups[c].equality_op, set.collations[c]});
  }
  made->columns = arena_.copy_array(columns);
  made->rows = base->node->rows + 10 * step->node->rows;
  made->total_cost = base->node->total_cost + 10 * step->node->total_cost;
  made->width = base->node->width;
  return rel;
}

}  // namespace orrery
