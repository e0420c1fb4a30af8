// What a statement's functions and names see of the session: settings, times, users, the search
// path.

#include "base/text.h"
#include "catalog/bootstrap.h"
#include "fiber/io.h"
#include "session/scram.h"
#include "session/services_internal.h"
#include "session/setting_checks.h"

namespace orrery {
namespace {

WallTime clock_now(const void* host) {
  return const_cast<Host*>(static_cast<const Host*>(host))->clock().wall_now();
}

uint64_t kilobytes(int32_t count) { return static_cast<uint64_t>(count) * 1024; }

}  // namespace

void Session::refresh_view(Fiber& fiber) {
  view_.statement_start = fiber.host().clock().wall_now();
  view_.types.now = transaction_start_;
  services_->begin_statement(fiber);
  if (settings_.generation() == view_generation_) return;
  view_generation_ = settings_.generation();
  const bool as_role = settings_.get_text(SettingId::role) != "none";
  const SettingId who = as_role ? SettingId::role : SettingId::session_authorization;
  current_user_ = Oid(static_cast<uint32_t>(settings_.get_real(who)));
  current_user_name_ = settings_.get_text(who);
  view_.current_user = current_user_name_;
  view_.current_user_oid = current_user_;
  TypeSettings& types = view_.types;
  const std::string& style = settings_.get_text(SettingId::date_style);
  types.date_style = date_style_of(style);
  types.date_order = date_order_of(style);
  types.interval_style =
      static_cast<IntervalStyle>(settings_.get_choice(SettingId::interval_style));
  types.extra_float_digits = settings_.get_int(SettingId::extra_float_digits);
  types.bytea_escape = settings_.show(SettingId::bytea_output) == "escape";
  time_zone_ = TimeZone::find(settings_.get_text(SettingId::time_zone)).value_or(TimeZone());
  types.time_zone = &time_zone_;
  types.names = services_.get();
  view_.services = services_.get();
  view_.clock = &clock_now;
  view_.clock_owner = &node_.host;
  view_.random = &random_;
  view_.database = identity_.database_name;
  session_user_name_ = settings_.get_text(SettingId::session_authorization);
  view_.session_user = session_user_name_;
  view_.backend_pid = identity_.process_id;
  view_.maintenance_memory_bytes = kilobytes(settings_.get_int(SettingId::maintenance_work_mem));
  const int32_t temp_limit = settings_.get_int(SettingId::temp_file_limit);
  temp_space_.limit_bytes = temp_limit < 0 ? UINT64_MAX : kilobytes(temp_limit);
  view_.temp_space = &temp_space_;
  owner_.lock_timeout = milliseconds(settings_.get_int(SettingId::lock_timeout));
  owner_.deadlock_timeout = milliseconds(settings_.get_int(SettingId::deadlock_timeout));
  activity_.application_name = settings_.get_text(SettingId::application_name);
}

Status Session::refresh_path(Fiber& fiber) {
  const PathSource source{&store_->cache(), store_->cache().generation(), settings_.generation(),
                          temporary_schema_, current_user_};
  if (source == path_source_) return {};
  path_source_ = {};
  const std::optional<std::vector<std::string>> names =
      split_identifiers(settings_.get_text(SettingId::search_path));
  CHECK(names.has_value());  // set_by_name() refused others
  CatalogReader reader(database_.builtin, *store_);
  path_ = TRY(reader.resolve_path(fiber, *names, current_user_, temporary_schema_));
  const NamespaceInfo* creation = TRY(reader.nsp(fiber, path_.creation));
  current_schema_ = creation == nullptr ? std::string() : creation->name;
  view_.current_schema = current_schema_;
  // A transaction's own cache is at its address for that transaction only.
  if (source.cache == &database_.shared) path_source_ = source;
  return {};
}

std::unique_ptr<CatalogReader> Session::new_reader() {
  return std::make_unique<CatalogReader>(database_.builtin, *store_);
}

Execution::World Session::world() {
  return {.access = node_.access,
          .transaction = block_.transaction(),
          .session = view_,
          .budget = memory_,
          .related = this,
          .work_mem_bytes = kilobytes(settings_.get_int(SettingId::work_mem)),
          .hash_mem_multiplier = settings_.get_real(SettingId::hash_mem_multiplier)};
}

AnalyzeContext Session::analyze_context(Fiber& fiber, Arena& arena, CatalogReader& catalog,
                                        std::string_view text, std::vector<Oid>* parameter_types) {
  return {.fiber = fiber,
          .arena = arena,
          .catalog = catalog,
          .path = path_,
          .session = view_,
          .locker = this,
          .text = text,
          .param_types = parameter_types};
}

// READ COMMITTED sees what is committed when a statement begins, REPEATABLE READ what was when the
// first one did; both see the transaction's own work so far.
Snapshot Session::statement_snapshot() {
  block_.took_snapshot();
  Transaction& transaction = block_.transaction();
  const Snapshot now = node_.transactions.take_snapshot(&transaction);
  if (!transaction.uses_one_snapshot()) return now;
  if (!transaction_snapshot_) transaction_snapshot_.emplace(node_.transactions, now);
  transaction_snapshot_->set_command(now.command);
  return transaction_snapshot_->get();
}

PlannerSettings Session::planner_settings() const {
  auto on = [this](SettingId id) { return settings_.get_bool(id); };
  auto number = [this](SettingId id) { return settings_.get_real(id); };
  PlannerSettings planner;
  planner.enable_seqscan = on(SettingId::enable_seqscan);
  planner.enable_indexscan = on(SettingId::enable_indexscan);
  planner.enable_indexonlyscan = on(SettingId::enable_indexonlyscan);
  planner.enable_bitmapscan = on(SettingId::enable_bitmapscan);
  planner.enable_tidscan = on(SettingId::enable_tidscan);
  planner.enable_nestloop = on(SettingId::enable_nestloop);
  planner.enable_hashjoin = on(SettingId::enable_hashjoin);
  planner.enable_mergejoin = on(SettingId::enable_mergejoin);
  planner.enable_hashagg = on(SettingId::enable_hashagg);
  planner.enable_sort = on(SettingId::enable_sort);
  planner.enable_material = on(SettingId::enable_material);
  planner.enable_memoize = on(SettingId::enable_memoize);
  planner.seq_page_cost = number(SettingId::seq_page_cost);
  planner.random_page_cost = number(SettingId::random_page_cost);
  planner.cpu_tuple_cost = number(SettingId::cpu_tuple_cost);
  planner.cpu_index_tuple_cost = number(SettingId::cpu_index_tuple_cost);
  planner.cpu_operator_cost = number(SettingId::cpu_operator_cost);
  planner.effective_cache_pages = number(SettingId::effective_cache_size);
  planner.work_mem_bytes = kilobytes(settings_.get_int(SettingId::work_mem));
  planner.from_collapse_limit = settings_.get_int(SettingId::from_collapse_limit);
  return planner;
}

Status Session::lock_relation(Fiber& fiber, Oid relation, int mode) {
  const LockTag tag = LockTag::relation(identity_.database, relation);
  TRY(node_.transactions.locks().acquire(fiber, owner_, tag, static_cast<LockMode>(mode),
                                         WaitPolicy::wait, LockScope::transaction,
                                         block_.transaction().depth()));
  return {};
}

Result<std::string> Session::password_verifier(Fiber& fiber, std::string_view password) {
  if (ScramVerifier::parse(password)) return std::string(password);
  if (settings_.show(SettingId::password_encryption) != "scram-sha-256")
    return unsupported("password_encryption = md5");
  if (password.starts_with("md5") && password.size() == 35)
    return unsupported("a password that was hashed with MD5");
  MakeVerifierTask task(std::string(password), random_bytes(node_.host.random(), 16));
  TRY(run_on_worker(fiber, task));
  return task.result.text();
}

CommandContext Session::command_context(Fiber& fiber, Arena& arena, CatalogReader& catalog,
                                        std::string_view text) {
  return {.fiber = fiber,
          .arena = arena,
          .store = *store_,
          .catalog = catalog,
          .path = path_,
          .session = view_,
          .host = *this,
          .text = text};
}

void Session::let_write(ExecContext& context, const RegisteredSnapshot& snapshot) {
  context.access = &node_.access;
  context.transaction = &block_.transaction();
  context.snapshot = &snapshot.get();
}

Status Session::check_alone(std::string_view command) const { return block_.check_alone(command); }

Status Session::check_not_in_use(Oid relation, std::string_view command) const {
  for (const auto& [name, portal] : portals_) {
    if (portal->execution == nullptr) continue;
    for (const RangeEntry* entry : portal->statement->plan->range_table) {
      if (entry->relation == nullptr || entry->relation->oid != relation) continue;
      return raise(sqlstate::object_in_use,
                   cat("cannot ", command, " \"", entry->relation->name,
                       "\" because it is being used by active queries in this session"));
    }
  }
  if (const DeferredConstraints::Check* pending = deferred_.of_relation(relation)) {
    return raise(sqlstate::object_in_use, cat("cannot ", command, " \"", pending->key.name,
                                              "\" because it has pending trigger events"));
  }
  return {};
}

Status Session::lock_database(Fiber& fiber, Oid database, int mode) {
  TRY(node_.transactions.locks().acquire(fiber, owner_, database_tag(database),
                                         static_cast<LockMode>(mode), WaitPolicy::wait,
                                         LockScope::transaction, block_.transaction().depth()));
  return {};
}

int Session::other_sessions_in(Oid database) const {
  int count = 0;
  for (const auto& [process_id, entry] : node_.activity.entries()) {
    count += entry->database == database && entry != &activity_;
  }
  return count;
}

}  // namespace orrery
