// ALTER of extensions, triggers, policies, publications, text search and others seldom altered.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::alter_extension() {
  expect(kw_extension);
  const Name name = col_id();
  if (accept(kw_set)) {
    expect(kw_schema);
    return set_schema(ObjectType::extension, nullptr, string_node(name), false);
  }
  if (accept(kw_update)) {
    AlterExtensionStmt* const alter = make<AlterExtensionStmt>();
    alter->extname = name;
    NodeListBuilder<DefElem> options(arena_);
    while (at(kw_to)) {
      const int location = loc();
      advance();
      const Name version = at(tok_sconst) ? sconst() : non_reserved_word();
      options.push(def("new_version", string_node(version), location));
    }
    alter->options = options.span();
    return alter;
  }
  AlterExtensionContentsStmt* const alter = make<AlterExtensionContentsStmt>();
  alter->extname = name;
  alter->action = at(kw_add) ? 1 : -1;
  if (!accept(kw_add)) expect(kw_drop);
  if (!at_commentable() ||
      at_any(kw_column, kw_constraint, kw_policy, kw_rule, kw_trigger, kw_large)) {
    syntax_error();
    return alter;
  }
  alter->object = commented_object(alter->objtype);
  return alter;
}

const Node* Parser::alter_event_trigger() {
  expect_all({kw_event, kw_trigger});
  const Name name = col_id();
  if (at_any(kw_rename, kw_owner)) return alter_simple(ObjectType::event_trigger, name);
  AlterEventTrigStmt* const alter = make<AlterEventTrigStmt>();
  alter->trigname = name;
  if (accept(kw_disable)) {
    alter->tgenabled = 'D';
  } else {
    expect(kw_enable);
    alter->tgenabled = accept(kw_replica) ? 'R' : accept(kw_always) ? 'A' : 'O';
  }
  return alter;
}

const Node* Parser::alter_trigger() {
  expect(kw_trigger);
  const Name name = col_id();
  expect(kw_on);
  const RangeVar* const relation = qualified_name();
  if (accept(kw_rename)) {
    expect(kw_to);
    return finish_rename(ObjectType::trigger, ObjectType::table, relation, name, false);
  }
  return depends(ObjectType::trigger, relation, name_list_node(one_name(name)));
}

const Node* Parser::alter_rule() {
  expect(kw_rule);
  const Name name = col_id();
  expect(kw_on);
  const RangeVar* const relation = qualified_name();
  expect_all({kw_rename, kw_to});
  return finish_rename(ObjectType::rule, ObjectType::table, relation, name, false);
}

const Node* Parser::alter_policy() {
  expect(kw_policy);
  const bool missing_ok = opt_if_exists();
  const Name name = col_id();
  expect(kw_on);
  const RangeVar* const relation = qualified_name();
  if (accept(kw_rename)) {
    expect(kw_to);
    return finish_rename(ObjectType::policy, ObjectType::table, relation, name, missing_ok);
  }
  if (missing_ok) syntax_error();
  AlterPolicyStmt* const alter = make<AlterPolicyStmt>();
  alter->policy_name = name;
  alter->table = relation;
  if (accept(kw_to)) alter->roles = role_list();
  policy_expressions(alter->qual, alter->with_check);
  return alter;
}

const Node* Parser::alter_publication() {
  expect(kw_publication);
  const Name name = col_id();
  if (at_any(kw_rename, kw_owner)) return alter_simple(ObjectType::publication, name);
  AlterPublicationStmt* const alter = make<AlterPublicationStmt>();
  alter->pubname = name;
  switch (kind()) {
    case kw_add:  alter->action = AlterPublicationAction::add; break;
    case kw_drop: alter->action = AlterPublicationAction::drop; break;
    case kw_set:  alter->action = AlterPublicationAction::set; break;
    default:      syntax_error(); return alter;
  }
  advance();
  if (alter->action == AlterPublicationAction::set && at('(')) {
    alter->options = definition();
  } else {
    alter->pubobjects = publication_objects();
    refuse_publication_objects();
  }
  return alter;
}

const Node* Parser::alter_subscription() {
  using Type = AlterSubscriptionType;
  expect(kw_subscription);
  const Name name = col_id();
  if (at_any(kw_rename, kw_owner)) return alter_simple(ObjectType::subscription, name);
  AlterSubscriptionStmt* const alter = make<AlterSubscriptionStmt>();
  alter->subname = name;
  const auto publications = [&](Type type) {
    alter->kind = type;
    expect(kw_publication);
    alter->publication = name_list();
    alter->options = opt_definition();
  };
  const int location = loc();
  switch (kind()) {
    case kw_set:
      advance();
      if (at('(')) {
        alter->options = definition();
      } else {
        publications(Type::set_publication);
      }
      return alter;
    case kw_connection:
      advance();
      alter->kind = Type::connection;
      alter->conninfo = sconst();
      return alter;
    case kw_refresh:
      advance();
      expect(kw_publication);
      alter->kind = Type::refresh;
      alter->options = opt_definition();
      return alter;
    case kw_add:
      advance();
      publications(Type::add_publication);
      return alter;
    case kw_drop:
      advance();
      publications(Type::drop_publication);
      return alter;
    case kw_enable:
    case kw_disable:
      alter->kind = Type::enabled;
      alter->options = one(def("enabled", boolean_node(at(kw_enable)), location));
      advance();
      return alter;
    case kw_skip:
      advance();
      alter->kind = Type::skip;
      alter->options = definition();
      return alter;
    default: syntax_error(); return alter;
  }
}

