// Lifetimes, not frees: what a statement, a transaction or a batch allocates lives in its arena and
// goes at once.
//
// To give a gigabyte back to the system takes it a good part of a second. So a budget may ask that
// what large arenas drop under it is kept for it to free bit by bit (defer_frees()).
//
// Arenas draw from a MemoryBudget; budgets nest (statement in node). Allocation itself does not
// fail: a budget that is exceeded says so through check(), which operators ask between batches, and
// try_allocate() refuses a large piece before it is taken. So the overshoot is bounded by one
// batch. Objects made here are never destroyed one by one, hence they must be trivially
// destructible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/status.h"

namespace orrery {

struct ArenaBlock;

// Counts bytes against a limit. Not thread-safe: an engine thread owns it.
class MemoryBudget {
 public:
  MemoryBudget(MemoryBudget* parent, uint64_t limit_bytes)
      : parent_(parent), limit_bytes_(limit_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  ~MemoryBudget();

  // From now on what large arenas of this budget, and of those within it, drop lies here until
  // free_some() has freed it. It is counted no more.
  void defer_frees() { defers_ = true; }
  bool has_deferred() const { return deferred_ != nullptr; }
  void free_some(uint64_t bytes);

  void add(uint64_t bytes);
  void release(uint64_t bytes);
  // 53200 when `more_bytes` on top of what is used would pass the limit here or in a parent.
  Status check(uint64_t more_bytes = 0) const;
  uint64_t used_bytes() const { return used_bytes_; }
  uint64_t limit_bytes() const { return limit_bytes_; }
  void set_limit(uint64_t limit_bytes) { limit_bytes_ = limit_bytes; }

 private:
  friend class Arena;

  MemoryBudget* parent_;
  uint64_t limit_bytes_;
  uint64_t used_bytes_ = 0;
  bool defers_ = false;
  ArenaBlock* deferred_ = nullptr;  // chain
};

class Arena {
 public:
  // `budget` may be null: then nothing is counted.
  explicit Arena(MemoryBudget* budget = nullptr) : budget_(budget) {}
  Arena(const Arena&) = delete;
  ~Arena() { clear(); }

  // Aligned to `alignment` (a power of two, at most 16). Never null.
  void* allocate(size_t bytes, size_t alignment = 8) {
    const size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (start + bytes <= capacity_) [[likely]] {
      used_ = start + bytes;
      return block_ + start;
    }
    return allocate_slowly(bytes);
  }
  // For pieces whose size an input decides: 53200 instead of passing the budget.
  Result<void*> try_allocate(size_t bytes, size_t alignment = 8);

  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }
  template <class T>
  std::span<T> make_array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    T* data = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    for (size_t i = 0; i < count; ++i) new (data + i) T{};
    return {data, count};
  }
  template <class Range>
  auto copy_array(const Range& from) {
    using T = std::remove_cvref_t<decltype(*std::begin(from))>;
    static_assert(std::is_trivially_copyable_v<T>);
    T* data = static_cast<T*>(allocate(std::size(from) * sizeof(T), alignof(T)));
    size_t n = 0;
    for (const T& item : from) new (data + n++) T(item);
    return std::span<T>(data, n);
  }
  std::string_view copy(std::string_view text) {
    char* data = static_cast<char*>(allocate(text.size() + 1, 1));
    if (!text.empty()) std::memcpy(data, text.data(), text.size());
    data[text.size()] = '\0';
    return {data, text.size()};
  }

  // Frees everything but keeps the first block for reuse, so that a batch's arena settles.
  void reset();
  // Frees everything.
  void clear();
  uint64_t held_bytes() const { return held_bytes_; }
  MemoryBudget* budget() const { return budget_; }

 private:
  using Block = ArenaBlock;
  void* allocate_slowly(size_t bytes);
  Block* new_block(size_t bytes);
  // A chain of blocks that are `bytes` together.
  void drop(Block* chain, uint64_t bytes);

  MemoryBudget* budget_;
  char* block_ = nullptr;    // payload of the newest block
  size_t used_ = 0;          // of block_
  size_t capacity_ = 0;      // of block_
  Block* newest_ = nullptr;  // chain of blocks, newest first
  uint64_t held_bytes_ = 0;
};

}  // namespace orrery
