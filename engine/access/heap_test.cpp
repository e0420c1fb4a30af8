#include "access/heap.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "access/heap_internal.h"
#include "access/test_table.h"

namespace orrery {
namespace {

using Rows = std::map<int32_t, TestRow>;

std::string note_of(uint32_t seed) {
  const size_t length = seed % 11 == 0 ? 9000 : seed % 5 == 0 ? 600 : seed % 40;
  std::string note;
  uint64_t x = seed;
  while (note.size() < length) note += static_cast<char>('a' + (x = hash_u64(x)) % 26);
  return note;
}

// One life of a node that does what the steps say, and what the rows should be after its last
// commit.
struct HeapModel {
  Rows committed;
  TestTable table;
};

Status check_rows(Fiber& fiber, Access& access, HeapModel& model) {
  const RegisteredSnapshot now(access.transactions(), access.transactions().take_snapshot(nullptr));
  Rows seen;
  for (TestRow& row : TRY(model.table.scan(fiber, access, now))) {
    const int32_t id = row.id;
    EXPECT_TRUE(seen.emplace(id, std::move(row)).second);
  }
  EXPECT_TRUE(seen == model.committed);
  for (int32_t id = 0; id < 60; id += 7) {
    const std::optional<TestRow> found = TRY(model.table.find(fiber, access, now, id));
    EXPECT_EQ(found.has_value(), model.committed.contains(id));
    if (found.has_value() && model.committed.contains(id))
      EXPECT_TRUE(*found == model.committed[id]);
  }
  return BTree(access, model.table.index).check(fiber);
}

struct Step {
  uint8_t op;
  uint32_t seed;
};

Status run_steps(Fiber& fiber, TestNode& node, HeapModel& model, const std::vector<Step>& steps) {
  Access access(node.storage, node.transactions);
  TransactionManager& transactions = node.transactions;
  LockOwner owner(node.locks, 1);
  auto t = transactions.begin(owner);
  Rows rows = model.committed;
  std::vector<Rows> savepoints;
  Lsn last_commit{};
  const auto act = [&](const Step& step) -> Status {
    const auto id = static_cast<int32_t>(step.seed % 60);
    const TestRow row{id, step.seed, note_of(step.seed)};
    Tid tid;
    TRY(t->next_command());
    const RegisteredSnapshot snapshot(transactions, transactions.take_snapshot(t.get()));
    const std::optional<TestRow> there = TRY(model.table.find(fiber, access, snapshot, id, &tid));
    EXPECT_EQ(there.has_value(), rows.contains(id));
    if (step.op < 8) {
      if (!there.has_value()) {
        EXPECT_TRUE(TRY(model.table.insert(fiber, access, *t, row)));
      } else {
        EXPECT_EQ(TRY(model.table.update(fiber, access, *t, tid, row, snapshot)),
                  ChangeOutcome::ok);
      }
      rows[id] = row;
    } else if (step.op < 11 && there.has_value()) {
      const ChangeResult removed =
          TRY(Heap(access, model.table.info).remove(fiber, *t, tid, snapshot, RowWait::wait));
      EXPECT_EQ(removed.outcome, ChangeOutcome::ok);
      rows.erase(id);
    } else if (step.op == 11) {
      transactions.begin_level(*t);
      savepoints.push_back(rows);
    } else if (step.op == 12 && !savepoints.empty()) {
      TRY(transactions.rollback_level(fiber, *t, t->depth()));
      rows = savepoints.back();
      savepoints.pop_back();
    } else if (step.op == 13 && !savepoints.empty()) {
      transactions.release_level(*t, t->depth());
      savepoints.pop_back();
    }
    return {};
  };
  for (const Step& step : steps) {
    if (Status status = act(step); !status.ok()) {
      (void)transactions.abort(fiber, *t);
      return status;
    }
    if (step.op == 14 || step.op == 15) {
      TRY(step.op == 14 ? transactions.commit(fiber, *t, step.seed % 4 != 0)
                        : transactions.abort(fiber, *t));
      if (step.op == 14) model.committed = rows;
      if (step.op == 14 && t->commit_ts().v != 0) last_commit = Lsn(t->commit_ts().v);
      rows = model.committed;
      savepoints.clear();
      if (step.seed % 3 == 0) {
        const IndexInfo* indexes[] = {&model.table.index};
        TRY(vacuum_table(fiber, access, model.table.info, indexes, {}));
        TRY(check_rows(fiber, access, model));
      }
      t = transactions.begin(owner);
    }
  }
  // An asynchronous commit is promised only once it is in the log.
  if (last_commit != Lsn()) TRY(node.storage.log().wait_committed(fiber, last_commit));
  fiber.scheduler().mark_halted();
  (void)transactions.abort(fiber, *t);
  return raise_halted();
}

RC_GTEST_PROP(Heap, HoldsWhatWasCommittedThroughSavepointsVacuumsAndCrashes, ()) {
  using Drawn = std::vector<std::pair<uint8_t, uint32_t>>;
  const auto step = rc::gen::resize(
      rc::kNominalSize,
      rc::gen::pair(rc::gen::inRange<uint8_t>(0, 16), rc::gen::inRange<uint32_t>(0, 100000)));
  const auto lives = *rc::gen::resize(3, rc::gen::container<std::vector<Drawn>>(
                                             rc::gen::resize(40, rc::gen::container<Drawn>(step))));
  NodeDisk disk;
  HeapModel model;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    return model.table.create(fiber, access, kBootstrapXid);
  });
  Prng prng(7);
  for (const auto& life : lives) {
    std::vector<Step> steps;
    for (const auto& [op, seed] : life) steps.push_back({op, seed});
    TestNode node(disk);
    const Status status =
        node.live([&](Fiber& fiber, TestNode& n) { return run_steps(fiber, n, model, steps); });
    RC_ASSERT(status.is_halted());
    disk.disk.crash(prng);
    live_ok(disk, [&](Fiber& fiber, TestNode& n) -> Status {
      Access access(n.storage, n.transactions);
      return check_rows(fiber, access, model);
    });
  }
}