const Node* Parser::alter_statistics() {
  expect(kw_statistics);
  const bool missing_ok = opt_if_exists();
  const Names name = any_name();
  if (at(kw_set) && peek_kind(1) == kw_statistics) {
    advance();
    advance();
    AlterStatsStmt* const alter = make<AlterStatsStmt>();
    alter->defnames = name;
    alter->missing_ok = missing_ok;
    alter->stxstattarget = signed_iconst();
    return alter;
  }
  if (missing_ok) {
    if (accept(kw_set)) syntax_error();
    syntax_error();
  }
  return alter_named(ObjectType::statistic_ext, name_list_node(name), true);
}

const Node* Parser::alter_collation() {
  expect(kw_collation);
  const Names name = any_name();
  if (accept(kw_refresh)) {
    expect(kw_version);
    AlterCollationStmt* const alter = make<AlterCollationStmt>();
    alter->collname = name;
    return alter;
  }
  return alter_named(ObjectType::collation, name_list_node(name), true);
}

const Node* Parser::alter_text_search() {
  expect_all({kw_text, kw_search});
  ObjectType type = ObjectType::tsparser;
  switch (kind()) {
    case kw_parser:        break;
    case kw_dictionary:    type = ObjectType::tsdictionary; break;
    case kw_template:      type = ObjectType::tstemplate; break;
    case kw_configuration: type = ObjectType::tsconfiguration; break;
    default:               syntax_error(); return null_const(-1);
  }
  advance();
  const Names name = any_name();
  if (type == ObjectType::tsdictionary && at('(')) {
    AlterTSDictionaryStmt* const alter = make<AlterTSDictionaryStmt>();
    alter->dictname = name;
    alter->options = definition();
    return alter;
  }
  if (type == ObjectType::tsconfiguration && at_any(kw_add, kw_alter, kw_drop)) {
    return alter_ts_configuration(name);
  }
  const bool no_owner = type == ObjectType::tsparser || type == ObjectType::tstemplate;
  if (no_owner && at(kw_owner)) syntax_error();
  return alter_named(type, name_list_node(name), true);
}

const Node* Parser::alter_ts_configuration(Names name) {
  using Type = AlterTSConfigType;
  AlterTSConfigurationStmt* const alter = make<AlterTSConfigurationStmt>();
  alter->cfgname = name;
  const int token = kind();
  advance();
  expect(kw_mapping);
  if (token == kw_drop) {
    alter->kind = Type::drop_mapping;
    alter->missing_ok = opt_if_exists();
    expect(kw_for);
    alter->tokentype = name_list();
    return alter;
  }
  const bool tokens = token == kw_add || at(kw_for);
  if (tokens) {
    expect(kw_for);
    alter->tokentype = name_list();
  }
  if (token == kw_alter && accept(kw_replace)) {
    alter->kind = tokens ? Type::replace_dict_for_token : Type::replace_dict;
    alter->replace = true;
    const List* const old_name = name_list_node(any_name());
    expect(kw_with);
    const List* const new_name = name_list_node(any_name());
    alter->dicts = two<List>(old_name, new_name);
    return alter;
  }
  if (!tokens) {
    syntax_error();
    return alter;
  }
  alter->kind = token == kw_add ? Type::add_mapping : Type::alter_mapping_for_token;
  alter->override = token == kw_alter;
  expect(kw_with);
  alter->dicts = any_name_list();
  return alter;
}

const Node* Parser::alter_tablespace() {
  expect(kw_tablespace);
  const Name name = col_id();
  if (at_any(kw_rename, kw_owner)) return alter_simple(ObjectType::tablespace, name);
  AlterTableSpaceOptionsStmt* const alter = make<AlterTableSpaceOptionsStmt>();
  alter->tablespacename = name;
  alter->is_reset = accept(kw_reset);
  if (!alter->is_reset) expect(kw_set);
  alter->options = reloptions();
  return alter;
}

const Node* Parser::alter_server() {
  expect(kw_server);
  const Name name = col_id();
  if (at_any(kw_rename, kw_owner)) return alter_simple(ObjectType::foreign_server, name);
  AlterForeignServerStmt* const alter = make<AlterForeignServerStmt>();
  alter->servername = name;
  if (accept(kw_version)) {
    alter->has_version = true;
    alter->version_is_null = accept(kw_null);
    if (!alter->version_is_null) alter->version = sconst();
    if (!at(kw_options)) return alter;
  }
  alter->options = alter_generic_options();
  return alter;
}

const Node* Parser::alter_foreign() {
  expect(kw_foreign);
  if (at(kw_table)) return alter_relation(ObjectType::foreign_table);
  expect_all({kw_data, kw_wrapper});
  const Name name = col_id();
  if (at_any(kw_rename, kw_owner)) return alter_simple(ObjectType::fdw, name);
  AlterFdwStmt* const alter = make<AlterFdwStmt>();
  alter->fdwname = name;
  alter->func_options = fdw_options();
  if (alter->func_options.empty() || at(kw_options)) alter->options = alter_generic_options();
  return alter;
}

const Node* Parser::alter_system() {
  AlterSystemStmt* const alter = make<AlterSystemStmt>();
  expect(kw_system);
  if (accept(kw_set)) {
    alter->setstmt = generic_set(false);
    return alter;
  }
  expect(kw_reset);
  VariableSetStmt* const reset = make<VariableSetStmt>();
  reset->kind = VariableSetKind::reset;
  if (accept(kw_all)) {
    reset->kind = VariableSetKind::reset_all;
  } else {
    reset->name = var_name();
  }
  alter->setstmt = reset;
  return alter;
}

}  // namespace orrery
