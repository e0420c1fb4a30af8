// What part of the rows a condition lets through: PostgreSQL's formulas over what ANALYZE found
// out, and its default guesses where there are no statistics.
#include <cmath>

#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "types/array.h"
#include "types/numeric.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr double kDefaultEqual = 0.005;
constexpr double kDefaultInequality = 1.0 / 3.0;
constexpr double kDefaultRange = 0.005;
constexpr double kDefaultMatch = 0.005;
constexpr double kDefaultNull = 0.005;
constexpr double kDefaultDistinct = 200;

const Expr& strip_relabel(const Expr& e) {
  return e.tag == ExprTag::relabel ? strip_relabel(*as<RelabelExpr>(e).arg) : e;
}

double clamp(double s) { return std::clamp(s, 0.0, 1.0); }

bool is_whole(Oid type) {
  return type == type_oid::int2 || type == type_oid::int4 || type == type_oid::int8;
}
// Values of both types are compared by one comparator.
bool comparable(Oid a, Oid b) { return a == b || (is_whole(a) && is_whole(b)); }

// A value as a number on its type's line, for interpolation within a bucket. False: it has none.
bool as_number(Oid type, Datum value, double* out) {
  if (type == type_oid::float4) {
    *out = value.as<float>();
  } else if (type == type_oid::float8) {
    *out = value.as<double>();
  } else if (type == type_oid::numeric) {
    *out = numeric_to_double(Numeric::from_datum(value));
  } else if (type == type_oid::oid) {
    *out = static_cast<double>(value.as<uint64_t>());
  } else if (is_whole(type) || type == type_oid::bool_ || type == type_oid::date ||
             type == type_oid::time || type == type_oid::timestamp ||
             type == type_oid::timestamptz) {
    *out = static_cast<double>(value.as<int64_t>());
  } else {
    return false;
  }
  return std::isfinite(*out);
}

bool is_text(Oid type) {
  return type == type_oid::text || type == type_oid::varchar || type == type_oid::bpchar;
}

// Where `value` lies between two texts: by their bytes behind what all have in common.
double text_fraction(Datum low, Datum high, Datum value) {
  const std::string_view texts[] = {low.text(), high.text(), value.text()};
  size_t common = 0;
  while (common < texts[0].size() && common < texts[1].size() && common < texts[2].size() &&
         texts[0][common] == texts[1][common] && texts[0][common] == texts[2][common])
    ++common;
  double numbers[3];
  for (size_t i = 0; i < 3; ++i) {
    double scale = 1;
    numbers[i] = 0;
    for (size_t c = common; c < std::min(texts[i].size(), common + 8); ++c) {
      scale /= 256;
      numbers[i] += scale * static_cast<unsigned char>(texts[i][c]);
    }
  }
  if (numbers[1] <= numbers[0]) return 0.5;
  return clamp((numbers[2] - numbers[0]) / (numbers[1] - numbers[0]));
}

double fraction_within(Oid type, Datum low, Datum high, Datum value) {
  if (is_text(type)) return text_fraction(low, high, value);
  double a = 0;
  double b = 0;
  double v = 0;
  if (!as_number(type, low, &a) || !as_number(type, high, &b) || !as_number(type, value, &v))
    return 0.5;
  if (b <= a) return 0.5;
  return clamp((v - a) / (b - a));
}

}  // namespace

Status LevelPlanner::load_facts(const Query& query) {
  facts_.assign(query.range_table.size(), {});
  for (size_t i = 0; i < query.range_table.size(); ++i) {
    const RangeEntry& e = *query.range_table[i];
    const bool written =
        query.command == CommandType::insert && static_cast<int>(i) + 1 == query.result_range;
    if (e.kind != RangeKind::relation || written) continue;
    RangeFacts& facts = facts_[i];
    facts.rows = TRY(relation_rows(*e.relation, &facts.pages));
    facts.statistics = TRY(context_.catalog.statistics(context_.fiber, e.relation->oid));
  }
  return {};
}

