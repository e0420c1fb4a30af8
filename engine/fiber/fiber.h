// Fibers: stacks of their own on the engine thread, switched by hand. A session is a fiber, and so
// are the log writer, the checkpointer and the vacuum. Between two suspension points a fiber is
// alone, so there are no latches.
//
// A function that may suspend takes Fiber& first (or a context that holds one). After it returns,
// what was read before may have changed. Each suspension point returns a Status and can fail with
//   halted   the machine died: return at once, by the normal path; nothing may catch it, no I/O
//            reaches the disk;
//   57014    the statement was cancelled (or 57P01 for a session that is told to end, or what the
//            canceller gave).
// Fibers are never destroyed while suspended; they return.
//
// Cancellation is seen where a fiber would wait for others or for a peer, and in yield() and
// charge(); never in a disk or worker wait, whose buffers are in use: there it stays pending for
// the next point that may deliver it.
//
// Stacks are of fixed size above a guard page, mapped lazily and pooled (stack_pool.h). Recursion
// counts its levels with enter_recursion(), so that the limit is ours and equal in every build, not
// the machine's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/function.h"
#include "base/ids.h"
#include "base/intrusive_list.h"
#include "base/status.h"
#include "host/host.h"

namespace orrery {

class Scheduler;
class WaitQueue;
struct FiberContext;  // the switch's own: stack, registers, sanitizer handles (fiber/switch.h)

class Fiber {
 public:
  Fiber(const Fiber&) = delete;
  ~Fiber();

  Scheduler& scheduler() { return scheduler_; }
  Host& host();
  Instant now();
  const std::string& name() const { return name_; }
  // Counts fibers of this scheduler from 1: an identity that lasts, for schedules.
  uint64_t ordinal() const { return ordinal_; }

  // Suspends until someone wakes this fiber, or until `deadline`: then ok, with timed_out(). A wake
  // may be a stale one, so the caller checks what it waits for, and waits again. WaitQueue and io.h
  // are built on this; other code uses those.
  Status suspend(Instant deadline = kNever);
  // The same for waits that must see their end: cancellation neither ends it nor is delivered.
  // Fails with halted only.
  Status suspend_uncancelled();
  bool timed_out() const { return timed_out_; }
  // Makes a suspended fiber ready. Harmless when it is not suspended.
  void wake();

  // Suspends for `duration`.
  Status sleep(Duration duration);
  // Lets others run; returns at the next turn. Also where cancellation is seen by code that
  // computes.
  Status yield();
  // Books work done. Suspends only when the slice is used up: the usual call in loops.
  Status charge(WorkUnits units) {
    CHECK_SLOW(no_suspend_ == 0);
    units_ += units;
    if (units_ < slice_end_) [[likely]]
      return {};
    return end_slice();
  }
  // Books without suspending, where a region must be atomic.
  void charge_only(WorkUnits units) { units_ += units; }
  WorkUnits units() const { return units_; }

  // Delivers `reason` (57014, 57P01, 25P03...) at this fiber's current or next suspension point,
  // once. A 57014 never takes the place of a pending reason that ends the session.
  void cancel(Status reason);
  bool cancel_pending() const { return cancel_reason_ != nullptr; }
  // The statement is over: a 57014 that came too late to be delivered is dropped.
  void drop_statement_cancel();
  // While above zero a cancel stays pending: for regions that must finish (a commit being
  // answered).
  void hold_cancel() { ++cancel_held_; }
  void release_cancel();
  // halted, or the pending cancellation (which is thereby delivered), without suspending.
  Status check_interrupts();

  // Gives the pages of the stack that are not in use back to the system: before a long wait.
  void trim_stack();

  // False once recursion has used up this fiber's depth: raise 54001 "stack depth limit exceeded".
  // Usually the levels run out first, in every build at the same place; where a level takes
  // unusually much of the stack, half of it is kept for those who will walk what was built.
  bool enter_recursion() { return ++depth_ <= depth_limit_ && has_stack(); }
  void leave_recursion() { --depth_; }

 private:
  friend class Scheduler;
  friend class NoSuspend;
  friend class WaitQueue;
  Fiber(Scheduler& scheduler, std::string name, UniqueFunction<void(Fiber&)> body);
  Status end_slice();
  bool has_stack() const;
  // Waits to be woken, by cancel() too if `cancellable`; takes no notice of why.
  void park(Instant deadline, bool cancellable);

  struct TimerWake final : Completion {
    explicit TimerWake(Fiber& f) : fiber(f) {}
    void complete() override;
    Fiber& fiber;
  };
  enum class State : uint8_t { ready, running, suspended, finished };

  Scheduler& scheduler_;
  std::string name_;
  uint64_t ordinal_ = 0;
  UniqueFunction<void(Fiber&)> body_;
  State state_ = State::ready;
  bool cancellable_ = false;  // while suspended: cancel() wakes it
  bool timed_out_ = false;
  WorkUnits units_ = 0;
  // Set anew where a cancellation would have been seen, and only there: a fiber that often waits
  // for the disk comes to the end of its slice all the same.
  WorkUnits slice_end_ = kUnitsPerSlice;
  int cancel_held_ = 0;
  int no_suspend_ = 0;
  int depth_ = 0;
  int depth_limit_ = 0;
  std::unique_ptr<Error> cancel_reason_;
  TimerWake timer_wake_{*this};
  Timer timer_;
  std::unique_ptr<FiberContext> context_;
  ListHook<Fiber> queue_hook_;  // in the ready list
  ListHook<Fiber> all_hook_;    // in the list of live fibers
};

// CHECKs that its fiber does not suspend while this lives.
class NoSuspend {
 public:
  explicit NoSuspend(Fiber& fiber) : fiber_(fiber) { ++fiber_.no_suspend_; }
  NoSuspend(const NoSuspend&) = delete;
  ~NoSuspend() { --fiber_.no_suspend_; }

 private:
  Fiber& fiber_;
};

// One level of recursion over what somebody sent, while it lives.
class RecursionLevel {
 public:
  explicit RecursionLevel(Fiber& fiber) : fiber_(fiber), fits_(fiber.enter_recursion()) {}
  RecursionLevel(const RecursionLevel&) = delete;
  ~RecursionLevel() { fiber_.leave_recursion(); }
  // 54001.
  Status check() const;

 private:
  Fiber& fiber_;
  bool fits_;
};

}  // namespace orrery
