#include "os/timers.h"

namespace orrery {

bool Timers::before(const Entry& a, const Entry& b) {
  return a.timer->when != b.timer->when ? a.timer->when < b.timer->when : a.age < b.age;
}

void Timers::place(size_t index, Entry entry) {
  heap_[index] = entry;
  entry.timer->host_key = index + 1;
}

void Timers::sift_up(size_t index, Entry entry) {
  while (index > 0 && before(entry, heap_[(index - 1) / 2])) {
    place(index, heap_[(index - 1) / 2]);
    index = (index - 1) / 2;
  }
  place(index, entry);
}

void Timers::sift_down(size_t index, Entry entry) {
  while (true) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

void Timers::set(Timer& timer) {
  CHECK(timer.host_key == 0);
  heap_.push_back({});
  sift_up(heap_.size() - 1, {.timer = &timer, .age = ++last_age_});
}

void Timers::remove_at(size_t index) {
  heap_[index].timer->host_key = 0;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && before(last, heap_[(index - 1) / 2])) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

void Timers::cancel(Timer& timer) {
  if (timer.host_key == 0) return;
  CHECK(timer.host_key <= heap_.size() && heap_[timer.host_key - 1].timer == &timer);
  remove_at(timer.host_key - 1);
}

void Timers::fire(Instant now) {
  while (!heap_.empty() && heap_.front().timer->when <= now) {
    Timer* timer = heap_.front().timer;
    remove_at(0);
    timer->completion->complete();
  }
}

void Timers::forget_all() {
  for (const Entry& entry : heap_) entry.timer->host_key = 0;
  heap_.clear();
}

}  // namespace orrery
