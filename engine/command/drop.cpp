// DROP of relations and schemas, and TRUNCATE.
#include <algorithm>

#include "access/btree.h"
#include "base/text.h"
#include "catalog/sequence.h"
#include "catalog/writer.h"
#include "command/objects.h"
#include "command/relation_storage.h"

namespace orrery {
namespace {

// What DROP says of each kind.
struct DropKind {
  ObjectType type;
  char relkind;
  std::string_view word;     // "table"
  std::string_view article;  // "a table"
  std::string_view tag;
  std::string_view hint;
};
constexpr DropKind kDropKinds[] = {
    {ObjectType::table, 'r', "table", "a table", "DROP TABLE", "Use DROP TABLE to remove a table."},
    {ObjectType::view, 'v', "view", "a view", "DROP VIEW", "Use DROP VIEW to remove a view."},
    {ObjectType::index, 'i', "index", "an index", "DROP INDEX",
     "Use DROP INDEX to remove an index."},
    {ObjectType::sequence, 'S', "sequence", "a sequence", "DROP SEQUENCE",
     "Use DROP SEQUENCE to remove a sequence."},
    {ObjectType::matview, 'm', "materialized view", "a materialized view", "DROP MATERIALIZED VIEW",
     "Use DROP MATERIALIZED VIEW to remove a materialized view."},
};

Result<RangeVar> range_of(const Node& node) {
  const auto* list = as_if<List>(&node);
  CHECK(list != nullptr);
  RangeVar range;
  const NodeList names = list->items;
  const size_t count = names.size();
  if (count > 3) {
    return raise(sqlstate::syntax_error, "improper relation name (too many dotted names)");
  }
  range.relname = as<String>(*names[count - 1]).sval;
  if (count > 1) range.schemaname = as<String>(*names[count - 2]).sval;
  if (count > 2) range.catalogname = as<String>(*names[count - 3]).sval;
  return range;
}

Status missing_relation(CommandContext& context, const DropStmt& statement, const DropKind& kind,
                        const RangeVar& name) {
  if (!name.schemaname.empty()) {
    const Oid nsp = TRY(context.catalog.nsp_oid(context.fiber, name.schemaname));
    if (!nsp) {
      if (!statement.missing_ok) {
        return raise(sqlstate::undefined_schema,
                     cat("schema \"", name.schemaname, "\" does not exist"));
      }
      notice(context, cat("schema \"", name.schemaname, "\" does not exist, skipping"));
      return {};
    }
  }
  if (statement.missing_ok) {
    notice(context, cat(kind.word, " \"", name.relname, "\" does not exist, skipping"));
    return {};
  }
  return raise(
      kind.type == ObjectType::index ? sqlstate::undefined_object : sqlstate::undefined_table,
      cat(kind.word, " \"", name.relname, "\" does not exist"));
}

Result<std::string> drop_relations(CommandContext& context, const DropStmt& statement,
                                   const DropKind& kind) {
  std::vector<ObjectAddress> objects;
  for (const Node* node : statement.objects) {
    const RangeVar name = TRY(range_of(*node));
    AnalyzeContext analysis = context.analysis();
    const RelationInfo* found = TRY(find_relation(analysis, name, kAccessExclusiveLock));
    if (found == nullptr) {
      TRY(missing_relation(context, statement, kind, name));
      continue;
    }
    if (found->kind != kind.relkind) {
      const auto other = std::ranges::find(kDropKinds, found->kind, &DropKind::relkind);
      Status wrong =
          raise(sqlstate::wrong_object_type, cat("\"", found->name, "\" is not ", kind.article));
      if (other != std::end(kDropKinds)) wrong = std::move(wrong).hint(std::string(other->hint));
      return wrong;
    }
    const bool owns_schema = TRY([&]() -> Result<bool> {
      const NamespaceInfo* nsp = TRY(context.catalog.nsp(context.fiber, found->nsp));
      return context.catalog.is_member(context.fiber, current_role(context), nsp->owner);
    }());
    if (!owns_schema) {
      TRY(check_relation_owner(context.fiber, context.catalog, *found, current_role(context)));
    }
    TRY(check_not_catalog(*found));
    if (kind.relkind == 'i') {
      TRY(context.host.lock_relation(context.fiber, found->indexes.at(0).relation,
                                     kAccessExclusiveLock));
    }
    objects.push_back({pg_class::kRelation, found->oid});
  }
  if (!objects.empty()) {
    TRY(drop_objects(
        context, objects,
        statement.behavior == DropBehavior::cascade ? DropMode::cascade : DropMode::restrict_));
  }
  return std::string(kind.tag);
}

Result<std::string> drop_schemas(CommandContext& context, const DropStmt& statement) {
  std::vector<ObjectAddress> objects;
  for (const Node* node : statement.objects) {
    const std::string_view name = as<String>(*node).sval;
    const Oid oid = TRY(context.catalog.nsp_oid(context.fiber, name));
    if (!oid) {
      if (!statement.missing_ok) {
        return raise(sqlstate::undefined_schema, cat("schema \"", name, "\" does not exist"));
      }
      notice(context, cat("schema \"", name, "\" does not exist, skipping"));
      continue;
    }
    const NamespaceInfo* info = TRY(context.catalog.nsp(context.fiber, oid));
    const bool owns =
        TRY(context.catalog.is_member(context.fiber, current_role(context), info->owner));
    if (!owns) {
      return raise(sqlstate::insufficient_privilege, cat("must be owner of schema ", name));
    }
    if (oid < kFirstUserOid && oid != kPublicNamespace) {
      return raise(
          sqlstate::dependent_objects_still_exist,
          cat("cannot drop schema ", name, " because it is required by the database system"));
    }
    objects.push_back({pg_namespace::kRelation, oid});
  }
  if (!objects.empty()) {
    TRY(drop_objects(
        context, objects,
        statement.behavior == DropBehavior::cascade ? DropMode::cascade : DropMode::restrict_));
  }
  return std::string("DROP SCHEMA");
}

// Tables with rows in them, or with rows that went.
Result<bool> has_pages(CommandContext& context, const RelationInfo& relation) {
  Storage& storage = context.store.access().storage();
  const BlockNo blocks = TRY(storage.file_size(context.fiber, relation.storage.file));
  return blocks > BlockNo{0};
}

}  // namespace

Status empty_tables(CommandContext& context, std::span<const Oid> tables) {
  for (Oid table : tables) {
    const RelationInfo* info = TRY(context.catalog.relation(context.fiber, table));
    for (const ConstraintInfo& constraint : info->referenced_by) {
      if (std::ranges::find(tables, constraint.relation) != tables.end()) continue;
      const RelationInfo* other = TRY(context.catalog.relation(context.fiber, constraint.relation));
      return raise(sqlstate::feature_not_supported,
                   "unsupported ON COMMIT and foreign key combination")
          .detail(cat("Table \"", other->name, "\" references \"", info->name,
                      "\", but they do not have the same ON COMMIT setting."));
    }
  }
  for (Oid table : tables) {
    const RelationInfo* info = TRY(context.catalog.relation(context.fiber, table));
    const bool worth_it = TRY(has_pages(context, *info));
    if (worth_it) TRY(empty_relation(context, table));
  }
  return {};
}

Result<std::string> drop_statement(CommandContext& context, const DropStmt& statement) {
  if (statement.concurrent) return unsupported("DROP INDEX CONCURRENTLY");
  if (statement.remove_type == ObjectType::schema) return drop_schemas(context, statement);
  const auto kind = std::ranges::find(kDropKinds, statement.remove_type, &DropKind::type);
  if (kind == std::end(kDropKinds)) return drop_others(context, statement);
  return drop_relations(context, statement, *kind);
}

Result<std::string> truncate(CommandContext& context, const TruncateStmt& statement) {
  std::vector<Oid> tables;
  for (const RangeVar* name : statement.relations) {
    const RelationInfo* info = TRY(named_relation(context, *name, kAccessExclusiveLock));
    if (info->kind != 'r') {
      return raise(sqlstate::wrong_object_type, cat("\"", info->name, "\" is not a table"));
    }
    TRY(check_relation_rights(context.fiber, context.catalog, *info, current_role(context),
                              kAclTruncate));
    TRY(check_not_catalog(*info));
    if (std::ranges::find(tables, info->oid) == tables.end()) tables.push_back(info->oid);
  }
  // Tables that refer to these go along or forbid it.
  for (size_t i = 0; i < tables.size(); ++i) {
    const RelationInfo* info = TRY(context.catalog.relation(context.fiber, tables[i]));
    for (const ConstraintInfo& constraint : info->referenced_by) {
      if (std::ranges::find(tables, constraint.relation) != tables.end()) continue;
      const RelationInfo* other = TRY(context.catalog.relation(context.fiber, constraint.relation));
      if (statement.behavior != DropBehavior::cascade) {
        return raise(sqlstate::feature_not_supported,
                     "cannot truncate a table referenced in a foreign key constraint")
            .detail(cat("Table \"", other->name, "\" references \"", info->name, "\"."))
            .hint(cat("Truncate table \"", other->name,
                      "\" at the same time, or use TRUNCATE ... CASCADE."));
      }
      TRY(context.host.lock_relation(context.fiber, other->oid, kAccessExclusiveLock));
      TRY(check_relation_rights(context.fiber, context.catalog, *other, current_role(context),
                                kAclTruncate));
      notice(context, cat("truncate cascades to table \"", other->name, "\""));
      tables.push_back(other->oid);
    }
  }
  if (statement.restart_seqs) return unsupported("TRUNCATE ... RESTART IDENTITY");
  for (const Oid table : tables) TRY(context.host.check_not_in_use(table, "TRUNCATE"));
  for (const Oid table : tables) TRY(empty_relation(context, table));
  return std::string("TRUNCATE TABLE");
}

}  // namespace orrery
