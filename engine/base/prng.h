// The house generator: xoshiro256** [Blackman18] seeded by splitmix64, with our own bounded
// integers, so that a seed gives the same draws in every build. Streams form a tree: child("disk")
// depends on the seed and the names, never on how many numbers were drawn before.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"

namespace orrery {

class Prng {
 public:
  explicit Prng(uint64_t seed);

  uint64_t next();
  // Uniform in [0, bound). REQUIRES: bound > 0. Unbiased [Lemire19].
  uint64_t below(uint64_t bound);
  // Uniform in [low, high], both included.
  int64_t between(int64_t low, int64_t high) {
    CHECK(low <= high);
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  // True `numerator` times in `denominator`.
  bool chance(uint64_t numerator, uint64_t denominator) { return below(denominator) < numerator; }
  // A stream of its own, fixed by this stream's seed and the name.
  Prng child(std::string_view name) const { return Prng(hash_text(name, seed_)); }
  Prng child(std::string_view name, uint64_t index) const {
    return Prng(hash_combine(hash_text(name, seed_), index));
  }
  // Fisher-Yates.
  template <class Range>
  void shuffle(Range& items) {
    for (size_t i = std::size(items); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }
  uint64_t seed() const { return seed_; }

 private:
  uint64_t seed_;
  uint64_t state_[4];
};

}  // namespace orrery
