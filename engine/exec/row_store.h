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

struct StoredRow;

// What joins and hash tables note of a row. It lies before the row, where a store was told so.
enum class RowHeads : bool { none, kept };
struct RowHead {
  StoredRow* next = nullptr;  // chains of hash tables
  uint64_t hash = 0;          // of the key
  void* payload = nullptr;    // the operator's own
  bool matched = false;       // joins: some row of the other side went with it
  bool unmatchable = false;   // joins: a NULL in its key
};

// The address of the values; never an object of its own.
struct alignas(8) StoredRow {
  StoredRow() = delete;
  StoredRow(const StoredRow&) = delete;
  Datum* values() { return reinterpret_cast<Datum*>(this); }
  const Datum* values() const { return reinterpret_cast<const Datum*>(this); }
  uint8_t* nulls(size_t width) { return reinterpret_cast<uint8_t*>(values() + width); }
  const uint8_t* nulls(size_t width) const {
    return reinterpret_cast<const uint8_t*>(values() + width);
  }
  RowHead& head() { return reinterpret_cast<RowHead*>(this)[-1]; }
  const RowHead& head() const { return reinterpret_cast<const RowHead*>(this)[-1]; }
};

// A row of `width` columns to be filled, with `more_bytes` behind it.
StoredRow* allocate_row(Arena& arena, size_t width, RowHeads heads, size_t more_bytes = 0);
// The first of those bytes, aligned to 8.
char* behind_row(StoredRow& row, size_t width);

// Puts rows of as many columns as `out` has into vectors with room; what values point to stays.
void load_rows(std::span<StoredRow* const> rows, std::span<Vector> out);

class RowStore {
 public:
  RowStore(ExecContext& context, std::vector<ColumnDesc> columns, RowHeads heads = RowHeads::none)
      : RowStore(&context.budget, std::move(columns), heads) {}
  // `budget` may be null: then nothing is counted.
  RowStore(MemoryBudget* budget, std::vector<ColumnDesc> columns, RowHeads heads = RowHeads::none)
      : columns_(std::move(columns)), heads_(heads), arena_(budget) {}

  // Copies row `row` of `columns`.
  StoredRow* add(std::span<const Vector> columns, uint32_t row);
  // Copies a row of the same layout; of its head, where rows have one, what belongs to the key.
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
  RowHeads heads_;
  Arena arena_;
};

// A row of its own, in an arena of the caller's.
StoredRow* store_row(Arena& arena, std::span<const ColumnDesc> columns,
                     std::span<const Vector> values, uint32_t row, RowHeads heads = RowHeads::none);
StoredRow* copy_row(Arena& arena, std::span<const ColumnDesc> columns, const StoredRow& row,
                    RowHeads heads = RowHeads::none);
// The physical facts of a plan node's columns, in order of its targets.
Result<std::vector<ColumnDesc>> column_descs(ExecContext& context,
                                             std::span<const TargetEntry> targets);
// Vectors with room for kBatchRows rows each, in `arena`.
std::vector<Vector> make_columns(Arena& arena, size_t width);

}  // namespace orrery
