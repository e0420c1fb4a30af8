#include "sim/sim_clock.h"

#include "sim/world.h"

namespace orrery {
namespace {
constexpr int64_t kMillion = 1'000'000;
// 2026-01-01 in microseconds of PostgreSQL's epoch: where simulated history starts.
constexpr int64_t kFirstWallTime = 820'454'400LL * kMillion;

int64_t scale(int64_t ns, int64_t numerator, int64_t denominator) {
  return static_cast<int64_t>(static_cast<__int128>(ns) * numerator / denominator);
}
}  // namespace

Instant SimClock::to_local(Instant world_time) const {
  return Instant(faults_.skew_ns + scale(world_time.v, kMillion + faults_.drift_ppm, kMillion));
}

// Rounded up, so that a timer is never early by its own clock.
Instant SimClock::to_world(Instant local) const {
  Instant guess(scale(local.v - faults_.skew_ns, kMillion, kMillion + faults_.drift_ppm));
  while (to_local(guess) < local) guess += 1;
  return guess;
}

Instant SimClock::now() { return to_local(world_.now()); }

WallTime SimClock::wall_now() {
  return WallTime(kFirstWallTime + world_.now().v / 1000 + faults_.wall_offset_us);
}

void SimClock::set(Timer& timer) {
  CHECK(timer.host_key == 0);
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.timer = &timer;
  timer.host_key = static_cast<uint64_t>(slot.generation) << 32 | (index + 1u);
  const Instant due = std::max(world_.now(), to_world(timer.when));
  world_.schedule(EventKind::timer, machine_, boot_, due, timer.host_key);
}

void SimClock::cancel(Timer& timer) {
  if (timer.host_key == 0) return;
  const auto index = static_cast<uint32_t>(timer.host_key) - 1;
  CHECK(index < slots_.size());
  timer.host_key = 0;
  Slot& slot = slots_[index];
  if (slot.timer != &timer) return;  // forgotten when the machine died
  slot.timer = nullptr;
  ++slot.generation;
  free_.push_back(index);
}

void SimClock::fire(uint64_t key) {
  const auto index = static_cast<uint32_t>(key) - 1;
  Slot& slot = slots_[index];
  if (slot.timer == nullptr || slot.generation != key >> 32) return;
  Timer& timer = *slot.timer;
  cancel(timer);
  timer.completion->complete();
}

void SimClock::forget_timers() {
  for (Slot& slot : slots_) slot.timer = nullptr;
}

}  // namespace orrery
