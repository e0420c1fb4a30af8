// The log of one group on one node: append, group commit, waiting, retention, reading back.
//
// append() encodes into the buffer that will be written: the open entry. A log-writer fiber seals
// it and writes and syncs it once for all who wait; while that runs a new entry opens, and the next
// round starts as soon as one ends.
//
//   append_position() >= durable() >= committed() (group of one: equal)      all only grow
//
// Positions are exclusive ends: a record at lsn is durable when durable() > lsn, committed when
// committed() > lsn. reserve() first, then append() without suspension in between: segments are
// allocated ahead, so that append() cannot fail; a full disk fails the statement in reserve() with
// 53100. A log that cannot be written or synced is fatal.
//
// Segment files log/<16 hex digits of index> hold the stream at [index * segment_bytes,
// +segment_bytes). They are allocated (zero-filled) ahead and recycled by renaming; an entry's own
// lsn keeps old bytes from being taken for new.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/function.h"
#include "fiber/sync.h"
#include "wal/commit_gate.h"
#include "wal/entry.h"

namespace orrery {

struct LogOptions {
  uint32_t group = 1;
  uint64_t segment_bytes =
      16 << 20;  // [16 KiB, 1 GiB], a multiple of 4096; fixed when the database is made
  uint32_t segments_ahead = 1;       // [1, 64] kept ready beyond the one being written
  uint32_t entry_bytes = 128 << 10;  // [1 KiB, 1 MiB] an entry is cut when it holds this much
  uint64_t uncommitted_limit_bytes = 64 << 20;  // [16 KiB, 1 GiB] reserve() waits beyond
  Duration flush_delay =
      milliseconds(10);             // [0, 1 s] records nobody waits for are written after this
  uint32_t recycled_segments = 16;  // [0, 1024] kept for reuse instead of removed
  bool zero_fill_segments = true;   // write new segments full of zeros, not only allocate them
};

// Whether a record may use the last of the space and pass the uncommitted limit: what ends
// transactions may.
enum class ReserveKind : uint8_t { ordinary, finishing };

class LogSegments;
struct LogStart;
struct LogEnd;

class Log {
 public:
  Log(Host& host, const LogOptions& options, CommitGate& gate);
  Log(const Log&) = delete;
  ~Log();

  // Makes the first segment of a new log. Errors: 58030, 53100.
  Status create(Fiber& fiber);
  // Finds the end of the log behind start.redo, lets the gate cut it, and erases what lies behind.
  // Reading works from here on, appending from start_writing() on. XX001 when damage is found that
  // is not a torn tail.
  Result<LogEnd> open(Fiber& fiber, const LogStart& start);
  // Starts the writer's fibers. Entries carry `term`, which is above that of every entry so far.
  void start_writing(Fiber& fiber, Term term);
  // Writes what is left and ends the fibers.
  Status shutdown(Fiber& fiber);

  // Room for `bytes` of records: waits while too much is uncommitted. 53100 when the disk is full,
  // 54000 when no record may be that long, 57014. The room is there until the next suspension.
  Status reserve(Fiber& fiber, uint64_t bytes, ReserveKind kind = ReserveKind::ordinary);
  // One record. REQUIRES: reserve()d since the last suspension. Returns its LSN.
  Lsn append(RecordKind kind, Xid xid, Bytes payload);
  // The same in two steps, so that a payload is built where it will be written: `payload_bytes` of
  // memory, to be filled before the next suspension or append. Sets `lsn`.
  MutableBytes append_in_place(RecordKind kind, uint8_t flags, Xid xid, size_t payload_bytes,
                               Lsn& lsn);
  // Ends the open entry, so that the next record begins an entry. Returns where that entry will
  // lie.
  Lsn cut();
  // The CRC of the entry that ends there; once only. REQUIRES: `boundary` came from cut(), and is
  // durable.
  uint32_t crc_before(Lsn boundary);

  // Suspends until the record at `lsn` is durable or committed; waiters wake in LSN order. Errors:
  // 57014, halted.
  Status wait_durable(Fiber& fiber, Lsn lsn);
  Status wait_committed(Fiber& fiber, Lsn lsn);
  // Starts a round of writing if `lsn` is not yet durable; does not wait.
  void kick(Lsn lsn);

  // The gate's answer. REQUIRES: an entry boundary <= durable(); never less than before.
  void set_committed(Lsn committed);
  // Called whenever the disk had no room for a segment, from the fiber that makes them. It may not
  // suspend.
  void when_full(UniqueFunction<void()> call) { when_full_ = std::move(call); }
  // At most one; null to remove.
  void observe_committed(CommitObserver* observer) { observer_ = observer; }

