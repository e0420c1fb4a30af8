#include "exec/arrays.h"

#include "exec/detoast.h"
#include "exec/functions.h"
#include "types/array.h"

namespace orrery {
namespace {

Result<const TypeInfo*> element_info(ExecContext& context, Oid type) {
  const CatalogType* found = TRY(context.catalog.type(context.fiber, type));
  if (found == nullptr) return raise(sqlstate::undefined_object, "the element type is gone");
  return &found->io;
}

Result<NullableDatum> assemble(ExecContext& context, Arena& arena, Oid element_type,
                               const ArrayShape& shape, std::span<const NullableDatum> elements) {
  const TypeInfo* info = TRY(element_info(context, element_type));
  std::vector<NullableDatum> plain(elements.begin(), elements.end());
  if (info->length == -1) {
    for (NullableDatum& e : plain) {
      if (!e.is_null) e.value = TRY(detoast(context, arena, e.value));
    }
  }
  const Datum made = TRY(make_array(arena, *info, shape, plain));
  return NullableDatum{made, false};
}

}  // namespace

Result<std::span<NullableDatum>> deconstruct(ExecContext& context, Arena& arena, Oid element_type,
                                             Datum array) {
  const TypeInfo* info = TRY(element_info(context, element_type));
  const Datum plain = TRY(detoast(context, arena, array));
  ArrayView view(plain, *info);
  return arena.copy_array(view.all());
}

Result<NullableDatum> build_array(ExecContext& context, Arena& arena, Oid element_type,
                                  std::span<const NullableDatum> elements) {
  ArrayShape shape;
  if (!elements.empty()) shape = {{static_cast<int32_t>(elements.size())}, {1}};
  return assemble(context, arena, element_type, shape, elements);
}

Result<NullableDatum> build_nested_array(ExecContext& context, Arena& arena, Oid element_type,
                                         std::span<const NullableDatum> arrays) {
  const auto mismatch = [] {
    return raise(sqlstate::array_subscript_error,
                 "multidimensional arrays must have array expressions with matching dimensions");
  };
  std::vector<NullableDatum> all;
  ArrayShape inner;
  bool first = true;
  for (const NullableDatum& array : arrays) {
    if (array.is_null) return mismatch();
    const Datum plain = TRY(detoast(context, arena, array.value));
    const ArrayShape shape = ArrayView::shape_of(plain);
    if (!first && shape.sizes != inner.sizes) return mismatch();
    inner = shape;
    first = false;
    const auto elements = TRY(deconstruct(context, arena, element_type, plain));
    all.insert(all.end(), elements.begin(), elements.end());
  }
  const int dimensions = inner.dimensions() + 1;
  if (dimensions > kMaxArrayDimensions) return too_many_dimensions(dimensions);
  if (all.empty()) return assemble(context, arena, element_type, ArrayShape{}, {});
  ArrayShape shape{{static_cast<int32_t>(arrays.size())}, {1}};
  shape.sizes.insert(shape.sizes.end(), inner.sizes.begin(), inner.sizes.end());
  shape.lower.insert(shape.lower.end(), inner.lower.begin(), inner.lower.end());
  return assemble(context, arena, element_type, shape, all);
}

Result<NullableDatum> rebuild_array(ExecContext& context, Arena& arena, Oid element_type,
                                    Datum like, std::span<const NullableDatum> elements) {
  const Datum plain = TRY(detoast(context, arena, like));
  return assemble(context, arena, element_type, ArrayView::shape_of(plain), elements);
}

Result<NullableDatum> array_element(ExecContext& context, Arena& arena, Oid element_type,
                                    Datum array, std::span<const std::optional<int32_t>> index) {
  const Datum plain = TRY(detoast(context, arena, array));
  const ArrayShape shape = ArrayView::shape_of(plain);
  if (shape.sizes.size() != index.size()) return NullableDatum{};
  size_t at = 0;
  for (size_t d = 0; d < index.size(); ++d) {
    const int64_t offset = int64_t{*index[d]} - shape.lower[d];
    if (offset < 0 || offset >= shape.sizes[d]) return NullableDatum{};
    at = at * static_cast<size_t>(shape.sizes[d]) + static_cast<size_t>(offset);
  }
  const TypeInfo* info = TRY(element_info(context, element_type));
  ArrayView view(plain, *info);
  for (; at > 0; --at) view.next();
  return view.next();
}

Result<NullableDatum> array_slice(ExecContext& context, Arena& arena, Oid element_type, Datum array,
                                  std::span<const std::optional<int32_t>> lower,
                                  std::span<const std::optional<int32_t>> upper) {
  const Datum plain = TRY(detoast(context, arena, array));
  const ArrayShape whole = ArrayView::shape_of(plain);
  const size_t dims = whole.sizes.size();
  const auto empty = [&] { return assemble(context, arena, element_type, ArrayShape{}, {}); };
  if (dims < lower.size() || dims == 0) return empty();
  std::vector<int64_t> from(dims);
  ArrayShape shape;
  for (size_t d = 0; d < dims; ++d) {
    const int64_t first = whole.lower[d];
    const int64_t last = first + whole.sizes[d] - 1;
    const int64_t low = d < lower.size() && lower[d] ? std::max<int64_t>(*lower[d], first) : first;
    const int64_t high = d < upper.size() && upper[d] ? std::min<int64_t>(*upper[d], last) : last;
    if (low > high) return empty();
    from[d] = low - first;
    shape.sizes.push_back(static_cast<int32_t>(high - low + 1));
    shape.lower.push_back(1);
  }
  const auto elements = TRY(deconstruct(context, arena, element_type, plain));
  std::vector<NullableDatum> kept;
  for (size_t n = 0; n < static_cast<size_t>(shape.count()); ++n) {
    size_t rest = n;
    size_t at = 0;
    size_t stride = 1;
    for (size_t d = dims; d > 0; --d) {
      const auto size = static_cast<size_t>(shape.sizes[d - 1]);
      at += (rest % size + static_cast<size_t>(from[d - 1])) * stride;
      rest /= size;
      stride *= static_cast<size_t>(whole.sizes[d - 1]);
    }
    kept.push_back(elements[at]);
  }
  return assemble(context, arena, element_type, shape, kept);
}

namespace {

struct Range {  // of subscripts, both ends in it
  int64_t first, last;
  int64_t size() const { return last - first + 1; }
};
// One for each dimension of the array.
using Region = std::vector<Range>;

Status wrong_subscripts() {
  return raise(sqlstate::array_subscript_error, "wrong number of array subscripts");
}

Status reversed_bounds() {
  return raise(sqlstate::array_subscript_error, "upper bound cannot be less than lower bound");
}

int64_t count_of(const Region& region) {
  int64_t count = 1;
  for (const Range& range : region) count *= range.size();
  return count;
}

// What is named of an array without elements: there is nothing to take a missing bound from.
Result<Region> region_of_nothing(std::span<const std::optional<int32_t>> lower,
                                 std::span<const std::optional<int32_t>> upper) {
  Region region;
  for (size_t d = 0; d < upper.size(); ++d) {
    if (lower.empty()) {
      region.push_back({*upper[d], *upper[d]});
      continue;
    }
    if (!lower[d] || !upper[d]) {
      return raise(sqlstate::array_subscript_error,
                   "array slice subscript must provide both boundaries")
          .detail(
              "When assigning to a slice of an empty array value, slice boundaries must be fully "
              "specified.");
    }
    if (*lower[d] > *upper[d]) return reversed_bounds();
    region.push_back({*lower[d], *upper[d]});
  }
  return region;
}

Result<Region> region_of(const ArrayShape& shape, std::span<const std::optional<int32_t>> lower,
                         std::span<const std::optional<int32_t>> upper) {
  const size_t dims = shape.sizes.size();
  if (lower.empty() ? dims != upper.size() : dims < upper.size()) return wrong_subscripts();
  Region region;
  for (size_t d = 0; d < dims; ++d) {
    const Range all{shape.lower[d], int64_t{shape.lower[d]} + shape.sizes[d] - 1};
    Range range = all;
    if (lower.empty()) {
      range = {*upper[d], *upper[d]};
    } else {
      if (d < lower.size() && lower[d]) range.first = *lower[d];
      if (d < upper.size() && upper[d]) range.last = *upper[d];
    }
    if (range.first > range.last) return reversed_bounds();
    if (dims > 1 && (range.first < all.first || range.last > all.last))
      return raise(sqlstate::array_subscript_error, "array subscript out of range");
    region.push_back(range);
  }
  return region;
}

// The shape after the assignment: a new array is the region; one of one dimension reaches as far as
// what is assigned.
Result<ArrayShape> grown_shape(const ArrayShape& shape, const Region& region) {
  ArrayShape grown = shape;
  const bool is_new = shape.sizes.empty();
  if (!is_new && region.size() > 1) return grown;
  grown = {};
  for (const Range& range : region) {
    Range whole = range;
    if (!is_new) {
      whole.first = std::min<int64_t>(shape.lower[0], range.first);
      whole.last = std::max<int64_t>(int64_t{shape.lower[0]} + shape.sizes[0] - 1, range.last);
    }
    grown.sizes.push_back(static_cast<int32_t>(std::min<int64_t>(whole.size(), INT32_MAX)));
    grown.lower.push_back(static_cast<int32_t>(whole.first));
  }
  TRY(check_array_size(grown));
  return grown;
}

// Puts `values` where `region` lies in an array of `shape`.
void put_region(const ArrayShape& shape, const Region& region,
                std::span<const NullableDatum> values, NullableDatum* elements) {
  for (int64_t n = 0; n < count_of(region); ++n) {
    int64_t rest = n;
    int64_t at = 0;
    int64_t stride = 1;
    for (size_t d = region.size(); d > 0; --d) {
      const Range& range = region[d - 1];
      at += (rest % range.size() + range.first - shape.lower[d - 1]) * stride;
      rest /= range.size();
      stride *= shape.sizes[d - 1];
    }
    elements[at] = values[static_cast<size_t>(n)];
  }
}

}  // namespace

Result<NullableDatum> assign_subscript(ExecContext& context, Arena& arena, Oid element_type,
                                       NullableDatum array,
                                       std::span<const std::optional<int32_t>> lower,
                                       std::span<const std::optional<int32_t>> upper,
                                       NullableDatum value) {
  if (upper.size() > kMaxArrayDimensions)
    return too_many_dimensions(static_cast<int>(upper.size()));
  std::span<const NullableDatum> source(&value, 1);
  if (!lower.empty()) {
    if (value.is_null) return array;
    source = TRY(deconstruct(context, arena, element_type, value.value));
  }
  ArrayShape shape;
  std::span<const NullableDatum> before;
  if (!array.is_null) {
    const Datum plain = TRY(detoast(context, arena, array.value));
    shape = ArrayView::shape_of(plain);
    before = TRY(deconstruct(context, arena, element_type, plain));
  }
  Result<Region> named =
      shape.sizes.empty() ? region_of_nothing(lower, upper) : region_of(shape, lower, upper);
  const Region region = TRY(std::move(named));
  const ArrayShape grown = TRY(grown_shape(shape, region));
  if (count_of(region) > static_cast<int64_t>(source.size()))
    return raise(sqlstate::array_subscript_error, "source array too small");
  const auto count = static_cast<size_t>(grown.count());
  void* memory = TRY(arena.try_allocate(count * sizeof(NullableDatum), alignof(NullableDatum)));
  auto* elements = static_cast<NullableDatum*>(memory);
  std::fill_n(elements, count, NullableDatum{});
  const ptrdiff_t shift = shape.dimensions() == 1 ? shape.lower[0] - grown.lower[0] : 0;
  std::copy(before.begin(), before.end(), elements + shift);
  put_region(grown, region, source, elements);
  return assemble(context, arena, element_type, grown, {elements, count});
}

}  // namespace orrery