// A table in a node that lives for one test.
template <class Body>
void with_table(Body body, NodeDisk* given = nullptr) {
  NodeDisk own;
  live_ok(given != nullptr ? *given : own, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TestTable table;
    TRY(table.create(fiber, access, kBootstrapXid));
    return body(fiber, node, access, table);
  });
}

TEST(Heap, AnUpdateOfUnindexedColumnsIsHotAndPruningKeepsThePageOne) {
  with_table([](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    auto first = node.transactions.begin(owner);
    TRY(table.insert(fiber, access, *first, {1, 0, "n"}));
    TRY(node.transactions.commit(fiber, *first));
    for (int i = 1; i <= 2000; ++i) {
      auto t = node.transactions.begin(owner);
      const RegisteredSnapshot snapshot(node.transactions,
                                        node.transactions.take_snapshot(t.get()));
      Tid tid;
      EXPECT_EQ(TRY(table.find(fiber, access, snapshot, 1, &tid))->value, i - 1);
      const TestTable::Values values({1, i, "n"});
      const ChangeResult result = TRY(
          Heap(access, table.info).update(fiber, *t, tid, values.get(), snapshot, RowWait::wait));
      EXPECT_EQ(result.outcome, ChangeOutcome::ok);
      EXPECT_TRUE(result.hot);
      TRY(node.transactions.commit(fiber, *t));
    }
    EXPECT_EQ(TRY(table_block_count(fiber, access, table.info)), 1U);
    EXPECT_EQ(TRY(BTree(access, table.index).shape(fiber)).entries, 1U);
    return {};
  });
}

TEST(Heap, APageWithoutSlotsTakesNoRowHoweverMuchRoomTheDeadLeft) {
  with_table([](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    for (int i = 1; i <= 400; ++i) {
      auto t = node.transactions.begin(owner);
      TRY(table.insert(fiber, access, *t, {i, 0, "n"}));
      TRY(node.transactions.commit(fiber, *t));
      auto u = node.transactions.begin(owner);
      {
        const RegisteredSnapshot snapshot(node.transactions,
                                          node.transactions.take_snapshot(u.get()));
        std::vector<Tid> tids;
        TRY(table.scan(fiber, access, snapshot, &tids));
        EXPECT_EQ(tids.size(), 1U);
        const ChangeResult gone =
            TRY(Heap(access, table.info).remove(fiber, *u, tids.at(0), snapshot, RowWait::wait));
        EXPECT_EQ(gone.outcome, ChangeOutcome::ok);
      }
      TRY(node.transactions.commit(fiber, *u));
    }
    const uint32_t blocks = TRY(table_block_count(fiber, access, table.info));
    EXPECT_GT(blocks, 1U);
    return {};
  });
}

