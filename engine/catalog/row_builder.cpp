#include "catalog/row_builder.h"

#include <cstring>

namespace orrery {
namespace {

constexpr Oid kOidType{26}, kInt2Type{21}, kCharType{18}, kTextType{25};
constexpr Oid kOidVectorType{30}, kInt2VectorType{22};

template <class T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

RowBuilder::RowBuilder(Arena& arena, Oid catalog)
    : arena_(arena), catalog_(fact_table(catalog)), values_(catalog_.columns.size()) {}

RowBuilder::RowBuilder(Arena& arena, Oid catalog, const CatalogRow& row)
    : RowBuilder(arena, catalog) {
  CHECK(row.values.size() == values_.size());
  for (size_t i = 0; i < values_.size(); ++i) {
    if (row.nulls[i] != 0) continue;
    values_[i] = {copy_datum(arena, row.values[i], catalog_.columns[i].desc()), false};
  }
}

RowBuilder& RowBuilder::set(int16_t column, Datum value) {
  values_[static_cast<size_t>(column - 1)] = {value, false};
  return *this;
}

RowBuilder& RowBuilder::set_null(int16_t column) {
  values_[static_cast<size_t>(column - 1)] = {};
  return *this;
}

RowBuilder& RowBuilder::set_name(int16_t column, std::string_view name) {
  CHECK(name.size() < 64);
  char* bytes = static_cast<char*>(arena_.allocate(64, 1));
  std::memset(bytes, 0, 64);
  if (!name.empty()) std::memcpy(bytes, name.data(), name.size());
  return set(column, Datum::of(static_cast<const void*>(bytes)));
}

RowBuilder& RowBuilder::set_text(int16_t column, std::string_view text) {
  return set(column, make_varlena(arena_, text));
}

RowBuilder& RowBuilder::set_array(int16_t column, Oid element_type, size_t count,
                                  std::string_view elements) {
  const Oid type = catalog_.columns[static_cast<size_t>(column - 1)].type;
  const bool is_vector = type == kOidVectorType || type == kInt2VectorType;
  // An empty array has no dimensions, an empty vector one of length zero.
  const int32_t dimensions = count == 0 && !is_vector ? 0 : 1;
  std::string content;
  ByteWriter writer(content);
  writer.write<int32_t>(dimensions);
  writer.write<int32_t>(0);
  writer.write<uint32_t>(element_type.v);
  if (dimensions == 1) {
    writer.write<int32_t>(static_cast<int32_t>(count));
    writer.write<int32_t>(is_vector ? 0 : 1);
    writer.write_text(elements);
  }
  return set(column, make_varlena(arena_, content));
}

RowBuilder& RowBuilder::set_oids(int16_t column, std::span<const Oid> values) {
  return set_array(column, kOidType, values.size(), bytes_of(values));
}
RowBuilder& RowBuilder::set_int2s(int16_t column, std::span<const int16_t> values) {
  return set_array(column, kInt2Type, values.size(), bytes_of(values));
}
RowBuilder& RowBuilder::set_chars(int16_t column, std::span<const char> values) {
  return set_array(column, kCharType, values.size(), bytes_of(values));
}

RowBuilder& RowBuilder::set_texts(int16_t column, std::span<const std::string> values) {
  std::string elements;
  for (const std::string& value : values) {
    elements.resize((elements.size() + 3) & ~size_t{3});
    char header[kVarlenaHeaderBytes];
    varlena_set_size(header, static_cast<uint32_t>(value.size() + kVarlenaHeaderBytes));
    elements.append(header, sizeof header);
    elements += value;
  }
  return set_array(column, kTextType, values.size(), elements);
}

std::span<const NullableDatum> RowBuilder::values() const {
  for (size_t i = 0; i < values_.size(); ++i) {
    CHECK_IF(catalog_.columns[i].not_null, !values_[i].is_null);
  }
  return values_;
}

}  // namespace orrery
