// COPY: which table, columns and file; where bytes come from and go to.

#include <algorithm>

#include "base/text.h"
#include "catalog/acl.h"
#include "catalog/quote.h"
#include "catalog/relation_info.h"
#include "command/helpers.h"
#include "fiber/io.h"
#include "session/copy_from.h"
#include "session/copy_to.h"
#include "session/planner_world.h"
#include "session/session.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr size_t kFileBytes = 64 << 10;

// A file of the server's that is closed whatever happens.
class ServerFile {
 public:
  explicit ServerFile(Fiber& fiber) : fiber_(fiber) {}
  ServerFile(const ServerFile&) = delete;
  ~ServerFile() {
    if (handle_) (void)close_file(fiber_, handle_);
  }
  Status open(const CopyStmt& statement) {
    const bool reads = statement.is_from;
    auto opened = open_file(fiber_, std::string(statement.filename), !reads);
    if (opened.ok()) {
      handle_ = *opened;
      if (!reads) TRY(truncate_file(fiber_, handle_, 0));
      return {};
    }
    Status status = std::move(opened).status();
    if (status.is_halted()) return status;
    const std::string& why = status.error().message;
    const size_t colon = why.rfind(": ");
    status.error().message =
        cat("could not open file \"", statement.filename, "\" for ", reads ? "reading" : "writing",
            colon == std::string::npos ? "" : why.substr(colon));
    if (status.is(sqlstate::undefined_file)) {
      status.error().message = cat("could not open file \"", statement.filename, "\" for ",
                                   reads ? "reading" : "writing", ": No such file or directory");
    }
    return std::move(status).hint(
        reads ? "COPY FROM instructs the PostgreSQL server process to read a file. You may want a "
                "client-side facility such as psql's \\copy."
              : "COPY TO instructs the PostgreSQL server process to write a file. You may want a "
                "client-side facility such as psql's \\copy.");
  }
  FileHandle handle() const { return handle_; }
  Status close() { return close_file(fiber_, std::exchange(handle_, FileHandle())); }

 private:
  Fiber& fiber_;
  FileHandle handle_;
};

class FileInput final : public CopyInput {
 public:
  explicit FileInput(FileHandle file) : file_(file), buffer_(kFileBytes) {}
  Result<std::optional<Bytes>> read(Fiber& fiber) override {
    TRY(fiber.check_interrupts());
    const uint64_t count = TRY(read_file(fiber, file_, at_, buffer_));
    at_ += count;
    if (count == 0) return std::optional<Bytes>();
    return std::optional(Bytes(buffer_.data(), count));
  }

 private:
  const FileHandle file_;
  uint64_t at_ = 0;
  std::vector<std::byte> buffer_;
};

class ClientInput final : public CopyInput {
 public:
  explicit ClientInput(ResultSink& sink) : sink_(sink) {}
  Result<std::optional<Bytes>> read(Fiber& fiber) override { return sink_.copy_in(fiber); }

 private:
  ResultSink& sink_;
};

// Rows on their way out: to the client one by one, to a file in large pieces.
class CopyOutput {
 public:
  CopyOutput(ResultSink& sink, FileHandle file) : sink_(sink), file_(file) {}
  std::string& text() { return text_; }
  Status row_done(Fiber& fiber) {
    if (file_ && text_.size() < kFileBytes) return {};
    return flush(fiber);
  }
  Status flush(Fiber& fiber) {
    if (text_.empty()) return {};
    if (file_) {
      TRY(write_file(fiber, file_, at_, as_bytes(text_)));
      at_ += text_.size();
    } else {
      TRY(sink_.copy_out(fiber, as_bytes(text_)));
    }
    text_.clear();
    return {};
  }

 private:
  ResultSink& sink_;
  const FileHandle file_;
  uint64_t at_ = 0;
  std::string text_;
};

// The attribute numbers that `names` mean; all columns that data may have when there are none.
Result<std::vector<int16_t>> copied_columns(const RelationInfo& relation, Names names) {
  std::vector<int16_t> numbers;
  for (const Name name : names) {
    const int16_t number = relation.column_number(name);
    if (number <= 0) {
      return raise(sqlstate::undefined_column,
                   cat("column \"", name, "\" of relation \"", relation.name, "\" does not exist"));
    }
    if (relation.column(number).generated != '\0') {
      return raise(sqlstate::invalid_column_reference,
                   cat("column \"", name, "\" is a generated column"))
          .detail("Generated columns cannot be used in COPY.");
    }
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end()) {
      return raise(sqlstate::duplicate_column,
                   cat("column \"", name, "\" specified more than once"));
    }
    numbers.push_back(number);
  }
  if (!names.empty()) return numbers;
  for (const ColumnInfo& column : relation.columns) {
    const bool dropped = relation.desc()[static_cast<size_t>(column.number - 1)].dropped;
    if (!dropped && column.generated == '\0') numbers.push_back(column.number);
  }
  return numbers;
}

