#include "session/background_vacuum.h"

#include <algorithm>

#include "catalog/columns.h"
#include "catalog/relation_loader.h"
#include "command/vacuum_relation.h"

namespace orrery {

Result<bool> BackgroundVacuum::vacuum_one(Fiber& fiber, DatabaseCatalog& database, Oid relation,
                                          const VacuumOptions& options) {
  // Whoever holds a lock against us changes the table's shape: it will be due again.
  const LockTag tag = LockTag::relation(database.oid, relation);
  if (access_.locks().try_acquire(owner_, tag, LockMode::share_update_exclusive,
                                  LockScope::session) == LockResult::not_available) {
    return false;
  }
  auto work = [&]() -> Status {
    HeapStore store(database, access_, nullptr);
    CatalogReader reader(database.builtin, store);
    const RelationInfo* info = TRY(reader.relation(fiber, relation));
    if (info == nullptr) return {};
    return vacuum_relation(fiber, store, *info, options).status().clone();
  };
  Status status = work();
  access_.locks().release(owner_, tag, LockMode::share_update_exclusive, LockScope::session);
  if (!status.ok()) return status;
  return true;
}

Result<bool> BackgroundVacuum::vacuum_due(Fiber& fiber, const VacuumOptions& options) {
  if (!settings_.get_bool(SettingId::autovacuum)) return false;
  bool any = false;
  for (const Oid oid : catalog_.open_databases()) {
    DatabaseCatalog& database = catalog_.database(oid);
    std::vector<Candidate> due;
    {
      HeapStore store(database, access_, nullptr);
      TRY(store.scan(fiber, pg_class::kRelation, kInvalidOid, {},
                     [&](const CatalogRow& row, Tid) -> Status {
                       const char kind = row.get<char>(pg_class::relkind);
                       if (kind != 'r' && kind != 't' && kind != 'm') return {};
                       const FileId file = relation_file(database.oid, row.get<Oid>(pg_class::oid),
                                                         row.get<Oid>(pg_class::relfilenode),
                                                         row.get<bool>(pg_class::relisshared));
                       const TableMemory& memory = access_.memory_of(file);
                       const auto rows = std::max(row.get<float>(pg_class::reltuples), 0.0f);
                       if (vacuum_is_due(memory, static_cast<uint64_t>(rows))) {
                         due.push_back({row.get<Oid>(pg_class::oid), rows});
                       }
                       return {};
                     }));
    }
    for (const Candidate& candidate : due) {
      const bool done = TRY(vacuum_one(fiber, database, candidate.relation, options));
      any = any || done;
    }
  }
  return any;
}

}  // namespace orrery
