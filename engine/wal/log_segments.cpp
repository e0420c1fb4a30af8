#include "wal/log_segments.h"

#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"

namespace orrery {
namespace {

constexpr char kDirectory[] = "log";
constexpr char kNewSegment[] = "log/new";
constexpr size_t kFillBytes = 256 << 10;
constexpr std::string_view kSparePrefix = "spare-";

std::string hex16(uint64_t index) {
  std::string out;
  append_hex(out, index, 16);
  return out;
}

// The index in a name of 16 hexadecimal digits, or nothing.
std::optional<uint64_t> parse_index(std::string_view name) {
  if (name.size() != 16) return std::nullopt;
  uint64_t index = 0;
  for (const char c : name) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && !(c >= 'a' && c <= 'f')) return std::nullopt;
    index = index << 4 | static_cast<uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return index;
}

}  // namespace

// A segment's handle stays open while one lives.
class LogSegments::Use {
 public:
  Use(LogSegments& segments, uint64_t index) : segments_(segments), index_(index) {}
  Use(const Use&) = delete;
  ~Use() { segments_.unuse(index_); }

 private:
  LogSegments& segments_;
  uint64_t index_;
};

std::string LogSegments::path(uint64_t index) { return cat(kDirectory, "/", hex16(index)); }
std::string LogSegments::spare_path(uint64_t index) {
  return cat(kDirectory, "/", kSparePrefix, hex16(index));
}

std::string LogSegments::place(Lsn lsn) const {
  return cat("segment ", path(index_of(lsn)), " at offset ", lsn.v % options_.segment_bytes);
}

Status LogSegments::create(Fiber& fiber) {
  Status made = make_directory(fiber, kDirectory);
  if (!made.ok() && !made.is(sqlstate::duplicate_file)) return made;  // of an attempt that died
  TRY(sync_directory(fiber, ""));
  ready_end_index_ = index_of(kFirstEntryLsn);
  return prepare_next(fiber);
}

Status LogSegments::open(Fiber& fiber, Lsn from) {
  const std::vector<std::string> names = TRY(list_directory(fiber, kDirectory));
  for (const std::string& name : names) {
    const std::string_view text = name;
    if (const auto index = parse_index(text)) {
      segments_[*index];
    } else if (text.starts_with(kSparePrefix) && parse_index(text.substr(kSparePrefix.size()))) {
      spares_.push_back(*parse_index(text.substr(kSparePrefix.size())));
    } else {
      TRY(remove_file(fiber, cat(kDirectory, "/", name)));  // half made
    }
  }
  // A crash may have kept a file's name and lost its length.
  for (ready_end_index_ = index_of(from); segments_.contains(ready_end_index_);
       ++ready_end_index_) {
    const FileHandle handle = TRY(use(fiber, ready_end_index_));
    Use in_use(*this, ready_end_index_);
    const uint64_t size = TRY(file_size(fiber, handle));
    if (size < options_.segment_bytes) {
      PROBE("log: a segment lost its length in a crash");
      TRY(allocate_file(fiber, handle, size, options_.segment_bytes - size));
      TRY(sync_file(fiber, handle));
    }
  }
  return close_idle(fiber);
}

Status LogSegments::close(Fiber& fiber) {
  TRY(directory_.lock(fiber));
  UnlockGuard guard(directory_);
  for (auto& [index, segment] : segments_) {
    CHECK(segment.users == 0);
    if (segment.handle) TRY(close_file(fiber, std::exchange(segment.handle, FileHandle())));
  }
  return {};
}

Status LogSegments::fill(Fiber& fiber, const std::string& name) {
  const FileHandle handle = TRY(open_file(fiber, name, true));
  Status status = allocate_file(fiber, handle, 0, options_.segment_bytes);
  if (options_.zero_fill_segments) {
    // Written zeros, so that a later sync has no allocation to record beside the data.
    const std::vector<std::byte> zeros(std::min<uint64_t>(kFillBytes, options_.segment_bytes));
    for (uint64_t at = 0; at < options_.segment_bytes && status.ok(); at += zeros.size()) {
      const uint64_t piece = std::min<uint64_t>(zeros.size(), options_.segment_bytes - at);
      status = write_file(fiber, handle, at, Bytes(zeros).first(piece));
    }
  }
  if (status.ok()) status = sync_file(fiber, handle);
  Status closed = close_file(fiber, handle);
  return status.ok() ? std::move(closed) : std::move(status);
}

Status LogSegments::prepare_next(Fiber& fiber) {
  TRY(directory_.lock(fiber));
  UnlockGuard guard(directory_);
  const uint64_t index = ready_end_index_;
  bool from_spare = false;
  while (!spares_.empty() && !from_spare) {
    const std::string spare = spare_path(spares_.back());
    spares_.pop_back();
    const FileHandle handle = TRY(open_file(fiber, spare, false));
    Result<uint64_t> size = file_size(fiber, handle);
    TRY(close_file(fiber, handle));
    if (size.ok() && size.value() == options_.segment_bytes) {
      TRY(rename_file(fiber, spare, path(index)));
      PROBE("log: a segment was recycled");
      from_spare = true;
    } else {
      TRY(remove_file(fiber, spare));
    }
  }
  if (!from_spare) {
    Status filled = fill(fiber, kNewSegment);
    if (!filled.ok()) {
      if (!filled.is_halted()) {
        Status removed = remove_file(fiber, kNewSegment);  // gives the space back
        if (removed.is_halted()) return removed;
      }
      return filled;
    }
    TRY(rename_file(fiber, kNewSegment, path(index)));
  }
  TRY(sync_directory_or_die(fiber, kDirectory));
  segments_[index];
  ++ready_end_index_;
  return {};
}

