#include "analyze/collations.h"

#include "analyze/walk.h"
#include "base/text.h"
#include "catalog/builtin.h"

namespace orrery {
namespace {

enum class CollationRight : uint8_t { none, implicit, conflict, explicit_ };
struct CollationState {
  Oid collation;
  CollationRight right = CollationRight::none;
  int location = -1;
  Oid other;  // of a conflict
};

Status mismatch(Transform& t, std::string_view kind, Oid a, Oid b, int location) {
  std::string names[2];
  for (int i = 0; i < 2; ++i) {
    const CollationInfo* const info =
        TRY(t.context_.catalog.collation(t.context_.fiber, i == 0 ? a : b));
    names[i] = info == nullptr ? "???" : info->name;
  }
  return t.error(sqlstate::collation_mismatch,
                 cat("collation mismatch between ", kind, " collations \"", names[0], "\" and \"",
                     names[1], "\""),
                 location);
}

Status implicit_mismatch(Transform& t, Oid a, Oid b, int location) {
  Status status = mismatch(t, "implicit", a, b, location);
  return std::move(status).hint(
      "You can choose the collation by applying the COLLATE clause to one or both expressions.");
}

Status merge(Transform& t, CollationState& into, const CollationState& more) {
  using enum CollationRight;
  if (more.right > into.right) {
    into = more;
    return {};
  }
  if (more.right < into.right || more.collation == into.collation) return {};
  if (more.right == explicit_) {
    return mismatch(t, "explicit", into.collation, more.collation, more.location);
  }
  if (more.right != implicit) return {};
  if (into.collation == kDefaultCollation) {
    into = more;
  } else if (more.collation != kDefaultCollation) {
    into.right = conflict;
    into.other = more.collation;
    into.location = more.location;
  }
  return {};
}

// COLLATE is a change of nothing but the collation.
bool is_collate(const Expr& e) {
  return e.tag == ExprTag::relabel && as<RelabelExpr>(e).form == CallForm::explicit_cast &&
         as<RelabelExpr>(e).arg->type == e.type;
}
bool has_own_collation(const Expr& e) {
  return e.tag == ExprTag::var || e.tag == ExprTag::constant || e.tag == ExprTag::param ||
         e.tag == ExprTag::case_test || e.tag == ExprTag::sublink || e.tag == ExprTag::sql_value ||
         e.tag == ExprTag::sub_plan || e.tag == ExprTag::field_select;
}

Result<CollationState> state_of(Transform& t, const Expr& e) {
  using enum CollationRight;
  if (is_collate(e)) return CollationState{e.collation, explicit_, e.location, {}};
  if (has_own_collation(e))
    return CollationState{e.collation, e.collation ? implicit : none, e.location, {}};
  if (!e.collation) return CollationState{};
  CollationState state;
  Status status;
  for_each_child(e, [&](const Expr& child) {
    if (!status.ok()) return;
    Result<CollationState> below = state_of(t, child);
    status = below.ok() ? merge(t, state, *below) : std::move(below).status();
  });
  TRY(std::move(status));
  if (state.right == none) return CollationState{e.collation, implicit, e.location, {}};
  return state;
}

}  // namespace

Result<Oid> input_collation(Transform& t, std::span<Expr* const> args) {
  CollationState state;
  for (const Expr* arg : args) {
    const CollationState one = TRY(state_of(t, *arg));
    TRY(merge(t, state, one));
  }
  return state.right == CollationRight::conflict ? kInvalidOid : state.collation;
}

Status check_sort_collation(Transform& t, const Expr& expr) {
  if (!expr.collation || has_own_collation(expr)) return {};
  const CollationState state = TRY(state_of(t, expr));
  if (state.right != CollationRight::conflict) return {};
  return implicit_mismatch(t, state.collation, state.other, state.location);
}

Result<Oid> common_collation(Transform& t, Oid left, Oid right, bool may_differ, int location) {
  if (!left) left = kDefaultCollation;
  if (!right || right == kDefaultCollation || left == right) return left;
  if (left == kDefaultCollation) return right;
  if (may_differ) return kInvalidOid;
  return implicit_mismatch(t, left, right, location);
}

}  // namespace orrery
