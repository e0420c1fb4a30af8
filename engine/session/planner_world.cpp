#include "session/planner_world.h"

#include "base/text.h"
#include "catalog/relation_info.h"
#include "exec/eval.h"

namespace orrery {

Result<uint32_t> NodePlannerWorld::pages(Fiber& fiber, FileId file) {
  const BlockNo size = TRY(access_.storage().file_size(fiber, file));
  return size.v;
}

Result<bool> NodePlannerWorld::index_serves(Fiber& fiber, FileId index) {
  return access_.index_serves(fiber, index, visible_);
}

Result<Expr*> NodePlannerWorld::column_default(Fiber& fiber, Arena& arena,
                                               const RelationInfo& relation, int number) {
  const ColumnInfo& column = relation.columns[static_cast<size_t>(number - 1)];
  const ColumnDesc& desc = relation.desc()[static_cast<size_t>(number - 1)];
  AnalyzeContext context{.fiber = fiber,
                         .arena = arena,
                         .catalog = catalog_,
                         .path = path_,
                         .session = session_,
                         .text = column.default_expr};
  return analyze_expression_text(context, column.default_expr, &relation, desc.type, desc.typmod,
                                 column.name);
}

Result<NullableDatum> NodePlannerWorld::evaluate(Fiber& fiber, Arena& arena, const Expr& expr) {
  const Plan none;
  ExecContext context(fiber, arena, budget_, catalog_, session_, none);
  const auto no_column = [](const Expr&) { return -1; };
  Evaluator evaluator = TRY(Evaluator::compile(context, expr, no_column));
  return evaluator.single(arena);
}

}  // namespace orrery
