// A statement on its way from text to plan, kept for as long as a prepared statement or a portal
// uses it.
//
//   text -> parse tree                     once
//        -> query, plan, result columns    when first run, and again when what it looked up has
//                                          changed: is_current() asks the reader planning used
//
// Everything lies in the statement's own arena, so that an old plan goes in one piece when a new
// one is made (as a new PlannedStatement) and the last portal that runs it is closed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analyze/analyzer.h"
#include "plan/plan.h"
#include "session/backend.h"

namespace orrery {

class Execution;

// Statements that have a plan: SELECT (but not INTO), VALUES, INSERT, UPDATE, DELETE.
bool is_query_node(const Node& statement);
// The INTO of a SELECT, which a set operation has in its first arm; null: none.
const IntoClause* into_of(const Node& statement);

struct PlannedStatement {
  explicit PlannedStatement(MemoryBudget* budget);
  PlannedStatement(const PlannedStatement&) = delete;
  ~PlannedStatement();

  std::string owned_text;  // empty when somebody else keeps the text alive
  std::string_view text;   // positions count in it
  Arena arena;
  const Node* statement = nullptr;
  int32_t text_start = 0;   // of the statement within the text
  int32_t text_length = 0;  // 0: to its end
  bool is_query = false;    // SELECT, VALUES, INSERT, UPDATE, DELETE: it has a plan
  std::vector<Oid> parameter_types;

  // Of queries, once planned:
  std::unique_ptr<CatalogReader> reader;  // pins what the plan points at
  const CatalogCache* cache = nullptr;    // that it read: the database's, or the transaction's own
  uint64_t settings_generation = 0;
  Oid role, temporary_schema;   // names were looked up for
  bool rights_checked = false;  // of `role`; who changes them makes the plan stale
  Query* query = nullptr;
  Plan* plan = nullptr;
  bool was_planned = false;  // `columns` are known, though the plan may have gone
  std::vector<ResultColumn> columns;
  std::unique_ptr<Execution> resting;  // for the plan's next run; see session/execution.h

  bool is_planned() const { return plan != nullptr; }

 private:
  friend class StatementRef;
  uint32_t references_ = 0;
};

// Shares a PlannedStatement; the last one deletes it.
class StatementRef {
 public:
  StatementRef() = default;
  static StatementRef make(MemoryBudget* budget);
  StatementRef(const StatementRef& other) : statement_(other.statement_) { hold(); }
  StatementRef(StatementRef&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)) {}
  StatementRef& operator=(StatementRef other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~StatementRef() { release(); }
  PlannedStatement* operator->() const { return statement_; }
  PlannedStatement& operator*() const { return *statement_; }
  explicit operator bool() const { return statement_ != nullptr; }
  bool is_shared() const { return statement_->references_ > 1; }

 private:
  void hold() {
    if (statement_ != nullptr) ++statement_->references_;
  }
  void release();
  PlannedStatement* statement_ = nullptr;
};

}  // namespace orrery
