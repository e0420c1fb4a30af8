#include "os/io_ring.h"

#include <algorithm>
#include <cerrno>

#include "os/os_error.h"

namespace orrery {
namespace {

constexpr uint32_t kEntries = 256;
constexpr uint32_t kMostPrepared = 32;
constexpr uint64_t kMostBytes = uint64_t{1} << 30;  // of one entry
constexpr uint64_t kSyncTag = 1;                    // lowest bit of an entry's user data

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
    flush();
    entry = io_uring_get_sqe(&ring_);
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
  flight = {.request = &request, .fd = fd, .done = request.op == DiskOp::read ? request.count : 0};
  ++in_flight_;
  prepare(flight);
  if (request.op != DiskOp::read || prepared_ >= kMostPrepared) flush();
}

void IoRing::prepare(Flight& flight) {
  DiskRequest& request = *flight.request;
  const auto tag = reinterpret_cast<uint64_t>(&flight);
  if (request.op != DiskOp::sync) {
    // Both entries of a pair must be handed over together.
    if (io_uring_sq_space_left(&ring_) < 2) flush();
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
    entry->user_data = tag;
    if (request.op == DiskOp::read || !request.then_sync) return;
    entry->flags |= IOSQE_IO_LINK;
  }
  io_uring_sqe* const entry = next_entry();
  io_uring_prep_fsync(entry, flight.fd, IORING_FSYNC_DATASYNC);
  entry->user_data = tag | kSyncTag;
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

bool IoRing::take(Flight& flight, bool is_sync, int result) {
  DiskRequest& request = *flight.request;
  const bool again = result == -EINTR || result == -EAGAIN;
  if (is_sync) {
    if (result == -ECANCELED && request.then_sync) {  // its write failed or was short
      if (!request.status.ok()) return true;
      prepare(flight);
      return false;
    }
    if (again) {
      prepare(flight);
      return false;
    }
    if (result < 0) request.status = os_error(-result, "could not fsync file");
    return true;
  }
  const bool reads = request.op == DiskOp::read;
  const bool pair = !reads && request.then_sync;
  if (result < 0 && !again) {
    request.status = os_error(-result, reads ? "could not read file" : "could not write file");
    return !pair;
  }
  if (result > 0) flight.done += static_cast<uint64_t>(result);
  if (reads) request.count = flight.done;
  if (!reads && result == 0) {
    request.status = raise(sqlstate::disk_full, "could not write file: no space");
    return !pair;
  }
  const uint64_t wanted = reads ? request.buffer.size() : request.data.size();
  if (pair) return false;  // its sync says how it ended
  if (flight.done == wanted || (reads && result == 0)) return true;
  prepare(flight);
  return false;
}

void IoRing::reap() {
  io_uring_cqe* entry = nullptr;
  while (io_uring_peek_cqe(&ring_, &entry) == 0) {
    const uint64_t tag = entry->user_data;
    const int result = entry->res;
    io_uring_cqe_seen(&ring_, entry);
    Flight& flight = *reinterpret_cast<Flight*>(tag & ~kSyncTag);
    if (!take(flight, (tag & kSyncTag) != 0, result)) continue;
    --in_flight_;
    Completion* const completion = flight.request->completion;
    spare_.push_back(&flight);
    completion->complete();
  }
  flush();
}

void IoRing::wait_until_idle() {
  while (in_flight_ > 0) {
    flush();
    io_uring_cqe* entry = nullptr;
    if (io_uring_wait_cqe(&ring_, &entry) != 0) continue;
    const uint64_t tag = entry->user_data;
    const int result = entry->res;
    io_uring_cqe_seen(&ring_, entry);
    Flight& flight = *reinterpret_cast<Flight*>(tag & ~kSyncTag);
    if (!take(flight, (tag & kSyncTag) != 0, result)) continue;
    --in_flight_;
    spare_.push_back(&flight);
  }
}

}  // namespace orrery
