#include "wal/log.h"

#include <gtest/gtest.h>

#include "wal/crash_host.h"
#include "wal/log_reader.h"
#include "wal/log_segments.h"

namespace orrery {
namespace {

LogOptions small_options() {
  LogOptions options;
  options.segment_bytes = 16 << 10;
  options.entry_bytes = 2048;
  options.uncommitted_limit_bytes = 64 << 10;
  return options;
}

// A node with nothing but a log. Opens (or makes) it, runs `body` and shuts it down, or crashes
// after `steps`.
struct Node {
  CrashDisk& disk;
  LogOptions options = small_options();
  GroupOfOne group_of_one;
  CommitGate* gate = &group_of_one;
  Lsn redo = kFirstEntryLsn;
  Lsn known_durable = kFirstEntryLsn;
  Lsn known_committed = kFirstEntryLsn;
  Lsn erase_from{};
  bool created = false;
  Lsn end{};  // found by open
  Status failure;
  std::string fatal_reason;
  std::vector<std::string> log_lines;

  template <class Body>
  bool run(Body body, uint64_t steps = UINT64_MAX, bool at_random = false, uint64_t seed = 1) {
    CrashHost host(disk);
    host.at_random = at_random;
    host.random_test.prng = Prng(seed);
    Scheduler scheduler(host);
    Log log(host, options, *gate);
    scheduler.spawn("main", [&](Fiber& fiber) { failure = with_log(fiber, log, body); });
    const bool lived = host.run(scheduler, steps);
    fatal_reason = host.fatal_reason;
    log_lines = host.log_lines;
    return lived;
  }

 private:
  template <class Body>
  Status with_log(Fiber& fiber, Log& log, Body& body) {
    Term last{};
    if (!created) {
      TRY(log.create(fiber));
      created = true;
      end = kFirstEntryLsn;
    } else {
      auto before_erasing = [&](Fiber&, Lsn lsn) {
        erase_from = lsn;
        return Status();
      };
      const LogStart start{.redo = redo,
                           .redo_previous_crc = 0,
                           .known_durable = known_durable,
                           .known_committed = known_committed,
                           .erase_from = erase_from,
                           .before_erasing = before_erasing};
      const LogEnd found = TRY(log.open(fiber, start));
      erase_from = Lsn{};
      end = found.end;
      last = found.last_term;
    }
    log.start_writing(fiber, last + 1);
    Status status = body(fiber, log);
    log.check();
    if (status.is_halted()) return status;
    TRY(log.shutdown(fiber));
    return status;
  }
};

Status append_text(Fiber& fiber, Log& log, std::string_view text, Lsn* lsn = nullptr) {
  TRY(log.reserve(fiber, kRecordHeaderBytes + text.size()));
  const Lsn at = log.append(RecordKind::logical_message, Xid(7), as_bytes(text));
  if (lsn != nullptr) *lsn = at;
  return {};
}

// All that the log holds, "position:text".
std::vector<std::string> texts(CrashDisk& disk, Node& node) {
  std::vector<std::string> out;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    LogReader reader(log, node.redo, 0);
    while (reader.position() < node.end) {
      const Bytes entry = TRY(reader.next_durable(fiber));
      EntryRecords records(entry);
      while (!records.at_end()) {
        const Record record = TRY(records.next());
        out.push_back(cat(record.lsn, ":", as_text(record.payload)));
      }
    }
    return {};
  });
  EXPECT_TRUE(node.failure.ok()) << node.failure.error().message << node.failure.error().detail;
  static_cast<void>(disk);
  return out;
}

TEST(Record, ReadsBackWhatWasWrittenAndRefusesWhatItDoesNotKnow) {
  std::vector<std::byte> bytes(20);
  encode_record_header(bytes.data(), 20, RecordKind::heap_insert, kRecordHasPages, Xid(9));
  const Record record = decode_record(bytes, Lsn(100)).value();
  EXPECT_EQ(record.xid, Xid(9));
  EXPECT_EQ(record.end(), Lsn(120));
  EXPECT_EQ(record.payload.size(), 4U);
  store<uint16_t>(bytes.data() + 4, 0x7777);
  EXPECT_EQ(decode_record(bytes, Lsn(100)).status().error().message,
            "log record kind 30583 at 100 is not supported");
  encode_record_header(bytes.data(), 20, RecordKind::heap_insert, 0, Xid(9));
  store<uint8_t>(bytes.data() + 6, 9);
  EXPECT_EQ(decode_record(bytes, Lsn(100)).status().error().message,
            "version 9 of log record heap_insert at 100 is not supported");
  store<uint32_t>(bytes.data(), 21);
  EXPECT_TRUE(decode_record(bytes, Lsn(100)).status().is(sqlstate::data_corrupted));
}

