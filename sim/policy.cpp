#include <map>

#include "base/hash_map.h"
#include "sim/tape.h"

namespace orrery {
namespace {

// A stream for each site and machine, so that more draws at one place never move those at another.
class RandomPolicy : public Policy {
 public:
  explicit RandomPolicy(uint64_t seed) : root_(seed) {}

  uint64_t pick(const Decision& asked, std::span<const uint64_t>) override {
    Prng& stream = stream_of(asked.site, asked.machine);
    return asked.candidates == 0 ? stream.next() : stream.below(asked.candidates);
  }

 protected:
  Prng& stream_of(Site site, uint16_t machine) {
    const size_t at = machine * kSites + static_cast<size_t>(site);
    if (at >= streams_.size()) streams_.resize((machine + 1u) * kSites);
    std::optional<Prng>& stream = streams_[at];
    if (!stream) stream.emplace(root_.child(site_text(site), machine));
    return *stream;
  }
  Prng root_;

 private:
  std::vector<std::optional<Prng>> streams_;
};

class PctPolicy final : public RandomPolicy {
 public:
  PctPolicy(uint64_t seed, uint32_t depth, uint32_t steps)
      : RandomPolicy(seed), priorities_(root_.child("pct")) {
    Prng points = root_.child("pct points");
    for (uint32_t i = 1; i < depth; ++i) change_points_.push_back(points.below(steps));
    std::sort(change_points_.begin(), change_points_.end());
  }

  uint64_t pick(const Decision& asked, std::span<const uint64_t> who) override {
    if (asked.site != Site::cpu_next || who.empty()) return RandomPolicy::pick(asked, who);
    size_t best = 0;
    for (size_t i = 1; i < who.size(); ++i) {
      if (priority(asked.machine, who[i]) > priority(asked.machine, who[best])) best = i;
    }
    while (next_change_ < change_points_.size() && step_ >= change_points_[next_change_]) {
      // Below every priority drawn at birth, and below those lowered before.
      priority(asked.machine, who[best]) = change_points_.size() - next_change_;
      ++next_change_;
    }
    ++step_;
    return best;
  }

 private:
  uint64_t& priority(uint16_t machine, uint64_t fiber) {
    uint64_t& held = by_fiber_[hash_combine(machine, fiber)];
    if (held == 0) held = (uint64_t{1} << 32) + priorities_.below(uint64_t{1} << 62);
    return held;
  }
  Prng priorities_;
  std::vector<uint64_t> change_points_;
  size_t next_change_ = 0;
  uint64_t step_ = 0;
  std::map<uint64_t, uint64_t> by_fiber_;
};

class ReplayPolicy final : public Policy {
 public:
  explicit ReplayPolicy(std::span<const Decision> tape) {
    for (const Decision& d : tape) picks_[key(d)] = d.picked;
  }
  uint64_t pick(const Decision& asked, std::span<const uint64_t>) override {
    const uint64_t* picked = picks_.find(key(asked));
    if (picked == nullptr) return 0;
    return asked.candidates == 0 ? *picked : std::min(*picked, asked.candidates - 1);
  }

 private:
  static uint64_t key(const Decision& d) {
    return static_cast<uint64_t>(d.site) << 56 | static_cast<uint64_t>(d.machine) << 32 | d.ordinal;
  }
  HashMap<uint64_t, uint64_t> picks_;
};

}  // namespace

std::unique_ptr<Policy> make_random_policy(uint64_t seed) {
  return std::make_unique<RandomPolicy>(seed);
}
std::unique_ptr<Policy> make_pct_policy(uint64_t seed, uint32_t depth, uint32_t steps) {
  return std::make_unique<PctPolicy>(seed, depth, steps);
}
std::unique_ptr<Policy> make_replay_policy(std::span<const Decision> tape) {
  return std::make_unique<ReplayPolicy>(tape);
}

}  // namespace orrery
