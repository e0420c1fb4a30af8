#include "catalog/writer.h"

#include "base/text.h"
#include "catalog/columns.h"

namespace orrery {
namespace {

constexpr size_t kNameMax = 63;

// pg_attribute of the columns every table has.
struct SystemColumn {
  std::string_view name;
  Oid type;
  int16_t number;
};
constexpr SystemColumn kSystemColumns[] = {{"ctid", Oid(27), -1}, {"xmin", Oid(28), -2},
                                           {"cmin", Oid(29), -3}, {"xmax", Oid(28), -4},
                                           {"cmax", Oid(29), -5}, {"tableoid", Oid(26), -6}};

}  // namespace

char align_letter(uint8_t alignment) {
  return alignment == 1 ? 'c' : alignment == 2 ? 's' : alignment == 4 ? 'i' : 'd';
}

namespace {

size_t cut_at_character(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text.size();
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return limit;
}

}  // namespace

std::string truncate_name(std::string_view name) {
  return std::string(name.substr(0, cut_at_character(name, kNameMax)));
}

std::string make_object_name(std::string_view name1, std::string_view name2,
                             std::string_view label) {
  size_t overhead = 0;
  if (!name2.empty()) ++overhead;
  if (!label.empty()) overhead += label.size() + 1;
  const size_t available = kNameMax - overhead;
  size_t size1 = name1.size(), size2 = name2.size();
  while (size1 + size2 > available) --(size1 > size2 ? size1 : size2);
  std::string out(name1.substr(0, cut_at_character(name1, size1)));
  if (!name2.empty()) out += cat("_", name2.substr(0, cut_at_character(name2, size2)));
  if (!label.empty()) out += cat("_", label);
  return out;
}

Oid CatalogWriter::database() const { return store_.cache().database(); }

Result<std::string> CatalogWriter::choose_relation_name(Fiber& fiber, std::string_view name1,
                                                        std::string_view name2,
                                                        std::string_view label, Oid nsp) {
  for (int pass = 0;; ++pass) {
    const std::string suffix = pass == 0 ? std::string(label) : cat(label, pass);
    std::string name = make_object_name(name1, name2, suffix);
    const Oid taken = TRY(catalog_.relation_oid(fiber, nsp, name));
    if (!taken) return name;
  }
}

Status CatalogWriter::insert_attribute(Fiber& fiber, Oid relation, int16_t number,
                                       const NewColumn& column) {
  using namespace pg_attribute;
  const CatalogType* type = TRY(catalog_.type(fiber, column.type));
  if (type == nullptr) {
    return raise(sqlstate::undefined_object, cat("type with OID ", column.type, " does not exist"));
  }
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(attrelid, relation).set_name(attname, column.name).set(atttypid, column.type);
  row.set(attstattarget, int32_t{-1}).set(attlen, type->io.length).set(attnum, number);
  row.set(attndims, column.dimensions).set(attcacheoff, int32_t{-1}).set(atttypmod, column.typmod);
  row.set(attbyval, type->io.by_value).set(attalign, align_letter(type->io.alignment));
  row.set(attstorage, column.storage != '\0' ? column.storage : type->storage)
      .set(attcompression, '\0')
      .set(attnotnull, column.not_null);
  row.set(atthasdef, column.default_expr.has_value()).set(atthasmissing, false);
  row.set(attidentity, column.identity).set(attgenerated, column.generated);
  row.set(attisdropped, false).set(attislocal, true).set(attinhcount, int32_t{0});
  row.set(attcollation, column.collation);
  TRY(store_.insert(fiber, kRelation, row.values()));
  const ObjectAddress self{pg_class::kRelation, relation, number};
  TRY(record_dependency(fiber, store_, self, {pg_type::kRelation, column.type},
                        DependencyType::normal));
  return {};
}

Status CatalogWriter::insert_system_attributes(Fiber& fiber, Oid relation) {
  using namespace pg_attribute;
  for (const SystemColumn& column : kSystemColumns) {
    const CatalogType* type = catalog_.builtin().type(column.type);
    CHECK(type != nullptr);
    Arena arena;
    RowBuilder row(arena, kRelation);
    row.set(attrelid, relation).set_name(attname, column.name).set(atttypid, column.type);
    row.set(attstattarget, int32_t{0}).set(attlen, type->io.length).set(attnum, column.number);
    row.set(attndims, int32_t{0}).set(attcacheoff, int32_t{-1}).set(atttypmod, int32_t{-1});
    row.set(attbyval, type->io.by_value).set(attalign, align_letter(type->io.alignment));
    row.set(attstorage, 'p').set(attcompression, '\0').set(attnotnull, true);
    row.set(atthasdef, false).set(atthasmissing, false).set(attidentity, '\0');
    row.set(attgenerated, '\0').set(attisdropped, false).set(attislocal, true);
    row.set(attinhcount, int32_t{0}).set(attcollation, kInvalidOid);
    TRY(store_.insert(fiber, kRelation, row.values()));
  }
  return {};
}

Result<Oid> CatalogWriter::insert_default(Fiber& fiber, Oid relation, int16_t column,
                                          std::string_view expr,
                                          std::span<const ObjectAddress> needs) {
  using namespace pg_attrdef;
  const Oid new_oid = TRY(store_.new_oid(fiber));
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(oid, new_oid).set(adrelid, relation).set(adnum, column).set_text(adbin, expr);
  TRY(store_.insert(fiber, kRelation, row.values()));
  const ObjectAddress self{kRelation, new_oid};
  TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, relation, column},
                        DependencyType::automatic));
  for (const ObjectAddress& need : needs) {
    TRY(record_dependency(fiber, store_, self, need, DependencyType::normal));
  }
  return new_oid;
}

