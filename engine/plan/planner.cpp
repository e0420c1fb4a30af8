#include "plan/planner.h"

#include <algorithm>

#include "analyze/walk.h"
#include "base/text.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// A row's new values are computed in the order of its columns, however SET names them.
template <class Targets>
void sort_by_column(Targets& targets) {
  std::ranges::sort(targets, {}, &TargetEntry::resno);
}

}  // namespace

// INSERT, UPDATE, DELETE: the rows to change come from below; what is written is computed there
// too, except the columns of an updated row that keep their value, which the executor takes from
// the row itself.
Result<Rel*> LevelPlanner::plan_modify(Query& query) {
  for (TargetEntry& target : query.targets) target.expr = TRY(prepare(target.expr));
  query.where = TRY(prepare(query.where));
  for (TargetEntry& target : query.returning) target.expr = TRY(prepare(target.expr));
  const RelationInfo& relation = *entry(query.result_range).relation;
  auto* made = node<ModifyTablePlan>(PlanTag::modify_table);
  made->command = query.command;
  made->range = flat_range(query.result_range);
  made->level_range = query.result_range;
  const bool is_insert = query.command == CommandType::insert;

  std::vector<FromNode*> from;
  if (!is_insert) {
    auto* target = arena_.make<FromNode>();
    target->range = query.result_range;
    from.push_back(target);
  }
  from.insert(from.end(), query.from.begin(), query.from.end());
  std::vector<Expr*> conditions;
  split_and(query.where, conditions);
  Rel* rel = TRY(plan_from_clause(from, conditions));
  std::vector<TargetEntry> targets;
  if (is_insert) {
    targets = TRY(insert_targets(query, relation));
  } else {
    for (const TargetEntry& target : query.targets) {
      TargetEntry item = target;
      item.expr = TRY(default_if_asked(relation, target));
      targets.push_back(item);
    }
    sort_by_column(targets);
  }
  const size_t set_count = targets.size();
  if (!is_insert) {
    TargetEntry tid{};
    tid.expr = make_ctid(query.result_range);
    tid.resno = static_cast<int>(targets.size()) + 1;
    tid.junk = true;
    targets.push_back(tid);
    made->tid_column = static_cast<int>(targets.size());
    add_recheck_tables(query, *made, rel->ranges, targets);
  }
  rel = TRY(project(rel, targets, query.has_set_functions));
  made->set = columns_of_child(std::span(targets).first(set_count));
  // An update of one table alone can judge a newer version of a row by itself; see exec/modify.cpp.
  made->single_table = !is_insert && query.from.empty() && !query.has_sublinks;
  if (made->single_table) {
    made->recheck = join_and(conditions);
    made->recompute = arena_.copy_array(std::span<TargetEntry>(targets).subspan(0, set_count));
  }
  if (query.on_conflict != nullptr) {
    TRY(prepare_conflict(*query.on_conflict, relation));
    made->on_conflict = query.on_conflict;
  }
  Rel* above = make_rel(made, rel->ranges | range_bit(query.result_range), rel);
  above->is_modify = true;
  std::vector<TargetEntry> returning;
  for (const TargetEntry& target : query.returning) {
    TargetEntry item = target;
    item.expr = fix_returning(target.expr, query.result_range, rel);
    returning.push_back(item);
    above->base.push_back(target.expr);
    above->targets.push_back(item);
  }
  made->returning = arena_.copy_array(returning);
  made->rows = query.returning.empty() ? 0 : rel->node->rows;
  made->startup_cost = rel->node->startup_cost;
  made->total_cost = rel->node->total_cost;
  return above;
}

Status LevelPlanner::prepare_conflict(OnConflict& conflict, const RelationInfo& relation) {
  for (TargetEntry& target : conflict.set) {
    target.expr = TRY(default_if_asked(relation, target));
    target.expr = TRY(prepare(target.expr));
  }
  sort_by_column(conflict.set);
  conflict.where = TRY(prepare(conflict.where));
  return {};
}

