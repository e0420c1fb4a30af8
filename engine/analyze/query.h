// A query after analysis: names are resolved, types decided, nothing is planned. PostgreSQL's
// Query, less what lives elsewhere here. Utility statements stay in their parse tree.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "analyze/expr.h"
#include "catalog/acl_mode.h"

namespace orrery {

struct RelationInfo;  // catalog/catalog.h
struct Query;

enum class CommandType : uint8_t { select, insert, update, delete_ };
enum class JoinKind : uint8_t { inner, left, full, right, semi, anti };

enum class RangeKind : uint8_t { relation, subquery, join, function, values, cte, result };

// One entry of the range table: something with columns that FROM (or a target) names.
struct RangeEntry {
  RangeKind kind;
  std::string_view alias;  // the name columns are qualified with; empty for an unnamed join
  std::span<std::string_view> columns;  // names, by attno - 1 (a dropped column's is empty)
  std::span<Oid> column_types;
  std::span<int32_t> column_typmods;
  std::span<Oid> column_collations;
  bool lateral = false;

  // relation
  const RelationInfo* relation = nullptr;
  bool inherit = false;              // children too; false after ONLY
  int lock_mode = 0;                 // PostgreSQL's numbers, 1 access share .. 8 access exclusive
  uint32_t required_privileges = 0;  // AclMode bits
  Oid check_as;                      // whose rights count: a view's owner; 0: the session's role
  // subquery
  Query* subquery = nullptr;
  const RelationInfo* view = nullptr;  // the subquery is this view's; SELECT on it is required
  // join: what each column is in terms of the two sides (COALESCE for merged columns of USING under
  // FULL)
  JoinKind join_type = JoinKind::inner;
  std::span<Expr*> join_columns;
  // function
  std::span<Expr*> functions;       // ROWS FROM (...): usually one
  std::span<int> function_columns;  // how many each gives
  bool with_ordinality = false;
  // values
  std::span<std::span<Expr*>> values;
  // cte
  int cte = -1;  // index into Query::ctes of the query levels_up above
  int cte_levels_up = 0;
  bool self_reference = false;
};

// FROM as a tree: a reference, or a join of two trees.
struct FromNode {
  bool is_join = false;
  int range = 0;  // index (1-based) of the entry, also of a join's own entry
  JoinKind join_type = JoinKind::inner;
  FromNode* left = nullptr;
  FromNode* right = nullptr;
  Expr* condition = nullptr;  // ON, or made from USING; null for CROSS
};

enum class SetOpKind : uint8_t { union_, intersect, except };
// Set operations as a tree whose leaves are subquery range entries.
struct SetOpNode {
  bool is_leaf = true;
  int range = 0;
  SetOpKind kind = SetOpKind::union_;
  bool all = false;
  SetOpNode* left = nullptr;
  SetOpNode* right = nullptr;
  // Each side's columns as this node's types: over Vars of the side's leftmost leaf.
  std::span<Expr*> left_columns;
  std::span<Expr*> right_columns;
  std::span<Oid> types;
  std::span<int32_t> typmods;
  std::span<Oid> collations;
  std::span<SortClause> groups;  // how to compare rows when not ALL; `target` is the column number
};

struct CommonTable {
  std::string_view name;
  Query* query;
  bool recursive = false;
  enum class Materialize : uint8_t { by_use, always, never } materialize = Materialize::by_use;
  int references = 0;
  bool self_referenced = false;
  // While it is analyzed: see recursion.h.
  bool is_union = false;
  int location = -1;
  std::string_view refused_place;
  std::span<std::string_view> columns;  // names given to it; the query's own for the rest
  // Of a recursive one, from its non-recursive term on, while `query` is null.
  std::span<Oid> types;
  std::span<int32_t> typmods;
  std::span<Oid> collations;
};

struct WindowClause {
  std::string_view name;
  std::string_view base;    // the window it goes on from, if any ...
  bool base_order = false;  // ... with that one's ORDER BY
  std::span<SortClause> partition_by;
  std::span<SortClause> order_by;
  uint32_t frame_options = 0;
  Expr* start_offset = nullptr;
  Expr* end_offset = nullptr;
  // RANGE with offsets: the functions that tell whether a value is within an offset of another.
  Oid start_in_range, end_in_range;
};

enum class LockStrength : uint8_t { key_share, share, no_key_update, update };
enum class LockWait : uint8_t { block, skip, error };
struct RowMark {
  int range;
  LockStrength strength;
  LockWait wait;
};

struct OnConflict {
  bool do_update = false;
  std::span<Expr*> arbiter_columns;  // index expressions; empty with a constraint or with nothing
  Expr* arbiter_where = nullptr;
  Oid constraint;
  std::span<Oid> arbiter_indexes;  // inferred; empty: any (DO NOTHING without target)
  std::span<TargetEntry> set;
  Expr* where = nullptr;
  int excluded_range = 0;  // the entry that EXCLUDED's columns belong to
};

enum class LimitKind : uint8_t { count, with_ties };
struct GroupingColumns {
  std::span<int> refs;  // expanded: the target refs grouped by in this set
};

struct Query {
  CommandType command = CommandType::select;
  std::span<RangeEntry*> range_table;  // range n is range_table[n - 1]
  std::span<FromNode*> from;           // comma list; empty for a SELECT without FROM
  Expr* where = nullptr;
  std::span<TargetEntry> targets;
  std::span<SortClause> group_by;
  std::span<GroupingColumns> grouping_sets;  // empty unless written
  Expr* having = nullptr;
  std::span<WindowClause> windows;
  std::span<SortClause> distinct;
  bool distinct_on = false;
  std::span<SortClause> order_by;
  Expr* limit_offset = nullptr;
  Expr* limit_count = nullptr;
  LimitKind limit_option = LimitKind::count;
  std::span<RowMark> row_marks;
  SetOpNode* set_operations = nullptr;
  std::span<CommonTable*> ctes;
  bool recursive = false;

  // INSERT, UPDATE, DELETE
  int result_range = 0;
  std::span<TargetEntry> returning;
  OnConflict* on_conflict = nullptr;
  bool overriding_system = false, overriding_user = false;

  bool has_aggregates = false;
  bool has_windows = false;
  bool has_sublinks = false;
  bool has_set_functions = false;
  bool has_modifying_cte = false;
};

}  // namespace orrery
