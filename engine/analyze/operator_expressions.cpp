// Operators between expressions: comparisons of values and of rows, IN, BETWEEN, IS DISTINCT FROM.
#include "analyze/transform.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

struct Operators {
  Transform& t;
  Scope& scope;
  AnalyzeContext& context = t.context_;

  // x IS DISTINCT FROM y and NULLIF are their "=" with a flag.
  Result<Expr*> over_equality(const A_Expr& a) {
    if (a.kind != A_ExprKind::nullif && a.lexpr->tag == NodeTag::RowExpr &&
        a.rexpr->tag == NodeTag::RowExpr) {
      return distinct_rows(a, as<RowExpr>(*a.lexpr), as<RowExpr>(*a.rexpr));
    }
    Expr* left = TRY(t.expr(scope, a.lexpr));
    Expr* right = TRY(t.expr(scope, a.rexpr));
    return distinct_pair(a, left, right);
  }
  Result<Expr*> distinct_pair(const A_Expr& a, Expr* left, Expr* right) {
    Expr* made = TRY(t.operator_call(&scope, a.name, left, right, a.location));
    if (made->type != type_oid::bool_) {
      return t.error(sqlstate::datatype_mismatch,
                     cat(a.kind == A_ExprKind::nullif ? "NULLIF" : "IS DISTINCT FROM",
                         " requires = operator to yield boolean"),
                     a.location);
    }
    auto& call = as<CallExpr>(*made);
    if (a.kind == A_ExprKind::nullif) {
      call.null_if = true;
      call.type = call.args[0]->type;
      call.typmod = call.args[0]->typmod;
      call.collation = call.args[0]->collation;
      return made;
    }
    call.distinct = true;
    if (a.kind == A_ExprKind::distinct) return made;
    return t.make_boolean(BooleanKind::not_, t.arena_.copy_array(std::vector<Expr*>{made}),
                          a.location);
  }
  Result<Expr*> distinct_rows(const A_Expr& a, const RowExpr& left, const RowExpr& right) {
    if (left.args.size() != right.args.size()) {
      return t.error(sqlstate::syntax_error, "unequal number of entries in row expressions",
                     a.location);
    }
    std::vector<Expr*> parts;
    for (size_t i = 0; i < left.args.size(); ++i) {
      A_Expr one = a;
      one.kind = A_ExprKind::distinct;
      Expr* l = TRY(t.expr(scope, left.args[i]));
      Expr* r = TRY(t.expr(scope, right.args[i]));
      Expr* pair = TRY(distinct_pair(one, l, r));
      parts.push_back(pair);
    }
    Expr* any = parts.size() == 1
                    ? parts[0]
                    : t.make_boolean(BooleanKind::or_, t.arena_.copy_array(parts), a.location);
    if (a.kind == A_ExprKind::distinct) return any;
    return t.make_boolean(BooleanKind::not_, t.arena_.copy_array(std::vector<Expr*>{any}),
                          a.location);
  }

  // x IN (list): an array comparison when all constants can be of one type, else a chain of
  // comparisons.
  Result<Expr*> in_list(const A_Expr& a) {
    const auto& list = as<List>(*a.rexpr);
    const bool negated = a.name.back() == "<>";
    Expr* left = TRY(t.expr(scope, a.lexpr));
    const bool row = a.lexpr->tag == NodeTag::RowExpr;
    std::vector<Expr*> simple{left};
    std::vector<Expr*> items;
    bool arrayable = !row;
    for (const Node* item : list.items) {
      if (row) break;
      Expr* e = TRY(t.expr(scope, item));
      items.push_back(e);
      const bool has_var = any_var(*e);
      arrayable = arrayable && !has_var;
      simple.push_back(e);
    }
    if (arrayable && items.size() > 1) {
      const Oid common = TRY(t.common_type(simple, ""));
      Oid array_type = kInvalidOid;
      if (common && common != type_oid::record)
        array_type = TRY(context.catalog.array_type(context.fiber, common));
      bool coercible = array_type != kInvalidOid;
      if (coercible) coercible = TRY(all_coercible(items, common));
      if (coercible) {
        auto* array = t.node<ArrayExpr>(ExprTag::array, array_type, -1);
        array->element_type = common;
        array->multidims = false;
        for (Expr*& e : items) e = TRY(t.coerce_to_common(&scope, e, common, "IN"));
        array->elements = t.arena_.copy_array(items);
        return t.scalar_array(scope, a.name, !negated, left, array, a.location);
      }
    }
    std::vector<Expr*> parts;
    for (size_t i = 0; i < list.items.size(); ++i) {
      Expr* part = nullptr;
      if (row) {
        if (list.items[i]->tag != NodeTag::RowExpr)
          return unsupported("IN with a row on the left and no row on the right");
        part = TRY(compare_rows(a, as<RowExpr>(*a.lexpr), as<RowExpr>(*list.items[i])));
      } else {
        part = TRY(t.operator_call(&scope, a.name, left, items[i], a.location));
      }
      parts.push_back(part);
    }
    if (parts.size() == 1) return parts[0];
    return t.make_boolean(negated ? BooleanKind::and_ : BooleanKind::or_,
                          t.arena_.copy_array(parts), a.location);
  }
  static bool any_var(const Expr& e) {
    return e.tag == ExprTag::var ||
           (e.tag != ExprTag::constant && e.tag != ExprTag::param && any_below(e));
  }
  static bool any_below(const Expr& e);
  Result<bool> all_coercible(const std::vector<Expr*>& items, Oid type) {
    for (const Expr* e : items) {
      const bool can = TRY(t.can_coerce(e->type, type, CoercionContext::implicit));
      if (!can) return false;
    }
    return true;
  }

