// Files in the data directory. Reads whose pages are cached are done at once (preadv2 with
// RWF_NOWAIT), as are questions of size; other reads and writes go through io_uring where it is
// allowed; all else, syncs first, may block and goes to a pool of threads.
#pragma once

#include <string>
#include <vector>

#include "os/io_ring.h"
#include "os/thread_pool.h"

namespace orrery {

class LinuxDisk final : public Disk {
 public:
  // `directory_fd` stays the caller's. `ring` may be null.
  LinuxDisk(int directory_fd, ThreadPool& pool, IoRing* ring);
  LinuxDisk(const LinuxDisk&) = delete;
  ~LinuxDisk() override;

  bool submit(DiskRequest& request) override;
  size_t open_handles() const;

 private:
  int fd_of(FileHandle handle) const;
  bool read_cached(DiskRequest& request, int fd);

  // On a pool thread: it may use only the request, and the descriptor found for it.
  struct Blocking;
  const int directory_fd_;
  ThreadPool& pool_;
  IoRing* const ring_;
  std::vector<int> fds_;  // handle - 1 -> descriptor, -1 when free
  std::vector<std::unique_ptr<Blocking>> spare_;
};

}  // namespace orrery
