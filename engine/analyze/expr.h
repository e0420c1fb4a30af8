// Typed expressions: what the analyzer makes of sql/ast.h, and what planner, executor and deparser
// read. Node kinds and names are PostgreSQL's (primnodes), so that both can be read side by side.
// Nodes live in an arena, are trivially destructible, and are switched over by tag without a
// default.
//
// Every expression knows its type, typmod and collation, and where it stood in the text (byte
// offset, -1 unknown).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/ids.h"
#include "types/datum.h"

namespace orrery {

struct Query;

enum class ExprTag : uint8_t {
  constant,
  var,
  param,
  call,
  scalar_array,
  boolean,
  case_,
  case_test,
  coalesce,
  min_max,
  null_test,
  boolean_test,
  sublink,
  aggregate,
  window,
  grouping,
  array,
  row,
  subscript,
  field_select,
  row_compare,
  relabel,
  coerce_via_io,
  array_coerce,
  coerce_to_domain,
  sql_value,
  set_to_default,
  sub_plan,
};

struct Expr {
  ExprTag tag;
  Oid type;
  int32_t typmod = -1;
  Oid collation;
  int location = -1;
};

struct ConstantExpr : Expr {
  NullableDatum value;
  int16_t length = 8;  // pg_type.typlen of `type`
  bool by_reference = false;
  // What a by-reference value points to. REQUIRES: by_reference, not NULL.
  std::string_view bytes() const {
    const char* at = value.value.as<const char*>();
    if (length > 0) return {at, static_cast<size_t>(length)};
    return length == -1 ? std::string_view(at, varlena_size(at)) : std::string_view(at);
  }
};

// A column of a range table entry. `attno` is 1-based; 0 is the whole row, negative ones are system
// columns (kSelfItemPointer ...). After planning, `range` is one of the special numbers below, and
// attno a child's column.
struct VarExpr : Expr {
  int range;  // 1-based index into Query::range_table of the level below
  int attno;
  int levels_up = 0;  // 0: this query; 1: the query around it ...
};
constexpr int kCtidAttno = -1, kXminAttno = -2, kCminAttno = -3, kXmaxAttno = -4, kCmaxAttno = -5,
              kTableOidAttno = -6;
constexpr int kOuterVar = -1, kInnerVar = -2;  // a plan node's first and second child

enum class ParamKind : uint8_t {
  external,
  exec
};  // $n of the statement; a slot filled by another plan node
struct ParamExpr : Expr {
  ParamKind kind;
  int id;  // 1-based for external, 0-based slot for exec
};

// How a call was written: decides how it is shown again.
enum class CallForm : uint8_t { function, operator_, explicit_cast, implicit_cast, sql_syntax };
struct CallExpr : Expr {
  Oid function;
  Oid op;  // pg_operator row when form is operator_
  Oid input_collation;
  CallForm form = CallForm::function;
  bool returns_set = false;
  bool variadic = false;
  bool distinct = false;  // IS DISTINCT FROM over an equality operator
  bool null_if = false;   // NULLIF over an equality operator
  std::span<Expr*> args;
};

// left op ANY/ALL (array)
struct ScalarArrayExpr : Expr {
  Oid op;
  Oid function;
  Oid input_collation;
  bool use_or;  // ANY
  Expr* left;
  Expr* array;
};

enum class BooleanKind : uint8_t { and_, or_, not_ };
struct BooleanExpr : Expr {
  BooleanKind kind;
  std::span<Expr*> args;
};

struct CaseArm {
  Expr* when;
  Expr* then;
};
struct CaseNode : Expr {
  Expr* arg;  // null for CASE WHEN ...; else each `when` compares it through a CaseTest
  std::span<CaseArm> whens;
  Expr* otherwise;  // never null: a NULL constant when not written
};
struct CaseTestExpr : Expr {};

struct CoalesceNode : Expr {
  std::span<Expr*> args;
};
struct MinMaxNode : Expr {
  bool greatest;
  std::span<Expr*> args;
};
struct NullTestExpr : Expr {
  bool is_null;   // IS NULL; else IS NOT NULL
  bool row_type;  // arg is a composite
  Expr* arg;
};
enum class BooleanTestKind : uint8_t {
  is_true,
  is_not_true,
  is_false,
  is_not_false,
  is_unknown,
  is_not_unknown
};
struct BooleanTestExpr : Expr {
  BooleanTestKind kind;
  Expr* arg;
};

enum class SublinkKind : uint8_t { exists, any, all, expression, array, row_compare };
// A subquery inside an expression, before planning. For any/all, `test` compares the left side with
// ParamExpr (exec) numbers 0..n-1 standing for the subquery's columns.
struct SublinkExpr : Expr {
  SublinkKind kind;
  Expr* test;  // null for exists, expression, array
  Query* subquery;
  std::string_view op_name;  // as written, for showing
};

// One ORDER BY / GROUP BY / DISTINCT / PARTITION BY item, by number into a target list.
struct SortClause {
  int target;  // 1-based `ref` of the target entry
  Oid equality_op;
  Oid sort_op;  // 0 when only hashable
  bool nulls_first = false;
  bool descending = false;  // sort_op is the ">" of its family
  bool hashable = false;
};

struct TargetEntry {
  Expr* expr;
  int resno;  // 1-based; for INSERT/UPDATE the attribute number
  std::string_view name;
  int ref = 0;        // what SortClause::target names; 0 none
  bool junk = false;  // not part of the result
  Oid origin_table;   // for RowDescription
  int origin_column = 0;
};

struct AggregateExpr : Expr {
  Oid function;
  Oid input_collation;
  std::span<TargetEntry> args;   // resno 1.. ; junk ones are ORDER BY only
  std::span<Expr*> direct_args;  // of ordered-set aggregates
  std::span<SortClause> order_by;
  std::span<SortClause> distinct;
  Expr* filter;
  bool star;
  bool variadic;
  bool is_volatile = false;  // known once planned: such a one is equal to itself alone
  char kind;                 // pg_aggregate.aggkind: n, o, h
  int levels_up = 0;
  Oid transition_type;
};
struct WindowExpr : Expr {
  Oid function;
  Oid input_collation;
  std::span<Expr*> args;
  Expr* filter;
  int window;  // index into Query::windows
  bool star;
  bool is_aggregate;
};
struct GroupingExpr : Expr {
  std::span<Expr*> args;
  std::span<int> refs;
  int levels_up = 0;
};

struct ArrayExpr : Expr {
  Oid element_type;
  bool multidims;  // elements are arrays
  std::span<Expr*> elements;
};
struct RowNode : Expr {
  std::span<Expr*> fields;
  std::span<std::string_view> names;
  bool explicit_row;
};
struct SubscriptExpr : Expr {
  Oid container_type;
  Oid element_type;
  Expr* container;
  std::span<Expr*> upper;  // an index, or a slice's upper bound; null: left open
  std::span<Expr*> lower;  // empty when no slice
  Expr* assign;            // UPDATE t SET a[1] = assign; else null
};
struct FieldSelectExpr : Expr {
  Expr* arg;
  int field;  // 1-based
};
enum class RowCompareKind : uint8_t { lt, le, ge, gt };
struct RowCompareExpr : Expr {
  RowCompareKind kind;
  std::span<Oid> ops;
  std::span<Oid> functions;  // three-way support functions are not used: < per column
  std::span<Expr*> left;
  std::span<Expr*> right;
};

struct RelabelExpr : Expr {  // binary-compatible cast
  Expr* arg;
  CallForm form;
};
struct CoerceViaIoExpr : Expr {
  Expr* arg;
  CallForm form;
};
struct ArrayCoerceExpr : Expr {  // element by element; `element` reads a CaseTest
  Expr* arg;
  Expr* element;
  CallForm form;
};
struct CoerceToDomainExpr : Expr {
  Expr* arg;
  CallForm form;
};

enum class SqlValueKind : uint8_t {
  current_date,
  current_time,
  current_timestamp,
  localtime,
  localtimestamp,
  current_role,
  current_user,
  user,
  session_user,
  current_catalog,
  current_schema,
};
struct SqlValueExpr : Expr {
  SqlValueKind kind;
};
struct SetToDefaultExpr : Expr {};

// After planning: a subquery's plan, by number, with the parameters it takes from around it.
struct SubPlanExpr : Expr {
  SublinkKind kind;
  int plan;    // index into Plan::subplans
  Expr* test;  // over exec params `test_params`
  std::span<int> test_params;
  std::span<int> param_slots;     // exec slots the subplan reads ...
  std::span<Expr*> param_values;  // ... and what to put there before each run
  bool hashed = false;            // uncorrelated ANY: build a hash table once
  bool is_init_plan = false;      // uncorrelated: run at most once; result in param_slot
  int result_param = -1;
};

template <class T>
T& as(Expr& e);
template <class T>
const T& as(const Expr& e);

#define ORRERY_EXPR(Type, tag_name)            \
  template <>                                  \
  inline Type& as<Type>(Expr & e) {            \
    CHECK(e.tag == ExprTag::tag_name);         \
    return static_cast<Type&>(e);              \
  }                                            \
  template <>                                  \
  inline const Type& as<Type>(const Expr& e) { \
    CHECK(e.tag == ExprTag::tag_name);         \
    return static_cast<const Type&>(e);        \
  }
ORRERY_EXPR(ConstantExpr, constant)
ORRERY_EXPR(VarExpr, var)
ORRERY_EXPR(ParamExpr, param)
ORRERY_EXPR(CallExpr, call)
ORRERY_EXPR(ScalarArrayExpr, scalar_array)
ORRERY_EXPR(BooleanExpr, boolean)
ORRERY_EXPR(CaseNode, case_)
ORRERY_EXPR(CaseTestExpr, case_test)
ORRERY_EXPR(CoalesceNode, coalesce)
ORRERY_EXPR(MinMaxNode, min_max)
ORRERY_EXPR(NullTestExpr, null_test)
ORRERY_EXPR(BooleanTestExpr, boolean_test)
ORRERY_EXPR(SublinkExpr, sublink)
ORRERY_EXPR(AggregateExpr, aggregate)
ORRERY_EXPR(WindowExpr, window)
ORRERY_EXPR(GroupingExpr, grouping)
ORRERY_EXPR(ArrayExpr, array)
ORRERY_EXPR(RowNode, row)
ORRERY_EXPR(SubscriptExpr, subscript)
ORRERY_EXPR(FieldSelectExpr, field_select)
ORRERY_EXPR(RowCompareExpr, row_compare)
ORRERY_EXPR(RelabelExpr, relabel)
ORRERY_EXPR(CoerceViaIoExpr, coerce_via_io)
ORRERY_EXPR(ArrayCoerceExpr, array_coerce)
ORRERY_EXPR(CoerceToDomainExpr, coerce_to_domain)
ORRERY_EXPR(SqlValueExpr, sql_value)
ORRERY_EXPR(SetToDefaultExpr, set_to_default)
ORRERY_EXPR(SubPlanExpr, sub_plan)
#undef ORRERY_EXPR

}  // namespace orrery
