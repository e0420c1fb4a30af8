// CREATE of what a whole server or database has: schemas, databases, roles, tablespaces,
// extensions, foreign data, publications, subscriptions.
#include <algorithm>

#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::create_schema() {
  CreateSchemaStmt* const create = make<CreateSchemaStmt>();
  expect(kw_schema);
  create->if_not_exists = opt_if_not_exists();
  if (!at(kw_authorization)) create->schemaname = col_id();
  if (accept(kw_authorization)) create->authrole = role_spec();
  NodeListBuilder<Node> elements(arena_);
  const int location = loc();
  while (at_any(kw_create, kw_grant) && !failed_) {
    create_context_ = CreateContext::schema_element;
    const Node* const element = at(kw_grant) ? grant_stmt(true) : create_stmt();
    create_context_ = CreateContext::statement;
    static constexpr NodeTag kAllowed[] = {NodeTag::CreateStmt,    NodeTag::IndexStmt,
                                           NodeTag::CreateSeqStmt, NodeTag::CreateTrigStmt,
                                           NodeTag::GrantStmt,     NodeTag::ViewStmt};
    if (std::ranges::find(kAllowed, element->tag) == std::end(kAllowed)) syntax_error();
    elements.push(element);
  }
  create->schema_elts = elements.span();
  if (create->if_not_exists && !elements.empty()) {
    not_implemented("CREATE SCHEMA IF NOT EXISTS cannot include schema elements", location);
  }
  return create;
}

const Node* Parser::create_database() {
  CreatedbStmt* const create = make<CreatedbStmt>();
  expect(kw_database);
  create->dbname = col_id();
  accept(kw_with);
  create->options = database_options();
  return create;
}

ListOf<DefElem> Parser::database_options() {
  NodeListBuilder<DefElem> list(arena_);
  for (;;) {
    const int location = loc();
    Name name = cur().text;
    if (at(kw_connection)) {
      advance();
      expect(kw_limit);
      name = "connection_limit";
    } else if (at_any(tok_ident, kw_encoding, kw_location, kw_owner, kw_tablespace, kw_template)) {
      advance();
    } else {
      return list.span();
    }
    accept('=');
    const Node* value = nullptr;
    if (at_any('+', '-', tok_iconst, tok_fconst)) {
      value = numeric_only();
    } else if (!accept(kw_default)) {
      value = string_node(boolean_or_string());
    }
    list.push(def(name, value, location));
    if (failed_) return list.span();
  }
}

const Node* Parser::create_role(RoleStmtType type) {
  CreateRoleStmt* const create = make<CreateRoleStmt>();
  advance();
  create->stmt_type = type;
  create->role = role_id();
  accept(kw_with);
  create->options = role_options(true);
  return create;
}

ListOf<DefElem> Parser::role_options(bool creating) {
  NodeListBuilder<DefElem> list(arena_);
  while (const DefElem* const option = role_option(creating)) {
    list.push(option);
    if (failed_) break;
  }
  return list.span();
}

// Null when there is none.
const DefElem* Parser::role_option(bool creating) {
  const int location = loc();
  const auto roles = [&](Name name) {
    NodeListBuilder<Node> list(arena_);
    for (const RoleSpec* const role : role_list()) list.push(role);
    return def(name, list_node(list.span()), location);
  };
  const auto password = [&]() -> const DefElem* {
    expect(kw_password);
    return def("password", string_node(sconst()), location);
  };
  switch (kind()) {
    case kw_password:
      advance();
      if (accept(kw_null)) return def("password", nullptr, location);
      return def("password", string_node(sconst()), location);
    case kw_encrypted:   advance(); return password();
    case kw_unencrypted: {
      advance();
      const DefElem* const option = password();
      error(sqlstate::feature_not_supported, "UNENCRYPTED PASSWORD is no longer supported",
            location, "Remove UNENCRYPTED to store the password in encrypted form instead.");
      return option;
    }
    case kw_inherit: advance(); return def("inherit", boolean_node(true), location);
    case kw_connection:
      advance();
      expect(kw_limit);
      return def("connectionlimit", integer_node(signed_iconst()), location);
    case kw_valid:
      advance();
      expect(kw_until);
      return def("validUntil", string_node(sconst()), location);
    case kw_user: advance(); return roles("rolemembers");
    case kw_sysid:
      if (!creating) return nullptr;
      advance();
      return def("sysid", integer_node(iconst()), location);
    case kw_admin:
      if (!creating) return nullptr;
      advance();
      return roles("adminmembers");
    case kw_role:
      if (!creating) return nullptr;
      advance();
      return roles("rolemembers");
    case kw_in:
      if (!creating || (peek_kind(1) != kw_role && peek_kind(1) != kw_group)) {
        if (!creating) return nullptr;
        advance();
        syntax_error();
        return nullptr;
      }
      advance();
      advance();
      return roles("addroleto");
    case tok_ident: break;
    default:        return nullptr;
  }
  struct Flag {
    Name word, name;
    bool value;
  };
  static constexpr Flag kFlags[] = {
      {"superuser", "superuser", true},
      {"nosuperuser", "superuser", false},
      {"createrole", "createrole", true},
      {"nocreaterole", "createrole", false},
      {"replication", "isreplication", true},
      {"noreplication", "isreplication", false},
      {"createdb", "createdb", true},
      {"nocreatedb", "createdb", false},
      {"login", "canlogin", true},
      {"nologin", "canlogin", false},
      {"bypassrls", "bypassrls", true},
      {"nobypassrls", "bypassrls", false},
      {"noinherit", "inherit", false},
  };
  const Name word = cur().text;
  advance();
  for (const Flag& flag : kFlags) {
    if (flag.word == word) return def(flag.name, boolean_node(flag.value), location);
  }
  error(sqlstate::syntax_error, cat("unrecognized role option \"", word, "\""), location);
  return def(word, nullptr, location);
}

