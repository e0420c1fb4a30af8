// CREATE FUNCTION and PROCEDURE, and how functions, aggregates and operators are named elsewhere.
#include "sql/parser_internal.h"

namespace orrery {
namespace {

bool starts_type(int token) {
  switch (token) {
    case tok_ident:
    case kw_setof:
    case kw_int:
    case kw_integer:
    case kw_smallint:
    case kw_bigint:
    case kw_real:
    case kw_float:
    case kw_decimal:
    case kw_dec:
    case kw_numeric:
    case kw_boolean:
    case kw_bit:
    case kw_character:
    case kw_char:
    case kw_varchar:
    case kw_national:
    case kw_nchar:
    case kw_timestamp:
    case kw_time:
    case kw_interval:  return true;
    default:           break;
  }
  const auto keyword = static_cast<TokenKind>(token);
  return is_keyword(keyword) && (keyword_class(keyword) == KeywordClass::unreserved ||
                                 keyword_class(keyword) == KeywordClass::type_func_name);
}

bool is_arg_class(int token) {
  return token == kw_in || token == kw_out || token == kw_inout || token == kw_variadic;
}

}  // namespace

const FunctionParameter* Parser::func_arg(bool with_default) {
  FunctionParameter* const arg = make<FunctionParameter>(loc());
  const auto arg_class = [&] {
    if (!is_arg_class(kind())) return;
    switch (kind()) {
      case kw_in:
        advance();
        arg->mode = accept(kw_out) ? FunctionParameterMode::inout : FunctionParameterMode::in;
        return;
      case kw_out:   arg->mode = FunctionParameterMode::out; break;
      case kw_inout: arg->mode = FunctionParameterMode::inout; break;
      default:       arg->mode = FunctionParameterMode::variadic; break;
    }
    advance();
  };
  arg_class();
  const bool class_first = arg->mode != FunctionParameterMode::default_;
  if (at_type_function_name()) {
    const int next = peek_kind(1);
    if (starts_type(next) || (!class_first && is_arg_class(next))) {
      arg->name = type_function_name();
      if (!class_first) arg_class();
    }
  }
  arg->arg_type = func_type();
  if (with_default && (accept(kw_default) || accept('='))) arg->defexpr = a_expr();
  return arg;
}

ListOf<FunctionParameter> Parser::func_args(bool with_default) {
  expect('(');
  if (accept(')')) return {};
  const ListOf<FunctionParameter> args =
      comma_list<FunctionParameter>([&] { return func_arg(with_default); });
  expect(')');
  return args;
}

// After [OR REPLACE] FUNCTION or PROCEDURE.
const Node* Parser::create_function(bool replace, bool procedure) {
  CreateFunctionStmt* const create = make<CreateFunctionStmt>();
  create->replace = replace;
  create->is_procedure = procedure;
  create->funcname = func_name();
  create->parameters = func_args(true);
  if (!procedure && at(kw_returns) && peek_kind(1) != kw_null) {
    advance();
    const int location = loc();
    if (accept(kw_table)) {
      NodeListBuilder<FunctionParameter> all(arena_);
      for (const FunctionParameter* const parameter : create->parameters) {
        if (parameter->mode == FunctionParameterMode::out ||
            parameter->mode == FunctionParameterMode::inout) {
          error(sqlstate::syntax_error, "OUT and INOUT arguments aren't allowed in TABLE functions",
                -1);
        }
        all.push(parameter);
      }
      const ListOf<FunctionParameter> columns = paren_list<FunctionParameter>([this] {
        FunctionParameter* const column = make<FunctionParameter>();
        column->name = type_function_name();
        column->arg_type = func_type();
        column->mode = FunctionParameterMode::table;
        return column;
      });
      all.append(columns);
      create->parameters = all.span();
      TypeName* const type = columns.size() == 1 ? arena_.make<TypeName>(*columns[0]->arg_type)
                                                 : system_type("record", location);
      if (columns.size() != 1) type->names = one_name("record");
      type->setof = true;
      type->location = location;
      create->return_type = type;
    } else {
      create->return_type = func_type();
    }
  }
  create->options = create_func_options();
  create->sql_body = opt_routine_body();
  return create;
}

ListOf<DefElem> Parser::create_func_options() {
  NodeListBuilder<DefElem> list(arena_);
  while (const DefElem* const option = create_func_option()) {
    list.push(option);
    if (failed_) break;
  }
  return list.span();
}

const DefElem* Parser::create_func_option() {
  const int location = loc();
  if (accept(kw_as)) {
    NodeListBuilder<Node> items(arena_);
    items.push(string_node(sconst()));
    if (accept(',')) items.push(string_node(sconst()));
    return def("as", list_node(items.span()), location);
  }
  if (accept(kw_language)) {
    const Name language = at(tok_sconst) ? sconst() : non_reserved_word();
    return def("language", string_node(language), location);
  }
  if (accept(kw_transform)) {
    const NodeList types = comma_list<Node>([this] {
      expect(kw_for);
      expect(kw_type);
      return type_name();
    });
    return def("transform", list_node(types), location);
  }
  if (accept(kw_window)) return def("window", boolean_node(true), location);
  return common_func_option();
}

const DefElem* Parser::common_func_option() {
  const int location = loc();
  const Name word = cur().text;
  const auto flag = [&](Name name, bool value) { return def(name, boolean_node(value), location); };
  const auto security = [&] {
    expect(kw_security);
    const bool definer = accept(kw_definer);
    if (!definer) expect(kw_invoker);
    return flag("security", definer);
  };
  switch (kind()) {
    case kw_called:
      advance();
      expect_all({kw_on, kw_null, kw_input});
      return flag("strict", false);
    case kw_returns:
      advance();
      expect_all({kw_null, kw_on, kw_null, kw_input});
      return flag("strict", true);
    case kw_strict:    advance(); return flag("strict", true);
    case kw_immutable:
    case kw_stable:
    case kw_volatile:  advance(); return def("volatility", string_node(word), location);
    case kw_external:  advance(); return security();
    case kw_security:  return security();
    case kw_leakproof: advance(); return flag("leakproof", true);
    case kw_not:
      advance();
      expect(kw_leakproof);
      return flag("leakproof", false);
    case kw_cost:
    case kw_rows:     advance(); return def(word, numeric_only(), location);
    case kw_support:  advance(); return def("support", name_list_node(any_name()), location);
    case kw_set:
    case kw_reset:    return def("set", set_or_reset(), location);
    case kw_parallel: advance(); return def("parallel", string_node(col_id()), location);
    default:          return nullptr;
  }
}

// RETURN expr, or BEGIN ATOMIC statements END.
const Node* Parser::opt_routine_body() {
  if (at(kw_return)) return routine_body_statement();
  if (!at(kw_begin)) return nullptr;
  advance();
  expect(kw_atomic);
  NodeListBuilder<Node> list(arena_);
  while (!at(kw_end) && !failed_) {
    if (!at(';')) list.push(routine_body_statement());
    expect(';');
  }
  expect(kw_end);
  return list_node(one<Node>(list_node(list.span())));
}

const Node* Parser::routine_body_statement() {
  Depth depth(*this);
  if (!at(kw_return)) return statement();
  advance();
  ReturnStmt* const node = make<ReturnStmt>();
  node->returnval = a_expr();
  return node;
}

const ObjectWithArgs* Parser::function_with_args(ObjectType type) {
  if (type == ObjectType::aggregate) return aggregate_with_args();
  ObjectWithArgs* const object = make<ObjectWithArgs>();
  const bool type_keyword = at_type_function_name() && !at_col_id();
  if (type_keyword) {
    object->objname = one_name(type_function_name());
  } else {
    const bool plain = at_type_function_name();
    const Name first = col_id();
    NodeListBuilder<Node> rest(arena_);
    ListBuilder<Name> names(arena_);
    names.push(first);
    indirection(rest);
    for (const Node* const node : rest.span()) {
      const String* const part = as_if<String>(node);
      if (part == nullptr) {
        syntax_error();
        break;
      }
      names.push(part->sval);
    }
    object->objname = names.span();
    if (!plain && rest.empty() && at('(')) syntax_error();
  }
  if (!at('(')) {
    object->args_unspecified = true;
    return object;
  }
  object->objfuncargs = func_args(false);
  NodeListBuilder<TypeName> types(arena_);
  for (const FunctionParameter* const arg : object->objfuncargs) {
    if (arg->mode != FunctionParameterMode::out && arg->mode != FunctionParameterMode::table) {
      types.push(arg->arg_type);
    }
  }
  object->objargs = types.span();
  return object;
}

// (*), (a, b), (ORDER BY c), (a ORDER BY c). `ordered` counts the direct arguments, -1 without
// ORDER BY.
ListOf<FunctionParameter> Parser::aggr_args(int32_t& ordered, bool& star) {
  ordered = -1;
  star = false;
  expect('(');
  if (accept('*')) {
    star = true;
    expect(')');
    return {};
  }
  NodeListBuilder<FunctionParameter> args(arena_);
  const auto list = [&] {
    do args.push(func_arg(false));
    while (accept(','));
  };
  if (!at(kw_order)) list();
  if (accept(kw_order)) {
    expect(kw_by);
    ordered = static_cast<int32_t>(args.size());
    const FunctionParameter* const last = args.empty() ? nullptr : args.span().back();
    list();
    if (last != nullptr && last->mode == FunctionParameterMode::variadic && !failed_) {
      const auto aggregated = args.span().subspan(static_cast<size_t>(ordered));
      if (aggregated.size() != 1 || aggregated[0]->mode != FunctionParameterMode::variadic ||
          join(aggregated[0]->arg_type->names, ".") != join(last->arg_type->names, ".")) {
        error(sqlstate::feature_not_supported,
              "an ordered-set aggregate with a VARIADIC direct argument must have one VARIADIC "
              "aggregated argument of the same data type",
              aggregated[0]->location);
      }
    }
  }
  expect(')');
  return args.span();
}

const ObjectWithArgs* Parser::aggregate_with_args() {
  ObjectWithArgs* const object = make<ObjectWithArgs>();
  object->objname = func_name();
  int32_t ordered = 0;
  bool star = false;
  object->objfuncargs = aggr_args(ordered, star);
  NodeListBuilder<TypeName> types(arena_);
  for (const FunctionParameter* const arg : object->objfuncargs) types.push(arg->arg_type);
  // A hypothetical-set aggregate's VARIADIC direct and aggregated arguments are one.
  if (ordered > 0 && object->objfuncargs[static_cast<size_t>(ordered) - 1]->mode ==
                         FunctionParameterMode::variadic) {
    object->objargs = types.span().first(static_cast<size_t>(ordered));
  } else {
    object->objargs = types.span();
  }
  return object;
}

// op (left, right), op (NONE, right); op (left, NONE) is refused.
const ObjectWithArgs* Parser::operator_with_args() { return operator_args(any_operator()); }

const ObjectWithArgs* Parser::operator_args(Names name) {
  ObjectWithArgs* const object = make<ObjectWithArgs>();
  object->objname = name;
  expect('(');
  NodeListBuilder<TypeName> types(arena_);
  if (accept(kw_none)) {
    types.push(nullptr);
    expect(',');
    types.push(type_name());
  } else {
    types.push(type_name());
    const int location = loc();
    if (at(')')) {
      error(sqlstate::syntax_error, "missing argument", location,
            "Use NONE to denote the missing argument of a unary operator.");
    }
    expect(',');
    if (accept(kw_none)) {
      types.push(nullptr);
    } else {
      types.push(type_name());
    }
  }
  expect(')');
  object->objargs = types.span();
  return object;
}

}  // namespace orrery
