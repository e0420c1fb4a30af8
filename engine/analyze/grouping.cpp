// Aggregates and windows: where they may stand, which query they belong to, and that what is not
// aggregated is grouped.
#include "analyze/transform.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// How many levels up the query of an aggregate is: that of its nearest variable; its own when it
// has none.
void lowest_level(const Expr& e, int depth, int* lowest) {
  if (e.tag == ExprTag::var) {
    const int level = as<VarExpr>(e).levels_up - depth;
    if (level >= 0 && (*lowest < 0 || level < *lowest)) *lowest = level;
  }
  for_each_child(e, [&](const Expr& child) { lowest_level(child, depth, lowest); });
}

}  // namespace

Status Transform::check_aggregate_clause(Clause where, int location) {
  if (where == Clause::where || where == Clause::join_on || where == Clause::group_by ||
      where == Clause::limit || where == Clause::offset || where == Clause::from_function ||
      where == Clause::values || where == Clause::returning || where == Clause::update_source ||
      where == Clause::check || where == Clause::default_ || where == Clause::index_expr ||
      where == Clause::index_predicate || where == Clause::filter || where == Clause::generated ||
      where == Clause::execute_parameter || where == Clause::copy_where ||
      where == Clause::window_rows || where == Clause::window_range ||
      where == Clause::window_groups) {
    const std::string_view what = where == Clause::join_on ? "JOIN conditions" : clause_name(where);
    return error(sqlstate::grouping_error, cat("aggregate functions are not allowed in ", what),
                 location);
  }
  return {};
}

// DISTINCT of an aggregate's `count` arguments, which must be all that it is ordered by.
Result<std::vector<SortClause>> Transform::aggregate_distinct(size_t count,
                                                              std::vector<TargetEntry>& targets,
                                                              const std::vector<SortClause>& order,
                                                              int location) {
  std::vector<SortClause> distinct_by;
  for (size_t i = 0; i < count; ++i) {
    const int ref = give_ref(targets, static_cast<int>(i));
    distinct_by.push_back(TRY(group_item(targets[i].expr, ref)));
    if (!distinct_by.back().sort_op) {
      return error(sqlstate::undefined_function,
                   cat("could not identify an ordering operator for type ",
                       name_of(targets[i].expr->type)),
                   location)
          .detail("Aggregates with DISTINCT must be able to sort their inputs.");
    }
  }
  for (const SortClause& item : order) {
    const bool in_args = std::any_of(distinct_by.begin(), distinct_by.end(),
                                     [&](const SortClause& d) { return d.target == item.target; });
    if (!in_args) {
      return error(
          sqlstate::invalid_column_reference,
          "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
          location);
    }
  }
  return distinct_by;
}

// Each direct argument of a hypothetical-set aggregate and the sort column it stands for take one
// type.
Status Transform::unify_hypothetical(Scope& scope, std::vector<Expr*>& args, size_t direct) {
  if (direct * 2 != args.size()) {
    return error(sqlstate::undefined_function,
                 "the number of hypothetical direct arguments must match the number of ordering "
                 "columns",
                 args.empty() ? -1 : args[0]->location);
  }
  for (size_t i = 0; i < direct; ++i) {
    Expr* const pair[] = {args[direct + i], args[i]};
    const Oid common = TRY(common_type(pair, "WITHIN GROUP"));
    args[i] = TRY(coerce_to_common(&scope, args[i], common, "WITHIN GROUP"));
    args[direct + i] = TRY(coerce_to_common(&scope, args[direct + i], common, "WITHIN GROUP"));
  }
  return {};
}

Status Transform::check_aggregate_call(std::string_view name, bool ordered_set, bool no_arguments,
                                       const FuncCall& call) {
  if (ordered_set && !call.agg_within_group) {
    return error(sqlstate::wrong_object_type,
                 cat("WITHIN GROUP is required for ordered-set aggregate ", name), call.location);
  }
  if (!ordered_set && call.agg_within_group) {
    return error(sqlstate::wrong_object_type,
                 cat(name, " is not an ordered-set aggregate, so it cannot have WITHIN GROUP"),
                 call.location);
  }
  if (no_arguments && !call.agg_star) {
    return error(sqlstate::wrong_object_type,
                 cat(name, "(*) must be used to call a parameterless aggregate function"),
                 call.location);
  }
  return {};
}

