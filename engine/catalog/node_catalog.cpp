#include "catalog/node_catalog.h"

#include "catalog/invalidation.h"

namespace orrery {

void DatabaseCatalog::invalidate(const Invalidation& what) {
  shared.invalidate(what);
  for (CatalogCache* own : own_) own->invalidate(what);
}

DatabaseCatalog& NodeCatalog::database(Oid oid) {
  std::unique_ptr<DatabaseCatalog>& place = databases_[oid];
  if (place == nullptr) place = std::make_unique<DatabaseCatalog>(builtin_, oid);
  return *place;
}

void NodeCatalog::invalidate(const Invalidation& what) {
  for (auto& [oid, database] : databases_) {
    if (!what.database || what.database == oid) database->invalidate(what);
  }
}

void NodeCatalog::ended(const TransactionEnd& end) {
  if (!end.committed) return;
  const Status status =
      decode_invalidations(end.invalidations, [&](const Invalidation& what) { invalidate(what); });
  // A replica that cannot read what the record says keeps nothing rather than something untrue.
  if (!status.ok()) invalidate({CacheKind::everything, kInvalidOid, 0});
}

}  // namespace orrery
