// Oracles of workload `sql` speak when there is something to say: damage that no engine did is done
// to the database, and the run must fail by the oracle that is there for it. What only an engine
// gone wrong can show (its protocol, waits that end by themselves, its free-space map, damaged
// pages) is shown by planted bugs: sim/zoo.
#include <gtest/gtest.h>

#include "access/heap_page.h"
#include "access/vacuum.h"
#include "catalog/bootstrap.h"
#include "catalog/catalog.h"
#include "catalog/columns.h"
#include "catalog/heap_store.h"
#include "fiber/scheduler.h"
#include "session/activity.h"
#include "session/database_node.h"
#include "sim/run/run.h"
#include "sim/sql/database_images.h"

namespace orrery {
namespace {

constexpr uint64_t kSeeds = 24;  // so that each role plays in some

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
      const std::string_view said = record.sentence;
      if (said.starts_with("42P01") || said.starts_with("3F000")) continue;  // no such table
      if (said.starts_with("23502")) continue;                               // no such row can be
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
  // From a branch to another; where there is one only, to NULL, which cannot be.
  expect(
      "UPDATE pgbench_tellers SET tbalance = tbalance + (SELECT CASE WHEN max(b.bid) > 1 THEN"
      " (5 - 2 * tid) / 3 END FROM pgbench_branches b) WHERE tid IN (1, 4)",
      "isolation", "its tellers and accounts other sums");
  expect("UPDATE pgbench_tellers SET tbalance = tbalance + 3 - 2 * tid WHERE tid < 3", "isolation",
         "of TPC-B holds");
  expect("DELETE FROM pgbench_history", "ledger", "acknowledged");
  expect("UPDATE pgbench_accounts SET abalance = abalance + 3 - 2 * aid WHERE aid < 3", "isolation",
         "its history makes it");
}

TEST_F(SqlOracles, HoldWhatWasCancelledToNothing) {
  expect("UPDATE guarded SET n = 1", "isolation", "was cancelled");
}

// Which client plays the role, and so the schema's name, is the seed's.
TEST_F(SqlOracles, HoldTheModelsTablesToTheModel) {
  expect("UPDATE m3.done SET n = n + 1", "ledger", "counts");
  expect("DELETE FROM m3.done", "ledger", "is gone");
  expect("CREATE TABLE m3.other (a int4)", "model", "tables instead of");
  expect("INSERT INTO m3.t0 (id) VALUES (-777)", "model", "rows instead of");
}

TEST_F(SqlOracles, AllowNoErrorWithoutCause) {
  expect("SELECT 1 / 0", "error", "22012 division by zero without cause");
  expect("SELECT pg_terminate_backend(pg_backend_pid())", "error", "57P01");
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
  const auto is_held = std::make_shared<bool>(false);  // the holder may outlive this call
  fiber.scheduler().spawn("holder", [take, is_held](Fiber& own) {
    [[maybe_unused]] const auto held = take(own);
    *is_held = true;
    while (own.sleep(seconds(1)).ok()) continue;
  });
  while (!*is_held) TRY(fiber.yield());
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

struct Listing {
  explicit Listing(Activity& of) : activity(&of), entry(std::make_unique<ActivityEntry>()) {
    entry->process_id = 4711;
    activity->add(*entry);
  }
  Listing(Listing&& other) noexcept
      : activity(std::exchange(other.activity, nullptr)), entry(std::move(other.entry)) {}
  ~Listing() {
    if (activity != nullptr) activity->remove(*entry);
  }
  Activity* activity;
  std::unique_ptr<ActivityEntry> entry;
};

struct Unended {
  Unended(Fiber& own, DatabaseNode& node)
      : fiber(own),
        transactions(node.transactions()),
        owner(node.locks(), 8),
        transaction(transactions.begin(owner)) {
    CHECK(transactions.assign_xid(fiber, *transaction).ok());
  }
  ~Unended() { static_cast<void>(transactions.abort(fiber, *transaction)); }
  Fiber& fiber;
  TransactionManager& transactions;
  LockOwner owner;
  std::unique_ptr<Transaction> transaction;
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
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return hold(fiber, [&node](Fiber&) {
          TransactionManager& transactions = node.transactions();
          return std::make_unique<RegisteredSnapshot>(transactions,
                                                      transactions.take_snapshot(nullptr));
        });
      },
      "leak", "a snapshot is registered");
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return hold(fiber, [&node](Fiber& own) { return std::make_unique<Unended>(own, node); });
      },
      "leak", "1 transactions run");
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return hold(fiber, [&node](Fiber&) { return Listing(node.parts().activity); });
      },
      "leak", "1 sessions are listed");
  expect_at_rest([](Fiber& fiber, DatabaseNode&) { return hold(fiber, [](Fiber&) { return 1; }); },
                 "leak", "1 fibers live after shutdown");
}

