// Aggregation: plain, over sorted input, and by hashing; grouping sets keep a table of groups each.
//
// A group is the row that opened it, with its aggregates' states beside it. What stands above
// aggregates (targets, HAVING) is computed over batches laid out as: the child's columns (of the
// group's first row), the aggregates' results, GROUPING's.
//
// When the groups of a table pass the memory for hashing, rows of groups that are not in it are
// written to partitions by their hash. Once the input is read and the groups at hand are given out,
// one partition after the other is aggregated as the input was, by other bits of the hash.
#include "analyze/walk.h"
#include "exec/aggregates.h"
#include "exec/functions.h"
#include "exec/operators_internal.h"
#include "exec/plain_keys.h"
#include "exec/projection.h"
#include "exec/shared_rows.h"

namespace orrery {
namespace {

struct Group {
  StoredRow* row;
  char* states;
};

constexpr int kPartitionBits = 4;
constexpr int kMaxLevel = 64 / kPartitionBits - 1;

class AggregateOperator final : public Operator {
 public:
  AggregateOperator(ExecContext& context, const AggregatePlan& plan)
      : Operator(context, plan),
        agg_(plan),
        arena_(&context.budget),
        aggregates_(context),
        projection_(context) {}

  Status open() override {
    width_ = plan_.left->targets.size();
    child_ = TRY(make_operator(context_, *plan_.left));
    for (const TargetEntry& target : plan_.targets) find(*target.expr);
    if (plan_.filter != nullptr) find(*plan_.filter);
    TRY(aggregates_.compile(outer_column));
    descs_ = TRY(column_descs(context_, plan_.left->targets));
    TRY(make_sets());
    const auto column_of = [this](const Expr& leaf) { return layout(leaf); };
    TRY(projection_.compile(plan_, column_of));
    columns_ = make_columns(context_.arena, width_ + aggregates_.size() + groupings_.size());
    return {};
  }

  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    arena_.reset();
    if (agg_.strategy == AggStrategy::sorted) return next_sorted();
    if (!computed_) TRY(consume());
    while (set_at_ < sets_.size()) {
      GroupSet& set = *sets_[set_at_];
      if (group_at_ < set.groups.size()) {
        Batch* out = TRY(emit(set));
        if (out != nullptr) return out;
        arena_.reset();
        continue;
      }
      group_at_ = 0;
      const bool more = TRY(next_partition(set));
      if (!more) ++set_at_;
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
    projection_.forget_rest();
    for (auto& set : sets_) {
      forget_groups(*set);
      set->partitions.clear();
      set->waiting.clear();
      set->spilling = false;
      set->level = 0;
    }
    file_.reset();
    aggregates_.forget_sorters();
    pending_ = nullptr;
    sorted_groups_.clear();
    for (Arena& arena : sorted_arenas_) arena.clear();
    input_done_ = false;
  }

  struct Partition {
    std::unique_ptr<RowStream> rows;
    int level;  // which bits of the hash tell its own partitions apart
  };
  struct GroupSet {
    GroupSet(ExecContext& context, std::vector<ColumnDesc> descs, std::vector<KeyColumn> by)
        : keys(by), table(context, std::move(descs), std::move(by)), states(&context.budget) {}
    std::vector<KeyColumn> keys;
    std::vector<uint8_t> null_columns;  // by child column: a grouping column this set leaves out
    std::vector<int> kept;              // indexes into AggregatePlan::groups
    RowSet table;
    Arena states;
    std::vector<Group> groups;
    bool spilling = false;
    int level = 0;
    std::vector<std::unique_ptr<RowStream>> partitions;  // being written
    std::vector<Partition> waiting;                      // to be aggregated, the last one first
  };

