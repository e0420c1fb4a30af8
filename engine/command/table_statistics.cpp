#include "command/table_statistics.h"

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

struct Value {
  Datum value;
  uint32_t number;  // among those compared, in physical order
};

// A value that stands several times in the sample.
struct Repeated {
  uint32_t count;
  uint32_t first;  // in sorted order
};

struct Counts {
  double rows = 0;  // in the sample
  double nonnull = 0;
  double too_wide = 0;
  double distinct = 0;  // values seen
  double repeated = 0;  // of them, more than once
};

// The number of distinct values in the whole table (Duj1).
double estimate_distinct(const Counts& counts, double total_rows, double null_fraction) {
  double distinct = 0;
  if (counts.repeated == 0) {
    distinct = -1.0 * (1.0 - null_fraction);  // as if no two rows agreed
  } else if (counts.too_wide == 0 && counts.repeated == counts.distinct) {
    distinct = counts.distinct;  // each value came again, so there are no others
  } else {
    const double once = counts.distinct - counts.repeated + counts.too_wide;
    const double seen = once + counts.repeated;
    const double n = counts.rows - (counts.rows - counts.nonnull);
    const double all = total_rows * (1.0 - null_fraction);
    if (all > 0) distinct = (n * seen) / ((n - once) + once * n / all);
    distinct = std::floor(std::min(std::max(distinct, seen), all) + 0.5);
  }
  // More than a tenth of the rows: it grows with the table.
  if (distinct > 0.1 * total_rows) distinct = -(distinct / total_rows);
  return distinct;
}

// How many of the candidates are common beyond what chance explains: a value is kept while its
// count is over two standard deviations above what the values left out would average.
size_t count_common(std::span<const Repeated> candidates, double distinct, double null_fraction,
                    double rows, double total_rows) {
  size_t kept = candidates.size();
  if (rows == total_rows || total_rows <= 1.0) return kept;
  const double table_distinct = distinct < 0 ? -distinct * total_rows : distinct;
  double sum = 0;
  for (size_t i = 0; i + 1 < kept; ++i) sum += candidates[i].count;
  while (kept > 0) {
    double share = std::clamp(1.0 - sum / rows - null_fraction, 0.0, 1.0);
    const double others = table_distinct - static_cast<double>(kept - 1);
    if (others > 1) share /= others;
    const double count = candidates[kept - 1].count;
    const double in_table = total_rows * count / rows;
    const double variance = rows * in_table * (total_rows - in_table) * (total_rows - rows) /
                            (total_rows * total_rows * (total_rows - 1));
    if (count > share * rows + 2 * std::sqrt(variance) + 0.5) break;
    if (--kept == 0) break;
    sum -= candidates[kept - 1].count;
  }
  return kept;
}

class SortedColumn {
 public:
  SortedColumn(std::vector<Value> values, Comparator compare, size_t most)
      : values_(std::move(values)), most_(most) {
    std::sort(values_.begin(), values_.end(), [&](const Value& a, const Value& b) {
      const int order = compare(a.value, b.value);
      return order != 0 ? order < 0 : a.number < b.number;
    });
    for (uint32_t at = 0; at < values_.size();) {
      uint32_t end = at + 1;
      while (end < values_.size() && compare(values_[at].value, values_[end].value) == 0) ++end;
      ++distinct_;
      if (end - at > 1) {
        ++repeated_;
        note(Repeated{end - at, at});
      }
      at = end;
    }
  }
  double distinct() const { return distinct_; }
  double repeated() const { return repeated_; }
  const std::vector<Repeated>& common() const { return common_; }
  Datum value(size_t at) const { return values_[at].value; }
  size_t size() const { return values_.size(); }

  double correlation() const {
    const auto n = static_cast<double>(values_.size());
    double products = 0;
    for (size_t i = 0; i < values_.size(); ++i)
      products += static_cast<double>(i) * static_cast<double>(values_[i].number);
    const double sum = (n - 1) * n / 2;
    const double squares = (n - 1) * n * (2 * n - 1) / 6;
    return (n * products - sum * sum) / (n * squares - sum * sum);
  }

