// Ways to read one range entry: sequential and index scans of tables, and the scans of everything
// else that has rows.
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

IndexStrategy commuted(IndexStrategy s) {
  switch (s) {
    case IndexStrategy::lt:          return IndexStrategy::gt;
    case IndexStrategy::le:          return IndexStrategy::ge;
    case IndexStrategy::ge:          return IndexStrategy::le;
    case IndexStrategy::gt:          return IndexStrategy::lt;
    case IndexStrategy::eq:
    case IndexStrategy::is_null:
    case IndexStrategy::is_not_null:
    case IndexStrategy::any_eq:      return s;
  }
  UNREACHABLE();
}

const Expr& strip_relabel(const Expr& e) {
  return e.tag == ExprTag::relabel ? strip_relabel(*as<RelabelExpr>(e).arg) : e;
}

}  // namespace

// key = ANY (array), by the family's own equality, with an array that stays the same for a scan.
Result<bool> LevelPlanner::is_key_equality(const ScalarArrayExpr& sa, Oid family) {
  if (!sa.use_or) return false;
  const Volatility how = TRY(volatility(*sa.array));
  if (how == Volatility::volatile_) return false;
  const OperatorInfo* op = TRY(context_.catalog.op(context_.fiber, sa.op));
  if (op->left != op->right) return false;
  const Oid member =
      TRY(context_.catalog.family_operator(context_.fiber, family, op->left, op->right, 3));
  return member == sa.op;
}

// The conditions that `index` can apply: key op value, the value free of the table's own columns.
Result<std::vector<IndexClause>> LevelPlanner::match_index(const CatalogIndex& index, int range,
                                                           const std::vector<Expr*>& conditions,
                                                           RangeSet outer) {
  std::vector<IndexClause> out;
  const auto key_of = [&](const Expr& e) -> int {
    const Expr& bare = strip_relabel(e);
    if (bare.tag != ExprTag::var) return -1;
    const auto& var = as<VarExpr>(bare);
    if (var.range != range || var.levels_up != 0) return -1;
    for (int16_t k = 0; k < index.keys; ++k) {
      if (index.columns[static_cast<size_t>(k)] == var.attno) return k;
    }
    return -1;
  };
  const RangeSet allowed = outer & ~range_bit(range);
  for (Expr* condition : conditions) {
    if (condition->tag == ExprTag::null_test) {
      const auto& test = as<NullTestExpr>(*condition);
      const int key = key_of(*test.arg);
      if (key < 0 || test.row_type) continue;
      const IndexStrategy s = test.is_null ? IndexStrategy::is_null : IndexStrategy::is_not_null;
      out.push_back({condition, IndexCondition{key, s, nullptr, nullptr, condition}});
      continue;
    }
    if (condition->tag == ExprTag::scalar_array) {
      auto& sa = as<ScalarArrayExpr>(*condition);
      const int key = key_of(*sa.left);
      if (key < 0 || (ranges_of(*sa.array) & ~allowed) != 0) continue;
      const bool usable = TRY(is_key_equality(sa, index.families[static_cast<size_t>(key)]));
      if (!usable) continue;
      out.push_back(
          {condition, IndexCondition{key, IndexStrategy::any_eq, sa.array, nullptr, condition}});
      continue;
    }
    if (condition->tag != ExprTag::call) continue;
    auto& call = as<CallExpr>(*condition);
    if (!call.op || call.args.size() != 2 || call.distinct) continue;
    const OperatorInfo* op = TRY(context_.catalog.op(context_.fiber, call.op));
    for (const bool left_is_key : {true, false}) {
      Expr* key_side = call.args[left_is_key ? 0 : 1];
      Expr* value = call.args[left_is_key ? 1 : 0];
      const int key = key_of(*key_side);
      if (key < 0 || (ranges_of(*value) & ~allowed) != 0) continue;
      const Volatility how = TRY(volatility(*value));
      if (how == Volatility::volatile_) continue;
      const Oid family = index.families[static_cast<size_t>(key)];
      IndexStrategy strategy{};
      bool found = false;
      for (int16_t s = 1; s <= 5 && !found; ++s) {
        const Oid member =
            TRY(context_.catalog.family_operator(context_.fiber, family, op->left, op->right, s));
        if (member != call.op) continue;
        strategy = static_cast<IndexStrategy>(s);
        found = true;
      }
      if (!found) continue;
      if (!left_is_key) strategy = commuted(strategy);
      // int4col = int8 value: the family has a comparison for the pair.
      const CrossSearch* cross = nullptr;
      if (op->left != op->right) {
        const Oid stored = left_is_key ? op->left : op->right;
        const Oid bound = left_is_key ? op->right : op->left;
        cross = find_cross_search(stored, bound);
        if (cross == nullptr) continue;
      }
      out.push_back({condition, IndexCondition{key, strategy, value, cross, condition}});
      break;
    }
  }
  return out;
}

