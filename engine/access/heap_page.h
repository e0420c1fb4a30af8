// A heap page, PostgreSQL's: line pointers grow up from the header, tuples down from the end. A
// slot number never changes while something may refer to it.
//
//   line pointer, u32:  offset : 15 | state : 2 | length : 15
//   unused     offset and length 0: free for a new row
//   normal     a tuple lies at offset
//   redirect   offset is the slot that took this one's place in its HOT chain
//   dead       an index entry may still point here; vacuum makes it unused
//
//   page header flags    kAllVisible: every tuple is visible to every snapshot (the map says so too, or not yet)
//                        kHasUnusedSlots: worth looking for one
//   header offset 36     prune hint, u32: offset of the oldest xid from the base whose deletes may be prunable; 0 none
#pragma once

#include "storage/buffer_pool.h"
#include "txn/tuple_header.h"

namespace orrery {

enum class SlotState : uint8_t { unused = 0, normal = 1, redirect = 2, dead = 3 };

constexpr uint8_t kHasUnusedSlots = 1;
constexpr uint8_t kAllVisible = 4;
constexpr uint16_t kPageFlagsOffset = offsetof(PageHeader, flags);
constexpr uint16_t kPageLowerOffset = offsetof(PageHeader, lower);
constexpr uint16_t kPageUpperOffset = offsetof(PageHeader, upper);
constexpr uint16_t kPruneHintOffset = 36;
constexpr uint16_t kBaseXidOffset = offsetof(PageHeader, base_xid);
constexpr uint16_t kSlotBytes = 4;
// The longest row: alone on a page, with one line pointer.
constexpr uint32_t kMaxTupleBytes = (kPageBytes - kPageHeaderBytes - kSlotBytes) & ~uint32_t{7};
constexpr uint32_t kMaxSlotsPerPage =
    (kPageBytes - kPageHeaderBytes) / (((kTupleHeaderBytes + 7) & ~7U) + kSlotBytes);

struct Slot {
  uint16_t offset = 0;
  SlotState state = SlotState::unused;
  uint16_t length = 0;
  uint32_t word() const {
    return uint32_t{offset} | static_cast<uint32_t>(state) << 15 |
           static_cast<uint32_t>(length) << 17;
  }
  static Slot of(uint32_t word) {
    return {static_cast<uint16_t>(word & 0x7fff), static_cast<SlotState>(word >> 15 & 3),
            static_cast<uint16_t>(word >> 17)};
  }
  static Slot redirect_to(uint16_t slot) { return {slot, SlotState::redirect, 0}; }
};

constexpr uint32_t align8(uint32_t bytes) { return (bytes + 7) & ~7U; }
constexpr uint16_t slot_offset(uint32_t slot) {
  return static_cast<uint16_t>(kPageHeaderBytes + (slot - 1) * kSlotBytes);
}

// Reads a page with line pointers (heap and btree alike). Slots count from 1.
class SlottedPage {
 public:
  explicit SlottedPage(const std::byte* page) : page_(page) {}

  uint16_t slot_count() const {
    const uint16_t lower = header().lower;
    return lower <= kPageHeaderBytes
               ? uint16_t{0}
               : static_cast<uint16_t>((lower - kPageHeaderBytes) / kSlotBytes);
  }
  Slot slot(uint16_t number) const { return Slot::of(load<uint32_t>(page_ + slot_offset(number))); }
  const std::byte* item(Slot slot) const { return page_ + slot.offset; }
  // Between line pointers and tuples.
  uint32_t gap() const { return header().upper - header().lower; }
  // For a tuple that needs a new line pointer.
  uint32_t room() const { return gap() < kSlotBytes ? 0 : gap() - kSlotBytes; }
  const PageHeader& header() const { return page_header(page_); }
  Xid base() const { return Xid(header().base_xid); }
  bool has_flag(uint8_t flag) const { return (header().flags & flag) != 0; }
  const std::byte* bytes() const { return page_; }

 private:
  const std::byte* page_;
};

inline bool is_normal(const SlottedPage& page, uint16_t slot) {
  return slot >= 1 && slot <= page.slot_count() && page.slot(slot).state == SlotState::normal;
}

// The base id of a page whose first row `xid` writes: ids 2^31 to either side fit.
inline Xid base_for_new_page(Xid xid) {
  return Xid(xid.v > (uint64_t{1} << 31) ? xid.v - (uint64_t{1} << 31) : 0);
}
inline bool fits_base(Xid xid, Xid base) {
  return xid == kBootstrapXid || (xid.v > base.v + kFrozenOffset && xid.v - base.v <= UINT32_MAX);
}
inline uint32_t xid_offset(Xid xid, Xid base) {
  CHECK(fits_base(xid, base));
  return xid == kBootstrapXid ? kFrozenOffset : static_cast<uint32_t>(xid.v - base.v);
}

}  // namespace orrery
