// A test host whose machine can die: its disk forgets, keeps or tears what was not synced. For
// tests only.
//
//   CrashDisk disk;
//   { CrashHost host(disk); Scheduler scheduler(host); ... host.run(scheduler, steps); }
//   disk.crash(prng);              // what the next host finds
#pragma once

#include <map>

#include "fiber/test_host.h"

namespace orrery {

// Files hold what was synced and, beside it, what was written since. Names likewise: a create,
// rename or remove is undone by a crash until its directory is synced.
class CrashDisk {
 public:
  CrashDisk() {
    names_[""] = kDirectory;
    durable_names_ = names_;
  }

  Status run_sync(FileHandle handle) {
    DiskRequest sync{.op = DiskOp::sync, .handle = handle};
    return run(sync);
  }

  Status run(DiskRequest& request) {
    ++operations;
    if (fail_at != 0 && --fail_at == 0) {
      failed_op = request.op;
      return raise(sqlstate::io_error, "injected disk failure");
    }
    switch (request.op) {
      case DiskOp::open:  return open(request);
      case DiskOp::close: handles_[request.handle.v - 1] = 0; return {};
      case DiskOp::read:  return read(request);
      case DiskOp::write: {
        TRY(write(request));
        return request.then_sync ? run_sync(request.handle) : Status();
      }
      case DiskOp::sync: {
        File& file = of(request);
        ++syncs;
        file.durable = file.current;
        file.changes.clear();
        return {};
      }
      case DiskOp::truncate: {
        File& file = of(request);
        file.current.resize(request.offset);
        file.changes.push_back({request.offset, {}, true});
        return {};
      }
      case DiskOp::allocate: {
        File& file = of(request);
        const uint64_t size = request.offset + request.count;
        if (size <= file.current.size()) return {};
        TRY(take_room(size - file.current.size()));
        file.current.resize(size);
        file.changes.push_back({size, {}, true});
        return {};
      }
      case DiskOp::size:   request.count = of(request).current.size(); return {};
      case DiskOp::rename: {
        auto from = names_.find(request.name);
        if (from == names_.end()) return missing(request.name);
        const int inode = from->second;
        names_.erase(from);
        names_[request.new_name] = inode;
        return {};
      }
      case DiskOp::remove:
        return names_.erase(request.name) != 0 ? Status() : missing(request.name);
      case DiskOp::make_directory: names_[request.name] = kDirectory; return {};
      case DiskOp::sync_directory: {
        for (auto it = durable_names_.begin(); it != durable_names_.end();) {
          it = parent(it->first) == request.name && !it->first.empty() ? durable_names_.erase(it)
                                                                       : std::next(it);
        }
        for (const auto& [name, inode] : names_) {
          if (!name.empty() && parent(name) == request.name) durable_names_[name] = inode;
        }
        return {};
      }
      case DiskOp::list:
        request.names.clear();
        for (const auto& [name, inode] : names_) {
          if (!name.empty() && parent(name) == request.name) {
            request.names.push_back(request.name.empty() ? name
                                                         : name.substr(request.name.size() + 1));
          }
        }
        return {};
    }
    UNREACHABLE();
  }

  // The machine died: each file keeps what was synced, and of what was not, whatever `prng` says,
  // sector by sector.
  void crash(Prng& prng) {
    if (prng.chance(1, 2)) names_ = durable_names_;
    for (auto& [number, file] : files_) {
      std::string bytes = std::move(file.durable);
      const uint64_t fate = prng.below(4);  // all lost, all kept, each by itself, torn
      for (const Change& change : file.changes) {
        if (fate == 0 || (fate >= 2 && prng.chance(1, 2))) continue;
        if (change.is_size) {
          bytes.resize(change.offset);
          continue;
        }
        for (size_t at = 0; at < change.bytes.size();) {
          const size_t piece =
              std::min<size_t>(kSector - (change.offset + at) % kSector, change.bytes.size() - at);
          if (fate != 3 || prng.chance(1, 2)) {
            if (bytes.size() < change.offset + at + piece) bytes.resize(change.offset + at + piece);
            bytes.replace(change.offset + at, piece, change.bytes, at, piece);
          }
          at += piece;
        }
      }
      file.durable = file.current = std::move(bytes);
      file.changes.clear();
    }
    durable_names_ = names_;
    handles_.clear();
    fail_at = 0;
  }
  // The process died, the machine did not: all reads as it was written, and what was not synced may
  // still be lost by a crash() to come.
  void kill() {
    handles_.clear();
    fail_at = 0;
  }

