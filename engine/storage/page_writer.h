// Brings changed pages home: copies a batch, waits until the log explains it, writes it to the
// double-write area, then to its places. One batch at a time. Its own fiber keeps frames clean
// ahead of the clock hand, so that a miss seldom waits.
//
// A copy is private: the page may change while it is on its way, and then stays dirty. Copies are
// taken first and the log waited for afterwards, so a page that never rests is written all the
// same.
#pragma once

#include "storage/buffer_pool.h"
#include "storage/double_write.h"
#include "wal/log.h"

namespace orrery {

class PageWriter {
 public:
  PageWriter(Host& host, const StorageOptions& options, Log& log, BufferPool& pool,
             DataFiles& files, DoubleWrite& double_write);
  PageWriter(const PageWriter&) = delete;
  ~PageWriter();

  void start(Fiber& fiber);
  Status stop(Fiber& fiber);

  // Frames are wanted: somebody waits for one, or found few.
  void kick();
  // Why the last batch failed; ok after one that went home.
  const Status& failure() const { return failure_; }
  uint64_t attempts() const { return attempts_; }

  struct Address {
    FileId file;
    BlockNo block;
    friend auto operator<=>(const Address&, const Address&) = default;
  };
  // Writes those of up to double_write_pages pages that are here and dirty. Background fibers only:
  // it is not cancelled.
  // 58030 when the copies could not be written; then all stays dirty.
  Status write_batch(Fiber& fiber, std::span<const Address> addresses);

  uint64_t pages_written() const { return pages_written_; }
  uint64_t batches_written() const { return batches_written_; }

 private:
  struct Copied {
    Frame* frame;
    uint64_t version;
  };
  void loop(Fiber& fiber);
  std::vector<Address> choose();
  void copy(std::span<const Address> addresses);
  Status write_copies(Fiber& fiber);
  Status write_homes(Fiber& fiber);
  Status write_run(Fiber& fiber, size_t first, size_t count);
  void finish(bool is_home);

  Host& host_;
  const StorageOptions& options_;
  Log& log_;
  BufferPool& pool_;
  DataFiles& files_;
  DoubleWrite& double_write_;
  Mutex batch_;
  std::vector<Copied> copied_;            // of the batch under way
  std::vector<DoubleWrite::Page> pages_;  // the same, in the same order
  bool wanted_ = false;
  bool running_ = false;
  bool stopping_ = false;
  WaitQueue work_;
  WaitQueue ended_;
  Status failure_;
  uint64_t attempts_ = 0;
  uint64_t pages_written_ = 0;
  uint64_t batches_written_ = 0;
};

}  // namespace orrery