// A table's column, when that is all that `expr` is.
LevelPlanner::ColumnFacts LevelPlanner::column_facts(const Expr& expr, RangeSet outer) const {
  ColumnFacts out;
  const Expr& bare = strip_relabel(expr);
  if (bare.tag != ExprTag::var) return out;
  const auto& var = as<VarExpr>(bare);
  if (var.levels_up != 0 || var.range <= 0 || (range_bit(var.range) & outer) != 0) return out;
  out.var = &var;
  const RangeEntry& e = entry(var.range);
  if (e.kind != RangeKind::relation) return out;
  const RangeFacts& facts = facts_[static_cast<size_t>(var.range - 1)];
  out.rows = facts.rows;
  out.statistics = facts.statistics == nullptr ? nullptr : facts.statistics->column(var.attno);
  for (const CatalogIndex& index : e.relation->indexes) {
    if (index.unique && index.valid && index.keys == 1 && index.columns[0] == var.attno &&
        index.predicate.empty())
      out.unique = true;
  }
  return out;
}

double LevelPlanner::distinct_of(const ColumnFacts& column, Oid type, bool* is_default) const {
  *is_default = false;
  const double rows = std::max(1.0, column.rows);
  if (column.unique) return rows;
  if (column.statistics != nullptr && column.statistics->distinct != 0) {
    const double known = column.statistics->distinct;
    return std::max(1.0, std::rint(known > 0 ? known : -known * rows));
  }
  if (type == type_oid::bool_) return 2;
  if (column.var != nullptr && column.var->attno == kCtidAttno) return rows;
  *is_default = true;
  if (column.rows > 0 && rows < kDefaultDistinct) return rows;
  return kDefaultDistinct;
}

// column = value; null where the value is not known yet.
double LevelPlanner::equal_selectivity(const ColumnFacts& column, Oid type,
                                       const ConstantExpr* value) const {
  if (value != nullptr && value->value.is_null) return 0;
  if (column.unique && column.rows >= 1) return 1.0 / column.rows;
  bool is_default = false;
  const double distinct = distinct_of(column, type, &is_default);
  const StoredStatistics* s = column.statistics;
  if (s == nullptr) return 1.0 / distinct;
  if (value == nullptr || !comparable(value->type, type)) {
    double part = (1.0 - s->null_fraction) / std::max(1.0, distinct);
    if (!s->fractions.empty()) part = std::min(part, static_cast<double>(s->fractions[0]));
    return clamp(part);
  }
  double common = 0;
  for (size_t i = 0; i < s->common.size(); ++i) {
    if (s->compare(s->common[i], value->value.value) == 0) return s->fractions[i];
    common += s->fractions[i];
  }
  double part = clamp(1.0 - common - s->null_fraction);
  const double others = distinct - static_cast<double>(s->common.size());
  if (others > 1) part /= others;
  if (!s->fractions.empty()) part = std::min(part, static_cast<double>(s->fractions.back()));
  return clamp(part);
}

// column < value and its kin.
double LevelPlanner::inequality_selectivity(const ColumnFacts& column, Oid type, bool greater,
                                            bool or_equal, const ConstantExpr* value) const {
  if (value != nullptr && value->value.is_null) return 0;
  const StoredStatistics* s = column.statistics;
  if (s == nullptr || value == nullptr || !comparable(value->type, type) || s->compare == nullptr)
    return kDefaultInequality;
  const Datum v = value->value.value;
  double common = 0;
  double matching = 0;
  for (size_t i = 0; i < s->common.size(); ++i) {
    const int order = s->compare(s->common[i], v);
    common += s->fractions[i];
    if (order == 0 ? or_equal : (order > 0) == greater) matching += s->fractions[i];
  }
  double rest = 0.5;
  if (s->bounds.size() > 1) {
    const std::vector<Datum>& b = s->bounds;
    // How many bounds lie below the value.
    const auto below = static_cast<size_t>(
        std::partition_point(b.begin(), b.end(),
                             [&](Datum d) {
                               const int order = s->compare(d, v);
                               return order < 0 || (order == 0 && or_equal != greater);
                             }) -
        b.begin());
    const auto buckets = static_cast<double>(b.size() - 1);
    double part = 0;
    if (below == b.size())
      part = 1;
    else if (below > 0)
      part = (static_cast<double>(below - 1) + fraction_within(type, b[below - 1], b[below], v)) /
             buckets;
    rest = greater ? 1.0 - part : part;
    const double least = 0.01 / buckets;
    rest = std::clamp(rest, least, 1.0 - least);
  }
  return clamp((1.0 - s->null_fraction - common) * rest + matching);
}

