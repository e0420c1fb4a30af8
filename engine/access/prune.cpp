#include "access/prune.h"

#include <algorithm>

#include "base/plant.h"
#include "base/probe.h"
#include "txn/visibility.h"

namespace orrery {

namespace {

// What pruning will do to one page, worked out without changing it.
struct PrunePlan {
  Slot slots[kMaxSlotsPerPage];
  uint16_t count = 0;
  uint32_t removed = 0;
  bool changed = false;
  bool has_unused = false;
  Xid oldest_pending{};  // of deleters that will be prunable one day
  Lsn newest_removed{};  // commit of a removed version's deleter: standbys' readers must be past it
  Xid unresolved{};
};

class Pruner {
 public:
  Pruner(TransactionManager& transactions, const PageRef& page, PrunePlan& plan)
      : transactions_(transactions),
        horizon_(transactions.horizon()),
        page_(page.data()),
        block_(page.block()),
        plan_(plan) {}

  // False when an id's end must be read first.
  bool run() {
    plan_.count = page_.slot_count();
    CHECK(plan_.count <= kMaxSlotsPerPage);
    for (uint16_t n = 1; n <= plan_.count; ++n) {
      const Slot slot = plan_.slots[n - 1] = page_.slot(n);
      if (slot.state != SlotState::normal) continue;
      verdicts_[n - 1] =
          judge_for_vacuum(transactions_, horizon_, tuple(n), page_.base(), &plan_.unresolved);
      if (verdicts_[n - 1] == VacuumVerdict::unknown) return false;
    }
    for (uint16_t n = 1; n <= plan_.count; ++n) {
      const Slot slot = page_.slot(n);
      if (slot.state == SlotState::redirect ||
          (slot.state == SlotState::normal && !tuple(n).has2(kHeapOnly))) {
        prune_chain(n);
      }
    }
    for (uint16_t n = 1; n <= plan_.count; ++n) {
      if (plan_.slots[n - 1].state == SlotState::normal && !reached_[n - 1] && is_dead(n))
        remove(n);
    }
    for (uint16_t n = 1; n <= plan_.count; ++n) note_pending(n);
    return true;
  }

 private:
  TupleHeader tuple(uint16_t n) const { return TupleHeader(page_.item(page_.slot(n))); }
  bool is_dead(uint16_t n) const { return verdicts_[n - 1] == VacuumVerdict::dead; }

  void remove(uint16_t n) {
    note_removed(tuple(n));
    plan_.slots[n - 1] = {};
    plan_.changed = true;
    ++plan_.removed;
  }

  void note_removed(TupleHeader header) {
    const std::optional<XidStatus> end = transactions_.find_end(header.xmax(page_.base()));
    if (end.has_value() && end->kind == XidStatus::Kind::committed) {
      plan_.newest_removed = std::max(plan_.newest_removed, Lsn(end->commit_ts.v));
    } else if (header.has(kXmaxCommitted)) {
      plan_.newest_removed = std::max(plan_.newest_removed, horizon_);
    }
  }

  void prune_chain(uint16_t root) {
    uint16_t members[kMaxSlotsPerPage];
    uint32_t count = 0;
    const Slot root_slot = page_.slot(root);
    uint16_t at = root_slot.state == SlotState::redirect ? root_slot.offset : root;
    Xid previous_xmax{};
    while (count < plan_.count && is_normal(page_, at)) {
      const TupleHeader header = tuple(at);
      if (count > 0 && header.xmin(page_.base()) != previous_xmax) break;
      if (at != root && !header.has2(kHeapOnly)) break;
      members[count++] = at;
      reached_[at - 1] = true;
      const VacuumVerdict verdict = verdicts_[at - 1];
      if (verdict != VacuumVerdict::dead && verdict != VacuumVerdict::recently_dead) break;
      if (!header.has2(kHotUpdated)) break;
      const Tid next = header.ctid();
      if (next.block != block_) break;
      previous_xmax = header.xmax(page_.base());
      at = next.slot;
    }
    // All up to the last dead one go: what is before a dead version ended earlier.
    uint32_t dead = 0;
    for (uint32_t i = 0; i < count; ++i) {
      if (is_dead(members[i]))
        dead = i + 1;
      else
        break;
    }
    if (dead == 0 && count > 0) return;
    for (uint32_t i = 0; i < dead; ++i) {
      if (members[i] == root) {
        note_removed(tuple(root));
        ++plan_.removed;
      } else {
        remove(members[i]);
      }
    }
    Slot& slot = plan_.slots[root - 1];
    const Slot wanted =
        dead == count ? Slot{0, SlotState::dead, 0} : Slot::redirect_to(members[dead]);
    if (slot.word() != wanted.word()) {
      slot = wanted;
      plan_.changed = true;
    }
  }

