// Makes entries that take several catalogs' rows: relations, roles.
#pragma once

#include "catalog/catalog.h"

namespace orrery {

// Null: no such relation. Its parts may come from different moments when somebody commits
// meanwhile; the caller sees that by the cache's generation and asks again.
Result<std::unique_ptr<RelationInfo>> load_relation(Fiber& fiber, CatalogSource& source,
                                                    BuiltinCatalog& builtin, Oid database, Oid oid);
Result<std::unique_ptr<RoleInfo>> load_role(Fiber& fiber, CatalogSource& source, Oid oid);

// The storage file of a relation. Catalogs have relfilenode 0: their files are fixed by database
// and OID.
FileId relation_file(Oid database, Oid relation, Oid relfilenode, bool shared);

// How an index orders values of an operator class's input type; null: not known here.
Comparator index_comparator(Oid type);
// The column list of a row type or index as storage needs it, from pg_attribute rows.
ColumnDesc make_column_desc(const CatalogRow& attribute);

}  // namespace orrery
