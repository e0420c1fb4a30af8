// SELECT and VALUES, and set operations over them.
#include "analyze/collations.h"
#include "analyze/recursion.h"
#include "analyze/transform.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

void collect(Arena& arena, Scope& scope, Query& query) {
  query.range_table = arena.copy_array(scope.range_table);
  query.ctes = arena.copy_array(scope.ctes);
  query.has_aggregates = scope.has_aggregates;
  query.has_windows = scope.has_windows;
  query.has_sublinks = scope.has_sublinks;
  query.has_set_functions = scope.has_set_functions;
  query.has_modifying_cte = scope.has_modifying_cte;
}

constexpr size_t kMostTargets = 1664;  // what a row's header can describe
Result<std::span<TargetEntry>> checked_targets(Arena& arena,
                                               const std::vector<TargetEntry>& targets) {
  if (targets.size() <= kMostTargets) return arena.copy_array(targets);
  return raise(sqlstate::too_many_columns,
               cat("target lists can have at most ", kMostTargets, " entries"));
}

}  // namespace

namespace {

struct SelectForms {
  Transform& t;
  Scope& scope;

  Status limit_clause(const SelectStmt& stmt, Query& query) {
    auto bound = [&](const Node* node, Clause clause) -> Result<Expr*> {
      if (node == nullptr) return nullptr;
      const auto* constant = as_if<A_Const>(node);
      if (constant != nullptr && constant->kind == ConstKind::null) return nullptr;  // LIMIT ALL
      Expr* made = TRY(t.expression(scope, node, clause));
      Expr* number = TRY(t.can_coerce(made->type, type_oid::int8, CoercionContext::assignment))
                         ? TRY(t.coerce(&scope, made, type_oid::int8, -1,
                                        CoercionContext::assignment, CallForm::implicit_cast, -1))
                         : nullptr;
      if (number == nullptr) {
        return t.error(sqlstate::datatype_mismatch,
                       cat("argument of ", clause_name(clause), " must be type bigint, not type ",
                           t.name_of(made->type)),
                       made->location);
      }
      const bool has_var = any_expr(*number, [](const Expr& e) {
        return e.tag == ExprTag::var && as<VarExpr>(e).levels_up == 0;
      });
      if (has_var) {
        return t.error(sqlstate::invalid_column_reference,
                       cat("argument of ", clause_name(clause), " must not contain variables"),
                       node->location);
      }
      return number;
    };
    query.limit_offset = TRY(bound(stmt.limit_offset, Clause::offset));
    query.limit_count = TRY(bound(stmt.limit_count, Clause::limit));
    if (stmt.limit_option == LimitOption::with_ties) {
      query.limit_option = LimitKind::with_ties;
      if (query.order_by.empty())
        return t.error(sqlstate::syntax_error,
                       "WITH TIES cannot be specified without ORDER BY clause", -1);
    }
    return {};
  }

