#include "session/background_vacuum.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/bootstrap.h"
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

Result<bool> BackgroundVacuum::enter(Fiber& fiber, Oid database) {
  const LockTag tag = database_tag(database);
  if (access_.locks().try_acquire(owner_, tag, LockMode::row_exclusive, LockScope::session) ==
      LockResult::not_available) {
    return false;
  }
  HeapStore store(catalog_.database(kPostgresDatabase), access_, nullptr);
  CatalogReader reader(catalog_.builtin(), store);
  const Result<const DatabaseInfo*> info = reader.database(fiber, database);
  if (info.ok() && info.value() != nullptr) return true;
  leave(database);
  TRY(info.status().clone());
  catalog_.dropped(database);
  return false;
}

void BackgroundVacuum::leave(Oid database) {
  access_.locks().release(owner_, database_tag(database), LockMode::row_exclusive,
                          LockScope::session);
}

Result<std::vector<BackgroundVacuum::Candidate>> BackgroundVacuum::find_due(
    Fiber& fiber, DatabaseCatalog& database) {
  std::vector<Candidate> due;
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
  return due;
}

namespace {

// The fiber's own end, not the trouble of one table.
bool ends_the_vacuum(const Status& status) {
  return status.is_halted() || status.is(sqlstate::query_canceled) ||
         status.is(sqlstate::admin_shutdown);
}

}  // namespace

Result<bool> BackgroundVacuum::vacuum_database(Fiber& fiber, DatabaseCatalog& database,
                                               const VacuumOptions& options) {
  bool any = false;
  const std::vector<Candidate> due = TRY(find_due(fiber, database));
  for (const Candidate& candidate : due) {
    const Result<bool> done = vacuum_one(fiber, database, candidate.relation, options);
    if (!done.ok() && ends_the_vacuum(done.status())) return done.status().clone();
    if (!done.ok()) {
      fiber.host().log(LogLevel::warning,
                       cat("background vacuum of relation ", candidate.relation, " of database ",
                           database.oid, ": ", done.status().error().message));
    }
    any = any || (done.ok() && done.value());
  }
  return any;
}

Result<bool> BackgroundVacuum::vacuum_due(Fiber& fiber, const VacuumOptions& options) {
  if (!settings_.get_bool(SettingId::autovacuum)) return false;
  bool any = false;
  for (const Oid oid : catalog_.open_databases()) {
    Result<bool> done = enter(fiber, oid);
    if (done.ok() && *done) {
      done = vacuum_database(fiber, catalog_.database(oid), options);
      leave(oid);
    }
    if (!done.ok() && ends_the_vacuum(done.status())) return done;
    if (!done.ok()) {
      fiber.host().log(LogLevel::warning, cat("background vacuum of database ", oid, ": ",
                                              done.status().error().message));
    }
    any = any || (done.ok() && done.value());
  }
  return any;
}

}  // namespace orrery