  void note_pending(uint16_t n) {
    const Slot slot = plan_.slots[n - 1];
    if (slot.state == SlotState::unused) plan_.has_unused = true;
    if (slot.state != SlotState::normal) return;
    const VacuumVerdict verdict = verdicts_[n - 1];
    Xid pending{};
    if (verdict == VacuumVerdict::recently_dead || verdict == VacuumVerdict::delete_in_progress) {
      pending = tuple(n).xmax(page_.base());
    } else if (verdict == VacuumVerdict::insert_in_progress) {
      pending = tuple(n).xmin(page_.base());  // it may abort
    }
    if (pending > kBootstrapXid &&
        (plan_.oldest_pending == kInvalidXid || pending < plan_.oldest_pending)) {
      plan_.oldest_pending = pending;
    }
  }

  TransactionManager& transactions_;
  const Lsn horizon_;
  const SlottedPage page_;
  const BlockNo block_;
  PrunePlan& plan_;
  VacuumVerdict verdicts_[kMaxSlotsPerPage] = {};
  bool reached_[kMaxSlotsPerPage] = {};
};

}  // namespace

uint16_t compact_page(Change& change, int index, const std::byte* page, std::span<Slot> slots) {
  const PageHeader& header = page_header(page);
  uint16_t order[kPageBytes / (8 + kSlotBytes)];
  uint32_t count = 0;
  for (uint32_t i = 0; i < slots.size(); ++i) {
    if (slots[i].length != 0) order[count++] = static_cast<uint16_t>(i);
  }
  std::sort(order, order + count,
            [&](uint16_t a, uint16_t b) { return slots[a].offset > slots[b].offset; });
  // From the highest down, neighbours that move by the same distance in one operation.
  uint32_t upper = header.special;
  for (uint32_t i = 0; i < count;) {
    const uint32_t run_end = slots[order[i]].offset + align8(slots[order[i]].length);
    const uint32_t distance = upper - run_end;
    uint32_t run_begin = run_end;
    for (; i < count && slots[order[i]].offset + align8(slots[order[i]].length) == run_begin; ++i) {
      run_begin = slots[order[i]].offset;
      slots[order[i]].offset = static_cast<uint16_t>(run_begin + distance);
    }
    if (distance != 0) {
      change.move(index, static_cast<uint16_t>(run_begin + distance),
                  static_cast<uint16_t>(run_begin), static_cast<uint16_t>(run_end - run_begin));
    }
    upper = run_begin + distance;
  }
  return static_cast<uint16_t>(upper);
}

Result<PruneResult> prune_page(Fiber& fiber, Access& access, PageRef& page) {
  Storage& storage = access.storage();
  for (;;) {
    if (!page.is_sole_pin() || page.kind() != PageKind::heap) return PruneResult{.blocked = true};
    PrunePlan plan;
    if (!Pruner(access.transactions(), page, plan).run()) {
      return PruneResult{.blocked = true, .unresolved = plan.unresolved};
    }
    const SlottedPage slotted(page.data());
    const uint32_t hint =
        plan.oldest_pending == kInvalidXid || !fits_base(plan.oldest_pending, slotted.base())
            ? 0
            : xid_offset(plan.oldest_pending, slotted.base());
    if (!plan.changed) {
      if (hint != load<uint32_t>(page.data() + kPruneHintOffset)) {
        page.set_hint(kPruneHintOffset,
                      Bytes(reinterpret_cast<const std::byte*>(&hint), sizeof hint));
      }
      return PruneResult{};
    }
    const uint64_t version = page.version();
    Change change(RecordKind::heap_prune);
    const int p = change.add(page);
    uint16_t count = plan.count;
    while (count > 0 && plan.slots[count - 1].state == SlotState::unused) --count;
    const uint16_t upper = compact_page(change, p, page.data(), std::span(plan.slots, count));
    uint32_t words[kMaxSlotsPerPage];
    for (uint32_t i = 0; i < count; ++i) words[i] = plan.slots[i].word();
    if (count > 0) {
      change.write(p, kPageHeaderBytes,
                   Bytes(reinterpret_cast<const std::byte*>(words), count * size_t{kSlotBytes}));
    }
    const auto lower = static_cast<uint16_t>(kPageHeaderBytes + count * kSlotBytes);
    change.write_value(p, kPageLowerOffset, static_cast<uint32_t>(lower | uint32_t{upper} << 16));
    change.write_value(p, kPruneHintOffset, hint);
    uint8_t flags = page.header().flags;
    flags =
        static_cast<uint8_t>(plan.has_unused ? flags | kHasUnusedSlots : flags & ~kHasUnusedSlots);
    if (flags != page.header().flags) change.write_value(p, kPageFlagsOffset, flags);
    change.info(
        Bytes(reinterpret_cast<const std::byte*>(&plan.newest_removed.v), sizeof(uint64_t)));
    if (PLANTED(b18_double_visibility_check)) {
      // What a second look calls dead goes as well, though the first led chains to it.
      TRY(fiber.sleep(milliseconds(1)));
      PrunePlan again;
      if (page.version() == version && Pruner(access.transactions(), page, again).run()) {
        for (uint16_t n = 1; n <= count; ++n) {
          const bool goes = plan.slots[n - 1].state == SlotState::normal &&
                            again.slots[n - 1].state == SlotState::unused;
          if (goes) change.write_value(p, slot_offset(n), uint32_t{0});
        }
      }
    }
    TRY(storage.reserve(fiber, change));
    if (page.version() != version || !page.is_sole_pin()) continue;
    storage.apply(change);
    PROBE("heap: pruned a page");
    return PruneResult{.removed = plan.removed};
  }
}

namespace {

// Whether the page's hint promises something, as far as is known without reading.
bool is_pruning_useful(const TransactionManager& transactions, const PageRef& page,
                       uint32_t room_wanted) {
  const uint32_t hint = load<uint32_t>(page.data() + kPruneHintOffset);
  if (hint == 0 || page.kind() != PageKind::heap) return false;
  const SlottedPage slotted(page.data());
  if (slotted.gap() >= room_wanted) return false;
  const Xid xid = TupleHeader::widen(hint, slotted.base());
  if (transactions.running(xid) != nullptr) return false;
  const std::optional<XidStatus> end = transactions.find_end(xid);
  return !end.has_value() || end->kind != XidStatus::Kind::committed ||
         end->commit_ts.v <= transactions.horizon().v;
}

}  // namespace

Result<PageRef> pin_and_prune(Fiber& fiber, Access& access, FileId file, BlockNo block,
                              uint32_t room_wanted, Ring* ring) {
  BufferPool& pool = access.storage().pool();
  TransactionManager& transactions = access.transactions();
  PageRef page = TRY(pool.pin(fiber, file, block, ring));
  // After a restart the ends of old transactions have to be read first, each once, with the page
  // let go meanwhile. Left unread they would have every reader try in vain.
  for (uint32_t tries = 0; tries < kMaxSlotsPerPage && page.is_sole_pin(); ++tries) {
    if (!is_pruning_useful(transactions, page, room_wanted)) break;
    Result<PruneResult> pruned = prune_page(fiber, access, page);
    Status outcome = pruned.ok() ? Status() : std::move(pruned).status();
    const bool resolves = pruned.ok() && pruned->unresolved != kInvalidXid;
    if (resolves) {
      PROBE("heap: pruning reads how a transaction ended");
      page.release();
      outcome = transactions.resolve(fiber, pruned->unresolved);
      page = TRY(pool.pin(fiber, file, block, ring));
    }
    if (outcome.is_halted() || outcome.is(sqlstate::query_canceled)) return outcome;
    if (!outcome.ok()) PROBE("heap: a reader goes on though pruning failed");
    if (!outcome.ok() || !resolves) break;
  }
  return page;
}

}  // namespace orrery
