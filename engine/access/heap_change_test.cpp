// What changes of rows must hold against each other, against the maps, and against lost commits.
#include <gtest/gtest.h>

#include "access/heap_internal.h"
#include "access/test_table.h"
#include "access/visibility_map.h"

namespace orrery {
namespace {

std::string long_note(uint64_t seed, size_t bytes = 9000) {
  std::string note(bytes, ' ');
  for (char& c : note) c = static_cast<char>('a' + (seed = hash_u64(seed)) % 26);
  return note;
}

template <class Body>
void with_table(NodeDisk& disk, Body body) {
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TestTable table;
    TRY(table.create(fiber, access, kBootstrapXid));
    return body(fiber, node, access, table);
  });
}

Status insert_all(Fiber& fiber, TestNode& node, Access& access, TestTable& table,
                  const std::vector<TestRow>& rows) {
  LockOwner owner(node.locks, 99);
  auto t = node.transactions.begin(owner);
  for (const TestRow& row : rows) {
    const bool inserted = TRY(table.insert(fiber, access, *t, row));
    EXPECT_TRUE(inserted);
  }
  return node.transactions.commit(fiber, *t);
}

Status vacuum_toast(Fiber& fiber, Access& access, const TestTable& table) {
  const TableInfo chunks = toast_table_info(*table.info.toast);
  const IndexInfo index = toast_index_info(*table.info.toast);
  const IndexInfo* indexes[] = {&index};
  TRY(vacuum_table(fiber, access, chunks, indexes, {}));
  return {};
}

Result<std::optional<TestRow>> find_now(Fiber& fiber, TestNode& node, Access& access,
                                        TestTable& table, int32_t id, Tid* tid = nullptr) {
  const RegisteredSnapshot now(node.transactions, node.transactions.take_snapshot(nullptr));
  return TRY(table.find(fiber, access, now, id, tid));
}

// Somebody holds FOR KEY SHARE, under which others may update. One update takes the note out of the
// row; another changes the value and keeps the note. Whoever wins, no note is lost.
TEST(HeapChange, AnUpdateThatDropsALongValueDoesSoOfTheVersionItReplaces) {
  NodeDisk disk;
  with_table(disk, [](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    TransactionManager& transactions = node.transactions;
    const std::string note = long_note(1);
    TRY(insert_all(fiber, node, access, table, {{1, 0, note}}));
    Tid tid;
    TRY(find_now(fiber, node, access, table, 1, &tid));
    LockOwner locker(node.locks, 1), dropper(node.locks, 2), keeper(node.locks, 3);
    auto l = transactions.begin(locker);
    auto d = transactions.begin(dropper);
    auto k = transactions.begin(keeper);
    const Snapshot seen_by_l = transactions.take_snapshot(l.get());
    const Snapshot seen_by_d = transactions.take_snapshot(d.get());
    const Snapshot seen_by_k = transactions.take_snapshot(k.get());
    const RegisteredSnapshot registered(transactions, seen_by_d);
    Heap heap(access, table.info);
    TRY(heap.lock(fiber, *l, tid, RowLock::key_share, seen_by_l, RowWait::wait));
    std::optional<ChangeOutcome> dropped;
    fiber.scheduler().spawn("dropper", [&](Fiber& own) {
      const TestTable::Values values({1, 5, "short"});
      const auto result = heap.update(own, *d, tid, values.get(), seen_by_d);
      EXPECT_TRUE(result.ok());
      if (result.ok()) dropped = result.value().outcome;
    });
    TRY(fiber.sleep(seconds(1)));
    // With the pointer to the note that is there.
    Arena arena;
    Vector column[] = {Vector::make(arena)};
    const int16_t wanted[] = {2};
    TableFetch fetch(access, table.info, wanted);
    TRY(fetch.fetch(fiber, seen_by_k, SnapshotKind::mvcc, FetchMode::exact, std::span(&tid, 1),
                    column, 0, arena, nullptr, nullptr, nullptr));
    const Datum values[] = {Datum::of(int32_t{1}), Datum::of(int64_t{7}), column[0].value(0)};
    const uint8_t nulls[] = {0, 0, 0};
    const ChangeResult kept =
        TRY(heap.update(fiber, *k, tid, {values, nulls}, seen_by_k, RowWait::no_wait));
    const bool keeper_won = kept.outcome == ChangeOutcome::ok;
    TRY(keeper_won ? transactions.commit(fiber, *k) : transactions.abort(fiber, *k));
    TRY(transactions.commit(fiber, *l));
    TRY(fiber.sleep(seconds(1)));
    EXPECT_EQ(dropped == ChangeOutcome::ok, !keeper_won);
    TRY(transactions.commit(fiber, *d));
    TRY(vacuum_toast(fiber, access, table));
    const TestRow expected = keeper_won ? TestRow{1, 7, note} : TestRow{1, 5, "short"};
    const std::optional<TestRow> found = TRY(find_now(fiber, node, access, table, 1));
    EXPECT_EQ(found, expected);
    return {};
  });
}

