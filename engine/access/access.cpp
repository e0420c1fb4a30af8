#include "access/access.h"

namespace orrery {

TableMemory& Access::memory_of(FileId file) {
  if (std::unique_ptr<TableMemory>* known = memories_.find(file); known != nullptr) return **known;
  std::unique_ptr<TableMemory>& made = memories_[file];
  made = std::make_unique<TableMemory>();
  return *made;
}

IndexMemory& Access::index_memory_of(FileId file) {
  if (std::unique_ptr<IndexMemory>* known = index_memories_.find(file); known != nullptr)
    return **known;
  std::unique_ptr<IndexMemory>& made = index_memories_[file];
  made = std::make_unique<IndexMemory>();
  return *made;
}

void Access::forget(FileId file) {
  memories_.erase(file);
  index_memories_.erase(file);
}

}  // namespace orrery
