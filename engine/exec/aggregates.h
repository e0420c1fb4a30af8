// The aggregates of one plan node and their states. A group's states lie side by side in memory of
// the caller's arena; what they allocate goes to the same arena, so groups end with it.
//
// Aggregates with DISTINCT, ORDER BY or WITHIN GROUP keep their rows in a sorter of their own until
// the group is complete.
#pragma once

#include <memory>

#include "exec/eval.h"
#include "exec/row_sorter.h"
#include "func/aggregate.h"

namespace orrery {

class Aggregates {
 public:
  explicit Aggregates(ExecContext& context) : context_(context) {}

  // Gathers the aggregates that `expr` contains; equal ones are computed once.
  void collect(const Expr& expr);
  // Once all are gathered. Their arguments are read as `column_of` says. 0A000 for what has no
  // implementation.
  Status compile(ColumnOf column_of);

  size_t size() const { return all_.size(); }
  // Which of them `leaf` is, or -1.
  int find(const Expr& leaf) const;

  // States of a new group.
  Result<char*> make_states(Arena& states);
  // Row in.rows[i] goes to groups[i]; all groups' states lie in `states`.
  Status update(Arena& states, Arena& batch, const Batch& in, std::span<char* const> groups);
  // Results of a group, into row `row` of columns in order of gathering; by-reference ones lie in
  // `results`.
  Status finalize(Arena& states, Arena& results, const char* group, std::span<Vector> columns,
                  uint32_t row);
  // All states are gone: so are their sorters.
  void forget_sorters();
  // What the rows of sorted aggregates hold in memory.
  uint64_t sorter_bytes() const { return sorter_bytes_; }

 private:
  struct One {
    const AggregateExpr* expr;
    const AggregateKernel* kernel = nullptr;  // null: an ordered-set aggregate
    CallSite site;
    std::vector<Evaluator> args;  // junk ones (ORDER BY only) too
    std::vector<ColumnDesc> arg_descs;
    std::vector<Evaluator> direct;
    std::vector<ColumnDesc> direct_descs;
    size_t plain_args = 0;  // how many of args the kernel takes
    std::optional<Evaluator> filter;
    size_t offset = 0;            // of its state within a group's states
    std::vector<KeyColumn> sort;  // of DISTINCT, ORDER BY, WITHIN GROUP
    size_t distinct_keys = 0;
    bool is_sorted = false;
    std::vector<RowSorter*> spare;  // of groups that are done
  };
  // In place of a kernel's state where rows are sorted first.
  struct SortedState {
    RowSorter* sorter;
    NullableDatum* direct;  // null until the first row
  };

  Status compile_one(One& a, ColumnOf column_of);
  Status sort_of(One& a);
  Status update_one(One& a, Arena& states, Arena& batch, const Batch& in, Rows rows);
  Status keep_direct(One& a, Arena& states, Arena& batch, const Batch& in, Rows rows);
  Result<void*> feed(One& a, Arena& states, RowSorter& rows);
  Result<NullableDatum> finalize_ordered_set(One& a, Arena& results, const SortedState& state);

  ExecContext& context_;
  std::vector<One> all_;
  std::vector<std::unique_ptr<RowSorter>> sorters_;
  uint64_t sorter_bytes_ = 0;
  size_t states_bytes_ = 0;
  std::vector<Vector> args_;
  std::vector<void*> states_;
  std::vector<uint16_t> kept_;
};

// ordered_set.cpp: percentiles, mode and the hypothetical ranks over rows sorted by their keys.
// `direct` are the arguments before WITHIN GROUP. `keys` are those of the sort.
struct OrderedSetCall {
  ExecContext& context;
  Arena& results;
  const AggregateExpr& expr;
  std::span<const KeyColumn> keys;
  std::span<const NullableDatum> direct;
  RowSorter& rows;  // sorted, nothing read yet
};
bool is_ordered_set(Oid aggregate);
Result<NullableDatum> ordered_set_result(OrderedSetCall& call);

}  // namespace orrery
