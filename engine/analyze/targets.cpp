// Target lists and the clauses that refer to them: ORDER BY, GROUP BY, DISTINCT, windows.
// The parser has many more node kinds than stand here: what is not listed is refused by name.
#pragma GCC diagnostic ignored "-Wswitch-enum"

#include "analyze/collations.h"
#include "analyze/transform.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {

// Whether an output column can be named after it, rather than after a type or a CASE around it.
bool Transform::names_itself(const Node* node) {
  if (const auto* cast = as_if<TypeCast>(node)) return names_itself(cast->arg);
  if (const auto* collate = as_if<CollateClause>(node)) return names_itself(collate->arg);
  if (const auto* choice = as_if<CaseExpr>(node))
    return choice->defresult != nullptr && names_itself(choice->defresult);
  if (const auto* part = as_if<A_Indirection>(node)) {
    for (const Node* step : part->indirection) {
      if (step->tag == NodeTag::String) return true;
    }
    return names_itself(part->arg);
  }
  return column_label(node) != "?column?";
}

std::string_view Transform::column_label(const Node* node) {
  switch (node->tag) {
    case NodeTag::ColumnRef: {
      const auto& ref = as<ColumnRef>(*node);
      return ref.fields.empty() ? "?column?" : ref.fields.back();
    }
    case NodeTag::FuncCall:      return as<FuncCall>(*node).funcname.back();
    case NodeTag::A_Indirection: {
      const auto& a = as<A_Indirection>(*node);
      for (size_t i = a.indirection.size(); i > 0; --i) {
        if (const auto* field = as_if<String>(a.indirection[i - 1])) return field->sval;
      }
      return column_label(a.arg);
    }
    case NodeTag::TypeCast: {
      const auto& cast = as<TypeCast>(*node);
      // The name of what is cast, unless that is a type's name too.
      return names_itself(cast.arg) ? column_label(cast.arg) : cast.type_name->names.back();
    }
    case NodeTag::CollateClause: return column_label(as<CollateClause>(*node).arg);
    case NodeTag::CaseExpr:      {
      const auto& c = as<CaseExpr>(*node);
      return c.defresult != nullptr && names_itself(c.defresult) ? column_label(c.defresult)
                                                                 : "case";
    }
    case NodeTag::CoalesceExpr: return "coalesce";
    case NodeTag::MinMaxExpr:
      return as<MinMaxExpr>(*node).op == MinMaxOp::greatest ? "greatest" : "least";
    case NodeTag::A_Expr:
      return as<A_Expr>(*node).kind == A_ExprKind::nullif ? "nullif" : "?column?";
    case NodeTag::RowExpr:      return "row";
    case NodeTag::A_ArrayExpr:  return "array";
    case NodeTag::GroupingFunc: return "grouping";
    case NodeTag::SubLink:      {
      const auto& s = as<SubLink>(*node);
      if (s.sub_link_type == SubLinkType::exists) return "exists";
      if (s.sub_link_type == SubLinkType::array) return "array";
      if (s.sub_link_type == SubLinkType::expr && !s.subselect->target_list.empty()) {
        const ResTarget& first = *s.subselect->target_list[0];
        return first.name.empty() ? column_label(first.val) : first.name;
      }
      return "?column?";
    }
    case NodeTag::SqlValueFunction: {
      static constexpr std::string_view kNames[] = {
          "current_date",      "current_time",    "current_time",  "current_timestamp",
          "current_timestamp", "localtime",       "localtime",     "localtimestamp",
          "localtimestamp",    "current_role",    "current_user",  "user",
          "session_user",      "current_catalog", "current_schema"};
      return kNames[static_cast<size_t>(as<SqlValueFunction>(*node).op)];
    }
    default: return "?column?";
  }
}

Status Transform::target_list(Scope& scope, ListOf<ResTarget> list, Clause clause,
                              std::vector<TargetEntry>& targets) {
  for (const ResTarget* item : list) {
    const auto* ref = as_if<ColumnRef>(item->val);
    if (ref != nullptr && ref->is_star) {
      TRY(expand_star(scope, *ref, targets));
      continue;
    }
    TargetEntry target{};
    target.expr = TRY(expression(scope, item->val, clause));
    target.resno = static_cast<int>(targets.size()) + 1;
    target.name = item->name.empty() ? column_label(item->val) : item->name;
    targets.push_back(target);
  }
  for (TargetEntry& target : targets) {
    if (target.expr->tag != ExprTag::var) continue;
    const auto& var = as<VarExpr>(*target.expr);
    if (var.levels_up != 0 || var.attno <= 0) continue;
    const RangeEntry& entry = *scope.range_table[static_cast<size_t>(var.range - 1)];
    if (entry.kind != RangeKind::relation) continue;
    target.origin_table = entry.relation->oid;
    target.origin_column = var.attno;
  }
  return {};
}

