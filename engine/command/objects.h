// Commands about schemas, roles, rights, databases, views, comments; and DROP, TRUNCATE, RENAME.
#pragma once

#include "command/helpers.h"

namespace orrery {

Result<std::string> create_schema(CommandContext& context, const CreateSchemaStmt& statement);
Result<std::string> drop_statement(CommandContext& context, const DropStmt& statement);
// DROP of kinds that nobody can create: functions, types, operators ...
Result<std::string> drop_others(CommandContext& context, const DropStmt& statement);
Result<std::string> truncate(CommandContext& context, const TruncateStmt& statement);
Result<std::string> comment(CommandContext& context, const CommentStmt& statement);
Result<std::string> create_view(CommandContext& context, const ViewStmt& statement);
Result<std::string> create_index(CommandContext& context, const IndexStmt& statement);
Result<std::string> create_role(CommandContext& context, const CreateRoleStmt& statement);
Result<std::string> alter_role(CommandContext& context, const AlterRoleStmt& statement);
Result<std::string> drop_role(CommandContext& context, const DropRoleStmt& statement);
Result<std::string> grant_role(CommandContext& context, const GrantRoleStmt& statement);
Result<std::string> grant(CommandContext& context, const GrantStmt& statement);
Result<std::string> create_database(CommandContext& context, const CreatedbStmt& statement);
Result<std::string> drop_database(CommandContext& context, const DropdbStmt& statement);
Result<std::string> alter_table(CommandContext& context, const AlterTableStmt& statement);
Result<std::string> rename(CommandContext& context, const RenameStmt& statement);
Result<std::string> set_schema(CommandContext& context, const AlterObjectSchemaStmt& statement);
// A table, view or sequence, locked and the role's own, with what belongs to it.
Status move_to_schema(CommandContext& context, const RelationInfo& relation,
                      std::string_view schema);
Result<std::string> alter_owner(CommandContext& context, const AlterOwnerStmt& statement);

}  // namespace orrery
