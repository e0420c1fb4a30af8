// The timers that are set, as a binary heap ordered by time and then by age, so that equal times
// fire in the order they were set. A timer's host_key is its place in the heap plus one: cancelling
// needs no search.
#pragma once

#include <vector>

#include "host/host.h"

namespace orrery {

class Timers {
 public:
  void set(Timer& timer);
  void cancel(Timer& timer);
  // Completes those due at `now`.
  void fire(Instant now);
  // kNever when none is set.
  Instant earliest() const { return heap_.empty() ? kNever : heap_.front().timer->when; }
  void forget_all();

 private:
  struct Entry {
    Timer* timer;
    uint64_t age;
  };
  static bool before(const Entry& a, const Entry& b);
  void place(size_t index, Entry entry);
  void sift_up(size_t index, Entry entry);
  void sift_down(size_t index, Entry entry);
  void remove_at(size_t index);

  uint64_t last_age_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace orrery
