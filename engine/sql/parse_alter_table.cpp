// ALTER TABLE and what is altered like a table: indexes, sequences, views, foreign tables.
#include "sql/parser_internal.h"

namespace orrery {

// After ALTER, at TABLE, INDEX, SEQUENCE, VIEW, MATERIALIZED VIEW or FOREIGN TABLE's last word.
const Node* Parser::alter_relation(ObjectType type) {
  advance();
  if (at(kw_all) &&
      (type == ObjectType::table || type == ObjectType::index || type == ObjectType::matview)) {
    return alter_move_all(type);
  }
  const bool missing_ok = opt_if_exists();
  const bool is_table = type == ObjectType::table || type == ObjectType::foreign_table;
  const RangeVar* const relation = is_table ? relation_expr() : qualified_name();
  if (accept(kw_rename)) {
    if (accept(kw_to)) return finish_rename(type, type, relation, "", missing_ok);
    if (type == ObjectType::table && accept(kw_constraint)) {
      const Name name = col_id();
      expect(kw_to);
      return finish_rename(ObjectType::tabconstraint, type, relation, name, missing_ok);
    }
    if (type == ObjectType::index || type == ObjectType::sequence) {
      syntax_error();
      return null_const(-1);
    }
    accept(kw_column);
    const Name name = col_id();
    expect(kw_to);
    return finish_rename(ObjectType::column, type, relation, name, missing_ok);
  }
  if (at(kw_set) && peek_kind(1) == kw_schema && type != ObjectType::index) {
    advance();
    advance();
    return set_schema(type, relation, nullptr, missing_ok);
  }
  const bool may_depend = !missing_ok && (type == ObjectType::index || type == ObjectType::matview);
  if (may_depend && (at(kw_depends) || (at(kw_no) && peek_kind(1) == kw_depends))) {
    return depends(type, relation, nullptr);
  }
  if (type == ObjectType::sequence && at_alter_seq_option()) {
    AlterSeqStmt* const alter = make<AlterSeqStmt>();
    alter->sequence = relation;
    alter->missing_ok = missing_ok;
    alter->options = seq_options();
    return alter;
  }
  AlterTableStmt* const alter = make<AlterTableStmt>();
  alter->relation = relation;
  alter->objtype = type;
  alter->missing_ok = missing_ok;
  const bool may_partition =
      type == ObjectType::table || (type == ObjectType::index && !missing_ok);
  if (may_partition && at_any(kw_attach, kw_detach)) {
    alter->cmds = one(partition_cmd(type));
  } else {
    alter->cmds = comma_list<AlterTableCmd>([this] { return alter_table_cmd(); });
  }
  return alter;
}

bool Parser::at_alter_seq_option() {
  if (at(kw_no)) return peek_kind(1) != kw_inherit && peek_kind(1) != kw_force;
  return at_seq_option();
}

const Node* Parser::finish_rename(ObjectType type, ObjectType relation_type,
                                  const RangeVar* relation, Name subname, bool missing_ok) {
  RenameStmt* const rename = make<RenameStmt>();
  rename->rename_type = type;
  rename->relation_type = relation_type;
  rename->relation = relation;
  rename->subname = subname;
  rename->missing_ok = missing_ok;
  rename->newname = col_id();
  return rename;
}

const Node* Parser::alter_move_all(ObjectType type) {
  AlterTableMoveAllStmt* const move = make<AlterTableMoveAllStmt>();
  expect_all({kw_all, kw_in, kw_tablespace});
  move->objtype = type;
  move->orig_tablespacename = col_id();
  if (accept(kw_owned)) {
    expect(kw_by);
    move->roles = role_list();
  }
  expect_all({kw_set, kw_tablespace});
  move->new_tablespacename = col_id();
  move->nowait = accept(kw_nowait);
  return move;
}

const AlterTableCmd* Parser::partition_cmd(ObjectType type) {
  AlterTableCmd* const cmd = make<AlterTableCmd>();
  PartitionCmd* const partition = make<PartitionCmd>();
  cmd->def = partition;
  if (accept(kw_attach)) {
    expect(kw_partition);
    cmd->subtype = AlterTableType::attach_partition;
    partition->name = qualified_name();
    if (type == ObjectType::table) partition->bound = partition_bound();
    return cmd;
  }
  if (type != ObjectType::table) {
    syntax_error();
    return cmd;
  }
  expect(kw_detach);
  expect(kw_partition);
  cmd->subtype = AlterTableType::detach_partition;
  partition->name = qualified_name();
  if (accept(kw_finalize)) {
    cmd->subtype = AlterTableType::detach_partition_finalize;
  } else {
    partition->concurrent = accept(kw_concurrently);
  }
  return cmd;
}

const AlterTableCmd* Parser::alter_table_cmd() {
  AlterTableCmd* const cmd = make<AlterTableCmd>();
  const auto is = [&](AlterTableType type) {
    cmd->subtype = type;
    return cmd;
  };
  switch (kind()) {
    case kw_add:     return add_cmd(cmd);
    case kw_alter:   advance(); return alter_column_cmd(cmd);
    case kw_drop:    return drop_cmd(cmd);
    case kw_enable:
    case kw_disable: return trigger_or_rule_cmd(cmd);
    case kw_set:     return set_cmd(cmd);
    case kw_validate:
      advance();
      expect(kw_constraint);
      cmd->name = col_id();
      return is(AlterTableType::validate_constraint);
    case kw_cluster:
      advance();
      expect(kw_on);
      cmd->name = col_id();
      return is(AlterTableType::cluster_on);
    case kw_inherit:
      advance();
      cmd->def = qualified_name();
      return is(AlterTableType::add_inherit);
    case kw_no:
      advance();
      if (accept(kw_force)) {
        expect_all({kw_row, kw_level, kw_security});
        return is(AlterTableType::no_force_row_security);
      }
      expect(kw_inherit);
      cmd->def = qualified_name();
      return is(AlterTableType::drop_inherit);
    case kw_of: {
      advance();
      TypeName* const type = make<TypeName>(loc());
      type->names = any_name();
      cmd->def = type;
      return is(AlterTableType::add_of);
    }
    case kw_not:
      advance();
      expect(kw_of);
      return is(AlterTableType::drop_of);
    case kw_owner:
      advance();
      expect(kw_to);
      cmd->newowner = role_spec();
      return is(AlterTableType::change_owner);
    case kw_reset: {
      advance();
      cmd->def = def_list(reloptions());
      return is(AlterTableType::reset_rel_options);
    }
    case kw_replica:
      advance();
      expect(kw_identity);
      cmd->def = replica_identity();
      return is(AlterTableType::replica_identity);
    case kw_force:
      advance();
      expect_all({kw_row, kw_level, kw_security});
      return is(AlterTableType::force_row_security);
    case kw_options:
      cmd->def = def_list(alter_generic_options());
      return is(AlterTableType::generic_options);
    default: syntax_error(); return cmd;
  }
}

const List* Parser::def_list(ListOf<DefElem> options) {
  NodeListBuilder<Node> list(arena_);
  for (const DefElem* const option : options) list.push(option);
  return list_node(list.span());
}

const AlterTableCmd* Parser::add_cmd(AlterTableCmd* cmd) {
  expect(kw_add);
  if (at_table_constraint()) {
    cmd->subtype = AlterTableType::add_constraint;
    cmd->def = table_constraint();
    return cmd;
  }
  accept(kw_column);
  cmd->missing_ok = opt_if_not_exists();
  cmd->subtype = AlterTableType::add_column;
  cmd->def = column_def();
  return cmd;
}

const AlterTableCmd* Parser::drop_cmd(AlterTableCmd* cmd) {
  expect(kw_drop);
  cmd->subtype =
      accept(kw_constraint) ? AlterTableType::drop_constraint : AlterTableType::drop_column;
  if (cmd->subtype == AlterTableType::drop_column) accept(kw_column);
  cmd->missing_ok = opt_if_exists();
  cmd->name = col_id();
  cmd->behavior = opt_drop_behavior();
  return cmd;
}

// ENABLE and DISABLE, of triggers, rules and row security.
const AlterTableCmd* Parser::trigger_or_rule_cmd(AlterTableCmd* cmd) {
  using Type = AlterTableType;
  const bool enable = accept(kw_enable);
  if (!enable) expect(kw_disable);
  if (accept(kw_row)) {
    expect(kw_level);
    expect(kw_security);
    cmd->subtype = enable ? Type::enable_row_security : Type::disable_row_security;
    return cmd;
  }
  const bool always = enable && accept(kw_always);
  const bool replica = enable && !always && accept(kw_replica);
  if (accept(kw_rule)) {
    cmd->subtype = always    ? Type::enable_always_rule
                   : replica ? Type::enable_replica_rule
                   : enable  ? Type::enable_rule
                             : Type::disable_rule;
    cmd->name = col_id();
    return cmd;
  }
  expect(kw_trigger);
  if (!always && !replica && accept(kw_all)) {
    cmd->subtype = enable ? Type::enable_trig_all : Type::disable_trig_all;
    return cmd;
  }
  if (!always && !replica && accept(kw_user)) {
    cmd->subtype = enable ? Type::enable_trig_user : Type::disable_trig_user;
    return cmd;
  }
  cmd->subtype = always    ? Type::enable_always_trig
                 : replica ? Type::enable_replica_trig
                 : enable  ? Type::enable_trig
                           : Type::disable_trig;
  cmd->name = col_id();
  return cmd;
}

const AlterTableCmd* Parser::set_cmd(AlterTableCmd* cmd) {
  expect(kw_set);
  switch (kind()) {
    case kw_without:
      advance();
      cmd->subtype = at(kw_oids) ? AlterTableType::drop_oids : AlterTableType::drop_cluster;
      if (!accept(kw_oids)) expect(kw_cluster);
      return cmd;
    case kw_logged:
      advance();
      cmd->subtype = AlterTableType::set_logged;
      return cmd;
    case kw_unlogged:
      advance();
      cmd->subtype = AlterTableType::set_unlogged;
      return cmd;
    case kw_access:
      advance();
      expect(kw_method);
      cmd->subtype = AlterTableType::set_access_method;
      cmd->name = col_id();
      return cmd;
    case kw_tablespace:
      advance();
      cmd->subtype = AlterTableType::set_tablespace;
      cmd->name = col_id();
      return cmd;
    default:
      cmd->subtype = AlterTableType::set_rel_options;
      cmd->def = def_list(reloptions());
      return cmd;
  }
}

const Node* Parser::replica_identity() {
  ReplicaIdentityStmt* const identity = make<ReplicaIdentityStmt>();
  if (accept(kw_nothing)) {
    identity->identity_type = 'n';
  } else if (accept(kw_full)) {
    identity->identity_type = 'f';
  } else if (!accept(kw_default)) {
    expect(kw_using);
    expect(kw_index);
    identity->identity_type = 'i';
    identity->name = col_id();
  }
  return identity;
}

// After ALTER [COLUMN].
const AlterTableCmd* Parser::alter_column_cmd(AlterTableCmd* cmd) {
  using Type = AlterTableType;
  const auto is = [&](Type type) {
    cmd->subtype = type;
    return cmd;
  };
  const int location = loc();
  if (accept(kw_constraint)) {
    Constraint* const constraint = make<Constraint>(location);
    constraint->contype = ConstrType::unique;
    cmd->name = constraint->conname = col_id();
    constraint_attributes(constraint, "ALTER CONSTRAINT statement");
    constraint->contype = ConstrType::foreign;
    cmd->def = constraint;
    return is(Type::alter_constraint);
  }
  accept(kw_column);
  if (at(tok_iconst)) {
    const int at_number = loc();
    cmd->num = iconst();
    expect(kw_set);
    expect(kw_statistics);
    cmd->def = integer_node(signed_iconst());
    if ((cmd->num <= 0 || cmd->num > INT16_MAX) && !failed_) {
      error(sqlstate::invalid_parameter_value,
            cat("column number must be in range from 1 to ", INT16_MAX), at_number);
    }
    return is(Type::set_statistics);
  }
  const int at_name = loc();
  cmd->name = col_id();
  switch (kind()) {
    case kw_drop:
      advance();
      if (accept(kw_default)) return is(Type::column_default);
      if (accept(kw_not)) {
        expect(kw_null);
        return is(Type::drop_not_null);
      }
      cmd->subtype = at(kw_expression) ? Type::drop_expression : Type::drop_identity;
      if (!accept(kw_expression)) expect(kw_identity);
      cmd->missing_ok = opt_if_exists();
      return cmd;
    case kw_add: {
      advance();
      Constraint* const constraint = generated_identity();
      cmd->def = constraint;
      return is(Type::add_identity);
    }
    case kw_reset:
      advance();
      cmd->def = def_list(reloptions());
      return is(Type::reset_options);
    case kw_restart: return alter_identity(cmd);
    case kw_options:
      cmd->def = def_list(alter_generic_options());
      return is(Type::alter_column_generic_options);
    case kw_type: return alter_column_type(cmd, at_name);
    default:      break;
  }
  if (!at(kw_set)) {
    syntax_error();
    return cmd;
  }
  switch (peek_kind(1)) {
    case kw_default:
      advance();
      advance();
      cmd->def = a_expr();
      return is(Type::column_default);
    case kw_not:
      advance();
      advance();
      expect(kw_null);
      return is(Type::set_not_null);
    case kw_statistics:
      advance();
      advance();
      cmd->def = integer_node(signed_iconst());
      return is(Type::set_statistics);
    case '(':
      advance();
      cmd->def = def_list(reloptions());
      return is(Type::set_options);
    case kw_storage:
      advance();
      advance();
      cmd->def = string_node(col_id());
      return is(Type::set_storage);
    case kw_compression:
      advance();
      advance();
      cmd->def = string_node(accept(kw_default) ? Name("default") : col_id());
      return is(Type::set_compression);
    case kw_data:
      advance();
      advance();
      return alter_column_type(cmd, at_name);
    default: return alter_identity(cmd);
  }
}

const AlterTableCmd* Parser::alter_column_type(AlterTableCmd* cmd, int location) {
  expect(kw_type);
  ColumnDef* const column = make<ColumnDef>(location);
  column->type_name = type_name();
  column->coll_clause = opt_collate_clause();
  if (accept(kw_using)) column->raw_default = a_expr();
  cmd->def = column;
  cmd->subtype = AlterTableType::alter_column_type;
  return cmd;
}

// GENERATED ... AS IDENTITY, after ADD.
Constraint* Parser::generated_identity() {
  Constraint* const constraint = make<Constraint>(loc());
  constraint->contype = ConstrType::identity;
  expect(kw_generated);
  constraint->generated_always = accept(kw_always);
  if (!constraint->generated_always) {
    expect(kw_by);
    expect(kw_default);
  }
  expect_all({kw_as, kw_identity});
  constraint->options = opt_paren_seq_options();
  return constraint;
}

// SET GENERATED, SET sequence option, RESTART: one or more.
const AlterTableCmd* Parser::alter_identity(AlterTableCmd* cmd) {
  NodeListBuilder<DefElem> options(arena_);
  do {
    const int location = loc();
    if (accept(kw_restart)) {
      const bool with = accept(kw_with);
      const bool has_value = with || at_any(tok_iconst, tok_fconst, '+', '-');
      options.push(def("restart", has_value ? numeric_only() : nullptr, location));
      continue;
    }
    expect(kw_set);
    if (accept(kw_generated)) {
      const bool always = accept(kw_always);
      if (!always) {
        expect(kw_by);
        expect(kw_default);
      }
      options.push(def("generated", integer_node(always ? 'a' : 'd'), location));
      continue;
    }
    const int at_option = loc();
    const DefElem* const option = seq_option();
    if (option->defname == "as" || option->defname == "restart" || option->defname == "owned_by") {
      error(sqlstate::syntax_error,
            cat("sequence option \"", option->defname, "\" not supported here"), at_option);
    }
    options.push(option);
  } while (!failed_ && at_any(kw_set, kw_restart));
  cmd->def = def_list(options.span());
  cmd->subtype = AlterTableType::set_identity;
  return cmd;
}

}  // namespace orrery
