// What a sweep prints: a progress bar while it runs, and at its end each failure with the command
// that replays it, the faults that never struck, and how fast it went.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/run/jobs.h"

namespace orrery {

// Exit codes: 0 all ok, 1 trouble outside the runs, 2 usage; otherwise the class of the failing
// seed with the lowest number.
int exit_code_of(std::string_view verdict);

class Summary {
 public:
  Summary(const SweepOptions& options, bool shows_progress);

  void add(const SeedReport& report);
  // The bar, on stderr.
  void show_progress();
  void end_progress();
  // On stdout. `program` is what the user typed to get here.
  void print(std::string_view program) const;
  int exit_code() const;
  uint64_t failures() const { return failures_.size(); }

 private:
  const SweepOptions& options_;
  bool shows_progress_;
  uint64_t started_at_;
  uint64_t last_shown_at_ = 0;
  uint64_t done_ = 0;
  std::map<uint64_t, SeedReport> failures_;
  std::map<uint64_t, uint64_t> hashes_;  // of each seed's line's hash, to sum up the sweep
  std::vector<uint64_t> chances_;
  std::vector<uint64_t> firings_;
  std::map<std::string, uint64_t> probe_seeds_;
  std::map<std::string, uint64_t> workload_seeds_;
};

}  // namespace orrery
