#include "analyze/catalog_names.h"
#include "analyze/definitions.h"
#include "base/text.h"
#include "catalog/acl.h"
#include "catalog/bootstrap.h"
#include "catalog/columns.h"
#include "catalog/sequence.h"
#include "session/services_internal.h"
#include "types/type_oids.h"

namespace orrery {

void Session::Services::begin_statement(Fiber& fiber) {
  fiber_ = &fiber;
  has_path_ = false;
}

void Session::Services::forget_sequences() {
  current_values_.clear();
  last_sequence_ = {};
}

// ---- names

Result<Oid> Session::Services::resolve(Oid reg_type, std::string_view text) const {
  auto& self = const_cast<Services&>(*this);
  TRY(self.path(*fiber_));
  Arena arena;
  const std::unique_ptr<CatalogReader> catalog = session_.new_reader();
  AnalyzeContext context = session_.analyze_context(*fiber_, arena, *catalog, {}, nullptr);
  context.locker = nullptr;
  return CatalogNames(context).resolve(reg_type, text);
}

Status Session::Services::append_name(Oid reg_type, Oid object, std::string& out) const {
  auto& self = const_cast<Services&>(*this);
  TRY(self.path(*fiber_));
  Arena arena;
  const std::unique_ptr<CatalogReader> catalog = session_.new_reader();
  AnalyzeContext context = session_.analyze_context(*fiber_, arena, *catalog, {}, nullptr);
  return CatalogNames(context).append_name(reg_type, object, out);
}

const TypeInfo* Session::Services::find_type(Oid type) const {
  if (types_ == nullptr) types_ = session_.new_reader();
  Result<const CatalogType*> found = types_->type(*fiber_, type);
  // Whoever asks says that there is no such type; a halt is met again at the next suspension.
  if (!found.ok() || *found == nullptr) return nullptr;
  return &(*found)->io;
}

Result<const SearchPath*> Session::Services::path(Fiber& fiber) {
  if (!has_path_) TRY(session_.refresh_path(fiber));
  has_path_ = true;
  return static_cast<const SearchPath*>(&session_.path_);
}

Result<std::unique_ptr<CatalogSource>> Session::Services::rows_of(Fiber& fiber, Oid database) {
  const bool there = TRY(database_has_files(fiber, database, session_.node_.access));
  if (!there) return std::unique_ptr<CatalogSource>();
  return std::unique_ptr<CatalogSource>(std::make_unique<HeapStore>(
      session_.node_.catalog.database(database), session_.node_.access, nullptr));
}

// ---- sequences

Status Session::Services::check_may_write(std::string_view function) {
  if (!session_.block_.options().read_only) return {};
  return raise(sqlstate::read_only_sql_transaction,
               cat("cannot execute ", function, "() in a read-only transaction"));
}

Result<const RelationInfo*> Session::Services::sequence(Fiber& fiber, CatalogReader& reader,
                                                        Oid oid, AclMode rights) {
  TRY(session_.lock_relation(fiber, oid, kRowExclusiveLock));
  const RelationInfo* info = TRY(reader.relation(fiber, oid));
  if (info == nullptr) {
    return raise(sqlstate::undefined_table, cat("relation with OID ", oid, " does not exist"));
  }
  if (info->kind != 'S') {
    return raise(sqlstate::wrong_object_type, cat("\"", info->name, "\" is not a sequence"));
  }
  const AclMode has = TRY(rights_of(fiber, reader, AclKind::sequence, info->acl, info->owner,
                                    session_.current_user_, rights));
  if (has != 0) return info;
  return raise(sqlstate::insufficient_privilege,
               cat("permission denied for sequence ", info->name));
}

Result<int64_t> Session::Services::next_value(Fiber& fiber, Oid oid) {
  TRY(check_may_write("nextval"));
  const std::unique_ptr<CatalogReader> reader = session_.new_reader();
  const RelationInfo* info = TRY(sequence(fiber, *reader, oid, kAclUsage | kAclUpdate));
  const int64_t value =
      TRY(orrery::next_value(fiber, session_.node_.access, session_.node_.catalog.sequences(),
                             session_.block_.transaction(), *info));
  current_values_[oid] = value;
  last_sequence_ = oid;
  return value;
}

Result<int64_t> Session::Services::current_value(Fiber& fiber, Oid oid) {
  const std::unique_ptr<CatalogReader> reader = session_.new_reader();
  const RelationInfo* info = TRY(sequence(fiber, *reader, oid, kAclUsage | kAclSelect));
  const auto found = current_values_.find(oid);
  if (found != current_values_.end()) return found->second;
  return raise(sqlstate::object_not_in_prerequisite_state,
               cat("currval of sequence \"", info->name, "\" is not yet defined in this session"));
}

Result<int64_t> Session::Services::last_value(Fiber& fiber) {
  const std::unique_ptr<CatalogReader> reader = session_.new_reader();
  const RelationInfo* info = nullptr;
  if (last_sequence_) info = TRY(reader->relation(fiber, last_sequence_));
  if (info == nullptr) {
    return raise(sqlstate::object_not_in_prerequisite_state,
                 "lastval is not yet defined in this session");
  }
  TRY(sequence(fiber, *reader, last_sequence_, kAclUsage | kAclSelect));
  return current_values_.at(last_sequence_);
}

Status Session::Services::set_value(Fiber& fiber, Oid oid, int64_t value, bool is_called) {
  TRY(check_may_write("setval"));
  const std::unique_ptr<CatalogReader> reader = session_.new_reader();
  const RelationInfo* info = TRY(sequence(fiber, *reader, oid, kAclUpdate));
  TRY(orrery::set_value(fiber, session_.node_.access, session_.node_.catalog.sequences(),
                        session_.block_.transaction(), *info,
                        {.last_value = value, .is_called = is_called}));
  if (is_called) current_values_[oid] = value;
  return {};
}

Result<std::optional<int64_t>> Session::Services::sequence_position(Fiber& fiber, Oid oid) {
  const std::unique_ptr<CatalogReader> reader = session_.new_reader();
  const RelationInfo* info = TRY(sequence(fiber, *reader, oid, kAclUsage | kAclSelect));
  const SequenceState state = TRY(read_sequence(fiber, session_.node_.access, info->storage));
  if (!state.is_called) return std::optional<int64_t>();
  return std::optional<int64_t>(state.last_value);
}

// ---- settings

Result<std::string> Session::Services::show_setting(std::string_view name) {
  return session_.show_by_name(name);
}

Result<std::string> Session::Services::change_setting(Fiber& fiber, std::string_view name,
                                                      const std::optional<std::string>& text,
                                                      bool is_local) {
  const auto scope = is_local ? Settings::Scope::local : Settings::Scope::session;
  if (text) {
    TRY(session_.set_by_name(fiber, name, *text, scope));
  } else {
    TRY(session_.reset_by_name(fiber, name, scope));
  }
  has_path_ = false;
  return session_.show_by_name(name);
}

// ---- definitions

Result<std::optional<std::string>> Session::Services::definition(Fiber& fiber,
                                                                 const DefinitionRequest& request) {
  TRY(path(fiber));
  Arena arena;
  const std::unique_ptr<CatalogReader> catalog = session_.new_reader();
  AnalyzeContext context = session_.analyze_context(fiber, arena, *catalog, {}, nullptr);
  context.locker = nullptr;
  switch (request.kind) {
    case DefinitionKind::view: return view_definition(context, request.object, request.pretty);
    case DefinitionKind::index:
      return index_definition(context, request.object, request.column, request.pretty);
    case DefinitionKind::rule: {
      // The only rules are those that make views.
      Oid view;
      const Datum rule[] = {Datum::of(request.object)};
      TRY(rows().scan(fiber, pg_rewrite::kRelation, kPgRewriteOidIndex, rule,
                      [&](const CatalogRow& row, Tid) -> Status {
                        view = row.get<Oid>(pg_rewrite::ev_class);
                        return {};
                      }));
      return rule_definition(context, view, request.pretty);
    }
    case DefinitionKind::constraint: break;
  }
  Oid relation;
  const Datum keys[] = {Datum::of(request.object)};
  TRY(rows().scan(fiber, pg_constraint::kRelation, kPgConstraintOidIndex, keys,
                  [&](const CatalogRow& row, Tid) -> Status {
                    relation = row.get<Oid>(pg_constraint::conrelid);
                    return {};
                  }));
  return constraint_definition(context, relation, request.object, request.pretty);
}

Result<std::optional<std::string>> Session::Services::expression(Fiber& fiber,
                                                                 std::string_view stored,
                                                                 Oid relation, bool pretty) {
  TRY(path(fiber));
  Arena arena;
  const std::unique_ptr<CatalogReader> catalog = session_.new_reader();
  AnalyzeContext context = session_.analyze_context(fiber, arena, *catalog, {}, nullptr);
  context.locker = nullptr;
  return expression_definition(context, stored, relation, pretty);
}

Result<std::string> Session::Services::type_shown(Fiber& fiber, Oid type, int32_t typmod,
                                                  bool has_typmod) {
  TRY(path(fiber));
  Arena arena;
  const std::unique_ptr<CatalogReader> catalog = session_.new_reader();
  AnalyzeContext context = session_.analyze_context(fiber, arena, *catalog, {}, nullptr);
  std::string shown = TRY(type_name(context, type, typmod));
  // With a modifier that says "none", CHAR and BIT mean any length.
  if (has_typmod && typmod < 0) {
    if (type == type_oid::bpchar) return std::string("bpchar");
    if (type == type_oid::bpchar_array) return std::string("bpchar[]");
  } else if (!has_typmod) {
    if (type == type_oid::bit) return std::string("bit");
    if (type == type_oid::bit_array) return std::string("bit[]");
  }
  return shown;
}

// ---- storage and transactions

Result<int64_t> Session::Services::file_size(Fiber& fiber, FileId file) {
  Storage& files = session_.node_.access.storage();
  const bool there = TRY(files.file_exists(fiber, file));
  if (!there) return int64_t{0};
  const BlockNo blocks = TRY(files.file_size(fiber, file));
  return int64_t{blocks.v} * int64_t{kPageBytes};
}

Result<Xid> Session::Services::transaction_id(Fiber& fiber, bool assign) {
  Transaction& transaction = session_.block_.transaction();
  if (assign && transaction.xid() == Xid{}) {
    TRY(session_.node_.transactions.assign_xid(fiber, transaction));
  }
  return transaction.xid();
}

Lsn Session::Services::log_end() { return session_.node_.access.storage().log().append_position(); }

Result<bool> Session::Services::signal_backend(Fiber& fiber, int32_t process_id, bool terminate) {
  const ActivityEntry* entry = session_.node_.activity.find(process_id);
  if (entry == nullptr) {
    session_.warning(
        raise(sqlstate::warning, cat("PID ", process_id, " is not a PostgreSQL server process"))
            .error());
    return false;
  }
  const std::unique_ptr<CatalogReader> catalog = session_.new_reader();
  const bool may = TRY(catalog->is_member(fiber, session_.current_user_, entry->user));
  if (!may) {
    return raise(sqlstate::insufficient_privilege,
                 cat("must be a member of the role whose ",
                     terminate ? "process is being terminated" : "query is being canceled",
                     " or member of pg_signal_backend"));
  }
  // Looked up again: the other may have ended while we read.
  if (terminate) return session_.node_.activity.terminate(process_id);
  session_.node_.activity.cancel(process_id);
  return true;
}

}  // namespace orrery
