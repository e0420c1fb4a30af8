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

constexpr size_t kSortedHere = 2048;  // items that are sorted in less time than a worker is asked
constexpr size_t kMostJobs = 2;       // at once, so that others find a worker
constexpr size_t kMaxInputs = 256;    // of one merge
constexpr uint64_t kLeastChunkItems = 1024, kMostChunkItems = 65'536;

}  // namespace

RowSorter::RowSorter(Fiber& fiber, MemoryBudget* budget, std::vector<ColumnDesc> columns,
                     std::vector<KeyColumn> keys, uint64_t memory_bytes, TempSpace* temp_space)
    : fiber_(fiber),
      budget_(budget),
      columns_(std::move(columns)),
      keys_(std::move(keys)),
      memory_bytes_(memory_bytes),
      chunk_items_(
          std::bit_floor(std::clamp(memory_bytes / 512, kLeastChunkItems, kMostChunkItems))),
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

int RowSorter::compare(const Item& a, const Item& b) const {
  if (a.prefix != b.prefix) return a.prefix < b.prefix ? -1 : 1;
  return compare_rows(keys_, *a.row, *b.row, columns_.size());
}

uint64_t RowSorter::held_bytes() const {
  const uint64_t full = chunks_.size() > 1 ? (chunks_.size() - 1) * chunk_items_ : 0;
  const uint64_t last = chunks_.empty() ? 0 : chunks_.back()->items.capacity();
  return store_->bytes() + (full + last) * sizeof(Item) + best_.capacity() * sizeof(Candidate);
}

Status RowSorter::add(std::span<const Vector> columns, Rows rows) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    if (bound_ == 0) break;
    const Item item = item_of(store_->add(columns, rows[i]));
    if (bound_ == UINT64_MAX) {
      TRY(append(item));
    } else {
      offer({item, arrived_++});
    }
  }
  TRY(fiber_.charge(uint64_t{rows.count} * 2));
  peak_bytes_ = std::max(peak_bytes_, held_bytes());
  if (held_bytes() > memory_bytes_) {
    if (bound_ != UINT64_MAX) TRY(trim());
    if (held_bytes() > memory_bytes_) {
      TRY(end_bound());  // even the rows wanted do not fit
      TRY(write_run());
    }
  }
  return budget_ == nullptr ? Status() : budget_->check();
}

// ---- the first rows of the order

// Keeps the `bound_` first rows in a heap with the last of them on top.
void RowSorter::offer(Candidate candidate) {
  const auto less = [this](const Candidate& a, const Candidate& b) {
    const int order = compare(a.item, b.item);
    return order != 0 ? order < 0 : a.arrival < b.arrival;
  };
  if (best_.size() < bound_) {
    best_.push_back(candidate);
    std::push_heap(best_.begin(), best_.end(), less);
  } else if (less(candidate, best_.front())) {
    std::pop_heap(best_.begin(), best_.end(), less);
    best_.back() = candidate;
    std::push_heap(best_.begin(), best_.end(), less);
  }
}

// Rows that left the heap are still in the store: those that stay move to a new one.
Status RowSorter::trim() {
  auto kept = std::make_unique<RowStore>(budget_, columns_);
  for (Candidate& candidate : best_) candidate.item.row = kept->add(*candidate.item.row);
  store_ = std::move(kept);
  return fiber_.charge(best_.size() * 2);
}

// From now on these rows, in order of arrival, are as any others.
Status RowSorter::end_bound() {
  std::ranges::sort(best_, {}, &Candidate::arrival);
  for (const Candidate& candidate : best_) TRY(append(candidate.item));
  best_ = {};
  bound_ = UINT64_MAX;
  return {};
}

// ---- chunks

Status RowSorter::append(Item item) {
  if (chunks_.empty() || chunks_.back()->items.size() == chunk_items_) {
    // While all came in order no worker has the chunk before.
    in_order_ = in_order_ && (chunks_.empty() || !before(item, chunks_.back()->items.back()));
    chunks_.push_back(std::make_unique<Chunk>());
  }
  Chunk& chunk = *chunks_.back();
  if (chunk.in_order && !chunk.items.empty() && before(item, chunk.items.back()))
    chunk.in_order = in_order_ = false;
  chunk.items.push_back(item);
  return chunk.items.size() == chunk_items_ ? begin_sort(chunk) : Status();
}

// `chunk` is the last one and gets no more items.
Status RowSorter::begin_sort(Chunk& chunk) {
  if (chunk.in_order) return {};
  const auto sort = [this, &chunk] {
    std::stable_sort(chunk.items.begin(), chunk.items.end(),
                     [this](const Item& a, const Item& b) { return before(a, b); });
  };
  chunk.in_order = true;
  if (chunk.items.size() <= kSortedHere) {
    sort();
    return fiber_.charge(chunk.items.size() * 4);
  }
  if (chunks_.size() > kMostJobs) {
    std::optional<WorkerJob>& oldest = chunks_[chunks_.size() - 1 - kMostJobs]->job;
    if (oldest) TRY(oldest->wait());
  }
  chunk.job.emplace(fiber_, sort);
  return {};
}

