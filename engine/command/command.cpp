#include "command/command.h"

#include "base/text.h"
#include "command/create_table.h"
#include "command/objects.h"
#include "command/sequence.h"

namespace orrery {

bool is_command(const Node& statement) {
  switch (static_cast<int>(statement.tag)) {
    case static_cast<int>(NodeTag::CreateStmt):
    case static_cast<int>(NodeTag::CreateSeqStmt):
    case static_cast<int>(NodeTag::AlterSeqStmt):
    case static_cast<int>(NodeTag::CreateSchemaStmt):
    case static_cast<int>(NodeTag::DropStmt):
    case static_cast<int>(NodeTag::TruncateStmt):
    case static_cast<int>(NodeTag::CommentStmt):
    case static_cast<int>(NodeTag::ViewStmt):
    case static_cast<int>(NodeTag::IndexStmt):
    case static_cast<int>(NodeTag::CreateRoleStmt):
    case static_cast<int>(NodeTag::AlterRoleStmt):
    case static_cast<int>(NodeTag::DropRoleStmt):
    case static_cast<int>(NodeTag::GrantRoleStmt):
    case static_cast<int>(NodeTag::GrantStmt):
    case static_cast<int>(NodeTag::CreatedbStmt):
    case static_cast<int>(NodeTag::DropdbStmt):
    case static_cast<int>(NodeTag::AlterTableStmt):
    case static_cast<int>(NodeTag::RenameStmt):
    case static_cast<int>(NodeTag::AlterObjectSchemaStmt):
    case static_cast<int>(NodeTag::AlterOwnerStmt):        return true;
  }
  return false;
}

Result<std::string> run_command(CommandContext& context, const Node& statement) {
  const Node* node = &statement;
  if (const auto* s = as_if<CreateStmt>(node)) return create_table(context, *s);
  if (const auto* s = as_if<CreateSeqStmt>(node)) return create_sequence(context, *s);
  if (const auto* s = as_if<AlterSeqStmt>(node)) return alter_sequence(context, *s);
  if (const auto* s = as_if<CreateSchemaStmt>(node)) return create_schema(context, *s);
  if (const auto* s = as_if<DropStmt>(node)) return drop_statement(context, *s);
  if (const auto* s = as_if<TruncateStmt>(node)) return truncate(context, *s);
  if (const auto* s = as_if<CommentStmt>(node)) return comment(context, *s);
  if (const auto* s = as_if<ViewStmt>(node)) return create_view(context, *s);
  if (const auto* s = as_if<IndexStmt>(node)) return create_index(context, *s);
  if (const auto* s = as_if<CreateRoleStmt>(node)) return create_role(context, *s);
  if (const auto* s = as_if<AlterRoleStmt>(node)) return alter_role(context, *s);
  if (const auto* s = as_if<DropRoleStmt>(node)) return drop_role(context, *s);
  if (const auto* s = as_if<GrantRoleStmt>(node)) return grant_role(context, *s);
  if (const auto* s = as_if<GrantStmt>(node)) return grant(context, *s);
  if (const auto* s = as_if<CreatedbStmt>(node)) return create_database(context, *s);
  if (const auto* s = as_if<DropdbStmt>(node)) return drop_database(context, *s);
  if (const auto* s = as_if<AlterTableStmt>(node)) return alter_table(context, *s);
  if (const auto* s = as_if<RenameStmt>(node)) return rename(context, *s);
  if (const auto* s = as_if<AlterObjectSchemaStmt>(node)) return set_schema(context, *s);
  if (const auto* s = as_if<AlterOwnerStmt>(node)) return alter_owner(context, *s);
  return unsupported(node_tag_name(statement.tag));
}

}  // namespace orrery
