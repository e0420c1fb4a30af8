// Aggregation: plain, over sorted input, and by hashing; grouping sets keep a table of groups each.
//
// A group is the row that opened it, with its aggregates' states beside it. What stands above
// aggregates (targets, HAVING) is computed over batches laid out as: the child's columns (of the
// group's first row), the aggregates' results, GROUPING's.
#include "analyze/walk.h"
#include "base/text.h"
#include "exec/detoast.h"
#include "exec/functions.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/shared_rows.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// One aggregate of the node.
struct AggregateState {
  const AggregateExpr* expr;
  const AggregateKernel* kernel;
  CallSite site;
  std::vector<Evaluator> args;  // junk ones (ORDER BY only) too
  std::vector<ColumnDesc> arg_descs;
  size_t direct_args = 0;  // how many of args the kernel takes
  std::optional<Evaluator> filter;
  size_t offset = 0;            // of its state within a group's states
  std::vector<KeyColumn> sort;  // of ORDER BY or DISTINCT: rows are kept and fed in at the end
  size_t distinct_keys = 0;
};

struct Group {
  StoredRow* row;
  char* states;
};

class AggregateOperator final : public Operator {
 public:
  AggregateOperator(ExecContext& context, const AggregatePlan& plan)
      : Operator(context, plan),
        agg_(plan),
        arena_(&context.budget),
        state_arena_(&context.budget),
        projection_(context) {}

  Status open() override {
    width_ = plan_.left->targets.size();
    child_ = TRY(make_operator(context_, *plan_.left));
    TRY(collect());
    descs_ = TRY(column_descs(context_, plan_.left->targets));
    TRY(make_sets());
    const auto column_of = [this](const Expr& leaf) { return layout(leaf); };
    TRY(projection_.compile(plan_, column_of));
    columns_ = make_columns(context_.arena, width_ + aggregates_.size() + groupings_.size());
    kept_.resize(kBatchRows);
    return {};
  }

  Result<Batch*> next() override {
    arena_.reset();
    if (agg_.strategy == AggStrategy::sorted) return next_sorted();
    if (!computed_) TRY(consume());
    while (set_at_ < sets_.size()) {
      Batch* out = TRY(emit());
      if (out != nullptr) return out;
    }
    return nullptr;
  }

  Status rescan() override {
    forget();
    return child_->rescan();
  }
  bool restart() override {
    forget();
    return child_->restart();
  }

 private:
  void forget() {
    computed_ = false;
    set_at_ = group_at_ = 0;
    state_arena_.clear();
    deferred_.clear();
    for (auto& set : sets_) {
      set->groups.clear();
      set->table->clear();
    }
    pending_ = nullptr;
    open_ = false;
    input_done_ = false;
  }

  struct GroupSet {
    std::vector<KeyColumn> keys;
    std::vector<uint8_t>
        null_columns;       // by child column: a grouping column that this set leaves out
    std::vector<int> kept;  // indexes into AggregatePlan::groups
    std::unique_ptr<RowSet> table;
    std::vector<Group> groups;
  };

  int layout(const Expr& leaf) const {
    if (leaf.tag == ExprTag::aggregate) {
      for (size_t i = 0; i < aggregates_.size(); ++i) {
        if (expr_equal(aggregates_[i].expr, &leaf)) return static_cast<int>(width_ + i);
      }
    }
    if (leaf.tag == ExprTag::grouping) {
      for (size_t i = 0; i < groupings_.size(); ++i) {
        if (groupings_[i] == &leaf) return static_cast<int>(width_ + aggregates_.size() + i);
      }
    }
    return outer_column(leaf);
  }

  void find(const Expr& e) {
    if (e.tag == ExprTag::grouping) groupings_.push_back(&as<GroupingExpr>(e));
    if (e.tag == ExprTag::aggregate) {
      for (const AggregateState& known : aggregates_) {
        if (expr_equal(known.expr, &e)) return;
      }
      AggregateState state{};
      state.expr = &as<AggregateExpr>(e);
      aggregates_.push_back(std::move(state));
      return;
    }
    for_each_child(e, [this](const Expr& child) { find(child); });
  }