// Every slot that a page can have was given out; the first ones were freed since.
TEST(Heap, ABatchTakesTheSlotsThatVacuumFreed) {
  with_table([](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    Heap heap(access, table.info);
    Arena arena;
    std::vector<Tid> tids(kBatchRows);
    const auto insert = [&](uint32_t count) -> Status {
      std::vector<Vector> columns = {Vector::make(arena), Vector::make(arena), Vector::make(arena)};
      for (uint32_t i = 0; i < count; ++i) {
        columns[0].set(i, Datum::of(static_cast<int32_t>(i)));
        columns[1].set(i, Datum::of(int64_t{i}));
        columns[2].set(i, make_varlena(arena, ""));
      }
      auto t = node.transactions.begin(owner);
      TRY(heap.insert_batch(fiber, *t, columns, {nullptr, count}, tids.data()));
      return node.transactions.commit(fiber, *t);
    };
    const auto seen_now = [&]() -> Result<std::vector<Tid>> {
      const RegisteredSnapshot now(node.transactions, node.transactions.take_snapshot(nullptr));
      std::vector<Tid> seen;
      TRY(table.scan(fiber, access, now, &seen));
      return seen;
    };
    TRY(insert(150));
    auto t = node.transactions.begin(owner);
    {
      const RegisteredSnapshot now(node.transactions, node.transactions.take_snapshot(t.get()));
      for (uint32_t i = 0; i < 150; ++i) {
        if (i != 2) TRY(heap.remove(fiber, *t, tids[i], now));
      }
    }
    TRY(node.transactions.commit(fiber, *t));
    std::vector<Tid> seen = TRY(seen_now());  // prunes
    for (uint32_t i = 150; i < kMaxSlotsPerPage; ++i) TRY(insert(1));
    EXPECT_EQ(tids[0], (Tid{BlockNo(0), kMaxSlotsPerPage}));
    TRY(vacuum_table(fiber, access, table.info, {}, {}));
    TRY(insert(1));
    EXPECT_EQ(tids[0], (Tid{BlockNo(0), 1}));
    TRY(insert(300));
    EXPECT_EQ(tids[0], (Tid{BlockNo(0), 2}));
    EXPECT_EQ(tids[1], (Tid{BlockNo(0), 4}));
    seen = TRY(seen_now());
    EXPECT_EQ(seen.size(), 1 + (kMaxSlotsPerPage - 150) + 301);
    return {};
  });
}

TEST(Heap, BatchesAreInsertedPageByPageAndScannedInOrder) {
  with_table([](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    auto t = node.transactions.begin(owner);
    Arena arena;
    std::vector<Vector> columns = {Vector::make(arena), Vector::make(arena), Vector::make(arena)};
    std::vector<Tid> tids(kBatchRows);
    for (uint32_t i = 0; i < kBatchRows; ++i) {
      columns[0].set(i, Datum::of(static_cast<int32_t>(i)));
      columns[1].set(i, Datum::of(int64_t{i} << 33));
      if (i % 3 == 0) {
        columns[2].set_null(i);
      } else {
        columns[2].set(i, make_varlena(arena, note_of(i)));
      }
    }
    TRY(Heap(access, table.info)
            .insert_batch(fiber, *t, columns, {nullptr, kBatchRows}, tids.data()));
    TRY(t->next_command());
    const RegisteredSnapshot snapshot(node.transactions, node.transactions.take_snapshot(t.get()));
    const int16_t wanted[] = {kColumnTableOid, 1, 2};
    TableScan scan(access, table.info, snapshot, wanted);
    std::vector<Vector> out = {Vector::make(arena), Vector::make(arena), Vector::make(arena)};
    std::vector<Tid> seen(kBatchRows);
    std::map<Tid, uint32_t> row_at;  // a long row may leave room that a later one takes
    for (uint32_t i = 0; i < kBatchRows; ++i) row_at[tids[i]] = i;
    auto expected = row_at.begin();
    uint32_t rows = 0;
    for (;;) {
      const uint32_t count = TRY(scan.next(fiber, out, arena, seen.data()));
      if (count == 0) break;
      rows += count;
      for (uint32_t i = 0; i < count; ++i, ++expected) {
        EXPECT_EQ(seen[i], expected->first);
        const uint32_t row = expected->second;
        EXPECT_EQ(out[0].value(i).as<Oid>(), Oid(20000));
        EXPECT_EQ(out[1].value(i).as<int64_t>(), int64_t{row} << 33);
        EXPECT_EQ(out[2].is_null(i), row % 3 == 0);
        if (row % 3 == 0) continue;
        const Datum note = TRY(detoast(fiber, access, &*table.info.toast, out[2].value(i), arena));
        EXPECT_EQ(note.text(), note_of(row));
      }
    }
    EXPECT_EQ(rows, kBatchRows);
    EXPECT_EQ(row_at.size(), kBatchRows);
    return node.transactions.abort(fiber, *t);
  });
}

