// Insertion at any level: where there is room, else by a split, whose downlink is an insertion one
// level up.
#include <algorithm>

#include "access/btree_descent.h"
#include "access/prune.h"
#include "base/probe.h"

namespace orrery {

namespace {

constexpr uint32_t kClaimPages = 6;

uint32_t slot_and_item(uint32_t bytes) { return align8(bytes) + kSlotBytes; }

void write_opaque(Change& change, int p, BlockNo left, BlockNo right, uint32_t level,
                  uint16_t flags) {
  change.write_value(p, kBTreeLeftOffset, left.v | uint64_t{right.v} << 32);
  change.write_value(p, kBTreeSpecial + 8, level | uint64_t{flags} << 32);
}

void write_bounds(Change& change, int p, uint32_t lower, uint32_t upper) {
  change.write_value(p, kPageLowerOffset, static_cast<uint32_t>(lower | upper << 16));
}

void clear_incomplete(Change& change, PageRef& left) {
  change.write_value(change.add(left), kBTreeFlagsOffset,
                     static_cast<uint16_t>(BTreePage(left).flags() & ~kBTreeIncompleteSplit));
}

// The items of a page as they will be, written from the page's end down.
class PageImage {
 public:
  void add(Bytes item) {
    upper_ -= align8(static_cast<uint32_t>(item.size()));
    CHECK(upper_ >= kPageHeaderBytes + (count_ + 1) * kSlotBytes);
    std::memset(bytes_ + upper_, 0, align8(static_cast<uint32_t>(item.size())));
    std::memcpy(bytes_ + upper_, item.data(), item.size());
    words_[count_++] =
        Slot{static_cast<uint16_t>(upper_), SlotState::normal, static_cast<uint16_t>(item.size())}
            .word();
  }
  void write(Change& change, int p) const {
    change.write(p, static_cast<uint16_t>(upper_), Bytes(bytes_ + upper_, kBTreeSpecial - upper_));
    change.write(p, kPageHeaderBytes,
                 Bytes(reinterpret_cast<const std::byte*>(words_), count_ * size_t{kSlotBytes}));
    write_bounds(change, p, kPageHeaderBytes + count_ * kSlotBytes, upper_);
  }

 private:
  uint32_t upper_ = kBTreeSpecial;
  uint32_t count_ = 0;
  uint32_t words_[kMaxItemsPerPage + 2];
  alignas(8) std::byte bytes_[kPageBytes];
};

}  // namespace

// What a split will do, worked out from pinned pages without suspension.
struct BTreeDescent::Split {
  Bytes items[kMaxItemsPerPage + 2];
  uint32_t count = 0;
  uint32_t at = 0;  // the first item that goes right
  alignas(8) std::byte separator[kPageBytes / 2];
  uint32_t separator_bytes = 0;
  alignas(8) std::byte first_right[kItemHeaderBytes];
  PageImage left, right;

  // All items in order, the new one among them; killed ones stay behind.
  void collect(const BTreePage& page, uint16_t position, Bytes item) {
    for (uint16_t n = page.first_data(); n < page.end_data(); ++n) {
      if (n == position) items[count++] = item;
      if (page.slot(n).state == SlotState::dead) continue;
      items[count++] = Bytes(page.item(n).bytes(), page.slot(n).length);
    }
    if (position == page.end_data()) items[count++] = item;
  }
  // Half and half, but a page that grows at its right end keeps what fillfactor says. Of the places
  // where both sides fit (three items of the longest kind fit a page, so there is one) that nearest
  // to the wish.
  void choose(bool grows_at_end, int fillfactor, uint32_t old_high_key_bytes) {
    CHECK(count >= 2);
    constexpr uint64_t kRoom = kBTreeSpecial - kPageHeaderBytes;
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; ++i)
      total += slot_and_item(static_cast<uint32_t>(items[i].size()));
    const uint64_t wanted =
        grows_at_end ? kRoom * static_cast<uint64_t>(fillfactor) / 100 : total / 2;
    uint64_t left_bytes = 0;
    uint64_t best_distance = UINT64_MAX;
    for (uint32_t i = 1; i < count; ++i) {
      left_bytes += slot_and_item(static_cast<uint32_t>(items[i - 1].size()));
      const uint64_t high_key =
          slot_and_item(static_cast<uint32_t>(items[i].size()) + kPivotTidBytes);
      if (left_bytes + high_key > kRoom || total - left_bytes + old_high_key_bytes > kRoom)
        continue;
      const uint64_t distance = left_bytes > wanted ? left_bytes - wanted : wanted - left_bytes;
      if (distance >= best_distance) continue;
      best_distance = distance;
      at = i;
    }
    CHECK(at > 0);
  }
};