// At USER MAPPING.
const Node* Parser::create_user_mapping() {
  CreateUserMappingStmt* const create = make<CreateUserMappingStmt>();
  expect_all({kw_user, kw_mapping});
  create->if_not_exists = accept(kw_if);
  if (create->if_not_exists) expect_all({kw_not, kw_exists});
  expect(kw_for);
  create->user = auth_ident();
  expect(kw_server);
  create->servername = col_id();
  create->options = opt_generic_options();
  return create;
}

const RoleSpec* Parser::auth_ident() {
  if (!at(kw_user)) return role_spec();
  RoleSpec* const role = make<RoleSpec>(loc());
  advance();
  role->roletype = RoleSpecType::current_user;
  return role;
}

const Node* Parser::create_tablespace() {
  CreateTableSpaceStmt* const create = make<CreateTableSpaceStmt>();
  expect(kw_tablespace);
  create->tablespacename = col_id();
  if (accept(kw_owner)) create->owner = role_spec();
  expect(kw_location);
  create->location_path = sconst();
  if (accept(kw_with)) create->options = reloptions();
  return create;
}

const Node* Parser::create_extension() {
  CreateExtensionStmt* const create = make<CreateExtensionStmt>();
  expect(kw_extension);
  create->if_not_exists = opt_if_not_exists();
  create->extname = col_id();
  accept(kw_with);
  NodeListBuilder<DefElem> options(arena_);
  for (;;) {
    const int location = loc();
    if (accept(kw_schema)) {
      options.push(def("schema", string_node(col_id()), location));
    } else if (accept(kw_version)) {
      const Name version = at(tok_sconst) ? sconst() : non_reserved_word();
      options.push(def("new_version", string_node(version), location));
    } else if (accept(kw_from)) {
      if (at(tok_sconst))
        sconst();
      else
        non_reserved_word();
      not_implemented("CREATE EXTENSION ... FROM is no longer supported", location);
    } else if (accept(kw_cascade)) {
      options.push(def("cascade", boolean_node(true), location));
    } else {
      break;
    }
    if (failed_) break;
  }
  create->options = options.span();
  return create;
}

// At FOREIGN: DATA WRAPPER or TABLE.
const Node* Parser::create_foreign() {
  expect(kw_foreign);
  if (accept(kw_table)) return create_table(RelPersistence::permanent, true);
  CreateFdwStmt* const create = make<CreateFdwStmt>();
  expect_all({kw_data, kw_wrapper});
  create->fdwname = col_id();
  create->func_options = fdw_options();
  create->options = opt_generic_options();
  return create;
}

ListOf<DefElem> Parser::fdw_options() {
  NodeListBuilder<DefElem> list(arena_);
  for (;;) {
    const int location = loc();
    const Name word = cur().text;
    if (accept(kw_handler) || accept(kw_validator)) {
      list.push(def(word, name_list_node(handler_name()), location));
    } else if (at(kw_no)) {
      advance();
      const Name what = cur().text;
      if (!accept(kw_handler)) expect(kw_validator);
      list.push(def(what, nullptr, location));
    } else {
      return list.span();
    }
    if (failed_) return list.span();
  }
}

const Node* Parser::create_server() {
  CreateForeignServerStmt* const create = make<CreateForeignServerStmt>();
  expect(kw_server);
  create->if_not_exists = opt_if_not_exists();
  create->servername = col_id();
  if (accept(kw_type)) {
    create->has_type = true;
    create->servertype = sconst();
  }
  if (accept(kw_version)) {
    if (!accept(kw_null)) {
      create->has_version = true;
      create->version = sconst();
    }
  }
  expect_all({kw_foreign, kw_data, kw_wrapper});
  create->fdwname = col_id();
  create->options = opt_generic_options();
  return create;
}

