#include "types/array.h"

#include <cstring>

#include "base/hash.h"
#include "base/text.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr size_t kFixedBytes = 16;
constexpr int64_t kMaxElements = kMaxValueBytes / 8;

constexpr size_t align_to(size_t offset, size_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

size_t stored_size(const TypeInfo& type, Datum value) {
  if (type.length > 0) return static_cast<size_t>(type.length);
  const char* const at = value.as<const char*>();
  if (type.length == -2) return std::strlen(at) + 1;
  return varlena_view(at).size() + kVarlenaHeaderBytes;  // a short header becomes a long one
}

bool is_unsigned_word(Oid type) {
  namespace t = type_oid;
  return type == t::oid || type == t::float4 || type == t::xid || type == t::cid ||
         type == t::regproc || type == t::regclass || type == t::regtype ||
         type == t::regprocedure || type == t::regoper || type == t::regoperator ||
         type == t::regrole || type == t::regnamespace || type == t::regcollation ||
         type == t::regconfig || type == t::regdictionary;
}

Datum load_element(const TypeInfo& type, const char* at) {
  if (!type.by_value) return Datum::of(static_cast<const void*>(at));
  switch (type.length) {
    case 1: return type.oid == type_oid::bool_ ? Datum::of(*at != 0) : Datum::of(*at);
    case 2: return Datum::of(load<int16_t>(at));
    case 4:
      return is_unsigned_word(type.oid) ? Datum::of(load<uint32_t>(at))
                                        : Datum::of(load<int32_t>(at));
    default: return Datum(load<uint64_t>(at));
  }
}

// Content of the array value, offsets from its varlena header.
const char* start_of(Datum array) { return array.text().data() - kVarlenaHeaderBytes; }

}  // namespace

int64_t ArrayShape::count() const {
  if (sizes.empty()) return 0;
  int64_t count = 1;
  for (const int32_t size : sizes) count *= size;
  return count;
}

Oid ArrayView::element_type(Datum array) { return Oid(load<uint32_t>(start_of(array) + 12)); }

ArrayShape ArrayView::shape_of(Datum array) {
  const char* const start = start_of(array);
  const auto dimensions = static_cast<size_t>(load<int32_t>(start + 4));
  CHECK(dimensions <= kMaxArrayDimensions);
  ArrayShape shape;
  for (size_t d = 0; d < dimensions; ++d) {
    shape.sizes.push_back(load<int32_t>(start + kFixedBytes + 4 * d));
    shape.lower.push_back(load<int32_t>(start + kFixedBytes + 4 * (dimensions + d)));
  }
  return shape;
}

ArrayView::ArrayView(Datum array, const TypeInfo& element)
    : element_(element), shape_(shape_of(array)), count_(shape_.count()), start_(start_of(array)) {
  const size_t bounds_end = kFixedBytes + 8 * shape_.sizes.size();
  const auto offset = load<int32_t>(start_ + 8);
  if (offset != 0) nulls_ = start_ + bounds_end;
  at_ = offset != 0 ? static_cast<size_t>(offset) : align_to(bounds_end, 8);
}

NullableDatum ArrayView::next() {
  CHECK(index_ < count_);
  const int64_t i = index_++;
  if (nulls_ != nullptr && (nulls_[i / 8] >> (i % 8) & 1) == 0) return {};
  at_ = align_to(at_, element_.alignment);
  const Datum value = load_element(element_, start_ + at_);
  at_ += element_.length > 0     ? static_cast<size_t>(element_.length)
         : element_.length == -1 ? varlena_size(start_ + at_)
                                 : std::strlen(start_ + at_) + 1;
  return {value, false};
}

std::vector<NullableDatum> ArrayView::all() {
  std::vector<NullableDatum> values;
  values.reserve(static_cast<size_t>(count_));
  while (index_ < count_) values.push_back(next());
  return values;
}

Status check_array_size(const ArrayShape& shape) {
  int64_t count = 1;
  for (const int32_t size : shape.sizes) {
    count *= size;
    if (count > kMaxElements) {
      return raise(sqlstate::program_limit_exceeded,
                   cat("array size exceeds the maximum allowed (", kMaxElements, ")"));
    }
  }
  return {};
}

Status too_many_dimensions(int dimensions) {
  return raise(sqlstate::program_limit_exceeded,
               cat("number of array dimensions (", dimensions, ") exceeds the maximum allowed (",
                   kMaxArrayDimensions, ")"));
}