  int layout(const Expr& leaf) const {
    if (leaf.tag == ExprTag::aggregate) {
      const int found = aggregates_.find(leaf);
      if (found >= 0) return static_cast<int>(width_) + found;
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
    if (e.tag == ExprTag::aggregate) return aggregates_.collect(e);
    for_each_child(e, [this](const Expr& child) { find(child); });
  }

  Status make_sets() {
    const std::vector<KeyColumn> all = TRY(group_keys(context_, agg_.groups, *plan_.left));
    plain_.set(all, descs_);
    const size_t count = std::max<size_t>(1, agg_.grouping_sets.size());
    for (size_t s = 0; s < count; ++s) {
      std::vector<uint8_t> null_columns(width_, 0);
      std::vector<KeyColumn> keys;
      std::vector<int> kept_groups;
      for (size_t g = 0; g < all.size(); ++g) {
        const bool kept = agg_.grouping_sets.empty() ||
                          std::find(agg_.grouping_sets[s].begin(), agg_.grouping_sets[s].end(),
                                    static_cast<int>(g)) != agg_.grouping_sets[s].end();
        if (kept) {
          keys.push_back(all[g]);
          kept_groups.push_back(static_cast<int>(g));
          if (agg_.strategy == AggStrategy::hashed && all[g].hash == nullptr)
            return unsupported("hashing of this type");
        } else {
          null_columns[static_cast<size_t>(all[g].column)] = 1;
        }
      }
      auto set = std::make_unique<GroupSet>(context_, descs_, std::move(keys));
      set->null_columns = std::move(null_columns);
      set->kept = std::move(kept_groups);
      sets_.push_back(std::move(set));
    }
    return {};
  }

  void forget_groups(GroupSet& set) {
    set.groups.clear();
    set.table.clear();
    set.states.clear();
  }

  Status consume() {
    computed_ = true;
    while (Batch* in = TRY(child_->next())) {
      arena_.reset();
      const Batch plain = TRY(plain_.of(context_, arena_, *in));
      for (auto& set : sets_) TRY(add_rows(*set, plain));
      TRY(context_.fiber.charge(in->rows.count * (1 + aggregates_.size())));
    }
    // A group over nothing: of an aggregate without GROUP BY, and of the empty grouping set.
    for (auto& set : sets_) {
      TRY(end_of_input(*set));
      if (!set->keys.empty() || !set->groups.empty()) continue;
      if (agg_.grouping_sets.empty() && !agg_.groups.empty()) continue;
      char* states = TRY(aggregates_.make_states(set->states));
      set->groups.push_back({set->table.store().add_empty(), states});
    }
    return {};
  }

  // Rows of known groups, and of new ones while there is room, are aggregated; the others spill.
  Status add_rows(GroupSet& set, const Batch& in) {
    group_states_.clear();
    group_rows_.clear();
    for (uint32_t i = 0; i < in.rows.count; ++i) {
      const uint32_t row = in.rows[i];
      char* states = TRY(states_of(set, in, row));
      if (states == nullptr) continue;
      group_states_.push_back(states);
      group_rows_.push_back(static_cast<uint16_t>(row));
    }
    const Rows rows{group_rows_.data(), static_cast<uint32_t>(group_rows_.size())};
    if (rows.count > 0)
      TRY(aggregates_.update(set.states, arena_, Batch{in.columns, rows}, group_states_));
    if (!set.spilling && !set.keys.empty() && set.level <= kMaxLevel && held(set) > limit())
      set.spilling = true;
    return context_.budget.check();
  }

  Result<char*> states_of(GroupSet& set, const Batch& in, uint32_t row) {
    if (set.keys.empty()) {
      if (set.groups.empty()) {
        StoredRow* first = set.table.store().add(in.columns, row);
        char* states = TRY(aggregates_.make_states(set.states));
        set.groups.push_back({first, states});
      }
      return set.groups[0].states;
    }
    const uint64_t hash = set.table.hash(in.columns, row);
    StoredRow* found = set.table.find(in.columns, row, hash);
    if (found == nullptr && set.spilling) {
      TRY(spill(set, in, row, hash));
      return nullptr;
    }
    if (found == nullptr) {
      found = TRY(set.table.add(in.columns, row, hash));
      char* states = TRY(aggregates_.make_states(set.states));
      found->head().payload = states;
      set.groups.push_back({found, states});
    }
    return static_cast<char*>(found->head().payload);
  }

  uint64_t held(const GroupSet& set) const {
    return set.table.bytes() + set.states.held_bytes() + set.groups.size() * sizeof(Group) +
           aggregates_.sorter_bytes() / sets_.size();
  }
  uint64_t limit() const { return context_.hash_memory_bytes() / sets_.size(); }

  Status spill(GroupSet& set, const Batch& in, uint32_t row, uint64_t hash) {
    if (set.partitions.empty()) {
      if (file_ == nullptr)
        file_ = std::make_unique<TempFile>(context_.fiber, context_.session.temp_space,
                                           &context_.budget);
      for (int i = 0; i < 1 << kPartitionBits; ++i)
        set.partitions.push_back(std::make_unique<RowStream>(*file_, descs_));
    }
    const int shift = 64 - kPartitionBits * (set.level + 1);
    const size_t which = hash_u64(hash) >> shift & ((1U << kPartitionBits) - 1);
    return set.partitions[which]->write(in.columns, row);
  }

  Status end_of_input(GroupSet& set) {
    for (auto& partition : set.partitions) {
      if (partition->rows() == 0) continue;
      TRY(partition->finish());
      set.waiting.push_back({std::move(partition), set.level + 1});
    }
    set.partitions.clear();
    set.spilling = false;
    return {};
  }

  // Aggregates one of the partitions that wait; false when none does.
  Result<bool> next_partition(GroupSet& set) {
    if (set.waiting.empty()) return false;
    forget_groups(set);
    const Partition partition = std::move(set.waiting.back());
    set.waiting.pop_back();
    set.level = partition.level;
    RowStream::Reader reader(*partition.rows);
    Arena rows_arena(&context_.budget);
    std::vector<StoredRow*> rows;
    if (loaded_.empty()) loaded_ = make_columns(context_.arena, width_);
    while (true) {
      rows_arena.reset();
      rows.clear();
      while (rows.size() < kBatchRows) {
        StoredRow* row = TRY(reader.next(rows_arena));
        if (row == nullptr) break;
        rows.push_back(row);
      }
      if (rows.empty()) break;
      arena_.reset();
      set.table.store().load(rows, loaded_);
      TRY(add_rows(set, Batch{loaded_, Rows{nullptr, static_cast<uint32_t>(rows.size())}}));
      TRY(context_.fiber.charge(rows.size() * (2 + aggregates_.size())));
    }
    TRY(end_of_input(set));
    return true;
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

  // Gives out groups [first, first + count).
  Result<Batch*> emit_groups(GroupSet& set, Arena& states, std::span<const Group> groups) {
    const auto count = static_cast<uint32_t>(groups.size());
    for (Vector& column : columns_) column.may_have_nulls = false;
    std::vector<StoredRow*> rows;
    const std::span<Vector> results = std::span(columns_).subspan(width_, aggregates_.size());
    for (uint32_t i = 0; i < count; ++i) {
      rows.push_back(groups[i].row);
      TRY(aggregates_.finalize(states, arena_, groups[i].states, results, i));
      set_groupings(set, i);
    }
    set.table.store().load(rows, std::span(columns_).subspan(0, width_));
    for (size_t c = 0; c < width_; ++c) {
      if (set.null_columns[c] == 0) continue;
      for (uint32_t i = 0; i < count; ++i) columns_[c].set_null(i);
    }
    TRY(context_.fiber.charge(count));
    return projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}}, wanted);
  }

