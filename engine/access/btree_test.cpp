#include "access/btree.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "access/btree_page.h"
#include "access/test_table.h"

namespace orrery {
namespace {

// An index of (text, int8 desc nulls first) whose keys are long enough to make a tall tree of few
// entries.
struct TestIndex {
  IndexInfo info;
  TableInfo table;  // unique checks look at it; never any here

  TestIndex() {
    info.name = "i";
    info.desc.columns = {text_column(), int8_column()};
    info.keys = {{.compare = compare_bytes},
                 {.compare = compare_int, .descending = true, .nulls_first = true}};
  }
};

using Key = std::tuple<std::string, std::optional<int64_t>, uint32_t>;  // and the tid's block

struct KeyLess {
  bool operator()(const Key& a, const Key& b) const {
    if (std::get<0>(a) != std::get<0>(b)) return std::get<0>(a) < std::get<0>(b);
    const auto& x = std::get<1>(a);
    const auto& y = std::get<1>(b);
    if (x != y) return !x.has_value() || (y.has_value() && *x > *y);  // desc nulls first
    return std::get<2>(a) < std::get<2>(b);
  }
};
using Model = std::map<Key, bool, KeyLess>;

struct KeyValues {
  Arena arena;
  Datum values[2];
  uint8_t nulls[2] = {};
  explicit KeyValues(const Key& key) {
    values[0] = make_varlena(arena, std::get<0>(key));
    nulls[1] = !std::get<1>(key).has_value();
    values[1] = Datum::of(std::get<1>(key).value_or(0));
  }
  RowValues get() const { return {values, nulls}; }
};

Key key_of(uint32_t seed) {
  const std::string text(seed % 3 == 0 ? 1200 : seed % 90, static_cast<char>('a' + seed / 16 % 5));
  const std::optional<int64_t> number =
      seed % 5 == 0 ? std::nullopt : std::optional<int64_t>(seed % 13);
  return {text, number, seed % 1009};
}

Result<std::vector<Key>> read_all(Fiber& fiber, Access& access, const TestIndex& index,
                                  ScanDirection direction, const IndexRange& range = {}) {
  const int16_t wanted[] = {0, 1};
  IndexScan scan(access, index.info, direction, wanted);
  scan.start(range);
  std::vector<Key> keys;
  Arena arena;
  Vector columns[] = {Vector::make(arena), Vector::make(arena)};
  for (;;) {
    Tid tids[100];
    const uint32_t count = TRY(scan.next(fiber, 100, tids, columns, &arena));
    if (count == 0) return keys;
    for (uint32_t i = 0; i < count; ++i) {
      keys.emplace_back(
          columns[0].value(i).text(),
          columns[1].is_null(i) ? std::nullopt : std::optional(columns[1].value(i).as<int64_t>()),
          tids[i].block.v);
    }
  }
}

std::vector<Key> keys_of(const Model& model) {
  std::vector<Key> keys;
  for (const auto& [key, there] : model) keys.push_back(key);
  return keys;
}

RC_GTEST_PROP(BTree, ScanEqualsSortedMapAfterAnyHistory, ()) {
  const auto step = rc::gen::resize(
      rc::kNominalSize,
      rc::gen::pair(rc::gen::inRange<uint8_t>(0, 10), rc::gen::inRange<uint32_t>(0, 40000)));
  const auto steps =
      *rc::gen::resize(14, rc::gen::container<std::vector<std::pair<uint8_t, uint32_t>>>(step));
  NodeDisk disk;
  uint32_t height = 0;
  uint32_t unlinked = 0;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    LockOwner owner(node.locks, 1);
    TestIndex index;
    index.info.file = TRY(node.storage.create_file(fiber, kBootstrapXid));
    BTree tree(access, index.info);
    TRY(tree.create(fiber, kBootstrapXid));
    auto t = node.transactions.begin(owner);
    Model model;
    for (const auto& [op_drawn, seed_drawn] : steps) {
      const uint8_t op = op_drawn;
      const uint32_t seed = seed_drawn;
      if (op < 8) {  // a run of insertions, ascending or scattered
        for (uint32_t i = 0; i < 40; ++i) {
          const Key key = key_of(op < 4 ? seed + i * 7919 : seed + i);
          if (model.contains(key)) continue;
          const KeyValues values(key);
          const Tid tid{BlockNo(std::get<2>(key)), 1};
          TRY(tree.insert(fiber, *t, index.table, values.get(), tid, UniqueCheck::none));
          model[key] = true;
        }
      } else {  // vacuum away a slice of the tids
        const uint32_t low = seed % 3 == 0 ? 0 : seed % 1009;
        const uint32_t high = seed % 3 == 0 ? 1009 : low + seed / 1009 * 20;
        const auto dead = [&](Tid tid) { return tid.block.v >= low && tid.block.v <= high; };
        const auto result = TRY(tree.bulk_delete(fiber, dead));
        unlinked += result.pages_unlinked;
        std::erase_if(
            model, [&](const auto& entry) { return dead({BlockNo(std::get<2>(entry.first)), 1}); });
        EXPECT_EQ(result.entries_left, model.size());
      }
      TRY(tree.check(fiber));
    }
    height = TRY(tree.shape(fiber)).height;
    std::vector<Key> expected = keys_of(model);
    EXPECT_EQ(TRY(read_all(fiber, access, index, ScanDirection::forward)), expected);
    // A range by prefix, both ways.
    const Key from = key_of(17), to = key_of(60);
    const KeyValues lower(from), upper(to);
    const NullableDatum lower_bound[] = {{lower.values[0], false},
                                         {lower.values[1], lower.nulls[1] != 0}};
    const NullableDatum upper_bound[] = {{upper.values[0], false}};
    std::erase_if(expected, [&](const Key& key) {
      const bool below = KeyLess()(Key{std::get<0>(key), std::get<1>(key), 0},
                                   Key{std::get<0>(from), std::get<1>(from), 0});
      return below || std::get<0>(key) >= std::get<0>(to);
    });
    const IndexRange range{.lower = lower_bound, .upper = upper_bound, .upper_inclusive = false};
    EXPECT_EQ(TRY(read_all(fiber, access, index, ScanDirection::forward, range)), expected);
    std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(TRY(read_all(fiber, access, index, ScanDirection::backward, range)), expected);
    return node.transactions.abort(fiber, *t);
  });
  RC_CLASSIFY(height > 2, "splits below the root");
  RC_CLASSIFY(unlinked > 0, "unlinks pages");
}