TEST(Log, ReturnsEveryRecordInOrderAfterACleanShutdown) {
  CrashDisk disk;
  Node node{disk};
  std::vector<std::string> expected;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    for (int i = 0; i < 600; ++i) {  // several segments
      Lsn lsn;
      const std::string text = cat("record ", i, std::string(i % 90, 'x'));
      TRY(append_text(fiber, log, text, &lsn));
      expected.push_back(cat(lsn, ":", text));
      if (i % 7 == 0) TRY(log.wait_committed(fiber, lsn));
    }
    return {};
  });
  ASSERT_TRUE(node.failure.ok());
  node.known_durable = kFirstEntryLsn;
  EXPECT_EQ(texts(disk, node), expected);
}

TEST(Log, OneWriteAndOneSyncServeAllWhoWait) {
  CrashDisk disk;
  Node node{disk};
  node.options.segment_bytes = 1 << 20;
  node.options.entry_bytes = 128 << 10;
  uint64_t syncs = 0, writes = 0;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    TRY(fiber.sleep(milliseconds(100)));  // segments are ready
    syncs = disk.syncs;
    writes = disk.writes;
    std::vector<std::string> order;
    for (int i = 0; i < 100; ++i) {
      fiber.scheduler().spawn("committer", [&, i](Fiber& own) {
        Lsn lsn;
        EXPECT_TRUE(append_text(own, log, "commit", &lsn).ok());
        EXPECT_TRUE(log.wait_committed(own, lsn).ok());
        EXPECT_LT(lsn, log.committed());
        order.push_back(cat(i));
      });
    }
    TRY(fiber.sleep(milliseconds(100)));
    EXPECT_EQ(order.size(), 100U);
    for (int i = 0; i < 100 && i < static_cast<int>(order.size()); ++i) EXPECT_EQ(order[i], cat(i));
    return {};
  });
  EXPECT_EQ(disk.syncs - syncs, 1U);
  EXPECT_EQ(disk.writes - writes, 1U);
}

TEST(Log, ARecordLargerThanASegmentCrossesSeveral) {
  CrashDisk disk;
  Node node{disk};
  node.options.uncommitted_limit_bytes = 1 << 20;
  const std::string large(70000, 'L');
  node.run([&](Fiber& fiber, Log& log) -> Status {
    TRY(append_text(fiber, log, "before"));
    TRY(append_text(fiber, log, large));
    return append_text(fiber, log, "after");
  });
  ASSERT_TRUE(node.failure.ok());
  const std::vector<std::string> found = texts(disk, node);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found[1].ends_with(":" + large));
  EXPECT_TRUE(found[2].ends_with(":after"));
}

TEST(Log, AFailedWriteOrSyncIsFatalAndNeverAcknowledged) {
  for (uint64_t k = 1; k < 200; ++k) {
    CrashDisk disk;
    Node node{disk};
    node.run([](Fiber&, Log&) { return Status(); });
    ASSERT_TRUE(node.failure.ok());
    bool acknowledged = false;
    disk.fail_at = k;
    node.run([&](Fiber& fiber, Log& log) -> Status {
      Lsn lsn;
      TRY(append_text(fiber, log, "precious", &lsn));
      TRY(log.wait_committed(fiber, lsn));
      acknowledged = true;
      return {};
    });
    if (disk.fail_at != 0) {  // nothing failed: the loop is through
      EXPECT_GT(k, 8U);
      EXPECT_TRUE(acknowledged);
      return;
    }
    EXPECT_TRUE(acknowledged || !node.failure.ok()) << k;
    EXPECT_EQ(node.failure.is_halted(), !node.fatal_reason.empty()) << k;
    Prng prng(k);
    disk.crash(prng);
    const std::vector<std::string> found = texts(disk, node);
    if (acknowledged) EXPECT_EQ(found.size(), 1U) << k;
  }
  FAIL() << "it never passes";
}

TEST(Log, KeepsWhatWasAcknowledgedThroughAnyCrash) {
  uint64_t crashes_with_loss = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CrashDisk disk;
    Node node{disk};
    Prng prng(seed);
    std::vector<std::string> appended;  // by position; may or may not be there
    size_t acknowledged = 0;            // of the first so many of `appended`
    for (int life = 0; life < 4; ++life) {
      node.run(
          [&](Fiber& fiber, Log& log) -> Status {
            for (int i = 0; i < 40; ++i) {
              Lsn lsn;
              const std::string text =
                  cat("life ", life, " ", i, std::string(prng.below(900), 'y'));
              TRY(append_text(fiber, log, text, &lsn));
              appended.push_back(cat(lsn, ":", text));
              const size_t count = appended.size();
              if (prng.chance(1, 3)) {
                TRY(log.wait_committed(fiber, lsn));
                acknowledged = count;
              }
            }
            return {};
          },
          prng.below(600), true, seed);
      disk.crash(prng);
      const std::vector<std::string> found = texts(disk, node);
      ASSERT_GE(found.size(), acknowledged) << "seed " << seed;
      ASSERT_LE(found.size(), appended.size()) << "seed " << seed;
      if (found.size() < appended.size()) ++crashes_with_loss;
      appended.resize(found.size());
      ASSERT_EQ(found, appended) << "seed " << seed;
      acknowledged = found.size();
      Prng again = prng.child("again");
      disk.crash(again);
    }
  }
  EXPECT_GT(crashes_with_loss, 30U);
}

