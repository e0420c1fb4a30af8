// GRANT, REVOKE, ALTER DEFAULT PRIVILEGES.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::grant_stmt(bool is_grant) {
  advance();
  bool option_only = false;
  bool admin_only = false;
  if (!is_grant && at(kw_grant)) {
    advance();
    expect_all({kw_option, kw_for});
    option_only = true;
  } else if (!is_grant && at(kw_admin) && peek_kind(1) == kw_option) {
    advance();
    advance();
    expect(kw_for);
    admin_only = true;
  }
  const bool all = at(kw_all) && !admin_only;
  const ListOf<AccessPriv> list = all ? privileges() : privilege_list();
  const auto grantees = [this] {
    return comma_list<RoleSpec>([this] {
      accept(kw_group);
      return role_spec();
    });
  };
  const auto granted_by = [this]() -> const RoleSpec* {
    if (!accept(kw_granted)) return nullptr;
    expect(kw_by);
    return role_spec();
  };
  if (all || option_only || (at(kw_on) && !admin_only)) {
    GrantStmt* const grant = make<GrantStmt>();
    grant->is_grant = is_grant;
    grant->privileges = list;
    expect(kw_on);
    privilege_target(grant);
    expect(is_grant ? kw_to : kw_from);
    grant->grantees = grantees();
    grant->grant_option = option_only;
    if (is_grant && accept(kw_with)) {
      expect_all({kw_grant, kw_option});
      grant->grant_option = true;
    }
    grant->grantor = granted_by();
    if (!is_grant) grant->behavior = opt_drop_behavior();
    return grant;
  }
  GrantRoleStmt* const grant = make<GrantRoleStmt>();
  grant->is_grant = is_grant;
  grant->granted_roles = list;
  expect(is_grant ? kw_to : kw_from);
  grant->grantee_roles = role_list();
  grant->admin_opt = admin_only;
  if (is_grant && accept(kw_with)) {
    expect_all({kw_admin, kw_option});
    grant->admin_opt = true;
  }
  grant->grantor = granted_by();
  if (!is_grant) grant->behavior = opt_drop_behavior();
  return grant;
}

// ALL is no list at all, or, with columns, one unnamed privilege.
ListOf<AccessPriv> Parser::privileges() {
  if (!accept(kw_all)) return privilege_list();
  accept(kw_privileges);
  if (!at('(')) return {};
  AccessPriv* const priv = make<AccessPriv>();
  priv->cols = opt_column_list();
  return one<AccessPriv>(priv);
}

ListOf<AccessPriv> Parser::privilege_list() {
  return comma_list<AccessPriv>([this] {
    AccessPriv* const priv = make<AccessPriv>();
    priv->priv_name = cur().text;
    if (at(kw_alter)) {
      advance();
      expect(kw_system);
      priv->priv_name = "alter system";
      return priv;
    }
    if (at_any(kw_select, kw_references, kw_create)) {
      advance();
    } else {
      col_id();
    }
    priv->cols = opt_column_list();
    return priv;
  });
}

