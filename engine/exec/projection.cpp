#include "exec/projection.h"

namespace orrery {

Status Projection::compile(const PlanNode& plan, ColumnOf column_of) {
  return compile(plan.filter, plan.targets, column_of);
}

Status Projection::compile(const Expr* filter, std::span<const TargetEntry> targets,
                           ColumnOf column_of) {
  if (filter != nullptr) filter_ = TRY(Evaluator::compile(context_, *filter, column_of));
  for (const TargetEntry& target : targets) {
    targets_.push_back(TRY(Evaluator::compile(context_, *target.expr, column_of)));
  }
  columns_.resize(targets_.size());
  return {};
}

Result<Batch*> Projection::apply(Arena& arena, const Batch& in) {
  Rows rows = in.rows;
  if (filter_) {
    if (kept_.empty()) kept_.resize(kBatchRows);
    rows = TRY(filter_->filter(arena, in, rows, kept_.data()));
  }
  if (rows.count == 0) return nullptr;
  for (size_t i = 0; i < targets_.size(); ++i) {
    columns_[i] = *TRY(targets_[i].evaluate(arena, in, rows));
  }
  TRY(context_.fiber.charge(rows.count));
  out_ = Batch{columns_, rows, in.tids};
  return &out_;
}

int outer_column(const Expr& leaf) {
  if (leaf.tag != ExprTag::var) return -1;
  const auto& var = as<VarExpr>(leaf);
  return var.range == kOuterVar ? var.attno - 1 : -1;
}

int JoinColumns::operator()(const Expr& leaf) const {
  if (leaf.tag != ExprTag::var) return -1;
  const auto& var = as<VarExpr>(leaf);
  if (var.range == kOuterVar) return var.attno - 1;
  if (var.range == kInnerVar) return outer_width + var.attno - 1;
  return -1;
}

int scanned_column(const Expr& leaf) {
  if (leaf.tag != ExprTag::var) return -1;
  const auto& var = as<VarExpr>(leaf);
  return var.range > 0 && var.attno > 0 ? var.attno - 1 : -1;
}

}  // namespace orrery
