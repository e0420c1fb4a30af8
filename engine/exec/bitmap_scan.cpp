// Bitmap scans: indexes say where rows may lie, the table is read at these places in its own order,
// each page once. Conditions on several indexes meet as sets (BitmapAnd, BitmapOr).
#include "exec/measure.h"
#include "exec/operators_internal.h"
#include "exec/table_scan_operator.h"
#include "exec/tid_bitmap.h"

namespace orrery {
namespace {

// A node below the heap scan: it gives a set, not rows.
class BitmapSource {
 public:
  BitmapSource(ExecContext& context, const PlanNode& plan) : context_(context), plan_(plan) {}

  Status open() {
    if (plan_.tag == PlanTag::bitmap_index_scan) {
      const auto& scan = static_cast<const IndexScanPlan&>(plan_);
      bounds_.emplace(context_, scan);
      TRY(bounds_->compile());
      scan_.emplace(*context_.access, scan.index->storage, ScanDirection::forward,
                    std::span<const int16_t>());
      return {};
    }
    for (const PlanNode* input : static_cast<const BitmapCombinePlan&>(plan_).inputs) {
      inputs_.push_back(std::make_unique<BitmapSource>(context_, *input));
      TRY(inputs_.back()->open());
    }
    return {};
  }

  // REQUIRES: `out` is empty.
  Status gather(TidBitmap& out) {
    const Instant start = context_.fiber.now();
    if (bounds_)
      TRY(read_index(out));
    else
      TRY(combine(out));
    if (context_.measures == nullptr) return {};
    NodeMeasure& measure = (*context_.measures)[static_cast<size_t>(plan_.id)];
    const int64_t spent = context_.fiber.now() - start;
    ++measure.loops;
    measure.first_ns += spent;
    measure.total_ns += spent;
    if (bounds_) measure.rows += out.size();
    return {};
  }

 private:
  Status read_index(TidBitmap& out) {
    Arena arena(&context_.budget);
    std::vector<Tid> tids(kBatchRows);
    bool more = TRY(bounds_->evaluate(arena));
    while (more) {
      scan_->start(bounds_->range());
      while (true) {
        const uint32_t count =
            TRY(scan_->next(context_.fiber, kBatchRows, tids.data(), {}, nullptr));
        if (count == 0) break;
        out.add(std::span(tids).first(count));
        TRY(context_.fiber.charge(count));
        TRY(context_.budget.check());
      }
      more = bounds_->advance();
    }
    out.finish();
    return {};
  }

  Status combine(TidBitmap& out) {
    bool first = true;
    for (auto& input : inputs_) {
      if (first) {
        TRY(input->gather(out));
        first = false;
        continue;
      }
      TidBitmap next(&context_.budget, context_.work_mem_bytes);
      TRY(input->gather(next));
      TRY(context_.fiber.charge(out.size() + next.size()));
      if (plan_.tag == PlanTag::bitmap_and)
        out.intersect(next);
      else
        out.unite(next);
      TRY(context_.budget.check());
    }
    return {};
  }

  ExecContext& context_;
  const PlanNode& plan_;
  std::optional<IndexBounds> bounds_;
  std::optional<IndexScan> scan_;
  std::vector<std::unique_ptr<BitmapSource>> inputs_;
};

class BitmapHeapScanOperator final : public TableScanOperator {
 public:
  BitmapHeapScanOperator(ExecContext& context, const BitmapHeapScanPlan& plan)
      : TableScanOperator(context, plan, plan.recheck),
        heap_(plan),
        source_(context, *plan.left),
        places_(&context.budget, context.work_mem_bytes) {
    columns_.note(plan.recheck);
  }

 private:
  Status open_scan() override {
    recheck_ = TRY(Evaluator::compile(context_, *heap_.recheck, columns_.layout()));
    TRY(source_.open());
    fetch_.emplace(*context_.access, columns_.relation().storage, columns_.wanted());
    tids_.resize(kBatchRows);
    kept_.resize(kBatchRows);
    return {};
  }
  Result<Batch*> next_rows() override {
    if (!gathered_) {
      places_.clear();
      TRY(source_.gather(places_));
      gathered_ = true;
      at_ = 0;
    }
    while (true) {
      arena_.reset();
      Batch in;
      if (page_) {
        const uint32_t count =
            TRY(page_->next(context_.fiber, columns_.vectors(), arena_, nullptr));
        if (count == 0) {
          page_.reset();
          continue;
        }
        in = columns_.batch(count);
        in.rows = TRY(recheck_->filter(arena_, in, in.rows, kept_.data()));
      } else {
        if (at_ >= places_.size()) return nullptr;
        if (places_.is_page(at_)) {
          page_.emplace(*context_.access, columns_.relation().storage, *context_.snapshot,
                        columns_.wanted(),
                        TableScanOptions{.first_block = places_.block(at_++), .block_count = 1});
          continue;
        }
        const uint32_t count = TRY(fetch_some());
        in = columns_.batch(count);
      }
      if (in.rows.count == 0) continue;
      TRY(context_.fiber.charge(in.rows.count));
      Batch* out = TRY(projection_.apply(arena_, in, wanted));
      if (out != nullptr) return out;
    }
  }

  void start_over() override {
    gathered_ = false;
    page_.reset();
  }

  // The rows at the next places that are told one by one.
  Result<uint32_t> fetch_some() {
    uint32_t count = 0;
    for (size_t i = at_; i < places_.size() && count < kBatchRows && !places_.is_page(i); ++i)
      tids_[count++] = places_.tid(i);
    const TableFetch::Fetched got =
        TRY(fetch_->fetch(context_.fiber, *context_.snapshot, SnapshotKind::mvcc,
                          FetchMode::index_entry, std::span<const Tid>(tids_).first(count),
                          columns_.vectors(), 0, arena_, nullptr, nullptr, nullptr));
    at_ += got.tids_done;
    TRY(context_.fiber.charge(got.tids_done));
    return got.rows;
  }

  const BitmapHeapScanPlan& heap_;
  BitmapSource source_;
  TidBitmap places_;
  std::optional<Evaluator> recheck_;
  std::optional<TableFetch> fetch_;
  std::optional<TableScan> page_;  // being read whole
  std::vector<Tid> tids_;
  std::vector<uint16_t> kept_;
  size_t at_ = 0;  // of places_
  bool gathered_ = false;
};

}  // namespace

OperatorPtr make_bitmap_heap_scan(ExecContext& context, const BitmapHeapScanPlan& plan) {
  return std::make_unique<BitmapHeapScanOperator>(context, plan);
}

}  // namespace orrery
