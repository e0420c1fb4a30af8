// Making an index: for CREATE INDEX, and for PRIMARY KEY and UNIQUE.
#pragma once

#include "catalog/writer.h"
#include "command/helpers.h"

namespace orrery {

// One key column as written: a column's name, or an expression.
struct IndexKey {
  std::string_view name;
  const Node* expr = nullptr;
  Names opclass, collation;
  SortByDir ordering = SortByDir::default_;
  SortByNulls nulls_ordering = SortByNulls::default_;
};

struct IndexDefinition {
  std::string name;  // empty: chosen
  std::vector<IndexKey> keys;
  std::vector<std::string_view> including;
  std::string_view access_method = "btree";
  bool unique = false, primary = false, nulls_not_distinct = false;
  bool is_constraint = false;
  const Node* where = nullptr;
  std::vector<std::string> options;
  std::string_view verb = "CREATE INDEX";
};

// Writes the rows, makes the file and fills it. REQUIRES: the table is locked in Share or stronger.
// Returns the index; raises what CREATE INDEX and ADD CONSTRAINT raise.
Result<Oid> define_index(CommandContext& context, Oid table, const IndexDefinition& definition);

// fillfactor and the like from WITH (...), as reloptions. 22023 for others and bad values.
Result<std::vector<std::string>> storage_options(ListOf<DefElem> options, char relkind);

}  // namespace orrery
