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
  ++numbered_;
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
  flight.has_data = request.op != DiskOp::sync;
  flight.has_sync = flight.is_split = false;
  if (flight.has_data) {
    // Both entries of a pair should be handed over together.
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
    entry->user_data = reinterpret_cast<uint64_t>(&flight);
    ++flight.out;
    if (request.op == DiskOp::read || !request.then_sync) return;
    entry->flags |= IOSQE_IO_LINK;
  }
  prepare_sync(flight);
}

void IoRing::prepare_sync(Flight& flight) {
  io_uring_sqe* const entry = next_entry();
  io_uring_prep_fsync(entry, flight.fd, IORING_FSYNC_DATASYNC);
  entry->user_data = reinterpret_cast<uint64_t>(&flight) | kSyncTag;
  flight.has_sync = true;
  flight.sync_at = numbered_;
  ++flight.out;
}

void IoRing::flush() {
  while (prepared_ > 0) {
    const int told = io_uring_submit(&ring_);
    if (told > 0) prepared_ -= std::min(prepared_, static_cast<uint32_t>(told));
    if (told > 0 && prepared_ > 0) {
      // The next entry to be handed over may be the sync of a write that was.
      const uint64_t next = numbered_ - prepared_ + 1;
      for (const std::unique_ptr<Flight>& flight : flights_) {
        const bool waits = flight->out > 0 && flight->has_data && flight->has_sync;
        if (waits && flight->sync_at == next) flight->is_split = true;
      }
    }
    // Out of memory or the completion side full: what is out will finish.
    if (told == -EAGAIN || told == -EBUSY) return;
    CHECK(told >= 0 || told == -EINTR);
  }
}

// What came of a round's read or write: false when more of it must be asked for, *over when the
// request ends with it whatever a sync said.
bool IoRing::judge_data(Flight& flight, bool* over) {
  DiskRequest& request = *flight.request;
  const int result = flight.data_result;
  const bool reads = request.op == DiskOp::read;
  const uint64_t wanted = reads ? request.buffer.size() : request.data.size();
  if (result < 0 && result != -EINTR && result != -EAGAIN) {
    request.status = os_error(-result, reads ? "could not read file" : "could not write file");
    *over = true;
    return true;
  }
  if (result > 0) flight.done += static_cast<uint64_t>(result);
  if (reads) request.count = flight.done;
  if (result == 0 && reads) *over = true;  // the end of the file
  if (result == 0 && !reads && flight.done < wanted) {
    request.status = raise(sqlstate::disk_full, "could not write file: no space");
    *over = true;
  }
  return *over || flight.done == wanted;
}

bool IoRing::take(const Answer& answer) {
  Flight& flight = *reinterpret_cast<Flight*>(answer.tag & ~kSyncTag);
  DiskRequest& request = *flight.request;
  ((answer.tag & kSyncTag) != 0 ? flight.sync_result : flight.data_result) = answer.result;
  if (--flight.out > 0) return false;
  bool over = false;
  if (flight.has_data && !judge_data(flight, &over)) {
    prepare(flight);
    return false;
  }
  if (over || !flight.has_sync) return true;
  const int result = flight.sync_result;
  const bool again = flight.is_split || result == -ECANCELED || result == -EINTR ||
                     result == -EAGAIN;  // ECANCELED: its write was short, and was completed since
  const bool failed = result < 0 && result != -ECANCELED && result != -EINTR && result != -EAGAIN;
  if (failed) {
    request.status = os_error(-result, "could not fsync file");
    return true;
  }
  if (!again) return true;
  flight.has_data = flight.is_split = false;
  prepare_sync(flight);
  return false;
}

void IoRing::harvest() {
  io_uring_cqe* entry = nullptr;
  while (io_uring_peek_cqe(&ring_, &entry) == 0) {
    answers_.push_back({entry->user_data, entry->res});
    io_uring_cqe_seen(&ring_, entry);
  }
}

void IoRing::reap() {
  harvest();
  while (!answers_.empty()) {
    const Answer answer = answers_.front();
    answers_.pop_front();
    if (take(answer)) {
      Flight& flight = *reinterpret_cast<Flight*>(answer.tag & ~kSyncTag);
      --in_flight_;
      Completion* const completion = flight.request->completion;
      spare_.push_back(&flight);
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
      spare_.push_back(reinterpret_cast<Flight*>(answer.tag & ~kSyncTag));
    }
  }
}

}  // namespace orrery
