#include "os/io_ring.h"

#include <algorithm>
#include <cerrno>

#include "os/os_error.h"

namespace orrery {
namespace {

constexpr uint32_t kEntries = 256;
constexpr uint32_t kMostPrepared = 32;
constexpr uint64_t kMostBytes = uint64_t{1} << 30;  // of one entry

}  // namespace

std::unique_ptr<IoRing> IoRing::open() {
  auto made = std::make_unique<IoRing>();
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_CLAMP;
  if (io_uring_queue_init_params(kEntries, &made->ring_, &parameters) != 0) {
    made->ring_.ring_fd = -1;
    return nullptr;
  }
  // Without it completions could be dropped when many are out.
  if ((parameters.features & IORING_FEAT_NODROP) == 0) return nullptr;
  return made;
}

IoRing::~IoRing() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

io_uring_sqe* IoRing::next_entry() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {
    // What the kernel refuses for lack of room for answers it takes once answers are taken off.
    harvest();
    flush();
    entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) {
      __kernel_timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
      io_uring_cqe* answer = nullptr;
      io_uring_wait_cqe_timeout(&ring_, &answer, &pause);
    }
  }
  ++prepared_;
  return entry;
}

void IoRing::start(DiskRequest& request, int fd) {
  if (spare_.empty()) {
    flights_.push_back(std::make_unique<Flight>());
    spare_.push_back(flights_.back().get());
  }
  Flight& flight = *spare_.back();
  spare_.pop_back();
  CHECK(request.op == DiskOp::read || (request.op == DiskOp::write && !request.then_sync));
  flight = {.request = &request, .fd = fd, .done = request.op == DiskOp::read ? request.count : 0};
  ++in_flight_;
  prepare(flight);
  if (request.op != DiskOp::read || prepared_ >= kMostPrepared) flush();
}

void IoRing::prepare(Flight& flight) {
  DiskRequest& request = *flight.request;
  io_uring_sqe* const entry = next_entry();
  const uint64_t offset = request.offset + flight.done;
  if (request.op == DiskOp::read) {
    const uint64_t left = std::min(request.buffer.size() - flight.done, kMostBytes);
    io_uring_prep_read(entry, flight.fd, request.buffer.data() + flight.done,
                       static_cast<unsigned>(left), offset);
  } else {
    const uint64_t left = std::min(request.data.size() - flight.done, kMostBytes);
    io_uring_prep_write(entry, flight.fd, request.data.data() + flight.done,
                        static_cast<unsigned>(left), offset);
  }
  io_uring_sqe_set_data(entry, &flight);
}

void IoRing::flush() {
  while (prepared_ > 0) {
    const int told = io_uring_submit(&ring_);
    if (told > 0) prepared_ -= std::min(prepared_, static_cast<uint32_t>(told));
    // Out of memory or the completion side full: what is out will finish.
    if (told == -EAGAIN || told == -EBUSY) return;
    CHECK(told >= 0 || told == -EINTR);
  }
}

bool IoRing::take(const Answer& answer) {
  Flight& flight = *answer.flight;
  DiskRequest& request = *flight.request;
  const bool reads = request.op == DiskOp::read;
  const uint64_t wanted = reads ? request.buffer.size() : request.data.size();
  const int result = answer.result;
  if (result < 0 && result != -EINTR && result != -EAGAIN) {
    request.status = os_error(-result, reads ? "could not read file" : "could not write file");
    return true;
  }
  if (result > 0) flight.done += static_cast<uint64_t>(result);
  if (reads) request.count = flight.done;
  if (flight.done == wanted || (result == 0 && reads)) return true;  // or the end of the file
  if (result == 0) {
    request.status = raise(sqlstate::disk_full, "could not write file: no space");
    return true;
  }
  prepare(flight);
  return false;
}

void IoRing::harvest() {
  io_uring_cqe* entry = nullptr;
  while (io_uring_peek_cqe(&ring_, &entry) == 0) {
    answers_.push_back({static_cast<Flight*>(io_uring_cqe_get_data(entry)), entry->res});
    io_uring_cqe_seen(&ring_, entry);
  }
}

void IoRing::reap() {
  harvest();
  while (!answers_.empty()) {
    const Answer answer = answers_.front();
    answers_.pop_front();
    if (take(answer)) {
      --in_flight_;
      Completion* const completion = answer.flight->request->completion;
      spare_.push_back(answer.flight);
      completion->complete();
    }
    if (answers_.empty()) harvest();
  }
  flush();
}

void IoRing::wait_until_idle() {
  while (in_flight_ > 0) {
    flush();
    io_uring_cqe* entry = nullptr;
    if (answers_.empty() && io_uring_wait_cqe(&ring_, &entry) != 0) continue;
    harvest();
    while (!answers_.empty()) {
      const Answer answer = answers_.front();
      answers_.pop_front();
      if (!take(answer)) continue;
      --in_flight_;
      spare_.push_back(answer.flight);
    }
  }
}

}  // namespace orrery
