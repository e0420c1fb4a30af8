// Join order and join methods. Inner joins of a FROM list form one search space, ordered by dynamic
// programming over sets [Selinger79]; an outer join is one item of it, planned by itself, since
// moving rows across it would change the answer.
#include <bit>
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {

RangeSet ranges_below(const FromNode& node) {
  if (!node.is_join) return range_bit(node.range);
  return ranges_below(*node.left) | ranges_below(*node.right);
}

namespace {

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
  // Of an outer join's outer side, where it is one table.
  FromNode* outer_table_ = nullptr;
  std::vector<Expr*> outer_own_;

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
      if (kind != JoinKind::full && used != 0 && (used & ~right_ranges) == 0)
        right_own.push_back(c);
      else
        join_on.push_back(c);
    }
    if (kind == JoinKind::semi || kind == JoinKind::anti) {
      left_own.clear();
      above.clear();
      for (Expr* c : conditions) left_own.push_back(c);  // the other side is not seen above
    }
    Rel* outer = TRY(p.plan_from(std::span<FromNode* const>(&left, 1), left_own));
    outer_table_ = left->is_join ? nullptr : left;
    outer_own_ = left_own;
    Rel* best = TRY(best_join(outer, right, right_own, nullptr, join_on, kind));
    outer_table_ = nullptr;
    if (above.empty()) return best;
    auto& plan = *best->node;
    std::vector<Expr*> fixed;
    for (Expr* c : above) fixed.push_back(p.fix_output(c, *best));
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
    if ((inner->lateral & outer->ranges) != 0) return lateral_loop(outer, inner, on, kind, rows);

    std::vector<HashKey> keys;
    std::vector<Expr*> rest;
    for (Expr* c : on) {
      HashKey key{};
      if (TRY(hash_key(*c, outer->ranges, inner->ranges, &key)))
        keys.push_back(key);
      else
        rest.push_back(c);
    }
    const double nest = kind == JoinKind::full ? HUGE_VAL : nested_cost(*outer, *inner, on, kind);
    double hash = HUGE_VAL;
    if (!keys.empty())
      hash = hash_cost(*outer, *inner, keys, rest, rows) + (s.enable_hashjoin ? 0 : 1e10);
    Merge merge;
    if (!keys.empty())
      merge = TRY(best_merge(*outer, inner, inner_node, inner_own, keys, rest, kind, rows));
    if (merge.cost < hash && merge.cost < nest) {
      hash = merge.cost;  // what a probed index has to beat
    }
    // An inner index probed with the outer row's values.
    if (inner_node != nullptr && !inner_node->is_join && kind != JoinKind::full) {
      std::vector<int> slots;
      std::vector<Expr*> values;
      std::vector<Expr*> own = inner_own;
      Rel* probed = TRY(p.parameterized_scan(inner_node->range, own, on, outer->ranges,
                                             outer->node->rows, slots, values));
      if (probed != nullptr) {
        const double cost = probed_cost(*outer, *probed, rows);
        if (cost < nest && cost < hash)
          return nested_loop(outer, probed, {}, kind, slots, values, rows);
      }
    }
    if (kind == JoinKind::full && keys.empty()) return full_join_of_all(outer, inner, on, rows);
    if (merge.cost == hash && merge.outer != nullptr) return merge_join(merge, rest, kind, rows);
    if (hash <= nest) return hash_join(outer, inner, keys, rest, kind, rows, hash);
    return nested_loop(outer, inner, on, kind, {}, {}, rows);
  }

  double join_rows(const Rel& outer, const Rel& inner, const std::vector<Expr*>& on,
                   JoinKind kind) {
    if (kind == JoinKind::semi || kind == JoinKind::anti) {
      const double part = semi_part(inner, on);
      return std::max(1.0,
                      std::rint(outer.node->rows * (kind == JoinKind::semi ? part : 1 - part)));
    }
    double rows = outer.node->rows * inner.node->rows * p.selectivity(on, 0);
    if (kind == JoinKind::left || kind == JoinKind::full) rows = std::max(rows, outer.node->rows);
    if (kind == JoinKind::full) rows = std::max(rows, inner.node->rows);
    return std::max(1.0, std::rint(rows));
  }
  // The part of the outer rows that has a partner.
  double semi_part(const Rel& inner, const std::vector<Expr*>& on) {
    double part = 1;
    for (const Expr* c : on) {
      const CallExpr* call = c->tag == ExprTag::call ? &as<CallExpr>(*c) : nullptr;
      const OperatorInfo* op =
          call != nullptr && call->op ? p.context_.catalog.builtin().op(call->op) : nullptr;
      if (op == nullptr || op->name != "=" || call->args.size() != 2) {
        part *= std::max(0.5, p.selectivity(*c, 0));
        continue;
      }
      const bool flipped = (p.ranges_of(*call->args[0]) & inner.ranges) != 0;
      const auto mine = p.column_facts(*call->args[flipped ? 1 : 0], 0);
      const auto theirs = p.column_facts(*call->args[flipped ? 0 : 1], 0);
      bool guessed_mine = false;
      bool guessed_theirs = false;
      const double a = p.distinct_of(mine, call->args[0]->type, &guessed_mine);
      const double b = std::min(p.distinct_of(theirs, call->args[0]->type, &guessed_theirs),
                                std::max(1.0, inner.node->rows));
      const double nulls = mine.statistics == nullptr ? 0 : mine.statistics->null_fraction;
      part *= (1 - nulls) * (guessed_mine || guessed_theirs ? 0.5 : std::min(1.0, b / a));
    }
    return std::clamp(part, 0.0, 1.0);
  }
  double nested_cost(const Rel& outer, const Rel& inner, const std::vector<Expr*>& on,
                     JoinKind kind) {
    double pairs = outer.node->rows * inner.node->rows;
    if (kind == JoinKind::semi || kind == JoinKind::anti) pairs *= 0.5;  // the first match ends it
    double per_pair = s.cpu_tuple_cost;
    for (Expr* c : on) per_pair += p.operator_cost(c);
    // The inner rows are kept after the first pass.
    const double again = inner.node->rows * s.cpu_operator_cost;
    return outer.node->total_cost + inner.node->total_cost +
           std::max(0.0, outer.node->rows - 1) * again + pairs * per_pair +
           (s.enable_nestloop ? 0 : 1e10);
  }
  double probed_cost(const Rel& outer, const Rel& probed, double rows) {
    return outer.node->total_cost + std::max(1.0, outer.node->rows) * probed.node->total_cost +
           rows * s.cpu_tuple_cost + (s.enable_nestloop ? 0 : 1e10);
  }
  double hash_cost(const Rel& outer, const Rel& inner, const std::vector<HashKey>& keys,
                   const std::vector<Expr*>& rest, double rows) {
    const auto count = static_cast<double>(keys.size());
    double cost = outer.node->total_cost + inner.node->total_cost;
    cost += inner.node->rows * (s.cpu_operator_cost * count + s.cpu_tuple_cost);
    cost += outer.node->rows * s.cpu_operator_cost * count;
    // How full the bucket is that an outer row looks through.
    double bucket = 1;
    for (const HashKey& key : keys) {
      const double distinct = p.distinct_values(*key.inner, inner.node->rows);
      bucket = std::min(bucket, 1.0 / distinct);
    }
    cost += s.cpu_operator_cost * count * outer.node->rows *
            std::max(1.0, std::rint(inner.node->rows * bucket)) * 0.5;
    const auto pages = [](const PlanNode& node) {
      return std::ceil(node.rows * (node.width + 24) / 8192);
    };
    const double memory = static_cast<double>(s.work_mem_bytes) * 2;
    if (pages(*inner.node) * 8192 > memory)
      cost += (2 * pages(*inner.node) + 2 * pages(*outer.node)) * s.seq_page_cost;
    double per_row = s.cpu_tuple_cost;
    for (Expr* c : rest) per_row += p.operator_cost(c);
    return cost + rows * per_row;
  }

  // Both sides in order of the keys, the one named first.
  struct Merge {
    double cost = HUGE_VAL;
    Rel* outer = nullptr;
    Rel* inner = nullptr;
    std::vector<MergeKey> keys;  // over the query's entries
  };

  Result<Merge> best_merge(Rel& outer, Rel* inner, FromNode* inner_node,
                           const std::vector<Expr*>& inner_own, const std::vector<HashKey>& keys,
                           const std::vector<Expr*>& rest, JoinKind kind, double rows) {
    Merge best;
    if (kind == JoinKind::full && !rest.empty()) return best;
    std::vector<MergeKey> all;
    for (const HashKey& key : keys) {
      const TypeOperators ops =
          TRY(p.context_.catalog.type_operators(p.context_.fiber, key.inner->type));
      if (!ops.lt || ops.eq != key.equality_op) return best;
      all.push_back({key.outer, key.inner, key.equality_op, ops.lt, false, false});
    }
    FromNode* outer_table = outer_table_;
    std::vector<Expr*> outer_own = outer_own_;
    for (const Item& item : items) {
      if (item.rel != &outer || item.node->is_join) continue;
      outer_table = item.node;
      outer_own = item.own;
    }
    for (size_t first = 0; first < all.size(); ++first) {
      Merge made;
      made.keys = all;
      std::rotate(made.keys.begin(), made.keys.begin() + static_cast<ptrdiff_t>(first),
                  made.keys.end());
      made.outer = TRY(in_order(&outer, outer_table, outer_own, made.keys, true));
      made.inner = TRY(in_order(inner, inner_node, inner_own, made.keys, false));
      const double per_pair = s.cpu_operator_cost * static_cast<double>(all.size());
      double per_row = s.cpu_tuple_cost;
      for (Expr* c : rest) per_row += p.operator_cost(c);
      const double outer_part = part_before_end(*made.keys[0].outer, *made.keys[0].inner,
                                                kind == JoinKind::inner || kind == JoinKind::semi);
      const double inner_part =
          part_before_end(*made.keys[0].inner, *made.keys[0].outer, kind != JoinKind::full);
      const auto read = [](const PlanNode& node, double part) {
        return node.startup_cost + (node.total_cost - node.startup_cost) * part;
      };
      made.cost = read(*made.outer->node, outer_part) + read(*made.inner->node, inner_part) +
                  (outer.node->rows * outer_part + inner->node->rows * inner_part) * per_pair +
                  rows * per_row + (s.enable_mergejoin ? 0 : 1e10);
      if (made.cost < best.cost) best = std::move(made);
    }
    return best;
  }

  // The part of one side's rows that comes before the other side's end: the rest is never read.
  double part_before_end(const Expr& mine, const Expr& theirs, bool may_end) {
    const auto a = p.column_facts(mine, 0);
    const auto b = p.column_facts(theirs, 0);
    if (!may_end || a.statistics == nullptr || b.statistics == nullptr ||
        b.statistics->bounds.empty() || a.statistics->bounds.empty())
      return 1;
    ConstantExpr last{};
    last.tag = ExprTag::constant;
    last.type = mine.type;
    last.value = {b.statistics->bounds.back(), false};
    return std::clamp(p.inequality_selectivity(a, mine.type, false, true, &last), 0.0, 1.0);
  }

  static bool begins_with(const std::vector<OrderKey>& order, const std::vector<MergeKey>& keys,
                          bool outer) {
    if (order.size() < keys.size()) return false;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!expr_equal(order[i].expr, outer ? keys[i].outer : keys[i].inner) ||
          order[i].sort_op != keys[i].sort_op || order[i].descending || order[i].nulls_first)
        return false;
    }
    return true;
  }

  // `rel` by the keys: as it comes, through an index, or sorted.
  Result<Rel*> in_order(Rel* rel, FromNode* item, const std::vector<Expr*>& own,
                        const std::vector<MergeKey>& keys, bool outer) {
    if (begins_with(rel->order, keys, outer)) return rel;
    auto* sort = p.node<SortPlan>(PlanTag::sort);
    p.cost_sort(*sort, *rel->node, -1);
    const double sorted = sort->total_cost + (s.enable_sort ? 0 : 1e10);
    if (item != nullptr && !item->is_join) {
      const OrderKey first{outer ? keys[0].outer : keys[0].inner, keys[0].sort_op, false, false};
      Rel* scanned = TRY(p.scan_in_order(item->range, own, first, rel->node->rows));
      if (scanned != nullptr && scanned->node->total_cost < sorted &&
          begins_with(scanned->order, keys, outer))
        return scanned;
    }
    Rel* made = p.pass_rel(sort, rel);
    made->order.clear();
    std::vector<SortKey> by;
    for (const MergeKey& key : keys) {
      Expr* expr = outer ? key.outer : key.inner;
      by.push_back({p.require(*made, expr) + 1, key.sort_op, expr->collation, false, false});
      made->order.push_back({expr, key.sort_op, false, false});
    }
    sort->keys = p.arena_.copy_array(by);
    p.cost_sort(*sort, *rel->node, -1);
    sort->startup_cost += s.enable_sort ? 0 : 1e10;
    sort->total_cost += s.enable_sort ? 0 : 1e10;
    return made;
  }

  Rel* merge_join(const Merge& merge, const std::vector<Expr*>& rest, JoinKind kind, double rows) {
    auto* made = p.node<MergeJoinPlan>(PlanTag::merge_join);
    Rel* rel =
        p.make_rel(made, merge.outer->ranges | merge.inner->ranges, merge.outer, merge.inner);
    made->join_type = kind;
    std::vector<MergeKey> fixed;
    for (MergeKey key : merge.keys) {
      key.outer = own_side(key.outer, merge.outer, nullptr);
      key.inner = own_side(key.inner, nullptr, merge.inner);
      fixed.push_back(key);
    }
    made->keys = p.arena_.copy_array(fixed);
    finish_join(*made, *rel, rest, rows);
    made->startup_cost = merge.outer->node->startup_cost + merge.inner->node->startup_cost;
    made->total_cost = merge.cost;
    // Rows whose partners the other conditions reject come late.
    const bool keeps = kind == JoinKind::inner || kind == JoinKind::semi ||
                       (rest.empty() && (kind == JoinKind::left || kind == JoinKind::anti));
    if (keeps) rel->order = merge.outer->order;
    return rel;
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
    note_reads(*hash, *inner);
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

  // The inner side refers to columns of the outer one, and perhaps of entries further out.
  Rel* lateral_loop(Rel* outer, Rel* inner, const std::vector<Expr*>& on, JoinKind kind,
                    double rows) {
    std::vector<int> slots;
    std::vector<Expr*> values;
    for (size_t i = 0; i < inner->lateral_slots.size(); ++i) {
      if ((p.ranges_of(*inner->lateral_values[i]) & outer->ranges) == 0) continue;
      slots.push_back(inner->lateral_slots[i]);
      values.push_back(inner->lateral_values[i]);
    }
    return nested_loop(outer, inner, on, kind, slots, values, rows);
  }

  Rel* nested_loop(Rel* outer, Rel* inner, const std::vector<Expr*>& on, JoinKind kind,
                   const std::vector<int>& slots, const std::vector<Expr*>& values, double rows) {
    Rel* right = inner;
    const bool rescans_cheaply = !slots.empty() || inner->node->tag == PlanTag::result;
    if (!rescans_cheaply && outer->node->rows > 1 && inner->node->tag != PlanTag::material) {
      auto* material = p.node<MaterialPlan>(PlanTag::material);
      note_reads(*material, *inner);
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
    made->total_cost = slots.empty() ? nested_cost(*outer, *inner, on, kind)
                                     : outer->node->total_cost + loops * inner->node->total_cost +
                                           rows * s.cpu_tuple_cost;
    rel->order = outer->order;
    return rel;
  }

  // ON true or false. PostgreSQL has no way either to do it under another condition.
  Result<Rel*> full_join_of_all(Rel* outer, Rel* inner, const std::vector<Expr*>& on, double rows) {
    for (const Expr* c : on) {
      if (c->tag == ExprTag::constant) continue;
      return raise(sqlstate::feature_not_supported,
                   "FULL JOIN is only supported with merge-joinable or hash-joinable join "
                   "conditions");
    }
    Merge merge;
    merge.outer = outer;
    merge.inner = inner;
    merge.cost = nested_cost(*outer, *inner, on, JoinKind::full);
    return merge_join(merge, on, JoinKind::full, rows);
  }

  // Of the slots set around this level any may be read below a node; of those that this level sets,
  // the ones its LATERAL items read and nothing below the node sets.
  void note_reads(KeepingPlan& made, const Rel& input) {
    std::vector<int> slots = p.uses_;
    slots.insert(slots.end(), input.lateral_slots.begin(), input.lateral_slots.end());
    made.reads_params = p.arena_.copy_array(slots);
  }

  void finish_join(JoinPlan& made, Rel& rel, const std::vector<Expr*>& on, double rows) {
    std::vector<Expr*> fixed;
    for (Expr* c : on) fixed.push_back(p.fix(c, rel.left, rel.right));
    made.join_condition = p.join_and(fixed);
    rel.left_nulls = made.join_type == JoinKind::full;
    rel.right_nulls = rel.left_nulls || made.join_type == JoinKind::left;
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

// All of the query's FROM: nothing is left that another entry would have to give.
Result<Rel*> LevelPlanner::plan_from_clause(std::span<FromNode* const> from,
                                            const std::vector<Expr*>& conditions) {
  Rel* rel = TRY(plan_from(from, conditions));
  if (rel->lateral != 0)
    return raise(sqlstate::internal_error, "a LATERAL reference has nothing that sets it");
  return rel;
}

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
