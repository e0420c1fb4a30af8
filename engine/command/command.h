// Utility statements: what defines and governs a database rather than reading or changing its rows.
// Each takes the locks it needs, checks rights and rules in PostgreSQL's order and words, and
// writes catalog rows through CatalogWriter; being rows, they commit and roll back with everything
// else.
//
// Statements that are the session's own (BEGIN, SET, PREPARE, cursors, COPY, EXPLAIN ...) are not
// here; run_command answers 0A000 for what nobody implements, by the statement's leading words.
#pragma once

#include <string>
#include <string_view>

#include "analyze/analyzer.h"
#include "catalog/heap_store.h"

namespace orrery {

// A column whose values change with its type: what becomes of them, over the columns as they were.
struct ColumnRewrite {
  int16_t column;
  const Expr* value;
};

// What a command asks of the session it runs in.
class CommandHost : public RelationLocker {
 public:
  virtual void notice(const Error& notice) = 0;    // NOTICE
  virtual void warning(const Error& warning) = 0;  // WARNING
  // Runs one query in the current transaction, seeing all its work so far, with the rights of the
  // system: for checks over existing rows and for rewriting them. `row` may be called with values
  // that live until it returns. Suspends.
  virtual Status run_query(Fiber& fiber, std::string_view sql,
                           FunctionRef<Status(std::span<const NullableDatum> row)> row) = 0;
  // Writes the table's rows anew: they are read as they are, `change` gives the table other columns
  // and empty files, and they are written with `changed` computed, and with defaults in columns
  // that are new. Constraints are checked. Suspends.
  virtual Status rewrite_table(Fiber& fiber, Oid table, std::span<const ColumnRewrite> changed,
                               FunctionRef<Status()> change) = 0;
  // What is stored of a password: a SCRAM-SHA-256 verifier, or the text itself if it is one.
  virtual Result<std::string> password_verifier(Fiber& fiber, std::string_view password) = 0;
  // 25001 "<command> cannot run inside a transaction block".
  virtual Status check_alone(std::string_view command) const = 0;
  // 55006 when an open cursor or portal of this session reads the relation. REQUIRES: no other
  // session does, by its lock.
  virtual Status check_not_in_use(Oid relation, std::string_view command) const = 0;
  // Until the end of the transaction. Who begins to use the database holds RowExclusive until he is
  // counted by other_sessions_in(), or is done. Suspends.
  virtual Status lock_database(Fiber& fiber, Oid database, int mode) = 0;
  // Sessions other than this one that are connected to the database.
  virtual int other_sessions_in(Oid database) const = 0;
  // The session's temporary schema, made when first asked for.
  virtual Result<Oid> temporary_schema(Fiber& fiber) = 0;
  // A temporary table's rows, or all of it, go whenever a transaction commits.
  virtual void on_commit(Oid relation, bool drop) = 0;
};

struct CommandContext {
  Fiber& fiber;
  Arena& arena;            // of the statement
  HeapStore& store;        // of the transaction
  CatalogReader& catalog;  // of the statement
  const SearchPath& path;
  const SessionView& session;
  CommandHost& host;
  std::string_view text;  // of the statement, for positions

  AnalyzeContext analysis() {
    return {.fiber = fiber,
            .arena = arena,
            .catalog = catalog,
            .path = path,
            .session = session,
            .locker = &host,
            .text = text};
  }
};

// True for statements that run_command knows.
bool is_command(const Node& statement);
// Runs it and returns its command tag. Raises what the statement raises.
Result<std::string> run_command(CommandContext& context, const Node& statement);

}  // namespace orrery
