// Finding one's way down the tree, and the pieces that inserting, vacuuming and checking share. A
// page is let go before the next is pinned; what changes in between is met by moving right.
#pragma once

#include <vector>

#include "access/btree_key.h"
#include "base/function.h"

namespace orrery {

// The parents passed on the way down, root first. A hint: each may have been split since.
struct DescentPath {
  std::array<BlockNo, 32> blocks;
  uint32_t depth = 0;
  void push(BlockNo block) {
    CHECK(depth < blocks.size());
    blocks[depth++] = block;
  }
  BlockNo pop() { return depth == 0 ? kInvalidBlock : blocks[--depth]; }
};

// Asked at each step to the right: has the walk come back to a page? Only a damaged index leads in
// a circle.
class CircleGuard {
 public:
  bool is_back_at(BlockNo block) {
    if (block == mark_) return true;
    if (++steps_ < limit_) return false;
    mark_ = block;
    steps_ = 0;
    limit_ *= 2;
    return false;
  }

 private:
  BlockNo mark_ = kInvalidBlock;
  uint64_t steps_ = 0, limit_ = 1;
};

class BTreeDescent {
 public:
  BTreeDescent(Access& access, const IndexOrder& order)
      : access_(access),
        order_(order),
        memory_(access.index_memory_of(order.index().file)),
        file_(order.index().file) {}

  // The page of `level` in whose range the key lies. `path` (or null) gets the parents. An empty
  // PageRef: the tree has not so many levels. Splits without downlink that are met are finished if
  // `finish_splits`.
  Result<PageRef> descend(Fiber& fiber, const SearchKey& key, uint32_t level, DescentPath* path,
                          bool finish_splits);
  // Moves right while the key lies beyond `page`, and over unlinked pages.
  Status move_right(Fiber& fiber, const SearchKey& key, PageRef* page, bool finish_splits);
  // One step to the right. XX002 where there is none, or the walk goes in a circle.
  Status step_right(Fiber& fiber, PageRef* page, CircleGuard& guard);
  // A page of this index; XX002 when it is none.
  Result<PageRef> pin(Fiber& fiber, BlockNo block);
  // An unused page, pinned: a reusable one or a new one at the end. It must be initialised in the
  // step that links it.
  Result<PageRef> allocate(Fiber& fiber);
  // Such a page, given back unless it was used.
  class FreshPage {
   public:
    FreshPage(BTreeDescent& descent, PageRef page) : descent_(descent), page_(std::move(page)) {}
    FreshPage(const FreshPage&) = delete;
    ~FreshPage() {
      if (!used_ && page_) descent_.memory_.unlinked.push_front({page_.block(), 0});
    }
    PageRef& page() { return page_; }
    void set_used() { used_ = true; }

   private:
    BTreeDescent& descent_;
    PageRef page_;
    bool used_ = false;
  };

  // Adds the downlink that the right sibling of `left` lacks.
  Status finish_split(Fiber& fiber, BlockNo left, uint32_t level);

  // Puts `item` into the page where it belongs on `level`, splitting on the way as needed. `key` is
  // its place. For internal levels `left_child` is the page whose split this completes.
  // `still_wanted` is asked in the step itself.
  struct Insertion {
    Bytes item;
    const SearchKey& key;
    uint32_t level;
    BlockNo left_child = kInvalidBlock;
    Xid xid{};
  };
  // False when left_child's split was completed by somebody else.
  Result<bool> insert(Fiber& fiber, const Insertion& insertion, FunctionRef<bool()> still_wanted);

  Access& access() { return access_; }
  IndexMemory& memory() { return memory_; }
  const IndexOrder& order() const { return order_; }
  FileId file() const { return file_; }

 private:
  struct Split;
  Result<PageRef> pin_root(Fiber& fiber);
  Result<bool> insert_with_room(Fiber& fiber, const Insertion& insertion, PageRef& page,
                                PageRef* child, FunctionRef<bool()> still_wanted, bool* done);
  // What became of one attempt at an insertion.
  struct Attempt {
    bool done = false;
    bool inserted = false;
    BlockNo incomplete = kInvalidBlock;  // finish this split next
  };
  Result<Attempt> insert_claimed(Fiber& fiber, const Insertion& insertion,
                                 FunctionRef<bool()> still_wanted);
  Status split(Fiber& fiber, const Insertion& insertion, PageRef& page, PageRef& fresh,
               PageRef& sibling, PageRef* child, FunctionRef<bool()> still_wanted,
               Attempt* attempt);
  Status grow_root(Fiber& fiber, BlockNo left, uint32_t level);
  Result<bool> remove_killed(Fiber& fiber, PageRef& page);

  Access& access_;
  const IndexOrder& order_;
  IndexMemory& memory_;
  const FileId file_;
};

Status index_damaged(const IndexInfo& index, BlockNo block, std::string_view what);

}  // namespace orrery