// The row type and its array: named after the relation, the array with underscores in front.
Status CatalogWriter::create_row_types(Fiber& fiber, const NewRelation& relation, Oid row_type,
                                       Oid array_type) {
  using namespace pg_type;
  auto fill = [&](RowBuilder& row, Oid type, std::string_view name) {
    row.set(oid, type).set_name(typname, name).set(typnamespace, relation.nsp);
    row.set(typowner, relation.owner).set(typlen, int16_t{-1}).set(typbyval, false);
    row.set(typispreferred, false).set(typisdefined, true).set(typdelim, ',');
    row.set(typmodin, kInvalidOid).set(typmodout, kInvalidOid).set(typalign, 'd');
    row.set(typstorage, 'x').set(typnotnull, false).set(typbasetype, kInvalidOid);
    row.set(typtypmod, int32_t{-1}).set(typndims, int32_t{0}).set(typcollation, kInvalidOid);
  };
  Arena arena;
  RowBuilder composite(arena, kRelation);
  fill(composite, row_type, relation.name);
  composite.set(typtype, 'c').set(typcategory, 'C').set(typrelid, relation.oid);
  composite.set(typsubscript, kInvalidOid).set(typelem, kInvalidOid).set(typarray, array_type);
  composite.set(typinput, Oid(2290)).set(typoutput, Oid(2291)).set(typreceive, Oid(2402));
  composite.set(typsend, Oid(2403)).set(typanalyze, kInvalidOid);
  TRY(store_.insert(fiber, kRelation, composite.values()));
  const ObjectAddress self{kRelation, row_type}, table{pg_class::kRelation, relation.oid};
  const bool is_free_standing = relation.kind == 'c';
  if (is_free_standing) {
    TRY(record_dependency(fiber, store_, table, self, DependencyType::internal));
  } else {
    TRY(record_dependency(fiber, store_, self, table, DependencyType::internal));
  }

  std::string array_name = truncate_name(cat("_", relation.name));
  for (;;) {
    const Oid taken = TRY(catalog_.type_oid(fiber, relation.nsp, array_name));
    if (!taken) break;
    array_name = truncate_name(cat("_", array_name));
  }
  RowBuilder array(arena, kRelation);
  fill(array, array_type, array_name);
  array.set(typtype, 'b').set(typcategory, 'A').set(typrelid, kInvalidOid);
  array.set(typsubscript, Oid(6179)).set(typelem, row_type).set(typarray, kInvalidOid);
  array.set(typinput, Oid(750)).set(typoutput, Oid(751)).set(typreceive, Oid(2400));
  array.set(typsend, Oid(2401)).set(typanalyze, Oid(3816));
  TRY(store_.insert(fiber, kRelation, array.values()));
  return record_dependency(fiber, store_, {kRelation, array_type}, self, DependencyType::internal);
}

