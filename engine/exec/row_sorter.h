// Sorts rows, in memory while they fit and by merging runs in a temporary file when they do not.
// Rows that compare equal stay in order of arrival, so that results are the same in every run and
// whatever the memory.
//
//   add ... add  sort  next ... next      and again from clear()
//
// While rows arrive they are kept in memory; when they pass `memory_bytes` they are sorted and
// written out as a run. Runs are merged, as many at a time as blocks fit in memory, until one merge
// gives the result, row by row. Where only the first rows of the order are wanted (set_bound), a
// heap of them is kept and nothing is written.
#pragma once

#include <deque>

#include "exec/keys.h"
#include "exec/row_stream.h"

namespace orrery {

class RowSorter {
 public:
  RowSorter(Fiber& fiber, MemoryBudget* budget, std::vector<ColumnDesc> columns,
            std::vector<KeyColumn> keys, uint64_t memory_bytes, TempSpace* temp_space);

  // Only the first `rows` of the order will be asked for (all: UINT64_MAX). Before the first add().
  void set_bound(uint64_t rows) { bound_ = rows; }
  // Key columns must be plain, not toasted.
  Status add(std::span<const Vector> columns, Rows rows);
  Status sort();
  // The next row of the order, until the call after; null at the end.
  Result<StoredRow*> next();
  // Up to kBatchRows rows as columns, until the call after; 0 at the end.
  Result<uint32_t> next_batch(std::span<Vector> columns);
  // Starts over with no rows.
  void clear();

  size_t width() const { return columns_.size(); }
  const std::vector<ColumnDesc>& columns() const { return columns_; }
  // For EXPLAIN ANALYZE.
  bool spilled() const { return spilled_; }
  uint64_t spilled_bytes() const { return spilled_bytes_; }
  uint64_t memory_bytes() const { return peak_bytes_; }
  uint64_t held_bytes() const { return store_->bytes() + items_.capacity() * sizeof(Item); }

 private:
  struct Item {
    uint64_t prefix;  // orders rows as the first key does, as far as it goes
    StoredRow* row;
    uint64_t arrival;
  };
  struct Input {  // a run being merged
    std::unique_ptr<RowStream> stream;
    RowStream::Reader reader;
    Arena arenas[2];  // of the row at hand, and of the one before: that may be with the caller
    int arena = 0;
    StoredRow* row = nullptr;
    uint64_t prefix = 0;
    explicit Input(std::unique_ptr<RowStream> run) : stream(std::move(run)), reader(*stream) {}
  };

  bool before(const Item& a, const Item& b) const;
  bool after(size_t a, size_t b) const;
  uint64_t prefix_of(const StoredRow& row) const;
  void offer(Item item);
  Status trim();
  Status sort_items();
  Status merge_items(size_t a, size_t middle, size_t end, std::vector<Item>& out);
  Status write_run();
  Status reduce_runs();
  Status start_merge(size_t runs);
  Status advance(Input& input);
  Result<StoredRow*> next_merged();
  Fiber& fiber_;
  MemoryBudget* budget_;
  std::vector<ColumnDesc> columns_;
  std::vector<KeyColumn> keys_;
  uint64_t (*abbreviate_)(Datum) = nullptr;  // of the first key's type
  uint64_t memory_bytes_;
  TempSpace* temp_space_;
  uint64_t bound_ = UINT64_MAX;
  std::unique_ptr<RowStore> store_;
  std::vector<Item> items_;
  bool in_order_ = true;  // items_ came as they shall go
  uint64_t arrived_ = 0;
  size_t at_ = 0;
  std::unique_ptr<TempFile> file_;
  std::deque<std::unique_ptr<RowStream>> runs_;  // in order of arrival of their rows
  std::vector<std::unique_ptr<Input>> inputs_;   // of the merge under way; also in order
  std::vector<size_t> heap_;                     // numbers of inputs, the least row on top
  std::unique_ptr<Arena> batch_arena_;           // rows of next_batch
  std::vector<StoredRow*> batch_rows_;
  uint64_t spilled_bytes_ = 0;
  uint64_t peak_bytes_ = 0;
  bool spilled_ = false;
};

}  // namespace orrery
