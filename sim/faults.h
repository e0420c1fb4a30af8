// Which faults a run may meet, how often each could have struck and how often it did. Options are
// drawn by swarm (Groce et al., 2012): a random subset of classes at random rates, since a run with
// every fault at once explores less than many runs with a few. Each class counts chances and
// firings; a class that never fires is a dead fault, and the sweep says so.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sim/tape.h"

namespace orrery {

enum class Fault : uint8_t {
#define FAULT(name, text, on, low, high) name,
#include "sim/faults.def"
#undef FAULT
};
constexpr size_t kFaults = 0
#define FAULT(name, text, on, low, high) +1
#include "sim/faults.def"
#undef FAULT
    ;
std::string_view fault_text(Fault fault);
std::string_view fault_name(Fault fault);

struct FaultCount {
  uint64_t chances = 0;
  uint64_t firings = 0;
};

class Faults {
 public:
  explicit Faults(Tape& tape) : tape_(tape) {}

  // Draws the subset and the rates. `unrestricted` also admits faults that no single machine can
  // survive (lying fsync, stale reads): then only safety that needs no disk is checked.
  void draw_swarm(bool unrestricted);
  void set(Fault fault, Rate rate) { rates_[index(fault)] = rate; }

  // The class is part of this run, and faults are not switched off.
  bool is_on(Fault fault) const { return active_ && rates_[index(fault)].per_million != 0; }
  // One chance for `fault` to strike at `site`: counted, and decided at its rate.
  bool strikes(Fault fault, Site site, uint16_t machine);
  // For faults that someone else decides: counts.
  void note(Fault fault, bool fired) {
    ++counts_[index(fault)].chances;
    if (fired) ++counts_[index(fault)].firings;
  }

  // The liveness phase: no further fault strikes. Damage already done is the disks' business
  // (SimDisk::heal).
  void stop() { active_ = false; }
  void resume() { active_ = true; }
  bool are_active() const { return active_; }

  const FaultCount& count(Fault fault) const { return counts_[index(fault)]; }
  Rate rate(Fault fault) const { return rates_[index(fault)]; }
  uint64_t firings_of_disk() const;
  // "disk.bit_rot=on ..." : what is on in this run, for its first line.
  std::string describe() const;

 private:
  static size_t index(Fault fault) { return static_cast<size_t>(fault); }
  Tape& tape_;
  bool active_ = true;
  std::array<Rate, kFaults> rates_{};  // 0: off
  std::array<FaultCount, kFaults> counts_{};
};

}  // namespace orrery
