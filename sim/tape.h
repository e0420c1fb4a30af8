// The decision tape: each nondeterministic choice of a run is a named decision {site, machine,
// ordinal there, candidates, picked}, and a policy picks. Keys are names and local ordinals, never
// a global count of draws, so that a stored tape survives edits elsewhere and a shrinker can take
// single decisions back to 0, the dull choice.
//
// Policies: seeded random, PCT (Burckhardt et al., 2010) for scheduling, replay of a stored tape.
// Depth-first search and the shrinker are policies too, and need nothing more than this interface.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/prng.h"
#include "sim/trace.h"

namespace orrery {

enum class Site : uint8_t {
#define SITE(name, text) name,
#include "sim/sites.def"
#undef SITE
};
constexpr size_t kSites = 0
#define SITE(name, text) +1
#include "sim/sites.def"
#undef SITE
    ;
std::string_view site_text(Site site);
// Nothing when no site has this name.
std::optional<Site> site_named(std::string_view text);

struct Decision {
  Site site = Site::swarm;
  uint16_t machine = 0;     // 0 is the world itself
  uint32_t ordinal = 0;     // counts decisions of this site on this machine, from 0
  uint64_t candidates = 0;  // picks are below this; 0 stands for 2^64
  uint64_t picked = 0;
};

class Policy {
 public:
  virtual ~Policy() = default;
  // `who` names the candidates where they have lasting identities (fibers, for cpu.next), else it
  // is empty.
  virtual uint64_t pick(const Decision& asked, std::span<const uint64_t> who) = 0;
};

std::unique_ptr<Policy> make_random_policy(uint64_t seed);
// Random, but fibers run by random priorities that change at `depth` - 1 random points among the
// first `steps` picks.
std::unique_ptr<Policy> make_pct_policy(uint64_t seed, uint32_t depth, uint32_t steps);
// Picks what the tape says, and 0 where it says nothing.
std::unique_ptr<Policy> make_replay_policy(std::span<const Decision> tape);

// A chance in a million.
struct Rate {
  uint32_t per_million = 0;
};

class Tape {
 public:
  Tape(Policy& policy, Trace& trace) : policy_(policy), trace_(trace) {}

  // In [0, candidates). REQUIRES: candidates > 0.
  uint64_t pick(Site site, uint16_t machine, uint64_t candidates) {
    return decide(site, machine, candidates, {});
  }
  uint64_t pick_among(Site site, uint16_t machine, std::span<const uint64_t> who) {
    return decide(site, machine, who.size(), who);
  }
  // All 64 bits.
  uint64_t pick_word(Site site, uint16_t machine);
  // False is the dull outcome. Rate 0 decides nothing.
  bool chance(Site site, uint16_t machine, Rate rate) {
    return rate.per_million != 0 && pick(site, machine, 1'000'000) >= 1'000'000 - rate.per_million;
  }
  // In [low, high]; low is the dull outcome.
  int64_t between(Site site, uint16_t machine, int64_t low, int64_t high) {
    CHECK(low <= high);
    return low + static_cast<int64_t>(pick(site, machine, static_cast<uint64_t>(high - low) + 1));
  }
  // Spread over orders of magnitude: in [low, high], each factor of two about equally likely.
  // REQUIRES: low > 0.
  int64_t magnitude(Site site, uint16_t machine, int64_t low, int64_t high);

  // Keeps every decision that was not 0.
  void record_to(std::vector<Decision>* out) { recording_ = out; }
  uint64_t decisions() const { return decisions_; }

 private:
  uint64_t decide(Site site, uint16_t machine, uint64_t candidates, std::span<const uint64_t> who);
  uint32_t& ordinal(Site site, uint16_t machine);

  Policy& policy_;
  Trace& trace_;
  std::vector<uint32_t> ordinals_;  // by machine, then site
  std::vector<Decision>* recording_ = nullptr;
  uint64_t decisions_ = 0;
};

// A tape as text, one decision a line: "disk.fault 1 17 1000000 999999".
std::string tape_text(std::span<const Decision> tape);
Result<std::vector<Decision>> parse_tape(std::string_view text);

}  // namespace orrery
