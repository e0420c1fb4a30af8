// `orrery sql`: statements from the command line or standard input against an embedded database,
// results as aligned tables.
#pragma once

#include "main/command_line.h"

namespace orrery {

// Returns the process's exit code: 1 when a statement failed and no person was watching.
int run_shell(const ShellCommand& command);

// Where the first statement in `text` ends, past its semicolon; npos while it goes on. Semicolons
// in quotes, dollar quotes, comments and parentheses do not count.
size_t statement_end(std::string_view text);

}  // namespace orrery
