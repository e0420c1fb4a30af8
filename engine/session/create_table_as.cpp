// CREATE TABLE AS and SELECT INTO: a query's rows become a new table's. The query is planned first,
// so that it cannot mean the table, and runs as any other; its batches go to the table as they
// come.

#include "base/text.h"
#include "command/create_table.h"
#include "exec/table_columns.h"
#include "exec/table_writer.h"
#include "session/session.h"

namespace orrery {
namespace {

// The same query without its INTO, which its first arm has.
const SelectStmt* without_into(Arena& arena, const SelectStmt& select) {
  auto* copy = arena.make<SelectStmt>(select);
  copy->into_clause = nullptr;
  if (select.op != SetOperation::none) copy->larg = without_into(arena, *select.larg);
  return copy;
}

// Columns of a table for the columns of a query, some of them renamed.
Result<std::vector<NewColumn>> into_columns(Fiber& fiber, CatalogReader& catalog, const Plan& plan,
                                            Names names) {
  std::vector<NewColumn> columns;
  for (const TargetEntry& target : plan.result_columns) {
    NewColumn column;
    const size_t at = columns.size();
    column.name = truncate_name(at < names.size() ? names[at] : target.name);
    column.type = target.expr->type;
    column.typmod = target.expr->typmod;
    const CatalogType* type = TRY(catalog.type(fiber, column.type));
    CHECK(type != nullptr);
    if (type->type == 'p') {
      return raise(sqlstate::invalid_table_definition,
                   cat("column \"", column.name, "\" has pseudo-type ", type->name));
    }
    column.collation =
        type->collation && target.expr->collation ? target.expr->collation : type->collation;
    columns.push_back(std::move(column));
  }
  if (names.size() > columns.size())
    return raise(sqlstate::syntax_error, "too many column names were specified");
  return columns;
}

}  // namespace

Result<StatementRef> Session::into_query(Fiber& fiber, const PlannedStatement& outer) {
  StatementRef query = TRY(parse_one(fiber, own_text(outer), outer.parameter_types));
  const Node* node = query->statement;
  if (const auto* explained = as_if<ExplainStmt>(node)) node = explained->query;
  if (const auto* statement = as_if<CreateTableAsStmt>(node)) node = statement->query;
  const auto& select = as<SelectStmt>(*node);
  query->statement = into_of(select) != nullptr ? without_into(query->arena, select) : &select;
  query->is_query = true;
  TRY(analyze_and_plan(fiber, *query));
  return query;
}

Result<Oid> Session::make_into_table(Fiber& fiber, std::string_view text,
                                     const CreateTableAsStmt& statement,
                                     const PlannedStatement& query) {
  Arena arena(&memory_);
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  CommandContext context = command_context(fiber, arena, *catalog, text);
  const std::vector<NewColumn> columns =
      TRY(into_columns(fiber, *catalog, *query.plan, statement.into->col_names));
  return orrery::create_table_as(context, statement, columns);
}

Status Session::fill_table(Fiber& fiber, Oid table, Execution& rows) {
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
  std::vector<Vector> columns(relation->columns.size() + kSystemColumns,
                              Vector::make_constant(arena, NullableDatum{}));
  std::vector<Tid> tids(kBatchRows);
  while (true) {
    const Batch* batch = TRY(rows.next(0));
    if (batch == nullptr) return {};
    for (size_t c = 0; c < relation->columns.size(); ++c) columns[c] = batch->columns[c];
    TRY(writer.insert(batch_arena, Batch{columns, batch->rows}, tids.data()));
    batch_arena.reset();
    TRY(memory_.check());
  }
}

Result<std::string> Session::create_table_as(Fiber& fiber, const PlannedStatement& outer,
                                             const CreateTableAsStmt& statement) {
  const bool selects_into = into_of(*outer.statement) != nullptr;
  const std::string name = selects_into ? "SELECT INTO" : "CREATE TABLE AS";
  if (statement.objtype == ObjectType::matview) return unsupported("CREATE MATERIALIZED VIEW");
  if (block_.options().read_only) {
    return raise(sqlstate::read_only_sql_transaction,
                 cat("cannot execute ", name, " in a read-only transaction"));
  }
  TRY(refresh_path(fiber));
  Arena arena(&memory_);
  std::vector<NullableDatum> values;
  StatementRef query;
  const auto* run = as_if<ExecuteStmt>(statement.query);
  if (run == nullptr) query = TRY(into_query(fiber, outer));
  {
    const std::unique_ptr<CatalogReader> catalog = new_reader();
    CommandContext context = command_context(fiber, arena, *catalog, outer.text);
    const bool exists = TRY(table_as_exists(context, statement));
    if (exists) return name;
  }
  if (run != nullptr) query = TRY(bind_execute(fiber, outer, *run, arena, values));
  if (!query->plan->returns_rows || query->plan->command != CommandType::select)
    return raise(sqlstate::wrong_object_type, "prepared statement is not a SELECT");
  TRY(check_rights(fiber, *query));
  const Oid table = TRY(make_into_table(fiber, outer.text, statement, *query));
  if (!table) return name;
  if (statement.into->skip_data) return run == nullptr ? name : std::string("SELECT 0");
  std::unique_ptr<Execution> rows =
      TRY(Execution::start(fiber, query, world(), statement_snapshot(), values));
  TRY(fill_table(fiber, table, *rows));
  std::string tag = rows->command_tag();
  Execution::end(std::move(rows));
  return tag;
}

Result<std::string> Session::select_into(Fiber& fiber, const PlannedStatement& outer) {
  CreateTableAsStmt statement;
  statement.query = outer.statement;
  statement.into = into_of(*outer.statement);
  return create_table_as(fiber, outer, statement);
}

}  // namespace orrery
