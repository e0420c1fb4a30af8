// A node that has nothing but storage, on a disk that survives it. For tests only.
#pragma once

#include <gtest/gtest.h>

#include "fiber/io.h"
#include "storage/storage.h"
#include "wal/crash_host.h"

namespace orrery {

// Stands for txn: commit and abort records carry the files to drop, and each record counts.
class TestHandler final : public RedoHandler {
 public:
  Storage* storage = nullptr;
  uint64_t records = 0;    // seen since the beginning of time
  uint64_t redone = 0;     // by this life
  std::vector<Lsn> terms;  // that began, as far as this life saw them

  Status redo(Fiber&, const Record& record, Bytes info) override {
    ++redone;
    if (record.kind == RecordKind::term_start) terms.push_back(record.lsn);
    ended(record.kind, record.xid, info, record.lsn);
    return {};
  }
  void ended(RecordKind kind, Xid xid, Bytes info, Lsn lsn) {
    if (kind != RecordKind::transaction_commit && kind != RecordKind::transaction_abort) return;
    ++records;
    std::vector<FileId> dropped;
    for (ByteReader reader(info); reader.remaining() > 0;)
      dropped.emplace_back(reader.read<uint64_t>());
    storage->end_files(xid, kind == RecordKind::transaction_commit, dropped, lsn);
  }
  void save_state(Lsn, std::string& out) override { ByteWriter(out).write(records); }
  Status load_state(Bytes state) override {
    records = state.empty() ? 0 : ByteReader(state).read<uint64_t>();
    return {};
  }
  bool survives_term(Xid) override { return false; }
};

inline StorageOptions small_storage() {
  StorageOptions options;
  options.log.segment_bytes = 64 << 10;
  options.log.entry_bytes = 4096;
  options.log.zero_fill_segments = false;
  options.log.recycled_segments = 2;
  options.pool_pages = 16;
  options.double_write_pages = 4;
  options.double_write_batches = 2;
  options.clean_frames = 2;
  options.extend_pages = 4;
  options.open_files = 8;
  options.checkpoint_log_bytes = 64 << 10;
  options.checkpoint_interval = seconds(10);
  return options;
}

struct StorageNode {
  CrashDisk disk;
  StorageOptions options = small_storage();
  GroupOfOne group_of_one;
  CommitGate* gate = &group_of_one;

  // Of the last run:
  Status failure;  // of open, body or shutdown
  bool opened = false;
  std::string fatal_reason;
  std::vector<std::string> log_lines;
  uint64_t fail_at = 0;    // the k-th disk operation of the next run fails
  uint64_t fail_left = 0;  // of that, when the run was over first

  // Opens (or makes) it, runs `body(fiber, storage, handler)`, shuts down. The machine dies after
  // `steps`. True when it lived.
  template <class Body>
  bool run(Body body, uint64_t steps = UINT64_MAX, uint64_t seed = 0) {
    CrashHost host(disk);
    host.at_random = seed != 0;
    host.random_test.prng = Prng(seed);
    Scheduler scheduler(host);
    TestHandler handler;
    Storage storage(host, options, *gate, handler);
    handler.storage = &storage;
    opened = false;
    disk.fail_at = fail_at;
    fail_at = 0;
    scheduler.spawn("main",
                    [&](Fiber& fiber) { failure = whole_life(fiber, storage, handler, body); });
    const bool lived = host.run(scheduler, steps);
    fatal_reason = host.fatal_reason;
    log_lines = host.log_lines;
    fail_left = std::exchange(disk.fail_at, 0);
    return lived;
  }
  template <class Body>
  void run_ok(Body body) {
    run(body);
    EXPECT_TRUE(failure.ok()) << (failure.ok()
                                      ? ""
                                      : failure.error().message + " " + failure.error().detail);
    EXPECT_EQ(fatal_reason, "");
  }

 private:
  template <class Body>
  Status whole_life(Fiber& fiber, Storage& storage, TestHandler& handler, Body& body) {
    TRY(storage.open(fiber));
    opened = true;
    if (storage.is_new()) {
      Status finished = storage.finish_creation(fiber);
      if (finished.is_halted()) return finished;
    }
    Status status = body(fiber, storage, handler);
    if (status.is_halted()) {  // or the body wants the machine dead, now
      fiber.scheduler().mark_halted();
      return status;
    }
    storage.check();
    EXPECT_EQ(storage.pool().pinned_frames(), 0U);
    Status ended = storage.shutdown(fiber);
    for (int i = 0; i < 20 && !ended.ok() && !ended.is_halted(); ++i)
      ended = storage.shutdown(fiber);
    return status.ok() ? std::move(ended) : std::move(status);
  }
};

// A new page at the end of `file` whose word `i` (behind the header) is `word`.
inline Result<PageRef> add_page(Fiber& fiber, Storage& storage, FileId file) {
  PageRef page = TRY(storage.pool().extend(fiber, file));
  Change change(RecordKind::page_change);
  change.init(change.add(page), PageKind::test, 0);
  TRY(storage.reserve(fiber, change));
  storage.apply(change);
  return page;
}
constexpr uint16_t word_offset(int word) {
  return static_cast<uint16_t>(kPageHeaderBytes + word * 8);
}
inline uint64_t read_word(const PageRef& page, int word) {
  return load<uint64_t>(page.data() + word_offset(word));
}
inline Result<Lsn> write_word(Fiber& fiber, Storage& storage, FileId file, BlockNo block, int word,
                              uint64_t value) {
  PageRef page = TRY(storage.pool().pin(fiber, file, block));
  Change change(RecordKind::page_change);
  change.write_value(change.add(page), word_offset(word), value);
  TRY(storage.reserve(fiber, change));
  return storage.apply(change);
}

}  // namespace orrery