// What a foreign key needs: its parent, locked while an update of it is under way, must not be
// deleted in the version that the update leaves.
TEST(HeapChange, AKeyShareLockTakenDuringAnUpdateHoldsTheVersionsThatItMakes) {
  for (const bool commits : {true, false}) {
    NodeDisk disk;
    with_table(disk, [&](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
      TransactionManager& transactions = node.transactions;
      TRY(insert_all(fiber, node, access, table, {{1, 0, "n"}}));
      Tid tid;
      TRY(find_now(fiber, node, access, table, 1, &tid));
      LockOwner updater(node.locks, 1), locker(node.locks, 2), deleter(node.locks, 3);
      auto u = transactions.begin(updater);
      auto l = transactions.begin(locker);
      auto d = transactions.begin(deleter);
      const RegisteredSnapshot seen_by_l(transactions, transactions.take_snapshot(l.get()));
      Heap heap(access, table.info);
      Tid newest = tid;
      for (int64_t value = 1; value < 4; ++value) {
        const RegisteredSnapshot now(transactions, transactions.take_snapshot(u.get()));
        const TestTable::Values values({1, value, "n"});
        const ChangeResult updated = TRY(heap.update(fiber, *u, newest, values.get(), now));
        newest = updated.tid;
        TRY(u->next_command());
      }
      const ChangeResult locked =
          TRY(heap.lock(fiber, *l, tid, RowLock::key_share, seen_by_l, RowWait::no_wait));
      EXPECT_EQ(locked.outcome, ChangeOutcome::ok);
      TRY(commits ? transactions.commit(fiber, *u) : transactions.abort(fiber, *u));
      Tid found;
      TRY(find_now(fiber, node, access, table, 1, &found));
      EXPECT_EQ(found, commits ? newest : tid);
      const RegisteredSnapshot seen_by_d(transactions, transactions.take_snapshot(d.get()));
      const ChangeResult removed = TRY(heap.remove(fiber, *d, found, seen_by_d, RowWait::no_wait));
      EXPECT_EQ(removed.outcome, ChangeOutcome::would_block);
      TRY(transactions.commit(fiber, *l));
      const ChangeResult again = TRY(heap.remove(fiber, *d, found, seen_by_d, RowWait::no_wait));
      EXPECT_EQ(again.outcome, ChangeOutcome::ok);
      return transactions.commit(fiber, *d);
    });
  }
}

// The update that is under way goes on to delete the row: then the lock waits, and finds it gone.
TEST(HeapChange, AKeyShareLockWaitsForAnUpdaterThatDeletesItsNewVersion) {
  NodeDisk disk;
  with_table(disk, [](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    TransactionManager& transactions = node.transactions;
    TRY(insert_all(fiber, node, access, table, {{1, 0, "n"}}));
    Tid tid;
    TRY(find_now(fiber, node, access, table, 1, &tid));
    LockOwner updater(node.locks, 1), locker(node.locks, 2);
    auto u = transactions.begin(updater);
    auto l = transactions.begin(locker);
    const RegisteredSnapshot seen_by_l(transactions, transactions.take_snapshot(l.get()));
    Heap heap(access, table.info);
    {
      const RegisteredSnapshot now(transactions, transactions.take_snapshot(u.get()));
      const TestTable::Values values({1, 1, "n"});
      const ChangeResult updated = TRY(heap.update(fiber, *u, tid, values.get(), now));
      TRY(u->next_command());
      const RegisteredSnapshot then(transactions, transactions.take_snapshot(u.get()));
      TRY(heap.remove(fiber, *u, updated.tid, then));
    }
    const ChangeResult blocked =
        TRY(heap.lock(fiber, *l, tid, RowLock::key_share, seen_by_l, RowWait::no_wait));
    EXPECT_EQ(blocked.outcome, ChangeOutcome::would_block);
    std::optional<ChangeOutcome> outcome;
    fiber.scheduler().spawn("locker", [&](Fiber& own) {
      const auto result =
          heap.lock_newest(own, *l, tid, RowLock::key_share, seen_by_l, RowWait::wait);
      EXPECT_TRUE(result.ok());
      if (result.ok()) outcome = result.value().outcome;
    });
    TRY(fiber.sleep(seconds(1)));
    EXPECT_FALSE(outcome.has_value());
    TRY(transactions.commit(fiber, *u));
    TRY(fiber.sleep(seconds(1)));
    EXPECT_EQ(outcome, ChangeOutcome::deleted);
    return transactions.commit(fiber, *l);
  });
}