  Result<Batch*> emit(GroupSet& set) {
    const size_t count = std::min<size_t>(kBatchRows, set.groups.size() - group_at_);
    const std::span<const Group> some = std::span(set.groups).subspan(group_at_, count);
    group_at_ += count;
    return emit_groups(set, set.states, some);
  }

  // Sorted input: a group is complete when a row of another key comes. The groups of a batch lie in
  // one of two arenas by turns, so that the last group of a batch can go on in the next one.
  Result<Batch*> next_sorted() {
    GroupSet& set = *sets_[0];
    while (!input_done_) {
      pending_ = TRY(child_->next());
      if (pending_ == nullptr) {
        input_done_ = true;
        break;
      }
      arena_.reset();
      const Batch plain = TRY(plain_.of(context_, arena_, *pending_));
      const size_t complete = TRY(add_sorted(set, plain));
      TRY(context_.fiber.charge(pending_->rows.count * (1 + aggregates_.size())));
      TRY(context_.budget.check());
      if (complete == 0) continue;
      Batch* out = TRY(emit_sorted(set, complete));
      if (out != nullptr) return out;
    }
    if (sorted_groups_.empty()) return nullptr;
    arena_.reset();
    return emit_sorted(set, sorted_groups_.size());
  }

  // Returns how many of the groups are complete.
  Result<size_t> add_sorted(GroupSet& set, const Batch& in) {
    uint32_t at = 0;
    if (!sorted_groups_.empty()) {
      const StoredRow& open = *sorted_groups_[0].row;
      while (at < in.rows.count && row_equals(set.keys, open, width_, in.columns, in.rows[at]))
        ++at;
      TRY(update_sorted(in, 0, at, std::vector<char*>(at, sorted_groups_[0].states)));
    }
    if (at == in.rows.count) return size_t{0};
    sorted_arena_ ^= 1;
    Arena& arena = sorted_arenas_[sorted_arena_];
    arena.reset();
    std::vector<char*> states;
    const StoredRow* open = nullptr;
    for (uint32_t i = at; i < in.rows.count; ++i) {
      const uint32_t row = in.rows[i];
      if (open == nullptr || !row_equals(set.keys, *open, width_, in.columns, row)) {
        StoredRow* first = store_row(arena, descs_, in.columns, row);
        char* fresh = TRY(aggregates_.make_states(arena));
        sorted_groups_.push_back({first, fresh});
        open = first;
      }
      states.push_back(sorted_groups_.back().states);
    }
    TRY(update_sorted(in, at, in.rows.count, states));
    return sorted_groups_.size() - 1;
  }

