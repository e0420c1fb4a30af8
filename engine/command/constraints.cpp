// Defaults and constraints of tables: analyzed, stored as text, with their dependencies.
#include <algorithm>

#include "analyze/deparse.h"
#include "analyze/walk.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "command/create_table.h"
#include "command/relation_storage.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

Result<const RelationInfo*> table_info(CommandContext& context, Oid table) {
  const RelationInfo* info = TRY(context.catalog.relation(context.fiber, table));
  CHECK(info != nullptr);
  return info;
}

// A name given must be new to the table; none given: table_columns_label, with a number if taken.
Result<std::string> constraint_name(CommandContext& context, const RelationInfo& table,
                                    std::string_view given, std::string_view columns,
                                    std::string_view label) {
  if (!given.empty()) {
    std::string name = truncate_name(given);
    if (table.constraint(name) != nullptr) {
      return raise(sqlstate::duplicate_object, cat("constraint \"", name, "\" for relation \"",
                                                   table.name, "\" already exists"));
    }
    return name;
  }
  for (int pass = 0;; ++pass) {
    std::string name =
        make_object_name(table.name, columns, pass == 0 ? std::string(label) : cat(label, pass));
    bool taken = table.constraint(name) != nullptr;
    if (!taken) {
      const Datum keys[] = {Datum::of(table.oid)};
      TRY(context.store.scan(context.fiber, pg_constraint::kRelation,
                             kPgConstraintConrelidContypidConnameIndex, keys,
                             [&](const CatalogRow& row, Tid) -> Status {
                               taken |= row.name(pg_constraint::conname) == name;
                               return {};
                             }));
    }
    if (!taken) return name;
  }
}

// What stands after a constraint: DEFERRABLE and so on.
Result<std::vector<int16_t>> key_columns(CommandContext& context, const RelationInfo& table,
                                         Names names, std::string_view message_end) {
  std::vector<int16_t> out;
  for (std::string_view name : names) {
    const int16_t number = table.column_number(name);
    if (number == 0) {
      return raise(sqlstate::undefined_column, cat("column \"", name, "\" ", message_end));
    }
    if (number < 0) return unsupported("a key on system columns");
    out.push_back(number);
  }
  static_cast<void>(context);
  return out;
}

std::string table_shown(const RelationInfo& table) {
  return cat(quote_identifier(table.nsp_name), ".", quote_identifier(table.name));
}

class ForeignKey {
 public:
  ForeignKey(CommandContext& context, const Constraint& constraint)
      : context_(context), constraint_(constraint) {}
  Status add(Oid table, std::string_view column, bool check_rows);
  // Of one that exists; constraint_ is not looked at.
  Status find_operators(const ConstraintInfo& constraint);
  Status check_again(const ConstraintInfo& constraint);

 private:
  Status read(const ConstraintInfo& constraint);
  Status find_referenced();
  Status find_key();
  Status add_operators(size_t i);
  Status check_existing();
  Status check_actions();

  CommandContext& context_;
  const Constraint& constraint_;
  const RelationInfo* table_ = nullptr;
  const RelationInfo* referenced_ = nullptr;
  const CatalogIndex* key_ = nullptr;
  NewConstraint out_;
};

char action_letter(FkAction action) {
  switch (action) {
    case FkAction::no_action:   return 'a';
    case FkAction::restrict_:   return 'r';
    case FkAction::cascade:     return 'c';
    case FkAction::set_null:    return 'n';
    case FkAction::set_default: return 'd';
  }
  UNREACHABLE();
}

Status ForeignKey::find_referenced() {
  referenced_ = TRY(named_relation(context_, *constraint_.pktable, kShareRowExclusiveLock));
  if (referenced_->kind != 'r') {
    return raise(sqlstate::wrong_object_type,
                 cat("referenced relation \"", referenced_->name, "\" is not a table"));
  }
  TRY(check_not_catalog(*referenced_));
  if (table_->persistence == 'p' && referenced_->persistence != 'p') {
    return raise(sqlstate::invalid_table_definition,
                 "constraints on permanent tables may reference only permanent tables");
  }
  if (table_->persistence == 't' && referenced_->persistence != 't') {
    return raise(sqlstate::invalid_table_definition,
                 "constraints on temporary tables may reference only temporary tables");
  }
  return check_relation_rights(context_.fiber, context_.catalog, *referenced_,
                               current_role(context_), kAclReferences);
}

