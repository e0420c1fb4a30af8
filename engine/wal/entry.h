// The log is one stream of bytes, cut into entries: what one round of group commit wrote. An entry
// is the unit of checking, of torn tails, and of replication.
//
//   offset  size  field
//        0     4  magic "OLE1" (the digit is the format's version)
//        4     4  crc32c of bytes 8 .. 48 + payload
//        8     4  group
//       12     4  payload length
//       16     8  term of the writer
//       24     8  lsn: this entry's own position; so what a recycled segment still holds is never
//                 taken for new
//       32     8  durable: what the writer knew to be durable then. It proves that all below
//                 it had been on disk, so a hole below it is damage and not a torn tail.
//       40     4  crc of the previous entry (0 for the first)
//       44     4  zero
//       48        records back to back
#pragma once

#include "wal/record.h"

namespace orrery {

struct EntryHeader {
  uint32_t magic = 0;
  uint32_t crc = 0;
  uint32_t group = 0;
  uint32_t payload_length = 0;
  uint64_t term = 0;
  uint64_t lsn = 0;
  uint64_t durable = 0;
  uint32_t previous_crc = 0;
  uint32_t zero = 0;
};
constexpr size_t kEntryHeaderBytes = sizeof(EntryHeader);
static_assert(kEntryHeaderBytes == 48);
static_assert(std::has_unique_object_representations_v<EntryHeader>);

constexpr uint32_t kEntryMagic = 0x31454c4f;  // "OLE1"
// Entries are cut at a few hundred kilobytes; one holds at least one record, however large.
constexpr size_t kMaxEntryPayload = kMaxRecordBytes + (1 << 20);
// Where the stream of every group begins, whatever the segment size; so 0 is no position of a
// record.
constexpr Lsn kFirstEntryLsn{4096};

// Fills the first 48 bytes of `entry`, whose records are already in place behind them. Returns the
// entry's CRC.
uint32_t seal_entry(MutableBytes entry, uint32_t group, Term term, Lsn lsn, Lsn durable,
                    uint32_t previous_crc);

// Why the bytes at `lsn` are not an entry, or null if the header could be one.
const char* refuse_header(const EntryHeader& header, uint32_t group, Lsn lsn);
// True when the CRC agrees. REQUIRES: entry is header and payload whole.
bool entry_sums(Bytes entry);

// Walks the records of an entry.
class EntryRecords {
 public:
  // `entry` is checked: header and payload whole.
  explicit EntryRecords(Bytes entry);
  bool at_end() const { return rest_.empty(); }
  // REQUIRES: !at_end(). Errors as decode_record.
  Result<Record> next();

 private:
  Bytes rest_;
  Lsn lsn_;
};

}  // namespace orrery
