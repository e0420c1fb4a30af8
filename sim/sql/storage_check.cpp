#include "sim/sql/storage_check.h"

#include <algorithm>
#include <set>

#include "access/free_space.h"
#include "access/heap_page.h"
#include "access/vacuum.h"
#include "access/visibility_map.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "catalog/columns.h"
#include "catalog/heap_store.h"

namespace orrery {
namespace {

constexpr Oid kPgClass{1259};
constexpr int32_t kCheckProcess = -2;

Result<std::vector<BlockNo>> blocks_to_vacuum(Fiber& fiber, Access& access, FileId table) {
  std::vector<BlockNo> blocks;
  const BlockNo size = TRY(access.storage().file_size(fiber, table));
  for (BlockNo block; block < size; ++block.v) {
    const bool is_passed_over = TRY(test_all_visible(fiber, access, table, block));
    if (!is_passed_over) blocks.push_back(block);
  }
  return blocks;
}

Result<std::string> check_table(Fiber& fiber, NodeParts& node, const RelationInfo& relation) {
  Access& access = node.access;
  const FileId table = relation.storage.file;
  const std::vector<BlockNo> blocks = TRY(blocks_to_vacuum(fiber, access, table));
  std::vector<const IndexInfo*> indexes;
  for (const CatalogIndex& index : relation.indexes) indexes.push_back(&index.storage);
  TRY(vacuum_table(fiber, access, relation.storage, indexes, {}));
  for (const BlockNo block : blocks) {
    const PageRef page = TRY(access.storage().pool().pin(fiber, table, block));
    if (page.kind() != PageKind::heap) continue;
    const PageRef map = TRY(pin_map_page(fiber, access, with_fork(table, Fork::free_space),
                                         BlockNo(block.v / kBlocksPerMapPage), PageKind::free_space,
                                         RecordKind::free_space_map));
    const uint32_t room = SlottedPage(page.data()).room();
    const auto said = load<uint8_t>(map.data() + kPageHeaderBytes + block.v % kBlocksPerMapPage);
    if (said == std::min(room / kFreeSpaceUnit, 254U)) continue;
    return cat("after vacuum the free-space map gives block ", block, " of ", relation.name, " ",
               said * kFreeSpaceUnit, " bytes of room; it has ", room);
  }
  return std::string();
}

}  // namespace

Result<std::string> check_files(Fiber& fiber, NodeParts& node, Oid database, const FileTree& disk) {
  HeapStore store(node.catalog.database(database), node.access, nullptr);
  std::set<uint64_t> named;
  TRY(store.scan(fiber, kPgClass, Oid(), {}, [&](const CatalogRow& row, Tid) -> Status {
    named.insert(row.get<Oid>(pg_class::relfilenode).v);
    return {};
  }));
  const std::vector<std::string> names = TRY(disk.list("data"));
  for (const std::string& name : names) {
    const uint64_t number = file_number(file_id_of_name(name));
    if (number < kFirstFileNumber || number >= kFirstComputedNumber) continue;
    if (!named.contains(number)) return cat("file data/", name, " belongs to no relation");
  }
  return std::string();
}

Result<std::string> check_free_space(Fiber& fiber, NodeParts& node, Oid database) {
  HeapStore store(node.catalog.database(database), node.access, nullptr);
  CatalogReader reader(node.catalog.builtin(), store);
  std::vector<Oid> tables;
  TRY(store.scan(fiber, kPgClass, Oid(), {}, [&](const CatalogRow& row, Tid) -> Status {
    const auto oid = row.get<Oid>(pg_class::oid);
    const auto kind = row.get<char>(pg_class::relkind);
    if (oid >= kFirstUserOid && (kind == 'r' || kind == 't')) tables.push_back(oid);
    return {};
  }));
  std::ranges::sort(tables);
  for (const Oid table : tables) {
    LockOwner owner(node.transactions.locks(), kCheckProcess);
    const LockResult locked = node.transactions.locks().try_acquire(
        owner, LockTag::relation(database, table), LockMode::share_update_exclusive);
    if (locked == LockResult::not_available) continue;
    const RelationInfo* relation = TRY(reader.relation(fiber, table));
    if (relation == nullptr) continue;
    std::string wrong = TRY(check_table(fiber, node, *relation));
    if (!wrong.empty()) return wrong;
  }
  return std::string();
}

}  // namespace orrery
