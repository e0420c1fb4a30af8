// The host on Linux. One engine thread runs the loop below; disk requests that would block go
// through io_uring or to other threads, as worker tasks do, and come back through an eventfd;
// sockets, timers and signals are the loop's own.
//
//   LinuxHost host({.data_directory = "data"});
//   TRY(host.open());
//   Scheduler scheduler(host);
//   scheduler.spawn(...);
//   host.run(scheduler, [&] { return finished; });
//   host.halt(scheduler);                       // whoever still waits returns
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/function.h"
#include "fiber/scheduler.h"
#include "host/host.h"
#include "os/server_log.h"
#include "os/timers.h"

struct epoll_event;

namespace orrery {

class LinuxDisk;
class LinuxNetwork;
class FinishedQueue;
class IoRing;
class ThreadPool;

struct LinuxHostOptions {
  std::string data_directory;  // "" : files live in memory and die with the host
  uint32_t disk_threads = 8;
  bool use_io_uring = true;     // where it is allowed
  uint32_t worker_threads = 0;  // 0: a thread a processor, but at least four
};

// Exit status of a process that met a fatal error.
constexpr int kFatalExit = 3;

class LinuxHost final : public Host {
 public:
  explicit LinuxHost(LinuxHostOptions options);
  ~LinuxHost() override;

  // Makes the data directory if it is missing, and locks it against other processes.
  // 55000 when it is in use; 58xxx when it cannot be made or opened.
  Status open();
  ServerLog& server_log() { return log_; }

  // From now SIGTERM, SIGINT and SIGHUP call `handler` on the engine thread, between turns. Call
  // before open().
  void catch_signals(UniqueFunction<void(int)> handler);

  // Runs fibers and completions until `finished` says so (asked between turns) or the scheduler is
  // halted.
  void run(Scheduler& scheduler, FunctionRef<bool()> finished);
  // Waits for threads that use fibers' memory, forgets all else, and halts the scheduler.
  void halt(Scheduler& scheduler);

  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  Disk& disk() override { return *disk_; }
  Network& network() override;
  Workers& workers() override { return workers_; }
  void work_ready() override {}
  uint32_t pick(uint32_t) override { return 0; }
  void large_memory(MutableBytes memory) override;
  void log(LogLevel level, std::string_view text) override { log_.write(level, text); }
  [[noreturn]] Status fatal(std::string_view why) override;

 private:
  class SystemClock final : public Clock {
   public:
    Instant now() override;
    WallTime wall_now() override;
    void set(Timer& timer) override { timers.set(timer); }
    void cancel(Timer& timer) override { timers.cancel(timer); }
    Timers timers;
  };
  // The kernel's generator, drawn in blocks: what is drawn here becomes salts and keys of clients.
  class SystemRandom final : public Random {
   public:
    uint64_t next() override;
    bool nudge(const char*) override { return false; }

   private:
    uint64_t block_[32];
    size_t left_ = 0;
  };
  class PoolWorkers final : public Workers {
   public:
    uint32_t count() const override;
    void submit(WorkerTask& task) override;
    std::unique_ptr<ThreadPool> pool;
  };

  // Takes what has happened; waits for it if `may_wait`, until the next timer at most.
  void poll(bool may_wait);
  // Events that are there or come within the timeout (-1: for ever), and how many; -1 for a signal.
  int wait(std::span<epoll_event> events, int timeout_ms);
  void read_signals();

  LinuxHostOptions options_;
  ServerLog log_;
  int epoll_fd_ = -1;
  bool stays_awake_ = false;  // the last wait was short
  int signal_fd_ = -1;
  int directory_fd_ = -1;
  int lock_fd_ = -1;
  UniqueFunction<void(int)> signal_handler_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<FinishedQueue> finished_;
  std::unique_ptr<ThreadPool> disk_pool_;
  std::unique_ptr<IoRing> ring_;  // null: not allowed here
  PoolWorkers workers_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<LinuxNetwork> network_;
};

}  // namespace orrery
