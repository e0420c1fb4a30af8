#include "access/access.h"

namespace orrery {

TableMemory& Access::memory_of(FileId file) {
  if (std::unique_ptr<TableMemory>* known = memories_.find(file); known != nullptr) return **known;
  std::unique_ptr<TableMemory>& made = memories_[file];
  made = std::make_unique<TableMemory>();
  return *made;
}

void Access::forget(FileId file) {
  memories_.erase(file);
  unlinked_.erase(file);
}

}  // namespace orrery
