// Many seeds over several processes. Each process runs seed after seed and reports each on a pipe;
// one that dies (a CHECK, a signal, a sanitizer) or hangs costs only its own seed, which is
// reported with what it last said, and another process goes on behind it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/function.h"

namespace orrery {

struct SweepOptions {
  uint64_t first = 1;
  uint64_t last = 1;
  uint32_t jobs = 1;
  std::string workload;
  std::string planted;  // zoo builds: the bug that is on
  bool unrestricted = false;
  uint64_t seed_limit_seconds = 60;  // of processor time; a seed that needs more hangs
};

// One seed's end, as the parent sees it.
struct SeedReport {
  uint64_t seed = 0;
  std::string verdict;  // "ok", an oracle, "check", "crash", "hang"
  std::string workload;
  std::string sentence;
  std::string json;  // the record's line
  // Sums for the sweep's accounting.
  std::vector<uint64_t> fault_chances;
  std::vector<uint64_t> fault_firings;
  std::vector<std::string> probes;
};

// Calls `report` for each seed, in the order in which they end. Stops early when it returns false.
void sweep(const SweepOptions& options, FunctionRef<bool(SeedReport)> report);

// Microseconds of real time since some start.
uint64_t real_microseconds();

}  // namespace orrery
