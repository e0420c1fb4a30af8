// A snapshot is three numbers. It sees what committed at or before `visible` on the log's line, and
// its own transaction's work of earlier commands. There is no list of running transactions: a
// transaction that was running when the snapshot was taken commits later, hence at a higher LSN
//.
//
// Invariant: transactions become visible in LSN order, so for every transaction that ended with
// CommitTs <= visible the answer was already yes when the snapshot was taken, and stays so.
#pragma once

#include "base/ids.h"

namespace orrery {

class Transaction;
class TransactionManager;

struct Snapshot {
  Lsn visible;
  const Transaction* own = nullptr;  // null: nobody's uncommitted work is seen
  CommandId command;                 // own work of lower commands is seen

  bool sees(CommitTs ts) const { return ts.v != 0 && ts.v <= visible.v; }
};

// A snapshot in use: while it lives, row versions it can see are not pruned. One per running
// statement, portal, or REPEATABLE READ transaction.
class RegisteredSnapshot {
 public:
  RegisteredSnapshot(TransactionManager& manager, const Snapshot& snapshot);
  RegisteredSnapshot(const RegisteredSnapshot&) = delete;
  ~RegisteredSnapshot();

  const Snapshot& get() const { return snapshot_; }
  operator const Snapshot&() const { return snapshot_; }  // NOLINT: it is one
  // Later commands of the own transaction see more of its own work.
  void set_command(CommandId command) { snapshot_.command = command; }

 private:
  TransactionManager& manager_;
  Snapshot snapshot_;
};

}  // namespace orrery
