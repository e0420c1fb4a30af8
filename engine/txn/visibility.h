// Who may see a row version: one resolution of its two transaction ids, one table of answers.
//
//   fate of an id     meaning
//   none              no id (xmax only: nobody deleted it)
//   aborted           its transaction (or the part of it that did this) rolled back, or died in a crash
//   in_progress       another transaction that has not become visible
//   own_before        the snapshot's transaction, in an earlier command
//   own_now           the snapshot's transaction, in this command or a later one
//   committed_seen    committed at or before the snapshot
//   committed_unseen  committed after it
//
//   MVCC: visible when the inserter is own_before or committed_seen, and the deleter is none of these two.
//   Dirty: in_progress and committed_unseen count as done too, and who is in progress is told.
//   Self: like MVCC with a snapshot of this very moment; own work counts whatever the command.
//   Any: always.
//
//               deleter:  none  aborted  in_progress  own_before  own_now  committed_seen  committed_unseen
//   inserter committed_seen, own_before
//                  mvcc    yes      yes          yes          no      yes              no               yes
//                  dirty   yes      yes        yes(w)         no       no              no                no
//                  self    yes      yes          yes          no       no              no                no
//   inserter in_progress:  dirty alone, yes(w); others no.     (w): the transaction is named in `waits_for`
//   inserter own_now, committed_unseen:  mvcc no; dirty and self as in the table above.
//   inserter aborted, none:  no.
//
// Resolution asks the hint bits, then the transaction table, then the cache of finished
// transactions. When none knows, the status page must be read, which suspends; the judge answers
// `unknown` and the caller does
//   TRY(manager.resolve(fiber, judge.unresolved()))  and looks at the page anew.
#pragma once

#include "base/ids.h"
#include "txn/snapshot.h"
#include "txn/tuple_header.h"

namespace orrery {

enum class XidFate : uint8_t {
  none,
  aborted,
  in_progress,
  own_before,
  own_now,
  committed_seen,
  committed_unseen,
  unknown
};
enum class SnapshotKind : uint8_t { mvcc, dirty, self, any };
enum class Verdict : uint8_t { invisible, visible, unknown };

// What stands in the way of changing a row version, as heap update, delete and lock need it.
enum class ChangeVerdict : uint8_t {
  ok,              // nobody else has deleted or is deleting it
  invisible,       // the version is not there for us at all
  self_modified,   // own transaction, in this command or later: nothing may be done to it again
  being_modified,  // another transaction in progress: waits_for()
  updated,         // a committed transaction made a new version
  deleted,         // a committed transaction deleted it
  unknown,
};

// What pruning may do with a row version, given that no snapshot is older than the horizon.
enum class VacuumVerdict : uint8_t {
  dead,
  recently_dead,
  live,
  insert_in_progress,
  delete_in_progress,
  unknown
};

class VisibilityJudge {
 public:
  VisibilityJudge(const TransactionManager& manager, const Snapshot& snapshot,
                  SnapshotKind kind = SnapshotKind::mvcc)
      : manager_(manager), snapshot_(snapshot), kind_(kind) {}

  // `base` is the base id of the page the tuple lies on.
  Verdict judge(TupleHeader tuple, Xid base);
  // REQUIRES: the snapshot names the own transaction.
  // `self` is where the version lies.
  ChangeVerdict judge_change(TupleHeader tuple, Xid base, Tid self);

  XidFate inserter_fate(TupleHeader tuple, Xid base);
  XidFate deleter_fate(TupleHeader tuple, Xid base);

  // After dirty's visible, or being_modified: who to wait for; kInvalidXid for nobody.
  Xid waits_for() const { return waits_for_; }
  // After unknown: the id whose status page must be read.
  Xid unresolved() const { return unresolved_; }
  // The commands that made and ended the version, by its header; valid for own work.
  static CommandId cmin(const Transaction& own, TupleHeader tuple);
  static CommandId cmax(const Transaction& own, TupleHeader tuple);

 private:
  XidFate fate_of(Xid xid, TupleHeader tuple, bool of_deleter);
  bool is_done(XidFate fate) const;

  const TransactionManager& manager_;
  const Snapshot snapshot_;
  const SnapshotKind kind_;
  Xid waits_for_{};
  Xid unresolved_{};
  Xid seen_[2] = {};  // memo: the last ids of others found committed_seen
};

// For pruning and vacuum: `unresolved` is set with unknown. `horizon` comes from
// TransactionManager::horizon().
VacuumVerdict judge_for_vacuum(const TransactionManager& manager, Lsn horizon, TupleHeader tuple,
                               Xid base, Xid* unresolved);

// The hint bits that may be set now: each names a transaction that ended and that no snapshot is
// older than. Returns the infomask with them; equal to the present one when there is nothing to
// add.
uint16_t infomask_with_hints(const TransactionManager& manager, TupleHeader tuple, Xid base);

}  // namespace orrery
