#include "fiber/sync.h"

#include "fiber/scheduler.h"

namespace orrery {

Result<bool> WaitQueue::wait(Fiber& fiber, Instant deadline) {
  TRY(fiber.check_interrupts());
  Waiter waiter{.fiber = &fiber};
  waiters_.push_back(waiter);
  while (true) {
    fiber.park(deadline, true);
    const bool halted = fiber.scheduler().halted();
    if (waiter.notified && !halted) return true;
    Status interrupted = fiber.check_interrupts();
    if (interrupted.ok() && !fiber.timed_out()) continue;  // a stale wake
    if (!waiter.notified) waiters_.remove(waiter);
    TRY(std::move(interrupted));
    return false;
  }
}

void WaitQueue::notify_one() {
  Waiter* waiter = waiters_.pop_front();
  if (waiter == nullptr) return;
  waiter->notified = true;
  waiter->fiber->wake();
}

void WaitQueue::notify_all() {
  while (!waiters_.empty()) notify_one();
}

Status Mutex::lock(Fiber& fiber) {
  TRY(fiber.check_interrupts());
  if (!locked_) {
    locked_ = true;
    return {};
  }
  const bool handed_over = TRY(queue_.wait(fiber));
  CHECK(handed_over && locked_);
  return {};
}

void Mutex::unlock() {
  CHECK(locked_);
  if (queue_.empty()) {
    locked_ = false;
  } else {
    queue_.notify_one();
  }
}

}  // namespace orrery
