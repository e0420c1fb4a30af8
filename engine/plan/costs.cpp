// Costs and estimates, with PostgreSQL's formulas and, where there are no statistics, its default
// selectivities.
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr double kDefaultEqual = 0.005;
constexpr double kDefaultInequality = 1.0 / 3.0;
constexpr double kDefaultRange = 0.005;
constexpr double kDefaultMatch = 0.005;
constexpr double kDefaultNull = 0.005;
constexpr double kDefaultDistinct = 200;

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
    const CatalogType* type = context_.catalog.builtin().type(expr->type);
    width += type == nullptr ? 32 : default_width(*type, expr->typmod);
  }
  return width;
}

double LevelPlanner::distinct_values(const Expr& expr, double rows) {
  if (expr.tag == ExprTag::var && as<VarExpr>(expr).levels_up == 0 && as<VarExpr>(expr).range > 0) {
    const auto& var = as<VarExpr>(expr);
    const RangeEntry& e = entry(var.range);
    if (e.kind == RangeKind::relation) {
      for (const CatalogIndex& index : e.relation->indexes) {
        if (index.unique && index.keys == 1 && index.columns[0] == var.attno &&
            index.predicate.empty())
          return std::max(rows, 1.0);
      }
    }
  }
  if (expr.type == type_oid::bool_) return std::min(rows, 2.0);
  return std::max(1.0, std::min(rows, kDefaultDistinct));
}

double LevelPlanner::selectivity(const Expr& condition, RangeSet outer) {
  switch (condition.tag) {
    case ExprTag::constant: {
      const auto& c = as<ConstantExpr>(condition);
      return !c.value.is_null && c.value.value.as<bool>() ? 1.0 : 0.0;
    }
    case ExprTag::boolean: {
      const auto& b = as<BooleanExpr>(condition);
      if (b.kind == BooleanKind::not_) return 1.0 - selectivity(*b.args[0], outer);
      double s = b.kind == BooleanKind::and_ ? 1.0 : 0.0;
      for (const Expr* arg : b.args) {
        const double one = selectivity(*arg, outer);
        s = b.kind == BooleanKind::and_ ? s * one : s + one - s * one;
      }
      return s;
    }
    case ExprTag::call: {
      const auto& call = as<CallExpr>(condition);
      const OperatorInfo* op = call.op ? context_.catalog.builtin().op(call.op) : nullptr;
      if (op == nullptr || call.args.size() != 2) return kDefaultInequality;
      if (op->name == "=") {
        double rows = 1000;
        double distinct = 0;
        for (const Expr* arg : call.args) {
          if (arg->tag != ExprTag::var || as<VarExpr>(*arg).range <= 0) continue;
          const RangeEntry& e = entry(as<VarExpr>(*arg).range);
          if (e.kind == RangeKind::relation)
            rows = std::max(1.0, static_cast<double>(e.relation->tuples));
          distinct = std::max(distinct, distinct_values(*arg, rows));
        }
        return distinct > 0 ? 1.0 / distinct : kDefaultEqual;
      }
      if (op->name == "<>") return 1.0 - kDefaultEqual;
      if (op->name == "<" || op->name == "<=" || op->name == ">" || op->name == ">=")
        return kDefaultInequality;
      if (op->name == "~~" || op->name == "~" || op->name == "~~*" || op->name == "~*")
        return kDefaultMatch;
      return kDefaultInequality;
    }
    case ExprTag::scalar_array: {
      const auto& sa = as<ScalarArrayExpr>(condition);
      const double items = sa.array->tag == ExprTag::array
                               ? static_cast<double>(as<ArrayExpr>(*sa.array).elements.size())
                               : 10.0;
      return std::min(1.0, items * kDefaultEqual);
    }
    case ExprTag::null_test:
      return as<NullTestExpr>(condition).is_null ? kDefaultNull : 1.0 - kDefaultNull;
    case ExprTag::var:              return 0.5;
    case ExprTag::param:
    case ExprTag::case_:
    case ExprTag::case_test:
    case ExprTag::coalesce:
    case ExprTag::min_max:
    case ExprTag::boolean_test:
    case ExprTag::sublink:
    case ExprTag::aggregate:
    case ExprTag::window:
    case ExprTag::grouping:
    case ExprTag::array:
    case ExprTag::row:
    case ExprTag::subscript:
    case ExprTag::field_select:
    case ExprTag::row_compare:
    case ExprTag::relabel:
    case ExprTag::coerce_via_io:
    case ExprTag::array_coerce:
    case ExprTag::coerce_to_domain:
    case ExprTag::sql_value:
    case ExprTag::set_to_default:
    case ExprTag::sub_plan:         return 0.5;
  }
  UNREACHABLE();
}

// Conditions are taken as independent, but a lower and an upper bound on one value as a range.
double LevelPlanner::selectivity(const std::vector<Expr*>& conditions, RangeSet outer) {
  double s = 1.0;
  std::vector<const Expr*> bounded;
  for (const Expr* condition : conditions) {
    const double one = selectivity(*condition, outer);
    const Expr* value = condition->tag == ExprTag::call &&
                                as<CallExpr>(*condition).args.size() == 2 &&
                                one == kDefaultInequality
                            ? as<CallExpr>(*condition).args[0]
                            : nullptr;
    const bool second =
        value != nullptr && std::any_of(bounded.begin(), bounded.end(),
                                        [&](const Expr* e) { return expr_equal(e, value); });
    if (second) {
      s = s / kDefaultInequality * kDefaultRange;
      continue;
    }
    if (value != nullptr) bounded.push_back(value);
    s *= one;
  }
  return std::clamp(s, 0.0, 1.0);
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
