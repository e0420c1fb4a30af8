// Rows in arrival order, read any number of times; and a set of distinct rows.
#pragma once

#include <memory>
#include <vector>

#include "exec/keys.h"
#include "exec/operator.h"
#include "exec/row_stream.h"

namespace orrery {

// The first rows stay in memory, as many as fit work_mem; the rest goes to a temporary file.
// Readers follow a writer: rows may be added between two reads.
class SharedRows {
 public:
  SharedRows(ExecContext& context, std::vector<ColumnDesc> columns)
      : context_(context), store_(context, std::move(columns)) {}

  Status add(const Batch& batch);
  uint64_t size() const { return rows_.size() + (stream_ ? stream_->rows() : 0); }
  size_t width() const { return store_.width(); }
  void clear();

  class Reader {
   public:
    explicit Reader(SharedRows& rows) : rows_(&rows), arena_(&rows.context_.budget) {}
    // The next rows, up to kBatchRows, in `columns` (kept by the caller), until the call after; 0
    // when there are no more now.
    Result<uint32_t> next(std::span<Vector> columns);
    void rewind();
    bool at_end() const { return at_ >= rows_->size(); }

   private:
    SharedRows* rows_;
    Arena arena_;
    uint64_t at_ = 0;
    std::optional<RowStream::Reader> reader_;  // of the rows in the file
    std::vector<StoredRow*> loaded_;
  };

 private:
  ExecContext& context_;
  RowStore store_;
  std::vector<StoredRow*> rows_;
  std::unique_ptr<TempFile> file_;
  std::unique_ptr<RowStream> stream_;
};

// What the readers of a CTE, or a RecursiveUnion and its WorkTableScan, have in common; found by
// number in ExecContext.
struct CteState {
  OperatorPtr owned_source;
  Operator* source = nullptr;
  std::unique_ptr<SharedRows> rows;
  bool complete = false;
  uint64_t version = 0;  // of the parameters from around it that the rows were computed with
};

// A hash set of rows under equality of `keys`, NULLs equal. Chained buckets; grows by doubling.
class RowSet {
 public:
  RowSet(ExecContext& context, std::vector<ColumnDesc> columns, std::vector<KeyColumn> keys);

  // The row equal to `row` of `columns`, or null.
  StoredRow* find(std::span<const Vector> columns, uint32_t row, uint64_t hash) const;
  // Adds a copy. REQUIRES: find() gave null.
  Result<StoredRow*> add(std::span<const Vector> columns, uint32_t row, uint64_t hash);
  uint64_t hash(std::span<const Vector> columns, uint32_t row) const {
    return hash_row(keys_, columns, row);
  }
  // Adds the rows not seen before and returns just those.
  Result<Rows> keep_new(const Batch& batch, uint16_t* kept);

  size_t size() const { return rows_.size(); }
  StoredRow* at(size_t i) const { return rows_[i]; }  // in order of arrival
  RowStore& store() { return store_; }
  uint64_t bytes() const {
    return store_.bytes() + (rows_.capacity() + buckets_.size()) * sizeof(StoredRow*);
  }
  void clear();

 private:
  Status grow();

  ExecContext& context_;
  RowStore store_;
  std::vector<KeyColumn> keys_;
  std::vector<StoredRow*> buckets_;  // a power of two
  std::vector<StoredRow*> rows_;
};

}  // namespace orrery
