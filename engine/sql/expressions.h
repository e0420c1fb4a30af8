// Parse nodes of expressions and of what stands inside them: constants, names, types, sorting,
// windows.
#pragma once

#include "sql/node.h"

namespace orrery {

struct SelectStmt;

// Values outside expressions: options of utility statements, parts of names.
struct Integer : NodeOf<NodeTag::Integer> {
  int32_t ival = 0;
};
struct Float : NodeOf<NodeTag::Float> {
  std::string_view fval;
};  // as written: also integers beyond int4
struct Boolean : NodeOf<NodeTag::Boolean> {
  bool boolval = false;
};
struct String : NodeOf<NodeTag::String> {
  std::string_view sval;
};
struct BitString : NodeOf<NodeTag::BitString> {
  std::string_view bsval;
};  // "b0101" or "x1F"
struct List : NodeOf<NodeTag::List> {
  NodeList items;
};
struct A_Star : NodeOf<NodeTag::A_Star> {};  // '*'

enum class ConstKind : uint8_t { null, integer, float_, boolean, string, bitstring };

// A literal. `text`: digits of a float_ (any number that is no int4), contents of a string, "b.."
// or "x.." of a bitstring.
struct A_Const : NodeOf<NodeTag::A_Const> {
  ConstKind kind = ConstKind::null;
  bool boolval = false;
  int32_t ival = 0;
  std::string_view text;
};

// a.b.c, a.b.*, *. Subscripts and what follows them make an A_Indirection around it.
struct ColumnRef : NodeOf<NodeTag::ColumnRef> {
  Names fields;          // empty for a plain *
  bool is_star = false;  // ends in *
};

struct ParamRef : NodeOf<NodeTag::ParamRef> {
  int32_t number = 0;
};  // $n

enum class A_ExprKind : uint8_t {
  op,  // normal operator; lexpr is null for a prefix operator
  op_any,
  op_all,  // x op ANY (array)
  distinct,
  not_distinct,
  nullif,
  in,  // rexpr is a List; name is = or <>
  like,
  ilike,
  similar,  // name is ~~, !~~, ~~*, !~~*, ~, !~
  between,
  not_between,
  between_sym,
  not_between_sym,  // rexpr is a List of two
};
struct A_Expr : NodeOf<NodeTag::A_Expr> {
  A_ExprKind kind = A_ExprKind::op;
  Names name;                   // operator, possibly qualified
  const Node* lexpr = nullptr;  // may be null
  const Node* rexpr = nullptr;
};

enum class BoolExprType : uint8_t { and_, or_, not_ };
struct BoolExpr : NodeOf<NodeTag::BoolExpr> {  // AND and OR are flat: two arguments or more
  BoolExprType boolop = BoolExprType::and_;
  NodeList args;
};

enum class NullTestType : uint8_t { is_null, is_not_null };
struct NullTest : NodeOf<NodeTag::NullTest> {
  NullTestType nulltesttype = NullTestType::is_null;
  const Node* arg = nullptr;
};

enum class BoolTestType : uint8_t {
  is_true,
  is_not_true,
  is_false,
  is_not_false,
  is_unknown,
  is_not_unknown
};
struct BooleanTest : NodeOf<NodeTag::BooleanTest> {
  BoolTestType booltesttype = BoolTestType::is_true;
  const Node* arg = nullptr;
};

enum class SubLinkType : uint8_t { exists, all, any, expr, array };
struct SubLink : NodeOf<NodeTag::SubLink> {
  SubLinkType sub_link_type = SubLinkType::expr;
  Names oper_name;                 // of any and all; empty for IN
  const Node* testexpr = nullptr;  // of any and all, else null
  const SelectStmt* subselect = nullptr;
};

struct CaseWhen : NodeOf<NodeTag::CaseWhen> {
  const Node* expr = nullptr;
  const Node* result = nullptr;
};
struct CaseExpr : NodeOf<NodeTag::CaseExpr> {
  const Node* arg = nullptr;  // null: searched CASE
  ListOf<CaseWhen> args;
  const Node* defresult = nullptr;  // null: no ELSE
};

struct CoalesceExpr : NodeOf<NodeTag::CoalesceExpr> {
  NodeList args;
};
enum class MinMaxOp : uint8_t { greatest, least };
struct MinMaxExpr : NodeOf<NodeTag::MinMaxExpr> {
  MinMaxOp op = MinMaxOp::greatest;
  NodeList args;
};

enum class RowFormat : uint8_t { explicit_, implicit };  // ROW(a, b) and (a, b)
struct RowExpr : NodeOf<NodeTag::RowExpr> {
  RowFormat row_format = RowFormat::explicit_;
  NodeList args;
};
struct A_ArrayExpr : NodeOf<NodeTag::A_ArrayExpr> {
  NodeList elements;
};  // ARRAY[..]

struct A_Indices : NodeOf<NodeTag::A_Indices> {
  bool is_slice = false;
  const Node* lidx = nullptr;  // of a slice; may be null
  const Node* uidx = nullptr;  // null only in a slice
};
struct A_Indirection : NodeOf<NodeTag::A_Indirection> {
  const Node* arg = nullptr;
  NodeList indirection;  // String (field), A_Indices, A_Star
};

struct TypeName : NodeOf<NodeTag::TypeName> {
  Names names;  // pg_catalog.int4 for INTEGER, and so on
  bool setof = false;
  bool pct_type = false;  // column%TYPE: names is the column
  NodeList typmods;
  std::span<const int32_t> array_bounds;  // -1 where none is given
};
struct TypeCast : NodeOf<NodeTag::TypeCast> {
  const Node* arg = nullptr;
  const TypeName* type_name = nullptr;
};
struct CollateClause : NodeOf<NodeTag::CollateClause> {
  const Node* arg = nullptr;  // null in a column definition
  Names collname;
};

enum class SortByDir : uint8_t { default_, asc, desc, using_ };
enum class SortByNulls : uint8_t { default_, first, last };
struct SortBy : NodeOf<NodeTag::SortBy> {
  SortByDir sortby_dir = SortByDir::default_;
  SortByNulls sortby_nulls = SortByNulls::default_;
  Names use_op;  // of USING
  const Node* node = nullptr;
};

// Frame bits have PostgreSQL's values.
constexpr int32_t kFrameNonDefault = 0x00001;  // any frame was written
constexpr int32_t kFrameRange = 0x00002;
constexpr int32_t kFrameRows = 0x00004;
constexpr int32_t kFrameGroups = 0x00008;
constexpr int32_t kFrameBetween = 0x00010;
constexpr int32_t kFrameStartUnboundedPreceding = 0x00020;
constexpr int32_t kFrameEndUnboundedPreceding = 0x00040;    // refused
constexpr int32_t kFrameStartUnboundedFollowing = 0x00080;  // refused
constexpr int32_t kFrameEndUnboundedFollowing = 0x00100;
constexpr int32_t kFrameStartCurrentRow = 0x00200;
constexpr int32_t kFrameEndCurrentRow = 0x00400;
constexpr int32_t kFrameStartOffsetPreceding = 0x00800;
constexpr int32_t kFrameEndOffsetPreceding = 0x01000;
constexpr int32_t kFrameStartOffsetFollowing = 0x02000;
constexpr int32_t kFrameEndOffsetFollowing = 0x04000;
constexpr int32_t kFrameExcludeCurrentRow = 0x08000;
constexpr int32_t kFrameExcludeGroup = 0x10000;
constexpr int32_t kFrameExcludeTies = 0x20000;
constexpr int32_t kFrameDefaults =
    kFrameRange | kFrameStartUnboundedPreceding | kFrameEndCurrentRow;

struct WindowDef : NodeOf<NodeTag::WindowDef> {
  Name name;     // WINDOW name AS, or OVER name
  Name refname;  // OVER (name ...)
  NodeList partition_clause;
  ListOf<SortBy> order_clause;
  int32_t frame_options = kFrameDefaults;
  const Node* start_offset = nullptr;  // may be null
  const Node* end_offset = nullptr;    // may be null
};

// How a call was written: f(x), or SQL's own syntax such as EXTRACT(year FROM x).
enum class CoercionForm : uint8_t { explicit_call, sql_syntax };
struct FuncCall : NodeOf<NodeTag::FuncCall> {
  Names funcname;
  NodeList args;                     // may hold NamedArgExpr
  ListOf<SortBy> agg_order;          // ORDER BY inside, or WITHIN GROUP
  const Node* agg_filter = nullptr;  // may be null
  const WindowDef* over = nullptr;   // may be null
  bool agg_within_group = false;
  bool agg_star = false;  // count(*)
  bool agg_distinct = false;
  bool func_variadic = false;  // the last argument
  CoercionForm funcformat = CoercionForm::explicit_call;
};
struct NamedArgExpr : NodeOf<NodeTag::NamedArgExpr> {  // name => arg
  Name name;
  const Node* arg = nullptr;
};

enum class SqlValueFunctionOp : uint8_t {
  current_date,
  current_time,
  current_time_n,
  current_timestamp,
  current_timestamp_n,
  localtime,
  localtime_n,
  localtimestamp,
  localtimestamp_n,
  current_role,
  current_user,
  user,
  session_user,
  current_catalog,
  current_schema,
};
struct SqlValueFunction : NodeOf<NodeTag::SqlValueFunction> {
  SqlValueFunctionOp op = SqlValueFunctionOp::current_date;
  int32_t typmod = -1;  // of the _n forms
};

struct GroupingFunc : NodeOf<NodeTag::GroupingFunc> {
  NodeList args;
};
struct SetToDefault : NodeOf<NodeTag::SetToDefault> {};  // DEFAULT in VALUES or SET
struct CurrentOfExpr : NodeOf<NodeTag::CurrentOfExpr> {
  Name cursor_name;
};

// A name for an expression. In SELECT and RETURNING: name is AS's, or empty. In INSERT's column
// list and in SET: name is the column, indirection its fields and subscripts, val the new value
// (null in a column list). In xml attributes: name or empty.
struct ResTarget : NodeOf<NodeTag::ResTarget> {
  Name name;
  NodeList indirection;
  const Node* val = nullptr;
};
// SET (a, b) = source: each column's ResTarget holds one of these, all sharing the source.
struct MultiAssignRef : NodeOf<NodeTag::MultiAssignRef> {
  const Node* source = nullptr;
  int32_t colno = 0;  // 1-based
  int32_t ncolumns = 0;
};

enum class XmlExprOp : uint8_t {
  xmlconcat,
  xmlelement,
  xmlforest,
  xmlparse,
  xmlpi,
  xmlroot,
  is_document
};
enum class XmlOptionType : uint8_t { document, content };
struct XmlExpr : NodeOf<NodeTag::XmlExpr> {
  XmlExprOp op = XmlExprOp::xmlconcat;
  Name name;
  ListOf<ResTarget> named_args;
  NodeList args;
  XmlOptionType xmloption = XmlOptionType::document;
};
struct XmlSerialize : NodeOf<NodeTag::XmlSerialize> {
  XmlOptionType xmloption = XmlOptionType::document;
  const Node* expr = nullptr;
  const TypeName* type_name = nullptr;
};

}  // namespace orrery
