// Statements that run or tend the database: cursors, prepared statements, COPY, EXPLAIN, VACUUM and
// their kin.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::explain_stmt() {
  ExplainStmt* const explain = make<ExplainStmt>();
  expect(kw_explain);
  if (at('(') && peek_kind(1) != '(' && !at_select_start()) {
    explain->options = utility_options();
  } else if (at_any(kw_analyze, kw_analyse)) {
    NodeListBuilder<DefElem> options(arena_);
    options.push(def("analyze", nullptr, loc()));
    advance();
    const int location = loc();
    if (accept(kw_verbose)) options.push(def("verbose", nullptr, location));
    explain->options = options.span();
  } else if (at(kw_verbose)) {
    explain->options = one(def("verbose", nullptr, loc()));
    advance();
  }
  explain->query = explainable_stmt();
  return explain;
}

const Node* Parser::explainable_stmt() {
  switch (kind()) {
    case kw_declare: return declare_cursor();
    case kw_execute: return execute_stmt();
    case kw_refresh: return refresh_stmt();
    case kw_create:  {
      create_context_ = CreateContext::explained;
      const Node* const create = create_stmt();
      if (create->tag != NodeTag::CreateTableAsStmt) syntax_error();
      create_context_ = CreateContext::statement;
      return create;
    }
    default: return preparable_stmt();
  }
}

ListOf<DefElem> Parser::utility_options() {
  return paren_list<DefElem>([this] { return utility_option(); });
}

const DefElem* Parser::utility_option() {
  const int location = loc();
  Name name = cur().text;
  if (at_any(kw_analyze, kw_analyse)) {
    name = "analyze";
    advance();
  } else {
    name = non_reserved_word();
  }
  const Node* value = nullptr;
  if (at_any('+', '-', tok_iconst, tok_fconst)) {
    value = numeric_only();
  } else if (!at(',') && !at(')')) {
    value = string_node(boolean_or_string());
  }
  return def(name, value, location);
}

const Node* Parser::copy_stmt() {
  CopyStmt* const copy_node = make<CopyStmt>();
  expect(kw_copy);
  NodeListBuilder<DefElem> options(arena_);
  const bool is_query = at('(');
  if (is_query) {
    advance();
    copy_node->query = preparable_stmt();
    expect(')');
    expect(kw_to);
  } else {
    const int at_binary = loc();
    if (accept(kw_binary)) options.push(def("format", string_node("binary"), at_binary));
    copy_node->relation = qualified_name();
    copy_node->attlist = opt_column_list();
    copy_node->is_from = accept(kw_from);
    if (!copy_node->is_from) expect(kw_to);
  }
  copy_node->is_program = accept(kw_program);
  if (at(tok_sconst)) {
    copy_node->has_filename = true;
    copy_node->filename = sconst();
  } else {
    if (!accept(kw_stdin)) expect(kw_stdout);
    if (copy_node->is_program && !failed_) {
      error(sqlstate::syntax_error, "STDIN/STDOUT not allowed with PROGRAM", -1);
    }
  }
  if (!is_query && at_any(kw_using, kw_delimiters)) {
    const int location = loc();
    accept(kw_using);
    expect(kw_delimiters);
    options.push(def("delimiter", string_node(sconst()), location));
  }
  accept(kw_with);
  options.append(copy_options());
  if (!is_query && at(kw_where)) {
    const int location = loc();
    copy_node->where_clause = opt_where();
    if (!copy_node->is_from) {
      error(sqlstate::syntax_error, "WHERE clause not allowed with COPY TO", location);
    }
  }
  copy_node->options = options.span();
  return copy_node;
}

ListOf<DefElem> Parser::copy_options() {
  if (at('(')) {
    return paren_list<DefElem>([this] {
      const int location = loc();
      const Name name = col_label();
      const Node* value = nullptr;
      if (accept('*')) {
        value = make<A_Star>();
      } else if (accept('(')) {
        value = list_node(
            comma_list<Node>([this]() -> const Node* { return string_node(boolean_or_string()); }));
        expect(')');
      } else if (at_any('+', '-', tok_iconst, tok_fconst)) {
        value = numeric_only();
      } else if (!at(',') && !at(')')) {
        value = string_node(boolean_or_string());
      }
      return def(name, value, location);
    });
  }
  NodeListBuilder<DefElem> list(arena_);
  while (const DefElem* const option = copy_old_option()) {
    list.push(option);
    if (failed_) break;
  }
  return list.span();
}

