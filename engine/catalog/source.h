// Where catalog rows come from and go to: the heap of an open database (heap_store.h), or memory
// (memory_store.h) for tests of layers that need a catalog but no storage.
#pragma once

#include <span>

#include "base/function.h"
#include "base/ids.h"
#include "catalog/row.h"

namespace orrery {

class CatalogCache;
class Fiber;

class CatalogSource {
 public:
  using Use = FunctionRef<Status(const CatalogRow& row, Tid tid)>;
  virtual ~CatalogSource() = default;

  // Hands over the rows of `catalog` whose leading columns of `index` equal `keys`, in index order;
  // all rows in no particular order when `index` is 0. Rows are those of the newest committed state
  // and of the transaction's own work so far, as of this call. Suspends. The row and its values,
  // which are plain (not compressed, not external), are valid during `use` only; `use` may not
  // suspend.
  virtual Status scan(Fiber& fiber, Oid catalog, Oid index, std::span<const Datum> keys,
                      Use use) = 0;
  // The cache that rows read now may be remembered in; another one once the transaction has changed
  // the catalog itself.
  virtual CatalogCache& cache() = 0;
};

class CatalogStore : public CatalogSource {
 public:
  // Values of all columns in order. Indexes are kept up, caches told. Raises 23505 when a unique
  // index has the key already.
  virtual Result<Tid> insert(Fiber& fiber, Oid catalog, std::span<const NullableDatum> values) = 0;
  // REQUIRES: `tid` came from a scan by this transaction, under a lock that keeps others away.
  // Should somebody have changed the row nevertheless: XX000 "tuple concurrently updated".
  virtual Status update(Fiber& fiber, Oid catalog, Tid tid,
                        std::span<const NullableDatum> values) = 0;
  virtual Status remove(Fiber& fiber, Oid catalog, Tid tid) = 0;
  // For a new row.
  virtual Result<Oid> new_oid(Fiber& fiber) = 0;
};

}  // namespace orrery