Result<Datum> make_array(Arena& arena, const TypeInfo& element, const ArrayShape& shape,
                         std::span<const NullableDatum> values) {
  CHECK(shape.count() == static_cast<int64_t>(values.size()));
  const size_t dimensions = values.empty() ? 0 : shape.sizes.size();
  bool has_nulls = false;
  for (const NullableDatum& value : values) has_nulls |= value.is_null;
  const size_t bounds_end = kFixedBytes + 8 * dimensions;
  const size_t data = align_to(bounds_end + (has_nulls ? (values.size() + 7) / 8 : 0), 8);
  size_t total = data;
  for (const NullableDatum& value : values) {
    if (!value.is_null)
      total = align_to(total, element.alignment) + stored_size(element, value.value);
  }
  if (total > kMaxValueBytes) {
    return raise(sqlstate::program_limit_exceeded,
                 cat("array size exceeds the maximum allowed (", kMaxValueBytes, ")"));
  }
  char* const start = static_cast<char*>(TRY(arena.try_allocate(total, 8)));
  std::memset(start, 0, total);
  varlena_set_size(start, static_cast<uint32_t>(total));
  store(start + 4, static_cast<int32_t>(dimensions));
  store(start + 8, has_nulls ? static_cast<int32_t>(data) : 0);
  store(start + 12, element.oid.v);
  for (size_t d = 0; d < dimensions; ++d) {
    store(start + kFixedBytes + 4 * d, shape.sizes[d]);
    store(start + kFixedBytes + 4 * (dimensions + d), shape.lower[d]);
  }
  size_t at = data;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null) continue;
    if (has_nulls)
      start[bounds_end + i / 8] = static_cast<char>(start[bounds_end + i / 8] | 1 << (i % 8));
    at = align_to(at, element.alignment);
    const size_t bytes = stored_size(element, values[i].value);
    if (element.by_value) {
      std::memcpy(start + at, &values[i].value.raw, bytes);
    } else if (element.length == -1) {
      const std::string_view content = values[i].value.text();
      varlena_set_size(start + at, static_cast<uint32_t>(bytes));
      if (!content.empty())
        std::memcpy(start + at + kVarlenaHeaderBytes, content.data(), content.size());
    } else {
      std::memcpy(start + at, values[i].value.as<const char*>(), bytes);
    }
    at += bytes;
  }
  CHECK(at == total);
  return Datum::of(static_cast<const void*>(start));
}

Result<Datum> make_array(Arena& arena, const TypeInfo& element,
                         std::span<const NullableDatum> values) {
  ArrayShape shape;
  if (!values.empty()) shape = {{static_cast<int32_t>(values.size())}, {1}};
  return make_array(arena, element, shape, values);
}

int compare_array(Datum a, Datum b) {
  const TypeInfo* const type = find_builtin_type(ArrayView::element_type(a));
  CHECK(type != nullptr && type->compare != nullptr);
  ArrayView x(a, *type);
  ArrayView y(b, *type);
  const int64_t common = std::min(x.count(), y.count());
  for (int64_t i = 0; i < common; ++i) {
    const NullableDatum left = x.next();
    const NullableDatum right = y.next();
    if (left.is_null || right.is_null) {
      if (left.is_null != right.is_null) return left.is_null ? 1 : -1;
      continue;
    }
    if (const int order = type->compare(left.value, right.value); order != 0)
      return order < 0 ? -1 : 1;
  }
  if (x.count() != y.count()) return x.count() < y.count() ? -1 : 1;
  const ArrayShape& p = x.shape();
  const ArrayShape& q = y.shape();
  if (p.dimensions() != q.dimensions()) return p.dimensions() < q.dimensions() ? -1 : 1;
  if (p.sizes != q.sizes) return p.sizes < q.sizes ? -1 : 1;
  return p.lower == q.lower ? 0 : p.lower < q.lower ? -1 : 1;
}

bool arrays_equal(Datum a, Datum b) {
  return ArrayView::shape_of(a) == ArrayView::shape_of(b) && compare_array(a, b) == 0;
}

uint64_t hash_array(Datum value) {
  const TypeInfo* const type = find_builtin_type(ArrayView::element_type(value));
  CHECK(type != nullptr && type->hash != nullptr);
  ArrayView view(value, *type);
  uint64_t hash = 1;
  for (int64_t i = 0; i < view.count(); ++i) {
    const NullableDatum element = view.next();
    hash = hash_combine(hash, element.is_null ? 0 : type->hash(element.value));
  }
  return hash;
}

}  // namespace orrery
