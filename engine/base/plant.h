// PLANTED(b03_no_double_write) is true when the zoo build runs with that planted bug switched on;
// in every other build it is the constant false and the bug's code and name do not exist. The rules
// are in sim/zoo/README.md.
#pragma once

#if defined(ORRERY_ZOO)
#include <string_view>
namespace orrery {
// Names the one bug that is on from now; empty for none.
void set_planted(std::string_view name);
bool is_planted(const char* name);
}  // namespace orrery
#define PLANTED(name) ::orrery::is_planted(#name)
#else
#define PLANTED(name) false
#endif
