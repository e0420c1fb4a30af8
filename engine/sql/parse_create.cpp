// CREATE of types, operators, aggregates, casts and their kin.
#include "sql/parser_internal.h"

namespace orrery {

const Node* Parser::create_aggregate(bool replace) {
  DefineStmt* const define = make<DefineStmt>();
  expect(kw_aggregate);
  define->replace = replace;
  define->defnames = func_name();
  if (at('(') && peek_kind(1) == tok_ident && peek_kind(2) == '=') {
    define->oldstyle = true;
    define->definition = paren_list<DefElem>([this] {
      const int location = loc();
      const Name name = cur().text;
      expect(tok_ident);
      expect('=');
      return def(name, def_arg(), location);
    });
    return define;
  }
  define->args = aggr_args(define->ordered_args, define->args_star);
  define->definition = definition();
  return define;
}

const Node* Parser::create_operator() {
  expect(kw_operator);
  if (at_any(kw_class, kw_family) && peek_kind(1) != '.') return create_op_class();
  DefineStmt* const define = make<DefineStmt>();
  define->kind = ObjectType::operator_;
  define->defnames = any_operator();
  define->definition = definition();
  return define;
}

// At CLASS or FAMILY.
const Node* Parser::create_op_class() {
  if (accept(kw_family)) {
    CreateOpFamilyStmt* const create = make<CreateOpFamilyStmt>();
    create->opfamilyname = any_name();
    expect(kw_using);
    create->amname = col_id();
    return create;
  }
  CreateOpClassStmt* const create = make<CreateOpClassStmt>();
  expect(kw_class);
  create->opclassname = any_name();
  create->is_default = accept(kw_default);
  expect_all({kw_for, kw_type});
  create->datatype = type_name();
  expect(kw_using);
  create->amname = col_id();
  if (accept(kw_family)) create->opfamilyname = any_name();
  expect(kw_as);
  create->items = op_class_items(false);
  return create;
}

ListOf<CreateOpClassItem> Parser::op_class_items(bool drop) {
  return comma_list<CreateOpClassItem>([&] { return op_class_item(drop); });
}

const CreateOpClassItem* Parser::op_class_item(bool drop) {
  CreateOpClassItem* const item = make<CreateOpClassItem>();
  if (!drop && accept(kw_storage)) {
    item->itemtype = 's';
    item->storedtype = type_name();
    return item;
  }
  const bool is_operator = accept(kw_operator);
  if (!is_operator) {
    expect(kw_function);
    item->itemtype = 'f';
  }
  item->number = iconst();
  if (drop || (!is_operator && at('('))) {
    expect('(');
    item->class_args = type_list();
    expect(')');
  }
  if (drop) return item;
  if (!is_operator) {
    item->name = function_with_args(ObjectType::function);
    return item;
  }
  ObjectWithArgs* const name = make<ObjectWithArgs>();
  name->objname = any_operator();
  item->name = name;
  if (at('(')) item->name = operator_args(name->objname);
  if (accept(kw_for)) {
    if (!accept(kw_search)) {
      expect_all({kw_order, kw_by});
      item->order_family = any_name();
    }
  }
  const int location = loc();
  if (accept(kw_recheck) && options_.notices != nullptr) {
    options_.notices->push_back({sqlstate::feature_not_supported, false,
                                 "RECHECK is no longer required", "Update your data type.",
                                 character_position(text_, location)});
  }
  return item;
}

const Node* Parser::create_type() {
  const int location = loc();
  static_cast<void>(location);
  expect(kw_type);
  const int at_name = loc();
  const Names name = any_name();
  if (accept(kw_as)) {
    if (accept(kw_enum)) {
      CreateEnumStmt* const create = make<CreateEnumStmt>();
      create->type_name = name;
      expect('(');
      ListBuilder<Name> values(arena_);
      if (!at(')')) {
        do values.push(sconst());
        while (accept(','));
      }
      expect(')');
      create->vals = values.span();
      return create;
    }
    if (accept(kw_range)) {
      CreateRangeStmt* const create = make<CreateRangeStmt>();
      create->type_name = name;
      create->params = definition();
      return create;
    }
    CompositeTypeStmt* const create = make<CompositeTypeStmt>();
    create->typevar = range_var_of(name, at_name);
    expect('(');
    if (!at(')')) create->coldeflist = table_func_element_list();
    expect(')');
    return create;
  }
  DefineStmt* const define = make<DefineStmt>();
  define->kind = ObjectType::type;
  define->defnames = name;
  if (at('(')) define->definition = definition();
  return define;
}

const Node* Parser::create_domain() {
  CreateDomainStmt* const create = make<CreateDomainStmt>();
  expect(kw_domain);
  create->domainname = any_name();
  accept(kw_as);
  create->type_name = type_name();
  NodeListBuilder<Constraint> list(arena_);
  create->coll_clause = column_qualifier_list(list);
  create->constraints = list.span();
  return create;
}

const Node* Parser::create_collation() {
  DefineStmt* const define = make<DefineStmt>();
  expect(kw_collation);
  define->kind = ObjectType::collation;
  define->if_not_exists = opt_if_not_exists();
  define->defnames = any_name();
  const int location = loc();
  if (accept(kw_from)) {
    const int at_name = loc();
    static_cast<void>(at_name);
    define->definition = one(def("from", name_list_node(any_name()), location));
  } else {
    define->definition = definition();
  }
  return define;
}

const Node* Parser::create_text_search() {
  DefineStmt* const define = make<DefineStmt>();
  expect_all({kw_text, kw_search});
  switch (kind()) {
    case kw_parser:        define->kind = ObjectType::tsparser; break;
    case kw_dictionary:    define->kind = ObjectType::tsdictionary; break;
    case kw_template:      define->kind = ObjectType::tstemplate; break;
    case kw_configuration: define->kind = ObjectType::tsconfiguration; break;
    default:               syntax_error(); return define;
  }
  advance();
  define->defnames = any_name();
  define->definition = definition();
  return define;
}

const Node* Parser::create_cast() {
  CreateCastStmt* const create = make<CreateCastStmt>();
  expect(kw_cast);
  expect('(');
  create->sourcetype = type_name();
  expect(kw_as);
  create->targettype = type_name();
  expect(')');
  if (accept(kw_without)) {
    expect(kw_function);
  } else {
    expect(kw_with);
    if (accept(kw_inout)) {
      create->inout = true;
    } else {
      expect(kw_function);
      create->func = function_with_args(ObjectType::function);
    }
  }
  if (accept(kw_as)) {
    create->context = at(kw_implicit) ? 'i' : 'a';
    if (!accept(kw_implicit)) expect(kw_assignment);
  }
  return create;
}

const Node* Parser::create_transform(bool replace) {
  CreateTransformStmt* const create = make<CreateTransformStmt>();
  create->replace = replace;
  expect_all({kw_transform, kw_for});
  create->type_name = type_name();
  expect(kw_language);
  create->lang = col_id();
  expect('(');
  const bool from_first = at(kw_from);
  for (int i = 0; i < 2; ++i) {
    const bool from = (i == 0) == from_first;
    if (i == 1 && !accept(',')) break;
    expect(from ? kw_from : kw_to);
    expect_all({kw_sql, kw_with, kw_function});
    (from ? create->fromsql : create->tosql) = function_with_args(ObjectType::function);
  }
  expect(')');
  return create;
}

const Node* Parser::create_conversion(bool is_default) {
  CreateConversionStmt* const create = make<CreateConversionStmt>();
  create->def = is_default;
  expect(kw_conversion);
  create->conversion_name = any_name();
  expect(kw_for);
  create->for_encoding_name = sconst();
  expect(kw_to);
  create->to_encoding_name = sconst();
  expect(kw_from);
  create->func_name = any_name();
  return create;
}

Names Parser::handler_name() { return any_name(); }

const Node* Parser::create_language(bool replace) {
  const bool trusted = accept(kw_trusted);
  accept(kw_procedural);
  expect(kw_language);
  const Name name = col_id();
  if (!accept(kw_handler)) {  // without a handler a language is an extension
    CreateExtensionStmt* const extension = make<CreateExtensionStmt>();
    extension->if_not_exists = replace;
    extension->extname = name;
    return extension;
  }
  CreatePLangStmt* const create = make<CreatePLangStmt>();
  create->replace = replace;
  create->pltrusted = trusted;
  create->plname = name;
  create->plhandler = handler_name();
  if (accept(kw_inline)) create->plinline = handler_name();
  if (accept(kw_validator)) {
    create->plvalidator = handler_name();
  } else if (accept(kw_no)) {
    expect(kw_validator);
  }
  return create;
}

const Node* Parser::create_access_method() {
  CreateAmStmt* const create = make<CreateAmStmt>();
  expect_all({kw_access, kw_method});
  create->amname = col_id();
  expect(kw_type);
  create->amtype = at(kw_table) ? 't' : 'i';
  if (!accept(kw_table)) expect(kw_index);
  expect(kw_handler);
  create->handler_name = handler_name();
  return create;
}

const Node* Parser::create_statistics() {
  CreateStatsStmt* const create = make<CreateStatsStmt>();
  expect(kw_statistics);
  create->if_not_exists = opt_if_not_exists();
  create->defnames = any_name();
  create->stat_types = opt_column_list();
  expect(kw_on);
  create->exprs = comma_list<StatsElem>([this] {
    StatsElem* const elem = make<StatsElem>();
    if (accept('(')) {
      elem->expr = a_expr();
      expect(')');
    } else if (at_col_id() && !at_function_start() && peek_kind(1) != '(' && peek_kind(1) != '.') {
      elem->name = col_id();
    } else {
      elem->expr = func_expr_windowless();
    }
    return elem;
  });
  expect(kw_from);
  create->relations = from_list();
  return create;
}

}  // namespace orrery
