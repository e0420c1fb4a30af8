#include "catalog/cache.h"

namespace orrery {

uint64_t name_key(Oid nsp, std::string_view name) { return hash_text(name, nsp.v); }

const CatalogEntry* CatalogCache::find(CacheKind kind, uint64_t key) const {
  CatalogEntry* const* entry = entries_.find(Key{kind, key});
  return entry == nullptr ? nullptr : *entry;
}

void CatalogCache::insert(CacheKind kind, uint64_t key, CatalogEntry* entry) {
  CHECK(kind != CacheKind::everything);
  CHECK(!entry->is_retired());
  CatalogEntry*& place = entries_[Key{kind, key}];
  if (place != nullptr) place->retire();
  place = entry;
}

void CatalogCache::invalidate(const Invalidation& what) {
  if (what.kind == CacheKind::everything) return clear();
  ++generation_;
  if (what.kind == CacheKind::relation)
    invalidate({CacheKind::statistics, what.database, what.key});
  const Key key{what.kind, what.key};
  CatalogEntry** entry = entries_.find(key);
  if (entry == nullptr) return;
  (*entry)->retire();
  entries_.erase(key);
}

void CatalogCache::clear() {
  ++generation_;
  for (const Key& key : entries_.sorted_keys()) (*entries_.find(key))->retire();
  entries_.clear();
}

}  // namespace orrery
