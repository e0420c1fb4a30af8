// The planner's own pieces, one query level at a time. See planner.h.
//
// A Rel is a plan under construction: its node, and for each of the node's targets the expression
// it stands for in terms of the query's own range entries. What is built on top asks for
// expressions; a Rel that has no such target adds one (to its node, or further down where the node
// only passes rows on). References to children are written as kOuterVar/kInnerVar on the way: any
// expression equal to a child's target becomes a Var of it.
#pragma once

#include <memory>
#include <vector>

#include "plan/planner.h"

namespace orrery {

using RangeSet = uint64_t;  // bit n: range entry n + 1 of the level
constexpr RangeSet range_bit(int range) { return RangeSet{1} << (range - 1); }
constexpr int kMaxRanges = 64;
RangeSet ranges_below(const FromNode& node);  // of the items that it joins

struct OrderKey {
  Expr* expr;  // in terms of the query's range entries
  Oid sort_op;
  bool descending;
  bool nulls_first;
};

struct Rel {
  PlanNode* node = nullptr;
  RangeSet ranges = 0;
  std::vector<Expr*> base;  // what each target of `node` stands for
  Rel* left = nullptr;      // whose targets kOuterVar names
  Rel* right = nullptr;     // kInnerVar
  bool is_modify = false;
  bool passes_rows = false;          // the node does not project: its targets are its left child's
  bool left_nulls = false;           // an outer join: that side's columns may be NULL for want of
  bool right_nulls = false;          // a partner, so what is computed of them is computed above
  std::vector<OrderKey> order;       // of the rows; empty: unknown
  std::vector<TargetEntry> targets;  // of `node`; moved there by finish()
  // LATERAL items at or below it that nothing below has served: the entries they refer to, and the
  // parameters that carry the references. The join that meets an entry sets its parameters.
  RangeSet lateral = 0;
  std::vector<int> lateral_slots;
  std::vector<Expr*> lateral_values;
};

struct IndexClause {
  Expr* condition;  // as written
  IndexCondition match;
};

// What a B-tree can use of `clauses` as a range.
std::vector<IndexClause> usable_prefix(const std::vector<IndexClause>& clauses, int keys);

// What a scan of an index is expected to touch, and what that costs.
struct IndexProbe {
  double table_rows, table_pages, index_pages;
  double fraction;     // of the rows that the conditions let through
  size_t conditions;   // on the index
  double correlation;  // of the index's order with the table's
  double loops = 1;    // how often it is started
};
struct IndexCost {
  double startup;
  double index_total;  // without the table
  double total;
  double tuples;
};

// The calls of volatile functions in a statement whose order can be told.
struct Effects {
  int calls = 0;
  std::vector<Oid> sequences;  // each read by one nextval()
  bool can_be_told_apart() const { return calls + (sequences.empty() ? 0 : 1) > 1; }
};

// What all levels of one statement fill together.
struct PlanBuilder {
  Effects effects;
  std::vector<std::unique_ptr<Rel>> rels;
  std::vector<PlanNode*> subplan_list;
  std::vector<RangeEntry*> range_table;
  std::vector<RowMark> row_marks;
  int exec_params = 0;
};

// One query level.
class LevelPlanner {
 public:
  LevelPlanner(PlanContext& context, PlanBuilder& plan, LevelPlanner* parent)
      : context_(context), plan_(plan), parent_(parent), arena_(context.arena) {}

  // The whole query, with its CTEs, as a plan whose targets are the query's.
  Result<Rel*> plan_query(Query& query);

  // pull_up.cpp
  Status pull_up(Query& query);

  // push_down.cpp
  Result<bool> passes_through(const Query& sub, int number);
  Result<bool> can_push(const Query& sub, const Expr& condition);
  Result<bool> passes_set(const Query& query, const SetOpNode& set, int number,
                          const Expr& condition);
  void push_into(Query& sub, Expr* condition);
  void push_into_set(Query& query, const SetOpNode& set, Expr* condition);
  Result<std::vector<Expr*>> push_down(Query& sub, const std::vector<Expr*>& conditions);
  Status lower_having(Query& query);

