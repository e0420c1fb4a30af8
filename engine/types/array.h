// Arrays of any element type, in PostgreSQL's stored form. Offsets count from a 4-byte varlena
// header, also when the value at hand has a short one:
//
//   0   varlena header
//   4   int32 number of dimensions, 0..6 (0: empty)
//   8   int32 offset of the first element; 0 means that there are no NULLs and no bitmap
//   12  uint32 element type
//   16  int32 size of each dimension
//       int32 lower bound of each dimension
//       bitmap, one bit an element, 1 is not NULL
//   ... elements in row-major order, from an 8-byte boundary on, each aligned as its type; varlenas with 4-byte headers
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "types/type_io.h"

namespace orrery {

constexpr int kMaxArrayDimensions = 6;

struct ArrayShape {
  std::vector<int32_t> sizes;
  std::vector<int32_t> lower;  // as many
  int dimensions() const { return static_cast<int>(sizes.size()); }
  int64_t count() const;  // elements; 0 for no dimensions
  friend bool operator==(const ArrayShape&, const ArrayShape&) = default;
};

// Reads an array where it lies. Stored bytes are trusted to be an array; those from outside come
// through receive.
class ArrayView {
 public:
  ArrayView(Datum array, const TypeInfo& element);
  static Oid element_type(Datum array);
  static ArrayShape shape_of(Datum array);

  const ArrayShape& shape() const { return shape_; }
  int64_t count() const { return count_; }
  bool has_nulls() const { return nulls_ != nullptr; }
  // Elements front to back; call `count` times.
  NullableDatum next();
  // All of them; they point into the array.
  std::vector<NullableDatum> all();

 private:
  const TypeInfo& element_;
  ArrayShape shape_;
  int64_t count_ = 0;
  const char* start_;  // where a 4-byte header would be
  const char* nulls_ = nullptr;
  size_t at_ = 0;  // offset of the next element
  int64_t index_ = 0;
};

// A new array. REQUIRES: shape.count() elements; varlena elements plain. 54000 when it would pass 1
// GB.
Result<Datum> make_array(Arena& arena, const TypeInfo& element, const ArrayShape& shape,
                         std::span<const NullableDatum> values);
// Of one dimension, from 1.
Result<Datum> make_array(Arena& arena, const TypeInfo& element,
                         std::span<const NullableDatum> values);
// 54000 if the sizes multiply to too many elements.
Status check_array_size(const ArrayShape& shape);
Status too_many_dimensions(int dimensions);

// Elements first, then counts, dimensions, bounds. NULL sorts above all. Uses the element type's
// Comparator.
int compare_array(Datum a, Datum b);
bool arrays_equal(Datum a, Datum b);
uint64_t hash_array(Datum value);

Result<Datum> array_in(IoContext& context, std::string_view text);
Status array_out(IoContext& context, Datum value, std::string& out);
Result<Datum> array_receive(IoContext& context, Bytes bytes);
Status array_send(IoContext& context, Datum value, std::string& out);

// int2vector and oidvector: arrays from 0 that print as numbers with blanks between.
Result<Datum> vector_in(IoContext& context, std::string_view text);
Status vector_out(IoContext& context, Datum value, std::string& out);
Result<Datum> vector_receive(IoContext& context, Bytes bytes);

}  // namespace orrery
