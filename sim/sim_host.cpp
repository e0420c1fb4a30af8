#include "sim/sim_host.h"

#include "base/hash.h"
#include "sim/world.h"

namespace orrery {

uint64_t SimRandom::next() { return world_.tape().pick_word(Site::engine_random, machine_); }

bool SimRandom::nudge(const char* name) {
  if (!world_.faults().strikes(Fault::nudge, Site::nudge, machine_)) return false;
  world_.note(machine_, "nudge", name);
  return true;
}

void SimWorkers::submit(WorkerTask& task) {
  size_t slot = 0;
  while (slot < tasks_.size() && tasks_[slot] != nullptr) ++slot;
  if (slot == tasks_.size()) tasks_.push_back(nullptr);
  tasks_[slot] = &task;
  const int64_t delay = world_.tape().magnitude(Site::worker_delay, machine_, 1'000, 5'000'000);
  world_.schedule(EventKind::worker, machine_, boot_, world_.now() + nanoseconds(delay), slot);
}

void SimWorkers::finish(uint64_t slot) {
  WorkerTask* task = tasks_[slot];
  if (task == nullptr) return;
  tasks_[slot] = nullptr;
  task->run();
  task->completion->complete();
}

void SimWorkers::forget_tasks() { std::fill(tasks_.begin(), tasks_.end(), nullptr); }

SimHost::SimHost(World& world, Machine& machine, uint32_t boot)
    : world_(world),
      machine_(machine),
      clock_(world, machine.id(), boot, machine.clock_faults()),
      random_(world, machine.id()),
      network_(world.network(), machine.id(), boot),
      workers_(world, machine.id(), boot, 1 + static_cast<uint32_t>(boot % 4)) {}

Disk& SimHost::disk() { return machine_.disk(); }

void SimHost::work_ready() { machine_.work_ready(); }

uint32_t SimHost::pick(uint32_t count) { return world_.pick_fiber(machine_, count); }

void SimHost::log(LogLevel level, std::string_view text) {
  world_.note(machine_.id(), "log", text, static_cast<uint64_t>(level), 0);
}

Status SimHost::fatal(std::string_view why) {
  machine_.note_fatal(why);
  machine_.scheduler()->mark_halted();
  world_.on_fatal(machine_);
  return raise_halted();
}

}  // namespace orrery
