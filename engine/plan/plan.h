// The plan tree: what the planner hands the executor, and what EXPLAIN shows. PostgreSQL's node
// types and cost fields, so that EXPLAIN reads the same. Read-only once built: one plan may be run
// many times, and by several sessions.
//
// Variables in a node's expressions: in scans a VarExpr names its range entry and attribute number
// as in the query; above scans `range` is kOuterVar or kInnerVar (expr.h) and `attno` is a position
// in that child's target list.
#pragma once

#include <cstdint>
#include <span>

#include "analyze/query.h"
#include "func/cross_search.h"

namespace orrery {

struct CatalogIndex;  // catalog/catalog.h

enum class PlanTag : uint8_t {
  result,
  project_set,
  modify_table,
  append,
  recursive_union,
  seq_scan,
  index_scan,
  index_only_scan,
  bitmap_index_scan,
  bitmap_heap_scan,
  bitmap_and,
  bitmap_or,
  tid_scan,
  subquery_scan,
  function_scan,
  values_scan,
  cte_scan,
  work_table_scan,
  nested_loop,
  merge_join,
  hash_join,
  material,
  sort,
  group,
  aggregate,
  window,
  unique,
  set_op,
  lock_rows,
  limit,
  hash,
  memoize,
};

struct PlanNode {
  PlanTag tag;
  double startup_cost = 0;  // in units of a sequential page read, as PostgreSQL
  double total_cost = 0;
  double rows = 0;  // estimated
  int width = 0;    // estimated average bytes of a row
  std::span<TargetEntry> targets;
  Expr* filter = nullptr;     // rows that do not pass are dropped; shown as "Filter"
  PlanNode* left = nullptr;   // outer, or only, child
  PlanNode* right = nullptr;  // inner child
  std::span<int> init_plans;  // indexes into Plan::subplans, run before or within this node
  int id = 0;                 // preorder number, for instrumentation
};

struct ResultPlan : PlanNode {
  Expr* one_time_filter = nullptr;  // without Vars of the child
};
struct ProjectSetPlan : PlanNode {};  // set-returning functions in the target list

struct ScanPlan : PlanNode {
  int range = 0;
};
struct SeqScanPlan : ScanPlan {};

// One condition an index can apply: key `column` (0-based) compared by `op` strategy (1 <, 2 <=, 3
// =, 4 >=, 5 >) to a value that does not depend on the scanned row. IS [NOT] NULL are strategies of
// ours.
enum class IndexStrategy : uint8_t {
  lt = 1,
  le,
  eq,
  ge,
  gt,
  is_null,
  is_not_null,
  any_eq /* = ANY(array) */
};
struct IndexCondition {
  int column;
  IndexStrategy strategy;
  Expr* value;               // null for the NULL tests
  const CrossSearch* cross;  // when the value is not of the column's type
  Expr* original;            // as written, for EXPLAIN ("Index Cond")
};
struct IndexScanPlan : ScanPlan {
  const CatalogIndex* index = nullptr;
  std::span<IndexCondition> conditions;
  bool backward = false;
  Expr* recheck =
      nullptr;  // the conditions as a filter over heap columns, for EvalPlanQual and lossy scans
};
struct BitmapHeapScanPlan : ScanPlan {  // left: `source`
  PlanNode* source = nullptr;           // bitmap_index_scan, bitmap_and, bitmap_or
  Expr* recheck = nullptr;
};
struct BitmapCombinePlan : PlanNode {
  std::span<PlanNode*> inputs;
};
struct TidScanPlan : ScanPlan {
  std::span<Expr*> tids;
};
struct SubqueryScanPlan : ScanPlan {  // left: the subquery's plan
};
struct FunctionScanPlan : ScanPlan {};
struct ValuesScanPlan : ScanPlan {};
struct CteScanPlan : ScanPlan {
  int subplan = 0;              // which subplan computes it
  int cte_param = 0;            // readers of one CTE share state under this number
  std::span<int> reads_params;  // set around the query, and read by the CTE's
};
struct WorkTableScanPlan : ScanPlan {
  int work_table_param = 0;
};

struct JoinPlan : PlanNode {
  JoinKind join_type = JoinKind::inner;
  Expr* join_condition = nullptr;  // ON conditions beyond the keys; decides matching in outer joins
  bool inner_unique = false;       // at most one inner match for each outer row
};
struct NestedLoopPlan : JoinPlan {
  std::span<int> param_slots;     // exec slots set from the outer row before each inner scan
  std::span<Expr*> param_values;  // over kOuterVar
};
struct MergeKey {
  Expr* outer;
  Expr* inner;
  Oid equality_op;
  Oid sort_op;
  bool descending = false;
  bool nulls_first = false;
};
struct MergeJoinPlan : JoinPlan {
  std::span<MergeKey> keys;
};
struct HashKey {
  Expr* outer;
  Expr* inner;
  Oid equality_op;
};
struct HashJoinPlan : JoinPlan {  // right: a hash node
  std::span<HashKey> keys;
};
// What is kept of a child's rows holds while the parameters that the child may read stay as they
// are.
struct KeepingPlan : PlanNode {
  std::span<int> reads_params;
};
struct HashPlan : KeepingPlan {};

struct SortKey {
  int column;  // 1-based position in the child's targets
  Oid sort_op;
  Oid collation;
  bool descending = false;
  bool nulls_first = false;
};
struct SortPlan : PlanNode {
  std::span<SortKey> keys;
  int presorted = 0;       // leading keys the input has already: incremental sort
  double limit_rows = -1;  // bounded sort when >= 0 (only an estimate; the Limit tells at run time)
};
struct MaterialPlan : KeepingPlan {};
struct MemoizePlan : PlanNode {
  std::span<Expr*> keys;  // the parameters a rescan depends on
  std::span<Oid> equality_ops;
};

enum class AggStrategy : uint8_t { plain, sorted, hashed, mixed };
struct GroupColumn {
  int column;  // 1-based position in the child's targets
  Oid equality_op;
  Oid collation;
};
struct AggregatePlan
    : PlanNode {  // aggregates are AggregateExpr in targets and filter; their args over kOuterVar
  AggStrategy strategy = AggStrategy::plain;
  std::span<GroupColumn> groups;
  // One entry a grouping set: indexes into `groups` that are kept; empty span: a single set of all
  // groups.
  std::span<std::span<int>> grouping_sets;
  std::span<int> group_refs;  // the target ref of each of `groups`, for GROUPING()
};
struct GroupPlan : PlanNode {
  std::span<GroupColumn> groups;
};
struct WindowPlan : PlanNode {
  std::span<GroupColumn> partition_by;
  std::span<SortKey> order_by;
  WindowClause* clause = nullptr;
};
struct UniquePlan : PlanNode {
  std::span<GroupColumn> columns;
};
struct SetOpPlan : PlanNode {
  SetOpKind kind = SetOpKind::intersect;
  bool all = false;
  bool hashed = true;
  std::span<GroupColumn> columns;  // the flag column comes last in the input
};
struct AppendPlan : PlanNode {
  std::span<PlanNode*> inputs;
};
struct RecursiveUnionPlan : PlanNode {  // left: the non-recursive term; right: the recursive one
  int work_table_param = 0;             // a slot, set anew by each round
  bool distinct = false;
  std::span<GroupColumn> columns;
};
struct LimitPlan : PlanNode {
  Expr* offset = nullptr;
  Expr* count = nullptr;
  LimitKind option = LimitKind::count;
  std::span<GroupColumn> ties;  // sort columns, WITH TIES only
};
// Where the child's targets say which row of a table a row was made of: for a second look at rows
// that changed.
struct RecheckTable {
  int range;       // flat
  int tid_column;  // 1-based
};
struct LockRowsPlan : PlanNode {  // the child's targets carry a junk ctid for each mark
  std::span<RowMark> marks;
  std::span<int> tid_columns;  // 1-based
  // Of every table; empty when the rows are made of other things too, and cannot be made again.
  std::span<RecheckTable> recheck_tables;
};

struct ModifyTablePlan
    : PlanNode {  // left: the rows; junk column `tid_column` names the row to change
  CommandType command = CommandType::insert;
  int range = 0;
  int tid_column = 0;
  std::span<TargetEntry>
      set;              // INSERT/UPDATE: child's column `expr` (kOuterVar) -> attribute resno
  int level_range = 0;  // the table's entry as the expressions below name it
  // UPDATE and DELETE of one table alone: WHERE and the new values over the table's columns, to be
  // computed anew for a row that changed meanwhile.
  bool single_table = false;
  std::span<RecheckTable> recheck_tables;  // of the others, as in LockRowsPlan
  Expr* recheck = nullptr;
  std::span<TargetEntry> recompute;
  std::span<TargetEntry> returning;   // over the target's range entry
  OnConflict* on_conflict = nullptr;  // its expressions: the target's entry, and excluded_range
};

struct Plan {
  CommandType command = CommandType::select;
  PlanNode* root = nullptr;
  std::span<PlanNode*> subplans;
  std::span<RangeEntry*> range_table;  // flat: of all levels
  std::span<RowMark> row_marks;
  int exec_params = 0;
  // Volatile functions notice in which order rows and columns are computed: a row at a time then.
  bool row_by_row = false;
  bool returns_rows = false;              // SELECT, or RETURNING
  std::span<TargetEntry> result_columns;  // without junk
  bool has_modifying_cte = false;
  std::span<int> modifying_ctes;  // subplans that must run to their end, whoever reads them ...
  std::span<int> modifying_cte_params;  // ... and the numbers their readers share state under
};

}  // namespace orrery
