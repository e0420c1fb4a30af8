// CREATE TABLE in all its forms, and CREATE TABLE AS.
#include "sql/parser_internal.h"

namespace orrery {

// After CREATE ... TABLE.
const Node* Parser::create_table(RelPersistence persistence, bool foreign) {
  CreateStmt* const create = make<CreateStmt>();
  create->if_not_exists = opt_if_not_exists();
  RangeVar* const relation = arena_.make<RangeVar>(*qualified_name());
  relation->relpersistence = persistence;
  create->relation = relation;
  const auto foreign_rest = [&]() -> const Node* {
    CreateForeignTableStmt* const table = make<CreateForeignTableStmt>();
    expect(kw_server);
    table->base = create;
    table->servername = col_id();
    table->options = opt_generic_options();
    return table;
  };
  if (!foreign) {
    const bool columns_only = create_context_ != CreateContext::schema_element && at('(') &&
                              is_col_id(peek_kind(1)) &&
                              (peek_kind(2) == ',' || peek_kind(2) == ')');
    if (create_context_ == CreateContext::explained || columns_only ||
        at_any(kw_as, kw_using, kw_with, kw_without, kw_on, kw_tablespace)) {
      IntoClause* const into = make<IntoClause>();
      into->rel = relation;
      into->col_names = opt_column_list();
      return finish_create_as(into, create->if_not_exists);
    }
    if (accept(kw_of)) {
      const int location = loc();
      TypeName* const type = make<TypeName>(location);
      type->names = any_name();
      create->of_typename = type;
      create->table_elts = opt_typed_table_elements();
      finish_create_table(create);
      return create;
    }
  }
  if (accept(kw_partition)) {
    expect(kw_of);
    create->inh_relations = one<RangeVar>(qualified_name());
    create->table_elts = opt_typed_table_elements();
    create->partbound = partition_bound();
    if (foreign) return foreign_rest();
    finish_create_table(create);
    return create;
  }
  expect('(');
  if (!at(')')) create->table_elts = comma_list<Node>([this] { return table_element(); });
  expect(')');
  if (accept(kw_inherits)) {
    create->inh_relations = paren_list<RangeVar>([this] { return qualified_name(); });
  }
  if (foreign) return foreign_rest();
  finish_create_table(create);
  return create;
}

void Parser::finish_create_table(CreateStmt* create) {
  create->partspec = opt_partition_spec();
  if (accept(kw_using)) create->access_method = col_id();
  create->options = opt_with_reloptions();
  create->oncommit = opt_on_commit();
  create->tablespacename = opt_tablespace();
}

const Node* Parser::finish_create_as(IntoClause* into, bool if_not_exists) {
  if (accept(kw_using)) into->access_method = col_id();
  into->options = opt_with_reloptions();
  into->on_commit = opt_on_commit();
  into->table_space_name = opt_tablespace();
  CreateTableAsStmt* const create = make<CreateTableAsStmt>();
  create->into = into;
  create->if_not_exists = if_not_exists;
  expect(kw_as);
  if (at(kw_execute)) {
    create->query = execute_stmt();
  } else {
    create->query = select_no_parens();
  }
  into->skip_data = !opt_with_data();
  return create;
}

bool Parser::opt_with_data() {
  if (!accept(kw_with)) return true;
  const bool none = accept(kw_no);
  expect(kw_data);
  return !none;
}

const Node* Parser::table_element() {
  if (at_table_constraint()) return table_constraint();
  if (at(kw_like)) return table_like();
  return column_def();
}

NodeList Parser::opt_typed_table_elements() {
  if (!at('(')) return {};
  return paren_list<Node>([this] { return typed_table_element(); });
}

const Node* Parser::typed_table_element() {
  if (at_table_constraint()) return table_constraint();
  ColumnDef* const column = make<ColumnDef>(loc());
  column->colname = col_id();
  if (accept(kw_with)) expect(kw_options);
  column_qualifiers(column);
  return column;
}

const ColumnDef* Parser::column_def() {
  ColumnDef* const column = make<ColumnDef>(loc());
  column->colname = col_id();
  column->type_name = type_name();
  if (accept(kw_compression)) column->compression = accept(kw_default) ? Name("default") : col_id();
  column->fdwoptions = opt_generic_options();
  column_qualifiers(column);
  return column;
}

const Node* Parser::table_like() {
  TableLikeClause* const like = make<TableLikeClause>();
  expect(kw_like);
  like->relation = qualified_name();
  while (at_any(kw_including, kw_excluding)) {
    const bool including = at(kw_including);
    advance();
    uint32_t bit = 0;
    switch (kind()) {
      case kw_comments:    bit = kLikeComments; break;
      case kw_compression: bit = kLikeCompression; break;
      case kw_constraints: bit = kLikeConstraints; break;
      case kw_defaults:    bit = kLikeDefaults; break;
      case kw_identity:    bit = kLikeIdentity; break;
      case kw_generated:   bit = kLikeGenerated; break;
      case kw_indexes:     bit = kLikeIndexes; break;
      case kw_statistics:  bit = kLikeStatistics; break;
      case kw_storage:     bit = kLikeStorage; break;
      case kw_all:         bit = kLikeAll; break;
      default:             syntax_error(); return like;
    }
    advance();
    like->options = including ? like->options | bit : like->options & ~bit;
  }
  return like;
}

ListOf<DefElem> Parser::opt_with_reloptions() {
  if (accept(kw_with)) return reloptions();
  if (accept(kw_without)) expect(kw_oids);
  return {};
}

OnCommitAction Parser::opt_on_commit() {
  if (!accept(kw_on)) return OnCommitAction::noop;
  expect(kw_commit);
  if (accept(kw_drop)) return OnCommitAction::drop;
  const bool deletes = accept(kw_delete);
  if (!deletes) expect(kw_preserve);
  expect(kw_rows);
  return deletes ? OnCommitAction::delete_rows : OnCommitAction::preserve_rows;
}

Name Parser::opt_tablespace() { return accept(kw_tablespace) ? col_id() : Name(); }

const PartitionSpec* Parser::opt_partition_spec() {
  if (!at(kw_partition)) return nullptr;
  PartitionSpec* const spec = make<PartitionSpec>(loc());
  advance();
  expect(kw_by);
  spec->strategy = col_id();
  spec->part_params = paren_list<PartitionElem>([this] { return partition_elem(); });
  return spec;
}

const PartitionElem* Parser::partition_elem() {
  PartitionElem* const elem = make<PartitionElem>(loc());
  if (accept('(')) {
    elem->expr = a_expr();
    expect(')');
  } else if (at_col_id() && !at_function_start() && peek_kind(1) != '(' && peek_kind(1) != '.') {
    elem->name = col_id();
  } else {
    elem->expr = func_expr_windowless();
  }
  if (accept(kw_collate)) elem->collation = any_name();
  if (at_col_id()) elem->opclass = any_name();
  return elem;
}

const PartitionBoundSpec* Parser::partition_bound() {
  PartitionBoundSpec* const bound = make<PartitionBoundSpec>(loc());
  if (accept(kw_default)) {
    bound->is_default = true;
    return bound;
  }
  expect(kw_for);
  expect(kw_values);
  const int location = loc();
  if (accept(kw_in)) {
    bound->location = location;
    bound->listdatums = paren_expr_list();
    return bound;
  }
  if (accept(kw_from)) {
    bound->strategy = PartitionStrategy::range;
    bound->location = location;
    bound->lowerdatums = paren_expr_list();
    expect(kw_to);
    bound->upperdatums = paren_expr_list();
    return bound;
  }
  expect(kw_with);
  bound->strategy = PartitionStrategy::hash;
  bound->location = location;
  expect('(');
  struct Item {
    Name name;
    int32_t value = 0;
    int location = 0;
  };
  ListBuilder<Item> items(arena_);
  do {
    Item item;
    item.location = loc();
    item.name = non_reserved_word();
    item.value = iconst();
    items.push(item);
  } while (accept(','));
  expect(')');
  for (const Item& item : items.span()) {
    const bool modulus = item.name == "modulus";
    if (!modulus && item.name != "remainder") {
      error(sqlstate::syntax_error,
            cat("unrecognized hash partition bound specification \"", item.name, "\""),
            item.location);
      return bound;
    }
    int32_t& value = modulus ? bound->modulus : bound->remainder;
    if (value != -1) {
      error(sqlstate::duplicate_object,
            cat(item.name, " for hash partition provided more than once"), item.location);
    }
    value = item.value;
  }
  if (bound->modulus == -1) {
    error(sqlstate::syntax_error, "modulus for hash partition must be specified", -1);
  } else if (bound->remainder == -1) {
    error(sqlstate::syntax_error, "remainder for hash partition must be specified", -1);
  }
  return bound;
}

ListOf<DefElem> Parser::reloptions() {
  return paren_list<DefElem>([this] { return reloption_elem(); });
}

const DefElem* Parser::reloption_elem() {
  DefElem* const elem = make<DefElem>(loc());
  elem->defname = col_label();
  if (accept('.')) {
    elem->defnamespace = elem->defname;
    elem->defname = col_label();
  }
  if (accept('=')) elem->arg = def_arg();
  return elem;
}

ListOf<DefElem> Parser::definition() {
  return paren_list<DefElem>([this] { return def_elem(); });
}

const DefElem* Parser::def_elem() {
  DefElem* const elem = make<DefElem>(loc());
  elem->defname = col_label();
  if (accept('=')) elem->arg = def_arg();
  return elem;
}

const Node* Parser::def_arg() {
  const bool reserved =
      is_keyword(cur().kind) && keyword_class(cur().kind) == KeywordClass::reserved;
  if (reserved || at(kw_none)) {
    const Name word = cur().text;
    advance();
    return string_node(word);
  }
  switch (kind()) {
    case tok_sconst: return string_node(sconst());
    case tok_iconst:
    case tok_fconst: return numeric_only();
    case '+':
    case '-':
      if (peek_kind(1) == tok_iconst || peek_kind(1) == tok_fconst) return numeric_only();
      break;
    default: break;
  }
  if (at_all_op() || (at(kw_operator) && peek_kind(1) == '(')) return name_list_node(qual_op());
  return func_type();
}

ListOf<DefElem> Parser::opt_generic_options() {
  if (!accept(kw_options)) return {};
  return paren_list<DefElem>([this] { return generic_option(); });
}

const DefElem* Parser::generic_option() {
  const int location = loc();
  const Name name = col_label();
  return def(name, string_node(sconst()), location);
}

// OPTIONS (SET a 'x', ADD b 'y', DROP c)
ListOf<DefElem> Parser::alter_generic_options() {
  expect(kw_options);
  return paren_list<DefElem>([this]() -> const DefElem* {
    DefElemAction action = DefElemAction::unspec;
    const int next = peek_kind(1);
    if (next != tok_sconst) {
      if (accept(kw_set))
        action = DefElemAction::set;
      else if (accept(kw_add))
        action = DefElemAction::add;
      else if (accept(kw_drop))
        action = DefElemAction::drop;
    }
    DefElem* const elem = make<DefElem>(loc());
    elem->defaction = action;
    elem->defname = col_label();
    if (action != DefElemAction::drop) elem->arg = string_node(sconst());
    return elem;
  });
}

ListOf<IndexElem> Parser::index_params() {
  return comma_list<IndexElem>([this] { return index_elem(); });
}

const IndexElem* Parser::index_elem() {
  IndexElem* const elem = make<IndexElem>();
  if (accept('(')) {
    elem->expr = a_expr();
    expect(')');
  } else if (at_col_id() && !at_function_start() && peek_kind(1) != '(' && peek_kind(1) != '.') {
    elem->name = col_id();
  } else {
    elem->expr = func_expr_windowless();
  }
  if (accept(kw_collate)) elem->collation = any_name();
  if (at_col_id()) {
    elem->opclass = any_name();
    if (at('(')) elem->opclassopts = reloptions();
  }
  if (accept(kw_asc)) {
    elem->ordering = SortByDir::asc;
  } else if (accept(kw_desc)) {
    elem->ordering = SortByDir::desc;
  }
  elem->nulls_ordering = opt_nulls_order();
  return elem;
}

// At [UNIQUE] INDEX.
const Node* Parser::create_index() {
  IndexStmt* const index = make<IndexStmt>();
  index->unique = accept(kw_unique);
  expect(kw_index);
  index->concurrent = accept(kw_concurrently);
  index->if_not_exists = opt_if_not_exists();
  if (index->if_not_exists || at_col_id()) index->idxname = col_id();
  expect(kw_on);
  index->relation = relation_expr();
  index->access_method = accept(kw_using) ? col_id() : Name("btree");
  expect('(');
  index->index_params = index_params();
  expect(')');
  if (accept(kw_include)) {
    index->index_including_params = paren_list<IndexElem>([this] { return index_elem(); });
  }
  index->nulls_not_distinct = opt_unique_null_treatment();
  if (accept(kw_with)) index->options = reloptions();
  index->table_space = opt_tablespace();
  index->where_clause = opt_where();
  return index;
}

}  // namespace orrery