// The options of before 9.0, without parentheses. Null when there is none.
const DefElem* Parser::copy_old_option() {
  const int location = loc();
  const int token = kind();
  const Name word = cur().text;
  const auto with_string = [&] {
    advance();
    accept(kw_as);
    return def(word, string_node(sconst()), location);
  };
  switch (token) {
    case kw_binary:
    case kw_csv:       advance(); return def("format", string_node(word), location);
    case kw_freeze:
    case kw_header:    advance(); return def(word, boolean_node(true), location);
    case kw_delimiter:
    case kw_null:
    case kw_quote:
    case kw_escape:    return with_string();
    case kw_encoding:  advance(); return def("encoding", string_node(sconst()), location);
    case kw_force:     {
      advance();
      Name name = "force_quote";
      if (accept(kw_not)) {
        expect(kw_null);
        name = "force_not_null";
      } else if (accept(kw_null)) {
        name = "force_null";
      } else {
        expect(kw_quote);
        if (accept('*')) return def(name, make<A_Star>(), location);
      }
      return def(name, name_list_node(name_list()), location);
    }
    default: return nullptr;
  }
}

const Node* Parser::prepare_stmt() {
  expect(kw_prepare);
  if (at(kw_transaction) && peek_kind(1) == tok_sconst) {
    advance();
    TransactionStmt* const stmt = make<TransactionStmt>();
    stmt->kind = TransactionStmtKind::prepare;
    stmt->gid = sconst();
    return stmt;
  }
  PrepareStmt* const prepare = make<PrepareStmt>();
  prepare->name = col_id();
  if (accept('(')) {
    prepare->argtypes = type_list();
    expect(')');
  }
  expect(kw_as);
  prepare->query = preparable_stmt();
  return prepare;
}

const Node* Parser::execute_stmt() {
  ExecuteStmt* const execute = make<ExecuteStmt>();
  expect(kw_execute);
  execute->name = col_id();
  if (at('(')) execute->params = paren_expr_list();
  return execute;
}

const Node* Parser::deallocate_stmt() {
  DeallocateStmt* const deallocate = make<DeallocateStmt>();
  expect(kw_deallocate);
  if (at(kw_prepare)) {
    const int next = peek_kind(1);
    if (next != ';' && next != tok_end) advance();
  }
  if (!accept(kw_all)) deallocate->name = col_id();
  return deallocate;
}

const Node* Parser::declare_cursor() {
  DeclareCursorStmt* const declare = make<DeclareCursorStmt>();
  expect(kw_declare);
  declare->portalname = col_id();
  for (;;) {
    if (accept(kw_no)) {
      expect(kw_scroll);
      declare->options |= kCursorNoScroll;
    } else if (accept(kw_scroll)) {
      declare->options |= kCursorScroll;
    } else if (accept(kw_binary)) {
      declare->options |= kCursorBinary;
    } else if (accept(kw_asensitive)) {
      declare->options |= kCursorAsensitive;
    } else if (accept(kw_insensitive)) {
      declare->options |= kCursorInsensitive;
    } else {
      break;
    }
  }
  expect(kw_cursor);
  if (accept(kw_with)) {
    expect(kw_hold);
    declare->options |= kCursorHold;
  } else if (accept(kw_without)) {
    expect(kw_hold);
  }
  expect(kw_for);
  declare->query = select_no_parens();
  return declare;
}

