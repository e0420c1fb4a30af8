// One query from the inside out: FROM and WHERE, grouping, windows, DISTINCT, ORDER BY, LIMIT, row
// locks.
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {

Result<Rel*> LevelPlanner::plan_query(Query& query) {
  TRY(pull_up(query));
  query_ = &query;
  if (query.range_table.size() > kMaxRanges) return unsupported("a query over more than 64 tables");
  range_offset_ = static_cast<int>(plan_.range_table.size());
  for (RangeEntry* e : query.range_table) plan_.range_table.push_back(e);
  TRY(plan_ctes(query));
  TRY(load_facts(query));
  if (query.command == CommandType::insert) TRY(fill_in_defaults(query));
  if (query.command != CommandType::select) return plan_modify(query);
  return plan_select(query);
}

namespace {

std::vector<Expr*> grouped_expressions(const Query& query) {
  std::vector<Expr*> out;
  for (const SortClause& group : query.group_by) {
    for (const TargetEntry& target : query.targets) {
      if (target.ref == group.target) out.push_back(target.expr);
    }
  }
  return out;
}

bool has_sorting_aggregate(const Expr* expr) {
  return expr != nullptr && any_expr(*expr, [](const Expr& e) {
           return e.tag == ExprTag::aggregate && (!as<AggregateExpr>(e).order_by.empty() ||
                                                  !as<AggregateExpr>(e).distinct.empty());
         });
}

// How many rows LIMIT lets through at most; -1 when that is not known.
double wanted_rows(const Query& query) {
  const auto constant = [](const Expr* e) {
    if (e == nullptr) return 0.0;
    if (e->tag != ExprTag::constant || as<ConstantExpr>(*e).value.is_null) return -1.0;
    return static_cast<double>(as<ConstantExpr>(*e).value.value.as<int64_t>());
  };
  if (query.limit_count == nullptr) return -1;
  const double count = constant(query.limit_count);
  const double skipped = constant(query.limit_offset);
  return count < 0 || skipped < 0 ? -1 : count + skipped;
}

Expr* target_by_ref(std::span<const TargetEntry> targets, int ref) {
  for (const TargetEntry& target : targets) {
    if (target.ref == ref) return target.expr;
  }
  UNREACHABLE();
}

}  // namespace

Result<Rel*> LevelPlanner::plan_select(Query& query) {
  if (query.set_operations != nullptr) {
    query.limit_offset = TRY(prepare(query.limit_offset));
    query.limit_count = TRY(prepare(query.limit_count));
    Rel* rel = TRY(plan_set_operation(query, *query.set_operations));
    if (!query.order_by.empty()) rel = TRY(add_sort(rel, query.order_by, query.targets));
    return add_limit(query, rel);
  }
  for (TargetEntry& target : query.targets) target.expr = TRY(prepare(target.expr));
  query.where = TRY(prepare(query.where));
  query.having = TRY(prepare(query.having));
  query.limit_count = TRY(prepare(query.limit_count));
  query.limit_offset = TRY(prepare(query.limit_offset));
  set_constants_apart(query);
  const auto prepare_from = [&](FromNode* from, auto&& self) -> Status {
    if (!from->is_join) return {};
    from->condition = TRY(prepare(from->condition));
    TRY(self(from->left, self));
    return self(from->right, self);
  };
  for (FromNode* from : query.from) TRY(prepare_from(from, prepare_from));

  TRY(lower_having(query));
  std::vector<Expr*> conditions;
  split_and(query.where, conditions);
  Rel* rel = TRY(plan_from_clause(query.from, conditions));
  Rel* ordered = TRY(ordered_scan(query, *rel, conditions, wanted_rows(query)));
  if (ordered != nullptr) rel = ordered;
  const bool grouping = query.has_aggregates || !query.group_by.empty() ||
                        !query.grouping_sets.empty() || query.having != nullptr;
  if (grouping) rel = TRY(add_grouping(query, rel));
  if (query.has_windows) rel = TRY(add_windows(query, rel));
  rel = TRY(project_and_sort(query, rel, ordered != nullptr));
  if (!query.row_marks.empty()) rel = TRY(add_row_marks(query, rel));
  return add_limit(query, rel);
}

// Makes the Rel's first targets the query's, in order. Set-returning functions run in a node of
// their own.
Result<Rel*> LevelPlanner::project(Rel* input, std::span<const TargetEntry> targets,
                                   bool has_set_functions) {
  PlanNode* made = nullptr;
  if (has_set_functions) {
    auto* set = node<ProjectSetPlan>(PlanTag::project_set);
    set->rows = input->node->rows * 10;
    made = set;
  } else if (!input->passes_rows && (input->base.empty() || input->node->tag == PlanTag::window)) {
    // Nothing was asked of it yet, or no more than functions of the targets: it can compute the
    // targets itself.
    input->base.clear();
    input->targets.clear();
    for (const TargetEntry& target : targets) {
      TargetEntry entry_now = target;
      entry_now.expr = fix_output(target.expr, *input);
      input->base.push_back(target.expr);
      input->targets.push_back(entry_now);
    }
    input->node->width = width_of(input->base);
    return input;
  } else {
    auto* result = node<ResultPlan>(PlanTag::result);
    result->rows = input->node->rows;
    made = result;
  }
  made->startup_cost = input->node->startup_cost;
  made->total_cost = input->node->total_cost + made->rows * context_.settings.cpu_tuple_cost;
  Rel* rel = make_rel(made, input->ranges, input);
  for (const TargetEntry& target : targets) {
    TargetEntry entry_now = target;
    entry_now.expr = fix(target.expr, input, nullptr);
    rel->base.push_back(target.expr);
    rel->targets.push_back(entry_now);
  }
  made->width = width_of(rel->base);
  if (!has_set_functions) rel->order = input->order;
  return rel;
}

// The rows come in this order already.
bool LevelPlanner::is_sorted_by(const Rel& input, std::span<const SortClause> order,
                                std::span<const TargetEntry> targets) const {
  if (order.size() > input.order.size()) return false;
  for (size_t i = 0; i < order.size(); ++i) {
    const OrderKey& have = input.order[i];
    if (have.sort_op != order[i].sort_op || have.descending != order[i].descending ||
        have.nulls_first != order[i].nulls_first)
      return false;
    const Expr* wanted = target_by_ref(targets, order[i].target);
    if (!expr_equal(have.expr, wanted)) return false;
  }
  return true;
}

Result<Rel*> LevelPlanner::add_sort(Rel* input, std::span<const SortClause> order,
                                    std::span<const TargetEntry> targets) {
  if (is_sorted_by(*input, order, targets)) return input;
  auto* made = node<SortPlan>(PlanTag::sort);
  Rel* rel = pass_rel(made, input);
  std::vector<SortKey> keys;
  rel->order.clear();
  for (const SortClause& item : order) {
    Expr* expr = target_by_ref(targets, item.target);
    SortKey key{};
    key.column = require(*rel, expr) + 1;
    key.sort_op = item.sort_op;
    key.collation = expr->collation;
    key.descending = item.descending;
    key.nulls_first = item.nulls_first;
    keys.push_back(key);
    rel->order.push_back({expr, item.sort_op, item.descending, item.nulls_first});
  }
  made->keys = arena_.copy_array(keys);
  cost_sort(*made, *input->node, -1);
  return rel;
}

Rel* LevelPlanner::add_limit(Query& query, Rel* input) {
  if (query.limit_count == nullptr && query.limit_offset == nullptr) return input;
  auto* made = node<LimitPlan>(PlanTag::limit);
  Rel* rel = pass_rel(made, input);
  made->offset = query.limit_offset;
  made->count = query.limit_count;
  made->option = query.limit_option;
  if (query.limit_option == LimitKind::with_ties) {
    std::vector<GroupColumn> ties;
    for (const SortClause& item : query.order_by) {
      Expr* expr = target_by_ref(query.targets, item.target);
      ties.push_back({require(*rel, expr) + 1, item.equality_op, expr->collation});
    }
    made->ties = arena_.copy_array(ties);
  }
  const PlanNode& in = *input->node;
  const auto constant = [](const Expr* e, double otherwise) {
    if (e == nullptr || e->tag != ExprTag::constant || as<ConstantExpr>(*e).value.is_null)
      return otherwise;
    return static_cast<double>(as<ConstantExpr>(*e).value.value.as<int64_t>());
  };
  const double skipped =
      query.limit_offset == nullptr ? 0 : constant(query.limit_offset, std::rint(in.rows * 0.1));
  const double wanted = query.limit_count == nullptr
                            ? in.rows
                            : constant(query.limit_count, std::rint(in.rows * 0.1));
  made->rows = std::clamp(wanted, 1.0, std::max(1.0, in.rows - skipped));
  const double per_row = in.rows > 0 ? (in.total_cost - in.startup_cost) / in.rows : 0;
  made->startup_cost = in.startup_cost + per_row * std::min(skipped, in.rows);
  made->total_cost = std::min(in.total_cost, made->startup_cost + per_row * made->rows);
  return rel;
}

Result<Rel*> LevelPlanner::add_grouping(Query& query, Rel* input) {
  const std::vector<Expr*> groups = grouped_expressions(query);
  auto* made = node<AggregatePlan>(PlanTag::aggregate);
  made->strategy = groups.empty() ? AggStrategy::plain : AggStrategy::hashed;
  // Without a hash function for a key, the input is sorted by the keys.
  for (const SortClause& group : query.group_by) {
    if (!group.hashable) made->strategy = AggStrategy::sorted;
  }
  // So is it where an aggregate sorts its rows: one group's at a time.
  const bool sorts =
      std::any_of(query.targets.begin(), query.targets.end(),
                  [](const TargetEntry& t) { return has_sorting_aggregate(t.expr); }) ||
      has_sorting_aggregate(query.having);
  if ((!context_.settings.enable_hashagg || sorts) && !groups.empty() &&
      query.grouping_sets.empty())
    made->strategy = AggStrategy::sorted;
  if (!groups.empty() && query.grouping_sets.empty() &&
      is_sorted_by(*input, query.group_by, query.targets))
    made->strategy = AggStrategy::sorted;
  if (made->strategy == AggStrategy::sorted) {
    if (!query.grouping_sets.empty())
      return unsupported("GROUPING SETS over a type that cannot be hashed");
    input = TRY(add_sort(input, query.group_by, query.targets));
  }
  Rel* rel = make_rel(made, input->ranges, input);
  if (made->strategy == AggStrategy::sorted) {
    rel->order = input->order;
    rel->order.resize(std::min(rel->order.size(), groups.size()));
  }
  std::vector<GroupColumn> columns;
  for (size_t i = 0; i < groups.size(); ++i) {
    columns.push_back(
        {require(*input, groups[i]) + 1, query.group_by[i].equality_op, groups[i]->collation});
  }
  made->groups = arena_.copy_array(columns);
  std::vector<int> refs;
  for (const SortClause& group : query.group_by) refs.push_back(group.target);
  made->group_refs = arena_.copy_array(refs);
  std::vector<std::span<int>> sets;
  for (const GroupingColumns& set : query.grouping_sets) {
    std::vector<int> kept;
    for (const int ref : set.refs) {
      for (size_t g = 0; g < query.group_by.size(); ++g) {
        if (query.group_by[g].target == ref) kept.push_back(static_cast<int>(g));
      }
    }
    sets.push_back(arena_.copy_array(kept));
  }
  made->grouping_sets = arena_.copy_array(sets);
  made->rows = groups.empty() ? 1 : group_count(groups, input->node->rows);
  const double per_row =
      context_.settings.cpu_operator_cost * static_cast<double>(groups.size() + 1);
  made->startup_cost = input->node->total_cost + per_row * input->node->rows;
  made->total_cost = made->startup_cost + made->rows * context_.settings.cpu_tuple_cost;
  made->filter = fix(query.having, input, nullptr);
  return rel;
}

namespace {

// What a window's input is sorted by: its partition's columns, then its order.
std::vector<SortClause> window_order(const WindowClause& clause) {
  std::vector<SortClause> order(clause.partition_by.begin(), clause.partition_by.end());
  for (const SortClause& item : clause.order_by) {
    const bool known = std::any_of(order.begin(), order.end(),
                                   [&](const SortClause& o) { return o.target == item.target; });
    if (!known) order.push_back(item);
  }
  return order;
}

// The windows that are used, those with like orders beside each other and the longer order first,
// so that one sort serves several; PostgreSQL's sequence, which a query without ORDER BY shows.
std::vector<size_t> window_sequence(const Query& query) {
  std::vector<size_t> used;
  for (size_t w = 0; w < query.windows.size(); ++w) {
    const auto uses = [&](const Expr& e) {
      return e.tag == ExprTag::window && as<WindowExpr>(e).window == static_cast<int>(w);
    };
    if (std::any_of(query.targets.begin(), query.targets.end(),
                    [&](const TargetEntry& t) { return any_expr(*t.expr, uses); }))
      used.push_back(w);
  }
  std::sort(used.begin(), used.end(), [&](size_t a, size_t b) {
    const std::vector<SortClause> x = window_order(query.windows[a]);
    const std::vector<SortClause> y = window_order(query.windows[b]);
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (x[i].target != y[i].target) return x[i].target > y[i].target;
      if (x[i].sort_op != y[i].sort_op) return x[i].sort_op > y[i].sort_op;
      if (x[i].nulls_first != y[i].nulls_first) return x[i].nulls_first;
    }
    if (x.size() != y.size()) return x.size() > y.size();
    return a < b;
  });
  return used;
}

}  // namespace

