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
  const auto elements = TRY(deconstruct(context, arena, element_type, plain));
  return elements[at];
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

}  // namespace orrery
