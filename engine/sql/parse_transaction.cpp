// Transactions and settings: BEGIN to ROLLBACK PREPARED; SET, RESET, SHOW.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::transaction_stmt() {
  TransactionStmt* const stmt = make<TransactionStmt>();
  const int token = kind();
  advance();
  const auto opt_transaction = [this] {
    if (!accept(kw_work)) accept(kw_transaction);
  };
  const auto opt_savepoint = [this] {  // the word, unless it is the name
    if (at(kw_savepoint) && peek_kind(1) != ';' && peek_kind(1) != tok_end) advance();
  };
  const auto opt_chain = [&] {
    if (!accept(kw_and)) return;
    const bool no = accept(kw_no);
    expect(kw_chain);
    stmt->chain = !no;
  };
  switch (token) {
    case kw_begin:
      opt_transaction();
      stmt->options = transaction_modes(false);
      return stmt;
    case kw_start:
      expect(kw_transaction);
      stmt->kind = TransactionStmtKind::start;
      stmt->options = transaction_modes(false);
      return stmt;
    case kw_savepoint:
      stmt->kind = TransactionStmtKind::savepoint;
      stmt->savepoint_name = col_id();
      return stmt;
    case kw_release:
      stmt->kind = TransactionStmtKind::release;
      opt_savepoint();
      stmt->savepoint_name = col_id();
      return stmt;
    case kw_commit:
      if (accept(kw_prepared)) {
        stmt->kind = TransactionStmtKind::commit_prepared;
        stmt->gid = sconst();
        return stmt;
      }
      [[fallthrough]];
    case kw_end:
      stmt->kind = TransactionStmtKind::commit;
      opt_transaction();
      opt_chain();
      return stmt;
    default: break;
  }
  stmt->kind = TransactionStmtKind::rollback;  // ROLLBACK, ABORT
  if (token == kw_rollback && accept(kw_prepared)) {
    stmt->kind = TransactionStmtKind::rollback_prepared;
    stmt->gid = sconst();
    return stmt;
  }
  opt_transaction();
  if (token == kw_rollback && accept(kw_to)) {
    stmt->kind = TransactionStmtKind::rollback_to;
    opt_savepoint();
    stmt->savepoint_name = col_id();
    return stmt;
  }
  opt_chain();
  return stmt;
}

bool Parser::at_transaction_mode() {
  return at_any(kw_isolation, kw_read, kw_deferrable, kw_not, tok_not_la);
}

ListOf<DefElem> Parser::transaction_modes(bool required) {
  NodeListBuilder<DefElem> list(arena_);
  if (!required && !at_transaction_mode()) return {};
  do {
    const int location = loc();
    if (accept(kw_isolation)) {
      expect(kw_level);
      const int at_level = loc();
      Name level;
      if (accept(kw_read)) {
        level = at(kw_uncommitted) ? "read uncommitted" : "read committed";
        if (!accept(kw_uncommitted)) expect(kw_committed);
      } else if (accept(kw_repeatable)) {
        expect(kw_read);
        level = "repeatable read";
      } else {
        expect(kw_serializable);
        level = "serializable";
      }
      list.push(def("transaction_isolation", string_const(level, at_level), location));
    } else if (accept(kw_read)) {
      const bool only = accept(kw_only);
      if (!only) expect(kw_write);
      list.push(def("transaction_read_only", integer_const(only ? 1 : 0, location), location));
    } else if (accept(kw_deferrable)) {
      list.push(def("transaction_deferrable", integer_const(1, location), location));
    } else {
      expect(kw_not);
      expect(kw_deferrable);
      list.push(def("transaction_deferrable", integer_const(0, location), location));
    }
    if (failed_) break;
  } while (accept(',') || at_transaction_mode());
  return list.span();
}

