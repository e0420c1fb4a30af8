// The workloads there are. Each lives in a .cpp of its own; workloads.cpp lists them.
#pragma once

#include "sim/run/run.h"

namespace orrery {

std::unique_ptr<Workload> make_log_workload();
std::unique_ptr<Workload> make_pages_workload();
std::unique_ptr<Workload> make_bank_workload();
std::unique_ptr<Workload> make_sql_workload();

}  // namespace orrery
