// A row of a catalog, taken apart: what caches are filled from, whether it came from the fact
// tables or from a page. Columns are named by the generated enums:
// row.get<Oid>(pg_class::relnamespace).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "types/datum.h"

namespace orrery {

// A borrowed row; its maker says how long the values live.
struct CatalogRow {
  std::span<const Datum> values;
  std::span<const uint8_t> nulls;

  bool is_null(int16_t column) const { return nulls[static_cast<size_t>(column - 1)] != 0; }
  Datum value(int16_t column) const { return values[static_cast<size_t>(column - 1)]; }
  // A NULL reads as T's zero.
  template <class T>
  T get(int16_t column) const {
    return is_null(column) ? T{} : value(column).as<T>();
  }
  // A column of type name.
  std::string_view name(int16_t column) const;
  // A text or pg_node_tree; empty when NULL.
  std::string_view text(int16_t column) const {
    return is_null(column) ? std::string_view() : value(column).text();
  }
  // One-dimensional arrays and the vectors oidvector, int2vector; empty when NULL.
  std::vector<Oid> oids(int16_t column) const { return array<Oid>(column); }
  std::vector<int16_t> int2s(int16_t column) const { return array<int16_t>(column); }
  std::vector<char> chars(int16_t column) const { return array<char>(column); }
  std::vector<std::string_view> texts(int16_t column) const;

 private:
  template <class T>
  std::vector<T> array(int16_t column) const;
};

}  // namespace orrery
