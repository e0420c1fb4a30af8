// Join order and join methods. Inner joins of a FROM list form one search space, ordered by dynamic
// programming over sets [Selinger79]; an outer join is one item of it, planned by itself, since
// moving rows across it would change the answer.
#include <bit>
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

RangeSet ranges_below(const FromNode& node) {
  if (!node.is_join) return range_bit(node.range);
  return ranges_below(*node.left) | ranges_below(*node.right);
}

// The inner-join items and conditions of a tree.
void flatten(LevelPlanner& p, FromNode* node, std::vector<FromNode*>& items,
             std::vector<Expr*>& conditions) {
  if (node->is_join && node->join_type == JoinKind::inner) {
    flatten(p, node->left, items, conditions);
    flatten(p, node->right, items, conditions);
    p.split_and(node->condition, conditions);
    return;
  }
  items.push_back(node);
}

}  // namespace

namespace {

struct JoinSearch {
  LevelPlanner& p;
  const PlannerSettings& s = p.context_.settings;

  struct Item {
    FromNode* node;
    RangeSet ranges;
    std::vector<Expr*> own;  // conditions on this item alone
    Rel* rel = nullptr;
    RangeSet lateral = 0;
  };
  std::vector<Item> items;
  std::vector<Expr*> joining;  // conditions over several items

  Result<Rel*> plan_item(FromNode* node, std::vector<Expr*> conditions) {
    if (!node->is_join) return p.scan(node->range, conditions);
    return outer_join(*node, std::move(conditions));
  }

  // LEFT, RIGHT (turned round) and FULL. Conditions from above reach only the side whose rows are
  // kept as they are; those of ON reach only the other. What cannot go down is checked above the
  // join.
  Result<Rel*> outer_join(FromNode& join, std::vector<Expr*> conditions) {
    FromNode* left = join.left;
    FromNode* right = join.right;
    JoinKind kind = join.join_type;
    if (kind == JoinKind::right) {
      std::swap(left, right);
      kind = JoinKind::left;
    }
    const RangeSet left_ranges = ranges_below(*left);
    const RangeSet right_ranges = ranges_below(*right);
    std::vector<Expr*> on;
    p.split_and(join.condition, on);
    std::vector<Expr*> left_own;
    std::vector<Expr*> right_own;
    std::vector<Expr*> join_on;
    std::vector<Expr*> above;
    for (Expr* c : conditions) {
      const RangeSet used = p.ranges_of(*c);
      if (kind == JoinKind::left && used != 0 && (used & ~left_ranges) == 0)
        left_own.push_back(c);
      else
        above.push_back(c);
    }
    for (Expr* c : on) {
      const RangeSet used = p.ranges_of(*c);
      if (kind == JoinKind::left && used != 0 && (used & ~right_ranges) == 0)
        right_own.push_back(c);
      else
        join_on.push_back(c);
    }
    Rel* outer = TRY(p.plan_from(std::span<FromNode* const>(&left, 1), left_own));
    Rel* best = TRY(best_join(outer, right, right_own, nullptr, join_on, kind));
    if (above.empty()) return best;
    auto& plan = *best->node;
    std::vector<Expr*> fixed;
    for (Expr* c : above) fixed.push_back(p.fix(c, best->left, best->right));
    plan.filter = p.join_and(fixed);
    plan.rows = std::max(1.0, std::rint(plan.rows * p.selectivity(above, 0)));
    return best;
  }

