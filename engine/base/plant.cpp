#include "base/plant.h"

#if defined(ORRERY_ZOO)
#include <string>
#include <string_view>

namespace orrery {
namespace {
std::string planted_now;
}
void set_planted(std::string_view name) { planted_now = name; }
bool is_planted(const char* name) { return !planted_now.empty() && planted_now == name; }
}  // namespace orrery
#endif