TEST(Heap, AValueOfTenMegabytesGoesOutInChunksAndComesBackWholeAndInSlices) {
  with_table([](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    table.info.desc.columns[2].storage = ColumnStorage::external;
    std::string big(10'000'000, ' ');
    for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(' ' + hash_u64(i) % 90);
    auto t = node.transactions.begin(owner);
    TRY(table.insert(fiber, access, *t, {1, 1, big}));
    TRY(node.transactions.commit(fiber, *t));
    auto u = node.transactions.begin(owner);
    const RegisteredSnapshot snapshot(node.transactions, node.transactions.take_snapshot(u.get()));
    Tid tid;
    EXPECT_TRUE(TRY(table.find(fiber, access, snapshot, 1, &tid))->note == big);
    const int16_t wanted[] = {2};
    TableFetch fetch(access, table.info, wanted);
    Arena arena;
    Vector column[] = {Vector::make(arena)};
    TRY(fetch.fetch(fiber, snapshot, SnapshotKind::mvcc, FetchMode::exact, std::span(&tid, 1),
                    column, 0, arena, nullptr, nullptr, nullptr));
    EXPECT_TRUE(varlena_is_external(column[0].value(0).as<const char*>()));
    EXPECT_EQ(toast_raw_size(column[0].value(0)), big.size());
    const Datum slice = TRY(detoast_slice(fiber, access, &*table.info.toast, column[0].value(0),
                                          5'000'000, 4000, arena));
    EXPECT_EQ(slice.text(), std::string_view(big).substr(5'000'000, 4000));
    // Deleting the row deletes the chunks, and vacuum takes them away.
    TRY(Heap(access, table.info).remove(fiber, *u, tid, snapshot, RowWait::wait));
    TRY(node.transactions.commit(fiber, *u));
    return {};
  });
}

TEST(Heap, APageGetsANewBaseWhenAnXidIsTooFarAway) {
  with_table([](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    auto t = node.transactions.begin(owner);
    for (int i = 0; i < 50; ++i) TRY(table.insert(fiber, access, *t, {i, 1, "old"}));
    const Xid far((uint64_t{1} << 32) + 5);
    // Undecided ids cannot be frozen.
    EXPECT_TRUE(rebase_page(fiber, access, table.info.file, BlockNo(0), far)
                    .is(sqlstate::object_not_in_prerequisite_state));
    TRY(node.transactions.commit(fiber, *t));
    TRY(rebase_page(fiber, access, table.info.file, BlockNo(0), far));
    {
      const PageRef page = TRY(node.storage.pool().pin(fiber, table.info.file, BlockNo(0)));
      EXPECT_TRUE(fits_base(far, Xid(page.header().base_xid)));
      EXPECT_FALSE(fits_base(Xid(100), Xid(page.header().base_xid)));
    }
    const RegisteredSnapshot now(node.transactions, node.transactions.take_snapshot(nullptr));
    EXPECT_EQ(TRY(table.scan(fiber, access, now)).size(), 50U);
    return {};
  });
}

