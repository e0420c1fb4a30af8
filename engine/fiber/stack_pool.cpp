#include "fiber/stack_pool.h"

#include <cstddef>
#include <sys/mman.h>  // tidy: allow(header) stacks are mapped here and nowhere else

#include "base/check.h"

namespace orrery {
namespace {

constexpr ptrdiff_t kPage = 4096;
constexpr size_t kWarmStacks = 64;

void unmap(void* bottom, size_t size) {
  CHECK(munmap(static_cast<char*>(bottom) - kPage, size + kPage) == 0);
}

}  // namespace

void give_back_unused_pages(Stack stack) {
  constexpr ptrdiff_t kSlack = 2 * kPage;  // this call's own frames
  const char* frame = static_cast<const char*>(__builtin_frame_address(0));
  const ptrdiff_t unused =
      (frame - static_cast<const char*>(stack.bottom) - kSlack) / kPage * kPage;
  if (unused <= 0 || unused > static_cast<ptrdiff_t>(stack.size))
    return;  // ASan may have us elsewhere
  CHECK(madvise(stack.bottom, static_cast<size_t>(unused), MADV_DONTNEED) == 0);
}

StackPool::StackPool(size_t stack_bytes)
    : stack_bytes_((stack_bytes + kPage - 1) / kPage * kPage) {}

StackPool::~StackPool() {
  CHECK(in_use_ == 0);
  for (void* bottom : warm_) unmap(bottom, stack_bytes_);
  for (void* bottom : cold_) unmap(bottom, stack_bytes_);
}

Stack StackPool::take() {
  for (std::vector<void*>* pool : {&warm_, &cold_}) {
    if (pool->empty()) continue;
    void* bottom = pool->back();
    pool->pop_back();
    ++in_use_;
    return {bottom, stack_bytes_};
  }
  void* start = mmap(nullptr, stack_bytes_ + kPage, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (start == MAP_FAILED) return {};
  if (mprotect(start, kPage, PROT_NONE) != 0) {
    munmap(start, stack_bytes_ + kPage);
    return {};
  }
  ++in_use_;
  return {static_cast<char*>(start) + kPage, stack_bytes_};
}

void StackPool::give_back(Stack stack) {
  CHECK(in_use_ > 0);
  --in_use_;
  if (warm_.size() < kWarmStacks) {
    warm_.push_back(stack.bottom);
    return;
  }
  CHECK(madvise(stack.bottom, stack.size, MADV_DONTNEED) == 0);
  cold_.push_back(stack.bottom);
}

}  // namespace orrery
