#include "txn/visibility.h"

#include "txn/transaction_manager.h"

namespace orrery {

CommandId VisibilityJudge::cmin(const Transaction& own, TupleHeader tuple) {
  return tuple.has(kComboCommand) ? own.combo_cmin(tuple.command()) : CommandId(tuple.command());
}

CommandId VisibilityJudge::cmax(const Transaction& own, TupleHeader tuple) {
  return tuple.has(kComboCommand) ? own.combo_cmax(tuple.command()) : CommandId(tuple.command());
}

XidFate VisibilityJudge::fate_of(Xid xid, TupleHeader tuple, bool of_deleter) {
  if (xid == seen_[of_deleter]) return XidFate::committed_seen;
  if (const Transaction* running = manager_.running(xid); running != nullptr) {
    if (running != snapshot_.own) return XidFate::in_progress;
    const CommandId command = of_deleter ? cmax(*running, tuple) : cmin(*running, tuple);
    return command < snapshot_.command ? XidFate::own_before : XidFate::own_now;
  }
  const std::optional<XidStatus> end = manager_.find_end(xid);
  if (!end.has_value()) {
    unresolved_ = xid;
    return XidFate::unknown;
  }
  if (end->kind == XidStatus::Kind::aborted) return XidFate::aborted;
  if (!snapshot_.sees(end->commit_ts)) return XidFate::committed_unseen;
  seen_[of_deleter] = xid;
  return XidFate::committed_seen;
}

XidFate VisibilityJudge::inserter_fate(TupleHeader tuple, Xid base) {
  const Xid xid = tuple.xmin(base);
  if (xid == kBootstrapXid || tuple.has(kXminCommitted)) return XidFate::committed_seen;
  if (xid == kInvalidXid) return XidFate::none;
  if (tuple.has(kXminAborted)) return XidFate::aborted;
  return fate_of(xid, tuple, false);
}

XidFate VisibilityJudge::deleter_fate(TupleHeader tuple, Xid base) {
  const Xid xid = tuple.xmax(base);
  if (xid == kInvalidXid) return XidFate::none;
  if (tuple.has(kXmaxAborted)) return XidFate::aborted;
  if (tuple.has(kXmaxCommitted)) return XidFate::committed_seen;
  return fate_of(xid, tuple, true);
}

bool VisibilityJudge::is_done(XidFate fate) const {
  switch (fate) {
    case XidFate::own_before:
    case XidFate::committed_seen:   return true;
    case XidFate::own_now:
    case XidFate::committed_unseen: return kind_ != SnapshotKind::mvcc;
    case XidFate::none:
    case XidFate::aborted:
    case XidFate::in_progress:
    case XidFate::unknown:          return false;
  }
  UNREACHABLE();
}

Verdict VisibilityJudge::judge(TupleHeader tuple, Xid base) {
  waits_for_ = kInvalidXid;
  if (kind_ == SnapshotKind::any) return Verdict::visible;
  const XidFate inserter = inserter_fate(tuple, base);
  if (inserter == XidFate::unknown) return Verdict::unknown;
  if (inserter == XidFate::in_progress && kind_ == SnapshotKind::dirty) {
    waits_for_ = tuple.xmin(base);
    return Verdict::visible;
  }
  if (!is_done(inserter)) return Verdict::invisible;
  const XidFate deleter = deleter_fate(tuple, base);
  if (deleter == XidFate::unknown) return Verdict::unknown;
  if (deleter == XidFate::in_progress && kind_ == SnapshotKind::dirty)
    waits_for_ = tuple.xmax(base);
  return is_done(deleter) ? Verdict::invisible : Verdict::visible;
}

ChangeVerdict VisibilityJudge::judge_change(TupleHeader tuple, Xid base, Tid self) {
  waits_for_ = kInvalidXid;
  switch (inserter_fate(tuple, base)) {
    case XidFate::unknown:          return ChangeVerdict::unknown;
    case XidFate::none:
    case XidFate::aborted:
    case XidFate::in_progress:
    case XidFate::own_now:          return ChangeVerdict::invisible;
    case XidFate::own_before:
    case XidFate::committed_seen:
    case XidFate::committed_unseen: break;
  }
  switch (deleter_fate(tuple, base)) {
    case XidFate::unknown:     return ChangeVerdict::unknown;
    case XidFate::none:
    case XidFate::aborted:     return ChangeVerdict::ok;
    case XidFate::in_progress: waits_for_ = tuple.xmax(base); return ChangeVerdict::being_modified;
    case XidFate::own_before:  return ChangeVerdict::invisible;
    case XidFate::own_now:     return ChangeVerdict::self_modified;
    case XidFate::committed_seen:
    case XidFate::committed_unseen:
      return tuple.ctid() == self ? ChangeVerdict::deleted : ChangeVerdict::updated;
  }
  UNREACHABLE();
}

namespace {

enum class End : uint8_t { running, aborted, committed, unknown };

struct Ended {
  End end;
  CommitTs ts{};
};

Ended end_of(const TransactionManager& manager, Xid xid) {
  if (manager.running(xid) != nullptr) return {End::running};
  const std::optional<XidStatus> status = manager.find_end(xid);
  if (!status.has_value()) return {End::unknown};
  if (status->kind == XidStatus::Kind::aborted) return {End::aborted};
  return {End::committed, status->commit_ts};
}

}  // namespace

VacuumVerdict judge_for_vacuum(const TransactionManager& manager, Lsn horizon, TupleHeader tuple,
                               Xid base, Xid* unresolved) {
  const Xid xmin = tuple.xmin(base);
  if (xmin == kInvalidXid || (tuple.has(kXminAborted) && xmin != kBootstrapXid))
    return VacuumVerdict::dead;
  if (xmin != kBootstrapXid && !tuple.has(kXminCommitted)) {
    switch (end_of(manager, xmin).end) {
      case End::running:   return VacuumVerdict::insert_in_progress;
      case End::aborted:   return VacuumVerdict::dead;
      case End::unknown:   *unresolved = xmin; return VacuumVerdict::unknown;
      case End::committed: break;
    }
  }
  const Xid xmax = tuple.xmax(base);
  if (xmax == kInvalidXid || tuple.has(kXmaxAborted)) return VacuumVerdict::live;
  if (tuple.has(kXmaxCommitted)) return VacuumVerdict::dead;
  const Ended deleter = end_of(manager, xmax);
  switch (deleter.end) {
    case End::running:   return VacuumVerdict::delete_in_progress;
    case End::aborted:   return VacuumVerdict::live;
    case End::unknown:   *unresolved = xmax; return VacuumVerdict::unknown;
    case End::committed: break;
  }
  return deleter.ts.v <= horizon.v ? VacuumVerdict::dead : VacuumVerdict::recently_dead;
}

uint16_t infomask_with_hints(const TransactionManager& manager, TupleHeader tuple, Xid base) {
  uint16_t mask = tuple.infomask();
  const Xid xmin = tuple.xmin(base);
  if ((mask & (kXminCommitted | kXminAborted)) == 0 && xmin > kBootstrapXid) {
    const Ended ended = end_of(manager, xmin);
    if (ended.end == End::aborted) mask |= kXminAborted;
    if (ended.end == End::committed && manager.may_hint(ended.ts)) mask |= kXminCommitted;
  }
  const Xid xmax = tuple.xmax(base);
  if ((mask & (kXmaxCommitted | kXmaxAborted)) == 0 && xmax != kInvalidXid) {
    const Ended ended = end_of(manager, xmax);
    if (ended.end == End::aborted) mask |= kXmaxAborted;
    if (ended.end == End::committed && manager.may_hint(ended.ts)) mask |= kXmaxCommitted;
  }
  return mask;
}

}  // namespace orrery
