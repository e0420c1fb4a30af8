// Keys of rows: how sorts, groups, joins and set operations compare and hash some columns of a row.
#pragma once

#include <vector>

#include "exec/row_store.h"

namespace orrery {

struct KeyColumn {
  int column;          // 0-based in the row
  Comparator compare;  // null when the type has only equality
  Hasher hash;         // null when the type cannot be hashed
  bool descending = false;
  bool nulls_first = false;
  bool plain_words = false;  // equal values are equal words: no call needed
};

// Two rows of one layout, as ORDER BY: NULLs where each key says.
int compare_rows(std::span<const KeyColumn> keys, const StoredRow& a, const StoredRow& b,
                 size_t width);
// NULLs are equal to each other (GROUP BY, DISTINCT, set operations).
bool rows_equal(std::span<const KeyColumn> keys, const StoredRow& a, const StoredRow& b,
                size_t width);
bool row_equals(std::span<const KeyColumn> keys, const StoredRow& a, size_t width,
                std::span<const Vector> columns, uint32_t row);
uint64_t hash_row(std::span<const KeyColumn> keys, std::span<const Vector> columns, uint32_t row);
uint64_t hash_row(std::span<const KeyColumn> keys, const StoredRow& row, size_t width);

// Keys of plan nodes. Types are looked up by the child's target list.
Result<std::vector<KeyColumn>> sort_keys(ExecContext& context, std::span<const SortKey> keys,
                                         const PlanNode& child);
Result<std::vector<KeyColumn>> group_keys(ExecContext& context,
                                          std::span<const GroupColumn> columns,
                                          const PlanNode& child);
Result<KeyColumn> key_of_type(ExecContext& context, Oid type, int column);

}  // namespace orrery
