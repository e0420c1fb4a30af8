#include <gtest/gtest.h>
#include <stdexcept>

#include "fiber/scheduler.h"
#include "fiber/sync.h"
#include "fiber/test_host.h"

namespace orrery {
namespace {

Status cancelled() {
  return raise(sqlstate::query_canceled, "canceling statement due to user request");
}

TEST(Scheduler, RunsTenThousandFibersInTurn) {
  TestHost host;
  Scheduler scheduler(host);
  uint64_t turns = 0;
  for (int i = 0; i < 10'000; ++i) {
    scheduler.spawn("counter", [&](Fiber& fiber) {
      for (int turn = 0; turn < 3; ++turn) {
        ++turns;
        ASSERT_TRUE(fiber.yield().ok());
      }
    });
  }
  host.run(scheduler);
  EXPECT_EQ(turns, 30'000u);
  EXPECT_EQ(scheduler.live_fibers(), 0u);
}

TEST(Scheduler, RunsReadyFibersInOrderOfReadiness) {
  TestHost host;
  Scheduler scheduler(host);
  std::string order;
  for (char name : {'a', 'b', 'c'}) {
    scheduler.spawn("f", [&order, name](Fiber& fiber) {
      order += name;
      ASSERT_TRUE(fiber.yield().ok());
      order += name;
    });
  }
  host.run(scheduler);
  EXPECT_EQ(order, "abcabc");
}

TEST(Scheduler, TakesTheHostsPick) {
  auto order_with = [](uint64_t seed) {
    TestHost host;
    host.pick_at_random = true;
    host.random_test.prng = Prng(seed);
    Scheduler scheduler(host);
    std::string order;
    for (char name = 'a'; name <= 'z'; ++name) {
      scheduler.spawn("f", [&order, name](Fiber&) { order += name; });
    }
    host.run(scheduler);
    return order;
  };
  EXPECT_EQ(order_with(1), order_with(1));
  EXPECT_NE(order_with(1), order_with(2));
}

// Fiber A is suspended inside catch while B throws and catches; each must rethrow its own
// exception.
TEST(Switch, KeepsEachFibersCaughtException) {
  TestHost host;
  Scheduler scheduler(host);
  std::string rethrown;
  for (const char* name : {"A", "B"}) {
    scheduler.spawn(name, [&rethrown, name](Fiber& fiber) {
      try {
        try {
          throw std::runtime_error(name);
        } catch (const std::runtime_error&) {
          ASSERT_TRUE(fiber.yield().ok());
          throw;
        }
      } catch (const std::runtime_error& error) {
        rethrown += error.what();
      }
    });
  }
  host.run(scheduler);
  EXPECT_EQ(rethrown, "AB");
}

TEST(Switch, CountsUncaughtExceptionsPerFiber) {
  struct YieldsInDestructor {
    Fiber& fiber;
    int& seen;
    ~YieldsInDestructor() {
      EXPECT_TRUE(fiber.yield().ok());
      seen = std::uncaught_exceptions();
    }
  };
  TestHost host;
  Scheduler scheduler(host);
  int seen_while_throwing = -1;
  int seen_elsewhere = -1;
  scheduler.spawn("throws", [&](Fiber& fiber) {
    try {
      YieldsInDestructor object{fiber, seen_while_throwing};
      throw 1;
    } catch (int) {
    }
  });
  scheduler.spawn("calm", [&](Fiber&) { seen_elsewhere = std::uncaught_exceptions(); });
  host.run(scheduler);
  EXPECT_EQ(seen_while_throwing, 1);
  EXPECT_EQ(seen_elsewhere, 0);
}

int burn_stack(int depth) {
  volatile char frame[512];
  frame[depth % 512] = static_cast<char>(depth);
  if (depth == 0) return frame[0];
  return burn_stack(depth - 1) + frame[depth % 512];
}

TEST(Fiber, HasStackForItsRecursionLimit) {
  run_in_fiber([](Fiber& fiber) {
    int levels = 0;
    while (fiber.enter_recursion()) ++levels;
    EXPECT_EQ(levels, 1500);
    for (int i = 0; i <= levels; ++i) fiber.leave_recursion();
    burn_stack(levels);
  });
}

TEST(Fiber, GoesOnAfterItsStackWasTrimmed) {
  run_in_fiber([](Fiber& fiber) {
    const std::string kept(100, 'k');
    const int before = burn_stack(1000);
    fiber.trim_stack();
    ASSERT_TRUE(fiber.sleep(seconds(1)).ok());
    EXPECT_EQ(burn_stack(1000), before);
    EXPECT_EQ(kept, std::string(100, 'k'));
  });
}

TEST(Fiber, SleepsUntilItsTimer) {
  run_in_fiber([](Fiber& fiber) {
    const Instant start = fiber.now();
    ASSERT_TRUE(fiber.sleep(seconds(3)).ok());
    EXPECT_EQ(fiber.now() - start, seconds(3).ns);
    EXPECT_FALSE(static_cast<TestHost&>(fiber.host()).clock_test.has_timers());
  });
}

TEST(Fiber, ChargeYieldsWhenTheSliceIsUsedUp) {
  TestHost host;
  Scheduler scheduler(host);
  std::string order;
  scheduler.spawn("long", [&](Fiber& fiber) {
    ASSERT_TRUE(fiber.charge(kUnitsPerSlice - 1).ok());
    order += 'a';
    ASSERT_TRUE(fiber.charge(1).ok());
    order += 'c';
  });
  scheduler.spawn("short", [&](Fiber&) { order += 'b'; });
  EXPECT_EQ(scheduler.run_one(), kUnitsPerSlice);
  host.run(scheduler);
  EXPECT_EQ(order, "abc");
}

TEST(FiberDeathTest, NoSuspendRegionsMayNotSuspend) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run_in_fiber([](Fiber& fiber) {
                 NoSuspend guard(fiber);
                 EXPECT_TRUE(fiber.yield().ok());
               }),
               "no_suspend_");
}

TEST(Cancel, EndsASleepOnceAndLeavesNoTimer) {
  TestHost host;
  Scheduler scheduler(host);
  Fiber& sleeper = scheduler.spawn("sleeper", [&](Fiber& fiber) {
    EXPECT_TRUE(fiber.sleep(seconds(1000)).is(sqlstate::query_canceled));
    EXPECT_FALSE(host.clock_test.has_timers());
    EXPECT_TRUE(fiber.sleep(seconds(1)).ok());
  });
  scheduler.spawn("canceller", [&](Fiber&) { sleeper.cancel(cancelled()); });
  host.run(scheduler);
  EXPECT_EQ(scheduler.live_fibers(), 0u);
}

TEST(Cancel, WaitsWhileHeld) {
  run_in_fiber([](Fiber& fiber) {
    fiber.hold_cancel();
    fiber.cancel(cancelled());
    EXPECT_TRUE(fiber.yield().ok());
    EXPECT_TRUE(fiber.sleep(seconds(1)).ok());
    EXPECT_TRUE(fiber.cancel_pending());
    fiber.release_cancel();
    EXPECT_TRUE(fiber.yield().is(sqlstate::query_canceled));
    EXPECT_TRUE(fiber.yield().ok());
  });
}

TEST(Cancel, ThatCameTooLateForItsStatementIsDropped) {
  run_in_fiber([](Fiber& fiber) {
    fiber.cancel(cancelled());
    fiber.drop_statement_cancel();
    EXPECT_TRUE(fiber.yield().ok());
    fiber.cancel(
        raise(sqlstate::admin_shutdown, "terminating connection due to administrator command"));
    fiber.drop_statement_cancel();
    EXPECT_TRUE(fiber.yield().is(sqlstate::admin_shutdown));
  });
}

TEST(Cancel, OfTheStatementDoesNotReplaceTheEndOfTheSession) {
  run_in_fiber([](Fiber& fiber) {
    fiber.cancel(cancelled());
    fiber.cancel(
        raise(sqlstate::admin_shutdown, "terminating connection due to administrator command"));
    fiber.cancel(cancelled());
    EXPECT_TRUE(fiber.check_interrupts().is(sqlstate::admin_shutdown));
    EXPECT_FALSE(fiber.cancel_pending());
  });
}

// Waits of every kind, nested calls deep: all return halted, in order of birth, and what they own
// is freed.
TEST(Halt, MakesEveryFiberReturn) {
  TestHost host;
  host.disk_test.delay = true;
  Scheduler scheduler(host);
  WaitQueue queue;
  Mutex mutex;
  Channel<int> channel(1);
  std::string ended;
  auto spawn = [&](char name, auto body) {
    scheduler.spawn(std::string(1, name), [&ended, name, body](Fiber& fiber) {
      const Status status = body(fiber);
      EXPECT_TRUE(status.is_halted());
      EXPECT_TRUE(fiber.yield().is_halted());
      EXPECT_TRUE(fiber.sleep(seconds(1)).is_halted());
      ended += name;
    });
  };
  spawn('a', [&](Fiber& fiber) { return queue.wait(fiber).status().clone(); });
  spawn('b', [&](Fiber& fiber) -> Status {
    TRY(mutex.lock(fiber));
    UnlockGuard guard(mutex);
    return fiber.sleep(seconds(5));
  });
  spawn('c', [&](Fiber& fiber) { return mutex.lock(fiber); });
  spawn('d', [&](Fiber& fiber) { return channel.receive(fiber).status().clone(); });
  spawn('e', [&](Fiber& fiber) { return fiber.suspend_uncancelled(); });
  spawn('f', [&](Fiber& fiber) -> Status {
    while (true) TRY(fiber.charge(1000));
  });
  for (int i = 0; i < 20; ++i) scheduler.run_one();
  scheduler.spawn("unborn", [&](Fiber& fiber) {
    EXPECT_TRUE(fiber.yield().is_halted());
    ended += 'u';
  });
  host.crash(scheduler);
  EXPECT_EQ(ended, "abcdefu");
  EXPECT_EQ(scheduler.live_fibers(), 0u);
  EXPECT_EQ(scheduler.run_one(), std::nullopt);
}

TEST(Halt, FollowsAFatalErrorInsideAFiber) {
  TestHost host;
  Scheduler scheduler(host);
  bool other_ended = false;
  scheduler.spawn("other", [&](Fiber& fiber) {
    EXPECT_TRUE(fiber.sleep(seconds(1)).is_halted());
    other_ended = true;
  });
  scheduler.spawn("writer", [&](Fiber& fiber) {
    EXPECT_TRUE(fiber.host().fatal("could not fsync").is_halted());
    EXPECT_TRUE(fiber.yield().is_halted());
  });
  host.run(scheduler);
  EXPECT_EQ(host.fatal_reason, "could not fsync");
  EXPECT_TRUE(other_ended);
}

}  // namespace
}  // namespace orrery