  Status collect() {
    for (const TargetEntry& target : plan_.targets) find(*target.expr);
    if (plan_.filter != nullptr) find(*plan_.filter);
    for (AggregateState& a : aggregates_) {
      a.kernel = find_aggregate(a.expr->function);
      if (a.kernel == nullptr) {
        const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, a.expr->function));
        return unsupported(cat("aggregate function ", info == nullptr ? "" : info->name));
      }
      std::vector<Oid> types;
      for (const TargetEntry& arg : a.expr->args) {
        a.args.push_back(TRY(Evaluator::compile(context_, *arg.expr, outer_column)));
        a.arg_descs.push_back(TRY(type_desc(context_, arg.expr->type)));
        if (!arg.junk) types.push_back(arg.expr->type);
      }
      a.direct_args = types.size();
      a.site.function = a.expr->function;
      a.site.result_type = a.expr->type;
      a.site.argument_types = context_.arena.copy_array(types);
      a.site.collation = a.expr->input_collation;
      if (a.expr->filter != nullptr)
        a.filter = TRY(Evaluator::compile(context_, *a.expr->filter, outer_column));
      TRY(sort_of(a));
      a.offset = states_bytes_;
      states_bytes_ += (std::max<size_t>(a.kernel->state_bytes, sizeof(void*)) + 15) / 16 * 16;
    }
    return {};
  }

  // ORDER BY and DISTINCT inside an aggregate: by argument position.
  Status sort_of(AggregateState& a) {
    auto add = [&](const SortClause& item) -> Status {
      for (size_t i = 0; i < a.expr->args.size(); ++i) {
        if (a.expr->args[i].ref != item.target) continue;
        KeyColumn key = TRY(key_of_type(context_, a.expr->args[i].expr->type, static_cast<int>(i)));
        key.descending = item.descending;
        key.nulls_first = item.nulls_first;
        a.sort.push_back(key);
      }
      return {};
    };
    for (const SortClause& item : a.expr->order_by) TRY(add(item));
    for (const SortClause& item : a.expr->distinct) {
      const bool sorted = std::any_of(a.expr->order_by.begin(), a.expr->order_by.end(),
                                      [&](const SortClause& o) { return o.target == item.target; });
      if (!sorted) TRY(add(item));
    }
    a.distinct_keys = a.expr->distinct.size();
    return {};
  }

  Status make_sets() {
    const std::vector<KeyColumn> all = TRY(group_keys(context_, agg_.groups, *plan_.left));
    const size_t count = std::max<size_t>(1, agg_.grouping_sets.size());
    for (size_t s = 0; s < count; ++s) {
      auto set = std::make_unique<GroupSet>();
      set->null_columns.assign(width_, 0);
      for (size_t g = 0; g < all.size(); ++g) {
        const bool kept = agg_.grouping_sets.empty() ||
                          std::find(agg_.grouping_sets[s].begin(), agg_.grouping_sets[s].end(),
                                    static_cast<int>(g)) != agg_.grouping_sets[s].end();
        if (kept) {
          set->keys.push_back(all[g]);
          set->kept.push_back(static_cast<int>(g));
          if (agg_.strategy == AggStrategy::hashed && all[g].hash == nullptr)
            return unsupported("hashing of this type");
        } else {
          set->null_columns[static_cast<size_t>(all[g].column)] = 1;
        }
      }
      set->table = std::make_unique<RowSet>(context_, descs_, set->keys);
      sets_.push_back(std::move(set));
    }
    return {};
  }

  Result<char*> new_states() {
    char* states =
        static_cast<char*>(state_arena_.allocate(std::max<size_t>(states_bytes_, 1), 16));
    std::memset(states, 0, states_bytes_);
    EvalContext eval{context_.fiber, state_arena_, context_.arena, context_.session};
    for (AggregateState& a : aggregates_) {
      if (!a.sort.empty()) {
        deferred_.push_back(std::make_unique<SharedRows>(context_, a.arg_descs));
        store<SharedRows*>(states + a.offset, deferred_.back().get());
      } else if (a.kernel->init != nullptr) {
        TRY(a.kernel->init(eval, a.site, states + a.offset));
      }
    }
    return states;
  }

  // The groups that rows of a batch belong to, new ones made on the way.
  Status find_groups(GroupSet& set, const Batch& in, std::vector<char*>& out) {
    out.resize(in.rows.count);
    if (set.keys.empty()) {
      if (set.groups.empty()) {
        StoredRow* row = set.table->store().add(in.columns, in.rows[0]);
        char* states = TRY(new_states());
        set.groups.push_back({row, states});
      }
      std::fill(out.begin(), out.end(), set.groups[0].states);
      return {};
    }
    for (uint32_t i = 0; i < in.rows.count; ++i) {
      const uint32_t row = in.rows[i];
      const uint64_t hash = set.table->hash(in.columns, row);
      StoredRow* found = set.table->find(in.columns, row, hash);
      if (found == nullptr) {
        found = set.table->add(in.columns, row, hash);
        char* states = TRY(new_states());
        found->payload = states;
        set.groups.push_back({found, states});
      }
      out[i] = static_cast<char*>(found->payload);
    }
    return {};
  }

  Status detoast_keys(Batch& in) {
    for (const GroupColumn& group : agg_.groups) {
      const auto c = static_cast<size_t>(group.column - 1);
      TRY(detoast_column(context_, arena_, in.columns[c], in.rows, descs_[c]));
    }
    return {};
  }

  Status consume() {
    computed_ = true;
    std::vector<char*> groups;
    while (Batch* in = TRY(child_->next())) {
      arena_.reset();
      TRY(detoast_keys(*in));
      for (auto& set : sets_) {
        TRY(find_groups(*set, *in, groups));
        TRY(update(*in, groups));
      }
      TRY(context_.budget.check());
      TRY(context_.fiber.charge(in->rows.count * (1 + aggregates_.size())));
    }
    // A group over nothing: of an aggregate without GROUP BY, and of the empty grouping set.
    for (auto& set : sets_) {
      if (!set->keys.empty() || !set->groups.empty()) continue;
      if (agg_.grouping_sets.empty() && !agg_.groups.empty()) continue;
      char* states = TRY(new_states());
      set->groups.push_back({set->table->store().add_empty(), states});
    }
    return {};
  }

  Status update(const Batch& in, std::vector<char*>& groups) {
    for (AggregateState& a : aggregates_) {
      Rows rows = in.rows;
      states_.resize(groups.size());
      if (a.filter) {
        rows = TRY(a.filter->filter(arena_, in, in.rows, kept_.data()));
        // States run beside the rows that are left: both lists ascend.
        size_t at = 0;
        for (uint32_t i = 0; i < rows.count; ++i) {
          while (in.rows[static_cast<uint32_t>(at)] != rows[i]) ++at;
          states_[i] = groups[at] + a.offset;
        }
      } else {
        for (size_t i = 0; i < groups.size(); ++i) states_[i] = groups[i] + a.offset;
      }
      if (rows.count == 0) continue;
      args_.resize(a.args.size());
      for (size_t i = 0; i < a.args.size(); ++i) {
        args_[i] = *TRY(a.args[i].evaluate(arena_, in, rows));
        TRY(detoast_column(context_, arena_, args_[i], rows, a.arg_descs[i]));
      }
      if (!a.sort.empty()) {
        for (uint32_t i = 0; i < rows.count; ++i) {
          const uint16_t one = static_cast<uint16_t>(rows[i]);
          TRY(load<SharedRows*>(states_[i])->add(Batch{args_, Rows{&one, 1}}));
        }
        continue;
      }
      EvalContext eval{context_.fiber, state_arena_, context_.arena, context_.session};
      TRY(a.kernel->update(eval, a.site, states_.data(), std::span(args_).subspan(0, a.direct_args),
                           rows));
    }
    return {};
  }

  // Rows kept for an ordered or distinct aggregate, fed in order, duplicates left out.
  Result<void*> feed_sorted(AggregateState& a, SharedRows& rows) {
    std::vector<StoredRow*> order;
    for (size_t i = 0; i < rows.size(); ++i) order.push_back(rows.row(i));
    for (size_t i = 0; i < order.size(); ++i)
      order[i]->hash = i;  // order of arrival decides among equals
    std::sort(order.begin(), order.end(), [&](const StoredRow* x, const StoredRow* y) {
      const int c = compare_rows(a.sort, *x, *y, rows.width());
      return c != 0 ? c < 0 : x->hash < y->hash;
    });
    TRY(context_.fiber.charge(order.size() * 4));
    std::vector<StoredRow*> fed;
    for (StoredRow* row : order) {
      if (a.distinct_keys > 0 && !fed.empty() &&
          rows_equal(a.sort, *fed.back(), *row, rows.width()))
        continue;
      fed.push_back(row);
    }
    void* state = state_arena_.allocate(std::max<size_t>(a.kernel->state_bytes, 16), 16);
    std::memset(state, 0, a.kernel->state_bytes);
    EvalContext eval{context_.fiber, state_arena_, context_.arena, context_.session};
    if (a.kernel->init != nullptr) TRY(a.kernel->init(eval, a.site, state));
    std::vector<Vector> columns = make_columns(arena_, rows.width());
    std::vector<void*> states(kBatchRows, state);
    for (size_t at = 0; at < fed.size(); at += kBatchRows) {
      const auto count = static_cast<uint32_t>(std::min<size_t>(kBatchRows, fed.size() - at));
      rows.store().load(std::span(fed).subspan(at, count), columns);
      TRY(a.kernel->update(eval, a.site, states.data(),
                           std::span(columns).subspan(0, a.direct_args), Rows{nullptr, count}));
    }
    return state;
  }

  Status finalize(const Group& group, uint32_t row) {
    for (size_t i = 0; i < aggregates_.size(); ++i) {
      AggregateState& a = aggregates_[i];
      const void* state = group.states + a.offset;
      if (!a.sort.empty()) state = TRY(feed_sorted(a, *load<SharedRows*>(group.states + a.offset)));
      NullableDatum value;
      EvalContext eval{context_.fiber, arena_, context_.arena, context_.session};
      TRY(a.kernel->finalize(eval, a.site, state, &value));
      columns_[width_ + i].set(row, value);
    }
    return {};
  }

  // GROUPING(a, b): a bit for each argument, set where this set leaves the column out.
  void set_groupings(const GroupSet& set, uint32_t row) {
    for (size_t i = 0; i < groupings_.size(); ++i) {
      int32_t mask = 0;
      for (const int ref : groupings_[i]->refs) {
        const bool kept = std::any_of(set.kept.begin(), set.kept.end(), [&](int g) {
          return agg_.group_refs.empty() ? false : agg_.group_refs[static_cast<size_t>(g)] == ref;
        });
        mask = mask * 2 + (kept ? 0 : 1);
      }
      columns_[width_ + aggregates_.size() + i].set(row, Datum::of(mask));
    }
  }

  Result<Batch*> emit() {
    GroupSet& set = *sets_[set_at_];
    if (group_at_ >= set.groups.size()) {
      ++set_at_;
      group_at_ = 0;
      return nullptr;
    }
    const auto count =
        static_cast<uint32_t>(std::min<size_t>(kBatchRows, set.groups.size() - group_at_));
    for (Vector& column : columns_) column.may_have_nulls = false;
    std::vector<StoredRow*> rows;
    for (uint32_t i = 0; i < count; ++i) {
      const Group& group = set.groups[group_at_ + i];
      rows.push_back(group.row);
      TRY(finalize(group, i));
      set_groupings(set, i);
    }
    set.table->store().load(rows, std::span(columns_).subspan(0, width_));
    for (size_t c = 0; c < width_; ++c) {
      if (set.null_columns[c] == 0) continue;
      for (uint32_t i = 0; i < count; ++i) columns_[c].set_null(i);
    }
    group_at_ += count;
    TRY(context_.fiber.charge(count));
    return projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}});
  }

  // Sorted input: a group is complete when a row of another key comes.
  Result<Batch*> next_sorted() {
    GroupSet& set = *sets_[0];
    while (!input_done_) {
      if (pending_ == nullptr) {
        pending_ = TRY(child_->next());
        pending_at_ = 0;
        if (pending_ == nullptr) {
          input_done_ = true;
          break;
        }
        TRY(detoast_keys(*pending_));
      }
      for (; pending_at_ < pending_->rows.count; ++pending_at_) {
        const uint32_t row = pending_->rows[pending_at_];
        const bool same =
            open_ && row_equals(set.keys, *set.groups.back().row, width_, pending_->columns, row);
        if (!same) {
          if (set.groups.size() >= kBatchRows) return emit_sorted(set);
          char* fresh = TRY(new_states());
          set.groups.push_back({set.table->store().add(pending_->columns, row), fresh});
          open_ = true;
        }
        const auto one = static_cast<uint16_t>(row);
        std::vector<char*> states{set.groups.back().states};
        TRY(update(Batch{pending_->columns, Rows{&one, 1}}, states));
      }
      TRY(context_.fiber.charge(pending_->rows.count * 2));
      pending_ = nullptr;
    }
    if (set.groups.empty()) return nullptr;
    return emit_sorted(set);
  }
  Result<Batch*> emit_sorted(GroupSet& set) {
    group_at_ = 0;
    Batch* out = TRY(emit());
    set.groups.clear();
    open_ = false;
    if (out == nullptr && !input_done_) return next_sorted();
    return out;
  }

  const AggregatePlan& agg_;
  Arena arena_;
  Arena state_arena_;
  Projection projection_;
  OperatorPtr child_;
  size_t width_ = 0;
  std::vector<AggregateState> aggregates_;
  std::vector<const GroupingExpr*> groupings_;
  std::vector<ColumnDesc> descs_;
  size_t states_bytes_ = 0;
  std::vector<std::unique_ptr<GroupSet>> sets_;
  std::vector<std::unique_ptr<SharedRows>> deferred_;
  std::vector<Vector> columns_;
  std::vector<Vector> args_;
  std::vector<void*> states_;
  std::vector<uint16_t> kept_;
  size_t set_at_ = 0;
  size_t group_at_ = 0;
  bool computed_ = false;
  Batch* pending_ = nullptr;
  uint32_t pending_at_ = 0;
  bool open_ = false;
  bool input_done_ = false;
};

