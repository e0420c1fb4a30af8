#include "txn/lock_table.h"

#include "base/text.h"
#include "fiber/test_host.h"
#include "txn/script.h"

namespace orrery {
namespace {

// s1 lock 7 Share [nowait]; release 7 Share; session_lock, session_release; savepoint, rollback,
// merge; end; locks
class LockWorld final : public ScriptWorld {
 public:
  std::string run(Fiber& fiber, const std::string& session, const Words& words) override {
    LockOwner& owner = owner_of(session);
    const std::string result = act(fiber, session, owner, words);
    table.check();
    return result;
  }
  void end(Fiber&, const std::string& session) override { owners_.erase(session); }

  LockTable table;

 private:
  LockOwner& owner_of(const std::string& session) {
    auto& owner = owners_[session];
    if (owner == nullptr)
      owner = std::make_unique<LockOwner>(table, std::atoi(session.c_str() + 1));
    return *owner;
  }
  static LockMode mode_of(const std::string& name) {
    for (int m = 1; m < kLockModes; ++m) {
      if (lock_mode_name(static_cast<LockMode>(m)) == name + "Lock")
        return static_cast<LockMode>(m);
    }
    ADD_FAILURE() << name;
    return LockMode::none;
  }
  std::string act(Fiber& fiber, const std::string& session, LockOwner& owner, const Words& words) {
    uint32_t& depth = depths_[session];
    if (depth == 0) depth = 1;
    const std::string& verb = words[0];
    if (verb == "lock" || verb == "session_lock") {
      const bool nowait = words.size() > 3;
      Result<LockResult> got =
          table.acquire(fiber, owner, tag(words[1]), mode_of(words[2]),
                        nowait ? WaitPolicy::no_wait : WaitPolicy::wait,
                        verb == "lock" ? LockScope::transaction : LockScope::session, depth);
      if (!got.ok()) {
        const std::string text = said(got.status());
        table.release_all(owner, LockScope::transaction);  // as a failing transaction does
        return text;
      }
      return *got == LockResult::granted        ? "granted"
             : *got == LockResult::already_held ? "already held"
                                                : "not available";
    }
    if (verb == "session_release") {
      return table.release(owner, tag(words[1]), mode_of(words[2]), LockScope::session)
                 ? "released"
                 : "not held";
    }
    if (verb == "savepoint") {
      ++depth;
      return "ok";
    }
    if (verb == "rollback") {
      table.release_deeper(owner, depth--);
      return "ok";
    }
    if (verb == "merge") {
      table.merge_deeper(owner, depth--);
      return "ok";
    }
    if (verb == "timeout") {
      owner.lock_timeout = milliseconds(std::atoi(words[1].c_str()));
      return "ok";
    }
    if (verb == "deadlock_timeout") {
      owner.deadlock_timeout = milliseconds(std::atoi(words[1].c_str()));
      return "ok";
    }
    if (verb == "end") {
      table.release_all(owner, LockScope::transaction);
      return "ok";
    }
    if (verb == "locks") {
      std::string out;
      for (const LockTable::Entry& entry : table.entries()) {
        out += cat(out.empty() ? "" : "; ", entry.tag.a, " ", lock_mode_name(entry.mode), " s",
                   entry.process_id, entry.granted ? "" : " waits");
      }
      return out;
    }
    if (verb == "blockers") return join(table.blockers_of(owner_of(words[1])), ",");
    return "unknown command";
  }
  static LockTag tag(const std::string& name) {
    return LockTag::relation(Oid(5), Oid(static_cast<uint32_t>(std::atoi(name.c_str()))));
  }

