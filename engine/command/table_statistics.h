// What ANALYZE works out about one column from a sample of its values: PostgreSQL's standard
// statistics, by its formulas, so that estimates agree.
//
//   null fraction, average width, number of distinct values (negative: a share of the rows), which
//   is Haas and Stokes's estimator Duj1
//   1 most common values with their frequencies   2 histogram bounds of the others
//   3 correlation of physical and logical order
#pragma once

#include <span>
#include <vector>

#include "types/type_io.h"

namespace orrery {

struct ColumnSample {
  std::span<const NullableDatum> values;  // plain, in physical order
  // Bytes as stored of each value, for varlenas; values wider than kWideBytes count for the width
  // and as distinct only, and need not be plain.
  std::span<const uint32_t> widths;
  double total_rows = 0;  // in the table, as estimated
};
constexpr uint32_t kWideBytes = 1024;

struct ColumnStatistics {
  double null_fraction = 0;
  int32_t width = 0;
  double distinct = 0;
  std::vector<Datum> common;  // most common first; point into the sample
  std::vector<float> common_fractions;
  std::vector<Datum> bounds;
  bool has_correlation = false;
  double correlation = 0;
};

// `compare` may be null: then nulls and widths are all that is known.
// `target`: the most common values and histogram buckets kept.
ColumnStatistics compute_statistics(const ColumnSample& sample, const TypeInfo& type,
                                    Comparator compare, int target);

}  // namespace orrery
