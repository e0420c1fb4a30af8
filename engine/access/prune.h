// Pruning: the versions on one page that no snapshot can see any more are removed, HOT chains are
// cut short, and the page is compacted; index entries stay and are dealt with by vacuum, for which
// whole dead chains leave a dead slot.
//
//   chain before              chain after
//   root dead, next live      root redirects to the first that is not dead; those between become unused
//   all dead                  root slot dead; the others unused
//   heap-only, no root        (an aborted HOT update) unused
//
// One log record, of line pointer writes and moves. It needs the page's only pin.
#pragma once

#include "access/access.h"
#include "access/heap_page.h"
#include "access/relation.h"

namespace orrery {

struct PruneResult {
  uint32_t removed = 0;  // versions
  bool blocked = false;  // somebody else pins the page, or `unresolved` must be read first
  Xid unresolved{};
};

// Pins a page for a reader of heap rows, and prunes it if its hint promises something and there is
// less room than `room_wanted`. Nothing that hinders pruning hinders the reader: a log without room
// for it, a status page that cannot be read.
Result<PageRef> pin_and_prune(Fiber& fiber, Access& access, FileId file, BlockNo block,
                              uint32_t room_wanted, Ring* ring = nullptr);
// Prunes whatever there is.
Result<PruneResult> prune_page(Fiber& fiber, Access& access, PageRef& page);

// The operations that give the page these line pointers and pack its tuples: for pruning, vacuum,
// and index pages. `slots`: by number from 1 at [0]; normal ones still with their old offsets.
// Returns the new `upper`.
uint16_t compact_page(Change& change, int index, const std::byte* page, std::span<Slot> slots);

}  // namespace orrery
