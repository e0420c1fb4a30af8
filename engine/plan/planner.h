// The planner: a typed query becomes a plan tree. Join order by dynamic programming over
// PostgreSQL's cost model [Selinger79], access paths by matching conditions to indexes, subqueries
// as subplans or as range entries of their own.
#pragma once

#include "analyze/query.h"
#include "catalog/catalog.h"
#include "fiber/fiber.h"
#include "plan/plan.h"

namespace orrery {

// What the planner asks of the layers above it.
class PlannerWorld {
 public:
  virtual ~PlannerWorld() = default;
  // Size of a table's or an index's main fork now, in pages. Suspends.
  virtual Result<uint32_t> pages(Fiber& fiber, FileId file) = 0;
  // Whether the index finds all that the statement's snapshot sees. Suspends.
  virtual Result<bool> index_serves(Fiber&, FileId) { return true; }
  // The default of a column that has one, identity included, as an expression of the column's type.
  virtual Result<Expr*> column_default(Fiber& fiber, Arena& arena, const RelationInfo& relation,
                                       int number) = 0;
  // The value of an expression without variables whose functions are immutable, for folding; an
  // error stays with the expression and is raised when it is run.
  virtual Result<NullableDatum> evaluate(Fiber& fiber, Arena& arena, const Expr& expr) = 0;
};

// Planner settings, by PostgreSQL's names and with its defaults.
struct PlannerSettings {
  bool enable_seqscan = true, enable_indexscan = true, enable_indexonlyscan = true,
       enable_bitmapscan = true;
  bool enable_tidscan = true, enable_nestloop = true, enable_hashjoin = true,
       enable_mergejoin = true;
  bool enable_hashagg = true, enable_sort = true, enable_material = true, enable_memoize = true;
  double seq_page_cost = 1.0, random_page_cost = 4.0;
  double cpu_tuple_cost = 0.01, cpu_index_tuple_cost = 0.005, cpu_operator_cost = 0.0025;
  double effective_cache_pages = 524288;
  uint64_t work_mem_bytes = 4 << 20;
  int from_collapse_limit = 8;
};

struct PlanContext {
  Fiber& fiber;
  Arena& arena;  // of the plan; the query's trees must live as long
  CatalogReader& catalog;
  PlannerWorld& world;
  const PlannerSettings& settings;
};

Result<Plan*> make_plan(PlanContext& context, Query& query);

}  // namespace orrery
