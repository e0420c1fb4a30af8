// One file's bytes and what a crash may make of them.
//
// Reads see the page cache: every write so far. The platter holds what was synced. Between the two
// stands the list of pending writes. At a crash each pending write is kept, lost, or torn at
// 512-byte sectors; a later one may be kept when an earlier is lost. A kept sector carries what the
// cache held in it when that write was made, so it includes earlier writes to the same sector, as a
// page cache's would.
//
// A failed sync drops its writes, as Linux does: the cache still shows them, the pages count as
// clean, and no later sync brings them to the platter (Rebello et al., 2020).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/function.h"
#include "sim/block.h"

namespace orrery {

class FileContent {
 public:
  // Asked for each sector of each pending write: does it reach the platter? `write` counts pending
  // writes from 0.
  using KeepSector = FunctionRef<bool(size_t write, uint32_t sector_of_write)>;

  uint64_t size_bytes() const { return size_; }
  // Returns the count: less than asked only at the end.
  uint64_t read(uint64_t offset, MutableBytes out) const;
  // What the platter holds: a read that goes past the cache.
  uint64_t read_stale(uint64_t offset, MutableBytes out) const;
  // Applies to the cache and returns a number for note_completed(). Extends the file as needed.
  uint64_t write(uint64_t offset, Bytes data);
  uint64_t resize(uint64_t size_bytes);
  // The caller has been told that this write or resize is done; only such ones are covered by a
  // later sync.
  void note_completed(uint64_t number);
  // True when [offset, offset + count) touches a sector of a write that is still in flight.
  bool is_in_flight(uint64_t offset, uint64_t count) const;

  // A sync covers what was completed when it began. Between begin and end, writes may come.
  uint64_t begin_sync() const { return next_number_; }
  void finish_sync(uint64_t begun);
  // `keep` decides what reached the platter all the same; the rest is dropped.
  void fail_sync(uint64_t begun, KeepSector keep);

  // The power fails: the file is what the platter holds plus what `keep` keeps.
  void crash(KeepSector keep);
  size_t pending_writes() const { return pending_.size(); }
  uint64_t pending_bytes(size_t index) const { return pending_[index].count; }
  bool is_all_durable() const { return pending_.empty() && !has_dropped_; }

 private:
  struct Version {
    std::vector<BlockRef> blocks;
    uint64_t size = 0;
    void write(uint64_t offset, Bytes data);
    void resize(uint64_t size_bytes);
    BlockRef& block(uint64_t index);
  };
  struct Pending {
    uint64_t number = 0;
    uint64_t offset = 0;  // or the new size
    uint64_t count = 0;
    size_t data_at = 0;  // in pending_data_
    bool is_resize = false;
    bool completed = false;
  };
  template <class Covered>
  void replay(Covered covered, KeepSector keep);
  static void copy_sector(const Version& from, Version& to, uint64_t sector);
  void forget_pending_before(uint64_t begun);

  std::vector<BlockRef> cache_;
  uint64_t size_ = 0;
  Version platter_;
  Version
      base_;  // cache content before pending_[0]; used only when has_dropped_, else platter_ is it
  bool has_dropped_ = false;
  std::vector<uint64_t> dirty_;  // blocks whose cache_ differs from platter_
  std::vector<Pending> pending_;
  std::string pending_data_;
  uint64_t next_number_ = 1;
};

}  // namespace orrery
