// GRANT and REVOKE of rights on tables, sequences and schemas.
#include "base/text.h"
#include "catalog/writer.h"
#include "command/objects.h"

namespace orrery {
namespace {

Result<AclMode> wanted_rights(const GrantStmt& statement, AclKind kind) {
  AclMode out = 0;
  if (statement.privileges.empty()) return all_rights(kind);
  for (const AccessPriv* privilege : statement.privileges) {
    if (!privilege->cols.empty()) return unsupported("rights on columns");
    const AclMode right = right_of_name(privilege->priv_name);
    if (right == 0) {
      return raise(sqlstate::syntax_error,
                   cat("unrecognized privilege type \"", privilege->priv_name, "\""));
    }
    if ((right & all_rights(kind)) == 0) {
      const std::string_view word = kind == AclKind::table      ? "relation"
                                    : kind == AclKind::sequence ? "sequence"
                                                                : "schema";
      return raise(sqlstate::invalid_grant_operation,
                   cat("invalid privilege type ", right_name(right), " for ", word));
    }
    out |= right;
  }
  return out;
}

class Granting {
 public:
  Granting(CommandContext& context, const GrantStmt& statement)
      : context_(context), statement_(statement) {}
  Status relation(const RelationInfo& relation);
  Status schema(const NamespaceInfo& nsp);

 private:
  Result<Acl> changed(AclKind kind, std::string_view stored, Oid owner, std::string_view shown);
  Status note_roles(const ObjectAddress& object, const Acl& acl, Oid owner);

  CommandContext& context_;
  const GrantStmt& statement_;
};

Result<Acl> Granting::changed(AclKind kind, std::string_view stored, Oid owner,
                              std::string_view shown) {
  const AclMode rights = TRY(wanted_rights(statement_, kind));
  Acl acl = stored.empty() ? default_acl(kind, owner) : decode_acl(stored);
  // Owners and superusers grant in the owner's name.
  const bool as_owner =
      TRY(context_.catalog.is_member(context_.fiber, current_role(context_), owner));
  const Oid grantor = as_owner ? owner : current_role(context_);
  if (!as_owner) {
    const AclMode may = TRY(rights_of(context_.fiber, context_.catalog, kind, stored, owner,
                                      grantor, grant_options(rights)));
    if (may != grant_options(rights)) {
      return raise(sqlstate::insufficient_privilege, cat("permission denied for ", shown));
    }
  }
  for (const RoleSpec* spec : statement_.grantees) {
    Oid grantee;
    if (spec->roletype != RoleSpecType::public_) grantee = TRY(resolve_role(context_, *spec));
    if (statement_.is_grant) {
      if (!grantee && statement_.grant_option) {
        return raise(sqlstate::invalid_grant_operation,
                     "grant options can only be granted to roles");
      }
      grant_rights(acl, grantee, grantor,
                   rights | (statement_.grant_option ? grant_options(rights) : 0));
    } else {
      const AclMode gone =
          statement_.grant_option ? grant_options(rights) : rights | grant_options(rights);
      TRY(revoke_rights(acl, grantee, grantor, owner, gone,
                        statement_.behavior == DropBehavior::cascade));
    }
  }
  return acl;
}

Status Granting::note_roles(const ObjectAddress& object, const Acl& acl, Oid owner) {
  using namespace pg_shdepend;
  std::vector<Tid> old;
  const Datum keys[] = {Datum::of(database_of(context_)), Datum::of(object.catalog),
                        Datum::of(object.object)};
  TRY(context_.store.scan(context_.fiber, kRelation, kPgShdependDependerIndex, keys,
                          [&](const CatalogRow& row, Tid tid) -> Status {
                            if (row.get<char>(deptype) == 'a') old.push_back(tid);
                            return {};
                          }));
  for (Tid tid : old) TRY(context_.store.remove(context_.fiber, kRelation, tid));
  std::vector<Oid> noted;
  for (const AclItem& item : acl) {
    const bool is_new = std::find(noted.begin(), noted.end(), item.grantee) == noted.end();
    if (!item.grantee || item.grantee == owner || !is_new) continue;
    noted.push_back(item.grantee);
    TRY(record_role_dependency(context_.fiber, context_.store, database_of(context_), object,
                               item.grantee, 'a'));
  }
  return {};
}

Status Granting::relation(const RelationInfo& relation) {
  const AclKind kind = relation.kind == 'S' ? AclKind::sequence : AclKind::table;
  const Acl acl = TRY(changed(kind, relation.acl, relation.owner,
                              cat(relation_word(relation.kind), " ", relation.name)));
  TRY(note_roles({pg_class::kRelation, relation.oid}, acl, relation.owner));
  CatalogWriter writer(context_.store, context_.catalog);
  return writer.update_class(context_.fiber, relation.oid, [&](RowBuilder& row, const CatalogRow&) {
    row.set_text(pg_class::relacl, encode_acl(acl));
  });
}

Status Granting::schema(const NamespaceInfo& nsp) {
  const Acl acl = TRY(changed(AclKind::schema, nsp.acl, nsp.owner, cat("schema ", nsp.name)));
  TRY(note_roles({pg_namespace::kRelation, nsp.oid}, acl, nsp.owner));
  CatalogWriter writer(context_.store, context_.catalog);
  const Datum keys[] = {Datum::of(nsp.oid)};
  TRY(writer.update_row(context_.fiber, pg_namespace::kRelation, kPgNamespaceOidIndex, keys,
                        [&](RowBuilder& row, const CatalogRow&) {
                          row.set_text(pg_namespace::nspacl, encode_acl(acl));
                        }));
  return {};
}

}  // namespace

Result<std::string> grant(CommandContext& context, const GrantStmt& statement) {
  if (statement.grantor != nullptr) return unsupported("GRANTED BY");
  if (statement.targtype != GrantTargetType::object) {
    return unsupported("GRANT ON ALL ... IN SCHEMA and default privileges");
  }
  Granting granting(context, statement);
  const bool on_relations =
      statement.objtype == ObjectType::table || statement.objtype == ObjectType::sequence;
  for (const Node* object : statement.objects) {
    if (on_relations) {
      const RelationInfo* relation =
          TRY(named_relation(context, as<RangeVar>(*object), kAccessShareLock));
      TRY(granting.relation(*relation));
    } else if (statement.objtype == ObjectType::schema) {
      const std::string_view name = as<String>(*object).sval;
      const Oid oid = TRY(context.catalog.nsp_oid(context.fiber, name));
      if (!oid) {
        return raise(sqlstate::undefined_schema, cat("schema \"", name, "\" does not exist"));
      }
      const NamespaceInfo* nsp = TRY(context.catalog.nsp(context.fiber, oid));
      TRY(granting.schema(*nsp));
    } else {
      return unsupported("GRANT on this kind of object");
    }
  }
  return std::string(statement.is_grant ? "GRANT" : "REVOKE");
}

}  // namespace orrery
