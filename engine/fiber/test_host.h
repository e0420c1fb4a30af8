// A host for unit tests: a clock that jumps to the next timer when nothing else is left to do, a
// disk in memory, a network inside the process, workers that run between turns. For tests only; the
// simulator's host is in sim/.
//
//   TestHost host;
//   Scheduler scheduler(host);
//   scheduler.spawn("test", [&](Fiber& fiber) { ... });
//   host.run(scheduler);                 // until nothing is left to happen
//
// `host.disk_test.delay` makes disk requests complete later instead of at once; `fail_at` fails the
// k-th request from now.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/prng.h"
#include "base/text.h"
#include "fiber/scheduler.h"
#include "host/memory_disk.h"

namespace orrery {

class TestClock final : public Clock {
 public:
  Instant now() override { return now_; }
  WallTime wall_now() override { return WallTime(700'000'000'000'000 + now_.v / 1000); }
  void set(Timer& timer) override {
    CHECK(timer.host_key == 0);
    timer.host_key = ++last_key_;
    timers_.emplace(std::pair(timer.when, timer.host_key), &timer);
  }
  void cancel(Timer& timer) override {
    if (timer.host_key == 0) return;
    timers_.erase(std::pair(timer.when, timer.host_key));
    timer.host_key = 0;
  }
  void advance(Duration duration) { now_ = now_ + duration; }
  bool has_timers() const { return !timers_.empty(); }
  // Goes to the earliest timer, if that lies ahead, and completes it.
  void fire_next() {
    auto first = timers_.begin();
    now_ = std::max(now_, first->first.first);
    Timer* timer = first->second;
    timers_.erase(first);
    timer->host_key = 0;
    timer->completion->complete();
  }
  void forget_all() { timers_.clear(); }

 private:
  Instant now_{1'000'000'000};
  uint64_t last_key_ = 0;
  std::map<std::pair<Instant, uint64_t>, Timer*> timers_;
};

class TestRandom final : public Random {
 public:
  uint64_t next() override { return prng.next(); }
  bool nudge(const char*) override { return nudge_always; }
  Prng prng{42};
  bool nudge_always = false;
};

class TestDisk final : public Disk {
 public:
  bool submit(DiskRequest& request) override {
    ++submitted;
    if (fail_at != 0 && --fail_at == 0) {
      request.status = raise(sqlstate::io_error, "injected disk failure");
      return true;
    }
    if (delay) {
      pending.push_back(&request);
      return false;
    }
    return memory.submit(request);
  }
  // Completes the oldest delayed request.
  void complete_one() {
    DiskRequest* request = pending.front();
    pending.pop_front();
    CHECK(memory.submit(*request));
    request->completion->complete();
  }
  MemoryDisk memory;
  bool delay = false;
  uint64_t fail_at = 0;
  uint64_t submitted = 0;
  std::deque<DiskRequest*> pending;
};

// Streams with small buffers, so that senders meet back-pressure.
class TestNetwork final : public Network {
 public:
  bool submit(NetworkRequest& request) override {
    if (request.op == NetworkOp::close) {
      close(request.socket);
      return true;
    }
    if (attempt(request)) return true;
    pending_.push_back(&request);
    return false;
  }
  void withdraw(NetworkRequest& request) override {
    const size_t before = pending_.size();
    std::erase(pending_, &request);
    CHECK(pending_.size() + 1 == before);
  }
  // Completes one pending request that can go on; false when none can.
  bool complete_one() {
    for (NetworkRequest* request : pending_) {
      if (!attempt(*request)) continue;
      std::erase(pending_, request);
      request->completion->complete();
      return true;
    }
    return false;
  }
  void forget_all() { pending_.clear(); }

 private:
  static constexpr size_t kBuffer = 4096;
  struct Socket {
    uint16_t listening_on = 0;
    uint32_t peer = 0;
    std::string incoming;
    std::deque<uint32_t> backlog;
    bool peer_closed = false;
  };

