#include "wal/log.h"

#include "base/probe.h"
#include "base/text.h"
#include "wal/log_internal.h"

namespace orrery {
namespace {

// Kept back for records that end transactions when the disk is full.
constexpr uint64_t kFinishingRoom = 64 << 10;

}  // namespace

void GroupOfOne::durable_advanced(Log& log, Lsn durable) { log.set_committed(durable); }

Log::Log(Host& host, const LogOptions& options, CommitGate& gate)
    : host_(host),
      options_(options),
      gate_(gate),
      segments_(std::make_unique<LogSegments>(options_)),
      durable_waiters_(std::make_unique<OrderedWaiters>()),
      committed_waiters_(std::make_unique<OrderedWaiters>()) {}

Log::~Log() { CHECK(live_fibers_ == 0); }

Status Log::create(Fiber& fiber) {
  TRY(segments_->create(fiber));
  append_position_ = durable_ = committed_ = sealed_end_ = kFirstEntryLsn;
  return {};
}

Status Log::reserve(Fiber& fiber, uint64_t bytes, ReserveKind kind) {
  if (bytes > kMaxRecordBytes) {
    return raise(sqlstate::program_limit_exceeded,
                 cat("log record of ", bytes, " bytes exceeds the maximum of ", kMaxRecordBytes));
  }
  const bool ordinary = kind == ReserveKind::ordinary;
  const uint64_t room = bytes + kEntryHeaderBytes + (ordinary ? kFinishingRoom : 0);
  for (;;) {
    const uint64_t uncommitted = append_position_ - committed_;
    if (ordinary && uncommitted > 0 && uncommitted + bytes > options_.uncommitted_limit_bytes) {
      PROBE("log: reserve waited because too much is uncommitted");
      kick(append_position_ - 1);
      TRY(room_.wait(fiber));
      continue;
    }
    if (append_position_ + room <= segments_->ready_end()) return {};
    PROBE("log: reserve waited for a segment");
    room_wanted_ = std::max(room_wanted_, append_position_ + room);
    const uint64_t attempts = prepare_attempts_;
    prepare_.notify_one();
    while (prepare_attempts_ == attempts) TRY(room_.wait(fiber));
    if (append_position_ + room > segments_->ready_end() && !prepare_failure_.ok()) {
      PROBE("log: no room for a segment");
      return prepare_failure_.clone();
    }
  }
}

Log::EntryBuffer& Log::open_entry(size_t record_bytes) {
  if (!unwritten_.empty() && !unwritten_.back()->closed) {
    EntryBuffer& entry = *unwritten_.back();
    const bool fits =
        entry.used + record_bytes <= std::min<size_t>(entry.capacity, options_.entry_bytes);
    if (fits) return entry;
    close_entry();
  }
  const size_t needed = std::max<size_t>(options_.entry_bytes, kEntryHeaderBytes + record_bytes);
  std::unique_ptr<EntryBuffer> entry;
  if (!spare_.empty() && spare_.back()->capacity >= needed) {
    entry = std::move(spare_.back());
    spare_.pop_back();
  } else {
    entry = std::make_unique<EntryBuffer>(needed);
  }
  entry->lsn = append_position_;
  entry->used = kEntryHeaderBytes;
  entry->closed = false;
  entry->opened_at = host_.clock().now();
  append_position_ += kEntryHeaderBytes;
  if (unwritten_.empty()) work_.notify_one();  // its delay begins
  unwritten_.push_back(std::move(entry));
  return *unwritten_.back();
}

void Log::close_entry() {
  unwritten_.back()->closed = true;
  work_.notify_one();
}

MutableBytes Log::append_in_place(RecordKind kind, uint8_t flags, Xid xid, size_t payload_bytes,
                                  Lsn& lsn) {
  CHECK(writing_);
  const size_t length = kRecordHeaderBytes + payload_bytes;
  CHECK(length <= kMaxRecordBytes);
  EntryBuffer& entry = open_entry(length);
  lsn = append_position_;
  CHECK(lsn == entry.end());
  std::byte* at = entry.data.get() + entry.used;
  encode_record_header(at, static_cast<uint32_t>(length), kind, flags, xid);
  entry.used += length;
  append_position_ += length;
  CHECK(append_position_ <= segments_->ready_end());
  if (wanted_ready_end() > segments_->ready_end() && prepare_failure_.ok()) prepare_.notify_one();
  return {at + kRecordHeaderBytes, payload_bytes};
}

Lsn Log::append(RecordKind kind, Xid xid, Bytes payload) {
  Lsn lsn;
  const MutableBytes to = append_in_place(kind, 0, xid, payload.size(), lsn);
  if (!payload.empty()) std::memcpy(to.data(), payload.data(), payload.size());
  return lsn;
}

Lsn Log::cut() {
  Boundary boundary{append_position_, std::nullopt};
  // The entry that ends here may be on its way to disk already, sealed.
  if (sealed_end_ == append_position_) boundary.crc = previous_crc_;
  if (!unwritten_.empty()) unwritten_.back()->closed = true;
  cuts_.push_back(boundary);
  return append_position_;
}

uint32_t Log::crc_before(Lsn boundary) {
  CHECK(boundary <= durable_);
  for (auto cut = cuts_.begin(); cut != cuts_.end(); ++cut) {
    if (cut->lsn != boundary || !cut->crc) continue;
    const uint32_t crc = *cut->crc;
    cuts_.erase(cut);
    return crc;
  }
  UNREACHABLE();
}

Status Log::wait_durable(Fiber& fiber, Lsn lsn) {
  if (lsn < durable_) return {};
  kick(lsn);
  return durable_waiters_->wait(fiber, lsn);
}

Status Log::wait_committed(Fiber& fiber, Lsn lsn) {
  if (lsn < committed_) return {};
  kick(lsn);
  return committed_waiters_->wait(fiber, lsn);
}

void Log::kick(Lsn lsn) {
  CHECK(lsn < append_position_);
  if (lsn < durable_ || lsn <= wanted_) return;
  wanted_ = lsn;
  work_.notify_one();
}

void Log::set_committed(Lsn committed) {
  CHECK(committed >= committed_);
  CHECK(committed <= durable_);
  if (committed == committed_) return;
  committed_ = committed;
  if (observer_ != nullptr) observer_->committed_advanced(committed);
  committed_waiters_->wake(committed);
  room_.notify_all();
}

Status Log::release_below(Fiber& fiber, Lsn lsn) {
  for (const RetentionHold* hold = holds_.front(); hold != nullptr; hold = holds_.next_of(*hold)) {
    lsn = std::min(lsn, hold->lsn_);
  }
  return segments_->release_below(fiber, lsn);
}

void Log::check() const {
  CHECK(committed_ <= durable_);
  CHECK(durable_ <= append_position_);
  CHECK(sealed_end_ >= durable_ && sealed_end_ <= append_position_);
  Lsn at = durable_;
  for (size_t i = 0; i < unwritten_.size(); ++i) {
    const EntryBuffer& entry = *unwritten_[i];
    CHECK(entry.lsn == at);
    CHECK(entry.used > kEntryHeaderBytes);
    CHECK(entry.used <= entry.capacity);
    CHECK_IF(!entry.closed, i + 1 == unwritten_.size());
    at = entry.end();
  }
  CHECK(at == append_position_);
  CHECK_IF(writing_, append_position_ <= segments_->ready_end());
  durable_waiters_->check(durable_);
  committed_waiters_->check(committed_);
}

}  // namespace orrery
