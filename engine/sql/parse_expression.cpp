// Operators: precedence climbing over PostgreSQL's table. What binds tighter is in
// parse_primary.cpp.
//
// PostgreSQL declares comparison, BETWEEN/IN/LIKE and IS non-associative, but only a rule that ends
// in an operand can meet its own kind: "a < b < c" is an error, "a IS NULL IS NULL" is not.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::expression(int lowest, bool restricted) {
  Depth depth(*this);
  const bool may_be_label = may_be_label_;  // asked by our caller, not by its caller
  may_be_label_ = false;
  const Node* const first = prefix(restricted);
  may_be_label_ = may_be_label;
  const Node* const whole = operators(first, lowest, restricted);
  may_be_label_ = false;
  return whole;
}

// "SELECT a AND FROM t" calls its column "and": an operator's keyword is a label when no operand
// can follow.
bool Parser::operator_is_label() {
  if (!is_keyword(cur().kind) || !is_bare_label(cur().kind)) return false;
  switch (peek_kind(1)) {
    case ',':
    case ')':
    case ';':
    case tok_end:
    case kw_except:
    case kw_fetch:
    case kw_for:
    case kw_from:
    case kw_group:
    case kw_having:
    case kw_intersect:
    case kw_into:
    case kw_limit:
    case kw_offset:
    case kw_on:
    case kw_order:
    case kw_returning:
    case kw_union:
    case kw_where:
    case kw_window:
    case kw_with:      return true;
    default:           return false;
  }
}

const Node* Parser::prefix(bool restricted) {
  const int location = loc();
  switch (kind()) {
    case '+': {
      advance();
      const bool number = at_any(tok_iconst, tok_fconst);
      const Node* const operand = expression(kUnaryMinus, restricted);
      last_simple_ = number && last_simple_;
      return make_op(A_ExprKind::op, "+", nullptr, operand, location);
    }
    case '-': {
      advance();
      const bool number = at_any(tok_iconst, tok_fconst);
      const Node* const operand = expression(kUnaryMinus, restricted);
      last_simple_ = number && last_simple_;
      return unary_minus(operand, location);
    }
    case kw_operator:
      if (peek_kind(1) != '(') break;  // a column of that name
      [[fallthrough]];
    case tok_op: {
      A_Expr* const op = make<A_Expr>(location);
      op->name = qual_op();
      op->rexpr = expression(kOperator + 1, restricted);
      last_simple_ = false;
      return op;
    }
    case kw_not:
    case tok_not_la: {
      if (restricted) break;
      advance();
      const Node* const operand = expression(kNot, false);
      last_simple_ = false;
      return make_not(operand, location);
    }
    case kw_default:
      if (restricted) break;
      advance();
      last_simple_ = false;
      return make<SetToDefault>(location);
    case kw_unique:
      if (restricted) break;
      advance();
      if (accept(kw_nulls)) {
        accept(kw_not);
        expect(kw_distinct);
      }
      select_with_parens();
      not_implemented("UNIQUE predicate is not yet implemented", location);
      return null_const(location);
    default: break;
  }
  const Node* const primary = c_expr(restricted);
  last_simple_ = true;
  return primary;
}

int Parser::infix_precedence(bool restricted) {
  switch (kind()) {
    case '^':                return kPower;
    case '*':
    case '/':
    case '%':                return kMultiplicative;
    case '+':
    case '-':                return kAdditive;
    case tok_op:
    case kw_operator:        return kOperator;
    case '<':
    case '>':
    case '=':
    case tok_less_equals:
    case tok_greater_equals:
    case tok_not_equals:     return kComparison;
    case tok_typecast:       return kTypecast;
    case kw_is:              return kIs;
    default:                 break;
  }
  if (restricted) return -1;
  switch (kind()) {
    case kw_or:      return kOr;
    case kw_and:     return kAnd;
    case kw_isnull:
    case kw_notnull: return kIs;
    case kw_between:
    case kw_in:
    case kw_like:
    case kw_ilike:
    case tok_not_la: return kBetweenLike;
    case kw_similar: return similar_needs_to_ > 0 && peek_kind(1) != kw_to ? -1 : kBetweenLike;
    case kw_at:      return kAtTimeZone;
    case kw_collate: return kCollate;
    default:         return -1;
  }
}