Status Transform::check_aggregate_argument(const Expr& arg) {
  const bool nested = any_expr(arg, [](const Expr& e) {
    return e.tag == ExprTag::aggregate && as<AggregateExpr>(e).levels_up == 0;
  });
  if (nested)
    return error(sqlstate::grouping_error, "aggregate function calls cannot be nested",
                 arg.location);
  if (any_expr(arg, [](const Expr& e) { return e.tag == ExprTag::window; })) {
    return error(sqlstate::grouping_error,
                 "aggregate function calls cannot contain window function calls", arg.location);
  }
  if (any_expr(arg, [](const Expr& e) {
        return e.tag == ExprTag::call && as<CallExpr>(e).returns_set;
      })) {
    return error(sqlstate::feature_not_supported,
                 "aggregate function calls cannot contain set-returning function calls",
                 arg.location);
  }
  return {};
}

Result<Expr*> Transform::aggregate_call(Scope& scope, const FuncCall& call,
                                        const ResolvedCall& resolved, std::vector<Expr*>& args) {
  const FunctionInfo& f = *resolved.function;
  const AggregateInfo* info = TRY(context_.catalog.aggregate(context_.fiber, f.oid));
  if (info == nullptr)
    return raise(sqlstate::undefined_function, cat("cache lookup failed for aggregate ", f.oid));
  const bool ordered_set = info->kind != 'n';
  TRY(check_aggregate_call(f.name, ordered_set, args.empty(), call));
  auto* made = node<AggregateExpr>(ExprTag::aggregate, resolved.result_type, call.location);
  made->function = f.oid;
  made->star = call.agg_star;
  made->kind = info->kind;
  made->variadic = call.func_variadic;
  made->transition_type = info->transition_type;
  made->filter = nullptr;
  const size_t direct = ordered_set ? args.size() - call.agg_order.size() : 0;
  if (info->kind == 'h') TRY(unify_hypothetical(scope, args, direct));
  made->direct_args = arena_.copy_array(std::span(args).first(direct));
  std::vector<TargetEntry> targets;
  for (Expr*& arg : args) {
    TargetEntry target{};
    target.expr = arg;
    target.resno = static_cast<int>(targets.size()) + 1;
    if (&arg >= args.data() + direct) targets.push_back(target);
    if (arg->collation) made->input_collation = arg->collation;
    TRY(check_aggregate_argument(*arg));
  }
  std::vector<SortClause> order;
  if (ordered_set) {
    for (size_t i = 0; i < targets.size(); ++i) {
      SortClause item = TRY(sort_item(scope, targets[i].expr, *call.agg_order[i]));
      item.target = give_ref(targets, static_cast<int>(i));
      order.push_back(item);
    }
  } else {
    TRY(order_by(scope, call.agg_order, targets, order, Clause::call_argument));
  }
  std::vector<SortClause> distinct_by;
  if (call.agg_distinct) {
    distinct_by = TRY(aggregate_distinct(args.size(), targets, order, call.location));
  }
  for (size_t i = args.size() - direct; i < targets.size(); ++i) targets[i].junk = true;
  if (call.agg_filter != nullptr)
    made->filter = TRY(condition(scope, call.agg_filter, Clause::filter));
  made->args = arena_.copy_array(targets);
  made->order_by = arena_.copy_array(order);
  made->distinct = arena_.copy_array(distinct_by);
  made->collation = TRY(type(resolved.result_type))->collation;

  int level = -1;
  lowest_level(*made, 0, &level);
  level = std::max(level, 0);
  Scope* owner = &scope;
  for (int i = 0; i < level && owner->parent != nullptr; ++i) owner = owner->parent;
  made->levels_up = level;
  TRY(check_aggregate_clause(owner->clause, call.location));
  const bool recurs = std::ranges::any_of(owner->range_table, &RangeEntry::self_reference);
  if (recurs) {
    return error(sqlstate::invalid_recursion,
                 "aggregate functions are not allowed in a recursive query's recursive term",
                 call.location);
  }
  owner->has_aggregates = true;
  return made;
}