  // The cheapest way to join `outer` with an item (given as a tree or planned already).
  Result<Rel*> best_join(Rel* outer, FromNode* inner_node, const std::vector<Expr*>& inner_own,
                         Rel* inner_rel, const std::vector<Expr*>& on, JoinKind kind) {
    Rel* inner = inner_rel != nullptr
                     ? inner_rel
                     : TRY(p.plan_from(std::span<FromNode* const>(&inner_node, 1), inner_own));
    const double rows = join_rows(*outer, *inner, on, kind);
    if ((inner->lateral & outer->ranges) != 0)
      return nested_loop(outer, inner, on, kind, inner->lateral_slots, inner->lateral_values, rows,
                         true);

    std::vector<HashKey> keys;
    std::vector<Expr*> rest;
    for (Expr* c : on) {
      HashKey key{};
      if (TRY(hash_key(*c, outer->ranges, inner->ranges, &key)))
        keys.push_back(key);
      else
        rest.push_back(c);
    }
    const double nest = kind == JoinKind::full ? HUGE_VAL : nested_cost(*outer, *inner, on);
    double hash = HUGE_VAL;
    if (!keys.empty())
      hash = hash_cost(*outer, *inner, keys.size(), rest, rows) + (s.enable_hashjoin ? 0 : 1e10);
    // An inner index probed with the outer row's values.
    if (inner_node != nullptr && !inner_node->is_join &&
        (kind == JoinKind::inner || kind == JoinKind::left)) {
      std::vector<int> slots;
      std::vector<Expr*> values;
      std::vector<Expr*> own = inner_own;
      Rel* probed =
          TRY(p.parameterized_scan(inner_node->range, own, on, outer->ranges, slots, values));
      if (probed != nullptr) {
        const double cost = outer->node->total_cost + outer->node->rows * probed->node->total_cost +
                            rows * s.cpu_tuple_cost + (s.enable_nestloop ? 0 : 1e10);
        if (cost < nest && cost < hash)
          return nested_loop(outer, probed, {}, kind, slots, values, rows, false);
      }
    }
    if (kind == JoinKind::full && keys.empty()) {
      return unsupported("FULL JOIN without a hash-joinable equality condition");
    }
    if (hash <= nest) return hash_join(outer, inner, keys, rest, kind, rows, hash);
    return nested_loop(outer, inner, on, kind, {}, {}, rows, false);
  }

  double join_rows(const Rel& outer, const Rel& inner, const std::vector<Expr*>& on,
                   JoinKind kind) {
    double rows = outer.node->rows * inner.node->rows * p.selectivity(on, 0);
    if (kind == JoinKind::left || kind == JoinKind::full) rows = std::max(rows, outer.node->rows);
    if (kind == JoinKind::full) rows = std::max(rows, inner.node->rows);
    return std::max(1.0, std::rint(rows));
  }
  double nested_cost(const Rel& outer, const Rel& inner, const std::vector<Expr*>& on) {
    const double pairs = outer.node->rows * inner.node->rows;
    double per_pair = s.cpu_tuple_cost;
    for (Expr* c : on) per_pair += p.operator_cost(c);
    // The inner rows are kept after the first pass.
    const double again = inner.node->rows * s.cpu_operator_cost;
    return outer.node->total_cost + inner.node->total_cost +
           std::max(0.0, outer.node->rows - 1) * again + pairs * per_pair +
           (s.enable_nestloop ? 0 : 1e10);
  }
  double hash_cost(const Rel& outer, const Rel& inner, size_t keys, const std::vector<Expr*>& rest,
                   double rows) {
    double cost = outer.node->total_cost + inner.node->total_cost;
    cost += inner.node->rows * (s.cpu_operator_cost * static_cast<double>(keys) + s.cpu_tuple_cost);
    cost += outer.node->rows * s.cpu_operator_cost * static_cast<double>(keys);
    double per_row = s.cpu_tuple_cost;
    for (Expr* c : rest) per_row += p.operator_cost(c);
    return cost + rows * per_row;
  }

  // outer = inner, over an operator that can hash.
  Result<bool> hash_key(Expr& condition, RangeSet outer, RangeSet inner, HashKey* key) {
    if (condition.tag != ExprTag::call) return false;
    auto& call = as<CallExpr>(condition);
    if (!call.op || call.args.size() != 2 || call.distinct || call.null_if) return false;
    const OperatorInfo* op = TRY(p.context_.catalog.op(p.context_.fiber, call.op));
    if (op == nullptr || !op->can_hash || op->left != op->right) return false;
    const Volatility how = TRY(p.volatility(condition));
    if (how == Volatility::volatile_) return false;
    const RangeSet left = p.ranges_of(*call.args[0]);
    const RangeSet right = p.ranges_of(*call.args[1]);
    if (left == 0 || right == 0) return false;
    if ((left & ~outer) == 0 && (right & ~inner) == 0)
      *key = {call.args[0], call.args[1], call.op};
    else if ((left & ~inner) == 0 && (right & ~outer) == 0)
      *key = {call.args[1], call.args[0], call.op};
    else
      return false;
    return true;
  }