// DEFAULT among several rows of VALUES. Where all rows ask for it, the column does.
Status LevelPlanner::fill_in_defaults(Query& query) {
  const RelationInfo& relation = *entry(query.result_range).relation;
  for (TargetEntry& target : query.targets) {
    if (target.expr->tag != ExprTag::var) continue;
    const auto& var = as<VarExpr>(*target.expr);
    RangeEntry& list = *query.range_table[static_cast<size_t>(var.range - 1)];
    if (list.kind != RangeKind::values) continue;
    const auto column = static_cast<size_t>(var.attno - 1);
    const auto asks = [column](std::span<Expr* const> row) {
      return row[column]->tag == ExprTag::set_to_default;
    };
    if (std::ranges::none_of(list.values, asks)) continue;
    const bool all = std::ranges::all_of(list.values, asks);
    for (std::span<Expr*> row : list.values) {
      if (!asks(row)) continue;
      row[column] =
          all ? null_of(relation, target.resno) : TRY(column_default(relation, target.resno));
    }
    if (!all) continue;
    auto* wanted = arena_.make<SetToDefaultExpr>();
    wanted->tag = ExprTag::set_to_default;
    target.expr = wanted;
  }
  return {};
}

// What is set, as the first columns of the child.
std::span<TargetEntry> LevelPlanner::columns_of_child(std::span<const TargetEntry> targets) {
  std::vector<TargetEntry> set;
  for (const TargetEntry& target : targets) {
    TargetEntry item = target;
    auto* var = arena_.make<VarExpr>();
    static_cast<Expr&>(*var) = *target.expr;
    var->tag = ExprTag::var;
    var->range = kOuterVar;
    var->attno = static_cast<int>(set.size()) + 1;
    item.expr = var;
    set.push_back(item);
  }
  return arena_.copy_array(set);
}

// Beside the row to change, which rows of the other tables it was joined with.
void LevelPlanner::add_recheck_tables(const Query& query, ModifyTablePlan& made, RangeSet ranges,
                                      std::vector<TargetEntry>& targets) {
  if (!can_recheck(query, ranges)) return;
  std::vector<RecheckTable> tables{{made.range, made.tid_column}};
  for (size_t i = 0; i < query.range_table.size(); ++i) {
    const int range = static_cast<int>(i) + 1;
    if (range == query.result_range || (ranges & range_bit(range)) == 0 ||
        entry(range).kind != RangeKind::relation)
      continue;
    TargetEntry tid{};
    tid.expr = make_ctid(range);
    tid.resno = static_cast<int>(targets.size()) + 1;
    tid.junk = true;
    targets.push_back(tid);
    tables.push_back({flat_range(range), tid.resno});
  }
  made.recheck_tables = arena_.copy_array(tables);
}

// RETURNING: columns of the table are read from the new (or deleted) row, those of other tables
// from the input.
Expr* LevelPlanner::fix_returning(Expr* expr, int target, Rel* input) {
  if (expr->tag == ExprTag::var) {
    if (as<VarExpr>(*expr).range == target) return expr;
    return fix(expr, input, nullptr);
  }
  return map_children(arena_, expr,
                      [&](Expr* child) { return fix_returning(child, target, input); });
}

Result<Expr*> LevelPlanner::default_if_asked(const RelationInfo& relation,
                                             const TargetEntry& target) {
  const bool asks = target.expr->tag == ExprTag::set_to_default;
  const ColumnInfo& column = relation.column(static_cast<int16_t>(target.resno));
  if (!asks && (column.generated != '\0' || column.identity == 'a')) {
    return raise(sqlstate::generated_always,
                 cat("column \"", column.name, "\" can only be updated to DEFAULT"))
        .detail(cat("Column \"", column.name,
                    column.generated != '\0'
                        ? "\" is a generated column."
                        : "\" is an identity column defined as GENERATED ALWAYS."));
  }
  if (!asks) return target.expr;
  return column_default(relation, target.resno);
}

Result<Expr*> LevelPlanner::column_default(const RelationInfo& relation, int number) {
  const auto attno = static_cast<int16_t>(number);
  const ColumnInfo& column = relation.column(attno);
  // A generated column is computed when the rest of its row is known.
  if (column.generated == '\0' && (column.has_default || column.identity != '\0')) {
    Expr* made = TRY(context_.world.column_default(context_.fiber, arena_, relation, number));
    return prepare(made);
  }
  return null_of(relation, number);
}

