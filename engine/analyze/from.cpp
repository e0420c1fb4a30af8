// FROM: range entries, joins, and what each of them puts in scope.
// The parser has many more node kinds than stand here: what is not listed is refused by name.
#pragma GCC diagnostic ignored "-Wswitch-enum"

#include "analyze/recursion.h"
#include "analyze/transform.h"
#include "base/text.h"
#include "sql/parser.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

struct EntryColumns {
  std::vector<std::string_view> names;
  std::vector<Oid> types;
  std::vector<int32_t> typmods;
  std::vector<Oid> collations;
  void add(std::string_view name, Oid type, int32_t typmod, Oid collation) {
    names.push_back(name);
    types.push_back(type);
    typmods.push_back(typmod);
    collations.push_back(collation);
  }
};

void set_columns(Arena& arena, RangeEntry& entry, const EntryColumns& columns) {
  entry.columns = arena.copy_array(columns.names);
  entry.column_types = arena.copy_array(columns.types);
  entry.column_typmods = arena.copy_array(columns.typmods);
  entry.column_collations = arena.copy_array(columns.collations);
}

// Column aliases replace names from the left; more of them than columns is an error.
Status rename_columns(Transform& t, RangeEntry& entry, Names aliases, int location) {
  size_t at = 0;
  for (const std::string_view alias : aliases) {
    while (at < entry.columns.size() && entry.columns[at].empty()) ++at;
    if (at == entry.columns.size()) {
      size_t live = 0;
      for (const std::string_view name : entry.columns) live += !name.empty();
      return t.error(sqlstate::invalid_column_reference,
                     cat("table \"", entry.alias, "\" has ", live, " columns available but ",
                         aliases.size(), " columns specified"),
                     location);
    }
    entry.columns[at++] = alias;
  }
  return {};
}

int add_entry(Scope& scope, RangeEntry* entry) {
  scope.range_table.push_back(entry);
  return static_cast<int>(scope.range_table.size());
}

}  // namespace

Result<int> Transform::add_relation(Scope& scope, const RelationInfo& relation, const Alias* alias,
                                    bool inherit, int lock_mode) {
  auto* entry = arena_.make<RangeEntry>();
  entry->kind = RangeKind::relation;
  entry->alias = alias != nullptr ? alias->aliasname : std::string_view(relation.name);
  entry->relation = &relation;
  entry->inherit = inherit;
  entry->lock_mode = lock_mode;
  entry->check_as = check_as_;
  EntryColumns columns;
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const ColumnDesc& desc = relation.desc()[i];
    columns.add(desc.dropped ? std::string_view() : std::string_view(relation.columns[i].name),
                desc.type, desc.typmod, desc.collation);
  }
  set_columns(arena_, *entry, columns);
  if (alias != nullptr) TRY(rename_columns(*this, *entry, alias->colnames, alias->location));
  return add_entry(scope, entry);
}

Result<int> Transform::add_subquery(Scope& scope, Query* query, std::string_view alias,
                                    Names column_aliases, bool lateral) {
  auto* entry = arena_.make<RangeEntry>();
  entry->kind = RangeKind::subquery;
  entry->alias = alias;
  entry->subquery = query;
  entry->lateral = lateral;
  EntryColumns columns;
  const auto& targets = query->command == CommandType::select ? query->targets : query->returning;
  for (const TargetEntry& target : targets) {
    if (!target.junk)
      columns.add(target.name, target.expr->type, target.expr->typmod, target.expr->collation);
  }
  set_columns(arena_, *entry, columns);
  TRY(rename_columns(*this, *entry, column_aliases, -1));
  return add_entry(scope, entry);
}

