#include "base/arena.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"

namespace orrery {

void MemoryBudget::add(uint64_t bytes) {
  for (MemoryBudget* b = this; b != nullptr; b = b->parent_) b->used_bytes_ += bytes;
}

void MemoryBudget::release(uint64_t bytes) {
  for (MemoryBudget* b = this; b != nullptr; b = b->parent_) {
    CHECK(b->used_bytes_ >= bytes);
    b->used_bytes_ -= bytes;
  }
}

Status MemoryBudget::check(uint64_t more_bytes) const {
  for (const MemoryBudget* b = this; b != nullptr; b = b->parent_) {
    if (b->used_bytes_ <= b->limit_bytes_ && more_bytes <= b->limit_bytes_ - b->used_bytes_)
      continue;
    return raise(sqlstate::out_of_memory, "out of memory")
        .detail(cat("Failed on request of size ", more_bytes, ": ", b->used_bytes_, " of ",
                    b->limit_bytes_, " bytes are in use."));
  }
  return {};
}

struct alignas(16) Arena::Block {
  Block* older;
  size_t bytes;  // payload, after this header
  char* payload() { return reinterpret_cast<char*>(this + 1); }
};

namespace {
constexpr size_t kFirstBlockBytes = 1024;
constexpr size_t kLargestBlockBytes = 256 * 1024;
}  // namespace

Arena::Block* Arena::new_block(size_t bytes) {
  void* memory = std::malloc(sizeof(Block) + bytes);
  CHECK(memory != nullptr);
  auto* block = new (memory) Block{newest_, bytes};
  newest_ = block;
  held_bytes_ += bytes;
  if (budget_ != nullptr) budget_->add(bytes);
  return block;
}

void* Arena::allocate_slowly(size_t bytes) {
  const size_t next = std::clamp(capacity_ * 2, kFirstBlockBytes, kLargestBlockBytes);
  if (bytes > next / 2) {  // a piece of its own; go on filling the block we have
    Block* own = new_block(std::max<size_t>(bytes, 1));
    if (own->older != nullptr) {  // keep the block being filled at the head of the chain
      Block* filling = own->older;
      own->older = filling->older;
      filling->older = own;
      newest_ = filling;
    } else {
      capacity_ = used_ = 0;
      block_ = own->payload();
    }
    return own->payload();
  }
  Block* block = new_block(next);
  block_ = block->payload();
  capacity_ = next;
  used_ = bytes;
  return block_;
}

Result<void*> Arena::try_allocate(size_t bytes, size_t alignment) {
  if (budget_ != nullptr) TRY(budget_->check(bytes));
  return allocate(bytes, alignment);
}

void Arena::reset() {
  if (newest_ == nullptr) return;
  Block* keep = newest_;  // the newest filling block is the largest
  for (Block* b = keep->older; b != nullptr;) {
    Block* older = b->older;
    held_bytes_ -= b->bytes;
    if (budget_ != nullptr) budget_->release(b->bytes);
    std::free(b);
    b = older;
  }
  keep->older = nullptr;
  block_ = keep->payload();
  capacity_ = keep->bytes;
  used_ = 0;
}

void Arena::clear() {
  while (newest_ != nullptr) {
    Block* older = newest_->older;
    if (budget_ != nullptr) budget_->release(newest_->bytes);
    std::free(newest_);
    newest_ = older;
  }
  block_ = nullptr;
  used_ = capacity_ = 0;
  held_bytes_ = 0;
}

}  // namespace orrery
