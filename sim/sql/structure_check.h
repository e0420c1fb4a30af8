// The structure oracle: every table of a database held against its indexes and its visibility map.
//
//   table    every version decodes; a page that the visibility map calls all-visible holds no row
//            version that a new snapshot does not see
//   index    the tree's own invariants (BTree::check); every row that a new snapshot sees is found
//            by exactly one entry, under the key that the row has; no entry leads to another row
//   catalog  every relation that pg_class names loads, with its columns, indexes and constraints,
//            and every file it names is there
//
// REQUIRES: nobody else works.
#pragma once

#include <string>

#include "session/node_parts.h"

namespace orrery {

struct StructureFindings {
  std::string first;  // what is wrong; empty: nothing
  // What users made, of all that was checked; TOAST tables are not counted.
  uint64_t tables = 0;
  uint64_t indexes = 0;
  uint64_t rows = 0;
};

// Errors are those of reading (58030, XX001); damage that only this check sees is in the findings.
Result<StructureFindings> check_structure(Fiber& fiber, NodeParts& node, Oid database);

}  // namespace orrery
