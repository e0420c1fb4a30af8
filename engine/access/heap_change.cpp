// Finding the version to change, deleting and locking.
#include <algorithm>

#include "access/heap_internal.h"
#include "access/row_codec.h"
#include "access/toast.h"
#include "access/visibility_map.h"
#include "base/probe.h"
#include "base/text.h"

namespace orrery {

RowTicket::~RowTicket() {
  if (give_back_ != LockMode::none) {
    locks_.release(transaction_.owner(), tag_, give_back_, LockScope::transaction);
  }
}

Status RowTicket::take(Fiber& fiber, RowLock strength) {
  const LockMode mode = row_lock_mode(strength);
  const LockResult result =
      TRY(locks_.acquire(fiber, transaction_.owner(), tag_, mode, WaitPolicy::wait,
                         LockScope::transaction, transaction_.depth()));
  note_taken(result, strength);
  return {};
}

bool RowTicket::try_take(RowLock strength) {
  const LockMode mode = row_lock_mode(strength);
  const LockResult result = locks_.try_acquire(transaction_.owner(), tag_, mode,
                                               LockScope::transaction, transaction_.depth());
  if (result == LockResult::not_available) return false;
  note_taken(result, strength);
  return true;
}

void RowTicket::note_taken(LockResult result, RowLock strength) {
  if (result == LockResult::granted) {
    if (give_back_ != LockMode::none) {
      locks_.release(transaction_.owner(), tag_, give_back_, LockScope::transaction);
    }
    give_back_ = row_lock_mode(strength);
  }
  taken_ = true;
  strength_ = strength;
}

namespace {

Status with_context(Status status, const ChangeRequest& request) {
  if (status.ok() || status.is_halted()) return status;
  return std::move(status).context(cat("while ", request.verb, " tuple (", request.tid.block, ",",
                                       request.tid.slot, ") in relation \"", request.table.name,
                                       "\""));
}

ChangeOutcome outcome_of(ChangeVerdict verdict) {
  switch (verdict) {
    case ChangeVerdict::invisible:      return ChangeOutcome::invisible;
    case ChangeVerdict::self_modified:  return ChangeOutcome::self_modified;
    case ChangeVerdict::updated:        return ChangeOutcome::updated;
    case ChangeVerdict::deleted:        return ChangeOutcome::deleted;
    case ChangeVerdict::ok:
    case ChangeVerdict::being_modified:
    case ChangeVerdict::unknown:        break;
  }
  UNREACHABLE();
}

}  // namespace

Result<bool> take_ticket(Fiber& fiber, const ChangeRequest& request, RowTicket& ticket,
                         RowLock strength) {
  if (ticket.try_take(strength)) return true;
  if (request.wait != RowWait::wait) return false;  // somebody queues for it before us
  TRY(with_context(ticket.take(fiber, strength), request));
  return true;
}

bool may_change_still(const ChangeRequest& request, const RowTicket& ticket, RowLock strength) {
  return ticket.covers(strength) ||
         !request.access.locks().is_blocked(request.transaction.owner(),
                                            LockTag::row(request.table.file, request.tid),
                                            row_lock_mode(strength));
}

Result<ChangeResult> find_changeable(Fiber& fiber, const ChangeRequest& request,
                                     FunctionRef<RowLock(const PageRef&, TupleHeader)> strength_of,
                                     RowTicket& ticket, ExtraPins& extra, PageRef* page) {
  TransactionManager& transactions = request.access.transactions();
  LockTable& locks = request.access.locks();
  const Tid tid = request.tid;
  const LockTag tag = LockTag::row(request.table.file, tid);
  for (;;) {
    *page = TRY(request.access.storage().pool().pin(fiber, request.table.file, tid.block));
    const SlottedPage slotted(page->data());
    if (page->kind() != PageKind::heap || !is_normal(slotted, tid.slot)) {
      page->release();
      return ChangeResult{.outcome = ChangeOutcome::invisible, .tid = tid};
    }
    const TupleHeader tuple(slotted.item(slotted.slot(tid.slot)));
    VisibilityJudge judge(transactions, request.snapshot);
    ChangeVerdict verdict = judge.judge_change(tuple, slotted.base(), tid);
    if (verdict == ChangeVerdict::unknown) {
      page->release();
      extra.release();
      TRY(transactions.resolve(fiber, judge.unresolved()));
      continue;
    }
    const RowLock strength = strength_of(*page, tuple);
    const bool may_pass = verdict == ChangeVerdict::being_modified &&
                          strength == RowLock::key_share && !tuple.has2(kKeysUpdated);
    if (verdict == ChangeVerdict::ok || may_pass) {
      if (ticket.covers(strength) ||
          !locks.is_blocked(request.transaction.owner(), tag, row_lock_mode(strength))) {
        return ChangeResult{.outcome = ChangeOutcome::ok, .tid = tid};
      }
      PROBE("heap: a change waits for a row lock");
    } else if (verdict != ChangeVerdict::being_modified) {
      const Tid next = tuple.ctid();
      page->release();
      return ChangeResult{.outcome = outcome_of(verdict), .tid = next};
    }
    page->release();
    extra.release();
    if (request.wait != RowWait::wait)
      return ChangeResult{.outcome = ChangeOutcome::would_block, .tid = tid};
    if (!ticket.covers(strength)) {
      TRY(with_context(ticket.take(fiber, strength), request));
    } else {
      PROBE("heap: a change waits for a transaction");
      TRY(with_context(transactions.wait_for(fiber, request.transaction.owner(), judge.waits_for()),
                       request));
    }
  }
}

EndedHeader ended_header(const Transaction& transaction, TransactionManager& manager,
                         TupleHeader old, Xid base, Tid next, uint16_t infomask2_flags) {
  EndedHeader out;
  const CommandId now = transaction.command();
  uint32_t command = now.v;
  uint16_t mask =
      old.infomask() & static_cast<uint16_t>(~(kXmaxCommitted | kXmaxAborted | kComboCommand));
  if (manager.running(old.xmin(base)) == &transaction) {
    const CommandId cmin = VisibilityJudge::cmin(transaction, old);
    command = const_cast<Transaction&>(transaction).combine_commands(cmin, now);
    mask |= kComboCommand;
  }
  store(out.bytes, xid_offset(transaction.current_xid(), base));
  store(out.bytes + 4, command);
  store(out.bytes + 8, next.block.v);
  store(out.bytes + 12, next.slot);
  store(out.bytes + 14,
        static_cast<uint16_t>((old.infomask2() & ~(kKeysUpdated | kHotUpdated)) | infomask2_flags));
  store(out.bytes + 16, mask);
  return out;
}

void add_prune_hint(Change& change, int index, const PageRef& page, Xid xid) {
  const auto present = load<uint32_t>(page.data() + kPruneHintOffset);
  const uint32_t wanted = xid_offset(xid, Xid(page.header().base_xid));
  if (present == 0 || wanted < present) change.write_value(index, kPruneHintOffset, wanted);
}

namespace {

// Ensures the map page of an all-visible page is pinned; true: look again.
Result<bool> pin_map_of(Fiber& fiber, Access& access, PageRef& page, ExtraPins& extra) {
  if ((page.header().flags & kAllVisible) == 0 || extra.map) return false;
  const BlockNo block = page.block();
  const FileId file = page.file();
  page.release();
  if (!extra.claimed) {
    extra.claim = TRY(access.storage().pool().claim(fiber, 5));
    extra.claimed = true;
  }
  extra.map = TRY(pin_visibility_page(fiber, access, file, block));
  return true;
}

}  // namespace

Result<ChangeResult> Heap::remove(Fiber& fiber, Transaction& transaction, Tid tid,
                                  const Snapshot& snapshot, RowWait wait) {
  const Xid xid = TRY(access_.transactions().assign_xid(fiber, transaction));
  const ChangeRequest request{access_, table_, transaction, tid, snapshot, wait, "deleting"};
  RowTicket ticket(access_.locks(), transaction, LockTag::row(table_.file, tid));
  ExtraPins extra;
  PageRef page;
  for (;;) {
    const ChangeResult found = TRY(find_changeable(
        fiber, request, [](const PageRef&, TupleHeader) { return RowLock::update; }, ticket, extra,
        &page));
    if (found.outcome != ChangeOutcome::ok) return found;
    if (TRY(pin_map_of(fiber, access_, page, extra))) continue;
    const SlottedPage slotted(page.data());
    const Slot slot = slotted.slot(tid.slot);
    const TupleHeader tuple(slotted.item(slot));
    if (!fits_base(xid, slotted.base())) {
      page.release();
      extra.release();
      TRY(rebase_page(fiber, access_, table_.file, tid.block, xid));
      continue;
    }
    const uint64_t version = page.version();
    transaction.use_command();
    const EndedHeader ended =
        ended_header(transaction, access_.transactions(), tuple, slotted.base(), tid, kKeysUpdated);
    Change change(RecordKind::heap_delete, xid);
    const int p = change.add(page);
    change.write(p, static_cast<uint16_t>(slot.offset + 4), ended.bytes);
    add_prune_hint(change, p, page, xid);
    if ((page.header().flags & kAllVisible) != 0) clear_all_visible(change, page, extra.map);
    TRY(access_.storage().reserve(fiber, change));
    if (page.version() != version || !may_change_still(request, ticket, RowLock::update)) continue;
    const bool external = tuple.has(kHasExternal);
    std::string copy;
    if (external) copy.assign(reinterpret_cast<const char*>(tuple.bytes()), slot.length);
    access_.storage().apply(change);
    ++access_.memory_of(table_.file).dead_estimate;
    page.release();
    extra.release();
    if (external) TRY(delete_toasted_of(fiber, access_, table_, transaction, as_bytes(copy)));
    return ChangeResult{.outcome = ChangeOutcome::ok, .tid = tid};
  }
}

namespace {

enum class LaterVersions : uint8_t { locked, look_again, would_block };

// FOR KEY SHARE does not wait for an update that keeps the key, so it must hold the versions which
// that update, and what follows it, have made already: nothing copies our lock to them any more.
// look_again: somebody was waited for, or ended the row for good. REQUIRES: the lock on the version
// before `tid` is held, so that updates from here on carry it along.
Result<LaterVersions> lock_later_versions(Fiber& fiber, const ChangeRequest& request, Tid tid,
                                          Xid updater) {
  TransactionManager& transactions = request.access.transactions();
  const FileId file = request.table.file;
  for (;;) {
    PageRef page = TRY(request.access.storage().pool().pin(fiber, file, tid.block));
    const SlottedPage slotted(page.data());
    // Given up and cleaned away, perhaps; then the version before it is the newest.
    if (page.kind() != PageKind::heap || !is_normal(slotted, tid.slot))
      return LaterVersions::locked;
    const TupleHeader tuple(slotted.item(slotted.slot(tid.slot)));
    if (tuple.xmin(slotted.base()) != updater) return LaterVersions::locked;
    VisibilityJudge judge(transactions, request.snapshot);
    const XidFate fate = judge.deleter_fate(tuple, slotted.base());
    if (fate == XidFate::unknown) {
      page.release();
      TRY(transactions.resolve(fiber, judge.unresolved()));
      continue;
    }
    const bool ends = fate != XidFate::none && fate != XidFate::aborted;
    const bool ends_key = ends && tuple.has2(kKeysUpdated);
    const Tid next = tuple.ctid();
    const Xid ender = tuple.xmax(slotted.base());
    RowTicket ticket(request.access.locks(), request.transaction, LockTag::row(file, tid));
    const bool taken = !ends_key && ticket.try_take(RowLock::key_share);
    page.release();
    if (taken) {
      PROBE("heap: a version that an update under way made was locked with the one before it");
      ticket.keep();
      if (!ends || next == tid) return LaterVersions::locked;
      tid = next;
      updater = ender;
      TRY(fiber.charge(4));
      continue;
    }
    if (ends && fate != XidFate::in_progress) return LaterVersions::look_again;
    if (request.wait != RowWait::wait) return LaterVersions::would_block;
    if (ends_key) {
      TRY(with_context(transactions.wait_for(fiber, request.transaction.owner(), ender), request));
    } else {
      TRY(with_context(ticket.take(fiber, RowLock::key_share), request));
    }
    return LaterVersions::look_again;
  }
}

}  // namespace

Result<ChangeResult> Heap::lock(Fiber& fiber, Transaction& transaction, Tid tid, RowLock mode,
                                const Snapshot& snapshot, RowWait wait) {
  const ChangeRequest request{access_, table_, transaction, tid, snapshot, wait, "locking"};
  if (const MemoryBudget* memory = transaction.owner().memory; memory != nullptr)
    TRY(memory->check(kRowLockBytes));
  RowTicket ticket(access_.locks(), transaction, LockTag::row(table_.file, tid));
  ExtraPins extra;
  PageRef page;
  for (;;) {
    const ChangeResult found = TRY(find_changeable(
        fiber, request, [&](const PageRef&, TupleHeader) { return mode; }, ticket, extra, &page));
    if (found.outcome != ChangeOutcome::ok) return found;
    const SlottedPage slotted(page.data());
    const TupleHeader tuple(slotted.item(slotted.slot(tid.slot)));
    const Tid next = tuple.ctid();
    const Xid updater = tuple.xmax(slotted.base());
    page.release();
    if (ticket.covers(mode) || ticket.try_take(mode)) {
      if (mode == RowLock::key_share && next != tid) {
        const LaterVersions later = TRY(lock_later_versions(fiber, request, next, updater));
        if (later == LaterVersions::look_again) continue;
        if (later == LaterVersions::would_block)
          return ChangeResult{.outcome = ChangeOutcome::would_block, .tid = tid};
      }
      ticket.keep();
      return found;
    }
    const bool taken = TRY(take_ticket(fiber, request, ticket, mode));
    if (!taken) return ChangeResult{.outcome = ChangeOutcome::would_block, .tid = tid};
  }
}

Result<ChangeResult> Heap::lock_newest(Fiber& fiber, Transaction& transaction, Tid tid,
                                       RowLock mode, const Snapshot& snapshot, RowWait wait) {
  // Versions behind the one the snapshot saw cannot be pruned while the snapshot is registered, so
  // the chain holds.
  for (;;) {
    ChangeResult result = TRY(lock(fiber, transaction, tid, mode, snapshot, wait));
    if (result.outcome != ChangeOutcome::updated) return result;
    tid = result.tid;
    TRY(fiber.charge(10));
  }
}

Status Heap::overwrite(Fiber& fiber, Tid tid, RowValues row) {
  const uint32_t size = tuple_size(table_.desc, row);
  TRY(check_tuple_size(size));
  alignas(8) std::byte buffer[kMaxTupleBytes];
  form_tuple(table_.desc, row, buffer);
  for (;;) {
    PageRef page = TRY(access_.storage().pool().pin(fiber, table_.file, tid.block));
    const SlottedPage slotted(page.data());
    if (!is_normal(slotted, tid.slot) || slotted.slot(tid.slot).length != size) {
      return raise(sqlstate::internal_error, cat("row (", tid.block, ",", tid.slot, ") of \"",
                                                 table_.name, "\" cannot be overwritten in place"));
    }
    const Slot slot = slotted.slot(tid.slot);
    const uint16_t header = TupleHeader(buffer).data_offset();
    Change change(RecordKind::heap_in_place);
    change.write(change.add(page), static_cast<uint16_t>(slot.offset + header),
                 Bytes(buffer + header, size - header));
    const uint64_t version = page.version();
    TRY(access_.storage().reserve(fiber, change));
    if (page.version() != version) continue;
    access_.storage().apply(change);
    return {};
  }
}

Status Heap::kill_inserted(Fiber& fiber, Transaction& transaction, Tid tid) {
  for (;;) {
    PageRef page = TRY(access_.storage().pool().pin(fiber, table_.file, tid.block));
    const SlottedPage slotted(page.data());
    CHECK(is_normal(slotted, tid.slot));
    const Slot slot = slotted.slot(tid.slot);
    CHECK(TupleHeader(slotted.item(slot)).xmin(slotted.base()) == transaction.current_xid());
    Change change(RecordKind::heap_delete, transaction.current_xid());
    const int p = change.add(page);
    change.write_value(p, slot.offset, uint32_t{0});
    add_prune_hint(change, p, page, transaction.current_xid());
    const uint64_t version = page.version();
    TRY(access_.storage().reserve(fiber, change));
    if (page.version() != version) continue;
    const TupleHeader tuple(slotted.item(slot));
    std::string external;
    if (tuple.has(kHasExternal))
      external.assign(reinterpret_cast<const char*>(tuple.bytes()), slot.length);
    access_.storage().apply(change);
    PROBE("heap: a speculative row was killed");
    page.release();
    if (external.empty()) return {};
    return delete_toasted_of(fiber, access_, table_, transaction, as_bytes(external));
  }
}

}  // namespace orrery
