// The files under the log: a stream of bytes over segments of fixed size, allocated ahead, recycled
// by renaming.
//
// prepare_next() makes the segment at ready_end() exist in full, durably, name and all, before any
// byte of the stream is written to it; so writing never meets a full disk. A released segment
// becomes a spare, and a spare the next segment.
#pragma once

#include <map>

#include "fiber/sync.h"
#include "wal/log.h"

namespace orrery {

class LogSegments {
 public:
  explicit LogSegments(const LogOptions& options) : options_(options) {}
  LogSegments(const LogSegments&) = delete;

  // Makes the directory and the segment of kFirstEntryLsn.
  Status create(Fiber& fiber);
  // Finds what is there; the stream is ready from the segment of `from` on, as far as segments
  // follow each other.
  Status open(Fiber& fiber, Lsn from);
  Status close(Fiber& fiber);

  // The stream may be written below.
  Lsn ready_end() const { return Lsn(ready_end_index_ * options_.segment_bytes); }
  // One more segment. 53100, 58030: then nothing changed.
  Status prepare_next(Fiber& fiber);

  // REQUIRES: the segments of [lsn, lsn + size) are there. An error leaves the contents uncertain.
  Status write(Fiber& fiber, Lsn lsn, Bytes bytes);
  Status sync(Fiber& fiber, Lsn from, Lsn end);
  // Both in one request, which also makes durable what was written to that segment before.
  // REQUIRES: is_in_one().
  Status write_and_sync(Fiber& fiber, Lsn lsn, Bytes bytes);
  bool is_in_one(Lsn from, Lsn end) const;
  // As far as segments go; the count is short at the first missing one. 58030.
  Result<uint64_t> read(Fiber& fiber, Lsn lsn, MutableBytes buffer);
  bool holds(Lsn lsn) const { return segments_.contains(index_of(lsn)); }
  Lsn first() const;     // of what is kept
  Lsn last_end() const;  // behind the last file, gaps or not

  // Takes segments wholly below `lsn` away: spares, or nothing.
  Status release_below(Fiber& fiber, Lsn lsn);

  // "segment log/0000000000000003 at offset 512", for messages.
  std::string place(Lsn lsn) const;

 private:
  struct Segment {
    FileHandle handle;  // 0: not open
    uint32_t users = 0;
  };
  class Use;

  uint64_t index_of(Lsn lsn) const { return lsn.v / options_.segment_bytes; }
  static std::string path(uint64_t index);
  static std::string spare_path(uint64_t index);
  Result<FileHandle> use(Fiber& fiber, uint64_t index);
  void unuse(uint64_t index);
  Status close_idle(Fiber& fiber);
  Status fill(Fiber& fiber, const std::string& name);

  const LogOptions& options_;
  std::map<uint64_t, Segment> segments_;
  std::vector<uint64_t> spares_;  // by the index they had
  uint64_t ready_end_index_ = 0;
  Mutex directory_;  // held by who renames, makes or removes
};

}  // namespace orrery
