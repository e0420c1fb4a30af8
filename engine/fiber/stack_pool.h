// Stacks for fibers: address space is reserved, pages come when touched, and the page below each
// stack is a guard, so that an overflow faults instead of writing into a neighbour. Stacks are
// reused, the last one first (its pages are warm); beyond a few, a returned stack gives its pages
// back to the system, so that a crowd that has left costs nothing.
//
// A stack with its guard takes two of the kernel's mappings, of which a process has 65,530 by
// default.
#pragma once

#include <cstddef>
#include <vector>

namespace orrery {

struct Stack {
  void* bottom = nullptr;
  size_t size = 0;
};

// Called on the stack itself: what lies well below the caller's frame.
void give_back_unused_pages(Stack stack);

class StackPool {
 public:
  // `stack_bytes` is rounded up to whole pages.
  explicit StackPool(size_t stack_bytes);
  StackPool(const StackPool&) = delete;
  ~StackPool();  // REQUIRES: every stack was returned

  // Null bottom when the system has no more address space or mappings.
  Stack take();
  void give_back(Stack stack);
  size_t in_use() const { return in_use_; }

 private:
  size_t stack_bytes_;
  size_t in_use_ = 0;
  std::vector<void*> warm_;  // pages kept
  std::vector<void*> cold_;  // address space only
};

}  // namespace orrery
