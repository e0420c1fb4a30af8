// A set of places in a table, as bitmap scans gather them from indexes: tids, and whole pages once
// there are too many to be told one by one. What a whole page holds has to be checked again.
#pragma once

#include <vector>

#include "access/relation.h"
#include "base/arena.h"

namespace orrery {

class TidBitmap {
 public:
  TidBitmap(MemoryBudget* budget, uint64_t memory_bytes)
      : budget_(budget), memory_bytes_(memory_bytes) {}
  TidBitmap(const TidBitmap&) = delete;
  ~TidBitmap() { budget_->release(counted_); }

  void add(std::span<const Tid> tids);
  void intersect(TidBitmap& other);
  void unite(TidBitmap& other);
  // Puts it in order; after the last change.
  void finish() { settle(); }
  void clear();

  size_t size() const { return entries_.size(); }
  // Entry `i`, in order of place.
  BlockNo block(size_t i) const { return BlockNo(static_cast<uint32_t>(entries_[i] >> 16)); }
  bool is_page(size_t i) const { return (entries_[i] & 0xFFFF) == 0; }
  Tid tid(size_t i) const { return Tid{block(i), static_cast<uint16_t>(entries_[i])}; }

 private:
  void settle();
  void drop_slots();
  void count();

  MemoryBudget* budget_;
  uint64_t memory_bytes_;
  uint64_t counted_ = 0;
  std::vector<uint64_t> entries_;  // block << 16 | slot; slot 0 stands for the page
};

}  // namespace orrery
