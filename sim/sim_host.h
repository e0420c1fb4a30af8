// The host of one boot of a simulated machine: it lives from boot to crash. Disk and clock errors
// belong to the machine and outlast it.
#pragma once

#include <vector>

#include "host/host.h"
#include "sim/sim_clock.h"
#include "sim/sim_network.h"

namespace orrery {

class Machine;
class Scheduler;
class World;

class SimRandom final : public Random {
 public:
  SimRandom(World& world, uint16_t machine) : world_(world), machine_(machine) {}
  uint64_t next() override;
  bool nudge(const char* name) override;

 private:
  World& world_;
  uint16_t machine_;
};

// Tasks run at drawn moments, one after the other; their input is immutable, so when they run
// cannot be seen.
class SimWorkers final : public Workers {
 public:
  SimWorkers(World& world, uint16_t machine, uint32_t boot, uint32_t count)
      : world_(world), machine_(machine), boot_(boot), count_(count) {}
  uint32_t count() const override { return count_; }
  void submit(WorkerTask& task) override;
  void finish(uint64_t slot);
  void forget_tasks();

 private:
  World& world_;
  uint16_t machine_;
  uint32_t boot_;
  uint32_t count_;
  std::vector<WorkerTask*> tasks_;
};

class SimHost final : public Host {
 public:
  SimHost(World& world, Machine& machine, uint32_t boot);

  SimClock& clock() override { return clock_; }
  Random& random() override { return random_; }
  Disk& disk() override;
  SimNetwork& network() override { return network_; }
  SimWorkers& workers() override { return workers_; }
  void work_ready() override;
  uint32_t pick(uint32_t count) override;
  void log(LogLevel level, std::string_view text) override;
  Status fatal(std::string_view why) override;

 private:
  World& world_;
  Machine& machine_;
  SimClock clock_;
  SimRandom random_;
  SimNetwork network_;
  SimWorkers workers_;
};

}  // namespace orrery
