#include "txn/transaction_manager.h"

#include <algorithm>

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "txn/transaction_end.h"

namespace orrery {

namespace {

constexpr Xid kXidCeilingPlace{0};
constexpr Xid kOidCeilingPlace{2};

// A cancel waits until this is over.
class HoldCancel {
 public:
  explicit HoldCancel(Fiber& fiber) : fiber_(fiber) { fiber_.hold_cancel(); }
  HoldCancel(const HoldCancel&) = delete;
  ~HoldCancel() { fiber_.release_cancel(); }

 private:
  Fiber& fiber_;
};

// The status pages of some xids, pinned, each once.
struct StatusPages {
  PinClaim claim;
  std::vector<PageRef> pages;

  PageRef* find(Xid xid) {
    for (PageRef& page : pages) {
      if (page.block() == StatusLog::block_of(xid)) return &page;
    }
    return nullptr;
  }
};

}  // namespace

TransactionManager::TransactionManager(Host& host, Storage& storage, LockTable& locks,
                                       TransactionManagerOptions options)
    : host_(host),
      storage_(storage),
      locks_(locks),
      status_(storage, options.status_file, options.status_cache_entries),
      xids_(storage, status_, kXidCeilingPlace, RecordKind::xid_ceiling, options.first_xid.v,
            options.xid_step),
      oids_(storage, status_, kOidCeilingPlace, RecordKind::oid_ceiling, options.first_oid,
            options.oid_step) {}

TransactionManager::~TransactionManager() {
  CHECK(snapshots_.empty());
  CHECK(committing_.empty());
}

Status TransactionManager::create(Fiber& fiber) {
  TRY(storage_.create_file_as(fiber, status_.file(), kInvalidXid));
  TRY(status_.prepare(fiber, kBootstrapXid));
  return start(fiber);
}

Status TransactionManager::start(Fiber& fiber) {
  TRY(xids_.start(fiber));
  TRY(oids_.start(fiber));
  status_.set_first_of_this_start(next_xid());
  visible_ = storage_.log().committed();
  storage_.log().observe_committed(this);
  return {};
}

std::unique_ptr<Transaction> TransactionManager::begin(LockOwner& owner,
                                                       const TransactionOptions& options) {
  // tidy: allow(word) the pieces of an object made by hand
  return std::unique_ptr<Transaction>(new Transaction(owner, options));
}

Result<Xid> TransactionManager::assign_xid(Fiber& fiber, Transaction& transaction) {
  CHECK(transaction.state_ == TransactionState::active);
  for (Transaction::Level& level : transaction.levels_) {
    if (level.xid != kInvalidXid) continue;
    const Xid xid(TRY(xids_.next(fiber)));
    level.xid = xid;
    running_[xid] = Running{.transaction = &transaction};
    TRY(status_.prepare(fiber, xid));
  }
  return transaction.current_xid();
}

namespace {

Result<StatusPages> pin_status_pages(Fiber& fiber, Storage& storage, StatusLog& status,
                                     std::span<const Xid> xids) {
  StatusPages out;
  std::vector<Xid> firsts;
  for (const Xid xid : xids) {
    const auto same_page = [&](Xid x) {
      return StatusLog::block_of(x) == StatusLog::block_of(xid);
    };
    if (std::none_of(firsts.begin(), firsts.end(), same_page)) firsts.push_back(xid);
  }
  CHECK(firsts.size() <= static_cast<size_t>(kStatusPagesPerCommit));
  if (firsts.size() > 1)
    out.claim = TRY(storage.pool().claim(fiber, static_cast<uint32_t>(firsts.size())));
  for (const Xid xid : firsts) {
    TRY(status.prepare(fiber, xid));
    out.pages.push_back(TRY(status.pin_page(fiber, xid)));
  }
  return out;
}

// Splits sorted xids into pieces that each lie on at most kStatusPagesPerCommit status pages.
std::vector<std::span<const Xid>> split_by_pages(std::span<const Xid> xids) {
  std::vector<std::span<const Xid>> out;
  size_t begin = 0;
  int pages = 0;
  BlockNo last = kInvalidBlock;
  for (size_t i = 0; i < xids.size(); ++i) {
    if (StatusLog::block_of(xids[i]) == last) continue;
    if (pages == kStatusPagesPerCommit) {
      out.push_back(xids.subspan(begin, i - begin));
      begin = i;
      pages = 0;
    }
    last = StatusLog::block_of(xids[i]);
    ++pages;
  }
  if (begin < xids.size()) out.push_back(xids.subspan(begin));
  return out;
}

}  // namespace

Status TransactionManager::point_to_parent(Fiber& fiber, Xid parent,
                                           std::span<const Xid> children) {
  for (const std::span<const Xid> piece : split_by_pages(children)) {
    StatusPages pages = TRY(pin_status_pages(fiber, storage_, status_, piece));
    Change change(RecordKind::status_page, parent);
    for (const Xid child : piece) {
      change.write_value(change.add(*pages.find(child)), StatusLog::offset_of(child),
                         parent.v | kStatusParentBit);
    }
    TRY(storage_.reserve(fiber, change, ReserveKind::finishing));
    storage_.apply(change);
  }
  return {};
}

Status TransactionManager::log_commit(Fiber& fiber, Transaction& transaction) {
  Transaction::Level& top = transaction.levels_.front();
  std::vector<Xid> direct{top.xid};
  direct.insert(direct.end(), top.children.begin(), top.children.end());
  std::sort(direct.begin(), direct.end());  // the top's is the lowest: parents come first
  if (const auto pieces = split_by_pages(direct); pieces.size() > 1) {
    PROBE("txn: a commit with subtransactions on many status pages");
    TRY(point_to_parent(fiber, top.xid, std::span(direct).subspan(pieces[0].size())));
    direct.resize(pieces[0].size());
  }
  StatusPages pages = TRY(pin_status_pages(fiber, storage_, status_, direct));
  last_commit_at_ = std::max(last_commit_at_, host_.clock().wall_now());
  const TransactionEnd end{.xid = top.xid,
                           .committed = true,
                           .at = last_commit_at_,
                           .children = top.children,
                           .files = top.dropped,
                           .invalidations = as_bytes(top.invalidations)};
  const std::string info = encode_end(end, true);
  Change change(RecordKind::transaction_commit, top.xid);
  for (const Xid xid : direct)
    change.write_own_lsn(change.add(*pages.find(xid)), StatusLog::offset_of(xid));
  change.info(as_bytes(info));
  TRY(storage_.reserve(fiber, change, ReserveKind::finishing));
  transaction.commit_ts_ = CommitTs(storage_.apply(change).v);
  transaction.commit_at_ = last_commit_at_;
  transaction.enter(TransactionState::committing);
  committing_.push_back(transaction);
  // Snapshots count it as ended while the table still has it.
  if (PLANTED(b16_xid_before_procarray)) visible_ = Lsn(transaction.commit_ts_.v);
  return {};
}

Status TransactionManager::commit(Fiber& fiber, Transaction& transaction, bool synchronous) {
  CHECK(transaction.state_ == TransactionState::active);
  if (transaction.depth() > 1) release_level(transaction, 2);
  Transaction::Level& top = transaction.levels_.front();
  if (top.xid == kInvalidXid) {
    CHECK(top.created.empty() && top.dropped.empty() && top.invalidations.empty());
    transaction.enter(TransactionState::committed);
    locks_.release_all(transaction.owner_, LockScope::transaction);
    return {};
  }
  HoldCancel hold(fiber);
  if (Status logged = log_commit(fiber, transaction); !logged.ok()) {
    TRY(abort(fiber, transaction));
    return logged;
  }
  const Lsn lsn(transaction.commit_ts_.v);
  if (!synchronous || PLANTED(b01_ack_before_flush)) {
    PROBE("txn: an asynchronous commit");
    make_visible_below(lsn + 1);
    return {};
  }
  Status waited = storage_.log().wait_committed(fiber, lsn);
  if (!waited.ok()) {
    // The machine is dead, or this node lost its place: nobody will see this transaction here any
    // more.
    if (transaction.state_ == TransactionState::committing) {
      committing_.remove(transaction);
      forget_on_halt(transaction);
    }
    return waited;
  }
  make_visible_below(lsn + 1);
  return log_late_aborts(fiber);
}

// A commit found room in the log, so these may too. One at a time is off the list while its record
// is made, so that two fibers do not write the same.
Status TransactionManager::log_late_aborts(Fiber& fiber) {
  for (size_t left = late_aborts_.size(); left > 0 && !late_aborts_.empty(); --left) {
    LateAbort late = std::move(late_aborts_.front());
    late_aborts_.pop_front();
    const Result<Lsn> logged = log_aborted(fiber, late.top, late.xids, late.whole);
    if (!logged.ok()) {
      late_aborts_.push_back(std::move(late));
      return logged.status().is_halted() ? logged.status().clone() : Status();
    }
    PROBE("txn: an abort was logged late");
    for (const Xid xid : late.xids) {
      running_.erase(xid);
      status_.remember(xid, {XidStatus::Kind::aborted});
    }
    if (late.changed_files) note_file_end({late.top, false, logged.value(), {}});
  }
  return {};
}

void TransactionManager::committed_advanced(Lsn committed) {
  make_visible_below(committed);
  end_files_below(committed);
}

void TransactionManager::make_visible_below(Lsn end) {
  while (!committing_.empty() && committing_.front()->commit_ts_.v < end.v) {
    Transaction& transaction = *committing_.pop_front();
    finish_commit(transaction);
  }
}

void TransactionManager::leave_table(Transaction& transaction, Xid xid, XidStatus status) {
  const auto it = running_.find(xid);
  CHECK(it != running_.end());
  const Running entry = it->second;
  running_.erase(it);
  status_.remember(xid, status);
  if (entry.awaited) locks_.end_of(transaction.owner_, LockTag::transaction(xid));
  if (entry.speculation_awaited) locks_.end_of(transaction.owner_, LockTag::speculation(xid));
}

// Step 4 for one transaction: no suspension in here.
void TransactionManager::finish_commit(Transaction& transaction) {
  Transaction::Level& top = transaction.levels_.front();
  const XidStatus status{XidStatus::Kind::committed, transaction.commit_ts_};
  CHECK(visible_.v < transaction.commit_ts_.v || PLANTED(b16_xid_before_procarray));
  visible_ = std::max(visible_, Lsn(transaction.commit_ts_.v));
  leave_table(transaction, top.xid, status);
  for (const Xid child : top.children) leave_table(transaction, child, status);
  const TransactionEnd end{.xid = top.xid,
                           .committed = true,
                           .commit_ts = transaction.commit_ts_,
                           .at = transaction.commit_at_,
                           .children = top.children,
                           .files = top.dropped,
                           .invalidations = as_bytes(top.invalidations)};
  for (CommitListener* listener : listeners_) listener->ended(end);
  if (!top.created.empty() || !top.dropped.empty()) {
    note_file_end({top.xid, true, Lsn(transaction.commit_ts_.v), top.dropped});
  }
  transaction.enter(TransactionState::committed);
  locks_.release_all(transaction.owner_, LockScope::transaction);
}

// An abort is told when it is logged, a commit when it is visible: not in LSN order.
void TransactionManager::note_file_end(FileEnd end) {
  const auto behind = std::ranges::upper_bound(file_ends_, end.lsn, {}, &FileEnd::lsn);
  if (behind != file_ends_.end()) PROBE("txn: an end of files was told behind a later one");
  file_ends_.insert(behind, std::move(end));
  end_files_below(storage_.log().committed());
}

void TransactionManager::end_files_below(Lsn committed) {
  while (!file_ends_.empty() && file_ends_.front().lsn < committed) {
    const FileEnd end = std::move(file_ends_.front());
    file_ends_.pop_front();
    storage_.end_files(end.xid, end.committed, end.dropped, end.lsn);
  }
}

// The machine halts: memory is put in order so that everything can be destroyed; nobody looks any
// more.
void TransactionManager::forget_on_halt(Transaction& transaction) {
  for (Transaction::Level& level : transaction.levels_) {
    if (level.xid != kInvalidXid) running_.erase(level.xid);
    for (const Xid child : level.children) running_.erase(child);
  }
  transaction.commit_ts_ = {};
  transaction.state_ = TransactionState::aborted;  // not by enter(): this is the end of the world
  locks_.release_all(transaction.owner_, LockScope::transaction);
}

void TransactionManager::mark_aborted(Transaction& transaction, std::span<const Xid> xids) {
  for (const Xid xid : xids) {
    Running& entry = running_[xid];
    entry.aborted = true;
    if (entry.awaited) locks_.end_of(transaction.owner_, LockTag::transaction(xid));
    if (entry.speculation_awaited) locks_.end_of(transaction.owner_, LockTag::speculation(xid));
    entry.awaited = entry.speculation_awaited = entry.speculating = false;
  }
}

Result<Lsn> TransactionManager::log_aborted(Fiber& fiber, Xid top, std::span<const Xid> xids,
                                            bool whole) {
  Lsn lsn{};
  const auto pieces = split_by_pages(xids);
  for (const std::span<const Xid>& piece : pieces) {
    StatusPages pages = TRY(pin_status_pages(fiber, storage_, status_, piece));
    const bool last = &piece == &pieces.back();
    const TransactionEnd end{.xid = top, .children = piece};
    const std::string info = encode_end(end, whole && last);
    Change change(RecordKind::transaction_abort, top);
    for (const Xid xid : piece) {
      change.write_value(change.add(*pages.find(xid)), StatusLog::offset_of(xid), kStatusAborted);
    }
    change.info(as_bytes(info));
    TRY(storage_.reserve(fiber, change, ReserveKind::finishing));
    lsn = storage_.apply(change);
  }
  return lsn;
}

Status TransactionManager::abort(Fiber& fiber, Transaction& transaction) {
  CHECK(transaction.state_ == TransactionState::active);
  HoldCancel hold(fiber);
  const Xid top = transaction.xid();
  std::vector<Xid> xids;
  std::vector<FileId> made;
  bool changed_files = false;
  for (const Transaction::Level& level : transaction.levels_) {
    if (level.xid != kInvalidXid) xids.push_back(level.xid);
    xids.insert(xids.end(), level.children.begin(), level.children.end());
    made.insert(made.end(), level.created.begin(), level.created.end());
    changed_files = changed_files || !level.created.empty() || !level.dropped.empty();
    for (CommitListener* listener : listeners_) listener->left_dead(level.inserted);
  }
  std::sort(xids.begin(), xids.end());
  mark_aborted(transaction, xids);
  transaction.enter(TransactionState::aborted);
  locks_.release_all(transaction.owner_, LockScope::transaction);
  Status outcome;
  if (!xids.empty()) {
    Result<Lsn> logged = log_aborted(fiber, top, xids, true);
    if (logged.ok()) {
      for (const Xid xid : xids) {
        running_.erase(xid);
        status_.remember(xid, {XidStatus::Kind::aborted});
      }
      if (changed_files) note_file_end({top, false, *logged, {}});
    } else {
      // Not written down: until it is the table itself remembers that these are aborted.
      PROBE("txn: an abort could not be logged");
      for (const Xid xid : xids) running_[xid].transaction = nullptr;
      late_aborts_.push_back({top, xids, true, changed_files});
      if (logged.status().is_halted()) outcome = std::move(logged).status();
    }
  }
  const TransactionEnd end{.xid = top, .children = xids, .files = made};
  for (CommitListener* listener : listeners_) listener->ended(end);
  return outcome;
}

uint32_t TransactionManager::begin_level(Transaction& transaction) {
  CHECK(transaction.state_ == TransactionState::active);
  transaction.levels_.emplace_back();
  return transaction.depth();
}

void TransactionManager::release_level(Transaction& transaction, uint32_t depth) {
  CHECK(depth >= 2 && depth <= transaction.depth());
  while (transaction.depth() >= depth) {
    Transaction::Level level = std::move(transaction.levels_.back());
    transaction.levels_.pop_back();
    Transaction::Level& parent = transaction.levels_.back();
    if (level.xid != kInvalidXid) parent.children.push_back(level.xid);
    parent.children.insert(parent.children.end(), level.children.begin(), level.children.end());
    parent.created.insert(parent.created.end(), level.created.begin(), level.created.end());
    parent.dropped.insert(parent.dropped.end(), level.dropped.begin(), level.dropped.end());
    parent.invalidations += level.invalidations;
    if (parent.inserted.empty()) {
      parent.inserted = std::move(level.inserted);
    } else {
      for (const InsertedRows& rows : level.inserted)
        transaction.inserted_rows(rows.file, rows.count);
    }
  }
  locks_.merge_deeper(transaction.owner_, depth);
}

Status TransactionManager::rollback_level(Fiber& fiber, Transaction& transaction, uint32_t depth) {
  CHECK(depth >= 2 && depth <= transaction.depth());
  HoldCancel hold(fiber);
  std::vector<Xid> xids;
  while (transaction.depth() >= depth) {
    const Transaction::Level level = std::move(transaction.levels_.back());
    transaction.levels_.pop_back();
    if (level.xid != kInvalidXid) xids.push_back(level.xid);
    xids.insert(xids.end(), level.children.begin(), level.children.end());
    for (CommitListener* listener : listeners_) listener->left_dead(level.inserted);
    // Its files belong to the transaction as a whole: if that commits, they go as if it had dropped
    // them.
    std::vector<FileId>& dropped = transaction.levels_.back().dropped;
    dropped.insert(dropped.end(), level.created.begin(), level.created.end());
  }
  std::sort(xids.begin(), xids.end());
  mark_aborted(transaction, xids);
  locks_.release_deeper(transaction.owner_, depth);
  if (xids.empty()) return {};
  Result<Lsn> logged = log_aborted(fiber, transaction.xid(), xids, false);
  if (!logged.ok()) {
    for (const Xid xid : xids) running_[xid].transaction = nullptr;
    late_aborts_.push_back({transaction.xid(), xids, false, false});
    return logged.status().is_halted() ? std::move(logged).status() : Status();
  }
  for (const Xid xid : xids) {
    running_.erase(xid);
    status_.remember(xid, {XidStatus::Kind::aborted});
  }
  return {};
}

}  // namespace orrery