// The unique index behind the referenced columns; without columns, the primary key.
Status ForeignKey::find_key() {
  if (constraint_.pk_attrs.empty()) {
    key_ = referenced_->primary_key();
    if (key_ == nullptr) {
      return raise(sqlstate::undefined_object,
                   cat("there is no primary key for referenced table \"", referenced_->name, "\""));
    }
    out_.referenced_columns.assign(key_->columns.begin(), key_->columns.begin() + key_->keys);
  } else {
    out_.referenced_columns =
        TRY(key_columns(context_, *referenced_, constraint_.pk_attrs,
                        "referenced in foreign key constraint does not exist"));
    std::vector<int16_t> wanted = out_.referenced_columns;
    std::ranges::sort(wanted);
    for (const CatalogIndex& index : referenced_->indexes) {
      if (!index.unique || !index.valid || !index.predicate.empty() || !index.expressions.empty() ||
          index.keys != static_cast<int16_t>(wanted.size())) {
        continue;
      }
      std::vector<int16_t> columns(index.columns.begin(), index.columns.begin() + index.keys);
      std::ranges::sort(columns);
      if (columns != wanted) continue;
      key_ = &index;
      break;
    }
    if (key_ == nullptr) {
      return raise(sqlstate::invalid_foreign_key,
                   cat("there is no unique constraint matching given keys for referenced table \"",
                       referenced_->name, "\""));
    }
  }
  if (out_.columns.size() != out_.referenced_columns.size()) {
    return raise(sqlstate::invalid_foreign_key,
                 "number of referencing and referenced columns for foreign key disagree");
  }
  out_.index = key_->oid;
  return {};
}

Status ForeignKey::add_operators(size_t i) {
  const Oid fk_type = table_->desc()[static_cast<size_t>(out_.columns[i] - 1)].type;
  const Oid pk_type = referenced_->desc()[static_cast<size_t>(out_.referenced_columns[i] - 1)].type;
  const auto at = std::ranges::find(key_->columns, out_.referenced_columns[i]);
  const auto place = static_cast<size_t>(at - key_->columns.begin());
  const Oid family = key_->families[place], input = key_->input_types[place];
  BuiltinCatalog& builtin = context_.catalog.builtin();
  constexpr int16_t kEqual = 3;
  const Oid pk_pk = builtin.family_operator(family, input, input, kEqual);
  const Oid fk_base = TRY(context_.catalog.base_type(context_.fiber, fk_type, nullptr));
  Oid pk_fk = builtin.family_operator(family, input, fk_base, kEqual);
  Oid fk_fk = builtin.family_operator(family, fk_base, fk_base, kEqual);
  if (!pk_fk || !fk_fk) {
    // Values that fit the key's own type, or are coerced to it implicitly, compare as those.
    bool fits = TRY(context_.catalog.is_binary_coercible(context_.fiber, fk_base, input));
    const CastInfo* cast = TRY(context_.catalog.cast(context_.fiber, fk_base, input));
    fits |= cast != nullptr && cast->context == CastContext::implicit;
    if (fits) pk_fk = fk_fk = pk_pk;
  }
  if (!pk_fk || !fk_fk) {
    AnalyzeContext analysis = context_.analysis();
    const std::string fk_shown = TRY(type_name(analysis, fk_type));
    const std::string pk_shown = TRY(type_name(analysis, pk_type));
    return raise(sqlstate::datatype_mismatch,
                 cat("foreign key constraint \"", out_.name, "\" cannot be implemented"))
        .detail(cat("Key columns \"", table_->column(out_.columns[i]).name, "\" and \"",
                    referenced_->column(out_.referenced_columns[i]).name,
                    "\" are of incompatible types: ", fk_shown, " and ", pk_shown, "."));
  }
  out_.pk_fk_operators.push_back(pk_fk);
  out_.pk_pk_operators.push_back(pk_pk);
  out_.fk_fk_operators.push_back(fk_fk);
  return {};
}

Status ForeignKey::check_actions() {
  out_.on_update = action_letter(constraint_.fk_upd_action);
  out_.on_delete = action_letter(constraint_.fk_del_action);
  switch (constraint_.fk_matchtype) {
    case FkMatchType::simple: out_.match = 's'; break;
    case FkMatchType::full:   out_.match = 'f'; break;
    case FkMatchType::partial:
      return raise(sqlstate::feature_not_supported, "MATCH PARTIAL not yet implemented");
  }
  if (!constraint_.fk_del_set_cols.empty()) {
    out_.delete_set_columns =
        TRY(key_columns(context_, *table_, constraint_.fk_del_set_cols,
                        "referenced in ON DELETE SET action must be part of foreign key"));
  }
  return {};
}

