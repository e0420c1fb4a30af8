// What log.cpp, log_writer.cpp and log_open.cpp share of Log's insides.
#pragma once

#include "wal/log.h"
#include "wal/log_segments.h"

namespace orrery {

// One entry being filled, closed, or written. The first 48 bytes are the header's.
struct Log::EntryBuffer {
  explicit EntryBuffer(size_t bytes)
      : capacity(bytes), data(std::make_unique_for_overwrite<std::byte[]>(bytes)) {}
  MutableBytes bytes() { return {data.get(), used}; }
  Lsn end() const { return lsn + used; }

  size_t capacity;
  std::unique_ptr<std::byte[]> data;
  Lsn lsn;
  size_t used = 0;
  bool closed = false;  // takes no more records
  Instant opened_at;
};

struct Log::Waiter {
  Fiber* fiber;
  Lsn lsn;
  bool reached = false;
  ListHook<Waiter> hook;
};

// Waiters in the order of their LSNs; most arrive in that order.
class Log::OrderedWaiters {
 public:
  Status wait(Fiber& fiber, Lsn lsn) {
    Waiter waiter{&fiber, lsn, false, {}};
    Waiter* after = waiters_.back();
    while (after != nullptr && after->lsn > lsn) after = after->hook.previous;
    waiters_.insert_after(after, waiter);
    while (!waiter.reached) {
      Status interrupted = fiber.suspend();
      if (interrupted.ok()) continue;
      if (waiter.reached) {
        if (interrupted.is_halted()) return interrupted;
        fiber.cancel(std::move(interrupted));  // stays pending; what was waited for did happen
        break;
      }
      waiters_.remove(waiter);
      return interrupted;
    }
    return {};
  }
  void wake(Lsn reached) {
    while (!waiters_.empty() && waiters_.front()->lsn < reached) {
      Waiter* waiter = waiters_.pop_front();
      waiter->reached = true;
      waiter->fiber->wake();
    }
  }
  bool empty() const { return waiters_.empty(); }
  void check(Lsn reached) const {
    Lsn last{};
    for (Waiter* w = waiters_.front(); w != nullptr; w = waiters_.next_of(*w)) {
      CHECK(w->lsn >= last && w->lsn >= reached);
      last = w->lsn;
    }
  }

 private:
  IntrusiveList<Waiter, &Waiter::hook> waiters_;
};

}  // namespace orrery
