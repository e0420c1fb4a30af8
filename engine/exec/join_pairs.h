// What joins that gather pairs of rows have in common.
#pragma once

#include <span>

#include "exec/row_store.h"
#include "plan/plan.h"
#include "types/vector.h"

namespace orrery {

// Whether rows without a partner come out too.
constexpr bool keeps_inner(JoinKind kind) {
  return kind == JoinKind::right || kind == JoinKind::full;
}
constexpr bool keeps_outer(JoinKind kind) {
  return kind == JoinKind::left || kind == JoinKind::full || kind == JoinKind::anti;
}

// Rows `rows` of a batch as the first of `to`.
inline void gather_outer(std::span<Vector> to, std::span<const Vector> from,
                         std::span<const uint16_t> rows) {
  for (size_t c = 0; c < from.size(); ++c) {
    to[c].may_have_nulls = from[c].may_have_nulls;
    for (size_t i = 0; i < rows.size(); ++i) {
      to[c].values[i] = from[c].value(rows[i]);
      to[c].nulls[i] = from[c].is_null(rows[i]);
    }
  }
}
// The first columns of stored rows of `width` columns as `to`; a null row is one of NULLs.
inline void gather_inner(std::span<Vector> to, std::span<StoredRow* const> rows, size_t width) {
  for (size_t c = 0; c < to.size(); ++c) {
    to[c].may_have_nulls = true;
    to[c].constant = false;
    for (size_t i = 0; i < rows.size(); ++i) {
      const StoredRow* row = rows[i];
      to[c].values[i] = row == nullptr ? Datum() : row->values()[c];
      to[c].nulls[i] = row == nullptr ? 1 : row->nulls(width)[c];
    }
  }
}

}  // namespace orrery
