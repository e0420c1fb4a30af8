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
      out.push_back({condition, IndexCondition{key, s, nullptr, kInvalidOid, condition}});
      continue;
    }
    if (condition->tag == ExprTag::scalar_array) {
      auto& sa = as<ScalarArrayExpr>(*condition);
      const int key = key_of(*sa.left);
      if (key < 0 || (ranges_of(*sa.array) & ~allowed) != 0) continue;
      const bool usable = TRY(is_key_equality(sa, index.families[static_cast<size_t>(key)]));
      if (!usable) continue;
      out.push_back({condition,
                     IndexCondition{key, IndexStrategy::any_eq, sa.array, kInvalidOid, condition}});
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
      Oid support;
      if (op->left != op->right) {
        const Oid stored = left_is_key ? op->left : op->right;
        const Oid bound = left_is_key ? op->right : op->left;
        support = TRY(context_.catalog.family_function(context_.fiber, family, stored, bound, 1));
        if (!support) continue;
      }
      out.push_back({condition, IndexCondition{key, strategy, value, support, condition}});
      break;
    }
  }
  return out;
}

namespace {

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

}  // namespace

namespace {

struct IndexCost {
  double startup;
  double total;
};

IndexCost cost_index(const PlannerSettings& s, double table_rows, double table_pages,
                     double index_pages, double fraction, double rows, double correlation) {
  // Mackert and Lohman's estimate of distinct heap pages fetched [Mackert89], as PostgreSQL uses
  // it.
  const double tuples = std::max(1.0, table_rows * fraction);
  const double pages = std::max(1.0, table_pages);
  const double fetched = std::min(pages, 2.0 * pages * tuples / (2.0 * pages + tuples));
  const double worst = fetched * s.random_page_cost;
  const double best =
      s.random_page_cost + std::max(0.0, std::ceil(pages * fraction) - 1.0) * s.seq_page_cost;
  const double heap = worst + correlation * correlation * (best - worst);
  const double leaf = std::max(1.0, std::ceil(index_pages * fraction));
  const double height =
      std::log2(std::max(2.0, table_rows)) * s.cpu_operator_cost + 50 * s.cpu_operator_cost;
  const double total = height + leaf * s.random_page_cost +
                       tuples * (s.cpu_index_tuple_cost + s.cpu_operator_cost) + heap +
                       rows * s.cpu_tuple_cost;
  return {height, total};
}

}  // namespace

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
      auto* made = node<ValuesScanPlan>(PlanTag::values_scan);
      for (std::span<Expr*>& row : query_->range_table[static_cast<size_t>(range - 1)]->values) {
        for (Expr*& value : row) value = TRY(prepare(value));
      }
      return finish_scan(made, 0, rows * (cpu + context_.settings.cpu_operator_cost), rows);
    }
    case RangeKind::function: {
      double rows = 1;
      RangeEntry& entry_now = *query_->range_table[static_cast<size_t>(range - 1)];
      for (Expr*& call : entry_now.functions) {
        call = TRY(prepare(call));
        if (call->tag == ExprTag::call) {
          const FunctionInfo* f =
              TRY(context_.catalog.function(context_.fiber, as<CallExpr>(*call).function));
          if (f != nullptr && f->returns_set) rows = std::max(rows, static_cast<double>(f->rows));
        }
      }
      return finish_scan(node<FunctionScanPlan>(PlanTag::function_scan), 0, rows * cpu, rows);
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
  uint32_t pages = 0;
  const double rows = TRY(relation_rows(*e.relation, &pages));
  const double out_rows = std::max(1.0, std::rint(rows * selectivity(conditions, 0)));
  constexpr double kDisabled = 1e10;
  auto* seq = node<SeqScanPlan>(PlanTag::seq_scan);
  Expr* filter = join_and(conditions);
  seq->total_cost = pages * s.seq_page_cost + rows * (s.cpu_tuple_cost + operator_cost(filter)) +
                    (s.enable_seqscan ? 0 : kDisabled);
  seq->startup_cost = s.enable_seqscan ? 0 : kDisabled;
  seq->filter = filter;
  ScanPlan* best = seq;
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
    const double fraction = index_fraction(index, used, rows);
    const uint32_t index_pages = TRY(context_.world.pages(context_.fiber, index.storage.file));
    const IndexCost cost = cost_index(s, rows, pages, index_pages, fraction, rows * fraction, 0);
    made->startup_cost = cost.startup;
    made->total_cost = cost.total + operator_cost(made->filter) * rows * fraction;
    if (made->total_cost < best->total_cost) best = made;
  }
  best->range = flat_range(range);
  best->rows = out_rows;
  return make_rel(best, range_bit(range));
}