Status Transform::resolve_unknowns(std::vector<TargetEntry>& targets) {
  for (TargetEntry& target : targets) {
    if (target.expr->type != type_oid::unknown) continue;
    target.expr = TRY(coerce(nullptr, target.expr, type_oid::text, -1, CoercionContext::implicit,
                             CallForm::implicit_cast, -1));
  }
  return {};
}

int Transform::give_ref(std::vector<TargetEntry>& targets, int index) {
  TargetEntry& target = targets[static_cast<size_t>(index)];
  if (target.ref != 0) return target.ref;
  int highest = 0;
  for (const TargetEntry& other : targets) highest = std::max(highest, other.ref);
  return target.ref = highest + 1;
}

// The target that an item of ORDER BY, GROUP BY or DISTINCT ON means: an output name (SQL92), a
// position, or an equal expression; else a new junk target.
Result<int> Transform::find_target(Scope& scope, const Node* node,
                                   std::vector<TargetEntry>& targets, Clause clause,
                                   bool sql92_names) {
  const auto* ref = as_if<ColumnRef>(node);
  if (ref != nullptr && !ref->is_star && ref->fields.size() == 1) {
    const std::string_view name = ref->fields[0];
    bool by_output = sql92_names;
    if (clause == Clause::group_by)
      by_output = TRY(column_by_name(scope, name, node->location, false)) == nullptr;
    int found = -1;
    for (size_t i = 0; i < targets.size() && by_output; ++i) {
      if (targets[i].junk || targets[i].name != name) continue;
      if (found >= 0 && !expr_equal(targets[static_cast<size_t>(found)].expr, targets[i].expr)) {
        return error(sqlstate::ambiguous_column,
                     cat(clause_name(clause), " \"", name, "\" is ambiguous"), node->location);
      }
      if (found < 0) found = static_cast<int>(i);
    }
    if (found >= 0) return found;
  }
  const bool may_be_position = sql92_names || clause == Clause::group_by;
  const auto* constant = may_be_position ? as_if<A_Const>(node) : nullptr;
  if (constant != nullptr) {
    if (constant->kind != ConstKind::integer) {
      return error(sqlstate::syntax_error, cat("non-integer constant in ", clause_name(clause)),
                   node->location);
    }
    int position = 0;
    for (size_t i = 0; i < targets.size(); ++i) {
      if (!targets[i].junk && ++position == constant->ival) return static_cast<int>(i);
    }
    return error(sqlstate::invalid_column_reference,
                 cat(clause_name(clause), " position ", constant->ival, " is not in select list"),
                 node->location);
  }
  Expr* made = TRY(expression(scope, node, clause));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (expr_equal(targets[i].expr, made)) return static_cast<int>(i);
  }
  TargetEntry target{};
  target.expr = made;
  target.resno = static_cast<int>(targets.size()) + 1;
  target.junk = true;
  targets.push_back(target);
  return static_cast<int>(targets.size()) - 1;
}

Result<SortClause> Transform::group_item(Expr* expr, int ref) {
  TRY(check_sort_collation(*this, *expr));
  const TypeOperators ops = TRY(context_.catalog.type_operators(context_.fiber, expr->type));
  SortClause item{};
  item.target = ref;
  item.equality_op = ops.eq ? ops.eq : ops.hash_eq;
  item.sort_op = ops.lt;
  item.hashable = static_cast<bool>(ops.hash_eq);
  if (!item.equality_op) {
    return error(sqlstate::undefined_function,
                 cat("could not identify an equality operator for type ", name_of(expr->type)),
                 expr->location);
  }
  return item;
}

Result<SortClause> Transform::sort_item(Scope&, Expr* expr, const SortBy& by) {
  TRY(check_sort_collation(*this, *expr));
  const TypeOperators ops = TRY(context_.catalog.type_operators(context_.fiber, expr->type));
  SortClause item{};
  item.hashable = static_cast<bool>(ops.hash_eq);
  if (by.sortby_dir == SortByDir::using_) {
    const OperatorInfo* op =
        TRY(find_operator(by.use_op, expr->type, expr->type, by.location, true));
    if (op->oid != ops.lt && op->oid != ops.gt) {
      return error(sqlstate::wrong_object_type,
                   cat("operator ", op->name, " is not a valid ordering operator"), by.location)
          .hint("Ordering operators must be \"<\" or \">\" members of btree operator families.");
    }
    item.descending = op->oid == ops.gt;
  } else {
    item.descending = by.sortby_dir == SortByDir::desc;
  }
  item.sort_op = item.descending ? ops.gt : ops.lt;
  item.equality_op = ops.eq;
  if (!item.sort_op) {
    return error(sqlstate::undefined_function,
                 cat("could not identify an ordering operator for type ", name_of(expr->type)),
                 expr->location)
        .hint("Use an explicit ordering operator or modify the query.");
  }
  item.nulls_first = by.sortby_nulls == SortByNulls::default_
                         ? item.descending
                         : by.sortby_nulls == SortByNulls::first;
  return item;
}

