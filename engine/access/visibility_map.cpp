#include "access/visibility_map.h"

#include "access/heap_page.h"

namespace orrery {

Result<PageRef> pin_visibility_page(Fiber& fiber, Access& access, FileId table, BlockNo block) {
  return pin_map_page(fiber, access, with_fork(table, Fork::visibility), visibility_page_of(block),
                      PageKind::visibility, RecordKind::visibility_map);
}

void clear_all_visible(Change& change, PageRef& heap, PageRef& map, BlockNo cleared) {
  const BlockNo block = heap.block();
  CHECK(map && map.block() == visibility_page_of(block));
  const auto byte = load<uint8_t>(map.data() + visibility_byte_of(block));
  uint8_t bits = visibility_bit_of(block);
  if (cleared != kInvalidBlock && visibility_page_of(cleared) == visibility_page_of(block) &&
      visibility_byte_of(cleared) == visibility_byte_of(block)) {
    bits |= visibility_bit_of(cleared);
  }
  change.write_value(change.add(map), visibility_byte_of(block),
                     static_cast<uint8_t>(byte & ~bits));
  change.write_value(change.add(heap), kPageFlagsOffset,
                     static_cast<uint8_t>(heap.header().flags & ~kAllVisible));
}

Result<bool> test_all_visible(Fiber& fiber, Access& access, FileId table, BlockNo block) {
  const FileId map = with_fork(table, Fork::visibility);
  TRY(ensure_map_fork(fiber, access, map));
  if (access.memory_of(table).map(Fork::visibility).blocks <= visibility_page_of(block))
    return false;
  const PageRef page = TRY(pin_visibility_page(fiber, access, table, block));
  return is_all_visible(page, block);
}

}  // namespace orrery
