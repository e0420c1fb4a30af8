// Changing rows of a heap table: insert, update, delete, lock; each step one record over at most
// two heap pages and their visibility map pages.
//
// A change of a row follows PostgreSQL's READ COMMITTED protocol. The target is the version the
// statement's snapshot saw:
//
//   what is found                                answer
//   nobody changed it since                      ok: done, `tid` is the new version
//   own transaction did, in this command         self_modified
//   a transaction in progress did                wait for its end (or would_block), then look again
//   somebody locks the row against it            wait for the locker (or would_block), then look again
//   a committed transaction updated it           updated: `tid` is the next version. READ COMMITTED locks that with
//                                                lock_newest(), evaluates its condition again and comes back;
//                                                REPEATABLE READ raises 40001
//   a committed transaction deleted it           deleted
//
// A new table is an empty file (Storage::create_file); the map forks are made when first needed.
//
// Values are Datums as vector.h has them, by-reference ones in any varlena form; TOAST pointers
// into the same table's TOAST are kept, others are fetched. Names of constraints and columns for
// errors are the caller's.
#pragma once

#include "access/access.h"
#include "access/relation.h"
#include "types/vector.h"

namespace orrery {

enum class ChangeOutcome : uint8_t { ok, invisible, self_modified, updated, deleted, would_block };
enum class RowWait : uint8_t {
  wait,
  skip_locked,
  no_wait
};  // no_wait too answers would_block; the caller raises 55P03

struct ChangeResult {
  ChangeOutcome outcome = ChangeOutcome::ok;
  Tid tid;           // ok after update: the new version; updated: the next version
  bool hot = false;  // the new version needs no index entries
};

// A row of values: parallel arrays of one entry a column of the table.
struct RowValues {
  const Datum* values;
  const uint8_t* nulls;
};

class Heap {
 public:
  Heap(Access& access, const TableInfo& table) : access_(access), table_(table) {}

  // 54000 when a row does not fit a page even with its values moved out.
  Result<Tid> insert(Fiber& fiber, Transaction& transaction, RowValues row);
  // All rows of a batch, page by page: one record a page. `tids`: room for rows.count.
  Status insert_batch(Fiber& fiber, Transaction& transaction, std::span<const Vector> columns,
                      Rows rows, Tid* tids);

  // `snapshot` is the statement's: work of its own command or later counts as self_modified.
  Result<ChangeResult> update(Fiber& fiber, Transaction& transaction, Tid tid, RowValues row,
                              const Snapshot& snapshot, RowWait wait = RowWait::wait);
  Result<ChangeResult> remove(Fiber& fiber, Transaction& transaction, Tid tid,
                              const Snapshot& snapshot, RowWait wait = RowWait::wait);
  // Locks the version `tid` until the end of the transaction or of the current savepoint's
  // rollback.
  Result<ChangeResult> lock(Fiber& fiber, Transaction& transaction, Tid tid, RowLock mode,
                            const Snapshot& snapshot, RowWait wait);
  // Follows updates from `tid` to the newest committed version and locks it. ok: `tid` is that
  // version; deleted: gone.
  Result<ChangeResult> lock_newest(Fiber& fiber, Transaction& transaction, Tid tid, RowLock mode,
                                   const Snapshot& snapshot, RowWait wait);

  // Overwrites a row in place for everybody and at once, outside the rules of visibility:
  // sequences, statistics. REQUIRES: the same size as the stored row; the caller serialises.
  Status overwrite(Fiber& fiber, Tid tid, RowValues row);

  // ON CONFLICT: a row inserted between begin_speculation and end_speculation whose index entry met
  // a conflict becomes dead to all at once.
  Status kill_inserted(Fiber& fiber, Transaction& transaction, Tid tid);

 private:
  friend class HeapUpdate;
  Result<Tid> insert_tuple(Fiber& fiber, Transaction& transaction, std::span<std::byte> tuple);
  Result<uint32_t> insert_page_full(Fiber& fiber, Transaction& transaction,
                                    std::span<const Vector> columns, Rows rows, uint32_t first,
                                    Tid* tids);
  // Pins a page with room for a tuple of `bytes` that xid may write, extending the table if need
  // be.
  Result<PageRef> page_with_room(Fiber& fiber, uint32_t bytes, Xid xid);
  bool has_room(const PageRef& page, uint32_t bytes, Xid xid) const;

  Access& access_;
  const TableInfo& table_;
};

}  // namespace orrery
