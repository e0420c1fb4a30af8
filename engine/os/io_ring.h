// Reads and writes through io_uring: the kernel does them, no thread of ours waits, and what is
// asked for together is handed over in one system call. (Syncs are not its: the kernel would give
// each to a thread of its own, which costs what a thread of ours does, and hides it from strace.)
//
//   start()  prepares a request; writes go to the kernel at once, reads with flush()
//   fd()     is readable when something has completed; then reap() completes it
//
// Kernels and sandboxes may refuse io_uring: open() then gives null, and a ThreadPool does the
// work.
#pragma once

#include <deque>
#include <liburing.h>
#include <memory>
#include <vector>

#include "host/host.h"

namespace orrery {

class IoRing {
 public:
  static std::unique_ptr<IoRing> open();
  IoRing() { ring_.ring_fd = -1; }
  IoRing(const IoRing&) = delete;
  ~IoRing();

  // DiskOp::read (from request.count on) or write on `fd`. Completes in reap().
  void start(DiskRequest& request, int fd);
  void flush();
  void reap();
  // Blocks until the kernel uses no request's memory any more; completes nothing.
  void wait_until_idle();
  // The kernel refused entries for now, or answers lie here: come again soon, nothing will tell.
  bool needs_turn() const { return prepared_ > 0 || !answers_.empty(); }
  int fd() const { return ring_.ring_fd; }

 private:
  struct Flight {
    DiskRequest* request = nullptr;
    int fd = -1;
    uint64_t done = 0;  // bytes
  };
  struct Answer {
    Flight* flight;
    int result;
  };

  void prepare(Flight& flight);
  io_uring_sqe* next_entry();
  // Takes the kernel's answers off its queue; they complete in reap().
  void harvest();
  // One answer. True when the request is over.
  bool take(const Answer& answer);

  io_uring ring_;
  uint32_t prepared_ = 0;  // entries the kernel has not been told of
  std::deque<Answer> answers_;
  uint32_t in_flight_ = 0;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::vector<Flight*> spare_;
};

}  // namespace orrery