  Lsn append_position() const { return append_position_; }
  Lsn durable() const { return durable_; }
  Lsn committed() const { return committed_; }
  Term term() const { return term_; }
  uint32_t group() const { return options_.group; }
  const LogOptions& options() const { return options_; }

  // Everything from `lsn` on stays readable while this lives. For slots, archives, a running
  // checkpoint.
  class RetentionHold {
   public:
    RetentionHold(Log& log, Lsn lsn) : log_(log), lsn_(lsn) { log_.holds_.push_back(*this); }
    RetentionHold(const RetentionHold&) = delete;
    ~RetentionHold() { log_.holds_.remove(*this); }
    void advance(Lsn lsn) { lsn_ = lsn; }

   private:
    friend class Log;
    Log& log_;
    Lsn lsn_;
    ListHook<RetentionHold> hook_;
  };
  // Recycles or removes segments wholly below `lsn` and below every hold.
  Status release_below(Fiber& fiber, Lsn lsn);

  LogSegments& segments() { return *segments_; }
  bool is_writing() const { return writing_; }

  // Positions, buffers and waiters agree.
  void check() const;

 private:
  struct EntryBuffer;
  struct Waiter;
  class OrderedWaiters;
  friend class RetentionHold;

  EntryBuffer& open_entry(size_t record_bytes);
  void close_entry();
  void write_loop(Fiber& fiber);
  Status wait_for_work(Fiber& fiber);
  Status write_round(Fiber& fiber);
  Status sync_round(Fiber& fiber, Lsn from, Lsn end);
  void seal_all();
  void prepare_loop(Fiber& fiber);
  Lsn wanted_ready_end() const;
  Status erase_behind(Fiber& fiber, Lsn end);
  Status settle(Fiber& fiber, Lsn proven, Lsn end);
  struct Behind;
  Result<Behind> look_behind(Fiber& fiber, Lsn end);

  Host& host_;
  LogOptions options_;
  CommitGate& gate_;
  CommitObserver* observer_ = nullptr;
  std::unique_ptr<LogSegments> segments_;

  Lsn append_position_{};  // of the next byte: in the open entry, or the next entry's header
  Lsn durable_{};          // an entry boundary
  Lsn committed_{};        // an entry boundary
  Lsn wanted_{};           // somebody waits for this to become durable
  Term term_{};
  Lsn sealed_end_{};           // entries below have their headers
  uint32_t previous_crc_ = 0;  // of the last of them
  bool writing_ = false;       // start_writing() was called and shutdown() was not
  bool stopping_ = false;
  uint32_t live_fibers_ = 0;
  Lsn room_wanted_{};  // a reserve() waits for segments up to here
  uint64_t prepare_attempts_ = 0;
  UniqueFunction<void()> when_full_;
  Status prepare_failure_;  // of the last attempt to make a segment

  struct Boundary {
    Lsn lsn;
    std::optional<uint32_t> crc;
  };
  std::deque<Boundary> cuts_;                           // whose crc_before() was not asked yet
  std::deque<std::unique_ptr<EntryBuffer>> unwritten_;  // oldest first; the last may be open
  std::vector<std::unique_ptr<EntryBuffer>> spare_;
  WaitQueue work_;     // the writer sleeps here
  WaitQueue prepare_;  // the maker of segments sleeps here
  WaitQueue room_;     // reserve() sleeps here
  WaitQueue ended_;    // shutdown() sleeps here
  std::unique_ptr<OrderedWaiters> durable_waiters_;
  std::unique_ptr<OrderedWaiters> committed_waiters_;
  IntrusiveList<RetentionHold, &RetentionHold::hook_> holds_;
};

// Where recovery begins and what is known of the log.
struct LogStart {
  uint64_t segment_bytes = 0;                 // as the log was made with; 0: as in the options
  Lsn redo;                                   // an entry boundary; no entry before it is looked at
  std::optional<uint32_t> redo_previous_crc;  // of the entry before that
  Lsn known_durable;    // the log had been durable up to here: what is missing below is damage
  Lsn known_committed;  // pages on disk depend on the log up to here: the gate may not cut below
  Lsn erase_from;       // an erasure behind this was begun; 0 if none
  // Called before anything is erased behind `end`, to make that decision durable
  // (LogStart::erase_from of the next open).
  FunctionRef<Status(Fiber& fiber, Lsn end)> before_erasing;
};
struct LogEnd {
  Lsn end;
  Term last_term;
};

}  // namespace orrery
