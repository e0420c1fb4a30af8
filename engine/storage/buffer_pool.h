// Pages in memory: pin one, look at it while the pin lives, change it through a Change.
//
// Under a pin a page stays in its frame and tuple bytes stay where they are: only a cleanup moves
// them, and it needs the sole pin. Between two suspension points nobody else touches a page; after
// one, re-check it by its LSN.
//
// Replacement is a clock sweep with usage counts, as in PostgreSQL; a large scan passes a Ring and
// reuses a few frames. A dirty frame is written before it is reused, in batches, through the
// double-write area, and not before its LSN is committed (page_writer.h). So pin() may wait for a
// frame: for pins of others, for commits, for writes. Hints alone are not worth a write: they come
// to disk with a logged change of their page, or are found out again.
//
// A fiber that waits for a page while it holds another must own a PinClaim for all of them, or
// fibers could wait for each other's frames for ever; a claim is had before the first pin.
#pragma once

#include <memory>

#include "base/function.h"
#include "base/hash_map.h"
#include "fiber/sync.h"
#include "storage/page.h"

namespace orrery {

class BufferPool;
class DataFiles;
class PageWriter;
struct DataFile;
struct StorageOptions;

enum class FrameState : uint8_t { free, loading, valid, failed };

struct alignas(4096) PageMemory {
  std::byte bytes[kPageBytes];
};

// What the pool knows of one page's place in memory. Others use PageRef.
struct alignas(64) Frame {
  std::byte* bytes = nullptr;
  BufferPool* pool = nullptr;
  FileId file;
  BlockNo block = kInvalidBlock;
  uint32_t pins = 0;
  FrameState state = FrameState::free;
  uint8_t usage = 0;  // clock sweep
  bool dirty = false;
  bool writing = false;  // a copy is on its way home: not evicted, not copied again
  uint64_t version = 0;  // grows with every change, hints included
  WaitQueue changed;     // loaded, failed, or a pin dropped
  Lsn rec_lsn;           // first record since the page was last clean; 0 if none (hints only)
  Lsn next_rec_lsn;      // while writing: first record since the copy was taken
  Status failure;        // of a load that failed

