#include "exec/keys.h"

#include "exec/functions.h"

namespace orrery {
namespace {

int compare_nullable(const KeyColumn& key, Datum a, bool a_null, Datum b, bool b_null) {
  if (a_null || b_null) {
    if (a_null && b_null) return 0;
    return a_null == key.nulls_first ? -1 : 1;
  }
  const int order = key.compare(a, b);
  return key.descending ? -order : order;
}

bool equal_nullable(const KeyColumn& key, Datum a, bool a_null, Datum b, bool b_null) {
  if (a_null || b_null) return a_null && b_null;
  if (key.plain_words) return a.raw == b.raw;
  return key.compare(a, b) == 0;
}

constexpr uint64_t kNullHash = 0x6e756c6cULL;

}  // namespace

int compare_rows(std::span<const KeyColumn> keys, const StoredRow& a, const StoredRow& b,
                 size_t width) {
  for (const KeyColumn& key : keys) {
    const auto c = static_cast<size_t>(key.column);
    const int order = compare_nullable(key, a.values()[c], a.nulls(width)[c] != 0, b.values()[c],
                                       b.nulls(width)[c] != 0);
    if (order != 0) return order;
  }
  return 0;
}

bool rows_equal(std::span<const KeyColumn> keys, const StoredRow& a, const StoredRow& b,
                size_t width) {
  for (const KeyColumn& key : keys) {
    const auto c = static_cast<size_t>(key.column);
    if (!equal_nullable(key, a.values()[c], a.nulls(width)[c] != 0, b.values()[c],
                        b.nulls(width)[c] != 0))
      return false;
  }
  return true;
}

bool row_equals(std::span<const KeyColumn> keys, const StoredRow& a, size_t width,
                std::span<const Vector> columns, uint32_t row) {
  for (const KeyColumn& key : keys) {
    const auto c = static_cast<size_t>(key.column);
    if (!equal_nullable(key, a.values()[c], a.nulls(width)[c] != 0, columns[c].value(row),
                        columns[c].is_null(row))) {
      return false;
    }
  }
  return true;
}

uint64_t hash_row(std::span<const KeyColumn> keys, std::span<const Vector> columns, uint32_t row) {
  uint64_t hash = 0;
  for (const KeyColumn& key : keys) {
    const Vector& column = columns[static_cast<size_t>(key.column)];
    hash = hash_combine(hash, column.is_null(row) ? kNullHash : key.hash(column.value(row)));
  }
  return hash;
}

uint64_t hash_row(std::span<const KeyColumn> keys, const StoredRow& row, size_t width) {
  uint64_t hash = 0;
  for (const KeyColumn& key : keys) {
    const auto c = static_cast<size_t>(key.column);
    hash = hash_combine(hash, row.nulls(width)[c] != 0 ? kNullHash : key.hash(row.values()[c]));
  }
  return hash;
}

Result<std::vector<KeyColumn>> sort_keys(ExecContext& context, std::span<const SortKey> keys,
                                         const PlanNode& child) {
  std::vector<KeyColumn> out;
  for (const SortKey& key : keys) {
    KeyColumn column = TRY(key_of_type(
        context, child.targets[static_cast<size_t>(key.column - 1)].expr->type, key.column - 1));
    column.descending = key.descending;
    column.nulls_first = key.nulls_first;
    out.push_back(column);
  }
  return out;
}

Result<std::vector<KeyColumn>> group_keys(ExecContext& context,
                                          std::span<const GroupColumn> columns,
                                          const PlanNode& child) {
  std::vector<KeyColumn> out;
  for (const GroupColumn& group : columns) {
    out.push_back(
        TRY(key_of_type(context, child.targets[static_cast<size_t>(group.column - 1)].expr->type,
                        group.column - 1)));
  }
  return out;
}

}  // namespace orrery