namespace {

CommonTable* find_cte(Scope& scope, std::string_view name, int* levels, int* index) {
  *levels = 0;
  for (Scope* at = &scope; at != nullptr; at = at->parent, ++*levels) {
    for (size_t i = at->ctes.size(); i > 0; --i) {
      if (at->ctes[i - 1]->name == name) {
        *index = static_cast<int>(i - 1);
        return at->ctes[i - 1];
      }
    }
  }
  return nullptr;
}

Result<int> add_cte(Transform& t, Scope& scope, CommonTable& cte, int levels, int index,
                    const RangeVar& ref) {
  auto* entry = t.arena_.make<RangeEntry>();
  entry->kind = RangeKind::cte;
  entry->alias = ref.alias != nullptr ? ref.alias->aliasname : cte.name;
  entry->cte = index;
  entry->cte_levels_up = levels;
  EntryColumns columns;
  if (cte.query == nullptr) {
    entry->self_reference = true;
    if (!cte.is_union) {
      return t.error(sqlstate::invalid_recursion,
                     cat("recursive query \"", cte.name,
                         "\" does not have the form non-recursive-term UNION [ALL] recursive-term"),
                     cte.location);
    }
    const std::string_view wrong = !cte.refused_place.empty() ? cte.refused_place
                                   : cte.types.empty()        ? "its non-recursive term"
                                                              : "";
    if (!wrong.empty() || cte.self_referenced) {
      return t.error(sqlstate::invalid_recursion,
                     cat("recursive reference to query \"", cte.name, "\" must not appear ",
                         wrong.empty() ? "more than once" : cat("within ", wrong)),
                     ref.location);
    }
    cte.self_referenced = true;
    for (size_t i = 0; i < cte.types.size(); ++i)
      columns.add(cte.columns[i], cte.types[i], cte.typmods[i], cte.collations[i]);
  } else {
    const auto& targets =
        cte.query->command == CommandType::select ? cte.query->targets : cte.query->returning;
    if (cte.query->command != CommandType::select && targets.empty()) {
      return t.error(sqlstate::feature_not_supported,
                     cat("WITH query \"", cte.name, "\" does not have a RETURNING clause"),
                     ref.location);
    }
    size_t i = 0;
    for (const TargetEntry& target : targets) {
      if (target.junk) continue;
      columns.add(i < cte.columns.size() ? cte.columns[i] : target.name, target.expr->type,
                  target.expr->typmod, target.expr->collation);
      ++i;
    }
  }
  ++cte.references;
  set_columns(t.arena_, *entry, columns);
  if (ref.alias != nullptr)
    TRY(rename_columns(t, *entry, ref.alias->colnames, ref.alias->location));
  return add_entry(scope, entry);
}

}  // namespace

Status Transform::from_clause(Scope& scope, NodeList items, std::vector<FromNode*>& tree) {
  for (const Node* item : items) {
    std::vector<ScopeItem> made;
    FromNode* node = TRY(from_item(scope, *item, made));
    for (const ScopeItem& fresh : made) {
      if (!fresh.table_visible) continue;
      for (const ScopeItem& old : scope.items) {
        if (old.table_visible && old.alias == fresh.alias &&
            (old.schema == fresh.schema || old.entry->alias != old.entry->relation->name)) {
          return error(sqlstate::duplicate_alias,
                       cat("table name \"", fresh.alias, "\" specified more than once"), -1);
        }
      }
    }
    for (ScopeItem& fresh : made) {
      fresh.lateral_only =
          true;  // visible to LATERAL items that follow, to all else when FROM is complete
      scope.items.push_back(fresh);
    }
    tree.push_back(node);
  }
  for (ScopeItem& item : scope.items) item.lateral_only = false;
  return {};
}

namespace {

struct FromForms {
  Transform& t;
  Scope& scope;

  Result<FromNode*> leaf(int range, std::string_view alias, std::vector<ScopeItem>& made) {
    made.push_back(t.item_of(scope, range, alias));
    auto* node = t.arena_.make<FromNode>();
    node->range = range;
    return node;
  }

  Result<FromNode*> range_var(const RangeVar& ref, std::vector<ScopeItem>& made) {
    if (ref.schemaname.empty()) {
      int levels = 0;
      int index = 0;
      if (CommonTable* cte = find_cte(scope, ref.relname, &levels, &index)) {
        const int range = TRY(add_cte(t, scope, *cte, levels, index, ref));
        return leaf(range, scope.range_table[static_cast<size_t>(range - 1)]->alias, made);
      }
    }
    const RelationInfo* relation = TRY(resolve_relation(t.context_, ref, kAccessShareLock));
    const int location = ref.location;
    if (relation->kind == 'i' || relation->kind == 'I') {
      return t.error(sqlstate::wrong_object_type, cat("\"", relation->name, "\" is an index"),
                     location);
    }
    if (relation->kind == 'c') {
      return t.error(sqlstate::wrong_object_type,
                     cat("\"", relation->name, "\" is a composite type"), location);
    }
    if (relation->kind == 'v' && t.context_.opens_views) return view(*relation, ref, made);
    const int range = TRY(t.add_relation(scope, *relation, ref.alias, ref.inh, kAccessShareLock));
    RangeEntry& entry = *scope.range_table[static_cast<size_t>(range - 1)];
    entry.required_privileges = kAclSelect;
    return leaf(range, entry.alias, made);
  }

