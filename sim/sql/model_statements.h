// Random statements over a client's own tables, each with what the reference model says of it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sim/sql/model_schema.h"
#include "sim/sql/sql_session.h"

namespace orrery {

struct ModelStatement {
  std::string sql;
  std::set<std::string> errors;  // SQLSTATEs, one of which it must fail with; empty: it succeeds
  std::string tag;               // of a statement that succeeds; empty: any
  bool has_rows = false;         // rows are compared, in no order unless `is_ordered`
  bool is_ordered = false;
  std::vector<SqlRow> rows;
  ModelSchema after;  // when it succeeds
};

class StatementMaker {
 public:
  // Tables are named `prefix`0, `prefix`1...
  StatementMaker(SqlContext& context, std::string prefix)
      : context_(context), prefix_(std::move(prefix)) {}

  ModelStatement make(const ModelSchema& schema);
  // All rows of a table.
  ModelStatement read_all(const ModelSchema& schema, const ModelTable& table);

 private:
  static constexpr size_t kTables = 3;
  static constexpr size_t kRows = 60;  // of a table, about

  ModelStatement create_table(const ModelSchema& schema);
  ModelStatement drop_table(const ModelSchema& schema, const ModelTable& table);
  ModelStatement create_index(const ModelSchema& schema, const ModelTable& table);
  ModelStatement drop_index(const ModelSchema& schema, const ModelTable& table);
  ModelStatement add_column(const ModelSchema& schema, const ModelTable& table);
  ModelStatement drop_column(const ModelSchema& schema, const ModelTable& table);
  ModelStatement set_not_null(const ModelSchema& schema, const ModelTable& table);
  ModelStatement truncate(const ModelSchema& schema, const ModelTable& table);
  ModelStatement insert(const ModelSchema& schema, const ModelTable& table);
  ModelStatement insert_or(const ModelSchema& schema, const ModelTable& table);
  ModelStatement update(const ModelSchema& schema, const ModelTable& table);
  ModelStatement remove(const ModelSchema& schema, const ModelTable& table);
  ModelStatement select(const ModelSchema& schema, const ModelTable& table);
  ModelStatement aggregate(const ModelSchema& schema, const ModelTable& table);
  ModelStatement group(const ModelSchema& schema, const ModelTable& table);
  ModelStatement join(const ModelSchema& schema, const ModelTable& table);
  ModelStatement change_table(const ModelSchema& schema, const ModelTable& table);

  uint64_t pick(uint64_t candidates) { return context_.pick(candidates); }
  ModelRow random_row(const ModelTable& table);
  ModelValue random_value(const ModelTable& table, size_t column);
  ModelCondition condition(const ModelTable& table, bool may_nest = true);
  size_t random_column(const ModelTable& table) { return pick(table.columns.size()); }
  std::vector<size_t> number_columns(const ModelTable& table) const;

  SqlContext& context_;
  const std::string prefix_;
  uint64_t names_ = 0;  // given to columns and indexes
};

}  // namespace orrery
