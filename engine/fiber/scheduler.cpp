#include "fiber/scheduler.h"

#include "base/text.h"
#include "fiber/stack_pool.h"
#include "fiber/switch.h"

namespace orrery {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kFrameGrowth = 4;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr size_t kFrameGrowth = 4;
#else
constexpr size_t kFrameGrowth = 1;
#endif
#else
constexpr size_t kFrameGrowth = 1;
#endif

}  // namespace

Scheduler::Scheduler(Host& host, SchedulerOptions options)
    : host_(host),
      options_(options),
      main_context_(std::make_unique<FiberContext>()),
      stacks_(std::make_unique<StackPool>(options.stack_bytes * kFrameGrowth)) {}

Scheduler::~Scheduler() { CHECK(all_.empty()); }

Fiber& Scheduler::spawn(std::string name, UniqueFunction<void(Fiber&)> body) {
  // tidy: allow(word) the list of all fibers owns them; resume() deletes one that has returned
  Fiber* fiber = new Fiber(*this, std::move(name), std::move(body));
  fiber->ordinal_ = ++spawned_;
  all_.push_back(*fiber);
  fiber->state_ = Fiber::State::suspended;
  if (!halted_) make_ready(*fiber);
  return *fiber;
}

void Scheduler::make_ready(Fiber& fiber) {
  CHECK(fiber.state_ == Fiber::State::suspended || fiber.state_ == Fiber::State::running);
  fiber.state_ = Fiber::State::ready;
  const bool first = ready_.empty();
  ready_.push_back(fiber);
  if (first) host_.work_ready();
}

void Scheduler::append_ready(std::vector<uint64_t>& ordinals) const {
  for (const Fiber* fiber = ready_.front(); fiber != nullptr; fiber = ready_.next_of(*fiber)) {
    ordinals.push_back(fiber->ordinal_);
  }
}

std::optional<WorkUnits> Scheduler::run_one() {
  CHECK(current_ == nullptr);
  if (halted_ || ready_.empty()) return std::nullopt;
  Fiber* fiber = ready_.front();
  if (ready_.size() > 1) {
    uint32_t choice = host_.pick(static_cast<uint32_t>(ready_.size()));
    CHECK(choice < ready_.size());
    for (; choice > 0; --choice) fiber = ready_.next_of(*fiber);
  }
  ready_.remove(*fiber);
  return resume(*fiber);
}

WorkUnits Scheduler::resume(Fiber& fiber) {
  FiberContext& context = *fiber.context_;
  if (context.stack_bottom == nullptr) {  // its first turn: until then a fiber costs no stack
    const Stack stack = stacks_->take();
    CHECK(stack.bottom != nullptr);
    prepare_context(context, stack.bottom, stack.size, &Scheduler::enter, &fiber);
  }
  const WorkUnits before = fiber.units_;
  fiber.state_ = Fiber::State::running;
  current_ = &fiber;
  prepare_thread_context(*main_context_);
  switch_context(*main_context_, context);
  current_ = nullptr;
  const WorkUnits spent = fiber.units_ - before;
  if (fiber.state_ == Fiber::State::finished) {
    const Stack stack{const_cast<void*>(context.stack_bottom), context.stack_size};
    release_context(context);
    stacks_->give_back(stack);
    all_.remove(fiber);
    delete &fiber;  // tidy: allow(word) made in spawn()
  }
  return spent;
}

void Scheduler::switch_back(Fiber& fiber) { switch_context(*fiber.context_, *main_context_); }

void Scheduler::enter(void* argument) {
  Fiber& fiber = *static_cast<Fiber*>(argument);
  [&]() noexcept {
    fiber.body_(fiber);
    fiber.body_ = {};  // what it captured dies here, where it may still use its stack
  }();
  CHECK(fiber.no_suspend_ == 0);
  fiber.state_ = Fiber::State::finished;
  fiber.context_->finished = true;
  fiber.scheduler_.switch_back(fiber);
}

void Scheduler::halt() {
  CHECK(current_ == nullptr);
  halted_ = true;
  // From here no suspension point switches away, so a turn of each fiber is its last.
  while (Fiber* fiber = all_.front()) {
    if (fiber->state_ == Fiber::State::ready && fiber->queue_hook_.linked) ready_.remove(*fiber);
    const size_t before = all_.size();
    resume(*fiber);
    CHECK(all_.size() >= before - 1);
    CHECK(all_.front() != fiber);
  }
}

}  // namespace orrery
