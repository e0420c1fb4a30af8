#include "storage/checkpointer.h"

#include "base/probe.h"
#include "base/text.h"
#include "fiber/scheduler.h"

namespace orrery {
namespace {
constexpr Duration kRetry = seconds(5);
constexpr Lsn kNoWake{UINT64_MAX};
constexpr Fork kForks[] = {Fork::main, Fork::free_space, Fork::visibility, Fork::init};
}  // namespace

void Checkpointer::start(Fiber& fiber) {
  CHECK(!running_);
  running_ = true;
  stopping_ = false;
  begun_at_ = fiber.now();
  fiber.scheduler().spawn("checkpointer", [this](Fiber& own) {
    loop(own);
    running_ = false;
    stopping_ = true;
    done_.notify_all();
  });
}

Status Checkpointer::stop(Fiber& fiber) {
  stopping_ = true;
  work_.notify_all();
  while (running_) TRY(done_.wait(fiber));
  return {};
}

void Checkpointer::request() {
  if (!running_ || requested_ > served_) return;
  ++requested_;
  work_.notify_one();
}

Status Checkpointer::checkpoint(Fiber& fiber) {
  const uint64_t ticket = ++requested_;
  work_.notify_one();
  while (served_ < ticket) {
    if (stopping_)
      return raise(sqlstate::cannot_connect_now, "the database system is shutting down");
    TRY(done_.wait(fiber));
  }
  return failure_.clone();
}

void Checkpointer::wake(Lsn) {
  wake_at_ = kNoWake;
  work_.notify_one();
}

// True when one is due, false when stopping. Sleeps without a timer while nothing is logged.
Result<bool> Checkpointer::wait_until_due(Fiber& fiber) {
  for (;;) {
    if (stopping_) return false;
    if (requested_ > served_) return true;
    const Lsn redo(parts_.control.saved().redo);
    const Lsn position = parts_.log.append_position();
    if (position - redo >= parts_.options.checkpoint_log_bytes) return true;
    Instant deadline = kNever;
    if (position == redo) {
      wake_at_ = redo;
    } else {
      wake_at_ = redo + parts_.options.checkpoint_log_bytes;
      deadline = begun_at_ + parts_.options.checkpoint_interval;
      if (fiber.now() >= deadline) return true;
    }
    TRY(work_.wait(fiber, deadline));
  }
}

void Checkpointer::loop(Fiber& fiber) {
  for (;;) {
    const Result<bool> due = wait_until_due(fiber);
    if (!due.ok() || !due.value()) return;
    const uint64_t serving = requested_;
    const bool hurry = requested_ > served_;
    begun_at_ = fiber.now();
    Status status = run(fiber, hurry);
    if (status.is_halted()) return;
    served_ = std::max(served_, serving);
    const bool failed = !status.ok();
    if (failed) {
      PROBE("storage: a checkpoint failed");
      parts_.host.log(LogLevel::warning, cat("checkpoint failed: ", status.error().message));
    } else {
      ++completed_;
    }
    failure_ = std::move(status);
    done_.notify_all();
    if (failed && !work_.wait(fiber, fiber.now() + kRetry).ok()) return;
  }
}

Status Checkpointer::run(Fiber& fiber, bool hurry) {
  ControlData& control = parts_.control.data;
  if (parts_.log.append_position() == Lsn(parts_.control.saved().redo)) return unlink_ended(fiber);

  const Lsn redo = parts_.log.cut();
  std::string handler_state;
  parts_.file_life.keep(redo);
  parts_.handler.save_state(redo, handler_state);
  CHECK(parts_.log.append_position() == redo);

  TRY(write_dirty(fiber, redo, hurry));
  while (parts_.log.committed() < redo) TRY(parts_.log.wait_committed(fiber, redo - 1));
  while (!file_work_.empty() && file_work_.front()->lsn_ < redo) {
    PROBE("storage: a checkpoint waited for a file to be made or cut");
    TRY(file_work_done_.wait(fiber));
  }
  const uint64_t retired = parts_.double_write.last_done();
  TRY(parts_.files.sync_all(fiber));
  std::string state;
  parts_.file_life.save_kept(state);
  state += handler_state;
  TRY(parts_.control.save_state(fiber, state));
  control.redo = redo.v;
  control.redo_previous_crc = parts_.log.crc_before(redo);
  control.durable = parts_.log.durable().v;
  control.min_recovery = std::max(control.min_recovery, parts_.double_write.min_recovery().v);
  control.double_write_retired = retired;
  TRY(parts_.control.save(fiber));
  TRY(unlink_ended(fiber));
  return parts_.log.release_below(fiber, redo);
}

// Pages first changed at or after `redo` may stay: their records will be redone.
Status Checkpointer::write_dirty(Fiber& fiber, Lsn redo, bool hurry) {
  std::vector<PageWriter::Address> dirty;
  const BufferPool& pool = parts_.pool;
  for (uint32_t i = 0; i < pool.frame_count_; ++i) {
    const Frame& frame = pool.frames_[i];
    if (frame.dirty && frame.rec_lsn > Lsn{} && frame.rec_lsn < redo)
      dirty.push_back({frame.file, frame.block});
  }
  std::ranges::sort(dirty);
  const size_t batch = parts_.options.double_write_pages;
  for (size_t done = 0; done < dirty.size();) {
    const size_t count = std::min(batch, dirty.size() - done);
    TRY(parts_.writer.write_batch(fiber, std::span(dirty).subspan(done, count)));
    done += count;
    if (!hurry) TRY(pace(fiber, done, dirty.size()));
    TRY(fiber.yield());
  }
  return {};
}

// Sleeps while more is done than was due by now; not when someone waits, or the log has run ahead.
Status Checkpointer::pace(Fiber& fiber, size_t done, size_t total) {
  const int64_t spread_ns =
      parts_.options.checkpoint_interval.ns / 100 * parts_.options.checkpoint_spread_percent;
  const Instant due = begun_at_ + Duration{static_cast<int64_t>(static_cast<double>(spread_ns) *
                                                                static_cast<double>(done) /
                                                                static_cast<double>(total))};
  while (!stopping_ && requested_ == served_ && fiber.now() < due) {
    const uint64_t grown = parts_.log.append_position() - Lsn(parts_.control.saved().redo);
    if (grown > 2 * parts_.options.checkpoint_log_bytes) break;
    TRY(work_.wait(fiber, due));
  }
  return {};
}

Status Checkpointer::unlink_ended(Fiber& fiber) {
  const Lsn redo(parts_.control.saved().redo);
  const std::vector<FileId> gone = parts_.file_life.take_unlinkable(redo);
  if (gone.empty()) return {};
  std::vector<uint64_t> numbers;
  for (const FileId file : gone) numbers.push_back(file_number(file));
  std::ranges::sort(numbers);
  for (const FileId file : gone) {
    for (const Fork fork : kForks) parts_.files.end(with_fork(file, fork));
  }
  Status discarded = parts_.pool.discard(fiber, [&](FileId file, BlockNo) {
    return std::ranges::binary_search(numbers, file_number(file));
  });
  if (!discarded.ok()) {
    for (const FileId file : gone) parts_.file_life.unlink_later(file, Lsn(1));
    return discarded;
  }
  for (size_t i = 0; i < gone.size(); ++i) {
    for (const Fork fork : kForks) {
      Status removed = parts_.files.remove(fiber, with_fork(gone[i], fork));
      if (removed.is_halted()) return removed;
      if (removed.ok()) continue;
      for (size_t left = i; left < gone.size(); ++left)
        parts_.file_life.unlink_later(gone[left], Lsn(1));
      return removed;
    }
  }
  return {};
}

}  // namespace orrery
