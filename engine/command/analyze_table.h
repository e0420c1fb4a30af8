// ANALYZE of one table: a random sample of its rows, and what it says of each column, into
// pg_statistic. Up to 300 rows for each value kept are looked at, from as many random pages; a
// table with fewer pages is read whole.
#pragma once

#include <span>

#include "base/prng.h"
#include "command/command.h"

namespace orrery {

struct TableCounts {
  uint32_t pages = 0;
  double rows = 0;
};

// `columns`: attribute numbers; all when empty. REQUIRES: ShareUpdateExclusive on the table.
// Returns the table's size as estimated from the sample; pg_class is the caller's.
Result<TableCounts> analyze_table(CommandContext& context, const RelationInfo& relation,
                                  std::span<const int16_t> columns, int default_target,
                                  Prng& random);

}  // namespace orrery
