#include "storage/storage.h"

#include "storage/test_node.h"

namespace orrery {
namespace {

// A life that makes one file of `pages` pages, word 0 of page i being i, and shuts down.
FileId make_pages(StorageNode& node, int pages) {
  FileId file;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    file = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < pages; ++i) {
      PageRef page = TRY(add_page(fiber, storage, file));
      TRY(write_word(fiber, storage, file, page.block(), 0, static_cast<uint64_t>(i)));
    }
    return {};
  });
  return file;
}

TEST(Storage, OpensAgainAfterACleanShutdownWithNothingToRedo) {
  StorageNode node;
  const FileId file = make_pages(node, 50);
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler& handler) -> Status {
    EXPECT_FALSE(storage.is_new());
    EXPECT_EQ(handler.redone, 1U);  // the new term
    for (uint32_t i = 0; i < 50; ++i) {
      PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(i)));
      EXPECT_EQ(read_word(page, 0), i);
    }
    return {};
  });
}

TEST(Storage, TheSegmentSizeIsThatOfTheDatabaseAndOptionsMayChange) {
  StorageNode node;
  const FileId file = make_pages(node, 50);
  node.options.log.segment_bytes = 1 << 20;
  node.options.pool_pages = 100;
  node.options.double_write_pages = 16;
  node.options.double_write_batches = 7;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    EXPECT_EQ(storage.log().options().segment_bytes, 64U << 10);
    return write_word(fiber, storage, file, BlockNo(49), 1, 1).status().clone();
  });
  node.options.pool_pages = 15;
  node.run([](Fiber&, Storage&, TestHandler&) { return Status(); });
  EXPECT_TRUE(node.failure.is(sqlstate::invalid_parameter_value));
}

TEST(Storage, ALogWithoutRoomAsksForACheckpointThatMakesSome) {
  StorageNode node;
  node.options.checkpoint_log_bytes = 1 << 30;
  node.options.checkpoint_interval = seconds(80'000);
  node.options.log.recycled_segments = 8;
  const FileId file = make_pages(node, 4);
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    node.disk.room_bytes = 256 << 10;
    Status full;
    for (uint64_t i = 0; full.ok(); ++i)
      full = write_word(fiber, storage, file, BlockNo(1), 1, i).status().clone();
    EXPECT_TRUE(full.is(sqlstate::disk_full));
    TRY(fiber.sleep(seconds(10)));
    TRY(write_word(fiber, storage, file, BlockNo(1), 1, 7));
    node.disk.room_bytes = UINT64_MAX;
    return {};
  });
}

TEST(Storage, ATornPageIsMendedFromItsCopy) {
  StorageNode node;
  node.options.double_write_batches = 64;
  const FileId file = make_pages(node, 4);
  node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    TRY(write_word(fiber, storage, file, BlockNo(2), 1000, 0x1111));
    // Pushed out through the double-write area, with no checkpoint after it.
    const FileId other = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < 20; ++i) TRY(add_page(fiber, storage, other));
    TRY(fiber.sleep(milliseconds(50)));
    return raise_halted();
  });
  node.disk.kill();
  std::string* home = node.disk.contents("data/16384");
  for (size_t i = 4096; i < kPageBytes; ++i)
    (*home)[2 * kPageBytes + i] = '\0';  // the second half was lost
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(2)));
    EXPECT_EQ(read_word(page, 0), 2U);
    EXPECT_EQ(read_word(page, 1000), 0x1111U);
    return {};
  });
  EXPECT_EQ(std::ranges::count(node.log_lines, "mended 1 torn pages"), 1);
}

TEST(Storage, AnOldCopyNeverReplacesAPageThatWentBadLater) {
  StorageNode node;
  const FileId file = make_pages(node, 4);  // its shutdown was a checkpoint
  (*node.disk.contents("data/16384"))[2 * kPageBytes + 6000] ^= 1;
  node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    return storage.pool().pin(fiber, file, BlockNo(2)).status().clone();
  });
  EXPECT_TRUE(node.failure.is(sqlstate::data_corrupted));
}

