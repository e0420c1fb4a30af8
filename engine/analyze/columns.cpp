// Column references: names looked up in the range entries in scope, innermost query first.
#include "analyze/transform.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

struct Found {
  const ScopeItem* item = nullptr;
  size_t column = 0;
  int levels_up = 0;
};

// Vars made for a query's own level, as seen from `levels` queries further in.
Expr* lift(Arena& arena, Expr* column, int levels) {
  if (levels == 0) return column;
  if (column->tag == ExprTag::var) {
    auto* var = arena.make<VarExpr>(as<VarExpr>(*column));
    var->levels_up += levels;
    return var;
  }
  // A join's merged column: a COALESCE or a cast over Vars.
  if (column->tag == ExprTag::coalesce) {
    auto* copy = arena.make<CoalesceNode>(as<CoalesceNode>(*column));
    copy->args = arena.copy_array(copy->args);
    for (Expr*& arg : copy->args) arg = lift(arena, arg, levels);
    return copy;
  }
  if (column->tag == ExprTag::relabel) {
    auto* copy = arena.make<RelabelExpr>(as<RelabelExpr>(*column));
    copy->arg = lift(arena, copy->arg, levels);
    return copy;
  }
  if (column->tag == ExprTag::call) {
    auto* copy = arena.make<CallExpr>(as<CallExpr>(*column));
    copy->args = arena.copy_array(copy->args);
    for (Expr*& arg : copy->args) arg = lift(arena, arg, levels);
    return copy;
  }
  return column;
}

Expr* at_location(Arena& arena, Expr* column, int location) {
  if (column->tag != ExprTag::var) return column;
  auto* var = arena.make<VarExpr>(as<VarExpr>(*column));
  var->location = location;
  return var;
}

struct SystemColumn {
  std::string_view name;
  int attno;
  Oid type;
};
constexpr SystemColumn kSystemColumns[] = {
    {"ctid", kCtidAttno, type_oid::tid}, {"xmin", kXminAttno, type_oid::xid},
    {"cmin", kCminAttno, type_oid::cid}, {"xmax", kXmaxAttno, type_oid::xid},
    {"cmax", kCmaxAttno, type_oid::cid}, {"tableoid", kTableOidAttno, type_oid::oid},
};

}  // namespace

Expr* Transform::make_var(const RangeEntry& entry, int range, int attno, int levels_up,
                          int location) {
  const auto c = static_cast<size_t>(attno - 1);
  auto* var = node<VarExpr>(ExprTag::var, entry.column_types[c], location);
  var->range = range;
  var->attno = attno;
  var->levels_up = levels_up;
  var->typmod = entry.column_typmods[c];
  var->collation = entry.column_collations[c];
  return var;
}

ScopeItem Transform::item_of(Scope& scope, int range, std::string_view alias) {
  const RangeEntry& entry = *scope.range_table[static_cast<size_t>(range - 1)];
  ScopeItem item;
  item.alias = alias;
  item.range = range;
  item.entry = &entry;
  item.names = entry.columns;
  if (entry.kind == RangeKind::relation) item.schema = entry.relation->nsp_name;
  std::vector<Expr*> columns;
  for (size_t i = 0; i < entry.columns.size(); ++i)
    columns.push_back(make_var(entry, range, static_cast<int>(i) + 1, 0, -1));
  item.columns = arena_.copy_array(columns);
  return item;
}

// Whose columns are read needs the right to be: what FROM names does in any case, what a statement
// writes does by this.
void Transform::note_read(Scope& scope, const Expr& column) {
  if (column.tag == ExprTag::var) {
    RangeEntry& entry = *scope.range_table[static_cast<size_t>(as<VarExpr>(column).range - 1)];
    if (entry.kind == RangeKind::relation) entry.required_privileges |= kAclSelect;
  }
  for_each_child(column, [&](const Expr& child) { note_read(scope, child); });
}
Scope& Transform::scope_above(Scope& scope, int levels) {
  Scope* at = &scope;
  for (; levels > 0; --levels) at = at->parent;
  return *at;
}

