#include "catalog/facts.h"

#include <algorithm>
#include <cstring>

namespace orrery {
namespace {

size_t aligned(size_t at, size_t alignment) { return (at + alignment - 1) & ~(alignment - 1); }

Datum load_by_value(const char* at, int16_t length) {
  switch (length) {
    case 1:  return Datum::of(load<char>(at));
    case 2:  return Datum::of(load<int16_t>(at));
    case 4:  return Datum::of(load<int32_t>(at));
    case 8:  return Datum::of(load<int64_t>(at));
    default: UNREACHABLE();
  }
}

// OIDs and their like are unsigned, so kept zero-extended.
bool is_unsigned(Oid type) { return type == Oid(26) || type == Oid(24) || type == Oid(28); }

}  // namespace

ColumnDesc FactColumn::desc() const {
  ColumnDesc out;
  out.type = type;
  out.length = length;
  out.alignment = alignment;
  out.by_value = by_value;
  out.not_null = not_null;
  out.storage = storage == 'x'   ? ColumnStorage::extended
                : storage == 'e' ? ColumnStorage::external
                : storage == 'm' ? ColumnStorage::main
                                 : ColumnStorage::plain;
  return out;
}

const char* FactTable::row_start(size_t index) const {
  const char* row = data + starts[index];
  return row + load<uint16_t>(row);
}

std::string_view FactTable::null_bitmap(size_t index) const {
  const char* row = data + starts[index];
  return {row + 8, load<uint16_t>(row + 2)};
}

std::string_view FactTable::row_data(size_t index) const {
  return {row_start(index), load<uint32_t>(data + starts[index] + 4)};
}

std::string_view FactTable::fixed_name(size_t index, int16_t column) const {
  const char* at = row_start(index) + columns[static_cast<size_t>(column - 1)].fixed_offset;
  return {at, strnlen(at, 64)};
}

FactRow FactTable::row(size_t index) const {
  FactRow out;
  out.columns = static_cast<uint16_t>(columns.size());
  const std::string_view bitmap = null_bitmap(index);
  const std::string_view bytes = row_data(index);
  size_t at = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    const FactColumn& column = columns[i];
    out.nulls[i] = !bitmap.empty() && (bitmap[i / 8] >> (i % 8) & 1) == 0;
    out.values[i] = Datum();
    if (out.nulls[i] != 0) continue;
    const bool is_short = column.length == -1 && (bytes[at] & 1) != 0;
    if (!is_short) at = aligned(at, column.alignment);
    const char* value = bytes.data() + at;
    if (column.by_value) {
      out.values[i] = is_unsigned(column.type) ? Datum::of(load<uint32_t>(value))
                                               : load_by_value(value, column.length);
    } else {
      out.values[i] = Datum::of(static_cast<const void*>(value));
    }
    at += column.length == -1 ? varlena_size(value) : static_cast<size_t>(column.length);
  }
  CHECK(at == bytes.size());
  return out;
}

std::optional<size_t> FactTable::find(Oid key) const {
  auto key_of = [&](uint32_t start) {
    return load<Oid>(data + start + load<uint16_t>(data + start));
  };
  auto at = std::ranges::lower_bound(starts, key, {}, key_of);
  if (at == starts.end() || key_of(*at) != key) return std::nullopt;
  return static_cast<size_t>(at - starts.begin());
}

const FactTable& fact_table(Oid relation) {
  const auto tables = all_fact_tables();
  auto at = std::ranges::lower_bound(tables, relation, {}, &FactTable::relation);
  CHECK(at != tables.end() && at->relation == relation);
  return *at;
}

}  // namespace orrery
