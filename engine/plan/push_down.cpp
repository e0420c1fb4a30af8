// Conditions on what a subquery gives move into it where that changes nothing but the work: below
// grouping when they are about grouped columns, else into HAVING; into every branch of a set
// operation.
#include "analyze/walk.h"
#include "plan/planner_internal.h"

namespace orrery {
namespace {

const TargetEntry* output_column(const Query& query, int number) {
  int at = 0;
  for (const TargetEntry& target : query.targets) {
    if (!target.junk && ++at == number) return &target;
  }
  return nullptr;
}

bool is_among(std::span<const SortClause> items, const TargetEntry& target) {
  return target.ref != 0 && std::any_of(items.begin(), items.end(), [&](const SortClause& item) {
           return item.target == target.ref;
         });
}

bool has_aggregate(const Expr& e) {
  return any_expr(
      e, [](const Expr& x) { return x.tag == ExprTag::aggregate || x.tag == ExprTag::grouping; });
}

}  // namespace

// Whether column `number` means the same within `sub` as above it.
Result<bool> LevelPlanner::passes_through(const Query& sub, int number) {
  const TargetEntry* target = output_column(sub, number);
  if (target == nullptr) return false;
  const Expr& e = *target->expr;
  const bool odd = any_expr(e, [](const Expr& x) {
    return x.tag == ExprTag::window || x.tag == ExprTag::sublink ||
           (x.tag == ExprTag::call && as<CallExpr>(x).returns_set);
  });
  if (odd || (sub.distinct_on && !is_among(sub.distinct, *target))) return false;
  for (const WindowClause& clause : sub.windows) {
    if (!is_among(clause.partition_by, *target)) return false;
  }
  const Volatility how = TRY(volatility(e));
  return how != Volatility::volatile_;
}

Result<bool> LevelPlanner::can_push(const Query& sub, const Expr& condition) {
  if (sub.command != CommandType::select || sub.limit_count != nullptr ||
      sub.limit_offset != nullptr || !sub.grouping_sets.empty() || sub.has_set_functions)
    return false;
  std::vector<int> columns;
  const auto gather = [&](const Expr& e, auto&& self) -> void {
    if (e.tag == ExprTag::var) columns.push_back(as<VarExpr>(e).attno);
    for_each_child(e, [&](const Expr& child) { self(child, self); });
  };
  gather(condition, gather);
  for (const int number : columns) {
    if (number <= 0) return false;
    if (sub.set_operations != nullptr) {
      const bool fits = TRY(passes_set(sub, *sub.set_operations, number, condition));
      if (!fits) return false;
      continue;
    }
    const bool fits = TRY(passes_through(sub, number));
    if (!fits) return false;
  }
  return true;
}

Result<bool> LevelPlanner::passes_set(const Query& query, const SetOpNode& set, int number,
                                      const Expr& condition) {
  const auto c = static_cast<size_t>(number - 1);
  if (set.is_leaf) {
    const RangeEntry& leaf = *query.range_table[static_cast<size_t>(set.range - 1)];
    if (leaf.kind != RangeKind::subquery) return false;
    return can_push(*leaf.subquery, condition);
  }
  if (set.kind == SetOpKind::except) return false;
  for (const std::span<Expr*> side : {set.left_columns, set.right_columns}) {
    if (c >= side.size() || side[c]->tag != ExprTag::var || side[c]->type != set.types[c])
      return false;
  }
  const bool left = TRY(passes_set(query, *set.left, number, condition));
  if (!left) return false;
  return passes_set(query, *set.right, number, condition);
}

// REQUIRES: can_push().
void LevelPlanner::push_into(Query& sub, Expr* condition) {
  if (sub.set_operations != nullptr) return push_into_set(sub, *sub.set_operations, condition);
  const auto inside = [&](Expr* e, auto&& self) -> Expr* {
    if (e->tag == ExprTag::var) return output_column(sub, as<VarExpr>(*e).attno)->expr;
    return map_children(arena_, e, [&](Expr* child) { return self(child, self); });
  };
  Expr* made = inside(condition, inside);
  const bool groups = sub.has_aggregates || !sub.group_by.empty() || sub.having != nullptr;
  Expr*& to = groups ? sub.having : sub.where;
  std::vector<Expr*> all;
  split_and(to, all);
  all.push_back(made);
  to = join_and(all);
}

void LevelPlanner::push_into_set(Query& query, const SetOpNode& set, Expr* condition) {
  if (set.is_leaf)
    return push_into(*query.range_table[static_cast<size_t>(set.range - 1)]->subquery, condition);
  push_into_set(query, *set.left, condition);
  push_into_set(query, *set.right, condition);
}

// Moves what it can of `conditions` into `sub`; returns the rest.
Result<std::vector<Expr*>> LevelPlanner::push_down(Query& sub,
                                                   const std::vector<Expr*>& conditions) {
  std::vector<Expr*> rest;
  for (Expr* condition : conditions) {
    const bool has_plan =
        any_expr(*condition, [](const Expr& e) { return e.tag == ExprTag::sub_plan; });
    const Volatility how = TRY(volatility(*condition));
    const bool fits = TRY(can_push(sub, *condition));
    if (has_plan || how == Volatility::volatile_ || !fits) {
      rest.push_back(condition);
      continue;
    }
    push_into(sub, condition);
  }
  return rest;
}

// HAVING that asks nothing of aggregates is asked of the rows.
Status LevelPlanner::lower_having(Query& query) {
  if (query.having == nullptr || query.group_by.empty() || !query.grouping_sets.empty()) return {};
  std::vector<Expr*> having;
  split_and(query.having, having);
  std::vector<Expr*> where;
  split_and(query.where, where);
  std::vector<Expr*> rest;
  for (Expr* condition : having) {
    const bool has_plan =
        any_expr(*condition, [](const Expr& e) { return e.tag == ExprTag::sub_plan; });
    const Volatility how = TRY(volatility(*condition));
    const bool stays = has_aggregate(*condition) || has_plan || how == Volatility::volatile_;
    (stays ? rest : where).push_back(condition);
  }
  query.where = join_and(where);
  query.having = join_and(rest);
  return {};
}

}  // namespace orrery
