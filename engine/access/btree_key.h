// Search keys and the order of items. A key is a prefix of the index's columns and says where it
// stands among the items that begin with it: before all of them, behind all of them, or at a tid.
#pragma once

#include <array>

#include "access/btree.h"
#include "access/btree_page.h"

namespace orrery {

enum class KeySide : uint8_t { before_equal, behind_equal, at_tid };

struct SearchKey {
  const Datum* values = nullptr;
  const uint8_t* nulls = nullptr;
  uint32_t count = 0;
  KeySide side = KeySide::before_equal;
  Tid tid;
  const Comparator* compare = nullptr;  // (stored, key) by column; null: the index's own
};

// The order of one index: compares without allocating.
class IndexOrder {
 public:
  explicit IndexOrder(const IndexInfo& index);

  // Negative, zero, positive: the key against the item.
  int compare(const SearchKey& key, IndexItem item) const;
  // The first slot in [first, end) whose item is not below the key.
  uint16_t find_first(const SearchKey& key, const BTreePage& page, uint16_t first,
                      uint16_t end) const;
  // The child to descend to: the last item not above the key. REQUIRES: an internal page.
  uint16_t find_child(const SearchKey& key, const BTreePage& page) const;
  // The key lies in the page's right sibling or beyond.
  bool is_beyond(const SearchKey& key, const BTreePage& page) const {
    return !page.is_rightmost() && compare(key, page.high_key()) >= 0;
  }
  // A leaf item or separator as a search key: values point into the item or `scratch`.
  struct ItemKey {
    Datum values[32];
    uint8_t nulls[32];
    SearchKey key;
  };
  void key_of(IndexItem item, ItemKey* out) const;
  // All key columns equal, tids aside. A NULL equals a NULL here.
  bool same_columns(IndexItem a, IndexItem b) const;

  // A leaf item for the row. Returns its size; `to` has room for kPageBytes.
  uint32_t form_item(RowValues key, Tid tid, std::byte* to) const;
  // The shortest separator between neighbours on a leaf, pointing to `child`. Returns its size.
  uint32_t form_separator(IndexItem last_left, IndexItem first_right, BlockNo child,
                          std::byte* to) const;
  // A copy of a separator pointing elsewhere.
  static uint32_t copy_pivot(IndexItem from, BlockNo child, std::byte* to);
  static uint32_t minus_infinity(BlockNo child, std::byte* to);

  size_t key_columns() const { return index_.keys.size(); }
  const IndexInfo& index() const { return index_; }

 private:
  struct Column {
    int16_t length;
    uint8_t alignment;
    bool by_value;
    bool is_unsigned;
    bool descending;
    bool nulls_first;
    bool plain_integer;  // the comparator is that of the word
    Comparator compare;
  };
  int compare_values(const Column& column, Comparator compare, Datum stored, bool stored_null,
                     Datum key, bool key_null) const;
  // Steps through an item's columns.
  struct Cursor {
    const std::byte* data;
    const std::byte* bitmap;
    uint32_t offset = 0;
    uint32_t at = 0;
  };
  Datum next_value(Cursor& cursor, bool* is_null) const;
  uint32_t end_of_columns(IndexItem item, uint32_t count) const;

  const IndexInfo& index_;
  std::vector<Column> columns_;
};

}  // namespace orrery
