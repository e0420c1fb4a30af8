#include "sim/workload/workloads.h"

namespace orrery {
namespace {
constexpr WorkloadEntry kWorkloads[] = {
    {"log", "records through the write-ahead log alone", make_log_workload},
    {"pages", "random changes to pages and files, with checkpoints", make_pages_workload},
    {"bank", "transfers, savepoints, long readers and vacuum over heap and B-tree",
     make_bank_workload},
};
}  // namespace

std::span<const WorkloadEntry> workloads() { return kWorkloads; }

}  // namespace orrery
