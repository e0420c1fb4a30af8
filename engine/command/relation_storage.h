// The files under tables and indexes: made and dropped with the transaction, filled when an index
// is built over rows that exist.
#pragma once

#include "catalog/writer.h"
#include "command/command.h"

namespace orrery {

// A new empty file that goes if the transaction (or savepoint) does not commit; its relfilenode.
Result<Oid> make_file(CommandContext& context);
// The file goes when the transaction commits.
void drop_file(CommandContext& context, FileId file);

// New empty files under a table, its indexes and its TOAST table; the old ones go at commit.
Status empty_relation(CommandContext& context, Oid table);

// pg_toast.pg_toast_OID with its index, if rows of the table may grow too wide for a page.
// REQUIRES: the table's columns are in the catalog.
Status make_toast_table_if_needed(CommandContext& context, Oid table);

// Builds the index, whose file is empty, over the table's rows. Raises 23505 "could not create
// unique index".
Status build_index(CommandContext& context, const RelationInfo& table, const CatalogIndex& index);

}  // namespace orrery