Status CatalogWriter::create_relation(Fiber& fiber, const NewRelation& relation) {
  using namespace pg_class;
  Oid row_type, array_type;
  if (relation.has_row_type) {
    row_type = TRY(store_.new_oid(fiber));
    array_type = TRY(store_.new_oid(fiber));
  }
  const bool is_table = relation.kind == 'r' || relation.kind == 't';
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(oid, relation.oid).set_name(relname, relation.name).set(relnamespace, relation.nsp);
  row.set(reltype, row_type).set(reloftype, kInvalidOid).set(relowner, relation.owner);
  row.set(relam, is_table ? kHeapAccessMethod : kInvalidOid).set(relfilenode, relation.file);
  row.set(reltablespace, kInvalidOid).set(relpages, int32_t{0});
  row.set(reltuples, relation.kind == 'S' ? 1.0f : relation.kind == 'v' ? 0.0f : -1.0f);
  row.set(relallvisible, int32_t{0}).set(reltoastrelid, relation.toast).set(relhasindex, false);
  row.set(relisshared, false).set(relpersistence, relation.persistence).set(relkind, relation.kind);
  row.set(relnatts, static_cast<int16_t>(relation.columns.size())).set(relchecks, int16_t{0});
  row.set(relhasrules, false).set(relhastriggers, false).set(relhassubclass, false);
  row.set(relrowsecurity, false).set(relforcerowsecurity, false).set(relispopulated, true);
  row.set(relreplident, relation.kind == 'r' ? 'd' : 'n').set(relispartition, false);
  row.set(relrewrite, kInvalidOid);
  row.set(relfrozenxid, Datum::of(uint32_t{is_table ? 3u : 0u}));
  row.set(relminmxid, Datum::of(uint32_t{is_table ? 1u : 0u}));
  if (!relation.options.empty()) row.set_texts(reloptions, relation.options);
  TRY(store_.insert(fiber, kRelation, row.values()));

  const ObjectAddress self{kRelation, relation.oid};
  TRY(record_dependency(fiber, store_, self, {pg_namespace::kRelation, relation.nsp},
                        DependencyType::normal));
  TRY(record_role_dependency(fiber, store_, database(), self, relation.owner, 'o'));
  if (relation.has_row_type) TRY(create_row_types(fiber, relation, row_type, array_type));

  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const NewColumn& column = relation.columns[i];
    const auto number = static_cast<int16_t>(i + 1);
    TRY(insert_attribute(fiber, relation.oid, number, column));
    if (column.default_expr) {
      TRY(insert_default(fiber, relation.oid, number, *column.default_expr, column.default_needs));
    }
  }
  if (relation.kind != 'v' && relation.kind != 'c') {
    TRY(insert_system_attributes(fiber, relation.oid));
  }
  return {};
}

Status CatalogWriter::add_column(Fiber& fiber, const RelationInfo& relation,
                                 const NewColumn& column) {
  if (relation.columns.size() >= kColumnsMax) {
    return raise(sqlstate::too_many_columns,
                 cat("tables can have at most ", kColumnsMax, " columns"));
  }
  const auto number = static_cast<int16_t>(relation.columns.size() + 1);
  TRY(insert_attribute(fiber, relation.oid, number, column));
  if (column.default_expr) {
    TRY(insert_default(fiber, relation.oid, number, *column.default_expr, column.default_needs));
  }
  return update_class(fiber, relation.oid, [&](RowBuilder& row, const CatalogRow&) {
    row.set(pg_class::relnatts, number);
  });
}

Status CatalogWriter::set_default(Fiber& fiber, Oid relation, int16_t column,
                                  const std::optional<std::string>& expr,
                                  std::span<const ObjectAddress> needs) {
  Oid old;
  const Datum keys[] = {Datum::of(relation), Datum::of(column)};
  TRY(store_.scan(fiber, pg_attrdef::kRelation, kPgAttrdefAdrelidAdnumIndex, keys,
                  [&](const CatalogRow& row, Tid) -> Status {
                    old = row.get<Oid>(pg_attrdef::oid);
                    return {};
                  }));
  if (old) {
    TRY(delete_dependencies_of(fiber, store_, database(), {pg_attrdef::kRelation, old}));
    TRY(delete_rows(fiber, pg_attrdef::kRelation, kPgAttrdefAdrelidAdnumIndex, keys));
  }
  if (expr) TRY(insert_default(fiber, relation, column, *expr, needs));
  return update_attribute(fiber, relation, column, [&](RowBuilder& row, const CatalogRow&) {
    row.set(pg_attribute::atthasdef, expr.has_value());
  });
}