Expr* LevelPlanner::null_of(const RelationInfo& relation, int number) {
  const ColumnDesc& desc = relation.desc()[static_cast<size_t>(number - 1)];
  auto* null = arena_.make<ConstantExpr>();
  null->tag = ExprTag::constant;
  null->type = desc.type;
  null->typmod = desc.typmod;
  null->collation = desc.collation;
  null->length = desc.length;
  null->by_reference = !desc.by_value;
  return null;
}

// Every live column gets a value: the one given, its default, or NULL.
Result<std::vector<TargetEntry>> LevelPlanner::insert_targets(Query& query,
                                                              const RelationInfo& relation) {
  std::vector<TargetEntry> out;
  for (size_t c = 0; c < relation.columns.size(); ++c) {
    if (relation.desc()[c].dropped) continue;
    const int number = static_cast<int>(c) + 1;
    const ColumnInfo& column = relation.column(static_cast<int16_t>(number));
    TargetEntry item{};
    item.resno = number;
    item.name = column.name;
    for (const TargetEntry& target : query.targets) {
      if (target.resno != number) continue;
      const bool asks_default = target.expr->tag == ExprTag::set_to_default;
      if (column.generated != '\0' && !asks_default) {
        return raise(sqlstate::generated_always,
                     cat("cannot insert a non-DEFAULT value into column \"", column.name, "\""))
            .detail(cat("Column \"", column.name, "\" is a generated column."));
      }
      if (column.identity == 'a' && !asks_default && !query.overriding_system &&
          !query.overriding_user) {
        return raise(sqlstate::generated_always,
                     cat("cannot insert a non-DEFAULT value into column \"", column.name, "\""))
            .detail(cat("Column \"", column.name,
                        "\" is an identity column defined as GENERATED ALWAYS."))
            .hint("Use OVERRIDING SYSTEM VALUE to override.");
      }
      const bool overridden = query.overriding_user && column.identity != '\0';
      item.expr = overridden ? nullptr : target.expr;
    }
    if (item.expr == nullptr || item.expr->tag == ExprTag::set_to_default)
      item.expr = TRY(column_default(relation, number));
    out.push_back(item);
  }
  return out;
}

Result<Plan*> make_plan(PlanContext& context, Query& query) {
  PlanBuilder builder;
  LevelPlanner top(context, builder, nullptr);
  Rel* rel = TRY(top.plan_query(query));
  top.finish(*rel);
  auto* plan = context.arena.make<Plan>();
  plan->command = query.command;
  plan->root = rel->node;
  plan->subplans = context.arena.copy_array(builder.subplan_list);
  plan->range_table = context.arena.copy_array(builder.range_table);
  plan->exec_params = builder.exec_params;
  plan->row_by_row = builder.effects.can_be_told_apart();
  const auto& results = query.command == CommandType::select ? query.targets : query.returning;
  std::vector<TargetEntry> columns;
  for (const TargetEntry& target : results) {
    if (!target.junk) columns.push_back(target);
  }
  plan->result_columns = context.arena.copy_array(columns);
  // Results come first among the root's targets, whatever node passes them on.
  for (size_t i = 0; i < plan->root->targets.size(); ++i)
    plan->root->targets[i].junk = i >= columns.size();
  plan->returns_rows = query.command == CommandType::select || !query.returning.empty();
  plan->has_modifying_cte = query.has_modifying_cte;
  std::vector<int> modifying;
  for (size_t i = 0; i < query.ctes.size(); ++i) {
    if (query.ctes[i]->query->command != CommandType::select)
      modifying.push_back(top.ctes_[i].subplan);
  }
  plan->modifying_ctes = context.arena.copy_array(modifying);
  std::vector<int> modifying_params;
  for (size_t i = 0; i < query.ctes.size(); ++i) {
    if (query.ctes[i]->query->command != CommandType::select)
      modifying_params.push_back(top.ctes_[i].param);
  }
  plan->modifying_cte_params = context.arena.copy_array(modifying_params);
  return plan;
}

}  // namespace orrery
