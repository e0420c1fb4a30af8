// Names, in all the forms PostgreSQL's four keyword classes allow, and small pieces used
// everywhere.
#include "sql/parser_internal.h"

namespace orrery {
namespace {

bool is_of_class(int kind, KeywordClass wanted) {
  const auto token = static_cast<TokenKind>(kind);
  return is_keyword(token) && keyword_class(token) == wanted;
}

}  // namespace

bool Parser::at_word(std::string_view identifier) const {
  return at(tok_ident) && cur().text == identifier;
}
bool Parser::is_col_id(int kind) {
  return kind == tok_ident || is_of_class(kind, KeywordClass::unreserved) ||
         is_of_class(kind, KeywordClass::col_name);
}
bool Parser::at_col_id() const { return is_col_id(kind()); }
bool Parser::at_type_function_name() const {
  return at(tok_ident) || is_of_class(kind(), KeywordClass::unreserved) ||
         is_of_class(kind(), KeywordClass::type_func_name);
}
bool Parser::at_non_reserved_word() const {
  return at(tok_ident) ||
         (is_keyword(cur().kind) && keyword_class(cur().kind) != KeywordClass::reserved);
}
bool Parser::at_col_label() const { return at(tok_ident) || is_keyword(cur().kind); }
bool Parser::at_bare_label() const {
  return at(tok_ident) || (is_keyword(cur().kind) && is_bare_label(cur().kind));
}

#define NAME_RULE(rule)           \
  Name Parser::rule() {           \
    const Name name = cur().text; \
    if (!at_##rule()) {           \
      syntax_error();             \
      return "";                  \
    }                             \
    advance();                    \
    return name;                  \
  }
NAME_RULE(col_id)
NAME_RULE(col_label)
NAME_RULE(non_reserved_word)
NAME_RULE(type_function_name)
#undef NAME_RULE

Name Parser::sconst() {
  const Name text = cur().text;
  expect(tok_sconst);
  return text;
}

int32_t Parser::iconst() {
  const int32_t value = cur().ival;
  expect(tok_iconst);
  return value;
}

int32_t Parser::signed_iconst() {
  if (accept('-')) return -iconst();
  accept('+');
  return iconst();
}

Names Parser::attrs(Name first) {
  if (!at('.')) return one_name(first);
  ListBuilder<Name> names(arena_);
  names.push(first);
  while (accept('.')) names.push(col_label());
  return names.span();
}

Names Parser::any_name() { return attrs(col_id()); }

Names Parser::name_list() {
  ListBuilder<Name> names(arena_);
  do names.push(col_id());
  while (accept(','));
  return names.span();
}

Names Parser::opt_column_list() {
  if (!accept('(')) return {};
  const Names names = name_list();
  expect(')');
  return names;
}

ListOf<List> Parser::any_name_list() {
  return comma_list<List>([this] { return name_list_node(any_name()); });
}

const RangeVar* Parser::range_var_of(Names names, int location) {
  RangeVar* const relation = make<RangeVar>(location);
  switch (names.size()) {
    case 1: relation->relname = names[0]; break;
    case 2:
      relation->schemaname = names[0];
      relation->relname = names[1];
      break;
    case 3:
      relation->catalogname = names[0];
      relation->schemaname = names[1];
      relation->relname = names[2];
      break;
    default:
      error(sqlstate::syntax_error,
            cat("improper qualified name (too many dotted names): ", join(names, ".")), location);
      break;
  }
  return relation;
}

const RangeVar* Parser::qualified_name() {
  const int location = loc();
  ListBuilder<Name> names(arena_);
  names.push(col_id());
  NodeListBuilder<Node> rest(arena_);
  indirection(rest);
  for (const Node* const node : rest.span()) {
    const String* const part = as_if<String>(node);
    if (part == nullptr) {
      syntax_error();
      break;
    }
    names.push(part->sval);
  }
  return range_var_of(names.span(), location);
}

ListOf<RangeVar> Parser::qualified_name_list() {
  return comma_list<RangeVar>([this] { return qualified_name(); });
}

const RangeVar* Parser::relation_expr() {
  if (accept(kw_only)) {
    const bool parentheses = accept('(');
    RangeVar* const relation = arena_.make<RangeVar>(*qualified_name());
    if (parentheses) expect(')');
    relation->inh = false;
    return relation;
  }
  const RangeVar* const relation = qualified_name();
  accept('*');
  return relation;
}

const RangeVar* Parser::relation_expr_opt_alias(bool set_follows) {
  const RangeVar* const relation = relation_expr();
  if (accept(kw_as) || (at_col_id() && !(set_follows && at(kw_set)))) {
    RangeVar* const named = arena_.make<RangeVar>(*relation);
    Alias* const alias = make<Alias>();
    alias->aliasname = col_id();
    named->alias = alias;
    return named;
  }
  return relation;
}

bool Parser::opt_temp(RelPersistence& persistence) {
  persistence = RelPersistence::permanent;
  if (at_any(kw_temporary, kw_temp)) {
    persistence = RelPersistence::temp;
    advance();
    return true;
  }
  if (at_any(kw_local, kw_global) && (peek_kind(1) == kw_temporary || peek_kind(1) == kw_temp)) {
    persistence = RelPersistence::temp;
    if (at(kw_global) && options_.notices != nullptr) {
      options_.notices->push_back({sqlstate::warning, true,
                                   "GLOBAL is deprecated in temporary table creation", "",
                                   character_position(text_, loc())});
    }
    advance();
    advance();
    return true;
  }
  if (accept(kw_unlogged)) {
    persistence = RelPersistence::unlogged;
    return true;
  }
  return false;
}

// After INTO. TEMP, LOCAL and the like are themselves the table's name when no name follows.
const RangeVar* Parser::opt_temp_table_name() {
  RelPersistence persistence = RelPersistence::permanent;
  const int next = peek_kind(1);
  const bool local = at_any(kw_local, kw_global);
  const bool is_mark =
      local ? next == kw_temporary || next == kw_temp
            : at_any(kw_temp, kw_temporary, kw_unlogged) && (next == kw_table || is_col_id(next));
  if (is_mark) {
    opt_temp(persistence);
    accept(kw_table);
  } else {
    accept(kw_table);
  }
  RangeVar* const relation = arena_.make<RangeVar>(*qualified_name());
  relation->relpersistence = persistence;
  return relation;
}

Names Parser::func_name() {
  const bool plain = at_type_function_name();
  const bool column = at_col_id();
  const Name first = cur().text;
  if (!plain && !column) {
    syntax_error();
    return {};
  }
  advance();
  if (!column) return one_name(first);
  NodeListBuilder<Node> rest(arena_);
  if (!indirection(rest)) {
    if (!plain) syntax_error();
    return one_name(first);
  }
  ListBuilder<Name> names(arena_);
  names.push(first);
  for (const Node* const node : rest.span()) {
    const String* const part = as_if<String>(node);
    if (part == nullptr) {
      syntax_error();
      break;
    }
    names.push(part->sval);
  }
  return names.span();
}

bool Parser::at_all_op() const {
  switch (kind()) {
    case tok_op:
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '^':
    case '<':
    case '>':
    case '=':
    case tok_less_equals:
    case tok_greater_equals:
    case tok_not_equals:     return true;
    default:                 return false;
  }
}

Name Parser::all_op() {
  if (!at_all_op()) {
    syntax_error();
    return "";
  }
  const Name op = at(tok_not_equals) ? Name("<>") : cur().text;
  advance();
  return op;
}

Names Parser::any_operator() {
  ListBuilder<Name> names(arena_);
  while (at_col_id()) {
    names.push(col_id());
    expect('.');
  }
  names.push(all_op());
  return names.span();
}

Names Parser::qual_op() {
  if (accept(kw_operator)) {
    expect('(');
    const Names op = any_operator();
    expect(')');
    return op;
  }
  return one_name(all_op());
}

bool Parser::indirection(NodeListBuilder<Node>& list) {
  const size_t before = list.size();
  for (;;) {
    if (at('.')) {
      advance();
      if (at('*')) {
        list.push(make<A_Star>());
        advance();
      } else {
        list.push(string_node(col_label()));
      }
    } else if (at('[')) {
      Depth depth(*this);
      advance();
      A_Indices* const indices = make<A_Indices>();
      if (!at(':')) indices->uidx = a_expr();
      if (accept(':')) {
        indices->is_slice = true;
        indices->lidx = indices->uidx;
        indices->uidx = at(']') ? nullptr : a_expr();
      }
      expect(']');
      list.push(indices);
    } else {
      return list.size() > before;
    }
    if (failed_) return true;
  }
}

void Parser::check_indirection(NodeList list) {
  for (size_t i = 0; i + 1 < list.size(); ++i) {
    if (list[i]->tag == NodeTag::A_Star) syntax_error("improper use of \"*\"");
  }
}

const Node* Parser::numeric_only() {
  const bool minus = accept('-');
  if (!minus) accept('+');
  if (at(tok_fconst)) {
    Float* const number = make<Float>();
    number->fval = minus ? copy(cat("-", cur().text)) : cur().text;
    advance();
    return number;
  }
  const int32_t value = iconst();
  return integer_node(minus ? -value : value);
}

std::string_view Parser::boolean_or_string() {
  if (accept(kw_true)) return "true";
  if (accept(kw_false)) return "false";
  if (accept(kw_on)) return "on";
  if (at(tok_sconst)) return sconst();
  return non_reserved_word();
}

const RoleSpec* Parser::role_spec() {
  RoleSpec* const role = make<RoleSpec>(loc());
  if (at_any(kw_current_role, kw_current_user, kw_session_user)) {
    role->roletype = at(kw_current_role)   ? RoleSpecType::current_role
                     : at(kw_current_user) ? RoleSpecType::current_user
                                           : RoleSpecType::session_user;
    advance();
    return role;
  }
  const int location = loc();
  const Name name = non_reserved_word();
  if (name == "public") {
    role->roletype = RoleSpecType::public_;
  } else if (name == "none" && !failed_) {
    error(sqlstate::reserved_name, "role name \"none\" is reserved", location);
  } else {
    role->rolename = name;
  }
  return role;
}

Name Parser::role_id() {
  const int location = loc();
  const RoleSpec* const role = role_spec();
  if (failed_) return "";
  switch (role->roletype) {
    case RoleSpecType::cstring: return role->rolename;
    case RoleSpecType::public_:
      error(sqlstate::reserved_name, "role name \"public\" is reserved", location);
      break;
    case RoleSpecType::session_user:
      error(sqlstate::reserved_name, "SESSION_USER cannot be used as a role name here", location);
      break;
    case RoleSpecType::current_user:
      error(sqlstate::reserved_name, "CURRENT_USER cannot be used as a role name here", location);
      break;
    case RoleSpecType::current_role:
      error(sqlstate::reserved_name, "CURRENT_ROLE cannot be used as a role name here", location);
      break;
  }
  return "";
}

ListOf<RoleSpec> Parser::role_list() {
  return comma_list<RoleSpec>([this] { return role_spec(); });
}

bool Parser::opt_if_exists() {
  if (!at(kw_if) || peek_kind(1) != kw_exists) return false;
  advance();
  advance();
  return true;
}

// IF NOT: names may be "if", but never before NOT.
bool Parser::opt_if_not_exists() {
  if (!at(kw_if) || peek_kind(1) != kw_not) return false;
  expect_all({kw_if, kw_not, kw_exists});
  return true;
}

DropBehavior Parser::opt_drop_behavior() {
  if (accept(kw_cascade)) return DropBehavior::cascade;
  accept(kw_restrict);
  return DropBehavior::restrict_;
}

}  // namespace orrery
