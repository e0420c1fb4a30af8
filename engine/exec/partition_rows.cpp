#include "exec/partition_rows.h"

namespace orrery {

PartitionRows::PartitionRows(ExecContext& context, std::vector<ColumnDesc> columns)
    : context_(context), store_(context, std::move(columns)) {}

Status PartitionRows::add(std::span<const Vector> columns, uint32_t row) {
  if (stream_ == nullptr &&
      store_.bytes() + rows_.capacity() * sizeof(StoredRow*) < context_.work_mem_bytes) {
    rows_.push_back(store_.add(columns, row));
    return {};
  }
  if (stream_ == nullptr) {
    if (file_ == nullptr)
      file_ =
          std::make_unique<TempFile>(context_.fiber, context_.session.temp_space, &context_.budget);
    stream_ = std::make_unique<RowStream>(*file_, store_.columns());
    reader_.emplace(*stream_);
  }
  offsets_.push_back(stream_->size());
  return stream_->write(columns, row);
}

Result<StoredRow*> PartitionRows::row(uint64_t i) {
  if (i < rows_.size()) return rows_[i];
  if (held_.empty()) {
    for (size_t h = 0; h < kHeld; ++h) held_.push_back(std::make_unique<Held>(&context_.budget));
  }
  Held& held = *held_[i % kHeld];
  if (held.number == i) return held.row;
  held.number = UINT64_MAX;
  held.arena.reset();
  reader_->seek(offsets_[i - rows_.size()]);
  held.row = TRY(reader_->next(held.arena));
  held.number = i;
  return held.row;
}

void PartitionRows::clear() {
  rows_.clear();
  offsets_.clear();
  store_.clear();
  reader_.reset();
  stream_.reset();
  for (auto& held : held_) held->number = UINT64_MAX;
}

}  // namespace orrery