const Node* Parser::fetch_stmt(bool move) {
  FetchStmt* const fetch = make<FetchStmt>();
  advance();
  fetch->ismove = move;
  const auto set = [&](FetchDirection direction, int64_t how_many) {
    fetch->direction = direction;
    fetch->how_many = how_many;
  };
  const auto at_number = [this] { return at_any(tok_iconst, '+', '-'); };
  const auto signed_follows = [this] {
    const int next = peek_kind(1);
    return next == tok_iconst || next == '+' || next == '-';
  };
  // A word such as NEXT is itself the cursor's name when nothing follows that could be one.
  const bool last = peek_kind(1) == ';' || peek_kind(1) == tok_end || peek_kind(1) == tok_error;
  if (at_number()) {
    set(FetchDirection::forward, signed_iconst());
  } else if (accept(kw_all)) {
    set(FetchDirection::forward, kFetchAll);
  } else if (!last) {
    switch (kind()) {
      case kw_next: advance(); break;
      case kw_prior:
        advance();
        set(FetchDirection::backward, 1);
        break;
      case kw_first:
        advance();
        set(FetchDirection::absolute, 1);
        break;
      case kw_last:
        advance();
        set(FetchDirection::absolute, -1);
        break;
      case kw_absolute:
      case kw_relative: {
        const auto direction =
            at(kw_absolute) ? FetchDirection::absolute : FetchDirection::relative;
        if (!signed_follows()) break;
        advance();
        set(direction, signed_iconst());
        break;
      }
      case kw_forward:
      case kw_backward: {
        set(at(kw_forward) ? FetchDirection::forward : FetchDirection::backward, 1);
        advance();
        if (accept(kw_all)) {
          fetch->how_many = kFetchAll;
        } else if (at_number()) {
          fetch->how_many = signed_iconst();
        }
        break;
      }
      default: break;
    }
  }
  if (!accept(kw_from)) accept(kw_in);
  fetch->portalname = col_id();
  return fetch;
}

const Node* Parser::close_stmt() {
  ClosePortalStmt* const close = make<ClosePortalStmt>();
  expect(kw_close);
  if (!accept(kw_all)) close->portalname = col_id();
  return close;
}

const Node* Parser::vacuum_stmt() {
  VacuumStmt* const vacuum = make<VacuumStmt>();
  expect(kw_vacuum);
  if (at('(')) {
    vacuum->options = utility_options();
  } else {
    NodeListBuilder<DefElem> options(arena_);
    for (const int word : {kw_full, kw_freeze, kw_verbose}) {
      const int location = loc();
      const Name text = cur().text;
      if (accept(word)) options.push(def(text, nullptr, location));
    }
    if (at_any(kw_analyze, kw_analyse)) {
      options.push(def("analyze", nullptr, loc()));
      advance();
    }
    vacuum->options = options.span();
  }
  vacuum->rels = opt_vacuum_relations();
  return vacuum;
}

const Node* Parser::analyze_stmt() {
  VacuumStmt* const analyze = make<VacuumStmt>();
  advance();
  analyze->is_vacuumcmd = false;
  if (at('(')) {
    analyze->options = utility_options();
  } else if (at(kw_verbose)) {
    analyze->options = one(def("verbose", nullptr, loc()));
    advance();
  }
  analyze->rels = opt_vacuum_relations();
  return analyze;
}

ListOf<VacuumRelation> Parser::opt_vacuum_relations() {
  if (!at_col_id()) return {};
  return comma_list<VacuumRelation>([this] {
    VacuumRelation* const relation = make<VacuumRelation>();
    relation->relation = qualified_name();
    relation->va_cols = opt_column_list();
    return relation;
  });
}

const Node* Parser::cluster_stmt() {
  ClusterStmt* const cluster = make<ClusterStmt>();
  expect(kw_cluster);
  const bool options = at('(');
  if (options) {
    cluster->params = utility_options();
  } else if (at(kw_verbose)) {
    cluster->params = one(def("verbose", nullptr, loc()));
    advance();
  }
  if (!options && !at_col_id()) return cluster;
  if (!options && peek_kind(1) == kw_on) {
    cluster->indexname = col_id();
    advance();
    cluster->relation = qualified_name();
    return cluster;
  }
  cluster->relation = qualified_name();
  if (accept(kw_using)) cluster->indexname = col_id();
  return cluster;
}

const Node* Parser::reindex_stmt() {
  ReindexStmt* const reindex = make<ReindexStmt>();
  expect(kw_reindex);
  NodeListBuilder<DefElem> params(arena_);
  if (at('(')) params.append(utility_options());
  switch (kind()) {
    case kw_index:    reindex->kind = ReindexObjectType::index; break;
    case kw_table:    reindex->kind = ReindexObjectType::table; break;
    case kw_schema:   reindex->kind = ReindexObjectType::schema; break;
    case kw_system:   reindex->kind = ReindexObjectType::system; break;
    case kw_database: reindex->kind = ReindexObjectType::database; break;
    default:          syntax_error(); return reindex;
  }
  advance();
  const int location = loc();
  if (accept(kw_concurrently)) params.push(def("concurrently", nullptr, location));
  reindex->params = params.span();
  if (reindex->kind == ReindexObjectType::index || reindex->kind == ReindexObjectType::table) {
    reindex->relation = qualified_name();
  } else {
    reindex->name = col_id();
  }
  return reindex;
}

