// Every size and interval of storage, each with its legal range, so that the simulator can draw
// them.
#pragma once

#include "wal/log.h"

namespace orrery {

struct StorageOptions {
  LogOptions log;
  uint32_t pool_pages = 16384;       // [16, 4194304] 8 KiB each
  uint32_t double_write_pages = 64;  // [1, 256] a batch; one write and one sync before it goes home
  uint32_t double_write_batches =
      64;  // [1, 64] written before files must be synced for reuse of the area
  uint32_t clean_frames =
      64;  // [1, pool_pages / 4] page writer keeps so many ready ahead of the clock
  uint32_t extend_pages = 128;  // [1, 8192] at most so many pages are allocated at once for a file
  uint32_t open_files = 1000;   // [8, 100000]
  uint32_t read_ahead_pages = 16;               // [0, 256] during redo
  Duration checkpoint_interval = seconds(300);  // [10 ms, 1 day]
  uint64_t checkpoint_log_bytes =
      1 << 30;  // [64 KiB, 1 TiB] log since the last one that starts the next
  uint32_t checkpoint_spread_percent = 70;  // [0, 90] of the interval that writing is spread over
  Duration pin_timeout = seconds(60);  // [1 s, 1 day] how long to wait when all frames are pinned

  // 22023 naming the option that lies outside its range.
  Status check() const;
};

}  // namespace orrery