const Node* Parser::import_foreign_schema() {
  ImportForeignSchemaStmt* const import = make<ImportForeignSchemaStmt>();
  expect_all({kw_import, kw_foreign, kw_schema});
  import->remote_schema = col_id();
  if (at_any(kw_limit, kw_except)) {
    import->list_type =
        at(kw_limit) ? ImportForeignSchemaType::limit_to : ImportForeignSchemaType::except;
    if (accept(kw_limit)) {
      expect(kw_to);
    } else {
      advance();
    }
    import->table_list = paren_list<RangeVar>([this] { return relation_expr(); });
  }
  expect_all({kw_from, kw_server});
  import->server_name = col_id();
  expect(kw_into);
  import->local_schema = col_id();
  import->options = opt_generic_options();
  return import;
}

const Node* Parser::create_publication() {
  CreatePublicationStmt* const create = make<CreatePublicationStmt>();
  expect(kw_publication);
  create->pubname = col_id();
  if (accept(kw_for)) {
    if (accept(kw_all)) {
      expect(kw_tables);
      create->for_all_tables = true;
    } else {
      create->pubobjects = publication_objects();
    }
  }
  create->options = opt_definition();
  if (!create->pubobjects.empty()) refuse_publication_objects();
  return create;
}

// Each object is introduced by TABLE or TABLES IN SCHEMA, or goes on with the kind before it. What
// is wrong with the list as such is said only once the whole statement has been read:
// refuse_publication_objects().
ListOf<PublicationObjSpec> Parser::publication_objects() {
  enum class Kind { none, table, schema } current = Kind::none;
  publication_error_ = {};
  const auto wrong = [&](const char* message, const char* detail, int location) {
    if (publication_error_.message == nullptr) publication_error_ = {message, detail, location};
  };
  return comma_list<PublicationObjSpec>([&]() -> const PublicationObjSpec* {
    PublicationObjSpec* const spec = make<PublicationObjSpec>(loc());
    if (at(kw_tables) && peek_kind(1) == kw_in) {
      advance();
      advance();
      expect(kw_schema);
      current = Kind::schema;
      spec->location = loc();
      spec->pubobjtype = at(kw_current_schema) ? PublicationObjSpecType::tables_in_cur_schema
                                               : PublicationObjSpecType::tables_in_schema;
      if (!accept(kw_current_schema)) spec->name = col_id();
      return spec;
    }
    const bool introduced = accept(kw_table);
    if (introduced) current = Kind::table;
    if (current == Kind::none) {
      wrong("invalid publication object list",
            "One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or "
            "schema name.",
            spec->location);
    }
    if (!introduced && accept(kw_current_schema)) {
      if (current == Kind::table) {
        wrong("invalid table name at or near", nullptr, spec->location);
      }
      spec->pubobjtype = PublicationObjSpecType::tables_in_cur_schema;
      return spec;
    }
    const bool extended = at(kw_only);
    if (extended) spec->location = 0;  // PostgreSQL records none
    const RangeVar* const relation = relation_expr();
    spec->columns = opt_column_list();
    if (accept(kw_where)) {
      expect('(');
      spec->where_clause = a_expr();
      expect(')');
    }
    if (current != Kind::schema) {
      spec->relation = relation;
      return spec;
    }
    spec->pubobjtype = PublicationObjSpecType::tables_in_schema;
    spec->name = relation->relname;
    if (spec->where_clause != nullptr) {
      wrong("WHERE clause not allowed for schema", nullptr, spec->location);
    } else if (!spec->columns.empty()) {
      wrong("column specification not allowed for schema", nullptr, spec->location);
    } else if (!relation->schemaname.empty() || extended) {
      wrong("invalid schema name at or near", nullptr, spec->location);
    }
    return spec;
  });
}

void Parser::refuse_publication_objects() {
  if (failed_ || publication_error_.message == nullptr) return;
  Status status = raise(sqlstate::syntax_error, publication_error_.message)
                      .at(character_position(text_, publication_error_.location));
  fail(publication_error_.detail == nullptr ? std::move(status)
                                            : std::move(status).detail(publication_error_.detail));
}

const Node* Parser::create_subscription() {
  CreateSubscriptionStmt* const create = make<CreateSubscriptionStmt>();
  expect(kw_subscription);
  create->subname = col_id();
  expect(kw_connection);
  create->conninfo = sconst();
  expect(kw_publication);
  create->publication = name_list();
  create->options = opt_definition();
  return create;
}

}  // namespace orrery
