#include "exec/row_store.h"

#include <algorithm>

namespace orrery {

static_assert(sizeof(RowHead) % 8 == 0);

namespace {

// Values and null bytes. A row of no columns has an address too.
size_t row_bytes(size_t width) {
  return std::max<size_t>((width * (sizeof(Datum) + 1) + 7) / 8 * 8, 8);
}

}  // namespace

StoredRow* allocate_row(Arena& arena, size_t width, RowHeads heads, size_t more_bytes) {
  const size_t bytes = row_bytes(width) + more_bytes;
  if (heads == RowHeads::none) return static_cast<StoredRow*>(arena.allocate(bytes, 8));
  auto* const head = new (arena.allocate(sizeof(RowHead) + bytes, 8)) RowHead{};
  return reinterpret_cast<StoredRow*>(head + 1);
}

char* behind_row(StoredRow& row, size_t width) {
  return reinterpret_cast<char*>(&row) + row_bytes(width);
}

StoredRow* RowStore::add_empty() {
  const size_t width = columns_.size();
  StoredRow* const row = allocate_row(arena_, width, heads_);
  for (size_t i = 0; i < width; ++i) {
    row->values()[i] = Datum();
    row->nulls(width)[i] = 1;
  }
  return row;
}

StoredRow* RowStore::add(std::span<const Vector> columns, uint32_t row) {
  return store_row(arena_, columns_, columns, row, heads_);
}

StoredRow* store_row(Arena& arena, std::span<const ColumnDesc> columns,
                     std::span<const Vector> values, uint32_t row, RowHeads heads) {
  const size_t width = columns.size();
  StoredRow* const stored = allocate_row(arena, width, heads);
  Datum* to = stored->values();
  uint8_t* nulls = stored->nulls(width);
  for (size_t i = 0; i < width; ++i) {
    const bool is_null = values[i].is_null(row);
    nulls[i] = is_null;
    to[i] = is_null ? Datum() : copy_datum(arena, values[i].value(row), columns[i]);
  }
  return stored;
}

StoredRow* RowStore::add(const StoredRow& row) { return copy_row(arena_, columns_, row, heads_); }

StoredRow* copy_row(Arena& arena, std::span<const ColumnDesc> columns, const StoredRow& row,
                    RowHeads heads) {
  const size_t width = columns.size();
  StoredRow* const copy = allocate_row(arena, width, heads);
  if (heads == RowHeads::kept) {
    copy->head().hash = row.head().hash;
    copy->head().unmatchable = row.head().unmatchable;
  }
  for (size_t i = 0; i < width; ++i) {
    const uint8_t is_null = row.nulls(width)[i];
    copy->nulls(width)[i] = is_null;
    copy->values()[i] = is_null != 0 ? Datum() : copy_datum(arena, row.values()[i], columns[i]);
  }
  return copy;
}

void load_rows(std::span<StoredRow* const> rows, std::span<Vector> out) {
  const size_t width = out.size();
  for (size_t c = 0; c < width; ++c) {
    Vector& column = out[c];
    column.constant = false;
    bool any_null = false;
    for (size_t i = 0; i < rows.size(); ++i) {
      column.values[i] = rows[i]->values()[c];
      const uint8_t is_null = rows[i]->nulls(width)[c];
      column.nulls[i] = is_null;
      any_null = any_null || is_null != 0;
    }
    column.may_have_nulls = any_null;
  }
}

std::vector<Vector> make_columns(Arena& arena, size_t width) {
  std::vector<Vector> columns;
  columns.reserve(width);
  for (size_t i = 0; i < width; ++i) columns.push_back(Vector::make(arena));
  return columns;
}

}  // namespace orrery
