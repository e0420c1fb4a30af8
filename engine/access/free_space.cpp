#include "access/free_space.h"

#include <algorithm>

#include "base/plant.h"
#include "base/probe.h"

namespace orrery {

Status ensure_map_fork(Fiber& fiber, Access& access, FileId map) {
  MapState& state = access.memory_of(with_fork(map, Fork::main)).map(file_fork(map));
  if (state.exists) return {};
  TRY(state.making.lock(fiber));
  UnlockGuard guard(state.making);
  if (state.exists) return {};
  if (!TRY(access.storage().file_exists(fiber, map))) {
    TRY(access.storage().create_file_as(fiber, map, kInvalidXid));
  }
  state.blocks = TRY(access.storage().file_size(fiber, map));
  state.exists = true;
  return {};
}

Result<PageRef> pin_map_page(Fiber& fiber, Access& access, FileId map, BlockNo block, PageKind kind,
                             RecordKind record) {
  TRY(ensure_map_fork(fiber, access, map));
  Storage& storage = access.storage();
  MapState& state = access.memory_of(with_fork(map, Fork::main)).map(file_fork(map));
  if (state.blocks <= block) {
    TRY(state.making.lock(fiber));
    UnlockGuard guard(state.making);
    while (state.blocks <= block) {
      const PageRef page = TRY(storage.pool().extend(fiber, map));
      state.blocks = page.block().next();
    }
  }
  PageRef page = TRY(storage.pool().pin(fiber, map, block));
  while (page.kind() == PageKind::none) {
    Change change(record);
    change.init(change.add(page), kind, 0);
    TRY(storage.reserve(fiber, change));
    if (page.kind() == PageKind::none) storage.apply(change);
  }
  return page;
}

Status record_free_space(Fiber& fiber, Access& access, FileId table, BlockNo block,
                         uint32_t free_bytes) {
  const auto units = static_cast<uint8_t>(std::min(free_bytes / kFreeSpaceUnit, 254U));
  const uint32_t map_page = block.v / kBlocksPerMapPage;
  const auto offset = static_cast<uint16_t>(kPageHeaderBytes + block.v % kBlocksPerMapPage);
  PageRef page =
      TRY(pin_map_page(fiber, access, with_fork(table, Fork::free_space), BlockNo(map_page),
                       PageKind::free_space, RecordKind::free_space_map));
  if (load<uint8_t>(page.data() + offset) != units) {
    const auto byte = static_cast<std::byte>(units);
    page.set_hint(offset, Bytes(&byte, 1));
  }
  std::vector<uint8_t>& best = access.memory_of(table).map_page_best;
  if (best.size() <= map_page) best.resize(map_page + 1, 255);
  best[map_page] = std::max(best[map_page], units);
  return {};
}

Result<BlockNo> find_free_space(Fiber& fiber, Access& access, FileId table, uint32_t bytes,
                                uint32_t block_count) {
  const uint32_t wanted = (bytes + kFreeSpaceUnit - 1) / kFreeSpaceUnit;
  if (wanted > 254 || block_count == 0) return kInvalidBlock;
  TableMemory& memory = access.memory_of(table);
  const FileId map = with_fork(table, Fork::free_space);
  TRY(ensure_map_fork(fiber, access, map));
  const uint32_t pages = std::min(memory.map(Fork::free_space).blocks.v,
                                  (block_count + kBlocksPerMapPage - 1) / kBlocksPerMapPage);
  for (uint32_t i = 0; i < pages; ++i) {
    if (memory.map_page_best.size() <= i) memory.map_page_best.resize(i + 1, 255);
    if (memory.map_page_best[i] < wanted) continue;
    const PageRef page = TRY(pin_map_page(fiber, access, map, BlockNo(i), PageKind::free_space,
                                          RecordKind::free_space_map));
    const auto* units = reinterpret_cast<const uint8_t*>(page.data() + kPageHeaderBytes);
    uint32_t count = std::min(kBlocksPerMapPage, block_count - i * kBlocksPerMapPage);
    if (PLANTED(b15_fsm_hint_unlogged)) count = kBlocksPerMapPage;  // past the end of the table
    uint8_t best = 0;
    for (uint32_t b = 0; b < count; ++b) {
      if (units[b] >= wanted) return BlockNo(i * kBlocksPerMapPage + b);
      best = std::max(best, units[b]);
    }
    memory.map_page_best[i] = best;
  }
  return kInvalidBlock;
}

}  // namespace orrery