Result<FileHandle> LogSegments::use(Fiber& fiber, uint64_t index) {
  CHECK(segments_.contains(index));
  ++segments_[index].users;
  if (!segments_[index].handle) {
    Result<FileHandle> opened = open_file(fiber, path(index), false);
    if (!opened.ok()) {
      unuse(index);
      return std::move(opened).status();
    }
    FileHandle& handle = segments_[index].handle;
    if (handle) {  // another fiber was faster
      TRY(close_file(fiber, opened.value()));
    } else {
      handle = opened.value();
    }
  }
  return segments_[index].handle;
}

void LogSegments::unuse(uint64_t index) {
  CHECK(segments_[index].users > 0);
  --segments_[index].users;
}

// All but the last two handles, which the writer needs again.
Status LogSegments::close_idle(Fiber& fiber) {
  std::vector<FileHandle> idle;
  size_t open = 0;
  for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
    if (!it->second.handle || ++open <= 2 || it->second.users > 0) continue;
    idle.push_back(std::exchange(it->second.handle, FileHandle()));
  }
  for (const FileHandle handle : idle) TRY(close_file(fiber, handle));
  return {};
}

Status LogSegments::write(Fiber& fiber, Lsn lsn, Bytes bytes) {
  while (!bytes.empty()) {
    const uint64_t index = index_of(lsn);
    const uint64_t offset = lsn.v % options_.segment_bytes;
    const uint64_t piece = std::min<uint64_t>(bytes.size(), options_.segment_bytes - offset);
    const FileHandle handle = TRY(use(fiber, index));
    Use in_use(*this, index);
    TRY(write_file(fiber, handle, offset, bytes.first(piece)));
    bytes = bytes.subspan(piece);
    lsn += piece;
  }
  return {};
}

bool LogSegments::is_in_one(Lsn from, Lsn end) const { return index_of(from) == index_of(end - 1); }

Status LogSegments::write_and_sync(Fiber& fiber, Lsn lsn, Bytes bytes) {
  CHECK(is_in_one(lsn, lsn + bytes.size()));
  const uint64_t index = index_of(lsn);
  const FileHandle handle = TRY(use(fiber, index));
  Use in_use(*this, index);
  return write_and_sync_file(fiber, handle, lsn.v % options_.segment_bytes, bytes);
}

Status LogSegments::sync(Fiber& fiber, Lsn from, Lsn end) {
  CHECK(from < end);
  for (uint64_t index = index_of(from); index <= index_of(end - 1); ++index) {
    const FileHandle handle = TRY(use(fiber, index));
    Use in_use(*this, index);
    TRY(sync_file(fiber, handle));
  }
  return {};
}

Result<uint64_t> LogSegments::read(Fiber& fiber, Lsn lsn, MutableBytes buffer) {
  uint64_t done = 0;
  while (done < buffer.size()) {
    const Lsn at = lsn + done;
    const uint64_t index = index_of(at);
    if (!segments_.contains(index)) break;
    const uint64_t offset = at.v % options_.segment_bytes;
    const uint64_t piece = std::min(buffer.size() - done, options_.segment_bytes - offset);
    uint64_t count = 0;
    {
      const FileHandle handle = TRY(use(fiber, index));
      Use in_use(*this, index);
      count = TRY(read_file(fiber, handle, offset, buffer.subspan(done, piece)));
    }
    done += count;
    if (count < piece) break;
    if (offset + piece == options_.segment_bytes) TRY(close_idle(fiber));
  }
  return done;
}

Lsn LogSegments::first() const {
  return segments_.empty() ? Lsn() : Lsn(segments_.begin()->first * options_.segment_bytes);
}

Lsn LogSegments::last_end() const {
  return segments_.empty() ? Lsn() : Lsn((segments_.rbegin()->first + 1) * options_.segment_bytes);
}

Status LogSegments::release_below(Fiber& fiber, Lsn lsn) {
  TRY(directory_.lock(fiber));
  UnlockGuard guard(directory_);
  bool changed = false;
  while (!segments_.empty()) {
    const auto [index, segment] = *segments_.begin();
    if (index >= index_of(lsn) || index >= ready_end_index_ || segment.users > 0) break;
    segments_.erase(segments_.begin());
    changed = true;
    if (segment.handle) TRY(close_file(fiber, segment.handle));
    if (spares_.size() < options_.recycled_segments) {
      TRY(rename_file(fiber, path(index), spare_path(index)));
      spares_.push_back(index);
    } else {
      TRY(remove_file(fiber, path(index)));
    }
  }
  if (changed) TRY(sync_directory_or_die(fiber, kDirectory));
  return {};
}

}  // namespace orrery