TEST(Storage, AFileGoesWhenItsMakerDoesNotCommit) {
  StorageNode node;
  FileId aborted, lost, kept;
  node.run([&](Fiber& fiber, Storage& storage, TestHandler& handler) -> Status {
    aborted = TRY(storage.create_file(fiber, Xid(10)));
    lost = TRY(storage.create_file(fiber, Xid(11)));
    TRY(storage.create_file_as(fiber, with_fork(lost, Fork::free_space), Xid(11)));
    kept = TRY(storage.create_file(fiber, Xid(12)));
    for (const FileId file : {aborted, lost, kept}) TRY(add_page(fiber, storage, file));
    TRY(storage.log().reserve(fiber, 100));
    const Lsn abort = storage.log().append(RecordKind::transaction_abort, Xid(10), {});
    const Lsn commit = storage.log().append(RecordKind::transaction_commit, Xid(12), {});
    TRY(storage.log().wait_committed(fiber, commit));
    handler.ended(RecordKind::transaction_abort, Xid(10), {}, abort);
    handler.ended(RecordKind::transaction_commit, Xid(12), {}, commit);
    EXPECT_NE(node.disk.contents("data/16384"), nullptr);  // not before a checkpoint has passed
    TRY(storage.checkpoint(fiber));
    EXPECT_EQ(node.disk.contents("data/16384"), nullptr);
    return raise_halted();
  });
  node.disk.kill();
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    TRY(storage.checkpoint(fiber));
    const bool has_aborted = TRY(storage.file_exists(fiber, aborted));
    const bool has_lost = TRY(storage.file_exists(fiber, lost));
    const bool has_kept = TRY(storage.file_exists(fiber, kept));
    EXPECT_EQ(cat(has_aborted, has_lost, has_kept), "falsefalsetrue");
    const FileId next = TRY(storage.create_file(fiber, Xid(20)));
    EXPECT_EQ(file_number(next), file_number(kept) + 1);  // numbers are never given twice
    return {};
  });
  EXPECT_EQ(node.disk.contents("data/16385"), nullptr);
  EXPECT_EQ(node.disk.contents("data/16385_fsm"), nullptr);
  EXPECT_NE(node.disk.contents("data/16386"), nullptr);
}

TEST(Storage, ADroppedFileStaysUntilItsCommitIsBehindACheckpoint) {
  StorageNode node;
  const FileId file = make_pages(node, 30);
  node.run([&](Fiber& fiber, Storage& storage, TestHandler& handler) -> Status {
    for (uint32_t i = 0; i < 30; ++i) TRY(write_word(fiber, storage, file, BlockNo(i), 1, 1));
    TRY(storage.log().reserve(fiber, 100));
    std::string dropped;
    ByteWriter(dropped).write(file.v);
    const Lsn commit =
        storage.log().append(RecordKind::transaction_commit, Xid(10), as_bytes(dropped));
    TRY(storage.log().wait_committed(fiber, commit));
    handler.ended(RecordKind::transaction_commit, Xid(10), as_bytes(dropped), commit);
    return raise_halted();
  });
  node.disk.kill();
  EXPECT_NE(node.disk.contents("data/16384"), nullptr);
  node.run_ok([](Fiber&, Storage&, TestHandler&) { return Status(); });
  EXPECT_EQ(node.disk.contents("data/16384"), nullptr);
}

TEST(Storage, TruncationIsRedoneAndLostPagesAreExplained) {
  StorageNode node;
  const FileId file = make_pages(node, 30);
  node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    for (uint32_t i = 0; i < 30; ++i) TRY(write_word(fiber, storage, file, BlockNo(i), 1, 7));
    TRY(storage.truncate_file(fiber, file, BlockNo(10)));
    EXPECT_EQ(node.disk.contents("data/16384")->size(), 10 * kPageBytes);
    EXPECT_FALSE(storage.pool().pin(fiber, file, BlockNo(10)).ok());
    const Lsn last = TRY(write_word(fiber, storage, file, BlockNo(9), 1, 8));
    TRY(storage.log().wait_committed(fiber, last));
    return raise_halted();
  });
  node.disk.kill();
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const BlockNo size = TRY(storage.file_size(fiber, file));
    EXPECT_EQ(size, BlockNo(10));
    PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(9)));
    EXPECT_EQ(read_word(page, 1), 8U);
    return {};
  });
}

TEST(Storage, AMissingPageThatNothingExplainsStopsRecovery) {
  StorageNode node;
  const FileId file = make_pages(node, 30);
  node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const Lsn lsn = TRY(write_word(fiber, storage, file, BlockNo(29), 1, 7));
    TRY(storage.log().wait_committed(fiber, lsn));
    return raise_halted();
  });
  node.disk.kill();
  node.disk.contents("data/16384")->resize(20 * kPageBytes);
  node.run([](Fiber&, Storage&, TestHandler&) { return Status(); });
  ASSERT_TRUE(node.failure.is(sqlstate::data_corrupted));
  EXPECT_EQ(node.failure.error().message, "block 29 of relation data/16384 is missing");
}

TEST(Storage, ALostControlFileIsNotTakenForANewDatabase) {
  StorageNode node;
  make_pages(node, 1);
  node.run([&](Fiber& fiber, Storage&, TestHandler&) { return remove_file(fiber, "control"); });
  node.disk.kill();
  node.run([](Fiber&, Storage&, TestHandler&) { return Status(); });
  EXPECT_TRUE(node.failure.is(sqlstate::data_corrupted));
}

TEST(Storage, EitherControlSlotIsEnoughToStart) {
  for (const size_t spoilt : {0UL, 4096UL}) {
    StorageNode node;
    const FileId file = make_pages(node, 20);
    (*node.disk.contents("control"))[spoilt + 100] ^= 1;
    node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
      PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(19)));
      EXPECT_EQ(read_word(page, 0), 19U);
      return {};
    });
    EXPECT_TRUE(node.failure.ok()) << node.failure.error().message;
  }
  StorageNode node;
  make_pages(node, 1);
  (*node.disk.contents("control"))[100] ^= 1;
  (*node.disk.contents("control"))[4196] ^= 1;
  node.run([](Fiber&, Storage&, TestHandler&) { return Status(); });
  EXPECT_TRUE(node.failure.is(sqlstate::data_corrupted));
}

