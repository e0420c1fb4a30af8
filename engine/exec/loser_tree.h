// Which of several sorted inputs has the least head: a tournament whose inner nodes keep the
// losers, so that a new head of the winner plays log2(inputs) matches (Knuth, The Art of Computer
// Programming 3, 5.4.1).
//
//   tree.build(n, before);  while (has a head(tree.least())) { take it;  tree.replay(before); }
//
// `before(a, b)` says whether the head of input `a` comes before that of `b`; an input without one
// comes after all others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace orrery {

class LoserTree {
 public:
  // REQUIRES: inputs > 0.
  template <class Before>
  void build(size_t inputs, Before before) {
    std::vector<uint32_t> winners(2 * inputs);
    losers_.assign(inputs, 0);
    for (size_t i = 0; i < inputs; ++i) winners[inputs + i] = static_cast<uint32_t>(i);
    for (size_t node = inputs - 1; node > 0; --node) {
      uint32_t winner = winners[2 * node];
      uint32_t loser = winners[2 * node + 1];
      if (before(loser, winner)) std::swap(winner, loser);
      winners[node] = winner;
      losers_[node] = loser;
    }
    least_ = winners[1];
  }
  uint32_t least() const { return least_; }
  // The winner has a new head.
  template <class Before>
  void replay(Before before) {
    for (size_t node = (losers_.size() + least_) / 2; node > 0; node /= 2) {
      if (before(losers_[node], least_)) std::swap(losers_[node], least_);
    }
  }

 private:
  std::vector<uint32_t> losers_;  // of the inner nodes 1 ..
  uint32_t least_ = 0;
};

}  // namespace orrery
