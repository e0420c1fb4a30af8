// What EXPLAIN ANALYZE measures of one plan node.
#pragma once

#include <cstdint>

namespace orrery {

struct NodeMeasure {
  uint64_t loops = 0;    // how often it was started
  uint64_t rows = 0;     // of all loops
  int64_t first_ns = 0;  // until the first batch, over all loops
  int64_t total_ns = 0;
  bool ran() const { return loops > 0; }
};

}  // namespace orrery
