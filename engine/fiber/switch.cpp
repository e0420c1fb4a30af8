#include "fiber/switch.h"

#include <boost/context/detail/fcontext.hpp>
#include <cxxabi.h>

#include "base/check.h"

// g++ 12 cannot evaluate `defined(__has_feature) && __has_feature(x)`, hence the nesting.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ORRERY_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define ORRERY_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(ORRERY_ASAN)
#define ORRERY_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(ORRERY_TSAN)
#define ORRERY_TSAN 1
#endif

#if defined(ORRERY_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(ORRERY_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace orrery {
namespace {

namespace fcontext = boost::context::detail;

struct ExceptionGlobals {
  void* caught;
  unsigned uncaught;
};

// What both ends of a switch do on arrival: remember where the other side stopped.
void arrived(FiberContext& here, void* registers_of_other) {
  FiberContext& other = *here.resumed_by;
  other.registers = registers_of_other;
#if defined(ORRERY_ASAN)
  __sanitizer_finish_switch_fiber(here.fake_stack, &other.stack_bottom, &other.stack_size);
#endif
}

void start(fcontext::transfer_t transfer) {
  FiberContext& here = *static_cast<FiberContext*>(transfer.data);
  arrived(here, transfer.fctx);
  here.entry(here.argument);
  UNREACHABLE();
}

}  // namespace

void prepare_thread_context([[maybe_unused]] FiberContext& context) {
#if defined(ORRERY_TSAN)
  context.tsan_fiber = __tsan_get_current_fiber();
#endif
}

void prepare_context(FiberContext& context, void* bottom, size_t size, void (*entry)(void*),
                     void* argument) {
  context.stack_bottom = bottom;
  context.stack_size = size;
  context.entry = entry;
  context.argument = argument;
  context.registers = fcontext::make_fcontext(static_cast<char*>(bottom) + size, size, start);
#if defined(ORRERY_TSAN)
  context.tsan_fiber = __tsan_create_fiber(0);
#endif
}

void release_context([[maybe_unused]] FiberContext& context) {
#if defined(ORRERY_TSAN)
  __tsan_destroy_fiber(context.tsan_fiber);
#endif
}

void switch_context(FiberContext& from, FiberContext& to) {
  auto* globals = reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals());
  from.caught_exceptions = globals->caught;
  from.uncaught_exceptions = globals->uncaught;
  globals->caught = to.caught_exceptions;
  globals->uncaught = to.uncaught_exceptions;
  to.resumed_by = &from;
#if defined(ORRERY_ASAN)
  __sanitizer_start_switch_fiber(from.finished ? nullptr : &from.fake_stack, to.stack_bottom,
                                 to.stack_size);
#endif
#if defined(ORRERY_TSAN)
  __tsan_switch_to_fiber(to.tsan_fiber, 0);
#endif
  const fcontext::transfer_t transfer = fcontext::jump_fcontext(to.registers, &to);
  arrived(from, transfer.fctx);
}

}  // namespace orrery
