// The host's requests as calls that suspend the fiber until they are done. A halted machine returns
// halted. A cancelled fiber still waits for its disk request and its worker task (their buffers are
// in use) and gets their result, the cancel staying pending; a network wait ends early and its
// request is withdrawn.
#pragma once

#include <string>
#include <vector>

#include "base/function.h"
#include "base/stop_sign.h"
#include "fiber/fiber.h"

namespace orrery {

// Disk: see host.h DiskOp for the errors of each.
Result<FileHandle> open_file(Fiber& fiber, std::string name, bool create, bool exclusive = false);
Status close_file(Fiber& fiber, FileHandle file);
// Reads until `buffer` is full or the file ends; returns the count.
Result<uint64_t> read_file(Fiber& fiber, FileHandle file, uint64_t offset, MutableBytes buffer);
Status write_file(Fiber& fiber, FileHandle file, uint64_t offset, Bytes data);
Status sync_file(Fiber& fiber, FileHandle file);
// Both, in one request.
Status write_and_sync_file(Fiber& fiber, FileHandle file, uint64_t offset, Bytes data);
Status truncate_file(Fiber& fiber, FileHandle file, uint64_t size_bytes);
Status allocate_file(Fiber& fiber, FileHandle file, uint64_t offset, uint64_t count);
Result<uint64_t> file_size(Fiber& fiber, FileHandle file);
Status rename_file(Fiber& fiber, std::string from, std::string to);
Status remove_file(Fiber& fiber, std::string name);
Status make_directory(Fiber& fiber, std::string name);
Status sync_directory(Fiber& fiber, std::string name);
// For names that must be durable before the caller goes on. A failure is fatal to the node: a later
// sync that succeeds would not tell whether these names are on disk.
Status sync_directory_or_die(Fiber& fiber, const std::string& name);
Result<std::vector<std::string>> list_directory(Fiber& fiber, std::string name);

// Network.
struct Listener {
  SocketId socket;
  uint16_t port = 0;
};
struct Accepted {
  SocketId socket;
  std::string peer;
};
Result<Listener> listen(Fiber& fiber, std::string address, uint16_t port);
Result<Accepted> accept(Fiber& fiber, SocketId listener);
Result<SocketId> connect(Fiber& fiber, std::string address, uint16_t port);
// 0 at the end of the stream. At `deadline` 57014, and fiber.timed_out() is true.
Result<uint64_t> receive(Fiber& fiber, SocketId socket, MutableBytes buffer,
                         Instant deadline = kNever);
// Some of it; returns the count, at least 1. REQUIRES: data is not empty.
Result<uint64_t> send_some(Fiber& fiber, SocketId socket, Bytes data);
// All of it; after a failure it is not known how much was sent.
Status send_all(Fiber& fiber, SocketId socket, Bytes data);
void close_socket(Host& host, SocketId socket);

// Runs `task` on a worker and waits for it; a cancelled fiber still waits.
Status run_on_worker(Fiber& fiber, WorkerTask& task);
// The same for `work`, whose status comes back. A cancelled fiber raises `stop`, waits for the work
// to notice or to end, and fails with its reason: the cancellation is delivered.
Status run_on_worker(Fiber& fiber, StopSign& stop, FunctionRef<Status()> work);

// Work that a worker does while its fiber goes on. What `work` uses must live until wait() has
// returned, or until the destructor, which waits too.
class WorkerJob final : WorkerTask, Completion {
 public:
  WorkerJob(Fiber& fiber, UniqueFunction<void()> work);
  WorkerJob(const WorkerJob&) = delete;
  ~WorkerJob() override;
  // Waits for its end, through cancellations. Fails with halted only: then nobody works on.
  Status wait();

 private:
  void run() override { work_(); }
  void complete() override;

  Fiber& fiber_;
  UniqueFunction<void()> work_;
  bool done_ = false;
};

}  // namespace orrery