  // FOR UPDATE and its kin, on all tables or the ones named.
  Status locking(const SelectStmt& stmt, Query& query) {
    if (stmt.locking_clause.empty()) return {};
    const LockingClause& first = *stmt.locking_clause[0];
    static constexpr std::string_view kNames[] = {"", "FOR KEY SHARE", "FOR SHARE",
                                                  "FOR NO KEY UPDATE", "FOR UPDATE"};
    const std::string_view name = kNames[static_cast<size_t>(first.strength)];
    auto refuse = [&](std::string_view what) {
      return t.error(sqlstate::feature_not_supported, cat(name, " is not allowed with ", what),
                     first.location);
    };
    if (query.set_operations != nullptr) return refuse("UNION/INTERSECT/EXCEPT");
    if (!query.distinct.empty()) return refuse("DISTINCT clause");
    if (!query.group_by.empty() || !query.grouping_sets.empty()) return refuse("GROUP BY clause");
    if (query.having != nullptr) return refuse("HAVING clause");
    if (query.has_aggregates) return refuse("aggregate functions");
    if (query.has_windows) return refuse("window functions");
    if (query.has_set_functions) return refuse("set-returning functions in the target list");
    std::vector<RowMark> marks;
    for (const LockingClause* clause : stmt.locking_clause) {
      auto mark = [&](int range) {
        const auto strength = static_cast<LockStrength>(static_cast<int>(clause->strength) - 1);
        const auto wait = clause->wait_policy == LockWaitPolicy::skip    ? LockWait::skip
                          : clause->wait_policy == LockWaitPolicy::error ? LockWait::error
                                                                         : LockWait::block;
        for (RowMark& old : marks) {
          if (old.range != range) continue;
          old.strength = std::max(old.strength, strength);
          old.wait = std::max(old.wait, wait);
          return;
        }
        marks.push_back(RowMark{range, strength, wait});
      };
      if (clause->locked_rels.empty()) {
        for (size_t i = 0; i < scope.range_table.size(); ++i) {
          RangeEntry& entry = *scope.range_table[i];
          if (entry.kind == RangeKind::relation) {
            entry.lock_mode = kRowShareLock;
            entry.required_privileges |= kAclUpdate;
            mark(static_cast<int>(i) + 1);
          } else if (entry.kind == RangeKind::subquery) {
            return unsupported(cat(name, " of a subquery in FROM"));
          }
        }
        continue;
      }
      for (const RangeVar* named : clause->locked_rels) {
        bool found = false;
        for (size_t i = 0; i < scope.range_table.size() && !found; ++i) {
          RangeEntry& entry = *scope.range_table[i];
          if (entry.alias != named->relname || entry.alias.empty()) continue;
          found = true;
          if (entry.kind != RangeKind::relation) {
            if (entry.kind == RangeKind::subquery)
              return unsupported(cat(name, " of a subquery in FROM"));
            const std::string_view kind = entry.kind == RangeKind::join       ? "a join"
                                          : entry.kind == RangeKind::function ? "a function"
                                          : entry.kind == RangeKind::values   ? "VALUES"
                                                                              : "a WITH query";
            return t.error(sqlstate::feature_not_supported,
                           cat(name, " cannot be applied to ", kind), named->location);
          }
          entry.lock_mode = kRowShareLock;
          entry.required_privileges |= kAclUpdate;
          mark(static_cast<int>(i) + 1);
        }
        if (!found) {
          return t.error(sqlstate::undefined_table,
                         cat("relation \"", named->relname, "\" in ", name,
                             " clause not found in FROM clause"),
                         named->location);
        }
      }
    }
    query.row_marks = t.arena_.copy_array(marks);
    return {};
  }

  // Analyzes each window once: OVER (...) by definition, OVER name by its name.
  Status windows(const SelectStmt& stmt, Query& query, std::vector<TargetEntry>& targets) {
    for (const WindowDef* def : stmt.window_clause) {
      for (const WindowClause& other : scope.windows) {
        if (other.name == def->name)
          return t.error(sqlstate::windowing_error,
                         cat("window \"", def->name, "\" is already defined"), def->location);
      }
      scope.windows.push_back(TRY(t.window_clause(scope, *def, targets)));
    }
    std::vector<int> numbers;
    for (const WindowDef* def : scope.window_definitions) {
      int found = -1;
      const bool by_name = !def->name.empty();
      for (size_t i = 0; i < scope.windows.size() && by_name; ++i) {
        if (scope.windows[i].name == def->name) found = static_cast<int>(i);
      }
      if (by_name && found < 0)
        return t.error(sqlstate::undefined_object, cat("window \"", def->name, "\" does not exist"),
                       def->location);
      if (found < 0) {
        WindowClause made = TRY(t.window_clause(scope, *def, targets));
        found = static_cast<int>(scope.windows.size());
        scope.windows.push_back(made);
      }
      numbers.push_back(found);
    }
    auto renumber = [&](const Expr& e, auto&& self) -> void {
      if (e.tag == ExprTag::window) {
        auto& w = const_cast<WindowExpr&>(as<WindowExpr>(e));
        w.window = numbers[static_cast<size_t>(w.window)];
      }
      for_each_child(e, [&](const Expr& child) { self(child, self); });
    };
    for (const TargetEntry& target : targets) renumber(*target.expr, renumber);
    query.windows = t.arena_.copy_array(scope.windows);
    return {};
  }

