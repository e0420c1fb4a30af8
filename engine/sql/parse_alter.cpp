// ALTER of everything that is no relation.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::alter_stmt() {
  expect(kw_alter);
  switch (kind()) {
    case kw_table:    return alter_relation(ObjectType::table);
    case kw_index:    return alter_relation(ObjectType::index);
    case kw_sequence: return alter_relation(ObjectType::sequence);
    case kw_view:     return alter_relation(ObjectType::view);
    case kw_materialized:
      advance();
      if (!at(kw_view)) {
        syntax_error();
        return null_const(-1);
      }
      return alter_relation(ObjectType::matview);
    case kw_foreign:      return alter_foreign();
    case kw_type:         return alter_type();
    case kw_domain:       return alter_domain();
    case kw_function:     return alter_function(ObjectType::function);
    case kw_procedure:    return alter_function(ObjectType::procedure);
    case kw_routine:      return alter_function(ObjectType::routine);
    case kw_aggregate:    return alter_function(ObjectType::aggregate);
    case kw_operator:     return alter_operator();
    case kw_database:     return alter_database();
    case kw_role:
    case kw_user:
    case kw_group:        return alter_role();
    case kw_extension:    return alter_extension();
    case kw_event:        return alter_event_trigger();
    case kw_trigger:      return alter_trigger();
    case kw_policy:       return alter_policy();
    case kw_rule:         return alter_rule();
    case kw_publication:  return alter_publication();
    case kw_subscription: return alter_subscription();
    case kw_statistics:   return alter_statistics();
    case kw_text:         return alter_text_search();
    case kw_tablespace:   return alter_tablespace();
    case kw_server:       return alter_server();
    case kw_system:       return alter_system();
    case kw_default:      return alter_default_privileges();
    case kw_collation:    return alter_collation();
    case kw_conversion:   {
      advance();
      const List* const name = name_list_node(any_name());
      return alter_named(ObjectType::conversion, name, true);
    }
    case kw_procedural:
      advance();
      if (!at(kw_language)) {
        syntax_error();
        return null_const(-1);
      }
      [[fallthrough]];
    case kw_language: {
      advance();
      const Name name = col_id();
      return alter_simple(ObjectType::language, name);
    }
    case kw_schema: {
      advance();
      const Name name = col_id();
      return alter_simple(ObjectType::schema, name);
    }
    case kw_large: {
      advance();
      expect(kw_object);
      const Node* const number = numeric_only();
      expect(kw_owner);
      return owner_to(ObjectType::largeobject, number);
    }
    default: syntax_error(); return null_const(-1);
  }
}

// RENAME TO, OWNER TO and perhaps SET SCHEMA of a qualified object.
const Node* Parser::alter_named(ObjectType type, const Node* object, bool may_move) {
  if (accept(kw_rename)) {
    expect(kw_to);
    return rename(type, object, "");
  }
  if (may_move && accept(kw_set)) {
    expect(kw_schema);
    return set_schema(type, nullptr, object, false);
  }
  expect(kw_owner);
  return owner_to(type, object);
}

// The same of an object with one name, which RENAME keeps apart.
const Node* Parser::alter_simple(ObjectType type, Name name) {
  if (accept(kw_rename)) {
    expect(kw_to);
    const bool by_object = type != ObjectType::schema && type != ObjectType::tablespace &&
                           type != ObjectType::database;
    return by_object ? rename(type, string_node(name), "") : rename(type, nullptr, name);
  }
  expect(kw_owner);
  return owner_to(type, string_node(name));
}

// After TO.
const Node* Parser::rename(ObjectType type, const Node* object, Name subname) {
  RenameStmt* const node = make<RenameStmt>();
  node->rename_type = type;
  node->object = object;
  node->subname = subname;
  node->newname = col_id();
  return node;
}

// After OWNER.
const Node* Parser::owner_to(ObjectType type, const Node* object) {
  AlterOwnerStmt* const node = make<AlterOwnerStmt>();
  expect(kw_to);
  node->object_type = type;
  node->object = object;
  node->newowner = role_spec();
  return node;
}