// What a B-tree can use as a range: equalities on leading keys, then bounds on the next one.
std::vector<IndexClause> usable_prefix(const std::vector<IndexClause>& clauses, int keys) {
  std::vector<IndexClause> out;
  for (int key = 0; key < keys; ++key) {
    bool equal = false;
    for (const IndexClause& c : clauses) {
      if (c.match.column != key) continue;
      if (c.match.strategy == IndexStrategy::eq || c.match.strategy == IndexStrategy::is_null ||
          c.match.strategy == IndexStrategy::any_eq) {
        if (equal) continue;
        equal = true;
        out.push_back(c);
      }
    }
    if (equal) continue;
    bool lower = false;
    bool upper = false;
    for (const IndexClause& c : clauses) {
      if (c.match.column != key) continue;
      const bool is_lower = c.match.strategy == IndexStrategy::gt ||
                            c.match.strategy == IndexStrategy::ge ||
                            c.match.strategy == IndexStrategy::is_not_null;
      const bool is_upper =
          c.match.strategy == IndexStrategy::lt || c.match.strategy == IndexStrategy::le;
      if ((is_lower && !lower) || (is_upper && !upper)) {
        out.push_back(c);
        lower = lower || is_lower;
        upper = upper || is_upper;
      }
    }
    break;
  }
  return out;
}

Result<Rel*> LevelPlanner::scan(int range, const std::vector<Expr*>& conditions) {
  const RangeEntry& e = entry(range);
  const double cpu = context_.settings.cpu_tuple_cost;
  const auto finish_scan = [&](ScanPlan* made, double startup, double cost, double rows) {
    made->range = flat_range(range);
    Expr* filter = join_and(conditions);
    made->rows = std::max(1.0, std::rint(rows * selectivity(conditions, 0)));
    made->startup_cost = startup;
    made->total_cost = startup + cost + operator_cost(filter) * rows;
    Rel* rel = make_rel(made, range_bit(range));
    made->filter = filter;
    return rel;
  };
  switch (e.kind) {
    case RangeKind::relation: return scan_table(range, conditions);
    case RangeKind::values:   {
      const auto rows = static_cast<double>(e.values.size());
      Rel lateral;
      auto* made = node<ValuesScanPlan>(PlanTag::values_scan);
      const Effects before = plan_.effects;
      for (std::span<Expr*>& row : query_->range_table[static_cast<size_t>(range - 1)]->values) {
        for (Expr*& value : row) {
          value = TRY(prepare(value));
          value = sibling_params(value, lateral);
        }
      }
      note_values(before);
      Rel* rel = finish_scan(made, 0, rows * (cpu + context_.settings.cpu_operator_cost), rows);
      carry_lateral(lateral, *rel);
      return rel;
    }
    case RangeKind::function: {
      double rows = 1;
      Rel lateral;
      RangeEntry& entry_now = *query_->range_table[static_cast<size_t>(range - 1)];
      for (Expr*& call : entry_now.functions) {
        call = TRY(prepare(call));
        call = sibling_params(call, lateral);
        if (call->tag == ExprTag::call) {
          const FunctionInfo* f =
              TRY(context_.catalog.function(context_.fiber, as<CallExpr>(*call).function));
          if (f != nullptr && f->returns_set) rows = std::max(rows, static_cast<double>(f->rows));
        }
      }
      Rel* rel = finish_scan(node<FunctionScanPlan>(PlanTag::function_scan), 0, rows * cpu, rows);
      carry_lateral(lateral, *rel);
      return rel;
    }
    case RangeKind::subquery: return scan_subquery(range, conditions);
    case RangeKind::cte:      return scan_cte(range, conditions);
    case RangeKind::join:
    case RangeKind::result:   break;
  }
  UNREACHABLE();
}

