#include "session/activity.h"

namespace orrery {

bool Activity::cancel(int32_t process_id) {
  const ActivityEntry* entry = find(process_id);
  if (entry == nullptr) return false;
  if (entry->state == ActivityState::active) {
    entry->fiber->cancel(
        raise(sqlstate::query_canceled, "canceling statement due to user request"));
  }
  return true;
}

bool Activity::terminate(int32_t process_id) {
  const ActivityEntry* entry = find(process_id);
  if (entry == nullptr) return false;
  entry->fiber->cancel(
      raise(sqlstate::admin_shutdown, "terminating connection due to administrator command"));
  return true;
}

}  // namespace orrery
