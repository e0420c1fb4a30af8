#include "storage/buffer_pool.h"

#include "storage/test_node.h"

namespace orrery {
namespace {

TEST(BufferPool, NeverEvictsAPinnedPageAndFindsTheOthersAgain) {
  StorageNode node;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
    for (uint64_t i = 0; i < 100; ++i) {  // six times the pool
      PageRef page = TRY(add_page(fiber, storage, file));
      TRY(write_word(fiber, storage, file, page.block(), 0, i * 3));
    }
    PageRef held = TRY(storage.pool().pin(fiber, file, BlockNo(7)));
    const std::byte* where = held.data();
    for (int round = 0; round < 2; ++round) {
      for (uint64_t i = 0; i < 100; ++i) {
        PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(static_cast<uint32_t>(i))));
        EXPECT_EQ(read_word(page, 0), i * 3);
      }
    }
    EXPECT_EQ(held.data(), where);
    EXPECT_EQ(read_word(held, 0), 21U);
    EXPECT_GT(storage.pool().counters().evictions, 100U);
    storage.check();
    return {};
  });
}

TEST(BufferPool, WhoWaitsForAFrameWhileAllArePinnedCanBeCancelledOrServed) {
  StorageNode node;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < 20; ++i) TRY(add_page(fiber, storage, file));
    std::vector<PageRef> held;
    for (uint32_t i = 0; i < 16; ++i) {
      PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(i)));
      held.push_back(std::move(page));
    }
    Status cancelled;
    bool served = false;
    const auto wait = [&](Fiber& own) -> Status {
      PageRef page = TRY(storage.pool().pin(own, file, BlockNo(19)));
      served = true;
      return {};
    };
    Fiber& one = fiber.scheduler().spawn("one", [&](Fiber& own) { cancelled = wait(own); });
    TRY(fiber.sleep(milliseconds(5)));
    one.cancel(raise(sqlstate::query_canceled, "canceling statement due to user request"));
    TRY(fiber.sleep(milliseconds(5)));
    EXPECT_TRUE(cancelled.is(sqlstate::query_canceled));
    EXPECT_FALSE(served);
    fiber.scheduler().spawn("two", [&](Fiber& own) { EXPECT_TRUE(wait(own).ok()); });
    TRY(fiber.sleep(milliseconds(5)));
    held.pop_back();
    TRY(fiber.sleep(milliseconds(5)));
    EXPECT_TRUE(served);
    Status timed_out;
    fiber.scheduler().spawn("three", [&](Fiber& own) {
      std::vector<PageRef> more;
      for (uint32_t i = 15; i < 20 && timed_out.ok(); ++i) {
        Result<PageRef> page = storage.pool().pin(own, file, BlockNo(i));
        timed_out = page.ok() ? Status() : std::move(page).status();
        if (timed_out.ok()) more.push_back(std::move(page).value());
      }
    });
    TRY(fiber.sleep(seconds(100)));
    EXPECT_TRUE(timed_out.is(sqlstate::insufficient_resources));
    EXPECT_EQ(timed_out.error().message, "no unpinned buffers available");
    return {};
  });
}

TEST(BufferPool, ClaimsKeepFibersFromWaitingForEachOthersFrames) {
  StorageNode node;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < 60; ++i) TRY(add_page(fiber, storage, file));
    int finished = 0;
    for (uint64_t n = 0; n < 12; ++n) {
      fiber.scheduler().spawn("claimant", [&, n](Fiber& own) {
        Prng prng(n + 1);
        for (int round = 0; round < 20; ++round) {
          Result<PinClaim> claim = storage.pool().claim(own, 8);
          EXPECT_TRUE(claim.ok());
          std::vector<PageRef> pages;
          for (int i = 0; i < 8; ++i) {
            Result<PageRef> page =
                storage.pool().pin(own, file, BlockNo(static_cast<uint32_t>(prng.below(60))));
            EXPECT_TRUE(page.ok());
            pages.push_back(std::move(page).value());
          }
        }
        ++finished;
      });
    }
    TRY(fiber.sleep(seconds(10)));
    EXPECT_EQ(finished, 12);
    return {};
  });
}

