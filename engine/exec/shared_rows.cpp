#include "exec/shared_rows.h"

namespace orrery {

Status SharedRows::add(const Batch& batch) {
  for (uint32_t i = 0; i < batch.rows.count; ++i) {
    if (stream_ != nullptr) {
      TRY(stream_->write(batch.columns, batch.rows[i]));
      continue;
    }
    rows_.push_back(store_.add(batch.columns, batch.rows[i]));
    if (store_.bytes() + rows_.capacity() * sizeof(StoredRow*) <= context_.work_mem_bytes) continue;
    if (file_ == nullptr)
      file_ =
          std::make_unique<TempFile>(context_.fiber, context_.session.temp_space, &context_.budget);
    stream_ = std::make_unique<RowStream>(*file_, store_.columns());
  }
  TRY(context_.fiber.charge(batch.rows.count));
  return context_.budget.check();
}

void SharedRows::clear() {
  rows_.clear();
  store_.clear();
  stream_.reset();
}

Result<uint32_t> SharedRows::Reader::next(std::span<Vector> columns) {
  loaded_.clear();
  while (at_ < rows_->rows_.size() && loaded_.size() < kBatchRows)
    loaded_.push_back(rows_->rows_[at_++]);
  if (loaded_.empty() && rows_->stream_ != nullptr) {
    arena_.reset();
    if (!reader_) reader_.emplace(*rows_->stream_);
    while (loaded_.size() < kBatchRows) {
      StoredRow* row = TRY(reader_->next(arena_));
      if (row == nullptr) break;
      loaded_.push_back(row);
      ++at_;
    }
  }
  rows_->store_.load(loaded_, columns);
  TRY(rows_->context_.fiber.charge(loaded_.size()));
  return static_cast<uint32_t>(loaded_.size());
}

void SharedRows::Reader::rewind() {
  at_ = 0;
  reader_.reset();
}

RowSet::RowSet(ExecContext& context, std::vector<ColumnDesc> columns, std::vector<KeyColumn> keys)
    : context_(context),
      store_(context, std::move(columns), RowHeads::kept),
      keys_(std::move(keys)),
      buckets_(256) {}

StoredRow* RowSet::find(std::span<const Vector> columns, uint32_t row, uint64_t hash) const {
  for (StoredRow* at = buckets_[hash & (buckets_.size() - 1)]; at != nullptr;
       at = at->head().next) {
    if (at->head().hash == hash && row_equals(keys_, *at, store_.width(), columns, row)) return at;
  }
  return nullptr;
}

Result<StoredRow*> RowSet::add(std::span<const Vector> columns, uint32_t row, uint64_t hash) {
  if (rows_.size() >= buckets_.size()) TRY(grow());
  StoredRow* stored = store_.add(columns, row);
  stored->head().hash = hash;
  StoredRow*& bucket = buckets_[hash & (buckets_.size() - 1)];
  stored->head().next = bucket;
  bucket = stored;
  rows_.push_back(stored);
  return stored;
}

Result<Rows> RowSet::keep_new(const Batch& batch, uint16_t* kept) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < batch.rows.count; ++i) {
    const uint32_t row = batch.rows[i];
    const uint64_t h = hash(batch.columns, row);
    if (find(batch.columns, row, h) != nullptr) continue;
    TRY(add(batch.columns, row, h));
    kept[count++] = static_cast<uint16_t>(row);
  }
  TRY(context_.budget.check());
  TRY(context_.fiber.charge(batch.rows.count));
  return Rows{kept, count};
}

Status RowSet::grow() {
  TRY(context_.fiber.charge(rows_.size() / 8));
  buckets_.assign(buckets_.size() * 2, nullptr);
  for (StoredRow* row : rows_) {
    StoredRow*& bucket = buckets_[row->head().hash & (buckets_.size() - 1)];
    row->head().next = bucket;
    bucket = row;
  }
  return {};
}

void RowSet::clear() {
  std::fill(buckets_.begin(), buckets_.end(), nullptr);
  rows_.clear();
  store_.clear();
}

}  // namespace orrery
