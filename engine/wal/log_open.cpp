// Finding the end of the log after a crash.
//
// The first entry that does not check ends the log only if that is what a crash can leave: nothing
// before it was known to be durable beyond it, and no valid entry behind it says so either.
// Anything else is damage, and is never taken for an end: committed records would be dropped in
// silence.
#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "fiber/io.h"
#include "wal/log_internal.h"
#include "wal/log_reader.h"

namespace orrery {
namespace {
constexpr size_t kSearchBytes = 256 << 10;
}

// What whole entries lie behind the end, in their right positions.
struct Log::Behind {
  std::vector<Lsn> entries;
  Lsn durable{};  // the most that any of them proves
  Lsn proof{};    // the entry that does
};

// Entries may begin anywhere, so every byte is looked at: `end` is where the chain broke, and
// nothing leads on from there.
Result<Log::Behind> Log::look_behind(Fiber& fiber, Lsn end) {
  Behind behind;
  std::vector<std::byte> buffer(kSearchBytes);
  const Lsn files_end = segments_->last_end();
  for (Lsn at = end; at < files_end;) {
    const uint64_t count = TRY(segments_->read(fiber, at, buffer));
    if (count < kEntryHeaderBytes) {  // a gap between files, or the end of one
      at = Lsn((at.v / options_.segment_bytes + 1) * options_.segment_bytes);
      continue;
    }
    size_t next = count - kEntryHeaderBytes + 1;  // where the next window begins
    for (size_t i = 0; i + kEntryHeaderBytes <= count; ++i) {
      const void* const first = std::memchr(buffer.data() + i, static_cast<int>(kEntryMagic & 0xff),
                                            count - kEntryHeaderBytes + 1 - i);
      if (first == nullptr) break;
      i = static_cast<size_t>(static_cast<const std::byte*>(first) - buffer.data());
      if (load<uint32_t>(buffer.data() + i) != kEntryMagic) continue;
      const Lsn lsn = at + i;
      const auto header = load<EntryHeader>(buffer.data() + i);
      if (refuse_header(header, options_.group, lsn) != nullptr) continue;
      LogReader reader(*this, lsn);
      const Bytes entry = TRY(reader.next(fiber));
      if (entry.empty()) continue;
      behind.entries.push_back(lsn);
      if (Lsn(header.durable) > behind.durable) {
        behind.durable = Lsn(header.durable);
        behind.proof = lsn;
      }
      if (i + entry.size() >= next) {
        next = i + entry.size();
        break;
      }
      i += entry.size() - 1;
    }
    at += next;
    TRY(fiber.charge(count / 64));
  }
  return behind;
}

// Nothing that could be taken for an entry stays behind `end`: what is written from there on would
// run into it.
Status Log::erase_behind(Fiber& fiber, Lsn end) {
  const Behind behind = TRY(look_behind(fiber, end));
  const std::array<std::byte, kEntryHeaderBytes> zeros{};
  for (const Lsn lsn : behind.entries) {
    // The header may cross into a segment that is not there any more; then the entry was not whole.
    TRY(segments_->write(fiber, lsn, zeros));
    TRY(segments_->sync(fiber, lsn, lsn + zeros.size()));
  }
  return {};
}

// What a killed process wrote and did not sync is in the page cache and reads well, and is gone
// when the power fails; after a failed sync the cache even calls such pages clean. So what no entry
// proves to be durable is written again and synced before anything relies on it.
Status Log::settle(Fiber& fiber, Lsn proven, Lsn end) {
  TRY(sync_directory(fiber, "log"));
  if (PLANTED(b40_tail_not_settled)) return {};
  if (proven >= end) return {};
  std::vector<std::byte> buffer(std::min<uint64_t>(kSearchBytes, end - proven));
  for (Lsn at = proven; at < end;) {
    const uint64_t wanted = std::min<uint64_t>(buffer.size(), end - at);
    const uint64_t count = TRY(segments_->read(fiber, at, MutableBytes(buffer).first(wanted)));
    CHECK(count == wanted);
    TRY(segments_->write(fiber, at, Bytes(buffer).first(count)));
    at += count;
  }
  return segments_->sync(fiber, proven, end);
}

Result<LogEnd> Log::open(Fiber& fiber, const LogStart& start) {
  CHECK(!writing_);
  CHECK(start.redo <= start.known_durable);
  if (start.segment_bytes != 0) options_.segment_bytes = start.segment_bytes;
  TRY(segments_->open(fiber, start.redo));
  if (start.erase_from) {
    PROBE("log: an erasure was interrupted by a crash and is finished");
    TRY(erase_behind(fiber, start.erase_from));
  }
  std::optional<LogReader> reader;
  reader.emplace(*this, start.redo, start.redo_previous_crc);
  for (;;) {
    const Bytes entry = TRY(reader->next(fiber));
    if (entry.empty()) break;
    TRY(fiber.charge(16));
  }
  Lsn end = reader->position();
  const std::string refusal = reader->refusal();
  const auto damaged = [&](std::string why) {
    return raise(sqlstate::data_corrupted, cat("invalid log entry in ", segments_->place(end)))
        .detail(cat("At position ", end, ": ", refusal, ", but ", why, "."));
  };
  const bool takes_damage_for_end = PLANTED(b12_corruption_as_torn_tail);
  if (end < start.known_durable && !takes_damage_for_end) {
    return damaged(cat("the log is known to have been durable up to ", start.known_durable));
  }
  const Behind behind = TRY(look_behind(fiber, end));
  if (behind.durable > end && !takes_damage_for_end) {
    return damaged(cat("the entry at ", behind.proof,
                       " proves that the log had been durable up to ", behind.durable));
  }
  if (!behind.entries.empty())
    PROBE("log: an entry was lost and a later one of the same round was not");

  const Lsn low = std::max(start.known_committed, start.redo);
  const Lsn keep = gate_.keep_at_restart(low, end);
  CHECK(keep >= low && keep <= end);
  const bool erase = keep < end || !behind.entries.empty();
  if (keep < end) {
    PROBE("log: an uncommitted suffix was cut off at restart");
    reader.emplace(*this, start.redo, start.redo_previous_crc);
    while (reader->position() < keep) {
      const Bytes entry = TRY(reader->next(fiber));
      CHECK(!entry.empty());
    }
    CHECK(reader->position() == keep);
    TRY(start.before_erasing(fiber, keep));
    end = keep;
  }
  if (erase) TRY(erase_behind(fiber, end));
  TRY(settle(fiber, std::max(start.known_durable, reader->proven_durable()), end));
  append_position_ = durable_ = committed_ = sealed_end_ = end;
  previous_crc_ = reader->previous_crc().value_or(0);
  term_ = reader->term();
  return LogEnd{end, reader->term()};
}

}  // namespace orrery