  // query.cpp
  Result<Rel*> plan_select(Query& query);
  Result<Rel*> plan_set_operation(Query& query, SetOpNode& set);
  Result<Rel*> plan_recursive_union(SetOpNode& set);
  Result<Rel*> set_input(const SetOpNode& parent, SetOpNode& child, std::span<Expr* const> columns,
                         int flag);
  Expr* set_column(const SetOpNode& set, size_t c);
  Result<Rel*> plan_modify(Query& query);
  Status prepare_conflict(OnConflict& conflict, const RelationInfo& relation);
  std::span<TargetEntry> columns_of_child(std::span<const TargetEntry> targets);
  Expr* fix_returning(Expr* expr, int target, Rel* input);
  Result<Expr*> default_if_asked(const RelationInfo& relation, const TargetEntry& target);
  Status fill_in_defaults(Query& query);
  Expr* null_of(const RelationInfo& relation, int number);
  Result<Expr*> column_default(const RelationInfo& relation, int number);
  Result<std::vector<TargetEntry>> insert_targets(Query& query, const RelationInfo& relation);
  Expr* make_ctid(int range);
  bool can_recheck(const Query& query, RangeSet ranges) const;
  void add_recheck_tables(const Query& query, ModifyTablePlan& made, RangeSet ranges,
                          std::vector<TargetEntry>& targets);
  Result<Rel*> add_grouping(Query& query, Rel* input);
  Result<Rel*> add_windows(Query& query, Rel* input);
  Result<Rel*> add_distinct(Query& query, Rel* input);
  bool is_sorted_by(const Rel& input, std::span<const SortClause> order,
                    std::span<const TargetEntry> targets) const;
  Result<bool> is_late_target(const Query& query, const TargetEntry& target, bool any_volatile);
  Result<std::vector<TargetEntry>> targets_below_sort(const Query& query, bool* late_sets);
  Result<Rel*> project_and_sort(Query& query, Rel* rel, bool in_order);
  Result<Rel*> add_sort(Rel* input, std::span<const SortClause> order,
                        std::span<const TargetEntry> targets);
  Rel* add_limit(Query& query, Rel* input);
  Result<Rel*> add_row_marks(Query& query, Rel* input);
  Result<Rel*> project(Rel* input, std::span<const TargetEntry> targets, bool has_set_functions);
  Status plan_ctes(Query& query);

  // joins.cpp
  Result<Rel*> plan_from_clause(std::span<FromNode* const> from,
                                const std::vector<Expr*>& conditions);
  Result<Rel*> plan_from(std::span<FromNode* const> from, std::vector<Expr*> conditions);

