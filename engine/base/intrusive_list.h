// A doubly linked list through members of its items: no allocation, removal in constant time from
// anywhere. An item must leave its list before it dies.
#pragma once

#include <cstddef>

#include "base/check.h"

namespace orrery {

template <class T>
struct ListHook {
  T* previous = nullptr;
  T* next = nullptr;
  bool linked = false;
  ~ListHook() { CHECK(!linked); }
};

template <class T, ListHook<T> T::* hook>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;

  void push_back(T& item) {
    ListHook<T>& h = item.*hook;
    CHECK(!h.linked);
    h.previous = last_;
    h.next = nullptr;
    h.linked = true;
    (last_ == nullptr ? first_ : (last_->*hook).next) = &item;
    last_ = &item;
    ++size_;
  }
  void push_front(T& item) {
    ListHook<T>& h = item.*hook;
    CHECK(!h.linked);
    h.previous = nullptr;
    h.next = first_;
    h.linked = true;
    (first_ == nullptr ? last_ : (first_->*hook).previous) = &item;
    first_ = &item;
    ++size_;
  }
  // Behind `previous`, which is in the list; null puts it first.
  void insert_after(T* previous, T& item) {
    if (previous == nullptr) return push_front(item);
    if (previous == last_) return push_back(item);
    ListHook<T>& h = item.*hook;
    CHECK(!h.linked);
    h.previous = previous;
    h.next = (previous->*hook).next;
    h.linked = true;
    (previous->*hook).next = &item;
    (h.next->*hook).previous = &item;
    ++size_;
  }
  void remove(T& item) {
    ListHook<T>& h = item.*hook;
    CHECK(h.linked);
    (h.previous == nullptr ? first_ : (h.previous->*hook).next) = h.next;
    (h.next == nullptr ? last_ : (h.next->*hook).previous) = h.previous;
    h.previous = h.next = nullptr;
    h.linked = false;
    --size_;
  }
  T* front() const { return first_; }
  T* back() const { return last_; }
  T* next_of(const T& item) const { return (item.*hook).next; }
  T* pop_front() {
    T* item = first_;
    if (item != nullptr) remove(*item);
    return item;
  }
  size_t size() const { return size_; }
  bool empty() const { return first_ == nullptr; }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace orrery