Result<Expr*> Transform::window_call(Scope& scope, const FuncCall& call,
                                     const ResolvedCall& resolved, std::vector<Expr*>& args) {
  const FunctionInfo& f = *resolved.function;
  if (f.kind != 'w' && f.kind != 'a') {
    return error(
        sqlstate::wrong_object_type,
        cat("OVER specified, but ", f.name, " is not a window function nor an aggregate function"),
        call.location);
  }
  if (call.agg_distinct)
    return error(sqlstate::feature_not_supported,
                 "DISTINCT is not implemented for window functions", call.location);
  if (!call.agg_order.empty())
    return error(sqlstate::feature_not_supported,
                 "aggregate ORDER BY is not implemented for window functions", call.location);
  if (scope.clause != Clause::select_list && scope.clause != Clause::order_by &&
      scope.clause != Clause::distinct_on) {
    const bool frame = scope.clause == Clause::window_rows ||
                       scope.clause == Clause::window_range ||
                       scope.clause == Clause::window_groups;
    const std::string_view what = scope.clause == Clause::join_on ? "JOIN conditions"
                                  : frame                         ? "window definitions"
                                                                  : clause_name(scope.clause);
    return error(sqlstate::windowing_error, cat("window functions are not allowed in ", what),
                 call.location);
  }
  for (const Expr* arg : args) {
    if (any_expr(*arg, [](const Expr& e) { return e.tag == ExprTag::window; })) {
      return error(sqlstate::windowing_error, "window function calls cannot be nested",
                   arg->location);
    }
  }
  auto* made = node<WindowExpr>(ExprTag::window, resolved.result_type, call.location);
  made->function = f.oid;
  made->args = arena_.copy_array(args);
  made->filter =
      call.agg_filter == nullptr ? nullptr : TRY(condition(scope, call.agg_filter, Clause::filter));
  made->star = call.agg_star;
  made->is_aggregate = f.kind == 'a';
  made->collation = TRY(type(resolved.result_type))->collation;
  // Definitions are analyzed once the target list is complete, as they may add to it; until then a
  // number stands for one.
  scope.has_windows = true;
  const WindowDef* def = call.over;
  made->window = static_cast<int>(scope.window_definitions.size());
  scope.window_definitions.push_back(def);
  return made;
}

namespace {

struct GroupCheck {
  Transform& t;
  Scope& scope;
  Query& query;
  std::vector<const Expr*> grouped;
  std::vector<std::pair<int, bool>> whole_keys;  // range entries whose primary key is grouped by

  bool is_grouped(const Expr& e) const {
    return std::any_of(grouped.begin(), grouped.end(),
                       [&](const Expr* g) { return expr_equal(g, &e); });
  }

  // A table grouped by its primary key may show all its columns.
  bool depends_on_key(const VarExpr& var) const {
    const RangeEntry& entry = *query.range_table[static_cast<size_t>(var.range - 1)];
    if (entry.kind != RangeKind::relation) return false;
    const CatalogIndex* key = entry.relation->primary_key();
    if (key == nullptr) return false;
    for (int16_t i = 0; i < key->keys; ++i) {
      const bool found = std::any_of(grouped.begin(), grouped.end(), [&](const Expr* g) {
        return g->tag == ExprTag::var && as<VarExpr>(*g).range == var.range &&
               as<VarExpr>(*g).levels_up == 0 &&
               as<VarExpr>(*g).attno == key->columns[static_cast<size_t>(i)];
      });
      if (!found) return false;
    }
    return query.grouping_sets.empty();
  }

