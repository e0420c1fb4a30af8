#include "access/btree_key.h"

#include "access/row_codec.h"
#include "types/compare.h"

namespace orrery {

namespace {
constexpr uint32_t align_to(uint32_t offset, uint32_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}
void set_item_header(std::byte* to, BlockNo block, uint16_t slot, uint32_t size, uint16_t flags) {
  store(to, block.v);
  store(to + 4, slot);
  store(to + 6, static_cast<uint16_t>(size | flags));
}

template <class Column>
int64_t first_integer(const Column& column, const std::byte* at) {
  switch (column.length) {
    case 2:  return load<int16_t>(at);
    case 4:  return column.is_unsigned ? int64_t{load<uint32_t>(at)} : load<int32_t>(at);
    default: return load<int64_t>(at);
  }
}
}  // namespace

IndexOrder::IndexOrder(const IndexInfo& index) : index_(index) {
  CHECK(index.desc.size() <= 32 && index.keys.size() <= index.desc.size());
  for (size_t i = 0; i < index.keys.size(); ++i) {
    const ColumnDesc& desc = index.desc[i];
    const IndexColumn& key = index.keys[i];
    columns_.push_back({desc.length, desc.alignment, desc.by_value, is_unsigned_type(desc.type),
                        key.descending, key.nulls_first, key.compare == compare_int, key.compare});
  }
}

Datum IndexOrder::next_value(Cursor& cursor, bool* is_null) const {
  const Column& column = columns_[cursor.at];
  const uint32_t number = cursor.at++;
  if (cursor.bitmap != nullptr &&
      (static_cast<unsigned>(cursor.bitmap[number / 8]) >> (number % 8) & 1U) == 0) {
    *is_null = true;
    return {};
  }
  *is_null = false;
  if (column.length > 0) {
    const uint32_t begin = align_to(cursor.offset, column.alignment);
    cursor.offset = begin + static_cast<uint32_t>(column.length);
    const std::byte* at = cursor.data + begin;
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
  uint32_t begin = cursor.offset;
  if (column.length == -2) {
    const char* text = reinterpret_cast<const char*>(cursor.data + begin);
    cursor.offset = begin + static_cast<uint32_t>(std::strlen(text)) + 1;
  } else {
    if (cursor.data[begin] == std::byte{0}) begin = align_to(begin, column.alignment);
    cursor.offset = begin + varlena_size(cursor.data + begin);
  }
  return Datum::of(static_cast<const void*>(cursor.data + begin));
}

int IndexOrder::compare_values(const Column& column, Comparator compare, Datum stored,
                               bool stored_null, Datum key, bool key_null) const {
  if (stored_null || key_null) {
    if (stored_null && key_null) return 0;
    return key_null == column.nulls_first ? -1 : 1;
  }
  int order;
  if (column.plain_integer && compare == nullptr) {
    const auto a = key.as<int64_t>();
    const auto b = stored.as<int64_t>();
    order = (a > b) - (a < b);
  } else {
    order = -(compare != nullptr ? compare : column.compare)(stored, key);
  }
  return column.descending ? -order : order;
}

int IndexOrder::compare(const SearchKey& key, IndexItem item) const {
  const bool pivot = item.is_pivot();
  const uint32_t kept = pivot ? item.kept_columns() : static_cast<uint32_t>(columns_.size());
  // Most keys begin with an integer, and most comparisons end there.
  const Column& first = columns_.front();
  if (first.plain_integer && first.length > 1 && key.compare == nullptr && key.count > 0 &&
      kept > 0 && key.nulls[0] == 0 && !item.has_nulls()) {
    const auto wanted = key.values[0].as<int64_t>();
    const int64_t stored = first_integer(first, item.data());
    if (wanted != stored) return (wanted > stored) != first.descending ? 1 : -1;
  }
  const uint32_t shared = std::min(key.count, kept);
  Cursor cursor{item.data(), item.bitmap()};
  for (uint32_t i = 0; i < shared; ++i) {
    bool stored_null = false;
    const Datum stored = next_value(cursor, &stored_null);
    const int order = compare_values(columns_[i], key.compare == nullptr ? nullptr : key.compare[i],
                                     stored, stored_null, key.values[i], key.nulls[i] != 0);
    if (order != 0) return order;
  }
  if (key.count > kept) return 1;  // what was cut off stands for minus infinity
  const Tid stored_tid = item.tid();
  switch (key.side) {
    case KeySide::behind_equal: return 1;
    case KeySide::before_equal:
      return pivot && kept == key.count && !stored_tid.is_valid() ? 0 : -1;
    case KeySide::at_tid:
      CHECK(key.count == columns_.size());
      if (!stored_tid.is_valid()) return 1;
      return key.tid < stored_tid ? -1 : key.tid > stored_tid ? 1 : 0;
  }
  UNREACHABLE();
}

uint16_t IndexOrder::find_first(const SearchKey& key, const BTreePage& page, uint16_t first,
                                uint16_t end) const {
  uint16_t low = first;
  uint16_t high = end;
  while (low < high) {
    const auto middle = static_cast<uint16_t>((low + high) / 2);
    if (compare(key, page.item(middle)) > 0) {
      low = static_cast<uint16_t>(middle + 1);
    } else {
      high = middle;
    }
  }
  return low;
}

uint16_t IndexOrder::find_child(const SearchKey& key, const BTreePage& page) const {
  uint16_t low = page.first_data();  // minus infinity: never above the key
  uint16_t high = page.end_data();
  CHECK(low < high);
  while (high - low > 1) {
    const auto middle = static_cast<uint16_t>((low + high) / 2);
    if (compare(key, page.item(middle)) >= 0) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

void IndexOrder::key_of(IndexItem item, ItemKey* out) const {
  const uint32_t kept =
      item.is_pivot() ? item.kept_columns() : static_cast<uint32_t>(columns_.size());
  Cursor cursor{item.data(), item.bitmap()};
  for (uint32_t i = 0; i < kept; ++i) {
    bool is_null = false;
    out->values[i] = next_value(cursor, &is_null);
    out->nulls[i] = is_null;
  }
  out->key = {.values = out->values, .nulls = out->nulls, .count = kept};
  if (item.tid().is_valid()) {
    out->key.side = KeySide::at_tid;
    out->key.tid = item.tid();
  }
}

bool IndexOrder::same_columns(IndexItem a, IndexItem b) const {
  ItemKey key;
  key_of(a, &key);
  Cursor cursor{b.data(), b.bitmap()};
  for (uint32_t i = 0; i < columns_.size(); ++i) {
    bool is_null = false;
    const Datum value = next_value(cursor, &is_null);
    if (compare_values(columns_[i], nullptr, value, is_null, key.values[i], key.nulls[i] != 0) != 0)
      return false;
  }
  return true;
}

uint32_t IndexOrder::form_item(RowValues key, Tid tid, std::byte* to) const {
  const size_t columns = index_.desc.size();
  bool nulls = false;
  for (size_t i = 0; i < columns; ++i) nulls = nulls || key.nulls[i] != 0;
  const uint32_t start = kItemHeaderBytes + (nulls ? 8 : 0);
  const uint32_t bytes = data_size(index_.desc, key, columns, 0);
  const uint32_t size = align8(start + bytes);
  if (size > kMaxItemBytes) return size;
  std::memset(to, 0, start);
  form_data(index_.desc, key, columns, to + start, 0, nulls ? to + kItemHeaderBytes : nullptr);
  std::memset(to + start + bytes, 0, size - start - bytes);
  set_item_header(to, tid.block, tid.slot, size, nulls ? kItemHasNulls : uint16_t{0});
  return size;
}

uint32_t IndexOrder::end_of_columns(IndexItem item, uint32_t count) const {
  Cursor cursor{item.data(), item.bitmap()};
  for (uint32_t i = 0; i < count; ++i) {
    bool is_null = false;
    next_value(cursor, &is_null);
  }
  return static_cast<uint32_t>(item.data() - item.bytes()) + cursor.offset;
}

uint32_t IndexOrder::form_separator(IndexItem last_left, IndexItem first_right, BlockNo child,
                                    std::byte* to) const {
  ItemKey left;
  key_of(last_left, &left);
  Cursor cursor{first_right.data(), first_right.bitmap()};
  uint32_t kept = 0;
  bool differs = false;
  while (kept < columns_.size() && !differs) {
    bool is_null = false;
    const Datum value = next_value(cursor, &is_null);
    differs = compare_values(columns_[kept], nullptr, value, is_null, left.values[kept],
                             left.nulls[kept] != 0) != 0;
    ++kept;
  }
  const uint32_t bytes = end_of_columns(first_right, kept);
  std::memcpy(to, first_right.bytes(), bytes);
  uint32_t size = align8(bytes);
  std::memset(to + bytes, 0, size - bytes);
  uint16_t slot = static_cast<uint16_t>(kept);
  if (!differs) {  // equal but for the tid, which must be kept then
    const Tid tid = first_right.tid();
    store(to + size, tid.block.v);
    store(to + size + 4, uint32_t{tid.slot});
    size += kPivotTidBytes;
    slot |= kPivotHasTid;
  }
  set_item_header(
      to, child, slot, size,
      static_cast<uint16_t>(kItemPivot | (first_right.has_nulls() ? kItemHasNulls : 0)));
  return size;
}

uint32_t IndexOrder::copy_pivot(IndexItem from, BlockNo child, std::byte* to) {
  CHECK(from.is_pivot());
  std::memcpy(to, from.bytes(), from.size());
  store(to, child.v);
  return from.size();
}

uint32_t IndexOrder::minus_infinity(BlockNo child, std::byte* to) {
  set_item_header(to, child, 0, kItemHeaderBytes, kItemPivot);
  return kItemHeaderBytes;
}

}  // namespace orrery
