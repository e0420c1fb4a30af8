// The questions that TransactionManager answers, snapshots, waiting, and replay.
#include <algorithm>

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "txn/transaction_end.h"
#include "txn/transaction_manager.h"

namespace orrery {

RegisteredSnapshot::RegisteredSnapshot(TransactionManager& manager, const Snapshot& snapshot)
    : manager_(manager), snapshot_(snapshot) {
  manager_.register_snapshot(snapshot_.visible);
}
RegisteredSnapshot::~RegisteredSnapshot() { manager_.unregister_snapshot(snapshot_.visible); }

void TransactionManager::register_snapshot(Lsn visible) {
  CHECK(visible >= horizon());  // older versions may be gone already
  auto at = snapshots_.end();
  while (at != snapshots_.begin() && std::prev(at)->visible >= visible) --at;
  if (at != snapshots_.end() && at->visible == visible) {
    ++at->count;
  } else {
    snapshots_.insert(at, {visible, 1});
  }
}

void TransactionManager::unregister_snapshot(Lsn visible) {
  const auto at =
      std::find_if(snapshots_.begin(), snapshots_.end(),
                   [&](const SnapshotCount& entry) { return entry.visible == visible; });
  CHECK(at != snapshots_.end());
  if (--at->count == 0) snapshots_.erase(at);
}

Snapshot TransactionManager::take_snapshot(const Transaction* own) const {
  return {
      .visible = visible_, .own = own, .command = own == nullptr ? CommandId{} : own->command()};
}

Lsn TransactionManager::horizon() const {
  if (snapshots_.empty()) return visible_;
  const Lsn oldest = snapshots_.front().visible;
  if (PLANTED(b20_horizon_underflow)) {  // the age in too few bits
    return Lsn(visible_.v - static_cast<uint16_t>(visible_.v - oldest.v));
  }
  return oldest;
}

Lsn TransactionManager::settled_horizon() const {
  return std::min(horizon(), storage_.log().committed() - 1);
}

Xid TransactionManager::oldest_running() const {
  return running_.empty() ? next_xid() : running_.begin()->first;
}

Result<Oid> TransactionManager::next_oid(Fiber& fiber) {
  constexpr uint64_t kUserOids = (uint64_t{1} << 32) - kFirstUserOid.v;
  const uint64_t number = TRY(oids_.next(fiber));
  if (number > UINT32_MAX) PROBE("txn: OIDs begin again from the first");
  return Oid(static_cast<uint32_t>(kFirstUserOid.v + (number - kFirstUserOid.v) % kUserOids));
}

const Transaction* TransactionManager::running(Xid xid) const {
  if (running_.empty() || xid < running_.begin()->first) return nullptr;
  const auto it = running_.find(xid);
  return it == running_.end() || it->second.aborted ? nullptr : it->second.transaction;
}

std::optional<XidStatus> TransactionManager::find_end(Xid xid) const {
  if (const auto it = running_.find(xid); it != running_.end() && it->second.aborted) {
    return XidStatus{XidStatus::Kind::aborted};
  }
  return status_.find(xid);
}

Status TransactionManager::resolve(Fiber& fiber, Xid xid) {
  if (running_.contains(xid)) return {};
  const XidStatus status = TRY(status_.load(fiber, xid));
  if (status.kind != XidStatus::Kind::in_progress || running_.contains(xid)) return {};
  return raise(sqlstate::data_corrupted, cat("could not access status of transaction ", xid))
      .detail("It is neither running nor has it ended.");
}

Result<XidStatus> TransactionManager::status_of(Fiber& fiber, Xid xid) {
  if (running(xid) != nullptr) return XidStatus{};
  if (const std::optional<XidStatus> known = find_end(xid); known.has_value()) return *known;
  return status_.load(fiber, xid);
}

bool TransactionManager::may_hint(CommitTs ts) const {
  return ts.v <= horizon().v && is_settled(Lsn(ts.v));
}

Status TransactionManager::wait_for(Fiber& fiber, LockOwner& waiter, Xid xid) {
  const auto it = running_.find(xid);
  if (it == running_.end() || it->second.aborted) return {};
  if (PLANTED(b30_lost_wakeup) && it->second.transaction->state() == TransactionState::committing) {
    WaitQueue nobody_notifies;  // those who wait were told already
    TRY(nobody_notifies.wait(fiber));
  }
  it->second.awaited = true;
  return locks_.wait_for_release(fiber, waiter, it->second.transaction->owner(),
                                 LockTag::transaction(xid));
}

void TransactionManager::begin_speculation(Transaction& transaction) {
  CHECK(transaction.current_xid() != kInvalidXid);
  Running& entry = running_[transaction.current_xid()];
  CHECK(!entry.speculating);
  entry.speculating = true;
}

void TransactionManager::end_speculation(Transaction& transaction) {
  Running& entry = running_[transaction.current_xid()];
  CHECK(entry.speculating);
  entry.speculating = false;
  if (std::exchange(entry.speculation_awaited, false)) {
    locks_.end_of(transaction.owner(), LockTag::speculation(transaction.current_xid()));
  }
}

bool TransactionManager::is_speculating(Xid xid) const {
  const auto it = running_.find(xid);
  return it != running_.end() && it->second.speculating;
}

Status TransactionManager::wait_for_speculation(Fiber& fiber, LockOwner& waiter, Xid xid) {
  const auto it = running_.find(xid);
  if (it == running_.end() || !it->second.speculating) return {};
  PROBE("txn: somebody waits for a speculative insertion");
  it->second.speculation_awaited = true;
  return locks_.wait_for_release(fiber, waiter, it->second.transaction->owner(),
                                 LockTag::speculation(xid));
}

Status TransactionManager::redo(Fiber&, const Record& record, Bytes info) {
  if (record.kind != RecordKind::transaction_commit && record.kind != RecordKind::transaction_abort)
    return {};
  DecodedEnd decoded;
  TRY(decode_end(info, &decoded));
  decoded.end.xid = record.xid;
  if (record.kind == RecordKind::transaction_commit) {
    decoded.end.committed = true;
    decoded.end.commit_ts = CommitTs(record.lsn.v);
    last_commit_at_ = std::max(last_commit_at_, decoded.end.at);
  }
  if (!decoded.whole) return {};
  storage_.end_files(record.xid, decoded.end.committed, decoded.files, record.lsn);
  for (CommitListener* listener : listeners_) listener->ended(decoded.end);
  return {};
}

void TransactionManager::save_state(Lsn, std::string& out) {
  ByteWriter(out).write(last_commit_at_.v);
}

Status TransactionManager::load_state(Bytes state) {
  if (state.empty()) return {};
  ByteReader reader(state);
  last_commit_at_ = WallTime(reader.read<int64_t>());
  if (!reader.ok())
    return raise(sqlstate::data_corrupted, "invalid transaction state in the checkpoint");
  return {};
}

bool TransactionManager::survives_term(Xid) { return false; }

void TransactionManager::check() const {
  Lsn last{};
  for (Transaction* t = committing_.front(); t != nullptr; t = committing_.next_of(*t)) {
    CHECK(t->state() == TransactionState::committing);
    CHECK(t->commit_ts().v > last.v && t->commit_ts().v > visible_.v);
    last = Lsn(t->commit_ts().v);
  }
  for (const auto& [xid, entry] : running_) {
    CHECK(xid >= kFirstNormalXid && xid < next_xid());
    CHECK_IF(!entry.aborted, entry.transaction != nullptr);
    if (entry.transaction != nullptr && !entry.aborted) entry.transaction->check();
  }
  for (size_t i = 1; i < snapshots_.size(); ++i)
    CHECK(snapshots_[i - 1].visible < snapshots_[i].visible);
  CHECK_IF(!snapshots_.empty(), snapshots_.back().visible <= visible_);
}

}  // namespace orrery
