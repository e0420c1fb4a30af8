// Who holds what, who waits for whom. One table for relations, rows, advisory locks and the ends of
// transactions, with PostgreSQL's eight modes and one conflict table; rows use four of the modes:
//
//   row lock            mode              conflicts with (row locks)
//   FOR KEY SHARE       AccessShare       FOR UPDATE
//   FOR SHARE           RowShare          FOR NO KEY UPDATE, FOR UPDATE
//   FOR NO KEY UPDATE   Exclusive         all but FOR KEY SHARE
//   FOR UPDATE          AccessExclusive   all
//
// Locks are granted in order of arrival, except that a request which its owner's other holds would
// deadlock with a waiter passes that waiter. A waiter that has waited deadlock_timeout looks for a
// cycle over all waits, once; first by moving requests in queues (soft edges), and if none helps
// its statement fails with 40P01, as in PostgreSQL (a wait-for graph).
//
// Row locks live here and not in tuples (decisions/0203). Locks belong to an owner: a session. A
// hold remembers the savepoint depth it was taken at, so that ROLLBACK TO releases what came after.
#pragma once

#include <string>
#include <vector>

#include "base/arena.h"
#include "base/function.h"
#include "base/hash_map.h"
#include "base/intrusive_list.h"
#include "fiber/sync.h"

namespace orrery {

enum class LockMode : uint8_t {
  none,
  access_share,
  row_share,
  row_exclusive,
  share_update_exclusive,
  share,
  share_row_exclusive,
  exclusive,
  access_exclusive,
};
constexpr int kLockModes = 9;
std::string_view lock_mode_name(LockMode mode);  // "AccessShareLock"...
bool lock_modes_conflict(LockMode a, LockMode b);

enum class RowLock : uint8_t { key_share, share, no_key_update, update };
LockMode row_lock_mode(RowLock lock);

enum class LockKind : uint8_t { relation, row, transaction, speculation, object, advisory };

// What is locked. relation: a = oid. row: a = file, b = block << 16 | slot. transaction,
// speculation: a = xid. object: a = class oid, b = oid. advisory: a = key, b = 1 (one bigint) or 2
// (two ints).
struct LockTag {
  LockKind kind = LockKind::relation;
  Oid database;
  uint64_t a = 0;
  uint64_t b = 0;

  static LockTag relation(Oid database, Oid relation) {
    return {LockKind::relation, database, relation.v, 0};
  }
  static LockTag row(FileId file, Tid tid) {
    return {LockKind::row, {}, file.v, uint64_t{tid.block.v} << 16 | tid.slot};
  }
  static LockTag transaction(Xid xid) { return {LockKind::transaction, {}, xid.v, 0}; }
  static LockTag speculation(Xid xid) { return {LockKind::speculation, {}, xid.v, 0}; }
  // `database`: 0 for an object of the node's.
  static LockTag object(Oid database, Oid catalog, Oid object) {
    return {LockKind::object, database, catalog.v, object.v};
  }
  static LockTag advisory(Oid database, int64_t key) {
    return {LockKind::advisory, database, static_cast<uint64_t>(key), 1};
  }
  static LockTag advisory(Oid database, int32_t key1, int32_t key2) {
    return {LockKind::advisory, database,
            uint64_t{static_cast<uint32_t>(key1)} << 32 | static_cast<uint32_t>(key2), 2};
  }
  friend auto operator<=>(const LockTag&, const LockTag&) = default;
};
inline uint64_t hash_value(const LockTag& tag) {
  return hash_combine(hash_u64(tag.a, static_cast<uint64_t>(tag.kind) << 32 | tag.database.v),
                      hash_u64(tag.b));
}
// "relation 16384 of database 5", as DETAIL lines have it.
std::string describe(const LockTag& tag);

enum class WaitPolicy : uint8_t { wait, no_wait };
enum class LockResult : uint8_t { granted, already_held, not_available };
enum class LockScope : uint8_t { transaction, session };

// What a row lock costs: the lock, the hold, and their places in two tables.
constexpr uint64_t kRowLockBytes = 384;

class LockTable;
class DeadlockCheck;
struct Lock;
struct LockHold;
struct LockRequest;

// A session as the lock table sees it.
class LockOwner {
 public:
  LockOwner(LockTable& table, int32_t process_id) : table_(table), process_id_(process_id) {}
  LockOwner(const LockOwner&) = delete;
  ~LockOwner();  // releases everything

