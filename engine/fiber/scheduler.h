// Runs the fibers of one node. The loop around it belongs to the host: on Linux
//   while (scheduler.run_one()) {}  host waits for completions  ...
// and in the simulator one run_one() per processor event, after which the machine is busy for the
// units it returned.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fiber/fiber.h"

namespace orrery {

struct SchedulerOptions {
  uint32_t stack_bytes =
      4 * 1024 * 1024;         // per fiber, lazily mapped; four times as much under a sanitizer
  int recursion_limit = 1500;  // enter_recursion() levels per fiber
};

class StackPool;

class Scheduler {
 public:
  explicit Scheduler(Host& host, SchedulerOptions options = {});
  Scheduler(const Scheduler&) = delete;
  ~Scheduler();  // REQUIRES: no live fibers

  // Starts a fiber; `body` runs at its first turn. The fiber frees itself when body returns.
  Fiber& spawn(std::string name, UniqueFunction<void(Fiber&)> body);

  // Runs one ready fiber until it suspends, yields or ends. Returns the work units it charged, or
  // nothing when no fiber is ready. host.pick() chooses when several are.
  std::optional<WorkUnits> run_one();
  bool has_ready() const { return !ready_.empty(); }
  // Appends the ready fibers' ordinals, in the order that host.pick() chooses from.
  void append_ready(std::vector<uint64_t>& ordinals) const;

  // The machine is dead: from now each suspension point returns halted and run_one() runs nothing.
  // For a fatal error met inside a fiber; the host calls halt() once that fiber's turn is over.
  void mark_halted() { halted_ = true; }
  // The machine dies: as mark_halted(), and runs all fibers, in the order of their birth, until
  // each has returned. REQUIRES: no fiber is running; the host has let go of every request, timer
  // and task of theirs.
  void halt();
  bool halted() const { return halted_; }

  size_t live_fibers() const { return all_.size(); }
  Host& host() { return host_; }
  // The fiber now running; null between turns.
  Fiber* current() { return current_; }

 private:
  friend class Fiber;
  void make_ready(Fiber& fiber);
  WorkUnits resume(Fiber& fiber);  // one turn of it
  void switch_back(Fiber& fiber);
  static void enter(void* fiber);  // where its stack begins

  Host& host_;
  SchedulerOptions options_;
  bool halted_ = false;
  Fiber* current_ = nullptr;
  uint64_t spawned_ = 0;
  IntrusiveList<Fiber, &Fiber::queue_hook_> ready_;
  IntrusiveList<Fiber, &Fiber::all_hook_> all_;
  std::unique_ptr<FiberContext> main_context_;
  std::unique_ptr<StackPool> stacks_;
};

}  // namespace orrery
