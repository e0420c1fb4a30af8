// Work on large values, done so that other sessions go on meanwhile.
//
// A function is called for a slice of its rows at a time, and the bytes of each slice are booked on
// the fiber (fiber.h), which yields when it has had its share. A row whose arguments alone take
// longer than that is computed on a worker, and its result brought back piece by piece. A worker
// sees the arguments, a copy of the settings and memory of its own, no session and no catalog: so
// only functions that need no more leave the engine's thread, and only for built-in types. A
// cancelled statement raises a sign that long loops look at (spent(), TypeSettings::stop).
//
// The text and binary forms of values go the same way, for those who read or write them one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/function.h"
#include "base/stop_sign.h"
#include "catalog/info.h"
#include "func/kernel.h"
#include "types/type_io.h"

namespace orrery {

// Arguments of one row of more than this are a worker's: they take longer than a slice of time.
constexpr uint64_t kLeavingBytes = 128 * 1024;

// Of a call site, settled when the call is compiled: what its arguments may weigh.
struct CallShape {
  bool may_leave = false;  // the engine's thread
  bool dear = false;       // a small argument may mean much work
  bool squared = false;    // work may go with the square of a length
  int16_t result_length = 8;
  bool result_by_value = true;
  std::span<const int16_t> lengths;  // typlen of each argument by reference, 0 of the others
  bool any_large = false;            // one of them is of variable length
};

// `site` has its types. The arrays lie in `arena`.
CallShape make_call_shape(Arena& arena, const FunctionInfo& function, const CallSite& site,
                          const TypeInfo* result);

// As `kernel` itself.
Status call_kernel(EvalContext& context, CallSite& site, const CallShape& shape, Kernel kernel,
                   std::span<const Vector> args, Rows rows, Vector& out);

// As kernel.begin. `apart` holds the state instead of context.plan_arena when a worker makes it; it
// must live as long.
Result<void*> begin_set(EvalContext& context, CallSite& site, const CallShape& shape,
                        const SetKernel& kernel, std::span<const NullableDatum> args, Arena& apart);

// As kernel.finalize, for an aggregate of built-in types.
Status finalize_aggregate(EvalContext& context, CallSite& site, const AggregateKernel& kernel,
                          const void* state, NullableDatum* out);

// Books work inside a kernel; on a worker it only looks for the sign.
Status spent(EvalContext& context, uint64_t units);
// memcpy that books as it goes.
Status copy_large(EvalContext& context, void* to, const void* from, uint64_t bytes);

// What `work` makes on a worker, in memory of its own, brought into `arena`: a value of `type`.
Result<NullableDatum> make_elsewhere(Fiber& fiber, Arena& arena, const TypeInfo& type,
                                     FunctionRef<Result<NullableDatum>(Arena&, StopSign&)> work);

// As type.input, type.receive, and as `write`, which is type.output or type.send.
Result<Datum> read_text(Fiber& fiber, IoContext& io, const TypeInfo& type, std::string_view text);
Result<Datum> read_binary(Fiber& fiber, IoContext& io, const TypeInfo& type, Bytes bytes);
Status write_value(Fiber& fiber, IoContext& io, const TypeInfo& type, OutputFunction write,
                   Datum value, std::string& out);

}  // namespace orrery
