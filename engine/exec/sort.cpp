// Sort: rows go to a RowSorter; under a Limit only the best rows are kept.
#include "exec/operators_internal.h"
#include "exec/plain_keys.h"
#include "exec/row_sorter.h"

namespace orrery {
namespace {

class SortOperator final : public Operator {
 public:
  SortOperator(ExecContext& context, const SortPlan& plan)
      : Operator(context, plan), sort_(plan), arena_(&context.budget) {}

  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    std::vector<KeyColumn> keys = TRY(sort_keys(context_, sort_.keys, *plan_.left));
    const std::vector<ColumnDesc> descs = TRY(column_descs(context_, plan_.left->targets));
    plain_.set(keys, descs);
    sorter_.emplace(context_.fiber, &context_.budget, descs, std::move(keys),
                    context_.work_mem_bytes, context_.session.temp_space);
    columns_ = make_columns(context_.arena, sorter_->width());
    return {};
  }

  Result<Batch*> next() override {
    if (!sorted_) TRY(read_and_sort());
    if (context_.plan.row_by_row && ++given_ < out_.rows.count) return one_row();
    const uint32_t count = TRY(sorter_->next_batch(columns_));
    given_ = 0;
    out_ = Batch{columns_, Rows{nullptr, count}};
    if (count == 0) return nullptr;
    return context_.plan.row_by_row ? one_row() : &out_;
  }

  Status rescan() override {
    out_.rows.count = 0;
    sorter_->clear();
    sorted_ = false;
    return child_->rescan();
  }
  void set_row_limit(double rows) override { limit_ = rows; }

 private:
  static constexpr double kMaxBound = 10'000;  // beyond, a heap is dearer than a sort

  // Of a batch that was sorted, where what is above must not compute several at once.
  Batch* one_row() {
    number_ = static_cast<uint16_t>(given_);
    one_ = Batch{columns_, Rows{&number_, 1}};
    return &one_;
  }

  Status read_and_sort() {
    const bool bounded = limit_ >= 0 && limit_ < kMaxBound;
    sorter_->set_bound(bounded ? static_cast<uint64_t>(limit_) : UINT64_MAX);
    while (Batch* in = TRY(child_->next())) {
      arena_.reset();
      const Batch plain = TRY(plain_.of(context_, arena_, *in));
      TRY(sorter_->add(plain.columns, plain.rows));
    }
    sorted_ = true;
    return sorter_->sort();
  }

  const SortPlan& sort_;
  Arena arena_;
  OperatorPtr child_;
  PlainKeys plain_;
  std::optional<RowSorter> sorter_;
  std::vector<Vector> columns_;
  Batch out_;
  Batch one_;  // ... or one row of it, number given_
  uint32_t given_ = 0;
  uint16_t number_ = 0;
  double limit_ = -1;
  bool sorted_ = false;
};

}  // namespace

OperatorPtr make_sort(ExecContext& context, const SortPlan& plan) {
  return std::make_unique<SortOperator>(context, plan);
}

}  // namespace orrery
