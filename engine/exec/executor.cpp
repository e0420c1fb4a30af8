#include "exec/executor.h"

#include "access/access.h"
#include "analyze/analyzer.h"
#include "base/text.h"
#include "exec/detoast.h"
#include "exec/eval.h"
#include "exec/row_store.h"
#include "exec/shared_rows.h"

namespace orrery {

PlanRun::PlanRun(std::unique_ptr<ExecContext> context)
    : context_(std::move(context)), arena_(&context_->budget) {}

Result<std::unique_ptr<PlanRun>> PlanRun::start(std::unique_ptr<ExecContext> context) {
  auto made = std::make_unique<PlanRun>(std::move(context));
  const Plan& plan = made->context_->plan;
  made->root_ = TRY(make_operator(*made->context_, *plan.root));
  made->descs_ = TRY(column_descs(*made->context_, plan.result_columns));
  made->columns_.resize(plan.result_columns.size());
  return made;
}

Result<Batch*> PlanRun::next() {
  arena_.reset();
  Batch* in = TRY(root_->next());
  if (in == nullptr) return nullptr;
  // Result columns come first among the root's targets; what sorting and locking added follows.
  CHECK(in->columns.size() >= columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    columns_[c] = in->columns[c];
    TRY(detoast_column(*context_, arena_, columns_[c], in->rows, descs_[c]));
  }
  out_ = Batch{columns_, in->rows, in->tids};
  return &out_;
}

Status PlanRun::finish() {
  for (size_t i = 0; i < context_->plan.modifying_ctes.size(); ++i) {
    CteState& state = context_->shared_rows(context_->plan.modifying_cte_params[i]);
    if (state.source == nullptr) {
      const PlanNode& source =
          *context_->plan.subplans[static_cast<size_t>(context_->plan.modifying_ctes[i])];
      state.owned_source = TRY(make_operator(*context_, source));
      state.source = state.owned_source.get();
    }
    while (!state.complete) {
      Batch* batch = TRY(state.source->next());
      state.complete = batch == nullptr;
    }
  }
  return {};
}

Result<uint32_t> StoredWorld::pages(Fiber& fiber, FileId file) {
  if (access_ == nullptr || !file) return 0U;
  const BlockNo blocks = TRY(access_->storage().file_size(fiber, file));
  return blocks.v;
}

Result<Expr*> StoredWorld::column_default(Fiber& fiber, Arena& arena, const RelationInfo& relation,
                                          int number) {
  const ColumnInfo& column = relation.column(static_cast<int16_t>(number));
  if (column.generated != '\0') return unsupported("a generated column");
  if (column.default_expr.empty())
    return unsupported(cat("the default of identity column \"", column.name, "\""));
  SearchPath path;
  path.namespaces = {kPgCatalogNamespace};
  const std::string_view text = arena.copy(column.default_expr);
  AnalyzeContext context{.fiber = fiber,
                         .arena = arena,
                         .catalog = catalog_,
                         .path = path,
                         .session = session_,
                         .text = text};
  const ColumnDesc& desc = relation.desc()[static_cast<size_t>(number - 1)];
  return analyze_expression_text(context, text, nullptr, desc.type, desc.typmod, column.name);
}

Result<NullableDatum> StoredWorld::evaluate(Fiber& fiber, Arena& arena, const Expr& expr) {
  const Plan none;
  MemoryBudget budget(nullptr, uint64_t{64} << 20);
  Arena steps(&budget);
  ExecContext context(fiber, steps, budget, catalog_, session_, none);
  context.access = access_;
  Evaluator evaluator = TRY(Evaluator::compile(context, expr, [](const Expr&) { return -1; }));
  const NullableDatum value = TRY(evaluator.single(steps));
  if (value.is_null) return value;
  const CatalogType* type = TRY(catalog_.type(fiber, expr.type));
  return NullableDatum{copy_datum(arena, value.value, type->column()), false};
}

}  // namespace orrery
