// ALTER TABLE ... ALTER COLUMN ... TYPE: every row is written anew with the column's value turned
// into the new type, by assignment or by what USING says.
#include <algorithm>

#include "analyze/analyzer.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "command/create_table.h"
#include "command/objects.h"
#include "command/relation_storage.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

class TypeChange {
 public:
  TypeChange(CommandContext& context, const RelationInfo& table, const AlterTableCmd& command,
             int16_t column)
      : context_(context),
        table_(table),
        definition_(as<ColumnDef>(*command.def)),
        number_(column),
        column_(table.column(column)) {}

  Status run() {
    AnalyzeContext analysis = context_.analysis();
    const TypeAndMod to = TRY(resolve_type_name(analysis, *definition_.type_name));
    const CatalogType* type = TRY(context_.catalog.type(context_.fiber, to.type));
    CHECK(type != nullptr);
    shown_ = TRY(type_name(analysis, type->oid));
    if (type->type == 'p') {
      return raise(sqlstate::invalid_table_definition,
                   cat("column \"", column_.name, "\" has pseudo-type ", shown_));
    }
    collation_ = type->collation;
    if (definition_.coll_clause != nullptr) {
      if (!type->collation) {
        return raise(sqlstate::datatype_mismatch,
                     cat("collations are not supported by type ", shown_))
            .at(error_position(context_.text, definition_.coll_clause->location));
      }
      collation_ = TRY(resolve_collation(analysis, definition_.coll_clause->collname));
    }
    TRY(check_users(analysis, to));
    const Expr* value = TRY(new_value(analysis, to));
    const ColumnRewrite rewrite{number_, value};
    TRY(context_.host.rewrite_table(context_.fiber, table_.oid, std::span(&rewrite, 1),
                                    [&]() -> Status { return change_catalog(*type, to.typmod); }));
    for (const ConstraintInfo& key : foreign_keys_) {
      if (key.validated) TRY(check_foreign_key_rows(context_, key));
    }
    return {};
  }

 private:
  struct IndexChange {
    const CatalogIndex* index;
    std::vector<Oid> opclasses, collations;
  };

  // Others that know the column's type: what cannot follow refuses.
  Status check_users(AnalyzeContext& analysis, const TypeAndMod& to) {
    for (const ColumnInfo& other : table_.columns) {
      if (other.generated != '\0')
        return unsupported("ALTER COLUMN ... TYPE with generated columns");
    }
    TRY(check_views());
    TRY(check_default(analysis, to));
    for (const CatalogIndex& index : table_.indexes) {
      if (!index.expressions.empty() || !index.predicate.empty())
        return unsupported("ALTER COLUMN ... TYPE with an index over an expression");
      TRY(add_index(index, to.type));
    }
    return find_foreign_keys();
  }

  Status check_default(AnalyzeContext& analysis, const TypeAndMod& to) {
    const bool counts =
        to.type == type_oid::int2 || to.type == type_oid::int4 || to.type == type_oid::int8;
    if (column_.identity != '\0' && !counts) {
      return raise(sqlstate::invalid_parameter_value,
                   "identity column type must be smallint, integer, or bigint");
    }
    if (column_.default_expr.empty()) return {};
    Status status = analyze_expression_text(analysis, context_.arena.copy(column_.default_expr),
                                            nullptr, to.type, to.typmod, column_.name)
                        .status()
                        .clone();
    if (!status.is(sqlstate::datatype_mismatch)) return status;
    return raise(sqlstate::datatype_mismatch,
                 cat("default for column \"", column_.name,
                     "\" cannot be cast automatically to type ", shown_));
  }

  // An index over the column goes on with the new type's usual order, unless another was asked for.
  Status add_index(const CatalogIndex& index, Oid type) {
    IndexChange change{&index, index.opclasses, index.collations};
    bool changes = false;
    for (size_t i = 0; i < index.columns.size(); ++i) {
      if (index.columns[i] != number_) continue;
      changes = true;
      if (i >= index.opclasses.size()) continue;  // INCLUDEd
      change.opclasses[i] = TRY(new_opclass(index, index.opclasses[i], type));
      if (context_.catalog.builtin().opclass(change.opclasses[i])->key_type)
        return unsupported("ALTER COLUMN ... TYPE of an indexed column to this type");
      const Oid own = table_.desc()[static_cast<size_t>(number_ - 1)].collation;
      if (change.collations[i] == own || !collation_) change.collations[i] = collation_;
    }
    if (changes) indexes_.push_back(std::move(change));
    return {};
  }

  Result<Oid> new_opclass(const CatalogIndex& index, Oid old, Oid type) {
    const Oid old_type = table_.desc()[static_cast<size_t>(number_ - 1)].type;
    const Oid usual =
        TRY(context_.catalog.default_opclass(context_.fiber, old_type, index.access_method));
    BuiltinCatalog& builtin = context_.catalog.builtin();
    if (old != usual) {
      const OpclassInfo* info = builtin.opclass(old);
      const bool fits =
          TRY(context_.catalog.is_binary_coercible(context_.fiber, type, info->input_type));
      if (fits) return old;
      return raise(sqlstate::datatype_mismatch,
                   cat("operator class \"", info->name, "\" does not accept data type ", shown_));
    }
    const Oid opclass =
        TRY(context_.catalog.default_opclass(context_.fiber, type, index.access_method));
    if (opclass) return opclass;
    return raise(sqlstate::undefined_object,
                 cat("data type ", shown_, " has no default operator class for access method \"",
                     builtin.access_method_name(index.access_method), "\""))
        .hint(
            "You must specify an operator class for the index or define a default operator class "
            "for the data type.");
  }

