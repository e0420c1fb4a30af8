#include <gtest/gtest.h>
#include <map>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prng.h"
#include "fiber/host_suite.h"
#include "os/linux_host.h"

namespace orrery {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() { CHECK(mkdtemp(path_) != nullptr); }
  ~TemporaryDirectory() {
    const std::string command = cat("rm -rf ", path_);
    EXPECT_EQ(system(command.c_str()), 0);
  }
  std::string path() const { return path_; }

 private:
  char path_[32] = "/tmp/orrery_os_test_XXXXXX";
};

struct LinuxHostUnderTest final : HostUnderTest {
  explicit LinuxHostUnderTest(std::string directory, bool use_io_uring = true)
      : host({.data_directory = std::move(directory), .use_io_uring = use_io_uring}) {
    EXPECT_TRUE(host.open().ok());
  }
  Scheduler& scheduler() override { return scheduler_; }
  void run_until_done() override {
    host.run(scheduler_, [&] { return scheduler_.live_fibers() == 0; });
  }
  std::string own_address() override { return "127.0.0.1"; }
  LinuxHost host;
  Scheduler scheduler_{host};
};

TEST(LinuxHost, HoldsWhatEveryHostMust) {
  for (const HostClaim& claim : host_claims()) {
    SCOPED_TRACE(claim.name);
    for (const bool use_io_uring : {true, false}) {
      TemporaryDirectory directory;
      LinuxHostUnderTest under_test(directory.path(), use_io_uring);
      claim.check(under_test);
    }
  }
}

TEST(LinuxHost, HoldsItWithFilesInMemoryToo) {
  for (const HostClaim& claim : host_claims()) {
    SCOPED_TRACE(claim.name);
    LinuxHostUnderTest under_test("");
    claim.check(under_test);
  }
}

TEST(LinuxHost, LocksItsDataDirectory) {
  TemporaryDirectory directory;
  LinuxHost first({.data_directory = directory.path()});
  ASSERT_TRUE(first.open().ok());
  LinuxHost second({.data_directory = directory.path()});
  EXPECT_TRUE(second.open().is(sqlstate::object_not_in_prerequisite_state));
}

