// Scans of tables: sequential, by index, by tid. A scan's columns are the table's, by attribute
// number; only those that its expressions name are read. ctid, where asked for, comes as a column
// behind the table's.
#include "exec/operators_internal.h"
#include "exec/table_scan_operator.h"

namespace orrery {
namespace {

class SeqScanOperator final : public TableScanOperator {
 public:
  SeqScanOperator(ExecContext& context, const SeqScanPlan& plan)
      : TableScanOperator(context, plan, nullptr) {}

 private:
  Status open_scan() override {
    scan_.emplace(*context_.access, columns_.relation().storage, *context_.snapshot,
                  columns_.wanted());
    return {};
  }
  Result<Batch*> next_rows() override {
    while (true) {
      arena_.reset();
      const uint32_t count = TRY(scan_->next(context_.fiber, columns_.vectors(), arena_, nullptr));
      if (count == 0) return nullptr;
      TRY(context_.fiber.charge(count));
      Batch* out = TRY(projection_.apply(arena_, columns_.batch(count), wanted));
      if (out != nullptr) return out;
    }
  }
  void start_over() override { scan_->rewind(); }

  std::optional<TableScan> scan_;
};

class IndexScanOperator final : public TableScanOperator {
 public:
  IndexScanOperator(ExecContext& context, const IndexScanPlan& plan)
      : TableScanOperator(context, plan, plan.recheck), entries_(context, plan) {}

 private:
  Status open_scan() override {
    TRY(entries_.open({}));
    fetch_.emplace(*context_.access, columns_.relation().storage, columns_.wanted());
    tids_ = static_cast<Tid*>(context_.arena.allocate(kBatchRows * sizeof(Tid), alignof(Tid)));
    dead_ = static_cast<uint8_t*>(context_.arena.allocate(kBatchRows, 1));
    return {};
  }
  Result<Batch*> next_rows() override {
    while (true) {
      if (at_ == found_) {
        at_ = 0;
        found_ = TRY(entries_.next(tids_, {}, nullptr));
        if (found_ == 0) return nullptr;
      }
      arena_.reset();
      const TableFetch::Fetched got =
          TRY(fetch_->fetch(context_.fiber, *context_.snapshot, SnapshotKind::mvcc,
                            FetchMode::index_entry, std::span<const Tid>(tids_ + at_, found_ - at_),
                            columns_.vectors(), 0, arena_, nullptr, nullptr, dead_ + at_));
      at_ += got.tids_done;
      if (at_ == found_ && std::find(dead_, dead_ + found_, 1) != dead_ + found_) {
        TRY(entries_.scan().kill(context_.fiber, std::span<const uint8_t>(dead_, found_)));
      }
      TRY(context_.fiber.charge(got.tids_done * 2));
      if (got.rows == 0) continue;
      Batch* out = TRY(projection_.apply(arena_, columns_.batch(got.rows), wanted));
      if (out != nullptr) return out;
    }
  }
  void start_over() override {
    entries_.start_over();
    at_ = found_ = 0;
  }

  IndexEntries entries_;
  std::optional<TableFetch> fetch_;
  Tid* tids_ = nullptr;  // kBatchRows of each: the entries at hand, and which are dead
  uint8_t* dead_ = nullptr;
  uint32_t at_ = 0, found_ = 0;
};

}  // namespace

OperatorPtr make_seq_scan(ExecContext& context, const SeqScanPlan& plan) {
  return std::make_unique<SeqScanOperator>(context, plan);
}
OperatorPtr make_index_scan(ExecContext& context, const IndexScanPlan& plan) {
  return std::make_unique<IndexScanOperator>(context, plan);
}

}  // namespace orrery
