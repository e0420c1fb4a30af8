// Catalog rows as the layers above read them: types, functions, operators, casts, operator classes
// and the small objects. Fields keep the names of PostgreSQL's columns without their prefix. Tables
// and indexes are in relation_info.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "catalog/entry.h"
#include "types/tuple_desc.h"
#include "types/type_io.h"

namespace orrery {

// pg_type. What input, output and comparison need is `io` (types/type_io.h).
struct CatalogType : CatalogEntry {
  Oid oid, nsp, owner;
  std::string name;
  TypeInfo io;  // for user types with the functions their kind shares; io.name is `name`
  char type =
      'b';  // typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange
  char category = 'U';
  bool preferred = false;
  bool defined = true;
  Oid relation;   // typrelid of a composite
  Oid element;    // typelem: of arrays, and of fixed-length types such as point
  Oid array;      // its array type
  Oid subscript;  // typsubscript function; 0: not subscriptable
  Oid input, output, receive, send, typmod_in, typmod_out;  // pg_proc
  char storage = 'p';
  bool not_null = false;  // domains
  Oid base_type;
  int32_t typmod = -1;
  int32_t dimensions = 0;
  Oid collation;  // 0: not collatable
  std::string default_text;

  // "True" arrays as PostgreSQL says: variable length and subscripted by array_subscript_handler.
  bool is_true_array() const { return element && io.length == -1 && subscript == Oid(6179); }
  // Physical facts for a column of this type.
  ColumnDesc column(int32_t column_typmod = -1) const;
};

enum class Volatility : char { immutable = 'i', stable = 's', volatile_ = 'v' };

// pg_proc. Built-in bodies are found by OID or `source` (func/registry.h).
struct FunctionInfo : CatalogEntry {
  Oid oid, nsp, owner, language;
  std::string name;
  float cost = 1, rows = 0;
  Oid variadic;  // element type of a VARIADIC array parameter ("any" counts), else 0
  Oid support;
  char kind = 'f';  // f function, p procedure, a aggregate, w window
  bool security_definer = false, leakproof = false, strict = false, returns_set = false;
  Volatility volatility = Volatility::volatile_;
  char parallel = 'u';
  int16_t defaults = 0;  // how many trailing input arguments have one
  Oid result;
  std::vector<Oid> args;           // input types
  std::vector<Oid> all_args;       // with OUT and TABLE columns; empty when all are IN
  std::vector<char> modes;         // i o b v t, beside all_args; empty when all are IN
  std::vector<std::string> names;  // beside all_args or args; empty when none is named
  std::string default_exprs;       // comma-separated SQL, one for each default
  std::string source, binary, sql_body;
};

// pg_operator
struct OperatorInfo : CatalogEntry {
  Oid oid, nsp, owner;
  std::string name;
  char kind = 'b';  // b infix, l prefix
  bool can_merge = false, can_hash = false;
  Oid left, right, result;  // left is 0 for a prefix operator
  Oid commutator, negator;
  Oid function;  // 0: a shell
  Oid restrict_estimator, join_estimator;
};

enum class CastContext : char { explicit_ = 'e', assignment = 'a', implicit = 'i' };
enum class CastMethod : char { function = 'f', binary = 'b', in_out = 'i' };
// pg_cast
struct CastInfo : CatalogEntry {
  Oid oid, source, target, function;
  CastContext context;
  CastMethod method;
};

// pg_aggregate, without the fields of partial aggregation's serialisation
struct AggregateInfo : CatalogEntry {
  Oid function;
  char kind = 'n';  // n normal, o ordered-set, h hypothetical-set
  int16_t direct_args = 0;
  Oid transition, final, combine, moving_transition, moving_inverse, moving_final;
  Oid sort_operator;  // min and max: what an index scan would sort by
  Oid transition_type;
  int32_t transition_space = 0;
  bool has_initial_value = false;
  std::string initial_value;
};

// pg_opclass
struct OpclassInfo : CatalogEntry {
  Oid oid, method, nsp, owner, family, input_type, key_type;
  std::string name;
  bool is_default = false;
};

// pg_amop: that an operator has a strategy in a family
struct FamilyMember {
  Oid family, left, right, op, method;
  int16_t strategy = 0;
  bool ordering = false;  // ORDER BY operator, not search
};

// What a type's default btree and hash classes say of it; 0 where it has none. PostgreSQL's type
// cache.
struct TypeOperators {
  Oid btree_opclass, btree_family, btree_input;  // btree_input: the class's type (text for varchar)
  Oid lt, eq, gt, compare;                       // operators, and the three-way support function
  Oid hash_opclass, hash_family, hash_function;
  Oid hash_eq;
};

struct CollationInfo : CatalogEntry {
  Oid oid, nsp, owner;
  std::string name;
  char provider = 'c';
  bool deterministic = true;
};

struct NamespaceInfo : CatalogEntry {
  Oid oid, owner;
  std::string name;
  std::string acl;  // the stored array of aclitem; empty: default privileges
};

struct RoleInfo : CatalogEntry {
  Oid oid;
  std::string name;
  bool superuser = false, inherit = true, create_role = false, create_db = false, can_login = false,
       replication = false;
  bool bypass_rls = false;
  int32_t connection_limit = -1;
  bool has_password = false;
  std::string password;  // a SCRAM-SHA-256 verifier
  bool has_valid_until = false;
  int64_t valid_until = 0;     // microseconds since 2000-01-01 UTC
  std::vector<Oid> member_of;  // directly, ascending
};

struct DatabaseInfo : CatalogEntry {
  Oid oid, owner, tablespace;
  std::string name;
  bool is_template = false, allow_connections = true;
  int32_t connection_limit = -1;
  std::string acl;
};

}  // namespace orrery
