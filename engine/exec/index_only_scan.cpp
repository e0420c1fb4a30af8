// Index-only scan: the index has all columns that are asked for, so the table is visited only for
// rows on pages that not every snapshot sees whole.
#include "access/btree.h"
#include "exec/fixed_row_scan.h"
#include "exec/index_bounds.h"
#include "exec/operators_internal.h"

namespace orrery {
namespace {

class IndexOnlyScanOperator final : public Operator {
 public:
  IndexOnlyScanOperator(ExecContext& context, const IndexScanPlan& plan)
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
    // Where the index has each column that is wanted.
    const CatalogIndex& index = *scan_plan_.index;
    std::vector<int16_t> places;
    for (const int16_t wanted : columns_.wanted()) {
      const auto at = std::find(index.columns.begin(), index.columns.end(), wanted + 1);
      CHECK(at != index.columns.end());
      places.push_back(static_cast<int16_t>(at - index.columns.begin()));
    }
    // The scan gives its columns in order of the index.
    for (size_t i = 0; i < places.size(); ++i) order_.push_back(i);
    std::sort(order_.begin(), order_.end(),
              [&](size_t a, size_t b) { return places[a] < places[b]; });
    for (const size_t i : order_) places_.push_back(places[i]);
    read_.resize(places_.size());
    const ScanDirection direction =
        scan_plan_.backward ? ScanDirection::backward : ScanDirection::forward;
    scan_.emplace(*context_.access, index.storage, direction, places_);
    fetch_.emplace(*context_.access, columns_.relation().storage, std::span<const int16_t>());
    tids_.resize(kBatchRows);
    unsure_.resize(kBatchRows);
    visible_.resize(kBatchRows);
    kept_.resize(kBatchRows);
    sources_.resize(kBatchRows);
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
      const bool some = TRY(bounds_.evaluate(key_arena_));
      done_ = !some;
      if (!done_) scan_->start(bounds_.range());
      limit_ = kFirstEntries;
    }
    while (!done_) {
      arena_.reset();
      for (size_t i = 0; i < order_.size(); ++i) read_[i] = columns_.vectors()[order_[i]];
      const uint32_t found = TRY(scan_->next(context_.fiber, limit_, tids_.data(), read_, &arena_));
      for (size_t i = 0; i < order_.size(); ++i) columns_.vectors()[order_[i]] = read_[i];
      limit_ = kBatchRows;
      if (found == 0) {
        done_ = !bounds_.advance();
        if (!done_) scan_->start(bounds_.range());
        limit_ = kFirstEntries;
        continue;
      }
      const uint32_t kept = TRY(keep_visible(found));
      TRY(context_.fiber.charge(found));
      if (kept == 0) continue;
      Batch in = columns_.batch(found);
      in.rows = Rows{kept_.data(), kept};
      Batch* out = TRY(projection_.apply(arena_, in, wanted));
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

  // Which of the entries at hand name a row that the snapshot sees, into kept_.
  Result<uint32_t> keep_visible(uint32_t found) {
    const std::span<uint8_t> visible = std::span(visible_).first(found);
    std::fill(visible.begin(), visible.end(), 0);
    TRY(scan_->check_all_visible(context_.fiber, columns_.relation().storage, visible));
    unsure_.clear();
    std::vector<uint16_t> rows;
    for (uint32_t i = 0; i < found; ++i) {
      if (visible[i] != 0) continue;
      unsure_.push_back(tids_[i]);
      rows.push_back(static_cast<uint16_t>(i));
    }
    for (size_t at = 0; at < unsure_.size();) {
      const TableFetch::Fetched got = TRY(fetch_->fetch(
          context_.fiber, *context_.snapshot, SnapshotKind::mvcc, FetchMode::index_entry,
          std::span(unsure_).subspan(at), {}, 0, arena_, nullptr, sources_.data(), nullptr));
      for (uint32_t i = 0; i < got.rows; ++i) visible[rows[at + sources_[i]]] = 1;
      at += got.tids_done;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < found; ++i) {
      if (visible[i] != 0) kept_[kept++] = static_cast<uint16_t>(i);
    }
    return kept;
  }

  const IndexScanPlan& scan_plan_;
  Arena arena_, key_arena_;
  Projection projection_;
  IndexBounds bounds_;
  TableColumns columns_;
  std::optional<FixedRowScan> fixed_;
  std::vector<int16_t> places_;  // in the index, ascending
  std::vector<size_t> order_;    // which of the wanted columns each is
  std::vector<Vector> read_;
  std::optional<IndexScan> scan_;
  std::optional<TableFetch> fetch_;
  std::vector<Tid> tids_, unsure_;
  std::vector<uint8_t> visible_;
  std::vector<uint16_t> kept_, sources_;
  uint32_t limit_ = kFirstEntries;
  bool started_ = false;
  bool done_ = false;
};

}  // namespace

OperatorPtr make_index_only_scan(ExecContext& context, const IndexScanPlan& plan) {
  return std::make_unique<IndexOnlyScanOperator>(context, plan);
}

}  // namespace orrery