  // Those that the column is part of, on either side; the tables at their other ends are locked.
  Status find_foreign_keys() {
    for (const std::vector<ConstraintInfo>* all : {&table_.constraints, &table_.referenced_by}) {
      for (const ConstraintInfo& constraint : *all) {
        if (constraint.type != 'f') continue;
        const bool refers = constraint.relation == table_.oid && has_column(constraint.columns);
        const bool is_key =
            constraint.referenced == table_.oid && has_column(constraint.referenced_columns);
        const auto same = [&](const ConstraintInfo& known) { return known.oid == constraint.oid; };
        if ((!refers && !is_key) || std::ranges::any_of(foreign_keys_, same)) continue;
        foreign_keys_.push_back(constraint);
        const Oid other =
            constraint.relation == table_.oid ? constraint.referenced : constraint.relation;
        TRY(context_.host.lock_relation(context_.fiber, other, kAccessExclusiveLock));
      }
    }
    return {};
  }
  bool has_column(const std::vector<int16_t>& columns) const {
    return std::ranges::find(columns, number_) != columns.end();
  }

  Status check_views() {
    const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(table_.oid),
                          Datum::of(int32_t{number_})};
    std::optional<ObjectAddress> rule;
    TRY(context_.store.scan(context_.fiber, pg_depend::kRelation, kPgDependReferenceIndex, keys,
                            [&](const CatalogRow& row, Tid) -> Status {
                              if (row.get<Oid>(pg_depend::classid) != pg_rewrite::kRelation || rule)
                                return {};
                              rule = ObjectAddress{pg_rewrite::kRelation,
                                                   row.get<Oid>(pg_depend::objid)};
                              return {};
                            }));
    if (!rule) return {};
    const std::string shown = TRY(
        describe_object(context_.fiber, context_.catalog, context_.store, context_.path, *rule));
    return raise(sqlstate::feature_not_supported,
                 "cannot alter type of a column used by a view or rule")
        .detail(cat(shown, " depends on column \"", column_.name, "\""));
  }

  Result<const Expr*> new_value(AnalyzeContext& analysis, const TypeAndMod& to) {
    Result<Expr*> made = definition_.raw_default == nullptr
                             ? analyze_expression_text(analysis, quote_identifier(column_.name),
                                                       &table_, to.type, to.typmod, column_.name)
                             : analyze_expression(analysis, *definition_.raw_default, &table_,
                                                  to.type, to.typmod, column_.name);
    if (made.ok()) return static_cast<const Expr*>(*made);
    Status status = std::move(made).status();
    if (!status.is(sqlstate::datatype_mismatch)) return status;
    if (definition_.raw_default != nullptr) {
      return raise(sqlstate::datatype_mismatch,
                   cat("result of USING clause for column \"", column_.name,
                       "\" cannot be cast automatically to type ", shown_))
          .hint("You might need to add an explicit cast.");
    }
    return raise(sqlstate::datatype_mismatch,
                 cat("column \"", column_.name, "\" cannot be cast automatically to type ", shown_))
        .hint(cat("You might need to specify \"USING ", quote_identifier(column_.name),
                  "::", shown_, "\"."));
  }

  Status change_catalog(const CatalogType& type, int32_t typmod) {
    CatalogWriter writer(context_.store, context_.catalog);
    const auto set_type = [&](RowBuilder& row, const CatalogRow&) {
      using namespace pg_attribute;
      const ColumnDesc desc = type.column(typmod);
      row.set(atttypid, type.oid).set(atttypmod, typmod).set(attlen, type.io.length);
      row.set(attbyval, type.io.by_value).set(attalign, align_letter(desc.alignment));
      row.set(attstorage, type.storage).set(attcollation, collation_);
      row.set(attndims, static_cast<int32_t>(definition_.type_name->array_bounds.size()));
    };
    for (const IndexChange& change : indexes_) {
      const CatalogIndex& index = *change.index;
      for (size_t i = 0; i < index.columns.size(); ++i) {
        if (index.columns[i] != number_) continue;
        TRY(writer.update_attribute(context_.fiber, index.oid, static_cast<int16_t>(i + 1),
                                    set_type));
      }
      const Datum key[] = {Datum::of(index.oid)};
      TRY(writer.update_row(context_.fiber, pg_index::kRelation, kPgIndexIndexrelidIndex, key,
                            [&](RowBuilder& row, const CatalogRow&) {
                              row.set_oids(pg_index::indclass, change.opclasses);
                              row.set_oids(pg_index::indcollation, change.collations);
                            }));
    }
    TRY(writer.update_attribute(context_.fiber, table_.oid, number_, set_type));
    // What ANALYZE found out are values of the old type.
    const Datum statistics[] = {Datum::of(table_.oid), Datum::of(number_)};
    TRY(writer.delete_rows(context_.fiber, pg_statistic::kRelation, kPgStatisticRelidAttInhIndex,
                           statistics));
    TRY(make_toast_table_if_needed(context_, table_.oid));
    TRY(empty_relation(context_, table_.oid));
    for (const ConstraintInfo& key : foreign_keys_) TRY(find_foreign_key_operators(context_, key));
    return {};
  }

  CommandContext& context_;
  const RelationInfo& table_;
  const ColumnDef& definition_;
  const int16_t number_;
  const ColumnInfo& column_;
  Oid collation_;
  std::string shown_;
  std::vector<IndexChange> indexes_;
  std::vector<ConstraintInfo> foreign_keys_;
};

}  // namespace

Status alter_column_type(CommandContext& context, const RelationInfo& table,
                         const AlterTableCmd& command, int16_t column) {
  return TypeChange(context, table, command, column).run();
}

}  // namespace orrery
