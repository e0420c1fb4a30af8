// Rewriting a query before it is planned, so that the search for a join order sees more of it:
// EXISTS and IN become semi joins, NOT EXISTS an anti join; subqueries in FROM, and views, that
// only select and join become part of the query around them.
//
// Query trees belong to the plan being made: they are changed in place, expressions are copied.
#include "analyze/walk.h"
#include "plan/planner_internal.h"
#include "plan/query_walk.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

class PullUp {
 public:
  PullUp(LevelPlanner& planner, Query& query)
      : p_(planner), arena_(planner.arena_), query_(query) {}

  Status run() {
    if (query_.command != CommandType::select || query_.set_operations != nullptr) return {};
    TRY(sublinks());
    return subqueries();
  }

 private:
  // Sublinks.

  // Conditions of WHERE that are sublinks become joins.
  Status sublinks() {
    if (!query_.has_sublinks || query_.where == nullptr || query_.from.empty()) return {};
    std::vector<Expr*> conditions;
    p_.split_and(query_.where, conditions);
    std::vector<Expr*> rest;
    for (Expr* condition : conditions) {
      const bool joined = TRY(join_sublink(*condition));
      if (!joined) rest.push_back(condition);
    }
    if (rest.size() < conditions.size()) query_.where = p_.join_and(rest);
    return {};
  }

  Result<bool> join_sublink(Expr& condition) {
    Expr* inner = &condition;
    bool negated = false;
    if (inner->tag == ExprTag::boolean && as<BooleanExpr>(*inner).kind == BooleanKind::not_) {
      inner = as<BooleanExpr>(*inner).args[0];
      negated = true;
    }
    if (inner->tag != ExprTag::sublink) return false;
    auto& link = as<SublinkExpr>(*inner);
    if (link.kind == SublinkKind::exists) return join_exists(*link.subquery, negated);
    if (link.kind == SublinkKind::any && !negated) return join_any(link);
    return false;
  }

  Result<bool> join_exists(Query& sub, bool negated) {
    if (sub.command != CommandType::select || sub.set_operations != nullptr || sub.has_aggregates ||
        sub.has_windows || sub.has_set_functions || !sub.grouping_sets.empty() ||
        sub.having != nullptr || sub.limit_count != nullptr || sub.limit_offset != nullptr ||
        !sub.row_marks.empty() || !sub.ctes.empty() || sub.from.empty() || sub.where == nullptr ||
        !has_room(sub))
      return false;
    TRY(PullUp(p_, sub).run());
    Expr* const where = sub.where;
    if (where == nullptr) return false;
    // Only WHERE may look out, and it has to.
    if (!looks_out(where, nullptr)) return false;
    const Volatility how = TRY(p_.volatility(*where));
    if (from_looks_out(sub) || how == Volatility::volatile_) return false;
    sub.targets = {};
    sub.group_by = sub.distinct = sub.order_by = {};
    adopt(sub);
    join(negated ? JoinKind::anti : JoinKind::semi, cross(sub.from), sub.where);
    return true;
  }

  // left op ANY (SELECT ...): the subquery becomes an entry of its own.
  Result<bool> join_any(SublinkExpr& link) {
    Query& sub = *link.subquery;
    if (sub.command != CommandType::select || looks_out(nullptr, &sub) ||
        query_.range_table.size() >= kMaxRanges || link.test == nullptr)
      return false;
    const Volatility how = TRY(p_.volatility(*link.test));
    if (how == Volatility::volatile_ || p_.ranges_of(*link.test) == 0) return false;
    if (any_expr(*link.test, [](const Expr& e) { return e.tag == ExprTag::sublink; })) return false;
    RangeEntry* entry = entry_of(sub);
    std::vector<RangeEntry*> entries(query_.range_table.begin(), query_.range_table.end());
    entries.push_back(entry);
    query_.range_table = arena_.copy_array(entries);
    auto* leaf = arena_.make<FromNode>();
    leaf->range = static_cast<int>(entries.size());
    join(JoinKind::semi, leaf, columns_for_params(link.test, *entry, leaf->range));
    return true;
  }

