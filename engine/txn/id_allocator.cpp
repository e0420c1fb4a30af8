#include "txn/id_allocator.h"

#include "base/probe.h"

namespace orrery {

IdAllocator::IdAllocator(Storage& storage, StatusLog& status, Xid place, RecordKind kind,
                         uint64_t first, uint64_t step)
    : storage_(storage), status_(status), place_(place), kind_(kind), step_(step), next_(first) {
  CHECK(step >= 1);
}

Status IdAllocator::start(Fiber& fiber) {
  const PageRef page = TRY(status_.pin_page(fiber, place_));
  const auto stored = load<uint64_t>(page.data() + StatusLog::offset_of(place_));
  next_ = std::max(next_, stored);
  ceiling_ = asked_ = std::max(stored, next_);
  return {};
}

Status IdAllocator::raise_ceiling(Fiber& fiber) {
  TRY(raising_.lock(fiber));
  UnlockGuard guard(raising_);
  if (asked_ > next_ + step_ / 2) return {};  // somebody else did while we waited
  PageRef page = TRY(status_.pin_page(fiber, place_));
  const uint64_t wanted = std::max(asked_, next_) + step_;
  Change change(kind_);
  change.write_value(change.add(page), StatusLog::offset_of(place_), wanted);
  TRY(storage_.reserve(fiber, change));
  asked_lsn_ = storage_.apply(change);
  asked_ = wanted;
  return {};
}

Result<uint64_t> IdAllocator::next(Fiber& fiber) {
  for (;;) {
    if (ceiling_ < asked_ && storage_.log().committed() > asked_lsn_) ceiling_ = asked_;
    if (asked_ <= next_ + step_ / 2) TRY(raise_ceiling(fiber));
    if (next_ < ceiling_) return next_++;
    PROBE("ids: the next number waits for its ceiling to be committed");
    TRY(storage_.log().wait_committed(fiber, asked_lsn_));
  }
}

}  // namespace orrery