  // Not so for hints alone: they go with the page rather than cost a write. But a free-space map is
  // nothing else, and only VACUUM finds it out again.
  bool must_be_written() const {
    return dirty && (rec_lsn > Lsn{} || file_fork(file) == Fork::free_space);
  }
};
static_assert(sizeof(Frame) <= 128);

// A pin. Empty when default-made or moved from.
class PageRef {
 public:
  PageRef() = default;
  explicit PageRef(Frame* frame) : frame_(frame) {}  // takes over a pin that is counted
  PageRef(PageRef&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  PageRef& operator=(PageRef&& other) noexcept {
    if (this != &other) {
      release();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~PageRef() { release(); }
  void release();

  explicit operator bool() const { return frame_ != nullptr; }
  const std::byte* data() const { return frame_->bytes; }
  ConstPageBytes bytes() const { return ConstPageBytes(frame_->bytes, kPageBytes); }
  const PageHeader& header() const { return page_header(data()); }
  PageKind kind() const { return static_cast<PageKind>(header().kind); }
  Lsn lsn() const { return Lsn(header().lsn); }
  FileId file() const { return frame_->file; }
  BlockNo block() const { return frame_->block; }
  // Grows with every change, hints included: equal means nothing changed.
  uint64_t version() const { return frame_->version; }

  // Nobody else holds a pin: the page may be compacted.
  bool is_sole_pin() const { return frame_->pins == 1; }
  // Suspends until it is so. 57014.
  Status wait_sole_pin(Fiber& fiber);

  // Writes bytes without log: what may be lost and can be found out again. Nothing happens on
  // followers and while recovering. REQUIRES: what the hint says is committed and visible to all
  // (see access).
  void set_hint(uint16_t offset, Bytes bytes);

 private:
  friend class BufferPool;
  friend class Change;
  friend class Recovery;
  Frame* frame_ = nullptr;
};

// A few frames that a large scan reuses, so that it does not push everything else out. Owned by the
// scan.
class Ring {
 public:
  explicit Ring(uint32_t frames = 32) : frames_(frames) {}

 private:
  friend class BufferPool;
  struct Slot {
    uint32_t frame = UINT32_MAX;
    FileId file;
    BlockNo block;
  };
  uint32_t frames_;
  uint32_t at_ = 0;
  std::vector<Slot> slots_;
};

// The right to pin so many pages at once.
class PinClaim {
 public:
  PinClaim() = default;
  PinClaim(BufferPool& pool, uint32_t pages) : pool_(&pool), pages_(pages) {}
  PinClaim(PinClaim&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), pages_(other.pages_) {}
  PinClaim& operator=(PinClaim&& other) noexcept;
  ~PinClaim() { release(); }
  void release();

 private:
  BufferPool* pool_ = nullptr;
  uint32_t pages_ = 0;
};

class BufferPool {
 public:
  BufferPool(Host& host, const StorageOptions& options, DataFiles& files);
  BufferPool(const BufferPool&) = delete;
  ~BufferPool();

  // The page, read if it is not here. Suspends while it reads or waits for a frame.
  // 58030 read failed; XX001 it does not check, or lies behind the end; 58P01 no such file; 53000
  // every frame stayed pinned for the pin timeout; 57014. Then nothing stays pinned.
  Result<PageRef> pin(Fiber& fiber, FileId file, BlockNo block, Ring* ring = nullptr) {
    if (Frame* frame = cached(file, block)) [[likely]]
      return PageRef(frame);
    return pin_slowly(fiber, file, block, ring);
  }
  // Only if it is here: empty otherwise. Does not suspend.
  PageRef pin_cached(FileId file, BlockNo block) { return PageRef(cached(file, block)); }
  // A page of zeros behind the last one. It is the caller's to initialise by a Change; if that
  // never happens it stays a page of zeros, which scans pass over. 53100 when the disk is full:
  // then the file is as before. 58030, 57014.
  Result<PageRef> extend(Fiber& fiber, FileId file, Ring* ring = nullptr);
  // Starts reading pages that are not here, as far as frames are free at once. Does not suspend,
  // never fails; an error is met by the pin that follows.
  void read_ahead(FileId file, BlockNo first, uint32_t count);
  // Suspends until so many pins are free to claim. REQUIRES: this fiber holds no claim; pages <=
  // kMaxClaim.
  Result<PinClaim> claim(Fiber& fiber, uint32_t pages);
  static constexpr uint32_t kMaxClaim = 8;

  struct Counters {
    uint64_t hits = 0, misses = 0, read_ahead = 0, evictions = 0, frame_waits = 0;
  };
  const Counters& counters() const { return counters_; }
  uint32_t frame_count() const { return frame_count_; }
  uint32_t pinned_frames() const;
  void check() const;

 private:
  friend class Storage;
  friend class Checkpointer;
  friend class Recovery;
  friend class PageWriter;
  friend class PageRef;
  friend class PinClaim;

  struct Key {
    FileId file;
    BlockNo block;
    friend bool operator==(const Key&, const Key&) = default;
    friend auto operator<=>(const Key&, const Key&) = default;
    friend uint64_t hash_value(const Key& key) {
      return hash_u64(key.file.v << 32 ^ key.file.v >> 32 ^ key.block.v);
    }
  };

  Frame* cached(FileId file, BlockNo block) {
    uint32_t* index = map_.find(Key{file, block});
    if (index == nullptr) return nullptr;
    Frame& frame = frames_[*index];
    if (frame.state != FrameState::valid) return nullptr;
    ++frame.pins;
    if (frame.usage < kMaxUsage) ++frame.usage;
    ++counters_.hits;
    return &frame;
  }
  Result<PageRef> pin_slowly(Fiber& fiber, FileId file, BlockNo block, Ring* ring);
  Result<PageRef> await_load(Fiber& fiber, PageRef page, Ring* ring);
  // The page without reading it, for redo of an init.
  Result<PageRef> pin_for_init(Fiber& fiber, FileId file, BlockNo block);
  Result<Frame*> take_frame(Fiber& fiber, Ring* ring);
  Frame* sweep();
  Frame* from_ring(Ring& ring);
  void evict(Frame& frame);
  uint32_t clean_ahead() const;
  void remember_in(Ring& ring, const Frame& frame);
  void install(Frame& frame, FileId file, BlockNo block, FrameState state);
  void uninstall(Frame& frame);
  // A page on its way from the disk.
  struct Load final : Completion {
    void complete() override { pool->finish_load(*this); }
    BufferPool* pool = nullptr;
    Frame* frame = nullptr;
    DiskRequest request;
  };
  void start_load(Frame& frame, DataFile& home);
  void finish_load(Load& load);
  void unpin(Frame& frame);
  // A logged change at `lsn`, or a hint.
  void mark_dirty(Frame& frame, Lsn lsn);
  void mark_hinted(Frame& frame);
  // Forgets pages, changes and all. Suspends while one of them is pinned, being written or read.
  Status discard(Fiber& fiber, FunctionRef<bool(FileId, BlockNo)> is_meant);

  static constexpr uint8_t kMaxUsage = 5;

  Host& host_;
  const StorageOptions& options_;
  DataFiles& files_;
  PageWriter* writer_ = nullptr;
  uint32_t frame_count_;
  std::unique_ptr<PageMemory[]> memory_;
  std::unique_ptr<Frame[]> frames_;
  HashMap<Key, uint32_t> map_;
  uint32_t hand_ = 0;
  uint32_t dirty_ = 0;  // frames
  uint32_t loading_ = 0;
  std::vector<std::unique_ptr<Load>> loads_;  // in use or spare
  std::vector<Load*> spare_loads_;
  uint32_t claimed_ = 0;  // pins
  bool hints_allowed_ = false;
  WaitQueue frame_freed_;  // a frame may have become takeable
  WaitQueue claim_freed_;
  Mutex claim_turn_;  // of who waits to claim
  WaitQueue loads_done_;
  Counters counters_;
};

inline void PageRef::release() {
  if (Frame* frame = std::exchange(frame_, nullptr)) frame->pool->unpin(*frame);
}

}  // namespace orrery
