// Aggregates: sums that are exact (128 bits for integers, unbounded for numeric), Youngs and
// Cramer's updating formulas for variances of floats [Youngs71], and the rest. Keyed by pg_proc
// OID.
#pragma once

#include <span>

#include "func/kernel.h"

namespace orrery {

struct AggregateEntry {
  Oid oid;
  const AggregateKernel* kernel;
};
// Sorted by OID.
std::span<const AggregateEntry> aggregate_table();

// Kernels of other files.
extern const AggregateKernel kNumericSum, kNumericAvg, kNumericVarPop, kNumericVarSamp,
    kNumericStddevPop, kNumericStddevSamp;
extern const AggregateKernel kJsonAgg, kJsonbAgg, kJsonObjectAgg, kJsonbObjectAgg;
extern const AggregateKernel kBitStringAnd, kBitStringOr, kBitStringXor;
extern const AggregateKernel kInt8VarPop, kInt8VarSamp, kInt8StddevPop, kInt8StddevSamp;
extern const AggregateKernel kInt4VarPop, kInt4VarSamp, kInt4StddevPop, kInt4StddevSamp;
extern const AggregateKernel kFloat8Avg, kFloat8VarPop, kFloat8VarSamp, kFloat8StddevPop,
    kFloat8StddevSamp;
extern const AggregateKernel kFloat4Avg, kFloat4VarPop, kFloat4VarSamp, kFloat4StddevPop,
    kFloat4StddevSamp;
extern const AggregateKernel kRegrCount, kRegrSxx, kRegrSyy, kRegrSxy, kRegrAvgx, kRegrAvgy,
    kRegrR2, kRegrSlope, kRegrIntercept;
extern const AggregateKernel kCovarPop, kCovarSamp, kCorr;
extern const AggregateKernel kArrayAgg, kArrayAggArray, kMaxArray, kMinArray;

// Calls `add` with the state and row of every row whose first `strict_args` arguments are not NULL.
template <class State, class Add>
Status for_each_row(void* const* states, std::span<const Vector> args, Rows rows, Add add) {
  bool may_have_nulls = false;
  for (const Vector& arg : args) may_have_nulls |= arg.may_have_nulls;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (may_have_nulls) {
      bool skip = false;
      for (const Vector& arg : args) skip |= arg.is_null(row);
      if (skip) continue;
    }
    if constexpr (std::is_void_v<decltype(add(*static_cast<State*>(states[i]), row))>) {
      add(*static_cast<State*>(states[i]), row);
    } else {
      Status status = add(*static_cast<State*>(states[i]), row);
      if (!status.ok()) [[unlikely]]
        return status;
    }
  }
  return {};
}

// Whether all rows go to one state, as they do without GROUP BY.
inline bool one_state(void* const* states, uint32_t count) {
  uintptr_t differing = 0;
  for (uint32_t i = 1; i < count; ++i)
    differing |= reinterpret_cast<uintptr_t>(states[i]) ^ reinterpret_cast<uintptr_t>(states[0]);
  return differing == 0;
}

}  // namespace orrery
