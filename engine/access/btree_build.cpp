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
class BuildPage {
 public:
  explicit BuildPage(BlockNo at) : block(at), content_(std::make_unique<Content>()) {}

  void add(Bytes item) { content_->slots[++count_] = put(item); }
  void set_high_key(Bytes item) {
    content_->slots[0] = put(item);
    first_ = 0;
  }
  // The next page of the level, to the right.
  void move_on(BlockNo next) {
    left = block;
    block = next;
    upper_ = kBTreeSpecial;
    count_ = 0;
    first_ = 1;
  }

  uint32_t count() const { return count_; }  // of items
  // Of the items, with their slots.
  uint32_t bytes() const { return kBTreeSpecial - upper_ + count_ * kSlotBytes; }
  IndexItem last() const {
    return IndexItem(content_->image + Slot::of(content_->slots[count_]).offset);
  }
  // The operations that put all this on a page.
  void write(Change& change, int page) const {
    const uint32_t slots = count_ + 1 - first_;
    change.write(page, upper_, Bytes(content_->image + upper_, kBTreeSpecial - upper_));
    change.write(page, kPageHeaderBytes,
                 Bytes(reinterpret_cast<const std::byte*>(content_->slots + first_),
                       slots * size_t{kSlotBytes}));
    change.write_value(
        page, kPageLowerOffset,
        static_cast<uint32_t>(kPageHeaderBytes + slots * kSlotBytes) | uint32_t{upper_} << 16);
  }

  BlockNo block;
  BlockNo left = kInvalidBlock;

 private:
  struct Content {
    alignas(8) std::byte image[kPageBytes];
    uint32_t slots[kMaxItemsPerPage + 2];
  };

  uint32_t put(Bytes item) {
    const auto size = static_cast<uint16_t>(item.size());
    upper_ = static_cast<uint16_t>(upper_ - align8(size));
    std::memcpy(content_->image + upper_, item.data(), size);
    std::memset(content_->image + upper_ + size, 0, align8(size) - size);
    return Slot{upper_, SlotState::normal, size}.word();
  }

  std::unique_ptr<Content> content_;
  uint16_t upper_ = kBTreeSpecial;
  uint32_t count_ = 0;
  uint32_t first_ = 1;  // of the slots: 0 with a high key
};

IndexItem item_of(const std::string& item) {
  return IndexItem(reinterpret_cast<const std::byte*>(item.data()));
}

}  // namespace

struct BTreeBuilder::State {
  State(Access& access_in, const IndexInfo& index, Xid xid_in)
      : access(access_in), order(index), xid(xid_in) {
    for (size_t i = 0; i < index.keys.size(); ++i)
      keys_are_words = keys_are_words && index.desc[i].by_value;
  }

  Access& access;
  IndexOrder order;
  const Xid xid;
  std::vector<BuildPage> levels;
  // Of the live item added before: its key where that is words, as most are; else all of it.
  Datum last_values[32];
  uint8_t last_nulls[32];
  bool has_last = false;
  std::string last;
  bool keys_are_words = true;
  bool begun = false;

  // Whether the key is that of the live item added before; it takes its place.
  bool repeats_last(RowValues key, Bytes item);
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
    levels.emplace_back(block);
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

bool BTreeBuilder::State::repeats_last(RowValues key, Bytes item) {
  const IndexInfo& index = order.index();
  bool same = has_last;
  has_last = true;
  if (!keys_are_words) {
    same = same && order.same_columns(item_of(last), IndexItem(item.data()));
    last.assign(as_text(item));
    return same;
  }
  for (size_t i = 0; i < index.keys.size(); ++i) {
    same = same && last_nulls[i] == key.nulls[i] &&
           (key.nulls[i] != 0 || index.keys[i].compare(last_values[i], key.values[i]) == 0);
    last_values[i] = key.values[i];
    last_nulls[i] = key.nulls[i];
  }
  return same;
}

Status BTreeBuilder::State::write(Fiber& fiber, size_t level, BlockNo right, Bytes high_key,
                                  bool is_root) {
  BuildPage& from = levels[level];
  if (!high_key.empty()) from.set_high_key(high_key);
  PageRef page = TRY(access.storage().pool().pin(fiber, order.index().file, from.block));
  Change change(RecordKind::btree_bulk_page, xid);
  const int p = change.add(page);
  change.init(p, PageKind::btree, kBTreeSpecialBytes);
  from.write(change, p);
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
      levels[level].count() >= 2 &&
      (levels[level].bytes() + bytes > room(level) ||
       levels[level].bytes() + bytes + kMaxItemBytes + kPivotTidBytes + kSlotBytes > kPageRoom);
  if (full) {
    const BlockNo next = TRY(new_block(fiber));
    alignas(8) std::byte separator[kPageBytes / 2];
    uint32_t size = 0;
    if (level == 0) {
      size = order.form_separator(levels[0].last(), IndexItem(item.data()), next, separator);
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
    levels[level].move_on(next);
    TRY(add_to(fiber, level + 1, Bytes(separator, size)));
  }
  if (level > 0 && levels[level].count() == 0) {
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
  if (index.unique && is_live) {
    bool nulls = false;
    for (size_t i = 0; i < index.keys.size(); ++i) nulls = nulls || key.nulls[i] != 0;
    const bool repeats = s.repeats_last(key, Bytes(item, size));
    unique = !repeats || (nulls && !index.nulls_not_distinct);
  }
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