// Three entries, each its own round.
std::vector<Lsn> three_entries(Node& node) {
  std::vector<Lsn> lsns;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    for (int i = 0; i < 3; ++i) {
      Lsn lsn;
      TRY(append_text(fiber, log, cat("entry ", i), &lsn));
      TRY(log.wait_committed(fiber, lsn));
      lsns.push_back(lsn - kEntryHeaderBytes);
    }
    return {};
  });
  EXPECT_TRUE(node.failure.ok());
  return lsns;
}

TEST(Log, DamageBeforeTheEndIsReportedAndNotTakenForTheEnd) {
  CrashDisk disk;
  Node node{disk};
  const std::vector<Lsn> lsns = three_entries(node);
  (*disk.contents("log/0000000000000000"))[lsns[1].v + 60] ^= 1;
  node.run([](Fiber&, Log&) { return Status(); });
  ASSERT_TRUE(node.failure.is(sqlstate::data_corrupted));
  EXPECT_EQ(node.failure.error().message,
            cat("invalid log entry in segment log/0000000000000000 at offset ", lsns[1]));
  EXPECT_EQ(node.failure.error().detail,
            cat("At position ", lsns[1], ": the entry's checksum does not agree, but the entry at ",
                lsns[2], " proves that the log had been durable up to ", lsns[2], "."));
}

TEST(Log, AnEndBelowWhatIsKnownDurableIsDamage) {
  CrashDisk disk;
  Node node{disk};
  const std::vector<Lsn> lsns = three_entries(node);
  (*disk.contents("log/0000000000000000"))[lsns[2].v + 60] ^= 1;
  node.known_durable = lsns[2] + 1;
  node.run([](Fiber&, Log&) { return Status(); });
  EXPECT_TRUE(node.failure.is(sqlstate::data_corrupted));
  node.known_durable = lsns[2];
  node.run([](Fiber&, Log&) { return Status(); });
  EXPECT_TRUE(node.failure.ok());
  EXPECT_EQ(node.end, lsns[2]);
}

// Commits only when told; keeps what it is told at restart.
struct HeldGate final : CommitGate {
  void durable_advanced(Log& log, Lsn durable) override {
    if (open) log.set_committed(durable);
  }
  Lsn keep_at_restart(Lsn low, Lsn end) override {
    EXPECT_LE(low, end);
    return keep ? keep : end;
  }
  bool open = true;
  Lsn keep{};
};

TEST(Log, ACutOffSuffixNeverComesBack) {
  CrashDisk disk;
  Node node{disk};
  const std::vector<Lsn> lsns = three_entries(node);
  HeldGate gate;
  node.gate = &gate;
  gate.keep = lsns[1];
  ASSERT_EQ(texts(disk, node).size(), 1U);
  gate.keep = Lsn{};
  // The node wrote nothing: but a new entry of the same length must not be followed by the old
  // third one.
  node.run([&](Fiber& fiber, Log& log) -> Status {
    Lsn lsn;
    TRY(append_text(fiber, log, "ENTRY 1", &lsn));
    return log.wait_committed(fiber, lsn);
  });
  ASSERT_TRUE(node.failure.ok());
  const std::vector<std::string> found = texts(disk, node);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[1].ends_with("ENTRY 1"));
}

TEST(Log, AnErasureSurvivesCrashesWithinIt) {
  for (uint64_t k = 1; k < 400; ++k) {
    CrashDisk disk;
    Node node{disk};
    const std::vector<Lsn> lsns = three_entries(node);
    HeldGate gate;
    node.gate = &gate;
    gate.keep = lsns[1];
    const bool lived = node.run([](Fiber&, Log&) { return Status(); }, k);
    Prng prng(k);
    disk.crash(prng);
    if (node.erase_from) gate.keep = Lsn{};  // the decision was made
    const std::vector<std::string> found = texts(disk, node);
    if (node.erase_from || lived) EXPECT_EQ(found.size(), 1U) << k;
    if (lived) return;
  }
  FAIL() << "never lived";
}