// Rows that exist must find their key.
Status ForeignKey::check_existing() {
  std::string on, all_null, show;
  for (size_t i = 0; i < out_.columns.size(); ++i) {
    const std::string fk = quote_identifier(table_->column(out_.columns[i]).name);
    const std::string pk = quote_identifier(referenced_->column(out_.referenced_columns[i]).name);
    on += cat(i == 0 ? "" : " AND ", "pk.", pk, " OPERATOR(pg_catalog.=) fk.", fk);
    all_null += cat(i == 0 ? "" : out_.match == 'f' ? " OR " : " AND ", "fk.", fk, " IS NOT NULL");
    show += cat(i == 0 ? "" : " || ', ' || ", "coalesce(fk.", fk, "::text, 'null')");
  }
  const std::string pk_first =
      quote_identifier(referenced_->column(out_.referenced_columns[0]).name);
  std::string key;
  bool found = false;
  TRY(context_.host.run_query(
      context_.fiber,
      cat("SELECT ", show, " FROM ONLY ", table_shown(*table_), " fk LEFT OUTER JOIN ONLY ",
          table_shown(*referenced_), " pk ON (", on, ") WHERE pk.", pk_first, " IS NULL AND (",
          all_null, ") LIMIT 1"),
      [&](std::span<const NullableDatum> row) -> Status {
        found = true;
        if (!row[0].is_null) key = row[0].value.text();
        return {};
      }));
  if (!found) return {};
  std::vector<std::string> names;
  for (int16_t column : out_.columns) names.push_back(table_->column(column).name);
  return raise(sqlstate::foreign_key_violation,
               cat("insert or update on table \"", table_->name,
                   "\" violates foreign key constraint \"", out_.name, "\""))
      .detail(cat("Key (", join(names, ", "), ")=(", key, ") is not present in table \"",
                  referenced_->name, "\"."))
      .constraint(table_->nsp_name, table_->name, out_.name);
}

Status ForeignKey::add(Oid table, std::string_view column, bool check_rows) {
  table_ = TRY(table_info(context_, table));
  out_.table = table;
  out_.nsp = table_->nsp;
  out_.type = 'f';
  TRY(find_referenced());
  out_.referenced = referenced_->oid;
  const std::string_view own[] = {column};
  out_.columns =
      TRY(key_columns(context_, *table_, column.empty() ? constraint_.fk_attrs : Names(own),
                      "referenced in foreign key constraint does not exist"));
  TRY(find_key());
  std::vector<std::string> names;
  for (int16_t number : out_.columns) names.push_back(table_->column(number).name);
  out_.name =
      TRY(constraint_name(context_, *table_, constraint_.conname, join(names, "_"), "fkey"));
  for (size_t i = 0; i < out_.columns.size(); ++i) TRY(add_operators(i));
  TRY(check_actions());
  out_.deferrable = constraint_.deferrable || constraint_.initdeferred;
  out_.deferred = constraint_.initdeferred;
  out_.validated = !constraint_.skip_validation || !check_rows;
  if (check_rows && !constraint_.skip_validation) TRY(check_existing());
  CatalogWriter writer(context_.store, context_.catalog);
  TRY(writer.create_constraint(context_.fiber, out_));
  return {};
}

// As it stands in the catalog.
Status ForeignKey::read(const ConstraintInfo& constraint) {
  table_ = TRY(table_info(context_, constraint.relation));
  referenced_ = TRY(table_info(context_, constraint.referenced));
  key_ = referenced_->index(constraint.index);
  CHECK(key_ != nullptr);
  out_.name = constraint.name;
  out_.columns = constraint.columns;
  out_.referenced_columns = constraint.referenced_columns;
  out_.match = constraint.match;
  return {};
}

Status ForeignKey::find_operators(const ConstraintInfo& constraint) {
  TRY(read(constraint));
  for (size_t i = 0; i < out_.columns.size(); ++i) TRY(add_operators(i));
  CatalogWriter writer(context_.store, context_.catalog);
  const Datum keys[] = {Datum::of(constraint.oid)};
  TRY(writer.update_row(context_.fiber, pg_constraint::kRelation, kPgConstraintOidIndex, keys,
                        [&](RowBuilder& row, const CatalogRow&) {
                          row.set_oids(pg_constraint::conpfeqop, out_.pk_fk_operators);
                          row.set_oids(pg_constraint::conppeqop, out_.pk_pk_operators);
                          row.set_oids(pg_constraint::conffeqop, out_.fk_fk_operators);
                        }));
  return {};
}

