// Access lists: who may do what with an object, as arrays of aclitem {grantee, grantor, rights}. A
// list that is NULL stands for the kind's default. PostgreSQL's letters and bits:
//
//   r SELECT 1<<1    a INSERT 1<<0   w UPDATE 1<<2    d DELETE 1<<3   D TRUNCATE 1<<4
//   x REFERENCES 5   t TRIGGER 6     X EXECUTE 7      U USAGE 8       C CREATE 9
//   T TEMPORARY 10   c CONNECT 11    s SET 12         A ALTER SYSTEM 13
//
// The grant option of a right is the same bit 16 places higher.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/acl_mode.h"
#include "catalog/catalog.h"

namespace orrery {

constexpr AclMode kAllTableRights =
    kAclInsert | kAclSelect | kAclUpdate | kAclDelete | kAclTruncate | kAclReferences | kAclTrigger;
constexpr AclMode kAllSequenceRights = kAclUsage | kAclSelect | kAclUpdate;
constexpr AclMode kAllSchemaRights = kAclUsage | kAclCreate;
constexpr AclMode kAllDatabaseRights = kAclCreate | kAclTemporary | kAclConnect;
constexpr AclMode kAllFunctionRights = kAclExecute;
constexpr AclMode grant_options(AclMode mode) { return mode << 16; }

struct AclItem {
  Oid grantee;  // 0: PUBLIC
  Oid grantor;
  AclMode mode = 0;  // rights, and grant options 16 bits higher
};
using Acl = std::vector<AclItem>;

enum class AclKind : uint8_t {
  table,
  sequence,
  schema,
  database,
  function,
  column,
  type,
  language,
  tablespace
};

// From and to the content of the stored array. An empty content gives an empty list.
Acl decode_acl(std::string_view content);
std::string encode_acl(const Acl& acl);
// What NULL stands for.
Acl default_acl(AclKind kind, Oid owner);
// All rights that objects of the kind have.
AclMode all_rights(AclKind kind);
// "SELECT"; the letter; 0 for a word that is no privilege.
std::string_view right_name(AclMode right);
AclMode right_of_name(std::string_view name);
char right_letter(AclMode right);

// The rights among `wanted` (and grant options) that `role` has by itself, by membership, by owning
// the object or by being superuser.
Result<AclMode> rights_of(Fiber& fiber, CatalogReader& catalog, AclKind kind,
                          std::string_view stored, Oid owner, Oid role, AclMode wanted);
// 42501 "permission denied for table t" unless `role` has all of `wanted`.
Status check_relation_rights(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                             Oid role, AclMode wanted);
Status check_schema_rights(Fiber& fiber, CatalogReader& catalog, Oid nsp, Oid role, AclMode wanted);
// 42501 "must be owner of table t".
Status check_relation_owner(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                            Oid role);
// "table", "view", "index", "sequence"... as PostgreSQL's messages say.
std::string_view relation_word(char relkind);

// Changes by GRANT and REVOKE. `grantor` gives or takes `mode` (with its grant options if
// `options`); a revocation takes dependent grants along or, with restrict_, raises 2BP01.
// What `from` held and granted as owner, `to` does now.
void change_acl_owner(Acl& acl, Oid from, Oid to);
void grant_rights(Acl& acl, Oid grantee, Oid grantor, AclMode mode);
Status revoke_rights(Acl& acl, Oid grantee, Oid grantor, Oid owner, AclMode mode, bool cascade);

}  // namespace orrery
