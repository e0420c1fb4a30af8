// Sort: rows are kept and ordered by their keys; equal rows stay in order of arrival, so that runs
// are repeatable. Under a Limit only the best rows are kept, in a heap.
#include "exec/detoast.h"
#include "exec/keys.h"
#include "exec/operators_internal.h"
#include "exec/projection.h"

namespace orrery {
namespace {

class SortOperator final : public Operator {
 public:
  SortOperator(ExecContext& context, const SortPlan& plan)
      : Operator(context, plan), sort_(plan), arena_(&context.budget) {}

  Status open() override {
    child_ = TRY(make_operator(context_, *plan_.left));
    keys_ = TRY(sort_keys(context_, sort_.keys, *plan_.left));
    store_.emplace(context_, TRY(column_descs(context_, plan_.left->targets)));
    columns_ = make_columns(context_.arena, store_->width());
    return {};
  }

  Result<Batch*> next() override {
    if (!sorted_) TRY(read_and_sort());
    if (at_ >= rows_.size()) return nullptr;
    const auto count = static_cast<uint32_t>(std::min<size_t>(kBatchRows, rows_.size() - at_));
    loaded_.clear();
    for (uint32_t i = 0; i < count; ++i) loaded_.push_back(rows_[at_ + i].row);
    store_->load(loaded_, columns_);
    at_ += count;
    TRY(context_.fiber.charge(count));
    out_ = Batch{columns_, Rows{nullptr, count}};
    return &out_;
  }

  Status rescan() override {
    rows_.clear();
    store_->clear();
    sorted_ = false;
    at_ = 0;
    arrived_ = 0;
    return child_->rescan();
  }
  void set_row_limit(double rows) override { limit_ = rows; }

 private:
  struct Item {
    StoredRow* row;
    uint64_t arrival;
  };
  bool before(const Item& a, const Item& b) const {
    const int order = compare_rows(keys_, *a.row, *b.row, store_->width());
    return order != 0 ? order < 0 : a.arrival < b.arrival;
  }

  // Keeps the `limit_` smallest: a heap with the largest kept row on top. Rows that leave the heap
  // stay in the store until it has grown to twice what is needed, then the kept ones move to a new
  // store.
  Status read_and_sort() {
    const auto less = [this](const Item& a, const Item& b) { return before(a, b); };
    const bool bounded = limit_ >= 0 && limit_ < 10'000;
    const auto bound = static_cast<size_t>(std::max(limit_, 0.0));
    while (Batch* in = TRY(child_->next())) {
      arena_.reset();
      for (const SortKey& key : sort_.keys) {
        TRY(detoast_column(context_, arena_, in->columns[static_cast<size_t>(key.column - 1)],
                           in->rows, store_->columns()[static_cast<size_t>(key.column - 1)]));
      }
      for (uint32_t i = 0; i < in->rows.count; ++i) {
        if (bounded && bound == 0) break;
        const Item item{store_->add(in->columns, in->rows[i]), arrived_++};
        if (!bounded || rows_.size() < bound) {
          rows_.push_back(item);
          if (bounded) std::push_heap(rows_.begin(), rows_.end(), less);
        } else if (before(item, rows_.front())) {
          std::pop_heap(rows_.begin(), rows_.end(), less);
          rows_.back() = item;
          std::push_heap(rows_.begin(), rows_.end(), less);
        }
      }
      TRY(context_.budget.check());
      TRY(context_.fiber.charge(in->rows.count * 4));
    }
    TRY(sort_in_slices());
    sorted_ = true;
    return {};
  }

  // Merge sort whose runs are short enough that no stretch between yields is long.
  Status sort_in_slices() {
    const auto less = [this](const Item& a, const Item& b) { return before(a, b); };
    constexpr size_t kRun = 4096;
    for (size_t at = 0; at < rows_.size(); at += kRun) {
      const size_t end = std::min(at + kRun, rows_.size());
      std::sort(rows_.begin() + static_cast<ptrdiff_t>(at),
                rows_.begin() + static_cast<ptrdiff_t>(end), less);
      TRY(context_.fiber.charge((end - at) * 4));
    }
    std::vector<Item> merged;
    for (size_t run = kRun; run < rows_.size(); run *= 2) {
      merged.clear();
      merged.reserve(rows_.size());
      for (size_t at = 0; at < rows_.size(); at += 2 * run) {
        TRY(merge(at, std::min(at + run, rows_.size()), std::min(at + 2 * run, rows_.size()),
                  merged));
      }
      rows_.swap(merged);
    }
    return {};
  }
  Status merge(size_t a, size_t middle, size_t end, std::vector<Item>& out) {
    size_t b = middle;
    const size_t a_end = middle;
    while (a < a_end || b < end) {
      const bool take_a = b >= end || (a < a_end && !before(rows_[b], rows_[a]));
      out.push_back(take_a ? rows_[a++] : rows_[b++]);
      TRY(context_.fiber.charge(1));
    }
    return {};
  }

  const SortPlan& sort_;
  Arena arena_;
  OperatorPtr child_;
  std::vector<KeyColumn> keys_;
  std::optional<RowStore> store_;
  std::vector<Item> rows_;
  std::vector<StoredRow*> loaded_;
  std::vector<Vector> columns_;
  Batch out_;
  double limit_ = -1;
  uint64_t arrived_ = 0;
  size_t at_ = 0;
  bool sorted_ = false;
};

}  // namespace

OperatorPtr make_sort(ExecContext& context, const SortPlan& plan) {
  return std::make_unique<SortOperator>(context, plan);
}

}  // namespace orrery
