// The one queue: what will happen, ordered by (simulated time, tie-break drawn from the tape, order
// of insertion). Events are small values, so the queue allocates only while it grows. A cancelled
// event stays in the queue and is recognised as stale when it comes up, by its slot's generation or
// its machine's boot number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace orrery {

enum class EventKind : uint8_t {
  turn,  // a machine's processor is free: run one fiber
  timer,
  disk,             // a disk request is done
  worker,           // a worker task is done
  network_request,  // a network request is done
  network_deliver,  // bytes, an end or a reset reach the other side of a stream
  nemesis,          // time for the next fault of the world
  boot,             // a machine starts
  crash,            // a machine stops
};

struct Event {
  Instant time;
  uint32_t tie = 0;
  uint64_t order = 0;
  EventKind kind = EventKind::turn;
  uint16_t machine = 0;  // 0 is the world
  uint32_t boot = 0;     // of the machine, when the event was queued
  uint64_t slot = 0;     // which request; kind's own
};

class EventQueue {
 public:
  void push(Event event);
  // REQUIRES: !empty()
  Event pop();
  const Event& front() const { return heap_.front(); }
  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }

 private:
  std::vector<Event> heap_;
  uint64_t next_order_ = 0;
};

}  // namespace orrery
