// INSERT, UPDATE and DELETE, and the entry points of analysis.
// The parser has many more node kinds than stand here: what is not listed is refused by name.
#pragma GCC diagnostic ignored "-Wswitch-enum"

#include "analyze/transform.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "sql/parser.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// A column, or what `steps` name of it: the elements of an array.
struct Place {
  int column;
  NodeList steps;
  int location;
};

struct ModifyForms {
  Transform& t;
  Scope& scope;
  Query& query;
  const RelationInfo* relation = nullptr;

  Status target(const RangeVar& name, uint32_t privilege) {
    relation = TRY(resolve_relation(t.context_, name, kRowExclusiveLock));
    if (relation->kind == 'v')
      return unsupported(cat("changing rows through a view (\"", relation->name, "\")"));
    if (relation->kind != 'r' && relation->kind != 'p') {
      const std::string_view kind = relation->kind == 'S'   ? "sequence"
                                    : relation->kind == 't' ? "TOAST relation"
                                    : relation->kind == 'm' ? "materialized view"
                                                            : "relation";
      return raise(sqlstate::wrong_object_type,
                   cat("cannot change ", kind, " \"", relation->name, "\""));
    }
    query.result_range =
        TRY(t.add_relation(scope, *relation, name.alias, name.inh, kRowExclusiveLock));
    scope.range_table[static_cast<size_t>(query.result_range - 1)]->required_privileges = privilege;
    return {};
  }

  void show_target() {
    const RangeEntry& entry = *scope.range_table[static_cast<size_t>(query.result_range - 1)];
    scope.items.push_back(t.item_of(scope, query.result_range, entry.alias));
  }

  Result<Place> place(const ResTarget& item) {
    const int16_t number = relation->column_number(item.name);
    if (number < 0) {
      return t.error(sqlstate::feature_not_supported,
                     cat("cannot assign to system column \"", item.name, "\""), item.location);
    }
    if (number == 0) {
      return t.error(
          sqlstate::undefined_column,
          cat("column \"", item.name, "\" of relation \"", relation->name, "\" does not exist"),
          item.location);
    }
    for (const Node* step : item.indirection) {
      if (step->tag != NodeTag::A_Indices)
        return unsupported("assignment to a field")
            .at(error_position(t.context_.text, item.location));
    }
    return Place{number, item.indirection, item.location};
  }
  const ColumnDesc& desc(const Place& to) const {
    return relation->desc()[static_cast<size_t>(to.column - 1)];
  }

  Result<Expr*> assigned(Expr* value, const Place& to) {
    const ColumnInfo& column = relation->column(static_cast<int16_t>(to.column));
    if (value->tag == ExprTag::set_to_default) {
      if (!to.steps.empty()) {
        return t.error(sqlstate::feature_not_supported, "cannot set an array element to DEFAULT",
                       value->location);
      }
      value->type = desc(to).type;
      return value;
    }
    if (to.steps.empty())
      return t.assign(&scope, value, desc(to).type, desc(to).typmod, column.name, value->location);
    const Oid wanted = TRY(t.assigned_type(desc(to).type, to.steps));
    const bool can = TRY(t.can_coerce(value->type, wanted, CoercionContext::assignment));
    if (can) {
      return t.coerce(&scope, value, wanted, desc(to).typmod, CoercionContext::assignment,
                      CallForm::implicit_cast, -1);
    }
    return t
        .error(sqlstate::datatype_mismatch,
               cat("subscripted assignment to \"", column.name, "\" requires type ",
                   t.name_of(wanted), " but expression is of type ", t.name_of(value->type)),
               to.location)
        .hint("You will need to rewrite or cast the expression.");
  }

  // Notes `value`, already assigned(), as what `to` becomes. Several parts of one array may be
  // given, one after the other; `before` is what the first of them changes.
  Status add_target(std::vector<TargetEntry>& targets, const Place& to, Expr* value, Expr* before) {
    const std::string_view name = relation->column(static_cast<int16_t>(to.column)).name;
    for (TargetEntry& other : targets) {
      if (other.resno != to.column) continue;
      const bool parts = !to.steps.empty() && other.expr->tag == ExprTag::subscript &&
                         as<SubscriptExpr>(*other.expr).assign != nullptr;
      if (!parts) {
        return raise(sqlstate::syntax_error,
                     cat("multiple assignments to same column \"", name, "\""));
      }
      other.expr = TRY(t.assign_subscript(scope, other.expr, to.steps, value, to.location));
      return {};
    }
    TargetEntry entry{};
    entry.expr = to.steps.empty()
                     ? value
                     : TRY(t.assign_subscript(scope, before, to.steps, value, to.location));
    entry.resno = to.column;
    entry.name = name;
    targets.push_back(entry);
    return {};
  }

