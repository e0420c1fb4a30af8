// What names mean at a place in a query: the range entries in scope, level by level outwards, and
// the CTEs.
#pragma once

#include <vector>

#include "analyze/analyzer.h"

namespace orrery {

// Which clause an expression stands in: decides what it may contain, and how the error says it.
enum class Clause : uint8_t {
  none,
  select_list,
  where,
  having,
  group_by,
  order_by,
  distinct_on,
  limit,
  offset,
  join_on,
  from_function,
  from_subselect,
  insert_target,
  values,
  update_source,
  returning,
  window_partition,
  window_order,
  window_rows,
  window_range,
  window_groups,
  filter,
  check,
  default_,
  index_expr,
  index_predicate,
  policy,
  execute_parameter,
  generated,
  on_conflict,
  copy_where,
  call_argument,
  using_,
};

// One name that columns can be reached through. A join's columns are expressions over its sides.
struct ScopeItem {
  std::string_view alias;
  std::string_view schema;  // of a table without alias: schema.table.column works
  int range = 0;
  const RangeEntry* entry = nullptr;
  std::span<std::string_view> names;  // columns; empty: dropped
  std::span<Expr*> columns;           // beside names
  bool table_visible = true;          // alias.column, alias.*
  bool columns_visible = true;        // column
  bool lateral_only = false;          // seen by LATERAL items beside it only
  bool lateral_ok = true;             // false: there, but a LATERAL reference to it is an error
};

struct Scope {
  Scope* parent = nullptr;
  std::vector<RangeEntry*> range_table;
  std::vector<ScopeItem> items;
  std::vector<CommonTable*> ctes;
  std::vector<WindowClause> windows;
  std::vector<const WindowDef*> window_definitions;
  Clause clause = Clause::none;
  bool lateral_active = false;
  bool has_aggregates = false, has_windows = false, has_sublinks = false, has_set_functions = false;
  bool inside_aggregate = false;
  bool has_modifying_cte = false;
};

std::string_view clause_name(Clause clause);

}  // namespace orrery