  // `depth`: how many queries below ours this expression is.
  Status check(const Expr& e, int depth) {
    if (e.tag == ExprTag::aggregate && as<AggregateExpr>(e).levels_up == depth) {
      for (const Expr* direct : as<AggregateExpr>(e).direct_args) TRY(check(*direct, depth));
      return {};
    }
    if (e.tag == ExprTag::grouping) return {};
    if (depth == 0 && is_grouped(e)) return {};
    if (e.tag == ExprTag::var) {
      const auto& var = as<VarExpr>(e);
      if (var.levels_up != depth) return {};
      if (depth > 0) {
        VarExpr own = var;
        own.levels_up = 0;
        if (is_grouped(own)) return {};
      }
      VarExpr own = var;
      own.levels_up = 0;
      if (depends_on_key(own)) return {};
      const RangeEntry& entry = *query.range_table[static_cast<size_t>(var.range - 1)];
      const std::string_view name = var.attno > 0
                                        ? entry.columns[static_cast<size_t>(var.attno - 1)]
                                        : std::string_view("ctid");
      const std::string full =
          entry.alias.empty() ? std::string(name) : cat(entry.alias, ".", name);
      if (depth > 0) {
        return t.error(sqlstate::grouping_error,
                       cat("subquery uses ungrouped column \"", full, "\" from outer query"),
                       var.location);
      }
      return t.error(
          sqlstate::grouping_error,
          cat("column \"", full,
              "\" must appear in the GROUP BY clause or be used in an aggregate function"),
          var.location);
    }
    if (e.tag == ExprTag::sublink) TRY(check_query(*as<SublinkExpr>(e).subquery, depth + 1));
    Status failed;
    for_each_child(e, [&](const Expr& child) {
      if (failed.ok()) failed = check(child, depth);
    });
    return failed;
  }

  Status check_query(const Query& q, int depth) {
    for (const TargetEntry& target : q.targets) TRY(check(*target.expr, depth));
    if (q.where != nullptr) TRY(check(*q.where, depth));
    if (q.having != nullptr) TRY(check(*q.having, depth));
    for (const FromNode* from : q.from) TRY(check_from(*from, depth));
    for (const RangeEntry* entry : q.range_table) {
      if (entry->kind == RangeKind::subquery) TRY(check_query(*entry->subquery, depth + 1));
      for (const Expr* f : entry->functions) TRY(check(*f, depth));
    }
    return {};
  }
  Status check_from(const FromNode& from, int depth) {
    if (!from.is_join) return {};
    if (from.condition != nullptr) TRY(check(*from.condition, depth));
    TRY(check_from(*from.left, depth));
    return check_from(*from.right, depth);
  }
};

}  // namespace

Status Transform::check_grouping(Scope& scope, Query& query, bool) {
  GroupCheck check{*this, scope, query, {}, {}};
  for (const SortClause& group : query.group_by) {
    for (const TargetEntry& target : query.targets) {
      if (target.ref != group.target) continue;
      check.grouped.push_back(target.expr);
      if (any_expr(*target.expr, [](const Expr& e) {
            return e.tag == ExprTag::aggregate && as<AggregateExpr>(e).levels_up == 0;
          })) {
        return error(sqlstate::grouping_error, "aggregate functions are not allowed in GROUP BY",
                     target.expr->location);
      }
    }
  }
  for (const TargetEntry& target : query.targets) TRY(check.check(*target.expr, 0));
  if (query.having != nullptr) TRY(check.check(*query.having, 0));
  // GROUPING's arguments name grouping columns.
  Status failed;
  auto fix_grouping = [&](Expr* e, auto&& self) -> void {
    if (e->tag == ExprTag::grouping) {
      auto& g = as<GroupingExpr>(*e);
      std::vector<int> refs;
      for (const Expr* arg : g.args) {
        int ref = 0;
        for (const SortClause& group : query.group_by) {
          for (const TargetEntry& target : query.targets) {
            if (target.ref == group.target && expr_equal(target.expr, arg)) ref = group.target;
          }
        }
        if (ref == 0 && failed.ok()) {
          failed = error(
              sqlstate::grouping_error,
              "arguments to GROUPING must be grouping expressions of the associated query level",
              arg->location);
        }
        refs.push_back(ref);
      }
      g.refs = arena_.copy_array(refs);
      return;
    }
    for_each_child(*e, [&](const Expr& child) { self(const_cast<Expr*>(&child), self); });
  };
  for (TargetEntry& target : query.targets) fix_grouping(target.expr, fix_grouping);
  if (query.having != nullptr) fix_grouping(query.having, fix_grouping);
  return failed;
}

}  // namespace orrery
