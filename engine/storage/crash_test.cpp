// Random histories of changes, files and truncations over lives that end in crashes, against a
// model that is just the list of what was done and where in the log. After each crash the node must
// hold exactly what lies below the end of its log, and that end must lie behind everything
// acknowledged.
#include <map>
#include <set>

#include "storage/test_node.h"

namespace orrery {
namespace {

constexpr int kWorkers = 4;
constexpr int kWords = 200;

enum class What : uint8_t { word, new_page, file, drop, cut };

struct Event {
  What kind;
  Lsn lsn;
  FileId file;
  BlockNo block{0};
  int at = 0;
  uint64_t value = 0;
};

// The pages that a prefix of the log describes.
struct Image {
  std::map<FileId, std::map<uint32_t, std::map<int, uint64_t>>> files;

  void add(const Event& event) {
    switch (event.kind) {
      case What::file:     files[event.file]; return;
      case What::drop:     files.erase(event.file); return;
      case What::new_page: files[event.file][event.block.v] = {}; return;
      case What::word:     files[event.file][event.block.v][event.at] = event.value; return;
      case What::cut:      {
        auto& blocks = files[event.file];
        blocks.erase(blocks.lower_bound(event.block.v), blocks.end());
        return;
      }
    }
  }
  static uint32_t size(const std::map<uint32_t, std::map<int, uint64_t>>& blocks) {
    return blocks.empty() ? 0 : blocks.rbegin()->first + 1;
  }
};

class History {
 public:
  explicit History(uint64_t seed) : prng_(seed) {}

  std::vector<Event> events;  // in the order of the log
  Lsn began{};                // the term whose events are not compared yet
  Lsn acknowledged{};         // what was told to be committed lies below
  std::optional<Event>
      cuts_under_way[kWorkers];  // a truncation whose record may or may not be in the log
  std::optional<FileId> files[kWorkers];
  uint64_t last_xid = 100;
  std::set<FileId> made;
  uint64_t value = 0;

  Status work(Fiber& fiber, Storage& storage, TestHandler& handler, int worker, Prng prng) {
    for (;;) {
      if (!files[worker]) {
        TRY(make_file(fiber, storage, handler, worker, prng));
        continue;
      }
      const uint64_t what = prng.below(100);
      const FileId file = *files[worker];
      const BlockNo size = TRY(storage.file_size(fiber, file));
      if (what < 25 || size == BlockNo(0)) {
        TRY(new_page(fiber, storage, file));
      } else if (what < 28) {
        const BlockNo blocks(static_cast<uint32_t>(prng.below(size.v + 1)));
        cuts_under_way[worker] = Event{What::cut, Lsn{}, file, blocks};
        TRY(storage.truncate_file(fiber, file, blocks));
        // It is committed now; nobody else touches this file, so its place among this file's events
        // is here.
        events.push_back(*cuts_under_way[worker]);
        cuts_under_way[worker].reset();
      } else if (what < 30) {
        TRY(drop_file(fiber, storage, handler, worker));
      } else if (what < 32) {
        TRY(storage.checkpoint(fiber));
      } else {
        TRY(change_words(fiber, storage, file, size, prng));
      }
      storage.check();
    }
  }

  // What the node shows is what its log says.
  Status compare(Fiber& fiber, Storage& storage, Lsn log_end) {
    Image image;
    std::vector<Event> kept;
    for (const Event& event : events) {
      if (event.lsn >= log_end) continue;
      image.add(event);
      kept.push_back(event);
    }
    for (std::optional<Event>& cut : cuts_under_way) {
      if (cut && image.files.contains(cut->file)) {
        const BlockNo size = TRY(storage.file_size(fiber, cut->file));
        const auto& blocks = image.files[cut->file];
        if (cut->block < BlockNo(Image::size(blocks)) && size <= cut->block) {
          image.add(*cut);
          kept.push_back(*cut);
        }
      }
      cut.reset();
    }
    events = std::move(kept);
    for (const auto& [file, blocks] : image.files) {
      const BlockNo size = TRY(storage.file_size(fiber, file));
      EXPECT_EQ(size, BlockNo(Image::size(blocks))) << file_path(file);
      for (const auto& [block, words] : blocks) {
        const PageRef page = TRY(storage.pool().pin(fiber, file, BlockNo(block)));
        for (const auto& [at, expected] : words) {
          EXPECT_EQ(read_word(page, at), expected) << file_path(file) << " " << block << " " << at;
        }
      }
    }
    for (std::optional<FileId>& file : files) {
      if (file && !image.files.contains(*file)) file.reset();
    }
    // Files of the image and no others, once what ended is unlinked.
    TRY(write_marker(fiber, storage));
    TRY(storage.checkpoint(fiber));
    const VerifyReport report = TRY(storage.verify(fiber));
    EXPECT_EQ(report.damaged.size(), 0U) << (report.damaged.empty() ? "" : report.damaged[0]);
    EXPECT_EQ(report.files, image.files.size());
    for (const FileId file : made) {
      const bool exists = TRY(storage.file_exists(fiber, file));
      EXPECT_EQ(exists, image.files.contains(file)) << file_path(file);
    }
    return {};
  }