TEST(LinuxHost, SpeaksOverUnixSockets) {
  TemporaryDirectory directory;
  LinuxHostUnderTest under_test("");
  const std::string path = directory.path() + "/socket";
  host_suite::run_fiber(under_test, [&](Fiber& fiber) {
    auto listener = listen(fiber, path, 0);
    ASSERT_TRUE(listener.ok());
    auto client = connect(fiber, path, 0);
    ASSERT_TRUE(client.ok());
    auto server = accept(fiber, listener->socket);
    ASSERT_TRUE(server.ok());
    EXPECT_EQ(server->peer, "[local]");
    ASSERT_TRUE(send_all(fiber, *client, as_bytes("hello")).ok());
    std::string buffer(10, 'x');
    auto count = receive(fiber, server->socket, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(buffer.substr(0, *count), "hello");
    close_socket(fiber.host(), listener->socket);
  });
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

// More sockets than leave together, and more bytes than they hold before anybody reads.
TEST(LinuxHost, ManyAnswersAtOnceAllArriveAndAClosedOneDisturbsNone) {
  constexpr int kPairs = 80;
  constexpr int kMessages = 300;
  constexpr int kClosed = 7;
  LinuxHostUnderTest under_test("");
  int intact = 0, failed = 0;
  host_suite::run_fiber(under_test, [&](Fiber& fiber) {
    auto listener = listen(fiber, "127.0.0.1", 0);
    ASSERT_TRUE(listener.ok());
    for (int i = 0; i < kPairs; ++i) {
      const SocketId client = connect(fiber, "127.0.0.1", listener->port).value();
      const SocketId server = accept(fiber, listener->socket).value().socket;
      fiber.scheduler().spawn("server", [&, i, server](Fiber& own) {
        // The one that is closed has more to say than any socket holds.
        const int messages = i == kClosed ? 100 * kMessages : kMessages;
        for (int m = 0; m < messages; ++m) {
          const std::string message(1000, static_cast<char>('a' + (i + m) % 26));
          if (send_all(own, server, as_bytes(message)).ok()) continue;
          ++failed;
          return;
        }
        close_socket(own.host(), server);
      });
      fiber.scheduler().spawn("client", [&, i, client, server](Fiber& own) {
        EXPECT_TRUE(own.sleep(milliseconds(50)).ok());  // the server has filled the socket
        if (i == kClosed) close_socket(own.host(), server);
        std::string got, buffer(1 << 16, ' ');
        for (;;) {
          const auto count = receive(own, client, std::as_writable_bytes(std::span(buffer)));
          if (!count.ok() || count.value() == 0) break;
          got.append(buffer, 0, count.value());
        }
        bool same = got.size() == 1000 * kMessages;
        for (size_t at = 0; same && at < got.size(); ++at)
          same = got[at] == static_cast<char>('a' + (static_cast<size_t>(i) + at / 1000) % 26);
        intact += same ? 1 : 0;
        close_socket(own.host(), client);
      });
    }
    close_socket(fiber.host(), listener->socket);
  });
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(intact, kPairs - 1);
}

TEST(LinuxHost, CallsTheHandlerOnASignal) {
  LinuxHost host({});
  int seen = 0;
  host.catch_signals([&](int number) { seen = number; });
  ASSERT_TRUE(host.open().ok());
  Scheduler scheduler(host);
  kill(getpid(), SIGTERM);
  host.run(scheduler, [&] { return seen != 0; });
  EXPECT_EQ(seen, SIGTERM);
}

TEST(LinuxHost, HaltWaitsForThreadsAndEndsEveryWait) {
  TemporaryDirectory directory;
  LinuxHostUnderTest under_test(directory.path());
  struct Slow final : WorkerTask {
    void run() override {
      usleep(20'000);
      done = true;
    }
    bool done = false;
  };
  int halted = 0;
  Scheduler& scheduler = under_test.scheduler();
  for (int i = 0; i < 4; ++i) {
    scheduler.spawn("worker", [&](Fiber& fiber) {
      Slow task;
      EXPECT_TRUE(run_on_worker(fiber, task).is_halted());
      EXPECT_TRUE(task.done);
      ++halted;
    });
    scheduler.spawn("employer", [&](Fiber& fiber) {
      bool done = false;
      WorkerJob job(fiber, [&done] {
        usleep(20'000);
        done = true;
      });
      EXPECT_TRUE(job.wait().is_halted());
      EXPECT_TRUE(done);
      ++halted;
    });
  }
  scheduler.spawn("sleeper", [&](Fiber& fiber) {
    EXPECT_TRUE(fiber.sleep(seconds(1000)).is_halted());
    ++halted;
  });
  scheduler.spawn("acceptor", [&](Fiber& fiber) {
    auto listener = listen(fiber, "127.0.0.1", 0);
    ASSERT_TRUE(listener.ok());
    EXPECT_TRUE(accept(fiber, listener->socket).status().is_halted());
    ++halted;
  });
  for (int i = 0; i < 10; ++i) scheduler.run_one();
  under_test.host.halt(scheduler);
  EXPECT_EQ(halted, 10);
  EXPECT_EQ(scheduler.live_fibers(), 0u);
}

TEST(LinuxHostDeathTest, FatalErrorsEndTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        LinuxHost host({});
        (void)host.fatal("could not fsync file");
      },
      testing::ExitedWithCode(kFatalExit), "FATAL:  could not fsync file");
}

TEST(Timers, FireInOrderAfterAnyHistory) {
  struct Note final : Completion {
    void complete() override { log->push_back(id); }
    std::vector<int>* log = nullptr;
    int id = 0;
  };
  Prng prng(7);
  for (int round = 0; round < 50; ++round) {
    Timers timers;
    std::vector<int> fired;
    std::vector<Note> notes(100);
    std::vector<Timer> set(100);
    std::map<std::pair<int64_t, int>, int> model;
    int age = 0;
    std::map<int, std::pair<int64_t, int>> key_of;
    for (int step = 0; step < 300; ++step) {
      const int i = static_cast<int>(prng.below(100));
      if (set[i].host_key == 0) {
        set[i].when = Instant(prng.between(1, 30));
        notes[i].log = &fired;
        notes[i].id = i;
        set[i].completion = &notes[i];
        timers.set(set[i]);
        key_of[i] = {set[i].when.v, ++age};
        model[key_of[i]] = i;
      } else if (prng.chance(1, 2)) {
        timers.cancel(set[i]);
        model.erase(key_of[i]);
      }
    }
    std::vector<int> expected;
    for (const auto& [key, id] : model) expected.push_back(id);
    timers.fire(Instant(1000));
    ASSERT_EQ(fired, expected);
  }
}

}  // namespace
}  // namespace orrery