TEST(HeapChange, AnUpdateFromOneAllVisiblePageToItsNeighbourClearsBothBits) {
  NodeDisk disk;
  with_table(disk, [](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    std::vector<TestRow> rows;  // one page full, the next with room
    for (int32_t id = 0; id < 6; ++id) rows.push_back({id, 0, long_note(id, 1500)});
    TRY(insert_all(fiber, node, access, table, rows));
    const IndexInfo* indexes[] = {&table.index};
    for (int i = 0; i < 2; ++i) TRY(vacuum_table(fiber, access, table.info, indexes, {}));
    const auto expect_visible = [&](bool expected) -> Status {
      for (const uint32_t block : {0U, 1U}) {
        const bool answer = TRY(test_all_visible(fiber, access, table.info.file, BlockNo(block)));
        EXPECT_EQ(answer, expected);
      }
      return {};
    };
    TRY(expect_visible(true));
    LockOwner owner(node.locks, 1);
    auto t = node.transactions.begin(owner);
    {
      const RegisteredSnapshot now(node.transactions, node.transactions.take_snapshot(t.get()));
      Tid tid;
      TRY(table.find(fiber, access, now, 0, &tid));
      const TestTable::Values values({0, 1, long_note(9, 1500)});
      const ChangeResult moved =
          TRY(Heap(access, table.info).update(fiber, *t, tid, values.get(), now));
      EXPECT_EQ(tid.block, BlockNo(0));
      EXPECT_EQ(moved.tid.block, BlockNo(1));
    }
    TRY(expect_visible(false));
    return node.transactions.commit(fiber, *t);
  });
}

// A deletion that was visible before it was committed is lost; the row must be found again.
TEST(HeapChange, AnIndexEntryIsNotKilledForACommitThatMayBeLost) {
  NodeDisk disk;
  disk.options.pool_pages = 32;
  disk.options.double_write_pages = 4;
  disk.options.clean_frames = 2;
  TestTable table;
  TestNode node(disk);
  const Status died = node.live([&](Fiber& fiber, TestNode& n) -> Status {
    Access access(n.storage, n.transactions);
    TRY(table.create(fiber, access, kBootstrapXid));
    std::vector<TestRow> rows;
    for (int32_t id = 0; id < 400; ++id) rows.push_back({id, 0, long_note(id, 1500)});
    TRY(insert_all(fiber, n, access, table, rows));
    // The index's page is dirty, and comes to disk with what is done to it below.
    disk.gate.hold();
    LockOwner owner(n.locks, 1);
    auto t = n.transactions.begin(owner);
    Tid tid;
    {
      const RegisteredSnapshot now(n.transactions, n.transactions.take_snapshot(t.get()));
      TRY(table.find(fiber, access, now, 7, &tid));
      TRY(Heap(access, table.info).remove(fiber, *t, tid, now));
    }
    TRY(n.transactions.commit(fiber, *t, false));
    for (int i = 0; i < 3; ++i) {
      const std::optional<TestRow> gone = TRY(find_now(fiber, n, access, table, 7));
      EXPECT_FALSE(gone.has_value());
    }
    // The whole table goes through the pool, so that what was done to the index's page is on disk.
    for (int i = 0; i < 3; ++i) {
      const RegisteredSnapshot now(n.transactions, n.transactions.take_snapshot(nullptr));
      const std::vector<TestRow> seen = TRY(table.scan(fiber, access, now));
      EXPECT_EQ(seen.size(), 399U);
      for (int32_t id = 100; id < 400; id += 5) TRY(table.find(fiber, access, now, id));
    }
    return raise_halted();
  });
  EXPECT_TRUE(died.is_halted());
  disk.disk.kill();
  live_ok(disk, [&](Fiber& fiber, TestNode& n) -> Status {
    Access access(n.storage, n.transactions);
    const std::optional<TestRow> found = TRY(find_now(fiber, n, access, table, 7));
    EXPECT_TRUE(found.has_value());
    return BTree(access, table.index).check(fiber);
  });
}

