// What operators stand between: constants, names, parentheses, CASE, ARRAY, ROW, subqueries.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::c_expr(bool restricted) {
  const int location = loc();
  switch (kind()) {
    case tok_iconst: {
      const A_Const* const node = integer_const(cur().ival, location);
      advance();
      return node;
    }
    case tok_fconst:
    case tok_sconst:
    case tok_bconst:
    case tok_xconst: {
      A_Const* const node = make<A_Const>(location);
      node->kind = at(tok_fconst)   ? ConstKind::float_
                   : at(tok_sconst) ? ConstKind::string
                                    : ConstKind::bitstring;
      node->text = cur().text;
      advance();
      return node;
    }
    case tok_param: {
      ParamRef* const param = make<ParamRef>(location);
      param->number = cur().ival;
      advance();
      return opt_indirection(param);
    }
    case '(':       return paren_primary(restricted);
    case tok_ident: return name_primary();
    default:        break;
  }
  if (is_keyword(cur().kind)) {
    if (at(kw_row) && (restricted || peek_kind(1) == '('))
      return after_row(explicit_row(), restricted);
    return keyword_primary();
  }
  syntax_error();
  return null_const(location);
}

const Node* Parser::keyword_primary() {
  const int location = loc();
  switch (kind()) {
    case kw_null:  advance(); return null_const(location);
    case kw_true:
    case kw_false: {
      A_Const* const node = make<A_Const>(location);
      node->kind = ConstKind::boolean;
      node->boolval = at(kw_true);
      advance();
      return node;
    }
    case kw_case:   return case_expr();
    case kw_array:  return array_primary();
    case kw_exists: {
      if (peek_kind(1) != '(') break;
      advance();
      return sublink(SubLinkType::exists, select_with_parens(), location);
    }
    case kw_grouping: {
      if (peek_kind(1) != '(') break;
      advance();
      GroupingFunc* const grouping = make<GroupingFunc>(location);
      grouping->args = paren_expr_list();
      return grouping;
    }
    default: break;
  }
  if (const Node* const call = func_expr_common()) return call;
  if (const Node* const constant = typed_constant()) return constant;
  return name_primary();
}

// INT '1', TIMESTAMP WITH TIME ZONE '...', INTERVAL '1' DAY: null when the keyword is only a name.
const Node* Parser::typed_constant() {
  const int location = loc();
  const int next = peek_kind(1);
  switch (kind()) {
    case kw_int:
    case kw_integer:
    case kw_smallint:
    case kw_bigint:
    case kw_real:
    case kw_boolean:
      if (next != tok_sconst) return nullptr;
      break;
    case kw_float:
    case kw_decimal:
    case kw_dec:
    case kw_numeric:
    case kw_varchar:
      if (next != tok_sconst && next != '(') {
        if (at(kw_varchar) && next == kw_varying) break;
        return nullptr;
      }
      break;
    case kw_bit:
    case kw_character:
    case kw_char:
    case kw_nchar:
      if (next != tok_sconst && next != '(' && next != kw_varying) return nullptr;
      break;
    case kw_double:
      if (next != kw_precision) return nullptr;
      break;
    case kw_national:
      if (next != kw_character && next != kw_char) return nullptr;
      break;
    case kw_timestamp:
    case kw_time:
      if (next != tok_sconst && next != '(' && next != kw_with && next != kw_without) {
        return nullptr;
      }
      if (next == kw_with && peek_kind(2) != kw_time) return nullptr;
      break;
    case kw_interval:
      if (next != tok_sconst && next != '(') return nullptr;
      return interval_constant();
    default: return nullptr;
  }
  const TypeName* const type = simple_type_name();
  TypeName* const constant_type = arena_.make<TypeName>(*type);
  // A constant's CHAR has no length of its own: the string keeps all its characters.
  const bool unlimited = !type->typmods.empty() && type->typmods[0]->location < 0;
  if (unlimited && type->names.size() == 2 &&
      (type->names[1] == "bpchar" || type->names[1] == "bit")) {
    constant_type->typmods = {};
  }
  TypeCast* const cast = make<TypeCast>(-1);
  const int at_string = loc();
  cast->arg = string_const(sconst(), at_string);
  cast->type_name = constant_type;
  cast->location = location;
  return cast;
}

