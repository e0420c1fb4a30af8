// TPC-B as pgbench has it: each transaction adds one amount to an account, a teller and a branch,
// and writes it into a history. In any snapshot the four sums agree, and those of each branch.
#pragma once

#include "sim/sql/sql_session.h"

namespace orrery {

std::unique_ptr<SqlRole> make_tpcb(SqlContext& context);

}  // namespace orrery
