// The catalogs' own tables as access knows them: files, columns, indexes. Made from the facts, so
// that reading the catalog does not need the catalog.
#pragma once

#include <map>
#include <vector>

#include "access/relation.h"
#include "base/ids.h"

namespace orrery {

struct CatalogTable {
  struct Index {
    Oid oid;
    IndexInfo info;
    std::vector<int16_t> columns;  // attribute numbers of the table
  };
  TableInfo table;
  std::vector<Index> indexes;
  std::vector<int16_t> all_columns;  // 0-based, for scans

  const Index& index(Oid oid) const;
};

class CatalogTables {
 public:
  explicit CatalogTables(Oid database) : database_(database) {}
  // REQUIRES: `catalog` is a system catalog or the TOAST table of one.
  const CatalogTable& table(Oid catalog);

 private:
  Oid database_;
  std::map<Oid, CatalogTable> tables_;
};

// System catalogs, and the TOAST tables of catalogs, that a database of its own has, or with
// `shared` those that all databases share; by OID.
std::vector<Oid> catalog_relations(bool shared);

}  // namespace orrery
