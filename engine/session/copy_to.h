// COPY TO: batches of rows to lines or binary rows. No I/O.
#pragma once

#include <string>
#include <vector>

#include "session/backend.h"
#include "session/copy_options.h"
#include "types/type_io.h"

namespace orrery {

class CopyTo {
 public:
  CopyTo(const CopyOptions& options, const TypeSettings& settings)
      : options_(options), settings_(settings) {}

  // 0A000 for types without output; 42P10 for FORCE_QUOTE of what is not there.
  Status open(std::span<const ResultColumn> columns);
  // What comes before the first row; may be nothing.
  void append_header(std::string& out) const;
  Status append_row(Fiber& fiber, const Batch& batch, uint32_t row, std::string& out);
  void append_end(std::string& out) const;
  void end_batch() { arena_.reset(); }

 private:
  struct Column {
    std::string name;
    Oid type;
    const TypeInfo* info;
    bool force_quote = false;
    bool plain = false;  // its text never needs an escape
  };
  Status append_value(Fiber& fiber, const Column& column, Datum value, std::string& out);

  const CopyOptions& options_;
  const TypeSettings& settings_;
  std::vector<Column> columns_;
  std::string scratch_;
  Arena arena_;
};

}  // namespace orrery
