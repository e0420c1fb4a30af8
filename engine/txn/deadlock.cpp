#include <algorithm>

#include "base/text.h"
#include "txn/lock_internal.h"

namespace orrery {

namespace {
constexpr int kMovesMax = 4;  // requests moved in queues in search of an order without deadlock
}

bool DeadlockCheck::follow(const LockRequest& request, LockOwner& blocker, LockRequest* ahead,
                           LockOwner& start) {
  path_.push_back({&request, &blocker, ahead});
  if (&blocker == &start || visit(blocker, start)) return true;
  path_.pop_back();
  return false;
}

// Depth first over "waits for"; on success path_ is the cycle from `start` back to it.
bool DeadlockCheck::visit(LockOwner& owner, LockOwner& start) {
  if (owner.visited_ == table_.visit_) return false;
  owner.visited_ = table_.visit_;
  const LockRequest* request = owner.waiting_;
  if (request == nullptr || request->granted) return false;
  const Lock& lock = *request->lock;
  const uint16_t conflicts = conflicting_modes(request->mode);
  for (LockHold* hold = lock.holds.front(); hold != nullptr; hold = lock.holds.next_of(*hold)) {
    if (hold->owner == &owner || (hold->modes & conflicts) == 0) continue;
    if (follow(*request, *hold->owner, nullptr, start)) return true;
  }
  for (LockRequest* ahead : lock.queue) {
    if (ahead == request) break;
    if (ahead->owner == &owner || (mode_bit(ahead->mode) & conflicts) == 0) continue;
    if (follow(*request, *ahead->owner, ahead, start)) return true;
  }
  return false;
}

bool DeadlockCheck::find_cycle(LockOwner& start) {
  ++table_.visit_;
  path_.clear();
  return visit(start, start);
}

// REQUIRES: path_ is a cycle through `owner`. Moves one request before the one it waits behind and
// looks again; true when that leaves no cycle through anybody in the queue touched. Otherwise the
// queues are as before.
bool DeadlockCheck::try_orders(LockOwner& owner, int moves_left) {
  if (moves_left == 0) return false;
  const std::vector<Edge> cycle = path_;
  for (const Edge& edge : cycle) {
    if (edge.ahead == nullptr) continue;
    std::vector<LockRequest*>& queue = edge.request->lock->queue;
    const std::vector<LockRequest*> before = queue;
    const auto mine = std::find(queue.begin(), queue.end(), edge.request);
    const auto theirs = std::find(queue.begin(), queue.end(), edge.ahead);
    std::rotate(theirs, mine, mine + 1);
    bool cyclic = find_cycle(owner);
    for (size_t i = 0; i < queue.size() && !cyclic; ++i) cyclic = find_cycle(*queue[i]->owner);
    if (!cyclic || try_orders(owner, moves_left - 1)) {
      reordered_.push_back(edge.request->lock);
      return true;
    }
    queue = before;
  }
  path_ = cycle;
  return false;
}

DeadlockCheck::Answer DeadlockCheck::run(LockOwner& owner) {
  if (!find_cycle(owner)) return Answer::no_deadlock;
  return try_orders(owner, kMovesMax) ? Answer::reordered : Answer::deadlock;
}

std::string DeadlockCheck::detail() const {
  std::string text;
  for (const Edge& edge : path_) {
    if (!text.empty()) text += '\n';
    text += cat("Process ", edge.request->owner->process_id(), " waits for ",
                lock_mode_name(edge.request->mode), " on ", describe(edge.request->lock->tag),
                "; blocked by process ", edge.blocker->process_id(), ".");
  }
  return text;
}

}  // namespace orrery
