#include "base/arena.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

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

struct alignas(16) ArenaBlock {
  ArenaBlock* older;
  size_t bytes;  // payload, after this header
  char* payload() { return reinterpret_cast<char*>(this + 1); }
};

namespace {
constexpr size_t kFirstBlockBytes = 1024;
constexpr size_t kLargestBlockBytes = 256 * 1024;
constexpr uint64_t kLargeArenaBytes = 16 << 20;
constexpr size_t kWorthAWalk = 64 * 1024;  // to look for what waits to be freed

void free_chain(ArenaBlock* chain) {
  while (chain != nullptr) {
    ArenaBlock* const older = chain->older;
    std::free(chain);
    chain = older;
  }
}
}  // namespace

MemoryBudget::~MemoryBudget() {
  CHECK(used_bytes_ == 0);
  free_chain(deferred_);
}

void MemoryBudget::free_some(uint64_t bytes) {
  while (bytes > 0 && deferred_ != nullptr) {
    ArenaBlock* const block = deferred_;
    if (block->bytes > bytes) {  // its end goes
      block->bytes -= bytes;
      void* const rest = std::realloc(block, sizeof(ArenaBlock) + block->bytes);
      if (rest != nullptr) deferred_ = static_cast<ArenaBlock*>(rest);
      return;
    }
    deferred_ = block->older;
    bytes -= block->bytes;
    std::free(block);
  }
}

// Whoever needs memory while some waits to be freed frees more than he takes.
Arena::Block* Arena::new_block(size_t bytes) {
  if (bytes >= kWorthAWalk) {
    for (MemoryBudget* b = budget_; b != nullptr; b = b->parent_) {
      if (b->deferred_ != nullptr) b->free_some(2 * bytes);
    }
  }
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

void Arena::drop(Block* chain, uint64_t bytes) {
  if (chain == nullptr) return;
  held_bytes_ -= bytes;
  if (budget_ != nullptr) budget_->release(bytes);
  MemoryBudget* keeper = bytes >= kLargeArenaBytes ? budget_ : nullptr;
  while (keeper != nullptr && !keeper->defers_) keeper = keeper->parent_;
  if (keeper == nullptr) return free_chain(chain);
  Block* oldest = chain;
  while (oldest->older != nullptr) oldest = oldest->older;
  oldest->older = keeper->deferred_;
  keeper->deferred_ = chain;
}

void Arena::reset() {
  if (newest_ == nullptr) return;
  Block* keep = newest_;  // the newest filling block is the largest
  drop(std::exchange(keep->older, nullptr), held_bytes_ - keep->bytes);
  block_ = keep->payload();
  capacity_ = keep->bytes;
  used_ = 0;
}

void Arena::clear() {
  drop(std::exchange(newest_, nullptr), held_bytes_);
  block_ = nullptr;
  used_ = capacity_ = 0;
}

}  // namespace orrery
