// Batches to DataRow messages, appended to the send buffer: a value is written once, where it is
// sent from; its length is filled in behind it.
#pragma once

#include <string>
#include <vector>

#include "base/arena.h"
#include "session/backend.h"
#include "types/type_io.h"

namespace orrery {

class RowEncoder {
 public:
  // For rows of `columns` to come. 0A000 or 42883 when a type cannot be written in its format.
  Status prepare(std::span<const ResultColumn> columns, std::span<const WireFormat> formats,
                 const TypeSettings& settings);
  // Appends the message for the i-th row of `batch`, or nothing if it fails.
  Status append(Fiber& fiber, const Batch& batch, uint32_t i, std::string& out);
  // After a batch: what output functions allocated goes.
  void end_batch() { arena_.reset(); }

 private:
  struct Column {
    OutputFunction write;
    const TypeInfo* info;
    Oid type;
    int32_t typmod;
  };
  std::vector<Column> columns_;
  const TypeSettings* settings_ = nullptr;
  Arena arena_;
};

}  // namespace orrery
