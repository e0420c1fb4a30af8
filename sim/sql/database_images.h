// Disks of machines on which a database has been made, shared by all runs of a process: making one
// takes long, copying one is a table of pointers. They are the same in every process, so what a
// seed does does not depend on which runs came before it.
#pragma once

#include <map>
#include <memory>

#include "sim/file_tree.h"

namespace orrery {

class DatabaseImages {
 public:
  // Of the log, which is fixed when a database is made.
  static constexpr uint64_t kSegmentBytes[] = {64 << 10, 256 << 10};

  // Makes them all, unless that is done.
  void prepare();
  // REQUIRES: prepare() was called; one of kSegmentBytes.
  const FileTree& get(uint64_t segment_bytes) const { return *images_.at(segment_bytes); }

 private:
  std::map<uint64_t, std::unique_ptr<FileTree>> images_;
};

}  // namespace orrery