  // (a, b) op (c, d): = and <> column by column, the orderings by RowCompareExpr.
  Result<Expr*> compare_rows(const A_Expr& a, const RowExpr& left, const RowExpr& right) {
    if (left.args.size() != right.args.size()) {
      return t.error(sqlstate::syntax_error, "unequal number of entries in row expressions",
                     a.location);
    }
    if (left.args.empty())
      return t.error(sqlstate::feature_not_supported, "cannot compare rows of zero length",
                     a.location);
    std::vector<Expr*> pairs;
    for (size_t i = 0; i < left.args.size(); ++i) {
      Expr* l = TRY(t.expr(scope, left.args[i]));
      Expr* r = TRY(t.expr(scope, right.args[i]));
      Expr* pair = TRY(t.operator_call(&scope, a.name, l, r, a.location));
      pairs.push_back(pair);
      if (pairs.back()->type != type_oid::bool_) {
        return t.error(sqlstate::datatype_mismatch,
                       cat("row comparison operator must yield type boolean, not type ",
                           t.name_of(pairs.back()->type)),
                       a.location);
      }
    }
    if (pairs.size() == 1) return pairs[0];
    const std::string_view op = a.name.back();
    if (op == "=") return t.make_boolean(BooleanKind::and_, t.arena_.copy_array(pairs), a.location);
    if (op == "<>" || op == "!=")
      return t.make_boolean(BooleanKind::or_, t.arena_.copy_array(pairs), a.location);
    RowCompareKind kind{};
    if (op == "<")
      kind = RowCompareKind::lt;
    else if (op == "<=")
      kind = RowCompareKind::le;
    else if (op == ">=")
      kind = RowCompareKind::ge;
    else if (op == ">")
      kind = RowCompareKind::gt;
    else
      return t
          .error(sqlstate::feature_not_supported,
                 cat("could not determine interpretation of row comparison operator ", op),
                 a.location)
          .hint("Row comparison operators must be associated with btree operator families.");
    auto* made = t.node<RowCompareExpr>(ExprTag::row_compare, type_oid::bool_, a.location);
    made->kind = kind;
    std::vector<Oid> ops;
    std::vector<Oid> functions;
    std::vector<Expr*> ls;
    std::vector<Expr*> rs;
    for (Expr* pair : pairs) {
      auto& call = as<CallExpr>(*pair);
      ops.push_back(call.op);
      functions.push_back(call.function);
      ls.push_back(call.args[0]);
      rs.push_back(call.args[1]);
    }
    made->ops = t.arena_.copy_array(ops);
    made->functions = t.arena_.copy_array(functions);
    made->left = t.arena_.copy_array(ls);
    made->right = t.arena_.copy_array(rs);
    return made;
  }

