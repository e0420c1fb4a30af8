// The program. Verbs: server, sql.

#include "main/command_line.h"
#include "main/server_program.h"
#include "main/shell.h"

int main(int argc, char** argv) {
  const orrery::CommandLine command = orrery::parse_command_line(argc, argv);
  if (command.server) return orrery::run_server(*command.server);
  if (command.shell) return orrery::run_shell(*command.shell);
  return command.exit_code;
}