Result<Rel*> LevelPlanner::scan_table(int range, const std::vector<Expr*>& conditions) {
  const RangeEntry& e = entry(range);
  const PlannerSettings& s = context_.settings;
  const RangeFacts& facts = facts_[static_cast<size_t>(range - 1)];
  const double rows = facts.rows;
  const double out_rows = std::max(1.0, std::rint(rows * selectivity(conditions, 0)));
  constexpr double kDisabled = 1e10;
  auto* seq = node<SeqScanPlan>(PlanTag::seq_scan);
  Expr* filter = join_and(conditions);
  seq->total_cost = facts.pages * s.seq_page_cost +
                    rows * (s.cpu_tuple_cost + operator_cost(filter)) +
                    (s.enable_seqscan ? 0 : kDisabled);
  seq->startup_cost = s.enable_seqscan ? 0 : kDisabled;
  seq->filter = filter;
  ScanPlan* best = seq;
  const CatalogIndex* best_index = nullptr;
  std::vector<IndexClause> best_used;
  bool one_row = false;  // is all that the index will find
  for (const CatalogIndex& index : e.relation->indexes) {
    if (!s.enable_indexscan || !index.valid || !index.predicate.empty() ||
        index.access_method != kBtreeAccessMethod)
      continue;
    const std::vector<IndexClause> matched = TRY(match_index(index, range, conditions, 0));
    const std::vector<IndexClause> used = usable_prefix(matched, index.keys);
    if (used.empty()) continue;
    const bool serves = TRY(context_.world.index_serves(context_.fiber, index.storage.file));
    if (!serves) continue;
    IndexScanPlan* made = TRY(make_index_scan(index, range, used, conditions));
    const IndexProbe probe = TRY(index_probe(index, range, used));
    const IndexCost cost = cost_index(probe);
    made->startup_cost = cost.startup;
    made->total_cost = cost.total + operator_cost(made->filter) * cost.tuples;
    if (made->total_cost >= best->total_cost) continue;
    best = made;
    one_row = cost.tuples <= 1;
    best_index = &index;
    best_used = used;
  }
  BitmapHeapScanPlan* bitmap = nullptr;
  if (!one_row) bitmap = TRY(bitmap_scan(range, conditions, best->total_cost));
  if (bitmap != nullptr) best = bitmap;
  best->range = flat_range(range);
  best->rows = out_rows;
  Rel* rel = make_rel(best, range_bit(range));
  if (best == bitmap) rel->node->left = bitmap->source;
  if (best_index != nullptr && best != bitmap)
    rel->order = TRY(index_order(range, *best_index, best_used, false));
  return rel;
}

// The order in which a scan of `index` gives rows: by its columns, behind those that have one
// value.
Result<std::vector<OrderKey>> LevelPlanner::index_order(int range, const CatalogIndex& index,
                                                        const std::vector<IndexClause>& used,
                                                        bool backward) {
  std::vector<OrderKey> order;
  const RelationInfo& relation = *entry(range).relation;
  for (int16_t key = 0; key < index.keys; ++key) {
    const auto at = static_cast<size_t>(key);
    const bool fixed = order.empty() && std::any_of(used.begin(), used.end(), [&](const auto& c) {
                         return c.match.column == key && c.match.strategy == IndexStrategy::eq;
                       });
    if (fixed) continue;
    if (index.columns[at] == 0) break;
    const ColumnDesc& desc = relation.desc()[static_cast<size_t>(index.columns[at] - 1)];
    const IndexColumn& column = index.storage.keys[at];
    OrderKey made{};
    made.descending = column.descending != backward;
    made.nulls_first = column.nulls_first != backward;
    made.sort_op = TRY(context_.catalog.family_operator(
        context_.fiber, index.families[at], desc.type, desc.type, made.descending ? 5 : 1));
    if (!made.sort_op) break;
    auto* var = arena_.make<VarExpr>();
    var->tag = ExprTag::var;
    var->type = desc.type;
    var->typmod = desc.typmod;
    var->collation = desc.collation;
    var->range = range;
    var->attno = index.columns[at];
    made.expr = var;
    order.push_back(made);
  }
  return order;
}