TEST(BufferPool, AScanWithARingLeavesTheOthersPages) {
  StorageNode node;
  node.options.pool_pages = 64;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId hot = TRY(storage.create_file(fiber, kBootstrapXid));
    const FileId big = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < 30; ++i) TRY(add_page(fiber, storage, hot));
    for (int i = 0; i < 200; ++i) TRY(add_page(fiber, storage, big));
    TRY(storage.checkpoint(fiber));
    for (int round = 0; round < 3; ++round) {
      for (uint32_t i = 0; i < 30; ++i) TRY(storage.pool().pin(fiber, hot, BlockNo(i)));
    }
    Ring ring(8);
    for (uint32_t i = 0; i < 200; ++i) TRY(storage.pool().pin(fiber, big, BlockNo(i), &ring));
    int still_here = 0;
    for (uint32_t i = 0; i < 30; ++i)
      still_here += storage.pool().pin_cached(hot, BlockNo(i)) ? 1 : 0;
    EXPECT_EQ(still_here, 30);
    return {};
  });
}

TEST(BufferPool, ReadsAheadWithoutWaiting) {
  StorageNode node;
  node.options.pool_pages = 64;
  FileId file;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    file = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < 30; ++i) TRY(add_page(fiber, storage, file));
    return {};
  });
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const BlockNo size = TRY(storage.file_size(fiber, file));
    EXPECT_EQ(size, BlockNo(30));
    storage.pool().read_ahead(file, BlockNo(4), 10);
    EXPECT_EQ(storage.pool().counters().read_ahead, 10U);
    TRY(fiber.sleep(milliseconds(1)));
    const uint64_t misses = storage.pool().counters().misses;
    for (uint32_t i = 4; i < 14; ++i) TRY(storage.pool().pin(fiber, file, BlockNo(i)));
    EXPECT_EQ(storage.pool().counters().misses, misses);
    storage.pool().read_ahead(file, BlockNo(20), 100);  // left in flight: shutdown waits for it
    return {};
  });
}

TEST(BufferPool, ADamagedPageIsNamedAndPinsNothing) {
  StorageNode node;
  FileId file;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    file = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < 3; ++i) TRY(add_page(fiber, storage, file));
    return {};
  });
  (*node.disk.contents("data/16384"))[kPageBytes + 5000] ^= 1;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    Status status = storage.pool().pin(fiber, file, BlockNo(1)).status().clone();
    EXPECT_TRUE(status.is(sqlstate::data_corrupted));
    EXPECT_EQ(status.error().message, "invalid page in block 1 of relation data/16384");
    EXPECT_EQ(storage.pool().pinned_frames(), 0U);
    EXPECT_EQ(storage.pool().pin(fiber, file, BlockNo(3)).status().error().message,
              "could not read block 3 in file \"data/16384\": read only 0 of 8192 bytes");
    const VerifyReport report = TRY(storage.verify(fiber));
    EXPECT_EQ(report.damaged.size(), 1U);
    EXPECT_EQ(report.pages, 3U);
    node.disk.fail_at = 1;
    status = storage.pool().pin(fiber, file, BlockNo(2)).status().clone();
    EXPECT_TRUE(status.is(sqlstate::io_error));
    TRY(storage.pool().pin(fiber, file, BlockNo(2)));  // and then it works
    return {};
  });
}

