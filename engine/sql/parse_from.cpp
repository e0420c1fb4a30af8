// FROM: relations, joins, subqueries, functions, XMLTABLE, TABLESAMPLE.
#include "sql/parser_internal.h"

namespace orrery {

NodeList Parser::from_clause() {
  expect(kw_from);
  return from_list();
}

NodeList Parser::from_list() {
  return comma_list<Node>([this] { return table_ref(); });
}

const Node* Parser::table_ref() {
  Depth depth(*this);
  return joins(table_ref_primary());
}

bool Parser::at_join() const {
  return at_any(kw_join, kw_cross, kw_natural, kw_inner, kw_left, kw_right, kw_full);
}

const Node* Parser::joins(const Node* left) {
  for (;;) {
    if (!at_join()) return left;
    JoinExpr* const join = make<JoinExpr>();
    join->larg = left;
    left = join;
    if (accept(kw_cross)) {
      expect(kw_join);
      join->rarg = table_ref_primary();
      continue;
    }
    join->is_natural = accept(kw_natural);
    if (at_any(kw_left, kw_right, kw_full)) {
      join->jointype = at(kw_left)    ? JoinType::left
                       : at(kw_right) ? JoinType::right
                                      : JoinType::full;
      advance();
      accept(kw_outer);
    } else {
      accept(kw_inner);
    }
    expect(kw_join);
    if (join->is_natural) {
      join->rarg = table_ref_primary();
      continue;
    }
    join->rarg = table_ref();  // takes further joins that come before our ON
    if (accept(kw_using)) {
      expect('(');
      join->using_clause = name_list();
      expect(')');
      if (accept(kw_as)) {
        Alias* const alias = make<Alias>();
        alias->aliasname = col_id();
        join->join_using_alias = alias;
      }
    } else {
      expect(kw_on);
      join->quals = a_expr();
    }
    if (failed_) return left;
  }
}

const Node* Parser::table_ref_primary() {
  const int location = loc();
  const bool lateral = accept(kw_lateral);
  if (at(kw_xmltable) && peek_kind(1) == '(') return xmltable(lateral);
  if (at('(')) {
    if (lateral) {
      const int paren = loc();
      return subselect_ref(select_with_parens(), true, paren);
    }
    return paren_table_ref();
  }
  if (lateral || (at(kw_rows) && peek_kind(1) == kw_from)) return function_ref(lateral);
  if (at(kw_only)) {
    const RangeVar* const relation = relation_expr();
    return finish_relation(relation);
  }
  if (at_function_start()) return function_ref(false);
  NodeListBuilder<Node> rest(arena_);
  const bool column = at_col_id();
  const bool plain_function = at_type_function_name();
  if (!column) {
    if (plain_function) return function_ref(false);
    syntax_error();
    return make<RangeVar>(location);
  }
  ListBuilder<Name> names(arena_);
  names.push(col_id());
  indirection(rest);
  bool only_names = true;
  for (const Node* const node : rest.span()) {
    const String* const part = as_if<String>(node);
    only_names &= part != nullptr;
    if (part != nullptr) names.push(part->sval);
  }
  if (!only_names) syntax_error();
  if (at('(') && (plain_function || names.size() > 1)) {
    RangeFunctionItem* const item = make<RangeFunctionItem>();
    item->function = func_application(names.span(), location);
    RangeFunction* const function = make<RangeFunction>();
    function->functions = one<RangeFunctionItem>(item);
    return finish_function(function);
  }
  const RangeVar* const relation = range_var_of(names.span(), location);
  accept('*');
  return finish_relation(relation);
}

// Alias and TABLESAMPLE.
const Node* Parser::finish_relation(const RangeVar* relation) {
  const Alias* const alias = opt_alias_clause();
  if (alias != nullptr) {
    RangeVar* const named = arena_.make<RangeVar>(*relation);
    named->alias = alias;
    relation = named;
  }
  if (!at(kw_tablesample)) return relation;
  RangeTableSample* const sample = make<RangeTableSample>();
  advance();
  sample->relation = relation;
  sample->location = loc();
  sample->method = func_name();
  sample->args = paren_expr_list();
  if (accept(kw_repeatable)) {
    expect('(');
    sample->repeatable = a_expr();
    expect(')');
  }
  return sample;
}

// A query, or joins, in parentheses.
const Node* Parser::paren_table_ref() {
  const int location = loc();
  if (at_select_start()) {
    const Paren paren = parenthesised(true);
    if (paren.select != nullptr) return subselect_ref(paren.select, false, location);
    return finish_join_paren(paren.operand);
  }
  Depth depth(*this);
  expect('(');
  return finish_join_paren(table_ref_primary());
}

const Node* Parser::finish_join_paren(const Node* first) {
  const Node* const inside = joins(first);
  const bool is_join = inside->tag == NodeTag::JoinExpr;
  if (!is_join || static_cast<const JoinExpr*>(inside)->alias != nullptr) {
    syntax_error();  // only joins may stand in parentheses
    return inside;
  }
  expect(')');
  if (!at(kw_as) && !at_col_id()) return inside;
  JoinExpr* const named = arena_.make<JoinExpr>(as<JoinExpr>(*inside));
  named->alias = alias_clause();
  return named;
}

const Node* Parser::subselect_ref(const SelectStmt* select, bool lateral, int location) {
  RangeSubselect* const subselect = make<RangeSubselect>();
  subselect->lateral = lateral;
  subselect->subquery = select;
  subselect->alias = opt_alias_clause();
  if (subselect->alias == nullptr && !failed_) {
    if (!select->values_lists.empty()) {
      error(sqlstate::syntax_error, "VALUES in FROM must have an alias", location,
            "For example, FROM (VALUES ...) [AS] foo.");
    } else {
      error(sqlstate::syntax_error, "subquery in FROM must have an alias", location,
            "For example, FROM (SELECT ...) [AS] foo.");
    }
  }
  return subselect;
}

// A keyword that begins a function in SQL's own syntax.
bool Parser::at_function_start() {
  switch (kind()) {
    case kw_current_date:
    case kw_current_time:
    case kw_current_timestamp:
    case kw_localtime:
    case kw_localtimestamp:
    case kw_current_role:
    case kw_current_user:
    case kw_user:
    case kw_session_user:
    case kw_current_catalog:
    case kw_cast:              return true;
    case kw_current_schema:    return peek_kind(1) != '(';
    case kw_collation:         return peek_kind(1) == kw_for;
    default:                   break;
  }
  return is_keyword(cur().kind) && keyword_class(cur().kind) == KeywordClass::col_name &&
         peek_kind(1) == '(';
}

const Node* Parser::function_ref(bool lateral) {
  RangeFunction* const function = make<RangeFunction>();
  function->lateral = lateral;
  if (at(kw_rows) && peek_kind(1) == kw_from) {
    advance();
    advance();
    function->is_rowsfrom = true;
    function->functions = paren_list<RangeFunctionItem>([this] {
      RangeFunctionItem* const item = make<RangeFunctionItem>();
      item->function = func_expr_windowless();
      if (accept(kw_as)) {
        expect('(');
        item->coldeflist = table_func_element_list();
        expect(')');
      }
      return item;
    });
  } else {
    RangeFunctionItem* const item = make<RangeFunctionItem>();
    item->function = func_expr_windowless();
    function->functions = one<RangeFunctionItem>(item);
  }
  return finish_function(function);
}

const Node* Parser::finish_function(RangeFunction* function) {
  if (accept(tok_with_la)) {
    expect(kw_ordinality);
    function->ordinality = true;
  }
  func_alias_clause(function);
  return function;
}

void Parser::func_alias_clause(RangeFunction* function) {
  const bool as_seen = accept(kw_as);
  if (as_seen && accept('(')) {
    function->coldeflist = table_func_element_list();
    expect(')');
    return;
  }
  if (!as_seen && !at_col_id()) return;
  Alias* const alias = make<Alias>();
  alias->aliasname = col_id();
  function->alias = alias;
  if (!accept('(')) return;
  const int next = peek_kind(1);
  if (next == ',' || next == ')') {
    alias->colnames = name_list();
  } else {
    function->coldeflist = table_func_element_list();
  }
  expect(')');
}

ListOf<ColumnDef> Parser::table_func_element_list() {
  return comma_list<ColumnDef>([this] {
    ColumnDef* const column = make<ColumnDef>(loc());
    column->colname = col_id();
    column->type_name = type_name();
    column->coll_clause = opt_collate_clause();
    return column;
  });
}

const CollateClause* Parser::opt_collate_clause() {
  if (!at(kw_collate)) return nullptr;
  CollateClause* const collate = make<CollateClause>(loc());
  advance();
  collate->collname = any_name();
  return collate;
}

const Alias* Parser::opt_alias_clause() {
  return at(kw_as) || at_col_id() ? alias_clause() : nullptr;
}

const Alias* Parser::alias_clause() {
  accept(kw_as);
  Alias* const alias = make<Alias>();
  alias->aliasname = col_id();
  alias->colnames = opt_column_list();
  return alias;
}

const Node* Parser::xmltable(bool lateral) {
  RangeTableFunc* const table = make<RangeTableFunc>(loc());
  table->lateral = lateral;
  expect(kw_xmltable);
  expect('(');
  if (at(kw_xmlnamespaces) && peek_kind(1) == '(') {
    advance();
    table->namespaces = paren_list<ResTarget>([this] {
      ResTarget* const target = make<ResTarget>(loc());
      const bool is_default = accept(kw_default);
      target->val = b_expr();
      if (!is_default) {
        expect(kw_as);
        target->name = col_label();
      }
      return target;
    });
    expect(',');
  }
  table->rowexpr = c_expr(false);
  expect(kw_passing);
  const auto mechanism = [this] {
    if (!accept(kw_by)) return;
    if (!accept(kw_ref)) expect(kw_value);
  };
  mechanism();
  table->docexpr = c_expr(false);
  mechanism();
  expect(kw_columns);
  table->columns = comma_list<RangeTableFuncCol>([this] { return xmltable_column(); });
  expect(')');
  RangeTableFunc* const whole = table;
  whole->alias = opt_alias_clause();
  return whole;
}

const RangeTableFuncCol* Parser::xmltable_column() {
  RangeTableFuncCol* const column = make<RangeTableFuncCol>(loc());
  column->colname = col_id();
  if (accept(kw_for)) {
    expect(kw_ordinality);
    column->for_ordinality = true;
    return column;
  }
  column->type_name = type_name();
  bool null_seen = false;
  for (;;) {
    const int location = loc();
    if (accept(kw_default)) {
      if (column->colexpr == nullptr || true) {
        const Node* const value = b_expr();
        if (column->coldefexpr != nullptr) {
          error(sqlstate::syntax_error, "only one DEFAULT value is allowed", location);
        }
        column->coldefexpr = value;
      }
    } else if (at(kw_not) || at(kw_null)) {
      const bool not_null = accept(kw_not);
      expect(kw_null);
      if (null_seen) {
        error(sqlstate::syntax_error,
              cat("conflicting or redundant NULL / NOT NULL declarations for column \"",
                  column->colname, "\""),
              location);
      }
      null_seen = true;
      column->is_not_null = not_null;
    } else if (at(tok_ident)) {
      const Name option = cur().text;
      advance();
      const Node* const value = b_expr();
      if (option != "path") {
        error(sqlstate::syntax_error, cat("unrecognized column option \"", option, "\""), location);
      } else if (column->colexpr != nullptr) {
        error(sqlstate::syntax_error, "only one PATH value per column is allowed", location);
      }
      column->colexpr = value;
    } else {
      return column;
    }
  }
}

}  // namespace orrery
