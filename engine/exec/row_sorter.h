// Sorts rows, in memory while they fit and by merging runs in a temporary file when they do not.
// Rows that compare equal stay in order of arrival, so that results are the same in every run and
// whatever the memory.
//
//   add ... add  sort  next ... next      and again from clear()
//
// While rows arrive they are kept in memory, and what refers to them in chunks; a full chunk is
// sorted by a worker while more rows come. Chunks are merged as they are read. When rows pass
// `memory_bytes` they are written out as a run. Runs are merged, as many at a time as blocks fit in
// memory, until one merge gives the result, row by row. Where only the first rows of the order are
// wanted (set_bound), a heap of them is kept and nothing is written.
#pragma once

#include <deque>
#include <optional>

#include "exec/keys.h"
#include "exec/loser_tree.h"
#include "exec/row_stream.h"
#include "fiber/io.h"

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
  uint64_t held_bytes() const;

 private:
  struct Item {
    uint64_t prefix;  // orders rows as the first key does, as far as it goes
    StoredRow* row;
  };
  struct Chunk {
    std::vector<Item> items;
    bool in_order = true;          // they came as they shall go
    size_t at = 0;                 // of reading
    std::optional<WorkerJob> job;  // sorts them
  };
  struct Candidate {
    Item item;
    uint64_t arrival;
  };
  struct Input {  // a run being merged
    std::unique_ptr<RowStream> stream;
    RowStream::Reader reader;
    Arena arenas[2];  // of the row at hand, and of the one before: that may be with the caller
    int arena = 0;
    explicit Input(std::unique_ptr<RowStream> run) : stream(std::move(run)), reader(*stream) {}
  };

  int compare(const Item& a, const Item& b) const;
  bool before(const Item& a, const Item& b) const { return compare(a, b) < 0; }
  Item item_of(StoredRow* row) const { return {prefix_of(*row), row}; }
  uint64_t prefix_of(const StoredRow& row) const;
  void offer(Candidate candidate);
  Status trim();
  Status end_bound();
  Status append(Item item);
  Status begin_sort(Chunk& chunk);
  Status end_chunks();
  Result<std::unique_ptr<RowStream>> write_rows();
  Status write_run();
  Status reduce_runs();
  Status start_merge(size_t runs);
  void play();
  bool head_before(uint32_t a, uint32_t b) const;
  Status advance(uint32_t input);
  void forget_items();

  Fiber& fiber_;
  MemoryBudget* budget_;
  std::vector<ColumnDesc> columns_;
  std::vector<KeyColumn> keys_;
  uint64_t (*abbreviate_)(Datum) = nullptr;  // of the first key's type
  uint64_t memory_bytes_;
  size_t chunk_items_;
  TempSpace* temp_space_;
  uint64_t bound_ = UINT64_MAX;
  uint64_t arrived_ = 0;
  std::unique_ptr<RowStore> store_;
  std::vector<Candidate> best_;  // with a bound: a heap with the last in the order on top
  std::vector<std::unique_ptr<Chunk>> chunks_;
  bool in_order_ = true;  // all chunks, one after the other
  size_t chunk_at_ = 0;   // read, when they are
  std::unique_ptr<TempFile> file_;
  std::deque<std::unique_ptr<RowStream>> runs_;  // in order of arrival of their rows
  std::vector<std::unique_ptr<Input>> inputs_;   // of a merge of runs; also in order
  // The merge under way, of inputs_ or of chunks_: the next item of each, row null at its end.
  std::vector<Item> heads_;
  LoserTree tree_;
  std::unique_ptr<Arena> batch_arena_;  // rows of next_batch
  std::vector<StoredRow*> batch_rows_;
  uint64_t spilled_bytes_ = 0;
  uint64_t peak_bytes_ = 0;
  bool spilled_ = false;
};

}  // namespace orrery
