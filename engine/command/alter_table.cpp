// ALTER TABLE, RENAME, OWNER TO.
#include <algorithm>

#include "analyze/deparse.h"
#include "base/text.h"
#include "catalog/quote.h"
#include "command/create_table.h"
#include "command/objects.h"
#include "command/relation_storage.h"
#include "command/stored_texts.h"

namespace orrery {
namespace {

class TableChange {
 public:
  TableChange(CommandContext& context, Oid table) : context_(context), table_(table) {}
  Status apply(const AlterTableCmd& command);

 private:
  Result<const RelationInfo*> info();
  Result<int16_t> column(std::string_view name);
  Status add_column(const AlterTableCmd& command);
  Status add_filled_column(ColumnDraft& draft, std::span<const ConstraintDraft> constraints);
  Status make_column(const ColumnDraft& draft);
  Status drop_column(const AlterTableCmd& command);
  Status set_default(const AlterTableCmd& command);
  Status drop_not_null(const AlterTableCmd& command);
  Status drop_constraint(const AlterTableCmd& command);
  Status change_owner(const AlterTableCmd& command);

  CommandContext& context_;
  Oid table_;
};

Result<const RelationInfo*> TableChange::info() {
  const RelationInfo* relation = TRY(context_.catalog.relation(context_.fiber, table_));
  CHECK(relation != nullptr);
  return relation;
}

Result<int16_t> TableChange::column(std::string_view name) {
  const RelationInfo* relation = TRY(info());
  const int16_t number = relation->column_number(name);
  if (number == 0) {
    return raise(sqlstate::undefined_column,
                 cat("column \"", name, "\" of relation \"", relation->name, "\" does not exist"));
  }
  if (number < 0) {
    return raise(sqlstate::feature_not_supported, cat("cannot alter system column \"", name, "\""));
  }
  return number;
}

// A column without a value for rows that exist is only a matter of the catalog; one with a value
// is written into every row.
Status TableChange::add_column(const AlterTableCmd& command) {
  const RelationInfo* relation = TRY(info());
  const auto& definition = as<ColumnDef>(*command.def);
  if (relation->column_number(definition.colname) != 0) {
    if (command.missing_ok) {
      notice(context_, cat("column \"", definition.colname, "\" of relation \"", relation->name,
                           "\" already exists, skipping"));
      return {};
    }
    return raise(sqlstate::duplicate_column,
                 cat("column \"", definition.colname, "\" of relation \"", relation->name,
                     "\" already exists"));
  }
  std::vector<ConstraintDraft> constraints;
  ColumnDraft draft = TRY(draft_column(context_, definition, relation->name, constraints));
  bool has_rows = false;
  TRY(context_.host.run_query(context_.fiber,
                              cat("SELECT 1 FROM ONLY ", quote_identifier(relation->nsp_name), ".",
                                  quote_identifier(relation->name), " LIMIT 1"),
                              [&](std::span<const NullableDatum>) -> Status {
                                has_rows = true;
                                return {};
                              }));
  const bool has_value =
      draft.default_expr != nullptr || draft.is_serial || draft.identity != nullptr;
  if (has_rows && has_value) return add_filled_column(draft, constraints);
  if (has_rows && draft.column.not_null) {
    return raise(sqlstate::not_null_violation,
                 cat("column \"", draft.column.name, "\" of relation \"", relation->name,
                     "\" contains null values"))
        .table(relation->nsp_name, relation->name)
        .column(draft.column.name);
  }
  TRY(make_column(draft));
  TRY(make_toast_table_if_needed(context_, table_));
  return add_constraints(context_, table_, constraints, true);
}

// Every row gets the new column's value: the table is written anew.
Status TableChange::add_filled_column(ColumnDraft& draft,
                                      std::span<const ConstraintDraft> constraints) {
  const bool not_null = std::exchange(draft.column.not_null, false);
  TRY(context_.host.rewrite_table(context_.fiber, table_, {}, [&]() -> Status {
    TRY(make_column(draft));
    TRY(make_toast_table_if_needed(context_, table_));
    return empty_relation(context_, table_);
  }));
  const int16_t number = TRY(column(draft.column.name));
  if (not_null) TRY(set_column_not_null(context_, table_, number, true));
  return add_constraints(context_, table_, constraints, true);
}

// The column with its default or its sequence, in the catalog.
Status TableChange::make_column(const ColumnDraft& draft) {
  const RelationInfo* relation = TRY(info());
  CatalogWriter writer(context_.store, context_.catalog);
  TRY(writer.add_column(context_.fiber, *relation, draft.column));
  const int16_t number = TRY(column(draft.column.name));
  if (draft.is_serial || draft.identity != nullptr) {
    TRY(make_column_sequence(
        context_, table_, number, draft.column.type,
        draft.identity == nullptr ? ListOf<DefElem>() : draft.identity->options,
        draft.identity != nullptr));
  } else if (draft.default_expr != nullptr) {
    TRY(store_default(context_, table_, number, *draft.default_expr,
                      draft.column.generated != '\0'));
  }
  return {};
}

Status TableChange::drop_column(const AlterTableCmd& command) {
  const RelationInfo* relation = TRY(info());
  if (command.missing_ok && relation->column_number(command.name) == 0) {
    notice(context_, cat("column \"", command.name, "\" of relation \"", relation->name,
                         "\" does not exist, skipping"));
    return {};
  }
  const int16_t number = TRY(column(command.name));
  const ObjectAddress objects[] = {{pg_class::kRelation, table_, number}};
  return drop_objects(
      context_, objects,
      command.behavior == DropBehavior::cascade ? DropMode::cascade : DropMode::restrict_);
}

Status TableChange::set_default(const AlterTableCmd& command) {
  const int16_t number = TRY(column(command.name));
  const RelationInfo* relation = TRY(info());
  const ColumnInfo& own = relation->column(number);
  if (own.identity != '\0') {
    return raise(sqlstate::syntax_error, cat("column \"", own.name, "\" of relation \"",
                                             relation->name, "\" is an identity column"));
  }
  if (own.generated != '\0') {
    return raise(sqlstate::syntax_error, cat("column \"", own.name, "\" of relation \"",
                                             relation->name, "\" is a generated column"));
  }
  if (command.def != nullptr) {
    return store_default(context_, table_, number, *command.def, false);
  }
  CatalogWriter writer(context_.store, context_.catalog);
  return writer.set_default(context_.fiber, table_, number, std::nullopt, {});
}

Status TableChange::drop_not_null(const AlterTableCmd& command) {
  const int16_t number = TRY(column(command.name));
  const RelationInfo* relation = TRY(info());
  if (relation->column(number).identity != '\0') {
    return raise(sqlstate::syntax_error, cat("column \"", command.name, "\" of relation \"",
                                             relation->name, "\" is an identity column"));
  }
  const CatalogIndex* key = relation->primary_key();
  if (key != nullptr && std::ranges::find(key->columns, number) != key->columns.end()) {
    return raise(sqlstate::invalid_table_definition,
                 cat("column \"", command.name, "\" is in a primary key"));
  }
  CatalogWriter writer(context_.store, context_.catalog);
  return writer.update_attribute(
      context_.fiber, table_, number,
      [](RowBuilder& row, const CatalogRow&) { row.set(pg_attribute::attnotnull, false); });
}

Status TableChange::drop_constraint(const AlterTableCmd& command) {
  const RelationInfo* relation = TRY(info());
  const ConstraintInfo* constraint = relation->constraint(command.name);
  if (constraint == nullptr) {
    if (command.missing_ok) {
      notice(context_, cat("constraint \"", command.name, "\" of relation \"", relation->name,
                           "\" does not exist, skipping"));
      return {};
    }
    return raise(sqlstate::undefined_object, cat("constraint \"", command.name, "\" of relation \"",
                                                 relation->name, "\" does not exist"));
  }
  const ObjectAddress objects[] = {{pg_constraint::kRelation, constraint->oid}};
  return drop_objects(
      context_, objects,
      command.behavior == DropBehavior::cascade ? DropMode::cascade : DropMode::restrict_);
}

// Of serial and identity columns.
Result<std::vector<Oid>> owned_sequences(CommandContext& context, Oid table) {
  using namespace pg_depend;
  std::vector<Oid> found;
  const Datum keys[] = {Datum::of(pg_class::kRelation), Datum::of(table)};
  TRY(context.store.scan(context.fiber, kRelation, kPgDependReferenceIndex, keys,
                         [&](const CatalogRow& row, Tid) -> Status {
                           const char type = row.get<char>(deptype);
                           if (row.get<Oid>(classid) == pg_class::kRelation &&
                               row.get<int32_t>(refobjsubid) != 0 && (type == 'a' || type == 'i')) {
                             found.push_back(row.get<Oid>(objid));
                           }
                           return {};
                         }));
  std::vector<Oid> sequences;
  for (Oid oid : found) {
    const RelationInfo* relation = TRY(context.catalog.relation(context.fiber, oid));
    if (relation != nullptr && relation->kind == 'S') sequences.push_back(oid);
  }
  return sequences;
}

Status change_relation_owner(CommandContext& context, Oid oid, Oid owner) {
  CatalogWriter writer(context.store, context.catalog);
  const RelationInfo* relation = TRY(context.catalog.relation(context.fiber, oid));
  CHECK(relation != nullptr);
  if (relation->owner == owner) return {};
  TRY(writer.update_class(context.fiber, oid, [&](RowBuilder& row, const CatalogRow&) {
    row.set(pg_class::relowner, owner);
    if (relation->acl.empty()) return;
    Acl acl = decode_acl(relation->acl);
    change_acl_owner(acl, relation->owner, owner);
    row.set_text(pg_class::relacl, encode_acl(acl));
  }));
  if (relation->kind != 'i' && relation->kind != 't') {
    TRY(change_owner_dependency(context.fiber, context.store, database_of(context),
                                {pg_class::kRelation, oid}, owner));
  }
  if (relation->row_type) {
    const Datum keys[] = {Datum::of(relation->row_type)};
    TRY(writer.update_row(
        context.fiber, pg_type::kRelation, kPgTypeOidIndex, keys,
        [&](RowBuilder& row, const CatalogRow&) { row.set(pg_type::typowner, owner); }));
  }
  if (relation->kind == 'r') {
    for (const CatalogIndex& index : relation->indexes) {
      TRY(change_relation_owner(context, index.oid, owner));
    }
    if (relation->toast) TRY(change_relation_owner(context, relation->toast, owner));
    const std::vector<Oid> sequences = TRY(owned_sequences(context, oid));
    for (Oid sequence : sequences) TRY(change_relation_owner(context, sequence, owner));
  }
  return {};
}

Status TableChange::change_owner(const AlterTableCmd& command) {
  const Oid owner = TRY(resolve_role(context_, *command.newowner));
  const bool may = TRY(context_.catalog.is_member(context_.fiber, current_role(context_), owner));
  if (!may) {
    const RoleInfo* role = TRY(context_.catalog.role(context_.fiber, owner));
    return raise(sqlstate::insufficient_privilege,
                 cat("must be member of role \"", role->name, "\""));
  }
  return change_relation_owner(context_, table_, owner);
}

// The actions there are so far, as complaints name them.
std::string_view action_name(AlterTableType type) {
  constexpr std::pair<AlterTableType, std::string_view> kNames[] = {
      {AlterTableType::add_column, "ADD COLUMN"},
      {AlterTableType::column_default, "ALTER COLUMN ... SET DEFAULT"},
      {AlterTableType::drop_not_null, "ALTER COLUMN ... DROP NOT NULL"},
      {AlterTableType::set_not_null, "ALTER COLUMN ... SET NOT NULL"},
      {AlterTableType::drop_column, "DROP COLUMN"},
      {AlterTableType::add_constraint, "ADD CONSTRAINT"},
      {AlterTableType::drop_constraint, "DROP CONSTRAINT"},
      {AlterTableType::alter_column_type, "ALTER COLUMN ... SET DATA TYPE"}};
  const auto* found =
      std::ranges::find(kNames, type, &std::pair<AlterTableType, std::string_view>::first);
  return found == std::end(kNames) ? std::string_view() : found->second;
}

Status unfit_action(AlterTableType type, const RelationInfo& relation) {
  const std::string_view action = action_name(type);
  if (action.empty()) return unsupported("this form of ALTER TABLE");
  const std::string_view kinds = relation.kind == 'S'   ? "sequences"
                                 : relation.kind == 'i' ? "indexes"
                                                        : "views";
  return raise(sqlstate::wrong_object_type,
               cat("ALTER action ", action, " cannot be performed on relation \"", relation.name,
                   "\""))
      .detail(cat("This operation is not supported for ", kinds, "."));
}

Status TableChange::apply(const AlterTableCmd& command) {
  const AlterTableType type = command.subtype;
  const RelationInfo* relation = TRY(info());
  const bool fits = relation->kind == 'r' || type == AlterTableType::change_owner ||
                    (relation->kind == 'v' && type == AlterTableType::column_default);
  if (!fits) return unfit_action(type, *relation);
  if (type == AlterTableType::add_column) return add_column(command);
  if (type == AlterTableType::drop_column) return drop_column(command);
  if (type == AlterTableType::column_default) return set_default(command);
  if (type == AlterTableType::drop_not_null) return drop_not_null(command);
  if (type == AlterTableType::drop_constraint) return drop_constraint(command);
  if (type == AlterTableType::change_owner) return change_owner(command);
  if (type == AlterTableType::set_not_null) {
    const int16_t number = TRY(column(command.name));
    return set_column_not_null(context_, table_, number, true);
  }
  if (type == AlterTableType::add_constraint) {
    const ConstraintDraft draft{&as<Constraint>(*command.def), {}};
    return add_constraints(context_, table_, std::span(&draft, 1), true);
  }
  if (type == AlterTableType::alter_column_type) {
    const int16_t changed = TRY(column(command.name));
    return alter_column_type(context_, *relation, command, changed);
  }
  return unsupported("this form of ALTER TABLE");
}

std::string_view kinds_of(ObjectType type) {
  if (type == ObjectType::view) return "v";
  if (type == ObjectType::index) return "i";
  if (type == ObjectType::sequence) return "S";
  // ALTER TABLE works on its cousins too.
  return "rviS";
}

std::string_view alter_tag(ObjectType type) {
  if (type == ObjectType::view) return "ALTER VIEW";
  if (type == ObjectType::index) return "ALTER INDEX";
  if (type == ObjectType::sequence) return "ALTER SEQUENCE";
  return "ALTER TABLE";
}

// Stored texts name columns. They are not written anew yet, so renaming is refused where anything
// would go stale.
Status check_nothing_stored_names(CommandContext& context, const ObjectAddress& column) {
  const Datum keys[] = {Datum::of(column.catalog), Datum::of(column.object),
                        Datum::of(column.column)};
  std::vector<ObjectAddress> needed_by;
  TRY(context.store.scan(context.fiber, pg_depend::kRelation, kPgDependReferenceIndex, keys,
                         [&](const CatalogRow& row, Tid) -> Status {
                           needed_by.push_back({row.get<Oid>(pg_depend::classid),
                                                row.get<Oid>(pg_depend::objid), 0});
                           return {};
                         }));
  for (const ObjectAddress& user : needed_by) {
    if (user.catalog == pg_rewrite::kRelation)
      return unsupported("renaming a column that a view names");
    if (user.catalog != pg_constraint::kRelation) continue;
    bool is_check = false;
    const Datum key[] = {Datum::of(user.object)};
    TRY(context.store.scan(context.fiber, user.catalog, kPgConstraintOidIndex, key,
                           [&](const CatalogRow& row, Tid) -> Status {
                             is_check = row.get<char>(pg_constraint::contype) == 'c';
                             return {};
                           }));
    if (is_check) return unsupported("renaming a column that a check constraint names");
  }
  return {};
}

Status rename_relation(CommandContext& context, const RelationInfo& relation,
                       std::string_view new_name) {
  const std::string name = truncate_name(new_name);
  const Oid taken = TRY(context.catalog.relation_oid(context.fiber, relation.nsp, name));
  if (taken) {
    return raise(sqlstate::duplicate_table, cat("relation \"", name, "\" already exists"));
  }
  StoredTexts texts(context);
  TRY(texts.read(relation.oid));
  CatalogWriter writer(context.store, context.catalog);
  const Oid row_type = relation.row_type;
  const Oid oid = relation.oid;
  // A constraint is called like its index.
  Oid constraint;
  if (relation.kind == 'i') {
    TRY(context.store.scan(context.fiber, pg_constraint::kRelation, kInvalidOid, {},
                           [&](const CatalogRow& row, Tid) -> Status {
                             using namespace pg_constraint;
                             const char type = row.get<char>(contype);
                             if (row.get<Oid>(conindid) == relation.oid && type != 'f') {
                               constraint = row.get<Oid>(pg_constraint::oid);
                             }
                             return {};
                           }));
  }
  TRY(writer.update_class(context.fiber, oid, [&](RowBuilder& row, const CatalogRow&) {
    row.set_name(pg_class::relname, name);
  }));
  if (row_type) {
    const Datum keys[] = {Datum::of(row_type)};
    TRY(writer.update_row(
        context.fiber, pg_type::kRelation, kPgTypeOidIndex, keys,
        [&](RowBuilder& row, const CatalogRow&) { row.set_name(pg_type::typname, name); }));
  }
  if (constraint) {
    const Datum keys[] = {Datum::of(constraint)};
    TRY(writer.update_row(
        context.fiber, pg_constraint::kRelation, kPgConstraintOidIndex, keys,
        [&](RowBuilder& row, const CatalogRow&) { row.set_name(pg_constraint::conname, name); }));
  }
  return texts.write();
}

Status rename_column(CommandContext& context, const RelationInfo& relation,
                     std::string_view old_name, std::string_view new_name) {
  const int16_t number = relation.column_number(old_name);
  if (number == 0) {
    return raise(sqlstate::undefined_column, cat("column \"", old_name, "\" does not exist"));
  }
  if (number < 0) {
    return raise(sqlstate::feature_not_supported,
                 cat("cannot rename system column \"", old_name, "\""));
  }
  const std::string name = truncate_name(new_name);
  if (relation.column_number(name) != 0) {
    return raise(sqlstate::duplicate_column,
                 cat("column \"", name, "\" of relation \"", relation.name, "\" already exists"));
  }
  for (const CatalogIndex& index : relation.indexes) {
    if (!index.expressions.empty() || !index.predicate.empty()) {
      return unsupported("renaming a column of a table with indexes on expressions");
    }
  }
  if (std::ranges::any_of(relation.columns,
                          [](const ColumnInfo& column) { return column.generated != '\0'; })) {
    return unsupported("renaming a column of a table with generated columns");
  }
  TRY(check_nothing_stored_names(context, {pg_class::kRelation, relation.oid, number}));
  CatalogWriter writer(context.store, context.catalog);
  std::vector<std::pair<Oid, int16_t>> places = {{relation.oid, number}};
  for (const CatalogIndex& index : relation.indexes) {
    for (size_t i = 0; i < index.columns.size(); ++i) {
      if (index.columns[i] == number) places.push_back({index.oid, static_cast<int16_t>(i + 1)});
    }
  }
  for (const auto& [table, column] : places) {
    TRY(writer.update_attribute(
        context.fiber, table, column,
        [&](RowBuilder& row, const CatalogRow&) { row.set_name(pg_attribute::attname, name); }));
  }
  return {};
}

}  // namespace

Result<std::string> alter_table(CommandContext& context, const AlterTableStmt& statement) {
  const RelationInfo* relation =
      TRY(own_relation(context, *statement.relation, kinds_of(statement.objtype),
                       kAccessExclusiveLock, statement.missing_ok));
  const std::string tag(alter_tag(statement.objtype));
  if (relation == nullptr) return tag;
  TRY(context.host.check_not_in_use(relation->oid, "ALTER TABLE"));
  TableChange change(context, relation->oid);
  // PostgreSQL's passes: what goes first, then what comes.
  auto pass_of = [](AlterTableType type) {
    if (type == AlterTableType::drop_column || type == AlterTableType::drop_constraint) return 0;
    if (type == AlterTableType::add_column) return 1;
    return type == AlterTableType::add_constraint ? 3 : 2;
  };
  for (int pass = 0; pass < 4; ++pass) {
    for (const AlterTableCmd* command : statement.cmds) {
      if (pass_of(command->subtype) == pass) TRY(change.apply(*command));
    }
  }
  return tag;
}

Result<std::string> rename(CommandContext& context, const RenameStmt& statement) {
  const ObjectType type = statement.rename_type;
  const bool is_relation = type == ObjectType::table || type == ObjectType::view ||
                           type == ObjectType::index || type == ObjectType::sequence;
  if (is_relation || type == ObjectType::column) {
    const ObjectType relation_type = is_relation ? type : statement.relation_type;
    const RelationInfo* relation =
        TRY(own_relation(context, *statement.relation, kinds_of(relation_type),
                         kAccessExclusiveLock, statement.missing_ok));
    std::string tag(alter_tag(relation_type));
    if (relation == nullptr) return tag;
    if (is_relation) {
      TRY(rename_relation(context, *relation, statement.newname));
    } else {
      TRY(rename_column(context, *relation, statement.subname, statement.newname));
    }
    return tag;
  }
  return unsupported("RENAME of this kind of object");
}

Result<std::string> set_schema(CommandContext& context, const AlterObjectSchemaStmt& statement) {
  if (statement.relation == nullptr) return unsupported("SET SCHEMA of this kind of object");
  const RelationInfo* relation =
      TRY(own_relation(context, *statement.relation, kinds_of(statement.object_type),
                       kAccessExclusiveLock, statement.missing_ok));
  std::string tag(alter_tag(statement.object_type));
  if (relation == nullptr) return tag;
  if (relation->kind == 'i') {
    return raise(sqlstate::wrong_object_type,
                 cat("cannot change schema of index \"", relation->name, "\""))
        .hint("Change the schema of the table instead.");
  }
  TRY(move_to_schema(context, *relation, statement.newschema));
  return tag;
}

Result<std::string> alter_owner(CommandContext& context, const AlterOwnerStmt& statement) {
  const Oid owner = TRY(resolve_role(context, *statement.newowner));
  if (statement.object_type != ObjectType::schema) {
    return unsupported("OWNER TO of this kind of object");
  }
  const std::string_view name = as<String>(*statement.object).sval;
  const Oid oid = TRY(context.catalog.nsp_oid(context.fiber, name));
  if (!oid) return raise(sqlstate::undefined_schema, cat("schema \"", name, "\" does not exist"));
  const NamespaceInfo* nsp = TRY(context.catalog.nsp(context.fiber, oid));
  const bool owns =
      TRY(context.catalog.is_member(context.fiber, current_role(context), nsp->owner));
  if (!owns) {
    return raise(sqlstate::insufficient_privilege, cat("must be owner of schema ", name));
  }
  const bool may = TRY(context.catalog.is_member(context.fiber, current_role(context), owner));
  if (!may) {
    const RoleInfo* role = TRY(context.catalog.role(context.fiber, owner));
    return raise(sqlstate::insufficient_privilege,
                 cat("must be member of role \"", role->name, "\""));
  }
  CatalogWriter writer(context.store, context.catalog);
  const Datum keys[] = {Datum::of(oid)};
  TRY(writer.update_row(context.fiber, pg_namespace::kRelation, kPgNamespaceOidIndex, keys,
                        [&](RowBuilder& row, const CatalogRow&) {
                          row.set(pg_namespace::nspowner, owner);
                          if (nsp->acl.empty()) return;
                          Acl acl = decode_acl(nsp->acl);
                          change_acl_owner(acl, nsp->owner, owner);
                          row.set_text(pg_namespace::nspacl, encode_acl(acl));
                        }));
  TRY(change_owner_dependency(context.fiber, context.store, database_of(context),
                              {pg_namespace::kRelation, oid}, owner));
  return std::string("ALTER SCHEMA");
}

}  // namespace orrery
