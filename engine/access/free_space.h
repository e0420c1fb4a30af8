// Where there is room: a byte for each block of a table, in units of 32 bytes rounded down, in
// pages of the table's free-space fork. Hints throughout: written without log, corrected by whoever
// finds them wrong; a follower starts with none. Which of its pages is worth reading is remembered
// in memory (TableMemory::map_page_best).
#pragma once

#include "access/access.h"
#include "access/relation.h"

namespace orrery {

constexpr uint32_t kFreeSpaceUnit = 32;
constexpr uint32_t kBlocksPerMapPage = kPageBytes - kPageHeaderBytes;

// Writes down that `block` has `free_bytes` of room.
Status record_free_space(Fiber& fiber, Access& access, FileId table, BlockNo block,
                         uint32_t free_bytes);
// A block below `block_count` that should have `bytes` of room; kInvalidBlock when none is known.
Result<BlockNo> find_free_space(Fiber& fiber, Access& access, FileId table, uint32_t bytes,
                                uint32_t block_count);
// Makes a map fork if the table has none. It belongs to no transaction: it stays with the table.
Status ensure_map_fork(Fiber& fiber, Access& access, FileId map);
// The page of a map fork, extended and initialised as needed.
Result<PageRef> pin_map_page(Fiber& fiber, Access& access, FileId map, BlockNo block, PageKind kind,
                             RecordKind record);

}  // namespace orrery
