// Who is connected, and what they are doing: what pg_stat_activity shows, and how one session
// cancels or ends another.
#pragma once

#include <map>
#include <string>

#include "fiber/fiber.h"

namespace orrery {

enum class ActivityState : uint8_t {
  idle,
  active,
  idle_in_transaction,
  idle_in_failed_transaction
};

struct ActivityEntry {
  int32_t process_id = 0;
  Oid database;
  Oid user;
  std::string database_name, user_name, application_name, client_address;
  WallTime session_start, transaction_start, statement_start, state_change;
  ActivityState state = ActivityState::idle;
  std::string statement;  // running, or run last
  Fiber* fiber = nullptr;
};

class Activity {
 public:
  // Until removed; `entry` stays its session's.
  void add(ActivityEntry& entry) { entries_[entry.process_id] = &entry; }
  void remove(const ActivityEntry& entry) { entries_.erase(entry.process_id); }
  // Null: no such session.
  const ActivityEntry* find(int32_t process_id) const {
    auto found = entries_.find(process_id);
    return found == entries_.end() ? nullptr : found->second;
  }
  const std::map<int32_t, ActivityEntry*>& entries() const { return entries_; }

  // pg_cancel_backend, pg_terminate_backend. False: no such session, or nothing to cancel.
  bool cancel(int32_t process_id);
  bool terminate(int32_t process_id);

 private:
  std::map<int32_t, ActivityEntry*> entries_;  // by process id
};

}  // namespace orrery
