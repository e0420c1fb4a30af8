// A new version of a row. It goes on the same page where there is room, and then needs no new index
// entries unless an indexed column changed (HOT); otherwise on another page. One record over at
// most four pages.
#include <algorithm>

#include "access/free_space.h"
#include "access/heap_internal.h"
#include "access/prune.h"
#include "access/row_codec.h"
#include "access/toast.h"
#include "access/visibility_map.h"
#include "base/probe.h"
#include "base/text.h"

namespace orrery {

// One update on its way; lives on its fiber's stack.
class HeapUpdate {
 public:
  HeapUpdate(Heap& heap, Transaction& transaction, Tid tid, RowValues row, const Snapshot& snapshot,
             RowWait wait)
      : heap_(heap),
        access_(heap.access_),
        table_(heap.table_),
        transaction_(transaction),
        tid_(tid),
        row_(row),
        request_{access_, table_, transaction, tid, snapshot, wait, "updating"},
        ticket_(access_.locks(), transaction, LockTag::row(table_.file, tid)) {}

  Result<ChangeResult> run(Fiber& fiber);

 private:
  struct Changed {
    bool indexed = false;
    bool keys = false;
  };
  Changed compare(TupleHeader old) const;
  Result<bool> pin_what_is_needed(Fiber& fiber);
  Status toast(Fiber& fiber);
  Result<bool> write(Fiber& fiber, bool hot, RowLock strength, ChangeResult* result);
  bool fits_same_page() const;
  Status claim(Fiber& fiber);

