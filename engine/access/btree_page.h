// The anatomy of an index page, nbtree's: line pointers as in a heap page, items, and 16 bytes of
// links at the end.
//
//   special at 8176:  0 left sibling u32 | 4 right sibling u32 | 8 level u32 (0 leaf) | 12 flags u16 | 14 zero
//   no sibling is kInvalidBlock.
//
//   meta page, block 0:  64 magic u32 | 68 version u32 | 72 root u32 | 76 level of the root u32
//
//   slots     a page with a right sibling has its high key in slot 1 and data from slot 2 on; others data from slot 1.
//             The first data item of an internal page has no key: minus infinity.
//
//   item      0 block u32 | 4 slot u16 | 6 info u16, then a 4-byte null bitmap and 4 zeros if kItemHasNulls, then values
//             info: size (13 bits) and flags. Leaf: block and slot are the heap tid.
//             Pivot (internal items and all high keys): block is the child, slot holds the number of key columns that
//             were kept and kPivotHasTid when the last 8 bytes of the item are a tid (block u32, slot u16, zero).
//
//   A separator S stands for (its columns, then minus infinity). Left of it: items < S; right of it: items >= S.
#pragma once

#include "access/heap_page.h"
#include "access/relation.h"

namespace orrery {

constexpr uint16_t kBTreeSpecialBytes = 16;
constexpr uint16_t kBTreeSpecial = kPageBytes - kBTreeSpecialBytes;
constexpr uint16_t kBTreeLeftOffset = kBTreeSpecial;
constexpr uint16_t kBTreeRightOffset = kBTreeSpecial + 4;
constexpr uint16_t kBTreeFlagsOffset = kBTreeSpecial + 12;

constexpr uint16_t kBTreeLeaf = 1;
constexpr uint16_t kBTreeRoot = 2;
constexpr uint16_t kBTreeDeleted = 4;
constexpr uint16_t kBTreeMeta = 8;
constexpr uint16_t kBTreeHasKilled = 64;         // hint: some line pointers are dead
constexpr uint16_t kBTreeIncompleteSplit = 128;  // the right sibling has no downlink yet

constexpr BlockNo kBTreeMetaBlock{0};
constexpr uint32_t kBTreeMagic = 0x6f627431;  // "1tbo"
constexpr uint32_t kBTreeVersion = 1;
constexpr uint16_t kMetaRootOffset = kPageHeaderBytes + 8;
constexpr uint16_t kMetaLevelOffset = kPageHeaderBytes + 12;

constexpr uint16_t kItemSizeMask = 0x1fff;
constexpr uint16_t kItemPivot = 0x2000;
constexpr uint16_t kItemHasNulls = 0x8000;
constexpr uint16_t kPivotHasTid = 0x1000;
constexpr uint16_t kPivotCountMask = 0x0fff;
constexpr uint32_t kItemHeaderBytes = 8;
constexpr uint32_t kPivotTidBytes = 8;

// Three items fit a page, as in PostgreSQL, with room for a tid that truncation may add.
constexpr uint32_t kMaxItemBytes =
    ((kPageBytes - kPageHeaderBytes - 3 * kSlotBytes - kBTreeSpecialBytes) / 3 & ~7U) -
    kPivotTidBytes;
constexpr uint32_t kMaxItemsPerPage =
    (kPageBytes - kPageHeaderBytes - kBTreeSpecialBytes) / (kItemHeaderBytes + kSlotBytes);

// A view of an item.
class IndexItem {
 public:
  explicit IndexItem(const std::byte* at) : at_(at) {}
  uint16_t info() const { return load<uint16_t>(at_ + 6); }
  uint32_t size() const { return info() & kItemSizeMask; }
  bool is_pivot() const { return (info() & kItemPivot) != 0; }
  bool has_nulls() const { return (info() & kItemHasNulls) != 0; }
  const std::byte* bitmap() const { return has_nulls() ? at_ + kItemHeaderBytes : nullptr; }
  const std::byte* data() const { return at_ + kItemHeaderBytes + (has_nulls() ? 8 : 0); }
  // Leaf: the heap row. Pivot: the tid kept as the last part of the separator, if any.
  Tid tid() const {
    if (!is_pivot()) return {BlockNo(load<uint32_t>(at_)), load<uint16_t>(at_ + 4)};
    if ((load<uint16_t>(at_ + 4) & kPivotHasTid) == 0) return {};
    const std::byte* tail = at_ + size() - kPivotTidBytes;
    return {BlockNo(load<uint32_t>(tail)), load<uint16_t>(tail + 4)};
  }
  BlockNo child() const { return BlockNo(load<uint32_t>(at_)); }
  // Pivot: how many key columns it kept.
  uint16_t kept_columns() const { return load<uint16_t>(at_ + 4) & kPivotCountMask; }
  const std::byte* bytes() const { return at_; }

 private:
  const std::byte* at_;
};

class BTreePage {
 public:
  explicit BTreePage(const std::byte* page) : page_(page) {}
  explicit BTreePage(const PageRef& page) : page_(page.data()) {}

  BlockNo left() const { return BlockNo(load<uint32_t>(bytes() + kBTreeLeftOffset)); }
  BlockNo right() const { return BlockNo(load<uint32_t>(bytes() + kBTreeRightOffset)); }
  uint32_t level() const { return load<uint32_t>(bytes() + kBTreeSpecial + 8); }
  uint16_t flags() const { return load<uint16_t>(bytes() + kBTreeFlagsOffset); }
  bool has(uint16_t flag) const { return (flags() & flag) != 0; }
  bool is_leaf() const { return has(kBTreeLeaf); }
  bool is_rightmost() const { return right() == kInvalidBlock; }

  uint16_t first_data() const { return is_rightmost() ? 1 : 2; }
  uint16_t end_data() const { return static_cast<uint16_t>(page_.slot_count() + 1); }
  Slot slot(uint16_t n) const { return page_.slot(n); }
  IndexItem item(uint16_t n) const { return IndexItem(page_.item(page_.slot(n))); }
  IndexItem high_key() const { return item(1); }
  // For one more item and its line pointer.
  bool has_room(uint32_t item_bytes) const {
    return page_.gap() >= align8(item_bytes) + kSlotBytes;
  }
  const std::byte* bytes() const { return page_.bytes(); }

 private:
  SlottedPage page_;
};

}  // namespace orrery