TEST(BTree, BulkBuildEqualsInsertionAndGoesOnAsAnyTree) {
  NodeDisk disk;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    LockOwner owner(node.locks, 1);
    TestIndex index;
    index.info.file = TRY(node.storage.create_file(fiber, kBootstrapXid));
    Model model;
    for (uint32_t i = 0; i < 3000; ++i) model[key_of(i * 31)] = true;
    BTreeBuilder builder(access, index.info, kBootstrapXid);
    for (const auto& [key, there] : model) {
      const KeyValues values(key);
      EXPECT_TRUE(TRY(builder.add(fiber, values.get(), {BlockNo(std::get<2>(key)), 1})));
    }
    TRY(builder.finish(fiber));
    BTree tree(access, index.info);
    TRY(tree.check(fiber));
    EXPECT_EQ(TRY(read_all(fiber, access, index, ScanDirection::forward)), keys_of(model));
    auto t = node.transactions.begin(owner);
    for (uint32_t i = 0; i < 3000; ++i) {
      const Key key = key_of(i * 17 + 5);
      if (!model.emplace(key, true).second) continue;
      const KeyValues values(key);
      TRY(tree.insert(fiber, *t, index.table, values.get(), {BlockNo(std::get<2>(key)), 1},
                      UniqueCheck::none));
    }
    TRY(tree.check(fiber));
    EXPECT_EQ(TRY(read_all(fiber, access, index, ScanDirection::forward)), keys_of(model));
    return node.transactions.abort(fiber, *t);
  });
}

TEST(BTree, AnEmptyBuildIsAnEmptyTree) {
  NodeDisk disk;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TestIndex index;
    index.info.file = TRY(node.storage.create_file(fiber, kBootstrapXid));
    BTreeBuilder builder(access, index.info, kBootstrapXid);
    TRY(builder.finish(fiber));
    EXPECT_TRUE(TRY(read_all(fiber, access, index, ScanDirection::backward)).empty());
    return BTree(access, index.info).check(fiber);
  });
}

