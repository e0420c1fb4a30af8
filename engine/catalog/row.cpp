#include "catalog/row.h"

#include <cstring>

namespace orrery {
namespace {

// The content of a one-dimensional array without NULLs: i32 dimensions, i32 offset (0), u32 element
// type, i32 length, i32 lower bound, elements. Catalog arrays are never anything else; the
// catalog's own writers see to that.
constexpr size_t kArrayHeaderBytes = 20;

std::string_view elements_of(std::string_view content, int32_t* count) {
  *count = 0;
  if (content.size() < kArrayHeaderBytes || load<int32_t>(content.data()) != 1) return {};
  CHECK(load<int32_t>(content.data() + 4) == 0);
  *count = load<int32_t>(content.data() + 12);
  return content.substr(kArrayHeaderBytes);
}

}  // namespace

std::string_view CatalogRow::name(int16_t column) const {
  if (is_null(column)) return {};
  const char* at = value(column).as<const char*>();
  return {at, strnlen(at, 64)};
}

template <class T>
std::vector<T> CatalogRow::array(int16_t column) const {
  std::vector<T> out;
  if (is_null(column)) return out;
  int32_t count = 0;
  const std::string_view data = elements_of(value(column).text(), &count);
  CHECK(data.size() >= static_cast<size_t>(count) * sizeof(T));
  out.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i)
    out.push_back(load<T>(data.data() + static_cast<size_t>(i) * sizeof(T)));
  return out;
}
template std::vector<Oid> CatalogRow::array<Oid>(int16_t) const;
template std::vector<int16_t> CatalogRow::array<int16_t>(int16_t) const;
template std::vector<char> CatalogRow::array<char>(int16_t) const;

std::vector<std::string_view> CatalogRow::texts(int16_t column) const {
  std::vector<std::string_view> out;
  if (is_null(column)) return out;
  int32_t count = 0;
  std::string_view data = elements_of(value(column).text(), &count);
  size_t at = 0;
  for (int32_t i = 0; i < count; ++i) {
    // Elements have 4-byte headers aligned to 4 within the array, or short ones unaligned.
    if ((static_cast<unsigned char>(data[at]) & 1) == 0) at = (at + 3) & ~size_t{3};
    CHECK(at < data.size());
    const char* element = data.data() + at;
    out.push_back(varlena_view(element));
    at += varlena_size(element);
  }
  return out;
}

}  // namespace orrery
