// Cancels statements and ends sessions: those of other clients at any moment, and its own when they
// wait for a lock or for time, which must then end, and with the right error.
#pragma once

#include "sim/sql/sql_session.h"

namespace orrery {

std::unique_ptr<SqlRole> make_interrupts(SqlContext& context);

}  // namespace orrery
