// Reads the log's entries from the front, checking each: recovery, replication and decoding.
#pragma once

#include "wal/log.h"

namespace orrery {

class LogReader {
 public:
  // `from` is an entry boundary. `previous_crc` is that of the entry before it if known: then the
  // first link is checked.
  LogReader(Log& log, Lsn from, std::optional<uint32_t> previous_crc = std::nullopt)
      : log_(log), at_(from), previous_crc_(previous_crc) {}

  // The next entry, header and payload; empty when the one at position() does not check, which is
  // the end of the log or damage: refusal() says why. Valid until the next call. 58030, halted.
  Result<Bytes> next(Fiber& fiber);
  // As next() for what must be there: empty at durable(), XX001 for what does not check, 58P01 for
  // what is not kept.
  Result<Bytes> next_durable(Fiber& fiber);

  // Where the next entry begins.
  Lsn position() const { return at_; }
  Term term() const { return term_; }
  // The most that the entries read so far prove to have been durable.
  Lsn proven_durable() const { return proven_durable_; }
  std::optional<uint32_t> previous_crc() const { return previous_crc_; }
  const char* refusal() const { return refusal_; }

 private:
  // Makes `bytes` bytes at at_ available in the buffer; fewer at the end of the files.
  Result<Bytes> window(Fiber& fiber, size_t bytes);

  Log& log_;
  Lsn at_;
  Term term_{};
  Lsn proven_durable_{};
  std::optional<uint32_t> previous_crc_;
  const char* refusal_ = nullptr;
  Lsn buffer_lsn_{};
  std::vector<std::byte> buffer_;
  size_t filled_ = 0;
};

}  // namespace orrery
