#include "catalog/catalog.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/facts.h"
#include "catalog/relation_loader.h"

namespace orrery {
namespace {

// A name as an index key: 64 bytes, NUL-padded.
struct NameKey {
  explicit NameKey(std::string_view name) {
    std::memcpy(bytes, name.data(), std::min(name.size(), sizeof bytes - 1));
  }
  Datum datum() const { return Datum::of(static_cast<const void*>(bytes)); }
  char bytes[64] = {};
};

std::unique_ptr<NamespaceInfo> make_namespace(const CatalogRow& row) {
  auto out = std::make_unique<NamespaceInfo>();
  out->oid = row.get<Oid>(pg_namespace::oid);
  out->name = row.name(pg_namespace::nspname);
  out->owner = row.get<Oid>(pg_namespace::nspowner);
  out->acl = row.text(pg_namespace::nspacl);
  return out;
}

std::unique_ptr<DatabaseInfo> make_database(const CatalogRow& row) {
  auto out = std::make_unique<DatabaseInfo>();
  out->oid = row.get<Oid>(pg_database::oid);
  out->name = row.name(pg_database::datname);
  out->owner = row.get<Oid>(pg_database::datdba);
  out->tablespace = row.get<Oid>(pg_database::dattablespace);
  out->is_template = row.get<bool>(pg_database::datistemplate);
  out->allow_connections = row.get<bool>(pg_database::datallowconn);
  out->connection_limit = row.get<int32_t>(pg_database::datconnlimit);
  out->acl = row.text(pg_database::datacl);
  return out;
}

// The entry of the one row with this OID, or null.
template <class Make>
Result<CatalogEntry*> load_one(Fiber& fiber, CatalogSource& source, Oid catalog, Oid index, Oid oid,
                               Make make) {
  CatalogEntry* out = nullptr;
  const Datum keys[] = {Datum::of(oid)};
  TRY(source.scan(fiber, catalog, index, keys, [&](const CatalogRow& row, Tid) -> Status {
    if (out == nullptr) out = make(row).release();
    return {};
  }));
  return out;
}

}  // namespace

CatalogReader::CatalogReader(BuiltinCatalog& builtin, CatalogSource& source)
    : builtin_(builtin), source_(source) {}

CatalogReader::~CatalogReader() {
  for (const CatalogEntry* entry : pinned_) entry->unpin();
}

bool CatalogReader::is_current() const {
  return std::ranges::none_of(pinned_, &CatalogEntry::is_retired);
}

Result<const CatalogEntry*> CatalogReader::cached(CacheKind kind, uint64_t key, Load load) {
  // What is read while somebody's commit changes it may be of two minds: then read again. Under a
  // storm of DDL the last reading is used, for this statement alone; the locks its caller takes
  // decide whether it was good enough.
  constexpr int kTries = 5;
  for (int tries = 1;; ++tries) {
    CatalogCache& cache = source_.cache();
    const CatalogEntry* entry = cache.find(kind, key);
    if (entry == nullptr) {
      const uint64_t generation = cache.generation();
      CatalogEntry* made = TRY(load());
      if (made == nullptr) return static_cast<const CatalogEntry*>(nullptr);
      const bool is_stale = cache.generation() != generation;
      if (is_stale && tries < kTries) {
        made->retire();
        continue;
      }
      entry = made;
      entry->pin();
      pinned_.push_back(entry);
      if (is_stale) {
        made->retire();
      } else {
        cache.insert(kind, key, made);
      }
      return entry;
    }
    if (std::find(pinned_.rbegin(), pinned_.rend(), entry) == pinned_.rend()) {
      entry->pin();
      pinned_.push_back(entry);
    }
    return entry;
  }
}

Result<const CatalogType*> CatalogReader::type(Fiber& fiber, Oid oid) {
  if (oid < kFirstUserOid) {
    if (const CatalogType* type = builtin_.type(oid)) return type;
  }
  const CatalogEntry* entry = TRY(cached(CacheKind::type, oid.v, [&] {
    return load_one(fiber, source_, pg_type::kRelation, kPgTypeOidIndex, oid, make_type);
  }));
  return static_cast<const CatalogType*>(entry);
}

Result<const FunctionInfo*> CatalogReader::function(Fiber&, Oid oid) {
  return builtin_.function(oid);
}
Result<const OperatorInfo*> CatalogReader::op(Fiber&, Oid oid) { return builtin_.op(oid); }
Result<const AggregateInfo*> CatalogReader::aggregate(Fiber&, Oid function) {
  return builtin_.aggregate(function);
}
Result<const OpclassInfo*> CatalogReader::opclass(Fiber&, Oid oid) { return builtin_.opclass(oid); }
Result<const CollationInfo*> CatalogReader::collation(Fiber&, Oid oid) {
  return builtin_.collation(oid);
}
Result<const CastInfo*> CatalogReader::cast(Fiber&, Oid source, Oid target) {
  return builtin_.cast(source, target);
}
Result<Oid> CatalogReader::family_operator(Fiber&, Oid family, Oid left, Oid right,
                                           int16_t strategy) {
  return builtin_.family_operator(family, left, right, strategy);
}
Result<Oid> CatalogReader::family_function(Fiber&, Oid family, Oid left, Oid right,
                                           int16_t number) {
  return builtin_.family_function(family, left, right, number);
}
Result<std::vector<FamilyMember>> CatalogReader::memberships(Fiber&, Oid op) {
  return builtin_.memberships(op);
}

Result<const RelationStatistics*> CatalogReader::statistics(Fiber& fiber, Oid relation) {
  const CatalogEntry* entry =
      TRY(cached(CacheKind::statistics, relation.v, [&]() -> Result<CatalogEntry*> {
        std::unique_ptr<RelationStatistics> made = TRY(load_statistics(fiber, source_, relation));
        return static_cast<CatalogEntry*>(made.release());
      }));
  return static_cast<const RelationStatistics*>(entry);
}
Result<const RelationInfo*> CatalogReader::relation(Fiber& fiber, Oid oid) {
  const CatalogEntry* entry =
      TRY(cached(CacheKind::relation, oid.v, [&]() -> Result<CatalogEntry*> {
        std::unique_ptr<RelationInfo> made =
            TRY(load_relation(fiber, source_, builtin_, source_.cache().database(), oid));
        return static_cast<CatalogEntry*>(made.release());
      }));
  return static_cast<const RelationInfo*>(entry);
}

Result<const NamespaceInfo*> CatalogReader::nsp(Fiber& fiber, Oid oid) {
  const CatalogEntry* entry = TRY(cached(CacheKind::nsp, oid.v, [&] {
    return load_one(fiber, source_, pg_namespace::kRelation, kPgNamespaceOidIndex, oid,
                    make_namespace);
  }));
  return static_cast<const NamespaceInfo*>(entry);
}

Result<const RoleInfo*> CatalogReader::role(Fiber& fiber, Oid oid) {
  const CatalogEntry* entry = TRY(cached(CacheKind::role, oid.v, [&]() -> Result<CatalogEntry*> {
    std::unique_ptr<RoleInfo> made = TRY(load_role(fiber, source_, oid));
    return static_cast<CatalogEntry*>(made.release());
  }));
  return static_cast<const RoleInfo*>(entry);
}

Result<const DatabaseInfo*> CatalogReader::database(Fiber& fiber, Oid oid) {
  const CatalogEntry* entry = TRY(cached(CacheKind::database, oid.v, [&] {
    return load_one(fiber, source_, pg_database::kRelation, kPgDatabaseOidIndex, oid,
                    make_database);
  }));
  return static_cast<const DatabaseInfo*>(entry);
}

Result<Oid> CatalogReader::read_name(Fiber& fiber, CacheKind kind, Oid nsp, std::string_view name) {
  struct Place {
    CacheKind kind;
    Oid catalog, index;
    int16_t oid;
  };
  constexpr Place kPlaces[] = {
      {CacheKind::relation_name, pg_class::kRelation, kPgClassRelnameNspIndex, pg_class::oid},
      {CacheKind::type_name, pg_type::kRelation, kPgTypeTypnameNspIndex, pg_type::oid},
      {CacheKind::nsp_name, pg_namespace::kRelation, kPgNamespaceNspnameIndex, pg_namespace::oid},
      {CacheKind::role_name, pg_authid::kRelation, kPgAuthidRolnameIndex, pg_authid::oid},
      {CacheKind::database_name, pg_database::kRelation, kPgDatabaseDatnameIndex, pg_database::oid},
  };
  const Place* place = std::ranges::find(kPlaces, kind, &Place::kind);
  CHECK(place != std::end(kPlaces));
  const NameKey key(name);
  const Datum keys[] = {key.datum(), Datum::of(nsp)};
  const size_t count = kind == CacheKind::relation_name || kind == CacheKind::type_name ? 2 : 1;
  Oid out;
  TRY(source_.scan(fiber, place->catalog, place->index, std::span(keys, count),
                   [&](const CatalogRow& row, Tid) -> Status {
                     out = row.get<Oid>(place->oid);
                     return {};
                   }));
  return out;
}

Result<Oid> CatalogReader::cached_name(Fiber& fiber, CacheKind kind, Oid nsp,
                                       std::string_view name) {
  const CatalogEntry* entry = TRY(cached(kind, name_key(nsp, name), [&]() -> Result<CatalogEntry*> {
    auto made = std::make_unique<NameEntry>();
    made->oid = TRY(read_name(fiber, kind, nsp, name));
    made->nsp = nsp;
    made->name = name;
    return static_cast<CatalogEntry*>(made.release());
  }));
  const auto* held = static_cast<const NameEntry*>(entry);
  if (held->nsp == nsp && held->name == name) return held->oid;
  return read_name(fiber, kind, nsp, name);  // two names of one hash
}

Result<Oid> CatalogReader::relation_oid(Fiber& fiber, Oid nsp, std::string_view name) {
  return cached_name(fiber, CacheKind::relation_name, nsp, name);
}

Result<Oid> CatalogReader::type_oid(Fiber& fiber, Oid nsp, std::string_view name) {
  if (nsp == kPgCatalogNamespace) {
    if (const CatalogType* type = builtin_.type(name)) return type->oid;
  }
  return cached_name(fiber, CacheKind::type_name, nsp, name);
}

Result<Oid> CatalogReader::collation_oid(Fiber&, Oid nsp, std::string_view name) {
  const CollationInfo* collation = nsp == kPgCatalogNamespace ? builtin_.collation(name) : nullptr;
  return collation == nullptr ? kInvalidOid : collation->oid;
}

Result<Oid> CatalogReader::nsp_oid(Fiber& fiber, std::string_view name) {
  return cached_name(fiber, CacheKind::nsp_name, kInvalidOid, name);
}
Result<Oid> CatalogReader::role_oid(Fiber& fiber, std::string_view name) {
  return cached_name(fiber, CacheKind::role_name, kInvalidOid, name);
}
Result<Oid> CatalogReader::database_oid(Fiber& fiber, std::string_view name) {
  return cached_name(fiber, CacheKind::database_name, kInvalidOid, name);
}

Result<Oid> CatalogReader::find_relation(Fiber& fiber, const SearchPath& path,
                                         std::string_view name) {
  for (Oid nsp : path.namespaces) {
    const Oid oid = TRY(relation_oid(fiber, nsp, name));
    if (oid) return oid;
  }
  return kInvalidOid;
}

Result<Oid> CatalogReader::find_type(Fiber& fiber, const SearchPath& path, std::string_view name) {
  for (Oid nsp : path.namespaces) {
    const Oid oid = TRY(type_oid(fiber, nsp, name));
    if (oid) return oid;
  }
  return kInvalidOid;
}

Result<Oid> CatalogReader::find_collation(Fiber& fiber, const SearchPath& path,
                                          std::string_view name) {
  for (Oid nsp : path.namespaces) {
    const Oid oid = TRY(collation_oid(fiber, nsp, name));
    if (oid) return oid;
  }
  return kInvalidOid;
}

Result<FunctionCandidates> CatalogReader::functions(Fiber&, const SearchPath& path,
                                                    std::string_view name) {
  FunctionCandidates out;
  if (std::ranges::find(path.namespaces, kPgCatalogNamespace) == path.namespaces.end()) return out;
  for (const FunctionInfo* function : builtin_.functions(name)) out.functions.push_back(function);
  return out;
}

Result<OperatorCandidates> CatalogReader::operators(Fiber&, const SearchPath& path,
                                                    std::string_view name) {
  OperatorCandidates out;
  if (std::ranges::find(path.namespaces, kPgCatalogNamespace) == path.namespaces.end()) return out;
  const std::span<const OperatorInfo* const> all = builtin_.operators(name);
  out.operators.assign(all.begin(), all.end());
  return out;
}

Result<SearchPath> CatalogReader::resolve_path(Fiber& fiber, std::span<const std::string> path,
                                               Oid role, Oid temporary) {
  SearchPath out;
  std::vector<Oid> named;
  for (const std::string& name : path) {
    Oid oid;
    if (name == "$user") {
      const RoleInfo* info = TRY(this->role(fiber, role));
      if (info != nullptr) oid = TRY(nsp_oid(fiber, info->name));
    } else if (name == "pg_temp") {
      oid = temporary;
    } else {
      oid = TRY(nsp_oid(fiber, name));
    }
    if (oid && std::ranges::find(named, oid) == named.end()) named.push_back(oid);
  }
  if (!named.empty()) out.creation = named.front();
  // The session's temporary schema and pg_catalog are searched first where the path does not place
  // them.
  if (temporary && std::ranges::find(named, temporary) == named.end())
    out.namespaces.push_back(temporary);
  if (std::ranges::find(named, kPgCatalogNamespace) == named.end())
    out.namespaces.push_back(kPgCatalogNamespace);
  out.namespaces.insert(out.namespaces.end(), named.begin(), named.end());
  return out;
}

Result<bool> CatalogReader::is_member(Fiber& fiber, Oid role, Oid group) {
  std::vector<Oid> reached = {role};
  for (size_t i = 0; i < reached.size(); ++i) {
    if (reached[i] == group) return true;
    const RoleInfo* info = TRY(this->role(fiber, reached[i]));
    if (info == nullptr) continue;
    if (i == 0 && info->superuser) return true;
    for (Oid next : info->member_of) {
      if (std::ranges::find(reached, next) == reached.end()) reached.push_back(next);
    }
  }
  return false;
}

}  // namespace orrery
