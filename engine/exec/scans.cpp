// Scans of tables: sequential, by index, by tid. A scan's columns are the table's, by attribute
// number; only those that its expressions name are read. ctid, where asked for, comes as a column
// behind the table's.
#include "access/btree.h"
#include "access/table_scan.h"
#include "exec/fixed_row_scan.h"
#include "exec/index_bounds.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"
#include "exec/table_columns.h"

namespace orrery {
namespace {

class SeqScanOperator final : public Operator {
 public:
  SeqScanOperator(ExecContext& context, const SeqScanPlan& plan)
      : Operator(context, plan),
        arena_(&context.budget),
        projection_(context),
        columns_(context,
                 *context.plan.range_table[static_cast<size_t>(plan.range - 1)]->relation) {}

  Status open() override {
    columns_.note(plan_);
    TRY(columns_.prepare());
    TRY(projection_.compile(plan_, columns_.layout()));
    const FixedRow* fixed = context_.fixed_row(static_cast<const ScanPlan&>(plan_).range);
    if (fixed != nullptr) {
      fixed_.emplace(context_, *fixed, columns_);
      return fixed_->open(nullptr);
    }
    scan_.emplace(*context_.access, columns_.relation().storage, *context_.snapshot,
                  columns_.wanted());
    return {};
  }
  Result<Batch*> next() override {
    if (fixed_) {
      arena_.reset();
      return fixed_->next(arena_, projection_);
    }
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    while (true) {
      arena_.reset();
      const uint32_t count = TRY(scan_->next(context_.fiber, columns_.vectors(), arena_, nullptr));
      if (count == 0) return nullptr;
      TRY(context_.fiber.charge(count));
      Batch* out = TRY(projection_.apply(arena_, columns_.batch(count), wanted));
      if (out != nullptr) return out;
    }
  }
  Status rescan() override {
    projection_.forget_rest();
    if (fixed_)
      fixed_->rewind();
    else
      scan_->rewind();
    return {};
  }
  bool restart() override {
    projection_.forget_rest();
    scan_->rewind();
    return true;
  }

 private:
  Arena arena_;
  Projection projection_;
  TableColumns columns_;
  std::optional<TableScan> scan_;
  std::optional<FixedRowScan> fixed_;
};

class IndexScanOperator final : public Operator {
 public:
  IndexScanOperator(ExecContext& context, const IndexScanPlan& plan)
      : Operator(context, plan),
        scan_plan_(plan),
        arena_(&context.budget),
        key_arena_(&context.budget),
        projection_(context),
        bounds_(context, plan),
        columns_(context,
                 *context.plan.range_table[static_cast<size_t>(plan.range - 1)]->relation) {}

  Status open() override {
    columns_.note(plan_);
    const FixedRow* fixed = context_.fixed_row(scan_plan_.range);
    if (fixed != nullptr) columns_.note(scan_plan_.recheck);
    TRY(columns_.prepare());
    TRY(projection_.compile(plan_, columns_.layout()));
    if (fixed != nullptr) {
      fixed_.emplace(context_, *fixed, columns_);
      return fixed_->open(scan_plan_.recheck);
    }
    TRY(bounds_.compile());
    const ScanDirection direction =
        scan_plan_.backward ? ScanDirection::backward : ScanDirection::forward;
    scan_.emplace(*context_.access, scan_plan_.index->storage, direction,
                  std::span<const int16_t>());
    fetch_.emplace(*context_.access, columns_.relation().storage, columns_.wanted());
    tids_ = static_cast<Tid*>(context_.arena.allocate(kBatchRows * sizeof(Tid), alignof(Tid)));
    dead_ = static_cast<uint8_t*>(context_.arena.allocate(kBatchRows, 1));
    return {};
  }

  Result<Batch*> next() override {
    if (fixed_) {
      arena_.reset();
      return fixed_->next(arena_, projection_);
    }
    Batch* rest = TRY(projection_.rest(arena_, wanted));
    if (rest != nullptr) return rest;
    if (!started_) {
      started_ = true;
      key_arena_.reset();
      done_ = !TRY(bounds_.evaluate(key_arena_));
      if (!done_) scan_->start(bounds_.range());
      at_ = found_ = 0;
      limit_ = kFirstEntries;
    }
    while (!done_) {
      if (at_ == found_) {
        found_ = TRY(scan_->next(context_.fiber, limit_, tids_, {}, nullptr));
        at_ = 0;
        limit_ = kBatchRows;
        if (found_ == 0) {
          done_ = !bounds_.advance();
          if (done_) break;
          scan_->start(bounds_.range());
          limit_ = kFirstEntries;
          continue;
        }
      }
      arena_.reset();
      const TableFetch::Fetched got =
          TRY(fetch_->fetch(context_.fiber, *context_.snapshot, SnapshotKind::mvcc,
                            FetchMode::index_entry, std::span<const Tid>(tids_ + at_, found_ - at_),
                            columns_.vectors(), 0, arena_, nullptr, nullptr, dead_ + at_));
      at_ += got.tids_done;
      if (at_ == found_ && std::find(dead_, dead_ + found_, 1) != dead_ + found_) {
        TRY(scan_->kill(context_.fiber, std::span<const uint8_t>(dead_, found_)));
      }
      TRY(context_.fiber.charge(got.tids_done * 2));
      if (got.rows == 0) continue;
      Batch* out = TRY(projection_.apply(arena_, columns_.batch(got.rows), wanted));
      if (out != nullptr) return out;
    }
    return nullptr;
  }

  Status rescan() override {
    if (fixed_) fixed_->rewind();
    projection_.forget_rest();
    started_ = done_ = false;
    return {};
  }
  bool restart() override {
    projection_.forget_rest();
    started_ = done_ = false;
    return true;
  }

 private:
  static constexpr uint32_t kFirstEntries = 16;  // a lookup of one key should not gather a thousand

  const IndexScanPlan& scan_plan_;
  Arena arena_, key_arena_;
  Projection projection_;
  IndexBounds bounds_;
  TableColumns columns_;
  std::optional<FixedRowScan> fixed_;
  std::optional<IndexScan> scan_;
  std::optional<TableFetch> fetch_;
  Tid* tids_ = nullptr;  // kBatchRows of each: the entries at hand, and which are dead
  uint8_t* dead_ = nullptr;
  uint32_t at_ = 0, found_ = 0, limit_ = kFirstEntries;
  bool started_ = false;
  bool done_ = false;
};

}  // namespace

OperatorPtr make_seq_scan(ExecContext& context, const SeqScanPlan& plan) {
  return std::make_unique<SeqScanOperator>(context, plan);
}
OperatorPtr make_index_scan(ExecContext& context, const IndexScanPlan& plan) {
  return std::make_unique<IndexScanOperator>(context, plan);
}

}  // namespace orrery
