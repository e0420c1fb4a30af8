// A disk that is memory: what `:memory:` databases and tests run on. Every request is done at once;
// sync does nothing, for nothing here outlives the process. Files are chunks made when first
// written, so preallocated space costs nothing. As on Linux, a file that is removed or replaced
// lives on for those who have it open.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/host.h"

namespace orrery {

class MemoryDisk final : public Disk {
 public:
  MemoryDisk();
  bool submit(DiskRequest& request) override;

  uint64_t chunk_bytes() const { return chunk_count_ * kChunk; }
  size_t open_handles() const;

 private:
  static constexpr uint64_t kChunk = 8 * 1024;  // a page: most files of a database are short
  using Chunk = std::array<std::byte, kChunk>;
  struct File {
    uint64_t size = 0;
    std::vector<std::unique_ptr<Chunk>> chunks;  // null: zeros
    uint32_t references = 0;                     // names and handles
  };
  using FileNumber = uint32_t;

  Status run(DiskRequest& request);
  Status open(DiskRequest& request);
  Status rename(const DiskRequest& request);
  Status remove(const std::string& name);
  Status make_directory(const std::string& name);
  Status list(DiskRequest& request);
  Result<File*> file_of(FileHandle handle);
  void read(const File& file, DiskRequest& request);
  void write(File& file, uint64_t offset, Bytes data);
  void resize(File& file, uint64_t size);
  void release(FileNumber number);
  bool has_parent(const std::string& name) const;

  std::map<FileNumber, File> files_;
  FileNumber next_file_ = 1;
  std::map<std::string, FileNumber, std::less<>> names_;  // 0: a directory
  std::vector<FileNumber> handles_;                       // handle - 1 -> file, 0 when closed
  uint64_t chunk_count_ = 0;
};

}  // namespace orrery
