// Typed trees back to SQL, as PostgreSQL shows them (ruleutils), parenthesised so that reading the
// text again gives the same tree. Stored expressions and view definitions are this text: see
// decisions/0301.
#pragma once

#include <string>
#include <vector>

#include "analyze/analyzer.h"
#include "catalog/object_address.h"

namespace orrery {

// Shows leaves that only their user understands: the columns and parameters of a plan.
class LeafPrinter {
 public:
  // Appends what stands for `expr`; false: it is shown as usual.
  virtual Result<bool> print(const Expr& expr, std::string& out) const = 0;

 protected:
  ~LeafPrinter() = default;
};

struct DeparseOptions {
  bool qualify_all = false;  // schemas are named even where the path would find the object
  const LeafPrinter* leaves = nullptr;
  bool pretty = false;  // without the parentheses that precedence makes unnecessary
};

// An expression over `relation` as range entry 1 (null: over none).
Result<std::string> deparse_expression(AnalyzeContext& context, const Expr& expr,
                                       const RelationInfo* relation,
                                       const DeparseOptions& options = {});
// A SELECT.
Result<std::string> deparse_query(AnalyzeContext& context, const Query& query,
                                  const DeparseOptions& options = {});

// What is kept of an expression: its text, with all names qualified, and the objects it needs.
struct StoredExpression {
  std::string sql;
  std::vector<ObjectAddress> needs;
};
Result<StoredExpression> store_expression(AnalyzeContext& context, const Expr& expr,
                                          const RelationInfo* relation);
Result<StoredExpression> store_query(AnalyzeContext& context, const Query& query);

// Refuses what a stored expression may not contain: aggregates, window functions, subqueries, sets.
// `where`: "check constraints", "DEFAULT expressions", "index expressions".
Status check_stored_expression(AnalyzeContext& context, const Expr& expr, std::string_view where,
                               bool must_be_immutable);

}  // namespace orrery
