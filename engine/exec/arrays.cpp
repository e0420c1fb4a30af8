#include "exec/arrays.h"

#include "base/text.h"
#include "exec/detoast.h"
#include "exec/functions.h"

namespace orrery {
namespace {

// PostgreSQL's array: varlena header, then
//   i32 dimensions, i32 data offset (0: no NULLs), u32 element type, i32 sizes[], i32 lower bounds[],
//   bit per element (1: not NULL) when there are NULLs, elements aligned as their type is.
constexpr uint32_t kFixedBytes = 16;  // with a 4-byte varlena header
constexpr int kMaxDimensions = 6;

struct Shape {
  std::vector<int32_t> sizes;
  std::vector<int32_t> lower;
  size_t count() const {
    size_t n = sizes.empty() ? 0 : 1;
    for (const int32_t size : sizes) n *= static_cast<size_t>(size);
    return n;
  }
};

struct View {
  Shape shape;
  const char* nulls = nullptr;  // bitmap, or null
  const char* data = nullptr;   // first element
  const char* start = nullptr;  // what alignment counts from
};

// The bytes after the varlena header as if it had four bytes: offsets in an array count from there.
View view_of(Datum array) {
  const std::string_view content = array.text();
  const char* at = content.data();
  const auto dims = static_cast<size_t>(load<int32_t>(at));
  const auto offset = load<int32_t>(at + 4);
  View view;
  for (size_t d = 0; d < dims; ++d) {
    view.shape.sizes.push_back(load<int32_t>(at + 12 + 4 * d));
    view.shape.lower.push_back(load<int32_t>(at + 12 + 4 * (dims + d)));
  }
  view.start = at - kVarlenaHeaderBytes;
  if (offset != 0) view.nulls = at + 12 + 8 * dims;
  const size_t header =
      offset != 0 ? static_cast<size_t>(offset) : (kFixedBytes + 8 * dims + 7) / 8 * 8;
  view.data = view.start + header;
  return view;
}

size_t align_to(size_t offset, size_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

size_t stored_bytes(const ColumnDesc& desc, Datum value) {
  if (desc.length > 0) return static_cast<size_t>(desc.length);
  return desc.length == -1 ? varlena_size(value.as<const char*>())
                           : std::strlen(value.as<const char*>()) + 1;
}

Datum read_element(const ColumnDesc& desc, const char* at) {
  if (!desc.by_value) return Datum::of(static_cast<const void*>(at));
  switch (desc.length) {
    case 1:
      return desc.type == Oid(16) ? Datum::of(load<uint8_t>(at) != 0) : Datum::of(load<char>(at));
    case 2: return Datum::of(load<int16_t>(at));
    case 4: {
      const auto word = load<uint32_t>(at);
      const bool is_unsigned = desc.type == Oid(26) || desc.type == Oid(700) ||
                               desc.type == Oid(28) || desc.type == Oid(29) ||
                               (desc.type.v >= 2202 && desc.type.v <= 2206) || desc.type == Oid(24);
      return is_unsigned ? Datum::of(word) : Datum::of(static_cast<int32_t>(word));
    }
    default: return Datum(load<uint64_t>(at));
  }
}

Result<NullableDatum> assemble(Arena& arena, const ColumnDesc& desc, Oid element_type,
                               const Shape& shape, std::span<const NullableDatum> elements) {
  const size_t dims = elements.empty() ? 0 : shape.sizes.size();
  const bool has_nulls = std::any_of(elements.begin(), elements.end(),
                                     [](const NullableDatum& e) { return e.is_null; });
  size_t header = kFixedBytes + 8 * dims;
  if (has_nulls) header += (elements.size() + 7) / 8;
  header = dims == 0 ? kFixedBytes : align_to(header, 8);
  size_t total = header;
  for (const NullableDatum& e : elements) {
    if (e.is_null) continue;
    total = align_to(total, desc.alignment) + stored_bytes(desc, e.value);
  }
  if (total > kMaxValueBytes)
    return raise(sqlstate::program_limit_exceeded,
                 cat("array size exceeds the maximum allowed (", kMaxValueBytes, ")"));
  char* start = static_cast<char*>(TRY(arena.try_allocate(total, 8)));
  std::memset(start, 0, total);
  varlena_set_size(start, static_cast<uint32_t>(total));
  store<int32_t>(start + 4, static_cast<int32_t>(dims));
  store<int32_t>(start + 8, has_nulls ? static_cast<int32_t>(header) : 0);
  store<uint32_t>(start + 12, element_type.v);
  for (size_t d = 0; d < dims; ++d) {
    store<int32_t>(start + kFixedBytes + 4 * d, shape.sizes[d]);
    store<int32_t>(start + kFixedBytes + 4 * (dims + d), shape.lower[d]);
  }
  char* bitmap = start + kFixedBytes + 8 * dims;
  size_t at = header;
  for (size_t i = 0; i < elements.size(); ++i) {
    if (elements[i].is_null) continue;
    if (has_nulls) bitmap[i / 8] = static_cast<char>(bitmap[i / 8] | 1 << (i % 8));
    at = align_to(at, desc.alignment);
    const size_t bytes = stored_bytes(desc, elements[i].value);
    if (desc.by_value)
      std::memcpy(start + at, &elements[i].value.raw, bytes);
    else
      std::memcpy(start + at, elements[i].value.as<const char*>(), bytes);
    at += bytes;
  }
  return NullableDatum{Datum::of(static_cast<const void*>(start)), false};
}

}  // namespace

Result<std::span<NullableDatum>> deconstruct(ExecContext& context, Arena& arena, Oid element_type,
                                             Datum array) {
  const ColumnDesc desc = TRY(type_desc(context, element_type));
  const Datum plain = TRY(detoast(context, arena, array));
  const View view = view_of(plain);
  auto out = arena.make_array<NullableDatum>(view.shape.count());
  const char* at = view.data;
  for (size_t i = 0; i < out.size(); ++i) {
    if (view.nulls != nullptr && (view.nulls[i / 8] >> (i % 8) & 1) == 0) continue;
    const auto offset = static_cast<size_t>(at - view.start);
    // Elements keep a 4-byte header inside arrays, so alignment always applies to them.
    at = view.start + align_to(offset, desc.alignment);
    out[i] = {read_element(desc, at), false};
    at += stored_bytes(desc, out[i].value);
  }
  return out;
}

namespace {

// Elements inside arrays are plain varlenas with 4-byte headers.
Result<std::vector<NullableDatum>> normalized(ExecContext& context, Arena& arena,
                                              const ColumnDesc& desc,
                                              std::span<const NullableDatum> elements) {
  std::vector<NullableDatum> out(elements.begin(), elements.end());
  if (desc.length != -1) return out;
  for (NullableDatum& e : out) {
    if (e.is_null) continue;
    e.value = TRY(detoast(context, arena, e.value));
    if (varlena_is_short(e.value.as<const char*>())) e.value = make_varlena(arena, e.value.text());
  }
  return out;
}

}  // namespace

Result<NullableDatum> build_array(ExecContext& context, Arena& arena, Oid element_type,
                                  std::span<const NullableDatum> elements) {
  const ColumnDesc desc = TRY(type_desc(context, element_type));
  const std::vector<NullableDatum> plain = TRY(normalized(context, arena, desc, elements));
  return assemble(arena, desc, element_type, Shape{{static_cast<int32_t>(plain.size())}, {1}},
                  plain);
}

Result<NullableDatum> build_nested_array(ExecContext& context, Arena& arena, Oid element_type,
                                         std::span<const NullableDatum> arrays) {
  const ColumnDesc desc = TRY(type_desc(context, element_type));
  const auto mismatch = [] {
    return raise(sqlstate::array_subscript_error,
                 "multidimensional arrays must have array expressions with matching dimensions");
  };
  std::vector<NullableDatum> all;
  Shape inner;
  bool first = true;
  for (const NullableDatum& array : arrays) {
    if (array.is_null) return mismatch();
    const Datum plain = TRY(detoast(context, arena, array.value));
    const View view = view_of(plain);
    if (!first && view.shape.sizes != inner.sizes) return mismatch();
    inner = view.shape;
    first = false;
    const auto elements = TRY(deconstruct(context, arena, element_type, plain));
    all.insert(all.end(), elements.begin(), elements.end());
  }
  if (static_cast<int>(inner.sizes.size()) + 1 > kMaxDimensions) {
    return raise(sqlstate::program_limit_exceeded,
                 cat("number of array dimensions (", inner.sizes.size() + 1,
                     ") exceeds the maximum allowed (", kMaxDimensions, ")"));
  }
  Shape shape{{static_cast<int32_t>(arrays.size())}, {1}};
  shape.sizes.insert(shape.sizes.end(), inner.sizes.begin(), inner.sizes.end());
  shape.lower.insert(shape.lower.end(), inner.lower.begin(), inner.lower.end());
  return assemble(arena, desc, element_type, shape, all);
}

Result<NullableDatum> rebuild_array(ExecContext& context, Arena& arena, Oid element_type,
                                    Datum like, std::span<const NullableDatum> elements) {
  const ColumnDesc desc = TRY(type_desc(context, element_type));
  const Datum plain = TRY(detoast(context, arena, like));
  const std::vector<NullableDatum> values = TRY(normalized(context, arena, desc, elements));
  return assemble(arena, desc, element_type, view_of(plain).shape, values);
}

Result<NullableDatum> array_element(ExecContext& context, Arena& arena, Oid element_type,
                                    Datum array, std::span<const std::optional<int32_t>> index) {
  const Datum plain = TRY(detoast(context, arena, array));
  const View view = view_of(plain);
  if (view.shape.sizes.size() != index.size()) return NullableDatum{};
  size_t at = 0;
  for (size_t d = 0; d < index.size(); ++d) {
    const int64_t offset = int64_t{*index[d]} - view.shape.lower[d];
    if (offset < 0 || offset >= view.shape.sizes[d]) return NullableDatum{};
    at = at * static_cast<size_t>(view.shape.sizes[d]) + static_cast<size_t>(offset);
  }
  const auto elements = TRY(deconstruct(context, arena, element_type, plain));
  return elements[at];
}

Result<NullableDatum> array_slice(ExecContext& context, Arena& arena, Oid element_type, Datum array,
                                  std::span<const std::optional<int32_t>> lower,
                                  std::span<const std::optional<int32_t>> upper) {
  const ColumnDesc desc = TRY(type_desc(context, element_type));
  const Datum plain = TRY(detoast(context, arena, array));
  const View view = view_of(plain);
  const size_t dims = view.shape.sizes.size();
  const auto empty = [&] { return assemble(arena, desc, element_type, Shape{}, {}); };
  if (dims < lower.size() || dims == 0) return empty();
  std::vector<int64_t> from(dims);
  Shape shape;
  for (size_t d = 0; d < dims; ++d) {
    const int64_t first = view.shape.lower[d];
    const int64_t last = first + view.shape.sizes[d] - 1;
    const int64_t low = d < lower.size() && lower[d] ? std::max<int64_t>(*lower[d], first) : first;
    const int64_t high = d < upper.size() && upper[d] ? std::min<int64_t>(*upper[d], last) : last;
    if (low > high) return empty();
    from[d] = low - first;
    shape.sizes.push_back(static_cast<int32_t>(high - low + 1));
    shape.lower.push_back(1);
  }
  const auto elements = TRY(deconstruct(context, arena, element_type, plain));
  std::vector<NullableDatum> kept;
  for (size_t n = 0; n < shape.count(); ++n) {
    size_t rest = n;
    size_t at = 0;
    size_t stride = 1;
    for (size_t d = dims; d > 0; --d) {
      const auto size = static_cast<size_t>(shape.sizes[d - 1]);
      at += (rest % size + static_cast<size_t>(from[d - 1])) * stride;
      rest /= size;
      stride *= static_cast<size_t>(view.shape.sizes[d - 1]);
    }
    kept.push_back(elements[at]);
  }
  return assemble(arena, desc, element_type, shape, kept);
}

}  // namespace orrery