  Duration lock_timeout{};  // zero: none
  Duration deadlock_timeout = seconds(1);
  MemoryBudget* memory = nullptr;  // row locks count there
  // Called when somebody begins to wait for a lock that conflicts with a hold of this owner's: for
  // work that gives way to whoever asks for something. It does not suspend.
  UniqueFunction<void(const LockTag&)> in_the_way;

  int32_t process_id() const { return process_id_; }
  bool holds(const LockTag& tag, LockMode mode) const;
  bool is_waiting() const { return waiting_ != nullptr; }

 private:
  friend class LockTable;
  friend class DeadlockCheck;
  LockTable& table_;
  const int32_t process_id_;
  LockRequest* waiting_ = nullptr;
  uint64_t visited_ = 0;  // DeadlockCheck's mark
  HashMap<LockTag, LockHold*> holds_;
  LockHold* newest_hold_ = nullptr;  // chain in order of acquisition, newest first
};

class LockTable {
 public:
  LockTable();
  ~LockTable();

  // `depth` is the savepoint depth of the taker, 1 for the transaction itself; ignored for session
  // scope. 40P01 deadlock, 55P03 lock_timeout, 57014. With no_wait it never suspends.
  Result<LockResult> acquire(Fiber& fiber, LockOwner& owner, const LockTag& tag, LockMode mode,
                             WaitPolicy policy, LockScope scope = LockScope::transaction,
                             uint32_t depth = 1);
  // Without suspension: granted or already_held where nothing conflicts, else not_available.
  LockResult try_acquire(LockOwner& owner, const LockTag& tag, LockMode mode,
                         LockScope scope = LockScope::transaction, uint32_t depth = 1);
  // Gives back one acquisition; false when it was not held. For session-scope advisory locks and
  // the like.
  bool release(LockOwner& owner, const LockTag& tag, LockMode mode, LockScope scope);
  void release_all(LockOwner& owner, LockScope scope);  // the end of a transaction, of a session
  void release_session_advisory(LockOwner& owner);      // pg_advisory_unlock_all()
  void release_deeper(LockOwner& owner,
                      uint32_t depth);  // rollback: holds taken at `depth` or deeper
  void merge_deeper(LockOwner& owner,
                    uint32_t depth);  // release savepoint: they become depth - 1's

  // Waits until the holder lets go of `tag`, which is entered here on the holder's behalf only now
  // that somebody waits: ends of transactions and of speculative insertions cost nothing when
  // nobody does.
  Status wait_for_release(Fiber& fiber, LockOwner& waiter, LockOwner& holder, const LockTag& tag);
  void end_of(LockOwner& holder, const LockTag& tag);

  // Somebody other than `owner` holds a conflicting mode. Cheap when no locks of this kind exist.
  bool is_blocked(const LockOwner& owner, const LockTag& tag, LockMode mode) const;
  // Gives each other owner that locks the row `from` the same lock on `to`, its new version.
  void copy_row_locks(const LockOwner& except, const LockTag& from, const LockTag& to);
  uint64_t row_lock_count() const { return row_locks_; }

  // One line of pg_locks.
  struct Entry {
    LockTag tag;
    LockMode mode;
    int32_t process_id;
    bool granted;
  };
  std::vector<Entry> entries() const;                              // sorted by tag
  std::vector<int32_t> blockers_of(const LockOwner& owner) const;  // pg_blocking_pids
  void check() const;

 private:
  friend class LockOwner;
  friend class DeadlockCheck;
  Lock& find_or_make(const LockTag& tag);
  LockHold& find_or_make_hold(Lock& lock, LockOwner& owner);
  void grant(Lock& lock, LockOwner& owner, LockMode mode, LockScope scope, uint32_t depth);
  void tell_those_in_the_way(const LockRequest& request);
  Status wait(Fiber& fiber, Lock& lock, LockRequest& request, size_t position);
  void leave_queue(LockRequest& request);
  void wake(Lock& lock);
  void drop_mode(LockHold& hold, int mode);
  void drop_if_empty(LockHold& hold);
  void forget_if_unused(Lock& lock);

  HashMap<LockTag, Lock*> locks_;
  // Those in use are owned by the table that names them; a few more are kept for the next.
  std::vector<std::unique_ptr<Lock>> free_locks_;
  std::vector<std::unique_ptr<LockHold>> free_holds_;
  uint64_t row_locks_ = 0;
  uint64_t visit_ = 0;
};

}  // namespace orrery
