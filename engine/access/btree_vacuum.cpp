// Taking entries out, and pages that are left empty.
//
// Leaves are visited in key order along their right links: a split moves entries to the right only,
// so none is missed. An empty page is unlinked in one step over its neighbours and its parent; its
// key range falls to its right sibling, whose downlink takes the place of its own. So a page that
// is its parent's last child stays.
#include "access/btree_descent.h"
#include "access/prune.h"
#include "base/probe.h"

namespace orrery {

namespace {

class IndexVacuum {
 public:
  IndexVacuum(Access& access, const IndexOrder& order)
      : access_(access), order_(order), descent_(access, order) {}

  Status run(Fiber& fiber, FunctionRef<bool(Tid)> is_dead, BTree::DeleteResult* result);

 private:
  Status clean_leaf(Fiber& fiber, PageRef& page, FunctionRef<bool(Tid)> is_dead,
                    BTree::DeleteResult* result);
  Result<bool> unlink(Fiber& fiber, BlockNo block);
  Status find_reusable(Fiber& fiber);

  Access& access_;
  const IndexOrder& order_;
  BTreeDescent descent_;
};

Status IndexVacuum::clean_leaf(Fiber& fiber, PageRef& page, FunctionRef<bool(Tid)> is_dead,
                               BTree::DeleteResult* result) {
  for (;;) {
    const BTreePage view(page);
    Slot slots[kMaxItemsPerPage + 1];
    uint32_t count = 0;
    uint32_t removed = 0;
    for (uint16_t n = 1; n < view.end_data(); ++n) {
      const bool data = n >= view.first_data();
      if (data && (view.slot(n).state == SlotState::dead || is_dead(view.item(n).tid()))) {
        ++removed;
      } else {
        slots[count++] = view.slot(n);
      }
    }
    if (removed > 0) {
      Change change(RecordKind::btree_delete);
      const int p = change.add(page);
      const uint16_t upper = compact_page(change, p, page.data(), std::span(slots, count));
      uint32_t words[kMaxItemsPerPage + 1];
      for (uint32_t i = 0; i < count; ++i) words[i] = slots[i].word();
      if (count > 0) {
        change.write(p, kPageHeaderBytes,
                     Bytes(reinterpret_cast<const std::byte*>(words), count * size_t{kSlotBytes}));
      }
      change.write_value(
          p, kPageLowerOffset,
          static_cast<uint32_t>(kPageHeaderBytes + count * kSlotBytes) | uint32_t{upper} << 16);
      change.write_value(p, kBTreeFlagsOffset,
                         static_cast<uint16_t>(view.flags() & ~kBTreeHasKilled));
      const uint64_t horizon = access_.transactions().horizon().v;
      change.info(Bytes(reinterpret_cast<const std::byte*>(&horizon), sizeof horizon));
      const uint64_t version = page.version();
      TRY(access_.storage().reserve(fiber, change));
      if (page.version() != version) continue;
      access_.storage().apply(change);
    }
    result->entries_removed += removed;
    result->entries_left +=
        static_cast<uint64_t>(BTreePage(page).end_data() - BTreePage(page).first_data());
    return {};
  }
}

Status IndexVacuum::run(Fiber& fiber, FunctionRef<bool(Tid)> is_dead, BTree::DeleteResult* result) {
  std::vector<BlockNo> empty;
  {
    const Descents::Guard guard(access_.descents());
    const SearchKey lowest{};
    PageRef page = TRY(descent_.descend(fiber, lowest, 0, nullptr, false));
    for (;;) {
      const BTreePage view(page);
      if (!view.has(kBTreeDeleted)) {
        TRY(clean_leaf(fiber, page, is_dead, result));
        if (view.first_data() == view.end_data() && !view.is_rightmost())
          empty.push_back(page.block());
      }
      const BlockNo right = view.right();
      ++result->pages;
      page.release();
      if (right == kInvalidBlock) break;
      TRY(fiber.charge(50));
      page = TRY(descent_.pin(fiber, right));
    }
  }
  for (const BlockNo block : empty) {
    if (TRY(unlink(fiber, block))) ++result->pages_unlinked;
  }
  return find_reusable(fiber);
}

Result<bool> IndexVacuum::unlink(Fiber& fiber, BlockNo block) {
  const Descents::Guard guard(access_.descents());
  const PinClaim claim = TRY(access_.storage().pool().claim(fiber, 5));
  PageRef page = TRY(descent_.pin(fiber, block));
  const BTreePage view(page);
  const auto still_empty = [&] {
    return !view.has(kBTreeDeleted | kBTreeRoot | kBTreeIncompleteSplit) && view.is_leaf() &&
           !view.is_rightmost() && view.first_data() == view.end_data();
  };
  if (!still_empty()) return false;
  // Its parent is where its high key leads from just below: the last separator under the high key.
  alignas(8) std::byte high[kPageBytes / 2];
  IndexOrder::copy_pivot(view.high_key(), block, high);
  IndexOrder::ItemKey key;
  order_.key_of(IndexItem(high), &key);
  PageRef parent = TRY(descent_.descend(fiber, key.key, 1, nullptr, false));
  if (!parent) return false;
  PageRef right = TRY(descent_.pin(fiber, view.right()));
  PageRef left;
  if (view.left() != kInvalidBlock) left = TRY(descent_.pin(fiber, view.left()));
  // All pinned; from here on only reserve() suspends.
  const BTreePage above(parent);
  const uint16_t next = order_.find_child(key.key, above);  // the right sibling's downlink
  const bool fits = still_empty() && !above.has(kBTreeDeleted) && next > above.first_data() &&
                    above.item(next).child() == right.block() &&
                    above.item(static_cast<uint16_t>(next - 1)).child() == block &&
                    view.right() == right.block() && BTreePage(right).left() == block &&
                    (left ? view.left() == left.block() && BTreePage(left).right() == block &&
                                !BTreePage(left).has(kBTreeIncompleteSplit | kBTreeDeleted)
                          : view.left() == kInvalidBlock);
  if (!fits) {
    PROBE("btree: an empty page could not be unlinked");
    return false;
  }
  Change change(RecordKind::btree_unlink_page);
  const int p = change.add(parent);
  const auto mine = static_cast<uint16_t>(next - 1);
  change.write_value(p, above.slot(mine).offset, right.block().v);
  const uint16_t behind = slot_offset(next + 1U);
  const uint16_t lower = parent.header().lower;
  if (behind < lower)
    change.move(p, slot_offset(next), behind, static_cast<uint16_t>(lower - behind));
  change.write_value(p, kPageLowerOffset, static_cast<uint16_t>(lower - kSlotBytes));
  change.write_value(change.add(right), kBTreeLeftOffset, view.left().v);
  if (left) change.write_value(change.add(left), kBTreeRightOffset, right.block().v);
  change.write_value(change.add(page), kBTreeFlagsOffset,
                     static_cast<uint16_t>(kBTreeLeaf | kBTreeDeleted));
  const uint64_t versions[] = {parent.version(), right.version(), page.version(),
                               left ? left.version() : 0};
  TRY(access_.storage().reserve(fiber, change));
  if (parent.version() != versions[0] || right.version() != versions[1] ||
      page.version() != versions[2] || (left && left.version() != versions[3])) {
    return false;  // the next vacuum will
  }
  access_.storage().apply(change);
  descent_.memory().unlinked.push_back({block, access_.descents().moment()});
  PROBE("btree: a page was unlinked");
  return true;
}

// After a start nothing is remembered of pages unlinked before: they are found by looking.
Status IndexVacuum::find_reusable(Fiber& fiber) {
  IndexMemory& memory = descent_.memory();
  if (std::exchange(memory.searched, true)) return {};
  const BlockNo blocks = TRY(access_.storage().file_size(fiber, descent_.file()));
  const uint64_t moment = access_.descents().moment();
  for (BlockNo block{1}; block < blocks; block = block.next()) {
    const PageRef page = TRY(access_.storage().pool().pin(fiber, descent_.file(), block));
    // A page of zeros was to be linked by somebody who failed, or is about to be by one who pins
    // it.
    const bool unused = page.kind() == PageKind::none
                            ? page.is_sole_pin()
                            : page.kind() == PageKind::btree && BTreePage(page).has(kBTreeDeleted);
    const auto is_this = [&](const IndexMemory::Unlinked& entry) { return entry.block == block; };
    if (unused && std::none_of(memory.unlinked.begin(), memory.unlinked.end(), is_this)) {
      memory.unlinked.push_back({block, moment});
    }
    TRY(fiber.charge(10));
  }
  return {};
}

}  // namespace

Result<BTree::DeleteResult> BTree::bulk_delete(Fiber& fiber, FunctionRef<bool(Tid)> is_dead) {
  const IndexOrder order(index_);
  DeleteResult result;
  TRY(IndexVacuum(access_, order).run(fiber, is_dead, &result));
  return result;
}

}  // namespace orrery
