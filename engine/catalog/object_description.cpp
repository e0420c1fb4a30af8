// PostgreSQL's words for objects, in messages about dependencies.
#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/object_address.h"
#include "catalog/quote.h"

namespace orrery {
namespace {

std::string_view kind_word(char relkind) {
  switch (relkind) {
    case 'r':
    case 'p': return "table";
    case 'i':
    case 'I': return "index";
    case 'S': return "sequence";
    case 't': return "toast table";
    case 'v': return "view";
    case 'm': return "materialized view";
    case 'c': return "composite type";
    case 'f': return "foreign table";
    default:  return "relation";
  }
}

class Describer {
 public:
  Describer(Fiber& fiber, CatalogReader& catalog, CatalogSource& source, const SearchPath& path)
      : fiber_(fiber), catalog_(catalog), source_(source), path_(path) {}

  Result<std::string> describe(const ObjectAddress& object);

 private:
  Result<std::string> relation(Oid oid, int32_t column);
  Result<std::string> type(Oid oid);
  Result<std::string> constraint(Oid oid);
  Result<std::string> column_default(Oid oid);
  Result<std::string> rule(Oid oid);

  template <class Use>
  Status one(Oid catalog, Oid index, Oid key, Use use) {
    const Datum keys[] = {Datum::of(key)};
    return source_.scan(fiber_, catalog, index, keys, [&](const CatalogRow& row, Tid) -> Status {
      use(row);
      return {};
    });
  }

  Fiber& fiber_;
  CatalogReader& catalog_;
  CatalogSource& source_;
  const SearchPath& path_;
};

Result<std::string> Describer::relation(Oid oid, int32_t column) {
  const RelationInfo* info = TRY(catalog_.relation(fiber_, oid));
  if (info == nullptr) return cat("relation ", oid);
  const std::string name = TRY(relation_display_name(fiber_, catalog_, path_, *info));
  const std::string whole = cat(kind_word(info->kind), " ", name);
  if (column == 0 || static_cast<size_t>(column) > info->columns.size()) return whole;
  return cat("column ", info->column(static_cast<int16_t>(column)).name, " of ", whole);
}

Result<std::string> Describer::type(Oid oid) {
  const CatalogType* info = TRY(catalog_.type(fiber_, oid));
  if (info == nullptr) return cat("type ", oid);
  const CatalogType* shown = info;
  if (info->is_true_array()) shown = TRY(catalog_.type(fiber_, info->element));
  const Oid visible = TRY(catalog_.find_type(fiber_, path_, shown->name));
  std::string name = quote_identifier(shown->name);
  if (visible != shown->oid) {
    const NamespaceInfo* nsp = TRY(catalog_.nsp(fiber_, shown->nsp));
    if (nsp != nullptr) name = cat(quote_identifier(nsp->name), ".", name);
  }
  return cat("type ", name, shown == info ? "" : "[]");
}

Result<std::string> Describer::constraint(Oid oid) {
  std::string name;
  Oid table;
  TRY(one(pg_constraint::kRelation, kPgConstraintOidIndex, oid, [&](const CatalogRow& row) {
    name = row.name(pg_constraint::conname);
    table = row.get<Oid>(pg_constraint::conrelid);
  }));
  if (!table) return cat("constraint ", name);
  const std::string on = TRY(relation(table, 0));
  return cat("constraint ", name, " on ", on);
}

Result<std::string> Describer::column_default(Oid oid) {
  Oid table;
  int16_t column = 0;
  TRY(one(pg_attrdef::kRelation, kPgAttrdefOidIndex, oid, [&](const CatalogRow& row) {
    table = row.get<Oid>(pg_attrdef::adrelid);
    column = row.get<int16_t>(pg_attrdef::adnum);
  }));
  const std::string of = TRY(relation(table, column));
  return cat("default value for ", of);
}

Result<std::string> Describer::rule(Oid oid) {
  std::string name;
  Oid table;
  TRY(one(pg_rewrite::kRelation, kPgRewriteOidIndex, oid, [&](const CatalogRow& row) {
    name = row.name(pg_rewrite::rulename);
    table = row.get<Oid>(pg_rewrite::ev_class);
  }));
  const std::string on = TRY(relation(table, 0));
  return cat("rule ", name, " on ", on);
}

Result<std::string> Describer::describe(const ObjectAddress& object) {
  if (object.catalog == pg_class::kRelation) return relation(object.object, object.column);
  if (object.catalog == pg_type::kRelation) return type(object.object);
  if (object.catalog == pg_constraint::kRelation) return constraint(object.object);
  if (object.catalog == pg_attrdef::kRelation) return column_default(object.object);
  if (object.catalog == pg_rewrite::kRelation) return rule(object.object);
  if (object.catalog == pg_namespace::kRelation) {
    const NamespaceInfo* info = TRY(catalog_.nsp(fiber_, object.object));
    return info == nullptr ? cat("schema ", object.object) : cat("schema ", info->name);
  }
  if (object.catalog == pg_authid::kRelation) {
    const RoleInfo* info = TRY(catalog_.role(fiber_, object.object));
    return info == nullptr ? cat("role ", object.object) : cat("role ", info->name);
  }
  if (object.catalog == pg_database::kRelation) {
    const DatabaseInfo* info = TRY(catalog_.database(fiber_, object.object));
    return info == nullptr ? cat("database ", object.object) : cat("database ", info->name);
  }
  return cat("object ", object.object, " of catalog ", object.catalog);
}

}  // namespace

Result<std::string> describe_object(Fiber& fiber, CatalogReader& catalog, CatalogSource& source,
                                    const SearchPath& path, const ObjectAddress& object) {
  return Describer(fiber, catalog, source, path).describe(object);
}

Result<std::string> relation_display_name(Fiber& fiber, CatalogReader& catalog,
                                          const SearchPath& path, const RelationInfo& relation) {
  const Oid visible = TRY(catalog.find_relation(fiber, path, relation.name));
  if (visible == relation.oid) return quote_identifier(relation.name);
  return cat(quote_identifier(relation.nsp_name), ".", quote_identifier(relation.name));
}

}  // namespace orrery