TEST(Vacuum, FreesDeadRowsTheirEntriesAndTheirRoomAndMarksPagesVisible) {
  with_table([](Fiber& fiber, TestNode& node, Access& access, TestTable& table) -> Status {
    LockOwner owner(node.locks, 1);
    const IndexInfo* indexes[] = {&table.index};
    uint32_t blocks = 0;
    for (int round = 0; round < 5; ++round) {
      auto t = node.transactions.begin(owner);
      for (int i = 0; i < 2000; ++i)
        EXPECT_TRUE(TRY(table.insert(fiber, access, *t, {i, round, "some text"})));
      TRY(node.transactions.commit(fiber, *t));
      auto u = node.transactions.begin(owner);
      {
        const RegisteredSnapshot snapshot(node.transactions,
                                          node.transactions.take_snapshot(u.get()));
        std::vector<Tid> tids;
        TRY(table.scan(fiber, access, snapshot, &tids));
        EXPECT_EQ(tids.size(), 2000U);
        for (const Tid tid : tids) {
          EXPECT_EQ(
              TRY(Heap(access, table.info).remove(fiber, *u, tid, snapshot, RowWait::wait)).outcome,
              ChangeOutcome::ok);
        }
        TRY(node.transactions.commit(fiber, *u));
        // Somebody may still see them: nothing goes.
        const VacuumResult held = TRY(vacuum_table(fiber, access, table.info, indexes, {}));
        EXPECT_EQ(held.rows_removed, 0U);
      }
      const VacuumResult result = TRY(vacuum_table(fiber, access, table.info, indexes, {}));
      EXPECT_EQ(result.rows_removed, 2000U);
      EXPECT_EQ(result.slots_freed, 2000U);
      EXPECT_EQ(TRY(BTree(access, table.index).shape(fiber)).entries, 0U);
      TRY(BTree(access, table.index).check(fiber));
      if (round == 0) blocks = TRY(table_block_count(fiber, access, table.info));
      EXPECT_EQ(TRY(table_block_count(fiber, access, table.info)), blocks);
    }
    // Live rows: the second vacuum finds all pages all-visible, and an index-only scan believes it
    // until a change.
    auto t = node.transactions.begin(owner);
    for (int i = 0; i < 500; ++i) TRY(table.insert(fiber, access, *t, {i, 0, "x"}));
    TRY(node.transactions.commit(fiber, *t));
    TRY(vacuum_table(fiber, access, table.info, indexes, {}));
    const VacuumResult again = TRY(vacuum_table(fiber, access, table.info, indexes, {}));
    EXPECT_EQ(again.pages_skipped, again.pages);
    const auto visible = [&](int32_t id, uint32_t entries) -> Result<bool> {
      const int16_t wanted[] = {0};
      IndexScan scan(access, table.index, ScanDirection::forward, wanted);
      const NullableDatum key[] = {{Datum::of(id), false}};
      scan.start({.lower = key, .upper = key});
      Arena arena;
      Vector column[] = {Vector::make(arena)};
      Tid tids[4];
      uint8_t flags[4];
      const uint32_t count = TRY(scan.next(fiber, 4, tids, column, &arena));
      EXPECT_EQ(count, entries);
      EXPECT_EQ(column[0].value(0).as<int32_t>(), id);
      TRY(scan.check_all_visible(fiber, table.info, std::span(flags, count)));
      return flags[0] != 0;
    };
    EXPECT_TRUE(TRY(visible(5, 1)));
    auto u = node.transactions.begin(owner);
    const RegisteredSnapshot snapshot(node.transactions, node.transactions.take_snapshot(u.get()));
    Tid tid;
    TRY(table.find(fiber, access, snapshot, 5, &tid));
    EXPECT_EQ(TRY(table.update(fiber, access, *u, tid, {5, 9, "y"}, snapshot)), ChangeOutcome::ok);
    // The row's page was full, so its new version lies on another and has an entry of its own.
    EXPECT_FALSE(TRY(visible(5, 2)));
    return node.transactions.commit(fiber, *u);
  });
}

}  // namespace
}  // namespace orrery