// After SET SCHEMA.
const Node* Parser::set_schema(ObjectType type, const RangeVar* relation, const Node* object,
                               bool missing_ok) {
  AlterObjectSchemaStmt* const node = make<AlterObjectSchemaStmt>();
  node->object_type = type;
  node->relation = relation;
  node->object = object;
  node->missing_ok = missing_ok;
  node->newschema = col_id();
  return node;
}

// At [NO] DEPENDS.
const Node* Parser::depends(ObjectType type, const RangeVar* relation, const Node* object) {
  AlterObjectDependsStmt* const node = make<AlterObjectDependsStmt>();
  node->object_type = type;
  node->relation = relation;
  node->object = object;
  node->remove = accept(kw_no);
  expect_all({kw_depends, kw_on, kw_extension});
  node->extname = col_id();
  return node;
}

const Node* Parser::alter_type() {
  expect(kw_type);
  const int location = loc();
  const Names name = any_name();
  if (accept(kw_rename)) {
    if (accept(kw_value)) {
      AlterEnumStmt* const alter = make<AlterEnumStmt>();
      alter->type_name = name;
      alter->has_old_val = true;
      alter->new_val_is_after = false;
      alter->old_val = sconst();
      expect(kw_to);
      alter->new_val = sconst();
      return alter;
    }
    if (accept(kw_attribute)) {
      RenameStmt* const node = make<RenameStmt>();
      node->rename_type = ObjectType::attribute;
      node->relation_type = ObjectType::type;
      node->relation = range_var_of(name, location);
      node->subname = col_id();
      expect(kw_to);
      node->newname = col_id();
      node->behavior = opt_drop_behavior();
      return node;
    }
    expect(kw_to);
    return rename(ObjectType::type, name_list_node(name), "");
  }
  if (at(kw_set)) {
    advance();
    if (accept(kw_schema))
      return set_schema(ObjectType::type, nullptr, name_list_node(name), false);
    AlterTypeStmt* const alter = make<AlterTypeStmt>();
    alter->type_name = name;
    alter->options = operator_definition();
    return alter;
  }
  if (accept(kw_owner)) return owner_to(ObjectType::type, name_list_node(name));
  if (at(kw_add) && peek_kind(1) == kw_value) return alter_enum_value(name);
  AlterTableStmt* const alter = make<AlterTableStmt>();
  alter->relation = range_var_of(name, location);
  alter->objtype = ObjectType::type;
  alter->cmds = comma_list<AlterTableCmd>([this] { return alter_attribute_cmd(); });
  return alter;
}

const Node* Parser::alter_enum_value(Names type) {
  AlterEnumStmt* const alter = make<AlterEnumStmt>();
  expect_all({kw_add, kw_value});
  alter->type_name = type;
  alter->skip_if_new_val_exists = accept(kw_if);
  if (alter->skip_if_new_val_exists) expect_all({kw_not, kw_exists});
  alter->new_val = sconst();
  if (at_any(kw_before, kw_after)) {
    alter->has_neighbor = true;
    alter->new_val_is_after = at(kw_after);
    advance();
    alter->new_val_neighbor = sconst();
  }
  return alter;
}

const AlterTableCmd* Parser::alter_attribute_cmd() {
  AlterTableCmd* const cmd = make<AlterTableCmd>();
  const int token = kind();
  if (!at_any(kw_add, kw_drop, kw_alter)) {
    syntax_error();
    return cmd;
  }
  advance();
  expect(kw_attribute);
  if (token == kw_add) {
    cmd->subtype = AlterTableType::add_column;
    ColumnDef* const column = make<ColumnDef>(loc());
    column->colname = col_id();
    column->type_name = type_name();
    column->coll_clause = opt_collate_clause();
    cmd->def = column;
  } else if (token == kw_drop) {
    cmd->subtype = AlterTableType::drop_column;
    cmd->missing_ok = opt_if_exists();
    cmd->name = col_id();
  } else {
    const int location = loc();
    cmd->name = col_id();
    if (accept(kw_set)) expect(kw_data);
    expect(kw_type);
    cmd->subtype = AlterTableType::alter_column_type;
    ColumnDef* const column = make<ColumnDef>(location);
    column->type_name = type_name();
    column->coll_clause = opt_collate_clause();
    cmd->def = column;
  }
  cmd->behavior = opt_drop_behavior();
  return cmd;
}

