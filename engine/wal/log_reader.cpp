#include "wal/log_reader.h"

#include "base/text.h"
#include "wal/log_segments.h"

namespace orrery {
namespace {
constexpr size_t kReadBytes = 256 << 10;
}

Result<Bytes> LogReader::window(Fiber& fiber, size_t bytes) {
  const bool inside = at_ >= buffer_lsn_ && at_ + bytes <= buffer_lsn_ + filled_;
  if (!inside) {
    // Never beyond what is durable once the log is being written: those bytes are still changing.
    size_t wanted = std::max(bytes, kReadBytes);
    if (log_.is_writing())
      wanted = std::min<size_t>(wanted, std::max<size_t>(bytes, log_.durable() - at_));
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    buffer_lsn_ = at_;
    filled_ = 0;
    filled_ = TRY(log_.segments().read(fiber, at_, MutableBytes(buffer_).first(wanted)));
  }
  const size_t offset = at_ - buffer_lsn_;
  return Bytes(buffer_).subspan(offset, std::min(bytes, filled_ - offset));
}

Result<Bytes> LogReader::next(Fiber& fiber) {
  refusal_ = nullptr;
  Bytes bytes = TRY(window(fiber, kEntryHeaderBytes));
  if (bytes.size() < kEntryHeaderBytes) {
    refusal_ = "the files end there";
    return Bytes();
  }
  const auto header = load<EntryHeader>(bytes.data());
  refusal_ = refuse_header(header, log_.group(), at_);
  if (refusal_ != nullptr) return Bytes();
  const size_t size = kEntryHeaderBytes + header.payload_length;
  bytes = TRY(window(fiber, size));
  if (bytes.size() < size) {
    refusal_ = "the files end within the entry";
  } else if (!entry_sums(bytes)) {
    refusal_ = "the entry's checksum does not agree";
  } else if (previous_crc_ && *previous_crc_ != header.previous_crc) {
    refusal_ = "the entry does not follow the one before it";
  } else if (Term(header.term) < term_) {
    refusal_ = "the entry is of an earlier term than the one before it";
  }
  if (refusal_ != nullptr) return Bytes();
  at_ += size;
  term_ = Term(header.term);
  proven_durable_ = std::max(proven_durable_, Lsn(header.durable));
  previous_crc_ = header.crc;
  return bytes;
}

Result<Bytes> LogReader::next_durable(Fiber& fiber) {
  if (at_ >= log_.durable()) return Bytes();
  if (!log_.segments().holds(at_)) {
    return raise(sqlstate::undefined_file,
                 cat("requested log position ", at_, " has already been removed"));
  }
  const Bytes entry = TRY(next(fiber));
  if (entry.empty()) {
    return raise(sqlstate::data_corrupted, cat("invalid log entry in ", log_.segments().place(at_)))
        .detail(cat("At position ", at_, ": ", refusal_, "."));
  }
  return entry;
}

}  // namespace orrery
