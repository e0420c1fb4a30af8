// The built-in rows of the system catalogs: PostgreSQL 15's, committed as tables in facts/ and
// compiled into the program.
//
// They serve twice: a new database's catalogs are loaded from them, and lookups of types,
// functions, operators, casts and operator classes below OID 16384 are answered from them without
// reading a page. All data is constant and shared by every node of a process; nothing is built at
// start.
//
// A row is stored as a heap tuple has it after its header, 8-aligned:
//   u16 start of data, u16 bytes of null bitmap (0: no NULLs), u32 bytes of data,
//   bitmap (1 is not NULL), data
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/ids.h"
#include "catalog/columns.h"
#include "catalog/row.h"
#include "types/tuple_desc.h"

namespace orrery {

struct FactColumn {
  const char* name;
  Oid type;
  int16_t length;
  uint8_t alignment;
  bool by_value;
  bool not_null;
  char storage;
  int16_t fixed_offset;  // of its data in every row; -1 when what comes before may vary

  ColumnDesc desc() const;
};

constexpr size_t kMaxFactColumns = 40;

// A row taken apart; values point into the constant data.
struct FactRow {
  Datum values[kMaxFactColumns];
  uint8_t nulls[kMaxFactColumns];
  uint16_t columns = 0;
  CatalogRow view() const { return {{values, columns}, {nulls, columns}}; }
};

struct FactTable {
  const char* name;
  Oid relation;
  std::span<const FactColumn> columns;
  const char* data;
  std::span<const uint32_t> starts;  // of each row in `data`, rows ordered by their first column(s)
  std::span<const uint16_t>
      order;  // row numbers ordered for lookups (generate.py says by what), or empty
  std::span<const uint16_t> second_order;

  size_t size() const { return starts.size(); }
  FactRow row(size_t index) const;
  // The stored form, for loading: null bitmap (empty without NULLs) and data.
  std::string_view null_bitmap(size_t index) const;
  std::string_view row_data(size_t index) const;
  // A leading fixed-length column without taking the row apart. REQUIRES: columns[column -
  // 1].fixed_offset >= 0.
  template <class T>
  T fixed(size_t index, int16_t column) const {
    return load<T>(row_start(index) + columns[static_cast<size_t>(column - 1)].fixed_offset);
  }
  std::string_view fixed_name(size_t index, int16_t column) const;
  // The row whose first column, an OID and unique, is `key`.
  std::optional<size_t> find(Oid key) const;

 private:
  const char* row_start(size_t index) const;
};

// Every system catalog, those without built-in rows too, by OID.
std::span<const FactTable> all_fact_tables();
// REQUIRES: `relation` is a system catalog.
const FactTable& fact_table(Oid relation);

}  // namespace orrery
