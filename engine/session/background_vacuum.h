// The background vacuum's work: VacuumSource over the catalogs of the open databases.
#pragma once

#include "access/vacuum.h"
#include "catalog/node_catalog.h"
#include "session/settings.h"

namespace orrery {

// The vacuum that nobody asks for: looks through the open databases for tables with more dead rows
// than PostgreSQL's thresholds allow. What fails in one table or database is logged and does not
// keep it from the others. It gives way: who waits for a lock that it holds gets it, and the table
// is due another time.
class BackgroundVacuum final : public VacuumSource {
 public:
  BackgroundVacuum(NodeCatalog& catalog, Access& access, const Settings& settings)
      : catalog_(catalog), access_(access), settings_(settings), owner_(access.locks(), 0) {}

  Result<bool> vacuum_due(Fiber& fiber, const VacuumOptions& options) override;

 private:
  struct Candidate {
    Oid relation;
    double rows;
  };
  Result<bool> vacuum_database(Fiber& fiber, DatabaseCatalog& database,
                               const VacuumOptions& options);
  Result<std::vector<Candidate>> find_due(Fiber& fiber, DatabaseCatalog& database);
  Result<bool> vacuum_one(Fiber& fiber, DatabaseCatalog& database, Oid relation,
                          const VacuumOptions& options);
  // Whether the database is there and nobody drops it. Then it stays until leave().
  Result<bool> enter(Fiber& fiber, Oid database);
  void leave(Oid database);
  Status clean(Fiber& fiber, DatabaseCatalog& database, Oid relation, const VacuumOptions& options);

  NodeCatalog& catalog_;
  Access& access_;
  const Settings& settings_;
  LockOwner owner_;
  bool at_work_ = false;          // in a table ...
  bool gave_way_ = false;         // ... and cancelled there: somebody waits for a lock of ours
  bool leaves_database_ = false;  // he waits for the database
};

}  // namespace orrery
