#include "exec/row_sorter.h"

#include <algorithm>
#include <bit>

#include "types/compare.h"

namespace orrery {
namespace {

// Words that order values as their comparator does; equal words decide nothing.
uint64_t signed_prefix(Datum v) {
  return v.raw ^ uint64_t { 1 } << 63;
}
uint64_t unsigned_prefix(Datum v) { return v.raw; }
uint64_t float8_prefix(Datum v) {
  const auto value = v.as<double>();
  if (value != value) return UINT64_MAX;
  const auto bits = std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
  return (bits >> 63) != 0 ? ~bits : bits | uint64_t{1} << 63;
}
uint64_t bytes_prefix(Datum v) {
  const std::string_view text = v.text();
  uint64_t prefix = 0;
  for (size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  }
  return prefix;
}

using Abbreviate = uint64_t (*)(Datum);
Abbreviate abbreviation(Comparator compare) {
  if (compare == compare_int) return signed_prefix;
  if (compare == compare_unsigned) return unsigned_prefix;
  if (compare == compare_float8) return float8_prefix;
  if (compare == compare_bytes) return bytes_prefix;
  return nullptr;
}

constexpr size_t kSmallRun = 2048;  // items sorted in one stretch between yields
constexpr size_t kMaxInputs = 256;  // of one merge

}  // namespace

RowSorter::RowSorter(Fiber& fiber, MemoryBudget* budget, std::vector<ColumnDesc> columns,
                     std::vector<KeyColumn> keys, uint64_t memory_bytes, TempSpace* temp_space)
    : fiber_(fiber),
      budget_(budget),
      columns_(std::move(columns)),
      keys_(std::move(keys)),
      memory_bytes_(memory_bytes),
      temp_space_(temp_space) {
  if (!keys_.empty()) abbreviate_ = abbreviation(keys_[0].compare);
  store_ = std::make_unique<RowStore>(budget_, columns_);
}

uint64_t RowSorter::prefix_of(const StoredRow& row) const {
  if (abbreviate_ == nullptr) return 0;
  const KeyColumn& key = keys_[0];
  const auto c = static_cast<size_t>(key.column);
  if (row.nulls(columns_.size())[c] != 0) return key.nulls_first ? 0 : UINT64_MAX;
  const uint64_t prefix = abbreviate_(row.values()[c]);
  return key.descending ? ~prefix : prefix;
}

bool RowSorter::before(const Item& a, const Item& b) const {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  const int order = compare_rows(keys_, *a.row, *b.row, columns_.size());
  return order != 0 ? order < 0 : a.arrival < b.arrival;
}

Status RowSorter::add(std::span<const Vector> columns, Rows rows) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    if (bound_ == 0) break;
    StoredRow* row = store_->add(columns, rows[i]);
    offer(Item{prefix_of(*row), row, arrived_++});
  }
  TRY(fiber_.charge(uint64_t{rows.count} * 2));
  peak_bytes_ = std::max(peak_bytes_, held_bytes());
  if (held_bytes() > memory_bytes_) {
    if (bound_ != UINT64_MAX) TRY(trim());
    if (held_bytes() > memory_bytes_) {
      if (bound_ != UINT64_MAX) in_order_ = false;
      bound_ = UINT64_MAX;  // even the rows wanted do not fit
      TRY(write_run());
    }
  }
  return budget_ == nullptr ? Status() : budget_->check();
}

// Keeps the `bound_` least rows in a heap with the greatest of them on top.
void RowSorter::offer(Item item) {
  const auto less = [this](const Item& a, const Item& b) { return before(a, b); };
  if (bound_ == UINT64_MAX) {
    in_order_ = in_order_ && (items_.empty() || !before(item, items_.back()));
    items_.push_back(item);
  } else if (items_.size() < bound_) {
    items_.push_back(item);
    std::push_heap(items_.begin(), items_.end(), less);
  } else if (before(item, items_.front())) {
    std::pop_heap(items_.begin(), items_.end(), less);
    items_.back() = item;
    std::push_heap(items_.begin(), items_.end(), less);
  }
}

// Rows that left the heap are still in the store: those that stay move to a new one.
Status RowSorter::trim() {
  auto kept = std::make_unique<RowStore>(budget_, columns_);
  for (Item& item : items_) item.row = kept->add(*item.row);
  store_ = std::move(kept);
  return fiber_.charge(items_.size() * 2);
}

// Merge sort whose runs are short enough that no stretch between yields is long.
Status RowSorter::sort_items() {
  if (in_order_ && bound_ == UINT64_MAX) return {};
  const auto less = [this](const Item& a, const Item& b) { return before(a, b); };
  for (size_t at = 0; at < items_.size(); at += kSmallRun) {
    const size_t end = std::min(at + kSmallRun, items_.size());
    std::sort(items_.begin() + static_cast<ptrdiff_t>(at),
              items_.begin() + static_cast<ptrdiff_t>(end), less);
    TRY(fiber_.charge((end - at) * 4));
  }
  std::vector<Item> merged;
  for (size_t run = kSmallRun; run < items_.size(); run *= 2) {
    merged.clear();
    merged.reserve(items_.size());
    for (size_t at = 0; at < items_.size(); at += 2 * run) {
      TRY(merge_items(at, std::min(at + run, items_.size()), std::min(at + 2 * run, items_.size()),
                      merged));
    }
    items_.swap(merged);
  }
  return {};
}

