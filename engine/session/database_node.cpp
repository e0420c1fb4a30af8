#include "session/database_node.h"

#include "base/text.h"
#include "catalog/bootstrap.h"
#include "catalog/heap_store.h"
#include "exec/temp_file.h"
#include "fiber/scheduler.h"
#include "session/config_file.h"
#include "session/session.h"

namespace orrery {
namespace {

// The status file of transactions: a number below the first that users' files get.
constexpr FileId kStatusFile = make_file_id(1);

uint64_t megabytes(int32_t count) { return static_cast<uint64_t>(count) << 20; }

}  // namespace

DatabaseNode::DatabaseNode(Host& host, CommitGate& gate, DatabaseNodeOptions options)
    : host_(host),
      gate_(gate),
      options_(std::move(options)),
      memory_(nullptr, options_.memory_bytes) {}

DatabaseNode::~DatabaseNode() = default;

// What the configuration says, on top of the options given.
StorageOptions DatabaseNode::storage_options() const {
  StorageOptions storage = options_.storage;
  if (options_.from_settings) {
    storage.pool_pages = static_cast<uint32_t>(settings_.get_int(SettingId::shared_buffers));
    storage.clean_frames = std::min(storage.clean_frames, storage.pool_pages / 4);
    storage.checkpoint_interval = seconds(settings_.get_int(SettingId::checkpoint_timeout));
    storage.checkpoint_log_bytes = megabytes(settings_.get_int(SettingId::max_wal_size));
    storage.log.uncommitted_limit_bytes = std::min<uint64_t>(storage.log.uncommitted_limit_bytes,
                                                             storage.pool_pages * kPageBytes / 4);
  }
  return storage;
}

Status DatabaseNode::open(Fiber& fiber) {
  TRY(load_config(fiber, settings_));
  for (const auto& [name, value] : options_.settings) TRY(set_node_setting(settings_, name, value));
  storage_ = std::make_unique<Storage>(host_, storage_options(), gate_, relay_);
  TransactionManagerOptions transactions = options_.transactions;
  if (!transactions.status_file) transactions.status_file = kStatusFile;
  transactions_ = std::make_unique<TransactionManager>(host_, *storage_, locks_, transactions);
  relay_.connect(*transactions_);
  TRY(storage_->open(fiber));
  TRY(remove_temp_files(fiber));
  access_ = std::make_unique<Access>(*storage_, *transactions_);
  catalog_ = std::make_unique<NodeCatalog>();
  transactions_->add_listener(*catalog_);
  if (storage_->is_new()) {
    TRY(transactions_->create(fiber));
    TRY(bootstrap_node(fiber, *catalog_, *access_));
    TRY(storage_->finish_creation(fiber));
  } else {
    TRY(transactions_->start(fiber));
  }
  parts_ = std::make_unique<NodeParts>(NodeParts{.host = host_,
                                                 .access = *access_,
                                                 .transactions = *transactions_,
                                                 .catalog = *catalog_,
                                                 .settings = settings_,
                                                 .memory = memory_,
                                                 .activity = activity_,
                                                 .configuration = configuration_});
  start_vacuum(fiber);
  return {};
}

void DatabaseNode::start_vacuum(Fiber& fiber) {
  vacuum_ = std::make_unique<BackgroundVacuum>(*catalog_, *access_, settings_);
  const BackgroundVacuumOptions options{
      .nap = seconds(settings_.get_int(SettingId::autovacuum_naptime))};
  vacuum_fiber_ = &fiber.scheduler().spawn("vacuum", [this, options](Fiber& own) {
    run_background_vacuum(own, *vacuum_, options);
    vacuum_fiber_ = nullptr;
    vacuum_ended_.notify_all();
  });
}

void DatabaseNode::stop_vacuum(Fiber& fiber) {
  while (vacuum_fiber_ != nullptr) {
    vacuum_fiber_->cancel(raise(sqlstate::admin_shutdown, "the node is shutting down"));
    if (!vacuum_ended_.wait(fiber).ok()) return;
  }
}

Status DatabaseNode::close(Fiber& fiber) {
  stop_vacuum(fiber);
  return storage_->shutdown(fiber);
}

Result<Oid> DatabaseNode::enter_database(Fiber& fiber, LockOwner& owner, const std::string& name) {
  HeapStore store(catalog_->database(kPostgresDatabase), *access_, nullptr);
  const auto missing = [&] {
    return raise(sqlstate::invalid_catalog_name, cat("database \"", name, "\" does not exist"));
  };
  Oid found;
  {
    CatalogReader reader(catalog_->builtin(), store);
    found = TRY(reader.database_oid(fiber, name));
  }
  if (!found) return missing();
  TRY(locks_.acquire(fiber, owner, database_tag(found), LockMode::row_exclusive, WaitPolicy::wait,
                     LockScope::session));
  CatalogReader reader(catalog_->builtin(), store);
  const Oid now = TRY(reader.database_oid(fiber, name));
  const DatabaseInfo* database = nullptr;
  if (now == found) database = TRY(reader.database(fiber, now));
  if (database == nullptr)
    return missing().detail("It seems to have just been dropped or renamed.");
  if (!database->allow_connections) {
    return raise(sqlstate::object_not_in_prerequisite_state,
                 cat("database \"", name, "\" is not currently accepting connections"));
  }
  return now;
}

Result<std::unique_ptr<SessionBackend>> DatabaseNode::open(Fiber& fiber,
                                                           const StartupRequest& request) {
  HeapStore store(catalog_->database(kPostgresDatabase), *access_, nullptr);
  CatalogReader reader(catalog_->builtin(), store);
  const Oid role_oid = TRY(reader.role_oid(fiber, request.user));
  const RoleInfo* role = nullptr;
  if (role_oid) role = TRY(reader.role(fiber, role_oid));
  if (role == nullptr) {
    return raise(sqlstate::invalid_authorization_specification,
                 cat("role \"", request.user, "\" does not exist"));
  }
  if (!role->can_login) {
    return raise(sqlstate::invalid_authorization_specification,
                 cat("role \"", request.user, "\" is not permitted to log in"));
  }
  // Until the session is counted among those of its database nobody may drop that.
  LockOwner entering(locks_, request.process_id);
  const Oid database_oid = TRY(enter_database(fiber, entering, request.database));
  TRY(ensure_database(fiber, catalog_->database(database_oid), *access_));
  auto session =
      std::make_unique<Session>(fiber, *parts_,
                                SessionIdentity{.process_id = request.process_id,
                                                .database = database_oid,
                                                .database_name = request.database,
                                                .user = role_oid,
                                                .user_name = request.user,
                                                .superuser = role->superuser,
                                                .client_address = request.client_address});
  for (const auto& [name, value] : request.settings) {
    Status set = session->set_initial(name, value);
    if (set.ok()) continue;
    session->end(fiber);
    return set;
  }
  return std::unique_ptr<SessionBackend>(std::move(session));
}

Result<std::optional<std::string>> DatabaseNode::password_verifier(Fiber& fiber,
                                                                   std::string_view name) {
  HeapStore store(catalog_->database(kPostgresDatabase), *access_, nullptr);
  CatalogReader reader(catalog_->builtin(), store);
  const Oid oid = TRY(reader.role_oid(fiber, name));
  if (!oid) return std::optional<std::string>();
  const RoleInfo* role = TRY(reader.role(fiber, oid));
  if (!role->has_password) return std::optional<std::string>();
  return std::optional(role->password);
}

}  // namespace orrery
