// The built-in types, functions, operators, casts and operator classes, served from the fact
// tables: no page is read and nothing suspends. Entries are made when first asked for and stay as
// long as this. One per node, shared by its databases. Their OIDs are below kFirstUserOid and their
// rows cannot be changed (42501 says so), so these answers hold for ever.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "catalog/info.h"
#include "catalog/row.h"

namespace orrery {

constexpr Oid kPgCatalogNamespace{11};
constexpr Oid kPgToastNamespace{99};
constexpr Oid kPublicNamespace{2200};
constexpr Oid kBootstrapSuperuser{10};
constexpr Oid kDefaultTablespace{1663};
constexpr Oid kGlobalTablespace{1664};
constexpr Oid kDefaultCollation{100};
constexpr Oid kCCollation{950};
constexpr Oid kHeapAccessMethod{2};
constexpr Oid kBtreeAccessMethod{403};
constexpr Oid kHashAccessMethod{405};

class BuiltinCatalog {
 public:
  BuiltinCatalog();
  BuiltinCatalog(const BuiltinCatalog&) = delete;
  ~BuiltinCatalog();

  // Null: there is none.
  const CatalogType* type(Oid oid);
  const CatalogType* type(std::string_view name);
  const FunctionInfo* function(Oid oid);
  const OperatorInfo* op(Oid oid);
  const CastInfo* cast(Oid source, Oid target);
  const AggregateInfo* aggregate(Oid function);
  const OpclassInfo* opclass(Oid oid);
  const CollationInfo* collation(Oid oid);
  const CollationInfo* collation(std::string_view name);

  // All of that name, whatever their arguments, by number of arguments, then OID.
  std::span<const FunctionInfo* const> functions(std::string_view name);
  std::span<const OperatorInfo* const> operators(std::string_view name);
  // All operator classes of an access method for exactly this type.
  std::vector<const OpclassInfo*> opclasses(Oid method, Oid type);
  // The class of this name, 0 when there is none.
  Oid opclass(Oid method, std::string_view name) const;
  // 0: there is none.
  Oid family_operator(Oid family, Oid left, Oid right, int16_t strategy) const;
  Oid family_function(Oid family, Oid left, Oid right, int16_t number) const;
  std::vector<FamilyMember> memberships(Oid op) const;
  // Name of pg_am, pg_language, pg_opfamily rows; empty when there is none.
  std::string_view access_method_name(Oid oid) const;
  std::string_view language_name(Oid oid) const;
  std::string_view family_name(Oid oid) const;
  // 0 when there is none.
  Oid access_method(std::string_view name) const;
  // pg_range.rngsubtype, 0 when `range` is no range type.
  Oid range_subtype(Oid range) const;

 private:
  struct Made;  // entries made so far
  std::unique_ptr<Made> made_;
};

// Made from rows; shared with the caches for rows of users.
std::unique_ptr<CatalogType> make_type(const CatalogRow& row);
std::unique_ptr<FunctionInfo> make_function(const CatalogRow& row);
std::unique_ptr<OperatorInfo> make_operator(const CatalogRow& row);
std::unique_ptr<CastInfo> make_cast(const CatalogRow& row);
std::unique_ptr<AggregateInfo> make_aggregate(const CatalogRow& row);
std::unique_ptr<OpclassInfo> make_opclass(const CatalogRow& row);
std::unique_ptr<CollationInfo> make_collation(const CatalogRow& row);

}  // namespace orrery
