// INSERT, UPDATE, DELETE, MERGE.
#include "sql/parser_internal.h"

namespace orrery {

// WITH before a query or a change of rows.
const Node* Parser::with_statement() {
  const WithClause* const with = with_clause();
  switch (kind()) {
    case kw_insert: return insert_stmt(with, loc());
    case kw_update: return update_stmt(with);
    case kw_delete: return delete_stmt(with);
    case kw_merge:  return merge_stmt(with);
    default:        return select_options(select_clause(kLowest), with);
  }
}

const Node* Parser::preparable_stmt() {
  Depth depth(*this);
  switch (kind()) {
    case kw_insert:   return insert_stmt(nullptr, loc());
    case kw_update:   return update_stmt(nullptr);
    case kw_delete:   return delete_stmt(nullptr);
    case kw_merge:    return merge_stmt(nullptr);
    case kw_with:
    case tok_with_la: return with_statement();
    default:          return select_no_parens();
  }
}

OverridingKind Parser::opt_overriding() {
  if (!accept(kw_overriding)) return OverridingKind::not_set;
  const bool user = accept(kw_user);
  if (!user) expect(kw_system);
  expect(kw_value);
  return user ? OverridingKind::user_value : OverridingKind::system_value;
}

ListOf<ResTarget> Parser::insert_column_list() {
  return comma_list<ResTarget>([this] { return set_target(); });
}

const Node* Parser::insert_stmt(const WithClause* with, int location) {
  static_cast<void>(location);
  InsertStmt* const insert = make<InsertStmt>();
  insert->with_clause = with;
  expect(kw_insert);
  expect(kw_into);
  insert->relation = qualified_name();
  if (accept(kw_as)) {
    RangeVar* const named = arena_.make<RangeVar>(*insert->relation);
    Alias* const alias = make<Alias>();
    alias->aliasname = col_id();
    named->alias = alias;
    insert->relation = named;
  }
  if (accept(kw_default)) {
    expect(kw_values);
  } else {
    if (at('(') && peek_kind(1) != '(' && !at_select_start()) {
      advance();
      insert->cols = insert_column_list();
      expect(')');
    }
    insert->override = opt_overriding();
    insert->select_stmt = select_no_parens();
  }
  insert->on_conflict_clause = opt_on_conflict();
  insert->returning_list = returning_clause();
  return insert;
}

const OnConflictClause* Parser::opt_on_conflict() {
  if (!at(kw_on)) return nullptr;
  OnConflictClause* const conflict = make<OnConflictClause>(loc());
  advance();
  expect(kw_conflict);
  if (at('(')) {
    InferClause* const infer = make<InferClause>(loc());
    infer->index_elems = paren_list<IndexElem>([this] { return index_elem(); });
    infer->where_clause = opt_where();
    conflict->infer = infer;
  } else if (at(kw_on)) {
    InferClause* const infer = make<InferClause>(loc());
    advance();
    expect(kw_constraint);
    infer->conname = col_id();
    conflict->infer = infer;
  }
  expect(kw_do);
  if (accept(kw_nothing)) return conflict;
  expect(kw_update);
  expect(kw_set);
  conflict->action = OnConflictAction::update;
  conflict->target_list = set_clause_list();
  conflict->where_clause = opt_where();
  return conflict;
}

ListOf<ResTarget> Parser::returning_clause() {
  if (!accept(kw_returning)) return {};
  return target_list();
}

const Node* Parser::update_stmt(const WithClause* with) {
  UpdateStmt* const update = make<UpdateStmt>();
  update->with_clause = with;
  expect(kw_update);
  update->relation = relation_expr_opt_alias(true);
  expect(kw_set);
  update->target_list = set_clause_list();
  if (at(kw_from)) update->from_clause = from_clause();
  update->where_clause = where_or_current();
  update->returning_list = returning_clause();
  return update;
}

ListOf<ResTarget> Parser::set_clause_list() {
  NodeListBuilder<ResTarget> list(arena_);
  do set_clause(list);
  while (accept(','));
  return list.span();
}

void Parser::set_clause(NodeListBuilder<ResTarget>& list) {
  if (!accept('(')) {
    ResTarget* const target = set_target();
    expect('=');
    target->val = a_expr();
    list.push(target);
    return;
  }
  NodeListBuilder<Node> targets(arena_);
  ListBuilder<ResTarget*> open(arena_);
  do open.push(set_target());
  while (accept(','));
  expect(')');
  expect('=');
  const Node* const source = a_expr();
  int32_t column = 0;
  for (ResTarget* const target : open.span()) {
    MultiAssignRef* const reference = make<MultiAssignRef>();
    reference->source = source;
    reference->colno = ++column;
    reference->ncolumns = static_cast<int32_t>(open.size());
    target->val = reference;
    list.push(target);
  }
}

ResTarget* Parser::set_target() {
  ResTarget* const target = make<ResTarget>(loc());
  target->name = col_id();
  NodeListBuilder<Node> rest(arena_);
  if (indirection(rest)) {
    check_indirection(rest.span());
    target->indirection = rest.span();
  }
  return target;
}

const Node* Parser::delete_stmt(const WithClause* with) {
  DeleteStmt* const remove = make<DeleteStmt>();
  remove->with_clause = with;
  expect(kw_delete);
  expect(kw_from);
  remove->relation = relation_expr_opt_alias(false);
  if (accept(kw_using)) remove->using_clause = from_list();
  remove->where_clause = where_or_current();
  remove->returning_list = returning_clause();
  return remove;
}

const Node* Parser::merge_stmt(const WithClause* with) {
  MergeStmt* const merge = make<MergeStmt>();
  merge->with_clause = with;
  expect(kw_merge);
  expect(kw_into);
  merge->relation = relation_expr_opt_alias(false);
  expect(kw_using);
  merge->source_relation = table_ref();
  expect(kw_on);
  merge->join_condition = a_expr();
  NodeListBuilder<MergeWhenClause> clauses(arena_);
  do clauses.push(merge_when_clause());
  while (at(kw_when));
  merge->merge_when_clauses = clauses.span();
  return merge;
}

const MergeWhenClause* Parser::merge_when_clause() {
  MergeWhenClause* const clause = make<MergeWhenClause>();
  expect(kw_when);
  clause->matched = !accept(kw_not);
  expect(kw_matched);
  if (accept(kw_and)) clause->condition = a_expr();
  expect(kw_then);
  if (accept(kw_do)) {
    expect(kw_nothing);
    return clause;
  }
  if (clause->matched) {
    if (accept(kw_delete)) {
      clause->command_type = CmdType::delete_;
      return clause;
    }
    expect(kw_update);
    expect(kw_set);
    clause->command_type = CmdType::update;
    clause->target_list = set_clause_list();
    return clause;
  }
  expect(kw_insert);
  clause->command_type = CmdType::insert;
  if (accept(kw_default)) {
    expect(kw_values);
    return clause;
  }
  if (accept('(')) {
    clause->target_list = insert_column_list();
    expect(')');
  }
  clause->override = opt_overriding();
  expect(kw_values);
  clause->values = paren_expr_list();
  return clause;
}

}  // namespace orrery
