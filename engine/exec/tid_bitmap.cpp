#include "exec/tid_bitmap.h"

#include <algorithm>

namespace orrery {

void TidBitmap::add(std::span<const Tid> tids) {
  for (const Tid& tid : tids) entries_.push_back(uint64_t{tid.block.v} << 16 | uint64_t{tid.slot});
  if (entries_.size() * sizeof(uint64_t) > memory_bytes_) settle();
  count();
}

// Sorted, each once, and nothing beside its whole page.
void TidBitmap::settle() {
  std::sort(entries_.begin(), entries_.end());
  entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
  size_t kept = 0;
  for (const uint64_t entry : entries_) {
    const bool covered =
        kept > 0 && (entries_[kept - 1] & 0xFFFF) == 0 && entries_[kept - 1] >> 16 == entry >> 16;
    if (!covered) entries_[kept++] = entry;
  }
  entries_.resize(kept);
  if (entries_.size() * sizeof(uint64_t) > memory_bytes_ / 2) drop_slots();
}

void TidBitmap::drop_slots() {
  for (uint64_t& entry : entries_) entry &= ~uint64_t{0xFFFF};
  entries_.erase(std::unique(entries_.begin(), entries_.end()), entries_.end());
}

void TidBitmap::unite(TidBitmap& other) {
  entries_.insert(entries_.end(), other.entries_.begin(), other.entries_.end());
  settle();
  count();
}

// Where one side knows the page only, so does the result.
void TidBitmap::intersect(TidBitmap& other) {
  settle();
  other.settle();
  std::vector<uint64_t> both;
  const std::vector<uint64_t>& a = entries_;
  const std::vector<uint64_t>& b = other.entries_;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i] >> 16 != b[j] >> 16) {
      ++(a[i] >> 16 < b[j] >> 16 ? i : j);
      continue;
    }
    const uint64_t page = a[i] & ~uint64_t{0xFFFF};
    if (a[i] == page || b[j] == page) {
      both.push_back(page);
      while (i < a.size() && a[i] >> 16 == page >> 16) ++i;
      while (j < b.size() && b[j] >> 16 == page >> 16) ++j;
    } else if (a[i] == b[j]) {
      both.push_back(a[i]);
      ++i;
      ++j;
    } else {
      ++(a[i] < b[j] ? i : j);
    }
  }
  entries_.swap(both);
  count();
}

void TidBitmap::clear() {
  entries_.clear();
  entries_.shrink_to_fit();
  count();
}

void TidBitmap::count() {
  const uint64_t held = entries_.capacity() * sizeof(uint64_t);
  budget_->release(counted_);
  budget_->add(held);
  counted_ = held;
}

}  // namespace orrery
