#include "wal/entry.h"

#include "base/crc32c.h"

namespace orrery {
namespace {
constexpr size_t kSummedFrom = offsetof(EntryHeader, group);
}

uint32_t seal_entry(MutableBytes entry, uint32_t group, Term term, Lsn lsn, Lsn durable,
                    uint32_t previous_crc) {
  CHECK(entry.size() > kEntryHeaderBytes);
  CHECK(entry.size() - kEntryHeaderBytes <= kMaxEntryPayload);
  CHECK(durable <= lsn);
  EntryHeader header{.magic = kEntryMagic,
                     .crc = 0,
                     .group = group,
                     .payload_length = static_cast<uint32_t>(entry.size() - kEntryHeaderBytes),
                     .term = term.v,
                     .lsn = lsn.v,
                     .durable = durable.v,
                     .previous_crc = previous_crc,
                     .zero = 0};
  store(entry.data(), header);
  header.crc = crc32c(entry.subspan(kSummedFrom));
  store(entry.data(), header);
  return header.crc;
}

const char* refuse_header(const EntryHeader& header, uint32_t group, Lsn lsn) {
  if (header.magic != kEntryMagic) return "no entry begins there";
  if (header.lsn != lsn.v) return "the entry there belongs elsewhere in the log";
  if (header.group != group) return "the entry there belongs to another group";
  if (header.payload_length == 0 || header.payload_length > kMaxEntryPayload) {
    return "the entry has an impossible length";
  }
  if (header.durable > header.lsn || header.zero != 0)
    return "the entry's header contradicts itself";
  return nullptr;
}

bool entry_sums(Bytes entry) {
  const auto header = load<EntryHeader>(entry.data());
  CHECK(entry.size() == kEntryHeaderBytes + header.payload_length);
  return crc32c(entry.subspan(kSummedFrom)) == header.crc;
}

EntryRecords::EntryRecords(Bytes entry)
    : rest_(entry.subspan(kEntryHeaderBytes)),
      lsn_(load<EntryHeader>(entry.data()).lsn + kEntryHeaderBytes) {}

Result<Record> EntryRecords::next() {
  CHECK(!at_end());
  Record record = TRY(decode_record(rest_, lsn_));
  rest_ = rest_.subspan(record.length());
  lsn_ += record.length();
  return record;
}

}  // namespace orrery
