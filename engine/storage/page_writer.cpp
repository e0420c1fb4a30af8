#include "storage/page_writer.h"

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "fiber/scheduler.h"

namespace orrery {
namespace {

constexpr Duration kRetryHome = milliseconds(100);
constexpr int kHomeRetriesWhenStopping = 10;

}  // namespace

PageWriter::PageWriter(Host& host, const StorageOptions& options, Log& log, BufferPool& pool,
                       DataFiles& files, DoubleWrite& double_write)
    : host_(host),
      options_(options),
      log_(log),
      pool_(pool),
      files_(files),
      double_write_(double_write) {
  pool_.writer_ = this;
}

PageWriter::~PageWriter() { CHECK(!running_); }

void PageWriter::start(Fiber& fiber) {
  CHECK(!running_);
  running_ = true;
  stopping_ = false;
  fiber.scheduler().spawn("page writer", [this](Fiber& own) {
    loop(own);
    running_ = false;
    ended_.notify_all();
  });
}

Status PageWriter::stop(Fiber& fiber) {
  stopping_ = true;
  work_.notify_all();
  while (running_) TRY(ended_.wait(fiber));
  return {};
}

void PageWriter::kick() {
  if (wanted_) return;
  wanted_ = true;
  work_.notify_one();
}

void PageWriter::loop(Fiber& fiber) {
  while (!stopping_) {
    if (!wanted_) {
      if (!work_.wait(fiber).ok()) return;
      continue;
    }
    wanted_ = false;
    const std::vector<Address> chosen = choose();
    if (chosen.empty()) continue;
    Status written = write_batch(fiber, chosen);
    if (written.is_halted()) return;
    if (!written.ok()) {
      host_.log(LogLevel::warning, cat("could not write pages: ", written.error().message));
    }
    failure_ = std::move(written);
    ++attempts_;
    pool_.frame_freed_.notify_all();
    // Waiters that find nothing kick again.
    if (failure_.ok() && pool_.clean_ahead() < options_.clean_frames) wanted_ = true;
    if (!fiber.yield().ok()) return;
  }
}

// Dirty frames in the order in which the clock hand will come to them. What is not committed comes
// only when there is nothing else, and if the gate holds commits back then just the oldest: waiting
// for it must not hold up others.
std::vector<PageWriter::Address> PageWriter::choose() {
  std::vector<Address> committed, others;
  const Frame* oldest = nullptr;
  for (uint32_t i = 0; i < pool_.frame_count_ && committed.size() < double_write_.capacity(); ++i) {
    const Frame& frame = pool_.frames_[(pool_.hand_ + i) % pool_.frame_count_];
    if (frame.state != FrameState::valid || !frame.must_be_written() || frame.writing) continue;
    const Lsn lsn(page_header(frame.bytes).lsn);
    if (lsn < log_.committed()) {
      committed.push_back({frame.file, frame.block});
    } else {
      if (others.size() < double_write_.capacity()) others.push_back({frame.file, frame.block});
      if (oldest == nullptr || lsn < Lsn(page_header(oldest->bytes).lsn)) oldest = &frame;
    }
  }
  if (!committed.empty() || others.empty()) return committed;
  PROBE("storage: every dirty page was uncommitted");
  if (log_.committed() < log_.durable()) return {{oldest->file, oldest->block}};
  return others;
}

Status PageWriter::write_batch(Fiber& fiber, std::span<const Address> addresses) {
  CHECK(addresses.size() <= double_write_.capacity());
  TRY(batch_.lock(fiber));
  UnlockGuard guard(batch_);
  TRY(double_write_.begin(fiber));
  std::vector<Address> sorted(addresses.begin(), addresses.end());
  std::ranges::sort(sorted);
  copy(sorted);
  if (copied_.empty()) return {};
  fiber.charge_only(copied_.size() * (kPageBytes / 64));
  Status written = write_copies(fiber);
  if (!written.ok()) {
    if (!written.is_halted()) finish(false);
    return written;
  }
  TRY(write_homes(fiber));
  double_write_.done(pages_);
  ++batches_written_;
  pages_written_ += pages_.size();
  finish(true);
  return {};
}

void PageWriter::copy(std::span<const Address> addresses) {
  copied_.clear();
  pages_.clear();
  for (const Address& address : addresses) {
    const uint32_t* index = pool_.map_.find(BufferPool::Key{address.file, address.block});
    if (index == nullptr) continue;
    Frame& frame = pool_.frames_[*index];
    if (frame.state != FrameState::valid || !frame.dirty) continue;
    CHECK(!frame.writing);
    std::memcpy(double_write_.slot(static_cast<uint32_t>(copied_.size())).data(), frame.bytes,
                kPageBytes);
    frame.writing = true;
    frame.next_rec_lsn = Lsn{};
    copied_.push_back({&frame, frame.version});
    pages_.push_back({frame.file, frame.block, Lsn(page_header(frame.bytes).lsn), 0});
  }
}

// Once this is ok, the batch is safe whatever happens to the homes.
Status PageWriter::write_copies(Fiber& fiber) {
  Lsn newest{};
  for (const DoubleWrite::Page& page : pages_) newest = std::max(newest, page.lsn);
  const bool breaks_rule = PLANTED(b04_wal_rule_broken);
  if (newest >= log_.committed() && !breaks_rule) {
    PROBE("storage: a page waited for its log before it was written");
    TRY(log_.wait_committed(fiber, newest));
  }
  CHECK(newest < log_.committed() || breaks_rule);
  CHECK(log_.committed() <= log_.durable());
  for (size_t i = 0; i < pages_.size(); ++i) {
    const PageBytes copy = double_write_.slot(static_cast<uint32_t>(i));
    const Lsn safe = breaks_rule ? std::max(newest + 1, log_.committed()) : log_.committed();
    stamp_for_write(copy, pages_[i].file, pages_[i].block, safe);
    pages_[i].checksum = page_header(copy.data()).checksum;
  }
  if (PLANTED(b03_no_double_write)) return {};
  return double_write_.write(fiber, pages_, log_.durable());
}

Status PageWriter::write_homes(Fiber& fiber) {
  for (size_t first = 0; first < pages_.size();) {
    size_t count = 1;  // neighbours on disk are neighbours in the batch
    while (first + count < pages_.size() && pages_[first + count].file == pages_[first].file &&
           pages_[first + count].block == pages_[first].block + static_cast<uint32_t>(count)) {
      ++count;
    }
    TRY(write_run(fiber, first, count));
    first += count;
  }
  return {};
}

// A home that was not written may be torn, and its copy must not be overwritten until it is whole:
// so this does not give up, while others may learn from failure() why no frames come free.
Status PageWriter::write_run(Fiber& fiber, size_t first, size_t count) {
  const Bytes bytes(double_write_.slot(static_cast<uint32_t>(first)).data(), count * kPageBytes);
  for (int attempt = 1;; ++attempt) {
    Status written;
    if (files_.has_ended(pages_[first].file)) return written;
    {
      Result<DataFiles::Use> file = files_.use(fiber, pages_[first].file);
      written = file.ok() ? files_.write(fiber, *file.value(), pages_[first].block, bytes)
                          : std::move(file).status();
    }
    if (written.ok() || written.is_halted()) return written;
    PROBE("storage: a page could not be written home at once");
    if (attempt == 1 || stopping_) {
      host_.log(LogLevel::warning,
                cat("could not write block ", pages_[first].block, " of ",
                    file_path(pages_[first].file), ": ", written.error().message));
    }
    if (stopping_ && attempt >= kHomeRetriesWhenStopping) {
      return host_.fatal("pages could not be written at shutdown; the next start recovers");
    }
    failure_ = std::move(written);
    ++attempts_;
    pool_.frame_freed_.notify_all();
    TRY(fiber.sleep(kRetryHome));
  }
}

void PageWriter::finish(bool is_home) {
  for (const Copied& copied : copied_) {
    Frame& frame = *copied.frame;
    CHECK(frame.writing && frame.dirty);
    frame.writing = false;
    if (is_home && (frame.version == copied.version || PLANTED(b14_lost_redirty))) {
      frame.dirty = false;
      frame.rec_lsn = Lsn{};
      --pool_.dirty_;
    } else if (is_home) {
      PROBE("storage: a page was changed while it was being written");
      frame.rec_lsn = frame.next_rec_lsn;
    }
    frame.changed.notify_all();
  }
  copied_.clear();
  pool_.frame_freed_.notify_all();
}

}  // namespace orrery
