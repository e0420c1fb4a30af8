#include <algorithm>

#include "access/btree_descent.h"
#include "access/row_codec.h"
#include "access/visibility_map.h"
#include "base/probe.h"

namespace orrery {

// A scan takes what it wants of a leaf at once and holds no pin between calls. It goes on at the
// sibling that the leaf named then; what a split moved away later had been taken already.
struct IndexScan::State {
  State(Access& access_in, const IndexInfo& index, ScanDirection direction_in,
        std::span<const int16_t> columns)
      : access(access_in),
        order(index),
        descent(access_in, order),
        direction(direction_in),
        decoder(index.desc, columns, index.oid),
        wants_columns(!columns.empty()),
        entry_room(std::make_unique_for_overwrite<std::byte[]>(kMaxItemsPerPage * sizeof(Entry))),
        entries(reinterpret_cast<Entry*>(entry_room.get())) {}

  struct Bound {
    std::vector<Datum> values;
    std::vector<uint8_t> nulls;
    SearchKey key;
  };
  struct Entry {
    Tid tid;
    uint16_t slot;
  };

  Access& access;
  IndexOrder order;
  BTreeDescent descent;
  const ScanDirection direction;
  RowDecoder decoder;
  const bool wants_columns;
  std::optional<Descents::Guard> guard;
  Arena arena;  // copies of by-reference bounds
  Bound lower, upper;
  Comparator compare[32];

  bool started = false;
  bool ended = true;
  BlockNo next_block = kInvalidBlock;  // where to go on
  BlockNo leaf = kInvalidBlock;        // where the entries are from
  Lsn leaf_lsn{};
  const std::unique_ptr<std::byte[]> entry_room;  // not initialised: short scans are many
  Entry* const entries;                           // kMaxItemsPerPage of them
  uint32_t count = 0;
  uint32_t given = 0;                  // entries that next() has returned
  uint32_t last_given = 0;             // before its last call
  std::unique_ptr<std::byte[]> image;  // of the leaf, when columns are wanted

  void set_bound(Bound& bound, std::span<const NullableDatum> values, KeySide side, bool own_types);
  void take(const PageRef& page);
  Result<PageRef> first_leaf(Fiber& fiber);
  Result<PageRef> left_of(Fiber& fiber, BlockNo block);
  Status read_leaf(Fiber& fiber);
};

IndexScan::IndexScan(Access& access, const IndexInfo& index, ScanDirection direction,
                     std::span<const int16_t> columns)
    : state_(std::make_unique<State>(access, index, direction, columns)) {}
IndexScan::~IndexScan() = default;

void IndexScan::State::set_bound(Bound& bound, std::span<const NullableDatum> values, KeySide side,
                                 bool own_types) {
  CHECK(values.size() <= order.key_columns());
  bound.values.resize(values.size());
  bound.nulls.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    bound.nulls[i] = values[i].is_null;
    // Types compared by comparators of the caller's are the caller's to keep alive.
    bound.values[i] = values[i].is_null || !own_types
                          ? values[i].value
                          : copy_datum(arena, values[i].value, order.index().desc[i]);
  }
  bound.key = {.values = bound.values.data(),
               .nulls = bound.nulls.data(),
               .count = static_cast<uint32_t>(values.size()),
               .side = side,
               .compare = own_types ? nullptr : compare};
}

void IndexScan::rest() { state_->guard.reset(); }

void IndexScan::start(const IndexRange& range) {
  State& s = *state_;
  s.arena.reset();
  const bool own_types = range.compare.empty();
  for (size_t i = 0; i < range.compare.size(); ++i) {
    s.compare[i] = range.compare[i] != nullptr ? range.compare[i] : s.order.index().keys[i].compare;
  }
  s.set_bound(s.lower, range.lower,
              range.lower_inclusive ? KeySide::before_equal : KeySide::behind_equal, own_types);
  s.set_bound(s.upper, range.upper,
              range.upper_inclusive ? KeySide::behind_equal : KeySide::before_equal, own_types);
  if (range.upper.empty()) s.upper.key.side = KeySide::behind_equal;
  if (range.lower.empty()) s.lower.key.side = KeySide::before_equal;
  s.started = false;
  s.ended = false;
  s.count = s.given = s.last_given = 0;
  s.guard.reset();
}

// Takes the entries of one leaf that lie within the bounds, and works out where the scan goes on.
void IndexScan::State::take(const PageRef& page) {
  const BTreePage view(page);
  const uint16_t first = order.find_first(lower.key, view, view.first_data(), view.end_data());
  const uint16_t end = upper.key.count == 0
                           ? view.end_data()
                           : order.find_first(upper.key, view, first, view.end_data());
  count = given = last_given = 0;
  const auto add = [&](uint16_t n) {
    if (view.slot(n).state != SlotState::dead) entries[count++] = {view.item(n).tid(), n};
  };
  leaf = page.block();
  leaf_lsn = page.lsn();
  if (direction == ScanDirection::forward) {
    for (uint16_t n = first; n < end; ++n) add(n);
    next_block = view.right();
    ended = end < view.end_data() || next_block == kInvalidBlock ||
            order.compare(upper.key, view.high_key()) <= 0;
  } else {
    for (uint16_t n = end; n > first; --n) add(static_cast<uint16_t>(n - 1));
    next_block = view.left();
    ended = first > view.first_data() || next_block == kInvalidBlock;
  }
  if (wants_columns && count > 0) {
    if (image == nullptr) image = std::make_unique<std::byte[]>(kPageBytes);
    std::memcpy(image.get(), page.data(), kPageBytes);
  }
}

