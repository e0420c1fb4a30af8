#include "exec/row_stream.h"

#include <cstring>

namespace orrery {
namespace {

constexpr size_t padded(size_t bytes) { return (bytes + 7) / 8 * 8; }

size_t value_bytes(const ColumnDesc& column, const char* at) {
  if (column.length > 0) return static_cast<size_t>(column.length);
  return column.length == -1 ? varlena_size(at) : std::strlen(at) + 1;
}

}  // namespace

// Returns where the null bytes lie.
size_t RowStream::begin_record(bool unmatchable, uint64_t hash) {
  record_.assign(header_bytes() + padded(columns_.size()), '\0');
  store<uint32_t>(record_.data() + 4, unmatchable ? 1 : 0);
  if (heads_ == RowHeads::kept) store<uint64_t>(record_.data() + 8, hash);
  return header_bytes();
}

void RowStream::add_value(size_t column, Datum value) {
  const ColumnDesc& desc = columns_[column];
  const size_t at = record_.size();
  if (desc.by_value) {
    record_.resize(at + sizeof(Datum));
    store<uint64_t>(record_.data() + at, value.raw);
    return;
  }
  const char* from = value.as<const char*>();
  const size_t bytes = value_bytes(desc, from);
  record_.resize(at + padded(bytes));
  std::memcpy(record_.data() + at, from, bytes);
}

Status RowStream::end_record() {
  store<uint32_t>(record_.data(), static_cast<uint32_t>(record_.size()));
  ++rows_;
  return stream_.write(std::as_bytes(std::span(record_)));
}

Status RowStream::write(const StoredRow& row) {
  const bool has_head = heads_ == RowHeads::kept;
  const size_t nulls =
      has_head ? begin_record(row.head().unmatchable, row.head().hash) : begin_record(false, 0);
  for (size_t c = 0; c < columns_.size(); ++c) {
    const bool is_null = row.nulls(columns_.size())[c] != 0;
    record_[nulls + c] = is_null ? '\1' : '\0';
    if (!is_null) add_value(c, row.values()[c]);
  }
  return end_record();
}

Status RowStream::write(std::span<const Vector> columns, uint32_t row, uint64_t hash) {
  const size_t nulls = begin_record(false, hash);
  for (size_t c = 0; c < columns_.size(); ++c) {
    const bool is_null = columns[c].is_null(row);
    record_[nulls + c] = is_null ? '\1' : '\0';
    if (!is_null) add_value(c, columns[c].value(row));
  }
  return end_record();
}

Result<StoredRow*> RowStream::Reader::next(Arena& arena) {
  if (reader_.at_end()) return static_cast<StoredRow*>(nullptr);
  std::byte header[16];
  const size_t header_bytes = stream_->header_bytes();
  TRY(reader_.read(std::span(header, header_bytes)));
  const size_t rest = load<uint32_t>(header) - header_bytes;
  const std::span<const ColumnDesc> columns = stream_->columns_;
  const size_t width = columns.size();
  StoredRow* const row = allocate_row(arena, width, stream_->heads_, rest);
  if (stream_->heads_ == RowHeads::kept) {
    row->head().unmatchable = load<uint32_t>(header + 4) != 0;
    row->head().hash = load<uint64_t>(header + 8);
  }
  char* at = behind_row(*row, width);
  TRY(reader_.read(std::as_writable_bytes(std::span(at, rest))));
  std::memcpy(row->nulls(width), at, width);
  at += padded(width);
  for (size_t c = 0; c < width; ++c) {
    if (row->nulls(width)[c] != 0) {
      row->values()[c] = Datum();
    } else if (columns[c].by_value) {
      row->values()[c] = Datum(load<uint64_t>(at));
      at += sizeof(Datum);
    } else {
      row->values()[c] = Datum::of(static_cast<const void*>(at));
      at += padded(value_bytes(columns[c], at));
    }
  }
  return row;
}

}  // namespace orrery
