// The catalog of an open database as one transaction reads and writes it: ordinary heap tables and
// B-trees. Every write keeps the indexes up, notes for the commit record which cache entries it
// makes untrue, and ends the command, so that what follows sees it.
//
// Reads see the newest committed state, not the transaction's snapshot: names mean now what they
// mean, as in PostgreSQL. Their callers hold locks on what they found.
#pragma once

#include "access/access.h"
#include "access/heap.h"
#include "catalog/node_catalog.h"
#include "catalog/source.h"

namespace orrery {

class HeapStore final : public CatalogStore {
 public:
  // `transaction` may be null: then it only reads what is committed.
  HeapStore(DatabaseCatalog& catalog, Access& access, Transaction* transaction)
      : catalog_(catalog), access_(access), transaction_(transaction) {}
  ~HeapStore() override;

  Status scan(Fiber& fiber, Oid catalog, Oid index, std::span<const Datum> keys, Use use) override;
  CatalogCache& cache() override;
  Result<Tid> insert(Fiber& fiber, Oid catalog, std::span<const NullableDatum> values) override;
  Status update(Fiber& fiber, Oid catalog, Tid tid, std::span<const NullableDatum> values) override;
  Status remove(Fiber& fiber, Oid catalog, Tid tid) override;
  Result<Oid> new_oid(Fiber& fiber) override;
  Result<bool> is_in_use(Fiber& fiber, Oid oid);

  // Statistics and the like (pg_class.relpages): overwritten for everybody at once, whatever
  // becomes of the transaction. REQUIRES: no varlena changes its length.
  Status overwrite(Fiber& fiber, Oid catalog, Tid tid, std::span<const NullableDatum> values);
  // After a savepoint is rolled back: what this remembered of own work may be untrue.
  void forget_own_work() {
    if (own_ != nullptr) own_->clear();
  }

  DatabaseCatalog& database() { return catalog_; }
  Access& access() { return access_; }
  Transaction* transaction() { return transaction_; }

 private:
  struct Row;
  Snapshot snapshot() const;
  Result<Row> fetch(Fiber& fiber, const CatalogTable& table, Tid tid);
  Status insert_index_entries(Fiber& fiber, const CatalogTable& table, RowValues row, Tid tid);
  Status wrote(Oid catalog, const CatalogRow* before, const CatalogRow* after);

  DatabaseCatalog& catalog_;
  Access& access_;
  Transaction* transaction_;
  std::unique_ptr<CatalogCache> own_;  // once it has changed the catalog
};

}  // namespace orrery