  std::map<std::string, std::unique_ptr<LockOwner>> owners_;
  std::map<std::string, uint32_t> depths_;
};

void play(const std::string& file) {
  TestHost host;
  Scheduler scheduler(host);
  LockWorld world;
  Script script("testdata/" + file);
  Status status;
  scheduler.spawn("driver", [&](Fiber& fiber) { status = script.play(fiber, world); });
  host.run(scheduler);
  EXPECT_TRUE(status.ok());
}

TEST(LockTable, GrantsInArrivalOrder) { play("lock_order.golden"); }
TEST(LockTable, FindsDeadlocksAndReordersQueuesToAvoidThem) { play("lock_deadlock.golden"); }
TEST(LockTable, GivesUpAfterLockTimeoutAndAtOnceWithNowait) { play("lock_timeout.golden"); }
TEST(LockTable, RollbackToASavepointReleasesWhatCameAfterIt) { play("lock_savepoint.golden"); }

// Two cycles through one waiter, each of which another move in another queue undoes: both who are
// moved get their locks.
TEST(LockTable, EveryQueueThatIsReorderedIsWoken) {
  TestHost host;
  Scheduler scheduler(host);
  LockTable table;
  const auto tag = [](uint32_t oid) { return LockTag::relation(Oid(5), Oid(oid)); };
  LockOwner holder(table, 1), first(table, 2), second(table, 3), behind_1(table, 4),
      behind_2(table, 5);
  for (LockOwner* owner : {&first, &second, &behind_1, &behind_2})
    owner->deadlock_timeout = seconds(1000);
  const auto take = [&](LockOwner& owner, uint32_t oid, LockMode mode) {
    EXPECT_EQ(table.try_acquire(owner, tag(oid), mode), LockResult::granted);
  };
  const auto queue = [&](LockOwner& owner, uint32_t oid, LockMode mode, bool* granted) {
    scheduler.spawn("waiter", [&table, &owner, mode, granted, wanted = tag(oid)](Fiber& fiber) {
      *granted = table.acquire(fiber, owner, wanted, mode, WaitPolicy::wait).ok();
      table.release_all(owner, LockScope::transaction);
    });
  };
  bool granted[5] = {};
  std::vector<bool> after_check;
  scheduler.spawn("driver", [&](Fiber& fiber) {
    take(holder, 11, LockMode::access_share);
    take(holder, 12, LockMode::access_share);
    take(behind_1, 13, LockMode::access_share);
    take(behind_2, 13, LockMode::access_share);
    queue(first, 11, LockMode::access_exclusive, &granted[0]);
    queue(second, 12, LockMode::access_exclusive, &granted[1]);
    EXPECT_TRUE(fiber.sleep(milliseconds(10)).ok());
    queue(behind_1, 11, LockMode::access_share, &granted[2]);
    queue(behind_2, 12, LockMode::access_share, &granted[3]);
    EXPECT_TRUE(fiber.sleep(milliseconds(10)).ok());
    queue(holder, 13, LockMode::access_exclusive, &granted[4]);
    EXPECT_TRUE(fiber.sleep(seconds(2)).ok());
    after_check.assign(std::begin(granted), std::end(granted));
    table.check();
  });
  host.run(scheduler);
  EXPECT_EQ(after_check, std::vector<bool>(5, true));
}

TEST(LockTable, RowLocksAreBookedWithTheirOwnerAndGivenBack) {
  MemoryBudget budget(nullptr, 1 << 30);
  LockTable table;
  LockOwner owner(table, 1);
  owner.memory = &budget;
  for (uint16_t slot = 1; slot <= 5000; ++slot) {
    EXPECT_EQ(table.try_acquire(owner, LockTag::row(FileId(4), Tid{BlockNo(1), slot}),
                                row_lock_mode(RowLock::update)),
              LockResult::granted);
  }
  EXPECT_EQ(budget.used_bytes(), 5000 * kRowLockBytes);
  table.release_all(owner, LockScope::transaction);
  EXPECT_EQ(budget.used_bytes(), 0U);
  table.check();
}

TEST(LockTable, ConflictsAreSymmetricAndGrowWithTheMode) {
  for (int a = 1; a < kLockModes; ++a) {
    for (int b = 1; b < kLockModes; ++b) {
      EXPECT_EQ(lock_modes_conflict(static_cast<LockMode>(a), static_cast<LockMode>(b)),
                lock_modes_conflict(static_cast<LockMode>(b), static_cast<LockMode>(a)));
    }
    EXPECT_TRUE(lock_modes_conflict(static_cast<LockMode>(a), LockMode::access_exclusive));
  }
  EXPECT_FALSE(lock_modes_conflict(LockMode::row_exclusive, LockMode::row_exclusive));
  EXPECT_FALSE(lock_modes_conflict(LockMode::share, LockMode::share));
  EXPECT_TRUE(lock_modes_conflict(LockMode::share, LockMode::row_exclusive));
  // FOR KEY SHARE lets FOR NO KEY UPDATE pass, FOR SHARE does not.
  EXPECT_FALSE(lock_modes_conflict(row_lock_mode(RowLock::key_share),
                                   row_lock_mode(RowLock::no_key_update)));
  EXPECT_TRUE(
      lock_modes_conflict(row_lock_mode(RowLock::share), row_lock_mode(RowLock::no_key_update)));
}

}  // namespace
}  // namespace orrery
