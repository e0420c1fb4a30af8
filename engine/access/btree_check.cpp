// The whole tree, read and held against its rules.
#include <vector>

#include "access/btree_descent.h"
#include "base/text.h"

namespace orrery {

namespace {

class TreeCheck {
 public:
  TreeCheck(Access& access, const IndexOrder& order) : order_(order), descent_(access, order) {}

  Status run(Fiber& fiber, BTree::Shape* shape);

 private:
  struct Child {
    BlockNo block;
    std::string lower;  // the separator of its downlink; empty: minus infinity
  };
  Status check_level(Fiber& fiber, uint32_t level, const std::vector<Child>& expected,
                     std::vector<Child>* children, BTree::Shape* shape);
  Status check_page(const PageRef& page, uint32_t level, const std::string& lower);
  Status wrong(const PageRef& page, std::string_view what) const {
    return index_damaged(order_.index(), page.block(), what);
  }

  const IndexOrder& order_;
  BTreeDescent descent_;
};

IndexItem view_of(const std::string& item) {
  return IndexItem(reinterpret_cast<const std::byte*>(item.data()));
}

Status TreeCheck::check_page(const PageRef& page, uint32_t level, const std::string& lower) {
  const BTreePage view(page);
  const PageHeader& header = page.header();
  if (view.level() != level) return wrong(page, "The level is wrong.");
  if (view.is_leaf() != (level == 0)) return wrong(page, "The leaf flag is wrong.");
  if (header.lower > header.upper || header.upper > header.special ||
      header.special != kBTreeSpecial) {
    return wrong(page, "The header's bounds are out of order.");
  }
  if (level > 0 && view.first_data() == view.end_data())
    return wrong(page, "An internal page is empty.");
  uint32_t used = 0;
  for (uint16_t n = 1; n < view.end_data(); ++n) {
    const Slot slot = view.slot(n);
    if (slot.offset < header.upper || slot.offset + slot.length > header.special ||
        slot.length < kItemHeaderBytes) {
      return wrong(page, cat("Line pointer ", n, " points outside."));
    }
    if (view.item(n).size() != slot.length)
      return wrong(page, cat("Item ", n, " has another length than its slot."));
    const bool pivot = level > 0 || n < view.first_data();
    if (view.item(n).is_pivot() != pivot)
      return wrong(page, cat("Item ", n, " is of the wrong kind."));
    used += align8(slot.length);
  }
  if (used > uint32_t{header.special} - header.upper) return wrong(page, "Items overlap.");
  IndexOrder::ItemKey key;
  for (uint16_t n = view.first_data(); n < view.end_data(); ++n) {
    if (level > 0 && n == view.first_data()) {
      if (view.item(n).kept_columns() != 0)
        return wrong(page, "The first item is not minus infinity.");
      continue;
    }
    order_.key_of(view.item(n), &key);
    if (level == 0) {
      key.key.side = KeySide::at_tid;
      key.key.tid = view.item(n).tid();
    }
    if (!lower.empty() && order_.compare(key.key, view_of(lower)) < 0) {
      return wrong(page, cat("Item ", n, " lies below the page's range."));
    }
    if (!view.is_rightmost() && order_.compare(key.key, view.high_key()) >= 0) {
      return wrong(page, cat("Item ", n, " is not below the high key."));
    }
    if (n + 1 < view.end_data() &&
        order_.compare(key.key, view.item(static_cast<uint16_t>(n + 1))) >= 0) {
      return wrong(page, cat("Items ", n, " and ", n + 1, " are out of order."));
    }
  }
  return {};
}

Status TreeCheck::check_level(Fiber& fiber, uint32_t level, const std::vector<Child>& expected,
                              std::vector<Child>* children, BTree::Shape* shape) {
  size_t next_expected = 0;
  BlockNo block = expected.front().block;
  BlockNo left = kInvalidBlock;
  bool left_incomplete = false;
  std::string lower;
  while (block != kInvalidBlock) {
    const PageRef page = TRY(descent_.pin(fiber, block));
    const BTreePage view(page);
    if (view.has(kBTreeDeleted)) return wrong(page, "A link leads to an unlinked page.");
    if (view.left() != left)
      return wrong(page, cat("The left link is ", view.left(), ", not ", left, "."));
    if (next_expected < expected.size() && expected[next_expected].block == block) {
      const std::string& separator = expected[next_expected++].lower;
      if (separator.empty() != lower.empty()) return wrong(page, "Downlink and high key disagree.");
      if (!separator.empty()) {
        IndexOrder::ItemKey key;
        order_.key_of(view_of(separator), &key);
        if (order_.compare(key.key, view_of(lower)) != 0)
          return wrong(page, "Downlink and high key disagree.");
      }
    } else if (!left_incomplete) {
      return wrong(page, "The page has no downlink.");
    }
    TRY(check_page(page, level, lower));
    for (uint16_t n = view.first_data(); level > 0 && n < view.end_data(); ++n) {
      const IndexItem item = view.item(n);
      Child child{item.child(),
                  std::string(reinterpret_cast<const char*>(item.bytes()), item.size())};
      if (item.kept_columns() == 0) child.lower = lower;
      children->push_back(std::move(child));
    }
    ++shape->pages;
    if (level == 0) {
      ++shape->leaf_pages;
      shape->entries += static_cast<uint64_t>(view.end_data() - view.first_data());
    }
    left_incomplete = view.has(kBTreeIncompleteSplit);
    lower = view.is_rightmost()
                ? std::string()
                : std::string(reinterpret_cast<const char*>(view.high_key().bytes()),
                              view.high_key().size());
    left = block;
    block = view.right();
    TRY(fiber.charge(20));
  }
  if (next_expected != expected.size()) {
    return index_damaged(order_.index(), expected[next_expected].block,
                         "A downlink leads past its level's chain.");
  }
  return {};
}

Status TreeCheck::run(Fiber& fiber, BTree::Shape* shape) {
  std::vector<Child> pages;
  uint32_t level = 0;
  {
    const PageRef meta = TRY(descent_.pin(fiber, kBTreeMetaBlock));
    pages.push_back({BlockNo(load<uint32_t>(meta.data() + kMetaRootOffset)), {}});
    const PageRef root = TRY(descent_.pin(fiber, pages.front().block));
    level = BTreePage(root).level();
  }
  shape->height = level + 1;
  for (;;) {
    std::vector<Child> children;
    TRY(check_level(fiber, level, pages, &children, shape));
    if (level == 0) return {};
    --level;
    pages = std::move(children);
  }
}

}  // namespace

Status BTree::check(Fiber& fiber) {
  const IndexOrder order(index_);
  Shape ignored;
  return TreeCheck(access_, order).run(fiber, &ignored);
}

Result<BTree::Shape> BTree::shape(Fiber& fiber) {
  const IndexOrder order(index_);
  Shape shape;
  TRY(TreeCheck(access_, order).run(fiber, &shape));
  return shape;
}

}  // namespace orrery
