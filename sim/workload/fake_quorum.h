// The commit gate of the simulator. In a group of one, committed is durable and whole classes of
// mistakes cannot be seen. So this gate holds the committed position behind the durable one for a
// while, and at a restart sometimes cuts what was not committed, as a lost election would.
#pragma once

#include <vector>

#include "sim/world.h"
#include "wal/commit_gate.h"
#include "wal/log.h"

namespace orrery {

// What the rest of the quorum knows; it lasts over the machine's crashes.
struct QuorumMemory {
  Lsn committed;
  bool enforced = true;          // the log may not end before that; not so while a database is made
  Lsn doubtful_from = kNoDoubt;  // what was cut from here on may be gone, or not: the open that cut
                                 // it did not end
  static constexpr Lsn kNoDoubt{UINT64_MAX};
  std::vector<Lsn> boundaries;  // durable positions above committed that the log reported, growing
  Lsn last_durable;             // that the log reported
  Lsn proven;                   // below this, damage to the log can be told from a torn end
};

class FakeQuorum final : public CommitGate, private Completion {
 public:
  FakeQuorum(World& world, Machine& machine, Host& host, QuorumMemory& memory);
  ~FakeQuorum();

  void durable_advanced(Log& log, Lsn durable) override;
  Lsn keep_at_restart(Lsn low, Lsn end) override;
  // The log is open, and all that was kept counts as committed. What the log says first implies it.
  void note_open();
  // The workload has compared itself with the log: nothing is in doubt any more.
  void settle() { memory_.doubtful_from = QuorumMemory::kNoDoubt; }
  // Where this boot's log ended, before anything was added.
  Lsn kept_end() const { return kept_end_; }

 private:
  void complete() override;  // the hold is over
  void commit();

  World& world_;
  Machine& machine_;
  Host& host_;
  QuorumMemory& memory_;
  Log* log_ = nullptr;
  bool is_open_ = false;
  bool holding_ = false;
  Lsn kept_end_;
  Timer timer_;
};

}  // namespace orrery