// All rows have come: makes the chunks ready for next().
Status RowSorter::end_chunks() {
  chunk_at_ = 0;
  if (chunks_.empty()) return {};
  TRY(begin_sort(*chunks_.back()));
  for (const std::unique_ptr<Chunk>& chunk : chunks_) {
    if (chunk->job) TRY(chunk->job->wait());
    chunk->job.reset();
  }
  if (in_order_ || chunks_.size() == 1) return {};
  for (const std::unique_ptr<Chunk>& chunk : chunks_) heads_.push_back(chunk->items.front());
  play();
  return {};
}

// Waits for the workers that still sort.
void RowSorter::forget_items() {
  chunks_.clear();
  heads_.clear();
  best_.clear();
  in_order_ = true;
  store_->clear();
}

Status RowSorter::sort() {
  if (bound_ != UINT64_MAX) TRY(end_bound());
  if (runs_.empty()) return end_chunks();
  if (!chunks_.empty()) TRY(write_run());
  return reduce_runs();
}

// ---- runs in the file

// All that next() gives.
Result<std::unique_ptr<RowStream>> RowSorter::write_rows() {
  auto run = std::make_unique<RowStream>(*file_, columns_);
  while (true) {
    const StoredRow* row = TRY(next());
    if (row == nullptr) break;
    TRY(run->write(*row));
    TRY(fiber_.charge(2));
  }
  TRY(run->finish());
  return run;
}

Status RowSorter::write_run() {
  TRY(end_chunks());
  if (file_ == nullptr) file_ = std::make_unique<TempFile>(fiber_, temp_space_, budget_);
  auto run = write_rows();
  forget_items();  // what could not be written is lost to the statement, which fails
  auto written = TRY(std::move(run));
  runs_.push_back(std::move(written));
  spilled_ = true;
  spilled_bytes_ += runs_.back()->size();
  return {};
}

// Merges neighbours, the oldest first, until one merge can take all that are left.
Status RowSorter::reduce_runs() {
  const size_t fan_in =
      std::clamp<size_t>(memory_bytes_ / (size_t{kTempBlockBytes} * 3 / 2), 2, kMaxInputs);
  while (runs_.size() > fan_in) {
    std::deque<std::unique_ptr<RowStream>> longer;
    while (!runs_.empty()) {
      TRY(start_merge(std::min(fan_in, runs_.size())));
      auto run = TRY(write_rows());
      longer.push_back(std::move(run));
    }
    runs_ = std::move(longer);
  }
  return start_merge(runs_.size());
}

Status RowSorter::start_merge(size_t runs) {
  inputs_.clear();
  heads_.assign(runs, Item{});
  for (uint32_t i = 0; i < runs; ++i) {
    inputs_.push_back(std::make_unique<Input>(std::move(runs_.front())));
    runs_.pop_front();
    TRY(advance(i));
  }
  play();
  return {};
}

// ---- reading

void RowSorter::play() {
  tree_.build(heads_.size(), [this](uint32_t a, uint32_t b) { return head_before(a, b); });
}

// Equal rows come from the older input first.
bool RowSorter::head_before(uint32_t a, uint32_t b) const {
  const Item& x = heads_[a];
  const Item& y = heads_[b];
  if (x.row == nullptr || y.row == nullptr) return x.row != nullptr;
  const int order = compare(x, y);
  return order != 0 ? order < 0 : a < b;
}

Status RowSorter::advance(uint32_t number) {
  Item& head = heads_[number];
  if (inputs_.empty()) {
    Chunk& chunk = *chunks_[number];
    ++chunk.at;
    const size_t left = chunk.items.size() - chunk.at;
    head = left > 0 ? chunk.items[chunk.at] : Item{};
    constexpr size_t kAhead = 4;
    if (left > kAhead) __builtin_prefetch(chunk.items[chunk.at + kAhead].row);
    return {};
  }
  Input& input = *inputs_[number];
  input.arena ^= 1;
  Arena& arena = input.arenas[input.arena];
  arena.reset();
  StoredRow* const row = TRY(input.reader.next(arena));
  head = row != nullptr ? item_of(row) : Item{};
  return {};
}

Result<StoredRow*> RowSorter::next() {
  if (heads_.empty()) {
    for (; chunk_at_ < chunks_.size(); ++chunk_at_) {
      Chunk& chunk = *chunks_[chunk_at_];
      if (chunk.at < chunk.items.size()) return chunk.items[chunk.at++].row;
    }
    return static_cast<StoredRow*>(nullptr);
  }
  const uint32_t least = tree_.least();
  StoredRow* const row = heads_[least].row;
  if (row == nullptr) return row;
  TRY(advance(least));
  tree_.replay([this](uint32_t a, uint32_t b) { return head_before(a, b); });
  TRY(fiber_.charge(4));
  return row;
}

Result<uint32_t> RowSorter::next_batch(std::span<Vector> columns) {
  batch_rows_.clear();
  const bool from_file = !inputs_.empty();
  if (from_file && batch_arena_ == nullptr) batch_arena_ = std::make_unique<Arena>(budget_);
  if (from_file) batch_arena_->reset();
  while (batch_rows_.size() < kBatchRows) {
    StoredRow* const row = TRY(next());
    if (row == nullptr) break;
    batch_rows_.push_back(from_file ? copy_row(*batch_arena_, columns_, *row) : row);
  }
  store_->load(batch_rows_, columns);
  TRY(fiber_.charge(batch_rows_.size()));
  return static_cast<uint32_t>(batch_rows_.size());
}

void RowSorter::clear() {
  inputs_.clear();
  runs_.clear();
  forget_items();
  arrived_ = 0;
}

}  // namespace orrery