  Result<Expr*> between(const A_Expr& a) {
    const auto& bounds = as<List>(*a.rexpr);
    Expr* value = TRY(t.expr(scope, a.lexpr));
    Expr* low = TRY(t.expr(scope, bounds.items[0]));
    Expr* high = TRY(t.expr(scope, bounds.items[1]));
    auto op = [&](std::string_view name, Expr* l, Expr* r) -> Result<Expr*> {
      const std::string_view names[] = {name};
      return t.operator_call(&scope, t.arena_.copy_array(std::span(names)), l, r, a.location);
    };
    auto both = [&](BooleanKind kind, Expr* x, Expr* y) {
      return t.make_boolean(kind, t.arena_.copy_array(std::vector<Expr*>{x, y}), a.location);
    };
    auto inside = [&](Expr* from, Expr* to) -> Result<Expr*> {
      Expr* ge = TRY(op(">=", value, from));
      Expr* le = TRY(op("<=", value, to));
      return both(BooleanKind::and_, ge, le);
    };
    auto outside = [&](Expr* from, Expr* to) -> Result<Expr*> {
      Expr* lt = TRY(op("<", value, from));
      Expr* gt = TRY(op(">", value, to));
      return both(BooleanKind::or_, lt, gt);
    };
    if (a.kind == A_ExprKind::between) return inside(low, high);
    if (a.kind == A_ExprKind::not_between) return outside(low, high);
    if (a.kind == A_ExprKind::between_sym) {
      Expr* one = TRY(inside(low, high));
      Expr* other = TRY(inside(high, low));
      return both(BooleanKind::or_, one, other);
    }
    Expr* one = TRY(outside(low, high));
    Expr* other = TRY(outside(high, low));
    return both(BooleanKind::and_, one, other);
  }

  Result<Expr*> run(const A_Expr& a) {
    switch (a.kind) {
      case A_ExprKind::op: {
        if (a.lexpr != nullptr && a.lexpr->tag == NodeTag::RowExpr &&
            a.rexpr->tag == NodeTag::RowExpr) {
          return compare_rows(a, as<RowExpr>(*a.lexpr), as<RowExpr>(*a.rexpr));
        }
        if (const auto* sub = as_if<SubLink>(a.rexpr);
            a.lexpr != nullptr && a.lexpr->tag == NodeTag::RowExpr && sub != nullptr &&
            sub->sub_link_type == SubLinkType::expr) {
          return unsupported("comparison of a row with a subquery");
        }
        Expr* left = a.lexpr == nullptr ? nullptr : TRY(t.expr(scope, a.lexpr));
        Expr* right = TRY(t.expr(scope, a.rexpr));
        Expr* made = TRY(t.operator_call(&scope, a.name, left, right, a.location));
        if (as<CallExpr>(*made).returns_set) return unsupported("an operator that returns a set");
        return made;
      }
      case A_ExprKind::op_any:
      case A_ExprKind::op_all: {
        Expr* left = TRY(t.expr(scope, a.lexpr));
        Expr* right = TRY(t.expr(scope, a.rexpr));
        return t.scalar_array(scope, a.name, a.kind == A_ExprKind::op_any, left, right, a.location);
      }
      case A_ExprKind::distinct:
      case A_ExprKind::not_distinct:
      case A_ExprKind::nullif:       return over_equality(a);
      case A_ExprKind::in:           return in_list(a);
      case A_ExprKind::like:
      case A_ExprKind::ilike:
      case A_ExprKind::similar:      {
        Expr* left = TRY(t.expr(scope, a.lexpr));
        Expr* right = TRY(t.expr(scope, a.rexpr));
        return t.operator_call(&scope, a.name, left, right, a.location);
      }
      case A_ExprKind::between:
      case A_ExprKind::not_between:
      case A_ExprKind::between_sym:
      case A_ExprKind::not_between_sym: return between(a);
    }
    UNREACHABLE();
  }
};

bool Operators::any_below(const Expr& e) {
  if (e.tag == ExprTag::relabel) return any_var(*as<RelabelExpr>(e).arg);
  if (e.tag == ExprTag::coerce_via_io) return any_var(*as<CoerceViaIoExpr>(e).arg);
  if (e.tag != ExprTag::call) return true;  // whatever else it is, take it as not constant
  return std::ranges::any_of(as<CallExpr>(e).args, [](const Expr* arg) { return any_var(*arg); });
}

}  // namespace

Result<Expr*> Transform::operator_expression(Scope& scope, const A_Expr& a) {
  return Operators{*this, scope}.run(a);
}

}  // namespace orrery
