#include "fiber/io.h"

#include "base/text.h"
#include "fiber/scheduler.h"

namespace orrery {
namespace {

// Lives on the waiting fiber's stack beside the request.
struct FiberCompletion final : Completion {
  explicit FiberCompletion(Fiber& f) : fiber(f) {}
  void complete() override {
    done = true;
    fiber.wake();
  }
  // Waits for it, through cancellations.
  Status wait() {
    while (!done) TRY(fiber.suspend_uncancelled());
    if (fiber.scheduler().halted()) return raise_halted();
    return {};
  }
  Fiber& fiber;
  bool done = false;
};

Status run(Fiber& fiber, DiskRequest& request) {
  if (fiber.scheduler().halted()) return raise_halted();
  FiberCompletion completion(fiber);
  request.completion = &completion;
  if (!fiber.host().disk().submit(request)) TRY(completion.wait());
  return std::move(request.status);
}

Status run(Fiber& fiber, NetworkRequest& request, Instant deadline = kNever) {
  TRY(fiber.check_interrupts());
  FiberCompletion completion(fiber);
  request.completion = &completion;
  Network& network = fiber.host().network();
  if (network.submit(request)) return std::move(request.status);
  while (!completion.done) {
    Status interrupted = fiber.suspend(deadline);
    if (interrupted.is_halted()) return interrupted;
    if (completion.done) {  // its result is kept; a cancel that came as well stays pending
      if (!interrupted.ok()) fiber.cancel(std::move(interrupted));
      break;
    }
    if (interrupted.ok() && !fiber.timed_out()) continue;
    network.withdraw(request);
    TRY(std::move(interrupted));
    return raise(sqlstate::query_canceled, "canceling network wait due to timeout");
  }
  return std::move(request.status);
}

}  // namespace

Result<FileHandle> open_file(Fiber& fiber, std::string name, bool create, bool exclusive) {
  DiskRequest request{
      .op = DiskOp::open, .name = std::move(name), .create = create, .exclusive = exclusive};
  TRY(run(fiber, request));
  return request.handle;
}

Status close_file(Fiber& fiber, FileHandle file) {
  DiskRequest request{.op = DiskOp::close, .handle = file};
  return run(fiber, request);
}

Result<uint64_t> read_file(Fiber& fiber, FileHandle file, uint64_t offset, MutableBytes buffer) {
  uint64_t total = 0;
  while (total < buffer.size()) {
    DiskRequest request{.op = DiskOp::read,
                        .handle = file,
                        .offset = offset + total,
                        .buffer = buffer.subspan(total)};
    TRY(run(fiber, request));
    CHECK(request.count <= buffer.size() - total);
    if (request.count == 0) break;
    total += request.count;
  }
  return total;
}

Status write_file(Fiber& fiber, FileHandle file, uint64_t offset, Bytes data) {
  DiskRequest request{.op = DiskOp::write, .handle = file, .offset = offset, .data = data};
  return run(fiber, request);
}

Status write_and_sync_file(Fiber& fiber, FileHandle file, uint64_t offset, Bytes data) {
  DiskRequest request{
      .op = DiskOp::write, .handle = file, .offset = offset, .data = data, .then_sync = true};
  return run(fiber, request);
}

Status sync_file(Fiber& fiber, FileHandle file) {
  DiskRequest request{.op = DiskOp::sync, .handle = file};
  return run(fiber, request);
}

Status truncate_file(Fiber& fiber, FileHandle file, uint64_t size_bytes) {
  DiskRequest request{.op = DiskOp::truncate, .handle = file, .offset = size_bytes};
  return run(fiber, request);
}

Status allocate_file(Fiber& fiber, FileHandle file, uint64_t offset, uint64_t count) {
  DiskRequest request{.op = DiskOp::allocate, .handle = file, .offset = offset, .count = count};
  return run(fiber, request);
}

Result<uint64_t> file_size(Fiber& fiber, FileHandle file) {
  DiskRequest request{.op = DiskOp::size, .handle = file};
  TRY(run(fiber, request));
  return request.count;
}

Status rename_file(Fiber& fiber, std::string from, std::string to) {
  DiskRequest request{.op = DiskOp::rename, .name = std::move(from), .new_name = std::move(to)};
  return run(fiber, request);
}

Status remove_file(Fiber& fiber, std::string name) {
  DiskRequest request{.op = DiskOp::remove, .name = std::move(name)};
  return run(fiber, request);
}

Status make_directory(Fiber& fiber, std::string name) {
  DiskRequest request{.op = DiskOp::make_directory, .name = std::move(name)};
  return run(fiber, request);
}

Status sync_directory(Fiber& fiber, std::string name) {
  DiskRequest request{.op = DiskOp::sync_directory, .name = std::move(name)};
  return run(fiber, request);
}

Status sync_directory_or_die(Fiber& fiber, const std::string& name) {
  Status synced = sync_directory(fiber, name);
  if (synced.ok() || synced.is_halted()) return synced;
  return fiber.host().fatal(
      cat("could not fsync directory \"", name, "\": ", synced.error().message));
}

Result<std::vector<std::string>> list_directory(Fiber& fiber, std::string name) {
  DiskRequest request{.op = DiskOp::list, .name = std::move(name)};
  TRY(run(fiber, request));
  return std::move(request.names);
}

Result<Listener> listen(Fiber& fiber, std::string address, uint16_t port) {
  NetworkRequest request{.op = NetworkOp::listen, .address = std::move(address), .port = port};
  TRY(run(fiber, request));
  return Listener{.socket = request.socket, .port = request.port};
}

Result<Accepted> accept(Fiber& fiber, SocketId listener) {
  NetworkRequest request{.op = NetworkOp::accept, .socket = listener};
  TRY(run(fiber, request));
  return Accepted{.socket = request.new_socket, .peer = std::move(request.address)};
}

Result<SocketId> connect(Fiber& fiber, std::string address, uint16_t port) {
  NetworkRequest request{.op = NetworkOp::connect, .address = std::move(address), .port = port};
  TRY(run(fiber, request));
  return request.socket;
}

Result<uint64_t> receive(Fiber& fiber, SocketId socket, MutableBytes buffer, Instant deadline) {
  NetworkRequest request{.op = NetworkOp::receive, .socket = socket, .buffer = buffer};
  TRY(run(fiber, request, deadline));
  return request.count;
}

Result<uint64_t> send_some(Fiber& fiber, SocketId socket, Bytes data) {
  NetworkRequest request{.op = NetworkOp::send, .socket = socket, .data = data};
  TRY(run(fiber, request));
  CHECK(request.count >= 1 && request.count <= data.size());
  return request.count;
}

Status send_all(Fiber& fiber, SocketId socket, Bytes data) {
  while (!data.empty()) {
    const uint64_t count = TRY(send_some(fiber, socket, data));
    data = data.subspan(count);
  }
  return {};
}

void close_socket(Host& host, SocketId socket) {
  NetworkRequest request{.op = NetworkOp::close, .socket = socket};
  CHECK(host.network().submit(request));
}

Status run_on_worker(Fiber& fiber, WorkerTask& task) {
  if (fiber.scheduler().halted()) return raise_halted();
  FiberCompletion completion(fiber);
  task.completion = &completion;
  fiber.host().workers().submit(task);
  return completion.wait();
}

Status run_on_worker(Fiber& fiber, StopSign& stop, FunctionRef<Status()> work) {
  struct Task final : WorkerTask {
    explicit Task(FunctionRef<Status()> given) : work(given) {}
    void run() override { status = work(); }
    FunctionRef<Status()> work;
    Status status;
  };
  TRY(fiber.check_interrupts());
  Task task(work);
  FiberCompletion completion(fiber);
  task.completion = &completion;
  fiber.host().workers().submit(task);
  while (!completion.done) {
    Status interrupted = fiber.suspend();
    if (interrupted.ok()) continue;
    if (interrupted.is_halted()) return interrupted;
    stop.raise();
    TRY(completion.wait());
    return interrupted;
  }
  if (fiber.scheduler().halted()) return raise_halted();
  return std::move(task.status);
}

WorkerJob::WorkerJob(Fiber& fiber, UniqueFunction<void()> work)
    : fiber_(fiber), work_(std::move(work)) {
  if (fiber.scheduler().halted()) return;
  completion = this;
  fiber.host().workers().submit(*this);
}

WorkerJob::~WorkerJob() { (void)wait(); }

Status WorkerJob::wait() {
  while (!done_) TRY(fiber_.suspend_uncancelled());
  if (fiber_.scheduler().halted()) return raise_halted();
  return {};
}

void WorkerJob::complete() {
  done_ = true;
  fiber_.wake();
}

}  // namespace orrery
