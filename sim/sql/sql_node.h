// A machine that runs the whole engine as the real server does: DatabaseNode with its sessions, and
// Server as its front door, on the simulated host. Beside them a vacuum, and at start and at rest
// the oracles for structure and leaks.
#pragma once

#include <memory>

#include "session/database_node.h"
#include "sim/run/run.h"
#include "sim/workload/fake_quorum.h"

namespace orrery {

// Lasts over crashes.
struct SqlMemory {
  DatabaseNodeOptions options;
  QuorumMemory quorum;
  Duration vacuum_pause_max = milliseconds(100);
  bool checks_at_start = false;  // structure, after each recovery
  bool peace = false;
  bool wants_rest = false;  // the clients are done: the node shall come to rest
  bool at_rest = false;     // it has, shut down cleanly
  Sabotage* sabotage = nullptr;
  uint64_t checkpoints = 0;
  uint64_t data_pages = 0;
  uint64_t vacuums = 0;
  uint64_t tables = 0, indexes = 0;  // the structure oracle's last count of what clients made
};

inline constexpr char kSqlServer[] = "node";
inline constexpr uint16_t kSqlPort = 5432;

std::unique_ptr<Node> make_sql_node(World& world, Machine& machine, Host& host,
                                    Scheduler& scheduler, SqlMemory& memory);

// The disk of a machine on which a database has been made and shut down, the same in every run.
std::unique_ptr<FileTree> make_database_image(uint64_t segment_bytes);

}  // namespace orrery
