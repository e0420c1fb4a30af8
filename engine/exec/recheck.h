// READ COMMITTED's second look at a row that changed meanwhile (PostgreSQL's EvalPlanQual): the
// plan below a LockRows or ModifyTable is run once more, with each of its tables reduced to one row
// version: the newest of the row that changed, the same as before of the others. What comes out, if
// anything, takes the place of the row as it was.
#pragma once

#include "exec/operator.h"

namespace orrery {

class RowRecheck {
 public:
  RowRecheck(ExecContext& context, const PlanNode& plan, std::span<const RecheckTable> tables)
      : outer_(context), plan_(plan), tables_(tables) {}

  // Row `row` of `in` with other versions of some rows. Null when it does not qualify any more. The
  // batch holds one row, and is valid until the next run.
  Result<Batch*> run(const Batch& in, uint32_t row, std::span<const FixedRow> changed);

 private:
  ExecContext& outer_;
  const PlanNode& plan_;
  std::span<const RecheckTable> tables_;
  std::vector<FixedRow> fixed_;
  std::unique_ptr<Arena> arena_;
  std::unique_ptr<ExecContext> context_;
  OperatorPtr root_;
};

// A stored tid (6 bytes) as a Tid.
Tid tid_of(Datum value);

}  // namespace orrery
