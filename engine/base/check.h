// Invariants that are always checked, in release builds too.
//
// A failed CHECK is our own mistake: a real node dies with the place and the text, a simulated run
// stops and names its seed. Bytes from disk, network or a client are never CHECKed before they are
// validated; those failures are Status.
#pragma once

#include <source_location>

namespace orrery {

// Prints the failed condition with its place, then aborts. A simulator may install a handler that
// reports the seed first.
[[noreturn]] void check_failed(const char* condition,
                               std::source_location where = std::source_location::current());

// Called by check_failed before it aborts; null to remove. Process-wide: it is a debugging aid, not
// state of a node.
using CheckHandler = void (*)(const char* condition, const std::source_location& where);
void set_check_handler(CheckHandler handler);

}  // namespace orrery

#define CHECK(condition)                  \
  do {                                    \
    if (!(condition)) [[unlikely]]        \
      ::orrery::check_failed(#condition); \
  } while (false)

#define CHECK_IF(premise, conclusion) CHECK(!(premise) || (conclusion))

// For checks that cost more than the work they guard: on in debug, sanitizer and zoo builds only.
#if defined(ORRERY_SLOW_CHECKS)
#define CHECK_SLOW(condition) CHECK(condition)
#else
#define CHECK_SLOW(condition) static_cast<void>(sizeof(!(condition)))
#endif

#define UNREACHABLE() ::orrery::check_failed("unreachable")
