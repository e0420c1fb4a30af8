// Costs, with PostgreSQL's formulas, and sizes.
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// Average bytes of a column when nothing is known of its contents, as PostgreSQL guesses.
int default_width(const CatalogType& type, int32_t typmod) {
  if (type.io.length > 0) return type.io.length;
  if ((type.oid == type_oid::bpchar || type.oid == type_oid::varchar) && typmod > 4) {
    const int chars = typmod - 4;
    if (type.oid == type_oid::bpchar || chars <= 32) return chars;
    return chars < 1000 ? 32 + (chars - 32) / 2 : 32 + (1000 - 32) / 2;
  }
  return 32;
}

}  // namespace

int LevelPlanner::width_of(const std::vector<Expr*>& exprs) {
  int width = 0;
  for (const Expr* expr : exprs) {
    const ColumnFacts column = column_facts(*expr, 0);
    if (column.statistics != nullptr && column.statistics->width > 0) {
      width += column.statistics->width;
      continue;
    }
    const CatalogType* type = context_.catalog.builtin().type(expr->type);
    width += type == nullptr ? 32 : default_width(*type, expr->typmod);
  }
  return width;
}

Result<double> LevelPlanner::relation_rows(const RelationInfo& relation, uint32_t* pages) {
  *pages = TRY(context_.world.pages(context_.fiber, relation.storage.file));
  const bool never_vacuumed = relation.tuples < 0;
  // An empty or never analyzed table is taken to be ten pages: it is likely to grow.
  if (never_vacuumed && *pages < 10) *pages = 10;
  if (*pages == 0) return 0.0;
  double density = 0;
  if (relation.tuples >= 0 && relation.pages > 0) {
    density = static_cast<double>(relation.tuples) / relation.pages;
  } else {
    int width = 0;
    for (const ColumnDesc& column : relation.desc().columns) {
      if (column.dropped) continue;
      const CatalogType* type = context_.catalog.builtin().type(column.type);
      width += type == nullptr ? 32 : default_width(*type, column.typmod);
    }
    width = (width + 7) / 8 * 8 + 28;
    density = std::floor((8192.0 - 24.0) / width);
  }
  return std::rint(density * *pages);
}

namespace {

// Pages read when `tuples` rows are looked up at random places among `pages`, some of them more
// than once [Mackert89].
double pages_fetched(double tuples, double pages, double cache) {
  const double t = std::max(1.0, pages);
  if (t <= cache) return std::min(t, std::ceil(2.0 * t * tuples / (2.0 * t + tuples)));
  const double limit = 2.0 * t * cache / (2.0 * t - cache);
  if (tuples <= limit) return std::ceil(2.0 * t * tuples / (2.0 * t + tuples));
  return std::ceil(cache + (tuples - limit) * (t - cache) / t);
}

}  // namespace

IndexCost LevelPlanner::cost_index(const IndexProbe& probe) const {
  const PlannerSettings& s = context_.settings;
  const double tuples = std::max(1.0, std::rint(probe.table_rows * probe.fraction));
  const double leaves =
      std::max(1.0, std::ceil(probe.index_pages * tuples / std::max(1.0, probe.table_rows)));
  const double loops = std::max(1.0, probe.loops);
  const double leaf_reads =
      loops > 1 ? pages_fetched(leaves * loops, probe.index_pages, s.effective_cache_pages) / loops
                : leaves;
  const double height =
      probe.index_pages <= 2 ? 0 : std::ceil(std::log(probe.index_pages) / std::log(300.0));
  IndexCost cost{};
  cost.startup =
      (probe.table_rows > 1 ? std::ceil(std::log2(probe.table_rows)) : 0) * s.cpu_operator_cost +
      (height + 1) * 50 * s.cpu_operator_cost;
  cost.index_total = cost.startup + leaf_reads * s.random_page_cost +
                     tuples * (s.cpu_index_tuple_cost +
                               s.cpu_operator_cost * static_cast<double>(probe.conditions));
  cost.tuples = tuples;
  double worst = 0;
  double best = 0;
  const double touched = std::ceil(probe.fraction * probe.table_pages);
  if (loops > 1) {
    worst = pages_fetched(tuples * loops, probe.table_pages, s.effective_cache_pages) *
            s.random_page_cost / loops;
    best = pages_fetched(touched * loops, probe.table_pages, s.effective_cache_pages) *
           s.random_page_cost / loops;
  } else {
    worst = pages_fetched(tuples, probe.table_pages, s.effective_cache_pages) * s.random_page_cost;
    best = touched > 0 ? s.random_page_cost + (touched - 1) * s.seq_page_cost : 0;
  }
  const double squared = probe.correlation * probe.correlation;
  cost.total = cost.index_total + worst + squared * (best - worst) + tuples * s.cpu_tuple_cost;
  return cost;
}

// Pages in order, each once: the denser they lie, the more it is like a sequential read.
double LevelPlanner::cost_bitmap_heap(double index_total, double tuples, double table_pages,
                                      double loops) const {
  const PlannerSettings& s = context_.settings;
  const double pages = std::max(1.0, table_pages);
  const double fetched = loops > 1
                             ? pages_fetched(tuples * loops, pages, s.effective_cache_pages) / loops
                             : std::min(pages, 2.0 * pages * tuples / (2.0 * pages + tuples));
  const double per_page =
      fetched >= 2.0
          ? s.random_page_cost - (s.random_page_cost - s.seq_page_cost) * std::sqrt(fetched / pages)
          : s.random_page_cost;
  return index_total + (loops > 1 ? fetched : std::ceil(fetched)) * per_page +
         tuples * s.cpu_tuple_cost;
}

double LevelPlanner::operator_cost(const Expr* expr) {
  if (expr == nullptr) return 0;
  double cost = 0;
  const bool costs = expr->tag == ExprTag::call || expr->tag == ExprTag::scalar_array ||
                     expr->tag == ExprTag::min_max || expr->tag == ExprTag::coerce_via_io;
  if (costs) cost += context_.settings.cpu_operator_cost;
  for_each_child(*expr, [&](const Expr& child) { cost += operator_cost(&child); });
  return cost;
}

void LevelPlanner::cost_sort(PlanNode& made, const PlanNode& input, double limit) {
  const double rows = std::max(2.0, input.rows);
  const double compare = 2.0 * context_.settings.cpu_operator_cost;
  const double out = limit > 0 && limit < rows ? limit : rows;
  double startup = input.total_cost;
  const double bytes = rows * (input.width + 24);
  if (bytes > static_cast<double>(context_.settings.work_mem_bytes) && out == rows) {
    const double pages = std::ceil(bytes / 8192);
    const double runs = bytes / static_cast<double>(context_.settings.work_mem_bytes);
    const double passes = runs > 6 ? std::ceil(std::log(runs) / std::log(6.0)) : 1.0;
    startup += compare * rows * std::log2(rows) + 2.0 * pages * passes *
                                                      (context_.settings.seq_page_cost * 0.75 +
                                                       context_.settings.random_page_cost * 0.25);
  } else if (2 * out < rows) {
    startup += compare * rows * std::log2(2.0 * out);
  } else {
    startup += compare * rows * std::log2(rows);
  }
  made.startup_cost = startup;
  made.total_cost = startup + context_.settings.cpu_operator_cost * rows;
  made.rows = input.rows;
  made.width = input.width;
}

}  // namespace orrery
