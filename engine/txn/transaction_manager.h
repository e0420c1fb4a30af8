// Begins and ends transactions, and answers who is running. The protocol of a commit:
//
//   1  reserve log space and pin the status pages                            (suspends)
//   2  append the commit record; it writes the status pages; `committing`    (one step)
//   3  wait until the record is committed                                    (suspends)
//   4  all transactions up to the committed LSN leave the table, their listeners run, the visible LSN moves to theirs,
//      their locks go: in LSN order, without suspension. Others see all of this or nothing.
//
// With synchronous commit off, step 3 is left out, and step 4 takes everybody before it along: the
// visible LSN passes commits whose record may still be lost. That is the weaker promise of that
// setting.
//
// Rules: the table is asked before status pages; an entry leaves only after its status pages are
// written.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "txn/id_allocator.h"
#include "txn/status_log.h"
#include "txn/transaction.h"
#include "txn/visibility.h"
#include "wal/log.h"
#include "wal/redo_handler.h"

namespace orrery {

// What a commit or abort record says.
struct TransactionEnd {
  Xid xid{};
  bool committed = false;
  CommitTs commit_ts{};
  WallTime at{};  // monotone over commits
  std::span<const Xid> children;
  std::span<const FileId> files;  // dropped by the commit, or created by the aborted
  Bytes invalidations;
};

// Told at step 4, or when a replica applies the record. May not suspend.
class CommitListener {
 public:
  virtual void ended(const TransactionEnd& end) = 0;
  // Rows that a rollback, of a transaction or to a savepoint, left dead.
  virtual void left_dead(std::span<const InsertedRows>) {}

 protected:
  ~CommitListener() = default;
};

struct TransactionManagerOptions {
  FileId status_file;
  uint32_t status_cache_entries = 16384;  // a power of two
  uint64_t xid_step = 8192;
  uint64_t oid_step = 8192;
  Xid first_xid = kFirstNormalXid;  // tests start near the end of 32 bits
  uint64_t first_oid = kFirstUserOid.v;
};

class TransactionManager final : public RedoHandler, public CommitObserver {
 public:
  TransactionManager(Host& host, Storage& storage, LockTable& locks,
                     TransactionManagerOptions options);
  ~TransactionManager() override;

  // A new, empty database: makes the status file. A running one: reads the ceilings. REQUIRES:
  // recovery is done.
  Status create(Fiber& fiber);
  Status start(Fiber& fiber);
  // In order of registration; they must outlive the manager's work, or be taken off before.
  void add_listener(CommitListener& listener) { listeners_.push_back(&listener); }
  void remove_listener(CommitListener& listener) { std::erase(listeners_, &listener); }

  std::unique_ptr<Transaction> begin(LockOwner& owner, const TransactionOptions& options = {});
  // The current level's xid, assigned now if need be (parents first). 25006 in a read-only
  // transaction is the caller's.
  Result<Xid> assign_xid(Fiber& fiber, Transaction& transaction);
  // After it returns ok the effects are visible, and committed if synchronous. A cancel stays
  // pending meanwhile. On an error other than halted the transaction has been aborted.
  Status commit(Fiber& fiber, Transaction& transaction, bool synchronous = true);
  // Cannot fail but by halting; does not wait for the log.
  Status abort(Fiber& fiber, Transaction& transaction);

  // Savepoints. begin_level returns the new depth; release and rollback end levels down to and
  // including `depth`.
  uint32_t begin_level(Transaction& transaction);
  void release_level(Transaction& transaction, uint32_t depth);
  Status rollback_level(Fiber& fiber, Transaction& transaction, uint32_t depth);

  // What is visible now, with the own transaction's work of commands before its current one.
  Snapshot take_snapshot(const Transaction* own) const;
  Lsn visible_lsn() const { return visible_; }
  // No snapshot in use, and none taken later, is older.
  Lsn horizon() const;
  // The same, and committed: what asynchronous commits made visible may yet be lost. For what
  // changes pages without a record of the log behind those commits.
  Lsn settled_horizon() const;
  // The log up to there, a page's LSN say, stays whatever happens.
  bool is_settled(Lsn lsn) const { return lsn < storage_.log().committed(); }
  // Ids below this have ended.
  Xid oldest_running() const;
  Xid next_xid() const { return Xid(xids_.next_unused()); }
  // Behind the last OID the first one for users comes again. From then on a number that was given
  // may be in use: who asks must look whether it is.
  Result<Oid> next_oid(Fiber& fiber);
  bool oids_have_wrapped() const { return oids_.next_unused() > uint64_t{UINT32_MAX} + 1; }
  IdAllocator& oids() { return oids_; }

