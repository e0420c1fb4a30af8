#include "sim/workload/draw_options.h"

namespace orrery {
namespace {

void draw_log_options(Tape& tape, LogOptions& options) {
  options.segment_bytes = static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 4, 64)) * 4096;
  options.segments_ahead = static_cast<uint32_t>(tape.between(Site::knob, 0, 1, 3));
  options.entry_bytes = static_cast<uint32_t>(tape.magnitude(Site::knob, 0, 1024, 131072));
  options.uncommitted_limit_bytes =
      static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 16 << 10, 1 << 20));
  options.flush_delay = microseconds(tape.magnitude(Site::knob, 0, 1, 100'000));
  options.recycled_segments = static_cast<uint32_t>(tape.between(Site::knob, 0, 0, 3));
  options.zero_fill_segments = tape.pick(Site::knob, 0, 4) == 3;
}

}  // namespace

void draw_storage_options(Tape& tape, StorageOptions& options) {
  draw_log_options(tape, options.log);
  options.pool_pages = static_cast<uint32_t>(tape.magnitude(Site::knob, 0, 16, 63));
  options.double_write_pages = static_cast<uint32_t>(tape.magnitude(Site::knob, 0, 1, 32));
  options.double_write_batches = static_cast<uint32_t>(tape.magnitude(Site::knob, 0, 1, 8));
  options.clean_frames = static_cast<uint32_t>(tape.between(Site::knob, 0, 1, 4));
  options.extend_pages = static_cast<uint32_t>(tape.magnitude(Site::knob, 0, 1, 16));
  options.open_files = 8;
  options.read_ahead_pages = static_cast<uint32_t>(tape.between(Site::knob, 0, 0, 8));
  options.checkpoint_interval = milliseconds(tape.magnitude(Site::knob, 0, 1000, 20'000));
  options.checkpoint_log_bytes =
      static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 64 << 10, 512 << 10));
  options.checkpoint_spread_percent = static_cast<uint32_t>(tape.between(Site::knob, 0, 0, 90));
  options.pin_timeout = milliseconds(tape.magnitude(Site::knob, 0, 1000, 60'000));
}

}  // namespace orrery
