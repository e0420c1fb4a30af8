// A B-link tree [Lehman81] over heap tids, with PostgreSQL's page anatomy: high keys, right and
// left links, suffix truncation, deduplicated posting lists, and (key, tid) as the sort key, so
// that every entry has one place.
//
// Only the node's thread changes pages, but a descent may suspend to read one, and the tree may
// change meanwhile; so a descent that arrives moves right while the key lies beyond the page's high
// key, and an insertion revalidates its leaf in the step that changes it. A split is one record
// over at most five pages; its downlink follows in another, and whoever meets the mark of a split
// without downlink adds it first.
//
// A page left empty by vacuum is unlinked in one step, and reused once all descents that were under
// way have ended.
#pragma once

#include "access/access.h"
#include "access/heap.h"
#include "access/relation.h"
#include "base/function.h"
#include "types/vector.h"

namespace orrery {

enum class UniqueCheck : uint8_t {
  none,    // not a unique index
  wait,    // waits for transactions in progress with an equal key, then answers
  report,  // ON CONFLICT, deferrable constraints: answers at once, naming the transaction in progress
};

struct InsertResult {
  bool inserted = false;
  Tid conflict;       // the row with the equal key
  Xid in_progress{};  // report: who must end before the conflict is certain; kInvalidXid when it is
};

// Keys as Datums: plain varlenas (not compressed, not external), one entry a column of the index.
class BTree {
 public:
  BTree(Access& access, const IndexInfo& index) : access_(access), index_(index) {}

  // Makes an empty tree of an empty file.
  Status create(Fiber& fiber, Xid xid);

  // `table`: where the tids point, for unique checks. A conflict is not an error here: the caller
  // knows the names, and raises 23505. Equal keys with a NULL do not conflict unless
  // nulls_not_distinct. 54000 when the key is too long.
  Result<InsertResult> insert(Fiber& fiber, Transaction& transaction, const TableInfo& table,
                              RowValues key, Tid tid, UniqueCheck check);
  // A row with this key that a new row would conflict with, if any; for ON CONFLICT before
  // inserting and for deferred checks (`except`: the row itself). in_progress as in InsertResult.
  Result<InsertResult> find_conflict(Fiber& fiber, Transaction& transaction, const TableInfo& table,
                                     RowValues key, Tid except);

  // Removes the entries for which `is_dead` says so; for vacuum. Then unlinks pages left empty.
  struct DeleteResult {
    uint64_t entries_left = 0;
    uint64_t entries_removed = 0;
    uint32_t pages = 0;
    uint32_t pages_unlinked = 0;
  };
  Result<DeleteResult> bulk_delete(Fiber& fiber, FunctionRef<bool(Tid)> is_dead);

  // Reads the whole tree: order, fill, high keys, sibling links, downlinks, levels. XX002 naming
  // what is wrong.
  Status check(Fiber& fiber);
  struct Shape {
    uint32_t height = 0;
    uint32_t pages = 0;
    uint32_t leaf_pages = 0;
    uint64_t entries = 0;
  };
  Result<Shape> shape(Fiber& fiber);

 private:
  Access& access_;
  const IndexInfo& index_;
};

enum class ScanDirection : uint8_t { forward, backward };

// Where a scan begins and ends, in the order of the index. A bound is a prefix of the key columns,
// NULL being a value like others (it sorts where the index puts it); empty is unbounded. An
// inclusive lower bound (5) admits all keys that begin with 5, an exclusive one none of these.
struct IndexRange {
  std::span<const NullableDatum> lower;
  std::span<const NullableDatum> upper;
  bool lower_inclusive = true;
  bool upper_inclusive = true;
  // Comparators (stored, bound) where the bounds are not of the columns' types; empty: the index's
  // own.
  std::span<const Comparator> compare;
};

class IndexScan {
 public:
  // `columns`: which columns of the index to return with the tids, for index-only scans and
  // recheck; may be empty.
  IndexScan(Access& access, const IndexInfo& index, ScanDirection direction,
            std::span<const int16_t> columns);
  ~IndexScan();

  // Starts over with another range, whose bounds are copied. Does not read yet.
  void start(const IndexRange& range);
  // Nothing more is read before the next start(): pages unlinked meanwhile may be used again.
  void rest();
  // Up to `limit` (at most kBatchRows) entries in order; 0 at the end. columns[i] gets the i-th
  // wanted column.
  Result<uint32_t> next(Fiber& fiber, uint32_t limit, Tid* tids, std::span<Vector> columns,
                        Arena* arena);
  // Of the entries of the last next(): the row is dead to all. A hint that spares later scans the
  // visit.
  Status kill(Fiber& fiber, std::span<const uint8_t> all_dead);
  // For index-only scans: sets all_visible[i] for entries of the last next() whose heap page every
  // snapshot sees whole.
  Status check_all_visible(Fiber& fiber, const TableInfo& table, std::span<uint8_t> all_visible);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Builds an index bottom-up from rows in index order (with ties in tid order). The file must be
// empty (not created).
class BTreeBuilder {
 public:
  BTreeBuilder(Access& access, const IndexInfo& index, Xid xid);
  ~BTreeBuilder();
  // Answers false when the index is unique and a live row before had an equal key, and this one
  // lives too.
  Result<bool> add(Fiber& fiber, RowValues key, Tid tid, bool is_live = true);
  Status finish(Fiber& fiber);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The order of an index over rows of its columns, then tids: what BTreeBuilder's input must be
// sorted by.
int compare_index_rows(const IndexInfo& index, RowValues a, Tid a_tid, RowValues b, Tid b_tid);

}  // namespace orrery
