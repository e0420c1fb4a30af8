#include "main/command_line.h"

#include <CLI/CLI.hpp>

namespace orrery {

CommandLine parse_command_line(int argc, char** argv) {
  CLI::App app("Orrery: a PostgreSQL-compatible database", "orrery");
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 stopped by a fatal error.");

  ServerCommand server;
  CLI::App* run_server = app.add_subcommand("server", "Serve a database to clients until SIGTERM");
  run_server
      ->add_option("--data", server.data_directory,
                   "Data directory; made when it is missing or empty")
      ->required();
  run_server->add_option("--port", server.port, "TCP port; 0 for any free one")
      ->capture_default_str();
  run_server
      ->add_option("--listen", server.listen,
                   "Numeric addresses to listen on; beyond loopback, passwords are needed")
      ->capture_default_str();
  run_server->add_option("--socket", server.socket_directory,
                         "Directory for a Unix socket as well");
  run_server->add_option("--log", server.log_file, "Log file instead of standard error");
  run_server->add_option("-c,--set", server.settings, "A setting, name=value");

  ShellCommand shell;
  CLI::App* run_shell = app.add_subcommand("sql", "A shell on an embedded database");
  run_shell->add_option("database", shell.database, "Data directory, or :memory:")
      ->capture_default_str();
  run_shell->add_option("-c,--command", shell.statements, "Run this and end");
  run_shell->add_option("--set", shell.settings, "A setting, name=value");

  CommandLine command;
  try {  // tidy: allow(word) CLI11 reports by throwing
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // tidy: allow(word) as above
    const int code = app.exit(error);
    command.exit_code = code == 0 ? kExitOk : kExitUsage;
    return command;
  }
  if (run_server->parsed()) command.server = std::move(server);
  if (run_shell->parsed()) command.shell = std::move(shell);
  return command;
}

std::vector<std::pair<std::string, std::string>> split_settings(
    const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const std::string& word : words) {
    const size_t equals = std::min(word.find('='), word.size());
    settings.emplace_back(word.substr(0, equals), word.substr(std::min(equals + 1, word.size())));
  }
  return settings;
}

}  // namespace orrery
