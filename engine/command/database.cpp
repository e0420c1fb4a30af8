// CREATE and DROP DATABASE. A new database is made of the same facts as its template, as long as
// that has no objects of its own.
#include "base/text.h"
#include "catalog/bootstrap.h"
#include "catalog/relation_loader.h"
#include "catalog/writer.h"
#include "command/objects.h"
#include "command/relation_storage.h"

namespace orrery {
namespace {

struct DatabaseOptions {
  std::string template_name = "template1";
  Oid owner;
  int32_t connection_limit = -1;
  bool is_template = false, allow_connections = true;
};

Result<DatabaseOptions> read_options(CommandContext& context, ListOf<DefElem> options) {
  DatabaseOptions out;
  out.owner = current_role(context);
  for (const DefElem* option : options) {
    const std::string_view name = option->defname;
    if (option->arg == nullptr) continue;  // DEFAULT
    const std::string text = TRY(option_text(*option));
    if (name == "template") {
      out.template_name = text;
    } else if (name == "owner") {
      RoleSpec spec;
      spec.rolename = text;
      out.owner = TRY(resolve_role(context, spec));
    } else if (name == "connection_limit") {
      const int64_t limit = TRY(option_integer(*option));
      out.connection_limit = static_cast<int32_t>(limit);
    } else if (name == "is_template") {
      out.is_template = TRY(option_boolean(*option));
    } else if (name == "allow_connections") {
      out.allow_connections = TRY(option_boolean(*option));
    } else if (name == "encoding") {
      const bool utf8 = equals_ignoring_case(text, "utf8") || equals_ignoring_case(text, "utf-8") ||
                        equals_ignoring_case(text, "unicode");
      if (!utf8) return unsupported(cat("encoding \"", text, "\""));
    } else if (name == "locale" || name == "lc_collate" || name == "lc_ctype") {
      if (text != "C" && text != "POSIX") return unsupported(cat("locale \"", text, "\""));
    } else if (name == "strategy" || name == "tablespace") {
      if (name == "tablespace" && text != "pg_default") {
        return raise(sqlstate::undefined_object, cat("tablespace \"", text, "\" does not exist"));
      }
    } else {
      return raise(sqlstate::syntax_error, cat("option \"", name, "\" not recognized"));
    }
  }
  return out;
}

// A template with tables of its own would have to be copied page by page.
Status check_template(CommandContext& context, Oid database) {
  Access& access = context.store.access();
  const bool has_files = TRY(database_has_files(context.fiber, database, access));
  if (!has_files) return {};
  DatabaseCatalog catalog(context.catalog.builtin(), database);
  HeapStore store(catalog, access, nullptr);
  bool changed = false;
  TRY(store.scan(context.fiber, pg_class::kRelation, kInvalidOid, {},
                 [&](const CatalogRow& row, Tid) -> Status {
                   changed |= row.get<Oid>(pg_class::oid) >= kFirstUserOid;
                   return {};
                 }));
  return changed ? unsupported("a template database with objects of its own") : Status();
}

}  // namespace

Result<std::string> create_database(CommandContext& context, const CreatedbStmt& statement) {
  using namespace pg_database;
  TRY(context.host.check_alone("CREATE DATABASE"));
  const DatabaseOptions options = TRY(read_options(context, statement.options));
  const RoleInfo* role = TRY(context.catalog.role(context.fiber, current_role(context)));
  if (role == nullptr || !(role->superuser || role->create_db)) {
    return raise(sqlstate::insufficient_privilege, "permission denied to create database");
  }
  const std::string name = truncate_name(statement.dbname);
  const Oid taken = TRY(context.catalog.database_oid(context.fiber, name));
  if (taken) {
    return raise(sqlstate::duplicate_database, cat("database \"", name, "\" already exists"));
  }
  const Oid from = TRY(context.catalog.database_oid(context.fiber, options.template_name));
  if (!from) {
    return raise(sqlstate::undefined_database,
                 cat("template database \"", options.template_name, "\" does not exist"));
  }
  TRY(check_template(context, from));
  const Oid new_oid = TRY(context.store.new_oid(context.fiber));
  const Datum keys[] = {Datum::of(from)};
  Arena arena;
  std::optional<RowBuilder> row;
  TRY(context.store.scan(context.fiber, kRelation, kPgDatabaseOidIndex, keys,
                         [&](const CatalogRow& found, Tid) -> Status {
                           row.emplace(arena, kRelation, found);
                           return {};
                         }));
  CHECK(row.has_value());
  row->set(oid, new_oid).set_name(datname, name).set(datdba, options.owner);
  row->set(datistemplate, options.is_template).set(datallowconn, options.allow_connections);
  row->set(datconnlimit, options.connection_limit).set_null(datacl);
  TRY(context.store.insert(context.fiber, kRelation, row->values()));
  TRY(record_role_dependency(context.fiber, context.store, kInvalidOid, {kRelation, new_oid},
                             options.owner, 'o'));
  DatabaseCatalog made(context.catalog.builtin(), new_oid);
  TRY(fill_database(context.fiber, made, context.store.access(), *context.store.transaction()));
  return std::string("CREATE DATABASE");
}

namespace {

// The database's OID, with nobody on his way into it any more; 0 when there is none.
Result<Oid> lock_named_database(CommandContext& context, std::string_view name) {
  for (;;) {
    const Oid found = TRY(context.catalog.database_oid(context.fiber, name));
    if (!found || found == database_of(context)) return found;
    TRY(context.host.lock_database(context.fiber, found, kAccessExclusiveLock));
    const Oid now = TRY(context.catalog.database_oid(context.fiber, name));
    if (now == found) return found;
  }
}

}  // namespace

Result<std::string> drop_database(CommandContext& context, const DropdbStmt& statement) {
  using namespace pg_database;
  TRY(context.host.check_alone("DROP DATABASE"));
  if (!statement.options.empty()) return unsupported("DROP DATABASE WITH (FORCE)");
  const Oid database = TRY(lock_named_database(context, statement.dbname));
  if (!database) {
    if (!statement.missing_ok) {
      return raise(sqlstate::undefined_database,
                   cat("database \"", statement.dbname, "\" does not exist"));
    }
    notice(context, cat("database \"", statement.dbname, "\" does not exist, skipping"));
    return std::string("DROP DATABASE");
  }
  const DatabaseInfo* info = TRY(context.catalog.database(context.fiber, database));
  const bool owns =
      TRY(context.catalog.is_member(context.fiber, current_role(context), info->owner));
  if (!owns) {
    return raise(sqlstate::insufficient_privilege,
                 cat("must be owner of database ", statement.dbname));
  }
  if (database == database_of(context)) {
    return raise(sqlstate::object_in_use, "cannot drop the currently open database");
  }
  if (info->is_template) {
    return raise(sqlstate::wrong_object_type, "cannot drop a template database");
  }
  const int others = context.host.other_sessions_in(database);
  if (others > 0) {
    return raise(sqlstate::object_in_use,
                 cat("database \"", statement.dbname, "\" is being accessed by other users"))
        .detail(others == 1 ? std::string("There is 1 other session using the database.")
                            : cat("There are ", others, " other sessions using the database."));
  }
  Access& access = context.store.access();
  const bool has_files = TRY(database_has_files(context.fiber, database, access));
  if (has_files) {
    DatabaseCatalog catalog(context.catalog.builtin(), database);
    HeapStore store(catalog, access, nullptr);
    TRY(store.scan(context.fiber, pg_class::kRelation, kInvalidOid, {},
                   [&](const CatalogRow& row, Tid) -> Status {
                     const Oid file = row.get<Oid>(pg_class::relfilenode);
                     if (file)
                       drop_file(context, relation_file(database, kInvalidOid, file, false));
                     return {};
                   }));
    for (FileId file : catalog_files(database)) drop_file(context, file);
  }
  CatalogWriter writer(context.store, context.catalog);
  const Datum keys[] = {Datum::of(database)};
  TRY(writer.delete_rows(context.fiber, kRelation, kPgDatabaseOidIndex, keys));
  // What the objects in it needed of roles.
  TRY(writer.delete_rows(context.fiber, pg_shdepend::kRelation, kPgShdependDependerIndex, keys));
  TRY(delete_dependencies_of(context.fiber, context.store, kInvalidOid, {kRelation, database}));
  return std::string("DROP DATABASE");
}

}  // namespace orrery