Result<Rel*> LevelPlanner::add_windows(Query& query, Rel* input) {
  Rel* rel = input;
  // What the rows were grouped by is there as a whole only: its parts are not.
  for (Expr* group : grouped_expressions(query)) {
    if (group->tag != ExprTag::var) require(*rel, group);
  }
  for (const size_t w : window_sequence(query)) {
    WindowClause& clause = query.windows[w];
    const std::vector<SortClause> order = window_order(clause);
    if (!order.empty()) rel = TRY(add_sort(rel, order, query.targets));
    auto* made = node<WindowPlan>(PlanTag::window);
    Rel* above = make_rel(made, rel->ranges, rel);
    clause.start_offset = TRY(prepare(clause.start_offset));
    clause.end_offset = TRY(prepare(clause.end_offset));
    made->clause = &clause;
    std::vector<GroupColumn> partition;
    for (const SortClause& item : clause.partition_by) {
      Expr* expr = target_by_ref(query.targets, item.target);
      partition.push_back({require(*rel, expr) + 1, item.equality_op, expr->collation});
    }
    std::vector<SortKey> keys;
    for (const SortClause& item : clause.order_by) {
      Expr* expr = target_by_ref(query.targets, item.target);
      keys.push_back({require(*rel, expr) + 1, item.sort_op, expr->collation, item.descending,
                      item.nulls_first});
    }
    made->partition_by = arena_.copy_array(partition);
    made->order_by = arena_.copy_array(keys);
    made->rows = rel->node->rows;
    above->order = rel->order;
    made->startup_cost = rel->node->startup_cost;
    made->total_cost =
        rel->node->total_cost +
        rel->node->rows * (context_.settings.cpu_tuple_cost + context_.settings.cpu_operator_cost);
    // The functions of this window are computed here; later nodes find them as columns.
    for (const TargetEntry& target : query.targets) {
      const auto collect = [&](const Expr& e, auto&& self) -> void {
        if (e.tag == ExprTag::window && as<WindowExpr>(e).window == static_cast<int>(w))
          require(*above, const_cast<Expr*>(&e));
        for_each_child(e, [&](const Expr& child) { self(child, self); });
      };
      collect(*target.expr, collect);
    }
    rel = above;
  }
  return rel;
}

