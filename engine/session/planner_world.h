// What the planner asks of the node: how large files are, what defaults mean, what constants come
// to.
#pragma once

#include "access/access.h"
#include "analyze/analyzer.h"
#include "plan/planner.h"

namespace orrery {

class NodePlannerWorld final : public PlannerWorld {
 public:
  // `visible`: of the snapshot that what is planned will run under, or of an older one.
  NodePlannerWorld(Access& access, CatalogReader& catalog, const SearchPath& path,
                   const SessionView& session, MemoryBudget& budget, Lsn visible)
      : access_(access),
        catalog_(catalog),
        path_(path),
        session_(session),
        budget_(budget),
        visible_(visible) {}

  Result<uint32_t> pages(Fiber& fiber, FileId file) override;
  Result<bool> index_serves(Fiber& fiber, FileId index) override;
  Result<Expr*> column_default(Fiber& fiber, Arena& arena, const RelationInfo& relation,
                               int number) override;
  Result<NullableDatum> evaluate(Fiber& fiber, Arena& arena, const Expr& expr) override;

 private:
  Access& access_;
  CatalogReader& catalog_;
  const SearchPath& path_;
  const SessionView& session_;
  MemoryBudget& budget_;
  const Lsn visible_;
};

}  // namespace orrery