  // A view is its SELECT, analyzed anew: names in it were qualified when it was stored.
  Result<FromNode*> view(const RelationInfo& relation, const RangeVar& ref,
                         std::vector<ScopeItem>& made) {
    for (const Transform::OpenView* open = t.views_; open != nullptr; open = open->outer) {
      if (open->oid != relation.oid) continue;
      return raise(
          sqlstate::invalid_object_definition,
          cat("infinite recursion detected in rules for relation \"", relation.name, "\""));
    }
    const Transform::OpenView now{relation.oid, t.views_};
    AnalyzeContext& outer = t.context_;
    const auto statements = TRY(parse(t.arena_, t.arena_.copy(relation.view_definition)));
    SearchPath path;
    path.namespaces = {kPgCatalogNamespace};
    AnalyzeContext inner{outer.fiber,
                         outer.arena,
                         outer.catalog,
                         path,
                         outer.session,
                         outer.locker,
                         relation.view_definition,
                         nullptr};
    Transform body(inner);
    // The view's owner, not who reads it, needs rights on what it is made of.
    body.check_as_ = relation.owner;
    body.views_ = &now;
    Query* query = TRY(body.select(as<SelectStmt>(*statements[0]->stmt), nullptr));
    std::vector<std::string_view> names;
    for (const ColumnInfo& column : relation.columns) names.push_back(column.name);
    const std::string_view alias =
        ref.alias != nullptr ? ref.alias->aliasname : std::string_view(relation.name);
    const int range = TRY(t.add_subquery(scope, query, alias, names, false));
    RangeEntry& entry = *scope.range_table[static_cast<size_t>(range - 1)];
    entry.view = &relation;
    entry.check_as = t.check_as_;
    if (ref.alias != nullptr)
      TRY(rename_columns(t, entry, ref.alias->colnames, ref.alias->location));
    FromNode* node = TRY(leaf(range, alias, made));
    made.back().schema = relation.nsp_name;
    return node;
  }

  Result<FromNode*> subselect(const RangeSubselect& sub, std::vector<ScopeItem>& made) {
    if (sub.alias == nullptr) {
      const bool values = !sub.subquery->values_lists.empty();
      return t
          .error(
              sqlstate::syntax_error,
              values ? "VALUES in FROM must have an alias" : "subquery in FROM must have an alias",
              sub.location)
          .hint(values ? "For example, FROM (VALUES ...) [AS] foo."
                       : "For example, FROM (SELECT ...) [AS] foo.");
    }
    const bool before = scope.lateral_active;
    scope.lateral_active = sub.lateral;
    Result<Query*> query = lateral_query(*sub.subquery, sub.lateral);
    scope.lateral_active = before;
    if (!query.ok()) return std::move(query).status();
    const int range =
        TRY(t.add_subquery(scope, *query, sub.alias->aliasname, sub.alias->colnames, sub.lateral));
    return leaf(range, sub.alias->aliasname, made);
  }
  Result<Query*> lateral_query(const SelectStmt& stmt, bool lateral) {
    if (lateral) return t.select(stmt, &scope);
    // Without LATERAL the other FROM items of this query are out of sight, but levels keep
    // counting.
    Scope shade;
    shade.parent = scope.parent;
    shade.ctes = scope.ctes;
    return t.select(stmt, &shade);
  }

