#include "txn/lock_table.h"

#include <algorithm>

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "txn/lock_internal.h"

namespace orrery {

namespace {
constexpr size_t kKeptFree = 1024;
}

std::string_view lock_mode_name(LockMode mode) {
  static constexpr std::string_view kNames[kLockModes] = {"INVALID",
                                                          "AccessShareLock",
                                                          "RowShareLock",
                                                          "RowExclusiveLock",
                                                          "ShareUpdateExclusiveLock",
                                                          "ShareLock",
                                                          "ShareRowExclusiveLock",
                                                          "ExclusiveLock",
                                                          "AccessExclusiveLock"};
  return kNames[static_cast<int>(mode)];
}

uint16_t conflicting_modes(LockMode mode) {
  constexpr auto bit = mode_bit;
  using enum LockMode;
  static constexpr uint16_t kConflicts[kLockModes] = {
      0,
      bit(access_exclusive),
      bit(exclusive) | bit(access_exclusive),
      bit(share) | bit(share_row_exclusive) | bit(exclusive) | bit(access_exclusive),
      bit(share_update_exclusive) | bit(share) | bit(share_row_exclusive) | bit(exclusive) |
          bit(access_exclusive),
      bit(row_exclusive) | bit(share_update_exclusive) | bit(share_row_exclusive) | bit(exclusive) |
          bit(access_exclusive),
      bit(row_exclusive) | bit(share_update_exclusive) | bit(share) | bit(share_row_exclusive) |
          bit(exclusive) | bit(access_exclusive),
      bit(row_share) | bit(row_exclusive) | bit(share_update_exclusive) | bit(share) |
          bit(share_row_exclusive) | bit(exclusive) | bit(access_exclusive),
      bit(access_share) | bit(row_share) | bit(row_exclusive) | bit(share_update_exclusive) |
          bit(share) | bit(share_row_exclusive) | bit(exclusive) | bit(access_exclusive),
  };
  return kConflicts[static_cast<int>(mode)];
}

bool lock_modes_conflict(LockMode a, LockMode b) {
  return (conflicting_modes(a) & mode_bit(b)) != 0;
}

LockMode row_lock_mode(RowLock lock) {
  switch (lock) {
    case RowLock::key_share:     return LockMode::access_share;
    case RowLock::share:         return LockMode::row_share;
    case RowLock::no_key_update: return LockMode::exclusive;
    case RowLock::update:        return LockMode::access_exclusive;
  }
  UNREACHABLE();
}

std::string describe(const LockTag& tag) {
  switch (tag.kind) {
    case LockKind::relation: return cat("relation ", tag.a, " of database ", tag.database);
    case LockKind::row:
      return cat("tuple (", tag.b >> 16, ",", tag.b & 0xffff, ") of relation ", tag.a >> 2);
    case LockKind::transaction: return cat("transaction ", tag.a);
    case LockKind::speculation: return cat("speculative token of transaction ", tag.a);
    case LockKind::object:
      return cat("object ", tag.b, " of class ", tag.a, " of database ", tag.database);
    case LockKind::advisory:
      return cat("advisory lock [", tag.database, ",", tag.a >> 32, ",", tag.a & 0xffffffff, ",",
                 tag.b, "]");
  }
  UNREACHABLE();
}

bool conflicts_with_holders(const Lock& lock, const LockOwner&, uint16_t own_modes, LockMode mode) {
  for (uint16_t left = conflicting_modes(mode); left != 0;
       left &= static_cast<uint16_t>(left - 1)) {
    const int m = std::countr_zero(left);
    if (lock.granted[m] > ((own_modes >> m) & 1U)) return true;
  }
  return false;
}

LockTable::LockTable() = default;
LockTable::~LockTable() { CHECK(locks_.empty()); }

LockOwner::~LockOwner() {
  CHECK(waiting_ == nullptr);
  table_.release_all(*this, LockScope::transaction);
  table_.release_all(*this, LockScope::session);
  CHECK(newest_hold_ == nullptr);
}

bool LockOwner::holds(const LockTag& tag, LockMode mode) const {
  LockHold* const* hold = holds_.find(tag);
  return hold != nullptr && ((*hold)->modes & mode_bit(mode)) != 0;
}

namespace {

uint16_t own_modes_of(const HashMap<LockTag, LockHold*>& holds, const LockTag& tag) {
  LockHold* const* hold = holds.find(tag);
  return hold == nullptr ? uint16_t{0} : (*hold)->modes;
}

// Whether the request must wait, and where in the queue. A request passes waiters that its owner
// blocks already: behind them it would wait for itself.
bool must_queue(const Lock& lock, const LockOwner& owner, uint16_t own_modes, LockMode mode,
                size_t* position) {
  const bool held_against = conflicts_with_holders(lock, owner, own_modes, mode);
  uint16_t ahead = 0;
  for (size_t i = 0; i < lock.queue.size(); ++i) {
    const LockRequest& waiter = *lock.queue[i];
    if ((conflicting_modes(waiter.mode) & own_modes) != 0) {
      if (!held_against && (conflicting_modes(mode) & ahead) == 0) return false;
      PROBE("locks: a request passed a waiter that its owner blocks");
      *position = i;
      return true;
    }
    ahead |= mode_bit(waiter.mode);
  }
  *position = lock.queue.size();
  return held_against || (conflicting_modes(mode) & ahead) != 0;
}

}  // namespace

Lock& LockTable::find_or_make(const LockTag& tag) {
  if (Lock** found = locks_.find(tag); found != nullptr) return **found;
  if (free_locks_.empty()) free_locks_.push_back(std::make_unique<Lock>());
  Lock* lock = free_locks_.back().release();
  free_locks_.pop_back();
  lock->tag = tag;
  locks_.insert(tag, lock);
  if (tag.kind == LockKind::row) ++row_locks_;
  return *lock;
}

void LockTable::forget_if_unused(Lock& lock) {
  if (!lock.holds.empty() || !lock.queue.empty()) return;
  if (lock.tag.kind == LockKind::row) --row_locks_;
  locks_.erase(lock.tag);
  if (locks_.empty() && free_locks_.size() >= kKeptFree)
    locks_ = {};  // with the room that many locks took
  std::unique_ptr<Lock> unused(&lock);
  if (free_locks_.size() < kKeptFree) free_locks_.push_back(std::move(unused));
}

LockHold& LockTable::find_or_make_hold(Lock& lock, LockOwner& owner) {
  if (LockHold** found = owner.holds_.find(lock.tag); found != nullptr) return **found;
  if (free_holds_.empty()) free_holds_.push_back(std::make_unique<LockHold>());
  LockHold* hold = free_holds_.back().release();
  free_holds_.pop_back();
  if (lock.tag.kind == LockKind::row && owner.memory != nullptr) owner.memory->add(kRowLockBytes);
  hold->lock = &lock;
  hold->owner = &owner;
  hold->newer = nullptr;
  hold->older = owner.newest_hold_;
  if (hold->older != nullptr) hold->older->newer = hold;
  owner.newest_hold_ = hold;
  owner.holds_.insert(lock.tag, hold);
  lock.holds.push_back(*hold);
  return *hold;
}

void LockTable::grant(Lock& lock, LockOwner& owner, LockMode mode, LockScope scope,
                      uint32_t depth) {
  LockHold& hold = find_or_make_hold(lock, owner);
  const int m = static_cast<int>(mode);
  if ((hold.modes & mode_bit(mode)) == 0) {
    hold.modes |= mode_bit(mode);
    ++lock.granted[m];
  }
  if (scope == LockScope::session) {
    ++hold.session_count[m];
  } else if (hold.depth[m] == 0 || depth < hold.depth[m]) {
    hold.depth[m] = depth;
  }
}

LockResult LockTable::try_acquire(LockOwner& owner, const LockTag& tag, LockMode mode,
                                  LockScope scope, uint32_t depth) {
  CHECK(depth >= 1);
  const uint16_t own = own_modes_of(owner.holds_, tag);
  if ((own & mode_bit(mode)) != 0) {
    grant(find_or_make(tag), owner, mode, scope, depth);
    return LockResult::already_held;
  }
  if (Lock** found = locks_.find(tag); found != nullptr) {
    size_t position = 0;
    if (must_queue(**found, owner, own, mode, &position)) return LockResult::not_available;
  }
  grant(find_or_make(tag), owner, mode, scope, depth);
  return LockResult::granted;
}

Result<LockResult> LockTable::acquire(Fiber& fiber, LockOwner& owner, const LockTag& tag,
                                      LockMode mode, WaitPolicy policy, LockScope scope,
                                      uint32_t depth) {
  const LockResult at_once = try_acquire(owner, tag, mode, scope, depth);
  if (at_once != LockResult::not_available || policy == WaitPolicy::no_wait) return at_once;
  Lock& lock = find_or_make(tag);
  size_t position = 0;
  CHECK(must_queue(lock, owner, own_modes_of(owner.holds_, tag), mode, &position));
  LockRequest request{.lock = &lock, .owner = &owner, .mode = mode, .scope = scope, .depth = depth};
  TRY(wait(fiber, lock, request, position));
  return LockResult::granted;
}

void LockTable::leave_queue(LockRequest& request) {
  Lock& lock = *request.lock;
  lock.queue.erase(std::find(lock.queue.begin(), lock.queue.end(), &request));
  wake(lock);
  forget_if_unused(lock);
}

void LockTable::tell_those_in_the_way(const LockRequest& request) {
  Lock& lock = *request.lock;
  for (LockHold* hold = lock.holds.front(); hold != nullptr; hold = lock.holds.next_of(*hold)) {
    const bool blocks =
        hold->owner != request.owner && (hold->modes & conflicting_modes(request.mode)) != 0;
    if (blocks && hold->owner->in_the_way) hold->owner->in_the_way(lock.tag);
  }
}

Status LockTable::wait(Fiber& fiber, Lock& lock, LockRequest& request, size_t position) {
  LockOwner& owner = *request.owner;
  CHECK(owner.waiting_ == nullptr);
  lock.queue.insert(lock.queue.begin() + static_cast<ptrdiff_t>(position), &request);
  owner.waiting_ = &request;
  tell_those_in_the_way(request);
  const Instant began = fiber.now();
  const Instant give_up_at = owner.lock_timeout.ns > 0 ? began + owner.lock_timeout : kNever;
  Instant check_at = began + owner.deadlock_timeout;
  Status failure;
  while (!request.granted && failure.ok()) {
    if (PLANTED(b43_cancel_unheard)) fiber.hold_cancel();
    Result<bool> woken = request.woken.wait(fiber, std::min(give_up_at, check_at));
    if (PLANTED(b43_cancel_unheard)) fiber.release_cancel();
    if (!woken.ok()) {
      failure = std::move(woken).status();
    } else if (!request.granted && fiber.now() >= give_up_at) {
      failure = raise(sqlstate::lock_not_available, "canceling statement due to lock timeout");
    } else if (!request.granted && fiber.now() >= check_at) {
      check_at = kNever;
      DeadlockCheck check(*this);
      const DeadlockCheck::Answer answer = check.run(owner);
      if (answer == DeadlockCheck::Answer::reordered) {
        PROBE("locks: a queue was reordered to avoid a deadlock");
        for (Lock* reordered : check.reordered_locks()) wake(*reordered);
      } else if (answer == DeadlockCheck::Answer::deadlock) {
        PROBE("locks: deadlock");
        failure = raise(sqlstate::t_r_deadlock_detected, "deadlock detected")
                      .detail(check.detail())
                      .hint("See server log for query details.");
      }
    }
  }
  owner.waiting_ = nullptr;
  if (request.granted) {
    // A cancel that came together with the grant: the lock is ours until the transaction ends,
    // which a failing statement leads to; but a session's lock would stay.
    if (!failure.ok() && request.scope == LockScope::session) {
      release(owner, lock.tag, request.mode, LockScope::session);
    }
    return failure;
  }
  leave_queue(request);
  return failure;
}

// Grants what can be granted, in queue order: nobody passes a waiter that he conflicts with.
void LockTable::wake(Lock& lock) {
  uint16_t ahead = 0;
  for (size_t i = 0; i < lock.queue.size();) {
    LockRequest& request = *lock.queue[i];
    const uint16_t own = own_modes_of(request.owner->holds_, lock.tag);
    if ((conflicting_modes(request.mode) & ahead) != 0 ||
        conflicts_with_holders(lock, *request.owner, own, request.mode)) {
      ahead |= mode_bit(request.mode);
      ++i;
      continue;
    }
    lock.queue.erase(lock.queue.begin() + static_cast<ptrdiff_t>(i));
    grant(lock, *request.owner, request.mode, request.scope, request.depth);
    request.granted = true;
    request.woken.notify_all();
  }
}

void LockTable::drop_mode(LockHold& hold, int mode) {
  CHECK((hold.modes >> mode & 1U) != 0 && hold.lock->granted[mode] > 0);
  CHECK(hold.depth[mode] == 0 && hold.session_count[mode] == 0);
  hold.modes &= static_cast<uint16_t>(~(1U << mode));
  --hold.lock->granted[mode];
}

void LockTable::drop_if_empty(LockHold& hold) {
  Lock& lock = *hold.lock;
  if (hold.modes == 0) {
    LockOwner& owner = *hold.owner;
    if (hold.older != nullptr) hold.older->newer = hold.newer;
    (hold.newer != nullptr ? hold.newer->older : owner.newest_hold_) = hold.older;
    hold.older = hold.newer = nullptr;
    owner.holds_.erase(lock.tag);
    if (owner.holds_.empty() && free_holds_.size() >= kKeptFree) owner.holds_ = {};
    lock.holds.remove(hold);
    if (lock.tag.kind == LockKind::row && owner.memory != nullptr)
      owner.memory->release(kRowLockBytes);
    std::unique_ptr<LockHold> unused(&hold);
    if (free_holds_.size() < kKeptFree) free_holds_.push_back(std::move(unused));
  }
  wake(lock);
  forget_if_unused(lock);
}

bool LockTable::release(LockOwner& owner, const LockTag& tag, LockMode mode, LockScope scope) {
  LockHold** found = owner.holds_.find(tag);
  if (found == nullptr) return false;
  LockHold& hold = **found;
  const int m = static_cast<int>(mode);
  if (scope == LockScope::session) {
    if (hold.session_count[m] == 0) return false;
    --hold.session_count[m];
  } else {
    if (hold.depth[m] == 0) return false;
    hold.depth[m] = 0;
  }
  if (hold.depth[m] == 0 && hold.session_count[m] == 0) drop_mode(hold, m);
  drop_if_empty(hold);
  return true;
}

void LockTable::release_all(LockOwner& owner, LockScope scope) {
  for (LockHold* hold = owner.newest_hold_; hold != nullptr;) {
    LockHold* next = hold->older;
    bool changed = false;
    for (int m = 1; m < kLockModes; ++m) {
      if ((hold->modes >> m & 1U) == 0) continue;
      (scope == LockScope::session ? hold->session_count[m] : hold->depth[m]) = 0;
      if (hold->depth[m] == 0 && hold->session_count[m] == 0) {
        drop_mode(*hold, m);
        changed = true;
      }
    }
    if (changed) drop_if_empty(*hold);
    hold = next;
  }
}

void LockTable::release_session_advisory(LockOwner& owner) {
  for (LockHold* hold = owner.newest_hold_; hold != nullptr;) {
    LockHold* next = hold->older;
    if (hold->lock->tag.kind == LockKind::advisory) {
      for (int m = 1; m < kLockModes; ++m) {
        if (hold->session_count[m] == 0) continue;
        hold->session_count[m] = 0;
        if (hold->depth[m] == 0) drop_mode(*hold, m);
      }
      drop_if_empty(*hold);
    }
    hold = next;
  }
}

void LockTable::release_deeper(LockOwner& owner, uint32_t depth) {
  for (LockHold* hold = owner.newest_hold_; hold != nullptr;) {
    LockHold* next = hold->older;
    bool changed = false;
    for (int m = 1; m < kLockModes; ++m) {
      if (hold->depth[m] < depth || hold->depth[m] == 0) continue;
      hold->depth[m] = 0;
      if (hold->session_count[m] == 0) drop_mode(*hold, m);
      changed = true;
    }
    if (changed) drop_if_empty(*hold);
    hold = next;
  }
}

void LockTable::merge_deeper(LockOwner& owner, uint32_t depth) {
  CHECK(depth >= 2);
  for (LockHold* hold = owner.newest_hold_; hold != nullptr; hold = hold->older) {
    for (uint32_t& d : hold->depth) {
      if (d >= depth) d = depth - 1;
    }
  }
}

Status LockTable::wait_for_release(Fiber& fiber, LockOwner& waiter, LockOwner& holder,
                                   const LockTag& tag) {
  CHECK(&waiter != &holder);
  grant(find_or_make(tag), holder, LockMode::exclusive, LockScope::transaction, 1);
  TRY(acquire(fiber, waiter, tag, LockMode::share, WaitPolicy::wait));
  release(waiter, tag, LockMode::share, LockScope::transaction);
  return {};
}

void LockTable::end_of(LockOwner& holder, const LockTag& tag) {
  release(holder, tag, LockMode::exclusive, LockScope::transaction);
}

bool LockTable::is_blocked(const LockOwner& owner, const LockTag& tag, LockMode mode) const {
  if (tag.kind == LockKind::row && row_locks_ == 0) return false;
  Lock* const* lock = locks_.find(tag);
  return lock != nullptr &&
         conflicts_with_holders(**lock, owner, own_modes_of(owner.holds_, tag), mode);
}

void LockTable::copy_row_locks(const LockOwner& except, const LockTag& from, const LockTag& to) {
  if (row_locks_ == 0) return;
  Lock** found = locks_.find(from);
  if (found == nullptr) return;
  Lock& source = **found;
  for (LockHold* hold = source.holds.front(); hold != nullptr; hold = source.holds.next_of(*hold)) {
    if (hold->owner == &except) continue;
    PROBE("locks: a row lock was carried to the row's new version");
    for (int m = 1; m < kLockModes; ++m) {
      if (hold->depth[m] != 0) {
        grant(find_or_make(to), *hold->owner, static_cast<LockMode>(m), LockScope::transaction,
              hold->depth[m]);
      }
    }
  }
}

std::vector<LockTable::Entry> LockTable::entries() const {
  std::vector<Entry> out;
  for (const LockTag& tag : locks_.sorted_keys()) {
    const Lock& lock = **locks_.find(tag);
    for (LockHold* hold = lock.holds.front(); hold != nullptr; hold = lock.holds.next_of(*hold)) {
      for (int m = 1; m < kLockModes; ++m) {
        if ((hold->modes >> m & 1U) != 0)
          out.push_back({tag, static_cast<LockMode>(m), hold->owner->process_id(), true});
      }
    }
    for (const LockRequest* request : lock.queue) {
      out.push_back({tag, request->mode, request->owner->process_id(), false});
    }
  }
  return out;
}

std::vector<int32_t> LockTable::blockers_of(const LockOwner& owner) const {
  std::vector<int32_t> out;
  if (owner.waiting_ == nullptr) return out;
  const LockRequest& request = *owner.waiting_;
  const Lock& lock = *request.lock;
  for (LockHold* hold = lock.holds.front(); hold != nullptr; hold = lock.holds.next_of(*hold)) {
    if (hold->owner != &owner && (conflicting_modes(request.mode) & hold->modes) != 0) {
      out.push_back(hold->owner->process_id());
    }
  }
  for (const LockRequest* ahead : lock.queue) {
    if (ahead == &request) break;
    if (lock_modes_conflict(ahead->mode, request.mode)) out.push_back(ahead->owner->process_id());
  }
  return out;
}

void LockTable::check() const {
  uint64_t rows = 0;
  for (const LockTag& tag : locks_.sorted_keys()) {
    const Lock& lock = **locks_.find(tag);
    CHECK(lock.tag == tag);
    CHECK(!lock.holds.empty() || !lock.queue.empty());
    if (tag.kind == LockKind::row) ++rows;
    uint32_t granted[kLockModes] = {};
    for (LockHold* hold = lock.holds.front(); hold != nullptr; hold = lock.holds.next_of(*hold)) {
      CHECK(hold->lock == &lock && hold->modes != 0);
      for (int m = 1; m < kLockModes; ++m) {
        const bool held = (hold->modes >> m & 1U) != 0;
        CHECK(held == (hold->depth[m] != 0 || hold->session_count[m] != 0));
        if (!held) continue;
        ++granted[m];
        CHECK(!conflicts_with_holders(lock, *hold->owner, hold->modes, static_cast<LockMode>(m)));
      }
    }
    for (int m = 1; m < kLockModes; ++m) CHECK(granted[m] == lock.granted[m]);
    for (const LockRequest* request : lock.queue) {
      CHECK(request->lock == &lock && !request->granted && request->owner->waiting_ == request);
    }
  }
  CHECK(rows == row_locks_);
}

}  // namespace orrery
