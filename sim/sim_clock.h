// A machine's clocks. The monotone one starts anywhere and may run a little fast or slow; the wall
// clock may jump as well.
#pragma once

#include <vector>

#include "host/host.h"

namespace orrery {

class World;

struct ClockFaults {
  int64_t skew_ns = 0;  // of the monotone clock: where it starts
  int32_t drift_ppm = 0;
  int64_t wall_offset_us = 0;  // changed by jumps
};

class SimClock final : public Clock {
 public:
  SimClock(World& world, uint16_t machine, uint32_t boot, const ClockFaults& faults)
      : world_(world), machine_(machine), boot_(boot), faults_(faults) {}

  Instant now() override;
  WallTime wall_now() override;
  void set(Timer& timer) override;
  void cancel(Timer& timer) override;

  // The event of a timer came up; stale ones are passed over.
  void fire(uint64_t slot);
  // The machine died: no timer fires any more.
  void forget_timers();

 private:
  Instant to_local(Instant world_time) const;
  Instant to_world(Instant local) const;

  struct Slot {
    Timer* timer = nullptr;
    uint32_t generation = 0;
  };
  World& world_;
  uint16_t machine_;
  uint32_t boot_;
  const ClockFaults& faults_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace orrery