Status ForeignKey::check_again(const ConstraintInfo& constraint) {
  TRY(read(constraint));
  return check_existing();
}

}  // namespace

Status find_foreign_key_operators(CommandContext& context, const ConstraintInfo& constraint) {
  const Constraint unused{};
  return ForeignKey(context, unused).find_operators(constraint);
}

Status check_foreign_key_rows(CommandContext& context, const ConstraintInfo& constraint) {
  const Constraint unused{};
  return ForeignKey(context, unused).check_again(constraint);
}

Status store_default(CommandContext& context, Oid table, int16_t column, const Node& node,
                     bool generated) {
  const RelationInfo* info = TRY(table_info(context, table));
  const ColumnDesc& desc = info->desc()[static_cast<size_t>(column - 1)];
  const std::string& name = info->column(column).name;
  AnalyzeContext analysis = context.analysis();
  Expr* expr = TRY(analyze_expression(analysis, node, info, desc.type, desc.typmod, name));
  const std::string_view where =
      generated ? "column generation expressions" : "DEFAULT expressions";
  TRY(check_stored_expression(analysis, *expr, where, false));
  if (!generated) {
    const bool has_column = any_expr(*expr, [](const Expr& e) { return e.tag == ExprTag::var; });
    if (has_column) {
      return raise(sqlstate::feature_not_supported,
                   "cannot use column reference in DEFAULT expression")
          .at(error_position(context.text, node.location));
    }
  }
  CatalogWriter writer(context.store, context.catalog);
  // DEFAULT NULL is no default.
  if (!generated && expr->tag == ExprTag::constant && as<ConstantExpr>(*expr).value.is_null) {
    return writer.set_default(context.fiber, table, column, std::nullopt, {});
  }
  const StoredExpression stored = TRY(store_expression(analysis, *expr, info));
  return writer.set_default(context.fiber, table, column, stored.sql, stored.needs);
}

Status add_check(CommandContext& context, Oid table, const Constraint& constraint,
                 std::string_view column, bool check_rows) {
  const RelationInfo* info = TRY(table_info(context, table));
  AnalyzeContext analysis = context.analysis();
  Expr* expr =
      TRY(analyze_expression(analysis, *constraint.raw_expr, info, type_oid::bool_, -1, {}));
  TRY(check_stored_expression(analysis, *expr, "check constraints", false));
  NewConstraint out;
  out.table = table;
  out.nsp = info->nsp;
  out.type = 'c';
  any_expr(*expr, [&](const Expr& e) {
    if (e.tag == ExprTag::var && as<VarExpr>(e).attno > 0) {
      const auto number = static_cast<int16_t>(as<VarExpr>(e).attno);
      if (std::ranges::find(out.columns, number) == out.columns.end())
        out.columns.push_back(number);
    }
    return false;
  });
  std::ranges::sort(out.columns);
  const std::string only =
      out.columns.size() == 1 ? info->column(out.columns[0]).name : std::string();
  static_cast<void>(column);
  out.name = TRY(constraint_name(context, *info, constraint.conname, only, "check"));
  StoredExpression stored = TRY(store_expression(analysis, *expr, info));
  out.no_inherit = constraint.is_no_inherit;
  out.validated = !constraint.skip_validation || !check_rows;
  out.needs = std::move(stored.needs);
  if (check_rows && !constraint.skip_validation) {
    bool violated = false;
    TRY(context.host.run_query(
        context.fiber,
        cat("SELECT 1 FROM ONLY ", table_shown(*info), " WHERE NOT (", stored.sql, ") LIMIT 1"),
        [&](std::span<const NullableDatum>) -> Status {
          violated = true;
          return {};
        }));
    if (violated) {
      return raise(sqlstate::check_violation,
                   cat("check constraint \"", out.name, "\" of relation \"", info->name,
                       "\" is violated by some row"))
          .constraint(info->nsp_name, info->name, out.name);
    }
  }
  out.check_expr = std::move(stored.sql);
  CatalogWriter writer(context.store, context.catalog);
  TRY(writer.create_constraint(context.fiber, out));
  return {};
}

