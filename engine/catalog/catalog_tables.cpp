#include "catalog/catalog_tables.h"

#include <algorithm>

#include "catalog/facts.h"
#include "catalog/relation_loader.h"

namespace orrery {
namespace {

FactRow fact(Oid catalog, Oid key) {
  const FactTable& table = fact_table(catalog);
  return table.row(table.find(key).value());
}

// Rows of pg_attribute for one relation's own columns, in order.
std::vector<FactRow> attributes_of(Oid relation) {
  std::vector<FactRow> out;
  const FactTable& table = fact_table(pg_attribute::kRelation);
  const auto first =
      std::ranges::lower_bound(table.starts, relation, {}, [&](const uint32_t& start) {
        return table.fixed<Oid>(static_cast<size_t>(&start - table.starts.data()),
                                pg_attribute::attrelid);
      });
  for (auto i = static_cast<size_t>(first - table.starts.begin()); i < table.size(); ++i) {
    if (table.fixed<Oid>(i, pg_attribute::attrelid) != relation) break;
    if (table.fixed<int16_t>(i, pg_attribute::attnum) > 0) out.push_back(table.row(i));
  }
  return out;
}

CatalogTable::Index make_index(Oid database, const CatalogRow& row, bool shared) {
  using namespace pg_index;
  CatalogTable::Index out;
  out.oid = row.get<Oid>(indexrelid);
  out.columns = row.int2s(indkey);
  out.info.oid = out.oid;
  const FactRow own = fact(pg_class::kRelation, out.oid);
  out.info.name = own.view().name(pg_class::relname);
  out.info.file = relation_file(database, out.oid, kInvalidOid, shared);
  out.info.unique = row.get<bool>(indisunique);
  for (const FactRow& attribute : attributes_of(out.oid)) {
    out.info.desc.columns.push_back(make_column_desc(attribute.view()));
  }
  for (Oid opclass : row.oids(indclass)) {
    const FactRow description = fact(pg_opclass::kRelation, opclass);
    const Comparator compare = index_comparator(description.view().get<Oid>(pg_opclass::opcintype));
    CHECK(compare != nullptr);
    out.info.keys.push_back({.compare = compare});
  }
  return out;
}

std::vector<CatalogTable::Index> indexes_of(Oid database, Oid relation, bool shared) {
  std::vector<CatalogTable::Index> out;
  const FactTable& table = fact_table(pg_index::kRelation);
  for (size_t i = 0; i < table.size(); ++i) {
    if (table.fixed<Oid>(i, pg_index::indrelid) != relation) continue;
    out.push_back(make_index(database, table.row(i).view(), shared));
  }
  return out;
}

}  // namespace

const CatalogTable::Index& CatalogTable::index(Oid oid) const {
  const auto at = std::ranges::find(indexes, oid, &Index::oid);
  CHECK(at != indexes.end());
  return *at;
}

const CatalogTable& CatalogTables::table(Oid catalog) {
  if (const auto held = tables_.find(catalog); held != tables_.end()) return held->second;
  CatalogTable& out = tables_[catalog];
  const FactRow row = fact(pg_class::kRelation, catalog);
  const bool shared = row.view().get<bool>(pg_class::relisshared);
  out.table.oid = catalog;
  out.table.database = shared ? kInvalidOid : database_;
  out.table.name = row.view().name(pg_class::relname);
  out.table.file = relation_file(database_, catalog, kInvalidOid, shared);
  for (const FactRow& attribute : attributes_of(catalog)) {
    out.all_columns.push_back(static_cast<int16_t>(out.table.desc.size()));
    out.table.desc.columns.push_back(make_column_desc(attribute.view()));
  }
  out.indexes = indexes_of(database_, catalog, shared);
  for (const CatalogTable::Index& index : out.indexes) {
    for (int16_t column : index.columns) {
      out.table.indexed.add(column - 1);
      if (index.info.unique) out.table.keys.add(column - 1);
    }
  }
  const Oid toast = row.view().get<Oid>(pg_class::reltoastrelid);
  if (toast) {
    const CatalogTable& toast_table = table(toast);
    out.table.toast = ToastTable{
        .oid = toast, .heap = toast_table.table.file, .index = toast_table.indexes.at(0).info.file};
  }
  return out;
}

std::vector<Oid> catalog_relations(bool shared) {
  std::vector<Oid> out;
  const FactTable& table = fact_table(pg_class::kRelation);
  for (size_t i = 0; i < table.size(); ++i) {
    const FactRow row = table.row(i);
    const char kind = row.view().get<char>(pg_class::relkind);
    if (kind != 'r' && kind != 't') continue;
    if (row.view().get<bool>(pg_class::relisshared) != shared) continue;
    out.push_back(row.view().get<Oid>(pg_class::oid));
  }
  return out;
}

}  // namespace orrery
