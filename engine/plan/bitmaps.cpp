// Bitmap scans: one index's conditions, several met by AND, or the arms of an OR that each have an
// index.
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"

namespace orrery {

// The index scan's conditions as a bitmap, with the table above it.
BitmapHeapScanPlan* LevelPlanner::bitmap_over(IndexScanPlan& index, double cost) {
  auto* heap = node<BitmapHeapScanPlan>(PlanTag::bitmap_heap_scan);
  heap->range = index.range;
  heap->rows = index.rows;
  heap->filter = index.filter;
  heap->recheck = index.recheck;
  heap->source = &index;
  heap->startup_cost = index.startup_cost;
  heap->total_cost = cost;
  index.tag = PlanTag::bitmap_index_scan;
  index.filter = nullptr;
  return heap;
}

// The cheapest index for these conditions, as a part of a bitmap; no node when there is none.
Result<LevelPlanner::BitmapPart> LevelPlanner::bitmap_part(int range, const CatalogIndex& index,
                                                           const std::vector<Expr*>& conditions) {
  BitmapPart part;
  if (!index.valid || !index.predicate.empty() || index.access_method != kBtreeAccessMethod)
    return part;
  const std::vector<IndexClause> matched = TRY(match_index(index, range, conditions, 0));
  const std::vector<IndexClause> used = usable_prefix(matched, index.keys);
  if (used.empty()) return part;
  const bool serves = TRY(context_.world.index_serves(context_.fiber, index.storage.file));
  if (!serves) return part;
  const IndexProbe probe = TRY(index_probe(index, range, used));
  const IndexCost cost = cost_index(probe);
  IndexScanPlan* made = TRY(make_index_scan(index, range, used, {}));
  made->tag = PlanTag::bitmap_index_scan;
  made->total_cost = cost.index_total;
  made->rows = cost.tuples;
  part.node = made;
  part.cost = cost.index_total + 0.1 * context_.settings.cpu_operator_cost * cost.tuples;
  part.fraction = probe.fraction;
  for (const IndexClause& c : used) part.conditions.push_back(c.condition);
  part.recheck = part.conditions;
  return part;
}

// An OR with an index for every arm, if not for all that the arm asks.
Result<LevelPlanner::BitmapPart> LevelPlanner::bitmap_or(int range, Expr* condition) {
  BitmapPart part;
  const auto& either = as<BooleanExpr>(*condition);
  std::vector<PlanNode*> inputs;
  std::vector<Expr*> asked;  // of each arm's index
  for (Expr* arm : either.args) {
    std::vector<Expr*> conditions;
    split_and(arm, conditions);
    BitmapPart best;
    for (const CatalogIndex& index : entry(range).relation->indexes) {
      BitmapPart one = TRY(bitmap_part(range, index, conditions));
      if (one.node != nullptr && (best.node == nullptr || one.cost < best.cost))
        best = std::move(one);
    }
    if (best.node == nullptr) return BitmapPart();
    inputs.push_back(best.node);
    asked.push_back(join_and(best.recheck));
    part.answers = part.answers && best.conditions.size() == conditions.size();
    part.cost += best.cost + (inputs.size() > 1 ? 100 * context_.settings.cpu_operator_cost : 0);
  }
  auto* made = node<BitmapCombinePlan>(PlanTag::bitmap_or);
  made->inputs = arena_.copy_array(inputs);
  made->total_cost = part.cost;
  part.node = made;
  part.fraction = selectivity(*condition, 0);
  part.conditions.push_back(condition);
  auto* recheck = arena_.make<BooleanExpr>(either);
  recheck->args = arena_.copy_array(asked);
  part.recheck.push_back(part.answers ? condition : recheck);
  return part;
}

// Null when nothing is cheaper than `limit`.
Result<BitmapHeapScanPlan*> LevelPlanner::bitmap_scan(int range,
                                                      const std::vector<Expr*>& conditions,
                                                      double limit) {
  const PlannerSettings& s = context_.settings;
  BitmapHeapScanPlan* const none = nullptr;
  if (!s.enable_bitmapscan || conditions.empty()) return none;
  const RangeFacts& facts = facts_[static_cast<size_t>(range - 1)];
  std::vector<BitmapPart> parts;
  for (const CatalogIndex& index : entry(range).relation->indexes) {
    BitmapPart part = TRY(bitmap_part(range, index, conditions));
    if (part.node != nullptr) parts.push_back(std::move(part));
  }
  for (Expr* condition : conditions) {
    if (condition->tag != ExprTag::boolean || as<BooleanExpr>(*condition).kind != BooleanKind::or_)
      continue;
    BitmapPart part = TRY(bitmap_or(range, condition));
    if (part.node != nullptr) parts.push_back(std::move(part));
  }
  if (parts.empty()) return none;
  const double checks = operator_cost(join_and(conditions));
  const auto total = [&](double index_cost, double fraction) {
    const double tuples = std::max(1.0, std::rint(facts.rows * fraction));
    return cost_bitmap_heap(index_cost, tuples, facts.pages, 1) + tuples * checks;
  };
  std::sort(parts.begin(), parts.end(), [&](const BitmapPart& a, const BitmapPart& b) {
    return total(a.cost, a.fraction) < total(b.cost, b.fraction);
  });
  // The best one first; another joins it where that pays and its conditions are new.
  std::vector<const BitmapPart*> chosen{&parts[0]};
  double index_cost = parts[0].cost;
  double fraction = parts[0].fraction;
  for (size_t i = 1; i < parts.size(); ++i) {
    const bool overlaps = std::any_of(chosen.begin(), chosen.end(), [&](const BitmapPart* have) {
      return std::any_of(have->conditions.begin(), have->conditions.end(), [&](Expr* c) {
        return std::find(parts[i].conditions.begin(), parts[i].conditions.end(), c) !=
               parts[i].conditions.end();
      });
    });
    if (overlaps) continue;
    const double with = index_cost + parts[i].cost + 100 * s.cpu_operator_cost;
    if (total(with, fraction * parts[i].fraction) >= total(index_cost, fraction)) continue;
    chosen.push_back(&parts[i]);
    index_cost = with;
    fraction *= parts[i].fraction;
  }
  const double cost = total(index_cost, fraction);
  if (cost >= limit) return none;
  return make_bitmap(chosen, conditions, index_cost, cost);
}

BitmapHeapScanPlan* LevelPlanner::make_bitmap(const std::vector<const BitmapPart*>& chosen,
                                              const std::vector<Expr*>& conditions, double startup,
                                              double cost) {
  auto* heap = node<BitmapHeapScanPlan>(PlanTag::bitmap_heap_scan);
  std::vector<PlanNode*> inputs;
  std::vector<Expr*> recheck;
  std::vector<Expr*> answered;
  for (const BitmapPart* part : chosen) {
    inputs.push_back(part->node);
    recheck.insert(recheck.end(), part->recheck.begin(), part->recheck.end());
    if (part->answers)
      answered.insert(answered.end(), part->conditions.begin(), part->conditions.end());
  }
  heap->source = inputs[0];
  if (inputs.size() > 1) {
    auto* both = node<BitmapCombinePlan>(PlanTag::bitmap_and);
    both->inputs = arena_.copy_array(inputs);
    both->total_cost = startup;
    heap->source = both;
  }
  std::vector<Expr*> rest;
  for (Expr* condition : conditions) {
    if (std::find(answered.begin(), answered.end(), condition) == answered.end())
      rest.push_back(condition);
  }
  heap->recheck = join_and(recheck);
  heap->filter = join_and(rest);
  heap->startup_cost = startup;
  heap->total_cost = cost;
  return heap;
}

}  // namespace orrery
