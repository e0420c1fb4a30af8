// Raised by who waits for a computation on another thread and wants its result no more; looked at
// by the computation, between pieces of its work. The one flag that two threads share: nothing is
// read through it, so its order beside other memory does not matter.
#pragma once

#include "base/status.h"

namespace orrery {

class StopSign {
 public:
  void raise() { __atomic_store_n(&raised_, true, __ATOMIC_RELAXED); }
  bool is_raised() const { return __atomic_load_n(&raised_, __ATOMIC_RELAXED); }

 private:
  bool raised_ = false;
};

// 57014 once the sign is up; null: nobody can stop this. Who raised it knows the reason, and gives
// that instead.
inline Status check_stop(const StopSign* sign) {
  if (sign == nullptr || !sign->is_raised()) [[likely]]
    return {};
  return raise(sqlstate::query_canceled, "canceling statement due to user request");
}

}  // namespace orrery