const Node* Parser::operators(const Node* left, int lowest, bool restricted) {
  const bool may_be_label = may_be_label_;
  may_be_label_ = false;
  for (;;) {
    const int precedence = infix_precedence(restricted);
    if (precedence < lowest || precedence < 0) return left;
    if (may_be_label && operator_is_label()) return left;
    bool ends_in_operand = false;
    if (at_any(kw_and, kw_or)) {
      left = logical(left, precedence, may_be_label);
    } else {
      left = infix(left, precedence, restricted, ends_in_operand);
    }
    last_simple_ = false;
    if (failed_) return left;
    const bool non_associative =
        precedence == kIs || precedence == kComparison || precedence == kBetweenLike;
    if (ends_in_operand && non_associative && infix_precedence(restricted) == precedence) {
      syntax_error();
      return left;
    }
  }
}

const Node* Parser::infix(const Node* left, int precedence, bool restricted,
                          bool& ends_in_operand) {
  const int location = loc();
  switch (kind()) {
    case kw_is:      return is_test(left, restricted, ends_in_operand);
    case kw_isnull:
    case kw_notnull: {
      NullTest* const test = make<NullTest>(location);
      test->nulltesttype = at(kw_isnull) ? NullTestType::is_null : NullTestType::is_not_null;
      test->arg = left;
      advance();
      return test;
    }
    case tok_typecast: {
      advance();
      TypeCast* const cast = make<TypeCast>(location);
      cast->arg = left;
      cast->type_name = type_name();
      return cast;
    }
    case kw_collate: {
      advance();
      CollateClause* const collate = make<CollateClause>(location);
      collate->arg = left;
      collate->collname = any_name();
      return collate;
    }
    case kw_at: {
      advance();
      expect_all({kw_time, kw_zone});
      const Node* const zone = expression(kAtTimeZone + 1, restricted);
      return system_call("timezone", two<Node>(zone, left), CoercionForm::sql_syntax, location);
    }
    case tok_not_la:
    case kw_between:
    case kw_in:
    case kw_like:
    case kw_ilike:
    case kw_similar: {
      const bool negated = accept(tok_not_la);
      if (accept(kw_between)) {
        ends_in_operand = true;
        return between(left, negated, location);
      }
      if (accept(kw_in)) return in_list(left, negated, location);
      return like(left, negated, location, ends_in_operand);
    }
    default: break;
  }
  const Names op = qual_op();
  if (!restricted && at_any(kw_any, kw_some, kw_all)) return quantified(left, op, location);
  A_Expr* const expr = make<A_Expr>(location);
  expr->name = op;
  expr->lexpr = left;
  expr->rexpr = expression(precedence + 1, restricted);
  ends_in_operand = true;
  return expr;
}

const Node* Parser::logical(const Node* left, int precedence, bool may_be_label) {
  const BoolExprType type = at(kw_or) ? BoolExprType::or_ : BoolExprType::and_;
  BoolExpr* const expr = make<BoolExpr>(loc());
  expr->boolop = type;
  NodeListBuilder<Node> args(arena_);
  const BoolExpr* const same = as_if<BoolExpr>(left);
  if (same != nullptr && same->boolop == type) {  // flat, also through parentheses on the left
    args.append(same->args);
    expr->location = same->location;
  } else {
    args.push(left);
  }
  const int token = type == BoolExprType::or_ ? kw_or : kw_and;
  do {
    advance();
    args.push(expression(precedence + 1, false));
  } while (at(token) && !(may_be_label && operator_is_label()));
  expr->args = args.span();
  return expr;
}

