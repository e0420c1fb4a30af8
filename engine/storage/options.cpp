#include "storage/options.h"

#include "base/text.h"
#include "storage/double_write.h"

namespace orrery {
namespace {

Status within(std::string_view name, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return {};
  return raise(sqlstate::invalid_parameter_value,
               cat(value, " is outside the valid range for parameter \"", name, "\" (", least,
                   " .. ", most, ")"));
}

}  // namespace

Status StorageOptions::check() const {
  TRY(within("segment_bytes", log.segment_bytes, 16 << 10, 1 << 30));
  TRY(within("segment_bytes modulo 4096", log.segment_bytes % 4096, 0, 0));
  TRY(within("segments_ahead", log.segments_ahead, 1, 64));
  TRY(within("entry_bytes", log.entry_bytes, 1 << 10, 1 << 20));
  TRY(within("uncommitted_limit_bytes", log.uncommitted_limit_bytes, 16 << 10, 1 << 30));
  TRY(within("flush_delay", static_cast<uint64_t>(log.flush_delay.ns), 0, 1'000'000'000));
  TRY(within("recycled_segments", log.recycled_segments, 0, 1024));
  TRY(within("pool_pages", pool_pages, 16, 4 << 20));
  TRY(within("double_write_pages", double_write_pages, 1, DoubleWrite::kMaxPages));
  TRY(within("double_write_batches", double_write_batches, 1, 64));
  TRY(within("clean_frames", clean_frames, 1, pool_pages / 4));
  TRY(within("extend_pages", extend_pages, 1, 8192));
  TRY(within("open_files", open_files, 8, 100000));
  TRY(within("read_ahead_pages", read_ahead_pages, 0, 256));
  TRY(within("checkpoint_interval", static_cast<uint64_t>(checkpoint_interval.ns), 10'000'000,
             86'400'000'000'000));
  TRY(within("checkpoint_log_bytes", checkpoint_log_bytes, 64 << 10, uint64_t{1} << 40));
  TRY(within("checkpoint_spread_percent", checkpoint_spread_percent, 0, 90));
  return within("pin_timeout", static_cast<uint64_t>(pin_timeout.ns), 1'000'000'000,
                86'400'000'000'000);
}

}  // namespace orrery