const Node* Parser::interval_constant() {
  const int location = loc();
  expect(kw_interval);
  TypeName* const type = system_type("interval", location);
  NodeList typmods;
  if (accept('(')) {
    const int at_number = loc();
    const int32_t precision = iconst();
    expect(')');
    typmods = two<Node>(integer_const(0x7FFF, -1), integer_const(precision, at_number));
  }
  const int at_string = loc();
  const A_Const* const text = string_const(sconst(), at_string);
  type->typmods = typmods.empty() ? opt_interval() : typmods;
  TypeCast* const cast = make<TypeCast>(location);
  cast->arg = text;
  cast->type_name = type;
  return cast;
}

// A column, a function call or a constant of a named type: they part after the dotted name.
const Node* Parser::name_primary() {
  const int location = loc();
  const bool column = at_col_id();
  const bool function = at_type_function_name();
  if (!column && !function) {
    syntax_error();
    return null_const(location);
  }
  const Name first = cur().text;
  advance();
  NodeListBuilder<Node> rest(arena_);
  if (column) indirection(rest);
  if (function || !rest.empty()) {
    const bool call = at('(');
    if (call || at(tok_sconst)) {
      ListBuilder<Name> names(arena_);
      names.push(first);
      for (const Node* const node : rest.span()) {
        const String* const part = as_if<String>(node);
        if (part == nullptr) {
          syntax_error();
          return null_const(location);
        }
        names.push(part->sval);
      }
      if (call) return func_expr(func_application(names.span(), location));
      TypeName* const type = make<TypeName>(location);
      type->names = names.span();
      const int at_string = loc();
      TypeCast* const cast = make<TypeCast>(location);
      cast->arg = string_const(sconst(), at_string);
      cast->type_name = type;
      return cast;
    }
  }
  if (!column) {
    syntax_error();
    return null_const(location);
  }
  return column_ref(first, rest.span(), location);
}

const Node* Parser::column_ref(Name first, NodeList rest, int location) {
  ColumnRef* const column = make<ColumnRef>(location);
  ListBuilder<Name> fields(arena_);
  fields.push(first);
  check_indirection(rest);
  size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (const String* const field = as_if<String>(rest[i])) {
      fields.push(field->sval);
    } else if (rest[i]->tag == NodeTag::A_Star) {
      column->is_star = true;
    } else {
      break;
    }
  }
  column->fields = fields.span();
  if (i == rest.size()) return column;
  A_Indirection* const whole = make<A_Indirection>();
  whole->arg = column;
  whole->indirection = rest.subspan(i);
  return whole;
}

const Node* Parser::opt_indirection(const Node* arg) {
  if (!at('.') && !at('[')) return arg;
  NodeListBuilder<Node> rest(arena_);
  indirection(rest);
  check_indirection(rest.span());
  A_Indirection* const whole = make<A_Indirection>();
  whole->arg = arg;
  whole->indirection = rest.span();
  return whole;
}

const Node* Parser::sublink(SubLinkType type, const SelectStmt* select, int location) {
  SubLink* const link = make<SubLink>(location);
  link->sub_link_type = type;
  link->subselect = select;
  return link;
}

const Node* Parser::paren_primary(bool restricted) {
  const int location = loc();
  if (at_select_start()) {
    const Paren paren = parenthesised(false);
    if (paren.select != nullptr) {
      return opt_indirection(sublink(SubLinkType::expr, paren.select, location));
    }
    return finish_paren(paren.operand, location, restricted);
  }
  Depth depth(*this);
  expect('(');
  return finish_paren(prefix(false), location, restricted);
}

// Inside a parenthesis that opened at `location`, after its first operand.
const Node* Parser::finish_paren(const Node* first, int location, bool restricted) {
  const Node* const expr = operators(first, kLowest, false);
  if (!at(',')) {
    expect(')');
    return opt_indirection(expr);
  }
  NodeListBuilder<Node> args(arena_);
  args.push(expr);
  while (accept(',')) args.push(a_expr());
  expect(')');
  RowExpr* const row = make<RowExpr>(location);
  row->row_format = RowFormat::implicit;
  row->args = args.span();
  return after_row(row, restricted);
}

