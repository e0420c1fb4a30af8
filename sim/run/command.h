// The command line of orrery_sim.
#pragma once

#include <span>
#include <string_view>

namespace orrery {

// Returns the process's exit code. `arguments` are without the program's name.
int simulator_command(std::span<const std::string_view> arguments);

}  // namespace orrery
