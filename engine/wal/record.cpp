#include "wal/record.h"

#include "base/text.h"

namespace orrery {

const char* record_kind_name(RecordKind kind) {
  switch (kind) {
#define RECORD_KIND(name, number, version) \
  case RecordKind::name: return #name;
#include "wal/record_kinds.def"
#undef RECORD_KIND
  }
  return nullptr;  // a number from the disk
}

uint8_t record_kind_version(RecordKind kind) {
  switch (kind) {
#define RECORD_KIND(name, number, version) \
  case RecordKind::name: return version;
#include "wal/record_kinds.def"
#undef RECORD_KIND
  }
  return 0;
}

void encode_record_header(std::byte* to, uint32_t length, RecordKind kind, uint8_t flags, Xid xid) {
  store<uint32_t>(to, length);
  store<uint16_t>(to + 4, static_cast<uint16_t>(kind));
  store<uint8_t>(to + 6, record_kind_version(kind));
  store<uint8_t>(to + 7, flags);
  store<uint64_t>(to + 8, xid.v);
}

Result<Record> decode_record(Bytes bytes, Lsn lsn) {
  if (bytes.size() < kRecordHeaderBytes) {
    return raise(sqlstate::data_corrupted, cat("log record at ", lsn, " is cut short"));
  }
  const auto length = load<uint32_t>(bytes.data());
  if (length < kRecordHeaderBytes || length > bytes.size()) {
    return raise(sqlstate::data_corrupted, cat("log record at ", lsn, " has an impossible length"))
        .detail(
            cat("It says ", length, " bytes, of ", bytes.size(), " that are left in its entry."));
  }
  Record record;
  record.lsn = lsn;
  record.kind = static_cast<RecordKind>(load<uint16_t>(bytes.data() + 4));
  record.version = load<uint8_t>(bytes.data() + 6);
  record.flags = load<uint8_t>(bytes.data() + 7);
  record.xid = Xid(load<uint64_t>(bytes.data() + 8));
  record.payload = bytes.subspan(kRecordHeaderBytes, length - kRecordHeaderBytes);
  const char* name = record_kind_name(record.kind);
  if (name == nullptr) {
    return unsupported(cat("log record kind ", static_cast<uint16_t>(record.kind), " at ", lsn));
  }
  if (record.version == 0 || record.version > record_kind_version(record.kind)) {
    return unsupported(cat("version ", record.version, " of log record ", name, " at ", lsn));
  }
  if ((record.flags & ~kRecordHasPages) != 0) {
    return unsupported(cat("flags ", record.flags, " of log record ", name, " at ", lsn));
  }
  return record;
}

}  // namespace orrery
