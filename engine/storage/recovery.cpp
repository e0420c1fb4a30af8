#include "storage/recovery.h"

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "wal/log_reader.h"

namespace orrery {
namespace {

// How far, in bytes of log, pages are fetched before their records are redone.
constexpr uint64_t kReadAheadLog = 64 << 10;

Status at_record(Status status, const Record& record) {
  if (status.ok() || status.is_halted()) return status;
  return std::move(status).context(
      cat("redo of log record ", record_kind_name(record.kind), " at position ", record.lsn));
}

}  // namespace

Status Recovery::redo(Fiber& fiber, Lsn from, Lsn end, std::optional<uint32_t> previous_crc) {
  LogReader reader(parts_.log, from, previous_crc);
  LogReader ahead(parts_.log, from, previous_crc);
  while (reader.position() < end) {
    while (parts_.options.read_ahead_pages > 0 && ahead.position() < end &&
           ahead.position() - reader.position() < kReadAheadLog) {
      const Bytes coming = TRY(ahead.next_durable(fiber));
      read_ahead(coming);
    }
    const Bytes entry = TRY(reader.next_durable(fiber));
    CHECK(!entry.empty());
    EntryRecords records(entry);
    while (!records.at_end()) {
      const Record record = TRY(records.next());
      TRY(redo_record(fiber, record));
      TRY(fiber.charge(8 + record.payload.size() / 64));
    }
  }
  CHECK(reader.position() == end);
  return {};
}

// Only pages that will be read anyway, and only of files that are open: this never waits.
void Recovery::read_ahead(Bytes entry) {
  EntryRecords records(entry);
  uint32_t left = parts_.options.read_ahead_pages;
  while (!records.at_end() && left > 0) {
    Result<Record> record = records.next();
    if (!record.ok()) return;  // the redo itself will say so
    const Record& coming = record.value();
    if ((coming.flags & kRecordHasPages) == 0) continue;
    const Result<ChangeView> view = ChangeView::decode(coming.payload);
    if (!view.ok()) return;
    const ChangeView& change = view.value();
    for (int i = 0; i < change.page_count && left > 0; ++i) {
      if (change.pages[i].starts_with_init) continue;
      parts_.pool.read_ahead(change.pages[i].file, change.pages[i].block, 1);
      --left;
    }
  }
}

Status Recovery::redo_record(Fiber& fiber, const Record& record) {
  Bytes info = record.payload;
  if ((record.flags & kRecordHasPages) != 0) {
    Result<ChangeView> view = ChangeView::decode(record.payload);
    if (!view.ok()) return at_record(std::move(view).status(), record);
    TRY(at_record(redo_pages(fiber, record, view.value()), record));
    info = view.value().info;
  }
  TRY(at_record(redo_file(fiber, record), record));
  return at_record(parts_.handler.redo(fiber, record, info), record);
}

Status Recovery::redo_pages(Fiber& fiber, const Record& record, const ChangeView& view) {
  std::array<PageRef, Change::kMaxPages> pins;
  for (int i = 0; i < view.page_count; ++i) {
    pins[i] = TRY(page_for(fiber, view.pages[i], record.lsn));
  }
  // From here to the end nothing suspends.
  std::array<std::byte*, Change::kMaxPages> bytes{};
  for (int i = 0; i < view.page_count; ++i) {
    if (!pins[i]) continue;
    if (pins[i].lsn() >= record.lsn) {
      PROBE("storage: redo met a page that was newer than the record");
      continue;
    }
    bytes[i] = pins[i].frame_->bytes;
  }
  std::array<Lsn, Change::kMaxPages> before;
  for (int i = 0; PLANTED(b07_redo_no_lsn_stamp) && i < view.page_count; ++i) {
    if (pins[i]) before[i] = pins[i].lsn();
  }
  view.apply(bytes, record.lsn);
  for (int i = 0; PLANTED(b07_redo_no_lsn_stamp) && i < view.page_count; ++i) {
    if (bytes[i] != nullptr && before[i]) page_header(bytes[i]).lsn = before[i].v;
  }
  for (int i = 0; i < view.page_count; ++i) {
    if (bytes[i] != nullptr) parts_.pool.mark_dirty(*pins[i].frame_, record.lsn);
  }
  return {};
}

// The page pinned, or empty when it is not there and a later record must explain why.
Result<PageRef> Recovery::page_for(Fiber& fiber, const ChangeView::Page& page, Lsn lsn) {
  Result<DataFiles::Use> opened = parts_.files.use(fiber, page.file);
  if (opened.status().is(sqlstate::undefined_file)) {
    missing(page, lsn);
    return PageRef();
  }
  const DataFiles::Use file = TRY(std::move(opened));
  if (page.starts_with_init) {
    // What is there does not matter, so a damaged page is healed; but a newer one in memory must
    // not be undone.
    TRY(parts_.files.grow_to(fiber, *file, page.block.next()));
    return TRY(parts_.pool.pin_for_init(fiber, page.file, page.block));
  }
  if (page.block >= file->size) {
    missing(page, lsn);
    return PageRef();
  }
  PageRef pinned = TRY(parts_.pool.pin(fiber, page.file, page.block));
  if (is_zero_page(pinned.bytes())) {
    missing(page, lsn);
    return PageRef();
  }
  return pinned;
}

void Recovery::missing(const ChangeView::Page& page, Lsn lsn) {
  PROBE("storage: redo wanted a page that was not there");
  missing_.emplace(Address{page.file, page.block}, lsn);
}

void Recovery::explain_missing(FileId file, BlockNo first) {
  std::erase_if(missing_, [&](const auto& entry) {
    return entry.first.file == file && entry.first.block >= first;
  });
}

Status Recovery::check_missing() const {
  for (const auto& [address, lsn] : missing_) {
    if (parts_.file_life.has_ended(address.file)) continue;
    return raise(sqlstate::data_corrupted, cat("block ", address.block, " of relation ",
                                               file_path(address.file), " is missing"))
        .detail(cat("The log record at position ", lsn, " changes it, and ", missing_.size() - 1,
                    " more pages are missing."));
  }
  return {};
}

// What records mean to files; pages were done before.
Status Recovery::redo_file(Fiber& fiber, const Record& record) {
  ByteReader reader(record.payload);
  if (record.kind == RecordKind::file_create) {
    const FileId file(reader.read<uint64_t>());
    if (!reader.ok() || file_number(file) == 0) {
      return raise(sqlstate::data_corrupted, "invalid file record in the log");
    }
    parts_.file_life.created(file, record.xid);
    return parts_.files.create(fiber, file);
  }
  if (record.kind == RecordKind::file_truncate) {
    const FileId file(reader.read<uint64_t>());
    const BlockNo blocks(reader.read<uint32_t>());
    if (!reader.ok()) return raise(sqlstate::data_corrupted, "invalid file record in the log");
    explain_missing(file, blocks);
    Result<DataFiles::Use> opened = parts_.files.use(fiber, file);
    if (opened.status().is(sqlstate::undefined_file)) return {};
    const DataFiles::Use home = TRY(std::move(opened));
    TRY(parts_.pool.discard(
        fiber, [&](FileId of, BlockNo block) { return of == file && block >= blocks; }));
    home->size = std::min(home->size, blocks);
    return parts_.files.truncate(fiber, *home, blocks);
  }
  if (record.kind == RecordKind::term_start) {
    parts_.file_life.term_started(record.lsn, parts_.handler);
  }
  return {};
}

}  // namespace orrery
