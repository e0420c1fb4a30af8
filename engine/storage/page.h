// A page: 8192 bytes that know who they are.
//
//   offset  size  field
//        0     8  lsn of the last record that changed the page; hints do not
//        8     4  checksum: crc32c of address and page, this field as zero. Right only on disk
//       12     2  format of the header, 1
//       14     2  key id, 0: not encrypted
//       16     8  file   } the page's own address
//       24     4  block  }
//       28     1  kind: who understands the rest
//       29     1  flags, the kind's own
//       30     2  lower } free space lies between, for kinds that have
//       32     2  upper } line pointers below and tuples above
//       34     2  special: where the kind's own tail begins
//       36     4  zero
//       40     8  base xid: tuples hold 32-bit offsets from it
//       48    16  zero, reserved
//       64        the kind's
//
// A page of zeros is a page that was allocated and never initialised: valid, and as new. Nothing
// else may be without a right checksum and address. Pages are copied before they are stamped, so
// bytes in the pool never hold a checksum.
#pragma once

#include "base/bytes.h"
#include "storage/file_id.h"

namespace orrery {

constexpr size_t kPageBytes = 8192;

enum class PageKind : uint8_t {
  none = 0,
  heap = 1,
  btree = 2,
  free_space = 3,
  visibility = 4,
  transaction_status = 5,
  sequence = 6,
  test = 255,
};

struct PageHeader {
  uint64_t lsn;
  uint32_t checksum;
  uint16_t format;
  uint16_t key_id;
  uint64_t file;
  uint32_t block;
  uint8_t kind;
  uint8_t flags;
  uint16_t lower;
  uint16_t upper;
  uint16_t special;
  uint32_t zero;
  uint64_t base_xid;
  uint64_t reserved[2];
};
constexpr size_t kPageHeaderBytes = sizeof(PageHeader);
static_assert(kPageHeaderBytes == 64);
static_assert(std::has_unique_object_representations_v<PageHeader>);
static_assert(offsetof(PageHeader, kind) == 28 && offsetof(PageHeader, lower) == 30);
static_assert(offsetof(PageHeader, upper) == 32 && offsetof(PageHeader, special) == 34);
static_assert(offsetof(PageHeader, base_xid) == 40);

constexpr uint16_t kPageFormat = 1;
// Page operations may write from here on; what lies before is the page's identity and storage's
// own.
constexpr uint16_t kFirstWritableOffset = offsetof(PageHeader, kind);

using PageBytes = std::span<std::byte, kPageBytes>;
using ConstPageBytes = std::span<const std::byte, kPageBytes>;

inline const PageHeader& page_header(const std::byte* page) {
  return *reinterpret_cast<const PageHeader*>(page);
}
inline PageHeader& page_header(std::byte* page) { return *reinterpret_cast<PageHeader*>(page); }

bool is_zero_page(ConstPageBytes page);
// An empty page of `kind` with `special_bytes` at its end.
void init_page(PageBytes page, FileId file, BlockNo block, PageKind kind, uint16_t special_bytes);

uint32_t page_checksum(ConstPageBytes page, FileId file, BlockNo block);
// Makes page bytes disk bytes, in a private copy. `committed` is the log's: the log is older than
// the page it explains. A page of zeros stays one.
void stamp_for_write(PageBytes copy, FileId file, BlockNo block, Lsn committed);
// What was read for this address: XX001 "invalid page in block 7 of relation data/16384" with what
// is wrong as detail.
Status accept_after_read(ConstPageBytes page, FileId file, BlockNo block);

}  // namespace orrery
