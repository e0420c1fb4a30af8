// 4 KiB of file content, shared between files, versions and machines until somebody writes to it. A
// null block reads as zeros. This is what makes a template image free: the disk of a new machine is
// a table of pointers.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "base/bytes.h"

namespace orrery {

constexpr uint32_t kSectorBytes = 512;
constexpr uint32_t kBlockBytes = 4096;

class BlockRef {
 public:
  BlockRef() = default;
  BlockRef(const BlockRef& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr && --block_->references == 0) std::unique_ptr<Block> dies(block_);
  }

  bool is_zeros() const { return block_ == nullptr; }
  void read(uint32_t offset, MutableBytes out) const {
    if (block_ == nullptr) {
      std::memset(out.data(), 0, out.size());
    } else {
      std::memcpy(out.data(), block_->bytes + offset, out.size());
    }
  }
  // The bytes, for this holder alone.
  std::byte* writable() {
    if (block_ == nullptr) {
      block_ = std::make_unique<Block>().release();
      std::memset(block_->bytes, 0, kBlockBytes);
    } else if (block_->references > 1) {
      Block* copy = std::make_unique<Block>().release();
      std::memcpy(copy->bytes, block_->bytes, kBlockBytes);
      --block_->references;
      block_ = copy;
    }
    return block_->bytes;
  }
  friend bool same_block(const BlockRef& a, const BlockRef& b) { return a.block_ == b.block_; }

 private:
  struct Block {
    uint32_t references = 1;
    std::byte bytes[kBlockBytes];
  };
  Block* block_ = nullptr;
};

}  // namespace orrery
