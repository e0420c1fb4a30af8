// Building a tree from sorted rows, bottom up: each level has one page under construction; when it
// is full it is written once, as one record, and its separator goes to the level above.
#include <vector>

#include "access/btree_descent.h"
#include "base/text.h"

namespace orrery {

namespace {

constexpr int kInternalFillfactor = 70;

// A page under construction. Slot 1 is left free for the high key until it is known whether there
// is one.
struct BuildPage {
  BlockNo block = kInvalidBlock;
  BlockNo left = kInvalidBlock;
  std::vector<std::string> items;
  uint32_t bytes = 0;

  void add(Bytes item) {
    items.emplace_back(as_text(item));
    bytes += align8(static_cast<uint32_t>(item.size())) + kSlotBytes;
  }
};

IndexItem item_of(const std::string& item) {
  return IndexItem(reinterpret_cast<const std::byte*>(item.data()));
}

}  // namespace

struct BTreeBuilder::State {
  State(Access& access_in, const IndexInfo& index, Xid xid_in)
      : access(access_in), order(index), xid(xid_in) {}

  Access& access;
  IndexOrder order;
  const Xid xid;
  std::vector<BuildPage> levels;
  std::string last;  // the live item added before
  bool begun = false;

  Result<BlockNo> new_block(Fiber& fiber) {
    const PageRef page = TRY(access.storage().pool().extend(fiber, order.index().file));
    return page.block();
  }
  Status begin(Fiber& fiber) {
    const BlockNo meta = TRY(new_block(fiber));
    CHECK(meta == kBTreeMetaBlock);
    begun = true;
    return add_level(fiber);
  }
  Status add_level(Fiber& fiber) {
    const BlockNo block = TRY(new_block(fiber));
    levels.emplace_back().block = block;
    return {};
  }
  uint32_t room(size_t level) const {
    const int fill = level == 0 ? order.index().fillfactor : kInternalFillfactor;
    return static_cast<uint32_t>(kBTreeSpecial - kPageHeaderBytes) * static_cast<uint32_t>(fill) /
           100;
  }
  Status add_to(Fiber& fiber, size_t level, Bytes item);
  Status write(Fiber& fiber, size_t level, BlockNo right, Bytes high_key, bool is_root);
};

BTreeBuilder::BTreeBuilder(Access& access, const IndexInfo& index, Xid xid)
    : state_(std::make_unique<State>(access, index, xid)) {}
BTreeBuilder::~BTreeBuilder() = default;

Status BTreeBuilder::State::write(Fiber& fiber, size_t level, BlockNo right, Bytes high_key,
                                  bool is_root) {
  const BuildPage& from = levels[level];
  alignas(8) std::byte image[kPageBytes];
  uint32_t words[kMaxItemsPerPage + 2];
  uint32_t upper = kBTreeSpecial;
  uint32_t count = 0;
  const auto put = [&](Bytes item) {
    upper -= align8(static_cast<uint32_t>(item.size()));
    std::memcpy(image + upper, item.data(), item.size());
    words[count++] =
        Slot{static_cast<uint16_t>(upper), SlotState::normal, static_cast<uint16_t>(item.size())}
            .word();
  };
  if (!high_key.empty()) put(high_key);
  for (const std::string& item : from.items) put(as_bytes(item));
  PageRef page = TRY(access.storage().pool().pin(fiber, order.index().file, from.block));
  Change change(RecordKind::btree_bulk_page, xid);
  const int p = change.add(page);
  change.init(p, PageKind::btree, kBTreeSpecialBytes);
  change.write(p, static_cast<uint16_t>(upper), Bytes(image + upper, kBTreeSpecial - upper));
  change.write(p, kPageHeaderBytes,
               Bytes(reinterpret_cast<const std::byte*>(words), count * size_t{kSlotBytes}));
  change.write_value(p, kPageLowerOffset,
                     static_cast<uint32_t>(kPageHeaderBytes + count * kSlotBytes) | upper << 16);
  change.write_value(p, kBTreeLeftOffset, from.left.v | uint64_t{right.v} << 32);
  const uint64_t flags = (level == 0 ? kBTreeLeaf : 0U) | (is_root ? kBTreeRoot : 0U);
  change.write_value(p, kBTreeSpecial + 8, static_cast<uint64_t>(level) | flags << 32);
  TRY(access.storage().reserve(fiber, change));
  access.storage().apply(change);
  return {};
}

Status BTreeBuilder::State::add_to(Fiber& fiber, size_t level, Bytes item) {
  const uint32_t bytes = align8(static_cast<uint32_t>(item.size())) + kSlotBytes;
  // Two items go on a page whatever the fillfactor says; a high key of the longest kind must fit
  // beside them.
  constexpr uint32_t kPageRoom = kBTreeSpecial - kPageHeaderBytes;
  const bool full =
      levels[level].items.size() >= 2 &&
      (levels[level].bytes + bytes > room(level) ||
       levels[level].bytes + bytes + kMaxItemBytes + kPivotTidBytes + kSlotBytes > kPageRoom);
  if (full) {
    const BlockNo next = TRY(new_block(fiber));
    alignas(8) std::byte separator[kPageBytes / 2];
    uint32_t size = 0;
    if (level == 0) {
      size = order.form_separator(item_of(levels[0].items.back()), IndexItem(item.data()), next,
                                  separator);
    } else {
      size = IndexOrder::copy_pivot(IndexItem(item.data()), next, separator);
    }
    TRY(write(fiber, level, next, Bytes(separator, size), false));
    if (level + 1 == levels.size()) {
      const BlockNo first = levels[level].block;
      TRY(add_level(fiber));
      alignas(8) std::byte lowest[kItemHeaderBytes];
      IndexOrder::minus_infinity(first, lowest);
      levels[level + 1].add(lowest);
    }
    const BlockNo left = levels[level].block;
    levels[level] = BuildPage{.block = next, .left = left};
    TRY(add_to(fiber, level + 1, Bytes(separator, size)));
  }
  if (level > 0 && levels[level].items.empty()) {
    alignas(8) std::byte lowest[kItemHeaderBytes];
    IndexOrder::minus_infinity(IndexItem(item.data()).child(), lowest);
    levels[level].add(lowest);
    return {};
  }
  levels[level].add(item);
  return {};
}

Result<bool> BTreeBuilder::add(Fiber& fiber, RowValues key, Tid tid, bool is_live) {
  State& s = *state_;
  const IndexInfo& index = s.order.index();
  alignas(8) std::byte item[kPageBytes];
  const uint32_t size = s.order.form_item(key, tid, item);
  if (size > kMaxItemBytes) {
    return raise(sqlstate::program_limit_exceeded,
                 cat("index row size ", size, " exceeds btree version 4 maximum ", kMaxItemBytes,
                     " for index \"", index.name, "\""));
  }
  if (!s.begun) TRY(s.begin(fiber));
  bool unique = true;
  if (index.unique && is_live && !s.last.empty()) {
    bool nulls = false;
    for (size_t i = 0; i < index.keys.size(); ++i) nulls = nulls || key.nulls[i] != 0;
    unique = (nulls && !index.nulls_not_distinct) ||
             !s.order.same_columns(item_of(s.last), IndexItem(item));
  }
  if (index.unique && is_live) s.last.assign(reinterpret_cast<const char*>(item), size);
  TRY(s.add_to(fiber, 0, Bytes(item, size)));
  TRY(fiber.charge(2));
  return unique;
}

Status BTreeBuilder::finish(Fiber& fiber) {
  State& s = *state_;
  if (!s.begun) TRY(s.begin(fiber));
  for (size_t level = 0; level < s.levels.size(); ++level) {
    TRY(s.write(fiber, level, kInvalidBlock, {}, level + 1 == s.levels.size()));
  }
  PageRef meta = TRY(s.access.storage().pool().pin(fiber, s.order.index().file, kBTreeMetaBlock));
  Change change(RecordKind::btree_meta, s.xid);
  const int m = change.add(meta);
  change.init(m, PageKind::btree, kBTreeSpecialBytes);
  change.write_value(m, kPageHeaderBytes, kBTreeMagic | uint64_t{kBTreeVersion} << 32);
  change.write_value(m, kMetaRootOffset,
                     s.levels.back().block.v | static_cast<uint64_t>(s.levels.size() - 1) << 32);
  change.write_value(m, kBTreeFlagsOffset, kBTreeMeta);
  TRY(s.access.storage().reserve(fiber, change));
  s.access.storage().apply(change);
  return {};
}

int compare_index_rows(const IndexInfo& index, RowValues a, Tid a_tid, RowValues b, Tid b_tid) {
  for (size_t i = 0; i < index.keys.size(); ++i) {
    const IndexColumn& key = index.keys[i];
    if (a.nulls[i] != 0 || b.nulls[i] != 0) {
      if (a.nulls[i] != 0 && b.nulls[i] != 0) continue;
      return (a.nulls[i] != 0) == key.nulls_first ? -1 : 1;
    }
    const int order = key.compare(a.values[i], b.values[i]);
    if (order != 0) return key.descending ? -order : order;
  }
  return a_tid < b_tid ? -1 : a_tid > b_tid ? 1 : 0;
}

}  // namespace orrery
