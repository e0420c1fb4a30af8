// Reads, writes and syncs through io_uring: the kernel does them, no thread of ours waits, and what
// is asked for together is handed over in one system call.
//
//   start()  prepares a request; writes and syncs go to the kernel at once, reads with flush()
//   fd()     is readable when something has completed; then reap() completes it
//
// Kernels and sandboxes may refuse io_uring: open() then gives null, and a ThreadPool does the
// work.
#pragma once

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

  // DiskOp::read (from request.count on), write or sync on `fd`. Completes in reap().
  void start(DiskRequest& request, int fd);
  void flush();
  void reap();
  // Blocks until the kernel uses no request's memory any more; completes nothing.
  void wait_until_idle();
  int fd() const { return ring_.ring_fd; }

 private:
  struct Flight {
    DiskRequest* request = nullptr;
    int fd = -1;
    uint64_t done = 0;  // bytes
  };

  void prepare(Flight& flight);
  io_uring_sqe* next_entry();
  // One result from the kernel. True when the request is over.
  bool take(Flight& flight, bool is_sync, int result);

  io_uring ring_;
  uint32_t prepared_ = 0;  // entries the kernel has not been told of
  uint32_t in_flight_ = 0;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::vector<Flight*> spare_;
};

}  // namespace orrery
