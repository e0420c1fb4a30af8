#include "access/btree_descent.h"

#include "base/probe.h"
#include "base/text.h"

namespace orrery {

Status index_damaged(const IndexInfo& index, BlockNo block, std::string_view what) {
  return raise(sqlstate::index_corrupted,
               cat("index \"", index.name, "\" is corrupted at block ", block))
      .detail(std::string(what))
      .hint("Please REINDEX it.");
}

Result<PageRef> BTreeDescent::pin(Fiber& fiber, BlockNo block) {
  PageRef page = TRY(access_.storage().pool().pin(fiber, file_, block));
  if (page.kind() != PageKind::btree) {
    return index_damaged(order_.index(), block, "The page is not an index page.");
  }
  return page;
}

Result<PageRef> BTreeDescent::pin_root(Fiber& fiber) {
  if (memory_.root != kInvalidBlock) {
    PageRef page = TRY(access_.storage().pool().pin(fiber, file_, memory_.root));
    if (page.kind() == PageKind::btree && BTreePage(page).has(kBTreeRoot)) return page;
    memory_.root = kInvalidBlock;
  }
  BlockNo root;
  {
    const PageRef meta = TRY(pin(fiber, kBTreeMetaBlock));
    if (load<uint32_t>(meta.data() + kPageHeaderBytes) != kBTreeMagic) {
      return index_damaged(order_.index(), kBTreeMetaBlock, "The meta page has no magic number.");
    }
    if (const auto version = load<uint32_t>(meta.data() + kPageHeaderBytes + 4);
        version != kBTreeVersion) {
      return raise(
          sqlstate::feature_not_supported,
          cat("version ", version, " of index \"", order_.index().name, "\" is not supported"));
    }
    root = BlockNo(load<uint32_t>(meta.data() + kMetaRootOffset));
  }
  memory_.root = root;
  return pin(fiber, root);
}

Status BTreeDescent::move_right(Fiber& fiber, const SearchKey& key, PageRef* page,
                                bool finish_splits) {
  CircleGuard guard;
  for (;;) {
    const BTreePage view(*page);
    if (view.has(kBTreeDeleted)) {
      PROBE("btree: a descent met an unlinked page");
    } else if (!order_.is_beyond(key, view)) {
      return {};
    } else if (finish_splits && view.has(kBTreeIncompleteSplit)) {
      const BlockNo block = page->block();
      const uint32_t level = view.level();
      page->release();
      TRY(finish_split(fiber, block, level));
      *page = TRY(pin(fiber, block));
      continue;
    }
    TRY(step_right(fiber, page, guard));
  }
}

Status BTreeDescent::step_right(Fiber& fiber, PageRef* page, CircleGuard& guard) {
  const BlockNo next = BTreePage(*page).right();
  if (next == kInvalidBlock)
    return index_damaged(order_.index(), page->block(), "A right link is missing.");
  if (guard.is_back_at(next))
    return index_damaged(order_.index(), next, "Its right links lead in a circle.");
  page->release();
  TRY(fiber.charge(1));
  *page = TRY(pin(fiber, next));
  return {};
}

Result<PageRef> BTreeDescent::descend(Fiber& fiber, const SearchKey& key, uint32_t level,
                                      DescentPath* path, bool finish_splits) {
  PageRef page = TRY(pin_root(fiber));
  if (BTreePage(page).level() < level) return PageRef();
  for (;;) {
    TRY(move_right(fiber, key, &page, finish_splits));
    const BTreePage view(page);
    if (view.level() == level) return page;
    if (view.first_data() >= view.end_data()) {
      return index_damaged(order_.index(), page.block(), "An internal page is empty.");
    }
    const BlockNo child = view.item(order_.find_child(key, view)).child();
    const uint32_t below = view.level() - 1;
    if (path != nullptr) path->push(page.block());
    page.release();
    page = TRY(pin(fiber, child));
    if (!BTreePage(page).has(kBTreeDeleted) && BTreePage(page).level() != below) {
      return index_damaged(order_.index(), child,
                           "The page is of another level than its parent says.");
    }
  }
}

Result<PageRef> BTreeDescent::allocate(Fiber& fiber) {
  while (!memory_.unlinked.empty() && access_.descents().is_past(memory_.unlinked.front().moment)) {
    const BlockNo block = memory_.unlinked.front().block;
    memory_.unlinked.pop_front();
    PageRef page = TRY(access_.storage().pool().pin(fiber, file_, block));
    if (page.kind() == PageKind::none || BTreePage(page).has(kBTreeDeleted)) {
      PROBE("btree: an unlinked page is used again");
      return page;
    }
  }
  return access_.storage().pool().extend(fiber, file_);
}

}  // namespace orrery
