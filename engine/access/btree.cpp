#include "access/btree.h"

#include <algorithm>

#include "access/btree_descent.h"
#include "access/hot_search.h"
#include "base/probe.h"
#include "base/text.h"

namespace orrery {

Status BTree::create(Fiber& fiber, Xid xid) {
  Storage& storage = access_.storage();
  const PinClaim claim = TRY(storage.pool().claim(fiber, 2));
  PageRef meta = TRY(storage.pool().extend(fiber, index_.file));
  PageRef root = TRY(storage.pool().extend(fiber, index_.file));
  CHECK(meta.block() == kBTreeMetaBlock);
  Change change(RecordKind::btree_new, xid);
  const int m = change.add(meta);
  change.init(m, PageKind::btree, kBTreeSpecialBytes);
  change.write_value(m, kPageHeaderBytes, kBTreeMagic | uint64_t{kBTreeVersion} << 32);
  change.write_value(m, kMetaRootOffset, uint64_t{root.block().v});
  change.write_value(m, kBTreeFlagsOffset, kBTreeMeta);
  const int r = change.add(root);
  change.init(r, PageKind::btree, kBTreeSpecialBytes);
  change.write_value(r, kBTreeLeftOffset, ~uint64_t{0});
  change.write_value(r, kBTreeFlagsOffset, static_cast<uint16_t>(kBTreeLeaf | kBTreeRoot));
  TRY(storage.reserve(fiber, change));
  storage.apply(change);
  return {};
}

namespace {

// Equal keys conflict unless one of them is NULL and NULLs count as distinct.
bool can_conflict(const IndexInfo& index, RowValues key) {
  if (index.nulls_not_distinct) return true;
  for (size_t i = 0; i < index.keys.size(); ++i) {
    if (key.nulls[i] != 0) return false;
  }
  return true;
}

// Collects the tids of entries equal to the key, page by page to the right.
Result<std::vector<Tid>> equal_entries(Fiber& fiber, BTreeDescent& descent, RowValues key) {
  const IndexOrder& order = descent.order();
  const auto columns = static_cast<uint32_t>(order.key_columns());
  const SearchKey first{.values = key.values, .nulls = key.nulls, .count = columns};
  const SearchKey behind{
      .values = key.values, .nulls = key.nulls, .count = columns, .side = KeySide::behind_equal};
  std::vector<Tid> out;
  PageRef page = TRY(descent.descend(fiber, first, 0, nullptr, false));
  for (;;) {
    const BTreePage view(page);
    if (!view.has(kBTreeDeleted)) {
      uint16_t n = order.find_first(first, view, view.first_data(), view.end_data());
      for (; n < view.end_data() && order.compare(behind, view.item(n)) > 0; ++n) {
        if (view.slot(n).state != SlotState::dead) out.push_back(view.item(n).tid());
      }
      if (n < view.end_data() || view.is_rightmost() || order.compare(behind, view.high_key()) <= 0)
        return out;
    }
    const BlockNo right = view.right();
    page.release();
    page = TRY(descent.pin(fiber, right));
  }
}

// The first of the entries whose row stands in the way of a new one.
Result<InsertResult> first_conflict_of(Fiber& fiber, Access& access, Transaction& transaction,
                                       const TableInfo& table, const std::vector<Tid>& tids,
                                       Tid except) {
  InsertResult result;
  for (const Tid tid : tids) {
    if (tid == except) continue;
    const RowState state = TRY(probe_row(fiber, access, table, transaction, tid));
    if (!state.exists) continue;
    result.conflict = state.version;
    result.in_progress = state.waits_for;
    if (state.waits_for == kInvalidXid) return result;  // certain: no other can change the answer
    return result;
  }
  return result;
}

// The row that stands in the way of a new one. Between reading an entry and looking at its row
// others run: a vacuum may free the row's slot, and a row with another key take it. What was found
// in the way is believed only when no slot was freed meanwhile; that nothing is in the way, always.
Result<InsertResult> first_conflict(Fiber& fiber, BTreeDescent& descent, Access& access,
                                    Transaction& transaction, const TableInfo& table, RowValues key,
                                    Tid except) {
  for (;;) {
    const uint64_t freed = access.memory_of(table.file).slots_freed;
    const std::vector<Tid> equal = TRY(equal_entries(fiber, descent, key));
    const InsertResult found =
        TRY(first_conflict_of(fiber, access, transaction, table, equal, except));
    if (!found.conflict.is_valid() || access.memory_of(table.file).slots_freed == freed)
      return found;
    PROBE("btree: a conflict was looked at again because a vacuum freed slots");
    TRY(fiber.charge(4));
  }
}

Status key_too_long(const IndexInfo& index, uint32_t bytes) {
  return raise(sqlstate::program_limit_exceeded,
               cat("index row size ", bytes, " exceeds btree version 4 maximum ", kMaxItemBytes,
                   " for index \"", index.name, "\""))
      .hint(
          "Values larger than 1/3 of a buffer page cannot be indexed.\nConsider a function index "
          "of an MD5 hash of "
          "the value, or use full text indexing.");
}

}  // namespace

Result<InsertResult> BTree::insert(Fiber& fiber, Transaction& transaction, const TableInfo& table,
                                   RowValues key, Tid tid, UniqueCheck check) {
  TransactionManager& transactions = access_.transactions();
  const IndexOrder order(index_);
  alignas(8) std::byte item[kPageBytes];
  const uint32_t size = order.form_item(key, tid, item);
  if (size > kMaxItemBytes) return key_too_long(index_, size);
  const SearchKey place{.values = key.values,
                        .nulls = key.nulls,
                        .count = static_cast<uint32_t>(index_.keys.size()),
                        .side = KeySide::at_tid,
                        .tid = tid};
  BTreeDescent descent(access_, order);
  const bool unique = check != UniqueCheck::none && can_conflict(index_, key);
  for (;;) {
    Xid in_doubt{};
    {
      uint64_t insertions = 0;
      const Descents::Guard guard(access_.descents());
      if (unique) {
        // Nothing is locked: that no equal key came in between shows in the count of insertions.
        insertions = descent.memory().insertions;
        const InsertResult found =
            TRY(first_conflict(fiber, descent, access_, transaction, table, key, tid));
        if (found.conflict.is_valid() &&
            (check == UniqueCheck::report || found.in_progress == kInvalidXid)) {
          return found;
        }
        in_doubt = found.in_progress;
      }
      if (in_doubt == kInvalidXid) {
        const BTreeDescent::Insertion insertion{
            .item = Bytes(item, size), .key = place, .level = 0, .xid = transaction.current_xid()};
        const auto still_unique = [&] {
          return !unique || descent.memory().insertions == insertions;
        };
        if (TRY(descent.insert(fiber, insertion, still_unique)))
          return InsertResult{.inserted = true};
        PROBE("btree: a unique check was overtaken");
        continue;
      }
    }
    PROBE("btree: a unique check waits for a transaction");
    if (transactions.is_speculating(in_doubt)) {
      TRY(transactions.wait_for_speculation(fiber, transaction.owner(), in_doubt));
    } else {
      TRY(transactions.wait_for(fiber, transaction.owner(), in_doubt));
    }
  }
}

Result<InsertResult> BTree::find_conflict(Fiber& fiber, Transaction& transaction,
                                          const TableInfo& table, RowValues key, Tid except) {
  if (!can_conflict(index_, key)) return InsertResult{};
  const IndexOrder order(index_);
  BTreeDescent descent(access_, order);
  const Descents::Guard guard(access_.descents());
  return first_conflict(fiber, descent, access_, transaction, table, key, except);
}

}  // namespace orrery
