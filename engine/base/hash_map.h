// Hash map and set whose order cannot be seen: there is no begin(), so nothing can come to depend
// on it. Walk them with sorted_keys() or keep an ordered container beside them. Hashing is
// base/hash.h's, with fixed seeds.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/hash.h"

namespace orrery {

struct HashMapHash {
  using is_transparent = void;
  using is_avalanching = void;
  template <class K>
  size_t operator()(const K& key) const {
    return hash_value(key);
  }
};

// References to values are invalidated by insertion.
template <class Key, class Value>
class HashMap {
 public:
  // Null when absent.
  template <class K>
  Value* find(const K& key) {
    auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second;
  }
  template <class K>
  const Value* find(const K& key) const {
    auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second;
  }
  template <class K>
  bool contains(const K& key) const {
    return map_.find(key) != map_.end();
  }
  Value& operator[](const Key& key) { return map_[key]; }
  // False when the key was there already; then nothing changes.
  bool insert(Key key, Value value) {
    return map_.emplace(std::move(key), std::move(value)).second;
  }
  template <class K>
  bool erase(const K& key) {
    auto it = map_.find(key);
    if (it == map_.end()) return false;
    map_.erase(it);
    return true;
  }
  void clear() { map_.clear(); }
  void reserve(size_t count) { map_.reserve(count); }
  size_t size() const { return map_.size(); }
  bool empty() const { return map_.empty(); }
  std::vector<Key> sorted_keys() const {
    std::vector<Key> keys;
    keys.reserve(map_.size());
    for (const auto& entry : map_) keys.push_back(entry.first);
    std::sort(keys.begin(), keys.end());
    return keys;
  }

 private:
  boost::unordered_flat_map<Key, Value, HashMapHash, std::equal_to<>> map_;
};

}  // namespace orrery
