// What scans of a table have in common, however they find its rows.
#pragma once

#include "access/btree.h"
#include "access/table_scan.h"
#include "exec/index_bounds.h"
#include "exec/operator.h"
#include "exec/projection.h"
#include "exec/table_columns.h"

namespace orrery {

// In place of a scan when its table is reduced to one row version.
class FixedRowScan {
 public:
  FixedRowScan(ExecContext& context, const FixedRow& fixed, TableColumns& columns)
      : context_(context), fixed_(fixed), columns_(columns) {}

  // `recheck`: conditions that the scan would have applied by itself; may be null.
  Status open(const Expr* recheck) {
    if (recheck != nullptr)
      recheck_ = TRY(Evaluator::compile(context_, *recheck, columns_.layout()));
    fetch_.emplace(*context_.access, columns_.relation().storage, columns_.wanted());
    return {};
  }
  Result<Batch*> next(Arena& arena, Projection& projection) {
    if (given_ || !fixed_.tid) return static_cast<Batch*>(nullptr);
    given_ = true;
    const TableFetch::Fetched got =
        TRY(fetch_->fetch(context_.fiber, *context_.snapshot, SnapshotKind::mvcc,
                          FetchMode::any_version, std::span<const Tid>(&*fixed_.tid, 1),
                          columns_.vectors(), 0, arena, nullptr, nullptr, nullptr));
    if (got.rows == 0) return static_cast<Batch*>(nullptr);
    const Batch row = columns_.batch(1);
    if (recheck_) {
      uint16_t kept = 0;
      const Rows still = TRY(recheck_->filter(arena, row, row.rows, &kept));
      if (still.count == 0) return static_cast<Batch*>(nullptr);
    }
    return projection.apply(arena, row);
  }
  void rewind() { given_ = false; }

 private:
  ExecContext& context_;
  const FixedRow& fixed_;
  TableColumns& columns_;
  std::optional<Evaluator> recheck_;
  std::optional<TableFetch> fetch_;
  bool given_ = false;
};

// The entries of an index that a scan's conditions leave, range after range.
class IndexEntries {
 public:
  // `columns`: of the index, ascending, that next() is to give.
  IndexEntries(ExecContext& context, const IndexScanPlan& plan)
      : context_(context), plan_(plan), key_arena_(&context.budget), bounds_(context, plan) {}

  Status open(std::span<const int16_t> columns) {
    TRY(bounds_.compile());
    const ScanDirection direction =
        plan_.backward ? ScanDirection::backward : ScanDirection::forward;
    scan_.emplace(*context_.access, plan_.index->storage, direction, columns);
    return {};
  }
  // Up to kBatchRows; 0 at the end.
  Result<uint32_t> next(Tid* tids, std::span<Vector> columns, Arena* arena) {
    if (!started_) {
      started_ = true;
      key_arena_.reset();
      const bool some = TRY(bounds_.evaluate(key_arena_));
      done_ = !some;
      if (some) begin_range();
    }
    while (!done_) {
      const uint32_t found = TRY(scan_->next(context_.fiber, limit_, tids, columns, arena));
      limit_ = kBatchRows;
      if (found > 0) return found;
      done_ = !bounds_.advance();
      if (!done_) begin_range();
    }
    return 0U;
  }
  void start_over() {
    started_ = done_ = false;
    if (scan_) scan_->rest();
  }
  IndexScan& scan() { return *scan_; }

 private:
  static constexpr uint32_t kFirstEntries = 16;  // a lookup of one key should not gather a thousand
  void begin_range() {
    scan_->start(bounds_.range());
    limit_ = kFirstEntries;
  }

  ExecContext& context_;
  const IndexScanPlan& plan_;
  Arena key_arena_;
  IndexBounds bounds_;
  std::optional<IndexScan> scan_;
  uint32_t limit_ = kFirstEntries;
  bool started_ = false;
  bool done_ = false;
};

class TableScanOperator : public Operator {
 public:
  // `recheck`: conditions on the table's rows that the scan applies by itself; may be null.
  TableScanOperator(ExecContext& context, const ScanPlan& plan, const Expr* recheck)
      : Operator(context, plan),
        arena_(&context.budget),
        projection_(context),
        columns_(context, *context.plan.range_table[static_cast<size_t>(plan.range - 1)]->relation),
        fixed_row_(context.fixed_row(plan.range)),
        recheck_of_fixed_(recheck) {}

  Status open() final {
    columns_.note(plan_);
    if (fixed_row_ != nullptr) columns_.note(recheck_of_fixed_);
    TRY(columns_.prepare());
    TRY(projection_.compile(plan_, columns_.layout()));
    if (fixed_row_ == nullptr) return open_scan();
    fixed_.emplace(context_, *fixed_row_, columns_);
    return fixed_->open(recheck_of_fixed_);
  }
  Result<Batch*> next() final {
    if (fixed_) {
      arena_.reset();
      return fixed_->next(arena_, projection_);
    }
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    return next_rows();
  }
  Status rescan() final {
    projection_.forget_rest();
    if (fixed_)
      fixed_->rewind();
    else
      start_over();
    return {};
  }
  bool restart() final {
    if (fixed_) return false;
    projection_.forget_rest();
    start_over();
    return true;
  }

 protected:
  virtual Status open_scan() = 0;
  // The next batch that is not empty, projected; null at the end.
  virtual Result<Batch*> next_rows() = 0;
  virtual void start_over() = 0;

  Arena arena_;
  Projection projection_;
  TableColumns columns_;

 private:
  const FixedRow* fixed_row_;
  const Expr* recheck_of_fixed_;
  std::optional<FixedRowScan> fixed_;
};

}  // namespace orrery