void Parser::privilege_target(GrantStmt* grant) {
  const int next = peek_kind(1);
  const bool is_name = next == kw_to || next == kw_from || next == ',' || next == '.';
  const auto of_type = [&](ObjectType type) { grant->objtype = type; };
  const auto relations = [&] {
    NodeListBuilder<Node> list(arena_);
    for (const RangeVar* const relation : qualified_name_list()) list.push(relation);
    grant->objects = list.span();
  };
  const auto names = [&](ObjectType type) {
    of_type(type);
    grant->objects = comma_list<Node>([this]() -> const Node* { return string_node(col_id()); });
  };
  const auto routines = [&](ObjectType type) {
    of_type(type);
    advance();
    grant->objects =
        comma_list<Node>([this, type]() -> const Node* { return function_with_args(type); });
  };
  const auto any_names = [&](ObjectType type) {
    of_type(type);
    advance();
    grant->objects =
        comma_list<Node>([this]() -> const Node* { return name_list_node(any_name()); });
  };
  if (accept(kw_table)) return relations();
  if (at(kw_all)) {
    advance();
    grant->targtype = GrantTargetType::all_in_schema;
    ObjectType type = ObjectType::table;
    switch (kind()) {
      case kw_tables:     type = ObjectType::table; break;
      case kw_sequences:  type = ObjectType::sequence; break;
      case kw_functions:  type = ObjectType::function; break;
      case kw_procedures: type = ObjectType::procedure; break;
      case kw_routines:   type = ObjectType::routine; break;
      default:            syntax_error(); return;
    }
    advance();
    expect_all({kw_in, kw_schema});
    return names(type);
  }
  if (at(kw_foreign)) {
    advance();
    if (accept(kw_server)) return names(ObjectType::foreign_server);
    expect_all({kw_data, kw_wrapper});
    return names(ObjectType::fdw);
  }
  if (is_name) return relations();
  switch (kind()) {
    case kw_sequence:
      advance();
      of_type(ObjectType::sequence);
      return relations();
    case kw_function:   return routines(ObjectType::function);
    case kw_procedure:  return routines(ObjectType::procedure);
    case kw_routine:    return routines(ObjectType::routine);
    case kw_database:   advance(); return names(ObjectType::database);
    case kw_domain:     return any_names(ObjectType::domain);
    case kw_type:       return any_names(ObjectType::type);
    case kw_language:   advance(); return names(ObjectType::language);
    case kw_schema:     advance(); return names(ObjectType::schema);
    case kw_tablespace: advance(); return names(ObjectType::tablespace);
    case kw_large:
      advance();
      expect(kw_object);
      of_type(ObjectType::largeobject);
      grant->objects = comma_list<Node>([this] { return numeric_only(); });
      return;
    case kw_parameter:
      advance();
      of_type(ObjectType::parameter_acl);
      grant->objects =
          comma_list<Node>([this]() -> const Node* { return string_node(var_name()); });
      return;
    default: return relations();
  }
}

void Parser::default_privilege_target(GrantStmt* grant) {
  grant->targtype = GrantTargetType::defaults;
  switch (kind()) {
    case kw_tables:    grant->objtype = ObjectType::table; break;
    case kw_functions:
    case kw_routines:  grant->objtype = ObjectType::function; break;
    case kw_sequences: grant->objtype = ObjectType::sequence; break;
    case kw_types:     grant->objtype = ObjectType::type; break;
    case kw_schemas:   grant->objtype = ObjectType::schema; break;
    default:           syntax_error(); return;
  }
  advance();
}

// At DEFAULT PRIVILEGES.
const Node* Parser::alter_default_privileges() {
  AlterDefaultPrivilegesStmt* const alter = make<AlterDefaultPrivilegesStmt>();
  expect(kw_default);
  expect(kw_privileges);
  NodeListBuilder<DefElem> options(arena_);
  while (at_any(kw_in, kw_for) && !failed_) {
    const int location = loc();
    if (accept(kw_in)) {
      expect(kw_schema);
      options.push(def("schemas", name_list_node(name_list()), location));
    } else {
      advance();
      if (!accept(kw_role)) expect(kw_user);
      NodeListBuilder<Node> roles(arena_);
      for (const RoleSpec* const role : role_list()) roles.push(role);
      options.push(def("roles", list_node(roles.span()), location));
    }
  }
  alter->options = options.span();
  GrantStmt* const grant = make<GrantStmt>();
  grant->is_grant = at(kw_grant);
  if (!accept(kw_grant)) {
    expect(kw_revoke);
    if (accept(kw_grant)) {
      expect_all({kw_option, kw_for});
      grant->grant_option = true;
    }
  }
  grant->privileges = privileges();
  expect(kw_on);
  default_privilege_target(grant);
  expect(grant->is_grant ? kw_to : kw_from);
  grant->grantees = comma_list<RoleSpec>([this] {
    accept(kw_group);
    return role_spec();
  });
  if (!grant->is_grant) {
    grant->behavior = opt_drop_behavior();
  } else if (accept(kw_with)) {
    expect_all({kw_grant, kw_option});
    grant->grant_option = true;
  }
  alter->action = grant;
  return alter;
}

}  // namespace orrery
