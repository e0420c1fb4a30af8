#include "fiber/fiber.h"

#include "fiber/scheduler.h"
#include "fiber/stack_pool.h"
#include "fiber/switch.h"

namespace orrery {

Fiber::Fiber(Scheduler& scheduler, std::string name, UniqueFunction<void(Fiber&)> body)
    : scheduler_(scheduler),
      name_(std::move(name)),
      body_(std::move(body)),
      depth_limit_(scheduler.options_.recursion_limit),
      context_(std::make_unique<FiberContext>()) {
  timer_.completion = &timer_wake_;
}

Fiber::~Fiber() { CHECK(state_ == State::finished); }

Host& Fiber::host() { return scheduler_.host(); }
Instant Fiber::now() { return scheduler_.host().clock().now(); }

void Fiber::TimerWake::complete() {
  fiber.timed_out_ = true;
  fiber.wake();
}

void Fiber::park(Instant deadline, bool cancellable) {
  CHECK(scheduler_.current() == this);
  CHECK(no_suspend_ == 0);
  timed_out_ = false;
  if (scheduler_.halted()) return;
  if (deadline != kNever) {
    timer_.when = deadline;
    host().clock().set(timer_);
  }
  cancellable_ = cancellable;
  state_ = State::suspended;
  scheduler_.switch_back(*this);
  cancellable_ = false;
  if (deadline != kNever && !scheduler_.halted()) host().clock().cancel(timer_);
}

Status Fiber::suspend(Instant deadline) {
  TRY(check_interrupts());
  park(deadline, true);
  slice_end_ = units_ + kUnitsPerSlice;
  return check_interrupts();
}

Status Fiber::suspend_uncancelled() {
  park(kNever, false);
  if (scheduler_.halted()) return raise_halted();
  return {};
}

void Fiber::wake() {
  if (state_ != State::suspended || scheduler_.halted()) return;
  scheduler_.make_ready(*this);
}

Status Fiber::sleep(Duration duration) {
  const Instant end = now() + duration;
  do {
    TRY(suspend(end));
  } while (!timed_out_);
  return {};
}

Status Fiber::yield() {
  CHECK(scheduler_.current() == this);
  CHECK(no_suspend_ == 0);
  TRY(check_interrupts());
  scheduler_.make_ready(*this);
  scheduler_.switch_back(*this);
  slice_end_ = units_ + kUnitsPerSlice;
  return check_interrupts();
}

Status Fiber::end_slice() { return yield(); }

void Fiber::cancel(Status reason) {
  CHECK(!reason.ok());
  const bool ends_statement_only = reason.is(sqlstate::query_canceled);
  if (cancel_reason_ == nullptr || !ends_statement_only) {
    cancel_reason_ = std::make_unique<Error>(reason.error());
  }
  if (state_ == State::suspended && cancellable_ && cancel_held_ == 0) wake();
}

void Fiber::drop_statement_cancel() {
  if (cancel_reason_ != nullptr && cancel_reason_->code == sqlstate::query_canceled)
    cancel_reason_.reset();
}

bool Fiber::has_stack() const {
  const char* frame = static_cast<const char*>(__builtin_frame_address(0));
  const auto* bottom = static_cast<const char*>(context_->stack_bottom);
  return static_cast<size_t>(frame - bottom) >= context_->stack_size / 2;
}

Status RecursionLevel::check() const {
  if (fits_) return {};
  return raise(sqlstate::statement_too_complex, "stack depth limit exceeded")
      .hint(
          "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after "
          "ensuring the platform's stack depth limit is adequate.");
}

void Fiber::trim_stack() {
  CHECK(scheduler_.current() == this);
  give_back_unused_pages({const_cast<void*>(context_->stack_bottom), context_->stack_size});
}

void Fiber::release_cancel() {
  CHECK(cancel_held_ > 0);
  --cancel_held_;
}

Status Fiber::check_interrupts() {
  if (scheduler_.halted()) [[unlikely]]
    return raise_halted();
  if (cancel_reason_ != nullptr && cancel_held_ == 0) [[unlikely]]
    return Status(std::move(cancel_reason_));
  return {};
}

}  // namespace orrery