Result<Rel*> LevelPlanner::add_distinct(Query& query, Rel* input) {
  bool hashable = !query.distinct_on && context_.settings.enable_hashagg;
  for (const SortClause& item : query.distinct) hashable = hashable && item.hashable;
  std::vector<GroupColumn> columns;
  std::vector<Expr*> keys;
  for (const SortClause& item : query.distinct) {
    Expr* expr = target_by_ref(query.targets, item.target);
    columns.push_back({require(*input, expr) + 1, item.equality_op, expr->collation});
    keys.push_back(expr);
  }
  const double rows = group_count(keys, input->node->rows);
  if (hashable) {
    auto* made = node<AggregatePlan>(PlanTag::aggregate);
    made->strategy = AggStrategy::hashed;
    made->groups = arena_.copy_array(columns);
    Rel* rel = make_rel(made, input->ranges, input);
    const size_t width = input->base.size();  // all of them, whatever stands there twice
    for (size_t i = 0; i < width; ++i) {
      TargetEntry target = input->targets[i];
      target.expr = fix(input->base[i], input, nullptr);
      rel->base.push_back(input->base[i]);
      rel->targets.push_back(target);
    }
    made->rows = rows;
    made->width = input->node->width;
    made->startup_cost = made->total_cost =
        input->node->total_cost + input->node->rows * context_.settings.cpu_operator_cost *
                                      static_cast<double>(columns.size());
    made->total_cost += rows * context_.settings.cpu_tuple_cost;
    return rel;
  }
  // Sorted so that equal rows meet; for DISTINCT ON the ORDER BY decides which row of a group comes
  // first.
  std::vector<SortClause> order(query.order_by.begin(), query.order_by.end());
  for (const SortClause& item : query.distinct) {
    const bool known = std::any_of(order.begin(), order.end(),
                                   [&](const SortClause& o) { return o.target == item.target; });
    if (!known) order.push_back(item);
  }
  Rel* sorted = TRY(add_sort(input, order, query.targets));
  auto* made = node<UniquePlan>(PlanTag::unique);
  Rel* rel = pass_rel(made, sorted);
  made->columns = arena_.copy_array(columns);
  made->rows = rows;
  made->startup_cost = sorted->node->startup_cost;
  made->total_cost = sorted->node->total_cost + sorted->node->rows *
                                                    context_.settings.cpu_operator_cost *
                                                    static_cast<double>(columns.size());
  return rel;
}

