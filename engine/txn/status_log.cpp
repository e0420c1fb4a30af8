#include "txn/status_log.h"

#include "base/probe.h"
#include "base/text.h"

namespace orrery {

static_assert(kStatusPerPage == (kPageBytes - kPageHeaderBytes) / sizeof(uint64_t));

StatusLog::StatusLog(Storage& storage, FileId file, uint32_t cache_entries)
    : storage_(storage), file_(file), cache_(cache_entries) {
  CHECK(std::has_single_bit(cache_entries));
}

uint16_t StatusLog::offset_of(Xid xid) {
  return static_cast<uint16_t>(kPageHeaderBytes + xid.v % kStatusPerPage * sizeof(uint64_t));
}

Status StatusLog::prepare(Fiber& fiber, Xid xid) {
  if (xid < prepared_below_) return {};
  TRY(extending_.lock(fiber));
  UnlockGuard guard(extending_);
  const BlockNo wanted = block_of(xid);
  BlockNo size = TRY(storage_.file_size(fiber, file_));
  while (size <= wanted) {
    TRY(storage_.pool().extend(fiber, file_));
    size = TRY(storage_.file_size(fiber, file_));
  }
  TRY(pin_page(fiber, xid));
  const Xid end(uint64_t{wanted.v + 1} * kStatusPerPage);
  if (prepared_below_ < end) prepared_below_ = end;
  return {};
}

Result<PageRef> StatusLog::pin_page(Fiber& fiber, Xid xid) {
  PageRef page = TRY(storage_.pool().pin(fiber, file_, block_of(xid)));
  while (page.kind() == PageKind::none) {
    Change change(RecordKind::status_page);
    change.init(change.add(page), PageKind::transaction_status, 0);
    TRY(storage_.reserve(fiber, change));
    if (page.kind() == PageKind::none) storage_.apply(change);
  }
  if (page.kind() != PageKind::transaction_status) {
    return raise(sqlstate::data_corrupted, cat("could not access status of transaction ", xid))
        .detail(cat("Block ", block_of(xid), " of the status file is a page of another kind."));
  }
  return page;
}

std::optional<XidStatus> StatusLog::find(Xid xid) const {
  const Entry& entry = cache_[place(xid)];
  if (entry.xid == xid) return entry.status;
  if (loaded_.empty()) return std::nullopt;
  const XidStatus* loaded = loaded_.find(xid);
  return loaded == nullptr ? std::nullopt : std::optional(*loaded);
}

void StatusLog::remember(Xid xid, XidStatus status) {
  CHECK(status.kind != XidStatus::Kind::in_progress);
  cache_[place(xid)] = {xid, status};
}

Result<XidStatus> StatusLog::load(Fiber& fiber, Xid xid) {
  Xid asked = xid;
  // Each step goes to a parent, whose xid is lower, so this ends.
  for (;;) {
    uint64_t value = 0;
    {
      const PageRef page = TRY(pin_page(fiber, asked));
      value = orrery::load<uint64_t>(page.data() + offset_of(asked));
    }
    if ((value & kStatusParentBit) != 0) {
      const Xid parent(value & ~kStatusParentBit);
      if (parent >= asked) {
        return raise(sqlstate::data_corrupted, cat("could not access status of transaction ", xid))
            .detail(cat("Transaction ", asked, " names ", parent, " as its parent."));
      }
      PROBE("status: the end of a transaction was found through its parent");
      asked = parent;
      continue;
    }
    XidStatus status;
    if (value == kStatusAborted || (value == 0 && asked < first_of_this_start_)) {
      status.kind = XidStatus::Kind::aborted;
    } else if (value != 0) {
      status = {XidStatus::Kind::committed, CommitTs(value)};
    }
    if (status.kind != XidStatus::Kind::in_progress) {
      remember(xid, status);
      if (loaded_.size() >= kLoadedMax) loaded_.clear();
      loaded_[xid] = status;
    }
    return status;
  }
}

}  // namespace orrery
