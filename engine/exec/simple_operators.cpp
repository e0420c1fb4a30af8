// Operators that only pass batches along: Result, Append, Limit, Values, SubqueryScan.
#include "base/text.h"
#include "exec/operators_internal.h"
#include "exec/plain_keys.h"
#include "exec/projection.h"

namespace orrery {
namespace {

// Rows of its child under a filter, or one row out of nothing.
class ResultOperator final : public Operator {
 public:
  ResultOperator(ExecContext& context, const ResultPlan& plan)
      : Operator(context, plan), result_(plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    TRY(projection_.compile(plan_, outer_column));
    if (result_.one_time_filter != nullptr) {
      gate_ = TRY(Evaluator::compile(context_, *result_.one_time_filter, outer_column));
    }
    if (plan_.left != nullptr) child_ = TRY(make_operator(context_, *plan_.left));
    return {};
  }
  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    if (done_) return nullptr;
    if (!gate_passed_) {
      if (gate_) {
        arena_.reset();
        const NullableDatum open = TRY(gate_->single(arena_));
        if (open.is_null || !open.value.as<bool>()) {
          done_ = true;
          return nullptr;
        }
      }
      gate_passed_ = true;
    }
    if (child_ == nullptr) {
      done_ = true;
      arena_.reset();
      return projection_.apply(arena_, Batch{{}, Rows{nullptr, 1}});
    }
    while (true) {
      child_->wanted = wanted;
      Batch* in = TRY(child_->next());
      if (in == nullptr) {
        done_ = true;
        return nullptr;
      }
      arena_.reset();
      Batch* out = TRY(projection_.apply(arena_, *in, wanted));
      if (out != nullptr) return out;
    }
  }
  Status rescan() override {
    done_ = gate_passed_ = false;
    projection_.forget_rest();
    return child_ == nullptr ? Status() : child_->rescan();
  }
  bool restart() override {
    done_ = gate_passed_ = false;
    projection_.forget_rest();
    return child_ == nullptr || child_->restart();
  }
  void set_row_limit(double rows) override {
    if (child_ != nullptr && plan_.filter == nullptr) child_->set_row_limit(rows);
  }

 private:
  const ResultPlan& result_;
  Arena arena_;
  Projection projection_;
  std::optional<Evaluator> gate_;
  OperatorPtr child_;
  bool done_ = false;
  bool gate_passed_ = false;
};

class AppendOperator final : public Operator {
 public:
  AppendOperator(ExecContext& context, const AppendPlan& plan)
      : Operator(context, plan), append_(plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    TRY(projection_.compile(plan_, outer_column));
    for (const PlanNode* input : append_.inputs)
      inputs_.push_back(TRY(make_operator(context_, *input)));
    return {};
  }
  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (at_ < inputs_.size()) {
      arena_.reset();
      inputs_[at_]->wanted = wanted;
      Batch* in = TRY(inputs_[at_]->next());
      if (in == nullptr) {
        ++at_;
        continue;
      }
      Batch* out = TRY(projection_.apply(arena_, *in, wanted));
      if (out != nullptr) return out;
    }
    return nullptr;
  }
  Status rescan() override {
    at_ = 0;
    projection_.forget_rest();
    for (OperatorPtr& input : inputs_) TRY(input->rescan());
    return {};
  }
  bool restart() override {
    at_ = 0;
    projection_.forget_rest();
    return std::ranges::all_of(inputs_, [](const OperatorPtr& input) { return input->restart(); });
  }

 private:
  const AppendPlan& append_;
  Arena arena_;
  Projection projection_;
  std::vector<OperatorPtr> inputs_;
  size_t at_ = 0;
};

// OFFSET and LIMIT [WITH TIES] by narrowing the child's batches.
class LimitOperator final : public Operator {
 public:
  LimitOperator(ExecContext& context, const LimitPlan& plan)
      : Operator(context, plan), limit_(plan), arena_(&context.budget) {}

  Status open() override {
    if (limit_.offset != nullptr)
      offset_ = TRY(Evaluator::compile(context_, *limit_.offset, outer_column));
    if (limit_.count != nullptr)
      count_ = TRY(Evaluator::compile(context_, *limit_.count, outer_column));
    child_ = TRY(make_operator(context_, *plan_.left));
    if (limit_.option == LimitKind::with_ties) {
      ties_ = TRY(group_keys(context_, limit_.ties, *plan_.left));
      last_.emplace(context_, TRY(column_descs(context_, plan_.left->targets)));
      plain_.set(ties_, last_->columns());
    }
    return {};
  }

