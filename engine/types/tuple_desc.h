// What the bytes of a row mean: one entry a column, physical facts only. Names and defaults are the
// catalog's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "types/datum.h"

namespace orrery {

enum class ColumnStorage : uint8_t {
  plain,
  external,
  extended,
  main
};  // pg_attribute.attstorage: p e x m

struct ColumnDesc {
  Oid type;
  int32_t typmod = -1;
  int16_t length = 0;     // bytes; -1 varlena, -2 C string
  uint8_t alignment = 1;  // 1, 2, 4, 8
  bool by_value = false;
  bool not_null = false;
  bool dropped = false;  // still in old rows; reads as NULL
  ColumnStorage storage = ColumnStorage::plain;
  Oid collation;
  // ALTER TABLE ADD COLUMN ... DEFAULT: rows that end before this column have this value instead of
  // NULL.
  bool has_missing = false;
  Datum missing;
};

struct TupleDesc {
  std::vector<ColumnDesc> columns;
  size_t size() const { return columns.size(); }
  const ColumnDesc& operator[](size_t i) const { return columns[i]; }
};

// Three-way comparison of two non-NULL values: negative, zero, positive. Cannot fail: kernels for
// comparison of stored types are total (NaN sorts above all numbers and equals itself, as in
// PostgreSQL). Worker-safe.
using Comparator = int (*)(Datum a, Datum b);
// Equal values hash equally; the same in every build.
using Hasher = uint64_t (*)(Datum value);

// Copies a by-reference value into `arena`; by-value ones pass through. Header form is kept.
inline Datum copy_datum(Arena& arena, Datum value, const ColumnDesc& column) {
  if (column.by_value) return value;
  const char* from = value.as<const char*>();
  const size_t bytes = column.length > 0     ? static_cast<size_t>(column.length)
                       : column.length == -1 ? varlena_size(from)
                                             : std::strlen(from) + 1;
  void* to = arena.allocate(bytes, column.length == -1 ? 4 : column.alignment);
  std::memcpy(to, from, bytes);
  return Datum::of(static_cast<const void*>(to));
}

}  // namespace orrery
