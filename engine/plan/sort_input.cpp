// Which targets a query computes before it sorts, and which of the sorted rows only: what is
// volatile runs in the order that ORDER BY asks for, what gives several rows keeps them together,
// and LIMIT spares what is dear.
#include "analyze/walk.h"
#include "plan/planner_internal.h"

namespace orrery {
namespace {

bool gives_sets(const Expr& expr) {
  return any_expr(
      expr, [](const Expr& e) { return e.tag == ExprTag::call && as<CallExpr>(e).returns_set; });
}

// A subquery that runs for each row.
bool runs_subquery(const Expr& expr) {
  return any_expr(expr, [](const Expr& e) {
    return e.tag == ExprTag::sub_plan && !as<SubPlanExpr>(e).hashed &&
           !as<SubPlanExpr>(e).is_init_plan;
  });
}

// How much a target must cost to be worth a node of its own above the sort, in operators.
constexpr double kDearInOperators = 10;

}  // namespace

// REQUIRES: nothing is sorted, grouped or told apart by the target.
Result<bool> LevelPlanner::is_late_target(const Query& query, const TargetEntry& target,
                                          bool any_volatile) {
  const Volatility how = TRY(volatility(*target.expr));
  if (how == Volatility::volatile_) return true;
  if (query.limit_count == nullptr && !any_volatile) return false;
  return runs_subquery(*target.expr) ||
         operator_cost(target.expr) > kDearInOperators * context_.settings.cpu_operator_cost;
}

// The targets that are computed before the rows are sorted: PostgreSQL's choice. `late_sets`:
// functions that return sets are none of them.
Result<std::vector<TargetEntry>> LevelPlanner::targets_below_sort(const Query& query,
                                                                  bool* late_sets) {
  bool any_volatile = false;
  bool sorts_by_sets = false;
  for (const TargetEntry& target : query.targets) {
    if (target.ref != 0) {
      sorts_by_sets = sorts_by_sets || gives_sets(*target.expr);
    } else if (!gives_sets(*target.expr)) {
      const Volatility how = TRY(volatility(*target.expr));
      any_volatile = any_volatile || how == Volatility::volatile_;
    }
  }
  *late_sets = query.has_set_functions && !sorts_by_sets;
  std::vector<TargetEntry> below;
  for (const TargetEntry& target : query.targets) {
    bool late = false;
    if (target.ref == 0 && gives_sets(*target.expr))
      late = *late_sets;
    else if (target.ref == 0)
      late = TRY(is_late_target(query, target, any_volatile));
    if (late) continue;
    below.push_back(target);
    below.back().resno = static_cast<int>(below.size());
  }
  return below;
}

// The targets, DISTINCT and ORDER BY. `in_order`: the rows come as ORDER BY wants them.
Result<Rel*> LevelPlanner::project_and_sort(Query& query, Rel* rel, bool in_order) {
  bool late_sets = false;
  std::vector<TargetEntry> below(query.targets.begin(), query.targets.end());
  const bool sorts =
      !query.order_by.empty() && !in_order &&
      (query.has_set_functions || !is_sorted_by(*rel, query.order_by, query.targets));
  if (sorts) below = TRY(targets_below_sort(query, &late_sets));
  rel = TRY(project(rel, below, query.has_set_functions && !late_sets));
  if (!query.distinct.empty()) rel = TRY(add_distinct(query, rel));
  if (!query.order_by.empty() && !in_order) rel = TRY(add_sort(rel, query.order_by, query.targets));
  if (below.size() == query.targets.size()) return rel;
  std::vector<OrderKey> order = rel->order;
  rel = TRY(project(rel, query.targets, late_sets));
  rel->order = std::move(order);
  return rel;
}

}  // namespace orrery
