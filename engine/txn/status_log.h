// How each transaction ended: a u64 per xid in pages of one file, kept as long as history is.
//
//   value                     meaning
//   0                         in progress; or, for an xid below this start's first, died with the node: aborted
//   1                         aborted
//   bit 63 set                a subtransaction: ask the xid in the low bits
//   otherwise                 CommitTs: the LSN of the commit record
//
// The commit record itself writes the values (Change::write_own_lsn), so replaying the log rebuilds
// the pages. A transaction with subtransactions on more than kStatusPagesPerCommit pages first
// points the others at itself in records before the commit record: until that one is committed, all
// of them read as in progress.
//
// A page here may say "committed" while the record is not durable: the transaction table is asked
// before this is.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/hash_map.h"
#include "fiber/sync.h"
#include "storage/storage.h"

namespace orrery {

constexpr uint64_t kStatusAborted = 1;
constexpr uint64_t kStatusParentBit = uint64_t{1} << 63;
constexpr uint32_t kStatusPerPage = 1016;
constexpr int kStatusPagesPerCommit = 7;

// The end of a transaction as the log knows it.
struct XidStatus {
  enum class Kind : uint8_t { in_progress, aborted, committed } kind = Kind::in_progress;
  CommitTs commit_ts{};
};

class StatusLog {
 public:
  // `cache_entries`: a power of two, remembered ends of transactions.
  StatusLog(Storage& storage, FileId file, uint32_t cache_entries);

  // Xids below this that have no end in the pages died before this start.
  void set_first_of_this_start(Xid xid) { first_of_this_start_ = xid; }

  // Makes sure that the page for `xid` exists, so that its commit needs no extension. Suspends.
  Status prepare(Fiber& fiber, Xid xid);
  // The page for `xid`, pinned, made if absent. Suspends while reading.
  Result<PageRef> pin_page(Fiber& fiber, Xid xid);

  // From the cache only: nothing when a page must be read.
  std::optional<XidStatus> find(Xid xid) const;
  // Reads the page and remembers the answer. Suspends.
  Result<XidStatus> load(Fiber& fiber, Xid xid);
  // Remembers an end that has become visible.
  void remember(Xid xid, XidStatus status);

  static BlockNo block_of(Xid xid) {
    return BlockNo(static_cast<uint32_t>(xid.v / kStatusPerPage));
  }
  static uint16_t offset_of(Xid xid);
  FileId file() const { return file_; }

 private:
  struct Entry {
    Xid xid{};
    XidStatus status;
  };
  size_t place(Xid xid) const { return xid.v & (cache_.size() - 1); }

  Storage& storage_;
  FileId file_;
  Xid first_of_this_start_ = kFirstNormalXid;
  Xid prepared_below_{};  // pages for xids below this exist
  Mutex extending_;
  std::vector<Entry> cache_;  // direct-mapped by xid
  // What load() read lately, whatever the cache drops: somebody who needs the ends of all ids on a
  // page gets them one by one, and must not lose the first while reading the last.
  static constexpr size_t kLoadedMax = 4096;
  HashMap<Xid, XidStatus> loaded_;
};

}  // namespace orrery
