// Configuration files: lines of `name = value`, as postgresql.conf has them, read through the
// host's disk into the node's settings. orrery.conf is people's; orrery.auto.conf is ALTER SYSTEM's
// and wins.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "session/settings.h"

namespace orrery {

class Fiber;

struct ConfigLine {
  std::string name, value;
  int line = 0;
};

// 42601 naming the line that is no assignment.
Result<std::vector<ConfigLine>> parse_config(std::string_view text, std::string_view file_name);
// As it must stand in a file to be read as this value again.
std::string config_line(std::string_view name, std::string_view value);

// A default of the node's, by name: from the command line.
Status set_node_setting(Settings& settings, std::string_view name, const std::string& value);
// Both files into `settings`; files that are not there are empty.
Status load_config(Fiber& fiber, Settings& settings);
// ALTER SYSTEM: sets `name` in orrery.auto.conf, or removes it; durable when it returns.
Status alter_system(Fiber& fiber, std::string_view name, std::optional<std::string> value);
Status alter_system_reset_all(Fiber& fiber);

}  // namespace orrery
