// The log's two fibers: one writes entries and makes them durable, one keeps segments ready ahead
// of it.
#include "base/plant.h"
#include "base/text.h"
#include "fiber/scheduler.h"
#include "wal/log_internal.h"

namespace orrery {
namespace {
constexpr size_t kSpareBuffers = 4;
}

void Log::start_writing(Fiber& fiber, Term term) {
  CHECK(!writing_);
  CHECK(term > term_);
  term_ = term;
  writing_ = true;
  stopping_ = false;
  live_fibers_ = 2;
  fiber.scheduler().spawn("log writer", [this](Fiber& own) {
    write_loop(own);
    --live_fibers_;
    ended_.notify_all();
  });
  fiber.scheduler().spawn("log segments", [this](Fiber& own) {
    prepare_loop(own);
    --live_fibers_;
    ended_.notify_all();
  });
}

Status Log::shutdown(Fiber& fiber) {
  if (writing_) {
    stopping_ = true;
    work_.notify_one();
    prepare_.notify_one();
    while (live_fibers_ > 0) TRY(ended_.wait(fiber));
    writing_ = false;
    CHECK(unwritten_.empty());
  }
  return segments_->close(fiber);
}

void Log::write_loop(Fiber& fiber) {
  for (;;) {
    if (!wait_for_work(fiber).ok()) return;
    if (unwritten_.empty()) {
      CHECK(stopping_);
      return;
    }
    if (!write_round(fiber).ok()) return;
  }
}

// Until there is something to write now: somebody waits, an entry is full, or the delay is over.
Status Log::wait_for_work(Fiber& fiber) {
  while (!stopping_) {
    if (unwritten_.empty()) {
      TRY(work_.wait(fiber));
      continue;
    }
    if (wanted_ >= durable_ || unwritten_.size() > 1) return {};
    const Instant deadline = unwritten_.front()->opened_at + options_.flush_delay;
    if (fiber.now() >= deadline) return {};
    TRY(work_.wait(fiber, deadline));
  }
  return {};
}

void Log::seal_all() {
  for (const std::unique_ptr<EntryBuffer>& entry : unwritten_) {
    entry->closed = true;
    previous_crc_ =
        seal_entry(entry->bytes(), options_.group, term_, entry->lsn, durable_, previous_crc_);
    sealed_end_ = entry->end();
    for (Boundary& cut : cuts_) {
      if (cut.lsn == sealed_end_) cut.crc = previous_crc_;
    }
  }
}

// After a failed sync nobody knows what is on disk, and a second one that succeeds does not tell
// either.
Status Log::sync_round(Fiber& fiber, Lsn from, Lsn end) {
  Status synced = segments_->sync(fiber, from, end);
  if (synced.is_halted()) return synced;
  if (PLANTED(b02_fsync_retry_ok) && !synced.ok()) synced = segments_->sync(fiber, from, end);
  if (synced.ok()) return {};
  return host_.fatal(
      cat("could not fsync the log at ", segments_->place(from), ": ", synced.error().message));
}

// One write and one sync for all that was appended so far. What is appended meanwhile goes into the
// next round.
Status Log::write_round(Fiber& fiber) {
  seal_all();
  const Lsn from = unwritten_.front()->lsn;
  const Lsn end = unwritten_.back()->end();
  const size_t count = unwritten_.size();
  CHECK(from == durable_);
  // Usually all of it lies in one segment: then the last write syncs too.
  const bool joined = segments_->is_in_one(from, end) && !PLANTED(b02_fsync_retry_ok) &&
                      !PLANTED(b11_log_write_error_ignored);
  for (size_t i = 0; i < count; ++i) {
    if (PLANTED(canary_log_not_written)) continue;
    EntryBuffer& entry = *unwritten_[i];
    const bool syncs = joined && i + 1 == count;
    Status written;
    if (syncs) {
      written = segments_->write_and_sync(fiber, entry.lsn, entry.bytes());
    } else {
      written = segments_->write(fiber, entry.lsn, entry.bytes());
    }
    if (written.is_halted()) return written;
    if (!written.ok() && PLANTED(b11_log_write_error_ignored)) continue;
    if (!written.ok()) {
      return host_.fatal(cat("could not write the log at ", segments_->place(entry.lsn), ": ",
                             written.error().message));
    }
  }
  if (!joined) TRY(sync_round(fiber, from, end));
  if (PLANTED(eq1_extra_sync)) TRY(sync_round(fiber, from, end));
  durable_ = end;
  for (size_t i = 0; i < count; ++i) {
    std::unique_ptr<EntryBuffer> entry = std::move(unwritten_.front());
    unwritten_.pop_front();
    const bool usual = entry->capacity == options_.entry_bytes;
    if (usual && spare_.size() < kSpareBuffers) spare_.push_back(std::move(entry));
  }
  gate_.durable_advanced(*this, durable_);
  durable_waiters_->wake(durable_);
  if (PLANTED(eq2_early_wakeup)) room_.notify_all();
  CHECK_SLOW((check(), true));
  return {};
}

Lsn Log::wanted_ready_end() const {
  return std::max(room_wanted_,
                  append_position_ + options_.segments_ahead * options_.segment_bytes);
}

void Log::prepare_loop(Fiber& fiber) {
  bool failed = false;
  while (!stopping_) {
    if (failed || segments_->ready_end() >= wanted_ready_end()) {
      if (!prepare_.wait(fiber).ok()) return;
      failed = false;
      continue;
    }
    Status made = segments_->prepare_next(fiber);
    if (made.is_halted()) return;
    failed = !made.ok();
    if (failed && prepare_failure_.ok()) {
      host_.log(LogLevel::warning, cat("could not make a log segment: ", made.error().message));
    }
    if (failed && made.is(sqlstate::disk_full) && when_full_) when_full_();
    prepare_failure_ = std::move(made);
    ++prepare_attempts_;
    room_.notify_all();
  }
}

}  // namespace orrery
