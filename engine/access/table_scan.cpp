#include "access/table_scan.h"

#include <algorithm>

#include "access/heap_page.h"
#include "access/prune.h"
#include "access/row_codec.h"
#include "base/probe.h"
#include "txn/visibility.h"

namespace orrery {

namespace {

constexpr uint32_t kReadAheadBlocks = 32;

// A page is pruned by a reader when less than this is free: a tenth, or what fillfactor spares.
uint32_t prune_below(const TableInfo& table) {
  const auto spared =
      static_cast<uint32_t>(kPageBytes) * static_cast<uint32_t>(100 - table.fillfactor) / 100;
  return std::max<uint32_t>(kPageBytes / 10, spared);
}

void hint(const TransactionManager& transactions, PageRef& page, Slot slot, TupleHeader tuple,
          Xid base) {
  constexpr uint16_t kXminKnown = kXminCommitted | kXminAborted;
  constexpr uint16_t kXmaxKnown = kXmaxCommitted | kXmaxAborted;
  const uint16_t mask = tuple.infomask();
  if ((mask & kXminKnown) != 0 && (mask & kXmaxKnown) != 0) return;
  const uint16_t hinted = infomask_with_hints(transactions, tuple, base);
  if (hinted == mask) return;
  page.set_hint(static_cast<uint16_t>(slot.offset + 20),
                Bytes(reinterpret_cast<const std::byte*>(&hinted), 2));
}

}  // namespace

Result<uint32_t> table_block_count(Fiber& fiber, Access& access, const TableInfo& table) {
  const BlockNo blocks = TRY(access.storage().file_size(fiber, table.file));
  return blocks.v;
}

TableScan::TableScan(Access& access, const TableInfo& table, const Snapshot& snapshot,
                     std::span<const int16_t> columns, const TableScanOptions& options)
    : access_(access),
      table_(table),
      snapshot_(snapshot),
      options_(options),
      decoder_(std::make_unique<RowDecoder>(table.desc, columns, table.oid)),
      block_(options.first_block) {}

TableScan::~TableScan() = default;

void TableScan::rewind() {
  block_ = options_.first_block;
  end_block_ = 0;
  started_ = false;
}

Result<uint32_t> TableScan::next(Fiber& fiber, std::span<Vector> columns, Arena& arena, Tid* tids) {
  if (!started_) {
    const uint32_t blocks = TRY(table_block_count(fiber, access_, table_));
    end_block_ = static_cast<uint32_t>(
        std::min<uint64_t>(blocks, uint64_t{options_.first_block.v} + options_.block_count));
    use_ring_ = end_block_ > access_.storage().pool().frame_count() / 4;
    read_ahead_to_ = block_.v;
    started_ = true;
  }
  for (Vector& vector : columns) vector.may_have_nulls = false;
  uint32_t rows = 0;
  while (block_.v < end_block_) {
    if (!use_ring_ && block_.v + kReadAheadBlocks / 2 >= read_ahead_to_ &&
        read_ahead_to_ < end_block_) {
      const uint32_t count = std::min(kReadAheadBlocks, end_block_ - read_ahead_to_);
      access_.storage().pool().read_ahead(table_.file, BlockNo(read_ahead_to_), count);
      read_ahead_to_ += count;
    }
    bool page_done = false;
    const uint32_t found = TRY(scan_page(fiber, columns, rows, arena, tids, &page_done));
    rows += found;
    TRY(fiber.charge(found + 5));
    if (!page_done) break;  // the batch is full
    block_ = block_.next();
  }
  return rows;
}

// Appends the rows of block_ behind `row`. page_done is false when the page's rows might not fit:
// nothing is lost, the next batch begins with this page.
Result<uint32_t> TableScan::scan_page(Fiber& fiber, std::span<Vector> columns, uint32_t row,
                                      Arena& arena, Tid* tids, bool* page_done) {
  TransactionManager& transactions = access_.transactions();
  for (;;) {
    const bool prunes = options_.kind == SnapshotKind::mvcc && !options_.for_index_build;
    Ring* const ring = use_ring_ ? &ring_ : nullptr;
    PageRef page =
        TRY(prunes ? pin_and_prune(fiber, access_, table_.file, block_, prune_below(table_), ring)
                   : access_.storage().pool().pin(fiber, table_.file, block_, ring));
    if (page.kind() != PageKind::heap) {
      *page_done = true;
      return 0U;
    }
    const SlottedPage slotted(page.data());
    if (row + slotted.slot_count() > kBatchRows) {
      *page_done = false;
      return 0U;
    }
    uint16_t visible[kMaxSlotsPerPage];
    uint32_t count = 0;
    Xid unresolved{};
    if (options_.for_index_build) {
      unresolved = collect_for_index(page, visible, &count, row);
    } else {
      unresolved = collect_visible(page, visible, &count);
    }
    if (unresolved != kInvalidXid) {
      PROBE("scan: a status page had to be read");
      page.release();
      TRY(transactions.resolve(fiber, unresolved));
      continue;
    }
    const Xid base = slotted.base();
    for (uint32_t i = 0; i < count; ++i) {
      const TupleHeader tuple(slotted.item(slotted.slot(visible[i])));
      const Tid tid{block_, visible[i]};
      decoder_->decode(tuple, base, tid, columns, row + i, &arena);
      if (tids != nullptr)
        tids[row + i] = options_.for_index_build ? Tid{block_, roots_[visible[i] - 1]} : tid;
    }
    *page_done = true;
    return count;
  }
}

// The slots of visible versions. Returns the id whose status must be read first, if any.
Xid TableScan::collect_visible(PageRef& page, uint16_t* out, uint32_t* count) {
  const TransactionManager& transactions = access_.transactions();
  const SlottedPage slotted(page.data());
  const uint16_t slots = slotted.slot_count();
  const Xid base = slotted.base();
  const bool all = options_.kind == SnapshotKind::mvcc && slotted.has_flag(kAllVisible);
  VisibilityJudge judge(transactions, snapshot_, options_.kind);
  uint32_t n = 0;
  for (uint16_t s = 1; s <= slots; ++s) {
    const Slot slot = slotted.slot(s);
    if (slot.state != SlotState::normal) continue;
    if (!all) {
      const TupleHeader tuple(slotted.item(slot));
      const Verdict verdict = judge.judge(tuple, base);
      if (verdict == Verdict::unknown) return judge.unresolved();
      hint(transactions, page, slot, tuple, base);
      if (verdict == Verdict::invisible) continue;
    }
    out[n++] = s;
  }
  *count = n;
  return kInvalidXid;
}

// What CREATE INDEX needs. A version that a HOT update has replaced gets no entry: the root's entry
// carries the key of the newest.
Xid TableScan::collect_for_index(PageRef& page, uint16_t* out, uint32_t* count, uint32_t row) {
  const TransactionManager& transactions = access_.transactions();
  const SlottedPage slotted(page.data());
  const uint16_t slots = slotted.slot_count();
  if (roots_ == nullptr) roots_ = std::make_unique<uint16_t[]>(kMaxSlotsPerPage);
  std::fill_n(roots_.get(), kMaxSlotsPerPage, uint16_t{0});
  for (uint16_t s = 1; s <= slots; ++s) {
    const Slot slot = slotted.slot(s);
    uint16_t at = s;
    if (slot.state == SlotState::redirect) {
      at = slot.offset;
    } else if (slot.state != SlotState::normal || TupleHeader(slotted.item(slot)).has2(kHeapOnly)) {
      continue;
    }
    // As pruning follows a chain: the slot of an update that was rolled back may be another row's.
    Xid previous_xmax{};
    while (is_normal(slotted, at) && roots_[at - 1] == 0) {
      const TupleHeader tuple(slotted.item(slotted.slot(at)));
      const bool is_first = previous_xmax == kInvalidXid;
      if (!is_first && tuple.xmin(slotted.base()) != previous_xmax) break;
      if (at != s && !tuple.has2(kHeapOnly)) break;
      roots_[at - 1] = s;
      if (!tuple.has2(kHotUpdated) || tuple.has(kXmaxAborted) || tuple.ctid().block != block_)
        break;
      previous_xmax = tuple.xmax(slotted.base());
      at = tuple.ctid().slot;
    }
  }
  const Lsn horizon = transactions.horizon();
  live_.resize(kBatchRows);
  uint32_t n = 0;
  for (uint16_t s = 1; s <= slots; ++s) {
    const Slot slot = slotted.slot(s);
    if (slot.state != SlotState::normal || roots_[s - 1] == 0) continue;
    Xid unresolved{};
    const TupleHeader tuple(slotted.item(slot));
    bool is_live = true;
    VacuumVerdict verdict =
        judge_for_vacuum(transactions, horizon, tuple, slotted.base(), &unresolved);
    if (verdict == VacuumVerdict::insert_in_progress && !tuple.has(kXmaxAborted) &&
        transactions.running(tuple.xmax(slotted.base())) != nullptr) {
      verdict = VacuumVerdict::delete_in_progress;  // own work, and undone since
    }
    switch (verdict) {
      case VacuumVerdict::unknown: return unresolved;
      case VacuumVerdict::dead:    continue;
      case VacuumVerdict::recently_dead:
      case VacuumVerdict::delete_in_progress:
        if (tuple.has2(kHotUpdated)) {
          PROBE("scan: an index is built over a broken HOT chain");
          met_broken_chain_ = true;
          continue;
        }
        is_live = false;
        break;
      case VacuumVerdict::live:
      case VacuumVerdict::insert_in_progress: break;
    }
    live_[row + n] = is_live ? 1 : 0;
    out[n++] = s;
  }
  *count = n;
  return kInvalidXid;
}

}  // namespace orrery
