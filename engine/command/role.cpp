// CREATE, ALTER, DROP ROLE; GRANT of roles.
#include <algorithm>

#include "base/text.h"
#include "catalog/row_builder.h"
#include "catalog/writer.h"
#include "command/objects.h"

namespace orrery {
namespace {

Status must_be_superuser(CommandContext& context, std::string_view message) {
  const RoleInfo* role = TRY(context.catalog.role(context.fiber, current_role(context)));
  if (role != nullptr && role->superuser) return {};
  return raise(sqlstate::insufficient_privilege, std::string(message));
}

Status must_create_roles(CommandContext& context, std::string_view message) {
  const RoleInfo* role = TRY(context.catalog.role(context.fiber, current_role(context)));
  if (role != nullptr && (role->superuser || role->create_role)) return {};
  return raise(sqlstate::insufficient_privilege, std::string(message));
}

// Role options as columns of pg_authid.
struct Flag {
  std::string_view option;
  int16_t column;
};
constexpr Flag kFlags[] = {
    {"superuser", pg_authid::rolsuper},       {"inherit", pg_authid::rolinherit},
    {"createrole", pg_authid::rolcreaterole}, {"createdb", pg_authid::rolcreatedb},
    {"canlogin", pg_authid::rolcanlogin},     {"isreplication", pg_authid::rolreplication},
    {"bypassrls", pg_authid::rolbypassrls}};

bool is_list_option(std::string_view name) {
  return name == "addroleto" || name == "rolemembers" || name == "adminmembers" || name == "sysid";
}

// The attributes that only a superuser gives: to a new role when they are wanted, to an old one
// whichever way.
Status check_strong(CommandContext& context, int16_t column, bool creating) {
  using namespace pg_authid;
  if (column == rolsuper) {
    return must_be_superuser(
        context, creating ? "must be superuser to create superusers"
                          : "must be superuser to alter superuser roles or change superuser "
                            "attribute");
  }
  if (column == rolreplication) {
    return must_be_superuser(
        context, creating ? "must be superuser to create replication users"
                          : "must be superuser to alter replication roles or change replication "
                            "attribute");
  }
  if (column != rolbypassrls) return {};
  return must_be_superuser(context, creating ? "must be superuser to create bypassrls users"
                                             : "must be superuser to change bypassrls attribute");
}

Status apply_options(CommandContext& context, ListOf<DefElem> options, bool creating,
                     RowBuilder& row) {
  using namespace pg_authid;
  for (const DefElem* option : options) {
    const auto flag = std::ranges::find(kFlags, option->defname, &Flag::option);
    if (flag != std::end(kFlags)) {
      const bool value = TRY(option_boolean(*option));
      if (value || !creating) TRY(check_strong(context, flag->column, creating));
      row.set(flag->column, value);
    } else if (option->defname == "connectionlimit") {
      const int64_t limit = TRY(option_integer(*option));
      if (limit < -1 || limit > INT32_MAX) {
        return raise(sqlstate::invalid_parameter_value, cat("invalid connection limit: ", limit));
      }
      row.set(rolconnlimit, static_cast<int32_t>(limit));
    } else if (option->defname == "password") {
      if (option->arg == nullptr) {
        row.set_null(rolpassword);
        continue;
      }
      const std::string text = TRY(option_text(*option));
      const std::string verifier = TRY(context.host.password_verifier(context.fiber, text));
      row.set_text(rolpassword, verifier);
    } else if (option->defname == "validUntil") {
      if (option->arg == nullptr) {
        row.set_null(rolvaliduntil);
        continue;
      }
      const std::string text = TRY(option_text(*option));
      constexpr Oid kTimestamptz{1184};
      const Datum value =
          TRY(input_value(context.arena, context.session.types, kTimestamptz, text));
      row.set(rolvaliduntil, value);
    } else if (!is_list_option(option->defname)) {
      return raise(sqlstate::syntax_error, cat("option \"", option->defname, "\" not recognized"));
    }
  }
  return {};
}

Status add_member(CommandContext& context, Oid group, Oid member, bool admin) {
  const bool cycle = TRY([&]() -> Result<bool> {
    const RoleInfo* info = TRY(context.catalog.role(context.fiber, group));
    std::vector<Oid> reached(info->member_of.begin(), info->member_of.end());
    reached.push_back(group);
    for (size_t i = 0; i < reached.size(); ++i) {
      if (reached[i] == member) return true;
      const RoleInfo* next = TRY(context.catalog.role(context.fiber, reached[i]));
      for (Oid above : next->member_of) {
        if (std::ranges::find(reached, above) == reached.end()) reached.push_back(above);
      }
    }
    return false;
  }());
  const RoleInfo* group_info = TRY(context.catalog.role(context.fiber, group));
  const RoleInfo* member_info = TRY(context.catalog.role(context.fiber, member));
  if (group_info->superuser)
    TRY(must_be_superuser(context, "must be superuser to alter superusers"));
  if (cycle) {
    return raise(
        sqlstate::invalid_grant_operation,
        cat("role \"", group_info->name, "\" is a member of role \"", member_info->name, "\""));
  }
  if (std::ranges::find(member_info->member_of, group) != member_info->member_of.end()) {
    if (admin) return unsupported("WITH ADMIN OPTION for one who is a member already");
    notice(context, cat("role \"", member_info->name, "\" is already a member of role \"",
                        group_info->name, "\""));
    return {};
  }
  using namespace pg_auth_members;
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(roleid, group).set(pg_auth_members::member, member);
  row.set(grantor, current_role(context)).set(admin_option, admin);
  TRY(context.store.insert(context.fiber, kRelation, row.values()));
  return {};
}

// ALTER GROUP ... DROP USER.
Status drop_member(CommandContext& context, Oid group, Oid member) {
  using namespace pg_auth_members;
  std::vector<Tid> found;
  const Datum keys[] = {Datum::of(member), Datum::of(group)};
  TRY(context.store.scan(context.fiber, kRelation, kPgAuthMembersMemberRoleIndex, keys,
                         [&](const CatalogRow&, Tid tid) -> Status {
                           found.push_back(tid);
                           return {};
                         }));
  for (Tid tid : found) TRY(context.store.remove(context.fiber, kRelation, tid));
  if (!found.empty()) return {};
  const RoleInfo* group_info = TRY(context.catalog.role(context.fiber, group));
  const RoleInfo* member_info = TRY(context.catalog.role(context.fiber, member));
  context.host.warning(
      raise(sqlstate::warning, cat("role \"", member_info->name, "\" is not a member of role \"",
                                   group_info->name, "\""))
          .error());
  return {};
}

Status drop_memberships(CommandContext& context, ListOf<DefElem> options, Oid role) {
  for (const DefElem* option : options) {
    if (option->defname != "rolemembers") continue;
    const auto* list = as_if<List>(option->arg);
    CHECK(list != nullptr);
    for (const Node* node : list->items) {
      const Oid member = TRY(resolve_role(context, as<RoleSpec>(*node)));
      TRY(drop_member(context, role, member));
    }
  }
  return {};
}

Status apply_memberships(CommandContext& context, ListOf<DefElem> options, Oid role) {
  for (const DefElem* option : options) {
    const bool to = option->defname == "addroleto";
    const bool admins = option->defname == "adminmembers";
    if (!to && !admins && option->defname != "rolemembers") continue;
    const auto* list = as_if<List>(option->arg);
    CHECK(list != nullptr);
    for (const Node* node : list->items) {
      const Oid other = TRY(resolve_role(context, as<RoleSpec>(*node)));
      TRY(to ? add_member(context, other, role, false) : add_member(context, role, other, admins));
    }
  }
  return {};
}

}  // namespace

Result<std::string> create_role(CommandContext& context, const CreateRoleStmt& statement) {
  using namespace pg_authid;
  const std::string name = truncate_name(statement.role);
  TRY(must_create_roles(context, "permission denied to create role"));
  if (name.starts_with("pg_")) {
    return raise(sqlstate::reserved_name, cat("role name \"", name, "\" is reserved"))
        .detail("Role names starting with \"pg_\" are reserved.");
  }
  const Oid taken = TRY(context.catalog.role_oid(context.fiber, name));
  if (taken) {
    return raise(sqlstate::duplicate_object, cat("role \"", name, "\" already exists"));
  }
  Arena arena;
  RowBuilder row(arena, kRelation);
  const Oid new_oid = TRY(context.store.new_oid(context.fiber));
  row.set(oid, new_oid).set_name(rolname, name).set(rolsuper, false).set(rolinherit, true);
  row.set(rolcreaterole, false).set(rolcreatedb, false);
  row.set(rolcanlogin, statement.stmt_type == RoleStmtType::user).set(rolreplication, false);
  row.set(rolbypassrls, false).set(rolconnlimit, int32_t{-1});
  TRY(apply_options(context, statement.options, true, row));
  TRY(context.store.insert(context.fiber, kRelation, row.values()));
  TRY(apply_memberships(context, statement.options, new_oid));
  return std::string("CREATE ROLE");
}

Result<std::string> alter_role(CommandContext& context, const AlterRoleStmt& statement) {
  const Oid role = TRY(resolve_role(context, *statement.role));
  const bool only_password = statement.options.size() == 1 &&
                             statement.options[0]->defname == "password" &&
                             role == current_role(context);
  if (!only_password) TRY(must_create_roles(context, "permission denied"));
  const RoleInfo* info = TRY(context.catalog.role(context.fiber, role));
  if (info->superuser)
    TRY(must_be_superuser(
        context, "must be superuser to alter superuser roles or change superuser attribute"));
  Arena arena;
  const Datum keys[] = {Datum::of(role)};
  std::optional<RowBuilder> row;
  Tid place;
  TRY(context.store.scan(context.fiber, pg_authid::kRelation, kPgAuthidOidIndex, keys,
                         [&](const CatalogRow& found, Tid tid) -> Status {
                           row.emplace(arena, pg_authid::kRelation, found);
                           place = tid;
                           return {};
                         }));
  CHECK(row.has_value());
  TRY(apply_options(context, statement.options, false, *row));
  TRY(context.store.update(context.fiber, pg_authid::kRelation, place, row->values()));
  TRY(statement.action > 0 ? apply_memberships(context, statement.options, role)
                           : drop_memberships(context, statement.options, role));
  return std::string("ALTER ROLE");
}

Result<std::string> drop_role(CommandContext& context, const DropRoleStmt& statement) {
  TRY(must_create_roles(context, "permission denied to drop role"));
  CatalogWriter writer(context.store, context.catalog);
  for (const RoleSpec* spec : statement.roles) {
    const Oid role = TRY(context.catalog.role_oid(context.fiber, spec->rolename));
    if (!role) {
      if (!statement.missing_ok) {
        return raise(sqlstate::undefined_object,
                     cat("role \"", spec->rolename, "\" does not exist"));
      }
      notice(context, cat("role \"", spec->rolename, "\" does not exist, skipping"));
      continue;
    }
    if (role == current_role(context)) {
      return raise(sqlstate::object_in_use, "current user cannot be dropped");
    }
    const RoleInfo* info = TRY(context.catalog.role(context.fiber, role));
    if (info->superuser) TRY(must_be_superuser(context, "must be superuser to drop superusers"));
    if (role < kFirstUserOid) {
      return raise(sqlstate::dependent_objects_still_exist,
                   cat("cannot drop role ", spec->rolename,
                       " because it is required by the database system"));
    }
    const Datum reference[] = {Datum::of(pg_authid::kRelation), Datum::of(role)};
    std::vector<std::string> lines;
    std::vector<std::pair<ObjectAddress, char>> found;
    int elsewhere = 0;
    TRY(context.store.scan(context.fiber, pg_shdepend::kRelation, kPgShdependReferenceIndex,
                           reference, [&](const CatalogRow& row, Tid) -> Status {
                             using namespace pg_shdepend;
                             const Oid database = row.get<Oid>(dbid);
                             if (database && database != database_of(context)) {
                               ++elsewhere;
                             } else {
                               found.push_back({{row.get<Oid>(classid), row.get<Oid>(objid),
                                                 row.get<int32_t>(objsubid)},
                                                row.get<char>(deptype)});
                             }
                             return {};
                           }));
    for (const auto& [object, type] : found) {
      const std::string shown =
          TRY(describe_object(context.fiber, context.catalog, context.store, context.path, object));
      lines.push_back(cat(type == 'o' ? "owner of " : "privileges for ", shown));
    }
    if (elsewhere > 0) {
      lines.push_back(
          cat(elsewhere, elsewhere == 1 ? " object" : " objects", " in other databases"));
    }
    if (!lines.empty()) {
      return raise(sqlstate::dependent_objects_still_exist,
                   cat("role \"", spec->rolename,
                       "\" cannot be dropped because some objects depend on it"))
          .detail(join(lines, "\n"));
    }
    const Datum keys[] = {Datum::of(role)};
    TRY(writer.delete_rows(context.fiber, pg_auth_members::kRelation, kPgAuthMembersRoleMemberIndex,
                           keys));
    TRY(writer.delete_rows(context.fiber, pg_auth_members::kRelation, kPgAuthMembersMemberRoleIndex,
                           keys));
    TRY(writer.delete_rows(context.fiber, pg_authid::kRelation, kPgAuthidOidIndex, keys));
  }
  return std::string("DROP ROLE");
}

Result<std::string> grant_role(CommandContext& context, const GrantRoleStmt& statement) {
  TRY(must_create_roles(context, "permission denied to grant or revoke roles"));
  if (statement.grantor != nullptr) return unsupported("GRANTED BY");
  if (!statement.is_grant && statement.admin_opt) return unsupported("REVOKE ADMIN OPTION FOR");
  for (const AccessPriv* granted : statement.granted_roles) {
    RoleSpec spec;
    spec.rolename = granted->priv_name;
    const Oid group = TRY(resolve_role(context, spec));
    for (const RoleSpec* grantee : statement.grantee_roles) {
      const Oid member = TRY(resolve_role(context, *grantee));
      if (statement.is_grant) {
        TRY(add_member(context, group, member, statement.admin_opt));
        continue;
      }
      const RoleInfo* info = TRY(context.catalog.role(context.fiber, group));
      if (info->superuser) TRY(must_be_superuser(context, "must be superuser to alter superusers"));
      CatalogWriter writer(context.store, context.catalog);
      const Datum keys[] = {Datum::of(group), Datum::of(member)};
      TRY(writer.delete_rows(context.fiber, pg_auth_members::kRelation,
                             kPgAuthMembersRoleMemberIndex, keys));
    }
  }
  return std::string(statement.is_grant ? "GRANT ROLE" : "REVOKE ROLE");
}

}  // namespace orrery