  RangeEntry* entry_of(Query& sub) {
    auto* entry = arena_.make<RangeEntry>();
    entry->kind = RangeKind::subquery;
    entry->alias = "ANY_subquery";
    entry->subquery = &sub;
    std::vector<std::string_view> names;
    std::vector<Oid> types, collations;
    std::vector<int32_t> typmods;
    for (const TargetEntry& target : sub.targets) {
      if (target.junk) continue;
      names.push_back(target.name);
      types.push_back(target.expr->type);
      typmods.push_back(target.expr->typmod);
      collations.push_back(target.expr->collation);
    }
    entry->columns = arena_.copy_array(names);
    entry->column_types = arena_.copy_array(types);
    entry->column_typmods = arena_.copy_array(typmods);
    entry->column_collations = arena_.copy_array(collations);
    return entry;
  }

  // A sublink's test reads the subquery's columns as exec parameters 0 ...
  Expr* columns_for_params(Expr* e, const RangeEntry& entry, int range) {
    if (e->tag == ExprTag::param && as<ParamExpr>(*e).kind == ParamKind::exec) {
      const auto column = static_cast<size_t>(as<ParamExpr>(*e).id);
      if (column >= entry.columns.size()) return e;
      auto* var = arena_.make<VarExpr>();
      static_cast<Expr&>(*var) = *e;
      var->tag = ExprTag::var;
      var->range = range;
      var->attno = static_cast<int>(column) + 1;
      return var;
    }
    return map_children(arena_, e,
                        [&](Expr* child) { return columns_for_params(child, entry, range); });
  }

  void join(JoinKind kind, FromNode* right, Expr* condition) {
    auto* node = arena_.make<FromNode>();
    node->is_join = true;
    node->join_type = kind;
    node->left = cross(query_.from);
    node->right = right;
    node->condition = condition;
    query_.from = arena_.copy_array(std::vector<FromNode*>{node});
  }
  FromNode* cross(std::span<FromNode* const> from) {
    FromNode* all = from[0];
    for (size_t i = 1; i < from.size(); ++i) {
      auto* node = arena_.make<FromNode>();
      node->is_join = true;
      node->join_type = JoinKind::inner;
      node->left = all;
      node->right = from[i];
      all = node;
    }
    return all;
  }

  // Subqueries.

  Status subqueries() {
    std::vector<Expr*> where;
    for (FromNode*& node : query_.from) TRY(pull_from(&node, {}, where));
    add_conditions(query_.where, where);
    return {};
  }
  void add_conditions(Expr*& to, std::vector<Expr*>& more) {
    if (more.empty()) return;
    // PostgreSQL's order: what lay further in comes first.
    std::vector<Expr*> all = more;
    p_.split_and(to, all);
    to = p_.join_and(all);
  }

  // What the joins above an item allow.
  struct Place {
    bool nullable = false;  // its columns may be NULL above
    bool may_filter = true;
    const FromNode* outer_join = nullptr;  // the closest; its condition sees nothing outside it
  };

  // What a subquery's WHERE asks goes to `conditions`, as far as `may_filter` lets it.
  Status pull_from(FromNode** node, Place place, std::vector<Expr*>& conditions) {
    FromNode& at = **node;
    if (!at.is_join) return pull_leaf(node, place, conditions);
    const bool full = at.join_type == JoinKind::full;
    if (full || at.join_type == JoinKind::left || at.join_type == JoinKind::right)
      place.outer_join = &at;
    place.may_filter = place.may_filter && !full;
    Place left = place;
    Place right = place;
    left.nullable = place.nullable || full || at.join_type == JoinKind::right;
    right.nullable = place.nullable || full || at.join_type == JoinKind::left;
    std::vector<Expr*> own;  // of the side that ON filters
    const bool on_left = at.join_type == JoinKind::right;
    const bool on_right = at.join_type == JoinKind::left || at.join_type == JoinKind::semi ||
                          at.join_type == JoinKind::anti;
    TRY(pull_from(&at.left, left, on_left ? own : conditions));
    TRY(pull_from(&at.right, right, on_right ? own : conditions));
    add_conditions(at.condition, own);
    return {};
  }