  Result<Query*> plain(const SelectStmt& stmt) {
    const bool keep_unknowns = std::exchange(t.keep_unknowns_, false);
    auto* query = t.arena_.make<Query>();
    std::vector<FromNode*> from;
    TRY(t.from_clause(scope, stmt.from_clause, from));
    query->from = t.arena_.copy_array(from);
    std::vector<TargetEntry> targets;
    TRY(t.target_list(scope, stmt.target_list, Clause::select_list, targets));
    if (stmt.where_clause != nullptr)
      query->where = TRY(t.condition(scope, stmt.where_clause, Clause::where));
    if (stmt.having_clause != nullptr)
      query->having = TRY(t.condition(scope, stmt.having_clause, Clause::having));
    std::vector<SortClause> order;
    TRY(t.order_by(scope, stmt.sort_clause, targets, order, Clause::order_by));
    std::vector<SortClause> groups;
    std::vector<GroupingColumns> sets;
    TRY(t.group_by(scope, stmt.group_clause, targets, groups, sets));
    query->group_by = t.arena_.copy_array(groups);
    query->grouping_sets = t.arena_.copy_array(sets);
    std::vector<SortClause> distinct;
    if (stmt.is_distinct || !stmt.distinct_on.empty()) {
      TRY(t.resolve_unknowns(targets));
      TRY(t.distinct(scope, stmt, targets, order, distinct));
      query->distinct_on = !stmt.distinct_on.empty();
    }
    query->distinct = t.arena_.copy_array(distinct);
    query->order_by = t.arena_.copy_array(order);
    TRY(limit_clause(stmt, *query));
    TRY(windows(stmt, *query, targets));
    if (!keep_unknowns) TRY(t.resolve_unknowns(targets));
    query->targets = TRY(checked_targets(t.arena_, targets));
    collect(t.arena_, scope, *query);
    TRY(locking(stmt, *query));
    if (query->has_aggregates || !query->group_by.empty() || !query->grouping_sets.empty() ||
        query->having != nullptr) {
      TRY(t.check_grouping(scope, *query, from.empty()));
    }
    return query;
  }

  // VALUES is a SELECT * from a range entry of the lists.
  Result<Query*> values(const SelectStmt& stmt) {
    t.keep_unknowns_ = false;
    auto* query = t.arena_.make<Query>();
    const size_t width = stmt.values_lists[0]->items.size();
    std::vector<std::vector<Expr*>> rows;
    for (const List* list : stmt.values_lists) {
      if (list->items.size() != width) {
        return t.error(sqlstate::syntax_error, "VALUES lists must all be the same length",
                       list->items.empty() ? list->location : list->items[0]->location);
      }
      std::vector<Expr*> row;
      for (const Node* item : list->items)
        row.push_back(TRY(t.expression(scope, item, Clause::values)));
      rows.push_back(std::move(row));
    }
    std::vector<std::string_view> names;
    std::vector<Oid> types;
    std::vector<int32_t> typmods;
    std::vector<Oid> collations;
    for (size_t c = 0; c < width; ++c) {
      std::vector<Expr*> column;
      for (const auto& row : rows) column.push_back(row[c]);
      const Oid type = TRY(t.common_type(column, "VALUES"));
      for (auto& row : rows) row[c] = TRY(t.coerce_to_common(&scope, row[c], type, "VALUES"));
      for (size_t r = 0; r < rows.size(); ++r) column[r] = rows[r][c];
      names.push_back(t.arena_.copy(cat("column", c + 1)));
      types.push_back(type);
      typmods.push_back(t.common_typmod(column, type));
      collations.push_back(TRY(t.type(type))->collation);
    }
    auto* entry = t.arena_.make<RangeEntry>();
    entry->kind = RangeKind::values;
    entry->alias = "*VALUES*";
    entry->columns = t.arena_.copy_array(names);
    entry->column_types = t.arena_.copy_array(types);
    entry->column_typmods = t.arena_.copy_array(typmods);
    entry->column_collations = t.arena_.copy_array(collations);
    std::vector<std::span<Expr*>> lists;
    for (auto& row : rows) lists.push_back(t.arena_.copy_array(row));
    entry->values = t.arena_.copy_array(lists);
    scope.range_table.push_back(entry);
    scope.items.push_back(t.item_of(scope, 1, entry->alias));
    auto* from = t.arena_.make<FromNode>();
    from->range = 1;
    query->from = t.arena_.copy_array(std::vector<FromNode*>{from});
    std::vector<TargetEntry> targets;
    ColumnRef star;
    star.is_star = true;
    TRY(t.expand_star(scope, star, targets));
    std::vector<SortClause> order;
    TRY(t.order_by(scope, stmt.sort_clause, targets, order, Clause::order_by));
    query->order_by = t.arena_.copy_array(order);
    TRY(limit_clause(stmt, *query));
    if (!stmt.locking_clause.empty()) {
      return t.error(sqlstate::feature_not_supported, "FOR UPDATE cannot be applied to VALUES",
                     stmt.locking_clause[0]->location);
    }
    query->targets = TRY(checked_targets(t.arena_, targets));
    collect(t.arena_, scope, *query);
    return query;
  }