 private:
  Status make_file(Fiber& fiber, Storage& storage, TestHandler& handler, int worker, Prng& prng) {
    const Xid xid(++last_xid);
    const FileId file = TRY(storage.create_file(fiber, xid));
    made.insert(file);
    const bool aborts = prng.chance(1, 4);
    if (!aborts) files[worker] = file;
    const RecordKind kind = aborts ? RecordKind::transaction_abort : RecordKind::transaction_commit;
    return end(fiber, storage, handler, kind, xid, file, FileId());
  }

  Status drop_file(Fiber& fiber, Storage& storage, TestHandler& handler, int worker) {
    const FileId file = *std::exchange(files[worker], std::nullopt);
    return end(fiber, storage, handler, RecordKind::transaction_commit, Xid(++last_xid), FileId(),
               file);
  }

  Status end(Fiber& fiber, Storage& storage, TestHandler& handler, RecordKind kind, Xid xid,
             FileId created, FileId dropped) {
    std::string info;
    if (dropped) ByteWriter(info).write(dropped.v);
    TRY(storage.log().reserve(fiber, kRecordHeaderBytes + info.size()));
    const Lsn lsn = storage.log().append(kind, xid, as_bytes(info));
    if (created && kind == RecordKind::transaction_commit)
      events.push_back({What::file, lsn, created});
    if (dropped) events.push_back({What::drop, lsn, dropped});
    handler.ended(kind, xid, as_bytes(info), lsn);
    TRY(storage.log().wait_committed(fiber, lsn));
    acknowledged = std::max(acknowledged, lsn + 1);
    return {};
  }

  Status new_page(Fiber& fiber, Storage& storage, FileId file) {
    const PageRef page = TRY(storage.pool().extend(fiber, file));
    Change change(RecordKind::page_change);
    change.init(change.add(page), PageKind::test, 0);
    TRY(storage.reserve(fiber, change));
    const Lsn lsn = storage.apply(change);
    events.push_back({What::new_page, lsn, file, page.block()});
    return {};
  }

  // Up to four pages in one change.
  Status change_words(Fiber& fiber, Storage& storage, FileId file, BlockNo size, Prng& prng) {
    const PinClaim claim = TRY(storage.pool().claim(fiber, 4));
    std::vector<PageRef> pages;
    for (uint64_t n = prng.below(4) + 1; n > 0; --n) {
      PageRef page =
          TRY(storage.pool().pin(fiber, file, BlockNo(static_cast<uint32_t>(prng.below(size.v)))));
      if (!is_zero_page(page.bytes())) pages.push_back(std::move(page));
    }
    if (pages.empty()) return {};
    Change change(RecordKind::page_change);
    std::vector<Event> done;
    for (const PageRef& page : pages) {
      const int index = change.add(page);
      for (uint64_t n = prng.below(5) + 1; n > 0; --n) {
        const int at = static_cast<int>(prng.below(kWords)) * 5;  // all over the page
        change.write_value(index, word_offset(at), ++value);
        done.push_back({What::word, Lsn{}, file, page.block(), at, value});
      }
    }
    TRY(storage.reserve(fiber, change));
    const Lsn lsn = storage.apply(change);
    for (Event& event : done) {
      event.lsn = lsn;
      events.push_back(event);
    }
    if (prng.chance(1, 4)) {
      TRY(storage.log().wait_committed(fiber, lsn));
      acknowledged = std::max(acknowledged, lsn + 1);
    }
    return {};
  }