  Status pull_leaf(FromNode** node, const Place& place, std::vector<Expr*>& conditions) {
    const int range = (*node)->range;
    RangeEntry& entry = *query_.range_table[static_cast<size_t>(range - 1)];
    if (entry.kind != RangeKind::subquery) return {};
    Query& sub = *entry.subquery;
    TRY(PullUp(p_, sub).run());
    const bool simple = TRY(is_simple(sub, place.nullable));
    if (!simple || (entry.lateral && (refers_past(sub, place) || from_looks_out(sub))) ||
        (sub.where != nullptr && !place.may_filter) || is_marked(range) || reads_whole_row(range))
      return {};
    // The entry stays for the rights it asks for, but nothing reads it.
    auto* shadow = arena_.make<RangeEntry>(entry);
    shadow->kind = RangeKind::result;
    shadow->subquery = nullptr;
    query_.range_table[static_cast<size_t>(range - 1)] = shadow;
    adopt(sub);
    std::vector<Expr*> columns;
    for (const TargetEntry& target : sub.targets) {
      if (!target.junk) columns.push_back(target.expr);
    }
    replace(range, columns);
    for (Expr*& condition : conditions) condition = replaced(condition, range, columns);
    if (sub.where != nullptr) p_.split_and(sub.where, conditions);
    query_.has_sublinks = query_.has_sublinks || sub.has_sublinks;
    *node = cross(sub.from);
    return {};
  }

  bool has_room(const Query& sub) const {
    return query_.range_table.size() + sub.range_table.size() <= kMaxRanges;
  }

  Result<bool> is_simple(const Query& sub, bool nullable) {
    if (sub.command != CommandType::select || sub.set_operations != nullptr || sub.has_aggregates ||
        sub.has_windows || sub.has_set_functions || !sub.group_by.empty() ||
        !sub.grouping_sets.empty() || sub.having != nullptr || !sub.distinct.empty() ||
        !sub.order_by.empty() || sub.limit_count != nullptr || sub.limit_offset != nullptr ||
        !sub.row_marks.empty() || !sub.ctes.empty() || sub.from.empty() || !has_room(sub))
      return false;
    for (const TargetEntry& target : sub.targets) {
      const Expr& e = *target.expr;
      if (any_expr(e, [](const Expr& x) { return x.tag == ExprTag::sublink; })) return false;
      if (nullable && (e.tag != ExprTag::var || as<VarExpr>(e).levels_up != 0)) return false;
      const Volatility how = TRY(p_.volatility(e));
      if (how == Volatility::volatile_) return false;
    }
    return true;
  }

  bool is_marked(int range) const {
    return std::any_of(query_.row_marks.begin(), query_.row_marks.end(),
                       [&](const RowMark& mark) { return mark.range == range; });
  }

  // Both.

  // Anything in `e` or `sub` that belongs to the query around `sub`, or further out.
  bool looks_out(Expr* e, Query* sub) {
    bool found = false;
    const auto change = [&](Expr* x, int depth) -> Expr* {
      if (x->tag == ExprTag::var) found = found || as<VarExpr>(*x).levels_up > depth;
      if (x->tag == ExprTag::aggregate) found = found || as<AggregateExpr>(*x).levels_up > depth;
      if (x->tag == ExprTag::grouping) found = found || as<GroupingExpr>(*x).levels_up > depth;
      return x;
    };
    const auto note = [](RangeEntry&, int) {};
    QueryWalk walk(arena_, change, note);
    if (e != nullptr) walk.expr(e, 0);
    if (sub != nullptr) walk.query(*sub, 0);
    return found;
  }

  // To entries of ours beyond the closest outer join: what it says would become part of that join's
  // condition, or of the ones below it.
  bool refers_past(Query& sub, const Place& place) {
    if (place.outer_join == nullptr) return false;
    const RangeSet within = ranges_below(*place.outer_join);
    bool found = false;
    const auto change = [&](Expr* x, int depth) -> Expr* {
      if (x->tag == ExprTag::var && as<VarExpr>(*x).levels_up == depth + 1)
        found = found || (range_bit(as<VarExpr>(*x).range) & ~within) != 0;
      return x;
    };
    const auto note = [](RangeEntry&, int) {};
    QueryWalk(arena_, change, note).query(sub, 0);
    return found;
  }