const Node* Parser::alter_domain() {
  expect(kw_domain);
  const Names name = any_name();
  const List* const object = name_list_node(name);
  AlterDomainStmt* const alter = make<AlterDomainStmt>();
  alter->type_name = name;
  switch (kind()) {
    case kw_rename: {
      advance();
      if (!accept(kw_constraint)) {
        expect(kw_to);
        return rename(ObjectType::domain, object, "");
      }
      const Name constraint = col_id();
      expect(kw_to);
      return rename(ObjectType::domconstraint, object, constraint);
    }
    case kw_owner: advance(); return owner_to(ObjectType::domain, object);
    case kw_set:
      advance();
      if (accept(kw_schema)) return set_schema(ObjectType::domain, nullptr, object, false);
      if (accept(kw_default)) {
        alter->def = a_expr();
        return alter;
      }
      expect(kw_not);
      expect(kw_null);
      alter->subtype = AlterDomainType::set_not_null;
      return alter;
    case kw_drop:
      advance();
      if (accept(kw_default)) {
        alter->subtype = AlterDomainType::drop_default;
        return alter;
      }
      if (accept(kw_not)) {
        expect(kw_null);
        alter->subtype = AlterDomainType::drop_not_null;
        return alter;
      }
      expect(kw_constraint);
      alter->subtype = AlterDomainType::drop_constraint;
      alter->missing_ok = opt_if_exists();
      alter->name = col_id();
      alter->behavior = opt_drop_behavior();
      return alter;
    case kw_add:
      advance();
      alter->subtype = AlterDomainType::add_constraint;
      alter->def = table_constraint();
      return alter;
    case kw_validate:
      advance();
      expect(kw_constraint);
      alter->subtype = AlterDomainType::validate_constraint;
      alter->name = col_id();
      return alter;
    default: syntax_error(); return alter;
  }
}

const Node* Parser::alter_function(ObjectType type) {
  advance();
  const ObjectWithArgs* const function = function_with_args(type);
  const bool is_aggregate = type == ObjectType::aggregate;
  if (accept(kw_rename)) {
    expect(kw_to);
    return rename(type, function, "");
  }
  if (accept(kw_owner)) return owner_to(type, function);
  if (at(kw_set) && peek_kind(1) == kw_schema && peek_kind(2) != tok_sconst) {
    advance();
    advance();
    return set_schema(type, nullptr, function, false);
  }
  if (is_aggregate && accept(kw_set)) {
    expect(kw_schema);
    return null_const(-1);
  }
  if (!is_aggregate && (at(kw_depends) || at(kw_no))) return depends(type, nullptr, function);
  AlterFunctionStmt* const alter = make<AlterFunctionStmt>();
  alter->objtype = type;
  alter->func = function;
  NodeListBuilder<DefElem> actions(arena_);
  while (const DefElem* const action = is_aggregate ? nullptr : common_func_option()) {
    actions.push(action);
    if (failed_) break;
  }
  if (actions.empty()) syntax_error();
  alter->actions = actions.span();
  accept(kw_restrict);
  return alter;
}

ListOf<DefElem> Parser::operator_definition() {
  return paren_list<DefElem>([this] {
    const int location = loc();
    const Name name = col_label();
    expect('=');
    if (accept(kw_none)) return def(name, nullptr, location);
    return def(name, def_arg(), location);
  });
}

const Node* Parser::alter_operator() {
  expect(kw_operator);
  if (at_any(kw_class, kw_family) && peek_kind(1) != '.') {
    const bool is_class = at(kw_class);
    const ObjectType type = is_class ? ObjectType::opclass : ObjectType::opfamily;
    advance();
    const Names name = any_name();
    expect(kw_using);
    const Name method = col_id();
    if (!is_class && at_any(kw_add, kw_drop)) {
      AlterOpFamilyStmt* const alter = make<AlterOpFamilyStmt>();
      alter->opfamilyname = name;
      alter->amname = method;
      alter->is_drop = at(kw_drop);
      advance();
      alter->items = op_class_items(alter->is_drop);
      return alter;
    }
    ListBuilder<Name> names(arena_);
    names.push(method);
    names.append(name);
    return alter_named(type, name_list_node(names.span()), true);
  }
  const ObjectWithArgs* const op = operator_with_args();
  if (accept(kw_owner)) return owner_to(ObjectType::operator_, op);
  expect(kw_set);
  if (accept(kw_schema)) return set_schema(ObjectType::operator_, nullptr, op, false);
  AlterOperatorStmt* const alter = make<AlterOperatorStmt>();
  alter->opername = op;
  alter->options = operator_definition();
  return alter;
}

