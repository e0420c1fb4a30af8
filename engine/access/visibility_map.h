// One bit for each block of a table: every row on it is visible to every snapshot, and stays so
// until the bit is cleared, in the same log record as the change that ends it. The page carries the
// same fact as a flag, so that a change that finds no flag need not look here. An index-only scan
// trusts the bit instead of visiting the page.
#pragma once

#include "access/access.h"
#include "access/free_space.h"

namespace orrery {

constexpr uint32_t kBlocksPerVisibilityPage = (kPageBytes - kPageHeaderBytes) * 8;

inline BlockNo visibility_page_of(BlockNo block) {
  return BlockNo(block.v / kBlocksPerVisibilityPage);
}
inline uint16_t visibility_byte_of(BlockNo block) {
  return static_cast<uint16_t>(kPageHeaderBytes + block.v % kBlocksPerVisibilityPage / 8);
}
inline uint8_t visibility_bit_of(BlockNo block) {
  return static_cast<uint8_t>(1U << (block.v % 8));
}

// The map's page for a block of `table`, made if absent.
Result<PageRef> pin_visibility_page(Fiber& fiber, Access& access, FileId table, BlockNo block);
inline bool is_all_visible(const PageRef& map, BlockNo block) {
  return (load<uint8_t>(map.data() + visibility_byte_of(block)) & visibility_bit_of(block)) != 0;
}
// Operations that clear the bit of `heap`'s block on `map` and the page's flag. `cleared`: the
// block whose bit this change clears already, if any; its bit may lie in the same byte.
void clear_all_visible(Change& change, PageRef& heap, PageRef& map,
                       BlockNo cleared = kInvalidBlock);
// The map says that the block is all-visible; false too where the map has no page yet. Suspends
// only to read the map.
Result<bool> test_all_visible(Fiber& fiber, Access& access, FileId table, BlockNo block);

}  // namespace orrery