// Adjacent duplicates out.
class UniqueOperator final : public Operator {
 public:
  UniqueOperator(ExecContext& context, const UniquePlan& plan)
      : Operator(context, plan), unique_(plan), arena_(&context.budget) {}
  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    keys_ = TRY(group_keys(context_, unique_.columns, *plan_.left));
    store_.emplace(context_, TRY(column_descs(context_, plan_.left->targets)));
    kept_.resize(kBatchRows);
    return {};
  }
  Result<Batch*> next() override {
    while (Batch* in = TRY(child_->next())) {
      arena_.reset();
      for (const KeyColumn& key : keys_) {
        const auto c = static_cast<size_t>(key.column);
        TRY(detoast_column(context_, arena_, in->columns[c], in->rows, store_->columns()[c]));
      }
      uint32_t count = 0;
      for (uint32_t i = 0; i < in->rows.count; ++i) {
        const uint32_t row = in->rows[i];
        if (last_ != nullptr && row_equals(keys_, *last_, store_->width(), in->columns, row))
          continue;
        if (store_->bytes() > (1 << 16)) store_->clear();
        last_ = store_->add(in->columns, row);
        kept_[count++] = static_cast<uint16_t>(row);
      }
      TRY(context_.fiber.charge(in->rows.count));
      if (count == 0) continue;
      out_ = Batch{in->columns, Rows{kept_.data(), count}};
      return &out_;
    }
    return nullptr;
  }
  Status rescan() override {
    last_ = nullptr;
    store_->clear();
    return child_->rescan();
  }

 private:
  const UniquePlan& unique_;
  Arena arena_;
  OperatorPtr child_;
  std::vector<KeyColumn> keys_;
  std::optional<RowStore> store_;
  StoredRow* last_ = nullptr;
  std::vector<uint16_t> kept_;
  Batch out_;
};