// Names in an option must be among those copied.
Status check_option_columns(std::string_view option, std::span<const std::string> names,
                            std::span<const std::string_view> copied,
                            const RelationInfo* relation) {
  for (const std::string& name : names) {
    if (relation != nullptr && relation->column_number(name) <= 0) {
      return raise(sqlstate::undefined_column, cat("column \"", name, "\" of relation \"",
                                                   relation->name, "\" does not exist"));
    }
    if (std::find(copied.begin(), copied.end(), name) != copied.end()) continue;
    if (relation == nullptr)
      return raise(sqlstate::undefined_column, cat("column \"", name, "\" does not exist"));
    return raise(sqlstate::invalid_column_reference,
                 cat(option, " column \"", name, "\" not referenced by COPY"));
  }
  return {};
}

std::string_view other_kind(char kind) {
  switch (kind) {
    case 'v': return "view";
    case 'm': return "materialized view";
    case 'f': return "foreign table";
    case 'S': return "sequence";
    default:  return "non-table relation";
  }
}

Status check_kind(const RelationInfo& relation, bool from) {
  if (relation.kind == 'r') return {};
  Status status = raise(sqlstate::wrong_object_type,
                        cat("cannot copy ", from ? "to " : "from ", other_kind(relation.kind),
                            " \"", relation.name, "\""));
  if (relation.kind != 'v') return status;
  return std::move(status).hint(
      from ? "To enable copying to a view, provide an INSTEAD OF INSERT trigger."
           : "Try the COPY (SELECT ...) TO variant.");
}

CopyShape shape_of(const CopyOptions& options, size_t columns) {
  return {.format =
              options.format == CopyOptions::Format::binary ? WireFormat::binary : WireFormat::text,
          .columns = static_cast<uint16_t>(columns)};
}

}  // namespace

Status Session::check_file_rights(Fiber& fiber, CatalogReader& catalog, const CopyStmt& statement) {
  const std::string_view role =
      statement.is_from ? "pg_read_server_files" : "pg_write_server_files";
  const Oid group = TRY(catalog.role_oid(fiber, role));
  const bool may = TRY(catalog.is_member(fiber, current_user_, group));
  if (!may) {
    return raise(sqlstate::insufficient_privilege,
                 cat("must be superuser or have privileges of the ", role, " role to COPY ",
                     statement.is_from ? "from" : "to", " a file"))
        .hint(
            "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for "
            "anyone.");
  }
  if (!statement.is_from && !statement.filename.starts_with("/"))
    return raise(sqlstate::invalid_name, "relative path not allowed for COPY to file");
  return {};
}

Result<std::string> Session::copy(Fiber& fiber, const PlannedStatement& outer,
                                  const CopyStmt& statement, ResultSink& sink) {
  if (statement.is_program) return unsupported("COPY ... PROGRAM");
  Arena arena(&memory_);
  TRY(refresh_path(fiber));
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  if (statement.has_filename) TRY(check_file_rights(fiber, *catalog, statement));
  AnalyzeContext analysis = analyze_context(fiber, arena, *catalog, outer.text, nullptr);
  const RelationInfo* relation = nullptr;
  if (statement.relation != nullptr) {
    const int lock = statement.is_from ? kRowExclusiveLock : kAccessShareLock;
    RangeVar name = *statement.relation;
    name.location = -1;  // utility statements do not point at names
    relation = TRY(resolve_relation(analysis, name, lock));
    TRY(check_relation_rights(fiber, *catalog, *relation, current_user_,
                              statement.is_from ? kAclInsert : kAclSelect));
  }
  if (!statement.is_from) return copy_to(fiber, outer, statement, relation, sink);
  if (block_.options().read_only) {
    return raise(sqlstate::read_only_sql_transaction,
                 "cannot execute COPY FROM in a read-only transaction");
  }
  TRY(check_not_catalog(*relation));
  return copy_from(fiber, outer, statement, analysis, *relation, sink);
}