Result<PageRef> IndexScan::State::first_leaf(Fiber& fiber) {
  return descent.descend(fiber, direction == ScanDirection::forward ? lower.key : upper.key, 0,
                         nullptr, false);
}

// The left neighbour of `block` as it is now. Its left link may be behind the times: the neighbour
// was split, or unlinked, or the page itself was.
Result<PageRef> IndexScan::State::left_of(Fiber& fiber, BlockNo block) {
  for (;;) {
    BlockNo left;
    {
      PageRef page = TRY(descent.pin(fiber, block));
      while (BTreePage(page).has(kBTreeDeleted)) {
        PROBE("btree: a backward scan met an unlinked page");
        block = BTreePage(page).right();
        page.release();
        page = TRY(descent.pin(fiber, block));
      }
      left = BTreePage(page).left();
    }
    if (left == kInvalidBlock) return PageRef();
    for (int tries = 0; tries < 4 && left != kInvalidBlock; ++tries) {
      PageRef page = TRY(descent.pin(fiber, left));
      const BTreePage view(page);
      if (!view.has(kBTreeDeleted) && view.right() == block) return page;
      left = view.right();
      PROBE("btree: a backward scan found its neighbour changed");
    }
    TRY(fiber.charge(4));
  }
}

Status IndexScan::State::read_leaf(Fiber& fiber) {
  PageRef page;
  if (!started) {
    guard.emplace(access.descents());
    page = TRY(first_leaf(fiber));
    started = true;
  } else if (direction == ScanDirection::forward) {
    page = TRY(descent.pin(fiber, next_block));
  } else {
    page = TRY(left_of(fiber, leaf));
    if (!page) {
      ended = true;
      count = given = last_given = 0;
      return {};
    }
  }
  CircleGuard deleted;
  while (BTreePage(page).has(kBTreeDeleted)) TRY(descent.step_right(fiber, &page, deleted));
  take(page);
  return {};
}

Result<uint32_t> IndexScan::next(Fiber& fiber, uint32_t limit, Tid* tids, std::span<Vector> columns,
                                 Arena* arena) {
  State& s = *state_;
  while (s.given == s.count) {
    if (s.ended) {
      s.guard.reset();
      s.last_given = s.given;
      return 0U;
    }
    TRY(s.read_leaf(fiber));
    TRY(fiber.charge(3));
  }
  const uint32_t rows = std::min({limit, kBatchRows, s.count - s.given});
  for (uint32_t i = 0; i < rows; ++i) tids[i] = s.entries[s.given + i].tid;
  if (s.wants_columns) {
    const BTreePage view(s.image.get());
    for (Vector& vector : columns) vector.may_have_nulls = false;
    const auto stored = static_cast<uint16_t>(s.order.index().desc.size());
    for (uint32_t i = 0; i < rows; ++i) {
      const IndexItem item = view.item(s.entries[s.given + i].slot);
      s.decoder.decode_data(item.data(), item.bitmap(), stored, columns, i, arena);
    }
  }
  s.last_given = s.given;
  s.given += rows;
  TRY(fiber.charge(rows));
  return rows;
}

Status IndexScan::kill(Fiber& fiber, std::span<const uint8_t> all_dead) {
  State& s = *state_;
  if (std::find(all_dead.begin(), all_dead.end(), 1) == all_dead.end()) return {};
  PageRef page = TRY(s.descent.pin(fiber, s.leaf));
  if (page.lsn() != s.leaf_lsn) return {};  // slots may have moved
  const BTreePage view(page);
  for (uint32_t i = 0; i < all_dead.size() && s.last_given + i < s.given; ++i) {
    if (all_dead[i] == 0) continue;
    const uint16_t n = s.entries[s.last_given + i].slot;
    Slot slot = view.slot(n);
    if (slot.state != SlotState::normal) continue;
    slot.state = SlotState::dead;
    const uint32_t word = slot.word();
    page.set_hint(slot_offset(n), Bytes(reinterpret_cast<const std::byte*>(&word), sizeof word));
  }
  if (!view.has(kBTreeHasKilled)) {
    const auto flags = static_cast<uint16_t>(view.flags() | kBTreeHasKilled);
    page.set_hint(kBTreeFlagsOffset,
                  Bytes(reinterpret_cast<const std::byte*>(&flags), sizeof flags));
  }
  PROBE("btree: entries were killed");
  return {};
}

Status IndexScan::check_all_visible(Fiber& fiber, const TableInfo& table,
                                    std::span<uint8_t> all_visible) {
  State& s = *state_;
  BlockNo last = kInvalidBlock;
  bool answer = false;
  for (uint32_t i = 0; i < all_visible.size() && s.last_given + i < s.given; ++i) {
    const BlockNo block = s.entries[s.last_given + i].tid.block;
    if (block != last) answer = TRY(test_all_visible(fiber, s.access, table.file, block));
    last = block;
    all_visible[i] = answer;
  }
  // An entry that vacuum took away since may name a slot that is another row's by now. While the
  // leaf is unchanged no entry of it was taken away, so its rows were what they are.
  const PageRef page = s.access.storage().pool().pin_cached(s.order.index().file, s.leaf);
  if (!page || page.lsn() != s.leaf_lsn)
    std::fill(all_visible.begin(), all_visible.end(), uint8_t{0});
  return {};
}

}  // namespace orrery