double LevelPlanner::index_fraction(const CatalogIndex& index, const std::vector<IndexClause>& used,
                                    double rows) {
  int equal = 0;
  std::vector<Expr*> conditions;
  for (const IndexClause& c : used) {
    equal += c.match.strategy == IndexStrategy::eq;
    conditions.push_back(c.condition);
  }
  if (index.unique && equal == index.keys) return 1.0 / std::max(1.0, rows);
  return selectivity(conditions, ~RangeSet{0});
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
  if (!simple || (tag != PlanTag::seq_scan && tag != PlanTag::index_scan))
    return static_cast<Rel*>(nullptr);
  const int range = query.from[0]->range;
  const RangeEntry& e = entry(range);
  uint32_t pages = 0;
  const double rows = TRY(relation_rows(*e.relation, &pages));
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
    const double fraction = used.empty() ? 1.0 : index_fraction(index, used, rows);
    const uint32_t index_pages = TRY(context_.world.pages(context_.fiber, index.storage.file));
    const IndexCost cost = cost_index(s, rows, pages, index_pages, fraction, rows * fraction, 0);
    const double needed = cost.startup + part * (cost.total - cost.startup);
    if (needed >= best_cost) continue;
    best_cost = needed;
    best = TRY(make_index_scan(index, range, used, conditions));
    best->backward = backward;
    best->startup_cost = cost.startup;
    best->total_cost = cost.total + operator_cost(best->filter) * rows * fraction;
  }
  if (best == nullptr) return static_cast<Rel*>(nullptr);
  best->range = flat_range(range);
  best->rows = out_rows;
  return make_rel(best, range_bit(range));
}

Result<Rel*> LevelPlanner::parameterized_scan(int range, const std::vector<Expr*>& own,
                                              const std::vector<Expr*>& joining, RangeSet outer,
                                              std::vector<int>& slots, std::vector<Expr*>& values) {
  const RangeEntry& e = entry(range);
  const PlannerSettings& s = context_.settings;
  if (e.kind != RangeKind::relation || !s.enable_indexscan) return static_cast<Rel*>(nullptr);
  std::vector<Expr*> all = own;
  all.insert(all.end(), joining.begin(), joining.end());
  uint32_t pages = 0;
  const double rows = TRY(relation_rows(*e.relation, &pages));
  IndexScanPlan* best = nullptr;
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
    const double fraction = index_fraction(index, used, rows);
    const uint32_t index_pages = TRY(context_.world.pages(context_.fiber, index.storage.file));
    const IndexCost cost = cost_index(s, rows, pages, index_pages, fraction, rows * fraction, 0);
    if (best != nullptr && cost.total >= best->total_cost) continue;
    best = TRY(make_index_scan(index, range, used, all));
    best->startup_cost = cost.startup;
    best->total_cost = cost.total;
    best_rows = rows * fraction;
  }
  if (best == nullptr) return static_cast<Rel*>(nullptr);
  best->rows = std::max(1.0, std::rint(best_rows));
  // What comes from the outer side becomes a parameter, in the keys and in the filter alike.
  const auto parameterize = [&](Expr* expr, auto&& self) -> Expr* {
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
    return map_children(arena_, expr, [&](Expr* child) { return self(child, self); });
  };
  for (IndexCondition& condition : best->conditions) {
    condition.value = parameterize(condition.value, parameterize);
    condition.original = parameterize(condition.original, parameterize);
  }
  best->filter = parameterize(best->filter, parameterize);
  best->recheck = parameterize(best->recheck, parameterize);
  return make_rel(best, range_bit(range));
}

Result<Rel*> LevelPlanner::scan_subquery(int range, const std::vector<Expr*>& conditions) {
  RangeEntry& e = *query_->range_table[static_cast<size_t>(range - 1)];
  LevelPlanner below(context_, plan_, this);
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

void LevelPlanner::note_lateral(Rel& rel, const std::vector<int>& uses) {
  for (const OuterParam& param : params_) {
    if (std::find(uses.begin(), uses.end(), param.slot) == uses.end()) continue;
    rel.lateral |= range_bit(param.var->range);
    rel.lateral_slots.push_back(param.slot);
    rel.lateral_values.push_back(param.var);
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
    for (LevelPlanner* level = this; level != owner; level = level->parent_)
      level->reads_work_table_ = true;
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