  Status returning(ListOf<ResTarget> list) {
    std::vector<TargetEntry> targets;
    TRY(t.target_list(scope, list, Clause::returning, targets));
    TRY(t.resolve_unknowns(targets));
    query.returning = t.arena_.copy_array(targets);
    return {};
  }

  void finish() {
    query.range_table = t.arena_.copy_array(scope.range_table);
    query.ctes = t.arena_.copy_array(scope.ctes);
    query.has_sublinks = scope.has_sublinks;
    query.has_set_functions = scope.has_set_functions;
    query.has_modifying_cte = scope.has_modifying_cte;
  }

  // SET items, also of ON CONFLICT DO UPDATE.
  Result<std::vector<TargetEntry>> assignments(ListOf<ResTarget> list) {
    std::vector<TargetEntry> out;
    for (const ResTarget* item : list) {
      const Place to = TRY(place(*item));
      Expr* value = nullptr;
      if (const auto* multi = as_if<MultiAssignRef>(item->val)) {
        value = TRY(multi_assigned(*multi));
      } else if (item->val->tag == NodeTag::SetToDefault) {
        value = t.node<SetToDefaultExpr>(ExprTag::set_to_default, kInvalidOid, item->val->location);
      } else {
        value = TRY(t.expression(scope, item->val, Clause::update_source));
      }
      value = TRY(assigned(value, to));
      Expr* before = t.make_var(*scope.range_table[static_cast<size_t>(query.result_range - 1)],
                                query.result_range, to.column, 0, to.location);
      TRY(add_target(out, to, value, before));
    }
    return out;
  }
  Result<Expr*> multi_assigned(const MultiAssignRef& multi) {
    const auto* row = as_if<RowExpr>(multi.source);
    if (row == nullptr)
      return unsupported("SET (columns) = (subquery)")
          .at(error_position(t.context_.text, multi.location));
    if (static_cast<size_t>(multi.ncolumns) != row->args.size()) {
      return t.error(sqlstate::syntax_error, "number of columns does not match number of values",
                     multi.location);
    }
    const Node* field = row->args[static_cast<size_t>(multi.colno - 1)];
    if (field->tag == NodeTag::SetToDefault)
      return t.node<SetToDefaultExpr>(ExprTag::set_to_default, kInvalidOid, field->location);
    return t.expression(scope, field, Clause::update_source);
  }

  Result<std::vector<Place>> insert_columns(ListOf<ResTarget> cols) {
    std::vector<Place> places;
    for (const ResTarget* item : cols) {
      const Place to = TRY(place(*item));
      const bool twice = std::ranges::any_of(places, [&](const Place& other) {
        return other.column == to.column && (to.steps.empty() || other.steps.empty());
      });
      if (twice) {
        return t.error(sqlstate::duplicate_column,
                       cat("column \"", item->name, "\" specified more than once"), item->location);
      }
      places.push_back(to);
    }
    if (!cols.empty()) return places;
    for (size_t i = 0; i < relation->columns.size(); ++i) {
      if (!relation->desc()[i].dropped) places.push_back({static_cast<int>(i) + 1, {}, -1});
    }
    return places;
  }

  Status check_width(size_t given, size_t columns, bool named, int location) {
    if (given > columns)
      return t.error(sqlstate::syntax_error, "INSERT has more expressions than target columns",
                     location);
    if (given < columns && named)
      return t.error(sqlstate::syntax_error, "INSERT has more target columns than expressions",
                     location);
    return {};
  }

