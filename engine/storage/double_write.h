// The double-write area: pages are first written here, all of a batch in one write and one sync,
// and then to their homes. A crash can tear a home page or a copy, never both, so a torn page has a
// whole copy to be mended from.
//
// The area is a ring of batches, each a header page and the copies:
//
//   offset  size  field                               then per page, 24 bytes
//        0     8  magic "orrerydw"                         8  file
//        8     4  crc32c of the header page from 12 on     4  block
//       12     4  pages in this batch                      4  checksum of the copy
//       16     8  sequence                                 8  lsn
//       24     8  min recovery: LSNs of all pages that ever went home lie below
//       32     8  durable LSN of the log
//
// A place is reused only after the homes of its batch are synced. A copy is used only while its
// batch is younger than the last checkpoint (which synced all homes), so an old copy never replaces
// a page that later went bad: higher sequences overwrite lower ones, and when the newest copy of a
// page is gone, so are all older ones.
#pragma once

#include <memory>
#include <vector>

#include "storage/data_files.h"

namespace orrery {

class DoubleWrite {
 public:
  static constexpr uint32_t kMaxPages = 256;

  DoubleWrite(Host& host, const StorageOptions& options, DataFiles& files);
  DoubleWrite(const DoubleWrite&) = delete;

  struct Found {
    uint64_t sequence = 0;  // of the last whole batch
    Lsn min_recovery{};
    Lsn durable{};
    uint64_t mended = 0;  // pages
  };
  // Makes the file if it is not there. 53100, 58030.
  Status create(Fiber& fiber);
  // After a crash: mends homes that do not check from copies younger than `retired`, and syncs
  // them.
  Result<Found> recover(Fiber& fiber, uint64_t retired);

  // One batch at a time: begin(), copy pages into slot(), write(), then home writes, then done().
  Status begin(Fiber& fiber);
  PageBytes slot(uint32_t index) {
    return PageBytes(buffer_.get() + (index + 1) * kPageBytes, kPageBytes);
  }
  uint32_t capacity() const { return options_.double_write_pages; }
  // Makes the copies durable. 58030: then nothing went home. A failed sync is fatal.
  struct Page {
    FileId file;
    BlockNo block;
    Lsn lsn;
    uint32_t checksum;
  };
  Status write(Fiber& fiber, std::span<const Page> pages, Lsn durable);
  // All pages of the batch are written home.
  void done(std::span<const Page> pages);

  // Homes of batches up to this one were written; once synced they need their copies no more.
  uint64_t last_done() const { return last_done_; }
  Lsn min_recovery() const { return min_recovery_; }
  void start_from(uint64_t sequence, Lsn min_recovery) {
    last_done_ = sequence;
    min_recovery_ = min_recovery;
  }
  Status close(Fiber& fiber);

 private:
  struct Batch;
  Status mend(Fiber& fiber, const Page& page, ConstPageBytes copy, Found& found);
  Result<bool> read_batch(Fiber& fiber, uint64_t at, Batch& batch);
  uint64_t batch_bytes() const { return (options_.double_write_pages + 1) * kPageBytes; }

  Host& host_;
  const StorageOptions& options_;
  DataFiles& files_;
  FileHandle handle_;
  std::unique_ptr<std::byte[]> buffer_;
  uint64_t last_done_ = 0;
  Lsn min_recovery_{};

  struct Written {
    FileId file;
    uint64_t changes;  // of the file when the batch was home
  };
  std::vector<std::vector<Written>> places_;  // by sequence % batches: homes to sync before reuse
};

}  // namespace orrery
