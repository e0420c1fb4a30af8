// What every workload asks of an engine that runs on a failing machine: which errors have a cause,
// and how the safety and the liveness phase go.
#pragma once

#include "sim/run/run.h"
#include "sim/workload/fake_quorum.h"

namespace orrery {

// True when the world gave the machine reason for this error: a halted machine always does, an I/O
// error, a full disk or damage if one was handed out. Otherwise the run fails with what it was
// about.
bool has_cause(World& world, Machine& machine, const Status& status, std::string_view doing);

// Steps until `done` or the time is over. True when done.
bool run_until(World& world, Duration limit, FunctionRef<bool()> done);

// Steps without faults until `done`: for making the database. Fails the run if it takes too long.
void set_up_in_peace(World& world, FunctionRef<bool()> done);

// The two phases. `enough` says that the safety phase has seen enough work; it ends all the same
// after `safety_limit`. Then peace is made, and `finished` must come true within `liveness_limit`;
// if not, `pending` names what is outstanding.
struct Phases {
  Duration safety_limit = seconds(20);
  Duration liveness_limit = seconds(120);
};
void run_phases(Run& run, const Phases& phases, FunctionRef<bool()> enough,
                FunctionRef<bool()> finished, FunctionRef<std::string()> pending);

// What a group of one can lose and notice: data files, and of the log what a later entry on disk
// proves to have been there. Not the end of the log, the control file or the double-write area.
class SingleMachineAtlas final : public FaultAtlas {
 public:
  SingleMachineAtlas(const QuorumMemory& quorum, const uint64_t& segment_bytes)
      : quorum_(quorum), segment_bytes_(segment_bytes) {}
  bool may_damage(std::string_view name, uint64_t offset, uint64_t count) const override;
  bool may_misread(std::string_view name) const override { return name.starts_with("data/"); }

 private:
  const QuorumMemory& quorum_;
  const uint64_t& segment_bytes_;
};

}  // namespace orrery