  // Who runs under this id (or a savepoint's); null when it ended, or its savepoint was rolled
  // back.
  const Transaction* running(Xid xid) const;
  // The end of an xid that is not running, if known without reading. Follows savepoints to their
  // transaction.
  std::optional<XidStatus> find_end(Xid xid) const;
  // Reads what find_end did not know.
  Status resolve(Fiber& fiber, Xid xid);
  // The end of any xid, for pg_xact_status and track_commit_timestamp.
  Result<XidStatus> status_of(Fiber& fiber, Xid xid);
  // A hint naming this commit may be written: no snapshot is older, and its record is committed.
  bool may_hint(CommitTs ts) const;

  // Waits until `xid` has ended (or the savepoint it names was rolled back). 40P01, 55P03, 57014.
  Status wait_for(Fiber& fiber, LockOwner& waiter, Xid xid);
  // Between the insertion of a row and of its index entries, ON CONFLICT: others wait for the
  // outcome, not for the end.
  void begin_speculation(Transaction& transaction);
  void end_speculation(Transaction& transaction);
  bool is_speculating(Xid xid) const;
  Status wait_for_speculation(Fiber& fiber, LockOwner& waiter, Xid xid);

  LockTable& locks() { return locks_; }
  Storage& storage() { return storage_; }
  StatusLog& status() { return status_; }
  size_t late_aborts() const { return late_aborts_.size(); }
  size_t running_count() const { return running_.size(); }
  bool has_snapshots() const { return !snapshots_.empty(); }  // registered ones
  void check() const;

  // CommitObserver: step 4.
  void committed_advanced(Lsn committed) override;
  // RedoHandler: commit and abort records of the past.
  Status redo(Fiber& fiber, const Record& record, Bytes info) override;
  void save_state(Lsn lsn, std::string& out) override;
  Status load_state(Bytes state) override;
  bool survives_term(Xid xid) override;

 private:
  friend class RegisteredSnapshot;
  struct Running {
    Transaction* transaction = nullptr;
    bool aborted = false;  // its end is not logged yet
    bool awaited = false;  // a lock stands for its end
    bool speculating = false;
    bool speculation_awaited = false;
  };
  // The end of a transaction that made or dropped files, until its record is committed.
  struct FileEnd {
    Xid xid;
    bool committed;
    Lsn lsn;
    std::vector<FileId> dropped;
  };
  struct SnapshotCount {
    Lsn visible;
    uint32_t count;
  };

  Status log_commit(Fiber& fiber, Transaction& transaction);
  // Aborts that could not be logged when they happened.
  Status log_late_aborts(Fiber& fiber);
  Status point_to_parent(Fiber& fiber, Xid parent, std::span<const Xid> children);
  Result<Lsn> log_aborted(Fiber& fiber, Xid top, std::span<const Xid> xids, bool whole);
  void make_visible_below(Lsn end);
  void finish_commit(Transaction& transaction);
  void forget_on_halt(Transaction& transaction);
  void mark_aborted(Transaction& transaction, std::span<const Xid> xids);
  void leave_table(Transaction& transaction, Xid xid, XidStatus status);
  void note_file_end(FileEnd end);
  void end_files_below(Lsn committed);
  void register_snapshot(Lsn visible);
  void unregister_snapshot(Lsn visible);

  Host& host_;
  Storage& storage_;
  LockTable& locks_;
  StatusLog status_;
  IdAllocator xids_, oids_;
  std::vector<CommitListener*> listeners_;
  std::map<Xid, Running> running_;                              // ordered: the first is the oldest
  IntrusiveList<Transaction, &Transaction::hook_> committing_;  // by commit LSN
  std::vector<SnapshotCount> snapshots_;                        // in use, by visible LSN
  struct LateAbort {
    Xid top;
    std::vector<Xid> xids;
    bool whole;
    bool changed_files;
  };
  std::deque<LateAbort> late_aborts_;  // that the log had no room for
  std::deque<FileEnd> file_ends_;      // by LSN
  Lsn visible_{};
  WallTime last_commit_at_{};
};

}  // namespace orrery
