// Workload `pages`: fibers make random changes to random pages through storage alone: no
// transactions but what a file's making and dropping needs, no access methods.
//
// Oracle: a page model outside the disk (page_model.h). After each restart the log ends at some E;
// the changes below E must all be there and no others, byte for byte, and every acknowledged one
// lies below.
#pragma once

#include <memory>
#include <set>

#include "sim/workload/fake_quorum.h"
#include "sim/workload/judge.h"
#include "sim/workload/page_model.h"

namespace orrery {

// Lasts over crashes.
struct PagesMemory {
  StorageOptions options;
  QuorumMemory quorum;
  uint32_t workers = 4;
  size_t wanted_pages = 64;

  PageModel base;                  // as of the last restart
  std::vector<PageEvent> events;   // since then, in LSN order
  std::vector<PageEvent> cutting;  // truncations whose record's place is not known: either or
  PageModel live;                  // base and events, and what nobody has yet heard of
  uint64_t next_xid = 100;

  bool made = false;  // the database, and its first file
  bool peace = false;
  bool at_rest = false;   // shut down cleanly after peace
  bool finished = false;  // and opened once more and compared
  uint64_t changes = 0;
  uint64_t acknowledged = 0;
  uint64_t after_peace = 0;
  uint64_t checkpoints = 0;
  uint64_t compared_pages = 0;
  uint64_t errors = 0;  // with a cause

  size_t live_pages() const;
};

constexpr uint64_t kEnoughChanges = 200;
constexpr uint64_t kPeaceChanges = 20;

std::unique_ptr<Node> make_pages_node(World& world, Machine& machine, Host& host,
                                      Scheduler& scheduler, PagesMemory& memory);

}  // namespace orrery
