// A simulated machine: a disk that lasts, and between a boot and a crash a host, a scheduler and
// the node that runs on them. Its one processor runs fiber after fiber; simulated time passes by
// the work units each turn charged.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fiber/scheduler.h"
#include "sim/sim_clock.h"
#include "sim/sim_disk.h"
#include "sim/sim_host.h"

namespace orrery {

enum class CrashKind : uint8_t { power, kill };  // kill: the process only, the page cache stays

// What runs on a machine from boot to crash. Made at each boot; destroyed when every fiber has
// returned.
class Node {
 public:
  virtual ~Node() = default;
  // It has recovered and does its work; until then a crash is one during recovery.
  virtual bool is_serving() const = 0;
};

class NodeFactory {
 public:
  virtual ~NodeFactory() = default;
  virtual std::unique_ptr<Node> boot(class Machine& machine, Host& host, Scheduler& scheduler) = 0;
};

class Machine {
 public:
  Machine(World& world, uint16_t id, std::string name, const FileTree* image);
  ~Machine();

  uint16_t id() const { return id_; }
  const std::string& name() const { return name_; }
  SimDisk& disk() { return disk_; }

  // The machine runs what the factory makes. Without one it has a scheduler only, for fibers that a
  // test or a workload spawns itself.
  void set_factory(NodeFactory* factory) { factory_ = factory; }
  // Left alone by the nemesis: clients.
  void set_protected(bool is_protected) { is_protected_ = is_protected; }
  bool is_protected() const { return is_protected_; }

  // REQUIRES: !is_up()
  void start();
  void crash(CrashKind kind);
  // After the current event. Harmless when it is down or going down.
  void crash_soon(CrashKind kind);
  void start_after(Duration delay);
  // Every event of the machine waits until then.
  void pause(Duration duration);
  void set_slowness(uint32_t factor) { slowness_ = factor; }
  ClockFaults& clock_faults() { return clock_faults_; }

  bool is_up() const { return host_ != nullptr; }
  bool is_running(uint32_t boot) const {
    return host_ != nullptr && !scheduler_->halted() && boot == boots_;
  }
  uint32_t boots() const { return boots_; }
  Node* node() { return node_.get(); }
  Scheduler* scheduler() { return scheduler_ ? &*scheduler_ : nullptr; }
  SimHost* host() { return host_.get(); }
  SimNetwork* network() { return is_up() ? &host_->network() : nullptr; }
  Instant paused_until() const { return paused_until_; }

  // Events.
  void run_turn();
  void work_ready();
  // The node gave up.
  void note_fatal(std::string_view why);
  const std::string& fatal_text() const { return fatal_text_; }

  struct Counts {
    uint64_t crashes = 0;
    uint64_t kills = 0;
    uint64_t crashes_in_recovery = 0;
    uint64_t fatals = 0;
    uint64_t turns = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  World& world_;
  uint16_t id_;
  std::string name_;
  bool is_protected_ = false;
  SimDisk disk_;
  ClockFaults clock_faults_;
  NodeFactory* factory_ = nullptr;
  uint32_t boots_ = 0;
  std::unique_ptr<SimHost> host_;
  std::optional<Scheduler> scheduler_;
  std::unique_ptr<Node> node_;
  bool turn_queued_ = false;
  bool crash_queued_ = false;
  Instant cpu_free_at_;
  Instant paused_until_;
  uint32_t slowness_ = 1;
  std::string fatal_text_;
  Counts counts_;
};

}  // namespace orrery