  Result<FromNode*> function(const RangeFunction& f, std::vector<ScopeItem>& made) {
    auto* entry = t.arena_.make<RangeEntry>();
    entry->kind = RangeKind::function;
    entry->with_ordinality = f.ordinality;
    entry->lateral = true;
    EntryColumns columns;
    std::vector<Expr*> functions;
    const bool before = scope.lateral_active;
    scope.lateral_active = true;
    std::vector<int> widths;
    for (const RangeFunctionItem* item : f.functions) {
      for (const Node* one : one_by_one(*item, f)) {
        Result<Expr*> call = t.expression(scope, one, Clause::from_function);
        if (!call.ok()) {
          scope.lateral_active = before;
          return std::move(call).status();
        }
        functions.push_back(*call);
        const std::string_view name = t.column_label(one);
        const size_t columns_before = columns.names.size();
        TRY(function_columns(**call, item->coldeflist.empty() ? f.coldeflist : item->coldeflist,
                             name, f, columns));
        widths.push_back(static_cast<int>(columns.names.size() - columns_before));
      }
    }
    entry->function_columns = t.arena_.copy_array(widths);
    scope.lateral_active = before;
    if (f.ordinality) columns.add("ordinality", type_oid::int8, -1, kInvalidOid);
    entry->functions = t.arena_.copy_array(functions);
    entry->alias =
        f.alias != nullptr ? f.alias->aliasname : t.column_label(f.functions[0]->function);
    // A function of one scalar column takes the alias as its column's name,
    // unless an output argument names it.
    if (f.alias != nullptr && functions.size() == 1 && f.alias->colnames.empty() &&
        columns.names.size() == (f.ordinality ? 2U : 1U) && !is_composite(*functions[0])) {
      const std::string_view named = TRY(output_name(*functions[0]));
      if (named.empty()) columns.names[0] = f.alias->aliasname;
    }
    set_columns(t.arena_, *entry, columns);
    if (f.alias != nullptr) TRY(rename_columns(t, *entry, f.alias->colnames, f.alias->location));
    const int range = add_entry(scope, entry);
    return leaf(range, entry->alias, made);
  }
  // unnest of several arrays is one call for each.
  std::vector<const Node*> one_by_one(const RangeFunctionItem& item, const RangeFunction& f) {
    const auto* call = as_if<FuncCall>(item.function);
    const bool splits = call != nullptr && call->funcname.size() == 1 &&
                        call->funcname[0] == "unnest" && call->args.size() > 1 &&
                        call->agg_order.empty() && call->agg_filter == nullptr &&
                        call->over == nullptr && !call->agg_star && !call->agg_distinct &&
                        !call->func_variadic && item.coldeflist.empty() && f.coldeflist.empty();
    if (!splits) return {item.function};
    static constexpr std::string_view kUnnest[] = {"pg_catalog", "unnest"};
    std::vector<const Node*> out;
    for (const Node* arg : call->args) {
      auto* one = t.arena_.make<FuncCall>(*call);
      one->funcname = kUnnest;
      one->args = t.arena_.copy_array(std::vector<const Node*>{arg});
      out.push_back(one);
    }
    return out;
  }
  bool is_composite(const Expr& call) { return call.type == type_oid::record; }
  // The name of a function's only output argument; empty: it has none.
  Result<std::string_view> output_name(const Expr& call) {
    std::string_view name;
    if (call.tag != ExprTag::call) return name;
    const FunctionInfo* info =
        TRY(t.context_.catalog.function(t.context_.fiber, as<CallExpr>(call).function));
    for (size_t i = 0; i < info->modes.size(); ++i) {
      const bool given_back = info->modes[i] != 'i' && info->modes[i] != 'v';
      if (given_back && i < info->names.size()) name = t.arena_.copy(info->names[i]);
    }
    return name;
  }

  Status function_columns(const Expr& call, ListOf<ColumnDef> definitions, std::string_view name,
                          const RangeFunction& f, EntryColumns& columns) {
    if (call.type == type_oid::record && call.tag == ExprTag::call) {
      const FunctionInfo* info =
          TRY(t.context_.catalog.function(t.context_.fiber, as<CallExpr>(call).function));
      std::vector<Oid> types;
      for (size_t i = 0; i < info->all_args.size(); ++i) {
        const char mode = info->modes[i];
        if (mode == 'i' || mode == 'v') continue;
        const std::string_view column =
            i < info->names.size() && !info->names[i].empty()
                ? t.arena_.copy(info->names[i])
                : t.arena_.copy(cat("column", columns.names.size() + 1));
        columns.add(column, info->all_args[i], -1, TRY(t.type(info->all_args[i]))->collation);
        types.push_back(info->all_args[i]);
      }
      if (!types.empty()) return {};
      if (definitions.empty()) {
        return t.error(sqlstate::syntax_error,
                       "a column definition list is required for functions returning \"record\"",
                       f.location);
      }
      for (const ColumnDef* def : definitions) {
        const TypeAndMod column = TRY(resolve_type_name(t.context_, *def->type_name));
        columns.add(def->colname, column.type, column.typmod, TRY(t.type(column.type))->collation);
      }
      return {};
    }
    if (!definitions.empty()) {
      return t.error(sqlstate::syntax_error,
                     "a column definition list is only allowed for functions returning \"record\"",
                     f.location);
    }
    if (TRY(t.type(call.type))->type == 'c')
      return unsupported("a function in FROM that returns a composite type");
    const std::string_view named = TRY(output_name(call));
    columns.add(named.empty() ? name : named, call.type, call.typmod, call.collation);
    return {};
  }

