#include "host/memory_disk.h"

#include <cstring>

#include "base/text.h"

namespace orrery {
namespace {

constexpr uint64_t kLargestFile = uint64_t{1} << 44;

Status no_such_file(std::string_view name) {
  return raise(sqlstate::undefined_file,
               cat("could not open file \"", name, "\": No such file or directory"));
}

}  // namespace

MemoryDisk::MemoryDisk() { names_[""] = 0; }

bool MemoryDisk::submit(DiskRequest& request) {
  request.status = run(request);
  return true;
}

Status MemoryDisk::run(DiskRequest& request) {
  switch (request.op) {
    case DiskOp::open:  return open(request);
    case DiskOp::close: {
      TRY(file_of(request.handle));
      release(std::exchange(handles_[request.handle.v - 1], 0));
      return {};
    }
    case DiskOp::read: {
      const File* file = TRY(file_of(request.handle));
      read(*file, request);
      return {};
    }
    case DiskOp::write: {
      File* file = TRY(file_of(request.handle));
      if (request.offset + request.data.size() > kLargestFile)
        return raise(sqlstate::disk_full, "file is too large");
      write(*file, request.offset, request.data);
      return {};
    }
    case DiskOp::sync: {
      TRY(file_of(request.handle));
      return {};
    }
    case DiskOp::truncate: {
      File* file = TRY(file_of(request.handle));
      resize(*file, request.offset);
      return {};
    }
    case DiskOp::allocate: {
      File* file = TRY(file_of(request.handle));
      if (request.offset + request.count > file->size)
        resize(*file, request.offset + request.count);
      return {};
    }
    case DiskOp::size: {
      const File* file = TRY(file_of(request.handle));
      request.count = file->size;
      return {};
    }
    case DiskOp::rename:         return rename(request);
    case DiskOp::remove:         return remove(request.name);
    case DiskOp::make_directory: return make_directory(request.name);
    case DiskOp::sync_directory:
      return names_.contains(request.name) ? Status() : no_such_file(request.name);
    case DiskOp::list: return list(request);
  }
  UNREACHABLE();
}

size_t MemoryDisk::open_handles() const {
  return static_cast<size_t>(
      std::count_if(handles_.begin(), handles_.end(), [](FileNumber n) { return n != 0; }));
}

bool MemoryDisk::has_parent(const std::string& name) const {
  const size_t slash = name.rfind('/');
  auto parent = names_.find(slash == std::string::npos ? std::string() : name.substr(0, slash));
  return parent != names_.end() && parent->second == 0;
}

Status MemoryDisk::open(DiskRequest& request) {
  auto found = names_.find(request.name);
  if (found == names_.end()) {
    if (!request.create || !has_parent(request.name)) return no_such_file(request.name);
    const FileNumber number = next_file_++;
    files_[number].references = 1;
    found = names_.emplace(request.name, number).first;
  } else if (request.exclusive) {
    return raise(sqlstate::duplicate_file,
                 cat("could not create file \"", request.name, "\": File exists"));
  } else if (found->second == 0) {
    return raise(sqlstate::io_error,
                 cat("could not open file \"", request.name, "\": Is a directory"));
  }
  ++files_[found->second].references;
  auto slot = std::find(handles_.begin(), handles_.end(), 0u);
  if (slot == handles_.end()) slot = handles_.insert(handles_.end(), 0u);
  *slot = found->second;
  request.handle = FileHandle(static_cast<uint32_t>(slot - handles_.begin()) + 1);
  return {};
}

Result<MemoryDisk::File*> MemoryDisk::file_of(FileHandle handle) {
  if (handle.v == 0 || handle.v > handles_.size() || handles_[handle.v - 1] == 0) {
    return raise(sqlstate::io_error, "bad file handle");
  }
  return &files_[handles_[handle.v - 1]];
}

void MemoryDisk::read(const File& file, DiskRequest& request) {
  request.count = 0;
  while (request.count < request.buffer.size() && request.offset + request.count < file.size) {
    const uint64_t at = request.offset + request.count;
    const uint64_t piece =
        std::min({kChunk - at % kChunk, request.buffer.size() - request.count, file.size - at});
    std::byte* to = request.buffer.data() + request.count;
    const Chunk* chunk = file.chunks[at / kChunk].get();
    if (chunk == nullptr) {
      std::memset(to, 0, piece);
    } else {
      std::memcpy(to, chunk->data() + at % kChunk, piece);
    }
    request.count += piece;
  }
}

void MemoryDisk::write(File& file, uint64_t offset, Bytes data) {
  if (offset + data.size() > file.size) resize(file, offset + data.size());
  while (!data.empty()) {
    const uint64_t piece = std::min<uint64_t>(kChunk - offset % kChunk, data.size());
    std::unique_ptr<Chunk>& chunk = file.chunks[offset / kChunk];
    if (chunk == nullptr) {
      const bool is_whole = piece == kChunk;
      chunk = is_whole ? std::make_unique_for_overwrite<Chunk>() : std::make_unique<Chunk>();
      ++chunk_count_;
    }
    std::memcpy(chunk->data() + offset % kChunk, data.data(), piece);
    data = data.subspan(piece);
    offset += piece;
  }
}

void MemoryDisk::resize(File& file, uint64_t size) {
  const uint64_t chunks = (size + kChunk - 1) / kChunk;
  for (size_t i = chunks; i < file.chunks.size(); ++i)
    chunk_count_ -= file.chunks[i] != nullptr ? 1 : 0;
  file.chunks.resize(chunks);
  if (size < file.size && size % kChunk != 0 && file.chunks.back() != nullptr) {
    std::memset(file.chunks.back()->data() + size % kChunk, 0, kChunk - size % kChunk);
  }
  file.size = size;
}

void MemoryDisk::release(FileNumber number) {
  File& file = files_[number];
  if (--file.references > 0) return;
  resize(file, 0);
  files_.erase(number);
}

Status MemoryDisk::rename(const DiskRequest& request) {
  auto from = names_.find(request.name);
  if (from == names_.end() || !has_parent(request.new_name)) return no_such_file(request.name);
  if (from->second == 0) return unsupported("renaming a directory");
  if (request.name == request.new_name) return {};
  auto to = names_.find(request.new_name);
  if (to != names_.end()) {
    if (to->second == 0)
      return raise(sqlstate::io_error,
                   cat("could not rename file \"", request.name, "\": Is a directory"));
    release(to->second);
  }
  names_[request.new_name] = from->second;
  names_.erase(from);
  return {};
}

Status MemoryDisk::remove(const std::string& name) {
  auto found = names_.find(name);
  if (found == names_.end() || name.empty()) return no_such_file(name);
  if (found->second != 0) {
    release(found->second);
  } else if (auto child = names_.lower_bound(name + '/');
             child != names_.end() && child->first.starts_with(name + '/')) {
    return raise(sqlstate::io_error,
                 cat("could not remove directory \"", name, "\": Directory not empty"));
  }
  names_.erase(found);
  return {};
}

Status MemoryDisk::make_directory(const std::string& name) {
  if (!has_parent(name)) return no_such_file(name);
  if (!names_.emplace(name, 0).second) {
    return raise(sqlstate::duplicate_file,
                 cat("could not create directory \"", name, "\": File exists"));
  }
  return {};
}

Status MemoryDisk::list(DiskRequest& request) {
  auto directory = names_.find(request.name);
  if (directory == names_.end() || directory->second != 0) return no_such_file(request.name);
  const std::string prefix = request.name.empty() ? "" : request.name + '/';
  request.names.clear();
  for (auto it = names_.lower_bound(prefix); it != names_.end() && it->first.starts_with(prefix);
       ++it) {
    const std::string rest = it->first.substr(prefix.size());
    if (!rest.empty() && rest.find('/') == std::string::npos) request.names.push_back(rest);
  }
  return {};
}

}  // namespace orrery
