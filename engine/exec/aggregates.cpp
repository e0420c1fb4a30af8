#include "exec/aggregates.h"

#include "analyze/walk.h"
#include "base/text.h"
#include "exec/detoast.h"
#include "exec/functions.h"
#include "func/large_work.h"

namespace orrery {

void Aggregates::collect(const Expr& expr) {
  if (expr.tag == ExprTag::aggregate) {
    if (find(expr) >= 0) return;
    One one{};
    one.expr = &as<AggregateExpr>(expr);
    all_.push_back(std::move(one));
    return;
  }
  for_each_child(expr, [this](const Expr& child) { collect(child); });
}

int Aggregates::find(const Expr& leaf) const {
  for (size_t i = 0; i < all_.size(); ++i) {
    if (expr_equal(all_[i].expr, &leaf)) return static_cast<int>(i);
  }
  return -1;
}

Status Aggregates::compile(ColumnOf column_of) {
  for (One& a : all_) {
    TRY(compile_one(a, column_of));
    a.offset = states_bytes_;
    const size_t bytes = a.is_sorted ? sizeof(SortedState) : a.kernel->state_bytes;
    states_bytes_ += (std::max<size_t>(bytes, 1) + 15) / 16 * 16;
  }
  kept_.resize(kBatchRows);
  return {};
}

Status Aggregates::compile_one(One& a, ColumnOf column_of) {
  if (!is_ordered_set(a.expr->function)) {
    a.kernel = find_aggregate(a.expr->function);
    if (a.kernel == nullptr) {
      const FunctionInfo* info = TRY(context_.catalog.function(context_.fiber, a.expr->function));
      return unsupported(cat("aggregate function ", info == nullptr ? "" : info->name));
    }
  }
  std::vector<Oid> types;
  for (const TargetEntry& arg : a.expr->args) {
    {
      auto made = TRY(Evaluator::compile(context_, *arg.expr, column_of));
      a.args.push_back(std::move(made));
    }
    {
      auto made = TRY(type_desc(context_, arg.expr->type));
      a.arg_descs.push_back(std::move(made));
    }
    if (!arg.junk) types.push_back(arg.expr->type);
  }
  for (const Expr* arg : a.expr->direct_args) {
    {
      auto made = TRY(Evaluator::compile(context_, *arg, column_of));
      a.direct.push_back(std::move(made));
    }
    {
      auto made = TRY(type_desc(context_, arg->type));
      a.direct_descs.push_back(std::move(made));
    }
  }
  a.plain_args = types.size();
  a.site.function = a.expr->function;
  a.site.result_type = a.expr->type;
  a.site.argument_types = context_.arena.copy_array(types);
  a.site.collation = a.expr->input_collation;
  if (a.expr->filter != nullptr)
    a.filter = TRY(Evaluator::compile(context_, *a.expr->filter, column_of));
  return sort_of(a);
}

// ORDER BY and DISTINCT inside an aggregate: by argument position.
Status Aggregates::sort_of(One& a) {
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
  a.is_sorted = !a.sort.empty();
  return {};
}

Result<char*> Aggregates::make_states(Arena& states) {
  char* made = static_cast<char*>(states.allocate(std::max<size_t>(states_bytes_, 1), 16));
  std::memset(made, 0, states_bytes_);
  EvalContext eval{context_.fiber, states, context_.arena, context_.session};
  for (One& a : all_) {
    if (a.is_sorted) {
      if (a.spare.empty()) {
        sorters_.push_back(std::make_unique<RowSorter>(context_.fiber, &context_.budget,
                                                       a.arg_descs, a.sort, context_.work_mem_bytes,
                                                       context_.session.temp_space));
        a.spare.push_back(sorters_.back().get());
      }
      store<SortedState>(made + a.offset, SortedState{a.spare.back(), nullptr});
      a.spare.pop_back();
    } else if (a.kernel->init != nullptr) {
      TRY(a.kernel->init(eval, a.site, made + a.offset));
    }
  }
  return made;
}

Status Aggregates::update(Arena& states, Arena& batch, const Batch& in,
                          std::span<char* const> groups) {
  for (One& a : all_) {
    Rows rows = in.rows;
    states_.resize(groups.size());
    if (a.filter) {
      rows = TRY(a.filter->filter(batch, in, in.rows, kept_.data()));
      // States run beside the rows that are left: both lists ascend.
      uint32_t at = 0;
      for (uint32_t i = 0; i < rows.count; ++i) {
        while (in.rows[at] != rows[i]) ++at;
        states_[i] = groups[at] + a.offset;
      }
    } else {
      for (size_t i = 0; i < groups.size(); ++i) states_[i] = groups[i] + a.offset;
    }
    if (rows.count > 0) TRY(update_one(a, states, batch, in, rows));
  }
  return {};
}

Status Aggregates::update_one(One& a, Arena& states, Arena& batch, const Batch& in, Rows rows) {
  args_.resize(a.args.size());
  for (size_t i = 0; i < a.args.size(); ++i) {
    args_[i] = *TRY(a.args[i].evaluate(batch, in, rows));
    TRY(detoast_column(context_, batch, args_[i], rows, a.arg_descs[i]));
  }
  if (!a.is_sorted) {
    EvalContext eval{context_.fiber, states, context_.arena, context_.session};
    return a.kernel->update(eval, a.site, states_.data(), std::span(args_).subspan(0, a.plain_args),
                            rows);
  }
  if (!a.direct.empty()) TRY(keep_direct(a, states, batch, in, rows));
  // Neighbours of one group go to its sorter together.
  for (uint32_t i = 0; i < rows.count;) {
    std::vector<uint16_t> together;
    void* const state = states_[i];
    for (; i < rows.count && states_[i] == state; ++i)
      together.push_back(static_cast<uint16_t>(rows[i]));
    const Rows some{together.data(), static_cast<uint32_t>(together.size())};
    RowSorter& sorter = *load<SortedState>(state).sorter;
    sorter_bytes_ -= sorter.held_bytes();
    Status added = sorter.add(args_, some);
    sorter_bytes_ += sorter.held_bytes();
    TRY(std::move(added));
  }
  return {};
}

// Direct arguments are constant within a group: its first row gives them.
Status Aggregates::keep_direct(One& a, Arena& states, Arena& batch, const Batch& in, Rows rows) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    auto state = load<SortedState>(states_[i]);
    if (state.direct != nullptr) continue;
    state.direct = states.make_array<NullableDatum>(a.direct.size()).data();
    const auto one = static_cast<uint16_t>(rows[i]);
    for (size_t d = 0; d < a.direct.size(); ++d) {
      Vector value = *TRY(a.direct[d].evaluate(batch, in, Rows{&one, 1}));
      TRY(detoast_column(context_, batch, value, Rows{&one, 1}, a.direct_descs[d]));
      if (value.is_null(one)) continue;
      state.direct[d] = {copy_datum(states, value.value(one), a.direct_descs[d]), false};
    }
    store<SortedState>(states_[i], state);
  }
  return {};
}

