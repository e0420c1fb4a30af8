#include "command/stored_texts.h"

#include <algorithm>

#include "analyze/definitions.h"
#include "analyze/deparse.h"
#include "catalog/writer.h"
#include "plan/query_walk.h"

namespace orrery {
namespace {

// The path that stored texts are read with: all else in them is qualified.
SearchPath catalog_only() {
  SearchPath path;
  path.namespaces = {kPgCatalogNamespace};
  return path;
}

// Without an alias it is called as its relation is.
void rename_entry(Arena& arena, RangeEntry& entry, const RelationInfo& now) {
  if (entry.alias == entry.relation->name) entry.alias = arena.copy(now.name);
  entry.relation = &now;
}

}  // namespace

Status StoredTexts::read(Oid relation) {
  struct User {
    Oid catalog, object;
    bool of_column;
  };
  std::vector<User> users;
  const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(relation)};
  TRY(context_.store.scan(context_.fiber, pg_depend::kRelation, kPgDependReferenceIndex, keys,
                          [&](const CatalogRow& row, Tid) -> Status {
                            users.push_back({row.get<Oid>(pg_depend::classid),
                                             row.get<Oid>(pg_depend::objid),
                                             row.get<int32_t>(pg_depend::refobjsubid) != 0});
                            return {};
                          }));
  for (const User& user : users)
    TRY(read_user(relation, user.catalog, user.object, user.of_column));
  return {};
}

Status StoredTexts::read_user(Oid relation, Oid catalog, Oid object, bool of_own_column) {
  if (catalog == pg_rewrite::kRelation) return read_rule(relation, object);
  if (catalog == pg_attrdef::kRelation) return read_default(relation, object, of_own_column);
  if (catalog == pg_constraint::kRelation) return refuse_check(relation, object);
  if (catalog == pg_class::kRelation) return refuse_index(relation, object);
  return {};
}

Status StoredTexts::read_rule(Oid relation, Oid rule) {
  Oid view;
  const Datum key[] = {Datum::of(rule)};
  TRY(context_.store.scan(context_.fiber, pg_rewrite::kRelation, kPgRewriteOidIndex, key,
                          [&](const CatalogRow& row, Tid) -> Status {
                            view = row.get<Oid>(pg_rewrite::ev_class);
                            return {};
                          }));
  const bool known = std::ranges::find(views_, view, &View::oid) != views_.end();
  if (!view || view == relation || known) return {};
  const RelationInfo* info = TRY(context_.catalog.relation(context_.fiber, view));
  if (info == nullptr || info->kind != 'v') return {};
  AnalyzeContext analysis = context_.analysis();
  Query* query = TRY(view_query(analysis, *info));
  views_.push_back({view, query});
  return {};
}

Status StoredTexts::read_default(Oid relation, Oid row_oid, bool of_own_column) {
  Default made{row_oid, {}, nullptr};
  std::string text;
  int16_t column = 0;
  const Datum key[] = {Datum::of(row_oid)};
  TRY(context_.store.scan(context_.fiber, pg_attrdef::kRelation, kPgAttrdefOidIndex, key,
                          [&](const CatalogRow& row, Tid) -> Status {
                            made.table = row.get<Oid>(pg_attrdef::adrelid);
                            column = row.get<int16_t>(pg_attrdef::adnum);
                            text = row.text(pg_attrdef::adbin);
                            return {};
                          }));
  const bool known = std::ranges::find(defaults_, row_oid, &Default::oid) != defaults_.end();
  if (column == 0 || known || (made.table == relation && of_own_column)) return {};
  const RelationInfo* table = TRY(context_.catalog.relation(context_.fiber, made.table));
  const ColumnDesc& desc = table->desc()[static_cast<size_t>(column - 1)];
  const std::string_view sql = context_.arena.copy(text);
  const SearchPath path = catalog_only();
  AnalyzeContext analysis{.fiber = context_.fiber,
                          .arena = context_.arena,
                          .catalog = context_.catalog,
                          .path = path,
                          .session = context_.session,
                          .text = sql};
  const bool generated = table->column(column).generated != '\0';
  made.expr = TRY(analyze_expression_text(analysis, sql, generated ? table : nullptr, desc.type,
                                          desc.typmod, table->column(column).name));
  defaults_.push_back(made);
  return {};
}

// A table's own checks name its columns only.
Status StoredTexts::refuse_check(Oid relation, Oid constraint) {
  bool is_check = false;
  const Datum key[] = {Datum::of(constraint)};
  TRY(context_.store.scan(context_.fiber, pg_constraint::kRelation, kPgConstraintOidIndex, key,
                          [&](const CatalogRow& row, Tid) -> Status {
                            is_check = row.get<char>(pg_constraint::contype) == 'c' &&
                                       row.get<Oid>(pg_constraint::conrelid) != relation;
                            return {};
                          }));
  return is_check ? unsupported("renaming what a check constraint of another table names")
                  : Status();
}

Status StoredTexts::refuse_index(Oid relation, Oid user) {
  const RelationInfo* info = TRY(context_.catalog.relation(context_.fiber, user));
  const bool is_foreign = info != nullptr && info->kind == 'i' && !info->indexes.empty() &&
                          info->indexes[0].relation != relation;
  return is_foreign ? unsupported("renaming what an index of another table names") : Status();
}

// The tree's relations by their names of now.
Status StoredTexts::rename_entries(Query& query) {
  Status failed;
  const auto keep = [](Expr* expr, int) { return expr; };
  const auto refresh = [&](RangeEntry& entry, int) {
    if (entry.relation == nullptr || !failed.ok()) return;
    Result<const RelationInfo*> now =
        context_.catalog.relation(context_.fiber, entry.relation->oid);
    if (!now.ok())
      failed = std::move(now).status();
    else if (*now != nullptr)
      rename_entry(context_.arena, entry, **now);
  };
  QueryWalk(context_.arena, keep, refresh).query(query, 0);
  return failed;
}

Status StoredTexts::write() {
  CatalogWriter writer(context_.store, context_.catalog);
  for (const View& view : views_) {
    TRY(rename_entries(*view.query));
    AnalyzeContext analysis = context_.analysis();
    const StoredExpression stored = TRY(store_query(analysis, *view.query));
    const Datum keys[] = {Datum::of(view.oid)};
    TRY(writer.update_row(context_.fiber, pg_rewrite::kRelation, kPgRewriteRelRulenameIndex, keys,
                          [&](RowBuilder& row, const CatalogRow&) {
                            row.set_text(pg_rewrite::ev_action, stored.sql);
                          }));
  }
  for (const Default& one : defaults_) {
    const RelationInfo* table = TRY(context_.catalog.relation(context_.fiber, one.table));
    AnalyzeContext analysis = context_.analysis();
    const StoredExpression stored = TRY(store_expression(analysis, *one.expr, table));
    const Datum keys[] = {Datum::of(one.oid)};
    TRY(writer.update_row(
        context_.fiber, pg_attrdef::kRelation, kPgAttrdefOidIndex, keys,
        [&](RowBuilder& row, const CatalogRow&) { row.set_text(pg_attrdef::adbin, stored.sql); }));
  }
  return {};
}

}  // namespace orrery
