// A log record: what happened, in bytes that say so again on a replica and after a crash.
//
//   offset  size  field
//        0     4  length, header included
//        4     2  kind (record_kinds.def)
//        6     1  version of the kind's payload
//        7     1  flags (RecordFlags)
//        8     8  xid, 0 when no transaction did it
//       16        payload
//
// Records stand back to back in an entry (entry.h), unaligned. A record's LSN is the position of
// its first byte; that is the number that page headers, CommitTs and snapshots hold. Kinds and
// versions not in the table are refused by name.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

namespace orrery {

enum class RecordKind : uint16_t {
#define RECORD_KIND(name, number, version) name = number,
#include "wal/record_kinds.def"
#undef RECORD_KIND
};

// Null for a number that is not in the table.
const char* record_kind_name(RecordKind kind);
// The version that this build writes.
uint8_t record_kind_version(RecordKind kind);

enum RecordFlags : uint8_t {
  kRecordHasPages = 1,  // the payload starts with page operations (storage/change.h)
};

constexpr size_t kRecordHeaderBytes = 16;
// A commit with very many invalidations is the largest; entries are read whole, so this bounds
// their memory.
constexpr size_t kMaxRecordBytes = 16 << 20;

// A decoded record. The payload points into the buffer it was read from.
struct Record {
  Lsn lsn;
  RecordKind kind{};
  uint8_t version = 0;
  uint8_t flags = 0;
  Xid xid;
  Bytes payload;

  size_t length() const { return kRecordHeaderBytes + payload.size(); }
  Lsn end() const { return lsn + length(); }
};

// Writes the 16 bytes of a header.
void encode_record_header(std::byte* to, uint32_t length, RecordKind kind, uint8_t flags, Xid xid);
// The record at the front of `bytes`, which lie at `lsn`. XX001 when it does not fit, 0A000 for a
// kind or version that this build does not know.
Result<Record> decode_record(Bytes bytes, Lsn lsn);

}  // namespace orrery
