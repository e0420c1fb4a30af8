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
  if (left != nullptr) carry_lateral(*left, *rel);
  if (right != nullptr) carry_lateral(*right, *rel);
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

// The very expression goes before one that looks like it: random() does, and is another value.
int LevelPlanner::position_of(const Rel& rel, const Expr& expr) {
  const auto same = std::find(rel.base.begin(), rel.base.end(), &expr);
  if (same != rel.base.end()) return static_cast<int>(same - rel.base.begin());
  for (size_t i = 0; i < rel.base.size(); ++i) {
    if (expr_equal(rel.base[i], &expr)) return static_cast<int>(i);
  }
  return -1;
}

int LevelPlanner::require(Rel& rel, Expr* expr) {
  const int known = position_of(rel, *expr);
  if (known >= 0) return known;
  if (rel.passes_rows) {
    const int below = require(*rel.left, expr);
    while (rel.base.size() <= static_cast<size_t>(below)) pass_column(rel);
    return below;
  }
  TargetEntry target{};
  target.resno = static_cast<int>(rel.base.size()) + 1;
  target.junk = true;
  target.expr = fix_output(expr, rel);
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
  const ChildRel children[] = {{left, kOuterVar, false}, {right, kInnerVar, false}};
  return fix_over(expr, children);
}

// Above an outer join a column may be NULL that was not so below: an expression over it is not what
// it was.
Expr* LevelPlanner::fix_output(Expr* expr, const Rel& rel) {
  const ChildRel children[] = {{rel.left, kOuterVar, rel.left_nulls},
                               {rel.right, kInnerVar, rel.right_nulls}};
  return fix_over(expr, children);
}

Expr* LevelPlanner::fix_over(Expr* expr, std::span<const ChildRel> children) {
  const bool is_leaf = children[0].rel == nullptr && children[1].rel == nullptr;
  if (expr == nullptr || is_leaf) return expr;
  if (expr->tag == ExprTag::constant || expr->tag == ExprTag::param) return expr;
  for (const ChildRel& child : children) {
    if (child.rel == nullptr || (child.columns_only && expr->tag != ExprTag::var)) continue;
    const int at = position_of(*child.rel, *expr);
    if (at < 0) continue;
    auto* var = arena_.make<VarExpr>();
    var->tag = ExprTag::var;
    var->type = expr->type;
    var->typmod = expr->typmod;
    var->collation = expr->collation;
    var->location = expr->location;
    var->range = child.range;
    var->attno = at + 1;
    return var;
  }
  if (expr->tag == ExprTag::var) {
    // A column nobody has asked for yet: the side that has its table learns of it.
    const auto& var = as<VarExpr>(*expr);
    CHECK(var.range > 0);
    Rel* const left = children[0].rel;
    const bool on_left = left != nullptr && (left->ranges & range_bit(var.range)) != 0;
    Rel* const side = on_left ? left : children[1].rel;
    CHECK(side != nullptr && (side->ranges & range_bit(var.range)) != 0);
    require(*side, expr);
    return fix_over(expr, children);
  }
  for (const ChildRel& child : children) {
    if (child.rel == nullptr || !computed_below(*child.rel, *expr)) continue;
    require(*child.rel, expr);
    return fix_over(expr, children);
  }
  return map_children(arena_, expr, [&](Expr* arg) { return fix_over(arg, children); });
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

// Hands on the columns of its child, each in its place, and every row.
bool LevelPlanner::is_trivial(const PlanNode& node) {
  if (node.tag != PlanTag::subquery_scan || node.filter != nullptr ||
      node.targets.size() != node.left->targets.size())
    return false;
  for (size_t i = 0; i < node.targets.size(); ++i) {
    const Expr& e = *node.targets[i].expr;
    if (e.tag != ExprTag::var || as<VarExpr>(e).attno != static_cast<int>(i) + 1) return false;
  }
  return true;
}

void LevelPlanner::finish(Rel& rel) {
  if (rel.left != nullptr) {
    finish(*rel.left);
    rel.node->left = rel.left->node;
  }
  if (rel.right != nullptr) {
    finish(*rel.right);
    rel.node->right = rel.right->node;
  }
  // Other joins that were tried over the same child may have asked it for more.
  while (rel.passes_rows && rel.base.size() < rel.left->base.size()) pass_column(rel);
  rel.node->targets = arena_.copy_array(rel.targets);
  if (is_trivial(*rel.node)) {
    rel.node = rel.node->left;
    return;
  }
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
