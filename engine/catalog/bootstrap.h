// Filling new databases. A node's first start makes the shared catalogs and database postgres;
// template0, template1 and what is created from them are made of the same facts when first needed.
// The catalogs are ordinary tables, so this is ordinary inserting, in one transaction: a crash on
// the way leaves nothing, and the next start begins again.
#pragma once

#include "access/access.h"
#include "catalog/node_catalog.h"

namespace orrery {

constexpr Oid kPostgresDatabase{5};
constexpr Oid kTemplate0Database{4};
constexpr Oid kTemplate1Database{1};

// The lock of who enters a database (RowExclusive) or drops it (AccessExclusive).
LockTag database_tag(Oid database);

// Makes the shared catalogs and database postgres unless they are there.
Status bootstrap_node(Fiber& fiber, NodeCatalog& catalogs, Access& access);
// Makes a database's own catalogs unless they are there: the templates, when first connected to.
Status ensure_database(Fiber& fiber, DatabaseCatalog& database, Access& access);
// The same within a transaction. REQUIRES: the database has no files.
Status fill_database(Fiber& fiber, DatabaseCatalog& database, Access& access,
                     Transaction& transaction);
Result<bool> database_has_files(Fiber& fiber, Oid database, Access& access);
// Every file of the database's own catalogs, for dropping it.
std::vector<FileId> catalog_files(Oid database);

}  // namespace orrery
