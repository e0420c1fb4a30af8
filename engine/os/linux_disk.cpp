#include "os/linux_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/text.h"
#include "os/os_error.h"

namespace orrery {
namespace {

const char* path_of(const std::string& name) { return name.empty() ? "." : name.c_str(); }

Status read_all(DiskRequest& request, int fd) {
  while (request.count < request.buffer.size()) {
    const ssize_t got =
        pread(fd, request.buffer.data() + request.count, request.buffer.size() - request.count,
              static_cast<off_t>(request.offset + request.count));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(errno, "could not read file");
    if (got == 0) break;
    request.count += static_cast<uint64_t>(got);
  }
  return {};
}

Status write_all(int fd, uint64_t offset, Bytes data) {
  while (!data.empty()) {
    const ssize_t put = pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return os_error(errno, "could not write file");
    if (put == 0) return raise(sqlstate::disk_full, "could not write file: no space");
    data = data.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return {};
}

Status sync(int fd) {
  return fdatasync(fd) == 0 ? Status() : os_error(errno, "could not fsync file");
}

// Where the file system cannot reserve space, zeros are written instead, past what is there.
Status allocate(int fd, uint64_t offset, uint64_t count) {
  if (count == 0) return {};
  while (fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(count)) != 0) {
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP) return os_error(errno, "could not extend file");
    struct stat info;
    if (fstat(fd, &info) != 0) return os_error(errno, "could not stat file");
    const std::vector<std::byte> zeros(1 << 20);
    for (uint64_t at = static_cast<uint64_t>(info.st_size); at < offset + count;
         at += zeros.size()) {
      TRY(write_all(fd, at,
                    Bytes(zeros).first(std::min<uint64_t>(zeros.size(), offset + count - at))));
    }
    return {};
  }
  return {};
}

Status sync_directory(int directory_fd, const std::string& name) {
  const int fd = openat(directory_fd, path_of(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return os_error(errno, cat("could not open directory \"", name, "\""));
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  return result == 0 ? Status() : os_error(error, cat("could not fsync file \"", name, "\""));
}

Status list_directory(int directory_fd, DiskRequest& request) {
  const int fd = openat(directory_fd, path_of(request.name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return os_error(errno, cat("could not open directory \"", request.name, "\""));
  DIR* directory = fdopendir(fd);
  CHECK(directory != nullptr);
  request.names.clear();
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") request.names.emplace_back(name);
  }
  closedir(directory);
  std::sort(request.names.begin(), request.names.end());
  return {};
}

Status open_file(int directory_fd, const DiskRequest& request, int* fd) {
  const int flags =
      O_RDWR | O_CLOEXEC | (request.create ? O_CREAT : 0) | (request.exclusive ? O_EXCL : 0);
  do {
    *fd = openat(directory_fd, request.name.c_str(), flags, 0600);
  } while (*fd < 0 && errno == EINTR);
  if (*fd >= 0) return {};
  const int error = errno;
  return os_error(error,
                  cat(error == EEXIST ? "could not create file \"" : "could not open file \"",
                      request.name, "\""));
}

}  // namespace

// A request on its way through the pool. run() is the pool thread's, complete() the engine
// thread's.
struct LinuxDisk::Blocking final : Completion {
  LinuxDisk* disk = nullptr;
  DiskRequest* request = nullptr;
  int fd = -1;

  Status execute() {
    DiskRequest& r = *request;
    const int directory = disk->directory_fd_;
    switch (r.op) {
      case DiskOp::open: return open_file(directory, r, &fd);
      case DiskOp::close:
        return ::close(fd) == 0 ? Status() : os_error(errno, "could not close file");
      case DiskOp::read: return read_all(r, fd);
      case DiskOp::write:
        TRY(write_all(fd, r.offset, r.data));
        return r.then_sync ? sync(fd) : Status();
      case DiskOp::sync: return sync(fd);
      case DiskOp::truncate:
        return ftruncate(fd, static_cast<off_t>(r.offset)) == 0
                   ? Status()
                   : os_error(errno, "could not truncate file");
      case DiskOp::allocate: return allocate(fd, r.offset, r.count);
      case DiskOp::size:     UNREACHABLE();
      case DiskOp::rename:
        return renameat(directory, r.name.c_str(), directory, r.new_name.c_str()) == 0
                   ? Status()
                   : os_error(errno, cat("could not rename file \"", r.name, "\" to \"", r.new_name,
                                         "\""));
      case DiskOp::remove:
        return unlinkat(directory, r.name.c_str(), 0) == 0 ||
                       (errno == EISDIR && unlinkat(directory, r.name.c_str(), AT_REMOVEDIR) == 0)
                   ? Status()
                   : os_error(errno, cat("could not remove file \"", r.name, "\""));
      case DiskOp::make_directory:
        return mkdirat(directory, r.name.c_str(), 0700) == 0
                   ? Status()
                   : os_error(errno, cat("could not create directory \"", r.name, "\""));
      case DiskOp::sync_directory: return orrery::sync_directory(directory, r.name);
      case DiskOp::list:           return orrery::list_directory(directory, r);
    }
    UNREACHABLE();
  }
  static void run(void* object) {
    Blocking& blocking = *static_cast<Blocking*>(object);
    blocking.request->status = blocking.execute();
  }
  void complete() override {
    LinuxDisk& owner = *disk;
    DiskRequest& r = *request;
    if (r.op == DiskOp::open && r.status.ok()) {
      auto slot = std::find(owner.fds_.begin(), owner.fds_.end(), -1);
      if (slot == owner.fds_.end()) slot = owner.fds_.insert(slot, -1);
      *slot = fd;
      r.handle = FileHandle(static_cast<uint32_t>(slot - owner.fds_.begin()) + 1);
    }
    owner.spare_.emplace_back(this);
    r.completion->complete();
  }
};

LinuxDisk::LinuxDisk(int directory_fd, ThreadPool& pool, IoRing* ring)
    : directory_fd_(directory_fd), pool_(pool), ring_(ring) {}

LinuxDisk::~LinuxDisk() {
  for (const int fd : fds_) {
    if (fd >= 0) close(fd);
  }
}

size_t LinuxDisk::open_handles() const {
  return fds_.size() - static_cast<size_t>(std::count(fds_.begin(), fds_.end(), -1));
}

int LinuxDisk::fd_of(FileHandle handle) const {
  return handle.v == 0 || handle.v > fds_.size() ? -1 : fds_[handle.v - 1];
}

bool LinuxDisk::read_cached(DiskRequest& request, int fd) {
  while (request.count < request.buffer.size()) {
    iovec piece{request.buffer.data() + request.count, request.buffer.size() - request.count};
    const ssize_t got =
        preadv2(fd, &piece, 1, static_cast<off_t>(request.offset + request.count), RWF_NOWAIT);
    if (got < 0)
      return false;  // not cached, or not supported: a thread reads the rest, and meets any error
    if (got == 0) return true;  // the end of the file
    request.count += static_cast<uint64_t>(got);
  }
  return true;
}

bool LinuxDisk::submit(DiskRequest& request) {
  request.status = {};
  const bool by_name = request.op == DiskOp::open || request.op >= DiskOp::rename;
  const int fd = by_name ? -1 : fd_of(request.handle);
  if (!by_name && fd < 0) {
    request.status = raise(sqlstate::io_error, "bad file handle");
    return true;
  }
  if (request.op == DiskOp::size) {
    struct stat info;
    request.status = fstat(fd, &info) == 0 ? Status() : os_error(errno, "could not stat file");
    request.count = static_cast<uint64_t>(info.st_size);
    return true;
  }
  if (request.op == DiskOp::read) {
    request.count = 0;
    if (read_cached(request, fd)) return true;
  }
  const bool by_ring =
      ring_ != nullptr &&
      (request.op == DiskOp::read ||
       (request.op == DiskOp::write && !request.then_sync && !request.data.empty()));
  if (by_ring) {
    ring_->start(request, fd);
    return false;
  }
  if (request.op == DiskOp::close) fds_[request.handle.v - 1] = -1;
  if (spare_.empty()) spare_.push_back(std::make_unique<Blocking>());
  Blocking* blocking = spare_.back().release();
  spare_.pop_back();
  blocking->disk = this;
  blocking->request = &request;
  blocking->fd = fd;
  pool_.submit({.run = &Blocking::run, .object = blocking, .completion = blocking});
  return false;
}

}  // namespace orrery
