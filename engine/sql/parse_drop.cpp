// DROP, COMMENT, SECURITY LABEL: statements that name any kind of object.
#include "sql/parser_internal.h"

namespace orrery {

// Objects named by any_name: consumes the words that say the kind.
bool Parser::object_type_any_name(ObjectType& type) {
  const auto is = [&](ObjectType found) {
    type = found;
    advance();
    return true;
  };
  switch (kind()) {
    case kw_table:      return is(ObjectType::table);
    case kw_sequence:   return is(ObjectType::sequence);
    case kw_view:       return is(ObjectType::view);
    case kw_index:      return is(ObjectType::index);
    case kw_collation:  return is(ObjectType::collation);
    case kw_conversion: return is(ObjectType::conversion);
    case kw_statistics: return is(ObjectType::statistic_ext);
    case kw_materialized:
      advance();
      expect(kw_view);
      type = ObjectType::matview;
      return true;
    case kw_foreign:
      if (peek_kind(1) != kw_table) return false;
      advance();
      return is(ObjectType::foreign_table);
    case kw_text:
      advance();
      expect(kw_search);
      switch (kind()) {
        case kw_parser:        return is(ObjectType::tsparser);
        case kw_dictionary:    return is(ObjectType::tsdictionary);
        case kw_template:      return is(ObjectType::tstemplate);
        case kw_configuration: return is(ObjectType::tsconfiguration);
        default:               syntax_error(); return true;
      }
    default: return false;
  }
}

// Objects named by one name, that DROP drops in the common way.
bool Parser::drop_type_name(ObjectType& type) {
  const auto is = [&](ObjectType found) {
    type = found;
    advance();
    return true;
  };
  switch (kind()) {
    case kw_access:
      advance();
      expect(kw_method);
      type = ObjectType::access_method;
      return true;
    case kw_event:
      advance();
      expect(kw_trigger);
      type = ObjectType::event_trigger;
      return true;
    case kw_extension: return is(ObjectType::extension);
    case kw_foreign:
      advance();
      expect_all({kw_data, kw_wrapper});
      type = ObjectType::fdw;
      return true;
    case kw_procedural:
      advance();
      expect(kw_language);
      type = ObjectType::language;
      return true;
    case kw_language:    return is(ObjectType::language);
    case kw_publication: return is(ObjectType::publication);
    case kw_schema:      return is(ObjectType::schema);
    case kw_server:      return is(ObjectType::foreign_server);
    default:             return false;
  }
}

bool Parser::object_type_name(ObjectType& type) {
  if (drop_type_name(type)) return true;
  switch (kind()) {
    case kw_database:     type = ObjectType::database; break;
    case kw_role:         type = ObjectType::role; break;
    case kw_subscription: type = ObjectType::subscription; break;
    case kw_tablespace:   type = ObjectType::tablespace; break;
    default:              return false;
  }
  advance();
  return true;
}

const Node* Parser::drop_objects(ObjectType type, NodeList objects, bool missing_ok, int location) {
  static_cast<void>(location);
  DropStmt* const drop = make<DropStmt>();
  drop->remove_type = type;
  drop->objects = objects;
  drop->missing_ok = missing_ok;
  drop->behavior = opt_drop_behavior();
  return drop;
}

const Node* Parser::drop_stmt() {
  expect(kw_drop);
  ObjectType type = ObjectType::table;
  const auto objects = [&](auto item) {
    const bool missing_ok = opt_if_exists();
    return drop_objects(type, comma_list<Node>(item), missing_ok, -1);
  };
  if (object_type_any_name(type)) {
    if (type != ObjectType::index || !accept(kw_concurrently)) {
      return objects([this]() -> const Node* { return name_list_node(any_name()); });
    }
    const bool missing_ok = opt_if_exists();
    DropStmt* const drop = make<DropStmt>();
    drop->remove_type = type;
    drop->concurrent = true;
    drop->missing_ok = missing_ok;
    drop->objects =
        comma_list<Node>([this]() -> const Node* { return name_list_node(any_name()); });
    drop->behavior = opt_drop_behavior();
    return drop;
  }
  if (drop_type_name(type))
    return objects([this]() -> const Node* { return string_node(col_id()); });
  return drop_special();
}

const Node* Parser::drop_special() {
  ObjectType type = ObjectType::table;
  const auto objects = [&](ObjectType found, auto item) {
    advance();
    const bool missing_ok = opt_if_exists();
    return drop_objects(found, comma_list<Node>(item), missing_ok, -1);
  };
  const int location = loc();
  switch (kind()) {
    case kw_type: return objects(ObjectType::type, [this]() -> const Node* { return type_name(); });
    case kw_domain:
      return objects(ObjectType::domain, [this]() -> const Node* { return type_name(); });
    case kw_function:
      return objects(ObjectType::function,
                     [this]() -> const Node* { return function_with_args(ObjectType::function); });
    case kw_procedure:
      return objects(ObjectType::procedure,
                     [this]() -> const Node* { return function_with_args(ObjectType::procedure); });
    case kw_routine:
      return objects(ObjectType::routine,
                     [this]() -> const Node* { return function_with_args(ObjectType::routine); });
    case kw_aggregate:
      return objects(ObjectType::aggregate,
                     [this]() -> const Node* { return aggregate_with_args(); });
    case kw_operator: {
      if ((peek_kind(1) != kw_class && peek_kind(1) != kw_family) || peek_kind(2) == '.') {
        return objects(ObjectType::operator_,
                       [this]() -> const Node* { return operator_with_args(); });
      }
      advance();
      type = at(kw_class) ? ObjectType::opclass : ObjectType::opfamily;
      advance();
      const bool missing_ok = opt_if_exists();
      return drop_objects(type, one<Node>(method_qualified_name()), missing_ok, location);
    }
    case kw_cast: {
      advance();
      const bool missing_ok = opt_if_exists();
      return drop_objects(ObjectType::cast, one<Node>(cast_signature()), missing_ok, location);
    }
    case kw_transform: {
      advance();
      const bool missing_ok = opt_if_exists();
      return drop_objects(ObjectType::transform, one<Node>(transform_signature()), missing_ok,
                          location);
    }
    case kw_policy:
    case kw_rule:
    case kw_trigger: {
      type = at(kw_policy) ? ObjectType::policy
             : at(kw_rule) ? ObjectType::rule
                           : ObjectType::trigger;
      advance();
      const bool missing_ok = opt_if_exists();
      return drop_objects(type, one<Node>(name_on_any_name()), missing_ok, location);
    }
    case kw_owned: {
      advance();
      expect(kw_by);
      DropOwnedStmt* const drop = make<DropOwnedStmt>();
      drop->roles = role_list();
      drop->behavior = opt_drop_behavior();
      return drop;
    }
    case kw_role:
    case kw_group:
    case kw_user:       return drop_role();
    case kw_tablespace: {
      advance();
      DropTableSpaceStmt* const drop = make<DropTableSpaceStmt>();
      drop->missing_ok = opt_if_exists();
      drop->tablespacename = col_id();
      return drop;
    }
    case kw_database: {
      advance();
      DropdbStmt* const drop = make<DropdbStmt>();
      drop->missing_ok = opt_if_exists();
      drop->dbname = col_id();
      if (at_any(kw_with, '(')) {
        accept(kw_with);
        drop->options = paren_list<DefElem>([this] {
          const int at_option = loc();
          expect(kw_force);
          return def("force", nullptr, at_option);
        });
      }
      return drop;
    }
    case kw_subscription: {
      advance();
      DropSubscriptionStmt* const drop = make<DropSubscriptionStmt>();
      drop->missing_ok = opt_if_exists();
      drop->subname = col_id();
      drop->behavior = opt_drop_behavior();
      return drop;
    }
    default: syntax_error(); return null_const(-1);
  }
}

const Node* Parser::drop_role() {
  if (at(kw_user) && peek_kind(1) == kw_mapping &&
      (peek_kind(2) == kw_for || peek_kind(2) == kw_if)) {
    advance();
    advance();
    DropUserMappingStmt* const drop = make<DropUserMappingStmt>();
    drop->missing_ok = accept(kw_if);
    if (drop->missing_ok) expect(kw_exists);
    expect(kw_for);
    drop->user = auth_ident();
    expect(kw_server);
    drop->servername = col_id();
    return drop;
  }
  advance();
  DropRoleStmt* const drop = make<DropRoleStmt>();
  drop->missing_ok = opt_if_exists();
  drop->roles = role_list();
  return drop;
}

// any_name USING method: the method first, as PostgreSQL keeps it.
const List* Parser::method_qualified_name() {
  const Names name = any_name();
  expect(kw_using);
  ListBuilder<Name> names(arena_);
  names.push(col_id());
  names.append(name);
  return name_list_node(names.span());
}

const List* Parser::cast_signature() {
  expect('(');
  const TypeName* const source = type_name();
  expect(kw_as);
  const TypeName* const target = type_name();
  expect(')');
  return list_node(two<Node>(source, target));
}

const List* Parser::transform_signature() {
  expect(kw_for);
  const TypeName* const type = type_name();
  expect(kw_language);
  return list_node(two<Node>(type, string_node(col_id())));
}

// name ON table: the table's name, then the object's.
const List* Parser::name_on_any_name() {
  const Name name = col_id();
  expect(kw_on);
  ListBuilder<Name> names(arena_);
  names.append(any_name());
  names.push(name);
  return name_list_node(names.span());
}

// The object of COMMENT, SECURITY LABEL and ALTER EXTENSION ADD, kind and name. Kinds that only
// COMMENT knows are checked by the caller.
const Node* Parser::commented_object(ObjectType& type) {
  if (object_type_any_name(type)) return name_list_node(any_name());
  if (object_type_name(type)) return string_node(col_id());
  const int token = kind();
  if (token == kw_large && peek_kind(1) == kw_object) {
    advance();
    advance();
    type = ObjectType::largeobject;
    return numeric_only();
  }
  advance();
  switch (token) {
    case kw_column:    type = ObjectType::column; return name_list_node(any_name());
    case kw_type:      type = ObjectType::type; return type_name();
    case kw_domain:    type = ObjectType::domain; return type_name();
    case kw_aggregate: type = ObjectType::aggregate; return aggregate_with_args();
    case kw_function:  type = ObjectType::function; return function_with_args(type);
    case kw_procedure: type = ObjectType::procedure; return function_with_args(type);
    case kw_routine:   type = ObjectType::routine; return function_with_args(type);
    case kw_operator:
      if (at_any(kw_class, kw_family) && peek_kind(1) != '.') {
        type = at(kw_class) ? ObjectType::opclass : ObjectType::opfamily;
        advance();
        return method_qualified_name();
      }
      type = ObjectType::operator_;
      return operator_with_args();
    case kw_constraint: {
      type = ObjectType::tabconstraint;
      const Name name = col_id();
      expect(kw_on);
      if (accept(kw_domain)) {
        type = ObjectType::domconstraint;
        TypeName* const domain = make<TypeName>(loc());
        domain->names = any_name();
        return list_node(two<Node>(domain, string_node(name)));
      }
      ListBuilder<Name> names(arena_);
      names.append(any_name());
      names.push(name);
      return name_list_node(names.span());
    }
    case kw_policy:    type = ObjectType::policy; return name_on_any_name();
    case kw_rule:      type = ObjectType::rule; return name_on_any_name();
    case kw_trigger:   type = ObjectType::trigger; return name_on_any_name();
    case kw_transform: type = ObjectType::transform; return transform_signature();
    case kw_cast:      type = ObjectType::cast; return cast_signature();
    default:           return nullptr;
  }
}

const Node* Parser::comment_stmt() {
  CommentStmt* const comment = make<CommentStmt>();
  expect_all({kw_comment, kw_on});
  if (!at_commentable()) syntax_error();
  comment->object = failed_ ? null_const(-1) : commented_object(comment->objtype);
  expect(kw_is);
  if (!accept(kw_null)) {
    comment->has_comment = true;
    comment->comment = sconst();
  }
  return comment;
}

bool Parser::at_commentable() {
  switch (kind()) {
    case kw_table:
    case kw_sequence:
    case kw_view:
    case kw_materialized:
    case kw_index:
    case kw_foreign:
    case kw_collation:
    case kw_conversion:
    case kw_statistics:
    case kw_text:
    case kw_access:
    case kw_event:
    case kw_extension:
    case kw_procedural:
    case kw_language:
    case kw_publication:
    case kw_schema:
    case kw_server:
    case kw_database:
    case kw_role:
    case kw_subscription:
    case kw_tablespace:
    case kw_column:
    case kw_type:
    case kw_domain:
    case kw_aggregate:
    case kw_function:
    case kw_procedure:
    case kw_routine:
    case kw_operator:
    case kw_constraint:
    case kw_policy:
    case kw_rule:
    case kw_trigger:
    case kw_transform:
    case kw_cast:         return true;
    case kw_large:
      if (peek_kind(1) == kw_object) return true;
      advance();
      return false;
    default: return false;
  }
}

const Node* Parser::security_label() {
  SecLabelStmt* const label = make<SecLabelStmt>();
  expect_all({kw_security, kw_label});
  if (accept(kw_for)) {
    label->has_provider = true;
    label->provider = at(tok_sconst) ? sconst() : non_reserved_word();
  }
  expect(kw_on);
  if (!at_commentable() ||
      at_any(kw_operator, kw_constraint, kw_policy, kw_rule, kw_trigger, kw_transform, kw_cast)) {
    syntax_error();
  }
  label->object = failed_ ? null_const(-1) : commented_object(label->objtype);
  expect(kw_is);
  if (!accept(kw_null)) {
    label->has_label = true;
    label->label = sconst();
  }
  return label;
}

}  // namespace orrery
