// Rows to tuple bytes and back, PostgreSQL's layout: header, null bitmap, then each value at its
// alignment; varlenas short enough take a 1-byte header and no alignment.
#pragma once

#include <vector>

#include "access/heap.h"
#include "access/relation.h"
#include "txn/tuple_header.h"

namespace orrery {

// Size of the tuple that form_tuple makes of the row.
uint32_t tuple_size(const TupleDesc& desc, RowValues row);
// Writes tuple_size() bytes at `to`, 8-aligned. The header gets its column count, null and width
// flags and data offset; ids, command and ctid are zero.
void form_tuple(const TupleDesc& desc, RowValues row, std::byte* to);

// The data part alone, with a null bitmap in front if `bitmap` is given: shared with index tuples.
uint32_t data_size(const TupleDesc& desc, RowValues row, size_t columns, uint32_t start);
void form_data(const TupleDesc& desc, RowValues row, size_t columns, std::byte* base,
               uint32_t start, std::byte* bitmap);

// Whether by-value columns of this type hold unsigned words.
bool is_unsigned_type(Oid type);

// Takes tuples apart, only as far as the wanted columns reach. Offsets of the fixed-width prefix
// are worked out once.
class RowDecoder {
 public:
  // `wanted` ascending; system columns (negative) are told apart.
  RowDecoder(const TupleDesc& desc, std::span<const int16_t> wanted, Oid table);

  // Fills columns[i] at `row` with the i-th wanted column; by-reference values are copied to
  // `arena`, or when it is null point into the tuple.
  void decode(TupleHeader tuple, Xid base, Tid self, std::span<Vector> columns, uint32_t row,
              Arena* arena) const;
  // Data without a tuple header: of index tuples. `bitmap` null: no NULLs.
  void decode_data(const std::byte* data, const std::byte* bitmap, uint16_t stored_columns,
                   std::span<Vector> columns, uint32_t row, Arena* arena) const;
  // The same into plain arrays by wanted number.
  void decode_data(const std::byte* data, const std::byte* bitmap, uint16_t stored_columns,
                   Datum* values, uint8_t* nulls) const;

 private:
  struct Column {
    int16_t length;
    uint8_t alignment;
    bool by_value;
    bool is_unsigned;
    uint16_t fixed_offset;  // kNotFixed, or where it lies when nothing before is NULL
  };
  static constexpr uint16_t kNotFixed = UINT16_MAX;

  template <class Out>
  void walk(const std::byte* data, const std::byte* bitmap, uint16_t stored_columns,
            Out&& out) const;
  static Datum fetch(const Column& column, const std::byte* at);
  static Datum copy(const Column& column, Datum value, Arena& arena);
  void system_column(int16_t number, TupleHeader tuple, Xid base, Tid self, Vector& out,
                     uint32_t row, Arena* arena) const;

  const TupleDesc& desc_;
  const Oid table_;
  std::vector<Column> columns_;
  std::vector<uint16_t> wanted_;  // user columns, ascending
  std::vector<int16_t> system_;   // system columns
  uint32_t system_count_ = 0;
};

// Equal as stored: the same bytes, whatever the header form of a varlena.
bool same_value(const ColumnDesc& column, Datum a, Datum b);

}  // namespace orrery