Result<std::string> Session::copy_from(Fiber& fiber, const PlannedStatement& outer,
                                       const CopyStmt& statement, AnalyzeContext& analysis,
                                       const RelationInfo& relation, ResultSink& sink) {
  const Expr* where = nullptr;
  if (statement.where_clause != nullptr) {
    where = TRY(analyze_expression(analysis, *statement.where_clause, &relation, type_oid::bool_,
                                   -1, "WHERE"));
  }
  const CopyOptions options = TRY(read_copy_options(statement, outer.text));
  std::vector<int16_t> columns = TRY(copied_columns(relation, statement.attlist));
  std::vector<std::string_view> names;
  for (const int16_t number : columns) names.push_back(relation.column(number).name);
  TRY(check_option_columns("FORCE_NOT_NULL", options.force_not_null, names, &relation));
  TRY(check_option_columns("FORCE_NULL", options.force_null, names, &relation));

  const Plan none;
  ExecContext context(fiber, analysis.arena, memory_, analysis.catalog, view_, none);
  const RegisteredSnapshot snapshot(node_.transactions, statement_snapshot());
  context.related = this;
  let_write(context, snapshot);
  const size_t width = columns.size();
  CopyFrom work(context, relation, std::move(columns), options);
  NodePlannerWorld defaults(node_.access, analysis.catalog, path_, view_, memory_,
                            oldest_visible());
  auto start = [&]() -> Status {
    TRY(check_kind(relation, true));
    if (options.freeze && !block_.transaction().created_in_level(relation.storage.file)) {
      return raise(sqlstate::object_not_in_prerequisite_state,
                   "cannot perform COPY FREEZE because the table was not created or truncated in "
                   "the current subtransaction");
    }
    return work.open(defaults, where);
  };
  uint64_t rows = 0;
  if (statement.has_filename) {
    ServerFile file(fiber);
    TRY(file.open(statement));
    TRY(start());
    FileInput input(file.handle());
    rows = TRY(work.run(input));
  } else {
    TRY(sink.begin_copy_in(fiber, shape_of(options, width)));
    TRY(start());
    ClientInput input(sink);
    rows = TRY(work.run(input));
  }
  return cat("COPY ", rows);
}

Result<std::string> Session::copy_to(Fiber& fiber, const PlannedStatement& outer,
                                     const CopyStmt& statement, const RelationInfo* relation,
                                     ResultSink& sink) {
  StatementRef query;
  const CopyOptions options = TRY(read_copy_options(statement, outer.text));
  if (relation != nullptr) {
    TRY(check_kind(*relation, false));
    const std::vector<int16_t> columns = TRY(copied_columns(*relation, statement.attlist));
    std::string list;
    for (const int16_t number : columns)
      list += cat(list.empty() ? "" : ", ", quote_identifier(relation->column(number).name));
    const std::string sql =
        cat("SELECT ", list, " FROM ONLY ", quote_identifier(relation->nsp_name), ".",
            quote_identifier(relation->name));
    query = TRY(parse_one(fiber, sql, {}));
  } else {
    query = TRY(parse_one(fiber, own_text(outer), {}));
    query->statement = as<CopyStmt>(*query->statement).query;
    query->is_query = true;
    const auto* select = as_if<SelectStmt>(query->statement);
    if (select != nullptr && select->into_clause != nullptr)
      return raise(sqlstate::feature_not_supported, "COPY (SELECT INTO) is not supported");
  }
  query = TRY(make_current(fiber, std::move(query)));
  if (!query->plan->returns_rows) {
    return raise(sqlstate::feature_not_supported, "COPY query must have a RETURNING clause");
  }
  TRY(check_may_run(fiber, *query));
  std::vector<std::string_view> names;
  for (const ResultColumn& column : query->columns) names.push_back(column.name);
  TRY(check_option_columns("FORCE_QUOTE", options.force_quote, names, relation));
  CopyTo rows(options, view_.types);
  TRY(rows.open(query->columns));

  ServerFile file(fiber);
  if (statement.has_filename) TRY(file.open(statement));
  const std::unique_ptr<Execution> execution =
      TRY(Execution::start(fiber, query, world(), statement_snapshot(), {}));
  if (!statement.has_filename)
    TRY(sink.begin_copy_out(fiber, shape_of(options, query->columns.size())));
  CopyOutput out(sink, file.handle());
  rows.append_header(out.text());
  while (true) {
    const Batch* batch = TRY(execution->next(0));
    if (batch == nullptr) break;
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      TRY(out.row_done(fiber));
      TRY(rows.append_row(fiber, *batch, batch->rows[i], out.text()));
    }
    rows.end_batch();
  }
  TRY(out.row_done(fiber));
  rows.append_end(out.text());
  TRY(out.flush(fiber));
  if (statement.has_filename) {
    TRY(file.close());
  } else {
    sink.end_copy_out();
  }
  return cat("COPY ", execution->rows_processed());
}

}  // namespace orrery