// a = b of two tables: the part of all pairs.
double LevelPlanner::join_selectivity(const ColumnFacts& a, const ColumnFacts& b, Oid type) const {
  bool default_a = false;
  bool default_b = false;
  const double distinct_a = distinct_of(a, type, &default_a);
  const double distinct_b = distinct_of(b, type, &default_b);
  const double nulls_a = a.statistics == nullptr ? 0 : a.statistics->null_fraction;
  const double nulls_b = b.statistics == nullptr ? 0 : b.statistics->null_fraction;
  const bool both = a.statistics != nullptr && b.statistics != nullptr &&
                    !a.statistics->common.empty() && !b.statistics->common.empty() &&
                    a.statistics->compare == b.statistics->compare;
  if (!both) return (1.0 - nulls_a) * (1.0 - nulls_b) / std::max(distinct_a, distinct_b);
  const StoredStatistics& x = *a.statistics;
  const StoredStatistics& y = *b.statistics;
  std::vector<uint8_t> taken(y.common.size(), 0);
  double matched = 0;
  double matched_x = 0;
  double matched_y = 0;
  double common_x = 0;
  double common_y = 0;
  double matches = 0;
  for (const float f : y.fractions) common_y += f;
  for (size_t i = 0; i < x.common.size(); ++i) {
    common_x += x.fractions[i];
    for (size_t j = 0; j < y.common.size(); ++j) {
      if (taken[j] != 0 || x.compare(x.common[i], y.common[j]) != 0) continue;
      taken[j] = 1;
      matched += static_cast<double>(x.fractions[i]) * y.fractions[j];
      matched_x += x.fractions[i];
      matched_y += y.fractions[j];
      matches += 1;
      break;
    }
  }
  const double other_x = clamp(1.0 - nulls_a - common_x);
  const double other_y = clamp(1.0 - nulls_b - common_y);
  const double single_x = common_x - matched_x;
  const double single_y = common_y - matched_y;
  const auto total = [&](double single_a, double other_a, double nd_b, double values_b,
                         double single_b, double other_b) {
    double sum = matched;
    if (nd_b > values_b) sum += single_a * other_b / (nd_b - values_b);
    if (nd_b > matches) sum += other_a * (other_b + single_b) / (nd_b - matches);
    return sum;
  };
  const double by_y =
      total(single_x, other_x, distinct_b, static_cast<double>(y.common.size()), single_y, other_y);
  const double by_x =
      total(single_y, other_y, distinct_a, static_cast<double>(x.common.size()), single_x, other_x);
  return clamp(std::min(by_x, by_y));
}

double LevelPlanner::call_selectivity(const CallExpr& call, RangeSet outer) {
  const OperatorInfo* op = call.op ? context_.catalog.builtin().op(call.op) : nullptr;
  if (op == nullptr || call.args.size() != 2) return kDefaultInequality;
  const ColumnFacts left = column_facts(*call.args[0], outer);
  const ColumnFacts right = column_facts(*call.args[1], outer);
  const bool flipped = left.var == nullptr && right.var != nullptr;
  const ColumnFacts& column = flipped ? right : left;
  const Expr& other = strip_relabel(*call.args[flipped ? 0 : 1]);
  const auto* value = other.tag == ExprTag::constant ? &as<ConstantExpr>(other) : nullptr;
  const Oid type = call.args[flipped ? 1 : 0]->type;
  const bool joins =
      left.var != nullptr && right.var != nullptr && left.var->range != right.var->range;
  if (op->name == "=" || op->name == "<>") {
    double equal = kDefaultEqual;
    if (joins)
      equal = join_selectivity(left, right, type);
    else if (column.var != nullptr && entry(column.var->range).kind == RangeKind::relation)
      equal = equal_selectivity(column, type, value);
    else if (type == type_oid::bool_)
      equal = 0.5;
    if (op->name == "=") return equal;
    const double nulls =
        column.statistics == nullptr || joins ? 0 : column.statistics->null_fraction;
    return clamp(1.0 - equal - nulls);
  }
  if (op->name == "<" || op->name == "<=" || op->name == ">" || op->name == ">=") {
    if (column.var == nullptr || joins) return kDefaultInequality;
    const bool greater = (op->name[0] == '>') != flipped;
    return inequality_selectivity(column, type, greater, op->name.size() == 2, value);
  }
  if (op->name == "~~" || op->name == "~" || op->name == "~~*" || op->name == "~*")
    return kDefaultMatch;
  if (op->name == "!~~" || op->name == "!~" || op->name == "!~~*" || op->name == "!~*")
    return 1.0 - kDefaultMatch;
  return kDefaultInequality;
}

