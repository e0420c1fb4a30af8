#include "access/row_codec.h"

#include "types/type_oids.h"

namespace orrery {

namespace {

constexpr uint32_t align_to(uint32_t offset, uint32_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

// Whether this plain value is stored with a 1-byte header, and what it takes then.
bool becomes_short(const ColumnDesc& column, const char* value) {
  return column.storage != ColumnStorage::plain && !varlena_is_external(value) &&
         !varlena_is_short(value) && !varlena_is_compressed(value) &&
         varlena_size(value) - kVarlenaHeaderBytes + 1 <= 0x7f;
}

uint32_t size_after(const ColumnDesc& column, Datum value, uint32_t offset) {
  if (column.length > 0)
    return align_to(offset, column.alignment) + static_cast<uint32_t>(column.length);
  const char* bytes = value.as<const char*>();
  if (column.length == -2) return offset + static_cast<uint32_t>(std::strlen(bytes)) + 1;
  if (becomes_short(column, bytes)) return offset + varlena_size(bytes) - kVarlenaHeaderBytes + 1;
  if (varlena_is_short(bytes) || varlena_is_external(bytes)) return offset + varlena_size(bytes);
  return align_to(offset, column.alignment) + varlena_size(bytes);
}

void store_by_value(std::byte* to, int16_t length, Datum value) {
  switch (length) {
    case 1:  store(to, value.as<uint8_t>()); break;
    case 2:  store(to, value.as<uint16_t>()); break;
    case 4:  store(to, value.as<uint32_t>()); break;
    case 8:  store(to, value.as<uint64_t>()); break;
    default: UNREACHABLE();
  }
}

// Returns the offset behind the value.
uint32_t store_value(const ColumnDesc& column, Datum value, std::byte* base, uint32_t offset) {
  if (column.length > 0) {
    const uint32_t at = align_to(offset, column.alignment);
    std::memset(base + offset, 0, at - offset);
    if (column.by_value) {
      store_by_value(base + at, column.length, value);
    } else {
      std::memcpy(base + at, value.as<const char*>(), static_cast<size_t>(column.length));
    }
    return at + static_cast<uint32_t>(column.length);
  }
  const char* bytes = value.as<const char*>();
  if (column.length == -2) {
    const size_t length = std::strlen(bytes) + 1;
    std::memcpy(base + offset, bytes, length);
    return offset + static_cast<uint32_t>(length);
  }
  if (becomes_short(column, bytes)) {
    const uint32_t content = varlena_size(bytes) - kVarlenaHeaderBytes;
    store(base + offset, static_cast<uint8_t>((content + 1) << 1 | 1));
    std::memcpy(base + offset + 1, bytes + kVarlenaHeaderBytes, content);
    return offset + content + 1;
  }
  const uint32_t size = varlena_size(bytes);
  const bool unaligned = varlena_is_short(bytes) || varlena_is_external(bytes);
  const uint32_t at = unaligned ? offset : align_to(offset, column.alignment);
  std::memset(base + offset, 0, at - offset);
  std::memcpy(base + at, bytes, size);
  return at + size;
}

bool has_nulls(RowValues row, size_t columns) {
  for (size_t i = 0; i < columns; ++i) {
    if (row.nulls[i] != 0) return true;
  }
  return false;
}

uint32_t header_size(size_t columns, bool nulls) {
  return align_to(kTupleHeaderBytes + (nulls ? static_cast<uint32_t>(columns + 7) / 8 : 0), 8);
}

}  // namespace

uint32_t data_size(const TupleDesc& desc, RowValues row, size_t columns, uint32_t start) {
  uint32_t offset = start;
  for (size_t i = 0; i < columns; ++i) {
    if (row.nulls[i] == 0) offset = size_after(desc[i], row.values[i], offset);
  }
  return offset - start;
}

void form_data(const TupleDesc& desc, RowValues row, size_t columns, std::byte* base,
               uint32_t start, std::byte* bitmap) {
  uint32_t offset = start;
  if (bitmap != nullptr) std::memset(bitmap, 0, (columns + 7) / 8);
  for (size_t i = 0; i < columns; ++i) {
    if (row.nulls[i] != 0) continue;
    if (bitmap != nullptr) bitmap[i / 8] |= static_cast<std::byte>(1U << (i % 8));
    offset = store_value(desc[i], row.values[i], base, offset);
  }
}

uint32_t tuple_size(const TupleDesc& desc, RowValues row) {
  const uint32_t header = header_size(desc.size(), has_nulls(row, desc.size()));
  return header + data_size(desc, row, desc.size(), 0);
}

void form_tuple(const TupleDesc& desc, RowValues row, std::byte* to) {
  const bool nulls = has_nulls(row, desc.size());
  const uint32_t header = header_size(desc.size(), nulls);
  std::memset(to, 0, header);
  uint16_t infomask = nulls ? kHasNulls : uint16_t{0};
  for (size_t i = 0; i < desc.size(); ++i) {
    if (row.nulls[i] != 0 || desc[i].length > 0) continue;
    infomask |= kHasVarWidth;
    if (desc[i].length == -1 && varlena_is_external(row.values[i].as<const char*>()))
      infomask |= kHasExternal;
  }
  store(to + 18, static_cast<uint16_t>(desc.size()));
  store(to + 20, infomask);
  store(to + 22, static_cast<uint8_t>(header));
  form_data(desc, row, desc.size(), to + header, 0, nulls ? to + kTupleHeaderBytes : nullptr);
}

bool is_unsigned_type(Oid type) {
  using namespace type_oid;
  return type == oid || type == float4 || type == regproc || type == xid || type == cid ||
         type == regprocedure || type == regoper || type == regoperator || type == regclass ||
         type == regtype || type == regrole || type == regnamespace || type == regcollation ||
         type == regconfig || type == regdictionary;
}

RowDecoder::RowDecoder(const TupleDesc& desc, std::span<const int16_t> wanted, Oid table)
    : desc_(desc), table_(table) {
  uint16_t last = 0;
  for (const int16_t column : wanted) {
    if (column < 0) {
      CHECK(wanted_.empty());
      system_.push_back(column);
    } else {
      CHECK(static_cast<size_t>(column) < desc.size());
      wanted_.push_back(static_cast<uint16_t>(column));
      last = static_cast<uint16_t>(column + 1);
    }
  }
  system_count_ = static_cast<uint32_t>(system_.size());
  uint32_t offset = 0;
  bool fixed = true;
  for (uint16_t i = 0; i < last; ++i) {
    const ColumnDesc& from = desc[i];
    Column column{from.length, from.alignment, from.by_value, is_unsigned_type(from.type),
                  kNotFixed};
    if (fixed && from.length > 0) {
      offset = align_to(offset, from.alignment);
      if (offset < kNotFixed) column.fixed_offset = static_cast<uint16_t>(offset);
      offset += static_cast<uint32_t>(from.length);
    } else {
      fixed = false;
    }
    columns_.push_back(column);
  }
}

Datum RowDecoder::fetch(const Column& column, const std::byte* at) {
  if (!column.by_value) return Datum::of(static_cast<const void*>(at));
  switch (column.length) {
    case 1: return Datum::of(static_cast<char>(load<int8_t>(at)));
    case 2: return Datum::of(load<int16_t>(at));
    case 4:
      return column.is_unsigned ? Datum::of(load<uint32_t>(at)) : Datum::of(load<int32_t>(at));
    case 8:  return Datum::of(load<int64_t>(at));
    default: UNREACHABLE();
  }
}

Datum RowDecoder::copy(const Column& column, Datum value, Arena& arena) {
  if (column.by_value) return value;
  const char* from = value.as<const char*>();
  const size_t bytes = column.length > 0     ? static_cast<size_t>(column.length)
                       : column.length == -1 ? varlena_size(from)
                                             : std::strlen(from) + 1;
  void* to = arena.allocate(bytes, column.length > 0 ? column.alignment : 4);
  std::memcpy(to, from, bytes);
  return Datum::of(static_cast<const void*>(to));
}

// Calls out(i, value or null, column) for each wanted column.
template <class Out>
void RowDecoder::walk(const std::byte* data, const std::byte* bitmap, uint16_t stored_columns,
                      Out&& out) const {
  uint32_t offset = 0;  // where column `at` would begin, before alignment
  uint16_t at = 0;
  bool shifted = false;  // a NULL came before: fixed offsets do not hold
  for (uint32_t i = 0; i < wanted_.size(); ++i) {
    const uint16_t number = wanted_[i];
    if (number >= stored_columns) {
      out(i, desc_[number].has_missing ? &desc_[number].missing : nullptr, columns_[number]);
      continue;
    }
    if (bitmap == nullptr && columns_[number].fixed_offset != kNotFixed) {
      const Datum value = fetch(columns_[number], data + columns_[number].fixed_offset);
      out(i, &value, columns_[number]);
      continue;
    }
    if (bitmap == nullptr && !shifted && at < number) {
      // Skip the fixed prefix in one step.
      uint16_t prefix = number;
      while (prefix > at && columns_[prefix - 1].fixed_offset == kNotFixed) --prefix;
      if (prefix > at) {
        offset = uint32_t{columns_[prefix - 1].fixed_offset} +
                 static_cast<uint32_t>(columns_[prefix - 1].length);
        at = prefix;
      }
    }
    for (;; ++at) {
      const Column& column = columns_[at];
      const bool is_null =
          bitmap != nullptr && (static_cast<unsigned>(bitmap[at / 8]) >> (at % 8) & 1U) == 0;
      if (is_null) {
        shifted = true;
        if (at == number) {
          out(i, static_cast<const Datum*>(nullptr), column);
          ++at;
          break;
        }
        continue;
      }
      uint32_t begin = offset;
      if (column.length > 0) {
        begin = align_to(offset, column.alignment);
        offset = begin + static_cast<uint32_t>(column.length);
      } else if (column.length == -2) {
        offset = begin +
                 static_cast<uint32_t>(std::strlen(reinterpret_cast<const char*>(data + begin))) +
                 1;
      } else {
        // A pad byte is zero, and no varlena begins with a zero byte unless it is aligned.
        if (data[begin] == std::byte{0}) begin = align_to(offset, column.alignment);
        offset = begin + varlena_size(data + begin);
      }
      if (at == number) {
        const Datum value = fetch(column, data + begin);
        out(i, &value, column);
        ++at;
        break;
      }
    }
  }
}

void RowDecoder::decode_data(const std::byte* data, const std::byte* bitmap,
                             uint16_t stored_columns, std::span<Vector> columns, uint32_t row,
                             Arena* arena) const {
  walk(data, bitmap, stored_columns, [&](uint32_t i, const Datum* value, const Column& column) {
    Vector& vector = columns[system_count_ + i];
    if (value == nullptr) {
      vector.set_null(row);
    } else {
      vector.set(row, arena == nullptr || column.by_value ? *value : copy(column, *value, *arena));
    }
  });
}

void RowDecoder::decode_data(const std::byte* data, const std::byte* bitmap,
                             uint16_t stored_columns, Datum* values, uint8_t* nulls) const {
  walk(data, bitmap, stored_columns, [&](uint32_t i, const Datum* value, const Column&) {
    nulls[i] = value == nullptr;
    values[i] = value == nullptr ? Datum() : *value;
  });
}

void RowDecoder::decode(TupleHeader tuple, Xid base, Tid self, std::span<Vector> columns,
                        uint32_t row, Arena* arena) const {
  for (uint32_t i = 0; i < system_count_; ++i)
    system_column(system_[i], tuple, base, self, columns[i], row, arena);
  if (wanted_.empty()) return;
  decode_data(tuple.bytes() + tuple.data_offset(),
              tuple.has(kHasNulls) ? tuple.null_bitmap() : nullptr, tuple.column_count(), columns,
              row, arena);
}

void RowDecoder::system_column(int16_t number, TupleHeader tuple, Xid base, Tid self, Vector& out,
                               uint32_t row, Arena* arena) const {
  switch (number) {
    case kColumnCtid: {
      CHECK(arena != nullptr);
      auto* bytes = static_cast<std::byte*>(arena->allocate(6, 2));
      store(bytes, static_cast<uint16_t>(self.block.v >> 16));
      store(bytes + 2, static_cast<uint16_t>(self.block.v));
      store(bytes + 4, self.slot);
      out.set(row, Datum::of(static_cast<const void*>(bytes)));
      return;
    }
    // xid is a 32-bit type, as in PostgreSQL: the low word.
    case kColumnXmin:     out.set(row, Datum::of(static_cast<uint32_t>(tuple.xmin(base).v))); return;
    case kColumnXmax:     out.set(row, Datum::of(static_cast<uint32_t>(tuple.xmax(base).v))); return;
    case kColumnCmin:
    case kColumnCmax:     out.set(row, Datum::of(tuple.command())); return;
    case kColumnTableOid: out.set(row, Datum::of(table_)); return;
    default:              UNREACHABLE();
  }
}

bool same_value(const ColumnDesc& column, Datum a, Datum b) {
  if (column.by_value) return a.raw == b.raw;
  const char* x = a.as<const char*>();
  const char* y = b.as<const char*>();
  if (column.length > 0) return std::memcmp(x, y, static_cast<size_t>(column.length)) == 0;
  if (column.length == -2) return std::strcmp(x, y) == 0;
  if (varlena_is_plain(x) && varlena_is_plain(y)) return varlena_view(x) == varlena_view(y);
  const uint32_t size = varlena_size(x);
  return size == varlena_size(y) && std::memcmp(x, y, size) == 0;
}

}  // namespace orrery
