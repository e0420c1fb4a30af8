// What many commands do: find the schema for a new object, find and lock an existing one, check its
// kind and owner.
#pragma once

#include "catalog/acl.h"
#include "catalog/dependency.h"
#include "command/command.h"

namespace orrery {

constexpr int kShareUpdateExclusiveLock = 4, kShareLock = 5, kShareRowExclusiveLock = 6,
              kExclusiveLock = 7, kAccessExclusiveLock = 8;

inline Oid current_role(const CommandContext& context) { return context.session.current_user_oid; }

// The schema a new relation goes to, where the role may create. 3F000, 42501.
Result<Oid> creation_schema(CommandContext& context, const RangeVar& name);
// For other objects: a qualified name's schema and last part.
struct QualifiedName {
  Oid nsp;
  std::string_view name;
};
Result<QualifiedName> creation_name(CommandContext& context, Names names);

// The relation, locked. Errors do not point at its name: those of utility statements never do.
Result<const RelationInfo*> named_relation(CommandContext& context, const RangeVar& name,
                                           int lock_mode);
// The relation, locked, of a kind in `kinds` (relkind letters) and the role's own. Null when it
// does not exist and `missing_ok`; then the NOTICE "... does not exist, skipping" was given.
Result<const RelationInfo*> own_relation(CommandContext& context, const RangeVar& name,
                                         std::string_view kinds, int lock_mode, bool missing_ok);
// Catalog relations may not be altered. 42501 "permission denied: "x" is a system catalog".
Status check_not_catalog(const RelationInfo& relation);

Oid database_of(const CommandContext& context);
void notice(CommandContext& context, std::string message, std::string detail = {});

// DROP of these objects and what goes with them.
Status drop_objects(CommandContext& context, std::span<const ObjectAddress> objects, DropMode mode);

// Takes all rows out of these tables, rights or none; tables that refer to them must be among them
// (0A000). For ON COMMIT DELETE ROWS.
Status empty_tables(CommandContext& context, std::span<const Oid> tables);

// 42704 "collation "x" for encoding "UTF8" does not exist".
Result<Oid> resolve_collation(AnalyzeContext& context, Names name);
// What an index column over this expression is called: a column's name, a function's, or "expr".
std::string expression_name(const Node& node);
// The role a RoleSpec names. 42704 "role "x" does not exist".
Result<Oid> resolve_role(CommandContext& context, const RoleSpec& role);
// A DefElem's value as text, integer or boolean, with PostgreSQL's complaints.
Result<std::string> option_text(const DefElem& option);
Result<int64_t> option_integer(const DefElem& option);
Result<bool> option_boolean(const DefElem& option);

}  // namespace orrery
