// Analysis: a parse tree becomes a typed query. Names are looked up in the catalog along the search
// path, overloads are resolved and coercions inserted as PostgreSQL does, with its messages and
// error positions. Nothing is planned and no row is read; relations that are named are locked on
// the way.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "analyze/query.h"
#include "base/arena.h"
#include "catalog/catalog.h"
#include "fiber/fiber.h"
#include "func/session_view.h"
#include "sql/ast.h"

namespace orrery {

// Takes the table lock a statement needs before it looks at the table. Implemented by the session,
// injected.
class RelationLocker {
 public:
  virtual ~RelationLocker() = default;
  // `mode`: PostgreSQL's lock numbers, 1 access share .. 8 access exclusive. Suspends.
  virtual Status lock_relation(Fiber& fiber, Oid relation, int mode) = 0;
};
constexpr int kAccessShareLock = 1, kRowShareLock = 2, kRowExclusiveLock = 3;

struct AnalyzeContext {
  Fiber& fiber;
  Arena& arena;            // of the query: trees live here
  CatalogReader& catalog;  // keeps what the tree points at
  const SearchPath& path;
  const SessionView& session;
  RelationLocker* locker = nullptr;  // null: the caller holds what is needed (stored expressions)
  std::string_view text;             // for error positions
  std::vector<Oid>* param_types =
      nullptr;              // $1...: 0 is not known yet and gets inferred; null: no parameters
  bool opens_views = true;  // false: a view stands for itself, as in a text to be shown
};

// SELECT, VALUES, INSERT, UPDATE or DELETE. Everything else is 0A000.
Result<Query*> analyze_statement(AnalyzeContext& context, const Node& statement);

// A stored expression (a default, a check, an index expression) over the columns of `relation` as
// range entry 1; null for none. Coerced to `type` by assignment when it is not 0; `column` names it
// in errors.
Result<Expr*> analyze_expression(AnalyzeContext& context, const Node& node,
                                 const RelationInfo* relation, Oid type, int32_t typmod,
                                 std::string_view column);
// The same from SQL text.
Result<Expr*> analyze_expression_text(AnalyzeContext& context, std::string_view sql,
                                      const RelationInfo* relation, Oid type, int32_t typmod,
                                      std::string_view column);

// A type name as written, with its modifier. 42704 when there is no such type.
struct TypeAndMod {
  Oid type;
  int32_t typmod = -1;
};
Result<TypeAndMod> resolve_type_name(AnalyzeContext& context, const TypeName& name);
// 42P01 when there is no such relation. Locks it in `lock_mode` when the context has a locker and
// the mode is not 0.
Result<const RelationInfo*> resolve_relation(AnalyzeContext& context, const RangeVar& name,
                                             int lock_mode);
// Null instead of 42P01.
Result<const RelationInfo*> find_relation(AnalyzeContext& context, const RangeVar& name,
                                          int lock_mode);

// As format_type(): "integer", "character varying(10)", "numeric[]".
Result<std::string> type_name(AnalyzeContext& context, Oid type, int32_t typmod = -1);
// The same where nobody asks for a length, as in messages: "bit" needs no quotes there.
Result<std::string> plain_type_name(AnalyzeContext& context, Oid type);

// 1-based character of a byte offset in the statement's text; 0 for -1.
int error_position(std::string_view text, int location);

}  // namespace orrery
