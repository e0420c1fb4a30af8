#include "os/send_ring.h"

#include <cerrno>
#include <sys/socket.h>

#include "base/check.h"

namespace orrery {

std::unique_ptr<SendRing> SendRing::open() {
  auto made = std::make_unique<SendRing>();
  if (io_uring_queue_init(kMostSends, &made->ring_, 0) != 0) {
    made->ring_.ring_fd = -1;
    return nullptr;
  }
  return made;
}

SendRing::~SendRing() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

void SendRing::add(int fd, Bytes data, uint64_t tag) {
  CHECK(added_ < kMostSends);
  ++added_;
  io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
  CHECK(entry != nullptr);
  // MSG_DONTWAIT: a full socket is an answer, not a wait in the kernel
  io_uring_prep_send(entry, fd, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  io_uring_sqe_set_data64(entry, tag);
}

void SendRing::submit(FunctionRef<void(uint64_t tag, int result)> ended) {
  while (added_ > 0) {
    // What the kernel has no memory for now it is handed again.
    const int told = io_uring_submit_and_wait(&ring_, 1);
    CHECK(told >= 0 || told == -EINTR || told == -EAGAIN || told == -EBUSY);
    io_uring_cqe* answer = nullptr;
    while (io_uring_peek_cqe(&ring_, &answer) == 0) {
      const uint64_t tag = io_uring_cqe_get_data64(answer);
      const int result = answer->res;
      io_uring_cqe_seen(&ring_, answer);
      --added_;
      ended(tag, result);
    }
  }
}

}  // namespace orrery
