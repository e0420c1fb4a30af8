// Transfers between accounts, each with a row of its own in the same transaction: any snapshot can
// then be held to itself, and to the ledger outside the disk. See transfers.cpp.
#pragma once

#include "sim/sql/sql_session.h"

namespace orrery {

std::unique_ptr<SqlRole> make_transfers(SqlContext& context);

}  // namespace orrery