  // VALUES lists: one row goes straight into the target list, several through a values entry,
  // already assigned.
  Status insert_values(const SelectStmt& source, const std::vector<Place>& places, bool named) {
    std::vector<std::vector<Expr*>> rows;
    size_t width = source.values_lists[0]->items.size();
    for (const List* list : source.values_lists) {
      if (list->items.size() != width) {
        return t.error(sqlstate::syntax_error, "VALUES lists must all be the same length",
                       list->items.empty() ? list->location : list->items[0]->location);
      }
      TRY(check_width(width, places.size(), named,
                      width > places.size() ? list->items[places.size()]->location
                      : list->items.empty() ? -1
                                            : list->items.back()->location));
      std::vector<Expr*> row;
      for (size_t i = 0; i < width; ++i) {
        const Node* item = list->items[i];
        Expr* value =
            item->tag == NodeTag::SetToDefault
                ? t.node<SetToDefaultExpr>(ExprTag::set_to_default, kInvalidOid, item->location)
                : TRY(t.expression(scope, item, Clause::values));
        value = TRY(assigned(value, places[i]));
        row.push_back(value);
      }
      rows.push_back(std::move(row));
    }
    if (rows.size() == 1) {
      return add_targets(rows[0], places);
    }
    auto* entry = t.arena_.make<RangeEntry>();
    entry->kind = RangeKind::values;
    entry->alias = "*VALUES*";
    std::vector<std::string_view> names;
    std::vector<Oid> types;
    std::vector<int32_t> typmods;
    std::vector<Oid> collations;
    for (size_t i = 0; i < width; ++i) {
      const ColumnDesc& column = desc(places[i]);
      names.push_back(t.arena_.copy(cat("column", i + 1)));
      const Oid type = TRY(t.assigned_type(column.type, places[i].steps));
      types.push_back(type);
      typmods.push_back(column.typmod);
      collations.push_back(column.collation);
    }
    entry->columns = t.arena_.copy_array(names);
    entry->column_types = t.arena_.copy_array(types);
    entry->column_typmods = t.arena_.copy_array(typmods);
    entry->column_collations = t.arena_.copy_array(collations);
    std::vector<std::span<Expr*>> lists;
    for (auto& row : rows) lists.push_back(t.arena_.copy_array(row));
    entry->values = t.arena_.copy_array(lists);
    scope.range_table.push_back(entry);
    return from_entry(static_cast<int>(scope.range_table.size()), places, width);
  }

  Status add_targets(const std::vector<Expr*>& row, const std::vector<Place>& places) {
    std::vector<TargetEntry> targets;
    for (size_t i = 0; i < row.size(); ++i) {
      Expr* before = places[i].steps.empty() ? nullptr : TRY(t.make_null(desc(places[i]).type, -1));
      TRY(add_target(targets, places[i], row[i], before));
    }
    query.targets = t.arena_.copy_array(targets);
    return {};
  }
  Status from_entry(int range, const std::vector<Place>& places, size_t width) {
    auto* from = t.arena_.make<FromNode>();
    from->range = range;
    query.from = t.arena_.copy_array(std::vector<FromNode*>{from});
    std::vector<Expr*> row;
    for (size_t i = 0; i < width; ++i) {
      row.push_back(t.make_var(*scope.range_table[static_cast<size_t>(range - 1)], range,
                               static_cast<int>(i) + 1, 0, -1));
    }
    return add_targets(row, places);
  }

  Status insert_select(const SelectStmt& source, const std::vector<Place>& places, bool named) {
    Scope shade;
    shade.parent = scope.parent;
    shade.ctes = scope.ctes;
    t.keep_unknowns_ = true;  // a literal takes the type of its column
    Query* select = TRY(t.select(source, &shade));
    std::vector<Expr*> row;
    const int range = TRY(t.add_subquery(scope, select, "*SELECT*", {}, false));
    const RangeEntry& entry = *scope.range_table[static_cast<size_t>(range - 1)];
    TRY(check_width(entry.columns.size(), places.size(), named, -1));
    for (size_t i = 0; i < entry.columns.size(); ++i) {
      Expr* given = select->targets[i].expr;
      const bool literal = given->tag == ExprTag::constant && given->type == type_oid::unknown;
      Expr* value =
          literal ? given : t.make_var(entry, range, static_cast<int>(i) + 1, 0, given->location);
      value = TRY(assigned(value, places[i]));
      row.push_back(value);
    }
    auto* from = t.arena_.make<FromNode>();
    from->range = range;
    query.from = t.arena_.copy_array(std::vector<FromNode*>{from});
    return add_targets(row, places);
  }

