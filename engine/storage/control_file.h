// The few numbers recovery starts from. Two slots, written in turn: a crash can spoil only the one
// being written, and the other still holds.
//
//   offset  size  field (each slot of 4096 bytes)
//        0     8  magic "orrctl01": the format
//        8     4  crc32c of bytes 12 .. 4096
//       12     4  group
//       16        ControlData, then zeros
//
// What a checkpoint must remember and has no fixed size (the state of FileLife and of the
// RedoHandler) goes to one of the two files state.0 and state.1, never to the one that the newer
// slot names.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "fiber/sync.h"

namespace orrery {

struct ControlData {
  uint64_t sequence = 0;  // of this save; the higher slot counts
  uint64_t system_id = 0;
  uint64_t segment_bytes = 0;
  uint64_t term = 0;          // of the last start
  uint64_t redo = 0;          // recovery begins here
  uint64_t durable = 0;       // the log had been durable up to here
  uint64_t min_recovery = 0;  // LSNs of all pages that went home lie below
  uint64_t erase_from = 0;    // an erasure of the log behind this is under way; 0 if none
  uint64_t double_write_retired = 0;
  uint32_t redo_previous_crc = 0;
  uint32_t state_crc = 0;
  uint32_t state_slot = 0;
  uint32_t is_finished = 0;  // the database was filled; before that it is begun again
};
static_assert(std::has_unique_object_representations_v<ControlData>);

class ControlFile {
 public:
  ControlFile(Host& host, uint32_t group) : host_(host), group_(group) {}

  // False when there is none, or it was never written to the end. XX001 when neither slot checks,
  // 0A000 for another format.
  Result<bool> load(Fiber& fiber);
  Status create(Fiber& fiber);
  // Makes `data` durable. A failed write leaves the other slot; a failed sync is fatal.
  Status save(Fiber& fiber);
  ControlData data;
  // As last made durable.
  const ControlData& saved() const { return saved_; }

  // The state that goes with data.redo.
  Result<std::string> load_state(Fiber& fiber);
  // Writes it to the free slot and sets data.state_*; counts from the next save().
  Status save_state(Fiber& fiber, std::string_view state);
  Status close(Fiber& fiber);
  bool is_open() const { return static_cast<bool>(handle_); }

 private:
  bool slot_checks(Bytes image) const;
  Status sync_or_die(Fiber& fiber, FileHandle handle, std::string_view name);

  Host& host_;
  uint32_t group_;
  FileHandle handle_;
  ControlData saved_;
  Mutex saving_;
};

}  // namespace orrery
