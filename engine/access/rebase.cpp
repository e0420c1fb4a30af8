// A page's tuples hold 32-bit offsets from the page's base id. When a transaction comes along whose
// id does not fit, the page gets a new base; versions too old for it are frozen if everybody sees
// them.
#include <algorithm>

#include "access/heap_internal.h"
#include "base/probe.h"
#include "base/text.h"

namespace orrery {

namespace {

struct NewHeaders {
  uint16_t offsets[kMaxSlotsPerPage];
  uint64_t words[kMaxSlotsPerPage];  // xmin and xmax
  uint16_t count = 0;
};

// One id under the new base; nothing when it cannot be expressed.
std::optional<uint32_t> moved(TransactionManager& transactions, Xid xid, Xid base, bool is_xmin,
                              bool hinted_committed, bool hinted_aborted) {
  if (xid <= kBootstrapXid) return static_cast<uint32_t>(xid.v);
  if (fits_base(xid, base)) return xid_offset(xid, base);
  const std::optional<XidStatus> end = transactions.find_end(xid);
  const bool aborted = hinted_aborted || (end.has_value() && end->kind == XidStatus::Kind::aborted);
  const bool settled =
      hinted_committed || (end.has_value() && end->kind == XidStatus::Kind::committed &&
                           transactions.may_hint(end->commit_ts));
  if (aborted) return 0;  // nobody inserted it, or nobody deleted it
  if (settled) return is_xmin ? std::optional(kFrozenOffset) : std::nullopt;
  return std::nullopt;
}

bool plan_headers(TransactionManager& transactions, const SlottedPage& page, Xid base,
                  NewHeaders* out) {
  for (uint16_t n = 1; n <= page.slot_count(); ++n) {
    const Slot slot = page.slot(n);
    if (slot.state != SlotState::normal) continue;
    const TupleHeader tuple(page.item(slot));
    const auto xmin = moved(transactions, tuple.xmin(page.base()), base, true,
                            tuple.has(kXminCommitted), tuple.has(kXminAborted));
    const auto xmax = moved(transactions, tuple.xmax(page.base()), base, false,
                            tuple.has(kXmaxCommitted), tuple.has(kXmaxAborted));
    if (!xmin.has_value() || !xmax.has_value()) return false;
    out->offsets[out->count] = slot.offset;
    out->words[out->count++] = *xmin | uint64_t{*xmax} << 32;
  }
  return true;
}

}  // namespace

Status rebase_page(Fiber& fiber, Access& access, FileId file, BlockNo block, Xid xid) {
  for (;;) {
    PageRef page = TRY(access.storage().pool().pin(fiber, file, block));
    const SlottedPage slotted(page.data());
    if (fits_base(xid, slotted.base())) return {};
    // As low as the id allows keeps the most: the ids of everybody who may still write are near it.
    const Xid base(xid.v > (uint64_t{1} << 31) ? xid.v - (uint64_t{1} << 31) : 0);
    NewHeaders headers;
    if (!plan_headers(access.transactions(), slotted, base, &headers)) {
      return raise(sqlstate::object_not_in_prerequisite_state,
                   cat("transaction ids in block ", block, " of file ", file, " are too far apart"))
          .hint("Vacuum the table.");
    }
    Change change(RecordKind::heap_in_place);
    const int p = change.add(page);
    change.write_value(p, kBaseXidOffset, base.v);
    change.write_value(p, kPruneHintOffset, uint32_t{0});
    for (uint16_t i = 0; i < headers.count; ++i)
      change.write_value(p, headers.offsets[i], headers.words[i]);
    const uint64_t version = page.version();
    TRY(access.storage().reserve(fiber, change));
    if (page.version() != version) continue;
    access.storage().apply(change);
    PROBE("heap: a page got a new base xid");
    return {};
  }
}

}  // namespace orrery
