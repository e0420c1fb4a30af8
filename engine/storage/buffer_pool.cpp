#include "storage/buffer_pool.h"

#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"
#include "storage/data_files.h"
#include "storage/page_writer.h"

namespace orrery {
namespace {

// Claims leave these to fibers that pin one page at a time and wait for nothing meanwhile.
constexpr uint32_t kUnclaimedFrames = 4;

}  // namespace

BufferPool::BufferPool(Host& host, const StorageOptions& options, DataFiles& files)
    : host_(host),
      options_(options),
      files_(files),
      frame_count_(options.pool_pages),
      memory_(std::make_unique_for_overwrite<PageMemory[]>(options.pool_pages)),
      frames_(std::make_unique<Frame[]>(options.pool_pages)) {
  for (uint32_t i = 0; i < frame_count_; ++i) {
    frames_[i].bytes = memory_[i].bytes;
    frames_[i].pool = this;
  }
  map_.reserve(frame_count_);
  host_.large_memory(std::as_writable_bytes(std::span(memory_.get(), frame_count_)));
  host_.large_memory(std::as_writable_bytes(std::span(frames_.get(), frame_count_)));
}

BufferPool::~BufferPool() { CHECK(claimed_ == 0); }

Status PageRef::wait_sole_pin(Fiber& fiber) {
  while (frame_->pins > 1) TRY(frame_->changed.wait(fiber));
  return {};
}

void PageRef::set_hint(uint16_t offset, Bytes bytes) {
  CHECK(offset >= kFirstWritableOffset && offset + bytes.size() <= kPageBytes);
  if (!frame_->pool->hints_allowed_) return;
  std::memcpy(frame_->bytes + offset, bytes.data(), bytes.size());
  frame_->pool->mark_hinted(*frame_);
}

void BufferPool::unpin(Frame& frame) {
  CHECK(frame.pins > 0);
  --frame.pins;
  if (!frame.changed.empty()) frame.changed.notify_all();
  if (frame.pins > 0) return;
  if (frame.state == FrameState::failed) uninstall(frame);
  if (!frame_freed_.empty()) frame_freed_.notify_all();
}

// The page is on its way or here; `page` pins its frame.
Result<PageRef> BufferPool::await_load(Fiber& fiber, PageRef page, Ring* ring) {
  Frame& frame = *page.frame_;
  while (frame.state == FrameState::loading) TRY(frame.changed.wait(fiber));
  if (frame.state == FrameState::failed) return frame.failure.clone();
  CHECK(frame.state == FrameState::valid);
  if (ring != nullptr && frame.usage == 0) remember_in(*ring, frame);
  if (frame.usage == 0) frame.usage = 1;
  return page;
}

Result<PageRef> BufferPool::pin_slowly(Fiber& fiber, FileId file, BlockNo block, Ring* ring) {
  PageRef spare;  // a free frame, once one was had
  for (;;) {
    if (const uint32_t* index = map_.find(Key{file, block})) {
      ++frames_[*index].pins;
      return await_load(fiber, PageRef(&frames_[*index]), ring);
    }
    const DataFiles::Use home = TRY(files_.use(fiber, file));
    if (block >= home->size) {
      return raise(sqlstate::data_corrupted,
                   cat("could not read block ", block, " in file \"", file_path(file),
                       "\": read only 0 of ", kPageBytes, " bytes"));
    }
    if (map_.contains(Key{file, block})) continue;
    if (!spare) {
      Frame* frame = TRY(take_frame(fiber, ring));
      spare = PageRef(frame);
      continue;  // it may have waited: look again
    }
    ++counters_.misses;
    Frame& frame = *spare.frame_;
    install(frame, file, block, FrameState::loading);
    start_load(frame, *home);
    return await_load(fiber, std::move(spare), ring);
  }
}

Result<PageRef> BufferPool::pin_for_init(Fiber& fiber, FileId file, BlockNo block) {
  for (;;) {
    if (map_.contains(Key{file, block})) {
      Result<PageRef> page = pin(fiber, file, block);
      if (!page.status().is(sqlstate::data_corrupted)) return page;
      continue;  // read ahead and damaged: it will be made anew
    }
    Frame* frame = TRY(take_frame(fiber, nullptr));
    if (map_.contains(Key{file, block})) {
      unpin(*frame);
      continue;
    }
    std::memset(frame->bytes, 0, kPageBytes);
    install(*frame, file, block, FrameState::valid);
    return PageRef(frame);
  }
}

Result<PageRef> BufferPool::extend(Fiber& fiber, FileId file, Ring* ring) {
  DataFiles::Use home = TRY(files_.use(fiber, file));
  Frame* frame = TRY(take_frame(fiber, ring));
  PageRef page(frame);  // so that it is given back on every way out
  while (!home->has_room()) TRY(files_.make_room(fiber, *home));
  const BlockNo block = home->size;
  home->size = block.next();
  CHECK(!map_.contains(Key{file, block}));
  std::memset(frame->bytes, 0, kPageBytes);
  install(*frame, file, block, FrameState::valid);
  frame->usage = 1;
  if (ring != nullptr) remember_in(*ring, *frame);
  return page;
}

void BufferPool::install(Frame& frame, FileId file, BlockNo block, FrameState state) {
  CHECK(frame.state == FrameState::free && !frame.dirty && !frame.writing);
  frame.file = file;
  frame.block = block;
  frame.state = state;
  frame.failure = {};
  const bool is_new = map_.insert(Key{file, block}, static_cast<uint32_t>(&frame - frames_.get()));
  CHECK(is_new);
}

void BufferPool::uninstall(Frame& frame) {
  CHECK(frame.pins == 0 && !frame.writing && frame.state != FrameState::loading);
  const bool was_there = map_.erase(Key{frame.file, frame.block});
  CHECK(was_there);
  if (frame.dirty) --dirty_;
  frame.dirty = false;
  frame.rec_lsn = Lsn{};
  frame.state = FrameState::free;
  frame.usage = 0;
  ++frame.version;  // whoever kept the old one sees a change
}

void BufferPool::start_load(Frame& frame, DataFile& home) {
  CHECK(frame.state == FrameState::loading);
  ++home.users;
  ++loading_;
  if (spare_loads_.empty()) {
    loads_.push_back(std::make_unique<Load>());
    loads_.back()->pool = this;
    loads_.back()->request.completion = loads_.back().get();
    spare_loads_.push_back(loads_.back().get());
  }
  Load& load = *spare_loads_.back();
  spare_loads_.pop_back();
  load.frame = &frame;
  load.request.op = DiskOp::read;
  load.request.handle = home.handle;
  load.request.offset = frame.block.v * kPageBytes;
  load.request.buffer = {frame.bytes, kPageBytes};
  if (host_.disk().submit(load.request)) finish_load(load);
}

void BufferPool::finish_load(Load& load) {
  Frame& frame = *load.frame;
  CHECK(frame.state == FrameState::loading);
  DataFile* home = files_.find(frame.file);
  CHECK(home != nullptr && home->users > 0);
  --home->users;
  --loading_;
  const Status status = std::exchange(load.request.status, {});
  const uint64_t count = load.request.count;
  spare_loads_.push_back(&load);
  if (!status.ok()) {
    frame.failure =
        raise(status.error().code, cat("could not read block ", frame.block, " in file \"",
                                       file_path(frame.file), "\": ", status.error().message));
  } else if (count < kPageBytes) {
    frame.failure =
        raise(sqlstate::data_corrupted,
              cat("could not read block ", frame.block, " in file \"", file_path(frame.file),
                  "\": read only ", count, " of ", kPageBytes, " bytes"));
  } else {
    frame.failure =
        accept_after_read(ConstPageBytes(frame.bytes, kPageBytes), frame.file, frame.block);
  }
  frame.state = frame.failure.ok() ? FrameState::valid : FrameState::failed;
  if (!frame.failure.ok() && frame.pins == 0) uninstall(frame);
  frame.changed.notify_all();
  if (frame.pins == 0) frame_freed_.notify_all();
  if (loading_ == 0) loads_done_.notify_all();
}

void BufferPool::read_ahead(FileId file, BlockNo first, uint32_t count) {
  DataFile* home = files_.find_open(file);
  if (home == nullptr) return;
  for (BlockNo block = first; count > 0 && block < home->size; ++block, --count) {
    if (map_.contains(Key{file, block})) continue;
    if (loading_ >= frame_count_ / 4) return;
    Frame* frame = sweep();
    if (frame == nullptr) return;
    ++counters_.read_ahead;
    install(*frame, file, block, FrameState::loading);
    frame->usage = 1;
    start_load(*frame, *home);
    unpin(*frame);
  }
}

void BufferPool::mark_dirty(Frame& frame, Lsn lsn) {
  CHECK(frame.pins > 0 && frame.state == FrameState::valid);
  ++frame.version;
  if (!frame.dirty) ++dirty_;
  frame.dirty = true;
  if (!frame.rec_lsn) frame.rec_lsn = lsn;
  if (frame.writing && !frame.next_rec_lsn) frame.next_rec_lsn = lsn;
}

void BufferPool::mark_hinted(Frame& frame) {
  CHECK(frame.pins > 0 && frame.state == FrameState::valid);
  ++frame.version;
  if (!frame.dirty) ++dirty_;
  frame.dirty = true;
}

Status BufferPool::discard(Fiber& fiber, FunctionRef<bool(FileId, BlockNo)> is_meant) {
  for (uint32_t i = 0; i < frame_count_; ++i) {
    Frame& frame = frames_[i];
    while (frame.state != FrameState::free && is_meant(frame.file, frame.block)) {
      if (frame.pins == 0 && !frame.writing && frame.state != FrameState::loading) {
        uninstall(frame);
        break;
      }
      PROBE("storage: a page to be discarded was in use");
      TRY(frame.changed.wait(fiber));
    }
  }
  frame_freed_.notify_all();
  return {};
}

Result<PinClaim> BufferPool::claim(Fiber& fiber, uint32_t pages) {
  CHECK(pages <= kMaxClaim);
  const uint32_t limit = frame_count_ - kUnclaimedFrames;
  if (claim_turn_.is_locked() || claimed_ + pages > limit) {
    PROBE("storage: a claim on frames waited");
    TRY(claim_turn_.lock(fiber));
    UnlockGuard guard(claim_turn_);
    while (claimed_ + pages > limit) TRY(claim_freed_.wait(fiber));
    claimed_ += pages;
    return PinClaim(*this, pages);
  }
  claimed_ += pages;
  return PinClaim(*this, pages);
}

PinClaim& PinClaim::operator=(PinClaim&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = std::exchange(other.pool_, nullptr);
    pages_ = other.pages_;
  }
  return *this;
}

