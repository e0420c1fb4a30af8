// Which collation an expression has, and by what right: PostgreSQL's rules for collations that
// meet. One that COLLATE gives beats one that a column has, which beats the default; two of equal
// right that differ are an error at once where COLLATE gave them, and else only where an order is
// wanted. Every collation here orders by bytes, so nothing but the errors depends on it.
#pragma once

#include "analyze/transform.h"

namespace orrery {

// The one that a function of these arguments works by; none where none has one, or columns' differ.
// 42P21 when two that COLLATE gave differ.
Result<Oid> input_collation(Transform& t, std::span<Expr* const> args);
// 42P21 for an expression to be sorted or grouped by whose collations differ.
Status check_sort_collation(Transform& t, const Expr& expr);
// The collation of a column of two; with `may_differ` none, where they differ, else 42P21.
Result<Oid> common_collation(Transform& t, Oid left, Oid right, bool may_differ, int location);

}  // namespace orrery