Status add_key(CommandContext& context, Oid table, const Constraint& constraint,
               std::string_view column) {
  const bool primary = constraint.contype == ConstrType::primary;
  const RelationInfo* info = TRY(table_info(context, table));
  if (!constraint.indexname.empty()) return unsupported("ADD CONSTRAINT ... USING INDEX");
  // Indexes are not looked through at the end of a transaction yet.
  if (constraint.deferrable || constraint.initdeferred)
    return unsupported(primary ? "a DEFERRABLE primary key" : "a DEFERRABLE unique constraint");
  if (primary && info->primary_key() != nullptr) {
    return raise(sqlstate::invalid_table_definition,
                 cat("multiple primary keys for table \"", info->name, "\" are not allowed"))
        .at(error_position(context.text, constraint.location));
  }
  IndexDefinition definition;
  definition.name = constraint.conname;
  definition.unique = definition.is_constraint = true;
  definition.primary = primary;
  definition.nulls_not_distinct = constraint.nulls_not_distinct;
  definition.options = TRY(storage_options(constraint.options, 'i'));
  definition.including.assign(constraint.including.begin(), constraint.including.end());
  std::vector<std::string_view> names(constraint.keys.begin(), constraint.keys.end());
  if (!column.empty()) names = {column};
  for (std::string_view name : names) {
    const bool twice =
        std::ranges::find(definition.keys, name, &IndexKey::name) != definition.keys.end();
    if (twice) {
      return raise(sqlstate::duplicate_column,
                   cat("column \"", name, "\" appears twice in ",
                       primary ? "primary key" : "unique", " constraint"))
          .at(error_position(context.text, constraint.location));
    }
    const int16_t number = info->column_number(name);
    if (number == 0) {
      return raise(sqlstate::undefined_column,
                   cat("column \"", name, "\" named in key does not exist"))
          .at(error_position(context.text, constraint.location));
    }
    definition.keys.push_back({.name = name});
    if (!primary || number < 0 || info->desc()[static_cast<size_t>(number - 1)].not_null) continue;
    TRY(set_column_not_null(context, table, number, true));
    info = TRY(table_info(context, table));
  }
  TRY(define_index(context, table, definition));
  return {};
}

Status add_foreign_key(CommandContext& context, Oid table, const Constraint& constraint,
                       std::string_view column, bool check_rows) {
  return ForeignKey(context, constraint).add(table, column, check_rows);
}

Status set_column_not_null(CommandContext& context, Oid table, int16_t column, bool check_rows) {
  const RelationInfo* info = TRY(table_info(context, table));
  const std::string& name = info->column(column).name;
  if (check_rows) {
    bool found = false;
    TRY(context.host.run_query(context.fiber,
                               cat("SELECT 1 FROM ONLY ", table_shown(*info), " WHERE ",
                                   quote_identifier(name), " IS NULL LIMIT 1"),
                               [&](std::span<const NullableDatum>) -> Status {
                                 found = true;
                                 return {};
                               }));
    if (found) {
      return raise(sqlstate::not_null_violation, cat("column \"", name, "\" of relation \"",
                                                     info->name, "\" contains null values"))
          .table(info->nsp_name, info->name)
          .column(name);
    }
  }
  CatalogWriter writer(context.store, context.catalog);
  return writer.update_attribute(
      context.fiber, table, column,
      [](RowBuilder& row, const CatalogRow&) { row.set(pg_attribute::attnotnull, true); });
}

Status add_constraints(CommandContext& context, Oid table, std::span<const ConstraintDraft> drafts,
                       bool check_rows) {
  // Checks first, then keys (the primary one before the others), then what refers to keys.
  for (int phase = 0; phase < 4; ++phase) {
    for (const ConstraintDraft& draft : drafts) {
      const Constraint& constraint = *draft.constraint;
      switch (constraint.contype) {
        case ConstrType::check:
          if (phase == 0) TRY(add_check(context, table, constraint, draft.column, check_rows));
          break;
        case ConstrType::primary:
          if (phase == 1) TRY(add_key(context, table, constraint, draft.column));
          break;
        case ConstrType::unique:
          if (phase == 2) TRY(add_key(context, table, constraint, draft.column));
          break;
        case ConstrType::foreign:
          if (phase == 3)
            TRY(add_foreign_key(context, table, constraint, draft.column, check_rows));
          break;
        case ConstrType::exclusion:           return unsupported("EXCLUDE");
        case ConstrType::attr_deferrable:
        case ConstrType::attr_not_deferrable:
        case ConstrType::attr_deferred:
        case ConstrType::attr_immediate:
        case ConstrType::null:
        case ConstrType::notnull:
        case ConstrType::default_:
        case ConstrType::identity:
        case ConstrType::generated:           UNREACHABLE();
      }
    }
  }
  return {};
}

}  // namespace orrery
