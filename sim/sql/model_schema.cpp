#include "sim/sql/model_schema.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "sim/sql/sql_session.h"

namespace orrery {

SqlValue as_sql_value(const ModelColumn& column, const ModelValue& value) {
  if (value.is_null) return std::nullopt;
  return column.is_text ? value.text : cat(value.number);
}

std::string as_literal(const ModelColumn& column, const ModelValue& value) {
  if (value.is_null) return "NULL";
  return column.is_text ? sql_literal(value.text) : cat(value.number);
}

std::string ModelTable::column_list() const {
  std::string list;
  for (const ModelColumn& column : columns) list += cat(list.empty() ? "" : ", ", column.name);
  return list;
}

std::string ModelTable::violation(const ModelRow& row, std::optional<int64_t> replaced) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].not_null && row[i].is_null) return "23502";
  }
  if (checked && !row[*checked].is_null && row[*checked].number < 0) return "23514";
  const bool same_id = replaced && *replaced == row[0].number;
  if (!same_id && rows.contains(row[0].number)) return "23505";
  for (const ModelIndex& index : indexes) {
    if (!index.is_unique) continue;
    const auto has_null = [&](const ModelRow& other) {
      return std::ranges::any_of(index.columns, [&](size_t c) { return other[c].is_null; });
    };
    if (has_null(row)) continue;
    for (const auto& [id, other] : rows) {
      if (replaced && id == *replaced) continue;
      if (std::ranges::all_of(index.columns, [&](size_t c) { return other[c] == row[c]; })) {
        return "23505";
      }
    }
  }
  return "";
}

bool ModelTable::has_duplicates(const std::vector<size_t>& key) const {
  std::set<ModelRow> seen;
  for (const auto& [id, row] : rows) {
    ModelRow part;
    bool has_null = false;
    for (const size_t column : key) {
      has_null = has_null || row[column].is_null;
      part.push_back(row[column]);
    }
    if (!has_null && !seen.insert(std::move(part)).second) return true;
  }
  return false;
}

std::string ModelCondition::own_sql(const ModelTable& table, std::string_view prefix) const {
  const ModelColumn& of = table.columns[column];
  const std::string name = cat(prefix, of.name);
  switch (kind) {
    case Kind::all:      return "true";
    case Kind::equal:    return cat(name, " = ", as_literal(of, constants[0]));
    case Kind::less:     return cat(name, " < ", as_literal(of, constants[0]));
    case Kind::greater:  return cat(name, " > ", as_literal(of, constants[0]));
    case Kind::is_null:  return cat(name, " IS NULL");
    case Kind::not_null: return cat(name, " IS NOT NULL");
    case Kind::between:
      return cat(name, " BETWEEN ", as_literal(of, constants[0]), " AND ",
                 as_literal(of, constants[1]));
    case Kind::in: {
      std::string list;
      for (const ModelValue& value : constants) {
        list += cat(list.empty() ? "" : ", ", as_literal(of, value));
      }
      return cat(name, " IN (", list, ")");
    }
  }
  UNREACHABLE();
}

std::string ModelCondition::sql(const ModelTable& table, std::string_view prefix) const {
  std::string text = own_sql(table, prefix);
  if (is_negated) text = cat("NOT (", text, ")");
  for (const ModelCondition& other : also) text += cat(" AND ", other.sql(table, prefix));
  return text;
}

std::optional<bool> ModelCondition::own_value(const ModelRow& row) const {
  const ModelValue& value = row[column];
  switch (kind) {
    case Kind::all:      return true;
    case Kind::is_null:  return value.is_null;
    case Kind::not_null: return !value.is_null;
    case Kind::equal:
    case Kind::less:
    case Kind::greater:
    case Kind::between:
    case Kind::in:       break;
  }
  if (value.is_null) return std::nullopt;
  switch (kind) {
    case Kind::equal:    return value == constants[0];
    case Kind::less:     return value < constants[0];
    case Kind::greater:  return value > constants[0];
    case Kind::between:  return value >= constants[0] && value <= constants[1];
    case Kind::in:       return std::ranges::find(constants, value) != constants.end();
    case Kind::all:
    case Kind::is_null:
    case Kind::not_null: break;
  }
  UNREACHABLE();
}

bool ModelCondition::holds(const ModelTable& table, const ModelRow& row) const {
  const std::optional<bool> value = own_value(row);
  if (!value || *value == is_negated) return false;
  return std::ranges::all_of(also,
                             [&](const ModelCondition& other) { return other.holds(table, row); });
}

}  // namespace orrery
