// Where catalog rows come from: the heap of an open database (heap_source.h), or memory
// (memory_source.h) for tests of layers that need a catalog but no storage.
#pragma once

#include <span>

#include "base/function.h"
#include "base/ids.h"
#include "catalog/row.h"

namespace orrery {

class Fiber;

class CatalogSource {
 public:
  virtual ~CatalogSource() = default;

  // Hands over the rows of `catalog` whose leading columns of `index` equal `keys`, in index order;
  // all rows in no particular order when `index` is 0. Rows are those of the newest committed state
  // and of the transaction's own earlier statements, as of this call. Suspends. The row and its
  // values are valid during `use` only; `use` may not suspend.
  virtual Status scan(Fiber& fiber, Oid catalog, Oid index, std::span<const Datum> keys,
                      FunctionRef<Status(const CatalogRow& row, Tid tid)> use) = 0;
};

}  // namespace orrery
