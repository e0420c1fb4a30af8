// Vacuum: makes room of versions that no snapshot can see. Three passes: prune every page that is
// not all-visible and note dead slots; remove their index entries; free the slots, and write down
// free space and all-visible pages. The middle pass must be whole before the third touches a slot
// that an index entry may still name.
//
// It runs beside everything else: it takes no lock on rows, does not wait for pins (a page somebody
// reads is left for the next time), and yields between pages. Pages at the end are not given back
// to the file system.
#pragma once

#include "access/btree.h"

namespace orrery {

struct VacuumOptions {
  uint64_t dead_tids_max = 1 << 20;  // remembered between passes over the indexes
  Duration pause{};                  // slept after each `pages_between_pauses`: pacing
  uint32_t pages_between_pauses = 64;
};

struct VacuumResult {
  uint32_t pages = 0;
  uint32_t pages_skipped = 0;  // all-visible
  uint64_t rows_live = 0;      // on the pages looked at
  uint64_t rows_removed = 0;
  uint64_t slots_freed = 0;
  uint32_t pages_all_visible = 0;  // set by this run
  uint32_t index_passes = 0;
};

// REQUIRES: the caller holds ShareUpdateExclusive on the table. `indexes`: all of the table's.
Result<VacuumResult> vacuum_table(Fiber& fiber, Access& access, const TableInfo& table,
                                  std::span<const IndexInfo* const> indexes,
                                  const VacuumOptions& options);

// Who knows the tables: the background vacuum asks it for work.
class VacuumSource {
 public:
  // Vacuums (vacuum_table, under the table's lock) what is due; true when there was something.
  virtual Result<bool> vacuum_due(Fiber& fiber, const VacuumOptions& options) = 0;

 protected:
  ~VacuumSource() = default;
};
// PostgreSQL's rule, autovacuum_vacuum_threshold + scale_factor * rows.
inline bool vacuum_is_due(const TableMemory& memory, uint64_t rows) {
  return memory.dead_estimate > 50 + rows / 5;
}

struct BackgroundVacuumOptions {
  Duration nap = seconds(10);
  VacuumOptions vacuum{.pause = milliseconds(2), .pages_between_pauses = 20};
};
// The body of the background fiber; ends when the fiber is cancelled or the machine halts. Errors
// are logged.
void run_background_vacuum(Fiber& fiber, VacuumSource& source,
                           const BackgroundVacuumOptions& options);

}  // namespace orrery