Result<Expr*> Transform::column_by_name(Scope& scope, std::string_view name, int location,
                                        bool required) {
  int levels = 0;
  for (Scope* at = &scope; at != nullptr; at = at->parent, ++levels) {
    Found found;
    for (const ScopeItem& item : at->items) {
      if (!item.columns_visible || (item.lateral_only && !at->lateral_active)) continue;
      for (size_t c = 0; c < item.names.size(); ++c) {
        if (item.names[c] != name) continue;
        if (found.item != nullptr) {
          return error(sqlstate::ambiguous_column,
                       cat("column reference \"", name, "\" is ambiguous"), location);
        }
        if (item.lateral_only && !item.lateral_ok) {
          return error(sqlstate::invalid_column_reference,
                       cat("invalid reference to FROM-clause entry for table \"", item.alias, "\""),
                       location)
              .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
        }
        found = {&item, c, levels};
      }
    }
    if (found.item != nullptr) {
      note_read(*at, *found.item->columns[found.column]);
      return at_location(arena_, lift(arena_, found.item->columns[found.column], levels), location);
    }
    // System columns are not shown by *, but can be named when one table has them.
    for (const SystemColumn& column : kSystemColumns) {
      if (column.name != name) continue;
      const ScopeItem* owner = nullptr;
      for (const ScopeItem& item : at->items) {
        if (!item.table_visible || !item.columns_visible || item.entry == nullptr ||
            item.entry->kind != RangeKind::relation)
          continue;
        if (owner != nullptr)
          return error(sqlstate::ambiguous_column,
                       cat("column reference \"", name, "\" is ambiguous"), location);
        owner = &item;
      }
      if (owner == nullptr) continue;
      auto* var = node<VarExpr>(ExprTag::var, column.type, location);
      var->range = owner->range;
      var->attno = column.attno;
      note_read(*at, *var);
      var->levels_up = levels;
      return var;
    }
  }
  if (!required) return nullptr;
  return error(sqlstate::undefined_column, cat("column \"", name, "\" does not exist"), location);
}

Result<Expr*> Transform::whole_row(Scope& scope, const ScopeItem& item, int levels_up,
                                   int location) {
  auto* row = node<RowNode>(ExprTag::row, type_oid::record, location);
  std::vector<Expr*> fields;
  std::vector<std::string_view> names;
  for (size_t c = 0; c < item.names.size(); ++c) {
    if (item.names[c].empty()) continue;
    note_read(scope_above(scope, levels_up), *item.columns[c]);
    fields.push_back(lift(arena_, item.columns[c], levels_up));
    names.push_back(item.names[c]);
  }
  row->fields = arena_.copy_array(fields);
  row->names = arena_.copy_array(names);
  row->explicit_row = true;
  return row;
}

namespace {

// The item that `table` (and `schema`, when written) names, with the number of levels up; null when
// there is none.
Result<const ScopeItem*> find_table(Transform& t, Scope& scope, std::string_view schema,
                                    std::string_view table, int location, int* levels) {
  *levels = 0;
  for (Scope* at = &scope; at != nullptr; at = at->parent, ++*levels) {
    const ScopeItem* found = nullptr;
    for (const ScopeItem& item : at->items) {
      if (!item.table_visible || item.alias != table) continue;
      if (item.lateral_only && !at->lateral_active) continue;
      if (!schema.empty() && item.schema != schema) continue;
      if (found != nullptr) {
        return t.error(sqlstate::ambiguous_alias,
                       cat("table reference \"", table, "\" is ambiguous"), location);
      }
      if (item.lateral_only && !item.lateral_ok) {
        return t
            .error(sqlstate::invalid_column_reference,
                   cat("invalid reference to FROM-clause entry for table \"", table, "\""),
                   location)
            .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.");
      }
      found = &item;
    }
    if (found != nullptr) return found;
  }
  return static_cast<const ScopeItem*>(nullptr);
}

Status missing_table(Transform& t, Scope& scope, std::string_view table, int location) {
  // Told apart from a name that is nowhere: an entry that is there but cannot be seen from here.
  for (Scope* at = &scope; at != nullptr; at = at->parent) {
    for (const RangeEntry* entry : at->range_table) {
      const bool aliased = entry->alias != table && entry->kind == RangeKind::relation &&
                           entry->relation->name == table;
      if (entry->alias != table && !aliased) continue;
      Status s = t.error(sqlstate::undefined_table,
                         cat("invalid reference to FROM-clause entry for table \"", table, "\""),
                         location);
      if (aliased)
        return std::move(s).hint(
            cat("Perhaps you meant to reference the table alias \"", entry->alias, "\"."));
      return std::move(s).hint(cat("There is an entry for table \"", table,
                                   "\", but it cannot be referenced from this part of the query."));
    }
  }
  return t.error(sqlstate::undefined_table,
                 cat("missing FROM-clause entry for table \"", table, "\""), location);
}

}  // namespace