  Rel* hash_join(Rel* outer, Rel* inner, const std::vector<HashKey>& keys,
                 const std::vector<Expr*>& rest, JoinKind kind, double rows, double cost) {
    auto* hash = p.node<HashPlan>(PlanTag::hash);
    note_reads(*hash);
    Rel* hashed = p.pass_rel(hash, inner);
    hash->startup_cost = hash->total_cost = inner->node->total_cost;
    auto* made = p.node<HashJoinPlan>(PlanTag::hash_join);
    Rel* rel = p.make_rel(made, outer->ranges | inner->ranges, outer, hashed);
    made->join_type = kind;
    std::vector<HashKey> fixed;
    for (const HashKey& key : keys) {
      fixed.push_back({own_side(key.outer, outer, nullptr), own_side(key.inner, nullptr, hashed),
                       key.equality_op});
    }
    made->keys = p.arena_.copy_array(fixed);
    finish_join(*made, *rel, rest, rows);
    made->startup_cost = inner->node->total_cost + outer->node->startup_cost;
    made->total_cost = cost;
    return rel;
  }
  // A key over one child, as kOuterVar or kInnerVar of the join.
  Expr* own_side(Expr* expr, Rel* outer, Rel* inner) { return p.fix(expr, outer, inner); }

  Rel* nested_loop(Rel* outer, Rel* inner, const std::vector<Expr*>& on, JoinKind kind,
                   const std::vector<int>& slots, const std::vector<Expr*>& values, double rows,
                   bool lateral) {
    Rel* right = inner;
    const bool rescans_cheaply = !slots.empty() || inner->node->tag == PlanTag::result;
    if (!rescans_cheaply && outer->node->rows > 1 && inner->node->tag != PlanTag::material) {
      auto* material = p.node<MaterialPlan>(PlanTag::material);
      note_reads(*material);
      right = p.pass_rel(material, inner);
      material->startup_cost = inner->node->startup_cost;
      material->total_cost = inner->node->total_cost + 2 * s.cpu_operator_cost * inner->node->rows;
    }
    auto* made = p.node<NestedLoopPlan>(PlanTag::nested_loop);
    Rel* rel = p.make_rel(made, outer->ranges | inner->ranges, outer, right);
    made->join_type = kind;
    made->param_slots = p.arena_.copy_array(slots);
    std::vector<Expr*> fixed;
    for (Expr* value : values) fixed.push_back(p.fix(value, outer, nullptr));
    made->param_values = p.arena_.copy_array(fixed);
    finish_join(*made, *rel, on, rows);
    made->startup_cost = outer->node->startup_cost + inner->node->startup_cost;
    const double loops = std::max(1.0, outer->node->rows);
    made->total_cost = slots.empty() ? nested_cost(*outer, *inner, on)
                                     : outer->node->total_cost + loops * inner->node->total_cost +
                                           rows * s.cpu_tuple_cost;
    if (lateral) rel->lateral = (outer->lateral | inner->lateral) & ~rel->ranges;
    return rel;
  }

  // Of the slots set around this level any may be read below a node; those of this level's own
  // joins and LATERAL items are set by nodes of it, and count where they are read.
  void note_reads(KeepingPlan& made) {
    std::vector<int> slots = p.uses_;
    for (const auto& param : p.params_) slots.push_back(param.slot);
    made.reads_params = p.arena_.copy_array(slots);
    made.reads_work_table = p.reads_work_table_;
  }

  void finish_join(JoinPlan& made, Rel& rel, const std::vector<Expr*>& on, double rows) {
    std::vector<Expr*> fixed;
    for (Expr* c : on) fixed.push_back(p.fix(c, rel.left, rel.right));
    made.join_condition = p.join_and(fixed);
    made.rows = rows;
    made.width = rel.left->node->width + rel.right->node->width;
  }

  // Dynamic programming over the sets of items; above the limit, greedily by cheapest next item.
  Result<Rel*> search() {
    const size_t n = items.size();
    if (n == 1) return items[0].rel;
    if (n > static_cast<size_t>(std::max(2, s.from_collapse_limit)) || n > 12) return greedy();
    std::vector<Rel*> best(size_t{1} << n, nullptr);
    for (size_t i = 0; i < n; ++i) {
      if (items[i].lateral == 0) best[size_t{1} << i] = items[i].rel;
    }
    for (size_t set = 1; set < best.size(); ++set) {
      if (std::popcount(set) < 2) continue;
      // Cartesian products only where no condition links a subset.
      for (const bool linked : {true, false}) {
        for (size_t i = 0; i < n; ++i) {
          if ((set >> i & 1) == 0) continue;
          const size_t before = set & ~(size_t{1} << i);
          if (best[before] == nullptr) continue;
          TRY(try_extend(best[before], i, linked, &best[set]));
        }
        if (best[set] != nullptr) break;
      }
      TRY(p.context_.fiber.charge(n * 50));
    }
    Rel* all = best.back();
    return all != nullptr ? Result<Rel*>(all) : greedy();
  }

