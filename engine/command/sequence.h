// CREATE and ALTER SEQUENCE, and the sequences under serial and identity columns.
#pragma once

#include "catalog/sequence.h"
#include "command/create_table.h"

namespace orrery {

Result<std::string> create_sequence(CommandContext& context, const CreateSeqStmt& statement);
Result<std::string> alter_sequence(CommandContext& context, const AlterSeqStmt& statement);

}  // namespace orrery