Result<Expr*> Transform::column_ref(Scope& scope, const ColumnRef& ref) {
  if (ref.is_star)
    return error(sqlstate::syntax_error, "row expansion via \"*\" is not supported here",
                 ref.location);
  if (ref.fields.size() == 1) {
    Expr* column = TRY(column_by_name(scope, ref.fields[0], ref.location, false));
    if (column != nullptr) return column;
    int levels = 0;
    const ScopeItem* item = TRY(find_table(*this, scope, {}, ref.fields[0], ref.location, &levels));
    if (item != nullptr) return whole_row(scope, *item, levels, ref.location);
    return error(sqlstate::undefined_column, cat("column \"", ref.fields[0], "\" does not exist"),
                 ref.location);
  }
  if (ref.fields.size() > 4) {
    return error(sqlstate::syntax_error,
                 cat("improper qualified name (too many dotted names): ", join(ref.fields, ".")),
                 ref.location);
  }
  const size_t n = ref.fields.size();
  if (n == 4 && ref.fields[0] != context_.session.database) {
    return error(sqlstate::feature_not_supported,
                 cat("cross-database references are not implemented: ", join(ref.fields, ".")),
                 ref.location);
  }
  const std::string_view schema = n >= 3 ? ref.fields[n - 3] : std::string_view();
  const std::string_view table = ref.fields[n - 2];
  const std::string_view column = ref.fields[n - 1];
  int levels = 0;
  const ScopeItem* item = TRY(find_table(*this, scope, schema, table, ref.location, &levels));
  if (item == nullptr) return missing_table(*this, scope, table, ref.location);
  Found found;
  for (size_t c = 0; c < item->names.size(); ++c) {
    if (item->names[c] != column) continue;
    if (found.item != nullptr)
      return error(sqlstate::ambiguous_column,
                   cat("column reference \"", column, "\" is ambiguous"), ref.location);
    found = {item, c, levels};
  }
  Scope& home = scope_above(scope, levels);
  if (found.item != nullptr) {
    note_read(home, *item->columns[found.column]);
    return at_location(arena_, lift(arena_, item->columns[found.column], levels), ref.location);
  }
  for (const SystemColumn& system : kSystemColumns) {
    if (system.name != column || item->entry == nullptr || item->entry->kind != RangeKind::relation)
      continue;
    auto* var = node<VarExpr>(ExprTag::var, system.type, ref.location);
    var->range = item->range;
    var->attno = system.attno;
    note_read(home, *var);
    var->levels_up = levels;
    return var;
  }
  return error(sqlstate::undefined_column, cat("column ", table, ".", column, " does not exist"),
               ref.location);
}

Status Transform::expand_star(Scope& scope, const ColumnRef& ref,
                              std::vector<TargetEntry>& targets) {
  auto add_item = [&](const ScopeItem& item, int levels) {
    for (size_t c = 0; c < item.names.size(); ++c) {
      if (item.names[c].empty()) continue;
      note_read(scope_above(scope, levels), *item.columns[c]);
      TargetEntry target{};
      target.expr = at_location(arena_, lift(arena_, item.columns[c], levels), ref.location);
      target.resno = static_cast<int>(targets.size()) + 1;
      target.name = item.names[c];
      targets.push_back(target);
    }
  };
  if (ref.fields.empty()) {
    bool any = false;
    for (const ScopeItem& item : scope.items) {
      if (!item.columns_visible || item.lateral_only) continue;
      any = true;
      add_item(item, 0);
    }
    if (!any)
      return error(sqlstate::syntax_error, "SELECT * with no tables specified is not valid",
                   ref.location);
    return {};
  }
  const size_t n = ref.fields.size();
  int levels = 0;
  const ScopeItem* item =
      TRY(find_table(*this, scope, n >= 2 ? ref.fields[n - 2] : std::string_view(),
                     ref.fields[n - 1], ref.location, &levels));
  if (item == nullptr) return missing_table(*this, scope, ref.fields[n - 1], ref.location);
  add_item(*item, levels);
  return {};
}

std::string_view clause_name(Clause clause) {
  switch (clause) {
    case Clause::none:              return "this context";
    case Clause::select_list:       return "SELECT";
    case Clause::where:             return "WHERE";
    case Clause::having:            return "HAVING";
    case Clause::group_by:          return "GROUP BY";
    case Clause::order_by:          return "ORDER BY";
    case Clause::distinct_on:       return "DISTINCT ON";
    case Clause::limit:             return "LIMIT";
    case Clause::offset:            return "OFFSET";
    case Clause::join_on:           return "JOIN/ON";
    case Clause::from_function:     return "functions in FROM";
    case Clause::from_subselect:    return "FROM";
    case Clause::insert_target:     return "INSERT";
    case Clause::values:            return "VALUES";
    case Clause::update_source:     return "UPDATE";
    case Clause::returning:         return "RETURNING";
    case Clause::window_partition:  return "window definitions";
    case Clause::window_order:      return "window definitions";
    case Clause::window_rows:       return "window ROWS";
    case Clause::window_range:      return "window RANGE";
    case Clause::window_groups:     return "window GROUPS";
    case Clause::filter:            return "FILTER";
    case Clause::check:             return "check constraints";
    case Clause::default_:          return "DEFAULT expressions";
    case Clause::index_expr:        return "index expressions";
    case Clause::index_predicate:   return "index predicates";
    case Clause::policy:            return "policy expressions";
    case Clause::execute_parameter: return "EXECUTE parameters";
    case Clause::generated:         return "column generation expressions";
    case Clause::on_conflict:       return "ON CONFLICT";
    case Clause::copy_where:        return "COPY FROM WHERE conditions";
    case Clause::call_argument:     return "CALL arguments";
    case Clause::using_:            return "JOIN/USING";
  }
  UNREACHABLE();
}

}  // namespace orrery