  Status on_conflict(const OnConflictClause& clause) {
    auto* made = t.arena_.make<OnConflict>();
    made->do_update = clause.action == OnConflictAction::update;
    if (made->do_update && clause.infer == nullptr) {
      return t
          .error(sqlstate::syntax_error,
                 "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                 clause.location)
          .hint("For example, ON CONFLICT (column_name).");
    }
    scope.items.clear();
    show_target();
    if (clause.infer != nullptr) {
      TRY(infer(*clause.infer, *made));
      // To be told of a conflict is to read the columns that decide it.
      scope.range_table[static_cast<size_t>(query.result_range - 1)]->required_privileges |=
          kAclSelect;
    }
    if (made->do_update) {
      Alias alias;
      alias.aliasname = "excluded";
      made->excluded_range = TRY(t.add_relation(scope, *relation, &alias, false, 0));
      scope.items.push_back(t.item_of(scope, made->excluded_range, "excluded"));
      const std::vector<TargetEntry> set = TRY(assignments(clause.target_list));
      made->set = t.arena_.copy_array(set);
      if (clause.where_clause != nullptr)
        made->where = TRY(t.condition(scope, clause.where_clause, Clause::where));
      scope.range_table[static_cast<size_t>(query.result_range - 1)]->required_privileges |=
          kAclUpdate;
    }
    query.on_conflict = made;
    scope.items.clear();
    return {};
  }

  // Which unique indexes decide a conflict: those of exactly the columns named, or of the
  // constraint.
  Status infer(const InferClause& clause, OnConflict& made) {
    std::vector<Oid> indexes;
    if (!clause.conname.empty()) {
      const ConstraintInfo* constraint = relation->constraint(clause.conname);
      if (constraint == nullptr) {
        return t.error(sqlstate::undefined_object,
                       cat("constraint \"", clause.conname, "\" for table \"", relation->name,
                           "\" does not exist"),
                       clause.location);
      }
      if (!constraint->index)
        return t.error(sqlstate::wrong_object_type,
                       "constraint in ON CONFLICT clause has no associated index", clause.location);
      made.constraint = constraint->oid;
      indexes.push_back(constraint->index);
    } else {
      std::vector<int16_t> wanted;
      for (const IndexElem* elem : clause.index_elems) {
        if (elem->name.empty())
          return unsupported("inference of an expression index in ON CONFLICT")
              .at(error_position(t.context_.text, clause.location));
        ResTarget item;
        item.name = elem->name;
        item.location = elem->location;
        const Place key = TRY(place(item));
        wanted.push_back(static_cast<int16_t>(key.column));
      }
      if (clause.where_clause != nullptr)
        made.arbiter_where = TRY(t.condition(scope, clause.where_clause, Clause::index_predicate));
      std::sort(wanted.begin(), wanted.end());
      wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
      for (const CatalogIndex& index : relation->indexes) {
        if (!index.unique || !index.immediate || !index.valid || !index.predicate.empty()) continue;
        std::vector<int16_t> keys(index.columns.begin(), index.columns.begin() + index.keys);
        std::sort(keys.begin(), keys.end());
        if (keys == wanted) indexes.push_back(index.oid);
      }
      if (indexes.empty()) {
        return t.error(
            sqlstate::invalid_column_reference,
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
            -1);
      }
    }
    made.arbiter_indexes = t.arena_.copy_array(indexes);
    return {};
  }
};

}  // namespace

Result<Query*> Transform::insert(const InsertStmt& stmt, Scope* parent) {
  Scope scope;
  scope.parent = parent;
  auto* query = arena_.make<Query>();
  query->command = CommandType::insert;
  if (stmt.with_clause != nullptr) TRY(with_clause(scope, *stmt.with_clause));
  ModifyForms forms{*this, scope, *query};
  TRY(forms.target(*stmt.relation, kAclInsert));
  query->overriding_system = stmt.override == OverridingKind::system_value;
  query->overriding_user = stmt.override == OverridingKind::user_value;
  const std::vector<Place> places = TRY(forms.insert_columns(stmt.cols));
  if (stmt.select_stmt != nullptr) {
    const SelectStmt& source = *stmt.select_stmt;
    const bool plain_values = !source.values_lists.empty() && source.sort_clause.empty() &&
                              source.limit_count == nullptr && source.limit_offset == nullptr &&
                              source.with_clause == nullptr && source.locking_clause.empty();
    TRY(plain_values ? forms.insert_values(source, places, !stmt.cols.empty())
                     : forms.insert_select(source, places, !stmt.cols.empty()));
  }
  if (stmt.on_conflict_clause != nullptr) TRY(forms.on_conflict(*stmt.on_conflict_clause));
  scope.items.clear();
  forms.show_target();
  TRY(forms.returning(stmt.returning_list));
  forms.finish();
  return query;
}

