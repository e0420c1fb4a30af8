// From begin to recovery: the whole path once.
#include "access/test_table.h"

namespace orrery {
namespace {

TEST(Slice, CommittedRowsSurviveACrashAndOthersDoNot) {
  NodeDisk disk;
  TestTable table;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    LockOwner owner(node.locks, 1);
    auto t = node.transactions.begin(owner);
    const Xid xid = TRY(node.transactions.assign_xid(fiber, *t));
    TRY(table.create(fiber, access, xid));
    t->created_file(table.info.file);
    for (int i = 0; i < 3000; ++i) {
      EXPECT_TRUE(TRY(table.insert(fiber, access, *t, {i, i * 10, cat("note ", i)})));
    }
    TRY(t->next_command());
    const RegisteredSnapshot own(node.transactions, node.transactions.take_snapshot(t.get()));
    const RegisteredSnapshot others(node.transactions, node.transactions.take_snapshot(nullptr));
    EXPECT_EQ(TRY(table.scan(fiber, access, own)).size(), 3000U);
    EXPECT_EQ(TRY(table.scan(fiber, access, others)).size(), 0U);
    TRY(node.transactions.commit(fiber, *t));
    EXPECT_EQ(TRY(table.scan(fiber, access, others)).size(), 0U);
    const RegisteredSnapshot after(node.transactions, node.transactions.take_snapshot(nullptr));
    EXPECT_EQ(TRY(table.scan(fiber, access, after)).size(), 3000U);
    return BTree(access, table.index).check(fiber);
  });
  {
    TestNode node(disk);
    const Status status = node.live([&](Fiber& fiber, TestNode&) -> Status {
      Access access(node.storage, node.transactions);
      LockOwner owner(node.locks, 1);
      auto t = node.transactions.begin(owner);
      for (int i = 5000; i < 5100; ++i)
        EXPECT_TRUE(TRY(table.insert(fiber, access, *t, {i, 0, "lost"})));
      auto other = node.transactions.begin(owner);
      for (int i = 6000; i < 6100; ++i)
        EXPECT_TRUE(TRY(table.insert(fiber, access, *other, {i, 1, "kept"})));
      TRY(node.transactions.commit(fiber, *other));
      fiber.scheduler().mark_halted();
      (void)node.transactions.abort(fiber, *t);
      return raise_halted();
    });
    EXPECT_TRUE(status.is_halted());
  }
  disk.disk.kill();
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    const RegisteredSnapshot now(node.transactions, node.transactions.take_snapshot(nullptr));
    const std::vector<TestRow> rows = TRY(table.scan(fiber, access, now));
    EXPECT_EQ(rows.size(), 3100U);
    EXPECT_EQ(rows[7], (TestRow{7, 70, "note 7"}));
    EXPECT_EQ(TRY(table.find(fiber, access, now, 2999))->note, "note 2999");
    EXPECT_EQ(TRY(table.find(fiber, access, now, 6050))->note, "kept");
    EXPECT_FALSE(TRY(table.find(fiber, access, now, 5050)).has_value());
    return BTree(access, table.index).check(fiber);
  });
}

}  // namespace
}  // namespace orrery
