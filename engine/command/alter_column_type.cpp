// ALTER TABLE ... ALTER COLUMN ... TYPE: every row is written anew with the column's value turned
// into the new type, by assignment or by what USING says.
#include <algorithm>

#include "analyze/analyzer.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "command/create_table.h"
#include "command/objects.h"
#include "command/relation_storage.h"

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
    TRY(check_users(*type));
    const Expr* value = TRY(new_value(analysis, to));
    const ColumnRewrite rewrite{number_, value};
    return context_.host.rewrite_table(
        context_.fiber, table_.oid, std::span(&rewrite, 1),
        [&]() -> Status { return change_catalog(*type, to.typmod); });
  }

 private:
  // Others that know the column's type: what cannot follow refuses.
  Status check_users(const CatalogType& type) {
    for (const ColumnInfo& other : table_.columns) {
      if (other.generated != '\0')
        return unsupported("ALTER COLUMN ... TYPE with generated columns");
    }
    const Oid opclass =
        TRY(context_.catalog.default_opclass(context_.fiber, type.oid, kBtreeAccessMethod));
    for (const CatalogIndex& index : table_.indexes) {
      if (!index.expressions.empty() || !index.predicate.empty())
        return unsupported("ALTER COLUMN ... TYPE with an index over an expression");
      for (size_t i = 0; i < index.columns.size(); ++i) {
        const bool is_key = i < index.opclasses.size();
        if (index.columns[i] == number_ && is_key && index.opclasses[i] != opclass)
          return unsupported("ALTER COLUMN ... TYPE of an indexed column to a type of other order");
      }
    }
    for (const std::vector<ConstraintInfo>* all : {&table_.constraints, &table_.referenced_by}) {
      for (const ConstraintInfo& constraint : *all) {
        if (constraint.type != 'f') continue;
        const std::vector<int16_t>& own =
            all == &table_.constraints ? constraint.columns : constraint.referenced_columns;
        if (std::ranges::find(own, number_) != own.end())
          return unsupported("ALTER COLUMN ... TYPE of a column of a foreign key");
      }
    }
    return check_views();
  }

  Status check_views() {
    const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(table_.oid),
                          Datum::of(int32_t{number_})};
    bool in_view = false;
    TRY(context_.store.scan(context_.fiber, pg_depend::kRelation, kPgDependReferenceIndex, keys,
                            [&](const CatalogRow& row, Tid) -> Status {
                              in_view |= row.get<Oid>(pg_depend::classid) == pg_rewrite::kRelation;
                              return {};
                            }));
    if (!in_view) return {};
    return raise(sqlstate::feature_not_supported,
                 "cannot alter type of a column used by a view or rule");
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
    for (const CatalogIndex& index : table_.indexes) {
      for (size_t i = 0; i < index.columns.size(); ++i) {
        if (index.columns[i] != number_) continue;
        TRY(writer.update_attribute(context_.fiber, index.oid, static_cast<int16_t>(i + 1),
                                    set_type));
      }
    }
    TRY(writer.update_attribute(context_.fiber, table_.oid, number_, set_type));
    TRY(make_toast_table_if_needed(context_, table_.oid));
    return empty_relation(context_, table_.oid);
  }

  CommandContext& context_;
  const RelationInfo& table_;
  const ColumnDef& definition_;
  const int16_t number_;
  const ColumnInfo& column_;
  Oid collation_;
  std::string shown_;
};

}  // namespace

Status alter_column_type(CommandContext& context, const RelationInfo& table,
                         const AlterTableCmd& command, int16_t column) {
  return TypeChange(context, table, command, column).run();
}

}  // namespace orrery
