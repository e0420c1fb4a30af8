// The 23 bytes in front of every row version, PostgreSQL's layout, except that xmin and xmax are
// 32-bit offsets from the page's base transaction id. Declared here because visibility is decided
// from it; access builds and parses the rest.
//
//   at  bytes  field
//    0      4  xmin: who inserted it      (0 nobody: killed; 1 frozen: always committed; else base + offset)
//    4      4  xmax: who deleted it       (0 nobody)
//    8      4  command: cmin, cmax or a combo id; means something to the writing transaction only
//   12      6  ctid: the next version, itself when there is none (block u32, slot u16)
//   18      2  infomask2: column count (11 bits) and flags
//   20      2  infomask
//   22      1  hoff: where the data begins, a multiple of 8
//   23      .  null bitmap (1 is present), when kHasNulls
//
// Hint bits (kXminCommitted...) are never needed for an answer: they save a question about a
// transaction that every snapshot agrees on. See decisions/0201.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

namespace orrery {

constexpr uint32_t kTupleHeaderBytes = 23;
constexpr uint32_t kFrozenOffset = 1;

// infomask
constexpr uint16_t kHasNulls = 0x0001;
constexpr uint16_t kHasVarWidth = 0x0002;
constexpr uint16_t kHasExternal = 0x0004;   // a TOAST pointer is inside
constexpr uint16_t kComboCommand = 0x0020;  // command names a pair in the transaction's combo table
constexpr uint16_t kXminCommitted = 0x0100;  // hint
constexpr uint16_t kXminAborted = 0x0200;    // hint
constexpr uint16_t kXmaxCommitted = 0x0400;  // hint
constexpr uint16_t kXmaxAborted = 0x0800;    // hint: or there is none
constexpr uint16_t kUpdated = 0x2000;        // this version came from an update

// infomask2
constexpr uint16_t kColumnCountMask = 0x07ff;
constexpr uint16_t kKeysUpdated =
    0x2000;  // deleted, or updated in a column that foreign keys may refer to
constexpr uint16_t kHotUpdated = 0x4000;  // the next version is on this page and has no index entry
constexpr uint16_t kHeapOnly = 0x8000;    // reached only through its predecessor

// A view of a header lying in a page or in a tuple being built.
class TupleHeader {
 public:
  explicit TupleHeader(const std::byte* at) : at_(at) {}

  uint32_t xmin_offset() const { return load<uint32_t>(at_); }
  uint32_t xmax_offset() const { return load<uint32_t>(at_ + 4); }
  uint32_t command() const { return load<uint32_t>(at_ + 8); }
  Tid ctid() const { return {BlockNo(load<uint32_t>(at_ + 12)), load<uint16_t>(at_ + 16)}; }
  uint16_t infomask2() const { return load<uint16_t>(at_ + 18); }
  uint16_t infomask() const { return load<uint16_t>(at_ + 20); }
  uint8_t data_offset() const { return load<uint8_t>(at_ + 22); }
  const std::byte* null_bitmap() const { return at_ + kTupleHeaderBytes; }
  uint16_t column_count() const { return infomask2() & kColumnCountMask; }
  bool has(uint16_t flag) const { return (infomask() & flag) != 0; }
  bool has2(uint16_t flag) const { return (infomask2() & flag) != 0; }

  // kInvalidXid for none, kBootstrapXid for frozen.
  Xid xmin(Xid base) const { return widen(xmin_offset(), base); }
  Xid xmax(Xid base) const { return widen(xmax_offset(), base); }
  static Xid widen(uint32_t offset, Xid base) {
    return offset <= kFrozenOffset ? Xid(offset) : Xid(base.v + offset);
  }
  const std::byte* bytes() const { return at_; }

 private:
  const std::byte* at_;
};

}  // namespace orrery
