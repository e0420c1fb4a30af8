#include "storage/storage.h"

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"
#include "storage/checkpointer.h"
#include "storage/control_file.h"
#include "storage/data_files.h"
#include "storage/double_write.h"
#include "storage/file_life.h"
#include "storage/page_writer.h"
#include "storage/recovery.h"

namespace orrery {
namespace {

// There while a new database is being made; gone once it is whole.
constexpr char kUnfinished[] = "unfinished";

}  // namespace

Storage::Storage(Host& host, const StorageOptions& options, CommitGate& gate, RedoHandler& handler)
    : host_(host), options_(options), handler_(handler), log_(host, options.log, gate) {}

Storage::~Storage() = default;

void Storage::make_parts() {
  files_ = std::make_unique<DataFiles>(host_, options_);
  pool_ = std::make_unique<BufferPool>(host_, options_, *files_);
  control_ = std::make_unique<ControlFile>(host_, options_.log.group);
  double_write_ = std::make_unique<DoubleWrite>(host_, options_, *files_);
  writer_ = std::make_unique<PageWriter>(host_, options_, log_, *pool_, *files_, *double_write_);
  file_life_ = std::make_unique<FileLife>();
  checkpointer_ = std::make_unique<Checkpointer>(
      Checkpointer::Parts{host_, options_, log_, *pool_, *files_, *double_write_, *writer_,
                          *file_life_, *control_, handler_});
}

Status Storage::open(Fiber& fiber) {
  CHECK(!is_open_ && pool_ == nullptr);
  TRY(options_.check());
  make_parts();
  // What a killed process did to names may be nowhere but in the page cache.
  TRY(sync_directory(fiber, ""));
  const std::vector<std::string> names = TRY(list_directory(fiber, ""));
  const bool has_mark = std::ranges::find(names, kUnfinished) != names.end();
  const bool found = TRY(control_->load(fiber));
  is_new_ = !found || control_->data.is_finished == 0;
  if (is_new_) {
    TRY(control_->close(fiber));
    if (found || has_mark) TRY(wipe(fiber, names));
    TRY(create(fiber, names, found || has_mark));
  } else if (has_mark) {
    TRY(remove_file(fiber, kUnfinished));
    TRY(sync_directory(fiber, ""));
  }
  Recovery recovery({host_, options_, log_, *pool_, *files_, *file_life_, handler_});
  writer_->start(fiber);
  Status status = recover(fiber, recovery);
  if (status.ok()) status = start_term(fiber, recovery);
  if (status.ok()) return {};
  // What was started is ended, so that the caller can drop this.
  if (!status.is_halted()) {
    TRY(writer_->stop(fiber));
    TRY(log_.shutdown(fiber));
  }
  return status;
}

// A database that was never finished: begun again from nothing.
Status Storage::wipe(Fiber& fiber, const std::vector<std::string>& names) {
  PROBE("storage: making the database was interrupted and begins again");
  for (const std::string_view name : {"control", "double_write", "state.0", "state.1"}) {
    if (std::ranges::find(names, name) != names.end()) TRY(remove_file(fiber, std::string(name)));
  }
  for (const std::string_view directory : {"data", "log"}) {
    if (std::ranges::find(names, directory) == names.end()) continue;
    const std::vector<std::string> inside = TRY(list_directory(fiber, std::string(directory)));
    for (const std::string& name : inside) TRY(remove_file(fiber, cat(directory, "/", name)));
    TRY(sync_directory(fiber, std::string(directory)));
  }
  return sync_directory(fiber, "");
}

// The mark stands while the database is being made, by us and then by the caller, until
// finish_creation().
Status Storage::create(Fiber& fiber, const std::vector<std::string>& names, bool unfinished) {
  const auto has = [&](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  if (!unfinished && (has("data") || has("log") || has("double_write"))) {
    return raise(sqlstate::data_corrupted,
                 "could not open file \"control\": No such file or directory")
        .detail("The directory holds a database, but its control file is missing.");
  }
  const FileHandle mark = TRY(open_file(fiber, kUnfinished, true));
  TRY(close_file(fiber, mark));
  TRY(sync_directory(fiber, ""));
  TRY(files_->make_directory(fiber));
  TRY(log_.create(fiber));
  TRY(double_write_->create(fiber));
  TRY(double_write_->close(fiber));
  ControlData& control = control_->data;
  control = {};
  control.system_id = host_.random().next();
  control.segment_bytes = options_.log.segment_bytes;
  control.redo = control.durable = kFirstEntryLsn.v;
  return control_->create(fiber);
}

Status Storage::recover(Fiber& fiber, Recovery& recovery) {
  ControlData& control = control_->data;
  const DoubleWrite::Found found = TRY(double_write_->recover(fiber, control.double_write_retired));
  control.min_recovery = std::max(control.min_recovery, found.min_recovery.v);
  control.durable = std::max(control.durable, found.durable.v);
  control.double_write_retired = found.sequence;
  double_write_->start_from(found.sequence, Lsn(control.min_recovery));
  TRY(control_->save(fiber));
  if (found.mended > 0) host_.log(LogLevel::info, cat("mended ", found.mended, " torn pages"));

  if (control.state_crc != 0) {
    const std::string state = TRY(control_->load_state(fiber));
    ByteReader reader(as_bytes(state));
    TRY(file_life_->load(reader));
    TRY(handler_.load_state(as_bytes(state).subspan(reader.offset())));
  } else {
    TRY(handler_.load_state({}));
  }
  const auto before_erasing = [&](Fiber& own, Lsn end) {
    control.erase_from = end.v;
    // What is cut was durable, and soon is not: known only up to the cut.
    if (!PLANTED(b41_cut_stays_known_durable)) control.durable = std::min(control.durable, end.v);
    return control_->save(own);
  };
  const Lsn redo(control.redo);
  const uint32_t previous_crc = control.redo_previous_crc;
  const LogEnd log_end = TRY(log_.open(fiber, {.segment_bytes = control.segment_bytes,
                                               .redo = redo,
                                               .redo_previous_crc = previous_crc,
                                               .known_durable = Lsn(control.durable),
                                               .known_committed = Lsn(control.min_recovery),
                                               .erase_from = Lsn(control.erase_from),
                                               .before_erasing = before_erasing}));
  control.erase_from = 0;
  control.term = std::max(control.term, log_end.last_term.v) + 1;
  if (log_end.end < Lsn(control.min_recovery)) {
    return raise(sqlstate::data_corrupted, "the log ends before the pages on disk do")
        .detail(cat("It ends at position ", log_end.end, "; pages were written up to ",
                    control.min_recovery, "."));
  }
  if (redo < log_end.end && !is_new_) {
    host_.log(LogLevel::info, cat("recovering from position ", redo, " to ", log_end.end));
  }
  TRY(recovery.redo(fiber, redo, log_end.end, previous_crc));
  TRY(recovery.check_missing());
  return remove_orphans(fiber);
}

// Files that were made but whose making was never logged; their numbers will be given again.
Status Storage::remove_orphans(Fiber& fiber) {
  const std::vector<FileId> present = TRY(files_->list(fiber));
  for (const FileId file : present) {
    if (!file_life_->is_orphan(file)) continue;
    PROBE("storage: an orphan file was removed");
    TRY(files_->remove(fiber, file));
  }
  return {};
}

Status Storage::start_term(Fiber& fiber, Recovery& recovery) {
  TRY(control_->save(fiber));
  log_.start_writing(fiber, Term(control_->data.term));
  std::string payload;
  ByteWriter(payload).write(host_.clock().wall_now().v);
  TRY(log_.reserve(fiber, kRecordHeaderBytes + payload.size(), ReserveKind::finishing));
  const Lsn lsn = log_.append(RecordKind::term_start, kInvalidXid, as_bytes(payload));
  // What it does here it does as on a replica: by the same call.
  const Record record{.lsn = lsn,
                      .kind = RecordKind::term_start,
                      .version = record_kind_version(RecordKind::term_start),
                      .payload = as_bytes(payload)};
  TRY(log_.wait_committed(fiber, lsn));
  TRY(recovery.redo_record(fiber, record));
  TRY(checkpointer_->unlink_ended(fiber));
  files_->trust();
  pool_->hints_allowed_ = true;
  is_open_ = true;
  checkpointer_->start(fiber);
  // Segments below the redo point make room for new ones.
  log_.when_full([this] {
    if (log_.append_position() - redo_lsn() < log_.options().segment_bytes) return;
    PROBE("storage: a full disk asked for a checkpoint");
    checkpointer_->request();
  });
  checkpointer_->logged(lsn);
  return {};
}

Status Storage::finish_creation(Fiber& fiber) {
  CHECK(is_new_);
  // What was made so far is in the log; recovery makes it again if need be.
  const Lsn end = log_.append_position();
  while (log_.committed() < end) TRY(log_.wait_committed(fiber, end - 1));
  control_->data.is_finished = 1;
  TRY(control_->save(fiber));
  TRY(remove_file(fiber, kUnfinished));
  TRY(sync_directory(fiber, ""));
  is_new_ = false;
  return {};
}

Status Storage::shutdown(Fiber& fiber) {
  // Each step may fail and be tried again by another call; closing the control file is the last.
  if (!control_->is_open()) return {};
  if (checkpointer_->is_running()) {
    CHECK(is_open_);
    TRY(checkpointer_->checkpoint(fiber));
    is_open_ = false;
    pool_->hints_allowed_ = false;
    TRY(checkpointer_->stop(fiber));
  }
  TRY(writer_->stop(fiber));
  while (pool_->loading_ > 0) TRY(pool_->loads_done_.wait(fiber));
  TRY(log_.shutdown(fiber));
  control_->data.durable = log_.durable().v;
  TRY(control_->save(fiber));
  TRY(files_->close_all(fiber));
  TRY(double_write_->close(fiber));
  return control_->close(fiber);
}

Status Storage::reserve(Fiber& fiber, const Change& change, ReserveKind kind) {
  return log_.reserve(fiber, kRecordHeaderBytes + change.payload_bytes(), kind);
}

Lsn Storage::apply(const Change& change) {
  CHECK(is_open_);
  Lsn lsn;
  const MutableBytes payload =
      log_.append_in_place(change.kind_, kRecordHasPages, change.xid_, change.payload_bytes(), lsn);
  change.encode(payload.data());
  const Result<ChangeView> decoded = ChangeView::decode(payload);
  CHECK(decoded.ok());
  const ChangeView& view = decoded.value();
  std::array<std::byte*, Change::kMaxPages> bytes{};
  for (int i = 0; i < view.page_count; ++i) {
    Frame& frame = *change.pages_[i];
    CHECK(frame.pins > 0);
    const PageHeader& header = page_header(frame.bytes);
    CHECK(view.pages[i].starts_with_init || header.format == kPageFormat);
    CHECK(Lsn(header.lsn) < lsn);
    bytes[i] = frame.bytes;
  }
  view.apply(bytes, lsn);
  for (int i = 0; i < view.page_count; ++i) pool_->mark_dirty(*change.pages_[i], lsn);
  checkpointer_->logged(lsn);
  return lsn;
}

Result<FileId> Storage::create_file(Fiber& fiber, Xid xid, FileId* named) {
  TRY(log_.reserve(fiber, kRecordHeaderBytes + sizeof(uint64_t)));
  const FileId file = file_life_->take_number();
  if (named != nullptr) *named = file;
  TRY(log_and_create(fiber, file, xid));
  return file;
}

Status Storage::create_file_as(Fiber& fiber, FileId file, Xid xid) {
  CHECK(!file_life_->is_orphan(file));
  // A fixed number whose maker did not commit: the old file goes before the new one comes.
  if (file_life_->has_ended(file)) TRY(checkpoint(fiber));
  CHECK(!file_life_->has_ended(file));
  TRY(log_.reserve(fiber, kRecordHeaderBytes + sizeof(uint64_t)));
  return log_and_create(fiber, file, xid);
}

// The record first: so the number is taken for good, and a crash in between is repaired by redo.
Status Storage::log_and_create(Fiber& fiber, FileId file, Xid xid) {
  CHECK(is_open_);
  std::string payload;
  ByteWriter(payload).write(file.v);
  const Lsn lsn = log_.append(RecordKind::file_create, xid, as_bytes(payload));
  file_life_->created(file, xid);
  const Checkpointer::FileWork work(*checkpointer_, lsn);
  checkpointer_->logged(lsn);
  return files_->create(fiber, file);
}

void Storage::end_files(Xid xid, bool committed, std::span<const FileId> dropped, Lsn lsn) {
  file_life_->transaction_ended(xid, committed, dropped, lsn);
}

Status Storage::truncate_file(Fiber& fiber, FileId file, BlockNo blocks) {
  CHECK(is_open_);
  std::string payload;
  ByteWriter writer(payload);
  writer.write(file.v);
  writer.write(blocks.v);
  const DataFiles::Use home = TRY(files_->use(fiber, file));
  TRY(log_.reserve(fiber, kRecordHeaderBytes + payload.size()));
  if (blocks >= home->size) return {};
  const Lsn lsn = log_.append(RecordKind::file_truncate, kInvalidXid, as_bytes(payload));
  const Checkpointer::FileWork work(*checkpointer_, lsn);
  checkpointer_->logged(lsn);
  home->size = blocks;
  // From the record on there is no way back: what it says is done, whoever cancels.
  fiber.hold_cancel();
  Status status = log_.wait_committed(fiber, lsn);
  if (status.ok()) {
    status = pool_->discard(
        fiber, [&](FileId of, BlockNo block) { return of == file && block >= blocks; });
  }
  if (status.ok()) status = files_->truncate(fiber, *home, blocks);
  fiber.release_cancel();
  if (status.ok() || status.is_halted()) return status;
  return host_.fatal(
      cat("could not truncate file \"", file_path(file), "\": ", status.error().message));
}

Result<BlockNo> Storage::file_size(Fiber& fiber, FileId file) {
  const DataFiles::Use home = TRY(files_->use(fiber, file));
  return home->size;
}

Result<bool> Storage::file_exists(Fiber& fiber, FileId file) { return files_->exists(fiber, file); }

Status Storage::checkpoint(Fiber& fiber) { return checkpointer_->checkpoint(fiber); }

Lsn Storage::redo_lsn() const { return Lsn(control_->saved().redo); }

Result<VerifyReport> Storage::verify(Fiber& fiber) {
  VerifyReport report;
  const std::vector<FileId> present = TRY(files_->list(fiber));
  std::vector<std::byte> page(kPageBytes);
  for (const FileId file : present) {
    const DataFiles::Use home = TRY(files_->use(fiber, file));
    ++report.files;
    for (BlockNo block{0}; block < home->room; ++block) {
      const uint64_t count = TRY(read_file(fiber, home->handle, block.v * kPageBytes, page));
      const ConstPageBytes bytes(page.data(), kPageBytes);
      Status accepted =
          count == kPageBytes
              ? accept_after_read(bytes, file, block)
              : raise(sqlstate::data_corrupted,
                      cat("block ", block, " of relation ", file_path(file), " is cut short"));
      ++report.pages;
      report.zero_pages += count == kPageBytes && is_zero_page(bytes) ? 1 : 0;
      if (!accepted.ok())
        report.damaged.push_back(cat(accepted.error().message, ": ", accepted.error().detail));
      TRY(fiber.charge(kPageBytes / 64));
    }
  }
  return report;
}

void Storage::check() const {
  log_.check();
  pool_->check();
  files_->check();
  file_life_->check();
}

}  // namespace orrery