// What a scan of `index` under the conditions used touches. Values of other tables are taken as
// given.
Result<IndexProbe> LevelPlanner::index_probe(const CatalogIndex& index, int range,
                                             const std::vector<IndexClause>& used) {
  const RangeFacts& facts = facts_[static_cast<size_t>(range - 1)];
  IndexProbe probe{};
  probe.table_rows = facts.rows;
  probe.table_pages = facts.pages;
  probe.index_pages = TRY(context_.world.pages(context_.fiber, index.storage.file));
  probe.conditions = used.size();
  int equal = 0;
  std::vector<Expr*> conditions;
  for (const IndexClause& c : used) {
    equal += c.match.strategy == IndexStrategy::eq;
    conditions.push_back(c.condition);
  }
  probe.fraction = index.unique && equal == index.keys ? 1.0 / std::max(1.0, facts.rows)
                                                       : selectivity(conditions, ~range_bit(range));
  if (facts.statistics != nullptr && index.columns[0] != 0) {
    const StoredStatistics* column = facts.statistics->column(index.columns[0]);
    if (column != nullptr) probe.correlation = column->correlation * (index.keys > 1 ? 0.75 : 1.0);
  }
  return probe;
}

// The conditions used go to the index, the others stay a filter; all of them are rechecked where
// the index is lossy.
Result<IndexScanPlan*> LevelPlanner::make_index_scan(const CatalogIndex& index, int range,
                                                     const std::vector<IndexClause>& used,
                                                     const std::vector<Expr*>& conditions) {
  auto* made = node<IndexScanPlan>(PlanTag::index_scan);
  made->range = flat_range(range);
  made->index = &index;
  std::vector<IndexCondition> matches;
  std::vector<Expr*> recheck;
  for (const IndexClause& c : used) {
    matches.push_back(c.match);
    recheck.push_back(c.condition);
  }
  made->conditions = arena_.copy_array(matches);
  made->recheck = join_and(recheck);
  std::vector<Expr*> rest;
  for (Expr* condition : conditions) {
    if (std::find(recheck.begin(), recheck.end(), condition) == recheck.end())
      rest.push_back(condition);
  }
  made->filter = join_and(rest);
  return made;
}

namespace {

const Expr* target_of(const Query& query, const SortClause& item) {
  for (const TargetEntry& target : query.targets) {
    if (target.ref == item.target) return target.expr;
  }
  UNREACHABLE();
}

}  // namespace

// The index's columns, behind those that equalities fix, are what the query is ordered by.
Result<bool> LevelPlanner::index_gives_order(const Query& query, int range,
                                             const CatalogIndex& index,
                                             const std::vector<IndexClause>& used, bool* backward) {
  int key = 0;
  for (const IndexClause& c : used) {
    if (c.match.strategy == IndexStrategy::any_eq) return false;
    if (c.match.strategy == IndexStrategy::eq && c.match.column == key) ++key;
  }
  bool first = true;
  for (const SortClause& item : query.order_by) {
    if (key >= index.keys) return false;
    const Expr* expr = target_of(query, item);
    if (expr->tag != ExprTag::var) return false;
    const auto& var = as<VarExpr>(*expr);
    const auto at = static_cast<size_t>(key);
    if (var.range != range || var.levels_up != 0 || var.attno != index.columns[at]) return false;
    const Oid member = TRY(context_.catalog.family_operator(
        context_.fiber, index.families[at], var.type, var.type, item.descending ? 5 : 1));
    if (member != item.sort_op) return false;
    const IndexColumn& column = index.storage.keys[at];
    const bool against = column.descending != item.descending;
    if ((column.nulls_first != item.nulls_first) != against) return false;
    if (!first && against != *backward) return false;
    *backward = against;
    first = false;
    ++key;
  }
  return true;
}