Result<Rel*> LevelPlanner::add_row_marks(Query& query, Rel* input) {
  auto* made = node<LockRowsPlan>(PlanTag::lock_rows);
  std::vector<RowMark> marks;
  std::vector<int> columns;
  for (const RowMark& mark : query.row_marks) {
    columns.push_back(require(*input, make_ctid(mark.range)) + 1);
    RowMark flat = mark;
    flat.range = flat_range(mark.range);
    marks.push_back(flat);
  }
  std::vector<RecheckTable> tables;
  if (can_recheck(query, input->ranges)) {
    for (size_t i = 0; i < query.range_table.size(); ++i) {
      const int range = static_cast<int>(i) + 1;
      if ((input->ranges & range_bit(range)) == 0 || entry(range).kind != RangeKind::relation)
        continue;
      tables.push_back({flat_range(range), require(*input, make_ctid(range)) + 1});
    }
  }
  Rel* rel = pass_rel(made, input);
  made->recheck_tables = arena_.copy_array(tables);
  made->marks = arena_.copy_array(marks);
  made->tid_columns = arena_.copy_array(columns);
  made->startup_cost = input->node->startup_cost;
  made->total_cost = input->node->total_cost + input->node->rows * context_.settings.cpu_tuple_cost;
  return rel;
}

