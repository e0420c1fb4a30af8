#include "os/linux_host.h"

#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <thread>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "host/memory_disk.h"
#include "os/io_ring.h"
#include "os/linux_disk.h"
#include "os/linux_network.h"
#include "os/os_error.h"
#include "os/thread_pool.h"

namespace orrery {
namespace {

constexpr uint64_t kFinishedTag = LinuxNetwork::kTagEnd;
constexpr uint64_t kSignalTag = LinuxNetwork::kTagEnd + 1;
constexpr uint64_t kRingTag = LinuxNetwork::kTagEnd + 2;
constexpr char kLockFile[] = "orrery.lock";
constexpr int kTurnsBetweenPolls = 64;
constexpr int64_t kTimeBetweenPolls = microseconds(500).ns;
// To be woken costs a processor's sleep and an interrupt, on a virtual machine up to 100 us: while
// the next event comes sooner than that, the loop looks for it instead, and lets others run
// meanwhile.
constexpr int64_t kTimeAwake = microseconds(100).ns;
constexpr int64_t kEpochSeconds = 946'684'800;  // 2000-01-01 in Unix time

void watch(int epoll_fd, int fd, uint64_t tag) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
  CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

// Makes the name of a new directory durable.
Status sync_parent(const std::string& path) {
  std::string parent = path;
  while (parent.size() > 1 && parent.back() == '/') parent.pop_back();
  const size_t slash = parent.rfind('/');
  parent = slash == std::string::npos ? "." : parent.substr(0, std::max<size_t>(slash, 1));
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return os_error(errno, cat("could not open directory \"", parent, "\""));
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  return result == 0 ? Status()
                     : os_error(error, cat("could not fsync directory \"", parent, "\""));
}

}  // namespace

Instant LinuxHost::SystemClock::now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return Instant(t.tv_sec * 1'000'000'000 + t.tv_nsec);
}

WallTime LinuxHost::SystemClock::wall_now() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return WallTime((t.tv_sec - kEpochSeconds) * 1'000'000 + t.tv_nsec / 1000);
}

uint64_t LinuxHost::SystemRandom::next() {
  if (left_ == 0) {
    CHECK(getrandom(block_, sizeof block_, 0) == sizeof block_);
    left_ = std::size(block_);
  }
  return std::exchange(block_[--left_], 0);
}

uint32_t LinuxHost::PoolWorkers::count() const { return pool->most_threads(); }

void LinuxHost::PoolWorkers::submit(WorkerTask& task) {
  pool->submit({.run = [](void* object) { static_cast<WorkerTask*>(object)->run(); },
                .object = &task,
                .completion = task.completion});
}

LinuxHost::LinuxHost(LinuxHostOptions options)
    : options_(std::move(options)),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      finished_(std::make_unique<FinishedQueue>()),
      disk_pool_(std::make_unique<ThreadPool>(options_.disk_threads, *finished_)),
      network_(std::make_unique<LinuxNetwork>(epoll_fd_, options_.use_io_uring)) {
  CHECK(epoll_fd_ >= 0);
  watch(epoll_fd_, finished_->event_fd(), kFinishedTag);
  uint32_t threads = options_.worker_threads;
  // Long computations share them with logins, so one of them must not hold up all.
  if (threads == 0) threads = std::max(4u, std::thread::hardware_concurrency());
  workers_.pool = std::make_unique<ThreadPool>(threads, *finished_);
  if (options_.data_directory.empty()) disk_ = std::make_unique<MemoryDisk>();
}

LinuxHost::~LinuxHost() {
  workers_.pool.reset();
  disk_pool_.reset();
  disk_.reset();
  ring_.reset();
  network_.reset();
  for (const int fd : {signal_fd_, directory_fd_, lock_fd_, epoll_fd_}) {
    if (fd >= 0) close(fd);
  }
}

Status LinuxHost::open() {
  if (options_.data_directory.empty()) return {};
  const std::string& path = options_.data_directory;
  if (mkdir(path.c_str(), 0700) == 0) {
    TRY(sync_parent(path));
  } else if (errno != EEXIST) {
    return os_error(errno, cat("could not create directory \"", path, "\""));
  }
  directory_fd_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_fd_ < 0) return os_error(errno, cat("could not open directory \"", path, "\""));
  lock_fd_ = openat(directory_fd_, kLockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return os_error(errno, cat("could not create lock file \"", kLockFile, "\""));
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return raise(sqlstate::object_not_in_prerequisite_state,
                 cat("data directory \"", path, "\" is in use"))
        .hint("Is another server running in it?");
  }
  const std::string owner = cat(getpid(), '\n');
  if (ftruncate(lock_fd_, 0) != 0 || pwrite(lock_fd_, owner.data(), owner.size(), 0) < 0) {
    return os_error(errno, cat("could not write lock file \"", kLockFile, "\""));
  }
  if (options_.use_io_uring) ring_ = IoRing::open();
  if (ring_ != nullptr) watch(epoll_fd_, ring_->fd(), kRingTag);
  disk_ = std::make_unique<LinuxDisk>(directory_fd_, *disk_pool_, ring_.get());
  return {};
}