const Node* Parser::set_stmt() {
  expect(kw_set);
  if (at(kw_constraints) && peek_kind(1) != kw_to && peek_kind(1) != '=' && peek_kind(1) != '.' &&
      peek_kind(1) != kw_from) {
    return constraints_set();
  }
  if (at(kw_local) && peek_kind(1) != kw_to && peek_kind(1) != '=' && peek_kind(1) != '.' &&
      peek_kind(1) != kw_from) {
    advance();
    return set_rest(true, false);
  }
  if (at(kw_session) && peek_kind(1) != kw_to && peek_kind(1) != '=' && peek_kind(1) != '.' &&
      peek_kind(1) != kw_from) {
    if (peek_kind(1) != kw_characteristics && peek_kind(1) != kw_authorization) {
      advance();
      return set_rest(false, false);
    }
  }
  return set_rest(false, false);
}

const Node* Parser::constraints_set() {
  expect(kw_constraints);
  ConstraintsSetStmt* const stmt = make<ConstraintsSetStmt>();
  if (!accept(kw_all)) stmt->constraints = qualified_name_list();
  stmt->deferred = accept(kw_deferred);
  if (!stmt->deferred) expect(kw_immediate);
  return stmt;
}

// What may follow SET [LOCAL]. `only_more`: without the forms that make no sense in ALTER ... SET.
const VariableSetStmt* Parser::set_rest(bool is_local, bool only_more) {
  VariableSetStmt* const set = make<VariableSetStmt>();
  set->is_local = is_local;
  const int next = peek_kind(1);
  const bool plain = next == kw_to || next == '=' || next == '.' || next == kw_from;
  const auto single = [&](Name name, const Node* value) {
    set->name = name;
    if (value == nullptr) {
      set->kind = VariableSetKind::set_default;
    } else {
      set->args = one(value);
    }
    return set;
  };
  if (plain) return generic_set(is_local);
  const int location = loc();
  switch (kind()) {
    case kw_transaction:
      if (next == kw_snapshot) {
        advance();
        advance();
        set->kind = VariableSetKind::set_multi;
        set->name = "TRANSACTION SNAPSHOT";
        const int at_id = loc();
        set->args = one<Node>(string_const(sconst(), at_id));
        return set;
      }
      if (only_more) break;
      {
        advance();
        set->kind = VariableSetKind::set_multi;
        set->name = "TRANSACTION";
        NodeListBuilder<Node> args(arena_);
        for (const DefElem* const mode : transaction_modes(true)) args.push(mode);
        set->args = args.span();
        return set;
      }
    case kw_session: {
      if (next == kw_authorization) {
        advance();
        advance();
        const int at_name = loc();
        if (accept(kw_default)) return single("session_authorization", nullptr);
        const Name name = at(tok_sconst) ? sconst() : non_reserved_word();
        return single("session_authorization", string_const(name, at_name));
      }
      if (only_more) break;
      advance();
      expect_all({kw_characteristics, kw_as, kw_transaction});
      set->kind = VariableSetKind::set_multi;
      set->name = "SESSION CHARACTERISTICS";
      NodeListBuilder<Node> args(arena_);
      for (const DefElem* const mode : transaction_modes(true)) args.push(mode);
      set->args = args.span();
      return set;
    }
    case kw_time: {
      advance();
      expect(kw_zone);
      return single("timezone", zone_value());
    }
    case kw_catalog: {
      advance();
      const int at_name = loc();
      sconst();
      not_implemented("current database cannot be changed", at_name);
      return set;
    }
    case kw_schema: {
      advance();
      const int at_name = loc();
      return single("search_path", string_const(sconst(), at_name));
    }
    case kw_names: {
      advance();
      const int at_name = loc();
      if (at(tok_sconst)) return single("client_encoding", string_const(sconst(), at_name));
      accept(kw_default);
      return single("client_encoding", nullptr);
    }
    case kw_role: {
      advance();
      const int at_name = loc();
      const Name name = at(tok_sconst) ? sconst() : non_reserved_word();
      return single("role", string_const(name, at_name));
    }
    case kw_xml: {
      advance();
      expect(kw_option);
      const bool document = accept(kw_document);
      if (!document) expect(kw_content);
      return single("xmloption", string_const(document ? "DOCUMENT" : "CONTENT", location));
    }
    default: break;
  }
  return generic_set(is_local);
}