const Node* Parser::make_not(const Node* arg, int location) {
  BoolExpr* const expr = make<BoolExpr>(location);
  expr->boolop = BoolExprType::not_;
  expr->args = one(arg);
  return expr;
}

const Node* Parser::make_op(A_ExprKind kind, Name op, const Node* left, const Node* right,
                            int location) {
  A_Expr* const expr = make<A_Expr>(location);
  expr->kind = kind;
  expr->name = one_name(op);
  expr->lexpr = left;
  expr->rexpr = right;
  return expr;
}

// A minus before a number is part of it, so that -2147483648 is an int4.
const Node* Parser::unary_minus(const Node* operand, int location) {
  const A_Const* const number = as_if<A_Const>(operand);
  if (number != nullptr && number->kind == ConstKind::integer) {
    A_Const* const negated = arena_.make<A_Const>(*number);
    negated->ival = static_cast<int32_t>(-static_cast<uint32_t>(number->ival));
    negated->location = location;
    return negated;
  }
  if (number != nullptr && number->kind == ConstKind::float_) {
    A_Const* const negated = arena_.make<A_Const>(*number);
    negated->text =
        number->text.starts_with('-') ? number->text.substr(1) : copy(cat("-", number->text));
    negated->location = location;
    return negated;
  }
  return make_op(A_ExprKind::op, "-", nullptr, operand, location);
}

const Node* Parser::is_test(const Node* left, bool restricted, bool& ends_in_operand) {
  const int location = loc();
  expect(kw_is);
  const bool negated = accept(kw_not);
  const auto boolean = [&](BoolTestType yes, BoolTestType no) {
    advance();
    BooleanTest* const test = make<BooleanTest>(location);
    test->booltesttype = negated ? no : yes;
    test->arg = left;
    return test;
  };
  const int token = kind();
  if (token == kw_distinct) {
    advance();
    expect(kw_from);
    ends_in_operand = true;
    const Node* const right = expression(kIs + 1, restricted);
    return make_op(negated ? A_ExprKind::not_distinct : A_ExprKind::distinct, "=", left, right,
                   location);
  }
  if (token == kw_document) {
    advance();
    XmlExpr* const test = make<XmlExpr>(location);
    test->op = XmlExprOp::is_document;
    test->args = one(left);
    return negated ? make_not(test, location) : test;
  }
  if (restricted) {
    syntax_error();
    return left;
  }
  switch (token) {
    case kw_null: {
      advance();
      NullTest* const test = make<NullTest>(location);
      test->nulltesttype = negated ? NullTestType::is_not_null : NullTestType::is_null;
      test->arg = left;
      return test;
    }
    case kw_true:       return boolean(BoolTestType::is_true, BoolTestType::is_not_true);
    case kw_false:      return boolean(BoolTestType::is_false, BoolTestType::is_not_false);
    case kw_unknown:    return boolean(BoolTestType::is_unknown, BoolTestType::is_not_unknown);
    case kw_normalized:
    case kw_nfc:
    case kw_nfd:
    case kw_nfkc:
    case kw_nfkd:       {
      const Node* const test = is_normalized(left, location);
      return negated ? make_not(test, location) : test;
    }
    default: syntax_error(); return left;
  }
}

const Node* Parser::is_normalized(const Node* left, int location) {
  NodeListBuilder<Node> args(arena_);
  args.push(left);
  if (!at(kw_normalized)) {
    args.push(string_const(cur().text, loc()));
    advance();
  }
  expect(kw_normalized);
  return system_call("is_normalized", args.span(), CoercionForm::sql_syntax, location);
}

