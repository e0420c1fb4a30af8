#include "sql/parser_internal.h"

namespace orrery {
namespace {

// The lower of two places, where -1 is none.
int leftmost(int a, int b) { return a < 0 ? b : b < 0 ? a : std::min(a, b); }

}  // namespace

// Where an expression begins: a binary operator's own place is the operator's.
int Parser::expression_location(const Node* node) {
  int location = -1;
  while (node != nullptr) {
    if (const A_Expr* const expr = as_if<A_Expr>(node)) {
      location = leftmost(location, expr->location);
      node = expr->lexpr;
    } else if (const BoolExpr* const boolean = as_if<BoolExpr>(node)) {
      location = leftmost(location, boolean->location);
      node = boolean->args[0];
    } else if (const TypeCast* const cast = as_if<TypeCast>(node)) {
      location = leftmost(location, cast->location);
      node = cast->arg;
    } else if (const NullTest* const test = as_if<NullTest>(node)) {
      location = leftmost(location, test->location);
      node = test->arg;
    } else if (const BooleanTest* const truth = as_if<BooleanTest>(node)) {
      location = leftmost(location, truth->location);
      node = truth->arg;
    } else if (const CollateClause* const collate = as_if<CollateClause>(node)) {
      location = leftmost(location, collate->location);
      node = collate->arg;
    } else if (const A_Indirection* const whole = as_if<A_Indirection>(node)) {
      node = whole->arg;
    } else if (const SubLink* const link = as_if<SubLink>(node)) {
      location = leftmost(location, link->location);
      node = link->testexpr;
    } else if (const FuncCall* const call = as_if<FuncCall>(node)) {
      location = leftmost(location, call->location);
      node = call->args.empty() ? nullptr : call->args[0];
    } else {
      return leftmost(location, node->location);
    }
  }
  return location;
}

// A constant, as CYCLE ... TO takes it.
const Node* Parser::aexpr_const() {
  const Node* const node = c_expr(false);
  if (!failed_ && node->tag != NodeTag::A_Const && node->tag != NodeTag::TypeCast) syntax_error();
  return node;
}

}  // namespace orrery
