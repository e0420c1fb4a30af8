// Waiting between fibers of one node: all on the engine thread, so none of this is atomic, and a
// condition checked after a wait returns holds until the next suspension.
#pragma once

#include <deque>
#include <optional>

#include "fiber/fiber.h"

namespace orrery {

// Fibers waiting for something to change, woken in arrival order. A waiter re-checks its condition.
// A notification that reached a waiter is not lost to a cancellation that came at the same time:
// the wait succeeds, the cancel stays pending.
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  ~WaitQueue() { CHECK(waiters_.empty()); }

  // Suspends until notified (true) or until `deadline` (false). Fails as any suspension point does.
  Result<bool> wait(Fiber& fiber, Instant deadline = kNever);
  void notify_one();
  void notify_all();
  bool empty() const { return waiters_.empty(); }

 private:
  struct Waiter {
    Fiber* fiber;
    bool notified = false;
    ListHook<Waiter> hook;
  };
  IntrusiveList<Waiter, &Waiter::hook> waiters_;
};

// Mutual exclusion over suspension points, granted in arrival order: unlock() hands it to the first
// waiter, so that a fiber that unlocks and locks again queues up behind those who came first.
class Mutex {
 public:
  Status lock(Fiber& fiber);
  void unlock();
  bool is_locked() const { return locked_; }

 private:
  bool locked_ = false;
  WaitQueue queue_;
};

// Unlocks at the end of its scope. Use: Mutex m; TRY(m.lock(fiber)); UnlockGuard guard(m);
class UnlockGuard {
 public:
  explicit UnlockGuard(Mutex& mutex) : mutex_(mutex) {}
  UnlockGuard(const UnlockGuard&) = delete;
  ~UnlockGuard() { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

// A bounded queue between fibers.
template <class T>
class Channel {
 public:
  explicit Channel(size_t capacity) : capacity_(capacity) {}
  Status send(Fiber& fiber, T item) {
    while (items_.size() >= capacity_ && !closed_) TRY(not_full_.wait(fiber));
    if (closed_) return raise(sqlstate::internal_error, "channel is closed");
    items_.push_back(std::move(item));
    not_empty_.notify_one();
    return {};
  }
  // Nothing once closed and drained.
  Result<std::optional<T>> receive(Fiber& fiber) {
    while (items_.empty() && !closed_) TRY(not_empty_.wait(fiber));
    if (items_.empty()) return std::optional<T>();
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    not_full_.notify_one();
    return item;
  }
  void close() {
    closed_ = true;
    not_empty_.notify_all();
    not_full_.notify_all();
  }

 private:
  size_t capacity_;
  bool closed_ = false;
  std::deque<T> items_;
  WaitQueue not_empty_, not_full_;
};

}  // namespace orrery
