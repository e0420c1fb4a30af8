// A catalog in memory: the built-in rows, and what is added. For tests of layers that need tables
// and types to look up but no storage; nothing in it suspends, commits or rolls back.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "catalog/cache.h"
#include "catalog/source.h"

namespace orrery {

class MemoryStore final : public CatalogStore {
 public:
  // Changes are told to `cache` at once.
  explicit MemoryStore(CatalogCache& cache);
  ~MemoryStore() override;

  Status scan(Fiber& fiber, Oid catalog, Oid index, std::span<const Datum> keys, Use use) override;
  CatalogCache& cache() override { return cache_; }
  Result<Tid> insert(Fiber& fiber, Oid catalog, std::span<const NullableDatum> values) override;
  Status update(Fiber& fiber, Oid catalog, Tid tid, std::span<const NullableDatum> values) override;
  Status remove(Fiber& fiber, Oid catalog, Tid tid) override;
  Result<Oid> new_oid(Fiber& fiber) override;

 private:
  struct Row {
    std::vector<Datum> values;
    std::vector<uint8_t> nulls;
    bool removed = false;
    CatalogRow view() const { return {values, nulls}; }
  };
  std::vector<Row>& rows_of(Oid catalog);
  Row make_row(Oid catalog, std::span<const NullableDatum> values);

  CatalogCache& cache_;
  Arena arena_;
  std::map<Oid, std::vector<Row>> rows_;  // a Tid's block is the position
  Oid next_oid_ = kFirstUserOid;
};

}  // namespace orrery