TEST(Log, WaitersBehindTheGateCanBeCancelled) {
  CrashDisk disk;
  Node node{disk};
  HeldGate gate;
  gate.open = false;
  node.gate = &gate;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    Lsn lsn;
    TRY(append_text(fiber, log, "held", &lsn));
    TRY(log.wait_durable(fiber, lsn));
    EXPECT_LE(log.committed(), lsn);
    Status waited;
    Fiber& waiter = fiber.scheduler().spawn(
        "waiter", [&](Fiber& own) { waited = log.wait_committed(own, lsn); });
    TRY(fiber.sleep(milliseconds(1)));
    log.check();
    waiter.cancel(raise(sqlstate::query_canceled, "canceling statement due to user request"));
    TRY(fiber.sleep(milliseconds(1)));
    EXPECT_TRUE(waited.is(sqlstate::query_canceled));
    log.check();
    return {};
  });
  EXPECT_TRUE(node.failure.ok());
}

TEST(Log, ReserveWaitsWhileTooMuchIsUncommitted) {
  CrashDisk disk;
  Node node{disk};
  node.options.uncommitted_limit_bytes = 16 << 10;
  HeldGate gate;
  gate.open = false;
  node.gate = &gate;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    int appended = 0;
    fiber.scheduler().spawn("appender", [&](Fiber& own) {
      for (; appended < 40; ++appended) {
        if (!append_text(own, log, std::string(1000, 'z')).ok()) return;
      }
    });
    TRY(fiber.sleep(seconds(1)));
    EXPECT_EQ(appended, 15);
    gate.open = true;
    log.set_committed(log.durable());
    TRY(fiber.sleep(seconds(1)));
    EXPECT_EQ(appended, 40);
    return {};
  });
  EXPECT_TRUE(node.failure.ok());
}

TEST(Log, AFullDiskFailsTheStatementAndNotTheNode) {
  CrashDisk disk;
  Node node{disk};
  std::vector<std::string> expected;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    disk.room_bytes = 40 << 10;  // two segments and a bit
    Status status;
    for (int i = 0; i < 1000 && status.ok(); ++i) {
      Lsn lsn;
      const std::string text(500, static_cast<char>('a' + i % 26));
      status = append_text(fiber, log, text, &lsn);
      if (!status.ok()) break;
      expected.push_back(cat(lsn, ":", text));
      TRY(log.wait_committed(fiber, lsn));
    }
    EXPECT_TRUE(status.is(sqlstate::disk_full));
    // What ends transactions still finds room.
    TRY(log.reserve(fiber, 1000, ReserveKind::finishing));
    disk.room_bytes = 1 << 20;
    Lsn lsn;
    TRY(append_text(fiber, log, "room again", &lsn));
    expected.push_back(cat(lsn, ":room again"));
    return {};
  });
  ASSERT_TRUE(node.failure.ok()) << node.failure.error().message;
  EXPECT_EQ(texts(disk, node), expected);
}

TEST(Log, ReleasedSegmentsAreRecycledUnlessHeld) {
  CrashDisk disk;
  Node node{disk};
  node.options.recycled_segments = 2;
  Lsn boundary{};
  uint32_t crc = 0;
  node.run([&](Fiber& fiber, Log& log) -> Status {
    Log::RetentionHold hold(log, kFirstEntryLsn);
    for (int i = 0; i < 300; ++i) TRY(append_text(fiber, log, std::string(500, 'r')));
    boundary = log.cut();
    Lsn lsn;
    TRY(append_text(fiber, log, "kept", &lsn));
    TRY(log.wait_committed(fiber, lsn));
    crc = log.crc_before(boundary);
    TRY(log.release_below(fiber, boundary));
    EXPECT_TRUE(log.segments().holds(kFirstEntryLsn));
    hold.advance(boundary);
    TRY(log.release_below(fiber, boundary));
    EXPECT_FALSE(log.segments().holds(kFirstEntryLsn));
    EXPECT_TRUE(log.segments().holds(boundary));
    LogReader reader(log, kFirstEntryLsn);
    EXPECT_TRUE(reader.next_durable(fiber).status().is(sqlstate::undefined_file));
    for (int i = 0; i < 100; ++i) TRY(append_text(fiber, log, std::string(500, 's')));
    return {};
  });
  ASSERT_TRUE(node.failure.ok());
  node.redo = node.known_durable = node.known_committed = boundary;
  // The first link is checked too.
  node.run([&](Fiber& fiber, Log& log) -> Status {
    LogReader good(log, boundary, crc);
    const Bytes first = TRY(good.next(fiber));
    EXPECT_FALSE(first.empty());
    LogReader bad(log, boundary, crc + 1);
    const Bytes refused = TRY(bad.next(fiber));
    EXPECT_TRUE(refused.empty());
    EXPECT_STREQ(bad.refusal(), "the entry does not follow the one before it");
    return {};
  });
}

}  // namespace
}  // namespace orrery