// The rows are made of tables alone, whose versions can be named.
bool LevelPlanner::can_recheck(const Query& query, RangeSet ranges) const {
  for (size_t i = 0; i < query.range_table.size(); ++i) {
    const RangeKind kind = query.range_table[i]->kind;
    const bool read = (ranges & range_bit(static_cast<int>(i) + 1)) != 0;
    if (read && kind != RangeKind::relation && kind != RangeKind::join) return false;
  }
  return !query.has_modifying_cte && query.set_operations == nullptr;
}

Expr* LevelPlanner::make_ctid(int range) {
  auto* var = arena_.make<VarExpr>();
  var->tag = ExprTag::var;
  var->type = type_oid::tid;
  var->range = range;
  var->attno = kCtidAttno;
  return var;
}

Status LevelPlanner::plan_ctes(Query& query) {
  for (CommonTable* cte : query.ctes) {
    CtePlan made;
    made.param = new_param();
    ctes_.push_back(made);
    CtePlan& mine = ctes_.back();
    if (cte->recursive) mine.work_table = new_param();
    LevelPlanner below(context_, plan_, this);
    below.recursive_cte_ = cte->recursive ? cte : nullptr;
    below.recursive_index_ = static_cast<int>(ctes_.size()) - 1;
    Rel* rel = TRY(below.plan_query(*cte->query));
    below.finish(*rel);
    CtePlan& done = ctes_.back();  // planning may have moved the vector
    done.rel = rel;
    done.rows = rel->node->rows;
    done.uses = below.uses_;
    done.subplan = static_cast<int>(plan_.subplan_list.size());
    plan_.subplan_list.push_back(rel->node);
  }
  return {};
}

}  // namespace orrery
