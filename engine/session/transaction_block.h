// Where a session stands between BEGIN and COMMIT. A statement outside a block is a transaction of
// its own; several in one message share an implicit block; BEGIN makes an explicit one.
//
//   state            a statement begins    it fails        COMMIT       ROLLBACK
//   idle             -> implicit           -               warning      warning
//   implicit         -                     -> idle         -> idle      -> idle
//   in_block         -                     -> failed       -> idle      -> idle
//   failed           refused (25P02)       -               rolls back   -> idle
//
// Savepoints nest inside a block: each is a level of the transaction. A statement that fails ends
// its level at once, locks and all; ROLLBACK TO opens it again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "session/backend.h"
#include "session/settings.h"
#include "sql/ast.h"
#include "txn/transaction_manager.h"

namespace orrery {

// What a session must do at the turns of its transaction.
class BlockObserver {
 public:
  virtual void transaction_began(Transaction& transaction) = 0;
  // What must happen while the transaction can still fail.
  virtual Status before_commit(Fiber& fiber) = 0;
  // The level and all above it are undone; level 1 is the whole transaction.
  virtual void level_ended(uint32_t level, bool committed) = 0;
  virtual void transaction_ended() = 0;
  virtual void notice(Severity severity, const Error& error) = 0;

 protected:
  ~BlockObserver() = default;
};

class TransactionBlock {
 public:
  enum class State : uint8_t { idle, implicit, in_block, failed };

  TransactionBlock(TransactionManager& manager, LockOwner& owner, Settings& settings,
                   BlockObserver& observer)
      : manager_(manager), owner_(owner), settings_(settings), observer_(observer) {}
  TransactionBlock(const TransactionBlock&) = delete;
  ~TransactionBlock() { CHECK(transaction_ == nullptr); }

  State state() const { return state_; }
  TransactionStatus status() const;
  // REQUIRES: a statement runs in a transaction.
  Transaction& transaction() { return *transaction_; }
  bool has_transaction() const { return transaction_ != nullptr; }
  // BEGIN was said; or several statements in one message share the transaction.
  bool is_in_block() const { return state_ == State::in_block || shared_; }
  // For commands that cannot be rolled back: 25001 when other statements are, or were, in the
  // transaction.
  Status check_alone(std::string_view command) const;
  // A statement ran to its end.
  void statement_ran() { has_run_ = true; }

  // Before each statement. `shared`: others of the same message are in the same implicit
  // transaction.
  void begin_statement(bool shared);
  // 25P02 in a failed block, unless `statement` may end it.
  Status check_allowed(const Node& statement) const;
  // The statement, or the message, is over: an implicit transaction is committed.
  Status end_implicit(Fiber& fiber);
  // It failed.
  void fail(Fiber& fiber);
  // The session ends.
  void abandon(Fiber& fiber);

  // BEGIN, COMMIT, SAVEPOINT ... Returns the command tag.
  Result<std::string> run(Fiber& fiber, const TransactionStmt& statement);
  // SET TRANSACTION: transaction_isolation, transaction_read_only, transaction_deferrable.
  Status set_isolation(Isolation isolation);
  Status set_read_only(bool read_only);
  void set_deferrable(bool deferrable);
  const TransactionOptions& options() const { return options_; }
  // A query runs: from here the isolation level is fixed.
  void took_snapshot() { took_snapshot_ = true; }

 private:
  struct Savepoint {
    std::string name;
    uint32_t level;
  };
  void begin(State state);
  Status apply_options(ListOf<DefElem> options);
  Status commit(Fiber& fiber);
  void rollback(Fiber& fiber);
  void ended();
  Result<std::string> begin_block(const TransactionStmt& statement);
  Result<std::string> end_block(Fiber& fiber, const TransactionStmt& statement, bool commit);
  Result<std::string> savepoint(const TransactionStmt& statement);
  Result<std::string> release(const TransactionStmt& statement);
  Result<std::string> rollback_to(Fiber& fiber, const TransactionStmt& statement);
  Result<size_t> find_savepoint(std::string_view name) const;
  void warn(const SqlState& code, std::string message);

  TransactionManager& manager_;
  LockOwner& owner_;
  Settings& settings_;
  BlockObserver& observer_;
  State state_ = State::idle;
  bool shared_ = false;
  bool has_run_ = false;
  bool took_snapshot_ = false;
  std::unique_ptr<Transaction>
      transaction_;  // null when idle, and when a block failed at its first level
  TransactionOptions options_;
  std::vector<Savepoint> savepoints_;
};

}  // namespace orrery
