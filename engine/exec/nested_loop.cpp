// Nested loop. A join's input batch is its outer columns followed by its inner columns.
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/row_store.h"

namespace orrery {
namespace {

// For each outer row the inner side is read again, with that row's values in the parameters. The
// outer row stands beside an inner batch as constant columns, so no pair is copied.
class NestedLoopOperator final : public Operator {
 public:
  NestedLoopOperator(ExecContext& context, const NestedLoopPlan& plan)
      : Operator(context, plan), join_(plan), arena_(&context.budget), projection_(context) {}

  Status open() override {
    outer_width_ = plan_.left->targets.size();
    inner_width_ = plan_.right->targets.size();
    const JoinColumns columns{static_cast<int>(outer_width_)};
    TRY(projection_.compile(plan_, columns));
    if (join_.join_condition != nullptr)
      condition_ = TRY(Evaluator::compile(context_, *join_.join_condition, columns));
    for (const Expr* value : join_.param_values) {
      auto made = TRY(Evaluator::compile(context_, *value, outer_column));
      values_.push_back(std::move(made));
    }
    outer_ = TRY(make_operator(context_, *plan_.left));
    inner_ = TRY(make_operator(context_, *plan_.right));
    columns_.resize(outer_width_ + inner_width_);
    nulls_ = make_columns(context_.arena, inner_width_);
    for (Vector& column : nulls_) {
      column.set_null(0);
      column.constant = true;
    }
    kept_.resize(kBatchRows);
    return {};
  }

  Result<Batch*> next() override {
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      if (!inner_running_ && !TRY(next_outer_row())) return nullptr;
      const bool one = join_.join_type == JoinKind::semi || join_.join_type == JoinKind::anti;
      if (!condition_) inner_->wanted = one ? 1 : wanted;
      Batch* inner = TRY(inner_->next());
      if (inner == nullptr) {
        inner_running_ = false;
        const bool lonely =
            !matched_ && (join_.join_type == JoinKind::left || join_.join_type == JoinKind::anti);
        if (!lonely) continue;
        std::copy(nulls_.begin(), nulls_.end(),
                  columns_.begin() + static_cast<ptrdiff_t>(outer_width_));
        Batch* out = TRY(projection_.apply(arena_, Batch{columns_, Rows{nullptr, 1}}));
        if (out != nullptr) return out;
        continue;
      }
      CHECK(inner->columns.size() == inner_width_);
      std::copy(inner->columns.begin(), inner->columns.end(),
                columns_.begin() + static_cast<ptrdiff_t>(outer_width_));
      Rows rows = inner->rows;
      if (condition_)
        rows = TRY(condition_->filter(arena_, Batch{columns_, rows}, rows, kept_.data()));
      TRY(context_.fiber.charge(inner->rows.count));
      if (rows.count == 0) continue;
      matched_ = true;
      if (join_.join_type == JoinKind::anti) {
        inner_running_ = false;
        continue;
      }
      if (join_.join_type == JoinKind::semi) {
        inner_running_ = false;
        rows.count = 1;
      }
      Batch* out = TRY(projection_.apply(arena_, Batch{columns_, rows}, wanted));
      if (out != nullptr) return out;
    }
  }

  Status rescan() override {
    outer_batch_ = nullptr;
    projection_.forget_rest();
    inner_running_ = false;
    inner_stale_ = true;
    return outer_->rescan();
  }
  Status rewind() override {
    outer_batch_ = nullptr;
    projection_.forget_rest();
    inner_running_ = false;
    return outer_->rewind();
  }
  bool restart() override {
    outer_batch_ = nullptr;
    projection_.forget_rest();
    inner_running_ = scanned_once_ = inner_stale_ = false;
    return outer_->restart() && inner_->restart();
  }

 private:
  Result<bool> next_outer_row() {
    while (outer_batch_ == nullptr || outer_at_ >= outer_batch_->rows.count) {
      outer_->wanted = wanted < kBatchRows ? 1 : kBatchRows;  // one row may give all of them
      outer_batch_ = TRY(outer_->next());
      outer_at_ = 0;
      if (outer_batch_ == nullptr) return false;
    }
    const uint32_t row = outer_batch_->rows[outer_at_++];
    for (size_t c = 0; c < outer_width_; ++c) {
      const Vector& column = outer_batch_->columns[c];
      Vector& one = columns_[c];
      one.values = column.constant ? column.values : column.values + row;
      one.nulls = column.constant ? column.nulls : column.nulls + row;
      one.constant = true;
      one.may_have_nulls = column.may_have_nulls;
    }
    const std::span<Vector> outer_columns(columns_.data(), outer_width_);
    TRY(context_.budget.check());
    param_arena_.reset();
    for (size_t p = 0; p < values_.size(); ++p) {
      const Vector* value = TRY(values_[p].evaluate(
          param_arena_, Batch{outer_columns, Rows{nullptr, 1}}, Rows{nullptr, 1}));
      context_.set_param(join_.param_slots[p], value->at(0));
    }
    // Not before the parameters are this row's: the inner side may keep what the old ones gave.
    const bool same = values_.empty() && !inner_stale_;
    if (scanned_once_) TRY(same ? inner_->rewind() : inner_->rescan());
    scanned_once_ = true;
    inner_stale_ = false;
    inner_running_ = true;
    matched_ = false;
    return true;
  }

  const NestedLoopPlan& join_;
  Arena arena_;
  Arena param_arena_{&context_.budget};  // what the parameters point to
  Projection projection_;
  std::optional<Evaluator> condition_;
  std::vector<Evaluator> values_;
  OperatorPtr outer_, inner_;
  size_t outer_width_ = 0, inner_width_ = 0;
  std::vector<Vector> columns_;
  std::vector<Vector> nulls_;
  std::vector<uint16_t> kept_;
  Batch* outer_batch_ = nullptr;
  uint32_t outer_at_ = 0;
  bool inner_running_ = false;
  bool scanned_once_ = false;
  bool inner_stale_ = false;  // parameters from above have changed since it was started
  bool matched_ = false;
};

}  // namespace

OperatorPtr make_nested_loop(ExecContext& context, const NestedLoopPlan& plan) {
  return std::make_unique<NestedLoopOperator>(context, plan);
}

}  // namespace orrery