  Result<FromNode*> join(const JoinExpr& j, std::vector<ScopeItem>& made) {
    auto* node = t.arena_.make<FromNode>();
    node->is_join = true;
    switch (j.jointype) {
      case JoinType::inner: node->join_type = JoinKind::inner; break;
      case JoinType::left:  node->join_type = JoinKind::left; break;
      case JoinType::full:  node->join_type = JoinKind::full; break;
      case JoinType::right: node->join_type = JoinKind::right; break;
    }
    std::vector<ScopeItem> left;
    std::vector<ScopeItem> right;
    constexpr std::string_view kOuter = "an outer join";
    const bool left_is_far = j.jointype == JoinType::right || j.jointype == JoinType::full;
    const bool right_is_far = j.jointype == JoinType::left || j.jointype == JoinType::full;
    {
      const RecursionPlace place(t, left_is_far ? kOuter : "");
      node->left = TRY(t.from_item(scope, *j.larg, left));
    }
    // The left side can be seen by LATERAL items on the right.
    const size_t visible = scope.items.size();
    for (ScopeItem item : left) {
      item.lateral_only = true;
      item.lateral_ok = j.jointype == JoinType::inner || j.jointype == JoinType::left;
      scope.items.push_back(item);
    }
    const RecursionPlace place(t, right_is_far ? kOuter : "");
    Result<FromNode*> right_node = t.from_item(scope, *j.rarg, right);
    scope.items.resize(visible);
    if (!right_node.ok()) return std::move(right_node).status();
    node->right = *right_node;
    for (const ScopeItem& a : left) {
      for (const ScopeItem& b : right) {
        if (a.table_visible && b.table_visible && a.alias == b.alias && a.schema == b.schema) {
          return t.error(sqlstate::duplicate_alias,
                         cat("table name \"", a.alias, "\" specified more than once"), -1);
        }
      }
    }
    std::vector<std::string_view> using_names(j.using_clause.begin(), j.using_clause.end());
    if (j.is_natural) TRY(natural_columns(left, right, using_names));
    return join_columns(j, *node, left, right, using_names, made);
  }

  Status natural_columns(const std::vector<ScopeItem>& left, const std::vector<ScopeItem>& right,
                         std::vector<std::string_view>& out) {
    for (const ScopeItem& l : left) {
      if (!l.columns_visible) continue;
      for (const std::string_view name : l.names) {
        if (name.empty()) continue;
        for (const ScopeItem& r : right) {
          if (!r.columns_visible) continue;
          for (const std::string_view other : r.names) {
            if (other == name && std::find(out.begin(), out.end(), name) == out.end())
              out.push_back(name);
          }
        }
      }
    }
    return {};
  }

  Result<Expr*> side_column(const std::vector<ScopeItem>& side, std::string_view name,
                            std::string_view which, int location) {
    Expr* found = nullptr;
    for (const ScopeItem& item : side) {
      if (!item.columns_visible) continue;
      for (size_t c = 0; c < item.names.size(); ++c) {
        if (item.names[c] != name) continue;
        if (found != nullptr) {
          return t.error(
              sqlstate::ambiguous_column,
              cat("common column name \"", name, "\" appears more than once in ", which, " table"),
              location);
        }
        found = item.columns[c];
      }
    }
    if (found == nullptr) {
      return t.error(sqlstate::undefined_column,
                     cat("column \"", name, "\" specified in USING clause does not exist in ",
                         which, " table"),
                     location);
    }
    return found;
  }

