// What the tables of one client should hold, as plainly as can be: a reference for random SQL. A
// schema is a value: a copy of it is a savepoint.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/sql/pg_client.h"

namespace orrery {

// An integer or a text, or NULL.
struct ModelValue {
  bool is_null = true;
  int64_t number = 0;
  std::string text;

  static ModelValue of(int64_t number) { return {false, number, {}}; }
  static ModelValue of(std::string text) { return {false, 0, std::move(text)}; }
  friend auto operator<=>(const ModelValue&, const ModelValue&) = default;
};

struct ModelColumn {
  std::string name;
  bool is_text = false;
  bool not_null = false;
  ModelValue default_value;
  friend bool operator==(const ModelColumn&, const ModelColumn&) = default;
};

using ModelRow = std::vector<ModelValue>;

struct ModelIndex {
  std::string name;
  std::vector<size_t> columns;
  bool is_unique = false;
};

struct ModelTable {
  std::string name;                  // with its schema
  std::vector<ModelColumn> columns;  // the first is id, the primary key
  std::optional<size_t> checked;     // a column that may not be negative
  std::vector<ModelIndex> indexes;
  std::map<int64_t, ModelRow> rows;  // by id

  std::string column_list() const;
  // SQLSTATE of what a row would violate that is to be added, or take `replaced`'s place; empty.
  std::string violation(const ModelRow& row, std::optional<int64_t> replaced) const;
  // True when two rows have equal keys without NULL.
  bool has_duplicates(const std::vector<size_t>& key) const;
};

struct ModelSchema {
  std::map<std::string, ModelTable> tables;
  int64_t done = 0;  // transactions
};

SqlValue as_sql_value(const ModelColumn& column, const ModelValue& value);
std::string as_literal(const ModelColumn& column, const ModelValue& value);

// A condition on the rows of one table, as SQL and as a function.
struct ModelCondition {
  enum class Kind : uint8_t { all, equal, less, greater, is_null, not_null, between, in } kind;
  size_t column = 0;
  std::vector<ModelValue> constants;
  bool is_negated = false;           // NOT (...)
  std::vector<ModelCondition> also;  // ANDed

  std::string sql(const ModelTable& table, std::string_view prefix = {}) const;
  bool holds(const ModelTable& table, const ModelRow& row) const;

 private:
  std::string own_sql(const ModelTable& table, std::string_view prefix) const;
  std::optional<bool> own_value(const ModelRow& row) const;
};

}  // namespace orrery
