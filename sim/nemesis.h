// The nemesis strikes machines at drawn moments with what the swarm turned on: it cuts the power,
// kills, pauses, slows, turns clocks, partitions, resets, lets bits rot; and it starts again what
// is down. Some crashes are aimed: at the n-th disk request from now, which puts them between a
// write and its sync, or into recovery, where time alone seldom lands.
#pragma once

#include "sim/world.h"

namespace orrery {

struct NemesisOptions {
  Duration first = milliseconds(2);     // strikes come at intervals drawn between these,
  Duration shortest = milliseconds(2);  // each order of magnitude alike
  Duration longest = milliseconds(400);
};

class Nemesis final : public World::NemesisHook {
 public:
  Nemesis(World& world, NemesisOptions options);

  // Draws what lasts for the whole run: disk speeds, clock errors, capacity; and queues the first
  // strike.
  void begin();
  void strike() override;
  void on_down(Machine& machine) override;
  // No more strikes; what is down starts, what is slow or paused or partitioned is whole again,
  // damage is taken back.
  void make_peace();
  bool is_at_peace() const { return at_peace_; }

 private:
  enum class Deed : uint8_t {
    crash,
    kill,
    crash_at_request,
    pause,
    slow,
    clock,
    partition,
    reset,
    rot
  };
  void do_deed(Deed deed, Machine& victim);
  void prepare(Machine& machine);
  Machine* choose_victim();
  void aim_at_recovery(Machine& machine);

  World& world_;
  NemesisOptions options_;
  bool at_peace_ = false;
};

}  // namespace orrery