Result<bool> BTreeDescent::remove_killed(Fiber& fiber, PageRef& page) {
  const BTreePage view(page);
  if (!view.has(kBTreeHasKilled) || !view.is_leaf()) return false;
  Slot slots[kMaxItemsPerPage + 1];
  uint32_t count = 0;
  for (uint16_t n = 1; n < view.end_data(); ++n) {
    if (view.slot(n).state != SlotState::dead) slots[count++] = view.slot(n);
  }
  if (count + 1 == view.end_data()) return false;
  Change change(RecordKind::btree_delete);
  const int p = change.add(page);
  const uint16_t upper = compact_page(change, p, page.data(), std::span(slots, count));
  uint32_t words[kMaxItemsPerPage + 1];
  for (uint32_t i = 0; i < count; ++i) words[i] = slots[i].word();
  if (count > 0) {
    change.write(p, kPageHeaderBytes,
                 Bytes(reinterpret_cast<const std::byte*>(words), count * size_t{kSlotBytes}));
  }
  write_bounds(change, p, kPageHeaderBytes + count * kSlotBytes, upper);
  change.write_value(p, kBTreeFlagsOffset, static_cast<uint16_t>(view.flags() & ~kBTreeHasKilled));
  const uint64_t horizon = access_.transactions().horizon().v;
  change.info(Bytes(reinterpret_cast<const std::byte*>(&horizon), sizeof horizon));
  const uint64_t version = page.version();
  TRY(access_.storage().reserve(fiber, change));
  if (page.version() != version) return true;
  access_.storage().apply(change);
  PROBE("btree: killed entries made room");
  return true;
}

// REQUIRES: the item's place is on this page. done is set when the step was taken; else look again.
Result<bool> BTreeDescent::insert_with_room(Fiber& fiber, const Insertion& insertion, PageRef& page,
                                            PageRef* child, FunctionRef<bool()> still_wanted,
                                            bool* done) {
  const BTreePage view(page);
  const auto size = static_cast<uint32_t>(insertion.item.size());
  const uint16_t n = order_.find_first(insertion.key, view, view.first_data(), view.end_data());
  const PageHeader& header = page.header();
  const auto upper = static_cast<uint16_t>(header.upper - align8(size));
  Change change(RecordKind::btree_insert, insertion.xid);
  const int p = change.add(page);
  change.write(p, upper, insertion.item);
  if (n < view.end_data()) {
    change.move(p, static_cast<uint16_t>(slot_offset(n) + kSlotBytes), slot_offset(n),
                static_cast<uint16_t>(header.lower - slot_offset(n)));
  }
  change.write_value(p, slot_offset(n),
                     Slot{upper, SlotState::normal, static_cast<uint16_t>(size)}.word());
  write_bounds(change, p, header.lower + uint32_t{kSlotBytes}, upper);
  if (child != nullptr) clear_incomplete(change, *child);
  const uint64_t version = page.version();
  const uint64_t child_version = child == nullptr ? 0 : child->version();
  TRY(access_.storage().reserve(fiber, change));
  if (page.version() != version || (child != nullptr && child->version() != child_version))
    return true;
  *done = true;
  if (!still_wanted()) return false;
  access_.storage().apply(change);
  if (insertion.level == 0) ++memory_.insertions;
  return true;
}

Result<bool> BTreeDescent::insert(Fiber& fiber, const Insertion& insertion,
                                  FunctionRef<bool()> still_wanted) {
  const auto size = static_cast<uint32_t>(insertion.item.size());
  for (;;) {
    TRY(fiber.charge(4));
    PageRef page = TRY(descend(fiber, insertion.key, insertion.level, nullptr, true));
    if (!page) {
      TRY(grow_root(fiber, insertion.left_child, insertion.level - 1));
      return true;
    }
    if (insertion.level == 0) {
      bool done = false;
      if (BTreePage(page).has_room(size)) {
        const bool inserted =
            TRY(insert_with_room(fiber, insertion, page, nullptr, still_wanted, &done));
        if (done) return inserted;
        continue;
      }
      if (TRY(remove_killed(fiber, page))) continue;
    }
    page.release();
    const Attempt attempt = TRY(insert_claimed(fiber, insertion, still_wanted));
    if (attempt.incomplete != kInvalidBlock)
      TRY(finish_split(fiber, attempt.incomplete, insertion.level));
    if (attempt.done) return attempt.inserted;
  }
}

