// The switch between stacks, over Boost.Context's fcontext: registers by fcontext, and around it
// what fcontext does not know of.
//
// - libstdc++ keeps the stack of caught exceptions per thread. Without saving it, two fibers that
//   suspend inside `catch` rethrow each other's exceptions. engine/ throws nothing, but libraries
//   and tests may.
// - AddressSanitizer and ThreadSanitizer must be told which stack runs.
//
// Who resumed us is kept in the context, not in a local: under ASan locals live on a fake stack
// that the last switch frees. Only switch.cpp includes Boost.
#pragma once

#include <cstddef>

namespace orrery {

struct FiberContext {
  void* registers = nullptr;          // fcontext_t while not running
  void* caught_exceptions = nullptr;  // __cxa_eh_globals: the two fields of the Itanium ABI
  unsigned uncaught_exceptions = 0;
  FiberContext* resumed_by = nullptr;
  bool finished = false;  // this context switches away for the last time
  const void* stack_bottom = nullptr;
  size_t stack_size = 0;
  void* fake_stack = nullptr;  // AddressSanitizer's
  void* tsan_fiber = nullptr;
  void (*entry)(void*) = nullptr;
  void* argument = nullptr;
};

// For the thread's own stack. Call once before the first switch from it.
void prepare_thread_context(FiberContext& context);
// Lets `context` start with entry(argument) on the stack [bottom, bottom + size). entry must not
// return: it ends with a switch away, `finished` being set.
void prepare_context(FiberContext& context, void* bottom, size_t size, void (*entry)(void*),
                     void* argument);
// After the context has finished, or if it never started.
void release_context(FiberContext& context);
// Leaves `from`, goes on in `to`; returns when something switches back to `from`.
void switch_context(FiberContext& from, FiberContext& to);

}  // namespace orrery
