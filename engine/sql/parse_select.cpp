// SELECT, VALUES, TABLE, set operations, and the clauses that follow them all.
#include "sql/parser_internal.h"

namespace orrery {

bool Parser::starts_select(int token) const {
  return token == kw_select || token == kw_values || token == kw_with || token == kw_table;
}

// At '(': does the run of parentheses lead to a query?
bool Parser::at_select_start() {
  return !failed_ && starts_select(lexer_.kind_after_parentheses(cur().start));
}

bool Parser::at_select_continuation() const {
  return at_any(kw_union, kw_intersect, kw_except, kw_order, kw_limit, kw_offset, kw_fetch, kw_for);
}

const SelectStmt* Parser::select_stmt() { return select_no_parens(); }

// What a subquery, a view or a cursor holds; parentheses around the whole are select_clause's.
SelectStmt* Parser::select_no_parens() {
  Depth depth(*this);
  const WithClause* const with = at_any(kw_with, tok_with_la) ? with_clause() : nullptr;
  return select_options(select_clause(kLowest), with);
}

SelectStmt* Parser::select_with_parens() {
  expect('(');
  SelectStmt* const select = select_no_parens();
  expect(')');
  return select;
}

SelectStmt* Parser::select_clause(int lowest) {
  Depth depth(*this);
  SelectStmt* const left = at('(') ? select_with_parens() : simple_select();
  return set_operations(left, lowest);
}

SelectStmt* Parser::set_operations(SelectStmt* left, int lowest) {
  for (;;) {
    const int precedence = at_any(kw_union, kw_except) ? 1 : at(kw_intersect) ? 2 : -1;
    if (precedence <= lowest) return left;
    SelectStmt* const whole = make<SelectStmt>();
    whole->op = at(kw_union)    ? SetOperation::union_
                : at(kw_except) ? SetOperation::except
                                : SetOperation::intersect;
    advance();
    whole->all = accept(kw_all);
    if (!whole->all) accept(kw_distinct);
    whole->larg = left;
    whole->rarg = select_clause(precedence);
    left = whole;
    if (failed_) return left;
  }
}

Parser::Paren Parser::parenthesised(bool in_from) {
  Depth depth(*this);
  expect('(');
  if (failed_) return {make<SelectStmt>(), nullptr};
  if (!at('(')) {
    SelectStmt* const select = select_no_parens();
    expect(')');
    return {select, nullptr};
  }
  const int location = loc();
  const Paren inner = parenthesised(in_from);
  if (inner.operand != nullptr) {
    return {nullptr, in_from ? finish_join_paren(inner.operand)
                             : finish_paren(inner.operand, location, false)};
  }
  SelectStmt* select = inner.select;
  if (at_select_continuation()) {
    select = select_options(set_operations(select, kLowest), nullptr);
  } else if (!at(')')) {
    if (in_from && !at(kw_as) && !at_col_id() && !at_join()) syntax_error();
    return {nullptr, in_from ? subselect_ref(select, false, location)
                             : opt_indirection(sublink(SubLinkType::expr, select, location))};
  }
  expect(')');
  return {select, nullptr};
}

// WITH before, ORDER BY, LIMIT, OFFSET, FETCH, FOR UPDATE after. When `select` came in parentheses
// it may have some of them already; PostgreSQL takes each only once.
SelectStmt* Parser::select_options(SelectStmt* select, const WithClause* with) {
  const auto refuse = [this](const char* message, const Node* at_node) {
    error(sqlstate::syntax_error, message, at_node->location);
  };
  SelectStmt given;
  bool any_limit = false;
  given.sort_clause = opt_sort_clause();
  if (at(kw_for)) {
    given.locking_clause = locking_clauses();
    limit_clauses(&given, any_limit);
  } else {
    limit_clauses(&given, any_limit);
    if (any_limit || at(kw_for)) given.locking_clause = locking_clauses();
  }
  if (failed_) return select;
  if (!given.sort_clause.empty()) {
    if (!select->sort_clause.empty()) {
      int location = -1;
      location = expression_location(given.sort_clause[0]->node);
      error(sqlstate::syntax_error, "multiple ORDER BY clauses not allowed", location);
      return select;
    }
    select->sort_clause = given.sort_clause;
  }
  if (!given.locking_clause.empty()) {
    NodeListBuilder<LockingClause> all(arena_);
    all.append(select->locking_clause);
    all.append(given.locking_clause);
    select->locking_clause = all.span();
  }
  if (given.limit_offset != nullptr) {
    if (select->limit_offset != nullptr) {
      error(sqlstate::syntax_error, "multiple OFFSET clauses not allowed",
            expression_location(given.limit_offset));
    }
    select->limit_offset = given.limit_offset;
  }
  if (given.limit_count != nullptr) {
    if (select->limit_count != nullptr) {
      error(sqlstate::syntax_error, "multiple LIMIT clauses not allowed",
            expression_location(given.limit_count));
    }
    select->limit_count = given.limit_count;
  }
  if (given.limit_option != LimitOption::default_) {
    if (select->limit_option != LimitOption::default_) {
      error(sqlstate::syntax_error, "multiple limit options not allowed", -1);
    }
    if (given.limit_option == LimitOption::with_ties) {
      if (select->sort_clause.empty()) {
        error(sqlstate::syntax_error, "WITH TIES cannot be specified without ORDER BY clause", -1);
      }
      for (const LockingClause* const lock : select->locking_clause) {
        if (lock->wait_policy == LockWaitPolicy::skip) {
          error(sqlstate::syntax_error, "SKIP LOCKED and WITH TIES options cannot be used together",
                -1);
        }
      }
    }
    select->limit_option = given.limit_option;
  }
  if (with != nullptr) {
    if (select->with_clause != nullptr) refuse("multiple WITH clauses not allowed", with);
    select->with_clause = with;
  }
  return select;
}

void Parser::limit_clauses(SelectStmt* into, bool& any) {
  bool limit_seen = false;
  bool offset_seen = false;
  for (;;) {
    const int location = loc();
    if (!limit_seen && accept(kw_limit)) {
      limit_seen = true;
      into->limit_option = LimitOption::count;
      const int at_count = loc();
      into->limit_count = accept(kw_all) ? null_const(at_count) : a_expr();
      if (accept(',')) {
        a_expr();
        error(sqlstate::syntax_error, "LIMIT #,# syntax is not supported", location,
              "Use separate LIMIT and OFFSET clauses.");
      }
    } else if (!limit_seen && accept(kw_fetch)) {
      limit_seen = true;
      if (!accept(kw_first)) expect(kw_next);
      into->limit_option = LimitOption::count;
      if (at_any(kw_row, kw_rows)) {
        into->limit_count = integer_const(1, -1);
      } else if (at_any('+', '-')) {
        const int sign = kind();
        const int at_sign = loc();
        advance();
        if (!at_any(tok_iconst, tok_fconst)) syntax_error();
        const Node* const number = c_expr(false);
        into->limit_count = sign == '-' ? unary_minus(number, at_sign)
                                        : make_op(A_ExprKind::op, "+", nullptr, number, at_sign);
      } else {
        into->limit_count = c_expr(false);
      }
      if (!accept(kw_row)) expect(kw_rows);
      if (accept(kw_with)) {
        expect(kw_ties);
        into->limit_option = LimitOption::with_ties;
      } else {
        expect(kw_only);
      }
    } else if (!offset_seen && accept(kw_offset)) {
      offset_seen = true;
      into->limit_offset = a_expr();
      if (last_simple_ && at_any(kw_row, kw_rows)) advance();
    } else {
      return;
    }
    any = true;
  }
}

SelectStmt* Parser::simple_select() {
  if (at(kw_values)) return values_clause();
  SelectStmt* const select = make<SelectStmt>();
  if (accept(kw_table)) {
    ColumnRef* const star = make<ColumnRef>();
    star->is_star = true;
    ResTarget* const target = make<ResTarget>();
    target->val = star;
    select->target_list = one<ResTarget>(target);
    select->from_clause = one<Node>(relation_expr());
    return select;
  }
  expect(kw_select);
  bool needs_target = false;
  if (accept(kw_distinct)) {
    select->is_distinct = true;
    needs_target = true;
    if (accept(kw_on)) select->distinct_on = paren_expr_list();
  } else {
    accept(kw_all);
  }
  if (needs_target || at('*') || can_start_expr()) select->target_list = target_list();
  if (at(kw_into)) select->into_clause = into_clause();
  if (at(kw_from)) select->from_clause = from_clause();
  select->where_clause = opt_where();
  if (at(kw_group)) select->group_clause = group_clause(select->group_distinct);
  if (accept(kw_having)) select->having_clause = a_expr();
  if (at(kw_window)) select->window_clause = window_clause();
  return select;
}

SelectStmt* Parser::values_clause() {
  SelectStmt* const select = make<SelectStmt>();
  expect(kw_values);
  select->values_lists = comma_list<List>([this] { return list_node(paren_expr_list()); });
  return select;
}

ListOf<ResTarget> Parser::target_list() {
  return comma_list<ResTarget>([this] { return target_el(); });
}

const ResTarget* Parser::target_el() {
  ResTarget* const target = make<ResTarget>(loc());
  if (at('*')) {
    ColumnRef* const star = make<ColumnRef>(loc());
    star->is_star = true;
    target->val = star;
    advance();
    return target;
  }
  may_be_label_ = true;
  target->val = a_expr();
  if (accept(kw_as)) {
    target->name = col_label();
  } else if (at_bare_label()) {
    target->name = col_label();
  }
  return target;
}

const IntoClause* Parser::into_clause() {
  expect(kw_into);
  IntoClause* const into = make<IntoClause>();
  into->rel = opt_temp_table_name();
  return into;
}

const Node* Parser::opt_where() { return accept(kw_where) ? a_expr() : nullptr; }

const Node* Parser::where_or_current() {
  if (!accept(kw_where)) return nullptr;
  if (!at(kw_current) || peek_kind(1) != kw_of) return a_expr();
  advance();
  advance();
  CurrentOfExpr* const current = make<CurrentOfExpr>();
  current->cursor_name = col_id();
  return current;
}

NodeList Parser::group_clause(bool& distinct) {
  expect(kw_group);
  expect(kw_by);
  distinct = accept(kw_distinct);
  if (!distinct) accept(kw_all);
  return comma_list<Node>([this] { return group_by_item(); });
}

const Node* Parser::group_by_item() {
  Depth depth(*this);
  const int location = loc();
  const auto set = [&](GroupingSetKind set_kind, NodeList content) {
    GroupingSet* const node = make<GroupingSet>(location);
    node->kind = set_kind;
    node->content = content;
    return node;
  };
  if (at('(') && peek_kind(1) == ')') {
    advance();
    advance();
    return set(GroupingSetKind::empty, {});
  }
  if (at_any(kw_rollup, kw_cube) && peek_kind(1) == '(') {
    const auto set_kind = at(kw_rollup) ? GroupingSetKind::rollup : GroupingSetKind::cube;
    advance();
    return set(set_kind, paren_expr_list());
  }
  if (at(kw_grouping) && peek_kind(1) == kw_sets) {
    advance();
    advance();
    return set(GroupingSetKind::sets, paren_list<Node>([this] { return group_by_item(); }));
  }
  return a_expr();
}

ListOf<WindowDef> Parser::window_clause() {
  expect(kw_window);
  return comma_list<WindowDef>([this] {
    const Name name = col_id();
    expect(kw_as);
    WindowDef* const window = arena_.make<WindowDef>(*window_specification());
    window->name = name;
    return window;
  });
}

ListOf<LockingClause> Parser::locking_clauses() {
  NodeListBuilder<LockingClause> list(arena_);
  while (at(kw_for)) {
    advance();
    LockingClause* const lock = make<LockingClause>();
    if (list.empty() && accept(kw_read)) {  // FOR READ ONLY says nothing
      expect(kw_only);
      return {};
    }
    if (accept(kw_update)) {
      lock->strength = LockClauseStrength::for_update;
    } else if (accept(kw_no)) {
      expect_all({kw_key, kw_update});
      lock->strength = LockClauseStrength::for_no_key_update;
    } else if (accept(kw_key)) {
      expect(kw_share);
      lock->strength = LockClauseStrength::for_key_share;
    } else {
      expect(kw_share);
      lock->strength = LockClauseStrength::for_share;
    }
    if (accept(kw_of)) lock->locked_rels = qualified_name_list();
    if (accept(kw_nowait)) {
      lock->wait_policy = LockWaitPolicy::error;
    } else if (accept(kw_skip)) {
      expect(kw_locked);
      lock->wait_policy = LockWaitPolicy::skip;
    }
    list.push(lock);
  }
  return list.span();
}

const WithClause* Parser::with_clause() {
  WithClause* const with = make<WithClause>(loc());
  if (!accept(tok_with_la)) expect(kw_with);
  if (at(kw_recursive) && peek_kind(1) != kw_as && peek_kind(1) != '(') {
    advance();
    with->recursive = true;
  }
  with->ctes = comma_list<CommonTableExpr>([this] { return common_table_expr(); });
  return with;
}

const CommonTableExpr* Parser::common_table_expr() {
  Depth depth(*this);
  CommonTableExpr* const cte = make<CommonTableExpr>(loc());
  cte->ctename = col_id();
  cte->aliascolnames = opt_column_list();
  expect(kw_as);
  if (accept(kw_materialized)) {
    cte->ctematerialized = CteMaterialize::always;
  } else if (accept(kw_not)) {
    expect(kw_materialized);
    cte->ctematerialized = CteMaterialize::never;
  }
  expect('(');
  cte->ctequery = preparable_stmt();
  expect(')');
  if (at(kw_search)) {
    CteSearchClause* const search = make<CteSearchClause>(loc());
    advance();
    search->search_breadth_first = accept(kw_breadth);
    if (!search->search_breadth_first) expect(kw_depth);
    expect_all({kw_first, kw_by});
    search->search_col_list = name_list();
    expect(kw_set);
    search->search_seq_column = col_id();
    cte->search_clause = search;
  }
  if (at(kw_cycle)) {
    CteCycleClause* const cycle = make<CteCycleClause>(loc());
    advance();
    cycle->cycle_col_list = name_list();
    expect(kw_set);
    cycle->cycle_mark_column = col_id();
    if (accept(kw_to)) {
      cycle->cycle_mark_value = aexpr_const();
      expect(kw_default);
      cycle->cycle_mark_default = aexpr_const();
    } else {
      const auto boolean = [this](bool value) {
        A_Const* const node = make<A_Const>();
        node->kind = ConstKind::boolean;
        node->boolval = value;
        return node;
      };
      cycle->cycle_mark_value = boolean(true);
      cycle->cycle_mark_default = boolean(false);
    }
    expect(kw_using);
    cycle->cycle_path_column = col_id();
    cte->cycle_clause = cycle;
  }
  return cte;
}

}  // namespace orrery