TEST(BTree, FibersThatSplitTheSamePagesAgree) {
  NodeDisk disk;
  disk.options.clean_frames = 8;
  disk.options.pool_pages = 64;  // so that descents wait for the disk, and meet each other's splits
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TestIndex index;
    index.info.file = TRY(node.storage.create_file(fiber, kBootstrapXid));
    BTree tree(access, index.info);
    TRY(tree.create(fiber, kBootstrapXid));
    Model model;
    int running = 8;
    Status failure;
    for (uint32_t worker = 0; worker < 8; ++worker) {
      fiber.scheduler().spawn("worker", [&, worker](Fiber& own) {
        const auto work = [&]() -> Status {
          LockOwner owner(node.locks, static_cast<int32_t>(worker));
          auto t = node.transactions.begin(owner);
          for (uint32_t i = 0; i < 250; ++i) {
            const Key key = key_of(i * 8 + worker);
            if (!model.emplace(key, true).second) continue;
            const KeyValues values(key);
            const Result<InsertResult> inserted =
                tree.insert(own, *t, index.table, values.get(), {BlockNo(std::get<2>(key)), 1},
                            UniqueCheck::none);
            EXPECT_TRUE(inserted.ok());
            if (i % 3 == 0) TRY(own.yield());
          }
          return node.transactions.abort(own, *t);
        };
        if (Status status = work(); !status.ok()) failure = std::move(status);
        --running;
      });
    }
    while (running > 0) TRY(fiber.sleep(milliseconds(1)));
    TRY(std::move(failure));
    TRY(tree.check(fiber));
    EXPECT_EQ(TRY(read_all(fiber, access, index, ScanDirection::forward)), keys_of(model));
    return {};
  });
}

TEST(BTree, AKeyThatIsTooLongIsRefused) {
  NodeDisk disk;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    LockOwner owner(node.locks, 1);
    TestIndex index;
    index.info.file = TRY(node.storage.create_file(fiber, kBootstrapXid));
    BTree tree(access, index.info);
    TRY(tree.create(fiber, kBootstrapXid));
    auto t = node.transactions.begin(owner);
    const KeyValues values({std::string(3000, 'x'), 1, 1});
    const auto result =
        tree.insert(fiber, *t, index.table, values.get(), {BlockNo(1), 1}, UniqueCheck::none);
    EXPECT_TRUE(result.status().is(sqlstate::program_limit_exceeded));
    return node.transactions.abort(fiber, *t);
  });
}

TEST(BTree, RightLinksThatLeadInACircleAreNotFollowedForEver) {
  NodeDisk disk;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TestIndex index;
    index.info.file = TRY(node.storage.create_file(fiber, kBootstrapXid));
    Model model;
    for (uint32_t i = 0; i < 300; ++i) model[key_of(i * 31)] = true;
    BTreeBuilder builder(access, index.info, kBootstrapXid);
    for (const auto& [key, there] : model) {
      const KeyValues values(key);
      const bool added = TRY(builder.add(fiber, values.get(), {BlockNo(std::get<2>(key)), 1}));
      EXPECT_TRUE(added);
    }
    TRY(builder.finish(fiber));
    // Unlinked leaves are passed to the right: each leads to itself.
    const BlockNo size = TRY(node.storage.file_size(fiber, index.info.file));
    for (BlockNo block(kBTreeMetaBlock.v + 1); block < size; ++block.v) {
      PageRef page = TRY(node.storage.pool().pin(fiber, index.info.file, block));
      if (page.kind() != PageKind::btree || BTreePage(page).level() != 0) continue;
      Change change(RecordKind::page_change);
      const int at = change.add(page);
      change.write_value(at, kBTreeRightOffset, block.v);
      change.write_value(at, kBTreeFlagsOffset,
                         static_cast<uint16_t>(BTreePage(page).flags() | kBTreeDeleted));
      TRY(node.storage.reserve(fiber, change));
      node.storage.apply(change);
    }
    const auto read = read_all(fiber, access, index, ScanDirection::forward);
    EXPECT_TRUE(read.status().is(sqlstate::index_corrupted));
    return {};
  });
}

}  // namespace
}  // namespace orrery
