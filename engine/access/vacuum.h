// Vacuum: makes room of versions that no snapshot can see. Prunes every page that is not
// all-visible, removes the dead rows' index entries, frees their slots, and writes down free space
// and all-visible pages. Runs beside everything else: it takes no lock on rows, and yields between
// pages.
#pragma once

#include "access/btree.h"

namespace orrery {

struct VacuumOptions {
  uint64_t dead_tids_max = 1 << 20;  // rows remembered between passes over the indexes
  Duration pause{};  // slept after each `pages_between_pauses` pages: pacing for the background
  uint32_t pages_between_pauses = 64;
  bool truncate = true;  // give back empty pages at the end
};

struct VacuumResult {
  uint32_t pages = 0;
  uint32_t pages_skipped = 0;  // all-visible
  uint64_t rows_live = 0;
  uint64_t rows_removed = 0;
  uint64_t rows_kept = 0;  // dead, but some snapshot may see them
  uint32_t pages_all_visible = 0;
};

// REQUIRES: the caller holds ShareUpdateExclusive on the table. `indexes`: all of the table's.
Result<VacuumResult> vacuum_table(Fiber& fiber, Access& access, const TableInfo& table,
                                  std::span<const IndexInfo* const> indexes,
                                  const VacuumOptions& options);

}  // namespace orrery
