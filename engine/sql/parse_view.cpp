// CREATE VIEW, MATERIALIZED VIEW and SEQUENCE.
#include "sql/parser_internal.h"

namespace orrery {

// At [RECURSIVE] VIEW.
const Node* Parser::create_view(bool replace, RelPersistence persistence) {
  ViewStmt* const view = make<ViewStmt>();
  const bool recursive = accept(kw_recursive);
  expect(kw_view);
  view->replace = replace;
  RangeVar* const relation = arena_.make<RangeVar>(*qualified_name());
  relation->relpersistence = persistence;
  view->view = relation;
  if (recursive) {
    expect('(');
    view->aliases = name_list();
    expect(')');
  } else {
    view->aliases = opt_column_list();
  }
  if (accept(kw_with)) view->options = reloptions();
  expect(kw_as);
  const SelectStmt* const query = select_no_parens();
  view->query = recursive ? recursive_view_query(relation->relname, view->aliases, query) : query;
  const int location = loc();
  if (accept(kw_with)) {
    if (accept(kw_local)) {
      view->with_check_option = ViewCheckOption::local;
    } else {
      accept(kw_cascaded);
      view->with_check_option = ViewCheckOption::cascaded;
    }
    expect(kw_check);
    expect(kw_option);
    if (recursive) {
      not_implemented("WITH CHECK OPTION not supported on recursive views", location);
    }
  }
  return view;
}

// CREATE RECURSIVE VIEW v (a) AS query is WITH RECURSIVE v (a) AS (query) SELECT a FROM v.
const SelectStmt* Parser::recursive_view_query(Name name, Names columns, const SelectStmt* query) {
  CommonTableExpr* const cte = make<CommonTableExpr>();
  cte->ctename = name;
  cte->aliascolnames = columns;
  cte->ctequery = query;
  WithClause* const with = make<WithClause>();
  with->recursive = true;
  with->ctes = one<CommonTableExpr>(cte);
  NodeListBuilder<ResTarget> targets(arena_);
  for (const Name column : columns) {
    ColumnRef* const reference = make<ColumnRef>();
    reference->fields = one_name(column);
    ResTarget* const target = make<ResTarget>();
    target->val = reference;
    targets.push(target);
  }
  RangeVar* const relation = make<RangeVar>();
  relation->relname = name;
  SelectStmt* const select = make<SelectStmt>();
  select->with_clause = with;
  select->target_list = targets.span();
  select->from_clause = one<Node>(relation);
  return select;
}

// At MATERIALIZED.
const Node* Parser::create_matview(RelPersistence persistence) {
  expect(kw_materialized);
  expect(kw_view);
  CreateTableAsStmt* const create = make<CreateTableAsStmt>();
  create->objtype = ObjectType::matview;
  create->if_not_exists = opt_if_not_exists();
  IntoClause* const into = make<IntoClause>();
  RangeVar* const relation = arena_.make<RangeVar>(*qualified_name());
  relation->relpersistence = persistence;
  into->rel = relation;
  into->col_names = opt_column_list();
  if (accept(kw_using)) into->access_method = col_id();
  if (accept(kw_with)) into->options = reloptions();
  into->table_space_name = opt_tablespace();
  expect(kw_as);
  create->query = select_no_parens();
  into->skip_data = !opt_with_data();
  create->into = into;
  return create;
}

// At SEQUENCE.
const Node* Parser::create_sequence(RelPersistence persistence) {
  CreateSeqStmt* const create = make<CreateSeqStmt>();
  expect(kw_sequence);
  create->if_not_exists = opt_if_not_exists();
  RangeVar* const relation = arena_.make<RangeVar>(*qualified_name());
  relation->relpersistence = persistence;
  create->sequence = relation;
  if (at_seq_option()) create->options = seq_options();
  return create;
}

bool Parser::at_seq_option() {
  return at_any(kw_as, kw_cache, kw_cycle, kw_no, kw_increment, kw_maxvalue, kw_minvalue, kw_owned,
                kw_sequence, kw_start, kw_restart);
}

ListOf<DefElem> Parser::seq_options() {
  NodeListBuilder<DefElem> list(arena_);
  do list.push(seq_option());
  while (at_seq_option());
  return list.span();
}

ListOf<DefElem> Parser::opt_paren_seq_options() {
  if (!accept('(')) return {};
  const ListOf<DefElem> list = seq_options();
  expect(')');
  return list;
}

const DefElem* Parser::seq_option() {
  const int location = loc();
  const int token = kind();
  const Name word = cur().text;
  if (!at_seq_option()) {
    syntax_error();
    return def("", nullptr, location);
  }
  advance();
  switch (token) {
    case kw_as:    return def("as", simple_type_name(), location);
    case kw_cycle: return def("cycle", boolean_node(true), location);
    case kw_no:    {
      const Name what = cur().text;
      if (accept(kw_cycle)) return def("cycle", boolean_node(false), location);
      if (!accept(kw_maxvalue)) expect(kw_minvalue);
      return def(what, nullptr, location);
    }
    case kw_increment: accept(kw_by); return def("increment", numeric_only(), location);
    case kw_owned:     expect(kw_by); return def("owned_by", name_list_node(any_name()), location);
    case kw_sequence:
      expect(kw_name);
      return def("sequence_name", name_list_node(any_name()), location);
    case kw_start:   accept(kw_with); return def("start", numeric_only(), location);
    case kw_restart: {
      const bool with = accept(kw_with);
      if (!with && !at_any(tok_iconst, tok_fconst, '+', '-')) {
        return def("restart", nullptr, location);
      }
      return def("restart", numeric_only(), location);
    }
    default: return def(word, numeric_only(), location);  // cache, maxvalue, minvalue
  }
}

}  // namespace orrery
