#include "sim/file_content.h"

#include <algorithm>

#include "base/check.h"

namespace orrery {
namespace {

uint64_t blocks_for(uint64_t size_bytes) { return (size_bytes + kBlockBytes - 1) / kBlockBytes; }

// Calls piece(block index, offset in block, offset in the range, count) for each block that the
// range touches.
template <class F>
void for_pieces(uint64_t offset, uint64_t count, F piece) {
  for (uint64_t done = 0; done < count;) {
    const uint64_t at = offset + done;
    const auto within = static_cast<uint32_t>(at % kBlockBytes);
    const uint64_t length = std::min<uint64_t>(count - done, kBlockBytes - within);
    piece(at / kBlockBytes, within, done, static_cast<uint32_t>(length));
    done += length;
  }
}

// Zeros what lies beyond `size_bytes` in its last block, so that a later extension reads zeros.
void clear_tail(std::vector<BlockRef>& blocks, uint64_t size_bytes) {
  blocks.resize(blocks_for(size_bytes));
  const auto within = static_cast<uint32_t>(size_bytes % kBlockBytes);
  if (within == 0 || blocks.empty() || blocks.back().is_zeros()) return;
  std::memset(blocks.back().writable() + within, 0, kBlockBytes - within);
}

}  // namespace

BlockRef& FileContent::Version::block(uint64_t index) {
  if (index >= blocks.size()) blocks.resize(index + 1);
  return blocks[index];
}

void FileContent::Version::write(uint64_t offset, Bytes data) {
  for_pieces(offset, data.size(),
             [&](uint64_t index, uint32_t within, uint64_t done, uint32_t length) {
               std::memcpy(block(index).writable() + within, data.data() + done, length);
             });
  size = std::max(size, offset + data.size());
}

void FileContent::Version::resize(uint64_t size_bytes) {
  if (size_bytes < size) {
    clear_tail(blocks, size_bytes);
  } else {
    blocks.resize(blocks_for(size_bytes));
  }
  size = size_bytes;
}

uint64_t FileContent::read(uint64_t offset, MutableBytes out) const {
  if (offset >= size_) return 0;
  const uint64_t count = std::min<uint64_t>(out.size(), size_ - offset);
  for_pieces(offset, count, [&](uint64_t index, uint32_t within, uint64_t done, uint32_t length) {
    cache_[index].read(within, out.subspan(done, length));
  });
  return count;
}

uint64_t FileContent::read_stale(uint64_t offset, MutableBytes out) const {
  const uint64_t count = read(offset, out);
  const BlockRef zeros;
  for_pieces(offset, count, [&](uint64_t index, uint32_t within, uint64_t done, uint32_t length) {
    const bool is_there = index < platter_.blocks.size();
    (is_there ? platter_.blocks[index] : zeros).read(within, out.subspan(done, length));
  });
  return count;
}

uint64_t FileContent::write(uint64_t offset, Bytes data) {
  pending_.push_back(
      Pending{next_number_, offset, data.size(), pending_data_.size(), false, false});
  pending_data_.append(as_text(data));
  const uint64_t end = offset + data.size();
  if (end > size_) {
    size_ = end;
    cache_.resize(blocks_for(size_));
  }
  for_pieces(
      offset, data.size(), [&](uint64_t index, uint32_t within, uint64_t done, uint32_t length) {
        if (index >= platter_.blocks.size() || same_block(cache_[index], platter_.blocks[index]))
          dirty_.push_back(index);
        std::memcpy(cache_[index].writable() + within, data.data() + done, length);
      });
  return next_number_++;
}

uint64_t FileContent::resize(uint64_t size_bytes) {
  pending_.push_back(Pending{next_number_, size_bytes, 0, pending_data_.size(), true, false});
  if (size_bytes < size_) {
    for (uint64_t i = size_bytes / kBlockBytes; i < cache_.size(); ++i) dirty_.push_back(i);
    clear_tail(cache_, size_bytes);
  } else {
    cache_.resize(blocks_for(size_bytes));
  }
  size_ = size_bytes;
  return next_number_++;
}

void FileContent::note_completed(uint64_t number) {
  for (size_t i = pending_.size(); i > 0; --i) {
    if (pending_[i - 1].number != number) continue;
    pending_[i - 1].completed = true;
    return;
  }
}

bool FileContent::is_in_flight(uint64_t offset, uint64_t count) const {
  const uint64_t first = offset / kSectorBytes;
  const uint64_t last = (offset + count - 1) / kSectorBytes;
  for (const Pending& write : pending_) {
    if (write.completed || write.is_resize || write.count == 0) continue;
    if (write.offset / kSectorBytes <= last &&
        first <= (write.offset + write.count - 1) / kSectorBytes)
      return true;
  }
  return false;
}

void FileContent::copy_sector(const Version& from, Version& to, uint64_t sector) {
  const uint64_t index = sector * kSectorBytes / kBlockBytes;
  const auto within = static_cast<uint32_t>(sector * kSectorBytes % kBlockBytes);
  std::byte* target = to.block(index).writable() + within;
  from.blocks[index].read(within, {target, kSectorBytes});
  // What a file held past its end is not seen; the size says how much of the sector counts.
  to.size = std::max(to.size, std::min((sector + 1) * kSectorBytes, from.size));
}

// Runs through the pending writes in order: all of them change `shadow`, the cache as it was then;
// the kept sectors of the covered ones go from there to the platter.
template <class Covered>
void FileContent::replay(Covered covered, KeepSector keep) {
  Version shadow = has_dropped_ ? base_ : platter_;
  Version next_base = base_;
  for (size_t i = 0; i < pending_.size(); ++i) {
    const Pending& write = pending_[i];
    const Bytes data = as_bytes(pending_data_).subspan(write.data_at, write.count);
    write.is_resize ? shadow.resize(write.offset) : shadow.write(write.offset, data);
    if (!covered(write)) continue;
    if (has_dropped_)
      write.is_resize ? next_base.resize(write.offset) : next_base.write(write.offset, data);
    if (write.is_resize) {
      if (keep(i, 0)) platter_.resize(write.offset);
      continue;
    }
    if (write.count == 0) continue;
    const uint64_t first = write.offset / kSectorBytes;
    const uint64_t last = (write.offset + write.count - 1) / kSectorBytes;
    for (uint64_t sector = first; sector <= last; ++sector) {
      if (keep(i, static_cast<uint32_t>(sector - first))) copy_sector(shadow, platter_, sector);
    }
  }
  base_ = std::move(next_base);
}

void FileContent::forget_pending_before(uint64_t begun) {
  std::vector<Pending> left;
  std::string left_data;
  for (Pending write : pending_) {
    if (write.completed && write.number < begun) continue;
    const size_t at = left_data.size();
    left_data.append(pending_data_, write.data_at, write.count);
    write.data_at = at;
    left.push_back(write);
  }
  pending_ = std::move(left);
  pending_data_ = std::move(left_data);
}

void FileContent::finish_sync(uint64_t begun) {
  bool covers_all = !has_dropped_;
  for (const Pending& write : pending_)
    covers_all = covers_all && write.completed && write.number < begun;
  if (covers_all) {  // the usual case: the platter takes the cache's blocks
    platter_.blocks.resize(cache_.size());
    for (const uint64_t index : dirty_) {
      if (index < cache_.size()) platter_.blocks[index] = cache_[index];
    }
    platter_.size = size_;
    dirty_.clear();
    pending_.clear();
    pending_data_.clear();
    return;
  }
  replay([&](const Pending& write) { return write.completed && write.number < begun; },
         [](size_t, uint32_t) { return true; });
  forget_pending_before(begun);
}

void FileContent::fail_sync(uint64_t begun, KeepSector keep) {
  if (!has_dropped_) base_ = platter_;
  has_dropped_ = true;
  replay([&](const Pending& write) { return write.completed && write.number < begun; }, keep);
  forget_pending_before(begun);
}

void FileContent::crash(KeepSector keep) {
  replay([](const Pending&) { return true; }, keep);
  cache_ = platter_.blocks;
  cache_.resize(blocks_for(platter_.size));
  size_ = platter_.size;
  clear_tail(cache_, size_);
  platter_.blocks = cache_;
  base_ = Version{};
  has_dropped_ = false;
  dirty_.clear();
  pending_.clear();
  pending_data_.clear();
}

}  // namespace orrery