  // The bytes of a file, to look at or to damage; null when absent.
  std::string* contents(const std::string& name) {
    auto found = names_.find(name);
    return found == names_.end() ? nullptr : &files_[found->second].current;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, inode] : names_) {
      if (inode != kDirectory) out.push_back(name);
    }
    return out;
  }

  uint64_t operations = 0;
  uint64_t writes = 0;
  uint64_t syncs = 0;
  uint64_t fail_at = 0;  // the k-th operation from now fails
  DiskOp failed_op{};
  uint64_t room_bytes = UINT64_MAX;  // what files may still grow by

 private:
  static constexpr int kDirectory = -1;
  static constexpr size_t kSector = 512;
  struct Change {
    uint64_t offset;
    std::string bytes;
    bool is_size = false;
  };
  struct File {
    std::string durable, current;
    std::vector<Change> changes;
  };

  static std::string parent(const std::string& name) {
    const size_t slash = name.rfind('/');
    return slash == std::string::npos ? "" : name.substr(0, slash);
  }
  static Status missing(const std::string& name) {
    return raise(sqlstate::undefined_file,
                 cat("could not open file \"", name, "\": No such file or directory"));
  }
  File& of(const DiskRequest& request) {
    CHECK(request.handle.v > 0 && request.handle.v <= handles_.size());
    CHECK(handles_[request.handle.v - 1] != 0);
    return files_[handles_[request.handle.v - 1]];
  }
  Status take_room(uint64_t bytes) {
    if (bytes > room_bytes) return raise(sqlstate::disk_full, "No space left on device");
    room_bytes -= bytes;
    return {};
  }
  Status open(DiskRequest& request) {
    auto found = names_.find(request.name);
    if (found == names_.end()) {
      if (!request.create || !names_.contains(parent(request.name))) return missing(request.name);
      found = names_.emplace(request.name, ++last_file_).first;
    } else if (request.exclusive) {
      return raise(sqlstate::duplicate_file,
                   cat("could not create file \"", request.name, "\": File exists"));
    }
    CHECK(found->second != kDirectory);
    handles_.push_back(found->second);
    request.handle = FileHandle(static_cast<uint32_t>(handles_.size()));
    return {};
  }
  Status read(DiskRequest& request) {
    const std::string& bytes = of(request).current;
    request.count = 0;
    if (request.offset >= bytes.size()) return {};
    request.count = std::min<uint64_t>(request.buffer.size(), bytes.size() - request.offset);
    std::memcpy(request.buffer.data(), bytes.data() + request.offset, request.count);
    return {};
  }
  Status write(DiskRequest& request) {
    File& file = of(request);
    ++writes;
    const uint64_t end = request.offset + request.data.size();
    if (end > file.current.size()) {
      TRY(take_room(end - file.current.size()));
      file.current.resize(end);
    }
    std::memcpy(file.current.data() + request.offset, request.data.data(), request.data.size());
    file.changes.push_back({request.offset, std::string(as_text(request.data)), false});
    return {};
  }

  std::map<std::string, int> names_, durable_names_;
  std::map<int, File> files_;
  std::vector<int> handles_;  // file numbers; 0 when closed
  int last_file_ = 0;
};

class CrashHost final : public Host, private Disk {
 public:
  explicit CrashHost(CrashDisk& disk) : disk_(disk) {}
  Clock& clock() override { return clock_test; }
  Random& random() override { return random_test; }
  Disk& disk() override { return *this; }
  Network& network() override { return network_; }
  Workers& workers() override { return workers_; }
  void work_ready() override {}
  uint32_t pick(uint32_t count) override {
    return at_random ? static_cast<uint32_t>(random_test.prng.below(count)) : 0;
  }
  void log(LogLevel, std::string_view text) override { log_lines.emplace_back(text); }
  Status fatal(std::string_view why) override {
    fatal_reason = why;
    if (running_ != nullptr) running_->mark_halted();
    return raise_halted();
  }

  // Until nothing is left to happen, the scheduler is halted, or `steps` are over: then the machine
  // dies. True when it lived.
  bool run(Scheduler& scheduler, uint64_t steps = UINT64_MAX) {
    running_ = &scheduler;
    bool busy = true;
    while (busy && !scheduler.halted() && steps > 0) {
      --steps;
      if (scheduler.run_one()) continue;
      if (!pending_.empty())
        complete_one();
      else if (clock_test.has_timers())
        clock_test.fire_next();
      else
        busy = false;
    }
    running_ = nullptr;
    if (!busy && !scheduler.halted()) return true;
    crash(scheduler);
    return false;
  }
  void crash(Scheduler& scheduler) {
    pending_.clear();
    clock_test.forget_all();
    scheduler.halt();
  }

  TestClock clock_test;
  TestRandom random_test;
  bool at_random = false;  // order of fibers and of disk completions
  bool delay = true;       // disk requests complete later
  std::vector<std::string> log_lines;
  std::string fatal_reason;

 private:
  bool submit(DiskRequest& request) override {
    if (delay) {
      pending_.push_back(&request);
      return false;
    }
    request.status = disk_.run(request);
    return true;
  }
  void complete_one() {
    const size_t which = at_random ? random_test.prng.below(pending_.size()) : 0;
    DiskRequest* request = pending_[which];
    pending_.erase(pending_.begin() + static_cast<ptrdiff_t>(which));
    request->status = disk_.run(*request);
    request->completion->complete();
  }

  CrashDisk& disk_;
  std::vector<DiskRequest*> pending_;
  TestNetwork network_;
  TestWorkers workers_;
  Scheduler* running_ = nullptr;
};

}  // namespace orrery
