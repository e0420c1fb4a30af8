#include <algorithm>

#include "access/heap_page.h"
#include "access/hot_search.h"
#include "access/prune.h"
#include "access/row_codec.h"
#include "access/table_scan.h"
#include "base/probe.h"
#include "txn/visibility.h"

namespace orrery {

HotSearch::Answer HotSearch::run(uint16_t from) {
  uint16_t at = from;
  // What is not settled yet may be taken back, and the rows of before are there again.
  bool dead = mode == FetchMode::index_entry && transactions.is_settled(Lsn(page.header().lsn));
  if (at < 1 || at > page.slot_count()) return none(dead);
  if (page.slot(at).state == SlotState::redirect && mode == FetchMode::index_entry)
    at = page.slot(at).offset;
  Xid previous_xmax{};
  for (uint32_t step = 0; step <= page.slot_count(); ++step) {
    if (!is_normal(page, at)) return none(dead);
    const TupleHeader tuple(page.item(page.slot(at)));
    if (step > 0 && tuple.xmin(page.base()) != previous_xmax) return none(dead);
    // An index entry never means a heap-only version reached directly: another row took over its
    // slot.
    if (step == 0 && mode == FetchMode::index_entry && at == from && tuple.has2(kHeapOnly))
      return none(dead);
    if (mode == FetchMode::any_version || all_visible) return found(at);
    switch (judge.judge(tuple, page.base())) {
      case Verdict::visible:   return found(at);
      case Verdict::unknown:   unresolved = judge.unresolved(); return Answer::unknown;
      case Verdict::invisible: break;
    }
    if (mode == FetchMode::exact) return none(false);
    if (dead) {
      Xid pending{};
      dead = judge_for_vacuum(transactions, transactions.settled_horizon(), tuple, page.base(),
                              &pending) == VacuumVerdict::dead;
    }
    if (!tuple.has2(kHotUpdated) || tuple.ctid().block != block) return none(dead);
    previous_xmax = tuple.xmax(page.base());
    at = tuple.ctid().slot;
  }
  return none(false);
}

Result<RowState> probe_row(Fiber& fiber, Access& access, const TableInfo& table,
                           const Transaction& transaction, Tid tid) {
  TransactionManager& transactions = access.transactions();
  for (;;) {
    PageRef page = TRY(access.storage().pool().pin(fiber, table.file, tid.block));
    if (page.kind() != PageKind::heap) return RowState{.all_dead = true};
    const Snapshot now = transactions.take_snapshot(&transaction);
    VisibilityJudge judge(transactions, now, SnapshotKind::dirty);
    HotSearch search{transactions, SlottedPage(page.data()), tid.block, judge,
                     FetchMode::index_entry};
    switch (search.run(tid.slot)) {
      case HotSearch::Answer::found:
        return RowState{
            .exists = true, .version = Tid{tid.block, search.slot}, .waits_for = judge.waits_for()};
      case HotSearch::Answer::none:    return RowState{.all_dead = search.all_dead};
      case HotSearch::Answer::unknown: break;
    }
    const Xid unresolved = search.unresolved;
    page.release();
    TRY(transactions.resolve(fiber, unresolved));
  }
}

Result<bool> is_seen_or_own(Fiber& fiber, Access& access, const TableInfo& table,
                            const Snapshot& snapshot, Tid tid) {
  TransactionManager& transactions = access.transactions();
  for (;;) {
    PageRef page = TRY(access.storage().pool().pin(fiber, table.file, tid.block));
    const SlottedPage slotted(page.data());
    if (page.kind() != PageKind::heap || !is_normal(slotted, tid.slot)) return false;
    const TupleHeader tuple(slotted.item(slotted.slot(tid.slot)));
    VisibilityJudge judge(transactions, snapshot);
    const Verdict verdict = judge.judge(tuple, slotted.base());
    if (verdict == Verdict::visible) return true;
    if (verdict == Verdict::invisible) {
      const XidFate inserter = judge.inserter_fate(tuple, slotted.base());
      if (inserter != XidFate::unknown)
        return inserter == XidFate::own_before || inserter == XidFate::own_now;
    }
    page.release();
    TRY(transactions.resolve(fiber, judge.unresolved()));
  }
}

TableFetch::TableFetch(Access& access, const TableInfo& table, std::span<const int16_t> columns)
    : access_(access),
      table_(table),
      decoder_(std::make_unique<RowDecoder>(table.desc, columns, table.oid)) {}

TableFetch::~TableFetch() = default;

Result<TableFetch::Fetched> TableFetch::fetch(Fiber& fiber, const Snapshot& snapshot,
                                              SnapshotKind kind, FetchMode mode,
                                              std::span<const Tid> tids, std::span<Vector> columns,
                                              uint32_t first_row, Arena& arena, Tid* found_tids,
                                              uint16_t* sources, uint8_t* all_dead) {
  TransactionManager& transactions = access_.transactions();
  Fetched result;
  PageRef page;
  VisibilityJudge judge(transactions, snapshot, kind);
  while (result.tids_done < tids.size() && first_row + result.rows < kBatchRows) {
    const Tid tid = tids[result.tids_done];
    if (!page || page.block() != tid.block) {
      page.release();
      const bool prunes = mode == FetchMode::index_entry && kind == SnapshotKind::mvcc;
      page = TRY(prunes ? pin_and_prune(fiber, access_, table_.file, tid.block, kPageBytes / 10)
                        : access_.storage().pool().pin(fiber, table_.file, tid.block));
    }
    const bool all_visible = kind == SnapshotKind::mvcc && (page.header().flags & kAllVisible) != 0;
    HotSearch search{transactions, SlottedPage(page.data()), tid.block, judge, mode, all_visible};
    HotSearch::Answer answer = HotSearch::Answer::none;
    search.all_dead = page.kind() != PageKind::heap;
    if (page.kind() == PageKind::heap) answer = search.run(tid.slot);
    if (answer == HotSearch::Answer::unknown) {
      page.release();
      TRY(transactions.resolve(fiber, search.unresolved));
      continue;
    }
    if (answer == HotSearch::Answer::found) {
      const uint32_t row = first_row + result.rows;
      const Slot slot = search.page.slot(search.slot);
      const TupleHeader tuple(search.page.item(slot));
      const Tid self{tid.block, search.slot};
      const uint16_t mask = tuple.infomask();
      // On an all-visible page nobody asks: a hint would dirty the page for nothing.
      const bool is_known = (mask & (kXminCommitted | kXminAborted)) != 0 &&
                            (mask & (kXmaxCommitted | kXmaxAborted)) != 0;
      if (!is_known && !all_visible) {
        const uint16_t hinted = infomask_with_hints(transactions, tuple, search.page.base());
        if (hinted != mask) {
          page.set_hint(static_cast<uint16_t>(slot.offset + 20),
                        Bytes(reinterpret_cast<const std::byte*>(&hinted), 2));
        }
      }
      decoder_->decode(tuple, search.page.base(), self, columns, row, &arena);
      if (found_tids != nullptr) found_tids[result.rows] = self;
      if (sources != nullptr) sources[result.rows] = static_cast<uint16_t>(result.tids_done);
      ++result.rows;
    }
    if (all_dead != nullptr) {
      all_dead[result.tids_done] =
          answer == HotSearch::Answer::none && search.all_dead && mode == FetchMode::index_entry;
    }
    ++result.tids_done;
    fiber.charge_only(2);
  }
  page.release();
  TRY(fiber.charge(1));
  return result;
}

}  // namespace orrery