  Result<FromNode*> join_columns(const JoinExpr& j, FromNode& node, std::vector<ScopeItem>& left,
                                 std::vector<ScopeItem>& right,
                                 const std::vector<std::string_view>& using_names,
                                 std::vector<ScopeItem>& made) {
    ScopeItem joined;
    std::vector<std::string_view> names;
    std::vector<Expr*> columns;
    std::vector<Expr*> conditions;
    for (size_t u = 0; u < using_names.size(); ++u) {
      const std::string_view name = using_names[u];
      for (size_t v = 0; v < u; ++v) {
        if (using_names[v] == name)
          return t.error(sqlstate::duplicate_column,
                         cat("column name \"", name, "\" appears more than once in USING clause"),
                         j.location);
      }
      Expr* l = TRY(side_column(left, name, "left", j.location));
      Expr* r = TRY(side_column(right, name, "right", j.location));
      static constexpr std::string_view kEquals[] = {"="};
      conditions.push_back(TRY(t.operator_call(&scope, Names(kEquals), l, r, j.location)));
      names.push_back(name);
      columns.push_back(TRY(merged_column(node.join_type, l, r)));
    }
    auto add_rest = [&](const std::vector<ScopeItem>& side) {
      for (const ScopeItem& item : side) {
        if (!item.columns_visible) continue;
        for (size_t c = 0; c < item.names.size(); ++c) {
          if (item.names[c].empty() ||
              std::find(using_names.begin(), using_names.end(), item.names[c]) != using_names.end())
            continue;
          names.push_back(item.names[c]);
          columns.push_back(item.columns[c]);
        }
      }
    };
    add_rest(left);
    add_rest(right);

    if (j.quals != nullptr) {
      // ON sees both sides, and nothing that comes later.
      const size_t visible = scope.items.size();
      std::vector<ScopeItem> hidden(scope.items.begin(), scope.items.end());
      scope.items.clear();
      for (const auto* side : {&left, &right})
        scope.items.insert(scope.items.end(), side->begin(), side->end());
      if (scope.lateral_active) {
        for (const ScopeItem& item : hidden) scope.items.push_back(item);
      }
      Result<Expr*> condition = t.condition(scope, j.quals, Clause::join_on);
      scope.items.assign(hidden.begin(), hidden.begin() + static_cast<ptrdiff_t>(visible));
      if (!condition.ok()) return std::move(condition).status();
      node.condition = *condition;
    } else if (!conditions.empty()) {
      node.condition =
          conditions.size() == 1
              ? conditions[0]
              : t.make_boolean(BooleanKind::and_, t.arena_.copy_array(conditions), j.location);
    }

    auto* entry = t.arena_.make<RangeEntry>();
    entry->kind = RangeKind::join;
    entry->alias = j.alias != nullptr ? j.alias->aliasname : std::string_view();
    entry->join_type = node.join_type;
    EntryColumns described;
    for (size_t i = 0; i < names.size(); ++i)
      described.add(names[i], columns[i]->type, columns[i]->typmod, columns[i]->collation);
    set_columns(t.arena_, *entry, described);
    entry->join_columns = t.arena_.copy_array(columns);
    if (j.alias != nullptr) TRY(rename_columns(t, *entry, j.alias->colnames, j.alias->location));
    node.range = add_entry(scope, entry);

    joined.alias = entry->alias;
    joined.range = node.range;
    joined.entry = entry;
    joined.names = entry->columns;
    joined.columns = entry->join_columns;
    joined.table_visible = j.alias != nullptr;
    if (j.alias == nullptr) {
      for (auto* side : {&left, &right}) {
        for (ScopeItem& item : *side) {
          item.columns_visible = false;
          if (item.table_visible) made.push_back(item);
        }
      }
    }
    made.push_back(joined);
    if (j.join_using_alias != nullptr) {
      ScopeItem merged = joined;
      merged.alias = j.join_using_alias->aliasname;
      merged.names = joined.names.subspan(0, using_names.size());
      merged.columns = joined.columns.subspan(0, using_names.size());
      merged.table_visible = true;
      merged.columns_visible = false;
      made.push_back(merged);
    }
    return &node;
  }

  Result<Expr*> merged_column(JoinKind kind, Expr* l, Expr* r) {
    const Expr* both[] = {l, r};
    const Oid type =
        TRY(t.common_type(std::span<Expr* const>(const_cast<Expr* const*>(both), 2), "JOIN/USING"));
    Expr* left = TRY(t.coerce_to_common(&scope, l, type, "JOIN/USING"));
    Expr* right = TRY(t.coerce_to_common(&scope, r, type, "JOIN/USING"));
    if (kind == JoinKind::right) return right;
    if (kind != JoinKind::full) return left;
    auto* merged = t.node<CoalesceNode>(ExprTag::coalesce, type, -1);
    merged->args = t.arena_.copy_array(std::vector<Expr*>{left, right});
    merged->collation = left->collation;
    return merged;
  }
};

}  // namespace

