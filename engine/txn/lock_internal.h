// What the lock table keeps of each lock, each holder and each waiter.
#pragma once

#include "txn/lock_table.h"

namespace orrery {

// One owner's modes on one lock. A mode is held while its depth or its session count is not 0.
struct LockHold {
  Lock* lock = nullptr;
  LockOwner* owner = nullptr;
  uint16_t modes = 0;  // bit per mode held
  uint32_t depth[kLockModes] =
      {};  // savepoint depth of the first acquisition; 0: not by transaction
  uint32_t session_count[kLockModes] = {};  // acquisitions for the session
  LockHold* older = nullptr;                // the owner's chain
  LockHold* newer = nullptr;
  ListHook<LockHold> hook;  // the lock's list
};

struct LockRequest {
  Lock* lock;
  LockOwner* owner;
  LockMode mode;
  LockScope scope;
  uint32_t depth;
  bool granted = false;
  WaitQueue woken;
};

// Exists while somebody holds or waits.
struct Lock {
  LockTag tag;
  uint32_t granted[kLockModes] = {};  // holders by mode
  IntrusiveList<LockHold, &LockHold::hook> holds;
  std::vector<LockRequest*> queue;  // in the order in which they will be granted
};

constexpr uint16_t mode_bit(LockMode mode) {
  return static_cast<uint16_t>(1U << static_cast<int>(mode));
}
// The modes that conflict with `mode`, as bits.
uint16_t conflicting_modes(LockMode mode);
// Somebody other than `owner` holds a mode that conflicts.
bool conflicts_with_holders(const Lock& lock, const LockOwner& owner, uint16_t own_modes,
                            LockMode mode);

// Looks for a cycle of waits through one owner, and for an order of the queues that has none.
class DeadlockCheck {
 public:
  explicit DeadlockCheck(LockTable& table) : table_(table) {}

  enum class Answer : uint8_t { no_deadlock, reordered, deadlock };
  // After `reordered`, reordered_locks() are those whose queues changed.
  Answer run(LockOwner& owner);
  std::span<Lock* const> reordered_locks() const { return reordered_; }
  // "Process 1 waits for ShareLock on transaction 5; blocked by process 2." one line an edge of the
  // cycle.
  std::string detail() const;

 private:
  struct Edge {
    const LockRequest* request;
    LockOwner* blocker;
    LockRequest* ahead;  // a soft edge: `blocker` only waits before us in the queue
  };
  bool find_cycle(LockOwner& start);
  bool visit(LockOwner& owner, LockOwner& start);
  bool follow(const LockRequest& request, LockOwner& blocker, LockRequest* ahead, LockOwner& start);
  bool try_orders(LockOwner& owner, int moves_left);

  LockTable& table_;
  std::vector<Edge> path_;
  std::vector<Lock*> reordered_;
};

}  // namespace orrery
