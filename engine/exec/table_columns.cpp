#include "exec/table_columns.h"

#include "access/relation.h"
#include "analyze/walk.h"

namespace orrery {

void TableColumns::note(const PlanNode& plan) {
  for (const TargetEntry& target : plan.targets) note(target.expr);
  note(plan.filter);
}

void TableColumns::note(const Expr* expr) {
  if (expr == nullptr) return;
  needed_.resize(relation_.columns.size());
  system_.resize(kSystemColumns);
  if (expr->tag == ExprTag::var) {
    const auto& var = as<VarExpr>(*expr);
    if (var.range > 0 && var.attno > 0) needed_[static_cast<size_t>(var.attno - 1)] = 1;
    if (var.range > 0 && var.attno < 0) system_[static_cast<size_t>(-var.attno - 1)] = 1;
  }
  for_each_child(*expr, [this](const Expr& child) { note(&child); });
}

void TableColumns::note_all() {
  needed_.assign(relation_.columns.size(), 1);
  system_.resize(kSystemColumns);
}

void TableColumns::note_ctid() {
  system_.resize(kSystemColumns);
  system_[static_cast<size_t>(-kCtidAttno - 1)] = 1;
}

Status TableColumns::prepare(uint32_t rows) {
  needed_.resize(relation_.columns.size());
  system_.resize(kSystemColumns);
  for (int s = kSystemColumns; s > 0; --s) {
    if (system_[static_cast<size_t>(s - 1)] != 0) wanted_.push_back(static_cast<int16_t>(-s));
  }
  for (size_t c = 0; c < needed_.size(); ++c) {
    if (needed_[c] != 0) wanted_.push_back(static_cast<int16_t>(c));
  }
  for (size_t i = 0; i < wanted_.size(); ++i) read_.push_back(Vector::make(context_.arena, rows));
  columns_.resize(relation_.columns.size() + kSystemColumns);
  return {};
}

Batch TableColumns::batch(uint32_t count) {
  for (size_t i = 0; i < wanted_.size(); ++i) {
    const int16_t column = wanted_[i];
    const size_t at = column >= 0 ? static_cast<size_t>(column)
                                  : relation_.columns.size() + static_cast<size_t>(-column - 1);
    columns_[at] = read_[i];
  }
  return Batch{columns_, Rows{nullptr, count}};
}

int TableColumns::Layout::operator()(const Expr& leaf) const {
  if (leaf.tag != ExprTag::var) return -1;
  const auto& var = as<VarExpr>(leaf);
  if (var.range <= 0 || var.attno == 0) return -1;
  return var.attno > 0 ? var.attno - 1 : width - var.attno - 1;
}

}  // namespace orrery