Result<FromNode*> Transform::from_item(Scope& scope, const Node& node,
                                       std::vector<ScopeItem>& made) {
  const RecursionLevel level(context_.fiber);
  TRY(level.check());
  FromForms forms{*this, scope};
  switch (node.tag) {
    case NodeTag::RangeVar:       return forms.range_var(as<RangeVar>(node), made);
    case NodeTag::RangeSubselect: return forms.subselect(as<RangeSubselect>(node), made);
    case NodeTag::RangeFunction:  return forms.function(as<RangeFunction>(node), made);
    case NodeTag::JoinExpr:       return forms.join(as<JoinExpr>(node), made);
    default:
      return unsupported(node_tag_name(node.tag)).at(error_position(context_.text, node.location));
  }
}

// Its own query may name it; types become known with the non-recursive term.
Status Transform::recursive_query(Scope& scope, const CommonTableExpr& item, const SelectStmt& body,
                                  CommonTable& cte) {
  scope.ctes.push_back(&cte);
  recursions_.push_back(&cte);
  cte.is_union = body.op == SetOperation::union_;
  cte.location = item.location;
  Result<Query*> query = select(body, &scope, &cte);
  recursions_.pop_back();
  if (!query.ok()) return std::move(query).status();
  cte.query = *query;
  cte.recursive = cte.self_referenced;
  cte.references = 0;
  if (!cte.recursive) return {};
  auto refuse = [&](std::string_view what, int location) {
    return error(sqlstate::feature_not_supported,
                 cat(what, " in a recursive query is not implemented"), location);
  };
  if (!body.sort_clause.empty()) return refuse("ORDER BY", body.sort_clause[0]->node->location);
  if (body.limit_offset != nullptr) return refuse("OFFSET", body.limit_offset->location);
  if (body.limit_count != nullptr) return refuse("LIMIT", body.limit_count->location);
  if (!body.locking_clause.empty()) return refuse("FOR UPDATE/SHARE", -1);
  return {};
}

Status Transform::with_clause(Scope& scope, const WithClause& with) {
  for (const CommonTableExpr* item : with.ctes) {
    for (const CommonTable* earlier : scope.ctes) {
      if (earlier->name == item->ctename) {
        return error(sqlstate::duplicate_alias,
                     cat("WITH query name \"", item->ctename, "\" specified more than once"),
                     item->location);
      }
    }
    if (item->search_clause != nullptr) return unsupported("SEARCH in a WITH query");
    if (item->cycle_clause != nullptr) return unsupported("CYCLE in a WITH query");
    auto* cte = arena_.make<CommonTable>();
    cte->name = item->ctename;
    cte->columns = arena_.copy_array(item->aliascolnames);
    cte->materialize =
        item->ctematerialized == CteMaterialize::always  ? CommonTable::Materialize::always
        : item->ctematerialized == CteMaterialize::never ? CommonTable::Materialize::never
                                                         : CommonTable::Materialize::by_use;
    const auto* body = as_if<SelectStmt>(item->ctequery);
    if (with.recursive && body != nullptr) {
      TRY(recursive_query(scope, *item, *body, *cte));
    } else {
      cte->query = TRY(statement(*item->ctequery, &scope));
      if (cte->query->command != CommandType::select) {
        if (scope.parent != nullptr) {
          return error(sqlstate::feature_not_supported,
                       "WITH clause containing a data-modifying statement must be at the top level",
                       item->location);
        }
        scope.has_modifying_cte = true;
      }
      scope.ctes.push_back(cte);
    }
    size_t width = 0;
    const auto& targets =
        cte->query->command == CommandType::select ? cte->query->targets : cte->query->returning;
    for (const TargetEntry& target : targets) width += !target.junk;
    if (item->aliascolnames.size() > width) {
      return error(sqlstate::invalid_column_reference,
                   cat("WITH query \"", cte->name, "\" has ", width, " columns available but ",
                       item->aliascolnames.size(), " columns specified"),
                   item->location);
    }
  }
  return {};
}

}  // namespace orrery
