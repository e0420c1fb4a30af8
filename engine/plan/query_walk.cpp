#include "plan/query_walk.h"

#include <algorithm>

#include "analyze/walk.h"

namespace orrery {

Expr* QueryWalk::expr(Expr* e, int depth) {
  if (e == nullptr) return nullptr;
  Expr* made = map_children(arena_, e, [&](Expr* child) { return expr(child, depth); });
  if (made->tag == ExprTag::sublink) query(*as<SublinkExpr>(*made).subquery, depth + 1);
  return change_(made, depth);
}

void QueryWalk::from(FromNode& node, int depth) {
  if (!node.is_join) return;
  node.condition = expr(node.condition, depth);
  from(*node.left, depth);
  from(*node.right, depth);
}

void QueryWalk::query(Query& q, int depth) {
  if (std::find(seen_.begin(), seen_.end(), &q) != seen_.end()) return;
  seen_.push_back(&q);
  for (CommonTable* cte : q.ctes) query(*cte->query, depth + 1);
  for (RangeEntry* entry : q.range_table) {
    note_(*entry, depth);
    if (entry->subquery != nullptr) query(*entry->subquery, depth + 1);
    for (Expr*& function : entry->functions) function = expr(function, depth);
    for (Expr*& column : entry->join_columns) column = expr(column, depth);
    for (std::span<Expr*> row : entry->values) {
      for (Expr*& value : row) value = expr(value, depth);
    }
  }
  for (FromNode* node : q.from) from(*node, depth);
  for (TargetEntry& target : q.targets) target.expr = expr(target.expr, depth);
  for (TargetEntry& target : q.returning) target.expr = expr(target.expr, depth);
  q.where = expr(q.where, depth);
  q.having = expr(q.having, depth);
  q.limit_offset = expr(q.limit_offset, depth);
  q.limit_count = expr(q.limit_count, depth);
  for (WindowClause& clause : q.windows) {
    clause.start_offset = expr(clause.start_offset, depth);
    clause.end_offset = expr(clause.end_offset, depth);
  }
  if (q.on_conflict == nullptr) return;
  for (TargetEntry& target : q.on_conflict->set) target.expr = expr(target.expr, depth);
  q.on_conflict->where = expr(q.on_conflict->where, depth);
}

}  // namespace orrery
