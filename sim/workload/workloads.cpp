#include "sim/workload/workloads.h"

namespace orrery {
namespace {
constexpr WorkloadEntry kWorkloads[] = {
    {"log", "records through the write-ahead log alone", make_log_workload},
    {"pages", "random changes to pages and files, with checkpoints", make_pages_workload},
    {"bank", "transfers, savepoints, long readers and vacuum over heap and B-tree",
     make_bank_workload},
    {"sql", "S: the whole engine, clients speak pgwire: transfers, lists", make_sql_workload, true},
};
}  // namespace

std::span<const WorkloadEntry> workloads() { return kWorkloads; }

}  // namespace orrery
