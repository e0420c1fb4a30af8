#include "session/planned_statement.h"

#include "session/execution.h"

namespace orrery {

const IntoClause* into_of(const Node& statement) {
  const auto* select = as_if<SelectStmt>(&statement);
  while (select != nullptr && select->op != SetOperation::none) select = select->larg;
  return select == nullptr ? nullptr : select->into_clause;
}

bool is_query_node(const Node& statement) {
  if (statement.tag == NodeTag::SelectStmt) return into_of(statement) == nullptr;
  return statement.tag == NodeTag::InsertStmt || statement.tag == NodeTag::UpdateStmt ||
         statement.tag == NodeTag::DeleteStmt;
}

PlannedStatement::PlannedStatement(MemoryBudget* budget) : arena(budget) {}

// What rests holds on to the plan, and goes first.
PlannedStatement::~PlannedStatement() { resting.reset(); }

StatementRef StatementRef::make(MemoryBudget* budget) {
  StatementRef made;
  made.statement_ = std::make_unique<PlannedStatement>(budget).release();
  made.statement_->references_ = 1;
  return made;
}

void StatementRef::release() {
  if (statement_ == nullptr || --statement_->references_ > 0) return;
  std::unique_ptr<PlannedStatement>(statement_).reset();
  statement_ = nullptr;
}

}  // namespace orrery