Result<Rel*> LevelPlanner::ordered_scan(const Query& query, const Rel& input,
                                        const std::vector<Expr*>& conditions, double limit) {
  const PlannerSettings& s = context_.settings;
  const bool simple = query.from.size() == 1 && !query.from[0]->is_join &&
                      !query.order_by.empty() && query.group_by.empty() &&
                      query.grouping_sets.empty() && query.having == nullptr &&
                      !query.has_aggregates && !query.has_windows && !query.has_set_functions &&
                      query.distinct.empty() && s.enable_indexscan;
  const PlanTag tag = input.node->tag;
  if (!simple ||
      (tag != PlanTag::seq_scan && tag != PlanTag::index_scan && tag != PlanTag::bitmap_heap_scan))
    return static_cast<Rel*>(nullptr);
  const int range = query.from[0]->range;
  const RangeEntry& e = entry(range);
  const double out_rows = input.node->rows;
  const double part = limit < 0 || out_rows <= 0 ? 1.0 : std::min(1.0, limit / out_rows);
  SortPlan sort{};
  cost_sort(sort, *input.node, limit);
  double best_cost = sort.startup_cost + (s.enable_sort ? 0 : 1e10);
  IndexScanPlan* best = nullptr;
  for (const CatalogIndex& index : e.relation->indexes) {
    if (!index.valid || !index.predicate.empty() || index.access_method != kBtreeAccessMethod)
      continue;
    const std::vector<IndexClause> matched = TRY(match_index(index, range, conditions, 0));
    const std::vector<IndexClause> used = usable_prefix(matched, index.keys);
    bool backward = false;
    const bool fits = TRY(index_gives_order(query, range, index, used, &backward));
    if (!fits) continue;
    const bool serves = TRY(context_.world.index_serves(context_.fiber, index.storage.file));
    if (!serves) continue;
    const IndexProbe probe = TRY(index_probe(index, range, used));
    const IndexCost cost = cost_index(probe);
    const double needed = cost.startup + part * (cost.total - cost.startup);
    if (needed >= best_cost) continue;
    best_cost = needed;
    best = TRY(make_index_scan(index, range, used, conditions));
    best->backward = backward;
    best->startup_cost = cost.startup;
    best->total_cost = cost.total + operator_cost(best->filter) * cost.tuples;
  }
  if (best == nullptr) return static_cast<Rel*>(nullptr);
  best->range = flat_range(range);
  best->rows = out_rows;
  return make_rel(best, range_bit(range));
}

// An index scan that gives the rows by `key`, ascending; null when no index does.
Result<Rel*> LevelPlanner::scan_in_order(int range, const std::vector<Expr*>& conditions,
                                         const OrderKey& key, double out_rows) {
  const RangeEntry& e = entry(range);
  if (e.kind != RangeKind::relation || !context_.settings.enable_indexscan)
    return static_cast<Rel*>(nullptr);
  IndexScanPlan* best = nullptr;
  std::vector<OrderKey> order;
  for (const CatalogIndex& index : e.relation->indexes) {
    if (!index.valid || !index.predicate.empty() || index.access_method != kBtreeAccessMethod)
      continue;
    const std::vector<IndexClause> matched = TRY(match_index(index, range, conditions, 0));
    const std::vector<IndexClause> used = usable_prefix(matched, index.keys);
    const std::vector<OrderKey> given = TRY(index_order(range, index, used, false));
    const bool fits = !given.empty() && expr_equal(given[0].expr, key.expr) &&
                      given[0].sort_op == key.sort_op && given[0].nulls_first == key.nulls_first;
    if (!fits) continue;
    const bool serves = TRY(context_.world.index_serves(context_.fiber, index.storage.file));
    if (!serves) continue;
    const IndexProbe probe = TRY(index_probe(index, range, used));
    const IndexCost cost = cost_index(probe);
    if (best != nullptr && cost.total >= best->total_cost) continue;
    best = TRY(make_index_scan(index, range, used, conditions));
    best->startup_cost = cost.startup;
    best->total_cost = cost.total + operator_cost(best->filter) * cost.tuples;
    order = given;
  }
  if (best == nullptr) return static_cast<Rel*>(nullptr);
  best->range = flat_range(range);
  best->rows = out_rows;
  Rel* rel = make_rel(best, range_bit(range));
  rel->order = order;
  return rel;
}

