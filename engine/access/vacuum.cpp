#include "access/vacuum.h"

#include <algorithm>

#include "access/free_space.h"
#include "access/heap_page.h"
#include "access/prune.h"
#include "access/visibility_map.h"
#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "txn/visibility.h"

namespace orrery {

namespace {

class TableVacuum {
 public:
  TableVacuum(Access& access, const TableInfo& table, std::span<const IndexInfo* const> indexes,
              const VacuumOptions& options)
      : access_(access), table_(table), indexes_(indexes), options_(options) {}

  Result<VacuumResult> run(Fiber& fiber);

 private:
  Status clean_page(Fiber& fiber, BlockNo block);
  Status free_dead_slots(Fiber& fiber);
  Status free_slots_of(Fiber& fiber, BlockNo block, std::span<const Tid> dead);
  Status finish_page(Fiber& fiber, PageRef page);
  Status set_all_visible(Fiber& fiber, BlockNo block);
  bool whole_page_visible(const PageRef& page) const;
  Status pace(Fiber& fiber);

  Access& access_;
  const TableInfo& table_;
  const std::span<const IndexInfo* const> indexes_;
  const VacuumOptions& options_;
  VacuumResult result_;
  std::vector<Tid> dead_;  // ascending
  uint32_t since_pause_ = 0;
};

Status TableVacuum::pace(Fiber& fiber) {
  TRY(fiber.charge(20));
  if (options_.pause.ns == 0 || ++since_pause_ < options_.pages_between_pauses) return {};
  since_pause_ = 0;
  return fiber.sleep(options_.pause);
}

// Every tuple's inserter is seen by every snapshot, and nobody ended any; there are no dead slots.
bool TableVacuum::whole_page_visible(const PageRef& page) const {
  const TransactionManager& transactions = access_.transactions();
  const SlottedPage slotted(page.data());
  for (uint16_t n = 1; n <= slotted.slot_count(); ++n) {
    const Slot slot = slotted.slot(n);
    if (slot.state == SlotState::dead) return false;
    if (slot.state != SlotState::normal) continue;
    const TupleHeader tuple(slotted.item(slot));
    const Xid xmin = tuple.xmin(slotted.base());
    const Xid xmax = tuple.xmax(slotted.base());
    if (xmax != kInvalidXid && !tuple.has(kXmaxAborted)) return false;
    if (xmin == kBootstrapXid || tuple.has(kXminCommitted)) continue;
    if (xmin == kInvalidXid || transactions.running(xmin) != nullptr) return false;
    const std::optional<XidStatus> end = transactions.find_end(xmin);
    if (!end.has_value() || end->kind != XidStatus::Kind::committed ||
        !transactions.may_hint(end->commit_ts)) {
      return false;
    }
  }
  return true;
}

Status TableVacuum::set_all_visible(Fiber& fiber, BlockNo block) {
  const PinClaim claim = TRY(access_.storage().pool().claim(fiber, 3));
  PageRef map = TRY(pin_visibility_page(fiber, access_, table_.file, block));
  PageRef page = TRY(access_.storage().pool().pin(fiber, table_.file, block));
  for (;;) {
    if (page.kind() != PageKind::heap || !whole_page_visible(page)) return {};
    if ((page.header().flags & kAllVisible) != 0 && is_all_visible(map, block)) return {};
    Change change(RecordKind::visibility_map);
    change.write_value(change.add(page), kPageFlagsOffset,
                       static_cast<uint8_t>(page.header().flags | kAllVisible));
    const auto byte = load<uint8_t>(map.data() + visibility_byte_of(block));
    change.write_value(change.add(map), visibility_byte_of(block),
                       static_cast<uint8_t>(byte | visibility_bit_of(block)));
    const uint64_t versions[] = {page.version(), map.version()};
    TRY(access_.storage().reserve(fiber, change));
    if (page.version() != versions[0] || map.version() != versions[1]) continue;
    access_.storage().apply(change);
    ++result_.pages_all_visible;
    return {};
  }
}

// Free space and visibility of a page that is done with.
Status TableVacuum::finish_page(Fiber& fiber, PageRef page) {
  const BlockNo block = page.block();
  const bool visible = page.kind() == PageKind::heap && whole_page_visible(page);
  const uint32_t room =
      page.kind() == PageKind::none ? kMaxTupleBytes : SlottedPage(page.data()).room();
  page.release();
  TRY(record_free_space(fiber, access_, table_.file, block,
                        PLANTED(b44_free_space_overstated) ? kMaxTupleBytes : room));
  if (visible) TRY(set_all_visible(fiber, block));
  return {};
}

Status TableVacuum::clean_page(Fiber& fiber, BlockNo block) {
  PageRef page;
  for (;;) {
    page = TRY(access_.storage().pool().pin(fiber, table_.file, block));
    if (page.kind() != PageKind::heap) return finish_page(fiber, std::move(page));
    const PruneResult pruned = TRY(prune_page(fiber, access_, page));
    result_.rows_removed += pruned.removed;
    if (pruned.unresolved == kInvalidXid) break;
    page.release();
    TRY(access_.transactions().resolve(fiber, pruned.unresolved));
  }
  const SlottedPage slotted(page.data());
  bool any_dead = false;
  for (uint16_t n = 1; n <= slotted.slot_count(); ++n) {
    const Slot slot = slotted.slot(n);
    if (slot.state == SlotState::normal) ++result_.rows_live;
    if (slot.state != SlotState::dead) continue;
    dead_.push_back({block, n});
    any_dead = true;
  }
  if (any_dead) return {};
  return finish_page(fiber, std::move(page));
}

Status TableVacuum::free_slots_of(Fiber& fiber, BlockNo block, std::span<const Tid> dead) {
  PageRef page = TRY(access_.storage().pool().pin(fiber, table_.file, block));
  for (;;) {
    const SlottedPage slotted(page.data());
    uint32_t words[kMaxSlotsPerPage];
    uint16_t count = slotted.slot_count();
    for (uint16_t n = 1; n <= count; ++n) words[n - 1] = slotted.slot(n).word();
    for (const Tid tid : dead) {
      CHECK(tid.slot <= count && slotted.slot(tid.slot).state == SlotState::dead);
      words[tid.slot - 1] = 0;
    }
    while (count > 0 && words[count - 1] == 0) --count;
    Change change(RecordKind::heap_vacuum);
    const int p = change.add(page);
    if (count > 0) {
      change.write(p, kPageHeaderBytes,
                   Bytes(reinterpret_cast<const std::byte*>(words), count * size_t{kSlotBytes}));
    }
    change.write_value(p, kPageLowerOffset,
                       static_cast<uint16_t>(kPageHeaderBytes + count * kSlotBytes));
    change.write_value(p, kPageFlagsOffset,
                       static_cast<uint8_t>(page.header().flags | kHasUnusedSlots));
    const uint64_t version = page.version();
    TRY(access_.storage().reserve(fiber, change));
    if (page.version() != version) continue;
    access_.storage().apply(change);
    result_.slots_freed += dead.size();
    access_.memory_of(table_.file).slots_freed += dead.size();
    return finish_page(fiber, std::move(page));
  }
}

Status TableVacuum::free_dead_slots(Fiber& fiber) {
  if (dead_.empty()) return {};
  const auto is_dead = [&](Tid tid) { return std::binary_search(dead_.begin(), dead_.end(), tid); };
  for (const IndexInfo* index : indexes_) {
    TRY(BTree(access_, *index).bulk_delete(fiber, is_dead));
  }
  ++result_.index_passes;
  for (size_t i = 0; i < dead_.size();) {
    size_t end = i;
    while (end < dead_.size() && dead_[end].block == dead_[i].block) ++end;
    TRY(free_slots_of(fiber, dead_[i].block, std::span(dead_).subspan(i, end - i)));
    TRY(pace(fiber));
    i = end;
  }
  dead_.clear();
  return {};
}

Result<VacuumResult> TableVacuum::run(Fiber& fiber) {
  TableMemory& memory = access_.memory_of(table_.file);
  const uint64_t dead_before = memory.dead_estimate;
  const BlockNo blocks = TRY(access_.storage().file_size(fiber, table_.file));
  for (BlockNo block{0}; block < blocks; block = block.next()) {
    ++result_.pages;
    if (TRY(test_all_visible(fiber, access_, table_.file, block))) {
      ++result_.pages_skipped;
    } else {
      TRY(clean_page(fiber, block));
    }
    if (dead_.size() >= options_.dead_tids_max) {
      PROBE("vacuum: more dead rows than are remembered at once");
      TRY(free_dead_slots(fiber));
    }
    TRY(pace(fiber));
  }
  TRY(free_dead_slots(fiber));
  memory.dead_estimate -= std::min(memory.dead_estimate, dead_before);
  return result_;
}

}  // namespace

Result<VacuumResult> vacuum_table(Fiber& fiber, Access& access, const TableInfo& table,
                                  std::span<const IndexInfo* const> indexes,
                                  const VacuumOptions& options) {
  return TableVacuum(access, table, indexes, options).run(fiber);
}

void run_background_vacuum(Fiber& fiber, VacuumSource& source,
                           const BackgroundVacuumOptions& options) {
  for (;;) {
    if (!fiber.sleep(options.nap).ok()) return;
    for (bool more = true; more;) {
      Result<bool> done = source.vacuum_due(fiber, options.vacuum);
      if (!done.ok() && (done.status().is_halted() || done.status().is(sqlstate::query_canceled) ||
                         done.status().is(sqlstate::admin_shutdown))) {
        return;
      }
      if (!done.ok())
        fiber.host().log(LogLevel::warning,
                         cat("background vacuum: ", done.status().error().message));
      more = done.ok() && *done;
    }
  }
}

}  // namespace orrery