  // A leaf's query as a range entry of the set operation's.
  Result<SetOpNode*> leaf(const SelectStmt& stmt, std::vector<std::vector<Expr*>>& targets,
                          std::span<std::string_view>& names) {
    if (stmt.into_clause != nullptr) {
      return t.error(sqlstate::syntax_error,
                     "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT",
                     stmt.into_clause->rel->location);
    }
    Scope shade;
    shade.parent = scope.parent;
    shade.ctes = scope.ctes;
    t.keep_unknowns_ = true;
    Query* query = TRY(t.select(stmt, &shade));
    const int range = TRY(t.add_subquery(
        scope, query, t.arena_.copy(cat("*SELECT* ", scope.range_table.size() + 1)), {}, false));
    auto* node = t.arena_.make<SetOpNode>();
    node->range = range;
    std::vector<Expr*> columns;
    for (const TargetEntry& target : query->targets) {
      if (!target.junk) columns.push_back(target.expr);
    }
    if (names.empty()) names = scope.range_table[static_cast<size_t>(range - 1)]->columns;
    targets.push_back(columns);
    std::vector<Oid> types;
    std::vector<int32_t> typmods;
    std::vector<Oid> collations;
    for (const Expr* column : columns) {
      types.push_back(column->type);
      typmods.push_back(column->typmod);
      collations.push_back(column->collation);
    }
    node->types = t.arena_.copy_array(types);
    node->typmods = t.arena_.copy_array(typmods);
    node->collations = t.arena_.copy_array(collations);
    return node;
  }

  static int leftmost(const SetOpNode& node) {
    return node.is_leaf ? node.range : leftmost(*node.left);
  }

  // Column `c` of a side as `type`. A literal in a leaf becomes a constant of that type in place.
  Result<Expr*> side_column(SetOpNode& side, size_t c, Oid type, std::string_view what) {
    RangeEntry& entry = *scope.range_table[static_cast<size_t>(leftmost(side) - 1)];
    if (side.is_leaf && side.types[c] == type_oid::unknown) {
      size_t at = 0;
      for (TargetEntry& target : entry.subquery->targets) {
        if (target.junk || at++ != c) continue;
        target.expr = TRY(t.coerce_to_common(&scope, target.expr, type, what));
        side.types[c] = entry.column_types[c] = target.expr->type;
        side.collations[c] = entry.column_collations[c] = target.expr->collation;
      }
    }
    auto* var = t.node<VarExpr>(ExprTag::var, side.types[c], -1);
    var->range = leftmost(side);
    var->attno = static_cast<int>(c) + 1;
    var->typmod = side.typmods[c];
    var->collation = side.collations[c];
    return t.coerce_to_common(&scope, var, type, what);
  }

  static std::string_view operation_name(SetOperation op) {
    return op == SetOperation::union_      ? "UNION"
           : op == SetOperation::intersect ? "INTERSECT"
                                           : "EXCEPT";
  }

