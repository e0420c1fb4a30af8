// Random SQL with DDL, savepoints, constraints and indexes by one client in a schema of its own,
// each answer held to a reference model (model_statements.h).
#pragma once

#include "sim/sql/sql_session.h"

namespace orrery {

// `number` tells the schemas of several such roles apart.
std::unique_ptr<SqlRole> make_model_role(SqlContext& context, uint32_t number);

}  // namespace orrery
