#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace orrery {
namespace {
CheckHandler installed_handler = nullptr;
}  // namespace

void set_check_handler(CheckHandler handler) { installed_handler = handler; }

void check_failed(const char* condition, std::source_location where) {
  std::fprintf(stderr, "CHECK failed: %s at %s:%u in %s\n", condition, where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name());
  std::fflush(stderr);
  if (installed_handler != nullptr) installed_handler(condition, where);
  std::abort();
}

}  // namespace orrery