const Node* Parser::truncate_stmt() {
  TruncateStmt* const truncate = make<TruncateStmt>();
  expect(kw_truncate);
  accept(kw_table);
  truncate->relations = comma_list<RangeVar>([this] { return relation_expr(); });
  if (at_any(kw_continue, kw_restart)) {
    truncate->restart_seqs = at(kw_restart);
    advance();
    expect(kw_identity);
  }
  truncate->behavior = opt_drop_behavior();
  return truncate;
}

const Node* Parser::lock_stmt() {
  LockStmt* const lock = make<LockStmt>();
  expect(kw_lock);
  accept(kw_table);
  lock->relations = comma_list<RangeVar>([this] { return relation_expr(); });
  if (accept(kw_in)) {
    if (accept(kw_access)) {
      lock->mode = at(kw_share) ? 1 : 8;
      if (!accept(kw_share)) expect(kw_exclusive);
    } else if (accept(kw_row)) {
      lock->mode = at(kw_share) ? 2 : 3;
      if (!accept(kw_share)) expect(kw_exclusive);
    } else if (accept(kw_exclusive)) {
      lock->mode = 7;
    } else {
      expect(kw_share);
      lock->mode = 5;
      if (accept(kw_update)) {
        expect(kw_exclusive);
        lock->mode = 4;
      } else if (accept(kw_row)) {
        expect(kw_exclusive);
        lock->mode = 6;
      }
    }
    expect(kw_mode);
  }
  lock->nowait = accept(kw_nowait);
  return lock;
}

const Node* Parser::refresh_stmt() {
  RefreshMatViewStmt* const refresh = make<RefreshMatViewStmt>();
  expect_all({kw_refresh, kw_materialized, kw_view});
  refresh->concurrent = accept(kw_concurrently);
  refresh->relation = qualified_name();
  refresh->skip_data = !opt_with_data();
  return refresh;
}

const Node* Parser::notify_stmt() {
  NotifyStmt* const notify = make<NotifyStmt>();
  expect(kw_notify);
  notify->conditionname = col_id();
  if (accept(',')) {
    notify->has_payload = true;
    notify->payload = sconst();
  }
  return notify;
}

const Node* Parser::listen_stmt() {
  if (accept(kw_listen)) {
    ListenStmt* const listen = make<ListenStmt>();
    listen->conditionname = col_id();
    return listen;
  }
  expect(kw_unlisten);
  UnlistenStmt* const unlisten = make<UnlistenStmt>();
  if (!accept('*')) unlisten->conditionname = col_id();
  return unlisten;
}

const Node* Parser::do_stmt() {
  DoStmt* const stmt = make<DoStmt>();
  expect(kw_do);
  NodeListBuilder<DefElem> args(arena_);
  do {
    const int location = loc();
    if (accept(kw_language)) {
      const Name language = at(tok_sconst) ? sconst() : non_reserved_word();
      args.push(def("language", string_node(language), location));
    } else {
      args.push(def("as", string_node(sconst()), location));
    }
  } while (at_any(tok_sconst, kw_language));
  stmt->args = args.span();
  return stmt;
}

const Node* Parser::call_stmt() {
  CallStmt* const call = make<CallStmt>();
  expect(kw_call);
  const int location = loc();
  const Names name = func_name();
  call->funccall = func_application(name, location);
  return call;
}

const Node* Parser::discard_stmt() {
  DiscardStmt* const discard = make<DiscardStmt>();
  expect(kw_discard);
  switch (kind()) {
    case kw_all:       discard->target = DiscardMode::all; break;
    case kw_temp:
    case kw_temporary: discard->target = DiscardMode::temp; break;
    case kw_plans:     discard->target = DiscardMode::plans; break;
    case kw_sequences: discard->target = DiscardMode::sequences; break;
    default:           syntax_error(); return discard;
  }
  advance();
  return discard;
}

const Node* Parser::reassign_stmt() {
  ReassignOwnedStmt* const reassign = make<ReassignOwnedStmt>();
  expect_all({kw_reassign, kw_owned, kw_by});
  reassign->roles = role_list();
  expect(kw_to);
  reassign->newrole = role_spec();
  return reassign;
}

}  // namespace orrery
