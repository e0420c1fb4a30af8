// How built-in functions are called: over vectors, so that the price of a call is paid once per
// batch.
//
// A Kernel computes `out` for the rows named; other rows of `out` are left alone. Arguments are
// plain (detoasted) values. A strict function's kernel is never asked to look at NULLs by hand:
// lift.h's adapters do that, and turn a scalar lambda into a loop. `out` has room for every row of
// the batch; by-reference results go to context.arena.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "types/vector.h"

namespace orrery {

class Fiber;
struct
    SessionView;  // settings that functions read: DateStyle, TimeZone, now... (func/session_view.h)

// What one call site knows about itself; lives as long as the plan.
struct CallSite {
  Oid function;
  Oid result_type;
  int32_t result_typmod = -1;
  std::span<const Oid> argument_types;
  Oid collation;
  bool variadic = false;  // the last argument was written VARIADIC: of "any", an array of them
  void* cache = nullptr;  // a kernel's own (a compiled regex); allocated in EvalContext::plan_arena
};

struct EvalContext {
  Fiber& fiber;       // for the few functions that may suspend (nextval, large scans)
  Arena& arena;       // results; lives as long as the batch
  Arena& plan_arena;  // lives as long as the plan's execution
  const SessionView& session;
};

using Kernel = Status (*)(EvalContext& context, CallSite& site, std::span<const Vector> args,
                          Rows rows, Vector& out);

// An aggregate: states are `state_bytes` each in memory of the caller's, zeroed, then init()ed.
// `states[i]` is the state that row rows[i] goes to (all equal for an aggregate without groups;
// kernels may notice).
struct AggregateKernel {
  uint32_t state_bytes;
  Status (*init)(EvalContext& context, CallSite& site, void* state);  // null: zeroes will do
  Status (*update)(EvalContext& context, CallSite& site, void* const* states,
                   std::span<const Vector> args, Rows rows);
  Status (*combine)(EvalContext& context, CallSite& site, void* into,
                    const void* from);  // null: no partial aggregation
  Status (*finalize)(EvalContext& context, CallSite& site, const void* state, NullableDatum* out);
  // Bytes that finalize() goes through; null: few. Where there are many, a worker may call it.
  uint64_t (*weight)(const void* state) = nullptr;
};
// During update/combine, context.arena is the aggregate's own: what it allocates lives as long as
// the states.

// A set-returning function: rows of `columns` are appended until it says it is done; called again
// with the same state.
struct SetKernel {
  // One call per row of arguments; `args` are single values. Returns the state (in
  // context.plan_arena, which here lives as long as this set).
  Result<void*> (*begin)(EvalContext& context, CallSite& site, std::span<const NullableDatum> args);
  // Fills at most kBatchRows rows; returns the count, 0 at the end.
  Result<uint32_t> (*next)(EvalContext& context, CallSite& site, void* state,
                           std::span<Vector> columns);
};

}  // namespace orrery
