// What every host must do, as gtest checks over any host: engine/os runs them on Linux, sim/ on a
// simulated machine, fiber/ on TestHost. Each function gets a fresh, empty host behind a
// HostUnderTest and leaves no fiber behind.
//
//   for (const HostClaim& claim : host_claims()) {
//     MyHostUnderTest under_test;
//     claim.check(under_test);
//   }
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/text.h"
#include "fiber/io.h"
#include "fiber/scheduler.h"
#include "fiber/sync.h"

namespace orrery {

class HostUnderTest {
 public:
  virtual ~HostUnderTest() = default;
  virtual Scheduler& scheduler() = 0;
  // Runs the machine until no fiber lives.
  virtual void run_until_done() = 0;
  // The address at which the machine listens and reaches itself.
  virtual std::string own_address() = 0;
};

struct HostClaim {
  const char* name;
  void (*check)(HostUnderTest& under_test);
};

std::vector<HostClaim> host_claims();

namespace host_suite {

inline void run_fiber(HostUnderTest& under_test, UniqueFunction<void(Fiber&)> body) {
  under_test.scheduler().spawn("claim", std::move(body));
  under_test.run_until_done();
  EXPECT_EQ(under_test.scheduler().live_fibers(), 0u);
}

inline void files_keep_what_was_written(HostUnderTest& under_test) {
  run_fiber(under_test, [](Fiber& fiber) {
    auto file = open_file(fiber, "a", true);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(write_file(fiber, *file, 5, as_bytes("hello")).ok());
    ASSERT_TRUE(sync_file(fiber, *file).ok());
    std::string buffer(20, 'x');
    auto count = read_file(fiber, *file, 0, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(count.ok());
    ASSERT_EQ(*count, 10u);
    EXPECT_EQ(buffer.substr(0, 10), std::string("\0\0\0\0\0hello", 10));
    auto past_end = read_file(fiber, *file, 10, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(past_end.ok());
    EXPECT_EQ(*past_end, 0u);
    ASSERT_TRUE(truncate_file(fiber, *file, 7).ok());
    ASSERT_TRUE(allocate_file(fiber, *file, 0, 100'000).ok());
    auto size = file_size(fiber, *file);
    ASSERT_TRUE(size.ok());
    EXPECT_EQ(*size, 100'000u);
    count = read_file(fiber, *file, 5, std::as_writable_bytes(std::span(buffer)).first(4));
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(buffer.substr(0, 4), std::string("he\0\0", 4));
    ASSERT_TRUE(close_file(fiber, *file).ok());
  });
}

inline void large_writes_come_back_whole(HostUnderTest& under_test) {
  run_fiber(under_test, [](Fiber& fiber) {
    std::string data(3'000'001, '\0');
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7 + i / 251);
    auto file = open_file(fiber, "large", true);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(write_file(fiber, *file, 0, as_bytes(data)).ok());
    std::string back(data.size(), 'x');
    auto count = read_file(fiber, *file, 0, std::as_writable_bytes(std::span(back)));
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(*count, data.size());
    EXPECT_TRUE(back == data);
    ASSERT_TRUE(close_file(fiber, *file).ok());
  });
}

// Many at once, some of them to the same file, half of them synced in the same request.
inline void writes_at_once_all_arrive(HostUnderTest& under_test) {
  static constexpr int kWriters = 60;
  static constexpr size_t kBytes = 5120;  // whole sectors
  int done = 0;
  run_fiber(under_test, [&](Fiber& fiber) {
    auto file = open_file(fiber, "many", true);
    ASSERT_TRUE(file.ok());
    for (int i = 0; i < kWriters; ++i) {
      fiber.scheduler().spawn("writer", [&done, i, handle = *file](Fiber& own) {
        const std::string data(kBytes, static_cast<char>('A' + i % 26));
        const uint64_t offset = static_cast<uint64_t>(i) * kBytes;
        Status written;
        if (i % 2 == 0) {
          written = write_and_sync_file(own, handle, offset, as_bytes(data));
        } else {
          written = write_file(own, handle, offset, as_bytes(data));
        }
        EXPECT_TRUE(written.ok());
        std::string back(kBytes, 'x');
        auto count = read_file(own, handle, offset, std::as_writable_bytes(std::span(back)));
        ASSERT_TRUE(count.ok());
        EXPECT_EQ(*count, kBytes);
        EXPECT_TRUE(back == data);
        ++done;
      });
    }
    while (done < kWriters) ASSERT_TRUE(fiber.sleep(milliseconds(1)).ok());
    auto size = file_size(fiber, *file);
    ASSERT_TRUE(size.ok());
    EXPECT_EQ(*size, kWriters * kBytes);
    ASSERT_TRUE(close_file(fiber, *file).ok());
  });
}

inline void names_obey_rename_remove_and_list(HostUnderTest& under_test) {
  run_fiber(under_test, [](Fiber& fiber) {
    ASSERT_TRUE(make_directory(fiber, "d").ok());
    EXPECT_TRUE(make_directory(fiber, "d").is(sqlstate::duplicate_file));
    EXPECT_TRUE(open_file(fiber, "d/none", false).status().is(sqlstate::undefined_file));
    for (const char* name : {"d/z", "d/a", "d/m"}) {
      auto file = open_file(fiber, name, true, true);
      ASSERT_TRUE(file.ok());
      ASSERT_TRUE(write_file(fiber, *file, 0, as_bytes(name)).ok());
      ASSERT_TRUE(close_file(fiber, *file).ok());
    }
    EXPECT_TRUE(open_file(fiber, "d/a", true, true).status().is(sqlstate::duplicate_file));
    ASSERT_TRUE(rename_file(fiber, "d/z", "d/a").ok());
    ASSERT_TRUE(sync_directory(fiber, "d").ok());
    auto names = list_directory(fiber, "d");
    ASSERT_TRUE(names.ok());
    EXPECT_EQ(*names, (std::vector<std::string>{"a", "m"}));
    auto replaced = open_file(fiber, "d/a", false);
    ASSERT_TRUE(replaced.ok());
    ASSERT_TRUE(remove_file(fiber, "d/a").ok());
    EXPECT_TRUE(remove_file(fiber, "d/a").is(sqlstate::undefined_file));
    std::string buffer(3, 'x');  // a removed file lives while it is open
    auto count = read_file(fiber, *replaced, 0, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(buffer, "d/z");
    ASSERT_TRUE(close_file(fiber, *replaced).ok());
    auto top = list_directory(fiber, "");
    ASSERT_TRUE(top.ok());
    EXPECT_TRUE(std::find(top->begin(), top->end(), "d") != top->end());
  });
}

inline void time_passes_in_sleep(HostUnderTest& under_test) {
  run_fiber(under_test, [](Fiber& fiber) {
    const Instant start = fiber.now();
    ASSERT_TRUE(fiber.sleep(milliseconds(20)).ok());
    EXPECT_GE(fiber.now() - start, milliseconds(20).ns);
    EXPECT_LT(fiber.now() - start, seconds(10).ns);
    WaitQueue queue;
    auto woken = queue.wait(fiber, fiber.now() + milliseconds(5));
    ASSERT_TRUE(woken.ok());
    EXPECT_FALSE(*woken);
  });
}

inline void timers_fire_in_order(HostUnderTest& under_test) {
  std::string order;
  for (int delay : {30, 10, 20}) {
    under_test.scheduler().spawn("sleeper", [&order, delay](Fiber& fiber) {
      ASSERT_TRUE(fiber.sleep(milliseconds(delay)).ok());
      order += cat(delay, ' ');
    });
  }
  under_test.run_until_done();
  EXPECT_EQ(order, "10 20 30 ");
}

inline void streams_carry_bytes_both_ways(HostUnderTest& under_test) {
  constexpr size_t kBytes = 1'000'000;  // more than any buffer in between
  const std::string address = under_test.own_address();
  uint64_t echoed = 0;
  run_fiber(under_test, [&](Fiber& fiber) {
    auto listener = listen(fiber, address, 0);
    ASSERT_TRUE(listener.ok());
    ASSERT_NE(listener->port, 0);
    fiber.scheduler().spawn("echo", [&](Fiber& server) {
      auto accepted = accept(server, listener->socket);
      ASSERT_TRUE(accepted.ok());
      std::string buffer(10'000, 'x');
      while (true) {
        auto count = receive(server, accepted->socket, std::as_writable_bytes(std::span(buffer)));
        ASSERT_TRUE(count.ok());
        if (*count == 0) break;
        echoed += *count;
        ASSERT_TRUE(send_all(server, accepted->socket, as_bytes(buffer).first(*count)).ok());
      }
      close_socket(server.host(), accepted->socket);
    });
    auto socket = connect(fiber, address, listener->port);
    ASSERT_TRUE(socket.ok());
    fiber.scheduler().spawn("sender", [socket = *socket](Fiber& sender) {
      std::string data(kBytes, 'd');
      ASSERT_TRUE(send_all(sender, socket, as_bytes(data)).ok());
    });
    std::string buffer(7'001, 'x');
    uint64_t total = 0;
    while (total < kBytes) {
      auto count = receive(fiber, socket.value(), std::as_writable_bytes(std::span(buffer)));
      ASSERT_TRUE(count.ok());
      ASSERT_GT(*count, 0u);
      total += *count;
    }
    EXPECT_EQ(total, kBytes);
    close_socket(fiber.host(), *socket);
    close_socket(fiber.host(), listener->socket);
  });
  EXPECT_EQ(echoed, kBytes);
}

inline void a_cancelled_receive_loses_no_bytes(HostUnderTest& under_test) {
  const std::string address = under_test.own_address();
  run_fiber(under_test, [&](Fiber& fiber) {
    auto listener = listen(fiber, address, 0);
    ASSERT_TRUE(listener.ok());
    auto client = connect(fiber, address, listener->port);
    ASSERT_TRUE(client.ok());
    auto server = accept(fiber, listener->socket);
    ASSERT_TRUE(server.ok());
    Fiber& self = fiber;
    fiber.scheduler().spawn("canceller", [&self](Fiber& other) {
      ASSERT_TRUE(other.sleep(milliseconds(5)).ok());
      self.cancel(raise(sqlstate::query_canceled, "canceling statement due to user request"));
    });
    std::string buffer(100, 'x');
    auto count = receive(fiber, server->socket, std::as_writable_bytes(std::span(buffer)));
    EXPECT_TRUE(count.status().is(sqlstate::query_canceled));
    EXPECT_FALSE(fiber.timed_out());
    count = receive(fiber, server->socket, std::as_writable_bytes(std::span(buffer)),
                    fiber.now() + milliseconds(5));
    EXPECT_TRUE(count.status().is(sqlstate::query_canceled));
    EXPECT_TRUE(fiber.timed_out());
    ASSERT_TRUE(send_all(fiber, *client, as_bytes("late")).ok());
    count = receive(fiber, server->socket, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(buffer.substr(0, *count), "late");
    close_socket(fiber.host(), *client);
    count = receive(fiber, server->socket, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(*count, 0u);
    close_socket(fiber.host(), server->socket);
    close_socket(fiber.host(), listener->socket);
  });
}

inline void closing_a_socket_ends_waits_on_it(HostUnderTest& under_test) {
  const std::string address = under_test.own_address();
  run_fiber(under_test, [&](Fiber& fiber) {
    auto listener = listen(fiber, address, 0);
    ASSERT_TRUE(listener.ok());
    fiber.scheduler().spawn("closer", [socket = listener->socket](Fiber& other) {
      ASSERT_TRUE(other.sleep(milliseconds(5)).ok());
      close_socket(other.host(), socket);
    });
    EXPECT_TRUE(accept(fiber, listener->socket).status().is(sqlstate::connection_failure));
    EXPECT_TRUE(connect(fiber, address, listener->port).status().is(sqlstate::connection_failure));
  });
}

inline void workers_compute_and_come_back(HostUnderTest& under_test) {
  struct Sum final : WorkerTask {
    void run() override {
      for (uint64_t i = 0; i < 100'000; ++i) total += i;
    }
    uint64_t total = 0;
  };
  int done = 0;
  for (int i = 0; i < 8; ++i) {
    under_test.scheduler().spawn("asker", [&done](Fiber& fiber) {
      Sum sum;
      ASSERT_TRUE(run_on_worker(fiber, sum).ok());
      EXPECT_EQ(sum.total, 4'999'950'000u);
      ++done;
    });
  }
  under_test.run_until_done();
  EXPECT_EQ(done, 8);
}

inline void a_job_goes_on_beside_its_fiber(HostUnderTest& under_test) {
  bool ended = false;
  under_test.scheduler().spawn("asker", [&](Fiber& fiber) {
    uint64_t sum = 0;
    uint64_t left_behind = 0;
    {
      WorkerJob job(fiber, [&sum] { sum = 1; });
      WorkerJob other(fiber, [&left_behind] {
        for (uint64_t i = 0; i < 100'000; ++i) left_behind += i;
      });
      ASSERT_TRUE(fiber.yield().ok());
      fiber.cancel(raise(sqlstate::query_canceled, "not for those who wait for a job"));
      ASSERT_TRUE(job.wait().ok());
      EXPECT_EQ(sum, 1u);
    }
    EXPECT_EQ(left_behind, 4'999'950'000u);
    EXPECT_TRUE(fiber.yield().is(sqlstate::query_canceled));
    ended = true;
  });
  under_test.run_until_done();
  EXPECT_TRUE(ended);
}

}  // namespace host_suite

inline std::vector<HostClaim> host_claims() {
  namespace suite = host_suite;
  return {
      {"files_keep_what_was_written", suite::files_keep_what_was_written},
      {"large_writes_come_back_whole", suite::large_writes_come_back_whole},
      {"writes_at_once_all_arrive", suite::writes_at_once_all_arrive},
      {"names_obey_rename_remove_and_list", suite::names_obey_rename_remove_and_list},
      {"time_passes_in_sleep", suite::time_passes_in_sleep},
      {"timers_fire_in_order", suite::timers_fire_in_order},
      {"streams_carry_bytes_both_ways", suite::streams_carry_bytes_both_ways},
      {"a_cancelled_receive_loses_no_bytes", suite::a_cancelled_receive_loses_no_bytes},
      {"closing_a_socket_ends_waits_on_it", suite::closing_a_socket_ends_waits_on_it},
      {"a_job_goes_on_beside_its_fiber", suite::a_job_goes_on_beside_its_fiber},
      {"workers_compute_and_come_back", suite::workers_compute_and_come_back},
  };
}

}  // namespace orrery
