// One run of a plan: its snapshot, its memory, its operators. A portal holds one; so does a
// statement of a simple query while it runs. Rows go to a sink, as many as are asked for; what is
// left of a batch waits for the next call.
//
// Building the operators of a short statement costs more than running them. So when a run is over
// the statement may keep it, at rest: without snapshot, transaction and parameters, but with
// operators opened and expressions compiled, for the next run of the same plan.
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
    const SessionView& session;  // outlives the execution
    MemoryBudget& budget;
    RelatedStatements* related;  // for what follows from changed rows
    uint64_t work_mem_bytes;
    double hash_mem_multiplier;
    std::vector<NodeMeasure>* measures = nullptr;  // for EXPLAIN ANALYZE: by node number
  };
  // A run of a planned statement, ready for next(): one that rested there, or a new one.
  // `parameters` are copied; their values must lie in memory that outlives the run.
  static Result<std::unique_ptr<Execution>> start(Fiber& fiber, StatementRef statement,
                                                  const World& world, const Snapshot& snapshot,
                                                  std::span<const NullableDatum> parameters);
  Execution(Fiber& fiber, StatementRef statement, const World& world);
  Execution(const Execution&) = delete;
  ~Execution();
  // Ends a run that came to its end without error: it rests with its statement if it can.
  static void end(std::unique_ptr<Execution> execution);

  // The next rows as the client sees them, without junk columns and with plain values; null at the
  // end. At most `limit` of them, 0 for as many as come.
  Result<const Batch*> next(uint64_t limit);
  // Rows returned, or changed by INSERT, UPDATE, DELETE.
  uint64_t rows_processed() const;
  // "SELECT 3", "INSERT 0 1".
  std::string command_tag() const;
  Operator& root() { return *root_; }
  ExecContext& context() { return context_; }
  const PlannedStatement& statement() const { return *statement_; }

 private:
  static constexpr uint64_t kMostBytesAtRest = uint64_t{256} << 10;

  Status open();
  void begin(const World& world, const Snapshot& snapshot,
             std::span<const NullableDatum> parameters);
  bool rest();
  Status fetch();
  Status make_plain(Batch& batch);

  StatementRef statement_;
  Arena arena_;
  std::vector<NullableDatum> parameters_;
  std::optional<RegisteredSnapshot> snapshot_;
  ExecContext context_;
  OperatorPtr root_;
  std::vector<ColumnDesc> descs_;  // of the result columns
  std::vector<Vector> columns_;    // of the batch at hand, in the client's order
  Arena plain_;                    // detoasted values of it
  Batch held_;                     // what `next` has not handed out yet
  Batch out_;
  bool has_held_ = false;
  bool done_ = false;
  uint64_t rows_returned_ = 0;
};

// "INSERT 0 3".
std::string command_tag(CommandType command, uint64_t rows);

}  // namespace orrery