Status CatalogWriter::insert_index_class(Fiber& fiber, const NewIndex& index) {
  using namespace pg_class;
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(oid, index.oid).set_name(relname, index.name).set(relnamespace, index.nsp);
  row.set(reltype, kInvalidOid).set(reloftype, kInvalidOid).set(relowner, index.owner);
  row.set(relam, index.access_method).set(relfilenode, index.file);
  row.set(reltablespace, kInvalidOid).set(relpages, int32_t{0}).set(reltuples, 0.0f);
  row.set(relallvisible, int32_t{0}).set(reltoastrelid, kInvalidOid).set(relhasindex, false);
  row.set(relisshared, false).set(relpersistence, 'p').set(relkind, 'i');
  row.set(relnatts, static_cast<int16_t>(index.columns.size())).set(relchecks, int16_t{0});
  row.set(relhasrules, false).set(relhastriggers, false).set(relhassubclass, false);
  row.set(relrowsecurity, false).set(relforcerowsecurity, false).set(relispopulated, true);
  row.set(relreplident, 'n').set(relispartition, false).set(relrewrite, kInvalidOid);
  row.set(relfrozenxid, Datum::of(uint32_t{0})).set(relminmxid, Datum::of(uint32_t{0}));
  if (!index.rel_options.empty()) row.set_texts(reloptions, index.rel_options);
  TRY(store_.insert(fiber, kRelation, row.values()));
  for (size_t i = 0; i < index.column_types.size(); ++i) {
    NewColumn column = index.column_types[i];
    column.name = index.column_names[i];
    TRY(insert_attribute(fiber, index.oid, static_cast<int16_t>(i + 1), column));
  }
  return {};
}

Status CatalogWriter::insert_index_dependencies(Fiber& fiber, const NewIndex& index) {
  const ObjectAddress self{pg_class::kRelation, index.oid};
  const auto automatic = DependencyType::automatic;
  if (index.constraint) {
    TRY(record_dependency(fiber, store_, self, {pg_constraint::kRelation, index.constraint},
                          DependencyType::internal));
  } else {
    bool on_columns = false;
    for (int16_t column : index.columns) {
      if (column <= 0) continue;
      on_columns = true;
      TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, index.table, column},
                            automatic));
    }
    if (!on_columns) {
      TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, index.table}, automatic));
    }
  }
  for (const ObjectAddress& need : index.needs) {
    const bool own_table = need.catalog == pg_class::kRelation && need.object == index.table;
    TRY(record_dependency(fiber, store_, self, need,
                          own_table ? automatic : DependencyType::normal));
  }
  return {};
}

Status CatalogWriter::create_index(Fiber& fiber, const NewIndex& index) {
  TRY(insert_index_class(fiber, index));
  using namespace pg_index;
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(indexrelid, index.oid).set(indrelid, index.table);
  row.set(indnatts, static_cast<int16_t>(index.columns.size())).set(indnkeyatts, index.keys);
  row.set(indisunique, index.unique).set(indnullsnotdistinct, index.nulls_not_distinct);
  row.set(indisprimary, index.primary).set(indisexclusion, false);
  row.set(indimmediate, index.immediate).set(indisclustered, false).set(indisvalid, index.valid);
  row.set(indcheckxmin, false).set(indisready, true).set(indislive, true);
  row.set(indisreplident, false).set_int2s(indkey, index.columns);
  row.set_oids(indcollation, index.collations).set_oids(indclass, index.opclasses);
  row.set_int2s(indoption, index.options);
  if (!index.expressions.empty()) row.set_text(indexprs, join(index.expressions, ", "));
  if (!index.predicate.empty()) row.set_text(indpred, index.predicate);
  TRY(store_.insert(fiber, kRelation, row.values()));
  TRY(insert_index_dependencies(fiber, index));
  return update_class(fiber, index.table, [](RowBuilder& change, const CatalogRow&) {
    change.set(pg_class::relhasindex, true);
  });
}

