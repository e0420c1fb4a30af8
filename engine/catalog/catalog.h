// The catalog of an open database, as statements read it.
//
//   BuiltinCatalog   facts, one per node             (builtin.h)
//   CatalogCache     entries made from rows (cache.h): one shared by the sessions of a database, of
//                    the newest committed state; one of its own for each transaction that has
//                    itself changed the catalog
//   CatalogReader    one per statement or cached plan: looks things up, and pins what it handed out
//
// Lookups take a Fiber because a miss reads catalog tables; a hit does not suspend. Pointers are
// valid until the reader that gave them is destroyed, whatever commits meanwhile. A reader that
// outlives its statement (a cached plan's) tells by is_current() whether anything it was told, a
// name that meant nothing included, has changed since.
//
// Reading is not locking: whoever looks up a table by name locks its OID and looks up again, until
// both agree.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "catalog/builtin.h"
#include "catalog/cache.h"
#include "catalog/relation_info.h"
#include "catalog/source.h"
#include "catalog/statistics.h"

namespace orrery {

// search_path resolved to OIDs. pg_catalog comes first unless the path names it; schemas that do
// not exist are left out.
struct SearchPath {
  std::vector<Oid> namespaces;  // in the order of search, pg_catalog included
  Oid creation;  // where new objects go; 0: "no schema has been selected to create in" (3F000)
};

// What lookups by name hand back: candidates in order of the path, those hidden by an equal
// signature before them left out.
struct FunctionCandidates {
  std::vector<const FunctionInfo*> functions;
};
struct OperatorCandidates {
  std::vector<const OperatorInfo*> operators;
};

class CatalogReader {
 public:
  // `source` outlives this.
  CatalogReader(BuiltinCatalog& builtin, CatalogSource& source);
  CatalogReader(const CatalogReader&) = delete;
  ~CatalogReader();

  // By OID. Null: no such row.
  Result<const CatalogType*> type(Fiber& fiber, Oid oid);
  Result<const FunctionInfo*> function(Fiber& fiber, Oid oid);
  Result<const OperatorInfo*> op(Fiber& fiber, Oid oid);
  Result<const AggregateInfo*> aggregate(Fiber& fiber, Oid function);
  Result<const OpclassInfo*> opclass(Fiber& fiber, Oid oid);
  Result<const CollationInfo*> collation(Fiber& fiber, Oid oid);
  Result<const RelationInfo*> relation(Fiber& fiber, Oid oid);
  // Never null: of a table that was not analyzed it has no columns.
  Result<const RelationStatistics*> statistics(Fiber& fiber, Oid relation);
  Result<const NamespaceInfo*> nsp(Fiber& fiber, Oid oid);
  Result<const RoleInfo*> role(Fiber& fiber, Oid oid);
  Result<const DatabaseInfo*> database(Fiber& fiber, Oid oid);

  // By name within one schema. 0: no such object.
  Result<Oid> relation_oid(Fiber& fiber, Oid nsp, std::string_view name);
  Result<Oid> type_oid(Fiber& fiber, Oid nsp, std::string_view name);
  Result<Oid> collation_oid(Fiber& fiber, Oid nsp, std::string_view name);
  // By name.
  Result<Oid> nsp_oid(Fiber& fiber, std::string_view name);
  Result<Oid> role_oid(Fiber& fiber, std::string_view name);
  Result<Oid> database_oid(Fiber& fiber, std::string_view name);

  // Along a search path: the first schema that has it. 0: none has.
  Result<Oid> find_relation(Fiber& fiber, const SearchPath& path, std::string_view name);
  Result<Oid> find_type(Fiber& fiber, const SearchPath& path, std::string_view name);
  Result<Oid> find_collation(Fiber& fiber, const SearchPath& path, std::string_view name);
  // Every function or operator of that name along the path; overload resolution is the analyzer's.
  Result<FunctionCandidates> functions(Fiber& fiber, const SearchPath& path, std::string_view name);
  Result<OperatorCandidates> operators(Fiber& fiber, const SearchPath& path, std::string_view name);

  // Null: no such cast in pg_cast (binary coercion of arrays, domains and I/O casts are the
  // analyzer's rules).
  Result<const CastInfo*> cast(Fiber& fiber, Oid source, Oid target);
  // Strategies: btree 1 < 2 <= 3 = 4 >= 5 >; hash 1 =. Support functions: btree 1 compare; hash 1
  // hash, 2 hash extended.
  Result<Oid> family_operator(Fiber& fiber, Oid family, Oid left, Oid right, int16_t strategy);
  Result<Oid> family_function(Fiber& fiber, Oid family, Oid left, Oid right, int16_t number);
  Result<std::vector<FamilyMember>> memberships(Fiber& fiber, Oid op);
  // The default operator class of a type, through binary-compatible types (varchar has text's) and
  // domains' base types; arrays, enums, records and ranges have their any-class. 0: none.
  Result<Oid> default_opclass(Fiber& fiber, Oid type, Oid method);
  Result<TypeOperators> type_operators(Fiber& fiber, Oid type);
  Result<Oid> array_type(Fiber& fiber, Oid element);
  // Whether values of `source` are values of `target` as they are, without a function, and
  // implicitly so.
  Result<bool> is_binary_coercible(Fiber& fiber, Oid source, Oid target);
  // A domain's base type, at the end of the chain; other types are their own.
  Result<Oid> base_type(Fiber& fiber, Oid type, int32_t* typmod);

  // search_path's text against what exists; "$user" is `role`'s name. `temporary` is the session's
  // pg_temp schema or 0.
  Result<SearchPath> resolve_path(Fiber& fiber, std::span<const std::string> path, Oid role,
                                  Oid temporary);
  // Whether `role` is `group` or a member of it, through any number of steps; superusers are
  // members of everything.
  Result<bool> is_member(Fiber& fiber, Oid role, Oid group);

  // False once anything looked up through this was changed by a commit.
  bool is_current() const;
  BuiltinCatalog& builtin() { return builtin_; }

 private:
  using Load = FunctionRef<Result<CatalogEntry*>()>;
  Result<const CatalogEntry*> cached(CacheKind kind, uint64_t key, Load load);
  Result<Oid> cached_name(Fiber& fiber, CacheKind kind, Oid nsp, std::string_view name);
  Result<Oid> read_name(Fiber& fiber, CacheKind kind, Oid nsp, std::string_view name);

  BuiltinCatalog& builtin_;
  CatalogSource& source_;
  std::vector<const CatalogEntry*> pinned_;
};

}  // namespace orrery
