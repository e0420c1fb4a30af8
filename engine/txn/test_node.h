// A node with storage, transactions and locks, on a disk that survives it. For tests only.
#pragma once

#include <gtest/gtest.h>

#include "txn/redo_relay.h"
#include "txn/transaction_manager.h"
#include "wal/crash_host.h"

namespace orrery {

constexpr FileId kTestStatusFile = make_file_id(1);

inline StorageOptions test_storage_options() {
  StorageOptions options;
  options.log.segment_bytes = 1 << 20;
  options.log.zero_fill_segments = false;
  options.pool_pages = 256;
  options.extend_pages = 4;
  return options;
}

// A gate that can be held; what it has not let pass is gone at the next start.
class HeldGate final : public CommitGate {
 public:
  void hold() { holds_ = true; }
  // What is durable so far passes; the rest is held.
  void pass(Log& log, Lsn end) {
    committed_ = end;
    log.set_committed(end);
  }
  void durable_advanced(Log& log, Lsn durable) override {
    if (!holds_) pass(log, durable);
  }
  Lsn keep_at_restart(Lsn low, Lsn end) override {
    return std::exchange(holds_, false) ? std::max(low, committed_) : end;
  }

 private:
  bool holds_ = false;
  Lsn committed_;
};

// What stays of a node when its memory goes.
struct NodeDisk {
  CrashDisk disk;
  StorageOptions options = test_storage_options();
  HeldGate gate;
  TransactionManagerOptions transactions{
      .status_file = kTestStatusFile, .status_cache_entries = 64, .xid_step = 100, .oid_step = 100};
};

// One life. Body: Status(Fiber&, TestNode&). Returning raise_halted() is a crash.
struct TestNode {
  explicit TestNode(NodeDisk& on)
      : home(on),
        host(on.disk),
        scheduler(host),
        storage(host, on.options, on.gate, relay),
        transactions(host, storage, locks, on.transactions) {
    relay.connect(transactions);
  }

  NodeDisk& home;
  CrashHost host;
  Scheduler scheduler;
  RedoRelay relay;
  LockTable locks;
  Storage storage;
  TransactionManager transactions;
  Status failure;

  template <class Body>
  Status live(Body body, uint64_t steps = UINT64_MAX) {
    scheduler.spawn("main", [&](Fiber& fiber) { failure = whole_life(fiber, body); });
    host.run(scheduler, steps);
    return std::move(failure);
  }

 private:
  template <class Body>
  Status whole_life(Fiber& fiber, Body& body) {
    TRY(storage.open(fiber));
    if (storage.is_new()) {
      TRY(transactions.create(fiber));
      TRY(storage.finish_creation(fiber));
    } else {
      TRY(transactions.start(fiber));
    }
    Status status = body(fiber, *this);
    if (status.is_halted()) {
      fiber.scheduler().mark_halted();
      return status;
    }
    storage.check();
    transactions.check();
    locks.check();
    EXPECT_EQ(storage.pool().pinned_frames(), 0U);
    Status ended = storage.shutdown(fiber);
    return status.ok() ? std::move(ended) : std::move(status);
  }
};

// A life that must go well.
template <class Body>
void live_ok(NodeDisk& disk, Body body) {
  TestNode node(disk);
  const Status status = node.live(body);
  EXPECT_TRUE(status.ok()) << (status.ok() ? ""
                                           : status.error().message + " " + status.error().detail);
  EXPECT_EQ(node.host.fatal_reason, "");
}

}  // namespace orrery
