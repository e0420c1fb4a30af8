// ALTER TABLE, VIEW, SEQUENCE ... SET SCHEMA. With a table go its indexes, its constraints, its
// types and the sequences that its columns own.
#include <algorithm>

#include "base/text.h"
#include "catalog/writer.h"
#include "command/objects.h"
#include "command/stored_texts.h"

namespace orrery {
namespace {

class SchemaMove {
 public:
  SchemaMove(CommandContext& context, Oid from, Oid to)
      : context_(context), from_(from), to_(to), writer_(context.store, context.catalog) {}

  Status run(const RelationInfo& relation);

 private:
  Status find_owned(const RelationInfo& relation);
  Status check_free(std::string_view name);
  Status move(Oid relation);
  Status move_type(Oid type);
  Status move_constraints(Oid relation);
  Status move_dependency(const ObjectAddress& object);

  CommandContext& context_;
  const Oid from_, to_;
  CatalogWriter writer_;
  std::vector<Oid> sequences_;  // owned by the table's columns
};

Status SchemaMove::find_owned(const RelationInfo& relation) {
  std::vector<Oid> parts;
  const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(relation.oid)};
  TRY(context_.store.scan(context_.fiber, pg_depend::kRelation, kPgDependReferenceIndex, keys,
                          [&](const CatalogRow& row, Tid) -> Status {
                            const char type = row.get<char>(pg_depend::deptype);
                            if (row.get<Oid>(pg_depend::classid) == pg_class::kRelation &&
                                row.get<int32_t>(pg_depend::refobjsubid) > 0 &&
                                (type == 'a' || type == 'i'))
                              parts.push_back(row.get<Oid>(pg_depend::objid));
                            return {};
                          }));
  for (const Oid part : parts) {
    const RelationInfo* info = TRY(context_.catalog.relation(context_.fiber, part));
    if (info != nullptr && info->kind == 'S' &&
        std::ranges::find(sequences_, part) == sequences_.end())
      sequences_.push_back(part);
  }
  return {};
}

Status SchemaMove::check_free(std::string_view name) {
  const Oid taken = TRY(context_.catalog.relation_oid(context_.fiber, to_, name));
  if (!taken) return {};
  const NamespaceInfo* nsp = TRY(context_.catalog.nsp(context_.fiber, to_));
  return raise(sqlstate::duplicate_table,
               cat("relation \"", name, "\" already exists in schema \"", nsp->name, "\""));
}

Status SchemaMove::run(const RelationInfo& relation) {
  TRY(find_owned(relation));
  StoredTexts texts(context_);
  TRY(texts.read(relation.oid));
  for (const Oid sequence : sequences_) TRY(texts.read(sequence));
  std::vector<Oid> all{relation.oid};
  for (const CatalogIndex& index : relation.indexes) all.push_back(index.oid);
  all.insert(all.end(), sequences_.begin(), sequences_.end());
  const Oid table = relation.oid;
  for (const Oid oid : all) TRY(move(oid));
  TRY(move_constraints(table));
  return texts.write();
}

Status SchemaMove::move(Oid oid) {
  const RelationInfo* relation = TRY(context_.catalog.relation(context_.fiber, oid));
  CHECK(relation != nullptr);
  TRY(check_free(relation->name));
  const Oid row_type = relation->row_type;
  const bool depends = relation->kind != 'i';
  TRY(writer_.update_class(context_.fiber, oid, [&](RowBuilder& row, const CatalogRow&) {
    row.set(pg_class::relnamespace, to_);
  }));
  if (row_type) TRY(move_type(row_type));
  return depends ? move_dependency({pg_class::kRelation, oid}) : Status();
}

// With its array type.
Status SchemaMove::move_type(Oid type) {
  Oid array;
  const auto change = [&](RowBuilder& row, const CatalogRow& before) {
    array = before.get<Oid>(pg_type::typarray);
    row.set(pg_type::typnamespace, to_);
  };
  const Datum key[] = {Datum::of(type)};
  TRY(writer_.update_row(context_.fiber, pg_type::kRelation, kPgTypeOidIndex, key, change));
  if (!array) return {};
  const Datum array_key[] = {Datum::of(array)};
  TRY(writer_.update_row(context_.fiber, pg_type::kRelation, kPgTypeOidIndex, array_key, change));
  return {};
}

Status SchemaMove::move_constraints(Oid relation) {
  std::vector<Oid> constraints;
  const Datum keys[] = {Datum::of(relation)};
  TRY(context_.store.scan(context_.fiber, pg_constraint::kRelation,
                          kPgConstraintConrelidContypidConnameIndex, keys,
                          [&](const CatalogRow& row, Tid) -> Status {
                            constraints.push_back(row.get<Oid>(pg_constraint::oid));
                            return {};
                          }));
  for (const Oid constraint : constraints) {
    const Datum key[] = {Datum::of(constraint)};
    TRY(writer_.update_row(
        context_.fiber, pg_constraint::kRelation, kPgConstraintOidIndex, key,
        [&](RowBuilder& row, const CatalogRow&) { row.set(pg_constraint::connamespace, to_); }));
  }
  return {};
}

Status SchemaMove::move_dependency(const ObjectAddress& object) {
  std::vector<Tid> old;
  const Datum keys[] = {Datum::of(object.catalog), Datum::of(object.object), Datum::of(int32_t{0})};
  TRY(context_.store.scan(context_.fiber, pg_depend::kRelation, kPgDependDependerIndex, keys,
                          [&](const CatalogRow& row, Tid tid) -> Status {
                            if (row.get<Oid>(pg_depend::refclassid) == pg_namespace::kRelation &&
                                row.get<Oid>(pg_depend::refobjid) == from_)
                              old.push_back(tid);
                            return {};
                          }));
  for (const Tid tid : old) TRY(context_.store.remove(context_.fiber, pg_depend::kRelation, tid));
  return record_dependency(context_.fiber, context_.store, object, {pg_namespace::kRelation, to_},
                           DependencyType::normal);
}

// A sequence that belongs to a column goes where its table goes.
Status check_not_owned(CommandContext& context, const RelationInfo& sequence) {
  Oid owner;
  const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(sequence.oid),
                        Datum::of(int32_t{0})};
  TRY(context.store.scan(context.fiber, pg_depend::kRelation, kPgDependDependerIndex, keys,
                         [&](const CatalogRow& row, Tid) -> Status {
                           const char type = row.get<char>(pg_depend::deptype);
                           if (row.get<Oid>(pg_depend::refclassid) == pg_class::kRelation &&
                               (type == 'a' || type == 'i'))
                             owner = row.get<Oid>(pg_depend::refobjid);
                           return {};
                         }));
  if (!owner) return {};
  const RelationInfo* table = TRY(context.catalog.relation(context.fiber, owner));
  return raise(sqlstate::feature_not_supported, "cannot move an owned sequence into another schema")
      .detail(cat("Sequence \"", sequence.name, "\" is linked to table \"",
                  table == nullptr ? "" : table->name, "\"."));
}

}  // namespace

Status move_to_schema(CommandContext& context, const RelationInfo& relation,
                      std::string_view schema) {
  if (relation.kind == 'S') TRY(check_not_owned(context, relation));
  if (schema == "pg_catalog") return unsupported("SET SCHEMA pg_catalog");
  RangeVar target;
  target.schemaname = schema;
  target.relname = relation.name;
  target.location = -1;
  const Oid nsp = TRY(creation_schema(context, target));
  if (nsp == relation.nsp) return {};
  const NamespaceInfo* to = TRY(context.catalog.nsp(context.fiber, nsp));
  const bool temporary = relation.persistence == 't' || to->name.starts_with("pg_temp_") ||
                         to->name.starts_with("pg_toast_temp_");
  if (temporary) {
    return raise(sqlstate::feature_not_supported,
                 "cannot move objects into or out of temporary schemas");
  }
  if (nsp == kPgToastNamespace || relation.nsp == kPgToastNamespace) {
    return raise(sqlstate::feature_not_supported,
                 "cannot move objects into or out of TOAST schema");
  }
  return SchemaMove(context, relation.nsp, nsp).run(relation);
}

}  // namespace orrery