Status Transform::order_by(Scope& scope, ListOf<SortBy> list, std::vector<TargetEntry>& targets,
                           std::vector<SortClause>& out, Clause clause) {
  for (const SortBy* by : list) {
    const int index =
        TRY(find_target(scope, by->node, targets, clause, clause == Clause::order_by));
    TargetEntry& target = targets[static_cast<size_t>(index)];
    if (target.expr->type == type_oid::unknown) {
      target.expr = TRY(coerce(&scope, target.expr, type_oid::text, -1, CoercionContext::implicit,
                               CallForm::implicit_cast, -1));
    }
    SortClause item = TRY(sort_item(scope, target.expr, *by));
    item.target = give_ref(targets, index);
    const bool known = std::any_of(out.begin(), out.end(),
                                   [&](const SortClause& s) { return s.target == item.target; });
    if (!known) out.push_back(item);
  }
  return {};
}

namespace {

struct GroupForms {
  Transform& t;
  Scope& scope;
  std::vector<TargetEntry>& targets;
  std::vector<SortClause>& out;

  Result<int> simple(const Node* node) {
    const int index = TRY(t.find_target(scope, node, targets, Clause::group_by, true));
    TargetEntry& target = targets[static_cast<size_t>(index)];
    if (target.expr->type == type_oid::unknown) {
      target.expr = TRY(t.coerce(&scope, target.expr, type_oid::text, -1, CoercionContext::implicit,
                                 CallForm::implicit_cast, -1));
    }
    const int ref = t.give_ref(targets, index);
    const bool known =
        std::any_of(out.begin(), out.end(), [&](const SortClause& s) { return s.target == ref; });
    if (!known) out.push_back(TRY(t.group_item(target.expr, ref)));
    return ref;
  }
  Result<std::vector<int>> composite(const Node* node) {
    std::vector<int> refs;
    if (const auto* row = as_if<RowExpr>(node);
        row != nullptr && row->row_format == RowFormat::implicit) {
      for (const Node* field : row->args) refs.push_back(TRY(simple(field)));
    } else {
      refs.push_back(TRY(simple(node)));
    }
    return refs;
  }
  using Sets = std::vector<std::vector<int>>;
  Result<Sets> sets_of(const Node* node) {
    const auto* set = as_if<GroupingSet>(node);
    if (set == nullptr) {
      Sets one(1);
      one[0] = TRY(composite(node));
      return one;
    }
    Sets made;
    switch (set->kind) {
      case GroupingSetKind::empty: return Sets{{}};
      case GroupingSetKind::sets:
        for (const Node* item : set->content) {
          for (std::vector<int>& one : TRY(sets_of(item))) made.push_back(std::move(one));
        }
        return made;
      case GroupingSetKind::rollup:
      case GroupingSetKind::cube:   break;
    }
    Sets parts;
    for (const Node* item : set->content) parts.push_back(TRY(composite(item)));
    if (set->kind == GroupingSetKind::rollup) {
      for (size_t n = parts.size() + 1; n > 0; --n) {
        std::vector<int> one;
        for (size_t i = 0; i + 1 < n; ++i) one.insert(one.end(), parts[i].begin(), parts[i].end());
        made.push_back(std::move(one));
      }
      return made;
    }
    if (parts.size() > 12)
      return t.error(sqlstate::too_many_columns, "CUBE is limited to 12 elements", set->location);
    for (uint32_t mask = 1U << parts.size(); mask > 0; --mask) {
      std::vector<int> one;
      for (size_t i = 0; i < parts.size(); ++i) {
        if (((mask - 1) >> (parts.size() - 1 - i) & 1) != 0)
          one.insert(one.end(), parts[i].begin(), parts[i].end());
      }
      made.push_back(std::move(one));
    }
    return made;
  }
};

}  // namespace

