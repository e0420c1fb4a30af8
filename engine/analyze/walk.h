// Walking and rebuilding typed expressions: one place that knows every node's children.
#pragma once

#include "analyze/expr.h"
#include "base/arena.h"
#include "base/function.h"

namespace orrery {

// Calls `visit` for each direct child, in order of evaluation. Sublinks: the test, not the
// subquery.
void for_each_child(const Expr& expr, FunctionRef<void(const Expr&)> visit);

// A copy of `expr` whose direct children are what `change` makes of them; the node itself when none
// changed.
Expr* map_children(Arena& arena, Expr* expr, FunctionRef<Expr*(Expr*)> change);

// True when `test` holds for the expression or anything below it.
bool any_expr(const Expr& expr, FunctionRef<bool(const Expr&)> test);

// Equal in everything but location.
bool expr_equal(const Expr* a, const Expr* b);

}  // namespace orrery
