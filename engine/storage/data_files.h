// The files of pages: names, handles, sizes, and what of them is not yet synced.
//
// A file's size in blocks is a fact of the log: one behind its last initialised page. On disk it
// may be longer, by zeros allocated ahead; when a file is first met its trailing zero pages are not
// counted. From then on the size is kept here, while handles come and go.
#pragma once

#include <memory>

#include "base/hash_map.h"
#include "fiber/sync.h"
#include "storage/options.h"
#include "storage/page.h"

namespace orrery {

struct DataFile {
  explicit DataFile(FileId file) : id(file) {}

  FileId id;
  FileHandle handle;      // 0: not open
  uint32_t users = 0;     // the handle stays open
  bool is_known = false;  // size and room hold
  bool ended = false;     // about to be removed: nobody may begin to use it
  BlockNo size{0};
  BlockNo room{0};                 // blocks allocated on disk, >= size
  uint64_t changes = 0;            // writes, allocations and truncations done
  uint64_t synced_changes = 0;     // of these, so many are durable
  Mutex mutex;                     // held by who opens, closes, allocates or truncates
  ListHook<DataFile> recent_hook;  // open files, least recently used first

  bool has_room() const { return size < room; }
  bool is_unsynced() const { return changes > synced_changes; }
};

class DataFiles {
 public:
  DataFiles(Host& host, const StorageOptions& options) : host_(host), options_(options) {}
  DataFiles(const DataFiles&) = delete;
  ~DataFiles();

  // Keeps a file open while it lives.
  class Use {
   public:
    explicit Use(DataFile& file) : file_(&file) { ++file.users; }
    Use(Use&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
    ~Use() {
      if (file_ != nullptr) --file_->users;
    }
    DataFile& operator*() const { return *file_; }
    DataFile* operator->() const { return file_; }

   private:
    DataFile* file_;
  };

  Status make_directory(Fiber& fiber);
  // Opens it if it is not. 58P01 no such file, 58030.
  Result<Use> use(Fiber& fiber, FileId file);
  // Only if it is open; does not suspend.
  DataFile* find_open(FileId file);
  // What is known of it, open or not; null for nothing.
  DataFile* find(FileId file);
  Result<bool> exists(Fiber& fiber, FileId file);
  // Nobody will need it again: from here on it can no more be used. Until it is removed it is known
  // so, and what is left of it in memory need not be written.
  void end(FileId file) { known(file).ended = true; }
  bool has_ended(FileId file) {
    const DataFile* found = find(file);
    return found != nullptr && found->ended;
  }
  // Makes it, empty; harmless when it is there.
  Status create(Fiber& fiber, FileId file);
  // Removes it if it is there. REQUIRES: no page of it is in the pool.
  Status remove(Fiber& fiber, FileId file);
  // All that lie in the directory.
  Result<std::vector<FileId>> list(Fiber& fiber);

  // Room for one more block at least. 53100 "could not extend file", 58030.
  Status make_room(Fiber& fiber, DataFile& file);
  // Makes the file so long at least, with pages of zeros. Errors as make_room.
  Status grow_to(Fiber& fiber, DataFile& file, BlockNo size);
  // Whole pages, already checksummed.
  Status write(Fiber& fiber, DataFile& file, BlockNo block, Bytes pages);
  Status truncate(Fiber& fiber, DataFile& file, BlockNo blocks);
  // A failure is fatal to the node.
  Status sync(Fiber& fiber, DataFile& file);
  // Everything done so far to any file, names included.
  Status sync_all(Fiber& fiber);

  // Recovery is over: what it met may have been written by a process that was killed before it
  // synced, and is synced by the next sync_all(); what is opened from now on was synced by a
  // checkpoint.
  void trust() { is_trusting_ = true; }
  // Ends use of the handles.
  Status close_all(Fiber& fiber);
  void check() const;

 private:
  DataFile& known(FileId file);
  Status open(Fiber& fiber, DataFile& file);
  Status measure(Fiber& fiber, DataFile& file);
  Status close_one(Fiber& fiber);
  void touch(DataFile& file);

  Host& host_;
  const StorageOptions& options_;
  HashMap<FileId, std::unique_ptr<DataFile>> files_;
  IntrusiveList<DataFile, &DataFile::recent_hook> open_;
  bool is_trusting_ = false;
  bool names_changed_ = true;  // the directory is not synced
};

}  // namespace orrery
