// Sends on several sockets in one system call, through io_uring: who is woken by the first answer
// does not run, on the engine's processor, before the last has left.
//
// Kernels and sandboxes may refuse io_uring: open() then gives null.
#pragma once

#include <liburing.h>
#include <memory>

#include "base/bytes.h"
#include "base/function.h"

namespace orrery {

class SendRing {
 public:
  static constexpr uint32_t kMostSends = 64;

  static std::unique_ptr<SendRing> open();
  SendRing() { ring_.ring_fd = -1; }
  SendRing(const SendRing&) = delete;
  ~SendRing();

  // REQUIRES: fewer than kMostSends since the last submit().
  void add(int fd, Bytes data, uint64_t tag);
  // Sends all that was added, as far as the sockets take it without waiting, and says for each tag
  // how many bytes went or, negative, which errno it met.
  void submit(FunctionRef<void(uint64_t tag, int result)> ended);

 private:
  io_uring ring_;
  uint32_t added_ = 0;
};

}  // namespace orrery
