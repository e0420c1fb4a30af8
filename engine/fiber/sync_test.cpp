#include "fiber/sync.h"

#include <gtest/gtest.h>

#include "fiber/test_host.h"

namespace orrery {
namespace {

Status cancelled() {
  return raise(sqlstate::query_canceled, "canceling statement due to user request");
}

TEST(WaitQueue, WakesInOrderOfArrival) {
  TestHost host;
  Scheduler scheduler(host);
  WaitQueue queue;
  std::string order;
  for (char name : {'a', 'b', 'c'}) {
    scheduler.spawn("w", [&, name](Fiber& fiber) {
      auto woken = queue.wait(fiber);
      ASSERT_TRUE(woken.ok() && *woken);
      order += name;
    });
  }
  scheduler.spawn("notifier", [&](Fiber& fiber) {
    queue.notify_one();
    ASSERT_TRUE(fiber.sleep(seconds(1)).ok());
    order += '|';
    queue.notify_all();
  });
  host.run(scheduler);
  EXPECT_EQ(order, "a|bc");
}

TEST(WaitQueue, GivesUpAtItsDeadline) {
  run_in_fiber([](Fiber& fiber) {
    WaitQueue queue;
    const Instant end = fiber.now() + seconds(2);
    auto woken = queue.wait(fiber, end);
    ASSERT_TRUE(woken.ok());
    EXPECT_FALSE(*woken);
    EXPECT_EQ(fiber.now(), end);
    EXPECT_TRUE(queue.empty());
  });
}

TEST(WaitQueue, ACancelledWaiterLeavesTheQueue) {
  TestHost host;
  Scheduler scheduler(host);
  WaitQueue queue;
  bool second_woken = false;
  Fiber& first = scheduler.spawn("first", [&](Fiber& fiber) {
    EXPECT_TRUE(queue.wait(fiber).status().is(sqlstate::query_canceled));
  });
  scheduler.spawn("second", [&](Fiber& fiber) {
    auto woken = queue.wait(fiber);
    second_woken = woken.ok() && *woken;
  });
  scheduler.spawn("canceller", [&](Fiber& fiber) {
    first.cancel(cancelled());
    ASSERT_TRUE(fiber.yield().ok());
    queue.notify_one();
  });
  host.run(scheduler);
  EXPECT_TRUE(second_woken);
}

TEST(WaitQueue, ANotificationIsNotLostToACancel) {
  TestHost host;
  Scheduler scheduler(host);
  Mutex mutex;
  std::string order;
  Fiber* to_cancel = nullptr;
  scheduler.spawn("holder", [&](Fiber& fiber) {
    ASSERT_TRUE(mutex.lock(fiber).ok());
    ASSERT_TRUE(fiber.sleep(seconds(1)).ok());
    mutex.unlock();
    to_cancel->cancel(cancelled());  // it has been given the mutex but has not run yet
  });
  to_cancel = &scheduler.spawn("second", [&](Fiber& fiber) {
    ASSERT_TRUE(mutex.lock(fiber).ok());
    order += '2';
    EXPECT_TRUE(fiber.cancel_pending());
    mutex.unlock();
    EXPECT_TRUE(fiber.yield().is(sqlstate::query_canceled));
  });
  scheduler.spawn("third", [&](Fiber& fiber) {
    ASSERT_TRUE(mutex.lock(fiber).ok());
    order += '3';
    mutex.unlock();
  });
  host.run(scheduler);
  EXPECT_EQ(order, "23");
  EXPECT_FALSE(mutex.is_locked());
}

TEST(Mutex, IsGrantedInOrderOfArrivalEvenToOneWhoComesBack) {
  TestHost host;
  Scheduler scheduler(host);
  Mutex mutex;
  std::string order;
  for (char name : {'a', 'b', 'c'}) {
    scheduler.spawn("m", [&, name](Fiber& fiber) {
      for (int round = 0; round < 2; ++round) {
        ASSERT_TRUE(mutex.lock(fiber).ok());
        UnlockGuard guard(mutex);
        order += name;
        ASSERT_TRUE(fiber.yield().ok());
      }
    });
  }
  host.run(scheduler);
  EXPECT_EQ(order, "abcabc");
}

TEST(Mutex, ACancelledWaiterDoesNotTakeIt) {
  TestHost host;
  Scheduler scheduler(host);
  Mutex mutex;
  scheduler.spawn("holder", [&](Fiber& fiber) {
    ASSERT_TRUE(mutex.lock(fiber).ok());
    ASSERT_TRUE(fiber.sleep(seconds(2)).ok());
    mutex.unlock();
  });
  Fiber& waiter = scheduler.spawn(
      "waiter", [&](Fiber& fiber) { EXPECT_TRUE(mutex.lock(fiber).is(sqlstate::query_canceled)); });
  scheduler.spawn("canceller", [&](Fiber& fiber) {
    ASSERT_TRUE(fiber.sleep(seconds(1)).ok());
    waiter.cancel(cancelled());
  });
  host.run(scheduler);
  EXPECT_FALSE(mutex.is_locked());
}

TEST(Channel, PassesItemsInOrderWithBackPressure) {
  TestHost host;
  Scheduler scheduler(host);
  Channel<int> channel(2);
  std::vector<int> received;
  int sent = 0;
  scheduler.spawn("sender", [&](Fiber& fiber) {
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(channel.send(fiber, i).ok());
      ++sent;
    }
    channel.close();
    EXPECT_FALSE(channel.send(fiber, 11).ok());
  });
  scheduler.run_one();
  EXPECT_EQ(sent, 2);
  scheduler.spawn("receiver", [&](Fiber& fiber) {
    while (true) {
      auto item = channel.receive(fiber);
      ASSERT_TRUE(item.ok());
      if (!item->has_value()) return;
      received.push_back(**item);
    }
  });
  host.run(scheduler);
  EXPECT_EQ(received, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

}  // namespace
}  // namespace orrery
