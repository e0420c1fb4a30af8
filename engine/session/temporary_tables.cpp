// Temporary tables: ordinary tables in a schema of the session's own, pg_temp_N, which is made when
// first asked for and emptied when the session ends. After a crash what is left of one goes when a
// session with the same number first needs the schema.

#include <algorithm>

#include "base/text.h"
#include "catalog/acl.h"
#include "catalog/columns.h"
#include "catalog/relation_info.h"
#include "catalog/row_builder.h"
#include "command/helpers.h"
#include "session/session.h"

namespace orrery {
Result<Oid> Session::temporary_schema(Fiber& fiber) {
  if (temporary_schema_) return temporary_schema_;
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  const DatabaseInfo* database = TRY(catalog->database(fiber, identity_.database));
  const AclMode rights = TRY(rights_of(fiber, *catalog, AclKind::database, database->acl,
                                       database->owner, current_user_, kAclTemporary));
  if (rights == 0) {
    return raise(sqlstate::insufficient_privilege,
                 cat("permission denied to create temporary tables in database \"",
                     identity_.database_name, "\""));
  }
  const std::string name = cat("pg_temp_", identity_.process_id);
  Oid schema = TRY(catalog->nsp_oid(fiber, name));
  if (schema) {
    TRY(drop_contents(fiber, schema));
  } else {
    schema = TRY(store_->new_oid(fiber));
    Arena arena(&memory_);
    RowBuilder row(arena, pg_namespace::kRelation);
    row.set(pg_namespace::oid, schema)
        .set_name(pg_namespace::nspname, name)
        .set(pg_namespace::nspowner, kBootstrapSuperuser);
    TRY(store_->insert(fiber, pg_namespace::kRelation, row.values()));
  }
  temporary_schema_ = schema;
  temporary_level_ = block_.transaction().depth();
  TRY(refresh_path(fiber));
  return schema;
}

// Drops the relations of a schema, saying nothing of it.
Status Session::drop_contents(Fiber& fiber, Oid schema) {
  std::vector<ObjectAddress> objects;
  TRY(store_->scan(fiber, pg_class::kRelation, kInvalidOid, {},
                   [&](const CatalogRow& row, Tid) -> Status {
                     const char kind = row.get<char>(pg_class::relkind);
                     const bool own = row.get<Oid>(pg_class::relnamespace) == schema;
                     if (own && kind != 'i' && kind != 't')
                       objects.push_back({pg_class::kRelation, row.get<Oid>(pg_class::oid)});
                     return {};
                   }));
  return drop_quietly(fiber, objects);
}

Status Session::drop_quietly(Fiber& fiber, std::span<const ObjectAddress> objects) {
  if (objects.empty()) return {};
  Arena arena(&memory_);
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  CommandContext context = command_context(fiber, arena, *catalog, {});
  ResultSink* const sink = std::exchange(sink_, nullptr);
  Status dropped = drop_objects(context, objects, DropMode::cascade);
  sink_ = sink;
  return dropped;
}

void Session::on_commit(Oid relation, bool drop) {
  on_commit_.push_back({relation, drop, block_.transaction().depth()});
}

// ON COMMIT DROP and DELETE ROWS, while the transaction can still fail. They ask for no rights: the
// table is the session's.
Status Session::run_on_commit(Fiber& fiber) {
  if (on_commit_.empty() || block_.transaction().xid() == kInvalidXid) return {};
  TRY(block_.transaction().next_command());
  std::vector<Oid> emptied;
  std::vector<ObjectAddress> gone;
  Arena arena(&memory_);
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  for (OnCommit& action : on_commit_) {
    const RelationInfo* relation = TRY(catalog->relation(fiber, action.relation));
    action.dropped = relation == nullptr;
    if (relation == nullptr) continue;
    if (action.drop) {
      gone.push_back({pg_class::kRelation, action.relation});
    } else {
      emptied.push_back(action.relation);
    }
  }
  if (!emptied.empty()) {
    CommandContext context = command_context(fiber, arena, *catalog, {});
    TRY(empty_tables(context, emptied));
    TRY(block_.transaction().next_command());
  }
  return drop_quietly(fiber, gone);
}

// What a level of the transaction did with temporary tables is undone, or becomes the level
// below's.
void Session::end_temporary_level(uint32_t level, bool committed) {
  if (temporary_level_ >= level) {
    if (!committed) temporary_schema_ = Oid();
    temporary_level_ = committed ? level - 1 : 0;
  }
  if (!committed) {
    std::erase_if(on_commit_, [level](const OnCommit& action) { return action.level >= level; });
  } else if (level == 1) {
    std::erase_if(on_commit_, [](const OnCommit& action) { return action.drop || action.dropped; });
  }
  for (OnCommit& action : on_commit_) action.level = std::min(action.level, level - 1);
}

// The session ends: nobody will see its tables again.
void Session::drop_temporary(Fiber& fiber) {
  if (!temporary_schema_) return;
  fiber.hold_cancel();
  block_.begin_statement(false);
  on_commit_.clear();
  Status dropped = drop_contents(fiber, temporary_schema_);
  if (dropped.ok()) {
    dropped = block_.end_implicit(fiber);
  } else {
    block_.fail(fiber);
  }
  if (!dropped.ok() && !dropped.is_halted()) {
    fiber.host().log(LogLevel::warning, cat("temporary tables of session ", identity_.process_id,
                                            " stay: ", dropped.error().message));
  }
  fiber.release_cancel();
}

}  // namespace orrery
