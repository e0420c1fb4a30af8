#include "fiber/io.h"

#include <gtest/gtest.h>

#include "fiber/host_suite.h"
#include "fiber/test_host.h"

namespace orrery {
namespace {

struct TestHostUnderTest final : HostUnderTest {
  Scheduler& scheduler() override { return scheduler_; }
  void run_until_done() override { host_.run(scheduler_); }
  std::string own_address() override { return "127.0.0.1"; }
  TestHost host_;
  Scheduler scheduler_{host_};
};

TEST(TestHost, HoldsWhatEveryHostMust) {
  for (const HostClaim& claim : host_claims()) {
    SCOPED_TRACE(claim.name);
    TestHostUnderTest under_test;
    claim.check(under_test);
  }
}

TEST(TestHost, HoldsItWithSlowDisksAndOddSchedulesToo) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    for (const HostClaim& claim : host_claims()) {
      SCOPED_TRACE(cat(claim.name, " seed ", seed));
      TestHostUnderTest under_test;
      under_test.host_.disk_test.delay = true;
      under_test.host_.pick_at_random = true;
      under_test.host_.random_test.prng = Prng(seed);
      claim.check(under_test);
    }
  }
}

TEST(Io, ACancelledFiberGetsItsDiskResultFirst) {
  TestHost host;
  host.disk_test.delay = true;
  Scheduler scheduler(host);
  Fiber& reader = scheduler.spawn("reader", [&](Fiber& fiber) {
    auto file = open_file(fiber, "a", true);
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE(fiber.cancel_pending());
    EXPECT_TRUE(write_file(fiber, *file, 0, as_bytes("x")).ok());
    EXPECT_TRUE(fiber.yield().is(sqlstate::query_canceled));
  });
  scheduler.run_one();
  reader.cancel(raise(sqlstate::query_canceled, "canceling statement due to user request"));
  EXPECT_FALSE(scheduler.has_ready());  // it waits on for its disk
  host.run(scheduler);
  EXPECT_EQ(scheduler.live_fibers(), 0u);
}

TEST(Io, NothingReachesTheDiskOfAHaltedMachine) {
  TestHost host;
  host.disk_test.delay = true;
  Scheduler scheduler(host);
  scheduler.spawn("writer", [&](Fiber& fiber) {
    EXPECT_TRUE(open_file(fiber, "a", true).status().is_halted());
    EXPECT_TRUE(open_file(fiber, "b", true).status().is_halted());
    EXPECT_TRUE(listen(fiber, "127.0.0.1", 0).status().is_halted());
  });
  scheduler.run_one();
  host.crash(scheduler);
  EXPECT_EQ(host.disk_test.submitted, 1u);
}

TEST(Io, DiskFailuresAreValues) {
  TestHost host;
  Scheduler scheduler(host);
  scheduler.spawn("writer", [&](Fiber& fiber) {
    auto file = open_file(fiber, "a", true);
    ASSERT_TRUE(file.ok());
    host.disk_test.fail_at = 1;
    EXPECT_TRUE(sync_file(fiber, *file).is(sqlstate::io_error));
  });
  host.run(scheduler);
}

}  // namespace
}  // namespace orrery
