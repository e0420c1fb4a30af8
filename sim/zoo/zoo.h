// The zoo: how many seeds the general sweep needs to find each planted bug, and which oracle speaks
// first. Only a zoo build contains the plants; sim/zoo/README.md has the rules.
#pragma once

#include <span>
#include <string_view>

namespace orrery {

// Switches a planted bug on for the runs to come; false: this build has none of that name.
bool plant(std::string_view name);
int zoo_command(std::span<const std::string_view> arguments);

}  // namespace orrery
