// Vacuum of one table known to the catalog, its TOAST table with it, and the sizes in pg_class that
// planners go by. VACUUM does it when asked, BackgroundVacuum when it is due.
#pragma once

#include "access/vacuum.h"
#include "catalog/heap_store.h"
#include "catalog/relation_info.h"

namespace orrery {

// REQUIRES: ShareUpdateExclusive on the table. `store` needs no transaction.
Result<VacuumResult> vacuum_relation(Fiber& fiber, HeapStore& store, const RelationInfo& relation,
                                     const VacuumOptions& options);

// relpages, reltuples, relallvisible of a table or index, for everybody at once and whatever
// becomes of the transaction, as in PostgreSQL. Nothing: stays as it is.
struct RelationSize {
  uint32_t pages = 0;
  double rows = 0;
  std::optional<uint32_t> all_visible;
};
Status store_relation_size(Fiber& fiber, HeapStore& store, Oid relation, const RelationSize& size);
// The same for all indexes of a table with so many rows.
Status store_index_sizes(Fiber& fiber, HeapStore& store, const RelationInfo& relation, double rows);

}  // namespace orrery
