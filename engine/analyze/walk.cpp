#include "analyze/walk.h"

namespace orrery {
namespace {

// Every direct child slot of a node, as a reference to the pointer: reading, changing and comparing
// all go through here.
template <class ExprRef, class Visit>
void visit_slots(ExprRef& e, Visit&& visit) {
  auto one = [&](auto*& slot) {
    if (slot != nullptr) visit(slot);
  };
  auto all = [&](auto& slots) {
    for (auto*& slot : slots) one(slot);
  };
  switch (e.tag) {
    case ExprTag::constant:
    case ExprTag::var:
    case ExprTag::param:
    case ExprTag::case_test:
    case ExprTag::sql_value:
    case ExprTag::set_to_default: return;
    case ExprTag::call:           all(as<CallExpr>(e).args); return;
    case ExprTag::scalar_array:
      one(as<ScalarArrayExpr>(e).left);
      one(as<ScalarArrayExpr>(e).array);
      return;
    case ExprTag::boolean: all(as<BooleanExpr>(e).args); return;
    case ExprTag::case_:   {
      auto& c = as<CaseNode>(e);
      one(c.arg);
      for (auto& arm : c.whens) {
        one(arm.when);
        one(arm.then);
      }
      one(c.otherwise);
      return;
    }
    case ExprTag::coalesce:     all(as<CoalesceNode>(e).args); return;
    case ExprTag::min_max:      all(as<MinMaxNode>(e).args); return;
    case ExprTag::null_test:    one(as<NullTestExpr>(e).arg); return;
    case ExprTag::boolean_test: one(as<BooleanTestExpr>(e).arg); return;
    case ExprTag::sublink:      one(as<SublinkExpr>(e).test); return;
    case ExprTag::aggregate:    {
      auto& a = as<AggregateExpr>(e);
      for (auto& arg : a.args) one(arg.expr);
      all(a.direct_args);
      one(a.filter);
      return;
    }
    case ExprTag::window:
      all(as<WindowExpr>(e).args);
      one(as<WindowExpr>(e).filter);
      return;
    case ExprTag::grouping:  all(as<GroupingExpr>(e).args); return;
    case ExprTag::array:     all(as<ArrayExpr>(e).elements); return;
    case ExprTag::row:       all(as<RowNode>(e).fields); return;
    case ExprTag::subscript: {
      auto& s = as<SubscriptExpr>(e);
      one(s.container);
      all(s.upper);
      all(s.lower);
      one(s.assign);
      return;
    }
    case ExprTag::field_select: one(as<FieldSelectExpr>(e).arg); return;
    case ExprTag::row_compare:
      all(as<RowCompareExpr>(e).left);
      all(as<RowCompareExpr>(e).right);
      return;
    case ExprTag::relabel:       one(as<RelabelExpr>(e).arg); return;
    case ExprTag::coerce_via_io: one(as<CoerceViaIoExpr>(e).arg); return;
    case ExprTag::array_coerce:
      one(as<ArrayCoerceExpr>(e).arg);
      one(as<ArrayCoerceExpr>(e).element);
      return;
    case ExprTag::coerce_to_domain: one(as<CoerceToDomainExpr>(e).arg); return;
    case ExprTag::sub_plan:
      one(as<SubPlanExpr>(e).test);
      all(as<SubPlanExpr>(e).param_values);
      return;
  }
  UNREACHABLE();
}

template <class T>
Expr* copy_node(Arena& arena, const Expr& e) {
  return arena.make<T>(as<T>(e));
}

template <class T>
void own(Arena& arena, std::span<T>& items) {
  items = arena.copy_array(items);
}

// A shallow copy that owns its own child lists, so that they can be changed.
Expr* shallow_copy(Arena& arena, const Expr& e) {
  switch (e.tag) {
    case ExprTag::constant:       return copy_node<ConstantExpr>(arena, e);
    case ExprTag::var:            return copy_node<VarExpr>(arena, e);
    case ExprTag::param:          return copy_node<ParamExpr>(arena, e);
    case ExprTag::case_test:      return copy_node<CaseTestExpr>(arena, e);
    case ExprTag::sql_value:      return copy_node<SqlValueExpr>(arena, e);
    case ExprTag::set_to_default: return copy_node<SetToDefaultExpr>(arena, e);
    case ExprTag::call:           {
      Expr* c = copy_node<CallExpr>(arena, e);
      own(arena, as<CallExpr>(*c).args);
      return c;
    }
    case ExprTag::scalar_array: return copy_node<ScalarArrayExpr>(arena, e);
    case ExprTag::boolean:      {
      Expr* c = copy_node<BooleanExpr>(arena, e);
      own(arena, as<BooleanExpr>(*c).args);
      return c;
    }
    case ExprTag::case_: {
      Expr* c = copy_node<CaseNode>(arena, e);
      own(arena, as<CaseNode>(*c).whens);
      return c;
    }
    case ExprTag::coalesce: {
      Expr* c = copy_node<CoalesceNode>(arena, e);
      own(arena, as<CoalesceNode>(*c).args);
      return c;
    }
    case ExprTag::min_max: {
      Expr* c = copy_node<MinMaxNode>(arena, e);
      own(arena, as<MinMaxNode>(*c).args);
      return c;
    }
    case ExprTag::null_test:    return copy_node<NullTestExpr>(arena, e);
    case ExprTag::boolean_test: return copy_node<BooleanTestExpr>(arena, e);
    case ExprTag::sublink:      return copy_node<SublinkExpr>(arena, e);
    case ExprTag::aggregate:    {
      Expr* c = copy_node<AggregateExpr>(arena, e);
      own(arena, as<AggregateExpr>(*c).args);
      own(arena, as<AggregateExpr>(*c).direct_args);
      return c;
    }
    case ExprTag::window: {
      Expr* c = copy_node<WindowExpr>(arena, e);
      own(arena, as<WindowExpr>(*c).args);
      return c;
    }
    case ExprTag::grouping: {
      Expr* c = copy_node<GroupingExpr>(arena, e);
      own(arena, as<GroupingExpr>(*c).args);
      return c;
    }
    case ExprTag::array: {
      Expr* c = copy_node<ArrayExpr>(arena, e);
      own(arena, as<ArrayExpr>(*c).elements);
      return c;
    }
    case ExprTag::row: {
      Expr* c = copy_node<RowNode>(arena, e);
      own(arena, as<RowNode>(*c).fields);
      return c;
    }
    case ExprTag::subscript: {
      Expr* c = copy_node<SubscriptExpr>(arena, e);
      own(arena, as<SubscriptExpr>(*c).upper);
      own(arena, as<SubscriptExpr>(*c).lower);
      return c;
    }
    case ExprTag::field_select: return copy_node<FieldSelectExpr>(arena, e);
    case ExprTag::row_compare:  {
      Expr* c = copy_node<RowCompareExpr>(arena, e);
      own(arena, as<RowCompareExpr>(*c).left);
      own(arena, as<RowCompareExpr>(*c).right);
      return c;
    }
    case ExprTag::relabel:          return copy_node<RelabelExpr>(arena, e);
    case ExprTag::coerce_via_io:    return copy_node<CoerceViaIoExpr>(arena, e);
    case ExprTag::array_coerce:     return copy_node<ArrayCoerceExpr>(arena, e);
    case ExprTag::coerce_to_domain: return copy_node<CoerceToDomainExpr>(arena, e);
    case ExprTag::sub_plan:         {
      Expr* c = copy_node<SubPlanExpr>(arena, e);
      own(arena, as<SubPlanExpr>(*c).param_values);
      return c;
    }
  }
  UNREACHABLE();
}

bool constants_equal(const ConstantExpr& a, const ConstantExpr& b) {
  if (a.value.is_null || b.value.is_null) return a.value.is_null && b.value.is_null;
  return a.value.value.raw == b.value.value.raw ||
         (a.by_reference && b.by_reference && a.bytes() == b.bytes());
}

// What a node says beside its children.
bool same_head(const Expr& a, const Expr& b) {
  if (a.tag != b.tag || a.type != b.type || a.typmod != b.typmod) return false;
  switch (a.tag) {
    case ExprTag::constant: return constants_equal(as<ConstantExpr>(a), as<ConstantExpr>(b));
    case ExprTag::var:      {
      const auto& x = as<VarExpr>(a);
      const auto& y = as<VarExpr>(b);
      return x.range == y.range && x.attno == y.attno && x.levels_up == y.levels_up;
    }
    case ExprTag::param:
      return as<ParamExpr>(a).kind == as<ParamExpr>(b).kind &&
             as<ParamExpr>(a).id == as<ParamExpr>(b).id;
    case ExprTag::call: {
      const auto& x = as<CallExpr>(a);
      const auto& y = as<CallExpr>(b);
      return x.function == y.function && x.distinct == y.distinct && x.null_if == y.null_if &&
             x.input_collation == y.input_collation;
    }
    case ExprTag::scalar_array:
      return as<ScalarArrayExpr>(a).function == as<ScalarArrayExpr>(b).function &&
             as<ScalarArrayExpr>(a).use_or == as<ScalarArrayExpr>(b).use_or;
    case ExprTag::boolean:      return as<BooleanExpr>(a).kind == as<BooleanExpr>(b).kind;
    case ExprTag::min_max:      return as<MinMaxNode>(a).greatest == as<MinMaxNode>(b).greatest;
    case ExprTag::null_test:    return as<NullTestExpr>(a).is_null == as<NullTestExpr>(b).is_null;
    case ExprTag::boolean_test: return as<BooleanTestExpr>(a).kind == as<BooleanTestExpr>(b).kind;
    case ExprTag::sublink:      return as<SublinkExpr>(a).subquery == as<SublinkExpr>(b).subquery;
    case ExprTag::aggregate:    {
      const auto& x = as<AggregateExpr>(a);
      const auto& y = as<AggregateExpr>(b);
      if (x.is_volatile || y.is_volatile) return false;
      return x.function == y.function && x.star == y.star && x.levels_up == y.levels_up &&
             x.order_by.size() == y.order_by.size() && x.distinct.size() == y.distinct.size() &&
             (x.filter == nullptr) == (y.filter == nullptr) && x.order_by.empty();
    }
    case ExprTag::window:       return &a == &b;
    case ExprTag::grouping:     return as<GroupingExpr>(a).levels_up == as<GroupingExpr>(b).levels_up;
    case ExprTag::field_select: return as<FieldSelectExpr>(a).field == as<FieldSelectExpr>(b).field;
    case ExprTag::row_compare:  return as<RowCompareExpr>(a).kind == as<RowCompareExpr>(b).kind;
    case ExprTag::sql_value:    return as<SqlValueExpr>(a).kind == as<SqlValueExpr>(b).kind;
    case ExprTag::subscript:    {
      const auto& x = as<SubscriptExpr>(a);
      const auto& y = as<SubscriptExpr>(b);
      return x.lower.size() == y.lower.size() && (x.assign == nullptr) == (y.assign == nullptr);
    }
    case ExprTag::sub_plan: return as<SubPlanExpr>(a).plan == as<SubPlanExpr>(b).plan;
    case ExprTag::case_:
      return (as<CaseNode>(a).arg == nullptr) == (as<CaseNode>(b).arg == nullptr);
    case ExprTag::case_test:
    case ExprTag::coalesce:
    case ExprTag::array:
    case ExprTag::row:
    case ExprTag::relabel:
    case ExprTag::coerce_via_io:
    case ExprTag::array_coerce:
    case ExprTag::coerce_to_domain:
    case ExprTag::set_to_default:   return true;
  }
  UNREACHABLE();
}

}  // namespace

void for_each_child(const Expr& expr, FunctionRef<void(const Expr&)> visit) {
  // The slots are only read: visit_slots needs a non-const node to hand out references.
  visit_slots(const_cast<Expr&>(expr), [&](Expr*& slot) { visit(*slot); });
}

Expr* map_children(Arena& arena, Expr* expr, FunctionRef<Expr*(Expr*)> change) {
  bool changed = false;
  Expr* copy = nullptr;
  std::vector<Expr*> made;
  visit_slots(*expr, [&](Expr*& slot) {
    Expr* now = change(slot);
    changed = changed || now != slot;
    made.push_back(now);
  });
  if (!changed) return expr;
  copy = shallow_copy(arena, *expr);
  size_t at = 0;
  visit_slots(*copy, [&](Expr*& slot) { slot = made[at++]; });
  return copy;
}

bool any_expr(const Expr& expr, FunctionRef<bool(const Expr&)> test) {
  if (test(expr)) return true;
  bool found = false;
  for_each_child(expr, [&](const Expr& child) { found = found || any_expr(child, test); });
  return found;
}

bool expr_equal(const Expr* a, const Expr* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr) return false;
  if (!same_head(*a, *b)) return false;
  std::vector<const Expr*> left;
  std::vector<const Expr*> right;
  for_each_child(*a, [&](const Expr& child) { left.push_back(&child); });
  for_each_child(*b, [&](const Expr& child) { right.push_back(&child); });
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!expr_equal(left[i], right[i])) return false;
  }
  return true;
}

}  // namespace orrery