// One attempt with all the pages it may take: the page, its right sibling, a new page, the child.
Result<BTreeDescent::Attempt> BTreeDescent::insert_claimed(Fiber& fiber, const Insertion& insertion,
                                                           FunctionRef<bool()> still_wanted) {
  const PinClaim claim = TRY(access_.storage().pool().claim(fiber, kClaimPages));
  PageRef child;
  if (insertion.left_child != kInvalidBlock) {
    child = TRY(pin(fiber, insertion.left_child));
    if (!BTreePage(child).has(kBTreeIncompleteSplit)) return Attempt{.done = true};
  }
  PageRef page = TRY(descend(fiber, insertion.key, insertion.level, nullptr, false));
  if (!page) return Attempt{};
  const BTreePage view(page);
  if (view.has(kBTreeIncompleteSplit)) return Attempt{.incomplete = page.block()};
  PageRef* child_or_null = child ? &child : nullptr;
  if (child && !BTreePage(child).has(kBTreeIncompleteSplit)) return Attempt{.done = true};
  if (view.has_room(static_cast<uint32_t>(insertion.item.size()))) {
    Attempt attempt;
    attempt.inserted =
        TRY(insert_with_room(fiber, insertion, page, child_or_null, still_wanted, &attempt.done));
    return attempt;
  }
  PageRef allocated = TRY(allocate(fiber));
  FreshPage fresh(*this, std::move(allocated));
  PageRef sibling;
  const BlockNo right = BTreePage(page).right();
  if (right != kInvalidBlock) sibling = TRY(pin(fiber, right));
  // Those suspended, perhaps: the page may no longer be the one.
  Attempt attempt;
  const bool still_there = !view.has(kBTreeDeleted) && !view.has(kBTreeIncompleteSplit) &&
                           view.right() == right && !order_.is_beyond(insertion.key, view) &&
                           !view.has_room(static_cast<uint32_t>(insertion.item.size())) &&
                           (!child || BTreePage(child).has(kBTreeIncompleteSplit));
  if (still_there) {
    TRY(split(fiber, insertion, page, fresh.page(), sibling, child_or_null, still_wanted,
              &attempt));
  }
  if (attempt.incomplete != kInvalidBlock) fresh.set_used();
  return attempt;
}

Status BTreeDescent::split(Fiber& fiber, const Insertion& insertion, PageRef& page, PageRef& fresh,
                           PageRef& sibling, PageRef* child, FunctionRef<bool()> still_wanted,
                           Attempt* attempt) {
  const BTreePage view(page);
  const auto plan = std::make_unique<Split>();  // too large for a fiber's stack
  const uint16_t n = order_.find_first(insertion.key, view, view.first_data(), view.end_data());
  plan->collect(view, n, insertion.item);
  const bool grows_at_end = view.is_rightmost() && n == view.end_data();
  plan->choose(grows_at_end, view.is_leaf() ? order_.index().fillfactor : 70,
               view.is_rightmost() ? 0 : slot_and_item(view.slot(1).length));
  const IndexItem first_right(plan->items[plan->at].data());
  if (view.is_leaf()) {
    plan->separator_bytes = order_.form_separator(IndexItem(plan->items[plan->at - 1].data()),
                                                  first_right, fresh.block(), plan->separator);
  } else {
    plan->separator_bytes = IndexOrder::copy_pivot(first_right, fresh.block(), plan->separator);
    IndexOrder::minus_infinity(first_right.child(), plan->first_right);
    plan->items[plan->at] = Bytes(plan->first_right, kItemHeaderBytes);
  }
  plan->left.add(Bytes(plan->separator, plan->separator_bytes));
  for (uint32_t i = 0; i < plan->at; ++i) plan->left.add(plan->items[i]);
  if (!view.is_rightmost()) plan->right.add(Bytes(view.high_key().bytes(), view.slot(1).length));
  for (uint32_t i = plan->at; i < plan->count; ++i) plan->right.add(plan->items[i]);

  Change change(RecordKind::btree_split, insertion.xid);
  const int right = change.add(fresh);
  change.init(right, PageKind::btree, kBTreeSpecialBytes);
  plan->right.write(change, right);
  const auto kept_flags = static_cast<uint16_t>(view.flags() & kBTreeLeaf);
  write_opaque(change, right, page.block(), view.right(), view.level(), kept_flags);
  const int left = change.add(page);
  plan->left.write(change, left);
  write_opaque(change, left, view.left(), fresh.block(), view.level(),
               static_cast<uint16_t>(kept_flags | kBTreeIncompleteSplit));
  if (sibling) change.write_value(change.add(sibling), kBTreeLeftOffset, fresh.block().v);
  if (child != nullptr) clear_incomplete(change, *child);
  const uint64_t versions[] = {page.version(), fresh.version(), sibling ? sibling.version() : 0,
                               child != nullptr ? child->version() : 0};
  TRY(access_.storage().reserve(fiber, change));
  if (page.version() != versions[0] || fresh.version() != versions[1] ||
      (sibling && sibling.version() != versions[2]) ||
      (child != nullptr && child->version() != versions[3])) {
    return {};
  }
  if (!still_wanted()) {
    attempt->done = true;
    return {};
  }
  access_.storage().apply(change);
  if (insertion.level == 0) ++memory_.insertions;
  if (insertion.level > 0) PROBE("btree: an internal page was split");
  *attempt = {.done = true, .inserted = true, .incomplete = page.block()};
  return {};
}

