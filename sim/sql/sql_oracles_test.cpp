// Each oracle of workload `sql` speaks when there is something to say: damage that no engine did is
// done to the database, and the run must fail by the oracle that is there for it.
#include <gtest/gtest.h>

#include "fiber/scheduler.h"
#include "session/database_node.h"
#include "sim/run/run.h"
#include "sim/sql/database_images.h"

namespace orrery {
namespace {

constexpr uint64_t kSeeds = 8;  // so that each role plays in some

class SqlOracles : public testing::Test {
 protected:
  RunRecord run(uint64_t seed, Sabotage& sabotage) {
    return run_seed(
        RunOptions{.seed = seed, .workload = "sql", .sabotage = &sabotage, .images = &images()});
  }
  // In the first seed in which the damage can be done.
  void expect(std::string_view sql, std::string_view oracle, std::string_view sentence) {
    SCOPED_TRACE(std::string(sql));
    uint64_t done = 0;
    for (uint64_t seed = 1; seed <= kSeeds && done == 0; ++seed) {
      Sabotage sabotage{.sql = std::string(sql), .at_rest = {}};
      const RunRecord record = run(seed, sabotage);
      if (record.sentence.starts_with("42P01")) continue;  // nobody plays that role
      ++done;
      EXPECT_EQ(record.verdict, oracle) << "seed " << seed << ": " << record.sentence;
      EXPECT_NE(record.sentence.find(sentence), std::string::npos) << record.sentence;
    }
    EXPECT_GT(done, 0u);
  }
  void expect_at_rest(UniqueFunction<Status(Fiber&, DatabaseNode&)> damage, std::string_view oracle,
                      std::string_view sentence) {
    Sabotage sabotage{.sql = {}, .at_rest = std::move(damage)};
    const RunRecord record = run(1, sabotage);
    EXPECT_EQ(record.verdict, oracle) << record.sentence;
    EXPECT_NE(record.sentence.find(sentence), std::string::npos) << record.sentence;
  }

 private:
  static DatabaseImages& images() {
    static DatabaseImages made;
    return made;
  }
};

TEST_F(SqlOracles, SayNothingWhenNothingIsDone) {
  Sabotage nothing{.sql = "SELECT 1", .at_rest = {}};
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const RunRecord record = run(seed, nothing);
    EXPECT_EQ(record.verdict, "ok") << "seed " << seed << ": " << record.sentence;
  }
}

TEST_F(SqlOracles, HoldTransfersToTheLedger) {
  expect("UPDATE accounts SET balance = balance + 1 WHERE id = 1", "isolation", "account 1 holds");
  expect("UPDATE accounts SET note = 'b' WHERE id = 1", "isolation", "note b");
  expect("DELETE FROM transfers", "ledger", "was acknowledged and is gone");
  expect("UPDATE transfers SET note = note || 'a'", "model", "another than was made");
  expect("INSERT INTO transfers VALUES (1000000000, 0, 1, 1, '')", "isolation", "rolled back");
}

TEST_F(SqlOracles, HoldListsToTheirHistory) {
  expect("UPDATE lists SET list = list || ' 999999'", "isolation", "nobody appended");
  expect("UPDATE lists SET list = ''", "isolation", "are there");
  expect("DELETE FROM lists WHERE id = 0", "model", "lists are seen");
}

TEST_F(SqlOracles, HoldTpcBToItsSums) {
  expect("UPDATE pgbench_tellers SET tbalance = tbalance + 1 WHERE tid = 1", "isolation", "sums");
  expect("UPDATE pgbench_tellers SET tbalance = tbalance + 3 - 2 * tid WHERE tid < 3", "isolation",
         "");
  expect("DELETE FROM pgbench_history", "ledger", "acknowledged");
  expect("UPDATE pgbench_accounts SET abalance = abalance + 3 - 2 * aid WHERE aid < 3", "isolation",
         "its history makes it");
}

TEST_F(SqlOracles, HoldWhatWasCancelledToNothing) {
  expect("UPDATE guarded SET n = 1", "isolation", "was cancelled");
}

TEST_F(SqlOracles, SeeFilesOfNobody) {
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        TRY(node.storage().create_file(fiber, kInvalidXid));
        return {};
      },
      "leak", "belongs to no relation");
}

// Holds on to something from before the checks until the machine is dead.
template <class Take>
Status hold(Fiber& fiber, Take take) {
  bool is_held = false;
  fiber.scheduler().spawn("holder", [take, &is_held](Fiber& own) {
    auto held = take(own);
    is_held = true;
    while (own.sleep(seconds(1)).ok()) continue;
  });
  while (!is_held) TRY(fiber.yield());
  return {};
}

struct Booking {
  explicit Booking(MemoryBudget& of) : budget(&of) { budget->add(64); }
  Booking(Booking&& other) noexcept : budget(std::exchange(other.budget, nullptr)) {}
  ~Booking() {
    if (budget != nullptr) budget->release(64);
  }
  MemoryBudget* budget;
};

TEST_F(SqlOracles, SeeWhatIsHeldAtRest) {
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return hold(fiber, [&node](Fiber&) { return Booking(node.parts().memory); });
      },
      "leak", "64 bytes are booked");
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return hold(fiber, [&node](Fiber&) {
          auto owner = std::make_unique<LockOwner>(node.locks(), 7);
          node.locks().try_acquire(*owner, LockTag::relation(Oid(5), Oid(6)), LockMode::share);
          return owner;
        });
      },
      "leak", "1 locks are held");
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return hold(fiber, [&node](Fiber& own) {
          return node.storage().pool().pin(own, make_file_id(1260), BlockNo());
        });
      },
      "leak", "1 frames are pinned");
}

}  // namespace
}  // namespace orrery
