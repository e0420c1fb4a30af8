#include "txn/transaction_manager.h"

#include <gtest/gtest.h>

#include "txn/test_node.h"

namespace orrery {
namespace {

TEST(TransactionManager, AFileOfACommitStaysThoughALaterAbortWasToldFirst) {
  NodeDisk disk;
  FileId file;
  TestNode node(disk);
  const Status died = node.live([&](Fiber& fiber, TestNode& n) -> Status {
    Log& log = n.storage.log();
    TransactionManager& transactions = n.transactions;
    LockOwner first(n.locks, 1), second(n.locks, 2);
    const auto make_file = [&](LockOwner& owner) -> Result<std::unique_ptr<Transaction>> {
      auto t = transactions.begin(owner);
      const Xid xid = TRY(transactions.assign_xid(fiber, *t));
      const FileId made = TRY(n.storage.create_file(fiber, xid));
      t->created_file(made);
      return t;
    };
    auto kept = TRY(make_file(first));
    auto undone = TRY(make_file(second));
    file = FileId(kFirstFileNumber << 2);
    const bool exists = TRY(n.storage.file_exists(fiber, file));
    EXPECT_TRUE(exists);
    disk.gate.hold();
    bool committed = false, checkpointed = false;
    fiber.scheduler().spawn("commit",
                            [&](Fiber& own) { committed = transactions.commit(own, *kept).ok(); });
    fiber.scheduler().spawn("checkpoint",
                            [&](Fiber& own) { checkpointed = n.storage.checkpoint(own).ok(); });
    TRY(fiber.sleep(seconds(1)));
    const Lsn redo = log.durable();
    EXPECT_EQ(redo, log.append_position());
    // The abort lies behind the checkpoint's redo point, and is not committed when the commit is.
    TRY(transactions.abort(fiber, *undone));
    disk.gate.pass(log, redo);
    TRY(fiber.sleep(seconds(100)));
    EXPECT_TRUE(committed);
    EXPECT_TRUE(checkpointed);
    return raise_halted();
  });
  EXPECT_TRUE(died.is_halted());
  live_ok(disk, [&](Fiber& fiber, TestNode& n) -> Status {
    TRY(n.storage.checkpoint(fiber));
    const bool exists = TRY(n.storage.file_exists(fiber, file));
    EXPECT_TRUE(exists);
    return {};
  });
}

// The log is full to its last reserve when a transaction rolls back.
TEST(TransactionManager, AnAbortThatTheLogHadNoRoomForIsLoggedLater) {
  NodeDisk disk;
  live_ok(disk, [&](Fiber& fiber, TestNode& n) -> Status {
    TransactionManager& transactions = n.transactions;
    LockOwner first(n.locks, 1), second(n.locks, 2);
    auto undone = transactions.begin(first);
    const Xid xid = TRY(transactions.assign_xid(fiber, *undone));
    disk.disk.room_bytes = 0;
    Log& log = n.storage.log();
    const std::string filler(1 << 10, 'x');
    while (log.reserve(fiber, filler.size() + 100, ReserveKind::finishing).ok())
      log.append(RecordKind::page_change, kInvalidXid, as_bytes(filler));
    while (log.reserve(fiber, 24, ReserveKind::finishing).ok())
      log.append(RecordKind::page_change, kInvalidXid, {});
    TRY(transactions.abort(fiber, *undone));
    EXPECT_EQ(transactions.late_aborts(), 1U);
    EXPECT_EQ(transactions.running_count(), 1U);
    disk.disk.room_bytes = UINT64_MAX;
    auto next = transactions.begin(second);
    TRY(transactions.assign_xid(fiber, *next));
    TRY(transactions.commit(fiber, *next));
    EXPECT_EQ(transactions.late_aborts(), 0U);
    EXPECT_EQ(transactions.running_count(), 0U);
    const XidStatus status = TRY(transactions.status_of(fiber, xid));
    EXPECT_EQ(status.kind, XidStatus::Kind::aborted);
    return {};
  });
}

}  // namespace
}  // namespace orrery