TEST(BufferPool, AFullDiskFailsTheExtensionAndNothingElse) {
  StorageNode node;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
    TRY(add_page(fiber, storage, file));
    node.disk.room_bytes = 2 * kPageBytes;
    Status status;
    int added = 0;
    while (status.ok()) {
      Result<PageRef> page = add_page(fiber, storage, file);
      status = page.ok() ? Status() : std::move(page).status();
      added += status.ok() ? 1 : 0;
    }
    EXPECT_EQ(added, 2);
    EXPECT_TRUE(status.is(sqlstate::disk_full));
    EXPECT_EQ(status.error().message,
              "could not extend file \"data/16384\": No space left on device");
    const BlockNo size = TRY(storage.file_size(fiber, file));
    EXPECT_EQ(size, BlockNo(3));
    TRY(write_word(fiber, storage, file, BlockNo(2), 0, 5));
    TRY(storage.checkpoint(fiber));
    node.disk.room_bytes = UINT64_MAX;
    TRY(add_page(fiber, storage, file));
    return {};
  });
}

TEST(BufferPool, HintsAreNotLoggedAndComeToDiskWithAChangeOfTheirPageOnly) {
  StorageNode node;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
    for (int i = 0; i < 2; ++i) TRY(add_page(fiber, storage, file));
    TRY(storage.checkpoint(fiber));
    const Lsn position = storage.log().append_position();
    for (const BlockNo block : {BlockNo(0), BlockNo(1)}) {
      PageRef page = TRY(storage.pool().pin(fiber, file, block));
      const Lsn lsn = page.lsn();
      const uint64_t version = page.version();
      page.set_hint(4000, as_bytes("hint"));
      EXPECT_EQ(page.lsn(), lsn);
      EXPECT_GT(page.version(), version);
    }
    EXPECT_EQ(storage.log().append_position(), position);
    TRY(write_word(fiber, storage, file, BlockNo(1), 3, 7));
    for (int i = 0; i < 40; ++i) TRY(add_page(fiber, storage, file));  // pushes them out
    const PageRef hinted = TRY(storage.pool().pin(fiber, file, BlockNo(0)));
    EXPECT_EQ(as_text(Bytes(hinted.data() + 4000, 4)), std::string_view("\0\0\0\0", 4));
    const PageRef changed = TRY(storage.pool().pin(fiber, file, BlockNo(1)));
    EXPECT_EQ(as_text(Bytes(changed.data() + 4000, 4)), "hint");
    EXPECT_EQ(read_word(changed, 3), 7U);
    return {};
  });
}

TEST(BufferPool, AFreeSpaceMapIsWrittenForItsHintsAlone) {
  StorageNode node;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
    const FileId map = with_fork(file, Fork::free_space);
    TRY(storage.create_file_as(fiber, map, kBootstrapXid));
    TRY(add_page(fiber, storage, map));
    TRY(storage.checkpoint(fiber));
    {
      PageRef page = TRY(storage.pool().pin(fiber, map, BlockNo(0)));
      page.set_hint(4000, as_bytes("room"));
    }
    for (int i = 0; i < 40; ++i) TRY(add_page(fiber, storage, file));  // pushes it out
    const PageRef page = TRY(storage.pool().pin(fiber, map, BlockNo(0)));
    EXPECT_EQ(as_text(Bytes(page.data() + 4000, 4)), "room");
    return {};
  });
}

TEST(BufferPool, CleanupWaitsForTheSolePin) {
  StorageNode node;
  node.run_ok([&](Fiber& fiber, Storage& storage, TestHandler&) -> Status {
    const FileId file = TRY(storage.create_file(fiber, kBootstrapXid));
    PageRef page = TRY(add_page(fiber, storage, file));
    EXPECT_TRUE(page.is_sole_pin());
    bool cleaned = false;
    fiber.scheduler().spawn("cleaner", [&](Fiber& own) {
      Result<PageRef> mine = storage.pool().pin(own, file, BlockNo(0));
      EXPECT_FALSE(mine.value().is_sole_pin());
      EXPECT_TRUE(mine.value().wait_sole_pin(own).ok());
      cleaned = true;
    });
    TRY(fiber.sleep(milliseconds(1)));
    EXPECT_FALSE(cleaned);
    page.release();
    TRY(fiber.sleep(milliseconds(1)));
    EXPECT_TRUE(cleaned);
    return {};
  });
}

}  // namespace
}  // namespace orrery
