// Batches: what operators hand each other and kernels compute on [Boncz05].
//
//   Vector   one column of up to kBatchRows values: words and null bytes; or one value standing
//            for all rows (constant)
//   Rows     which rows are meant: dense 0..count-1, or a list of row numbers (a selection vector)
//   Batch    columns, their rows, and the arena that owns what they point to
//
// By-reference values of a batch lie in the batch's arena, a constant's in the plan's, or further
// down the tree in an input batch that lives as long; never in a page. A batch is valid until its
// producer is asked for the next one.
#pragma once

#include <cstdint>
#include <span>

#include "types/datum.h"

namespace orrery {

constexpr uint32_t kBatchRows = 1024;

// Row numbers within a batch: `index` ascending, or null for the dense 0..count-1.
struct Rows {
  const uint16_t* index = nullptr;
  uint32_t count = 0;
  uint32_t operator[](uint32_t i) const { return index == nullptr ? i : index[i]; }
};

struct Vector {
  Datum* values = nullptr;
  uint8_t* nulls = nullptr;    // 1 is NULL; never null itself
  bool constant = false;       // values[0], nulls[0] stand for every row
  bool may_have_nulls = true;  // false: nulls is all zero and need not be read

  Datum value(uint32_t row) const { return values[constant ? 0 : row]; }
  bool is_null(uint32_t row) const { return may_have_nulls && nulls[constant ? 0 : row] != 0; }
  NullableDatum at(uint32_t row) const { return {value(row), is_null(row)}; }
  void set(uint32_t row, Datum v) {
    values[row] = v;
    nulls[row] = 0;
  }
  void set_null(uint32_t row) {
    values[row] = Datum();
    nulls[row] = 1;
    may_have_nulls = true;
  }
  void set(uint32_t row, NullableDatum v) {
    values[row] = v.value;
    nulls[row] = v.is_null;
    may_have_nulls |= v.is_null;
  }

  // Room for `capacity` rows, zeroed nulls; values are whatever they are until set.
  static Vector make(Arena& arena, uint32_t capacity = kBatchRows) {
    Vector v;
    v.values = static_cast<Datum*>(arena.allocate(capacity * sizeof(Datum), alignof(Datum)));
    v.nulls = arena.make_array<uint8_t>(capacity).data();
    v.may_have_nulls = false;
    return v;
  }
  static Vector make_constant(Arena& arena, NullableDatum value) {
    Vector v = make(arena, 1);
    v.set(0, value);
    v.constant = true;
    return v;
  }
};

struct Batch {
  std::span<const Vector> columns;  // of whoever made the batch: others copy before they change
  Rows rows;                        // the rows that exist; filters narrow this instead of copying
  const Tid* tids =
      nullptr;  // of the row versions, by row number, when the producer was asked for them
};

}  // namespace orrery
