// Entries made from catalog rows, by what they are looked up with. A commit that changed catalog
// rows carries invalidations; they are applied to the database's shared cache in the same step that
// makes the commit visible.
//
// A miss reads rows, which may suspend; what was read is put in only if no invalidation came
// meanwhile, which generation() tells. Keys are 64-bit: an OID, or a hash of a name, with the name
// kept in the entry and compared.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "base/ids.h"
#include "catalog/entry.h"

namespace orrery {

enum class CacheKind : uint8_t {
  relation =
      1,  // by pg_class OID: also for changes of its columns, indexes, constraints, statistics
  relation_name = 2,  // by schema and name
  type = 3,
  type_name = 4,
  nsp = 5,
  nsp_name = 6,
  role = 7,  // also for memberships
  role_name = 8,
  database = 9,
  database_name = 10,
  everything = 11,
  statistics = 12,  // by pg_class OID; goes with the relation
};

// Part of commit records: kinds and keys cannot be renumbered, nor name_key changed.
struct Invalidation {
  CacheKind kind;
  Oid database;  // 0: of all databases
  uint64_t key;
  friend bool operator==(const Invalidation&, const Invalidation&) = default;
};
uint64_t name_key(Oid nsp, std::string_view name);

// That a name means `oid`, or nothing (0).
struct NameEntry : CatalogEntry {
  Oid nsp;
  std::string name;
  Oid oid;
};

class CatalogCache {
 public:
  explicit CatalogCache(Oid database) : database_(database) {}
  CatalogCache(const CatalogCache&) = delete;
  ~CatalogCache() { clear(); }

  // Null when absent.
  const CatalogEntry* find(CacheKind kind, uint64_t key) const;
  // Takes ownership; an entry already there is retired.
  void insert(CacheKind kind, uint64_t key, CatalogEntry* entry);
  void invalidate(const Invalidation& what);
  void clear();
  // Changes with every invalidation.
  uint64_t generation() const { return generation_; }
  size_t size() const { return entries_.size(); }
  Oid database() const { return database_; }

 private:
  struct Key {
    CacheKind kind;
    uint64_t key;
    friend auto operator<=>(const Key&, const Key&) = default;
    friend uint64_t hash_value(const Key& k) {
      return hash_combine(static_cast<uint64_t>(k.kind), k.key);
    }
  };
  Oid database_;
  HashMap<Key, CatalogEntry*> entries_;
  uint64_t generation_ = 0;
};

}  // namespace orrery
