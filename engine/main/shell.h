// `orrery sql`: statements from the command line or standard input against an embedded database,
// answered as psql answers. What does not come from a terminal is a script: a statement that fails
// in it makes the exit code 1.
#pragma once

#include "main/command_line.h"
#include "main/embedded.h"
#include "main/table_sink.h"

namespace orrery {

class Shell {
 public:
  // `lines`: where statements and the data of COPY ... FROM STDIN come from.
  Shell(EmbeddedDatabase& database, PrintText print, LineSource* lines)
      : database_(database), print_(print), lines_(lines) {}

  // Runs `text` as one message. False when it failed.
  bool run(std::string_view text);
  // Runs what the lines hold, one statement after the other; the last one needs no semicolon. False
  // when any failed.
  bool run_script(bool prompts);

 private:
  void prompt(bool first);

  EmbeddedDatabase& database_;
  PrintText print_;
  LineSource* lines_;
};

// Returns the process's exit code: 1 when a statement failed and no person was watching.
int run_shell(const ShellCommand& command);

// Where the first statement in `text` ends, past its semicolon; npos while it goes on. Semicolons
// in quotes, dollar quotes, comments and parentheses do not count.
size_t statement_end(std::string_view text);

}  // namespace orrery
