// The files and directories of one simulated disk, as the page cache shows them and as the platter
// holds them.
//
// Names change in the cache at once; they are durable after sync_directory(). At a crash each
// directory keeps a prefix of its unsynced changes. A file whose name is gone is gone with its
// bytes; a name whose removal is undone has its bytes back. Copying a tree shares all content until
// either side writes: that is the template image.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/strong_int.h"
#include "sim/file_content.h"

namespace orrery {

// Index of a file on its disk; lasts from creation to the crash after its last name and handle
// went.
using FileNumber = StrongInt<struct FileNumberTag, uint32_t>;

class FileTree {
 public:
  FileTree();
  FileTree(const FileTree& other);
  FileTree& operator=(const FileTree&) = delete;
  ~FileTree();

  // 58P01 when absent and not `create`; 58P02 when present and `exclusive`.
  Result<FileNumber> open(const std::string& name, bool create, bool exclusive);
  Status rename(const std::string& from, const std::string& to);
  Status remove(const std::string& name);
  Status make_directory(const std::string& name);
  Result<std::vector<std::string>> list(const std::string& directory) const;
  Status sync_directory(const std::string& name);

  const FileContent& content(FileNumber file) const;
  FileContent& mutable_content(FileNumber file);
  const std::string& name_of(FileNumber file) const { return files_[file.v].name; }  // its latest
  // All files that have a name in the cache.
  std::vector<FileNumber> named_files() const;
  uint64_t used_bytes() const;

  // How many of a directory's `changes` unsynced changes survive: 0 to changes.
  using KeepChanges = FunctionRef<size_t(const std::string& directory, size_t changes)>;
  // What the sectors of this file's pending writes become.
  using CrashFile = FunctionRef<void(FileNumber file, FileContent& content)>;
  void crash(KeepChanges keep_changes, CrashFile crash_file);
  size_t unsynced_changes() const { return changes_.size(); }

 private:
  struct SharedContent {
    uint32_t references = 1;
    FileContent content;
  };
  struct File {
    SharedContent* shared = nullptr;  // null once gone
    std::string name;
  };
  struct Change {
    enum class Kind : uint8_t { link, unlink, rename, make_directory } kind;
    std::string directory;
    std::string name;
    std::string new_name;
    FileNumber file;
  };
  struct Names {
    std::map<std::string, FileNumber> files;
    std::map<std::string, bool> directories;
  };
  static void apply(const Change& change, Names& names);
  void note(Change change);
  void drop(File& file);
  static std::string directory_of(const std::string& name);

  std::vector<File> files_;
  Names cache_;
  Names platter_;
  std::vector<Change> changes_;
};

}  // namespace orrery