void PinClaim::release() {
  BufferPool* pool = std::exchange(pool_, nullptr);
  if (pool == nullptr) return;
  CHECK(pool->claimed_ >= pages_);
  pool->claimed_ -= pages_;
  pool->claim_freed_.notify_all();
}

uint32_t BufferPool::pinned_frames() const {
  uint32_t count = 0;
  for (uint32_t i = 0; i < frame_count_; ++i) count += frames_[i].pins > 0 ? 1 : 0;
  return count;
}

void BufferPool::check() const {
  uint32_t dirty = 0, loading = 0, installed = 0;
  for (uint32_t i = 0; i < frame_count_; ++i) {
    const Frame& frame = frames_[i];
    if (frame.state == FrameState::free) {
      CHECK(!frame.dirty && !frame.writing);
      continue;
    }
    ++installed;
    const uint32_t* index = map_.find(Key{frame.file, frame.block});
    CHECK(index != nullptr && *index == i);
    dirty += frame.dirty ? 1 : 0;
    loading += frame.state == FrameState::loading ? 1 : 0;
    CHECK_IF(frame.writing, frame.dirty);
    CHECK_IF(frame.rec_lsn > Lsn{}, frame.dirty);
    CHECK_IF(frame.state != FrameState::valid, !frame.dirty);
    if (frame.state != FrameState::valid) continue;
    const PageHeader& header = page_header(frame.bytes);
    CHECK_IF(frame.dirty, header.format == kPageFormat);
    CHECK_IF(header.format != 0, header.file == frame.file.v && header.block == frame.block.v);
    CHECK_IF(frame.rec_lsn > Lsn{}, frame.rec_lsn <= Lsn(header.lsn));
  }
  CHECK(installed == map_.size());
  CHECK(dirty == dirty_);
  CHECK(loading == loading_);
  CHECK(claimed_ <= frame_count_ - kUnclaimedFrames);
}

}  // namespace orrery
