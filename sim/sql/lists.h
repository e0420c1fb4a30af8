// Lists that transactions append to and read, for the isolation oracle (history_check.h).
#pragma once

#include "sim/sql/sql_session.h"

namespace orrery {

std::unique_ptr<SqlRole> make_lists(SqlContext& context);

}  // namespace orrery
