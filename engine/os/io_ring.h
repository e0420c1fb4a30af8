// Reads, writes and syncs through io_uring: the kernel does them, no thread of ours waits, and what
// is asked for together is handed over in one system call.
//
//   start()  prepares a request; writes and syncs go to the kernel at once, reads with flush()
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

  // DiskOp::read (from request.count on), write or sync on `fd`. Completes in reap().
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
    uint64_t done = 0;      // bytes
    uint32_t out = 0;       // entries the kernel has not answered
    uint64_t sync_at = 0;   // the number of its sync's entry
    bool has_data = false;  // this round has a read or write
    bool has_sync = false;  // and a sync
    bool is_split = false;  // which was not handed over with its write: it may have run before that
    int data_result = 0;
    int sync_result = 0;
  };
  struct Answer {
    uint64_t tag;
    int result;
  };

  void prepare(Flight& flight);
  void prepare_sync(Flight& flight);
  io_uring_sqe* next_entry();
  // Takes the kernel's answers off its queue; they complete in reap().
  void harvest();
  // One answer. True when the request is over; a round is judged when all of it is answered.
  bool take(const Answer& answer);
  bool judge_data(Flight& flight, bool* over);

  io_uring ring_;
  uint32_t prepared_ = 0;  // entries the kernel has not been told of
  uint64_t numbered_ = 0;  // entries so far
  std::deque<Answer> answers_;
  uint32_t in_flight_ = 0;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::vector<Flight*> spare_;
};

}  // namespace orrery
