// What functions may know about the session that runs them: settings, times, names. Read-only for
// the length of a statement; the session owns it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/prng.h"
#include "types/settings.h"

namespace orrery {

class SessionServices;

// What the temporary files of a session take of the disk together, and may take.
struct TempSpace {
  uint64_t limit_bytes = UINT64_MAX;
  uint64_t used_bytes = 0;
};

struct SessionView {
  TypeSettings types;  // types.now is the start of the transaction
  WallTime statement_start;
  // The clock now, for clock_timestamp() and timeofday(); null: statement_start.
  WallTime (*clock)(const void* clock_owner) = nullptr;
  const void* clock_owner = nullptr;
  Prng* random = nullptr;  // random(), gen_random_uuid(); seeded by the session from the host
  SessionServices* services = nullptr;  // null where functions run without a session
  std::string_view database;
  std::string_view current_schema;  // first of search_path that exists; empty when none does
  std::string_view current_user;
  std::string_view session_user;
  Oid current_user_oid;
  int32_t backend_pid = 0;
  uint64_t maintenance_memory_bytes = uint64_t{64} << 20;  // of an index build, of a vacuum
  TempSpace* temp_space = nullptr;                         // null: nobody counts
};

}  // namespace orrery