  // scans.cpp
  Result<Rel*> scan(int range, const std::vector<Expr*>& conditions);
  Result<Rel*> scan_table(int range, const std::vector<Expr*>& conditions);
  // An index scan that gives the rows in `order`, and that is cheaper than to sort `input` when
  // only `limit` rows (all: -1) are wanted; else null.
  Result<Rel*> ordered_scan(const Query& query, const Rel& input,
                            const std::vector<Expr*>& conditions, double limit);
  Result<bool> index_gives_order(const Query& query, int range, const CatalogIndex& index,
                                 const std::vector<IndexClause>& used, bool* backward);
  Result<Rel*> scan_subquery(int range, const std::vector<Expr*>& conditions);
  Result<Rel*> scan_cte(int range, const std::vector<Expr*>& conditions);
  Expr* parameterize(Expr* expr, int range, std::vector<int>& slots, std::vector<Expr*>& values);
  Expr* sibling_params(Expr* expr, Rel& lateral);
  void carry_lateral(const Rel& from, Rel& to) const;
  void note_lateral(Rel& rel, const std::vector<int>& uses);
  Result<IndexProbe> index_probe(const CatalogIndex& index, int range,
                                 const std::vector<IndexClause>& used);
  Result<IndexScanPlan*> make_index_scan(const CatalogIndex& index, int range,
                                         const std::vector<IndexClause>& used,
                                         const std::vector<Expr*>& conditions);
  Result<Rel*> scan_in_order(int range, const std::vector<Expr*>& conditions, const OrderKey& key,
                             double out_rows);
  Result<std::vector<OrderKey>> index_order(int range, const CatalogIndex& index,
                                            const std::vector<IndexClause>& used, bool backward);
  // An index scan whose keys come from `outer`; null when no index suits.
  Result<Rel*> parameterized_scan(int range, const std::vector<Expr*>& own,
                                  const std::vector<Expr*>& joining, RangeSet outer, double loops,
                                  std::vector<int>& slots, std::vector<Expr*>& values);
  Result<bool> is_key_equality(const ScalarArrayExpr& sa, Oid family);
  Result<std::vector<IndexClause>> match_index(const CatalogIndex& index, int range,
                                               const std::vector<Expr*>& conditions,
                                               RangeSet outer);

  // bitmaps.cpp
  struct BitmapPart {
    PlanNode* node = nullptr;
    double cost = 0;
    double fraction = 0;            // of the rows
    std::vector<Expr*> conditions;  // that it is about ...
    bool answers = true;            // ... and wholly answers; else they are a filter as well
    std::vector<Expr*> recheck;     // what the indexes were asked
  };
  Result<BitmapHeapScanPlan*> bitmap_scan(int range, const std::vector<Expr*>& conditions,
                                          double limit);
  BitmapHeapScanPlan* bitmap_over(IndexScanPlan& index, double cost);
  Result<BitmapPart> bitmap_part(int range, const CatalogIndex& index,
                                 const std::vector<Expr*>& conditions);
  Result<BitmapPart> bitmap_or(int range, Expr* condition);
  BitmapHeapScanPlan* make_bitmap(const std::vector<const BitmapPart*>& chosen,
                                  const std::vector<Expr*>& conditions, double startup,
                                  double cost);

  // expressions.cpp
  // Replaces outer references by parameters and sublinks by subplans.
  void set_constants_apart(Query& query);
  Result<Expr*> prepare(Expr* expr);
  Status note_effects(const CallExpr& call);
  void note_values(const Effects& before);
  Expr* outer_param(const VarExpr& var, int levels_up);
  Expr* outer_value(Expr* own, int levels_up);
  Expr* outer_aggregate(const AggregateExpr& aggregate);
  void note_use(int slot);
  void note_param(int slot);
  Result<Expr*> make_subplan(SublinkExpr& link);
  Result<bool> can_hash_test(const SubPlanExpr& plan);
  Result<Expr*> fold(Expr* expr);
  Result<Expr*> fold_boolean(BooleanExpr& expr);
  Result<Volatility> volatility(const Expr& expr);
  RangeSet ranges_of(const Expr& expr) const;
  void split_and(Expr* expr, std::vector<Expr*>& out);
  Expr* join_and(const std::vector<Expr*>& conditions);

  // rels.cpp
  Rel* make_rel(PlanNode* node, RangeSet ranges, Rel* left = nullptr, Rel* right = nullptr);
  static int position_of(const Rel& rel, const Expr& expr);  // -1: it is no target
  // Position (0-based) of `expr` among the Rel's targets, added if need be.
  int require(Rel& rel, Expr* expr);
  void pass_column(Rel& rel);  // the next column of the child of a Rel that passes rows on
  // `expr` over the children of a node.
  Expr* fix(Expr* expr, Rel* left, Rel* right);
  Expr* fix_output(Expr* expr, const Rel& rel);  // of the rows the Rel gives, not of its pairs
  struct ChildRel {
    Rel* rel;
    int range;          // kOuterVar or kInnerVar
    bool columns_only;  // of its targets, those that compute something are not for use
  };
  Expr* fix_over(Expr* expr, std::span<const ChildRel> children);
  bool computed_below(const Rel& side, const Expr& expr) const;
  Rel* pass_rel(PlanNode* node, Rel* input);  // sort, material, limit ...: rows as they are
  static bool is_trivial(const PlanNode& node);
  void finish(Rel& rel);
  bool covers(const CatalogIndex& index, const RelationInfo& relation, const Expr& expr) const;

