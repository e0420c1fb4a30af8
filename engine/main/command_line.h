// What the program `orrery` is asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orrery {

struct ServerCommand {
  std::string data_directory;
  uint16_t port = 5432;
  std::vector<std::string> listen = {"127.0.0.1"};
  std::string socket_directory;
  std::string log_file;
  std::vector<std::string> settings;  // "name=value", over those of the configuration files
};

struct ShellCommand {
  std::string database = ":memory:";
  std::vector<std::string> statements;  // -c: run these and end
  std::vector<std::string> settings;
};

struct CommandLine {
  std::optional<ServerCommand> server;
  std::optional<ShellCommand> shell;
  int exit_code = 0;  // when neither: help was asked for, or the usage was wrong
};

// Prints help and usage errors itself.
CommandLine parse_command_line(int argc, char** argv);

// "name=value" words as pairs.
std::vector<std::pair<std::string, std::string>> split_settings(
    const std::vector<std::string>& words);

constexpr int kExitOk = 0;
constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

}  // namespace orrery
