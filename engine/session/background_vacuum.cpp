#include "session/background_vacuum.h"

#include <algorithm>

#include "base/probe.h"
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
  at_work_ = true;
  gave_way_ = false;
  Status status = clean(fiber, database, relation, options);
  at_work_ = false;
  if (gave_way_) fiber.drop_statement_cancel();  // if it came too late
  access_.locks().release(owner_, tag, LockMode::share_update_exclusive, LockScope::session);
  if (gave_way_ && status.is(sqlstate::query_canceled)) {
    PROBE("background vacuum: gave way");
    return false;
  }
  if (!status.ok()) return status;
  return true;
}

Status BackgroundVacuum::clean(Fiber& fiber, DatabaseCatalog& database, Oid relation,
                               const VacuumOptions& options) {
  HeapStore store(database, access_, nullptr);
  CatalogReader reader(database.builtin, store);
  const RelationInfo* info = TRY(reader.relation(fiber, relation));
  if (info == nullptr) return {};
  const std::string name = cat(info->nsp_name, ".", info->name);
  Status status = vacuum_relation(fiber, store, *info, options).status().clone();
  if (gave_way_ && status.is(sqlstate::query_canceled)) {
    fiber.host().log(LogLevel::info, cat(status.error().message, ": automatic vacuum of table \"",
                                         name, "\" of database ", database.oid));
  }
  return status;
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
  leaves_database_ = false;
  owner_.in_the_way = [this, &fiber](const LockTag& wanted) {
    leaves_database_ = leaves_database_ || wanted.kind != LockKind::relation;
    if (!at_work_) return;
    gave_way_ = true;
    fiber.cancel(raise(sqlstate::query_canceled, "canceling autovacuum task"));
  };
  if (info.ok() && info.value() != nullptr) return true;
  leave(database);
  TRY(info.status().clone());
  catalog_.dropped(database);
  return false;
}

void BackgroundVacuum::leave(Oid database) {
  owner_.in_the_way = {};
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
    if (leaves_database_) break;
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
