// CatalogWriter: changing and deleting rows.
#include "base/text.h"
#include "catalog/columns.h"
#include "catalog/relation_loader.h"
#include "catalog/writer.h"

namespace orrery {

Result<bool> CatalogWriter::update_row(Fiber& fiber, Oid catalog, Oid index,
                                       std::span<const Datum> keys, Change change) {
  Arena arena;
  Tid place;
  std::optional<RowBuilder> built;
  TRY(store_.scan(fiber, catalog, index, keys, [&](const CatalogRow& row, Tid tid) -> Status {
    if (built) return {};
    place = tid;
    built.emplace(arena, catalog, row);
    change(*built, row);
    return {};
  }));
  if (!built) return false;
  TRY(store_.update(fiber, catalog, place, built->values()));
  return true;
}

Result<int> CatalogWriter::delete_rows(Fiber& fiber, Oid catalog, Oid index,
                                       std::span<const Datum> keys) {
  std::vector<Tid> rows;
  TRY(store_.scan(fiber, catalog, index, keys, [&](const CatalogRow&, Tid tid) -> Status {
    rows.push_back(tid);
    return {};
  }));
  for (Tid tid : rows) TRY(store_.remove(fiber, catalog, tid));
  return static_cast<int>(rows.size());
}

Status CatalogWriter::update_class(Fiber& fiber, Oid relation, Change change) {
  const Datum keys[] = {Datum::of(relation)};
  const bool found = TRY(update_row(fiber, pg_class::kRelation, kPgClassOidIndex, keys, change));
  if (!found) return raise(sqlstate::internal_error, cat("no pg_class row of relation ", relation));
  return {};
}

Status CatalogWriter::update_attribute(Fiber& fiber, Oid relation, int16_t column, Change change) {
  const Datum keys[] = {Datum::of(relation), Datum::of(column)};
  const bool found =
      TRY(update_row(fiber, pg_attribute::kRelation, kPgAttributeRelidAttnumIndex, keys, change));
  if (!found) {
    return raise(sqlstate::internal_error,
                 cat("no pg_attribute row of column ", column, " of relation ", relation));
  }
  return {};
}

Status CatalogWriter::delete_relation(Fiber& fiber, Oid relation,
                                      FunctionRef<void(FileId)> file_gone) {
  // By its row alone: of what belongs to it, some may be gone already.
  char kind = '\0';
  Oid file;
  const Datum keys[] = {Datum::of(relation)};
  TRY(store_.scan(fiber, pg_class::kRelation, kPgClassOidIndex, keys,
                  [&](const CatalogRow& row, Tid) -> Status {
                    kind = row.get<char>(pg_class::relkind);
                    file = row.get<Oid>(pg_class::relfilenode);
                    return {};
                  }));
  if (kind == '\0') return {};
  if (file) file_gone(make_file_id(file.v));
  if (kind == 'i') {
    TRY(delete_rows(fiber, pg_index::kRelation, kPgIndexIndexrelidIndex, keys));
  }
  if (kind == 'S') {
    TRY(delete_rows(fiber, pg_sequence::kRelation, kPgSequenceSeqrelidIndex, keys));
  }
  TRY(delete_rows(fiber, pg_attribute::kRelation, kPgAttributeRelidAttnumIndex, keys));
  TRY(delete_rows(fiber, pg_statistic::kRelation, kPgStatisticRelidAttInhIndex, keys));
  TRY(delete_rows(fiber, pg_class::kRelation, kPgClassOidIndex, keys));
  return {};
}

// The column stays in pg_attribute, unnamed and typeless: old rows still have it.
Status CatalogWriter::drop_column(Fiber& fiber, Oid relation, int16_t column) {
  return update_attribute(fiber, relation, column, [&](RowBuilder& row, const CatalogRow&) {
    using namespace pg_attribute;
    row.set_name(attname, cat("........pg.dropped.", column, "........")).set(attisdropped, true);
    row.set(atttypid, kInvalidOid).set(attnotnull, false).set(attstattarget, int32_t{0});
    row.set(atthasdef, false).set(attgenerated, '\0').set(attidentity, '\0');
    row.set_null(attacl).set_null(attoptions).set_null(attfdwoptions);
  });
}

Status CatalogWriter::delete_object(Fiber& fiber, const ObjectAddress& object,
                                    FunctionRef<void(FileId)> file_gone) {
  const Datum keys[] = {Datum::of(object.object)};
  if (object.catalog == pg_class::kRelation && object.column != 0) {
    TRY(drop_column(fiber, object.object, static_cast<int16_t>(object.column)));
  } else if (object.catalog == pg_class::kRelation) {
    TRY(delete_relation(fiber, object.object, file_gone));
  } else if (object.catalog == pg_type::kRelation) {
    TRY(delete_rows(fiber, object.catalog, kPgTypeOidIndex, keys));
  } else if (object.catalog == pg_rewrite::kRelation) {
    TRY(delete_rows(fiber, object.catalog, kPgRewriteOidIndex, keys));
  } else if (object.catalog == pg_namespace::kRelation) {
    TRY(delete_rows(fiber, object.catalog, kPgNamespaceOidIndex, keys));
  } else if (object.catalog == pg_attrdef::kRelation) {
    Oid table;
    int16_t column = 0;
    TRY(store_.scan(fiber, object.catalog, kPgAttrdefOidIndex, keys,
                    [&](const CatalogRow& row, Tid) -> Status {
                      table = row.get<Oid>(pg_attrdef::adrelid);
                      column = row.get<int16_t>(pg_attrdef::adnum);
                      return {};
                    }));
    TRY(delete_rows(fiber, object.catalog, kPgAttrdefOidIndex, keys));
    if (table) {
      TRY(update_attribute(fiber, table, column, [](RowBuilder& row, const CatalogRow&) {
        row.set(pg_attribute::atthasdef, false);
      }));
    }
  } else if (object.catalog == pg_constraint::kRelation) {
    Oid table;
    bool is_check = false;
    TRY(store_.scan(fiber, object.catalog, kPgConstraintOidIndex, keys,
                    [&](const CatalogRow& row, Tid) -> Status {
                      table = row.get<Oid>(pg_constraint::conrelid);
                      is_check = row.get<char>(pg_constraint::contype) == 'c';
                      return {};
                    }));
    TRY(delete_rows(fiber, object.catalog, kPgConstraintOidIndex, keys));
    if (is_check && table) {
      TRY(update_class(fiber, table, [](RowBuilder& row, const CatalogRow& before) {
        const auto checks = before.get<int16_t>(pg_class::relchecks);
        row.set(pg_class::relchecks, static_cast<int16_t>(checks - 1));
      }));
    }
  } else {
    return unsupported(cat("dropping objects of catalog ", object.catalog));
  }
  TRY(set_comment(fiber, object, ""));
  if (object.catalog == pg_class::kRelation && object.column == 0) {
    // With comments of its columns.
    const Datum comment_keys[] = {Datum::of(object.object), Datum::of(object.catalog)};
    TRY(delete_rows(fiber, pg_description::kRelation, kPgDescriptionOCOIndex, comment_keys));
  }
  return delete_dependencies_of(fiber, store_, database(), object);
}

Status CatalogWriter::set_comment(Fiber& fiber, const ObjectAddress& object,
                                  std::string_view text) {
  const Datum keys[] = {Datum::of(object.object), Datum::of(object.catalog),
                        Datum::of(object.column)};
  TRY(delete_rows(fiber, pg_description::kRelation, kPgDescriptionOCOIndex, keys));
  if (text.empty()) return {};
  using namespace pg_description;
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(objoid, object.object).set(classoid, object.catalog).set(objsubid, object.column);
  row.set_text(description, text);
  TRY(store_.insert(fiber, kRelation, row.values()));
  return {};
}

}  // namespace orrery