const Node* Parser::alter_database() {
  expect(kw_database);
  const Name name = col_id();
  if (at_any(kw_rename, kw_owner) && peek_kind(1) == kw_to) {
    return alter_simple(ObjectType::database, name);
  }
  if (accept(kw_refresh)) {
    expect_all({kw_collation, kw_version});
    AlterDatabaseRefreshCollStmt* const refresh = make<AlterDatabaseRefreshCollStmt>();
    refresh->dbname = name;
    return refresh;
  }
  if (at(kw_set) && peek_kind(1) == kw_tablespace && peek_kind(2) != kw_to && peek_kind(2) != '=') {
    advance();
    const int location = loc();
    static_cast<void>(location);
    advance();
    AlterDatabaseStmt* const alter = make<AlterDatabaseStmt>();
    alter->dbname = name;
    alter->options = one(def("tablespace", string_node(col_id()), -1));
    return alter;
  }
  if (at_any(kw_set, kw_reset)) {
    AlterDatabaseSetStmt* const alter = make<AlterDatabaseSetStmt>();
    alter->dbname = name;
    alter->setstmt = set_or_reset();
    return alter;
  }
  AlterDatabaseStmt* const alter = make<AlterDatabaseStmt>();
  alter->dbname = name;
  accept(kw_with);
  alter->options = database_options();
  return alter;
}

const Node* Parser::alter_role() {
  const int token = kind();
  if (token == kw_user && peek_kind(1) == kw_mapping && peek_kind(2) == kw_for) {
    advance();
    advance();
    advance();
    AlterUserMappingStmt* const alter = make<AlterUserMappingStmt>();
    alter->user = auth_ident();
    expect(kw_server);
    alter->servername = col_id();
    alter->options = alter_generic_options();
    return alter;
  }
  advance();
  AlterRoleSetStmt* const set = make<AlterRoleSetStmt>();
  const auto set_clause_of = [&](const RoleSpec* role) {
    set->role = role;
    if (accept(kw_in)) {
      expect(kw_database);
      set->database = col_id();
    }
    set->setstmt = set_or_reset();
    return set;
  };
  if (token != kw_group && accept(kw_all)) return set_clause_of(nullptr);
  const int at_role = loc();
  const RoleSpec* const role = role_spec();
  if (at(kw_rename)) {
    if (role->roletype != RoleSpecType::cstring && !failed_) {
      error(sqlstate::reserved_name,
            role->roletype == RoleSpecType::public_
                ? std::string("role name \"public\" is reserved")
                : cat(role->roletype == RoleSpecType::current_user   ? "CURRENT_USER"
                      : role->roletype == RoleSpecType::session_user ? "SESSION_USER"
                                                                     : "CURRENT_ROLE",
                      " cannot be used as a role name here"),
            at_role);
    }
    advance();
    expect(kw_to);
    RenameStmt* const node = make<RenameStmt>();
    node->rename_type = ObjectType::role;
    node->subname = role->rolename;
    node->newname = role_id();
    return node;
  }
  AlterRoleStmt* const alter = make<AlterRoleStmt>();
  alter->role = role;
  if (token == kw_group) {
    const int location = loc();
    static_cast<void>(location);
    alter->action = at(kw_add) ? 1 : -1;
    if (!accept(kw_add)) expect(kw_drop);
    const int at_user = loc();
    expect(kw_user);
    NodeListBuilder<Node> members(arena_);
    for (const RoleSpec* const member : role_list()) members.push(member);
    alter->options = one(def("rolemembers", list_node(members.span()), at_user));
    return alter;
  }
  if (at_any(kw_set, kw_reset, kw_in)) return set_clause_of(role);
  accept(kw_with);
  alter->options = role_options(false);
  return alter;
}

}  // namespace orrery
