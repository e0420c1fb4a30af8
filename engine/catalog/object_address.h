// Names of catalog objects across catalogs, as pg_depend has them: which catalog, which row, which
// column of a relation (0: the object itself).
#pragma once

#include <compare>
#include <string>

#include "base/ids.h"
#include "catalog/catalog.h"

namespace orrery {

struct ObjectAddress {
  Oid catalog;
  Oid object;
  int32_t column = 0;
  friend auto operator<=>(const ObjectAddress&, const ObjectAddress&) = default;
};

// "table t", "column a of table s.t", "constraint c on table t": PostgreSQL's words. Names are
// qualified where `path` does not find them.
Result<std::string> describe_object(Fiber& fiber, CatalogReader& catalog, CatalogSource& source,
                                    const SearchPath& path, const ObjectAddress& object);
// schema.name where the path finds something else, or nothing, under the name alone; quoted where
// it must be.
Result<std::string> relation_display_name(Fiber& fiber, CatalogReader& catalog,
                                          const SearchPath& path, const RelationInfo& relation);

}  // namespace orrery
