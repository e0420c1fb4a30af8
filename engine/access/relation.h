// What access needs to know of a table or an index: files, physical columns, comparators. The
// catalog fills these in and caches them; access never looks a name up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/file_id.h"
#include "types/tuple_desc.h"

namespace orrery {

// Columns are 0-based. System columns have PostgreSQL's attribute numbers.
constexpr int16_t kColumnCtid = -1;
constexpr int16_t kColumnXmin = -2;
constexpr int16_t kColumnCmin = -3;
constexpr int16_t kColumnXmax = -4;
constexpr int16_t kColumnCmax = -5;
constexpr int16_t kColumnTableOid = -6;

class ColumnSet {
 public:
  void add(int column) {
    if (static_cast<size_t>(column) / 64 >= words_.size())
      words_.resize(static_cast<size_t>(column) / 64 + 1);
    words_[static_cast<size_t>(column) / 64] |= uint64_t{1} << (column % 64);
  }
  bool has(int column) const {
    return static_cast<size_t>(column) / 64 < words_.size() &&
           (words_[static_cast<size_t>(column) / 64] >> (column % 64) & 1) != 0;
  }
  bool empty() const { return words_.empty(); }

 private:
  std::vector<uint64_t> words_;
};

// Where a table's oversized values lie: rows (chunk_id oid, chunk_seq int4, chunk_data bytea) and
// an index on the first two.
struct ToastTable {
  Oid oid;
  FileId heap;
  FileId index;
};

struct TableInfo {
  Oid oid;
  Oid database;
  std::string name;  // for messages
  FileId file;       // main fork; the maps are its other forks
  TupleDesc desc;
  std::optional<ToastTable> toast;
  int fillfactor = 100;
  ColumnSet
      indexed;     // in any index: keys, INCLUDE, predicates, expressions. A change rules HOT out
  ColumnSet keys;  // of unique indexes a foreign key may name: a change locks FOR UPDATE
};

struct IndexColumn {
  Comparator compare = nullptr;  // of two stored, plain (not compressed, not external) values
  bool descending = false;
  bool nulls_first = false;
};

struct IndexInfo {
  Oid oid;
  std::string name;
  FileId file;
  TupleDesc desc;  // key columns, then INCLUDE columns
  std::vector<IndexColumn> keys;
  bool unique = false;
  bool nulls_not_distinct = false;
  int fillfactor = 90;
  bool deduplicate =
      true;  // only where equal means bytewise interchangeable (not numeric, float, jsonb)
};

}  // namespace orrery
