// The parts of one node put together over whatever host it is given: log and pages, transactions,
// tables, catalogs, and the sessions on top. The real server, an embedded database and a simulated
// machine all run this.
//
//   DatabaseNode node(host, gate, options);
//   TRY(node.open(fiber));          // recovers, or makes a new database
//   ... Server(scheduler, node, ...)
//   TRY(node.close(fiber));         // or just die: the next open() recovers
#pragma once

#include <memory>

#include "fiber/sync.h"
#include "session/backend.h"
#include "session/background_vacuum.h"
#include "session/node_parts.h"
#include "storage/storage.h"
#include "txn/redo_relay.h"

namespace orrery {

struct DatabaseNodeOptions {
  StorageOptions storage;
  TransactionManagerOptions transactions;
  uint64_t memory_bytes = uint64_t{4} << 30;  // of all sessions together, beside the buffer pool
  // Sizes and intervals of storage follow the settings (shared_buffers and so on); a simulated node
  // draws them instead.
  bool from_settings = true;
  // Over those of the configuration files.
  std::vector<std::pair<std::string, std::string>> settings;
};

class DatabaseNode final : public SessionFactory {
 public:
  DatabaseNode(Host& host, CommitGate& gate, DatabaseNodeOptions options);
  DatabaseNode(const DatabaseNode&) = delete;
  ~DatabaseNode() override;

  Status open(Fiber& fiber);
  // REQUIRES: no session is left.
  Status close(Fiber& fiber);
  Settings& settings() { return settings_; }
  Activity& activity() { return activity_; }
  Storage& storage() { return *storage_; }
  TransactionManager& transactions() { return *transactions_; }
  LockTable& locks() { return locks_; }
  // REQUIRES: open() has succeeded.
  NodeParts& parts() { return *parts_; }

  Result<std::unique_ptr<SessionBackend>> open(Fiber& fiber,
                                               const StartupRequest& request) override;
  Result<std::optional<std::string>> password_verifier(Fiber& fiber,
                                                       std::string_view role) override;

 private:
  StorageOptions storage_options() const;
  // Finds the database and takes RowExclusive on it. 3D000, 55000.
  Result<Oid> enter_database(Fiber& fiber, LockOwner& owner, const std::string& name);
  void start_vacuum(Fiber& fiber);
  void stop_vacuum(Fiber& fiber);

  Host& host_;
  CommitGate& gate_;
  const DatabaseNodeOptions options_;
  Settings settings_;
  MemoryBudget memory_;
  Activity activity_;
  Mutex configuration_;
  RedoRelay relay_;
  LockTable locks_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<TransactionManager> transactions_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<NodeCatalog> catalog_;
  std::unique_ptr<NodeParts> parts_;
  std::unique_ptr<BackgroundVacuum> vacuum_;
  Fiber* vacuum_fiber_ = nullptr;  // while it runs
  WaitQueue vacuum_ended_;
};

}  // namespace orrery