  Heap& heap_;
  Access& access_;
  const TableInfo& table_;
  Transaction& transaction_;
  const Tid tid_;
  RowValues row_;
  const ChangeRequest request_;
  RowTicket ticket_;
  ExtraPins extra_;
  PageRef page_;  // of the old version
  Xid xid_{};
  uint32_t size_ = 0;  // of the new version
  bool toasted_ = false;
  bool pruned_ = false;
  Arena arena_;
  alignas(8) std::byte tuple_[kMaxTupleBytes];
};

Result<ChangeResult> Heap::update(Fiber& fiber, Transaction& transaction, Tid tid, RowValues row,
                                  const Snapshot& snapshot, RowWait wait) {
  return HeapUpdate(*this, transaction, tid, row, snapshot, wait).run(fiber);
}

// Which of the columns that matter differ between the stored version and the new row.
HeapUpdate::Changed HeapUpdate::compare(TupleHeader old) const {
  Changed changed;
  if (table_.indexed.empty()) return changed;
  // Room for every column a table can have; most updates use little of it, so it is not cleared.
  constexpr size_t kMostColumns = 1664;
  int16_t wanted[kMostColumns];
  alignas(Datum) std::byte value_room[kMostColumns * sizeof(Datum)];
  uint32_t count = 0;
  for (size_t i = 0; i < table_.desc.size(); ++i) {
    if (table_.indexed.has(static_cast<int>(i))) wanted[count++] = static_cast<int16_t>(i);
  }
  const RowDecoder decoder(table_.desc, std::span(wanted, count), table_.oid);
  auto* const values = reinterpret_cast<Datum*>(value_room);
  uint8_t nulls[kMostColumns];
  decoder.decode_data(old.bytes() + old.data_offset(),
                      old.has(kHasNulls) ? old.null_bitmap() : nullptr, old.column_count(), values,
                      nulls);
  for (uint32_t k = 0; k < count; ++k) {
    const auto i = static_cast<size_t>(wanted[k]);
    const bool same =
        nulls[k] != 0 ? row_.nulls[i] != 0
                      : row_.nulls[i] == 0 && same_value(table_.desc[i], values[k], row_.values[i]);
    if (same) continue;
    changed.indexed = true;
    if (table_.keys.has(static_cast<int>(i))) changed.keys = true;
  }
  return changed;
}

Status HeapUpdate::claim(Fiber& fiber) {
  if (extra_.claimed) return {};
  extra_.claim = TRY(access_.storage().pool().claim(fiber, 6));
  extra_.claimed = true;
  return {};
}

bool HeapUpdate::fits_same_page() const {
  const SlottedPage slotted(page_.data());
  // Room for the row itself is all it takes: what fillfactor spares is spared for updates.
  const uint32_t slot = slot_for_new(page_);
  const uint32_t for_slot = slot > slotted.slot_count() ? kSlotBytes : 0;
  return slot <= kMaxSlotsPerPage && slotted.gap() >= align8(size_) + for_slot;
}

// REQUIRES: page_ is pinned. True when it had to be let go, so that everything must be looked at
// again.
Result<bool> HeapUpdate::pin_what_is_needed(Fiber& fiber) {
  if (!fits_base(xid_, Xid(page_.header().base_xid))) {
    page_.release();
    extra_.release();
    TRY(rebase_page(fiber, access_, table_.file, tid_.block, xid_));
    return true;
  }
  const bool same_page = fits_same_page();
  if (same_page) {
    extra_.other.release();
    extra_.other_map.release();
  } else {
    if (!pruned_ && page_.is_sole_pin()) {
      pruned_ = true;
      TRY(prune_page(fiber, access_, page_));
      page_.release();
      return true;
    }
    if (!extra_.other || !heap_.has_room(extra_.other, size_, xid_)) {
      page_.release();
      extra_.other.release();
      extra_.other_map.release();
      TRY(claim(fiber));
      extra_.other = TRY(heap_.page_with_room(fiber, size_, xid_));
      if (extra_.other.block() == tid_.block) extra_.other.release();  // it has room after all
      return true;
    }
    if ((extra_.other.header().flags & kAllVisible) != 0 && !extra_.other_map) {
      page_.release();
      extra_.other_map =
          TRY(pin_visibility_page(fiber, access_, table_.file, extra_.other.block()));
      return true;
    }
  }
  if ((page_.header().flags & kAllVisible) != 0 && !extra_.map) {
    page_.release();
    if (!extra_.claimed) TRY(claim(fiber));
    extra_.map = TRY(pin_visibility_page(fiber, access_, table_.file, tid_.block));
    return true;
  }
  return false;
}

// Moves out what is too long, and deletes what the old version alone named. REQUIRES: our ticket
// holds the row against every change, from before the old version was looked at.
Status HeapUpdate::toast(Fiber& fiber) {
  const SlottedPage slotted(page_.data());
  const Slot slot = slotted.slot(tid_.slot);
  void* copy = arena_.allocate(slot.length, 8);
  std::memcpy(copy, slotted.item(slot), slot.length);
  page_.release();
  extra_.release();
  const TupleHeader old(static_cast<const std::byte*>(copy));
  const size_t width = table_.desc.size();
  std::vector<int16_t> wanted(width);
  for (size_t i = 0; i < width; ++i) wanted[i] = static_cast<int16_t>(i);
  const RowDecoder decoder(table_.desc, wanted, table_.oid);
  Datum* values = arena_.make_array<Datum>(width).data();
  uint8_t* nulls = arena_.make_array<uint8_t>(width).data();
  decoder.decode_data(old.bytes() + old.data_offset(),
                      old.has(kHasNulls) ? old.null_bitmap() : nullptr, old.column_count(), values,
                      nulls);
  const RowValues old_row{values, nulls};
  row_ = TRY(toast_row(fiber, access_, table_, transaction_, row_, &old_row, arena_));
  size_ = tuple_size(table_.desc, row_);
  TRY(check_tuple_size(size_));
  form_tuple(table_.desc, row_, tuple_);
  toasted_ = true;
  return {};
}

Result<ChangeResult> HeapUpdate::run(Fiber& fiber) {
  xid_ = TRY(access_.transactions().assign_xid(fiber, transaction_));
  size_ = tuple_size(table_.desc, row_);
  const bool long_row = size_ > kToastThreshold || has_external(table_.desc, row_);
  if (!long_row) form_tuple(table_.desc, row_, tuple_);
  Changed changed;
  const auto strength_of = [&](const PageRef&, TupleHeader old) {
    changed = compare(old);
    return changed.keys ? RowLock::update : RowLock::no_key_update;
  };
  for (;;) {
    ChangeResult result =
        TRY(find_changeable(fiber, request_, strength_of, ticket_, extra_, &page_));
    if (result.outcome != ChangeOutcome::ok) return result;
    const SlottedPage slotted(page_.data());
    const TupleHeader old(slotted.item(slotted.slot(tid_.slot)));
    const RowLock strength = changed.keys ? RowLock::update : RowLock::no_key_update;
    if (!toasted_ && (long_row || old.has(kHasExternal))) {
      if (ticket_.covers(strength)) {
        TRY(toast(fiber));
        continue;
      }
      page_.release();
      extra_.release();
      const bool taken = TRY(take_ticket(fiber, request_, ticket_, strength));
      if (!taken) return ChangeResult{.outcome = ChangeOutcome::would_block, .tid = tid_};
      continue;
    }
    if (TRY(pin_what_is_needed(fiber))) continue;
    const bool hot = fits_same_page() && !changed.indexed;
    if (TRY(write(fiber, hot, strength, &result))) return result;
  }
}

// False when something changed while log space was waited for.
Result<bool> HeapUpdate::write(Fiber& fiber, bool hot, RowLock strength, ChangeResult* result) {
  const SlottedPage slotted(page_.data());
  const Slot old_slot = slotted.slot(tid_.slot);
  const TupleHeader old(slotted.item(old_slot));
  PageRef& target = fits_same_page() ? page_ : extra_.other;
  const Tid next{target.block(), slot_for_new(target)};
  const CommandId command = transaction_.use_command();
  stamp_new_version(tuple_, xid_offset(xid_, base_of(target, xid_)), command, next, kUpdated,
                    hot ? kHeapOnly : uint16_t{0});
  const bool keys = strength == RowLock::update;
  const auto flags = static_cast<uint16_t>((hot ? kHotUpdated : 0) | (keys ? kKeysUpdated : 0));
  const EndedHeader ended =
      ended_header(transaction_, access_.transactions(), old, slotted.base(), next, flags);
  Change change(hot ? RecordKind::heap_hot_update : RecordKind::heap_update, xid_);
  add_tuple(change, target, next.slot, Bytes(tuple_, size_), xid_);
  const int p = change.add(page_);
  change.write(p, static_cast<uint16_t>(old_slot.offset + 4), ended.bytes);
  add_prune_hint(change, p, page_, xid_);
  const bool clears = (page_.header().flags & kAllVisible) != 0;
  if (clears) clear_all_visible(change, page_, extra_.map);
  if (&target != &page_ && (target.header().flags & kAllVisible) != 0) {
    clear_all_visible(change, target, extra_.other_map, clears ? page_.block() : kInvalidBlock);
  }
  const uint64_t version = page_.version();
  const uint64_t target_version = target.version();
  TRY(access_.storage().reserve(fiber, change));
  if (page_.version() != version || target.version() != target_version ||
      !may_change_still(request_, ticket_, strength)) {
    return false;
  }
  access_.storage().apply(change);
  ++access_.memory_of(table_.file).dead_estimate;
  access_.locks().copy_row_locks(transaction_.owner(), LockTag::row(table_.file, tid_),
                                 LockTag::row(table_.file, next));
  if (hot) PROBE("heap: a HOT update");
  result->tid = next;
  result->hot = hot;
  return true;
}

}  // namespace orrery