  Status try_extend(Rel* outer, size_t i, bool linked, Rel** best) {
    Item& item = items[i];
    if ((item.lateral & ~outer->ranges) != 0) return {};
    const std::vector<Expr*> on = conditions_between(outer->ranges, item.ranges);
    if (linked && on.empty() && item.lateral == 0) return {};
    Rel* made = TRY(best_join(outer, item.node, item.own, item.rel, on, JoinKind::inner));
    if (*best == nullptr || made->node->total_cost < (*best)->node->total_cost) *best = made;
    if (item.lateral != 0 || outer->left != nullptr) return {};
    // Two single items: the other way round is tried when the loop comes to the other one.
    return {};
  }

  std::vector<Expr*> conditions_between(RangeSet outer, RangeSet inner) {
    std::vector<Expr*> on;
    for (Expr* c : joining) {
      const RangeSet used = p.ranges_of(*c);
      const bool covered = (used & ~(outer | inner)) == 0;
      const bool known_before = (used & ~outer) == 0;
      if (covered && !known_before && (used & inner) != 0) on.push_back(c);
    }
    return on;
  }

  Result<Rel*> greedy() {
    std::vector<bool> done(items.size(), false);
    Rel* all = nullptr;
    for (size_t step = 0; step < items.size(); ++step) {
      Rel* best = nullptr;
      size_t best_item = 0;
      for (const bool linked : {true, false}) {
        for (size_t i = 0; i < items.size(); ++i) {
          if (done[i]) continue;
          Rel* made = nullptr;
          if (all == nullptr) {
            if (items[i].lateral == 0) made = items[i].rel;
          } else {
            TRY(try_extend(all, i, linked, &made));
          }
          if (made != nullptr &&
              (best == nullptr || made->node->total_cost < best->node->total_cost)) {
            best = made;
            best_item = i;
          }
        }
        if (best != nullptr) break;
      }
      if (best == nullptr)
        return raise(sqlstate::internal_error, "no join order satisfies the LATERAL references");
      done[best_item] = true;
      all = best;
    }
    return all;
  }
};

}  // namespace

Result<Rel*> LevelPlanner::plan_from(std::span<FromNode* const> from,
                                     std::vector<Expr*> conditions) {
  if (from.empty()) {
    auto* made = node<ResultPlan>(PlanTag::result);
    made->rows = 1;
    made->total_cost = context_.settings.cpu_tuple_cost;
    made->one_time_filter = join_and(conditions);
    return make_rel(made, 0);
  }
  JoinSearch search{*this};
  std::vector<FromNode*> nodes;
  for (FromNode* item : from) flatten(*this, item, nodes, conditions);
  RangeSet all = 0;
  for (FromNode* item : nodes) {
    search.items.push_back({item, ranges_below(*item), {}, nullptr, 0});
    all |= search.items.back().ranges;
  }
  std::vector<Expr*>
      gate;  // without variables of this level: checked once, before anything is read
  for (Expr* c : conditions) {
    const RangeSet used = ranges_of(*c);
    bool placed = false;
    if (used == 0) {
      const Volatility how = TRY(volatility(*c));
      (how == Volatility::volatile_ ? search.items[0].own : gate).push_back(c);
      continue;
    }
    for (JoinSearch::Item& item : search.items) {
      if ((used & ~item.ranges) != 0) continue;
      item.own.push_back(c);
      placed = true;
      break;
    }
    if (!placed) search.joining.push_back(c);
  }
  for (JoinSearch::Item& item : search.items) {
    item.rel = TRY(search.plan_item(item.node, item.own));
    item.lateral = item.rel->lateral & all & ~item.ranges;
  }
  Rel* rel = TRY(search.search());
  if (gate.empty()) return rel;
  auto* made = node<ResultPlan>(PlanTag::result);
  made->one_time_filter = join_and(gate);
  made->startup_cost = rel->node->startup_cost;
  made->total_cost = rel->node->total_cost;
  made->rows = rel->node->rows;
  made->width = rel->node->width;
  return make_rel(made, rel->ranges, rel);
}

}  // namespace orrery