// The file of the first table with an index that a client made. Its first column is the key.
Result<const RelationInfo*> some_table(Fiber& fiber, HeapStore& store, CatalogReader& reader) {
  std::vector<Oid> tables;
  TRY(store.scan(fiber, Oid(1259), Oid(), {}, [&](const CatalogRow& row, Tid) -> Status {
    const auto oid = row.get<Oid>(pg_class::oid);
    if (oid >= kFirstUserOid && row.get<char>(pg_class::relkind) == 'r') tables.push_back(oid);
    return {};
  }));
  for (const Oid table : tables) {
    const RelationInfo* relation = TRY(reader.relation(fiber, table));
    const BlockNo size = TRY(store.access().storage().file_size(fiber, relation->storage.file));
    if (!relation->indexes.empty() && size > BlockNo(0)) return relation;
  }
  return nullptr;
}

struct Damage {
  uint32_t offset;  // in each row version of the first block
  std::byte set, cleared;
  uint8_t page_flags;  // taken from the block
};

// A vacuum, then the damage: what is logged and has a checksum, but is wrong.
Status damage_rows(Fiber& fiber, DatabaseNode& node, Damage damage) {
  Access& access = node.parts().access;
  HeapStore store(node.parts().catalog.database(kPostgresDatabase), access, nullptr);
  CatalogReader reader(node.parts().catalog.builtin(), store);
  const RelationInfo* relation = TRY(some_table(fiber, store, reader));
  CHECK(relation != nullptr);
  std::vector<const IndexInfo*> indexes;
  for (const CatalogIndex& index : relation->indexes) indexes.push_back(&index.storage);
  TRY(vacuum_table(fiber, access, relation->storage, indexes, {}));
  Storage& storage = node.storage();
  PageRef page = TRY(storage.pool().pin(fiber, relation->storage.file, BlockNo(0)));
  Change change(RecordKind::page_change);
  const int at = change.add(page);
  const SlottedPage view(page.data());
  for (uint16_t slot = 1; slot <= view.slot_count(); ++slot) {
    if (!is_normal(view, slot)) continue;
    const auto offset = static_cast<uint16_t>(view.slot(slot).offset + damage.offset);
    const auto now = load<std::byte>(page.data() + offset);
    change.write_value(at, offset, (now & ~damage.cleared) | damage.set);
  }
  const auto flags = static_cast<uint8_t>(view.header().flags & ~damage.page_flags);
  change.write_value(at, kPageFlagsOffset, flags);
  TRY(storage.reserve(fiber, change));
  storage.apply(change);
  return {};
}

TEST_F(SqlOracles, SeeRowsThatTheirIndexNamesOtherwise) {
  constexpr uint32_t kKeyOffset = 24;  // behind the header of a row without nulls
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return damage_rows(fiber, node, {kKeyOffset + 1, std::byte{1}, {}, 0});
      },
      "structure", "which has another key");
}

TEST_F(SqlOracles, SeeRowsThatTheVisibilityMapWronglyPromises) {
  constexpr uint32_t kInfomaskHigh = 21;  // 1: the inserter committed, 2: it aborted
  expect_at_rest(
      [](Fiber& fiber, DatabaseNode& node) -> Status {
        return damage_rows(fiber, node, {kInfomaskHigh, std::byte{2}, std::byte{1}, kAllVisible});
      },
      "structure", "counts as all-visible");
}

}  // namespace
}  // namespace orrery