// = ANY and the like: element by element, as far as they are known.
double LevelPlanner::array_selectivity(const ScalarArrayExpr& sa, RangeSet outer) {
  std::vector<Expr*> elements;
  double count = 10;
  const Expr& array = strip_relabel(*sa.array);
  if (array.tag == ExprTag::array) {
    elements.assign(as<ArrayExpr>(array).elements.begin(), as<ArrayExpr>(array).elements.end());
    count = static_cast<double>(elements.size());
  } else if (array.tag == ExprTag::constant && !as<ConstantExpr>(array).value.is_null) {
    const Datum value = as<ConstantExpr>(array).value.value;
    const TypeInfo* type = find_builtin_type(ArrayView::element_type(value));
    if (type != nullptr) {
      for (const NullableDatum& element : ArrayView(value, *type).all()) {
        auto* made = arena_.make<ConstantExpr>();
        made->tag = ExprTag::constant;
        made->type = type->oid;
        made->value = element;
        elements.push_back(made);
      }
      count = static_cast<double>(elements.size());
    }
  }
  auto call = CallExpr{};
  call.tag = ExprTag::call;
  call.op = sa.op;
  Expr* args[2] = {sa.left, nullptr};
  call.args = args;
  double disjoint = 0;
  double combined = sa.use_or ? 0.0 : 1.0;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    Expr unknown{};
    unknown.tag = ExprTag::param;
    args[1] = elements.empty() ? &unknown : elements[i];
    const double one = call_selectivity(call, outer);
    disjoint += one;
    combined = sa.use_or ? combined + one - combined * one : combined * one;
  }
  const OperatorInfo* op = context_.catalog.builtin().op(sa.op);
  const bool equality = op != nullptr && op->name == "=";
  if (sa.use_or && equality && disjoint <= 1.0) return disjoint;
  return clamp(combined);
}

// A boolean column by itself.
double LevelPlanner::true_selectivity(const Expr& expr, RangeSet outer) const {
  const ColumnFacts column = column_facts(expr, outer);
  if (column.statistics == nullptr || column.statistics->common.empty()) return 0.5;
  const StoredStatistics& s = *column.statistics;
  for (size_t i = 0; i < s.common.size(); ++i) {
    if (s.common[i].as<bool>()) return s.fractions[i];
  }
  return clamp(1.0 - s.fractions[0] - s.null_fraction);
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
      if (b.kind == BooleanKind::and_)
        return selectivity(std::vector<Expr*>(b.args.begin(), b.args.end()), outer);
      double s = 0;
      for (const Expr* arg : b.args) {
        const double one = selectivity(*arg, outer);
        s = s + one - s * one;
      }
      return s;
    }
    case ExprTag::call:         return call_selectivity(as<CallExpr>(condition), outer);
    case ExprTag::scalar_array: return array_selectivity(as<ScalarArrayExpr>(condition), outer);
    case ExprTag::null_test:    {
      const auto& test = as<NullTestExpr>(condition);
      const ColumnFacts column = column_facts(*test.arg, outer);
      const double nulls =
          column.statistics == nullptr ? kDefaultNull : column.statistics->null_fraction;
      return test.is_null ? nulls : 1.0 - nulls;
    }
    case ExprTag::var:              return true_selectivity(condition, outer);
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
  struct Bounds {
    const Expr* value;
    double low, high;  // part of the rows above, below; -1 none
  };
  double s = 1.0;
  std::vector<Bounds> bounds;
  for (const Expr* condition : conditions) {
    const double one = selectivity(*condition, outer);
    const OperatorInfo* op = nullptr;
    if (condition->tag == ExprTag::call && as<CallExpr>(*condition).args.size() == 2)
      op = context_.catalog.builtin().op(as<CallExpr>(*condition).op);
    if (op == nullptr ||
        (op->name != "<" && op->name != "<=" && op->name != ">" && op->name != ">=")) {
      s *= one;
      continue;
    }
    const auto& call = as<CallExpr>(*condition);
    const bool flipped =
        call.args[0]->tag == ExprTag::constant || call.args[0]->tag == ExprTag::param;
    const Expr* value = call.args[flipped ? 1 : 0];
    const bool is_low = (op->name[0] == '>') != flipped;
    auto known = std::find_if(bounds.begin(), bounds.end(),
                              [&](const Bounds& b) { return expr_equal(b.value, value); });
    if (known == bounds.end()) known = bounds.insert(bounds.end(), Bounds{value, -1, -1});
    double& side = is_low ? known->low : known->high;
    side = side < 0 ? one : std::min(side, one);
  }
  for (const Bounds& b : bounds) {
    if (b.low < 0 || b.high < 0) {
      s *= b.low < 0 ? b.high : b.low;
      continue;
    }
    if (b.low == kDefaultInequality || b.high == kDefaultInequality) {
      s *= kDefaultRange;
      continue;
    }
    const ColumnFacts column = column_facts(*b.value, outer);
    const double nulls = column.statistics == nullptr ? 0 : column.statistics->null_fraction;
    const double both = b.low + b.high - 1.0 + nulls;
    s *= both > 0 ? both : both < -0.01 ? kDefaultRange : 1e-10;
  }
  return clamp(s);
}

