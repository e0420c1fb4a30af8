// Which frame to reuse: a clock sweep over all of them, or a ring of the scan's own.
#include "base/probe.h"
#include "base/text.h"
#include "storage/buffer_pool.h"
#include "storage/options.h"
#include "storage/page_writer.h"

namespace orrery {

// A free frame with one pin, or null when every frame is pinned, dirty, or on its way in or out.
Frame* BufferPool::sweep() {
  bool met_dirty = false;
  Frame* found = nullptr;
  // A frame used often survives kMaxUsage rounds; then one more to take it.
  const uint64_t limit = uint64_t{frame_count_} * (kMaxUsage + 1);
  uint32_t hopeless = 0;  // in a row: when all are, more rounds change nothing
  for (uint64_t i = 0; i < limit && found == nullptr && hopeless < frame_count_; ++i) {
    Frame& frame = frames_[hand_];
    hand_ = hand_ + 1 == frame_count_ ? 0 : hand_ + 1;
    const bool is_busy = frame.pins > 0 || frame.writing || frame.state == FrameState::loading;
    if (is_busy || (frame.must_be_written() && frame.usage == 0)) {
      met_dirty |= !is_busy;
      ++hopeless;
      continue;
    }
    hopeless = 0;
    if (frame.usage > 0) {
      --frame.usage;
    } else {
      found = &frame;
    }
  }
  if ((met_dirty || found == nullptr) && dirty_ > 0) writer_->kick();
  if (found == nullptr) return nullptr;
  evict(*found);
  return found;
}

void BufferPool::evict(Frame& frame) {
  CHECK(frame.pins == 0 && !frame.must_be_written());
  if (frame.state != FrameState::free) {
    ++counters_.evictions;
    uninstall(frame);
  }
  frame.pins = 1;
}

// The ring's oldest frame, if it still holds the ring's page and nobody else took a liking to it.
Frame* BufferPool::from_ring(Ring& ring) {
  if (ring.slots_.size() < ring.frames_) return nullptr;
  const Ring::Slot& slot = ring.slots_[ring.at_];
  Frame& frame = frames_[slot.frame];
  const bool is_ours =
      frame.state == FrameState::valid && frame.file == slot.file && frame.block == slot.block;
  if (!is_ours || frame.pins > 0 || frame.must_be_written() || frame.writing || frame.usage > 1)
    return nullptr;
  PROBE("storage: a scan reused a frame of its ring");
  evict(frame);
  return &frame;
}

void BufferPool::remember_in(Ring& ring, const Frame& frame) {
  const Ring::Slot slot{static_cast<uint32_t>(&frame - frames_.get()), frame.file, frame.block};
  if (ring.slots_.size() < ring.frames_) {
    ring.slots_.push_back(slot);
    return;
  }
  ring.slots_[ring.at_] = slot;
  ring.at_ = ring.at_ + 1 == ring.frames_ ? 0 : ring.at_ + 1;
}

Result<Frame*> BufferPool::take_frame(Fiber& fiber, Ring* ring) {
  if (ring != nullptr) {
    if (Frame* frame = from_ring(*ring)) return frame;
  }
  const Instant deadline = fiber.now() + options_.pin_timeout;
  uint64_t attempts = writer_->attempts();
  for (;;) {
    if (Frame* frame = sweep()) return frame;
    ++counters_.frame_waits;
    PROBE("storage: a fiber waited for a frame");
    if (writer_->attempts() != attempts && !writer_->failure().ok())
      return writer_->failure().clone();
    attempts = writer_->attempts();
    const bool is_in_time = TRY(frame_freed_.wait(fiber, deadline));
    if (is_in_time || pinned_frames() < frame_count_) continue;
    return raise(sqlstate::insufficient_resources, "no unpinned buffers available");
  }
}

// Frames near the hand that could be taken at once; counted as far as the page writer wants to
// know.
uint32_t BufferPool::clean_ahead() const {
  uint32_t clean = 0;
  const uint64_t reach = std::min<uint64_t>(uint64_t{options_.clean_frames} * 4, frame_count_);
  for (uint64_t i = 0; i < reach; ++i) {
    const Frame& frame = frames_[(hand_ + i) % frame_count_];
    const bool is_takeable = frame.pins == 0 && !frame.must_be_written() && !frame.writing &&
                             frame.state != FrameState::loading;
    clean += is_takeable ? 1 : 0;
  }
  return clean;
}

}  // namespace orrery
