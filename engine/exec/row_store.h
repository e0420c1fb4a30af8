// Rows kept by an operator: a word and a null byte a column, by-reference values beside them in the
// store's arena. Sort, hash tables, Material and CTEs keep theirs here. Rows do not move, so a
// StoredRow* stays good until clear().
//
// The arena draws from the statement's budget; the operator compares bytes() with work_mem and
// goes on in a temporary file (row_stream.h).
#pragma once

#include <vector>

#include "exec/context.h"
#include "types/tuple_desc.h"

namespace orrery {

struct StoredRow {
  Datum* values() { return reinterpret_cast<Datum*>(this + 1); }
  const Datum* values() const { return reinterpret_cast<const Datum*>(this + 1); }
  uint8_t* nulls(size_t width) { return reinterpret_cast<uint8_t*>(values() + width); }
  const uint8_t* nulls(size_t width) const {
    return reinterpret_cast<const uint8_t*>(values() + width);
  }
  StoredRow* next = nullptr;  // chains of hash tables
  uint64_t hash = 0;          // of the key, where there is one
  void* payload = nullptr;    // the operator's own
  bool matched = false;       // joins: some row of the other side went with it
  bool unmatchable = false;   // joins: a NULL in its key
};

// Puts rows of as many columns as `out` has into vectors with room; what values point to stays.
void load_rows(std::span<StoredRow* const> rows, std::span<Vector> out);

class RowStore {
 public:
  RowStore(ExecContext& context, std::vector<ColumnDesc> columns)
      : RowStore(&context.budget, std::move(columns)) {}
  // `budget` may be null: then nothing is counted.
  RowStore(MemoryBudget* budget, std::vector<ColumnDesc> columns)
      : columns_(std::move(columns)), arena_(budget) {}

  // Copies row `row` of `columns`.
  StoredRow* add(std::span<const Vector> columns, uint32_t row);
  // Copies a row of the same layout, with its hash.
  StoredRow* add(const StoredRow& row);
  // A row of NULLs to be filled by the caller.
  StoredRow* add_empty();
  // Puts rows into `out` (vectors with room), by value for words: what they point to stays in the
  // store.
  void load(std::span<StoredRow* const> rows, std::span<Vector> out) const {
    load_rows(rows, out.first(columns_.size()));
  }

  size_t width() const { return columns_.size(); }
  const std::vector<ColumnDesc>& columns() const { return columns_; }
  uint64_t bytes() const { return arena_.held_bytes(); }
  Arena& arena() { return arena_; }
  void clear() { arena_.clear(); }

 private:
  std::vector<ColumnDesc> columns_;
  Arena arena_;
};

// A row of its own, in an arena of the caller's.
StoredRow* store_row(Arena& arena, std::span<const ColumnDesc> columns,
                     std::span<const Vector> values, uint32_t row);
StoredRow* copy_row(Arena& arena, std::span<const ColumnDesc> columns, const StoredRow& row);
// The physical facts of a plan node's columns, in order of its targets.
Result<std::vector<ColumnDesc>> column_descs(ExecContext& context,
                                             std::span<const TargetEntry> targets);
// Vectors with room for kBatchRows rows each, in `arena`.
std::vector<Vector> make_columns(Arena& arena, size_t width);

}  // namespace orrery