const VariableSetStmt* Parser::generic_set(bool is_local) {
  VariableSetStmt* const set = make<VariableSetStmt>();
  set->is_local = is_local;
  set->name = var_name();
  if (accept(kw_from)) {
    expect(kw_current);
    set->kind = VariableSetKind::set_current;
    return set;
  }
  if (!accept('=')) expect(kw_to);
  if (accept(kw_default)) {
    set->kind = VariableSetKind::set_default;
    return set;
  }
  set->args = var_list();
  return set;
}

Name Parser::var_name() {
  Name name = col_id();
  while (accept('.')) {
    const Name part = col_id();
    name = copy(cat(name, ".", part));
  }
  return name;
}

NodeList Parser::var_list() {
  return comma_list<Node>([this] { return var_value(); });
}

// A setting's value: a word or string, or a number.
const Node* Parser::var_value() {
  const int location = loc();
  if (at_any('+', '-', tok_iconst, tok_fconst)) {
    const Node* const number = numeric_only();
    A_Const* const node = make<A_Const>(location);
    if (const Integer* const integer = as_if<Integer>(number)) {
      node->kind = ConstKind::integer;
      node->ival = integer->ival;
    } else if (const Float* const real = as_if<Float>(number)) {
      node->kind = ConstKind::float_;
      node->text = real->fval;
    }
    return node;
  }
  return string_const(boolean_or_string(), location);
}

const Node* Parser::zone_value() {
  const int location = loc();
  if (at(kw_default) || at(kw_local)) {
    advance();
    return nullptr;
  }
  if (at(tok_sconst)) return string_const(sconst(), location);
  if (at(tok_ident)) return string_const(col_id(), location);
  if (at(kw_interval)) {
    const Node* const constant = interval_constant();
    const TypeCast* const cast = as_if<TypeCast>(constant);
    if (cast != nullptr && cast->type_name->typmods.size() == 1) {
      const A_Const* const range = as_if<A_Const>(cast->type_name->typmods[0]);
      constexpr int32_t kHourMinute = (1 << 10) | (1 << 11);
      if (range != nullptr && (range->ival & ~kHourMinute) != 0) {
        error(sqlstate::syntax_error, "time zone interval must be HOUR or HOUR TO MINUTE",
              range->location);
      }
    }
    return constant;
  }
  return var_value_number();
}

const Node* Parser::var_value_number() {
  if (!at_any('+', '-', tok_iconst, tok_fconst)) {
    syntax_error();
    return null_const(-1);
  }
  return var_value();
}

// After RESET.
const VariableSetStmt* Parser::reset_rest() {
  VariableSetStmt* const reset = make<VariableSetStmt>();
  reset->kind = VariableSetKind::reset;
  if (accept(kw_all)) {
    reset->kind = VariableSetKind::reset_all;
  } else if (at(kw_time) && peek_kind(1) == kw_zone) {
    advance();
    advance();
    reset->name = "timezone";
  } else if (at(kw_transaction) && peek_kind(1) == kw_isolation) {
    advance();
    advance();
    expect(kw_level);
    reset->name = "transaction_isolation";
  } else if (at(kw_session) && peek_kind(1) == kw_authorization) {
    advance();
    advance();
    reset->name = "session_authorization";
  } else {
    reset->name = var_name();
  }
  return reset;
}

// SET ... or RESET ..., as ALTER ROLE, ALTER DATABASE and ALTER FUNCTION have them.
const VariableSetStmt* Parser::set_or_reset() {
  if (accept(kw_reset)) return reset_rest();
  expect(kw_set);
  return set_rest(false, true);
}

const Node* Parser::show_stmt() {
  VariableShowStmt* const show = make<VariableShowStmt>();
  expect(kw_show);
  if (accept(kw_all)) {
    show->name = "all";
  } else if (at(kw_time) && peek_kind(1) == kw_zone) {
    advance();
    advance();
    show->name = "timezone";
  } else if (at(kw_transaction) && peek_kind(1) == kw_isolation) {
    advance();
    advance();
    expect(kw_level);
    show->name = "transaction_isolation";
  } else if (at(kw_session) && peek_kind(1) == kw_authorization) {
    advance();
    advance();
    show->name = "session_authorization";
  } else {
    show->name = var_name();
  }
  return show;
}

}  // namespace orrery
