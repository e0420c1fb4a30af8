#include "command/vacuum_relation.h"

#include <algorithm>
#include <cmath>

#include "access/table_scan.h"
#include "catalog/columns.h"
#include "catalog/row_builder.h"

namespace orrery {
namespace {

// Rows in the whole table after some of its pages were looked at: on the others, as many a page as
// the catalog knew of.
double estimate_rows(const RelationInfo& relation, const VacuumResult& result) {
  const double scanned = result.pages - result.pages_skipped;
  const auto live = static_cast<double>(result.rows_live);
  if (scanned >= result.pages) return live;
  const bool known = relation.tuples >= 0 && relation.pages > 0;
  if (scanned == 0 && known) return static_cast<double>(relation.tuples);
  if (!known) return scanned == 0 ? 0 : std::floor(live / scanned * result.pages + 0.5);
  const double density = static_cast<double>(relation.tuples) / relation.pages;
  return std::floor(density * (result.pages - scanned) + live + 0.5);
}

}  // namespace

Status store_relation_size(Fiber& fiber, HeapStore& store, Oid relation, const RelationSize& size) {
  Arena arena;
  Tid tid;
  std::span<const NullableDatum> values;
  bool changed = false;
  const Datum keys[] = {Datum::of(relation)};
  TRY(store.scan(fiber, pg_class::kRelation, kPgClassOidIndex, keys,
                 [&](const CatalogRow& row, Tid at) -> Status {
                   tid = at;
                   const auto pages = static_cast<int32_t>(size.pages);
                   const auto rows = static_cast<float>(size.rows);
                   const auto visible = static_cast<int32_t>(size.all_visible.value_or(
                       static_cast<uint32_t>(row.get<int32_t>(pg_class::relallvisible))));
                   changed = row.get<int32_t>(pg_class::relpages) != pages ||
                             row.get<float>(pg_class::reltuples) != rows ||
                             row.get<int32_t>(pg_class::relallvisible) != visible;
                   if (!changed) return {};
                   RowBuilder built(arena, pg_class::kRelation, row);
                   built.set(pg_class::relpages, pages)
                       .set(pg_class::reltuples, rows)
                       .set(pg_class::relallvisible, visible);
                   values = built.values();
                   values = arena.copy_array(values);
                   return {};
                 }));
  if (!changed) return {};
  return store.overwrite(fiber, pg_class::kRelation, tid, values);
}

Status store_index_sizes(Fiber& fiber, HeapStore& store, const RelationInfo& relation,
                         double rows) {
  for (const CatalogIndex& index : relation.indexes) {
    const BlockNo pages = TRY(store.access().storage().file_size(fiber, index.storage.file));
    // What a partial index holds is not known without reading it.
    const double entries = index.predicate.empty() ? rows : static_cast<double>(index.tuples);
    TRY(store_relation_size(fiber, store, index.oid, {.pages = pages.v, .rows = entries}));
  }
  return {};
}

Result<VacuumResult> vacuum_relation(Fiber& fiber, HeapStore& store, const RelationInfo& relation,
                                     const VacuumOptions& options) {
  std::vector<const IndexInfo*> indexes;
  for (const CatalogIndex& index : relation.indexes) indexes.push_back(&index.storage);
  const VacuumResult result =
      TRY(vacuum_table(fiber, store.access(), relation.storage, indexes, options));
  const double rows = estimate_rows(relation, result);
  TRY(store_relation_size(fiber, store, relation.oid,
                          {.pages = result.pages,
                           .rows = rows,
                           .all_visible = result.pages_skipped + result.pages_all_visible}));
  TRY(store_index_sizes(fiber, store, relation, rows));
  return result;
}

}  // namespace orrery
