#include "exec/shared_rows.h"

namespace orrery {

Status SharedRows::add(const Batch& batch) {
  for (uint32_t i = 0; i < batch.rows.count; ++i)
    rows_.push_back(store_.add(batch.columns, batch.rows[i]));
  return context_.budget.check();
}

Batch SharedRows::read(size_t at, std::span<Vector> columns) const {
  const auto count = static_cast<uint32_t>(std::min<size_t>(kBatchRows, rows_.size() - at));
  store_.load(std::span(rows_).subspan(at, count), columns);
  return Batch{columns, Rows{nullptr, count}};
}

RowSet::RowSet(ExecContext& context, std::vector<ColumnDesc> columns, std::vector<KeyColumn> keys)
    : context_(context),
      store_(context, std::move(columns)),
      keys_(std::move(keys)),
      buckets_(256) {}

StoredRow* RowSet::find(std::span<const Vector> columns, uint32_t row, uint64_t hash) const {
  for (StoredRow* at = buckets_[hash & (buckets_.size() - 1)]; at != nullptr; at = at->next) {
    if (at->hash == hash && row_equals(keys_, *at, store_.width(), columns, row)) return at;
  }
  return nullptr;
}

StoredRow* RowSet::add(std::span<const Vector> columns, uint32_t row, uint64_t hash) {
  if (rows_.size() >= buckets_.size()) grow();
  StoredRow* stored = store_.add(columns, row);
  stored->hash = hash;
  StoredRow*& bucket = buckets_[hash & (buckets_.size() - 1)];
  stored->next = bucket;
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
    add(batch.columns, row, h);
    kept[count++] = static_cast<uint16_t>(row);
  }
  TRY(context_.budget.check());
  TRY(context_.fiber.charge(batch.rows.count));
  return Rows{kept, count};
}

void RowSet::grow() {
  buckets_.assign(buckets_.size() * 2, nullptr);
  for (StoredRow* row : rows_) {
    StoredRow*& bucket = buckets_[row->hash & (buckets_.size() - 1)];
    row->next = bucket;
    bucket = row;
  }
}

void RowSet::clear() {
  std::fill(buckets_.begin(), buckets_.end(), nullptr);
  rows_.clear();
  store_.clear();
}

}  // namespace orrery
