// One run of one seed: a world, a nemesis and a workload, and the record of what came of it.
// Nothing here reads a clock: real time is the caller's business.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/nemesis.h"
#include "sim/world.h"

namespace orrery {

class DatabaseImages;
class DatabaseNode;

// Damage that no engine did, so that a test can see each oracle of workload `sql` speak.
struct Sabotage {
  std::string sql;                                        // run by a client before the first audit
  UniqueFunction<Status(Fiber&, DatabaseNode&)> at_rest;  // before the checks at rest
};

// What a seed did, so that no run can be empty. Fields are those that simulator.md asks of S.
struct RunCounts {
  uint64_t machines = 0;
  uint64_t sessions = 0;
  uint64_t tables = 0;
  uint64_t indexes = 0;
  uint64_t transactions = 0;  // begun
  uint64_t committed = 0;     // and acknowledged
  uint64_t aborted = 0;
  uint64_t unknown = 0;  // the connection or the machine went while it committed
  uint64_t crashes = 0;
  uint64_t crashes_in_recovery = 0;
  uint64_t checkpoints = 0;
  uint64_t disk_faults = 0;
  uint64_t faults = 0;
  uint64_t pool_pages = 0;
  uint64_t data_pages = 0;
  int64_t loaded_ns = 0;  // simulated, with a client's request outstanding
};

struct RunRecord {
  uint64_t seed = 0;
  std::string workload;
  std::string verdict = "ok";  // or the oracle that spoke
  std::string sentence;
  TraceHash hash;
  Instant simulated;
  uint64_t events = 0;
  uint64_t decisions = 0;
  RunCounts counts;
  std::array<FaultCount, kFaults> faults{};
  std::map<std::string, uint64_t> probes;
  std::string options;  // what the swarm drew
};

struct RunOptions {
  uint64_t seed = 0;
  std::string workload;  // empty: the seed chooses
  bool unrestricted = false;
  TraceSink* sink = nullptr;
  std::vector<Decision>* record_to = nullptr;
  const std::vector<Decision>* tape = nullptr;  // instead of the seed's own choices
  Sabotage* sabotage = nullptr;
  DatabaseImages* images = nullptr;  // null: makes its own where it needs them
};

// What a workload works with. It adds machines in set_up(), and in run() steps the world through
// the safety phase, calls nemesis.make_peace(), and through the liveness phase; its oracles call
// world.fail().
struct Run {
  World& world;
  Nemesis& nemesis;
  RunCounts& counts;
  Sabotage* sabotage;            // null but in tests
  const DatabaseImages* images;  // prepared; null unless the workload asked for them
};

class Workload {
 public:
  virtual ~Workload() = default;
  virtual void set_up(Run& run) = 0;
  virtual void run(Run& run) = 0;
  virtual NemesisOptions nemesis_options() const { return {}; }
};

struct WorkloadEntry {
  std::string_view name;
  std::string_view about;
  std::unique_ptr<Workload> (*make)();
  bool needs_images = false;
};
std::span<const WorkloadEntry> workloads();
// The one with this name, or the one that the seed chooses if it is empty. Null when there is none.
const WorkloadEntry* choose_workload(std::string_view name, uint64_t seed);

// REQUIRES: choose_workload(options.workload, options.seed) is one.
RunRecord run_seed(const RunOptions& options);

// The record as one line of JSON.
std::string record_json(const RunRecord& record, uint64_t real_microseconds);

}  // namespace orrery