  static Status write_marker(Fiber& fiber, Storage& storage) {
    TRY(storage.log().reserve(fiber, kRecordHeaderBytes));
    const Lsn lsn = storage.log().append(RecordKind::padding, kInvalidXid, {});
    return storage.log().wait_committed(fiber, lsn);
  }

  Prng prng_;
};

StorageOptions drawn_options(Prng& prng) {
  StorageOptions options = small_storage();
  options.pool_pages = static_cast<uint32_t>(prng.between(16, 48));
  options.double_write_pages = static_cast<uint32_t>(prng.between(1, 20));
  options.double_write_batches = static_cast<uint32_t>(prng.between(1, 4));
  options.clean_frames = static_cast<uint32_t>(prng.between(1, 4));
  options.extend_pages = static_cast<uint32_t>(prng.between(1, 20));
  options.read_ahead_pages = static_cast<uint32_t>(prng.below(8));
  options.log.entry_bytes = static_cast<uint32_t>(prng.between(1024, 20000));
  options.log.recycled_segments = static_cast<uint32_t>(prng.below(3));
  options.checkpoint_spread_percent = static_cast<uint32_t>(prng.below(91));
  return options;
}

void run_history(uint64_t seed, uint64_t* crashed_in_recovery) {
  Prng prng(seed);
  StorageNode node;
  node.options = drawn_options(prng);
  node.run_ok([](Fiber&, Storage&, TestHandler&) { return Status(); });
  History history(seed);
  for (int life = 0; life < 5; ++life) {
    const uint64_t draw = prng.next();
    int running = kWorkers;  // outlives the fibers: they end in any order when all is halted
    node.run(
        [&](Fiber& fiber, Storage& storage, TestHandler& handler) -> Status {
          history.began = handler.terms.back();
          for (int worker = 0; worker < kWorkers; ++worker) {
            fiber.scheduler().spawn("worker", [&, worker](Fiber& own) {
              const Status ended =
                  history.work(own, storage, handler, worker,
                               Prng(draw).child("worker", static_cast<uint64_t>(worker)));
              EXPECT_TRUE(ended.is_halted()) << ended.error().message;
              --running;
            });
          }
          while (running > 0) TRY(fiber.sleep(seconds(1)));
          return {};
        },
        prng.between(100, 4000), prng.next() | 1);
    for (bool recovered = false; !recovered;) {
      // Power is lost, or only the process; recovery is interrupted now and then.
      if (prng.chance(2, 3))
        node.disk.crash(prng);
      else
        node.disk.kill();
      const bool again = prng.chance(1, 3);
      if (prng.chance(1, 3)) node.options = drawn_options(prng);
      node.run(
          [&](Fiber& fiber, Storage& storage, TestHandler& handler) -> Status {
            if (again) return raise_halted();
            // The first recovery after the last life that worked saw where its log ended.
            const auto first =
                std::ranges::find_if(handler.terms, [&](Lsn term) { return term > history.began; });
            const Lsn end = *first;
            history.began = handler.terms.back();
            EXPECT_GE(end, history.acknowledged) << "acknowledged commits are lost";
            history.acknowledged = Lsn{};
            TRY(history.compare(fiber, storage, end));
            recovered = true;
            return {};
          },
          again ? static_cast<uint64_t>(prng.between(10, 2000)) : UINT64_MAX, prng.next() | 1);
      if (!recovered && !node.opened) ++*crashed_in_recovery;
      ASSERT_TRUE(again || node.failure.ok())
          << seed << " " << node.failure.error().message << " " << node.failure.error().detail
          << " " << node.failure.error().context << " " << node.fatal_reason;
      ASSERT_FALSE(::testing::Test::HasFailure()) << seed << " life " << life;
    }
  }
}

TEST(Crash, NothingAcknowledgedIsLostAndNothingElseAppears) {
  uint64_t crashed_in_recovery = 0;
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    run_history(seed, &crashed_in_recovery);
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(crashed_in_recovery, 3U);
}

}  // namespace
}  // namespace orrery
