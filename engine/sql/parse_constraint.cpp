// Constraints of columns and tables.
#include "sql/parser_internal.h"

namespace orrery {

void Parser::column_qualifiers(ColumnDef* column) {
  NodeListBuilder<Constraint> list(arena_);
  column->coll_clause = column_qualifier_list(list);
  column->constraints = list.span();
}

const CollateClause* Parser::column_qualifier_list(NodeListBuilder<Constraint>& list) {
  const CollateClause* collate = nullptr;
  for (;;) {
    if (at(kw_collate)) {
      const CollateClause* const given = opt_collate_clause();
      if (collate != nullptr) {
        error(sqlstate::syntax_error, "multiple COLLATE clauses not allowed", given->location);
      }
      collate = given;
      continue;
    }
    const Constraint* const constraint = column_constraint();
    if (constraint == nullptr || failed_) return collate;
    list.push(constraint);
  }
}

// Null when the current token begins no column constraint.
Constraint* Parser::column_constraint() {
  const int location = loc();
  const auto of = [&](ConstrType type) {
    Constraint* const constraint = make<Constraint>(location);
    constraint->contype = type;
    return constraint;
  };
  if (accept(kw_constraint)) {
    const Name name = col_id();
    Constraint* constraint = nullptr;
    if (!at_any(kw_deferrable, kw_initially, kw_constraint) &&
        !(at(kw_not) && peek_kind(1) == kw_deferrable)) {
      constraint = column_constraint();
    }
    if (constraint == nullptr) {
      if (at(kw_not)) advance();
      syntax_error();
      return nullptr;
    }
    constraint->conname = name;
    constraint->location = location;
    return constraint;
  }
  switch (kind()) {
    case kw_not:
      advance();
      if (accept(kw_deferrable)) return of(ConstrType::attr_not_deferrable);
      expect(kw_null);
      return of(ConstrType::notnull);
    case kw_null:       advance(); return of(ConstrType::null);
    case kw_deferrable: advance(); return of(ConstrType::attr_deferrable);
    case kw_initially:
      advance();
      if (accept(kw_deferred)) return of(ConstrType::attr_deferred);
      expect(kw_immediate);
      return of(ConstrType::attr_immediate);
    case kw_unique:
    case kw_primary: {
      Constraint* const constraint = of(at(kw_unique) ? ConstrType::unique : ConstrType::primary);
      advance();
      if (constraint->contype == ConstrType::primary) {
        expect(kw_key);
      } else {
        constraint->nulls_not_distinct = opt_unique_null_treatment();
      }
      constraint->options = opt_definition();
      constraint->indexspace = opt_constraint_tablespace();
      return constraint;
    }
    case kw_check: {
      Constraint* const constraint = of(ConstrType::check);
      advance();
      expect('(');
      constraint->raw_expr = a_expr();
      expect(')');
      if (accept(kw_no)) {
        expect(kw_inherit);
        constraint->is_no_inherit = true;
      }
      return constraint;
    }
    case kw_default: {
      Constraint* const constraint = of(ConstrType::default_);
      advance();
      constraint->raw_expr = b_expr();
      return constraint;
    }
    case kw_generated:  return generated_constraint(location);
    case kw_references: {
      Constraint* const constraint = of(ConstrType::foreign);
      references(constraint);
      return constraint;
    }
    default: return nullptr;
  }
}

Constraint* Parser::generated_constraint(int location) {
  Constraint* const constraint = make<Constraint>(location);
  expect(kw_generated);
  const int at_when = loc();
  if (accept(kw_always)) {
    constraint->generated_always = true;
  } else {
    expect(kw_by);
    expect(kw_default);
  }
  expect(kw_as);
  if (accept(kw_identity)) {
    constraint->contype = ConstrType::identity;
    constraint->options = opt_paren_seq_options();
    return constraint;
  }
  constraint->contype = ConstrType::generated;
  expect('(');
  constraint->raw_expr = a_expr();
  expect(')');
  expect(kw_stored);
  if (!constraint->generated_always && !failed_) {
    error(sqlstate::syntax_error, "for a generated column, GENERATED ALWAYS must be specified",
          at_when);
  }
  return constraint;
}

bool Parser::opt_unique_null_treatment() {
  if (!accept(kw_nulls)) return false;
  const bool not_distinct = accept(kw_not);
  expect(kw_distinct);
  return not_distinct;
}

Names Parser::opt_include_columns() {
  if (!accept(kw_include)) return {};
  expect('(');
  const Names names = name_list();
  expect(')');
  return names;
}

ListOf<DefElem> Parser::opt_definition() {
  if (!accept(kw_with)) return {};
  return definition();
}

Name Parser::opt_constraint_tablespace() {
  if (!accept(kw_using)) return "";
  expect_all({kw_index, kw_tablespace});
  return col_id();
}

// REFERENCES table (columns) MATCH ... ON DELETE ... ON UPDATE ...
void Parser::references(Constraint* constraint) {
  expect(kw_references);
  constraint->pktable = qualified_name();
  constraint->pk_attrs = opt_column_list();
  const int at_match = loc();
  if (accept(kw_match)) {
    if (accept(kw_full)) {
      constraint->fk_matchtype = FkMatchType::full;
    } else if (accept(kw_partial)) {
      not_implemented("MATCH PARTIAL not yet implemented", at_match);
    } else {
      expect(kw_simple);
    }
  }
  bool update_seen = false;
  bool delete_seen = false;
  while (at(kw_on)) {
    const int at_on = loc();
    const int next = peek_kind(1);
    if ((next == kw_update && update_seen) || (next == kw_delete && delete_seen)) {
      advance();
      syntax_error();
      return;
    }
    advance();
    if (accept(kw_update)) {
      update_seen = true;
      Names columns;
      constraint->fk_upd_action = key_action(columns);
      if (!columns.empty()) {
        error(sqlstate::feature_not_supported,
              cat("a column list with ",
                  constraint->fk_upd_action == FkAction::set_null ? "SET NULL" : "SET DEFAULT",
                  " is only supported for ON DELETE actions"),
              at_on);
      }
    } else {
      expect(kw_delete);
      delete_seen = true;
      constraint->fk_del_action = key_action(constraint->fk_del_set_cols);
    }
  }
}

FkAction Parser::key_action(Names& columns) {
  if (accept(kw_no)) {
    expect(kw_action);
    return FkAction::no_action;
  }
  if (accept(kw_restrict)) return FkAction::restrict_;
  if (accept(kw_cascade)) return FkAction::cascade;
  expect(kw_set);
  const bool null = accept(kw_null);
  if (!null) expect(kw_default);
  columns = opt_column_list();
  return null ? FkAction::set_null : FkAction::set_default;
}

bool Parser::at_table_constraint() {
  if (at(kw_exclude)) return peek_kind(1) == '(' || peek_kind(1) == kw_using;
  return at_any(kw_constraint, kw_check, kw_unique, kw_primary, kw_foreign);
}

const Constraint* Parser::table_constraint() {
  const int location = loc();
  if (!accept(kw_constraint)) return constraint_elem();
  const Name name = col_id();
  Constraint* const constraint = constraint_elem();
  constraint->conname = name;
  constraint->location = location;
  return constraint;
}

Constraint* Parser::constraint_elem() {
  Constraint* const constraint = make<Constraint>(loc());
  switch (kind()) {
    case kw_check:
      constraint->contype = ConstrType::check;
      advance();
      expect('(');
      constraint->raw_expr = a_expr();
      expect(')');
      constraint_attributes(constraint, "CHECK");
      return constraint;
    case kw_unique:
    case kw_primary: {
      const bool unique = at(kw_unique);
      constraint->contype = unique ? ConstrType::unique : ConstrType::primary;
      advance();
      if (!unique) expect(kw_key);
      if (at(kw_using)) {
        advance();
        expect(kw_index);
        constraint->indexname = col_id();
      } else {
        if (unique) constraint->nulls_not_distinct = opt_unique_null_treatment();
        expect('(');
        constraint->keys = name_list();
        expect(')');
        constraint->including = opt_include_columns();
        constraint->options = opt_definition();
        constraint->indexspace = opt_constraint_tablespace();
      }
      constraint_attributes(constraint, unique ? "UNIQUE" : "PRIMARY KEY");
      return constraint;
    }
    case kw_exclude:
      constraint->contype = ConstrType::exclusion;
      advance();
      constraint->access_method = accept(kw_using) ? col_id() : Name("btree");
      constraint->exclusions = paren_list<ExclusionElem>([this] {
        ExclusionElem* const elem = make<ExclusionElem>();
        elem->element = index_elem();
        expect(kw_with);
        if (accept(kw_operator)) {
          expect('(');
          elem->operator_name = any_operator();
          expect(')');
        } else {
          elem->operator_name = any_operator();
        }
        return elem;
      });
      constraint->including = opt_include_columns();
      constraint->options = opt_definition();
      constraint->indexspace = opt_constraint_tablespace();
      if (accept(kw_where)) {
        expect('(');
        constraint->where_clause = a_expr();
        expect(')');
      }
      constraint_attributes(constraint, "EXCLUDE");
      return constraint;
    case kw_foreign:
      constraint->contype = ConstrType::foreign;
      advance();
      expect(kw_key);
      expect('(');
      constraint->fk_attrs = name_list();
      expect(')');
      references(constraint);
      constraint_attributes(constraint, "FOREIGN KEY");
      return constraint;
    default: syntax_error(); return constraint;
  }
}

// DEFERRABLE, INITIALLY DEFERRED, NOT VALID, NO INHERIT and their opposites, each where it may
// stand.
void Parser::constraint_attributes(Constraint* constraint, Name kind_name) {
  bool deferrable = false;
  bool not_deferrable = false;
  bool deferred = false;
  bool immediate = false;
  bool not_valid = false;
  bool no_inherit = false;
  for (;;) {
    const int location = loc();
    if (accept(kw_deferrable)) {
      deferrable = true;
    } else if (accept(kw_initially)) {
      if (accept(kw_deferred)) {
        deferred = true;
      } else {
        expect(kw_immediate);
        immediate = true;
      }
    } else if (accept(kw_not)) {
      if (accept(kw_deferrable)) {
        not_deferrable = true;
      } else {
        expect(kw_valid);
        not_valid = true;
      }
    } else if (accept(kw_no)) {
      expect(kw_inherit);
      no_inherit = true;
    } else {
      break;
    }
    if (failed_) return;
    if (not_deferrable && deferred) {
      error(sqlstate::syntax_error, "constraint declared INITIALLY DEFERRED must be DEFERRABLE",
            location);
    } else if ((deferrable && not_deferrable) || (deferred && immediate)) {
      error(sqlstate::syntax_error, "conflicting constraint properties", location);
    }
  }
  const bool may_defer = constraint->contype != ConstrType::check;
  const bool may_wait =
      constraint->contype == ConstrType::check || constraint->contype == ConstrType::foreign;
  const auto refuse = [&](const char* mark) {
    error(sqlstate::feature_not_supported, cat(kind_name, " constraints cannot be marked ", mark),
          -1);
  };
  if ((deferrable || deferred) && !may_defer) refuse("DEFERRABLE");
  if (not_valid && !may_wait) refuse("NOT VALID");
  if (no_inherit && constraint->contype != ConstrType::check) refuse("NO INHERIT");
  constraint->deferrable = deferrable || deferred;
  constraint->initdeferred = deferred;
  constraint->skip_validation = not_valid;
  constraint->initially_valid = !not_valid;
  constraint->is_no_inherit = no_inherit;
}

}  // namespace orrery
