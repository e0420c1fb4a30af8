// The world: one thread, one queue, one tape, one trace. Machines are made in it, and step() makes
// the next thing happen. Idle time is skipped. See sim/README.md for how a run is put together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/event_queue.h"
#include "sim/faults.h"
#include "sim/machine.h"
#include "sim/sim_network.h"
#include "sim/tape.h"
#include "sim/trace.h"

namespace orrery {

// The first thing found wrong in a run.
struct Failure {
  std::string oracle;  // "ledger", "structure", "assertion", "liveness", ...
  std::string sentence;
};

class World {
 public:
  explicit World(Policy& policy);
  ~World();

  Tape& tape() { return tape_; }
  Trace& trace() { return trace_; }
  Faults& faults() { return faults_; }
  NetworkFabric& network() { return network_; }
  Instant now() const { return now_; }

  // `image` is copied on write; null for an empty disk. The machine is down until start().
  Machine& add_machine(std::string name, const FileTree* image);
  Machine& machine(uint16_t id) { return *machines_[id - 1u]; }
  Machine* find(std::string_view name);
  size_t machines() const { return machines_.size(); }

  // Makes the next event happen. False when nothing is left or the run has failed.
  bool step();
  // Steps until `when`, or until nothing is left before it.
  void run_until(Instant when);

  void schedule(EventKind kind, uint16_t machine, uint32_t boot, Instant when, uint64_t slot);
  // Now, before anything else that is due now.
  void schedule_urgent(EventKind kind, uint16_t machine, uint32_t boot, uint64_t slot);

  // An event for the trace, at the current time.
  void note(uint16_t machine, const char* what, std::string_view name = {}, uint64_t a = 0,
            uint64_t b = 0, uint64_t content = 0) {
    trace_.event(TraceEvent{now_, machine, what, name, a, b, content});
  }
  // An oracle speaks. The first failure stays.
  void fail(std::string_view oracle, std::string sentence);
  const std::optional<Failure>& failure() const { return failure_; }

  uint32_t pick_fiber(Machine& machine, uint32_t count);
  void on_fatal(Machine& machine);

  // The nemesis, called when its event comes up.
  class NemesisHook {
   public:
    virtual ~NemesisHook() = default;
    virtual void strike() = 0;
    // The machine stopped for good reason or bad; who starts it again is the hook's business.
    virtual void on_down(Machine& machine) = 0;
  };
  void set_nemesis(NemesisHook* nemesis) { nemesis_ = nemesis; }
  uint64_t steps() const { return steps_; }

 private:
  void dispatch(const Event& event);

  Trace trace_;
  Tape tape_;
  Faults faults_;
  EventQueue queue_;
  NetworkFabric network_;
  Instant now_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::optional<Failure> failure_;
  NemesisHook* nemesis_ = nullptr;
  std::vector<uint64_t> who_;
  uint64_t steps_ = 0;
};

}  // namespace orrery