  Result<Oid> column_collation(const SetOpNode& node, size_t c, Oid type, int location) {
    const Oid own = TRY(t.type(type))->collation;
    if (!own) return own;
    const bool may_differ = node.all && node.kind == SetOpKind::union_;
    return common_collation(t, node.left->collations[c], node.right->collations[c], may_differ,
                            location);
  }

  Result<SetOpNode*> tree(const SelectStmt& stmt, bool top, CommonTable* self,
                          std::vector<std::vector<Expr*>>& targets,
                          std::span<std::string_view>& names) {
    const bool own_clauses = !stmt.sort_clause.empty() || stmt.limit_count != nullptr ||
                             stmt.limit_offset != nullptr || !stmt.locking_clause.empty() ||
                             stmt.with_clause != nullptr;
    const RecursionLevel level(t.context_.fiber);
    TRY(level.check());
    if (stmt.op == SetOperation::none || (!top && own_clauses)) return leaf(stmt, targets, names);
    auto* node = t.arena_.make<SetOpNode>();
    node->is_leaf = false;
    node->all = stmt.all;
    node->kind = stmt.op == SetOperation::union_      ? SetOpKind::union_
                 : stmt.op == SetOperation::intersect ? SetOpKind::intersect
                                                      : SetOpKind::except;
    const std::string_view refused = stmt.op == SetOperation::union_   ? ""
                                     : stmt.op == SetOperation::except ? "EXCEPT"
                                     : stmt.all                        ? "INTERSECT"
                                                                       : "";
    const RecursionPlace left(t, stmt.all ? refused : "");
    node->left = TRY(tree(*stmt.larg, false, nullptr, targets, names));
    if (top && self != nullptr && stmt.op == SetOperation::union_) {
      std::vector<std::string_view> columns;
      for (size_t i = 0; i < names.size(); ++i)
        columns.push_back(i < self->columns.size() ? self->columns[i] : names[i]);
      for (size_t c = 0; c < node->left->types.size(); ++c) {
        if (node->left->types[c] == type_oid::unknown) {
          TRY(side_column(*node->left, c, type_oid::text, "UNION"));
        }
      }
      self->types = node->left->types;
      self->typmods = node->left->typmods;
      self->collations = node->left->collations;
      self->columns = t.arena_.copy_array(columns);
    }
    const RecursionPlace right(t, refused);
    node->right = TRY(tree(*stmt.rarg, false, nullptr, targets, names));
    const std::string_view what = operation_name(stmt.op);
    if (node->left->types.size() != node->right->types.size()) {
      return t.error(sqlstate::syntax_error,
                     cat("each ", what, " query must have the same number of columns"),
                     targets.back().empty() ? -1 : targets.back()[0]->location);
    }
    std::vector<Oid> types;
    std::vector<int32_t> typmods;
    std::vector<Oid> collations;
    std::vector<SortClause> groups;
    std::vector<Expr*> left_columns;
    std::vector<Expr*> right_columns;
    for (size_t c = 0; c < node->left->types.size(); ++c) {
      Expr* l = t.node<CaseTestExpr>(ExprTag::case_test, node->left->types[c], -1);
      Expr* r = t.node<CaseTestExpr>(ExprTag::case_test, node->right->types[c],
                                     targets.back()[c]->location);
      l->typmod = node->left->typmods[c];
      r->typmod = node->right->typmods[c];
      Expr* both[] = {l, r};
      const Oid type = TRY(t.common_type(both, what));
      left_columns.push_back(TRY(side_column(*node->left, c, type, what)));
      right_columns.push_back(TRY(side_column(*node->right, c, type, what)));
      types.push_back(type);
      typmods.push_back(t.common_typmod(both, type));
      const Oid collation = TRY(column_collation(*node, c, type, r->location));
      collations.push_back(collation);
      if (!node->all || node->kind != SetOpKind::union_) {
        Expr* column = t.node<CaseTestExpr>(ExprTag::case_test, type, r->location);
        groups.push_back(TRY(t.group_item(column, static_cast<int>(c) + 1)));
      }
    }
    node->types = t.arena_.copy_array(types);
    node->typmods = t.arena_.copy_array(typmods);
    node->collations = t.arena_.copy_array(collations);
    node->groups = t.arena_.copy_array(groups);
    node->left_columns = t.arena_.copy_array(left_columns);
    node->right_columns = t.arena_.copy_array(right_columns);
    return node;
  }