  Result<Batch*> next() override {
    if (!computed_) TRY(compute());
    while (true) {
      if (done_ || (to_pass_ == 0 && last_row_ == nullptr)) return nullptr;
      child_->wanted = rows_to_ask_for();
      Batch* in = TRY(child_->next());
      if (in == nullptr) {
        done_ = true;
        return nullptr;
      }
      Rows rows = in->rows;
      const auto skipped = static_cast<uint32_t>(std::min<uint64_t>(to_skip_, rows.count));
      to_skip_ -= skipped;
      rows = tail(rows, skipped);
      if (rows.count == 0) continue;
      if (limit_.option == LimitKind::with_ties) return pass_with_ties(*in, rows);
      const auto passed = static_cast<uint32_t>(std::min<uint64_t>(to_pass_, rows.count));
      if (to_pass_ != kAll) to_pass_ -= passed;
      rows.count = passed;
      out_ = Batch{in->columns, rows, in->tids};
      return &out_;
    }
  }

  Status rescan() override {
    computed_ = done_ = false;
    last_row_ = nullptr;
    if (last_) last_->clear();
    return child_->rescan();
  }
  bool restart() override {
    computed_ = done_ = false;
    last_row_ = nullptr;
    if (last_) last_->clear();
    return child_->restart();
  }

 private:
  static constexpr uint64_t kAll = UINT64_MAX;

  Result<uint64_t> number(Evaluator& evaluator, const SqlState& code, std::string_view what,
                          uint64_t if_null) {
    const NullableDatum value = TRY(evaluator.single(arena_));
    if (value.is_null) return if_null;
    const auto n = value.value.as<int64_t>();
    if (n < 0) return raise(code, cat(what, " must not be negative"));
    return static_cast<uint64_t>(n);
  }

  Status compute() {
    computed_ = true;
    to_skip_ = offset_ ? TRY(number(*offset_, sqlstate::invalid_row_count_in_result_offset_clause,
                                    "OFFSET", 0))
                       : 0;
    to_pass_ =
        count_ ? TRY(number(*count_, sqlstate::invalid_row_count_in_limit_clause, "LIMIT", kAll))
               : kAll;
    const bool bounded = to_pass_ != kAll && limit_.option == LimitKind::count;
    child_->set_row_limit(bounded ? static_cast<double>(to_pass_) + static_cast<double>(to_skip_)
                                  : -1);
    return {};
  }

  // As many as are skipped and passed yet; one by one behind the last, for its ties.
  uint32_t rows_to_ask_for() const {
    if (to_pass_ == 0 || context_.plan.row_by_row) return 1;
    const uint64_t left =
        std::min<uint64_t>(to_skip_, kBatchRows) + std::min<uint64_t>(to_pass_, wanted);
    return static_cast<uint32_t>(std::min<uint64_t>(left, kBatchRows));
  }

  Rows tail(Rows rows, uint32_t skipped) {
    if (skipped == 0) return rows;
    if (rows.index != nullptr) return Rows{rows.index + skipped, rows.count - skipped};
    rows_.resize(kBatchRows);
    for (uint32_t i = skipped; i < rows.count; ++i) rows_[i - skipped] = static_cast<uint16_t>(i);
    return Rows{rows_.data(), rows.count - skipped};
  }

  bool ties_with_last(const Batch& in, uint32_t row) const {
    return row_equals(ties_, *last_row_, last_->width(), in.columns, row);
  }
  // What the count allows, then what is equal to the last of it.
  Result<Batch*> pass_with_ties(const Batch& given, Rows given_rows) {
    arena_.reset();
    const Batch in = TRY(plain_.of(context_, arena_, Batch{given.columns, given_rows, given.tids}));
    Rows rows = in.rows;
    auto count = static_cast<uint32_t>(std::min<uint64_t>(to_pass_, rows.count));
    if (to_pass_ != kAll) to_pass_ -= count;
    if (to_pass_ == 0) {
      if (count > 0) last_row_ = last_->add(in.columns, rows[count - 1]);
      while (count < rows.count && ties_with_last(in, rows[count])) ++count;
      done_ = count < rows.count;
    }
    if (count == 0) return nullptr;
    rows.count = count;
    out_ = Batch{in.columns, rows, in.tids};
    return &out_;
  }

