// Rows in a temporary file: what RowStore is in memory. A record is
//
//   u32 size of the record   u32 1 when the row can match nothing
//   u64 hash, where rows have heads
//   a null byte a column, padded to 8
//   the values that are not NULL: a word, or the bytes it points to padded to 8
#pragma once

#include "exec/row_store.h"
#include "exec/temp_file.h"

namespace orrery {

class RowStream {
 public:
  // `columns` must outlive this.
  RowStream(TempFile& file, std::span<const ColumnDesc> columns, RowHeads heads = RowHeads::none)
      : columns_(columns), heads_(heads), stream_(file) {}

  Status write(const StoredRow& row);
  // `hash` is kept in the row's head, where rows have one.
  Status write(std::span<const Vector> columns, uint32_t row, uint64_t hash = 0);
  Status finish() { return stream_.finish(); }
  uint64_t rows() const { return rows_; }
  uint64_t size() const { return stream_.size(); }
  void clear() {
    stream_.clear();
    rows_ = 0;
  }

  class Reader {
   public:
    explicit Reader(RowStream& stream) : stream_(&stream), reader_(stream.stream_) {}
    // The next row, in `arena`; null at the end.
    Result<StoredRow*> next(Arena& arena);
    void seek(uint64_t position) { reader_.seek(position); }
    uint64_t position() const { return reader_.position(); }

   private:
    RowStream* stream_;
    TempStream::Reader reader_;
  };

 private:
  size_t begin_record(bool unmatchable, uint64_t hash);
  void add_value(size_t column, Datum value);
  Status end_record();

  size_t header_bytes() const { return heads_ == RowHeads::kept ? 16 : 8; }

  std::span<const ColumnDesc> columns_;
  RowHeads heads_;
  TempStream stream_;
  std::vector<char> record_;
  uint64_t rows_ = 0;
};

}  // namespace orrery
