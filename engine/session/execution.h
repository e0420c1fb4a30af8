// One run of a plan: its snapshot, its memory, its operators. A portal holds one; so does a
// statement of a simple query while it runs. Rows go to a sink, as many as are asked for; what is
// left of a batch waits for the next call.
#pragma once

#include <memory>
#include <optional>

#include "access/access.h"
#include "exec/operator.h"
#include "exec/row_change.h"
#include "session/planned_statement.h"
#include "txn/transaction_manager.h"

namespace orrery {

class Execution {
 public:
  struct World {
    Access& access;
    Transaction& transaction;
    CatalogReader& catalog;      // outlives the execution
    const SessionView& session;  // as well
    MemoryBudget& budget;
    RelatedStatements* related;  // for what follows from changed rows
    uint64_t work_mem_bytes;
  };
  // `parameters` are copied; their values must lie in memory that outlives this.
  Execution(Fiber& fiber, StatementRef statement, const World& world, const Snapshot& snapshot,
            std::span<const NullableDatum> parameters);
  Execution(const Execution&) = delete;
  ~Execution();

  Status start();
  // The next rows as the client sees them, without junk columns and with plain values; null at the
  // end. At most `limit` of them, 0 for as many as come.
  Result<const Batch*> next(uint64_t limit);
  bool is_done() const { return done_; }
  // Rows returned, or changed by INSERT, UPDATE, DELETE.
  uint64_t rows_processed() const;
  // "SELECT 3", "INSERT 0 1".
  std::string command_tag() const;
  Operator& root() { return *root_; }
  ExecContext& context() { return context_; }
  const PlannedStatement& statement() const { return *statement_; }

 private:
  Status fetch();
  Status make_plain(Batch& batch);

  StatementRef statement_;
  Arena arena_;
  std::vector<NullableDatum> parameters_;
  RegisteredSnapshot snapshot_;
  ExecContext context_;
  OperatorPtr root_;
  std::vector<Vector> columns_;  // of the batch at hand, in the client's order
  Arena plain_;                  // detoasted values of it
  Batch held_;                   // what `next` has not handed out yet
  Batch out_;
  bool has_held_ = false;
  bool done_ = false;
  uint64_t rows_returned_ = 0;
};

}  // namespace orrery