// INTERSECT and EXCEPT [ALL]: counts how often each row comes from either side (told by the flag in
// the last column), then gives each row as often as the operation says.
class SetOpOperator final : public Operator {
 public:
  SetOpOperator(ExecContext& context, const SetOpPlan& plan)
      : Operator(context, plan), set_(plan), arena_(&context.budget), projection_(context) {}
  Status open() override {
    TRY(projection_.compile(plan_, outer_column));
    child_ = TRY(make_operator(context_, *plan_.left));
    std::vector<ColumnDesc> descs = TRY(column_descs(context_, plan_.left->targets));
    table_.emplace(context_, descs, TRY(group_keys(context_, set_.columns, *plan_.left)));
    descs_ = std::move(descs);
    columns_ = make_columns(context_.arena, descs_.size());
    return {};
  }
  Result<Batch*> next() override {
    if (!computed_) TRY(consume());
    arena_.reset();
    while (at_ < table_->size()) {
      std::vector<StoredRow*> rows;
      while (at_ < table_->size() && rows.size() < kBatchRows) {
        StoredRow* row = table_->at(at_);
        const Counts& counts = *static_cast<Counts*>(row->payload);
        const uint64_t wanted = times(counts);
        while (given_ < wanted && rows.size() < kBatchRows) {
          rows.push_back(row);
          ++given_;
        }
        if (given_ < wanted) break;
        given_ = 0;
        ++at_;
      }
      if (rows.empty()) return nullptr;
      table_->store().load(rows, columns_);
      TRY(context_.fiber.charge(rows.size()));
      Batch* out = TRY(projection_.apply(
          arena_, Batch{columns_, Rows{nullptr, static_cast<uint32_t>(rows.size())}}));
      if (out != nullptr) return out;
    }
    return nullptr;
  }
  Status rescan() override {
    computed_ = false;
    at_ = 0;
    given_ = 0;
    table_->clear();
    return child_->rescan();
  }