double LevelPlanner::distinct_values(const Expr& expr, double rows) {
  if (expr.tag == ExprTag::constant) return 1;
  bool is_default = false;
  const double distinct = distinct_of(column_facts(expr, 0), expr.type, &is_default);
  return std::max(1.0, std::min(rows, distinct));
}

// How many groups `rows` rows fall into: of each table, the combinations of its columns' values, as
// many of them as so few of its rows are expected to show.
double LevelPlanner::group_count(const std::vector<Expr*>& groups, double rows) {
  struct Table {
    int range;
    double distinct = 1;
    int columns = 0;
  };
  std::vector<Table> tables;
  std::vector<const Expr*> seen;
  double result = 1;
  const auto add = [&](const Expr& e) {
    for (const Expr* known : seen) {
      if (expr_equal(known, &e)) return;
    }
    seen.push_back(&e);
    const ColumnFacts column = column_facts(e, 0);
    bool is_default = false;
    const double distinct = distinct_of(column, e.type, &is_default);
    if (column.var == nullptr || column.rows <= 0) {
      result *= distinct;
      return;
    }
    auto table = std::find_if(tables.begin(), tables.end(),
                              [&](const Table& t) { return t.range == column.var->range; });
    if (table == tables.end()) table = tables.insert(tables.end(), Table{column.var->range});
    table->distinct *= distinct;
    ++table->columns;
  };
  for (const Expr* group : groups) {
    if (group->type == type_oid::bool_) {
      result *= 2;
      continue;
    }
    const bool bare = strip_relabel(*group).tag == ExprTag::var;
    if (bare) {
      add(*group);
      continue;
    }
    // An expression has at most as many values as its columns have combinations.
    const auto columns_of = [&](const Expr& e, auto&& self) -> void {
      if (e.tag == ExprTag::var) return add(e);
      for_each_child(e, [&](const Expr& child) { self(child, self); });
    };
    columns_of(*group, columns_of);
  }
  for (Table& table : tables) {
    const RangeFacts& facts = facts_[static_cast<size_t>(table.range - 1)];
    const double all = std::max(1.0, facts.rows);
    double most = all;
    if (table.columns > 1) most = std::max(most * 0.1, 1.0);
    double distinct = std::min(table.distinct, most);
    const double shown = std::min(rows, all);
    if (shown < all) distinct *= 1.0 - std::pow((all - shown) / all, all / distinct);
    result *= std::max(1.0, std::rint(distinct));
  }
  return std::max(1.0, std::rint(std::min(result, rows)));
}

}  // namespace orrery
