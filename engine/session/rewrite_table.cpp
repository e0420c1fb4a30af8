// A table written anew because its columns changed: its rows are read as they were, and written in
// the same order once the catalog says otherwise.

#include "base/text.h"
#include "catalog/quote.h"
#include "exec/projection.h"
#include "exec/shared_rows.h"
#include "exec/table_columns.h"
#include "exec/table_writer.h"
#include "session/planner_world.h"
#include "session/session.h"

namespace orrery {
namespace {

// The columns that a relation's rows have, by number.
std::vector<int16_t> living_columns(const RelationInfo& relation) {
  std::vector<int16_t> numbers;
  for (const ColumnInfo& column : relation.columns) {
    if (!relation.desc()[static_cast<size_t>(column.number - 1)].dropped)
      numbers.push_back(column.number);
  }
  return numbers;
}

std::string all_rows_of(const RelationInfo& relation, std::span<const int16_t> numbers) {
  std::string list;
  for (const int16_t number : numbers)
    list += cat(list.empty() ? "" : ", ", quote_identifier(relation.column(number).name));
  return cat("SELECT ", list, " FROM ONLY ", quote_identifier(relation.nsp_name), ".",
             quote_identifier(relation.name));
}

// Values of the columns that rows do not bring along.
struct Computed {
  size_t column;
  Evaluator value;
};

}  // namespace

namespace {

// Indexes are filled beside the table, and yet it is they that are made anew.
Status as_of_new_index(Status status) {
  if (!status.is(sqlstate::unique_violation)) return status;
  const Error& error = status.error();
  std::string detail = error.detail;
  constexpr std::string_view kEnd = "already exists.";
  if (detail.ends_with(kEnd)) {
    detail.resize(detail.size() - kEnd.size());
    detail += "is duplicated.";
  }
  return raise(sqlstate::unique_violation,
               cat("could not create unique index \"", error.constraint, "\""))
      .detail(std::move(detail))
      .constraint(error.schema, error.table, error.constraint);
}

}  // namespace

Status Session::rewrite_table(Fiber& fiber, Oid table, std::span<const ColumnRewrite> changed,
                              FunctionRef<Status()> change) {
  std::vector<int16_t> numbers;
  StatementRef query;
  {
    const std::unique_ptr<CatalogReader> before = new_reader();
    const RelationInfo* relation = TRY(before->relation(fiber, table));
    CHECK(relation != nullptr);
    numbers = living_columns(*relation);
    query = TRY(parse_one(fiber, all_rows_of(*relation, numbers), {}));
  }
  query = TRY(make_current(fiber, std::move(query)));
  TRY(block_.transaction().next_command());
  std::unique_ptr<Execution> execution = TRY(Execution::start(
      fiber, query, world(), node_.transactions.take_snapshot(&block_.transaction()), {}));
  std::vector<ColumnDesc> descs;
  for (const ResultColumn& column : query->columns) {
    const ColumnDesc desc = TRY(type_desc(execution->context(), column.type));
    descs.push_back(desc);
  }
  SharedRows rows(execution->context(), descs);
  while (true) {
    const Batch* batch = TRY(execution->next(0));
    if (batch == nullptr) break;
    TRY(rows.add(*batch));
  }
  TRY(change());
  TRY(block_.transaction().next_command());
  return write_rows(fiber, table, numbers, rows, changed);
}

Status Session::write_rows(Fiber& fiber, Oid table, std::span<const int16_t> numbers,
                           SharedRows& rows, std::span<const ColumnRewrite> changed) {
  Arena arena(&memory_);
  Arena batch_arena(&memory_);
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  const RelationInfo* relation = TRY(catalog->relation(fiber, table));
  CHECK(relation != nullptr);
  const Plan none;
  ExecContext context(fiber, arena, memory_, *catalog, view_, none);
  const RegisteredSnapshot snapshot(node_.transactions, statement_snapshot());
  let_write(context, snapshot);
  TableWriter writer(context, *relation);
  TRY(writer.open());
  std::vector<Computed> computed;
  for (const ColumnRewrite& rewrite : changed) {
    Evaluator value = TRY(Evaluator::compile(context, *rewrite.value, scanned_column));
    computed.push_back({static_cast<size_t>(rewrite.column - 1), std::move(value)});
  }
  NodePlannerWorld defaults(node_.access, *catalog, path_, view_, memory_, oldest_visible());
  for (const ColumnInfo& column : relation->columns) {
    const bool brought = std::ranges::find(numbers, column.number) != numbers.end();
    if (brought || !(column.has_default || column.identity != '\0') || column.generated != '\0')
      continue;
    const Expr* expr = TRY(defaults.column_default(fiber, arena, *relation, column.number));
    Evaluator value = TRY(Evaluator::compile(context, *expr, scanned_column));
    computed.push_back({static_cast<size_t>(column.number - 1), std::move(value)});
  }
  const Vector nothing = Vector::make_constant(arena, NullableDatum{});
  const std::vector<Vector> empty(relation->columns.size() + kSystemColumns, nothing);
  std::vector<Vector> read = make_columns(arena, numbers.size());
  std::vector<Tid> tids(kBatchRows);
  SharedRows::Reader reader(rows);
  while (!reader.at_end()) {
    const uint32_t count = TRY(reader.next(read));
    std::vector<Vector> before = empty;
    for (size_t i = 0; i < numbers.size(); ++i)
      before[static_cast<size_t>(numbers[i] - 1)] = read[i];
    std::vector<Vector> now = before;
    for (Computed& one : computed) {
      const Batch from{before, Rows{nullptr, count}};
      const Vector* value = TRY(one.value.evaluate(batch_arena, from, from.rows));
      now[one.column] = *value;
    }
    const Batch batch{now, Rows{nullptr, count}};
    TRY(writer.check_row_constraints(batch_arena, now, batch.rows));
    TRY(as_of_new_index(writer.insert(batch_arena, batch, tids.data())));
    batch_arena.reset();
    TRY(memory_.check());
  }
  return {};
}

}  // namespace orrery