  Status update_sorted(const Batch& in, uint32_t first, uint32_t end,
                       const std::vector<char*>& states) {
    if (first == end) return {};
    group_rows_.clear();
    for (uint32_t i = first; i < end; ++i) group_rows_.push_back(static_cast<uint16_t>(in.rows[i]));
    const Rows rows{group_rows_.data(), end - first};
    return aggregates_.update(sorted_arenas_[sorted_arena_], arena_, Batch{in.columns, rows},
                              states);
  }

  Result<Batch*> emit_sorted(GroupSet& set, size_t complete) {
    const std::vector<Group> done(sorted_groups_.begin(),
                                  sorted_groups_.begin() + static_cast<ptrdiff_t>(complete));
    sorted_groups_.erase(sorted_groups_.begin(),
                         sorted_groups_.begin() + static_cast<ptrdiff_t>(complete));
    Batch* out = TRY(emit_groups(set, arena_, done));
    if (sorted_groups_.empty()) aggregates_.forget_sorters();
    return out;
  }

  const AggregatePlan& agg_;
  Arena arena_;
  Aggregates aggregates_;
  Projection projection_;
  OperatorPtr child_;
  size_t width_ = 0;
  PlainKeys plain_;
  std::vector<const GroupingExpr*> groupings_;
  std::vector<ColumnDesc> descs_;
  std::unique_ptr<TempFile> file_;
  std::vector<std::unique_ptr<GroupSet>> sets_;
  std::vector<Vector> columns_;
  std::vector<Vector> loaded_;
  std::vector<char*> group_states_;
  std::vector<uint16_t> group_rows_;
  size_t set_at_ = 0;
  size_t group_at_ = 0;
  bool computed_ = false;
  Batch* pending_ = nullptr;
  std::vector<Group> sorted_groups_;  // the last one may go on
  Arena sorted_arenas_[2]{Arena(&context_.budget), Arena(&context_.budget)};
  int sorted_arena_ = 0;
  bool input_done_ = false;
};

}  // namespace

OperatorPtr make_aggregate(ExecContext& context, const AggregatePlan& plan) {
  return std::make_unique<AggregateOperator>(context, plan);
}

}  // namespace orrery
