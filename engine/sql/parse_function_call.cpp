// Function calls: the common form with its clauses, and SQL's own forms with words between
// arguments.
#include "sql/parser_internal.h"

namespace orrery {

const FuncCall* Parser::system_call(Name name, NodeList args, CoercionForm form, int location) {
  FuncCall* const call = make<FuncCall>(location);
  call->funcname = system_name(name);
  call->args = args;
  call->funcformat = form;
  return call;
}

const Node* Parser::func_arg_expr() {
  const int location = loc();
  if (at_type_function_name()) {
    const int next = peek_kind(1);
    if (next == tok_colon_equals || next == tok_equals_greater) {
      NamedArgExpr* const named = make<NamedArgExpr>(location);
      named->name = type_function_name();
      advance();
      named->arg = a_expr();
      return named;
    }
  }
  return a_expr();
}

// At '(', after the name.
FuncCall* Parser::func_application(Names name, int location) {
  Depth depth(*this);
  FuncCall* const call = make<FuncCall>(location);
  call->funcname = name;
  expect('(');
  if (accept(')')) return call;
  if (accept('*')) {
    call->agg_star = true;
    expect(')');
    return call;
  }
  NodeListBuilder<Node> args(arena_);
  const bool all = accept(kw_all);
  if (!all) call->agg_distinct = accept(kw_distinct);
  const bool may_be_variadic = !all && !call->agg_distinct;
  do {
    if (may_be_variadic && accept(kw_variadic)) {
      call->func_variadic = true;
      args.push(func_arg_expr());
      break;
    }
    args.push(func_arg_expr());
  } while (accept(','));
  call->args = args.span();
  call->agg_order = opt_sort_clause();
  expect(')');
  return call;
}

// WITHIN GROUP, FILTER and OVER; and f(x) 'string', a constant whose type has modifiers.
const Node* Parser::func_expr(FuncCall* call) {
  if (at(tok_sconst) && !call->agg_star && !call->agg_distinct && !call->func_variadic &&
      !call->args.empty()) {
    for (const Node* const arg : call->args) {
      if (const NamedArgExpr* const named = as_if<NamedArgExpr>(arg)) {
        error(sqlstate::syntax_error, "type modifier cannot have parameter name", named->location);
      }
    }
    if (!call->agg_order.empty()) {
      error(sqlstate::syntax_error, "type modifier cannot have ORDER BY", call->location);
    }
    TypeName* const type = make<TypeName>(call->location);
    type->names = call->funcname;
    type->typmods = call->args;
    TypeCast* const cast = make<TypeCast>(call->location);
    const int at_string = loc();
    cast->arg = string_const(sconst(), at_string);
    cast->type_name = type;
    return cast;
  }
  if (at(kw_within)) {
    const int location = loc();
    advance();
    expect(kw_group);
    expect('(');
    const ListOf<SortBy> order = sort_clause();
    expect(')');
    if (!call->agg_order.empty()) {
      error(sqlstate::syntax_error, "cannot use multiple ORDER BY clauses with WITHIN GROUP",
            location);
    } else if (call->agg_distinct) {
      error(sqlstate::syntax_error, "cannot use DISTINCT with WITHIN GROUP", location);
    } else if (call->func_variadic) {
      error(sqlstate::syntax_error, "cannot use VARIADIC with WITHIN GROUP", location);
    }
    call->agg_order = order;
    call->agg_within_group = true;
  }
  if (accept(kw_filter)) {
    expect_all({'(', kw_where});
    call->agg_filter = a_expr();
    expect(')');
  }
  if (accept(kw_over)) {
    if (at('(')) {
      call->over = window_specification();
    } else {
      WindowDef* const window = make<WindowDef>(loc());
      window->name = col_id();
      call->over = window;
    }
  }
  return call;
}

const Node* Parser::func_expr_windowless() {
  const int location = loc();
  if (const Node* const call = func_expr_common()) return call;
  const Names name = func_name();
  return func_application(name, location);
}

const Node* Parser::sql_value_function(SqlValueFunctionOp op, SqlValueFunctionOp with_typmod) {
  SqlValueFunction* const value = make<SqlValueFunction>(loc());
  value->op = op;
  advance();
  if (with_typmod != op && accept('(')) {
    value->op = with_typmod;
    value->typmod = iconst();
    expect(')');
  }
  return value;
}

const Node* Parser::func_expr_common() {
  using Op = SqlValueFunctionOp;
  const int location = loc();
  switch (kind()) {
    case kw_current_date: return sql_value_function(Op::current_date, Op::current_date);
    case kw_current_time: return sql_value_function(Op::current_time, Op::current_time_n);
    case kw_current_timestamp:
      return sql_value_function(Op::current_timestamp, Op::current_timestamp_n);
    case kw_localtime:       return sql_value_function(Op::localtime, Op::localtime_n);
    case kw_localtimestamp:  return sql_value_function(Op::localtimestamp, Op::localtimestamp_n);
    case kw_current_role:    return sql_value_function(Op::current_role, Op::current_role);
    case kw_current_user:    return sql_value_function(Op::current_user, Op::current_user);
    case kw_user:            return sql_value_function(Op::user, Op::user);
    case kw_session_user:    return sql_value_function(Op::session_user, Op::session_user);
    case kw_current_catalog: return sql_value_function(Op::current_catalog, Op::current_catalog);
    case kw_current_schema:
      if (peek_kind(1) == '(' || peek_kind(1) == tok_sconst) return nullptr;  // the function
      return sql_value_function(Op::current_schema, Op::current_schema);
    case kw_collation: {
      if (peek_kind(1) != kw_for) return nullptr;
      advance();
      advance();
      expect('(');
      const Node* const arg = a_expr();
      expect(')');
      return system_call("pg_collation_for", one(arg), CoercionForm::sql_syntax, location);
    }
    case kw_cast: {
      advance();
      expect('(');
      TypeCast* const cast = make<TypeCast>(location);
      cast->arg = a_expr();
      expect(kw_as);
      cast->type_name = type_name();
      expect(')');
      return cast;
    }
    default: break;
  }
  if (!is_keyword(cur().kind) || keyword_class(cur().kind) != KeywordClass::col_name ||
      peek_kind(1) != '(') {
    return nullptr;
  }
  switch (kind()) {
    case kw_extract:   return extract_call();
    case kw_overlay:   return overlay_call();
    case kw_substring: return substring_call();
    case kw_trim:      return trim_call();
    case kw_normalize: {
      advance();
      expect('(');
      NodeListBuilder<Node> args(arena_);
      args.push(a_expr());
      if (accept(',')) {
        if (!at_any(kw_nfc, kw_nfd, kw_nfkc, kw_nfkd)) syntax_error();
        args.push(string_const(cur().text, loc()));
        advance();
      }
      expect(')');
      return system_call("normalize", args.span(), CoercionForm::sql_syntax, location);
    }
    case kw_position: {
      advance();
      expect('(');
      const Node* const needle = b_expr();
      expect(kw_in);
      const Node* const hay = b_expr();
      expect(')');
      return system_call("position", two(hay, needle), CoercionForm::sql_syntax, location);
    }
    case kw_treat: {
      advance();
      expect('(');
      const Node* const arg = a_expr();
      expect(kw_as);
      const TypeName* const type = type_name();
      expect(')');
      return system_call(type->names.back(), one(arg), CoercionForm::explicit_call, location);
    }
    case kw_nullif: {
      advance();
      expect('(');
      const Node* const left = a_expr();
      expect(',');
      const Node* const right = a_expr();
      expect(')');
      return make_op(A_ExprKind::nullif, "=", left, right, location);
    }
    case kw_coalesce: {
      advance();
      CoalesceExpr* const expr = make<CoalesceExpr>(location);
      expr->args = paren_expr_list();
      return expr;
    }
    case kw_greatest:
    case kw_least:    {
      MinMaxExpr* const expr = make<MinMaxExpr>(location);
      expr->op = at(kw_greatest) ? MinMaxOp::greatest : MinMaxOp::least;
      advance();
      expr->args = paren_expr_list();
      return expr;
    }
    case kw_xmlconcat:
    case kw_xmlelement:
    case kw_xmlexists:
    case kw_xmlforest:
    case kw_xmlparse:
    case kw_xmlpi:
    case kw_xmlroot:
    case kw_xmlserialize: return xml_call();
    default:              return nullptr;
  }
}

const Node* Parser::extract_call() {
  const int location = loc();
  advance();
  expect('(');
  const int at_field = loc();
  Name field = cur().text;
  switch (kind()) {
    case tok_ident:
    case tok_sconst:
    case kw_year:
    case kw_month:
    case kw_day:
    case kw_hour:
    case kw_minute:
    case kw_second:  advance(); break;
    default:         syntax_error(); break;
  }
  expect(kw_from);
  const Node* const source = a_expr();
  expect(')');
  return system_call("extract", two<Node>(string_const(field, at_field), source),
                     CoercionForm::sql_syntax, location);
}

const Node* Parser::overlay_call() {
  const int location = loc();
  advance();
  expect('(');
  NodeListBuilder<Node> args(arena_);
  const auto explicit_call = [&]() -> const Node* {
    expect(')');
    FuncCall* const call = make<FuncCall>(location);
    call->funcname = one_name("overlay");
    call->args = args.span();
    return call;
  };
  if (at(')')) return explicit_call();
  args.push(func_arg_expr());
  if (!at(kw_placing)) {
    while (accept(',')) args.push(func_arg_expr());
    return explicit_call();
  }
  advance();
  args.push(a_expr());
  expect(kw_from);
  args.push(a_expr());
  if (accept(kw_for)) args.push(a_expr());
  expect(')');
  return system_call("overlay", args.span(), CoercionForm::sql_syntax, location);
}

const Node* Parser::substring_call() {
  const int location = loc();
  advance();
  expect('(');
  NodeListBuilder<Node> args(arena_);
  const auto finish = [&](bool sql_syntax) -> const Node* {
    expect(')');
    FuncCall* const call = make<FuncCall>(location);
    call->funcname = sql_syntax ? system_name("substring") : one_name("substring");
    call->args = args.span();
    call->funcformat = sql_syntax ? CoercionForm::sql_syntax : CoercionForm::explicit_call;
    return call;
  };
  if (at(')')) return finish(false);
  ++similar_needs_to_;
  args.push(func_arg_expr());
  --similar_needs_to_;
  if (accept(kw_from)) {
    args.push(a_expr());
    if (accept(kw_for)) args.push(a_expr());
    return finish(true);
  }
  if (accept(kw_for)) {
    const Node* const length = a_expr();
    if (accept(kw_from)) {
      args.push(a_expr());
      args.push(length);
    } else {  // the length is forced to int4 so that no other two-argument substring is meant
      args.push(integer_const(1, -1));
      TypeCast* const cast = make<TypeCast>();
      cast->arg = length;
      cast->type_name = system_type("int4", -1);
      args.push(cast);
    }
    return finish(true);
  }
  if (accept(kw_similar)) {
    args.push(a_expr());
    expect(kw_escape);
    args.push(a_expr());
    return finish(true);
  }
  while (accept(',')) args.push(func_arg_expr());
  return finish(false);
}

const Node* Parser::trim_call() {
  const int location = loc();
  advance();
  expect('(');
  Name name = "btrim";
  if (at(kw_leading)) name = "ltrim";
  if (at(kw_trailing)) name = "rtrim";
  if (at_any(kw_leading, kw_trailing, kw_both)) advance();
  NodeListBuilder<Node> args(arena_);
  if (accept(kw_from)) {
    args.append(expr_list());
  } else {
    const Node* const first = a_expr();
    if (accept(kw_from)) {
      args.append(expr_list());
      args.push(first);
    } else {
      args.push(first);
      while (accept(',')) args.push(a_expr());
    }
  }
  expect(')');
  return system_call(name, args.span(), CoercionForm::sql_syntax, location);
}

ListOf<ResTarget> Parser::xml_attribute_list() {
  return comma_list<ResTarget>([this] {
    ResTarget* const target = make<ResTarget>(loc());
    target->val = a_expr();
    if (accept(kw_as)) target->name = col_label();
    return target;
  });
}

const Node* Parser::xml_call() {
  XmlExpr* const xml = make<XmlExpr>(loc());
  const int token = kind();
  advance();
  expect('(');
  const auto document_or_content = [this] {
    if (accept(kw_document)) return XmlOptionType::document;
    expect(kw_content);
    return XmlOptionType::content;
  };
  switch (token) {
    case kw_xmlconcat: xml->args = expr_list(); break;
    case kw_xmlexists: {
      const Node* const path = c_expr(false);
      expect(kw_passing);
      const auto mechanism = [this] {
        if (!accept(kw_by)) return;
        if (!accept(kw_ref)) expect(kw_value);
      };
      mechanism();
      const Node* const document = c_expr(false);
      mechanism();
      expect(')');
      return system_call("xmlexists", two(path, document), CoercionForm::sql_syntax, xml->location);
    }
    case kw_xmlelement: {
      xml->op = XmlExprOp::xmlelement;
      expect(kw_name);
      xml->name = col_label();
      if (!accept(',')) break;
      if (at(kw_xmlattributes) && peek_kind(1) == '(') {
        advance();
        expect('(');
        xml->named_args = xml_attribute_list();
        expect(')');
        if (!accept(',')) break;
      }
      xml->args = expr_list();
      break;
    }
    case kw_xmlforest:
      xml->op = XmlExprOp::xmlforest;
      xml->named_args = xml_attribute_list();
      break;
    case kw_xmlparse: {
      xml->op = XmlExprOp::xmlparse;
      xml->xmloption = document_or_content();
      const Node* const text = a_expr();
      bool preserve = false;
      if (accept(kw_preserve)) {
        expect(kw_whitespace);
        preserve = true;
      } else if (accept(kw_strip)) {
        expect(kw_whitespace);
      }
      A_Const* const flag = make<A_Const>();
      flag->kind = ConstKind::boolean;
      flag->boolval = preserve;
      xml->args = two<Node>(text, flag);
      break;
    }
    case kw_xmlpi:
      xml->op = XmlExprOp::xmlpi;
      expect(kw_name);
      xml->name = col_label();
      if (accept(',')) xml->args = one(a_expr());
      break;
    case kw_xmlroot: {
      xml->op = XmlExprOp::xmlroot;
      NodeListBuilder<Node> args(arena_);
      args.push(a_expr());
      expect_all({',', kw_version});
      if (accept2(kw_no, kw_value)) {
        args.push(null_const(-1));
      } else {
        args.push(a_expr());
      }
      int32_t standalone = 3;  // yes, no, no value, omitted
      if (accept(',')) {
        expect(kw_standalone);
        if (accept(kw_yes)) {
          standalone = 0;
        } else {
          expect(kw_no);
          standalone = accept(kw_value) ? 2 : 1;
        }
      }
      args.push(integer_const(standalone, -1));
      xml->args = args.span();
      break;
    }
    default: {
      XmlSerialize* const serialize = make<XmlSerialize>(xml->location);
      serialize->xmloption = document_or_content();
      serialize->expr = a_expr();
      expect(kw_as);
      serialize->type_name = simple_type_name();
      expect(')');
      return serialize;
    }
  }
  expect(')');
  return xml;
}

ListOf<SortBy> Parser::opt_sort_clause() {
  if (!at(kw_order)) return {};
  return sort_clause();
}

ListOf<SortBy> Parser::sort_clause() {
  expect(kw_order);
  expect(kw_by);
  return comma_list<SortBy>([this] { return sort_by(); });
}

const SortBy* Parser::sort_by() {
  Depth depth(*this);
  SortBy* const sort = make<SortBy>();
  sort->node = a_expr();
  const int location = loc();
  if (accept(kw_using)) {
    sort->sortby_dir = SortByDir::using_;
    sort->use_op = qual_op();
    sort->location = location;
  } else if (accept(kw_asc)) {
    sort->sortby_dir = SortByDir::asc;
  } else if (accept(kw_desc)) {
    sort->sortby_dir = SortByDir::desc;
  }
  sort->sortby_nulls = opt_nulls_order();
  return sort;
}

SortByNulls Parser::opt_nulls_order() {
  if (!accept(tok_nulls_la)) return SortByNulls::default_;
  if (accept(kw_first)) return SortByNulls::first;
  expect(kw_last);
  return SortByNulls::last;
}

const WindowDef* Parser::window_specification() {
  Depth depth(*this);
  WindowDef* const window = make<WindowDef>(loc());
  expect('(');
  if (at_col_id() && !at_any(kw_partition, kw_range, kw_rows, kw_groups)) {
    window->refname = col_id();
  }
  if (accept(kw_partition)) {
    expect(kw_by);
    window->partition_clause = expr_list();
  }
  window->order_clause = opt_sort_clause();
  opt_frame_clause(window);
  expect(')');
  return window;
}

// One bound, in the bits of a frame's start.
int32_t Parser::frame_bound(const Node*& offset) {
  if (at(kw_unbounded) && (peek_kind(1) == kw_preceding || peek_kind(1) == kw_following)) {
    advance();
    const bool preceding = at(kw_preceding);
    advance();
    return preceding ? kFrameStartUnboundedPreceding : kFrameStartUnboundedFollowing;
  }
  if (accept2(kw_current, kw_row)) return kFrameStartCurrentRow;
  offset = a_expr();
  if (accept(kw_preceding)) return kFrameStartOffsetPreceding;
  expect(kw_following);
  return kFrameStartOffsetFollowing;
}

void Parser::opt_frame_clause(WindowDef* window) {
  int32_t options = kFrameNonDefault;
  if (accept(kw_range)) {
    options |= kFrameRange;
  } else if (accept(kw_rows)) {
    options |= kFrameRows;
  } else if (accept(kw_groups)) {
    options |= kFrameGroups;
  } else {
    return;
  }
  const auto refuse = [this](const char* message, int location) {
    error(sqlstate::windowing_error, message, location);
  };
  const bool has_end = accept(kw_between);
  const int at_start = loc();
  const int32_t start = frame_bound(window->start_offset);
  options |= start;
  if (has_end) {
    expect(kw_and);
    const int at_end = loc();
    const int32_t end = frame_bound(window->end_offset) << 1;  // an end's bits follow its start's
    options |= kFrameBetween | end;
    if (failed_) return;
    if (start == kFrameStartUnboundedFollowing) {
      refuse("frame start cannot be UNBOUNDED FOLLOWING", at_start);
    } else if (end == kFrameEndUnboundedPreceding) {
      refuse("frame end cannot be UNBOUNDED PRECEDING", at_end);
    } else if (start == kFrameStartCurrentRow && end == kFrameEndOffsetPreceding) {
      refuse("frame starting from current row cannot have preceding rows", at_end);
    } else if (start == kFrameStartOffsetFollowing &&
               (end == kFrameEndOffsetPreceding || end == kFrameEndCurrentRow)) {
      refuse("frame starting from following row cannot have preceding rows", at_end);
    }
  } else {
    options |= kFrameEndCurrentRow;
    if (failed_) return;
    if (start == kFrameStartUnboundedFollowing) {
      refuse("frame start cannot be UNBOUNDED FOLLOWING", at_start);
    } else if (start == kFrameStartOffsetFollowing) {
      refuse("frame starting from following row cannot end with current row", at_start);
    }
  }
  if (accept(kw_exclude)) {
    if (accept(kw_current)) {
      expect(kw_row);
      options |= kFrameExcludeCurrentRow;
    } else if (accept(kw_group)) {
      options |= kFrameExcludeGroup;
    } else if (accept(kw_ties)) {
      options |= kFrameExcludeTies;
    } else {
      expect(kw_no);
      expect(kw_others);
    }
  }
  window->frame_options = options;
}

}  // namespace orrery
