#include "storage/data_files.h"

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"

namespace orrery {
namespace {
constexpr char kDirectory[] = "data";
constexpr uint32_t kMeasurePages = 16;
}  // namespace

// A dead machine's files are let go as they are.
DataFiles::~DataFiles() {
  while (open_.pop_front() != nullptr) {
  }
}

Status DataFiles::make_directory(Fiber& fiber) {
  Status made = orrery::make_directory(fiber, kDirectory);
  if (!made.ok() && !made.is(sqlstate::duplicate_file)) return made;
  return sync_directory(fiber, "");
}

DataFile& DataFiles::known(FileId file) {
  std::unique_ptr<DataFile>& entry = files_[file];
  if (entry == nullptr) entry = std::make_unique<DataFile>(file);
  return *entry;
}

void DataFiles::touch(DataFile& file) {
  if (open_.back() == &file) return;
  open_.remove(file);
  open_.push_back(file);
}

DataFile* DataFiles::find(FileId file) {
  std::unique_ptr<DataFile>* entry = files_.find(file);
  return entry == nullptr ? nullptr : entry->get();
}

DataFile* DataFiles::find_open(FileId file) {
  DataFile* found = find(file);
  const bool serves = found != nullptr && found->handle && found->is_known && !found->ended;
  return serves ? found : nullptr;
}

Result<DataFiles::Use> DataFiles::use(Fiber& fiber, FileId file) {
  if (DataFile* found = find_open(file)) {
    touch(*found);
    return Use(*found);
  }
  Status opened;
  {
    Use in_use(known(file));
    opened = open(fiber, *in_use);
    if (opened.ok()) return in_use;
  }
  // Nothing is remembered of a file that is not there.
  const DataFile* entry = find(file);
  const bool is_idle = entry != nullptr && entry->users == 0 && !entry->mutex.is_locked() &&
                       !entry->handle && !entry->is_known && !entry->ended;
  if (is_idle && opened.is(sqlstate::undefined_file)) files_.erase(file);
  return opened;
}

Status DataFiles::open(Fiber& fiber, DataFile& file) {
  CHECK(file.users > 0);
  TRY(file.mutex.lock(fiber));
  UnlockGuard guard(file.mutex);
  if (file.ended) {
    return raise(sqlstate::undefined_file, cat("could not open file \"", file_path(file.id),
                                               "\": No such file or directory"));
  }
  if (!file.handle) {
    if (open_.size() >= options_.open_files) TRY(close_one(fiber));
    file.handle = TRY(open_file(fiber, file_path(file.id), false));
    open_.push_back(file);
  }
  if (!file.is_known) TRY(measure(fiber, file));
  return {};
}

// How far the file is initialised: trailing zero pages were allocated and never used, or their use
// was not logged.
Status DataFiles::measure(Fiber& fiber, DataFile& file) {
  const uint64_t bytes = TRY(file_size(fiber, file.handle));
  const uint64_t blocks = bytes / kPageBytes;
  if (bytes % kPageBytes != 0) {
    PROBE("storage: a crash left part of a page at the end of a file");
    TRY(truncate_file(fiber, file.handle, blocks * kPageBytes));
    ++file.changes;
  }
  std::vector<std::byte> buffer(kMeasurePages * kPageBytes);
  uint64_t size = blocks;
  while (size > 0) {
    const uint64_t count = std::min<uint64_t>(size, kMeasurePages);
    const MutableBytes piece = MutableBytes(buffer).first(count * kPageBytes);
    const uint64_t got = TRY(read_file(fiber, file.handle, (size - count) * kPageBytes, piece));
    if (got < piece.size())
      return raise(sqlstate::io_error, cat("could not read file \"", file_path(file.id), "\""));
    uint64_t last = count;
    while (last > 0 &&
           is_zero_page(ConstPageBytes(piece.data() + (last - 1) * kPageBytes, kPageBytes)))
      --last;
    size = size - count + last;
    if (last > 0) break;
  }
  file.size = BlockNo(static_cast<uint32_t>(size));
  file.room = BlockNo(static_cast<uint32_t>(blocks));
  file.is_known = true;
  if (!is_trusting_) ++file.changes;
  return {};
}

// Gives back the handle that was used longest ago. What it wrote is synced first: an error of
// writing back that comes while nobody has the file open might never be told to us.
Status DataFiles::close_one(Fiber& fiber) {
  for (DataFile* file = open_.front(); file != nullptr; file = open_.next_of(*file)) {
    if (file->users > 0 || file->mutex.is_locked()) continue;
    PROBE("storage: a file handle was closed to open another");
    TRY(file->mutex.lock(fiber));
    UnlockGuard guard(file->mutex);
    if (file->is_unsynced()) {
      Use in_use(*file);
      TRY(sync(fiber, *file));
    }
    if (file->users > 0) return {};  // wanted again meanwhile; one handle more will do
    open_.remove(*file);
    return close_file(fiber, std::exchange(file->handle, FileHandle()));
  }
  return {};
}

Result<bool> DataFiles::exists(Fiber& fiber, FileId file) {
  Result<Use> used = use(fiber, file);
  if (used.ok()) return true;
  if (used.status().is(sqlstate::undefined_file)) return false;
  return std::move(used).status();
}

Status DataFiles::create(Fiber& fiber, FileId file) {
  Use in_use(known(file));
  {
    TRY(in_use->mutex.lock(fiber));
    UnlockGuard guard(in_use->mutex);
    in_use->ended = false;
    if (!in_use->handle) {
      if (open_.size() >= options_.open_files) TRY(close_one(fiber));
      in_use->handle = TRY(open_file(fiber, file_path(file), true));
      open_.push_back(*in_use);
      names_changed_ = true;
      ++in_use->changes;
    }
  }
  return open(fiber, *in_use);
}

Status DataFiles::remove(Fiber& fiber, FileId file) {
  DataFile& entry = known(file);
  TRY(entry.mutex.lock(fiber));
  {
    UnlockGuard guard(entry.mutex);
    while (entry.users > 0) TRY(fiber.sleep(milliseconds(1)));  // a sync of it is under way
    if (entry.handle) {
      open_.remove(entry);
      TRY(close_file(fiber, std::exchange(entry.handle, FileHandle())));
    }
    entry.is_known = false;
    entry.size = entry.room = BlockNo(0);
    entry.synced_changes = entry.changes;
    Status removed = remove_file(fiber, file_path(file));
    if (!removed.ok() && !removed.is(sqlstate::undefined_file)) return removed;
    names_changed_ = true;
  }
  if (entry.users == 0 && !entry.mutex.is_locked()) files_.erase(file);
  return {};
}

Result<std::vector<FileId>> DataFiles::list(Fiber& fiber) {
  const std::vector<std::string> names = TRY(list_directory(fiber, kDirectory));
  std::vector<FileId> out;
  for (const std::string& name : names) {
    if (const FileId file = file_id_of_name(name)) out.push_back(file);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Status DataFiles::make_room(Fiber& fiber, DataFile& file) {
  CHECK(file.is_known);
  TRY(file.mutex.lock(fiber));
  UnlockGuard guard(file.mutex);
  if (file.has_room()) return {};
  if (file.room == BlockNo(kInvalidBlock.v - 1)) {
    return raise(sqlstate::program_limit_exceeded, cat("cannot extend file \"", file_path(file.id),
                                                       "\" beyond ", file.room, " blocks"));
  }
  // An eighth more each time, so that large files grow in large steps and small ones stay small.
  uint32_t more = std::clamp<uint32_t>(file.room.v / 8, 1, options_.extend_pages);
  more = std::min(more, kInvalidBlock.v - 1 - file.room.v);
  for (;;) {
    Status allocated =
        allocate_file(fiber, file.handle, file.room.v * kPageBytes, more * kPageBytes);
    if (allocated.ok()) break;
    if (!allocated.is(sqlstate::disk_full)) return allocated;
    if (more == 1) {
      return raise(sqlstate::disk_full, cat("could not extend file \"", file_path(file.id),
                                            "\": No space left on device"))
          .hint("Check free disk space.");
    }
    PROBE("storage: a file could be extended by one page but not by many");
    more = 1;
  }
  file.room += more;
  ++file.changes;
  return {};
}

Status DataFiles::grow_to(Fiber& fiber, DataFile& file, BlockNo size) {
  while (file.room < size) {
    file.size = file.room;
    TRY(make_room(fiber, file));
  }
  file.size = std::max(file.size, size);
  return {};
}

Status DataFiles::write(Fiber& fiber, DataFile& file, BlockNo block, Bytes pages) {
  CHECK(file.users > 0);
  CHECK(pages.size() % kPageBytes == 0);
  CHECK(block.v + pages.size() / kPageBytes <= file.room.v);
  Status written = write_file(fiber, file.handle, block.v * kPageBytes, pages);
  ++file.changes;  // after the write: a sync begun before does not cover it
  return written;
}

Status DataFiles::truncate(Fiber& fiber, DataFile& file, BlockNo blocks) {
  CHECK(file.users > 0);
  TRY(file.mutex.lock(fiber));
  UnlockGuard guard(file.mutex);
  if (blocks >= file.room) return {};
  TRY(truncate_file(fiber, file.handle, blocks.v * kPageBytes));
  file.room = blocks;
  file.size = std::min(file.size, blocks);
  ++file.changes;
  return {};
}

Status DataFiles::sync(Fiber& fiber, DataFile& file) {
  CHECK(file.users > 0);
  const uint64_t covered = file.changes;
  Status synced = sync_file(fiber, file.handle);
  if (synced.is_halted()) return synced;
  if (!synced.ok()) {
    return host_.fatal(
        cat("could not fsync file \"", file_path(file.id), "\": ", synced.error().message));
  }
  file.synced_changes = std::max(file.synced_changes, covered);
  return {};
}

Status DataFiles::sync_all(Fiber& fiber) {
  for (const FileId id : files_.sorted_keys()) {
    std::unique_ptr<DataFile>* entry = files_.find(id);
    if (entry == nullptr || !(*entry)->is_unsynced()) continue;
    if (PLANTED(b06_checkpoint_skips_fsync) && (*entry)->synced_changes == 0) {
      (*entry)->synced_changes = (*entry)->changes;
      continue;
    }
    Use in_use(**entry);
    if (!in_use->handle) TRY(open(fiber, *in_use));
    TRY(sync(fiber, *in_use));
  }
  if (names_changed_) {
    names_changed_ = false;
    TRY(sync_directory_or_die(fiber, kDirectory));
  }
  return {};
}

Status DataFiles::close_all(Fiber& fiber) {
  while (DataFile* file = open_.pop_front()) {
    CHECK(file->users == 0);
    TRY(close_file(fiber, std::exchange(file->handle, FileHandle())));
  }
  return {};
}

void DataFiles::check() const {
  for (const FileId id : files_.sorted_keys()) {
    const DataFile& file = **files_.find(id);
    CHECK(file.id == id);
    CHECK_IF(file.is_known, file.size <= file.room);
    CHECK(file.synced_changes <= file.changes);
    CHECK(static_cast<bool>(file.handle) == file.recent_hook.linked);
  }
}

}  // namespace orrery
