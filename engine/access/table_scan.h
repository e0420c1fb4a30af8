// Reading tables: the sequential scan, and the fetch of rows by tid. Both fill vectors for the
// columns asked for only, copy by-reference values into the batch's arena, and hold no page pinned
// when they return.
//
// A scan returns rows in PostgreSQL's order: block by block, slot by slot. It prunes pages it
// passes when their header promises that it pays. Nothing is allocated per row.
#pragma once

#include <memory>

#include "access/access.h"
#include "access/relation.h"
#include "types/vector.h"

namespace orrery {

class RowDecoder;  // access/row_decoder.h

struct TableScanOptions {
  SnapshotKind kind = SnapshotKind::mvcc;
  BlockNo first_block{0};
  uint32_t block_count = UINT32_MAX;  // from first_block, as far as the table goes
  // CREATE INDEX: the rows an index must name, with the tid of their entry (a HOT chain's root): of
  // each chain the newest version only, since one entry stands for all. See is_live() and
  // met_broken_chain().
  bool for_index_build = false;
};

class TableScan {
 public:
  // `columns`: which are wanted, ascending; kColumnCtid and the like among them give system
  // columns. `table`, `snapshot` and `columns` must outlive the scan.
  TableScan(Access& access, const TableInfo& table, const Snapshot& snapshot,
            std::span<const int16_t> columns, const TableScanOptions& options = {});
  ~TableScan();

  // Up to kBatchRows visible rows: fills columns[i] with the i-th wanted column, and tids unless
  // null. 0 at the end.
  Result<uint32_t> next(Fiber& fiber, std::span<Vector> columns, Arena& arena, Tid* tids);
  // Starts over.
  void rewind();

  // for_index_build: whether row i of the last next() still lives; those that do not are indexed
  // for older snapshots, and are no duplicates of anything.
  bool is_live(uint32_t i) const { return live_[i] != 0; }
  // for_index_build: some older version that a snapshot may see has no entry of its own, because a
  // HOT update made a newer one. Snapshots older than the index must not search it.
  bool met_broken_chain() const { return met_broken_chain_; }

 private:
  Result<uint32_t> scan_page(Fiber& fiber, std::span<Vector> columns, uint32_t row, Arena& arena,
                             Tid* tids, bool* page_done);
  Xid collect_visible(PageRef& page, uint16_t* out, uint32_t* count);
  Xid collect_for_index(PageRef& page, uint16_t* out, uint32_t* count, uint32_t row);

  Access& access_;
  const TableInfo& table_;
  const Snapshot& snapshot_;
  const TableScanOptions options_;
  std::unique_ptr<RowDecoder> decoder_;
  std::unique_ptr<uint16_t[]> roots_;  // for_index_build: by slot, the root of its chain
  std::vector<uint8_t> live_;          // for_index_build: by row of the batch
  bool met_broken_chain_ = false;
  Ring ring_;  // used when the table is large
  bool use_ring_ = false;
  bool started_ = false;
  BlockNo block_;           // the next one to read
  uint32_t end_block_ = 0;  // of the table when the scan began
  uint32_t read_ahead_to_ = 0;
};

enum class FetchMode : uint8_t {
  index_entry,  // the tid is an index entry's: the visible member of its HOT chain is meant
  exact,        // this very version, if visible (TID scans, rows locked before)
  any_version,  // this very version, visible or not (old rows for triggers and RETURNING)
};

class TableFetch {
 public:
  TableFetch(Access& access, const TableInfo& table, std::span<const int16_t> columns);
  ~TableFetch();

  struct Fetched {
    uint32_t rows = 0;
    uint32_t tids_done = 0;  // fewer than asked when the vectors are full
  };
  // The rows that `tids` name and the snapshot sees, in the order of `tids`, into row numbers
  // first_row..; found_tids (or null) gets the versions' own tids, sources (or null) the number of
  // the tid each row came from. all_dead (or null): set to 1 for tids under which no snapshot will
  // ever find a row again, so that the index may forget the entry.
  Result<Fetched> fetch(Fiber& fiber, const Snapshot& snapshot, SnapshotKind kind, FetchMode mode,
                        std::span<const Tid> tids, std::span<Vector> columns, uint32_t first_row,
                        Arena& arena, Tid* found_tids, uint16_t* sources, uint8_t* all_dead);

 private:
  Access& access_;
  const TableInfo& table_;
  std::unique_ptr<RowDecoder> decoder_;
};

// Whether the snapshot sees this version, or the transaction itself made it: what ON CONFLICT may
// go by when one snapshot serves the whole transaction. False for a version that is gone.
Result<bool> is_seen_or_own(Fiber& fiber, Access& access, const TableInfo& table,
                            const Snapshot& snapshot, Tid tid);

// Blocks in the table, as of now.
Result<uint32_t> table_block_count(Fiber& fiber, Access& access, const TableInfo& table);

}  // namespace orrery
