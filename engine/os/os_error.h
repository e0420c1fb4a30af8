// errno as a Status, with PostgreSQL's codes for it and the system's text: "could not open file
// "x": No such file...".
#pragma once

#include <string>

#include "base/status.h"

namespace orrery {

Status os_error(int error_number, std::string what);

}  // namespace orrery