 private:
  struct Counts {
    uint64_t left = 0;
    uint64_t right = 0;
  };
  uint64_t times(const Counts& c) const {
    if (set_.kind == SetOpKind::intersect)
      return set_.all ? std::min(c.left, c.right) : (c.left > 0 && c.right > 0 ? 1 : 0);
    return set_.all ? (c.left > c.right ? c.left - c.right : 0)
                    : (c.left > 0 && c.right == 0 ? 1 : 0);
  }
  Status consume() {
    computed_ = true;
    const size_t flag = descs_.size() - 1;
    while (Batch* in = TRY(child_->next())) {
      arena_.reset();
      for (size_t c = 0; c < flag; ++c)
        TRY(detoast_column(context_, arena_, in->columns[c], in->rows, descs_[c]));
      for (uint32_t i = 0; i < in->rows.count; ++i) {
        const uint32_t row = in->rows[i];
        const uint64_t hash = table_->hash(in->columns, row);
        StoredRow* found = table_->find(in->columns, row, hash);
        if (found == nullptr) {
          found = table_->add(in->columns, row, hash);
          found->payload = table_->store().arena().make<Counts>();
        }
        auto& counts = *static_cast<Counts*>(found->payload);
        ++(in->columns[flag].value(row).as<int32_t>() == 0 ? counts.left : counts.right);
      }
      TRY(context_.budget.check());
      TRY(context_.fiber.charge(in->rows.count * 2));
    }
    return {};
  }

  const SetOpPlan& set_;
  Arena arena_;
  Projection projection_;
  OperatorPtr child_;
  std::vector<ColumnDesc> descs_;
  std::optional<RowSet> table_;
  std::vector<Vector> columns_;
  size_t at_ = 0;
  uint64_t given_ = 0;
  bool computed_ = false;
};

}  // namespace

OperatorPtr make_aggregate(ExecContext& context, const AggregatePlan& plan) {
  return std::make_unique<AggregateOperator>(context, plan);
}
OperatorPtr make_unique(ExecContext& context, const UniquePlan& plan) {
  return std::make_unique<UniqueOperator>(context, plan);
}
OperatorPtr make_set_op(ExecContext& context, const SetOpPlan& plan) {
  return std::make_unique<SetOpOperator>(context, plan);
}

}  // namespace orrery
