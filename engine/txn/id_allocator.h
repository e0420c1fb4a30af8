// Numbers that are never given twice, across crashes: xids and OIDs. They are issued only below a
// ceiling that the log says, and that is committed; after a restart issuing goes on at the ceiling.
// The ceilings lie in the first status page, in the places of xids 0 and 2, which no transaction
// has.
#pragma once

#include "fiber/fiber.h"
#include "txn/status_log.h"

namespace orrery {

class IdAllocator {
 public:
  // `step`: how far ahead a ceiling is set; so many numbers may be lost at a crash.
  IdAllocator(Storage& storage, StatusLog& status, Xid place, RecordKind kind, uint64_t first,
              uint64_t step);

  // Reads the ceiling. REQUIRES: recovery is done.
  Status start(Fiber& fiber);
  // Suspends when the next ceiling is not committed yet, which is asked for ahead of time.
  Result<uint64_t> next(Fiber& fiber);
  // Numbers below this may be in use.
  uint64_t next_unused() const { return next_; }
  // Moves on, never back; for restoring a dump that names its ids.
  void skip_to(uint64_t number) {
    if (number > next_) next_ = number;
  }

 private:
  Status raise_ceiling(Fiber& fiber);

  Storage& storage_;
  StatusLog& status_;
  const Xid place_;
  const RecordKind kind_;
  const uint64_t step_;
  uint64_t next_;
  uint64_t ceiling_ = 0;  // committed: numbers below may be issued
  uint64_t asked_ = 0;    // logged, at asked_lsn_
  Lsn asked_lsn_{};
  Mutex raising_;
};

}  // namespace orrery