  // Bounds of buckets equally full of the values that are not among the first `common`.
  std::vector<Datum> bounds(size_t common, size_t buckets) const {
    std::vector<Repeated> left_out(common_.begin(),
                                   common_.begin() + static_cast<ptrdiff_t>(common));
    std::sort(left_out.begin(), left_out.end(),
              [](const Repeated& a, const Repeated& b) { return a.first < b.first; });
    std::vector<Datum> rest;
    size_t at = 0;
    for (const Repeated& gone : left_out) {
      for (; at < gone.first; ++at) rest.push_back(values_[at].value);
      at += gone.count;
    }
    for (; at < values_.size(); ++at) rest.push_back(values_[at].value);
    const double others = distinct_ - static_cast<double>(common);
    const size_t count =
        static_cast<size_t>(std::min(std::max(others, 0.0), static_cast<double>(buckets + 1)));
    std::vector<Datum> out;
    if (count < 2) return out;
    const size_t step = (rest.size() - 1) / (count - 1);
    const size_t remainder = (rest.size() - 1) % (count - 1);
    size_t position = 0;
    size_t fraction = 0;
    for (size_t i = 0; i < count; ++i) {
      out.push_back(rest[position]);
      position += step;
      fraction += remainder;
      if (fraction >= count - 1) {
        ++position;
        fraction -= count - 1;
      }
    }
    return out;
  }

 private:
  // Keeps the `most_` most frequent, in order; of equals, the one met first.
  void note(Repeated value) {
    auto place = std::find_if(common_.begin(), common_.end(),
                              [&](const Repeated& kept) { return kept.count < value.count; });
    if (place == common_.end() && common_.size() >= most_) return;
    common_.insert(place, value);
    if (common_.size() > most_) common_.pop_back();
  }

  std::vector<Value> values_;
  const size_t most_;
  double distinct_ = 0, repeated_ = 0;
  std::vector<Repeated> common_;
};

}  // namespace

ColumnStatistics compute_statistics(const ColumnSample& sample, const TypeInfo& type,
                                    Comparator compare, int target) {
  ColumnStatistics result;
  Counts counts{.rows = static_cast<double>(sample.values.size())};
  double bytes = 0;
  std::vector<Value> values;
  for (size_t i = 0; i < sample.values.size(); ++i) {
    if (sample.values[i].is_null) continue;
    ++counts.nonnull;
    if (type.length < 0) bytes += sample.widths[i];
    if (type.length == -1 && sample.widths[i] > kWideBytes) {
      ++counts.too_wide;
      continue;
    }
    values.push_back({sample.values[i].value, static_cast<uint32_t>(values.size())});
  }
  if (counts.rows == 0) return result;
  if (counts.nonnull == 0) {
    result.null_fraction = 1;
    result.width = type.length < 0 ? 0 : type.length;
    return result;
  }
  result.null_fraction = (counts.rows - counts.nonnull) / counts.rows;
  result.width = type.length < 0 ? static_cast<int32_t>(bytes / counts.nonnull) : type.length;
  if (compare == nullptr) return result;
  if (values.empty()) {
    result.distinct = -1.0 * (1.0 - result.null_fraction);
    return result;
  }
  const SortedColumn sorted(std::move(values), compare, static_cast<size_t>(target));
  counts.distinct = sorted.distinct();
  counts.repeated = sorted.repeated();
  result.distinct = estimate_distinct(counts, sample.total_rows, result.null_fraction);
  const std::vector<Repeated>& candidates = sorted.common();
  const bool complete = static_cast<double>(candidates.size()) == counts.distinct &&
                        counts.too_wide == 0 && result.distinct > 0;
  const size_t common = complete ? candidates.size()
                                 : count_common(candidates, result.distinct, result.null_fraction,
                                                counts.rows, sample.total_rows);
  for (size_t i = 0; i < common; ++i) {
    result.common.push_back(sorted.value(candidates[i].first));
    result.common_fractions.push_back(static_cast<float>(candidates[i].count / counts.rows));
  }
  result.bounds = sorted.bounds(common, static_cast<size_t>(target));
  result.has_correlation = sorted.size() > 1;
  if (result.has_correlation) result.correlation = sorted.correlation();
  return result;
}

}  // namespace orrery
