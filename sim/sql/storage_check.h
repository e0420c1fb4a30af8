// Two oracles for what lies beneath the tables.
//
//   files       every numbered file on disk is named by pg_class: none is left by a table that was
//               dropped, or whose making was rolled back
//   free space  after a vacuum, the free-space map says of each page that was vacuumed how much
//               room it has
//
// REQUIRES: nobody else works; files: a checkpoint has ended since.
#pragma once

#include <string>

#include "session/node_parts.h"
#include "sim/file_tree.h"

namespace orrery {

// What is wrong; empty: nothing. Errors are those of reading.
Result<std::string> check_files(Fiber& fiber, NodeParts& node, Oid database, const FileTree& disk);
Result<std::string> check_free_space(Fiber& fiber, NodeParts& node, Oid database);

}  // namespace orrery