  // Other than in its targets and WHERE.
  bool from_looks_out(Query& sub) {
    const std::span<TargetEntry> targets = std::exchange(sub.targets, {});
    Expr* const where = std::exchange(sub.where, nullptr);
    const bool found = looks_out(nullptr, &sub);
    sub.targets = targets;
    sub.where = where;
    return found;
  }

  bool reads_whole_row(int range) {
    bool found = false;
    const auto change = [&](Expr* x, int depth) -> Expr* {
      if (x->tag == ExprTag::var && as<VarExpr>(*x).levels_up == depth &&
          as<VarExpr>(*x).range == range && as<VarExpr>(*x).attno <= 0)
        found = true;
      return x;
    };
    const auto note = [](RangeEntry&, int) {};
    QueryWalk(arena_, change, note).query(query_, 0);
    return found;
  }

  // Makes what `sub` says of its own entries say it of ours, which they join, and what it says of
  // queries further out one level less far.
  void adopt(Query& sub) {
    const int offset = static_cast<int>(query_.range_table.size());
    const auto change = [&](Expr* e, int depth) -> Expr* {
      if (e->tag == ExprTag::var) {
        auto& var = as<VarExpr>(*e);
        if (var.levels_up < depth) return e;
        auto* made = arena_.make<VarExpr>(var);
        if (var.levels_up == depth)
          made->range += offset;
        else
          --made->levels_up;
        return made;
      }
      if (e->tag == ExprTag::aggregate && as<AggregateExpr>(*e).levels_up > depth) {
        auto* made = arena_.make<AggregateExpr>(as<AggregateExpr>(*e));
        --made->levels_up;
        return made;
      }
      if (e->tag == ExprTag::grouping && as<GroupingExpr>(*e).levels_up > depth) {
        auto* made = arena_.make<GroupingExpr>(as<GroupingExpr>(*e));
        --made->levels_up;
        return made;
      }
      return e;
    };
    const auto note = [](RangeEntry& entry, int depth) {
      if (entry.kind == RangeKind::cte && entry.cte_levels_up > depth) --entry.cte_levels_up;
    };
    QueryWalk(arena_, change, note).query(sub, 0);
    for (FromNode* node : sub.from) shift(*node, offset);
    std::vector<RangeEntry*> entries(query_.range_table.begin(), query_.range_table.end());
    entries.insert(entries.end(), sub.range_table.begin(), sub.range_table.end());
    query_.range_table = arena_.copy_array(entries);
  }
  static void shift(FromNode& node, int offset) {
    if (node.range > 0) node.range += offset;
    if (!node.is_join) return;
    shift(*node.left, offset);
    shift(*node.right, offset);
  }

  // Columns of entry `range` become these expressions, everywhere in our query.
  void replace(int range, const std::vector<Expr*>& columns) {
    const auto change = [&](Expr* e, int depth) -> Expr* {
      if (e->tag != ExprTag::var) return e;
      const auto& var = as<VarExpr>(*e);
      if (var.levels_up != depth || var.range != range) return e;
      return raised(columns[static_cast<size_t>(var.attno - 1)], depth);
    };
    const auto note = [](RangeEntry&, int) {};
    QueryWalk(arena_, change, note).query(query_, 0);
  }
  Expr* replaced(Expr* e, int range, const std::vector<Expr*>& columns) {
    const auto change = [&](Expr* x, int depth) -> Expr* {
      if (x->tag != ExprTag::var) return x;
      const auto& var = as<VarExpr>(*x);
      if (var.levels_up != depth || var.range != range) return x;
      return raised(columns[static_cast<size_t>(var.attno - 1)], depth);
    };
    const auto note = [](RangeEntry&, int) {};
    return QueryWalk(arena_, change, note).expr(e, 0);
  }
  // The expression as it reads from `depth` levels further in.
  Expr* raised(Expr* e, int depth) {
    if (depth == 0) return e;
    if (e->tag == ExprTag::var) {
      auto* made = arena_.make<VarExpr>(as<VarExpr>(*e));
      made->levels_up += depth;
      return made;
    }
    return map_children(arena_, e, [&](Expr* child) { return raised(child, depth); });
  }

  LevelPlanner& p_;
  Arena& arena_;
  Query& query_;
};

}  // namespace

Status LevelPlanner::pull_up(Query& query) { return PullUp(*this, query).run(); }

}  // namespace orrery
