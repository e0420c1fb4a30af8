#include "catalog/memory_store.h"

#include <cstring>

#include "catalog/facts.h"
#include "catalog/invalidation.h"

namespace orrery {
namespace {

bool is_equal(Datum a, Datum b, const FactColumn& column) {
  if (column.by_value) return a.raw == b.raw;
  CHECK(column.length == 64);  // name: catalogs are looked up by nothing else by reference
  return std::strncmp(a.as<const char*>(), b.as<const char*>(), 64) == 0;
}

}  // namespace

MemoryStore::MemoryStore(CatalogCache& cache) : cache_(cache) {}
MemoryStore::~MemoryStore() = default;

std::vector<MemoryStore::Row>& MemoryStore::rows_of(Oid catalog) {
  const auto [place, is_new] = rows_.try_emplace(catalog);
  if (is_new) {
    const FactTable& table = fact_table(catalog);
    for (size_t i = 0; i < table.size(); ++i) {
      const FactRow fact = table.row(i);
      const CatalogRow view = fact.view();
      Row row;
      row.values.assign(view.values.begin(), view.values.end());
      row.nulls.assign(view.nulls.begin(), view.nulls.end());
      place->second.push_back(std::move(row));
    }
  }
  return place->second;
}

MemoryStore::Row MemoryStore::make_row(Oid catalog, std::span<const NullableDatum> values) {
  const FactTable& table = fact_table(catalog);
  CHECK(values.size() == table.columns.size());
  Row row;
  for (size_t i = 0; i < values.size(); ++i) {
    const FactColumn& column = table.columns[i];
    row.nulls.push_back(values[i].is_null);
    row.values.push_back(values[i].is_null ? Datum()
                                           : copy_datum(arena_, values[i].value, column.desc()));
  }
  return row;
}

Status MemoryStore::scan(Fiber&, Oid catalog, Oid index, std::span<const Datum> keys, Use use) {
  std::vector<int16_t> key_columns;
  if (index) {
    const FactTable& indexes = fact_table(pg_index::kRelation);
    const FactRow row = indexes.row(indexes.find(index).value());
    key_columns = row.view().int2s(pg_index::indkey);
  }
  CHECK(keys.size() <= key_columns.size());
  const FactTable& table = fact_table(catalog);
  const std::vector<Row> rows = rows_of(catalog);  // `use` may change the catalog
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].removed) continue;
    bool matches = true;
    for (size_t k = 0; k < keys.size() && matches; ++k) {
      const auto column = static_cast<size_t>(key_columns[k] - 1);
      matches = rows[i].nulls[column] == 0 &&
                is_equal(rows[i].values[column], keys[k], table.columns[column]);
    }
    if (matches) TRY(use(rows[i].view(), Tid{BlockNo(static_cast<uint32_t>(i)), 1}));
  }
  return {};
}

Result<Tid> MemoryStore::insert(Fiber&, Oid catalog, std::span<const NullableDatum> values) {
  std::vector<Row>& rows = rows_of(catalog);
  rows.push_back(make_row(catalog, values));
  const CatalogRow view = rows.back().view();
  invalidations_of(catalog, cache_.database(), nullptr, &view,
                   [&](const Invalidation& what) { cache_.invalidate(what); });
  return Tid{BlockNo(static_cast<uint32_t>(rows.size() - 1)), 1};
}

Status MemoryStore::update(Fiber&, Oid catalog, Tid tid, std::span<const NullableDatum> values) {
  Row& row = rows_of(catalog).at(tid.block.v);
  const Row old = std::exchange(row, make_row(catalog, values));
  const CatalogRow before = old.view(), after = row.view();
  invalidations_of(catalog, cache_.database(), &before, &after,
                   [&](const Invalidation& what) { cache_.invalidate(what); });
  return {};
}

Status MemoryStore::remove(Fiber&, Oid catalog, Tid tid) {
  Row& row = rows_of(catalog).at(tid.block.v);
  CHECK(!row.removed);
  row.removed = true;
  const CatalogRow before = row.view();
  invalidations_of(catalog, cache_.database(), &before, nullptr,
                   [&](const Invalidation& what) { cache_.invalidate(what); });
  return {};
}

Result<Oid> MemoryStore::new_oid(Fiber&) {
  const Oid oid = next_oid_;
  ++next_oid_;
  return oid;
}

}  // namespace orrery
