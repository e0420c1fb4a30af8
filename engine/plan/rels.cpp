#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {

Rel* LevelPlanner::make_rel(PlanNode* node, RangeSet ranges, Rel* left, Rel* right) {
  // Rels hold vectors: they live in the plan's builder, not in the arena.
  plan_.rels.push_back(std::make_unique<Rel>());
  Rel* rel = plan_.rels.back().get();
  rel->node = node;
  rel->ranges = ranges;
  rel->left = left;
  rel->right = right;
  node->left = left == nullptr ? nullptr : left->node;
  node->right = right == nullptr ? nullptr : right->node;
  return rel;
}

Rel* LevelPlanner::pass_rel(PlanNode* node, Rel* input) {
  Rel* rel = make_rel(node, input->ranges, input);
  rel->passes_rows = true;
  while (rel->base.size() < input->base.size()) pass_column(*rel);
  rel->order = input->order;
  node->rows = input->node->rows;
  node->width = input->node->width;
  return rel;
}

int LevelPlanner::require(Rel& rel, Expr* expr) {
  for (size_t i = 0; i < rel.base.size(); ++i) {
    if (expr_equal(rel.base[i], expr)) return static_cast<int>(i);
  }
  if (rel.passes_rows) {
    const int below = require(*rel.left, expr);
    while (rel.base.size() <= static_cast<size_t>(below)) pass_column(rel);
    return below;
  }
  TargetEntry target{};
  target.resno = static_cast<int>(rel.base.size()) + 1;
  target.junk = true;
  target.expr = fix(expr, rel.left, rel.right);
  rel.base.push_back(expr);
  rel.targets.push_back(target);
  return static_cast<int>(rel.base.size()) - 1;
}

// Rows are passed on as they are, so positions agree with the child's, whatever stands there twice.
void LevelPlanner::pass_column(Rel& rel) {
  const size_t at = rel.base.size();
  Expr* const expr = rel.left->base[at];
  auto* var = arena_.make<VarExpr>();
  var->tag = ExprTag::var;
  var->type = expr->type;
  var->typmod = expr->typmod;
  var->collation = expr->collation;
  var->range = kOuterVar;
  var->attno = static_cast<int>(at) + 1;
  TargetEntry target = rel.left->targets[at];
  target.resno = var->attno;
  target.expr = var;
  rel.base.push_back(expr);
  rel.targets.push_back(target);
}

Expr* LevelPlanner::fix(Expr* expr, Rel* left, Rel* right) {
  if (expr == nullptr || (left == nullptr && right == nullptr)) return expr;
  if (expr->tag == ExprTag::constant || expr->tag == ExprTag::param) return expr;
  for (const bool outer : {true, false}) {
    Rel* side = outer ? left : right;
    if (side == nullptr) continue;
    for (size_t i = 0; i < side->base.size(); ++i) {
      if (!expr_equal(side->base[i], expr)) continue;
      auto* var = arena_.make<VarExpr>();
      var->tag = ExprTag::var;
      var->type = expr->type;
      var->typmod = expr->typmod;
      var->collation = expr->collation;
      var->location = expr->location;
      var->range = outer ? kOuterVar : kInnerVar;
      var->attno = static_cast<int>(i) + 1;
      return var;
    }
  }
  if (expr->tag == ExprTag::var) {
    // A column nobody has asked for yet: the side that has its table learns of it.
    const auto& var = as<VarExpr>(*expr);
    CHECK(var.range > 0);
    Rel* side = left != nullptr && (left->ranges & range_bit(var.range)) != 0 ? left : right;
    CHECK(side != nullptr && (side->ranges & range_bit(var.range)) != 0);
    require(*side, expr);
    return fix(expr, left, right);
  }
  for (Rel* side : {left, right}) {
    if (side == nullptr || !computed_below(*side, *expr)) continue;
    require(*side, expr);
    return fix(expr, left, right);
  }
  return map_children(arena_, expr, [&](Expr* child) { return fix(child, left, right); });
}

// An aggregate or window function whose node lies at or below `side`, with nothing in between but
// nodes that hand its columns on.
bool LevelPlanner::computed_below(const Rel& side, const Expr& expr) const {
  if (expr.tag != ExprTag::aggregate && expr.tag != ExprTag::grouping &&
      expr.tag != ExprTag::window)
    return false;
  for (const Rel* rel = &side; rel != nullptr; rel = rel->left) {
    const PlanTag tag = rel->node->tag;
    if (tag == PlanTag::aggregate) return expr.tag != ExprTag::window;
    if (tag == PlanTag::window && expr.tag == ExprTag::window) {
      const auto number = static_cast<size_t>(as<WindowExpr>(expr).window);
      if (static_cast<const WindowPlan*>(rel->node)->clause == &query_->windows[number])
        return true;
    }
    if (!rel->passes_rows && tag != PlanTag::window) return false;
  }
  return false;
}

// Whether `index` holds every column that a scan's expressions read, as the table has it.
bool LevelPlanner::covers(const CatalogIndex& index, const RelationInfo& relation,
                          const Expr& expr) const {
  return !any_expr(expr, [&](const Expr& e) {
    if (e.tag != ExprTag::var) return false;
    const int attno = as<VarExpr>(e).attno;
    if (attno <= 0 || e.type == type_oid::name ||
        relation.desc()[static_cast<size_t>(attno - 1)].type == type_oid::name)
      return true;
    return std::find(index.columns.begin(), index.columns.end(), attno) == index.columns.end();
  });
}

void LevelPlanner::finish(Rel& rel) {
  if (rel.left != nullptr) finish(*rel.left);
  if (rel.right != nullptr) finish(*rel.right);
  rel.node->targets = arena_.copy_array(rel.targets);
  if (rel.node->tag != PlanTag::index_scan || !context_.settings.enable_indexonlyscan) return;
  // Now that it is known what is asked of the scan, the index may turn out to have it all.
  const auto& scan = static_cast<const IndexScanPlan&>(*rel.node);
  const RelationInfo& relation = *plan_.range_table[static_cast<size_t>(scan.range - 1)]->relation;
  bool all = scan.filter == nullptr || covers(*scan.index, relation, *scan.filter);
  for (const TargetEntry& target : rel.targets)
    all = all && covers(*scan.index, relation, *target.expr);
  if (all) rel.node->tag = PlanTag::index_only_scan;
}

}  // namespace orrery
