// Runs a plan without a session: for tests of the executor alone. Sessions have an Execution of
// their own (session/execution.h).
#pragma once

#include "exec/context.h"
#include "exec/operator.h"
#include "exec/row_change.h"
#include "plan/planner.h"

namespace orrery {

class PlanRun {
 public:
  // Everything in `context` outlives this. Makes and opens the operators.
  static Result<std::unique_ptr<PlanRun>> start(std::unique_ptr<ExecContext> context);

  // The next batch of result rows, without junk columns and with every value plain; null at the
  // end. An execution without result rows is run to its end by the first call, which returns null.
  Result<Batch*> next();
  // Runs data-modifying WITH queries to their end. Call once next() has returned null.
  Status finish();
  uint64_t rows_processed() const { return context_->rows_processed; }
  ExecContext& context() { return *context_; }
  Operator& root() { return *root_; }
  // At most this many rows will be asked for.
  void limit(uint64_t rows) { root_->set_row_limit(static_cast<double>(rows)); }

  // For start().
  explicit PlanRun(std::unique_ptr<ExecContext> context);

 private:
  std::unique_ptr<ExecContext> context_;
  Arena arena_;
  OperatorPtr root_;
  std::vector<ColumnDesc> descs_;
  std::vector<Vector> columns_;
  Batch out_;
};

// The planner's view of the world over open storage.
class StoredWorld : public PlannerWorld {
 public:
  StoredWorld(Access* access, CatalogReader& catalog, const SessionView& session)
      : access_(access), catalog_(catalog), session_(session) {}
  Result<uint32_t> pages(Fiber& fiber, FileId file) override;
  Result<Expr*> column_default(Fiber& fiber, Arena& arena, const RelationInfo& relation,
                               int number) override;
  Result<NullableDatum> evaluate(Fiber& fiber, Arena& arena, const Expr& expr) override;

 private:
  Access* access_;
  CatalogReader& catalog_;
  const SessionView& session_;
};

}  // namespace orrery
