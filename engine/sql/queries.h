// Parse nodes of queries and of statements that change rows, with everything that stands in their
// FROM.
#pragma once

#include "sql/expressions.h"

namespace orrery {

struct DefElem;

struct Alias : NodeOf<NodeTag::Alias> {
  Name aliasname;
  Names colnames;
};

enum class RelPersistence : uint8_t { permanent, unlogged, temp };
struct RangeVar : NodeOf<NodeTag::RangeVar> {
  Name catalogname;
  Name schemaname;
  Name relname;
  bool inh = true;  // false: ONLY
  RelPersistence relpersistence = RelPersistence::permanent;
  const Alias* alias = nullptr;  // may be null
};
struct RangeSubselect : NodeOf<NodeTag::RangeSubselect> {
  bool lateral = false;
  const SelectStmt* subquery = nullptr;
  const Alias* alias = nullptr;  // may be null
};
struct ColumnDef;
struct RangeFunctionItem
    : NodeOf<NodeTag::RangeFunctionItem> {  // one function of ROWS FROM, or the only one
  const Node* function = nullptr;
  ListOf<ColumnDef> coldeflist;  // inside ROWS FROM
};
struct RangeFunction : NodeOf<NodeTag::RangeFunction> {
  bool lateral = false;
  bool ordinality = false;
  bool is_rowsfrom = false;
  ListOf<RangeFunctionItem> functions;
  const Alias* alias = nullptr;  // may be null
  ListOf<ColumnDef> coldeflist;
};
struct RangeTableSample : NodeOf<NodeTag::RangeTableSample> {
  const Node* relation = nullptr;
  Names method;
  NodeList args;
  const Node* repeatable = nullptr;  // may be null
};
struct RangeTableFuncCol : NodeOf<NodeTag::RangeTableFuncCol> {
  Name colname;
  const TypeName* type_name = nullptr;  // null: FOR ORDINALITY
  bool for_ordinality = false;
  bool is_not_null = false;
  const Node* colexpr = nullptr;     // may be null
  const Node* coldefexpr = nullptr;  // may be null
};
struct RangeTableFunc : NodeOf<NodeTag::RangeTableFunc> {  // XMLTABLE
  bool lateral = false;
  const Node* docexpr = nullptr;
  const Node* rowexpr = nullptr;
  ListOf<ResTarget> namespaces;
  ListOf<RangeTableFuncCol> columns;
  const Alias* alias = nullptr;  // may be null
};
enum class JoinType : uint8_t { inner, left, full, right };
struct JoinExpr : NodeOf<NodeTag::JoinExpr> {
  JoinType jointype = JoinType::inner;
  bool is_natural = false;
  const Node* larg = nullptr;
  const Node* rarg = nullptr;
  Names using_clause;
  const Alias* join_using_alias = nullptr;  // may be null
  const Node* quals = nullptr;              // null: CROSS JOIN, NATURAL or USING
  const Alias* alias = nullptr;             // of the parenthesised join; may be null
};

enum class GroupingSetKind : uint8_t { empty, rollup, cube, sets };
struct GroupingSet : NodeOf<NodeTag::GroupingSet> {
  GroupingSetKind kind = GroupingSetKind::empty;
  NodeList content;
};

enum class LockClauseStrength : uint8_t {
  none,
  for_key_share,
  for_share,
  for_no_key_update,
  for_update
};
enum class LockWaitPolicy : uint8_t { block, skip, error };
struct LockingClause : NodeOf<NodeTag::LockingClause> {
  ListOf<RangeVar> locked_rels;  // empty: all
  LockClauseStrength strength = LockClauseStrength::none;
  LockWaitPolicy wait_policy = LockWaitPolicy::block;
};

enum class CteMaterialize : uint8_t { default_, always, never };
struct CteSearchClause : NodeOf<NodeTag::CteSearchClause> {
  Names search_col_list;
  bool search_breadth_first = false;
  Name search_seq_column;
};
struct CteCycleClause : NodeOf<NodeTag::CteCycleClause> {
  Names cycle_col_list;
  Name cycle_mark_column;
  const Node* cycle_mark_value = nullptr;
  const Node* cycle_mark_default = nullptr;
  Name cycle_path_column;
};
struct CommonTableExpr : NodeOf<NodeTag::CommonTableExpr> {
  Name ctename;
  Names aliascolnames;
  CteMaterialize ctematerialized = CteMaterialize::default_;
  const Node* ctequery =
      nullptr;  // SelectStmt, InsertStmt, UpdateStmt, DeleteStmt (MergeStmt never)
  const CteSearchClause* search_clause = nullptr;  // may be null
  const CteCycleClause* cycle_clause = nullptr;    // may be null
};
struct WithClause : NodeOf<NodeTag::WithClause> {
  ListOf<CommonTableExpr> ctes;
  bool recursive = false;
};

enum class OnCommitAction : uint8_t { noop, preserve_rows, delete_rows, drop };
struct IntoClause : NodeOf<NodeTag::IntoClause> {  // of SELECT INTO and CREATE TABLE AS
  const RangeVar* rel = nullptr;
  Names col_names;
  Name access_method;
  ListOf<DefElem> options;
  OnCommitAction on_commit = OnCommitAction::noop;
  Name table_space_name;
  bool skip_data = false;  // WITH NO DATA
};

// Either a leaf (SELECT, or VALUES when values_lists is not empty) or a set operation over larg and
// rarg. sort_clause to locking_clause and with_clause belong to the whole in both cases. TABLE t is
// SELECT * FROM t.
enum class SetOperation : uint8_t { none, union_, intersect, except };
enum class LimitOption : uint8_t { default_, count, with_ties };
struct SelectStmt : NodeOf<NodeTag::SelectStmt> {
  bool is_distinct = false;
  NodeList distinct_on;                     // of DISTINCT ON
  const IntoClause* into_clause = nullptr;  // may be null
  ListOf<ResTarget> target_list;
  NodeList from_clause;
  const Node* where_clause = nullptr;  // may be null
  NodeList group_clause;               // expressions and GroupingSets
  bool group_distinct = false;
  const Node* having_clause = nullptr;  // may be null
  ListOf<WindowDef> window_clause;
  ListOf<List> values_lists;

