// Subscripts of arrays, read and assigned to.
#include "analyze/transform.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

bool has_slice(NodeList steps) {
  return std::ranges::any_of(steps, [](const Node* s) { return as<A_Indices>(*s).is_slice; });
}

// A jsonb's step is a name or a number: what cannot be taken for one of them, or can for both, is
// refused.
Result<Expr*> jsonb_step(Transform& t, Scope& scope, const A_Indices& step) {
  if (step.is_slice) {
    const Node* const bound = step.uidx != nullptr ? step.uidx : step.lidx;
    Expr* const at = bound == nullptr ? nullptr : TRY(t.expr(scope, bound));
    return t.error(sqlstate::datatype_mismatch, "jsonb subscript does not support slices",
                   at == nullptr ? -1 : at->location);
  }
  Expr* const given = TRY(t.expr(scope, step.uidx));
  Oid wanted = type_oid::text;
  if (given->type != type_oid::unknown) {
    constexpr auto kHow = CoercionContext::implicit;
    const bool number = TRY(t.can_coerce(given->type, type_oid::int4, kHow));
    const bool text = TRY(t.can_coerce(given->type, type_oid::text, kHow));
    if (number == text) {
      return t
          .error(sqlstate::datatype_mismatch,
                 cat("subscript type ", t.name_of(given->type), " is not supported"),
                 given->location)
          .hint(number ? "jsonb subscript must be coercible to only one type, integer or text."
                       : "jsonb subscript must be coercible to either integer or text.");
    }
    if (number) wanted = type_oid::int4;
  }
  return t.coerce(&scope, given, wanted, -1, CoercionContext::implicit, CallForm::implicit_cast,
                  -1);
}

Result<SubscriptExpr*> jsonb_subscript(Transform& t, Scope& scope, Expr* container, NodeList steps,
                                       int location) {
  auto* made = t.node<SubscriptExpr>(ExprTag::subscript, type_oid::jsonb, location);
  made->container_type = made->element_type = type_oid::jsonb;
  made->container = container;
  std::vector<Expr*> path;
  for (const Node* step : steps) {
    Expr* const name = TRY(jsonb_step(t, scope, as<A_Indices>(*step)));
    path.push_back(name);
  }
  made->upper = t.arena_.copy_array(path);
  return made;
}

}  // namespace

Result<Expr*> Transform::subscript_bound(Scope& scope, const Node* node) {
  if (node == nullptr) return nullptr;
  Expr* e = TRY(expr(scope, node));
  const bool can = TRY(can_coerce(e->type, type_oid::int4, CoercionContext::assignment));
  if (!can) {
    return error(sqlstate::datatype_mismatch, "array subscript must have type integer",
                 e->location);
  }
  return coerce(&scope, e, type_oid::int4, -1, CoercionContext::assignment, CallForm::implicit_cast,
                -1);
}

Result<SubscriptExpr*> Transform::subscript(Scope& scope, Expr* container, NodeList steps,
                                            int location) {
  const Oid base = TRY(context_.catalog.base_type(context_.fiber, container->type, nullptr));
  if (base == type_oid::jsonb) return jsonb_subscript(*this, scope, container, steps, location);
  const CatalogType* info = TRY(type(base));
  if (!info->subscript || !info->is_true_array()) {
    return error(sqlstate::datatype_mismatch,
                 cat("cannot subscript type ", name_of(container->type),
                     " because it does not support subscripting"),
                 container->location);
  }
  auto* made = node<SubscriptExpr>(ExprTag::subscript, info->element, location);
  made->container_type = base;
  made->element_type = info->element;
  made->container = container;
  const bool slice = has_slice(steps);
  std::vector<Expr*> upper;
  std::vector<Expr*> lower;
  for (const Node* step : steps) {
    const auto& index = as<A_Indices>(*step);
    Expr* bound = TRY(subscript_bound(scope, index.uidx));
    upper.push_back(bound);
    if (!slice) continue;
    if (index.is_slice) {
      bound = TRY(subscript_bound(scope, index.lidx));
    } else {  // a[5] among slices means a[1:5]
      bound = make_constant(type_oid::int4, {Datum::of(int32_t{1}), false}, 4, false, -1);
    }
    lower.push_back(bound);
  }
  made->upper = arena_.copy_array(upper);
  made->lower = arena_.copy_array(lower);
  if (slice) made->type = base;
  made->typmod = container->typmod;
  made->collation = container->collation;
  return made;
}

Result<Oid> Transform::assigned_type(Oid column_type, NodeList steps) {
  if (steps.empty()) return column_type;
  const CatalogType* info = TRY(type(column_type));
  return info->is_true_array() && !has_slice(steps) ? info->element : column_type;
}

Result<Expr*> Transform::assign_subscript(Scope& scope, Expr* container, NodeList steps,
                                          Expr* value, int location) {
  SubscriptExpr* made = TRY(subscript(scope, container, steps, location));
  made->assign = value;
  made->type = made->container_type;
  return made;
}

}  // namespace orrery
