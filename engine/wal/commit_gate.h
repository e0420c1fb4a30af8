// Durable, then committed, then visible. The log knows what is durable here; the gate decides what
// is committed: everything durable for a group of one, a majority for Raft, whatever it likes in
// the simulator. What is durable but not committed may be taken back when the node restarts, so
// nothing of it may have had an effect outside memory and log.
#pragma once

#include "base/ids.h"

namespace orrery {

class Log;

class CommitGate {
 public:
  virtual ~CommitGate() = default;
  // All records below `durable` are on this node's disk. The gate answers by log.set_committed(),
  // now or later.
  virtual void durable_advanced(Log& log, Lsn durable) = 0;
  // On open: entries [low, end) are on disk; below `low` is known committed (pages on disk may
  // depend on it). Returns where the log shall end, an entry boundary in [low, end] and not below
  // what this gate ever committed: what lies behind it is erased.
  virtual Lsn keep_at_restart(Lsn low, Lsn end) = 0;
};

// Committed is durable.
class GroupOfOne final : public CommitGate {
 public:
  void durable_advanced(Log& log, Lsn durable) override;
  Lsn keep_at_restart(Lsn, Lsn end) override { return end; }
};

// Told, in LSN order and without suspension, that all records below `committed` are; before any
// waiter is woken. Here transactions become visible.
class CommitObserver {
 public:
  virtual void committed_advanced(Lsn committed) = 0;

 protected:
  ~CommitObserver() = default;
};

}  // namespace orrery
