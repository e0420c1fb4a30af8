// CREATE SCHEMA, CREATE VIEW, CREATE INDEX, COMMENT.
#include <algorithm>

#include "analyze/deparse.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "catalog/writer.h"
#include "command/define_index.h"
#include "command/objects.h"
#include "types/type_oids.h"

namespace orrery {

Result<std::string> create_schema(CommandContext& context, const CreateSchemaStmt& statement) {
  Oid owner = current_role(context);
  if (statement.authrole != nullptr) owner = TRY(resolve_role(context, *statement.authrole));
  const RoleInfo* role = TRY(context.catalog.role(context.fiber, owner));
  CHECK(role != nullptr);
  const std::string name = truncate_name(statement.schemaname.empty() ? std::string_view(role->name)
                                                                      : statement.schemaname);
  const DatabaseInfo* database = TRY(context.catalog.database(context.fiber, database_of(context)));
  CHECK(database != nullptr);
  const AclMode has =
      TRY(rights_of(context.fiber, context.catalog, AclKind::database, database->acl,
                    database->owner, current_role(context), kAclCreate));
  if (has == 0) {
    return raise(sqlstate::insufficient_privilege,
                 cat("permission denied for database ", database->name));
  }
  const bool may_give = TRY(context.catalog.is_member(context.fiber, current_role(context), owner));
  if (!may_give) {
    return raise(sqlstate::insufficient_privilege,
                 cat("must be member of role \"", role->name, "\""));
  }
  if (name.starts_with("pg_")) {
    return raise(sqlstate::reserved_name, cat("unacceptable schema name \"", name, "\""))
        .detail("The prefix \"pg_\" is reserved for system schemas.");
  }
  const Oid taken = TRY(context.catalog.nsp_oid(context.fiber, name));
  if (taken) {
    if (!statement.if_not_exists) {
      return raise(sqlstate::duplicate_schema, cat("schema \"", name, "\" already exists"));
    }
    notice(context, cat("schema \"", name, "\" already exists, skipping"));
    return std::string("CREATE SCHEMA");
  }
  using namespace pg_namespace;
  const Oid new_oid = TRY(context.store.new_oid(context.fiber));
  Arena arena;
  RowBuilder row(arena, kRelation);
  row.set(oid, new_oid).set_name(nspname, name).set(nspowner, owner);
  TRY(context.store.insert(context.fiber, kRelation, row.values()));
  TRY(record_role_dependency(context.fiber, context.store, database_of(context),
                             {kRelation, new_oid}, owner, 'o'));
  if (!statement.schema_elts.empty()) {
    // The elements' names without a schema mean this one.
    SearchPath path = context.path;
    path.creation = new_oid;
    path.namespaces.insert(path.namespaces.begin(), new_oid);
    CommandContext inner{.fiber = context.fiber,
                         .arena = context.arena,
                         .store = context.store,
                         .catalog = context.catalog,
                         .path = path,
                         .session = context.session,
                         .host = context.host,
                         .text = context.text};
    for (const Node* element : statement.schema_elts) TRY(run_command(inner, *element));
  }
  return std::string("CREATE SCHEMA");
}

namespace {

Result<std::vector<NewColumn>> view_columns(CommandContext& context, Query& query,
                                            const ViewStmt& statement) {
  size_t count = 0;
  for (const TargetEntry& target : query.targets) count += target.junk ? 0 : 1;
  if (statement.aliases.size() > count) {
    return raise(sqlstate::syntax_error, "CREATE VIEW specifies more column names than columns");
  }
  std::vector<NewColumn> out;
  for (TargetEntry& target : query.targets) {
    if (target.junk) continue;
    if (out.size() < statement.aliases.size()) target.name = statement.aliases[out.size()];
    NewColumn column;
    column.name = truncate_name(target.name);
    column.type = target.expr->type == type_oid::unknown ? type_oid::text : target.expr->type;
    column.typmod = target.expr->typmod;
    column.collation = target.expr->collation;
    const CatalogType* type = TRY(context.catalog.type(context.fiber, column.type));
    if (type->type == 'p') {
      AnalyzeContext analysis = context.analysis();
      const std::string shown = TRY(type_name(analysis, type->oid));
      return raise(sqlstate::invalid_table_definition,
                   cat("column \"", column.name, "\" has pseudo-type ", shown));
    }
    for (const NewColumn& other : out) {
      if (other.name == column.name) {
        return raise(sqlstate::duplicate_column,
                     cat("column \"", column.name, "\" specified more than once"));
      }
    }
    out.push_back(std::move(column));
  }
  return out;
}

// CREATE OR REPLACE may add columns at the end, nothing else.
Status check_replacement(CommandContext& context, const RelationInfo& old,
                         std::span<const NewColumn> columns) {
  if (old.kind != 'v') {
    return raise(sqlstate::wrong_object_type, cat("\"", old.name, "\" is not a view"));
  }
  TRY(check_relation_owner(context.fiber, context.catalog, old, current_role(context)));
  if (columns.size() < old.columns.size()) {
    return raise(sqlstate::invalid_table_definition, "cannot drop columns from view");
  }
  for (size_t i = 0; i < old.columns.size(); ++i) {
    if (columns[i].name != old.columns[i].name) {
      return raise(sqlstate::invalid_table_definition,
                   cat("cannot change name of view column \"", old.columns[i].name, "\" to \"",
                       columns[i].name, "\""))
          .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    }
    if (columns[i].type != old.desc()[i].type || columns[i].typmod != old.desc()[i].typmod) {
      AnalyzeContext analysis = context.analysis();
      const std::string from = TRY(type_name(analysis, old.desc()[i].type, old.desc()[i].typmod));
      const std::string to = TRY(type_name(analysis, columns[i].type, columns[i].typmod));
      return raise(sqlstate::invalid_table_definition,
                   cat("cannot change data type of view column \"", old.columns[i].name, "\" from ",
                       from, " to ", to));
    }
  }
  return {};
}

}  // namespace

Result<std::string> create_view(CommandContext& context, const ViewStmt& statement) {
  if (statement.with_check_option != ViewCheckOption::none) return unsupported("WITH CHECK OPTION");
  if (!statement.options.empty()) return unsupported("options of a view");
  AnalyzeContext analysis = context.analysis();
  analysis.opens_views = false;
  Query* query = TRY(analyze_statement(analysis, *statement.query));
  if (query->has_modifying_cte) {
    return raise(sqlstate::feature_not_supported,
                 "views must not contain data-modifying statements in WITH");
  }
  const Oid nsp = TRY(creation_schema(context, *statement.view));
  const std::string name = truncate_name(statement.view->relname);
  const std::vector<NewColumn> columns = TRY(view_columns(context, *query, statement));
  const StoredExpression stored = TRY(store_query(analysis, *query));
  CatalogWriter writer(context.store, context.catalog);
  const Oid taken = TRY(context.catalog.relation_oid(context.fiber, nsp, name));
  Oid view = taken;
  if (taken) {
    if (!statement.replace) {
      return raise(sqlstate::duplicate_table, cat("relation \"", name, "\" already exists"));
    }
    TRY(context.host.lock_relation(context.fiber, taken, kAccessExclusiveLock));
    const RelationInfo* old = TRY(context.catalog.relation(context.fiber, taken));
    TRY(check_replacement(context, *old, columns));
    for (size_t i = old->columns.size(); i < columns.size(); ++i) {
      const RelationInfo* now = TRY(context.catalog.relation(context.fiber, taken));
      TRY(writer.add_column(context.fiber, *now, columns[i]));
    }
  } else {
    NewRelation relation;
    relation.oid = view = TRY(context.store.new_oid(context.fiber));
    relation.name = name;
    relation.nsp = nsp;
    relation.owner = current_role(context);
    relation.kind = 'v';
    relation.columns = columns;
    if (statement.view->relpersistence == RelPersistence::temp) relation.persistence = 't';
    TRY(writer.create_relation(context.fiber, relation));
  }
  TRY(writer.set_view_definition(context.fiber, view, stored.sql, stored.needs));
  return std::string("CREATE VIEW");
}

Result<std::string> create_index(CommandContext& context, const IndexStmt& statement) {
  if (statement.concurrent) return unsupported("CREATE INDEX CONCURRENTLY");
  if (!statement.table_space.empty() && statement.table_space != "pg_default") {
    return raise(sqlstate::undefined_object,
                 cat("tablespace \"", statement.table_space, "\" does not exist"));
  }
  const RelationInfo* table = TRY(named_relation(context, *statement.relation, kShareLock));
  TRY(check_relation_owner(context.fiber, context.catalog, *table, current_role(context)));
  TRY(check_not_catalog(*table));
  TRY(context.host.check_not_in_use(table->oid, "CREATE INDEX"));
  IndexDefinition definition;
  definition.name = statement.idxname;
  definition.access_method = statement.access_method;
  definition.unique = statement.unique;
  definition.nulls_not_distinct = statement.nulls_not_distinct;
  definition.where = statement.where_clause;
  definition.options = TRY(storage_options(statement.options, 'i'));
  for (const IndexElem* element : statement.index_params) {
    if (!element->opclassopts.empty()) return unsupported("operator class parameters");
    definition.keys.push_back({.name = element->name,
                               .expr = element->expr,
                               .opclass = element->opclass,
                               .collation = element->collation,
                               .ordering = element->ordering,
                               .nulls_ordering = element->nulls_ordering});
  }
  for (const IndexElem* element : statement.index_including_params) {
    if (element->expr != nullptr) {
      return raise(sqlstate::feature_not_supported,
                   "expressions are not supported in included columns");
    }
    definition.including.push_back(element->name);
  }
  if (!definition.name.empty()) {
    const Oid taken = TRY(
        context.catalog.relation_oid(context.fiber, table->nsp, truncate_name(definition.name)));
    if (taken && statement.if_not_exists) {
      notice(context, cat("relation \"", definition.name, "\" already exists, skipping"));
      return std::string("CREATE INDEX");
    }
  }
  TRY(define_index(context, table->oid, definition));
  return std::string("CREATE INDEX");
}

namespace {

Result<RangeVar> relation_range(NodeList names, size_t count) {
  if (count == 0 || count > 3) {
    return raise(sqlstate::syntax_error, "improper qualified name (too many dotted names)");
  }
  RangeVar range;
  range.relname = as<String>(*names[count - 1]).sval;
  if (count > 1) range.schemaname = as<String>(*names[count - 2]).sval;
  if (count > 2) range.catalogname = as<String>(*names[count - 3]).sval;
  return range;
}

Result<ObjectAddress> comment_target(CommandContext& context, const CommentStmt& statement) {
  const auto* list = as_if<List>(statement.object);
  AnalyzeContext analysis = context.analysis();
  const ObjectType kind = statement.objtype;
  if (kind == ObjectType::schema) {
    const std::string_view name = as<String>(*statement.object).sval;
    const Oid oid = TRY(context.catalog.nsp_oid(context.fiber, name));
    if (!oid) return raise(sqlstate::undefined_schema, cat("schema \"", name, "\" does not exist"));
    return ObjectAddress{pg_namespace::kRelation, oid};
  }
  const bool is_relation = kind == ObjectType::table || kind == ObjectType::view ||
                           kind == ObjectType::index || kind == ObjectType::sequence;
  const bool is_part = kind == ObjectType::column || kind == ObjectType::tabconstraint;
  if (!is_relation && !is_part) return unsupported("COMMENT ON this kind of object");
  const RangeVar range = TRY(relation_range(list->items, list->items.size() - (is_part ? 1 : 0)));
  const RelationInfo* relation = TRY(resolve_relation(analysis, range, kShareUpdateExclusiveLock));
  TRY(check_relation_owner(context.fiber, context.catalog, *relation, current_role(context)));
  if (is_relation) return ObjectAddress{pg_class::kRelation, relation->oid};
  const std::string_view part = as<String>(*list->items.back()).sval;
  if (kind == ObjectType::column) {
    const int16_t number = relation->column_number(part);
    if (number != 0) return ObjectAddress{pg_class::kRelation, relation->oid, number};
    return raise(sqlstate::undefined_column,
                 cat("column \"", part, "\" of relation \"", relation->name, "\" does not exist"));
  }
  const ConstraintInfo* constraint = relation->constraint(part);
  if (constraint != nullptr) return ObjectAddress{pg_constraint::kRelation, constraint->oid};
  return raise(sqlstate::undefined_object,
               cat("constraint \"", part, "\" for table \"", relation->name, "\" does not exist"));
}

}  // namespace

Result<std::string> comment(CommandContext& context, const CommentStmt& statement) {
  const ObjectAddress target = TRY(comment_target(context, statement));
  CatalogWriter writer(context.store, context.catalog);
  TRY(writer.set_comment(context.fiber, target, statement.has_comment ? statement.comment : ""));
  return std::string("COMMENT");
}

}  // namespace orrery