  // selectivity.cpp. Columns of `outer` have some value each, that is not known.
  struct ColumnFacts {
    const VarExpr* var = nullptr;
    double rows = 0;  // of its table
    const StoredStatistics* statistics = nullptr;
    bool unique = false;
  };
  Status load_facts(const Query& query);
  double selectivity(const Expr& condition, RangeSet outer);
  double selectivity(const std::vector<Expr*>& conditions, RangeSet outer);
  double call_selectivity(const CallExpr& call, RangeSet outer);
  double array_selectivity(const ScalarArrayExpr& sa, RangeSet outer);
  double true_selectivity(const Expr& expr, RangeSet outer) const;
  double equal_selectivity(const ColumnFacts& column, Oid type, const ConstantExpr* value) const;
  double inequality_selectivity(const ColumnFacts& column, Oid type, bool greater, bool or_equal,
                                const ConstantExpr* value) const;
  double join_selectivity(const ColumnFacts& a, const ColumnFacts& b, Oid type) const;
  ColumnFacts column_facts(const Expr& expr, RangeSet outer) const;
  double distinct_of(const ColumnFacts& column, Oid type, bool* is_default) const;
  double distinct_values(const Expr& expr, double rows);
  double group_count(const std::vector<Expr*>& groups, double rows);

  // costs.cpp
  IndexCost cost_index(const IndexProbe& probe) const;
  double cost_bitmap_heap(double index_total, double tuples, double table_pages,
                          double loops) const;
  Result<double> relation_rows(const RelationInfo& relation, uint32_t* pages);
  int width_of(const std::vector<Expr*>& exprs);
  void cost_sort(PlanNode& node, const PlanNode& input, double limit);
  double operator_cost(const Expr* expr);

  int new_param() { return plan_.exec_params++; }
  const RangeEntry& entry(int range) const {
    return *query_->range_table[static_cast<size_t>(range - 1)];
  }
  int flat_range(int range) const { return range_offset_ + range; }
  template <class T>
  T* node(PlanTag tag) {
    T* made = arena_.make<T>();
    made->tag = tag;
    return made;
  }

  PlanContext& context_;
  PlanBuilder& plan_;
  LevelPlanner* parent_;
  Arena& arena_;
  Query* query_ = nullptr;
  int range_offset_ = 0;  // of this level's entries in Plan::range_table

  struct OuterParam {
    Expr* value;  // a column or an aggregate of this level (levels_up 0)
    int slot;
  };
  std::vector<OuterParam> params_;  // this level's columns that subplans below read
  std::vector<int> uses_;  // exec slots set outside this level that it, or a level below it, reads
  struct CtePlan {
    int subplan = -1;
    int param = -1;
    Rel* rel = nullptr;
    int work_table = -1;  // a slot, while the recursive term is planned
    double rows = 0;
    std::vector<int> uses;  // exec slots set around this level that it reads
  };
  std::vector<CtePlan> ctes_;
  struct RangeFacts {  // of a table
    double rows = 0;
    uint32_t pages = 0;
    const RelationStatistics* statistics = nullptr;
  };
  std::vector<RangeFacts> facts_;  // by range - 1
  const CommonTable* recursive_cte_ =
      nullptr;                // set for the level that is a recursive CTE's query ...
  int recursive_index_ = -1;  // ... with its number in the parent's ctes_
};

}  // namespace orrery