  bool fail(NetworkRequest& request, std::string text) {
    request.status = raise(sqlstate::connection_failure, std::move(text));
    return true;
  }
  bool attempt(NetworkRequest& request) {
    request.status = {};
    if (request.op == NetworkOp::listen) {
      request.port = request.port != 0 ? request.port : ++last_port_;
      request.socket = SocketId(++last_socket_);
      sockets_[last_socket_].listening_on = request.port;
      return true;
    }
    if (request.op == NetworkOp::connect) {
      for (auto& [id, listener] : sockets_) {
        if (listener.listening_on != request.port) continue;
        const uint32_t ours = ++last_socket_;
        const uint32_t theirs = ++last_socket_;
        listener.backlog.push_back(theirs);
        sockets_[ours].peer = theirs;
        sockets_[theirs].peer = ours;
        request.socket = SocketId(ours);
        return true;
      }
      return fail(request, "connection refused");
    }
    auto found = sockets_.find(request.socket.v);
    if (found == sockets_.end()) return fail(request, "socket is closed");
    Socket& socket = found->second;
    if (request.op == NetworkOp::accept) {
      if (socket.backlog.empty()) return false;
      request.new_socket = SocketId(socket.backlog.front());
      request.address = "127.0.0.1";
      socket.backlog.pop_front();
      return true;
    }
    if (request.op == NetworkOp::receive) {
      if (socket.incoming.empty() && !socket.peer_closed) return false;
      request.count = socket.incoming.copy(reinterpret_cast<char*>(request.buffer.data()),
                                           request.buffer.size());
      socket.incoming.erase(0, request.count);
      return true;
    }
    CHECK(request.op == NetworkOp::send);
    if (socket.peer_closed) return fail(request, "connection reset by peer");
    std::string& out = sockets_[socket.peer].incoming;
    if (out.size() >= kBuffer) return false;
    request.count = std::min(kBuffer - out.size(), request.data.size());
    out += as_text(request.data.first(request.count));
    return true;
  }
  void close(SocketId id) {
    auto found = sockets_.find(id.v);
    if (found == sockets_.end()) return;
    auto peer = sockets_.find(found->second.peer);
    if (peer != sockets_.end()) peer->second.peer_closed = true;
    for (uint32_t waiting : found->second.backlog) {
      auto other = sockets_.find(sockets_[waiting].peer);
      if (other != sockets_.end()) other->second.peer_closed = true;
      sockets_.erase(waiting);
    }
    sockets_.erase(id.v);
  }

  uint16_t last_port_ = 40000;
  uint32_t last_socket_ = 0;
  std::map<uint32_t, Socket> sockets_;
  std::vector<NetworkRequest*> pending_;
};

class TestWorkers final : public Workers {
 public:
  uint32_t count() const override { return 1; }
  void submit(WorkerTask& task) override { pending.push_back(&task); }
  void complete_one() {
    WorkerTask* task = pending.front();
    pending.pop_front();
    task->run();
    task->completion->complete();
  }
  std::deque<WorkerTask*> pending;
};

class TestHost final : public Host {
 public:
  Clock& clock() override { return clock_test; }
  Random& random() override { return random_test; }
  Disk& disk() override { return disk_test; }
  Network& network() override { return network_test; }
  Workers& workers() override { return workers_test; }
  void work_ready() override {}
  uint32_t pick(uint32_t count) override {
    return pick_at_random ? static_cast<uint32_t>(random_test.prng.below(count)) : 0;
  }
  void log(LogLevel, std::string_view text) override { log_lines.emplace_back(text); }
  Status fatal(std::string_view why) override {
    fatal_reason = why;
    if (running_ != nullptr) running_->mark_halted();
    return raise_halted();
  }

  // Lets everything happen that can, in a fixed order, until nothing is left or the scheduler is
  // halted. A fatal() inside ends with all fibers gone.
  void run(Scheduler& scheduler) {
    running_ = &scheduler;
    while (!scheduler.halted()) {
      if (scheduler.run_one()) continue;
      if (!disk_test.pending.empty())
        disk_test.complete_one();
      else if (network_test.complete_one())
        continue;
      else if (!workers_test.pending.empty())
        workers_test.complete_one();
      else if (clock_test.has_timers())
        clock_test.fire_next();
      else
        break;
    }
    running_ = nullptr;
    if (scheduler.halted()) crash(scheduler);
  }
  // The machine dies: requests are forgotten and all fibers return.
  void crash(Scheduler& scheduler) {
    disk_test.pending.clear();
    network_test.forget_all();
    workers_test.pending.clear();
    clock_test.forget_all();
    scheduler.halt();
  }

  TestClock clock_test;
  TestRandom random_test;
  TestDisk disk_test;
  TestNetwork network_test;
  TestWorkers workers_test;
  bool pick_at_random = false;
  std::vector<std::string> log_lines;
  std::string fatal_reason;

 private:
  Scheduler* running_ = nullptr;
};

// Runs `body` as a fiber on a fresh TestHost until nothing is left to happen. For tests that need
// just one fiber.
template <class Body>
void run_in_fiber(Body body) {
  TestHost host;
  Scheduler scheduler(host);
  scheduler.spawn("test", [&](Fiber& fiber) { body(fiber); });
  host.run(scheduler);
  CHECK(scheduler.live_fibers() == 0);
}

}  // namespace orrery