void LinuxHost::catch_signals(UniqueFunction<void(int)> handler) {
  signal_handler_ = std::move(handler);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  CHECK(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);  // threads started later inherit it
  signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  CHECK(signal_fd_ >= 0);
  watch(epoll_fd_, signal_fd_, kSignalTag);
}

Network& LinuxHost::network() { return *network_; }

void LinuxHost::read_signals() {
  signalfd_siginfo info;
  while (read(signal_fd_, &info, sizeof info) == sizeof info)
    signal_handler_(static_cast<int>(info.ssi_signo));
}

int LinuxHost::wait(std::span<epoll_event> events, int timeout_ms) {
  const auto take = [&](int timeout) {
    const int count =
        epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout);
    CHECK(count >= 0 || errno == EINTR);
    return count;
  };
  if (timeout_ms == 0) return take(0);
  const Instant begun = clock_.now();
  while (stays_awake_) {
    if (const int count = take(0); count != 0) return count;
    stays_awake_ = clock_.now() - begun < kTimeAwake;
    sched_yield();
  }
  const Instant slept = clock_.now();
  const int count = take(timeout_ms);
  stays_awake_ = clock_.now() - slept < 2 * kTimeAwake;
  return count;
}

void LinuxHost::poll(bool may_wait) {
  int timeout_ms = 0;
  if (may_wait && !network_->has_closed()) {
    timeout_ms = -1;
    if (const Instant next = clock_.timers.earliest(); next != kNever) {
      const int64_t wait_ns = next - clock_.now();
      timeout_ms =
          wait_ns <= 0
              ? 0
              : static_cast<int>(std::min<int64_t>((wait_ns + 999'999) / 1'000'000, 60'000));
    }
  }
  if (ring_ != nullptr) {
    ring_->flush();
    constexpr int kRetryMs = 1;
    if (ring_->needs_turn() && (timeout_ms < 0 || timeout_ms > kRetryMs)) timeout_ms = kRetryMs;
  }
  epoll_event events[128];
  const int count = wait(events, timeout_ms);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == kFinishedTag) {
      finished_->drain();
    } else if (events[i].data.u64 == kRingTag) {
      ring_->reap();
    } else if (events[i].data.u64 == kSignalTag) {
      read_signals();
    } else {
      network_->on_event(events[i].data.u64, events[i].events);
    }
  }
  if (ring_ != nullptr && ring_->needs_turn()) ring_->reap();
  network_->complete_closed();
  if (clock_.timers.earliest() != kNever) clock_.timers.fire(clock_.now());
}

void LinuxHost::run(Scheduler& scheduler, FunctionRef<bool()> finished) {
  Instant last_poll = clock_.now();
  int turns = 0;
  while (!finished() && !scheduler.halted()) {
    const bool ran = scheduler.run_one().has_value();
    const bool due = ++turns >= kTurnsBetweenPolls || clock_.now() - last_poll >= kTimeBetweenPolls;
    if (!due && (ran || network_->flush())) continue;
    network_->flush();
    if (finished()) return;
    poll(!scheduler.has_ready());
    turns = 0;
    last_poll = clock_.now();
  }
}

void LinuxHost::halt(Scheduler& scheduler) {
  if (ring_ != nullptr) ring_->wait_until_idle();
  disk_pool_->wait_until_idle();
  workers_.pool->wait_until_idle();
  finished_->forget_all();
  network_->forget_all();
  clock_.timers.forget_all();
  scheduler.halt();
}

void LinuxHost::large_memory(MutableBytes memory) {
  constexpr uintptr_t kLargePage = 2 << 20;
  const auto at = reinterpret_cast<uintptr_t>(memory.data());
  const uintptr_t first = (at + kLargePage - 1) & ~(kLargePage - 1);
  const uintptr_t end = (at + memory.size()) & ~(kLargePage - 1);
  // A wish: kernels without large pages refuse it.
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
}

Status LinuxHost::fatal(std::string_view why) {
  log_.write(LogLevel::fatal, why);
  _exit(kFatalExit);
}

}  // namespace orrery