  ListOf<SortBy> sort_clause;
  const Node* limit_offset = nullptr;  // may be null
  const Node* limit_count = nullptr;   // may be null; a null A_Const for LIMIT ALL
  LimitOption limit_option = LimitOption::default_;
  ListOf<LockingClause> locking_clause;
  const WithClause* with_clause = nullptr;  // may be null

  SetOperation op = SetOperation::none;
  bool all = false;
  const SelectStmt* larg = nullptr;  // null in a leaf
  const SelectStmt* rarg = nullptr;  // null in a leaf
};

enum class OverridingKind : uint8_t { not_set, user_value, system_value };
struct IndexElem;
struct InferClause : NodeOf<NodeTag::InferClause> {  // the arbiter of ON CONFLICT
  ListOf<IndexElem> index_elems;
  const Node* where_clause = nullptr;  // may be null
  Name conname;
};
enum class OnConflictAction : uint8_t { nothing, update };
struct OnConflictClause : NodeOf<NodeTag::OnConflictClause> {
  OnConflictAction action = OnConflictAction::nothing;
  const InferClause* infer = nullptr;  // may be null
  ListOf<ResTarget> target_list;
  const Node* where_clause = nullptr;  // may be null
};
struct InsertStmt : NodeOf<NodeTag::InsertStmt> {
  const RangeVar* relation = nullptr;
  ListOf<ResTarget> cols;                                // empty: all columns in order
  const SelectStmt* select_stmt = nullptr;               // null: DEFAULT VALUES
  const OnConflictClause* on_conflict_clause = nullptr;  // may be null
  ListOf<ResTarget> returning_list;
  const WithClause* with_clause = nullptr;  // may be null
  OverridingKind override = OverridingKind::not_set;
};
struct DeleteStmt : NodeOf<NodeTag::DeleteStmt> {
  const RangeVar* relation = nullptr;
  NodeList using_clause;
  const Node* where_clause = nullptr;  // may be null
  ListOf<ResTarget> returning_list;
  const WithClause* with_clause = nullptr;  // may be null
};
struct UpdateStmt : NodeOf<NodeTag::UpdateStmt> {
  const RangeVar* relation = nullptr;
  ListOf<ResTarget> target_list;
  NodeList from_clause;
  const Node* where_clause = nullptr;  // may be null
  ListOf<ResTarget> returning_list;
  const WithClause* with_clause = nullptr;  // may be null
};

enum class CmdType : uint8_t { select, update, insert, delete_, nothing };
struct MergeWhenClause : NodeOf<NodeTag::MergeWhenClause> {
  bool matched = false;
  CmdType command_type = CmdType::nothing;  // update, insert, delete_ or nothing
  OverridingKind override = OverridingKind::not_set;
  const Node* condition = nullptr;  // may be null
  ListOf<ResTarget> target_list;    // columns of INSERT, assignments of UPDATE
  NodeList values;                  // of INSERT; empty: DEFAULT VALUES
};
struct MergeStmt : NodeOf<NodeTag::MergeStmt> {
  const RangeVar* relation = nullptr;
  const Node* source_relation = nullptr;
  const Node* join_condition = nullptr;
  ListOf<MergeWhenClause> merge_when_clauses;
  const WithClause* with_clause = nullptr;  // may be null
};

struct ReturnStmt : NodeOf<NodeTag::ReturnStmt> {
  const Node* returnval = nullptr;
};  // in a SQL-standard function body

// One statement of the text. stmt_location is where it starts (after the previous semicolon),
// stmt_len its bytes, 0 for "to the end": what pg_stat_activity and EXECUTE show.
struct RawStmt : NodeOf<NodeTag::RawStmt> {
  const Node* stmt = nullptr;
  int32_t stmt_location = 0;
  int32_t stmt_len = 0;
};

}  // namespace orrery