// Columns of other entries become parameters, each with the value it is given.
Expr* LevelPlanner::parameterize(Expr* expr, int range, std::vector<int>& slots,
                                 std::vector<Expr*>& values) {
  if (expr == nullptr) return nullptr;
  if (expr->tag == ExprTag::var) {
    auto& var = as<VarExpr>(*expr);
    if (var.range == range || var.levels_up != 0 || var.range <= 0) return expr;
    size_t at = 0;
    while (at < values.size() && !expr_equal(values[at], expr)) ++at;
    if (at == values.size()) {
      values.push_back(expr);
      slots.push_back(new_param());
    }
    auto* param = arena_.make<ParamExpr>();
    static_cast<Expr&>(*param) = static_cast<const Expr&>(var);
    param->tag = ExprTag::param;
    param->kind = ParamKind::exec;
    param->id = slots[at];
    return param;
  }
  return map_children(arena_, expr,
                      [&](Expr* child) { return parameterize(child, range, slots, values); });
}

Result<Rel*> LevelPlanner::parameterized_scan(int range, const std::vector<Expr*>& own,
                                              const std::vector<Expr*>& joining, RangeSet outer,
                                              double loops, std::vector<int>& slots,
                                              std::vector<Expr*>& values) {
  const RangeEntry& e = entry(range);
  const PlannerSettings& s = context_.settings;
  if (e.kind != RangeKind::relation || !s.enable_indexscan) return static_cast<Rel*>(nullptr);
  std::vector<Expr*> all = own;
  all.insert(all.end(), joining.begin(), joining.end());
  const RangeFacts& facts = facts_[static_cast<size_t>(range - 1)];
  const double rows = facts.rows;
  IndexScanPlan* best = nullptr;
  IndexCost best_cost{};
  double best_rows = 0;
  for (const CatalogIndex& index : e.relation->indexes) {
    if (!index.valid || !index.predicate.empty() || index.access_method != kBtreeAccessMethod)
      continue;
    const std::vector<IndexClause> matched = TRY(match_index(index, range, all, outer));
    const std::vector<IndexClause> used = usable_prefix(matched, index.keys);
    const bool joins = std::any_of(used.begin(), used.end(), [&](const IndexClause& c) {
      return std::find(joining.begin(), joining.end(), c.condition) != joining.end();
    });
    if (!joins) continue;
    const bool serves = TRY(context_.world.index_serves(context_.fiber, index.storage.file));
    if (!serves) continue;
    IndexProbe probe = TRY(index_probe(index, range, used));
    probe.loops = loops;
    const IndexCost cost = cost_index(probe);
    if (best != nullptr && cost.total >= best->total_cost) continue;
    best = TRY(make_index_scan(index, range, used, all));
    best->startup_cost = cost.startup;
    best->total_cost = cost.total;
    best_cost = cost;
    best_rows = rows * probe.fraction;
  }
  if (best == nullptr) return static_cast<Rel*>(nullptr);
  best->rows = std::max(1.0, std::rint(best_rows));
  BitmapHeapScanPlan* bitmap = nullptr;
  if (s.enable_bitmapscan) {
    const double heap =
        cost_bitmap_heap(best_cost.index_total, best_cost.tuples, facts.pages, loops);
    if (heap < best->total_cost) bitmap = bitmap_over(*best, heap);
  }
  // What comes from the outer side becomes a parameter, in the keys and in the filter alike.
  const auto as_param = [&](Expr* expr) { return parameterize(expr, range, slots, values); };
  for (IndexCondition& condition : best->conditions) {
    condition.value = as_param(condition.value);
    condition.original = as_param(condition.original);
  }
  best->recheck = as_param(best->recheck);
  if (bitmap == nullptr) {
    best->filter = as_param(best->filter);
    return make_rel(best, range_bit(range));
  }
  bitmap->filter = as_param(bitmap->filter);
  bitmap->recheck = best->recheck;
  Rel* rel = make_rel(bitmap, range_bit(range));
  rel->node->left = bitmap->source;
  return rel;
}

