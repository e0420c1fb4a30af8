// What ANALYZE found out about a table's columns (pg_statistic), as the planner reads it.
#pragma once

#include <vector>

#include "base/ids.h"
#include "catalog/entry.h"
#include "types/tuple_desc.h"

namespace orrery {

class CatalogSource;
class Fiber;

struct StoredStatistics {
  int16_t column = 0;
  double null_fraction = 0;
  int32_t width = 0;             // average bytes
  double distinct = 0;           // of values; negative: minus their part of the rows; 0 unknown
  double correlation = 0;        // of the values' order with that of the rows
  Comparator compare = nullptr;  // of the values below; null: there are none
  std::vector<Datum> common;     // the most common values, the commonest first ...
  std::vector<float> fractions;  // ... and the part of the rows that each has
  std::vector<Datum> bounds;     // of histogram buckets with equal numbers of the other values
  std::vector<std::vector<uint64_t>> arrays;  // where the values lie
};

struct RelationStatistics : CatalogEntry {
  std::vector<StoredStatistics> columns;  // those that have any
  const StoredStatistics* column(int number) const {
    for (const StoredStatistics& c : columns) {
      if (c.column == number) return &c;
    }
    return nullptr;
  }
};

Result<std::unique_ptr<RelationStatistics>> load_statistics(Fiber& fiber, CatalogSource& source,
                                                            Oid relation);

}  // namespace orrery
