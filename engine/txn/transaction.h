// One transaction of one session, with its savepoints. It is a record of what was done;
// TransactionManager acts on it.
//
//   state        leads to
//   active       committing (its record is appended), aborted
//   committing   committed (its record is committed and it became visible)
//   committed, aborted: ends
//
// Savepoints nest: level 1 is the transaction itself. A level gets an xid when it first writes,
// after its parents, so a parent's xid is always below its child's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/hash_map.h"
#include "base/ids.h"
#include "txn/lock_table.h"
#include "txn/snapshot.h"

namespace orrery {

enum class Isolation : uint8_t { read_uncommitted, read_committed, repeatable_read, serializable };
enum class TransactionState : uint8_t { active, committing, committed, aborted };
constexpr bool may_follow(TransactionState from, TransactionState to) {
  using enum TransactionState;
  switch (from) {
    case active:
      return to == committing || to == committed ||
             to == aborted;  // without an xid: committed at once
    case committing: return to == committed;
    case committed:
    case aborted:    return false;
  }
  return false;
}

struct TransactionOptions {
  Isolation isolation = Isolation::read_committed;
  bool read_only = false;
  bool deferrable = false;
};

struct InsertedRows {
  FileId file;
  uint64_t count;
};

class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  ~Transaction();  // REQUIRES: ended

  LockOwner& owner() const { return owner_; }
  TransactionState state() const { return state_; }
  const TransactionOptions& options() const { return options_; }
  // SET TRANSACTION; the session checks that it may.
  void set_options(const TransactionOptions& options) { options_ = options; }
  // READ COMMITTED takes a snapshot a statement, the others one a transaction.
  bool uses_one_snapshot() const { return options_.isolation >= Isolation::repeatable_read; }

  Xid xid() const { return levels_.front().xid; }  // of the whole; kInvalidXid until it writes
  Xid current_xid() const { return levels_.back().xid; }  // of the current level
  uint32_t depth() const { return static_cast<uint32_t>(levels_.size()); }
  CommitTs commit_ts() const { return commit_ts_; }

  // The number of the current command; what it writes bears it.
  CommandId command() const { return command_; }
  CommandId use_command() {
    command_used_ = true;
    return command_;
  }
  // Ends a command: later ones see its work. Keeps the number when nothing was written. 54000 after
  // 2^32-2 commands.
  Status next_command();

  // cmin and cmax in one field, for versions that this transaction both made and ended.
  uint32_t combine_commands(CommandId cmin, CommandId cmax);
  CommandId combo_cmin(uint32_t combo) const { return combos_[combo].cmin; }
  CommandId combo_cmax(uint32_t combo) const { return combos_[combo].cmax; }

  // A file made here goes if this level rolls back; a dropped one goes if the transaction commits.
  void created_file(FileId file) { levels_.back().created.push_back(file); }
  bool created_in_level(FileId file) const {
    const std::vector<FileId>& created = levels_.back().created;
    return std::find(created.begin(), created.end(), file) != created.end();
  }
  void dropped_file(FileId file) { levels_.back().dropped.push_back(file); }
  // Rows put into a file: they are dead if this level rolls back.
  void inserted_rows(FileId file, uint64_t count);
  // Bytes for the caches of all nodes, carried by the commit record; their meaning is the
  // catalog's.
  void add_invalidation(Bytes bytes);

  void check() const;

 private:
  friend class TransactionManager;
  struct Level {
    Xid xid{};
    std::vector<Xid> children;  // ids of levels that were released into this one
    std::vector<FileId> created, dropped;
    std::vector<InsertedRows> inserted;  // by file, in the order of the first
    std::string invalidations;
  };
  struct Combo {
    CommandId cmin, cmax;
  };

  Transaction(LockOwner& owner, const TransactionOptions& options)
      : owner_(owner), options_(options) {
    levels_.emplace_back();
  }
  void enter(TransactionState next);

  LockOwner& owner_;
  TransactionOptions options_;
  TransactionState state_ = TransactionState::active;
  std::vector<Level> levels_;
  CommandId command_{};
  bool command_used_ = false;
  CommitTs commit_ts_{};
  WallTime commit_at_{};
  std::vector<Combo> combos_;
  HashMap<uint64_t, uint32_t> combo_of_;
  ListHook<Transaction> hook_;  // in the manager's running, then in its committing list
};

}  // namespace orrery