Result<Rel*> LevelPlanner::scan_subquery(int range, const std::vector<Expr*>& all_conditions) {
  RangeEntry& e = *query_->range_table[static_cast<size_t>(range - 1)];
  LevelPlanner below(context_, plan_, this);
  const std::vector<Expr*> conditions = TRY(push_down(*e.subquery, all_conditions));
  Rel* inner = TRY(below.plan_query(*e.subquery));
  below.finish(*inner);
  auto* made = node<SubqueryScanPlan>(PlanTag::subquery_scan);
  made->range = flat_range(range);
  Expr* filter = join_and(conditions);
  made->startup_cost = inner->node->startup_cost;
  made->total_cost = inner->node->total_cost +
                     inner->node->rows * (context_.settings.cpu_tuple_cost + operator_cost(filter));
  made->rows = std::max(1.0, std::rint(inner->node->rows * selectivity(conditions, 0)));
  made->filter = filter;
  Rel* rel = make_rel(made, range_bit(range));
  made->left = inner->node;
  note_lateral(*rel, below.uses_);
  return rel;
}

// LATERAL: columns of other entries of this level become parameters, noted in `lateral`.
Expr* LevelPlanner::sibling_params(Expr* expr, Rel& lateral) {
  if (expr->tag == ExprTag::var && as<VarExpr>(*expr).range > 0) {
    const auto& var = as<VarExpr>(*expr);
    Expr* param = outer_param(var, 0);
    const int slot = as<ParamExpr>(*param).id;
    if (std::find(lateral.lateral_slots.begin(), lateral.lateral_slots.end(), slot) ==
        lateral.lateral_slots.end()) {
      lateral.lateral |= range_bit(var.range);
      lateral.lateral_slots.push_back(slot);
      lateral.lateral_values.push_back(expr);
    }
    return param;
  }
  return map_children(arena_, expr, [&](Expr* child) { return sibling_params(child, lateral); });
}

// What `from` asks of entries that `to`, which stands above it, does not have either.
void LevelPlanner::carry_lateral(const Rel& from, Rel& to) const {
  for (size_t i = 0; i < from.lateral_slots.size(); ++i) {
    const RangeSet asked = ranges_of(*from.lateral_values[i]) & ~to.ranges;
    const std::vector<int>& known = to.lateral_slots;
    if (asked == 0 || std::find(known.begin(), known.end(), from.lateral_slots[i]) != known.end())
      continue;
    to.lateral |= asked;
    to.lateral_slots.push_back(from.lateral_slots[i]);
    to.lateral_values.push_back(from.lateral_values[i]);
  }
}

void LevelPlanner::note_lateral(Rel& rel, const std::vector<int>& uses) {
  for (const OuterParam& param : params_) {
    if (std::find(uses.begin(), uses.end(), param.slot) == uses.end()) continue;
    rel.lateral |= ranges_of(*param.value);
    rel.lateral_slots.push_back(param.slot);
    rel.lateral_values.push_back(param.value);
  }
}

Result<Rel*> LevelPlanner::scan_cte(int range, const std::vector<Expr*>& conditions) {
  const RangeEntry& e = entry(range);
  LevelPlanner* owner = this;
  for (int i = 0; i < e.cte_levels_up; ++i) owner = owner->parent_;
  CtePlan& cte = owner->ctes_[static_cast<size_t>(e.cte)];
  Expr* filter = join_and(conditions);
  ScanPlan* made = nullptr;
  if (e.self_reference) {
    auto* work = node<WorkTableScanPlan>(PlanTag::work_table_scan);
    work->work_table_param = cte.work_table;
    // Each round is another value of it, for all but the recursive query itself.
    for (LevelPlanner* level = this; level->parent_ != owner; level = level->parent_)
      level->note_use(cte.work_table);
    made = work;
  } else {
    auto* read = node<CteScanPlan>(PlanTag::cte_scan);
    read->subplan = cte.subplan;
    read->cte_param = cte.param;
    read->reads_params = arena_.copy_array(cte.uses);
    for (LevelPlanner* level = this; level != owner; level = level->parent_) {
      for (const int slot : cte.uses) level->note_use(slot);
    }
    made = read;
  }
  const double rows = std::max(1.0, cte.rows);
  made->range = flat_range(range);
  made->filter = filter;
  made->rows = std::max(1.0, std::rint(rows * selectivity(conditions, 0)));
  made->total_cost = rows * (context_.settings.cpu_tuple_cost + operator_cost(filter));
  return make_rel(made, range_bit(range));
}

}  // namespace orrery
