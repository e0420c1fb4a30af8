#include "sim/event_queue.h"

#include <algorithm>

#include "base/check.h"

namespace orrery {
namespace {
bool later(const Event& a, const Event& b) {
  if (a.time != b.time) return a.time > b.time;
  if (a.tie != b.tie) return a.tie > b.tie;
  return a.order > b.order;
}
}  // namespace

void EventQueue::push(Event event) {
  event.order = next_order_++;
  heap_.push_back(event);
  std::push_heap(heap_.begin(), heap_.end(), later);
}

Event EventQueue::pop() {
  CHECK(!heap_.empty());
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Event event = heap_.back();
  heap_.pop_back();
  return event;
}

}  // namespace orrery
