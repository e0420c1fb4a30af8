// Index-only scan: the index has all columns that are asked for, so the table is visited only for
// rows on pages that not every snapshot sees whole.
#include "exec/operators_internal.h"
#include "exec/table_scan_operator.h"

namespace orrery {
namespace {

class IndexOnlyScanOperator final : public TableScanOperator {
 public:
  IndexOnlyScanOperator(ExecContext& context, const IndexScanPlan& plan)
      : TableScanOperator(context, plan, plan.recheck),
        index_(*plan.index),
        entries_(context, plan) {}

 private:
  Status open_scan() override {
    // Where the index has each column that is wanted.
    std::vector<int16_t> places;
    for (const int16_t wanted_column : columns_.wanted()) {
      const auto at = std::find(index_.columns.begin(), index_.columns.end(), wanted_column + 1);
      CHECK(at != index_.columns.end());
      places.push_back(static_cast<int16_t>(at - index_.columns.begin()));
    }
    // The scan gives its columns in order of the index.
    for (size_t i = 0; i < places.size(); ++i) order_.push_back(i);
    std::sort(order_.begin(), order_.end(),
              [&](size_t a, size_t b) { return places[a] < places[b]; });
    for (const size_t i : order_) places_.push_back(places[i]);
    read_.resize(places_.size());
    TRY(entries_.open(places_));
    fetch_.emplace(*context_.access, columns_.relation().storage, std::span<const int16_t>());
    tids_.resize(kBatchRows);
    unsure_.resize(kBatchRows);
    visible_.resize(kBatchRows);
    kept_.resize(kBatchRows);
    sources_.resize(kBatchRows);
    return {};
  }
  Result<Batch*> next_rows() override {
    while (true) {
      arena_.reset();
      for (size_t i = 0; i < order_.size(); ++i) read_[i] = columns_.vectors()[order_[i]];
      const uint32_t found = TRY(entries_.next(tids_.data(), read_, &arena_));
      if (found == 0) return nullptr;
      for (size_t i = 0; i < order_.size(); ++i) columns_.vectors()[order_[i]] = read_[i];
      const uint32_t kept = TRY(keep_visible(found));
      TRY(context_.fiber.charge(found));
      if (kept == 0) continue;
      Batch in = columns_.batch(found);
      in.rows = Rows{kept_.data(), kept};
      Batch* out = TRY(projection_.apply(arena_, in, wanted));
      if (out != nullptr) return out;
    }
  }
  void start_over() override { entries_.start_over(); }

  // Which of the entries at hand name a row that the snapshot sees, into kept_.
  Result<uint32_t> keep_visible(uint32_t found) {
    const std::span<uint8_t> visible = std::span(visible_).first(found);
    std::fill(visible.begin(), visible.end(), 0);
    TRY(entries_.scan().check_all_visible(context_.fiber, columns_.relation().storage, visible));
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

  const CatalogIndex& index_;
  IndexEntries entries_;
  std::vector<int16_t> places_;  // in the index, ascending
  std::vector<size_t> order_;    // which of the wanted columns each is
  std::vector<Vector> read_;
  std::optional<TableFetch> fetch_;
  std::vector<Tid> tids_, unsure_;
  std::vector<uint8_t> visible_;
  std::vector<uint16_t> kept_, sources_;
};

}  // namespace

OperatorPtr make_index_only_scan(ExecContext& context, const IndexScanPlan& plan) {
  return std::make_unique<IndexOnlyScanOperator>(context, plan);
}

}  // namespace orrery