Status Transform::group_by(Scope& scope, NodeList list, std::vector<TargetEntry>& targets,
                           std::vector<SortClause>& out, std::vector<GroupingColumns>& sets) {
  GroupForms forms{*this, scope, targets, out};
  const bool plain = std::none_of(list.begin(), list.end(),
                                  [](const Node* n) { return n->tag == NodeTag::GroupingSet; });
  GroupForms::Sets product{{}};
  for (const Node* item : list) {
    const GroupForms::Sets one = TRY(forms.sets_of(item));
    GroupForms::Sets next;
    for (const std::vector<int>& a : product) {
      for (const std::vector<int>& b : one) {
        std::vector<int> both = a;
        for (const int ref : b) {
          if (std::find(both.begin(), both.end(), ref) == both.end()) both.push_back(ref);
        }
        next.push_back(std::move(both));
      }
    }
    product = std::move(next);
    if (product.size() > 4096)
      return error(sqlstate::statement_too_complex, "too many grouping sets present (maximum 4096)",
                   item->location);
  }
  if (plain) return {};
  for (const std::vector<int>& set : product)
    sets.push_back(GroupingColumns{arena_.copy_array(set)});
  return {};
}

Status Transform::distinct(Scope& scope, const SelectStmt& stmt, std::vector<TargetEntry>& targets,
                           const std::vector<SortClause>& order, std::vector<SortClause>& out) {
  if (stmt.distinct_on.empty()) {
    // DISTINCT: every output column; ORDER BY may only use those.
    for (const SortClause& item : order) {
      for (const TargetEntry& target : targets) {
        if (target.ref == item.target && target.junk) {
          return error(sqlstate::invalid_column_reference,
                       "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                       target.expr->location);
        }
      }
      out.push_back(item);
    }
    for (size_t i = 0; i < targets.size(); ++i) {
      if (targets[i].junk) continue;
      const int ref = give_ref(targets, static_cast<int>(i));
      const bool known =
          std::any_of(out.begin(), out.end(), [&](const SortClause& s) { return s.target == ref; });
      if (!known) out.push_back(TRY(group_item(targets[i].expr, ref)));
    }
    return {};
  }
  std::vector<int> wanted;
  for (const Node* node : stmt.distinct_on) {
    const int index = TRY(find_target(scope, node, targets, Clause::distinct_on, true));
    wanted.push_back(give_ref(targets, index));
  }
  for (const SortClause& item : order) {
    if (std::find(wanted.begin(), wanted.end(), item.target) != wanted.end()) {
      out.push_back(item);
    } else if (out.size() < wanted.size()) {
      break;
    }
  }
  for (const int ref : wanted) {
    if (std::any_of(out.begin(), out.end(), [&](const SortClause& s) { return s.target == ref; }))
      continue;
    if (out.size() < order.size()) {
      return error(sqlstate::invalid_column_reference,
                   "SELECT DISTINCT ON expressions must match initial ORDER BY expressions",
                   stmt.distinct_on[0]->location);
    }
    for (const TargetEntry& target : targets) {
      if (target.ref == ref) out.push_back(TRY(group_item(target.expr, ref)));
    }
  }
  return {};
}

// RANGE with an offset: the one ORDER BY column's family has a function for it and the offset's
// type.
Status Transform::range_offset(Scope& scope, WindowClause& window,
                               const std::vector<TargetEntry>& targets, Expr* offset, bool start,
                               int location) {
  if (window.order_by.size() != 1) {
    return error(sqlstate::windowing_error,
                 "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
                 location);
  }
  Oid column;
  for (const TargetEntry& target : targets) {
    if (target.ref == window.order_by[0].target) column = target.expr->type;
  }
  const TypeOperators ops = TRY(context_.catalog.type_operators(context_.fiber, column));
  const Oid base = ops.btree_input;
  // An unknown literal is taken as the column's own type, or as an interval beside a time.
  static constexpr Oid kOffsets[] = {type_oid::int2,   type_oid::int4,    type_oid::int8,
                                     type_oid::float8, type_oid::numeric, type_oid::interval};
  const bool unknown = offset->type == type_oid::unknown;
  Oid chosen;
  Oid function;
  bool any = false;
  for (const Oid type : kOffsets) {
    const Oid candidate =
        TRY(context_.catalog.family_function(context_.fiber, ops.btree_family, base, type, 3));
    if (!candidate) continue;
    any = true;
    const bool fits = TRY(can_coerce(offset->type, type, CoercionContext::implicit));
    if (!unknown && !fits) continue;
    const bool exact = type == offset->type || (unknown && type == base);
    if (function && !exact) continue;
    chosen = type;
    function = candidate;
    if (exact) break;
  }
  if (!any) {
    return error(sqlstate::feature_not_supported,
                 cat("RANGE with offset PRECEDING/FOLLOWING is not supported for column type ",
                     name_of(column)),
                 offset->location);
  }
  if (!function) {
    return error(sqlstate::feature_not_supported,
                 cat("RANGE with offset PRECEDING/FOLLOWING is not supported for column type ",
                     name_of(column), " and offset type ", name_of(offset->type)),
                 offset->location)
        .hint("Cast the offset value to an appropriate type.");
  }
  Expr* made = TRY(
      coerce(&scope, offset, chosen, -1, CoercionContext::implicit, CallForm::implicit_cast, -1));
  (start ? window.start_offset : window.end_offset) = made;
  (start ? window.start_in_range : window.end_in_range) = function;
  return {};
}

namespace {

// The offset of one end of a frame: a number of rows or groups, or what RANGE adds.
Status frame_offset(Transform& t, Scope& scope, WindowClause& window,
                    const std::vector<TargetEntry>& targets, const Node& node, bool start,
                    int location) {
  const bool rows = (window.frame_options & kFrameRows) != 0;
  const bool range = (window.frame_options & kFrameRange) != 0;
  const std::string_view mode = rows ? "ROWS" : range ? "RANGE" : "GROUPS";
  Expr* offset = TRY(t.expression(scope, &node,
                                  rows    ? Clause::window_rows
                                  : range ? Clause::window_range
                                          : Clause::window_groups));
  Expr*& place = start ? window.start_offset : window.end_offset;
  if (range) {
    TRY(t.range_offset(scope, window, targets, offset, start, location));
  } else {
    const bool can = TRY(t.can_coerce(offset->type, type_oid::int8, CoercionContext::assignment));
    if (!can) {
      return t.error(
          sqlstate::datatype_mismatch,
          cat("argument of ", mode, " must be type bigint, not type ", t.name_of(offset->type)),
          offset->location);
    }
    place = TRY(t.coerce(&scope, offset, type_oid::int8, -1, CoercionContext::assignment,
                         CallForm::implicit_cast, -1));
  }
  const bool has_var = any_expr(
      *place, [](const Expr& e) { return e.tag == ExprTag::var && as<VarExpr>(e).levels_up == 0; });
  if (!has_var) return {};
  return t.error(sqlstate::invalid_column_reference,
                 cat("argument of ", mode, " must not contain variables"), offset->location);
}

}  // namespace

Result<WindowClause> Transform::window_clause(Scope& scope, const WindowDef& def,
                                              std::vector<TargetEntry>& targets) {
  WindowClause window{};
  window.name = def.name;
  window.frame_options = static_cast<uint32_t>(def.frame_options);
  const WindowClause* base = nullptr;
  if (!def.refname.empty()) {
    for (const WindowClause& other : scope.windows) {
      if (other.name == def.refname) base = &other;
    }
    if (base == nullptr) {
      return error(sqlstate::undefined_object, cat("window \"", def.refname, "\" does not exist"),
                   def.location);
    }
  }
  std::vector<SortClause> partition;
  for (const Node* node : def.partition_clause) {
    const int index = TRY(find_target(scope, node, targets, Clause::window_partition, false));
    partition.push_back(
        TRY(group_item(targets[static_cast<size_t>(index)].expr, give_ref(targets, index))));
  }
  std::vector<SortClause> order;
  TRY(order_by(scope, def.order_clause, targets, order, Clause::window_order));
  window.partition_by = arena_.copy_array(partition);
  window.order_by = arena_.copy_array(order);
  if (base != nullptr) {
    if (!partition.empty())
      return error(sqlstate::windowing_error,
                   cat("cannot override PARTITION BY clause of window \"", def.refname, "\""),
                   def.location);
    if (!order.empty() && !base->order_by.empty())
      return error(sqlstate::windowing_error,
                   cat("cannot override ORDER BY clause of window \"", def.refname, "\""),
                   def.location);
    window.base = base->name;
    window.partition_by = base->partition_by;
    window.base_order = order.empty();
    if (order.empty()) window.order_by = base->order_by;
    if ((base->frame_options & kFrameNonDefault) != 0) {
      return error(sqlstate::windowing_error,
                   cat("cannot copy window \"", def.refname, "\" because it has a frame clause"),
                   def.location);
    }
  }
  if ((window.frame_options & kFrameGroups) != 0 && window.order_by.empty())
    return error(sqlstate::windowing_error, "GROUPS mode requires an ORDER BY clause",
                 def.location);
  for (const bool start : {true, false}) {
    const Node* node = start ? def.start_offset : def.end_offset;
    if (node != nullptr)
      TRY(frame_offset(*this, scope, window, targets, *node, start, def.location));
  }
  return window;
}

}  // namespace orrery