  const LimitPlan& limit_;
  Arena arena_;
  std::optional<Evaluator> offset_, count_;
  OperatorPtr child_;
  std::vector<KeyColumn> ties_;
  PlainKeys plain_;
  std::optional<RowStore> last_;  // holds the last row within the limit, WITH TIES only
  StoredRow* last_row_ = nullptr;
  std::vector<uint16_t> rows_;
  Batch out_;
  uint64_t to_skip_ = 0;
  uint64_t to_pass_ = 0;
  bool computed_ = false;
  bool done_ = false;
};

// VALUES lists: each expression is computed by itself, as rows may differ in anything but their
// types.
class ValuesScanOperator final : public Operator {
 public:
  ValuesScanOperator(ExecContext& context, const ValuesScanPlan& plan)
      : Operator(context, plan),
        entry_(*context.plan.range_table[static_cast<size_t>(plan.range - 1)]),
        arena_(&context.budget),
        projection_(context) {}

  Status open() override {
    TRY(projection_.compile(plan_, scanned_column));
    columns_ = make_columns(context_.arena, entry_.columns.size());
    return {};
  }
  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (at_ < entry_.values.size()) {
      arena_.reset();
      uint32_t count = 0;
      for (Vector& column : columns_) column.may_have_nulls = false;
      for (; count < wanted && at_ < entry_.values.size(); ++count, ++at_) {
        const size_t width = columns_.size();
        if (values_.size() == at_ * width) TRY(compile_row(entry_.values[at_]));
        for (size_t c = 0; c < width; ++c) {
          const NullableDatum datum = TRY(values_[at_ * width + c].single(arena_));
          columns_[c].set(count, datum);
        }
      }
      TRY(context_.fiber.charge(count));
      Batch* out = TRY(projection_.apply(arena_, Batch{columns_, Rows{nullptr, count}}, wanted));
      if (out != nullptr) return out;
    }
    return nullptr;
  }
  Status rescan() override {
    at_ = 0;
    projection_.forget_rest();
    return {};
  }

 private:
  Status compile_row(std::span<Expr* const> row) {
    for (const Expr* value : row) {
      Evaluator made = TRY(Evaluator::compile(context_, *value, outer_column));
      values_.push_back(made);
    }
    return {};
  }

  const RangeEntry& entry_;
  Arena arena_;
  Projection projection_;
  std::vector<Evaluator> values_;  // row by row, each made when it is first reached
  std::vector<Vector> columns_;
  size_t at_ = 0;
};

class SubqueryScanOperator final : public Operator {
 public:
  SubqueryScanOperator(ExecContext& context, const SubqueryScanPlan& plan)
      : Operator(context, plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    TRY(projection_.compile(plan_, scanned_column));
    child_ = TRY(make_operator(context_, *plan_.left));
    return {};
  }
  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      child_->wanted = wanted;
      Batch* in = TRY(child_->next());
      if (in == nullptr) return nullptr;
      Batch* out = TRY(projection_.apply(arena_, *in, wanted));
      if (out != nullptr) return out;
    }
  }
  Status rescan() override {
    projection_.forget_rest();
    return child_->rescan();
  }
  bool restart() override {
    projection_.forget_rest();
    return child_->restart();
  }
  void set_row_limit(double rows) override {
    if (plan_.filter == nullptr) child_->set_row_limit(rows);
  }

 private:
  Arena arena_;
  Projection projection_;
  OperatorPtr child_;
};

}  // namespace

OperatorPtr make_result(ExecContext& context, const ResultPlan& plan) {
  return std::make_unique<ResultOperator>(context, plan);
}
OperatorPtr make_append(ExecContext& context, const AppendPlan& plan) {
  return std::make_unique<AppendOperator>(context, plan);
}
OperatorPtr make_limit(ExecContext& context, const LimitPlan& plan) {
  return std::make_unique<LimitOperator>(context, plan);
}
OperatorPtr make_values_scan(ExecContext& context, const ValuesScanPlan& plan) {
  return std::make_unique<ValuesScanOperator>(context, plan);
}
OperatorPtr make_subquery_scan(ExecContext& context, const SubqueryScanPlan& plan) {
  return std::make_unique<SubqueryScanOperator>(context, plan);
}

}  // namespace orrery