TEST(HeapChange, ASpeculativeRowThatIsKilledTakesItsLongValuesAlong) {
  NodeDisk disk;
  with_table(disk, [](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    auto t = node.transactions.begin(owner);
    const TestTable::Values values({1, 0, long_note(3)});
    Heap heap(access, table.info);
    const Tid tid = TRY(heap.insert(fiber, *t, values.get()));
    TRY(heap.kill_inserted(fiber, *t, tid));
    TRY(node.transactions.commit(fiber, *t));
    TRY(vacuum_toast(fiber, access, table));
    const IndexInfo index = toast_index_info(*table.info.toast);
    const auto shape = TRY(BTree(access, index).shape(fiber));
    EXPECT_EQ(shape.entries, 0U);
    return {};
  });
}

TEST(HeapChange, NumbersOfLongValuesBeginAgainAndPassThoseInUse) {
  NodeDisk disk;
  TestTable table;
  std::vector<TestRow> rows;
  for (int32_t id = 0; id < 5; ++id) rows.push_back({id, 0, long_note(id)});
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TRY(table.create(fiber, access, kBootstrapXid));
    return insert_all(fiber, node, access, table, {rows[0], rows[1]});
  });
  disk.transactions.first_oid = UINT32_MAX;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TRY(insert_all(fiber, node, access, table, {rows[2], rows[3], rows[4]}));
    for (int32_t id = 0; id < 5; ++id) {
      const std::optional<TestRow> found = TRY(find_now(fiber, node, access, table, id));
      EXPECT_EQ(found, rows[id]);
    }
    return {};
  });
}

TEST(HeapChange, NothingIsRememberedOfFilesThatAreGone) {
  NodeDisk disk;
  with_table(disk, [](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    TRY(insert_all(fiber, node, access, table, {{1, 0, "n"}}));
    const size_t before = access.remembered_files();
    LockOwner owner(node.locks, 1);
    for (const bool commits : {true, false}) {
      TestTable other;
      auto t = node.transactions.begin(owner);
      const Xid xid = TRY(node.transactions.assign_xid(fiber, *t));
      TRY(other.create(fiber, access, xid));
      for (const FileId file :
           {other.info.file, other.index.file, other.info.toast->heap, other.info.toast->index})
        t->created_file(file);
      const bool inserted = TRY(other.insert(fiber, access, *t, {1, 0, long_note(1)}));
      EXPECT_TRUE(inserted);
      EXPECT_GT(access.remembered_files(), before);
      if (!commits) {
        TRY(node.transactions.abort(fiber, *t));
        continue;
      }
      TRY(node.transactions.commit(fiber, *t));
      auto u = node.transactions.begin(owner);
      TRY(node.transactions.assign_xid(fiber, *u));
      for (const FileId file :
           {other.info.file, other.index.file, other.info.toast->heap, other.info.toast->index})
        u->dropped_file(file);
      TRY(node.transactions.commit(fiber, *u));
      EXPECT_EQ(access.remembered_files(), before);
    }
    EXPECT_EQ(access.remembered_files(), before);
    return {};
  });
}

// A log without room fails writers. Readers that could have pruned read on.
TEST(HeapChange, AReaderDoesNotFailBecauseItCannotPrune) {
  NodeDisk disk;
  with_table(disk, [&](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    std::vector<TestRow> rows;
    for (int32_t id = 0; id < 5; ++id) rows.push_back({id, 0, long_note(id, 1500)});
    rows.push_back({5, 0, "n"});  // whose record is short
    TRY(insert_all(fiber, node, access, table, rows));
    LockOwner owner(node.locks, 1);
    Tid tid;
    {
      auto t = node.transactions.begin(owner);
      const RegisteredSnapshot now(node.transactions, node.transactions.take_snapshot(t.get()));
      TRY(table.find(fiber, access, now, 0, &tid));
      TRY(Heap(access, table.info).remove(fiber, *t, tid, now));
      TRY(table.find(fiber, access, now, 5, &tid));
      TRY(node.transactions.commit(fiber, *t));
    }
    disk.disk.room_bytes = 0;
    Status full;
    while (full.ok()) {
      const TestTable::Values values(rows[5]);
      full = Heap(access, table.info).overwrite(fiber, tid, values.get());
    }
    EXPECT_TRUE(full.is(sqlstate::disk_full));
    const std::optional<TestRow> found = TRY(find_now(fiber, node, access, table, 1));
    EXPECT_EQ(found, rows[1]);
    disk.disk.room_bytes = UINT64_MAX;
    return {};
  });
}

}  // namespace
}  // namespace orrery
