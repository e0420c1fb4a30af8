// The seam. Everything the engine can observe of the world comes through Host: time, randomness,
// disk, network, other cores. engine/os implements it on Linux; sim/ implements it for a simulated
// machine. Nothing else in engine/ may call the OS, read a clock, draw a random number or start a
// thread.
//
// One engine thread per node calls the host, and is called back by it. An operation is a request
// object owned by the caller: submit() starts it and returns true if it is already done; otherwise
// request.completion->complete() follows later, on the engine thread, never from inside submit().
// The caller keeps the request and its buffers alive until then. Fibers hide this: fiber/io.h turns
// each request into a call that suspends.
//
// A dead machine (simulated crash) completes nothing more: it forgets every request and task it was
// given, then halts its scheduler, and every fiber returns (fiber.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/intrusive_list.h"
#include "base/status.h"

namespace orrery {

class Completion {
 public:
  virtual void complete() = 0;

 protected:
  ~Completion() = default;
};

// A timer: complete() is called once at or after `when` unless cancelled. Owned by the caller.
struct Timer {
  Instant when;
  Completion* completion = nullptr;
  uint64_t host_key = 0;  // the host's own; 0 when not set
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;              // monotone on this node
  virtual WallTime wall_now() = 0;        // may jump
  virtual void set(Timer& timer) = 0;     // REQUIRES: not set
  virtual void cancel(Timer& timer) = 0;  // harmless when not set
};

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
  // True rarely, in the simulator only: take the unlikely but legal path named here (a string
  // literal).
  virtual bool nudge(const char* name) = 0;
};

// Names a file opened through Disk. 0 is none.
using FileHandle = StrongInt<struct FileHandleTag, uint32_t>;

enum class DiskOp : uint8_t {
  open,      // name, flags -> handle
  close,     // handle
  read,      // handle, offset, buffer -> count (less than asked only at the end of the file)
  write,     // handle, offset, data -> all of it or an error; extends the file; with then_sync
             // also sync, when all is written
  sync,      // handle: data and what is needed to read it back are durable
  truncate,  // handle, offset = new size
  allocate,  // handle, offset, count: reserve space and extend, reading as zeros
  size,      // handle -> count
  rename,    // name -> new_name, atomically replacing; durable after sync_directory
  remove,    // name; durable after sync_directory
  make_directory,
  sync_directory,  // name
  list,            // name -> names, sorted
};

// Paths are relative to the node's data directory, '/'-separated; "" is the directory itself.
struct DiskRequest {
  DiskOp op = DiskOp::read;
  FileHandle handle;
  std::string name;
  std::string new_name;
  bool create = false;     // open: make it if absent
  bool exclusive = false;  // open: 58P02 if it is there
  uint64_t offset = 0;
  MutableBytes buffer;             // read
  Bytes data;                      // write
  bool then_sync = false;          // write
  uint64_t count = 0;              // in for allocate; out for read, size
  std::vector<std::string> names;  // out for list
  // 58030 I/O error, 53100 disk full, 58P01 no such file, 58P02 exists.
  Status status;
  Completion* completion = nullptr;
};

class Disk {
 public:
  virtual ~Disk() = default;
  virtual bool submit(DiskRequest& request) = 0;
};

// Names a listener or a stream. 0 is none.
using SocketId = StrongInt<struct SocketIdTag, uint32_t>;

enum class NetworkOp : uint8_t {
  listen,   // address, port (0: any) -> socket, port
  accept,   // socket of a listener -> new_socket, address
  connect,  // address, port -> socket
  receive,  // socket, buffer -> count; 0 is the end of the stream
  send,     // socket, data -> count sent, at least 1
  close,    // socket: done at once; pending requests on it complete, later, with 08006
};

// Streams of bytes, as TCP. Addresses are numeric, or "host name" of the simulated world.
struct NetworkRequest {
  NetworkOp op = NetworkOp::receive;
  SocketId socket;
  SocketId new_socket;
  std::string address;
  uint16_t port = 0;
  MutableBytes buffer;
  Bytes data;
  uint64_t count = 0;
  // 08006 connection failure (reset, refused, unreachable), 53000 out of descriptors.
  Status status;
  Completion* completion = nullptr;
};

class Network {
 public:
  virtual ~Network() = default;
  // At most one receive and one send at a time per stream, one accept per listener.
  virtual bool submit(NetworkRequest& request) = 0;
  // Takes back a request that submit() left pending: it had no effect and completes no more, so
  // that its buffers are the caller's again. REQUIRES: not completed.
  virtual void withdraw(NetworkRequest& request) = 0;
};

// A computation over immutable input, run on another core (or, in the simulator, at a drawn
// moment). It may touch only what it was given, and functions marked worker-safe.
class WorkerTask {
 public:
  virtual ~WorkerTask() = default;
  virtual void run() = 0;
  Completion* completion = nullptr;
};

class Workers {
 public:
  virtual ~Workers() = default;
  virtual uint32_t count() const = 0;
  virtual void submit(WorkerTask& task) = 0;
};

enum class LogLevel : uint8_t { debug, info, notice, warning, error, fatal };

class Host {
 public:
  virtual ~Host() = default;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  virtual Disk& disk() = 0;
  virtual Network& network() = 0;
  virtual Workers& workers() = 0;

  // The scheduler has fibers to run and had none before. The simulator books processor time for the
  // machine.
  virtual void work_ready() = 0;
  // Which of `count` ready fibers runs next: 0 in production, a decision in the simulator.
  virtual uint32_t pick(uint32_t count) = 0;
  // Much memory that will be used here and there: large pages behind it save address lookups.
  virtual void large_memory(MutableBytes) {}
  // A line of the server log.
  virtual void log(LogLevel level, std::string_view text) = 0;
  // The node cannot go on (a failed fsync, an uncertain state): it stops at once, as if killed;
  // nothing is flushed. A real process is gone. A simulated machine's scheduler is halted, so every
  // suspension point fails from here, and the caller leaves with the status it gets (halted):
  // return host.fatal("could not fsync the log");
  virtual Status fatal(std::string_view why) = 0;
};

// Work units: what a fiber charges as it goes. Yields, and in the simulator the passing of
// processor time, follow units, never a clock. One unit is about a row touched, 64 bytes moved or 4
// comparisons: some 20 ns of real time.
using WorkUnits = uint64_t;
constexpr WorkUnits kUnitsPerSlice = 50'000;  // about 1 ms between yields

}  // namespace orrery
