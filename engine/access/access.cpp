#include "access/access.h"

namespace orrery {

Access::Access(Storage& storage, TransactionManager& transactions)
    : storage_(storage), transactions_(transactions) {
  transactions_.add_listener(*this);
}

Access::~Access() { transactions_.remove_listener(*this); }

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

Result<bool> Access::index_serves(Fiber& fiber, FileId index, Lsn visible) {
  const Xid builder = index_memory_of(index).broken_by;
  if (builder == kInvalidXid) return true;
  if (transactions_.running(builder) != nullptr) return false;
  const XidStatus end = TRY(transactions_.status_of(fiber, builder));
  if (end.kind != XidStatus::Kind::committed || end.commit_ts.v > visible.v) return false;
  if (end.commit_ts.v <= transactions_.horizon().v) index_memory_of(index).broken_by = kInvalidXid;
  return true;
}

void Access::left_dead(std::span<const InsertedRows> inserted) {
  for (const InsertedRows& rows : inserted) memory_of(rows.file).dead_estimate += rows.count;
}

void Access::ended(const TransactionEnd& end) {
  for (const FileId file : end.files) {
    memories_.erase(file);
    index_memories_.erase(file);
  }
}

}  // namespace orrery
