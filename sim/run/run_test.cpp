#include "sim/run/run.h"

#include <gtest/gtest.h>

#include "sim/run/jobs.h"
#include "sim/sql/database_images.h"

namespace orrery {
namespace {

TEST(Run, EverySeedOfEveryWorkloadPassesAndRepeats) {
  DatabaseImages images;
  for (const WorkloadEntry& entry : workloads()) {
    const uint64_t seeds = entry.needs_images ? 3 : 8;  // the whole engine takes longer
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      SCOPED_TRACE(std::string(entry.name) + " seed " + std::to_string(seed));
      const RunOptions options{
          .seed = seed, .workload = std::string(entry.name), .images = &images};
      const RunRecord first = run_seed(options);
      EXPECT_EQ(first.verdict, "ok") << first.sentence;
      EXPECT_GT(first.counts.committed, 0u);
      EXPECT_EQ(run_seed(options).hash, first.hash);
    }
  }
}

TEST(Run, ATapeTakenFromASeedGivesTheSameRun) {
  std::vector<Decision> tape;
  RunOptions options{.seed = 5, .workload = "log", .record_to = &tape};
  const RunRecord first = run_seed(options);
  options.record_to = nullptr;
  options.tape = &tape;
  options.seed = 99;  // the tape decides, not the seed
  EXPECT_EQ(run_seed(options).hash, first.hash);
}

TEST(Jobs, ReportsEachSeedOnceWhateverTheNumberOfProcesses) {
  std::map<uint64_t, std::string> one;
  std::map<uint64_t, std::string> three;
  const auto hash_of = [](const SeedReport& report) {
    const size_t at = report.json.find("\"hash\"");
    return report.json.substr(at, 44);
  };
  const auto run = [&](uint32_t jobs, std::map<uint64_t, std::string>& out) {
    sweep(SweepOptions{.first = 1, .last = 12, .jobs = jobs, .workload = "log", .planted = {}},
          [&](SeedReport report) {
            EXPECT_EQ(report.verdict, "ok") << report.sentence;
            EXPECT_TRUE(out.emplace(report.seed, hash_of(report)).second);
            return true;
          });
  };
  run(1, one);
  run(3, three);
  EXPECT_EQ(one.size(), 12u);
  EXPECT_EQ(one, three);
}

}  // namespace
}  // namespace orrery