const Node* Parser::between(const Node* left, bool negated, int location) {
  const bool symmetric = accept(kw_symmetric);
  if (!symmetric) accept(kw_asymmetric);
  const Node* const low = b_expr();
  expect(kw_and);
  const Node* const high = expression(kBetweenLike + 1, false);
  const List* const bounds = list_node(two(low, high));
  if (symmetric) {
    return negated ? make_op(A_ExprKind::not_between_sym, "NOT BETWEEN SYMMETRIC", left, bounds,
                             location)
                   : make_op(A_ExprKind::between_sym, "BETWEEN SYMMETRIC", left, bounds, location);
  }
  return negated ? make_op(A_ExprKind::not_between, "NOT BETWEEN", left, bounds, location)
                 : make_op(A_ExprKind::between, "BETWEEN", left, bounds, location);
}

// After IN: a subquery or a list. A list may itself begin with a subquery in parentheses.
const Node* Parser::in_list(const Node* left, bool negated, int location) {
  Depth depth(*this);
  if (at('(') && at_select_start()) {
    const Paren paren = parenthesised(false);
    if (paren.select != nullptr) {
      SubLink* const link = make<SubLink>(location);
      link->sub_link_type = SubLinkType::any;
      link->testexpr = left;
      link->subselect = paren.select;
      return negated ? make_not(link, location) : link;
    }
    NodeListBuilder<Node> list(arena_);
    list.push(operators(paren.operand, kLowest, false));
    while (accept(',')) list.push(a_expr());
    expect(')');
    return make_op(A_ExprKind::in, negated ? "<>" : "=", left, list_node(list.span()), location);
  }
  return make_op(A_ExprKind::in, negated ? "<>" : "=", left, list_node(paren_expr_list()),
                 location);
}

const Node* Parser::like(const Node* left, bool negated, int location, bool& ends_in_operand) {
  const int token = kind();
  advance();
  if (token == kw_similar) {
    expect(kw_to);
  } else if (at_any(kw_any, kw_some, kw_all)) {
    const Name op = token == kw_like ? (negated ? "!~~" : "~~") : (negated ? "!~~*" : "~~*");
    return quantified(left, one_name(op), location);
  } else if (token != kw_like && token != kw_ilike) {
    syntax_error();
  }
  ends_in_operand = true;
  const Node* pattern = expression(kEscape, false);
  const bool has_escape = accept(kw_escape);
  const Node* const escape = has_escape ? expression(kEscape, false) : nullptr;
  if (token == kw_similar) {
    pattern = system_call("similar_to_escape", has_escape ? two(pattern, escape) : one(pattern),
                          CoercionForm::explicit_call, location);
    return make_op(A_ExprKind::similar, negated ? "!~" : "~", left, pattern, location);
  }
  if (has_escape) {
    pattern =
        system_call("like_escape", two(pattern, escape), CoercionForm::explicit_call, location);
  }
  if (token == kw_like) {
    return make_op(A_ExprKind::like, negated ? "!~~" : "~~", left, pattern, location);
  }
  return make_op(A_ExprKind::ilike, negated ? "!~~*" : "~~*", left, pattern, location);
}

// After an operator, at ANY, SOME or ALL.
const Node* Parser::quantified(const Node* left, Names op, int location) {
  const bool all = at(kw_all);
  advance();
  const bool is_select = at('(') && at_select_start();
  const Node* array = nullptr;
  if (is_select) {
    const Paren paren = parenthesised(false);
    if (paren.select != nullptr) {
      SubLink* const link = make<SubLink>(location);
      link->sub_link_type = all ? SubLinkType::all : SubLinkType::any;
      link->testexpr = left;
      link->oper_name = op;
      link->subselect = paren.select;
      return link;
    }
    array = operators(paren.operand, kLowest, false);
  } else {
    expect('(');
    array = a_expr();
  }
  expect(')');
  A_Expr* const expr = make<A_Expr>(location);
  expr->kind = all ? A_ExprKind::op_all : A_ExprKind::op_any;
  expr->name = op;
  expr->lexpr = left;
  expr->rexpr = array;
  return expr;
}

}  // namespace orrery
