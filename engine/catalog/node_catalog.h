// The catalogs of a node's databases: what is built in, each database's shared cache, and the
// caches of transactions that changed the catalog themselves. Hears of commits, and retires what
// they made untrue in the step that makes them visible.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "catalog/builtin.h"
#include "catalog/cache.h"
#include "catalog/catalog_tables.h"
#include "catalog/sequence.h"
#include "txn/transaction_manager.h"

namespace orrery {

class HeapStore;

class DatabaseCatalog {
 public:
  DatabaseCatalog(BuiltinCatalog& builtin, Oid oid)
      : oid(oid), builtin(builtin), shared(oid), tables(oid) {}

  const Oid oid;
  BuiltinCatalog& builtin;
  CatalogCache shared;  // of the newest committed state
  CatalogTables tables;
  bool dropped = false;

  // In the shared cache and those of transactions.
  void invalidate(const Invalidation& what);

 private:
  friend class HeapStore;
  std::vector<CatalogCache*> own_;  // of transactions that changed the catalog
};

class NodeCatalog final : public CommitListener {
 public:
  BuiltinCatalog& builtin() { return builtin_; }
  SequenceLocks& sequences() { return sequences_; }
  // The database's, made when first asked for.
  DatabaseCatalog& database(Oid oid);
  void invalidate(const Invalidation& what);
  // Those asked for so far, as far as is known not dropped.
  std::vector<Oid> open_databases() const {
    std::vector<Oid> oids;
    for (const auto& [oid, database] : databases_) {
      if (!database->dropped) oids.push_back(oid);
    }
    return oids;
  }
  // It was dropped, and nobody is in it.
  void dropped(Oid oid) { database(oid).dropped = true; }

  // CommitListener
  void ended(const TransactionEnd& end) override;

 private:
  BuiltinCatalog builtin_;
  SequenceLocks sequences_;
  std::map<Oid, std::unique_ptr<DatabaseCatalog>> databases_;
};

}  // namespace orrery