TEST(Storage, CheckpointsComeByTimeAndByLogAndNotWhenIdle) {
  StorageNode node;
  const FileId file = make_pages(node, 4);
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    TRY(fiber.sleep(seconds(60)));
    const Lsn first = storage.redo_lsn();  // after the new term's own
    TRY(fiber.sleep(seconds(600)));
    EXPECT_EQ(storage.redo_lsn(), first);
    TRY(write_word(fiber, storage, file, BlockNo(0), 1, 1));
    TRY(fiber.sleep(seconds(60)));
    const Lsn second = storage.redo_lsn();
    EXPECT_GT(second, first);
    for (uint64_t i = 0; i < 2000; ++i) TRY(write_word(fiber, storage, file, BlockNo(0), 1, i));
    TRY(fiber.sleep(seconds(8)));  // paced, but before its time
    EXPECT_GT(storage.redo_lsn(), second);
    return {};
  });
}

TEST(Storage, ADatabaseThatWasNotFinishedIsMadeAnew) {
  for (uint64_t steps = 1; steps < 3000; steps += 7) {
    StorageNode node;
    node.run([](Fiber&, Storage&, TestHandler&) { return Status(); }, steps);
    Prng prng(steps);
    node.disk.crash(prng);
    node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
      const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
      EXPECT_EQ(file, make_file_id(kFirstFileNumber));
      return {};
    });
    if (::testing::Test::HasFailure()) FAIL() << steps;
  }
}

// The same small story, with the k-th disk operation failing, for every k until none is left to
// fail.
TEST(Storage, NoSingleDiskFailureLosesWhatWasAcknowledged) {
  int survived = 0, died = 0;
  bool is_through = false;
  for (uint64_t k = 1; !is_through; ++k) {
    StorageNode node;
    const FileId file = make_pages(node, 20);
    uint64_t acknowledged = 0;
    node.fail_at = k;
    node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
      for (uint64_t i = 1; i <= 40; ++i) {
        for (int attempt = 0;; ++attempt) {  // a client that tries again
          const Result<Lsn> written =
              write_word(fiber, storage, file, BlockNo(static_cast<uint32_t>(i % 20)), 1, i);
          if (written.ok()) {
            TRY(storage.log().wait_committed(fiber, written.value()));
            break;
          }
          if (written.status().is_halted() || attempt == 3) return written.status().clone();
          EXPECT_TRUE(written.status().is(sqlstate::io_error)) << written.status().error().message;
        }
        acknowledged = i;
        if (i == 25) {
          Status status = storage.checkpoint(fiber);
          if (status.is_halted()) return status;
        }
      }
      return {};
    });
    is_through = node.fail_left != 0;
    if (node.failure.is_halted()) {
      EXPECT_NE(node.fatal_reason, "") << k;
      ++died;
    } else {
      ++survived;
    }
    Prng prng(k);
    if (node.failure.is_halted())
      node.disk.crash(prng);
    else
      node.disk.kill();
    node.run([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
      for (uint64_t i = 1; i <= acknowledged; ++i) {
        PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(static_cast<uint32_t>(i % 20))));
        EXPECT_EQ(read_word(page, 0), i % 20);
        EXPECT_GE(read_word(page, 1), i) << "failure " << k;
      }
      return {};
    });
    ASSERT_TRUE(node.failure.ok())
        << k << " " << node.failure.error().message << " " << node.failure.error().detail;
    ASSERT_FALSE(::testing::Test::HasFailure()) << k;
    CHECK_IF(is_through, acknowledged == 40);
  }
  EXPECT_GT(survived, 50);
  EXPECT_GT(died, 50);
}

TEST(Storage, AFileWhoseMakingFailsIsNamedAllTheSame) {
  uint64_t failures = 0;
  bool was_made = false;
  for (uint64_t k = 1; k < 20 && !was_made; ++k) {
    StorageNode node;
    make_pages(node, 1);
    node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler& handler) -> Status {
      node.disk.fail_at = k;
      FileId named;
      const Result<FileId> made = storage.create_file(fiber, Xid(10), &named);
      was_made = std::exchange(node.disk.fail_at, 0) != 0;
      EXPECT_EQ(file_number(named), kFirstFileNumber + 1);
      if (made.ok()) return {};
      ++failures;
      TRY(storage.log().reserve(fiber, 100));
      const Lsn abort = storage.log().append(RecordKind::transaction_abort, Xid(10), {});
      TRY(storage.log().wait_committed(fiber, abort));
      handler.ended(RecordKind::transaction_abort, Xid(10), {}, abort);
      return storage.checkpoint(fiber);
    });
    if (!was_made) EXPECT_EQ(node.disk.contents("data/16385"), nullptr);
  }
  EXPECT_TRUE(was_made);
  EXPECT_GT(failures, 0u);
}

}  // namespace
}  // namespace orrery
