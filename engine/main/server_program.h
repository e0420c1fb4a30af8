// `orrery server`: the node on the real host, with its front door, until it is told to stop.
#pragma once

#include "main/command_line.h"

namespace orrery {

// Returns the process's exit code.
int run_server(const ServerCommand& command);

}  // namespace orrery