Status BTreeDescent::finish_split(Fiber& fiber, BlockNo left, uint32_t level) {
  alignas(8) std::byte item[kPageBytes / 2];
  uint32_t size = 0;
  {
    const PageRef page = TRY(pin(fiber, left));
    const BTreePage view(page);
    if (!view.has(kBTreeIncompleteSplit)) return {};
    size = IndexOrder::copy_pivot(view.high_key(), view.right(), item);
  }
  IndexOrder::ItemKey key;
  order_.key_of(IndexItem(item), &key);
  const Insertion insertion{
      .item = Bytes(item, size), .key = key.key, .level = level + 1, .left_child = left};
  TRY(insert(fiber, insertion, [] { return true; }));
  return {};
}

// The root was split: a new one above it.
Status BTreeDescent::grow_root(Fiber& fiber, BlockNo left, uint32_t level) {
  const PinClaim claim = TRY(access_.storage().pool().claim(fiber, 4));
  PageRef allocated = TRY(allocate(fiber));
  FreshPage fresh_page(*this, std::move(allocated));
  PageRef& fresh = fresh_page.page();
  const uint64_t fresh_version = fresh.version();
  PageRef meta = TRY(pin(fiber, kBTreeMetaBlock));
  PageRef old = TRY(pin(fiber, left));
  for (;;) {
    const BTreePage view(old);
    if (!view.has(kBTreeIncompleteSplit) || load<uint32_t>(meta.data() + kMetaRootOffset) != left.v)
      break;
    alignas(8) std::byte first[kItemHeaderBytes];
    alignas(8) std::byte second[kPageBytes / 2];
    IndexOrder::minus_infinity(left, first);
    const uint32_t second_bytes = IndexOrder::copy_pivot(view.high_key(), view.right(), second);
    const auto image = std::make_unique<PageImage>();
    image->add(first);
    image->add(Bytes(second, second_bytes));
    Change change(RecordKind::btree_new_root);
    const int root = change.add(fresh);
    change.init(root, PageKind::btree, kBTreeSpecialBytes);
    image->write(change, root);
    write_opaque(change, root, kInvalidBlock, kInvalidBlock, level + 1, kBTreeRoot);
    change.write_value(change.add(meta), kMetaRootOffset,
                       fresh.block().v | uint64_t{level + 1} << 32);
    clear_incomplete(change, old);
    const uint64_t version = old.version();
    const uint64_t meta_version = meta.version();
    TRY(access_.storage().reserve(fiber, change));
    if (fresh.version() != fresh_version) {
      fresh_page.set_used();
      return {};  // taken: left to the next insertion that comes by
    }
    if (old.version() != version || meta.version() != meta_version) continue;
    access_.storage().apply(change);
    fresh_page.set_used();
    memory_.root = fresh.block();
    return {};
  }
  return {};
}

}  // namespace orrery
