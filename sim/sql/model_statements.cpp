#include "sim/sql/model_statements.h"

#include <algorithm>

#include "base/text.h"

namespace orrery {
namespace {

SqlRow as_sql_row(const ModelTable& table, const ModelRow& row) {
  SqlRow out;
  for (size_t i = 0; i < row.size(); ++i) out.push_back(as_sql_value(table.columns[i], row[i]));
  return out;
}

ModelTable& table_in(ModelStatement& statement, const ModelTable& table) {
  return statement.after.tables.at(table.name);
}

}  // namespace

// ---- values and conditions

// Mostly from a small domain, so that values meet; texts now and then too large for a page.
ModelValue StatementMaker::random_value(const ModelTable& table, size_t column) {
  const ModelColumn& of = table.columns[column];
  if (column == 0) return ModelValue::of(static_cast<int64_t>(pick(kRows * 3 / 2)));
  if (pick(8) == 7) return {};
  if (!of.is_text) return ModelValue::of(context_.between(pick(20) == 19 ? -2 : 0, 30));
  const uint64_t kind = pick(16);
  const uint64_t length = kind == 15 ? 2000 + pick(12'000) : kind > 11 ? 100 + pick(800) : pick(4);
  return ModelValue::of(letters(length, pick(7)));
}

ModelRow StatementMaker::random_row(const ModelTable& table) {
  ModelRow row;
  for (size_t i = 0; i < table.columns.size(); ++i) row.push_back(random_value(table, i));
  return row;
}

ModelCondition StatementMaker::condition(const ModelTable& table, bool may_nest) {
  using Kind = ModelCondition::Kind;
  ModelCondition made{.kind = static_cast<Kind>(pick(8)), .column = random_column(table)};
  if (pick(3) != 0) made.column = 0;
  const auto constant = [&] {
    ModelValue value;
    while (value.is_null) value = random_value(table, made.column);
    return value;
  };
  switch (made.kind) {
    case Kind::all:
    case Kind::is_null:
    case Kind::not_null: break;
    case Kind::equal:
    case Kind::less:
    case Kind::greater:  made.constants.push_back(constant()); break;
    case Kind::between:
      made.constants = {constant(), constant()};
      std::ranges::sort(made.constants);
      break;
    case Kind::in:
      for (uint64_t i = 0; i <= pick(4); ++i) made.constants.push_back(constant());
      break;
  }
  made.is_negated = pick(6) == 5;
  if (may_nest && pick(3) == 2) made.also.push_back(condition(table, false));
  return made;
}

std::vector<size_t> StatementMaker::number_columns(const ModelTable& table) const {
  std::vector<size_t> found;
  for (size_t i = 1; i < table.columns.size(); ++i) {
    if (!table.columns[i].is_text) found.push_back(i);
  }
  return found;
}

// ---- statements

ModelStatement StatementMaker::make(const ModelSchema& schema) {
  if (schema.tables.size() < kTables && (schema.tables.empty() || pick(6) == 5)) {
    return create_table(schema);
  }
  auto at = schema.tables.begin();
  std::advance(at, static_cast<ptrdiff_t>(pick(schema.tables.size())));
  const ModelTable& table = at->second;
  const uint64_t what = pick(100);
  if (what < 30 || (what < 60 && table.rows.size() < kRows / 4)) return insert(schema, table);
  if (what < 36) return insert_or(schema, table);
  if (what < 52) return update(schema, table);
  if (what < 60) return remove(schema, table);
  if (what < 70) return select(schema, table);
  if (what < 75) return aggregate(schema, table);
  if (what < 80) return group(schema, table);
  if (what < 85) return join(schema, table);
  return change_table(schema, table);
}

ModelStatement StatementMaker::change_table(const ModelSchema& schema, const ModelTable& table) {
  switch (pick(8)) {
    case 0:  return pick(3) == 0 ? drop_table(schema, table) : read_all(schema, table);
    case 1:
    case 2:
    case 3:  return create_index(schema, table);
    case 4:  return drop_index(schema, table);
    case 5:  return add_column(schema, table);
    case 6:  return pick(2) == 0 ? drop_column(schema, table) : set_not_null(schema, table);
    default: return pick(3) == 0 ? truncate(schema, table) : read_all(schema, table);
  }
}

ModelStatement StatementMaker::create_table(const ModelSchema& schema) {
  ModelTable table;
  for (size_t i = 0; table.name.empty(); ++i) {
    std::string name = cat(prefix_, i);
    if (!schema.tables.contains(name)) table.name = std::move(name);
  }
  table.columns = {{.name = "id", .is_text = false, .not_null = true, .default_value = {}},
                   {.name = "a", .is_text = false, .not_null = false, .default_value = {}},
                   {.name = "b", .is_text = true, .not_null = false, .default_value = {}},
                   {.name = "c", .is_text = false, .not_null = false, .default_value = {}}};
  const bool has_check = pick(2) == 1;
  if (has_check) table.checked = 1;
  const bool has_unique = pick(3) == 2;
  if (has_unique) table.indexes.push_back({.name = "", .columns = {3}, .is_unique = true});
  ModelStatement made{.after = schema};
  made.sql =
      cat("CREATE TABLE ", table.name, " (id int4 PRIMARY KEY, a int4",
          has_check ? " CHECK (a >= 0)" : "", ", b text, c int8", has_unique ? " UNIQUE" : "", ")");
  made.tag = "CREATE TABLE";
  made.after.tables[table.name] = std::move(table);
  return made;
}

ModelStatement StatementMaker::drop_table(const ModelSchema& schema, const ModelTable& table) {
  ModelStatement made{.sql = cat("DROP TABLE ", table.name), .tag = "DROP TABLE", .after = schema};
  made.after.tables.erase(table.name);
  return made;
}

ModelStatement StatementMaker::create_index(const ModelSchema& schema, const ModelTable& table) {
  ModelIndex index{.name = cat("i", ++names_, "_", context_.between(0, 1'000'000)),
                   .columns = {random_column(table)},
                   .is_unique = pick(4) == 3};
  const size_t second = random_column(table);
  if (pick(2) == 1 && second != index.columns[0]) index.columns.push_back(second);
  std::string columns;
  bool has_text = false;
  for (const size_t column : index.columns) {
    columns +=
        cat(columns.empty() ? "" : ", ", table.columns[column].name, pick(4) == 3 ? " DESC" : "");
    has_text = has_text || table.columns[column].is_text;
  }
  if (has_text || table.indexes.size() > 3)
    return read_all(schema, table);  // texts may be too long
  ModelStatement made{.after = schema};
  made.sql = cat("CREATE ", index.is_unique ? "UNIQUE " : "", "INDEX ", index.name, " ON ",
                 table.name, " (", columns, ")");
  made.tag = "CREATE INDEX";
  if (index.is_unique && table.has_duplicates(index.columns)) made.errors.insert("23505");
  table_in(made, table).indexes.push_back(std::move(index));
  return made;
}

ModelStatement StatementMaker::drop_index(const ModelSchema& schema, const ModelTable& table) {
  std::vector<size_t> named;
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    if (!table.indexes[i].name.empty()) named.push_back(i);
  }
  if (named.empty()) return create_index(schema, table);
  const size_t which = named[pick(named.size())];
  const std::string schema_name = table.name.substr(0, table.name.find('.') + 1);
  ModelStatement made{.sql = cat("DROP INDEX ", schema_name, table.indexes[which].name),
                      .tag = "DROP INDEX",
                      .after = schema};
  std::vector<ModelIndex>& indexes = table_in(made, table).indexes;
  indexes.erase(indexes.begin() + static_cast<ptrdiff_t>(which));
  return made;
}

ModelStatement StatementMaker::add_column(const ModelSchema& schema, const ModelTable& table) {
  if (table.columns.size() > 7) return read_all(schema, table);
  ModelColumn column{.name = cat("x", ++names_, "_", context_.between(0, 1'000'000)),
                     .is_text = pick(3) == 2,
                     .not_null = false,
                     .default_value = {}};
  const bool has_default = pick(2) == 1;
  if (has_default) {
    column.default_value = column.is_text ? ModelValue::of(std::string("made"))
                                          : ModelValue::of(context_.between(0, 9));
    column.not_null = pick(3) == 2;
  }
  ModelStatement made{.after = schema};
  made.sql = cat("ALTER TABLE ", table.name, " ADD COLUMN ", column.name,
                 column.is_text ? " text" : " int4", column.not_null ? " NOT NULL" : "");
  if (has_default) made.sql += cat(" DEFAULT ", as_literal(column, column.default_value));
  made.tag = "ALTER TABLE";
  ModelTable& changed = table_in(made, table);
  for (auto& [id, row] : changed.rows) row.push_back(column.default_value);
  changed.columns.push_back(std::move(column));
  return made;
}

// Takes the indexes on it along.
ModelStatement StatementMaker::drop_column(const ModelSchema& schema, const ModelTable& table) {
  constexpr size_t kFixed = 4;
  if (table.columns.size() <= kFixed) return add_column(schema, table);
  const size_t which = kFixed + pick(table.columns.size() - kFixed);
  ModelStatement made{
      .sql = cat("ALTER TABLE ", table.name, " DROP COLUMN ", table.columns[which].name),
      .tag = "ALTER TABLE",
      .after = schema};
  ModelTable& changed = table_in(made, table);
  changed.columns.erase(changed.columns.begin() + static_cast<ptrdiff_t>(which));
  for (auto& [id, row] : changed.rows) row.erase(row.begin() + static_cast<ptrdiff_t>(which));
  std::erase_if(changed.indexes, [&](const ModelIndex& index) {
    return std::ranges::find(index.columns, which) != index.columns.end();
  });
  for (ModelIndex& index : changed.indexes) {
    for (size_t& column : index.columns) column -= column > which ? 1 : 0;
  }
  return made;
}

ModelStatement StatementMaker::set_not_null(const ModelSchema& schema, const ModelTable& table) {
  const size_t which = 1 + pick(table.columns.size() - 1);
  const bool sets = !table.columns[which].not_null;
  ModelStatement made{.after = schema};
  made.sql = cat("ALTER TABLE ", table.name, " ALTER COLUMN ", table.columns[which].name,
                 sets ? " SET NOT NULL" : " DROP NOT NULL");
  made.tag = "ALTER TABLE";
  const bool has_null = std::ranges::any_of(
      table.rows, [&](const auto& entry) { return entry.second[which].is_null; });
  if (sets && has_null) made.errors.insert("23502");
  table_in(made, table).columns[which].not_null = sets;
  return made;
}

ModelStatement StatementMaker::truncate(const ModelSchema& schema, const ModelTable& table) {
  ModelStatement made{
      .sql = cat("TRUNCATE ", table.name), .tag = "TRUNCATE TABLE", .after = schema};
  table_in(made, table).rows.clear();
  return made;
}

ModelStatement StatementMaker::insert(const ModelSchema& schema, const ModelTable& table) {
  ModelStatement made{.after = schema};
  ModelTable& changed = table_in(made, table);
  const uint64_t count = 1 + (pick(3) == 2 ? pick(20) : 0);
  std::string rows;
  for (uint64_t i = 0; i < count; ++i) {
    ModelRow row = random_row(table);
    // Mostly rows that fit: a violation undoes the whole statement.
    for (int tries = 0; tries < 6 && !changed.violation(row, std::nullopt).empty(); ++tries) {
      if (pick(12) == 11) break;
      row = random_row(table);
    }
    if (pick(2) == 1 && !changed.violation(row, std::nullopt).empty() && i > 0) continue;
    std::string list;
    for (size_t c = 0; c < row.size(); ++c) {
      list += cat(c == 0 ? "" : ", ", as_literal(table.columns[c], row[c]));
    }
    rows += cat(rows.empty() ? "" : ", ", "(", list, ")");
    const std::string violated = changed.violation(row, std::nullopt);
    if (!violated.empty()) made.errors.insert(violated);
    if (violated.empty()) changed.rows[row[0].number] = std::move(row);
  }
  made.sql = cat("INSERT INTO ", table.name, " (", table.column_list(), ") VALUES ", rows);
  made.tag = cat("INSERT 0 ", changed.rows.size() - table.rows.size());
  return made;
}

ModelStatement StatementMaker::insert_or(const ModelSchema& schema, const ModelTable& table) {
  ModelStatement made{.after = schema};
  ModelTable& changed = table_in(made, table);
  ModelRow row = random_row(table);
  std::string list;
  for (size_t c = 0; c < row.size(); ++c) {
    list += cat(c == 0 ? "" : ", ", as_literal(table.columns[c], row[c]));
  }
  const bool updates = pick(2) == 1;
  made.sql =
      cat("INSERT INTO ", table.name, " (", table.column_list(), ") VALUES (", list,
          updates ? ") ON CONFLICT (id) DO UPDATE SET a = excluded.a" : ") ON CONFLICT DO NOTHING");
  made.tag = "INSERT 0 1";
  const std::string violated = changed.violation(row, std::nullopt);
  const int64_t id = row[0].number;
  if (violated.empty()) {
    changed.rows[id] = std::move(row);
  } else if (violated != "23505") {
    made.errors.insert(violated);
  } else if (!updates) {
    made.tag = "INSERT 0 0";
  } else if (!changed.rows.contains(id)) {
    made.errors.insert(violated);  // another index's
  } else {
    ModelRow updated = changed.rows[id];
    updated[1] = row[1];
    const std::string violates = changed.violation(updated, id);
    if (!violates.empty()) made.errors.insert(violates);
    if (violates.empty()) changed.rows[id] = std::move(updated);
  }
  return made;
}

ModelStatement StatementMaker::update(const ModelSchema& schema, const ModelTable& table) {
  ModelStatement made{.after = schema};
  ModelTable& changed = table_in(made, table);
  const size_t column = 1 + pick(table.columns.size() - 1);
  const ModelColumn& of = table.columns[column];
  const bool is_unique = std::ranges::any_of(table.indexes, [&](const ModelIndex& index) {
    return index.is_unique && std::ranges::find(index.columns, column) != index.columns.end();
  });
  ModelCondition where = condition(table);
  if (is_unique) {  // of several rows, which one fails depends on their order
    where = {.kind = ModelCondition::Kind::equal,
             .column = 0,
             .constants = {random_value(table, 0)},
             .is_negated = false,
             .also = {}};
  }
  const bool adds = !of.is_text && pick(2) == 1;
  const ModelValue value = random_value(table, column);
  made.sql = cat("UPDATE ", table.name, " SET ", of.name, " = ",
                 adds ? cat(of.name, " + 1") : as_literal(of, value), " WHERE ", where.sql(table));
  uint64_t count = 0;
  for (const auto& [id, row] : table.rows) {
    if (!where.holds(table, row)) continue;
    ++count;
    ModelRow updated = row;
    if (!adds) updated[column] = value;
    if (adds && !updated[column].is_null) ++updated[column].number;
    const std::string violated = changed.violation(updated, id);
    if (!violated.empty()) made.errors.insert(violated);
    changed.rows[id] = std::move(updated);
  }
  made.tag = cat("UPDATE ", count);
  return made;
}

ModelStatement StatementMaker::remove(const ModelSchema& schema, const ModelTable& table) {
  ModelStatement made{.after = schema};
  const ModelCondition where = condition(table);
  const size_t removed = std::erase_if(table_in(made, table).rows, [&](const auto& entry) {
    return where.holds(table, entry.second);
  });
  made.sql = cat("DELETE FROM ", table.name, " WHERE ", where.sql(table));
  made.tag = cat("DELETE ", removed);
  return made;
}

// ---- queries

ModelStatement StatementMaker::read_all(const ModelSchema& schema, const ModelTable& table) {
  ModelStatement made{.sql = cat("SELECT ", table.column_list(), " FROM ", table.name),
                      .has_rows = true,
                      .after = schema};
  for (const auto& [id, row] : table.rows) made.rows.push_back(as_sql_row(table, row));
  return made;
}

ModelStatement StatementMaker::select(const ModelSchema& schema, const ModelTable& table) {
  const ModelCondition where = condition(table);
  ModelStatement made{.has_rows = true, .after = schema};
  made.is_ordered = pick(2) == 1;
  made.sql = cat("SELECT ", table.column_list(), " FROM ", table.name, " WHERE ", where.sql(table),
                 made.is_ordered ? " ORDER BY id" : "");
  for (const auto& [id, row] : table.rows) {
    if (where.holds(table, row)) made.rows.push_back(as_sql_row(table, row));
  }
  return made;
}

ModelStatement StatementMaker::aggregate(const ModelSchema& schema, const ModelTable& table) {
  const ModelCondition where = condition(table);
  const std::vector<size_t> numbers = number_columns(table);
  const size_t column = numbers[pick(numbers.size())];
  const std::string& name = table.columns[column].name;
  ModelStatement made{.has_rows = true, .after = schema};
  made.sql = cat("SELECT count(*), count(", name, "), sum(", name, "), min(", name,
                 "), max(b) FROM ", table.name, " WHERE ", where.sql(table));
  int64_t all = 0;
  int64_t sum = 0;
  std::vector<int64_t> values;
  ModelValue largest;
  for (const auto& [id, row] : table.rows) {
    if (!where.holds(table, row)) continue;
    ++all;
    if (!row[2].is_null && (largest.is_null || largest.text < row[2].text)) largest = row[2];
    if (row[column].is_null) continue;
    values.push_back(row[column].number);
    sum += row[column].number;
  }
  SqlRow row{cat(all), cat(values.size()), std::nullopt, std::nullopt, std::nullopt};
  if (!values.empty()) row[2] = cat(sum);
  if (!values.empty()) row[3] = cat(*std::ranges::min_element(values));
  if (!largest.is_null) row[4] = largest.text;
  made.rows.push_back(std::move(row));
  return made;
}

ModelStatement StatementMaker::group(const ModelSchema& schema, const ModelTable& table) {
  const size_t column = random_column(table);
  const ModelCondition where = condition(table);
  ModelStatement made{.has_rows = true, .after = schema};
  const std::string& name = table.columns[column].name;
  made.sql = cat("SELECT ", name, ", count(*), sum(id) FROM ", table.name, " WHERE ",
                 where.sql(table), " GROUP BY ", name);
  std::map<ModelValue, std::pair<int64_t, int64_t>> groups;
  for (const auto& [id, row] : table.rows) {
    if (!where.holds(table, row)) continue;
    auto& [count, sum] = groups[row[column]];
    ++count;
    sum += id;
  }
  for (const auto& [value, totals] : groups) {
    made.rows.push_back(
        {as_sql_value(table.columns[column], value), cat(totals.first), cat(totals.second)});
  }
  return made;
}

ModelStatement StatementMaker::join(const ModelSchema& schema, const ModelTable& table) {
  auto at = schema.tables.begin();
  std::advance(at, static_cast<ptrdiff_t>(pick(schema.tables.size())));
  const ModelTable& other = at->second;
  const std::vector<size_t> left = number_columns(table);
  const std::vector<size_t> right = number_columns(other);
  const size_t x = pick(3) == 0 ? 0 : left[pick(left.size())];
  const size_t y = pick(3) == 0 ? 0 : right[pick(right.size())];
  const ModelCondition where = condition(table);
  const uint64_t kind = pick(3);  // inner, left, semi
  ModelStatement made{.has_rows = true, .after = schema};
  const std::string equal = cat("x.", table.columns[x].name, " = y.", other.columns[y].name);
  if (kind == 2) {
    made.sql = cat("SELECT x.id FROM ", table.name, " x WHERE EXISTS (SELECT 1 FROM ", other.name,
                   " y WHERE ", equal, ") AND ", where.sql(table, "x."));
  } else {
    made.sql = cat("SELECT x.id, y.id FROM ", table.name, kind == 1 ? " x LEFT JOIN " : " x JOIN ",
                   other.name, " y ON ", equal, " WHERE ", where.sql(table, "x."));
  }
  for (const auto& [id, row] : table.rows) {
    if (!where.holds(table, row)) continue;
    bool is_matched = false;
    for (const auto& [other_id, other_row] : other.rows) {
      if (row[x].is_null || other_row[y].is_null || row[x].number != other_row[y].number) continue;
      if (kind != 2) made.rows.push_back({cat(id), cat(other_id)});
      is_matched = true;
    }
    if (kind == 2 && is_matched) made.rows.push_back({cat(id)});
    if (kind == 1 && !is_matched) made.rows.push_back({cat(id), std::nullopt});
  }
  return made;
}

}  // namespace orrery
