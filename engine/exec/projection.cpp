#include "exec/projection.h"

#include <array>

#include "analyze/walk.h"

namespace orrery {
namespace {

// The dense rows as a list, so that a part of them is a part of it.
constexpr auto kEveryRow = [] {
  std::array<uint16_t, kBatchRows> rows{};
  for (uint32_t i = 0; i < kBatchRows; ++i) rows[i] = static_cast<uint16_t>(i);
  return rows;
}();

// Whether an error is about the values computed (class 22), not about the statement or the machine.
bool is_of_a_value(const Status& status) {
  return !status.is_halted() && std::string_view(status.error().code.text()).starts_with("22");
}

}  // namespace

Status Projection::compile(const PlanNode& plan, ColumnOf column_of) {
  return compile(plan.filter, plan.targets, column_of);
}

Status Projection::compile(const Expr* filter, std::span<const TargetEntry> targets,
                           ColumnOf column_of) {
  filter_expr_ = filter;
  if (filter != nullptr) filter_ = TRY(Evaluator::compile(context_, *filter, column_of));
  computes_ = filter != nullptr;
  for (const TargetEntry& target : targets) {
    Evaluator made = TRY(Evaluator::compile(context_, *target.expr, column_of));
    targets_.push_back(made);
    computes_ =
        computes_ || !(target.expr->tag == ExprTag::var || target.expr->tag == ExprTag::constant);
  }
  columns_.resize(targets_.size());
  if (filter_) kept_.resize(kBatchRows);
  return {};
}

Result<Batch*> Projection::apply(Arena& arena, const Batch& in, uint32_t wanted) {
  in_ = in;
  if (wanted < in.rows.count && (computes_ || context_.plan.row_by_row)) {
    rest_ = in.rows;
    filtered_ = !filter_;
    piecewise_ = false;
    if (filter_) piecewise_ = TRY(has_effects(context_, *filter_expr_));
    return next_piece(arena, wanted);
  }
  rest_.count = 0;
  Rows rows = in.rows;
  if (filter_) {
    rows = TRY(filter_->filter(arena, in, rows, kept_.data()));
    TRY(context_.fiber.charge(in.rows.count));
  }
  if (rows.count == 0) return nullptr;
  return compute(arena, rows);
}

Result<Batch*> Projection::compute(Arena& arena, Rows rows) {
  for (size_t i = 0; i < targets_.size(); ++i) {
    const Vector* computed = TRY(targets_[i].evaluate(arena, in_, rows));
    columns_[i] = *computed;
  }
  TRY(context_.fiber.charge(rows.count));
  out_ = Batch{columns_, rows, in_.tids};
  return &out_;
}

Result<Batch*> Projection::next_piece(Arena& arena, uint32_t wanted) {
  while (rest_.count > 0) {
    if (!filtered_ && !piecewise_) {
      TRY(try_filter(arena));
      continue;
    }
    Rows rows = take(wanted);
    if (!filtered_) {
      TRY(context_.fiber.charge(rows.count));
      rows = TRY(filter_->filter(arena, in_, rows, kept_.data()));
      if (rows.count == 0) continue;
    }
    return compute(arena, rows);
  }
  return static_cast<Batch*>(nullptr);
}

// The filter over all rows that are left. If it fails on one, it may be on one that is not wanted.
Status Projection::try_filter(Arena& arena) {
  TRY(context_.fiber.charge(rest_.count));
  Result<Rows> passed = filter_->filter(arena, in_, rest_, kept_.data());
  if (passed.ok()) {
    rest_ = *passed;
    filtered_ = true;
    return {};
  }
  if (!is_of_a_value(passed.status())) return std::move(passed).status();
  piecewise_ = true;
  return {};
}

Rows Projection::take(uint32_t wanted) {
  if (rest_.index == nullptr) rest_.index = kEveryRow.data();
  const Rows taken{rest_.index, std::min(rest_.count, std::max(wanted, 1U))};
  rest_.index += taken.count;
  rest_.count -= taken.count;
  return taken;
}

Result<bool> has_effects(ExecContext& context, const Expr& expr) {
  Status failed;
  const bool found = any_expr(expr, [&](const Expr& e) {
    if (e.tag == ExprTag::sub_plan) return true;  // whatever is inside it
    if (e.tag != ExprTag::call || !failed.ok()) return false;
    Result<const FunctionInfo*> function =
        context.catalog.function(context.fiber, as<CallExpr>(e).function);
    if (function.ok())
      return *function == nullptr || (*function)->volatility == Volatility::volatile_;
    failed = std::move(function).status();
    return true;
  });
  TRY(std::move(failed));
  return found;
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
