// The rows of one window partition, read by number. They stay in memory up to a limit; those behind
// it lie in a temporary file, and a few of these at a time are held.
#pragma once

#include "exec/row_stream.h"

namespace orrery {

class PartitionRows {
 public:
  PartitionRows(ExecContext& context, std::vector<ColumnDesc> columns);

  Status add(std::span<const Vector> columns, uint32_t row);
  // Row `i`; valid until kHeld other rows were asked for.
  Result<StoredRow*> row(uint64_t i);
  uint64_t size() const { return rows_.size() + offsets_.size(); }
  size_t width() const { return store_.width(); }
  const std::vector<ColumnDesc>& columns() const { return store_.columns(); }
  void clear();

  static constexpr size_t kHeld = 64;

 private:
  struct Held {
    explicit Held(MemoryBudget* budget) : arena(budget) {}
    Arena arena;
    uint64_t number = UINT64_MAX;
    StoredRow* row = nullptr;
  };

  ExecContext& context_;
  RowStore store_;
  std::vector<StoredRow*> rows_;
  std::unique_ptr<TempFile> file_;
  std::unique_ptr<RowStream> stream_;
  std::optional<RowStream::Reader> reader_;
  std::vector<uint64_t> offsets_;  // of the rows in the file
  std::vector<std::unique_ptr<Held>> held_;
};

}  // namespace orrery