const RowExpr* Parser::explicit_row() {
  RowExpr* const row = make<RowExpr>(loc());
  expect(kw_row);
  expect('(');
  if (!at(')')) row->args = expr_list();
  expect(')');
  return row;
}

const RowExpr* Parser::row() {
  if (at(kw_row)) return explicit_row();
  RowExpr* const row = make<RowExpr>(loc());
  row->row_format = RowFormat::implicit;
  expect('(');
  NodeListBuilder<Node> args(arena_);
  args.push(a_expr());
  if (!at(',')) syntax_error();
  while (accept(',')) args.push(a_expr());
  expect(')');
  row->args = args.span();
  return row;
}

// row OVERLAPS row binds as tightly as a primary.
const Node* Parser::after_row(const RowExpr* left, bool restricted) {
  if (restricted || !at(kw_overlaps)) return left;
  const int location = loc();
  advance();
  const int right_location = loc();
  const RowExpr* const right = row();
  if (left->args.size() != 2 && !failed_) {
    error(sqlstate::syntax_error, "wrong number of parameters on left side of OVERLAPS expression",
          left->location);
  }
  if (right->args.size() != 2 && !failed_) {
    error(sqlstate::syntax_error, "wrong number of parameters on right side of OVERLAPS expression",
          right_location);
  }
  NodeListBuilder<Node> args(arena_);
  args.append(left->args);
  args.append(right->args);
  return system_call("overlaps", args.span(), CoercionForm::sql_syntax, location);
}

const Node* Parser::case_expr() {
  Depth depth(*this);
  CaseExpr* const expr = make<CaseExpr>(loc());
  expect(kw_case);
  if (!at(kw_when)) expr->arg = a_expr();
  NodeListBuilder<CaseWhen> whens(arena_);
  if (!at(kw_when)) syntax_error();
  while (at(kw_when)) {
    CaseWhen* const when = make<CaseWhen>(loc());
    advance();
    when->expr = a_expr();
    expect(kw_then);
    when->result = a_expr();
    whens.push(when);
  }
  expr->args = whens.span();
  if (accept(kw_else)) expr->defresult = a_expr();
  expect(kw_end);
  return expr;
}

const Node* Parser::array_primary() {
  const int location = loc();
  expect(kw_array);
  if (at('(')) return sublink(SubLinkType::array, select_with_parens(), location);
  if (!at('[')) {
    syntax_error();
    return null_const(location);
  }
  A_ArrayExpr* const array = arena_.make<A_ArrayExpr>(as<A_ArrayExpr>(*array_expr()));
  array->location = location;
  return array;
}

// [a, b] or [[a], [b]]: the outermost stands after ARRAY.
const Node* Parser::array_expr() {
  Depth depth(*this);
  A_ArrayExpr* const array = make<A_ArrayExpr>(loc());
  expect('[');
  if (!at(']')) {
    array->elements = at('[') ? comma_list<Node>([this] {
      if (!at('[')) syntax_error();
      return failed_ ? make<A_ArrayExpr>() : array_expr();
    })
                              : expr_list();
  }
  expect(']');
  return array;
}

NodeList Parser::expr_list() {
  return comma_list<Node>([this] { return a_expr(); });
}

NodeList Parser::paren_expr_list() {
  expect('(');
  const NodeList list = expr_list();
  expect(')');
  return list;
}

bool Parser::can_start_expr() const {
  switch (kind()) {
    case '+':
    case '-':
    case '(':
    case tok_op:
    case tok_ident:
    case tok_iconst:
    case tok_fconst:
    case tok_sconst:
    case tok_bconst:
    case tok_xconst:
    case tok_param:
    case tok_not_la:
    case kw_not:
    case kw_null:
    case kw_true:
    case kw_false:
    case kw_default:
    case kw_unique:
    case kw_case:
    case kw_cast:
    case kw_array:
    case kw_current_catalog:
    case kw_current_date:
    case kw_current_role:
    case kw_current_time:
    case kw_current_timestamp:
    case kw_current_user:
    case kw_localtime:
    case kw_localtimestamp:
    case kw_session_user:
    case kw_user:              return true;
    default:                   return is_keyword(cur().kind) && keyword_class(cur().kind) != KeywordClass::reserved;
  }
}

}  // namespace orrery
