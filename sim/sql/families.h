// Parents and children under a foreign key that is checked at the end of each transaction: children
// come before their parents, parents go before their children, savepoints undo half of it. See
// families.cpp.
#pragma once

#include "sim/sql/sql_session.h"

namespace orrery {

std::unique_ptr<SqlRole> make_families(SqlContext& context);

}  // namespace orrery