Result<Oid> CatalogWriter::create_constraint(Fiber& fiber, const NewConstraint& constraint) {
  using namespace pg_constraint;
  const Oid new_oid = TRY(store_.new_oid(fiber));
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(oid, new_oid).set_name(conname, constraint.name).set(connamespace, constraint.nsp);
  row.set(contype, constraint.type).set(condeferrable, constraint.deferrable);
  row.set(condeferred, constraint.deferred).set(convalidated, constraint.validated);
  row.set(conrelid, constraint.table).set(contypid, kInvalidOid).set(conindid, constraint.index);
  row.set(conparentid, kInvalidOid).set(confrelid, constraint.referenced);
  row.set(confupdtype, constraint.on_update).set(confdeltype, constraint.on_delete);
  row.set(confmatchtype, constraint.match).set(conislocal, true).set(coninhcount, int32_t{0});
  row.set(connoinherit, constraint.type != 'c' || constraint.no_inherit);
  if (!constraint.columns.empty()) row.set_int2s(conkey, constraint.columns);
  if (constraint.type == 'f') {
    row.set_int2s(confkey, constraint.referenced_columns);
    row.set_oids(conpfeqop, constraint.pk_fk_operators);
    row.set_oids(conppeqop, constraint.pk_pk_operators);
    row.set_oids(conffeqop, constraint.fk_fk_operators);
    if (!constraint.delete_set_columns.empty()) {
      row.set_int2s(confdelsetcols, constraint.delete_set_columns);
    }
  }
  if (!constraint.check_expr.empty()) row.set_text(conbin, constraint.check_expr);
  TRY(store_.insert(fiber, kRelation, row.values()));

  const ObjectAddress self{kRelation, new_oid};
  const auto automatic = DependencyType::automatic, normal = DependencyType::normal;
  for (int16_t column : constraint.columns) {
    TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, constraint.table, column},
                          automatic));
  }
  if (constraint.columns.empty()) {
    TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, constraint.table}, automatic));
  }
  for (int16_t column : constraint.referenced_columns) {
    TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, constraint.referenced, column},
                          normal));
  }
  if (constraint.type == 'f' && constraint.index) {
    TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, constraint.index}, normal));
  }
  for (const ObjectAddress& need : constraint.needs) {
    if (need.catalog == pg_class::kRelation && need.object == constraint.table) continue;
    TRY(record_dependency(fiber, store_, self, need, normal));
  }
  if (constraint.type == 'c') {
    TRY(update_class(fiber, constraint.table, [](RowBuilder& change, const CatalogRow& before) {
      const auto checks = before.get<int16_t>(pg_class::relchecks);
      change.set(pg_class::relchecks, static_cast<int16_t>(checks + 1));
    }));
  }
  if (constraint.type == 'f') {
    for (Oid table : {constraint.table, constraint.referenced}) {
      TRY(update_class(fiber, table, [](RowBuilder& change, const CatalogRow&) {
        change.set(pg_class::relhastriggers, true);
      }));
    }
  }
  return new_oid;
}

Status CatalogWriter::set_view_definition(Fiber& fiber, Oid view, std::string_view sql,
                                          std::span<const ObjectAddress> needs) {
  using namespace pg_rewrite;
  const Datum keys[] = {Datum::of(view)};
  std::vector<Oid> old;
  TRY(store_.scan(fiber, kRelation, kPgRewriteRelRulenameIndex, keys,
                  [&](const CatalogRow& row, Tid) -> Status {
                    old.push_back(row.get<Oid>(oid));
                    return {};
                  }));
  for (Oid rule : old) {
    TRY(delete_dependencies_of(fiber, store_, database(), {kRelation, rule}));
  }
  TRY(delete_rows(fiber, kRelation, kPgRewriteRelRulenameIndex, keys));
  const Oid new_oid = TRY(store_.new_oid(fiber));
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(oid, new_oid).set_name(rulename, "_RETURN").set(ev_class, view).set(ev_type, '1');
  row.set(ev_enabled, 'O').set(is_instead, true).set_text(ev_qual, "<>").set_text(ev_action, sql);
  TRY(store_.insert(fiber, kRelation, row.values()));
  const ObjectAddress self{kRelation, new_oid};
  TRY(record_dependency(fiber, store_, self, {pg_class::kRelation, view},
                        DependencyType::internal));
  for (const ObjectAddress& need : needs) {
    TRY(record_dependency(fiber, store_, self, need, DependencyType::normal));
  }
  return update_class(fiber, view, [](RowBuilder& change, const CatalogRow&) {
    change.set(pg_class::relhasrules, true);
  });
}

}  // namespace orrery
