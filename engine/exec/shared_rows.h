// Rows in arrival order, read by position any number of times; and a set of distinct rows.
#pragma once

#include <memory>
#include <vector>

#include "exec/keys.h"
#include "exec/operator.h"
#include "exec/row_store.h"

namespace orrery {

class SharedRows {
 public:
  SharedRows(ExecContext& context, std::vector<ColumnDesc> columns)
      : context_(context), store_(context, std::move(columns)) {}

  Status add(const Batch& batch);
  // Up to kBatchRows rows from position `at` on, in `columns` (kept by the caller).
  Batch read(size_t at, std::span<Vector> columns) const;
  StoredRow* row(size_t at) const { return rows_[at]; }
  size_t size() const { return rows_.size(); }
  size_t width() const { return store_.width(); }
  RowStore& store() { return store_; }
  void clear() {
    rows_.clear();
    store_.clear();
  }

 private:
  ExecContext& context_;
  RowStore store_;
  std::vector<StoredRow*> rows_;
};

// What the readers of a CTE, or a RecursiveUnion and its WorkTableScan, have in common; found by
// number in ExecContext.
struct CteState {
  OperatorPtr owned_source;
  Operator* source = nullptr;
  std::unique_ptr<SharedRows> rows;
  bool complete = false;
};

// A hash set of rows under equality of `keys`, NULLs equal. Chained buckets; grows by doubling.
class RowSet {
 public:
  RowSet(ExecContext& context, std::vector<ColumnDesc> columns, std::vector<KeyColumn> keys);

  // The row equal to `row` of `columns`, or null.
  StoredRow* find(std::span<const Vector> columns, uint32_t row, uint64_t hash) const;
  // Adds a copy. REQUIRES: find() gave null.
  StoredRow* add(std::span<const Vector> columns, uint32_t row, uint64_t hash);
  uint64_t hash(std::span<const Vector> columns, uint32_t row) const {
    return hash_row(keys_, columns, row);
  }
  // Adds the rows not seen before and returns just those.
  Result<Rows> keep_new(const Batch& batch, uint16_t* kept);

  size_t size() const { return rows_.size(); }
  StoredRow* at(size_t i) const { return rows_[i]; }  // in order of arrival
  RowStore& store() { return store_; }
  void clear();

 private:
  void grow();

  ExecContext& context_;
  RowStore store_;
  std::vector<KeyColumn> keys_;
  std::vector<StoredRow*> buckets_;  // a power of two
  std::vector<StoredRow*> rows_;
};

}  // namespace orrery