Result<Query*> Transform::update(const UpdateStmt& stmt, Scope* parent) {
  Scope scope;
  scope.parent = parent;
  auto* query = arena_.make<Query>();
  query->command = CommandType::update;
  if (stmt.with_clause != nullptr) TRY(with_clause(scope, *stmt.with_clause));
  ModifyForms forms{*this, scope, *query};
  TRY(forms.target(*stmt.relation, kAclUpdate));
  forms.show_target();
  std::vector<FromNode*> from;
  TRY(from_clause(scope, stmt.from_clause, from));
  query->from = arena_.copy_array(from);
  const std::vector<TargetEntry> set = TRY(forms.assignments(stmt.target_list));
  query->targets = arena_.copy_array(set);
  if (stmt.where_clause != nullptr)
    query->where = TRY(condition(scope, stmt.where_clause, Clause::where));
  TRY(forms.returning(stmt.returning_list));
  forms.finish();
  return query;
}

Result<Query*> Transform::remove(const DeleteStmt& stmt, Scope* parent) {
  Scope scope;
  scope.parent = parent;
  auto* query = arena_.make<Query>();
  query->command = CommandType::delete_;
  if (stmt.with_clause != nullptr) TRY(with_clause(scope, *stmt.with_clause));
  ModifyForms forms{*this, scope, *query};
  TRY(forms.target(*stmt.relation, kAclDelete));
  forms.show_target();
  std::vector<FromNode*> from;
  TRY(from_clause(scope, stmt.using_clause, from));
  query->from = arena_.copy_array(from);
  if (stmt.where_clause != nullptr)
    query->where = TRY(condition(scope, stmt.where_clause, Clause::where));
  TRY(forms.returning(stmt.returning_list));
  forms.finish();
  return query;
}

Result<Query*> Transform::statement(const Node& node, Scope* parent) {
  switch (node.tag) {
    case NodeTag::SelectStmt: return select(as<SelectStmt>(node), parent);
    case NodeTag::InsertStmt: return insert(as<InsertStmt>(node), parent);
    case NodeTag::UpdateStmt: return update(as<UpdateStmt>(node), parent);
    case NodeTag::DeleteStmt: return remove(as<DeleteStmt>(node), parent);
    default:                  return unsupported(node_tag_name(node.tag));
  }
}

Result<Query*> analyze_statement(AnalyzeContext& context, const Node& statement) {
  Transform transform(context);
  return transform.statement(statement, nullptr);
}

Result<Expr*> analyze_expression(AnalyzeContext& context, const Node& node,
                                 const RelationInfo* relation, Oid type, int32_t typmod,
                                 std::string_view column) {
  Transform t(context);
  Scope scope;
  if (relation != nullptr) {
    TRY(t.add_relation(scope, *relation, nullptr, false, 0));
    scope.items.push_back(t.item_of(scope, 1, relation->name));
  }
  Expr* made =
      TRY(t.expression(scope, &node, relation != nullptr ? Clause::check : Clause::default_));
  if (scope.has_sublinks) {
    return t.error(sqlstate::feature_not_supported,
                   cat("cannot use subquery in ",
                       relation != nullptr ? "check constraint" : "DEFAULT expression"),
                   made->location);
  }
  if (type) return t.assign(&scope, made, type, typmod, column, made->location);
  if (made->type == type_oid::unknown)
    return t.coerce(&scope, made, type_oid::text, -1, CoercionContext::implicit,
                    CallForm::implicit_cast, -1);
  return made;
}

Result<Expr*> analyze_expression_text(AnalyzeContext& context, std::string_view sql,
                                      const RelationInfo* relation, Oid type, int32_t typmod,
                                      std::string_view column) {
  const std::string_view statement = context.arena.copy(cat("SELECT ", sql));
  const auto parsed = TRY(parse(context.arena, statement));
  const auto& select = as<SelectStmt>(*parsed[0]->stmt);
  return analyze_expression(context, *select.target_list[0]->val, relation, type, typmod, column);
}

}  // namespace orrery