  // Rounds feed on each other, so the non-recursive term decides what a column is.
  Status check_recursive_types(const CommonTable& self, const SetOpNode& whole,
                               std::span<Expr* const> first) {
    for (size_t c = 0; c < self.types.size(); ++c) {
      if (self.types[c] == whole.types[c] && self.typmods[c] == whole.typmods[c]) continue;
      const std::string before = TRY(type_name(t.context_, self.types[c], self.typmods[c]));
      const std::string overall = TRY(type_name(t.context_, whole.types[c], whole.typmods[c]));
      return t
          .error(sqlstate::datatype_mismatch,
                 cat("recursive query \"", self.name, "\" column ", c + 1, " has type ", before,
                     " in non-recursive term but type ", overall, " overall"),
                 first[c]->location)
          .hint("Cast the output of the non-recursive term to the correct type.");
    }
    return {};
  }

  Result<Query*> set_operation(const SelectStmt& stmt, CommonTable* self) {
    t.keep_unknowns_ = false;
    auto* query = t.arena_.make<Query>();
    std::vector<std::vector<Expr*>> leaf_targets;
    std::span<std::string_view> names;
    query->set_operations = TRY(tree(stmt, true, self, leaf_targets, names));
    if (self != nullptr && self->self_referenced)
      TRY(check_recursive_types(*self, *query->set_operations, leaf_targets.front()));
    const SetOpNode& top = *query->set_operations;
    std::vector<TargetEntry> targets;
    for (size_t c = 0; c < top.types.size(); ++c) {
      // The result's columns are shown as Vars of the leftmost leaf; the planner replaces them by
      // the operation's output.
      auto* var = t.node<VarExpr>(ExprTag::var, top.types[c], -1);
      var->range = 1;
      var->attno = static_cast<int>(c) + 1;
      var->typmod = top.typmods[c];
      var->collation = top.collations[c];
      TargetEntry target{};
      target.expr = var;
      target.resno = static_cast<int>(c) + 1;
      target.name = names[c];
      targets.push_back(target);
    }
    // ORDER BY sees only the output names.
    scope.items.clear();
    ScopeItem output;
    output.names = names;
    std::vector<Expr*> columns;
    for (const TargetEntry& target : targets) columns.push_back(target.expr);
    output.columns = t.arena_.copy_array(columns);
    output.table_visible = false;
    scope.items.push_back(output);
    std::vector<SortClause> order;
    const size_t before = targets.size();
    TRY(t.order_by(scope, stmt.sort_clause, targets, order, Clause::order_by));
    if (targets.size() != before) {
      return t
          .error(sqlstate::feature_not_supported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                 targets.back().expr->location)
          .detail("Only result column names can be used, not expressions or functions.")
          .hint(
              "Add the expression/function to every SELECT, or move the UNION into a FROM clause.");
    }
    query->order_by = t.arena_.copy_array(order);
    TRY(limit_clause(stmt, *query));
    query->targets = TRY(checked_targets(t.arena_, targets));
    collect(t.arena_, scope, *query);
    TRY(locking(stmt, *query));
    return query;
  }
};

}  // namespace

Result<Query*> Transform::select(const SelectStmt& stmt, Scope* parent,
                                 CommonTable* recursive_self) {
  Scope scope;
  scope.parent = parent;
  if (stmt.into_clause != nullptr) {
    return error(sqlstate::syntax_error, "SELECT ... INTO is not allowed here",
                 stmt.into_clause->rel->location);
  }
  if (stmt.with_clause != nullptr) {
    const bool keep_unknowns = std::exchange(keep_unknowns_, false);
    TRY(with_clause(scope, *stmt.with_clause));
    keep_unknowns_ = keep_unknowns;
  }
  SelectForms forms{*this, scope};
  if (!stmt.values_lists.empty()) return forms.values(stmt);
  if (stmt.op != SetOperation::none) return forms.set_operation(stmt, recursive_self);
  return forms.plain(stmt);
}

}  // namespace orrery