// Rows kept for an ordered or distinct aggregate, fed in order, duplicates left out.
Result<void*> Aggregates::feed(One& a, Arena& states, RowSorter& rows) {
  TRY(rows.sort());
  void* state = states.allocate(std::max<size_t>(a.kernel->state_bytes, 16), 16);
  std::memset(state, 0, a.kernel->state_bytes);
  EvalContext eval{context_.fiber, states, context_.arena, context_.session};
  if (a.kernel->init != nullptr) TRY(a.kernel->init(eval, a.site, state));
  Arena arena(&context_.budget);
  std::vector<Vector> columns = make_columns(arena, rows.width());
  const std::span<void*> same = arena.make_array<void*>(kBatchRows);
  std::fill(same.begin(), same.end(), state);
  const std::span<uint16_t> fed = arena.make_array<uint16_t>(kBatchRows);
  RowStore last_store(context_, rows.columns());
  StoredRow* last = nullptr;
  while (true) {
    const uint32_t count = TRY(rows.next_batch(columns));
    if (count == 0) return state;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; ++i) {
      if (a.distinct_keys > 0) {
        if (last != nullptr && row_equals(a.sort, *last, rows.width(), columns, i)) continue;
        if (last_store.bytes() > (1 << 16)) last_store.clear();
        last = last_store.add(columns, i);
      }
      fed[kept++] = static_cast<uint16_t>(i);
    }
    TRY(a.kernel->update(eval, a.site, same.data(), std::span(columns).subspan(0, a.plain_args),
                         Rows{fed.data(), kept}));
    TRY(context_.budget.check());
  }
}

Status Aggregates::finalize(Arena& states, Arena& results, const char* group,
                            std::span<Vector> columns, uint32_t row) {
  for (size_t i = 0; i < all_.size(); ++i) {
    One& a = all_[i];
    const void* state = group + a.offset;
    const uint64_t held = a.is_sorted ? load<SortedState>(state).sorter->held_bytes() : 0;
    NullableDatum value;
    if (a.kernel == nullptr) {
      value = TRY(finalize_ordered_set(a, results, load<SortedState>(state)));
    } else {
      if (a.is_sorted) state = TRY(feed(a, states, *load<SortedState>(state).sorter));
      EvalContext eval{context_.fiber, results, context_.arena, context_.session};
      TRY(finalize_aggregate(eval, a.site, *a.kernel, state, &value));
    }
    columns[i].set(row, value);
    if (!a.is_sorted) continue;
    RowSorter* sorter = load<SortedState>(group + a.offset).sorter;
    sorter_bytes_ -= held;
    sorter->clear();
    sorter_bytes_ += sorter->held_bytes();
    a.spare.push_back(sorter);
  }
  return {};
}

void Aggregates::forget_sorters() {
  for (One& a : all_) a.spare.clear();
  sorters_.clear();
  sorter_bytes_ = 0;
}

Result<NullableDatum> Aggregates::finalize_ordered_set(One& a, Arena& results,
                                                       const SortedState& state) {
  TRY(state.sorter->sort());
  std::vector<NullableDatum> direct;
  for (size_t d = 0; d < a.direct.size(); ++d) {
    if (state.direct != nullptr)
      direct.push_back(state.direct[d]);
    else {
      auto made = TRY(a.direct[d].single(results));  // no rows: then they can only be constants
      direct.push_back(std::move(made));
    }
  }
  OrderedSetCall call{context_, results, *a.expr, a.sort, direct, *state.sorter};
  return ordered_set_result(call);
}

}  // namespace orrery
