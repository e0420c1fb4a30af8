// Pieces that inserting, changing and locking share.
#pragma once

#include "access/heap.h"
#include "access/heap_page.h"
#include "base/function.h"

namespace orrery {

// Fills in what form_tuple left open of a new version.
void stamp_new_version(std::byte* tuple, uint32_t xmin_offset, CommandId cmin, Tid self,
                       uint16_t infomask, uint16_t infomask2);

// Operations that put a tuple on a page: a page of zeros becomes a heap page first. The slot's
// number comes from slot_for_new(). `tuple` lives until apply().
uint16_t slot_for_new(const PageRef& page);
// Bytes that a new row may have on this heap page.
uint32_t usable_room(const PageRef& page);
Xid base_of(const PageRef& page, Xid writer);
void add_tuple(Change& change, PageRef& page, uint16_t slot, Bytes tuple, Xid writer);

// The header fields from xmax to infomask (tuple bytes 4..21) of a version that `xid` ends.
struct EndedHeader {
  std::byte bytes[18];
};
EndedHeader ended_header(const Transaction& transaction, TransactionManager& manager,
                         TupleHeader old, Xid base, Tid next, uint16_t infomask2_flags);
// Writes the prune hint if the page has none older.
void add_prune_hint(Change& change, int index, const PageRef& page, Xid xid);

// Pins beside the page being changed, under one claim.
struct ExtraPins {
  PinClaim claim;
  bool claimed = false;
  PageRef map;    // visibility map page of the changed page
  PageRef other;  // another page, for the new version
  PageRef other_map;
  void release() {
    map.release();
    other.release();
    other_map.release();
    claim.release();
    claimed = false;
  }
};

// A place in the queue for one row: whoever must wait for a row takes this first, so that waiters
// come one after another. Given back at the end unless kept as a row lock.
class RowTicket {
 public:
  RowTicket(LockTable& locks, Transaction& transaction, LockTag tag)
      : locks_(locks), transaction_(transaction), tag_(tag) {}
  RowTicket(const RowTicket&) = delete;
  ~RowTicket();
  Status take(Fiber& fiber, RowLock strength);
  // Without waiting; false when it would have to.
  bool try_take(RowLock strength);
  bool covers(RowLock strength) const { return taken_ && strength_ >= strength; }
  void keep() { give_back_ = LockMode::none; }

 private:
  void note_taken(LockResult result, RowLock strength);

  LockTable& locks_;
  Transaction& transaction_;
  const LockTag tag_;
  bool taken_ = false;
  RowLock strength_ = RowLock::key_share;
  LockMode give_back_ = LockMode::none;
};

// Follows the protocol of heap.h to a version that may be changed now; on ok its page is pinned.
// `strength_of` is asked with the version under its pin. `extra` is released before any wait.
// `verb` is "updating" and the like.
struct ChangeRequest {
  Access& access;
  const TableInfo& table;
  Transaction& transaction;
  Tid tid;
  const Snapshot& snapshot;
  RowWait wait;
  const char* verb;
};
Result<ChangeResult> find_changeable(Fiber& fiber, const ChangeRequest& request,
                                     FunctionRef<RowLock(const PageRef&, TupleHeader)> strength_of,
                                     RowTicket& ticket, ExtraPins& extra, PageRef* page);

// The request's row, for its ticket; waits if the request does. False: it would have to.
Result<bool> take_ticket(Fiber& fiber, const ChangeRequest& request, RowTicket& ticket,
                         RowLock strength);
// After log space was waited for: nobody has locked the row meanwhile against this change.
bool may_change_still(const ChangeRequest& request, const RowTicket& ticket, RowLock strength);

// Gives a page a base id that `xid` fits, by freezing what is old. 55000 when it holds ids too far
// apart.
Status rebase_page(Fiber& fiber, Access& access, FileId file, BlockNo block, Xid xid);
// 54000 when no page takes a row of so many bytes.
Status check_tuple_size(uint32_t bytes);
// Deletes what the TOAST pointers of a stored tuple name.
Status delete_toasted_of(Fiber& fiber, Access& access, const TableInfo& table,
                         Transaction& transaction, Bytes tuple);
// True when some value of the row is a TOAST pointer.
bool has_external(const TupleDesc& desc, RowValues row);

}  // namespace orrery
