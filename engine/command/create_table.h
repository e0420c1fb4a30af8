// CREATE TABLE, and what ALTER TABLE shares with it: columns and constraints from their parse
// nodes.
#pragma once

#include "command/define_index.h"

namespace orrery {

Result<std::string> create_table(CommandContext& context, const CreateStmt& statement);
// The table of CREATE TABLE AS and SELECT INTO, empty, with a query's columns. 0: it exists already
// and IF NOT EXISTS was said.
Result<Oid> create_table_as(CommandContext& context, const CreateTableAsStmt& statement,
                            std::span<const NewColumn> columns);
// Whether the table exists, which IF NOT EXISTS puts up with (and a NOTICE tells of). 42P07.
Result<bool> table_as_exists(CommandContext& context, const CreateTableAsStmt& statement);

// A column from its definition: type, collation, NOT NULL, serial; constraints that concern more
// than the column itself are handed to `others`, with their column. `table_name` names the table in
// errors.
struct ColumnDraft {
  NewColumn column;
  const Node* default_expr = nullptr;  // DEFAULT or GENERATED, not analyzed yet
  const Constraint* identity = nullptr;
  bool is_serial = false;
  std::string_view serial_type;  // "int8" ...
  int location = -1;
};
struct ConstraintDraft {
  const Constraint* constraint;
  std::string_view column;  // of a column constraint
};
Result<ColumnDraft> draft_column(CommandContext& context, const ColumnDef& definition,
                                 std::string_view table_name, std::vector<ConstraintDraft>& others);

// Adds constraints to a table that exists. With `check_rows`, rows that exist must satisfy them.
Status add_check(CommandContext& context, Oid table, const Constraint& constraint,
                 std::string_view column, bool check_rows);
Status add_key(CommandContext& context, Oid table, const Constraint& constraint,
               std::string_view column);
Status add_foreign_key(CommandContext& context, Oid table, const Constraint& constraint,
                       std::string_view column, bool check_rows);
// The column's values become another type's; ALTER TABLE ... ALTER COLUMN ... TYPE.
Status alter_column_type(CommandContext& context, const RelationInfo& table,
                         const AlterTableCmd& command, int16_t column);
// Of a foreign key whose columns have other types now: what compares them; whether its rows still
// have their keys.
Status find_foreign_key_operators(CommandContext& context, const ConstraintInfo& constraint);
Status check_foreign_key_rows(CommandContext& context, const ConstraintInfo& constraint);
Status set_column_not_null(CommandContext& context, Oid table, int16_t column, bool check_rows);
Status add_constraints(CommandContext& context, Oid table,
                       std::span<const ConstraintDraft> constraints, bool check_rows);
// Analyzes and stores a default for a column that exists.
Status store_default(CommandContext& context, Oid table, int16_t column, const Node& expr,
                     bool generated);
// The sequence under a serial or identity column, owned by it; its default if it is a serial.
Status make_column_sequence(CommandContext& context, Oid table, int16_t column, Oid type,
                            ListOf<DefElem> options, bool is_identity);

}  // namespace orrery