Status RowSorter::merge_items(size_t a, size_t middle, size_t end, std::vector<Item>& out) {
  size_t b = middle;
  const size_t a_end = middle;
  while (a < a_end || b < end) {
    const bool take_a = b >= end || (a < a_end && !before(items_[b], items_[a]));
    out.push_back(take_a ? items_[a++] : items_[b++]);
    TRY(fiber_.charge(1));
  }
  return {};
}

Status RowSorter::write_run() {
  TRY(sort_items());
  if (file_ == nullptr) file_ = std::make_unique<TempFile>(fiber_, temp_space_, budget_);
  auto run = std::make_unique<RowStream>(*file_, columns_);
  for (const Item& item : items_) {
    TRY(run->write(*item.row));
    TRY(fiber_.charge(2));
  }
  TRY(run->finish());
  spilled_ = true;
  spilled_bytes_ += run->size();
  runs_.push_back(std::move(run));
  items_.clear();
  in_order_ = true;
  store_->clear();
  return {};
}

Status RowSorter::sort() {
  if (runs_.empty()) return sort_items();
  if (!items_.empty()) TRY(write_run());
  std::vector<Item>().swap(items_);
  return reduce_runs();
}

// Merges neighbours, the oldest first, until one merge can take all that are left.
Status RowSorter::reduce_runs() {
  const size_t fan_in =
      std::clamp<size_t>(memory_bytes_ / (size_t{kTempBlockBytes} * 3 / 2), 2, kMaxInputs);
  while (runs_.size() > fan_in) {
    std::deque<std::unique_ptr<RowStream>> longer;
    while (!runs_.empty()) {
      TRY(start_merge(std::min(fan_in, runs_.size())));
      auto run = std::make_unique<RowStream>(*file_, columns_);
      while (true) {
        const StoredRow* row = TRY(next_merged());
        if (row == nullptr) break;
        TRY(run->write(*row));
      }
      TRY(run->finish());
      longer.push_back(std::move(run));
    }
    runs_ = std::move(longer);
  }
  return start_merge(runs_.size());
}

Status RowSorter::start_merge(size_t runs) {
  inputs_.clear();
  heap_.clear();
  const auto less = [this](size_t a, size_t b) { return after(a, b); };
  for (size_t i = 0; i < runs; ++i) {
    inputs_.push_back(std::make_unique<Input>(std::move(runs_.front())));
    runs_.pop_front();
    TRY(advance(*inputs_.back()));
    if (inputs_.back()->row == nullptr) continue;
    heap_.push_back(i);
    std::push_heap(heap_.begin(), heap_.end(), less);
  }
  return {};
}

// Of inputs by number: equal rows come from the older run first.
bool RowSorter::after(size_t a, size_t b) const {
  const Input& x = *inputs_[a];
  const Input& y = *inputs_[b];
  if (x.prefix != y.prefix) return x.prefix > y.prefix;
  const int order = compare_rows(keys_, *x.row, *y.row, columns_.size());
  return order != 0 ? order > 0 : a > b;
}

Status RowSorter::advance(Input& input) {
  input.arena ^= 1;
  Arena& arena = input.arenas[input.arena];
  arena.reset();
  input.row = TRY(input.reader.next(arena));
  if (input.row != nullptr) input.prefix = prefix_of(*input.row);
  return {};
}

Result<StoredRow*> RowSorter::next_merged() {
  const auto less = [this](size_t a, size_t b) { return after(a, b); };
  if (heap_.empty()) return static_cast<StoredRow*>(nullptr);
  std::pop_heap(heap_.begin(), heap_.end(), less);
  Input& least = *inputs_[heap_.back()];
  StoredRow* row = least.row;
  TRY(advance(least));
  if (least.row == nullptr) {
    heap_.pop_back();
  } else {
    std::push_heap(heap_.begin(), heap_.end(), less);
  }
  TRY(fiber_.charge(4));
  return row;
}

Result<StoredRow*> RowSorter::next() {
  if (!inputs_.empty()) return next_merged();
  if (at_ >= items_.size()) return static_cast<StoredRow*>(nullptr);
  return items_[at_++].row;
}

Result<uint32_t> RowSorter::next_batch(std::span<Vector> columns) {
  batch_rows_.clear();
  if (inputs_.empty()) {
    const size_t count = std::min<size_t>(kBatchRows, items_.size() - at_);
    for (size_t i = 0; i < count; ++i) batch_rows_.push_back(items_[at_++].row);
  } else {
    if (batch_arena_ == nullptr) batch_arena_ = std::make_unique<Arena>(budget_);
    batch_arena_->reset();
    while (batch_rows_.size() < kBatchRows) {
      const StoredRow* row = TRY(next_merged());
      if (row == nullptr) break;
      batch_rows_.push_back(copy_row(*batch_arena_, columns_, *row));
    }
  }
  store_->load(batch_rows_, columns);
  TRY(fiber_.charge(batch_rows_.size()));
  return static_cast<uint32_t>(batch_rows_.size());
}

void RowSorter::clear() {
  inputs_.clear();
  heap_.clear();
  runs_.clear();
  items_.clear();
  in_order_ = true;
  store_->clear();
  arrived_ = 0;
  at_ = 0;
}

}  // namespace orrery
