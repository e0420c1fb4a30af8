#include "exec/functions.h"

#include "base/text.h"
#include "exec/keys.h"
#include "exec/shared_rows.h"

namespace orrery {

ExecContext::ExecContext(Fiber& fiber_in, Arena& arena_in, MemoryBudget& budget_in,
                         CatalogReader& catalog_in, const SessionView& session_in,
                         const Plan& plan_in)
    : fiber(fiber_in),
      arena(arena_in),
      budget(budget_in),
      catalog(catalog_in),
      session(session_in),
      plan(plan_in) {
  exec_params.resize(static_cast<size_t>(plan.exec_params));
  init_plan_done.resize(static_cast<size_t>(plan.exec_params));
  param_versions_.resize(static_cast<size_t>(plan.exec_params));
}
ExecContext::~ExecContext() = default;

void ExecContext::keep(std::unique_ptr<Operator> made) { kept_.push_back(std::move(made)); }

CteState& ExecContext::shared_rows(int number) {
  const auto n = static_cast<size_t>(number);
  if (shared_.size() <= n) shared_.resize(n + 1);
  if (shared_[n] == nullptr) shared_[n] = std::make_unique<CteState>();
  return *shared_[n];
}

Result<const FunctionBody*> function_body(ExecContext& context, Oid function) {
  const FunctionInfo* info = TRY(context.catalog.function(context.fiber, function));
  if (info == nullptr)
    return raise(sqlstate::undefined_function,
                 cat("function with OID ", function, " does not exist"));
  const FunctionBody* body = find_function(function, info->source);
  if (body == nullptr) return unsupported(cat("function ", info->name));
  return body;
}

Result<ColumnDesc> type_desc(ExecContext& context, Oid type) {
  const CatalogType* info = TRY(context.catalog.type(context.fiber, type));
  if (info == nullptr)
    return raise(sqlstate::undefined_object, cat("type with OID ", type, " does not exist"));
  return info->column();
}

Result<TypeOrder> type_order(ExecContext& context, Oid type) {
  const Oid base = TRY(context.catalog.base_type(context.fiber, type, nullptr));
  const CatalogType* info = TRY(context.catalog.type(context.fiber, base));
  if (info == nullptr)
    return raise(sqlstate::undefined_object, cat("type with OID ", type, " does not exist"));
  return TypeOrder{info->io.compare, info->io.hash};
}

Result<std::vector<ColumnDesc>> column_descs(ExecContext& context,
                                             std::span<const TargetEntry> targets) {
  std::vector<ColumnDesc> out;
  for (const TargetEntry& target : targets)
    out.push_back(TRY(type_desc(context, target.expr->type)));
  return out;
}

Result<KeyColumn> key_of_type(ExecContext& context, Oid type, int column) {
  const TypeOrder order = TRY(type_order(context, type));
  if (order.compare == nullptr)
    return unsupported(cat("comparison of values of the type with OID ", type));
  const ColumnDesc desc = TRY(type_desc(context, type));
  KeyColumn key{};
  key.column = column;
  key.compare = order.compare;
  key.hash = order.hash;
  // Words of by-value types are canonical, except floats: -0 equals 0.
  key.plain_words = desc.by_value && type != Oid(700) && type != Oid(701);
  return key;
}

}  // namespace orrery
