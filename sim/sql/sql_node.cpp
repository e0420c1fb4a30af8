#include "sim/sql/sql_node.h"

#include "access/vacuum.h"
#include "base/text.h"
#include "catalog/bootstrap.h"
#include "catalog/catalog.h"
#include "catalog/heap_store.h"
#include "server/server.h"
#include "sim/sql/storage_check.h"
#include "sim/sql/structure_check.h"
#include "sim/workload/judge.h"

namespace orrery {
namespace {

// Catalogs that DDL fills with dead rows.
constexpr Oid kBusyCatalogs[] = {Oid(1259), Oid(1249), Oid(1247), Oid(2608), Oid(2610), Oid(2606)};
constexpr int32_t kVacuumProcess = -1;

class SqlNode final : public Node {
 public:
  SqlNode(World& world, Machine& machine, Host& host, Scheduler& scheduler, SqlMemory& memory)
      : world_(world),
        machine_(machine),
        memory_(memory),
        gate_(world, machine, host, memory.quorum),
        node_(host, gate_, memory.options) {
    scheduler.spawn("main", [this](Fiber& fiber) { main(fiber); });
  }
  bool is_serving() const override { return serving_; }

 private:
  void main(Fiber& fiber) {
    if (!accept(open(fiber), "opening the database")) {
      if (!fiber.scheduler().halted()) machine_.crash_soon(CrashKind::kill);
      return;
    }
    server_ =
        std::make_unique<Server>(fiber.scheduler(), node_,
                                 ServerOptions{.addresses = {kSqlServer},
                                               .port = kSqlPort,
                                               .socket_directory = "",
                                               .authentication = AuthenticationMethod::trust});
    if (!accept(server_->listen(fiber), "listening")) return;
    serving_ = true;
    fiber.scheduler().spawn("vacuum", [this](Fiber& own) {
      vacuum(own);
      vacuum_ended_ = true;
    });
    while (!memory_.wants_rest || memory_.at_rest || world_.failure()) {
      if (!fiber.sleep(milliseconds(10)).ok()) return;
      note_checkpoints();
    }
    while (!accept(rest(fiber), "coming to rest")) {
      if (!fiber.sleep(milliseconds(10)).ok()) return;
    }
    memory_.at_rest = true;
    machine_.crash_soon(CrashKind::power);
  }

  Status open(Fiber& fiber) {
    TRY(node_.open(fiber));
    gate_.settle();
    memory_.quorum.enforced = true;
    redo_ = node_.storage().redo_lsn();
    if (memory_.checks_at_start) TRY(check_structure(fiber));
    return {};
  }

  Status check_structure(Fiber& fiber) {
    const StructureFindings findings =
        TRY(orrery::check_structure(fiber, node_.parts(), kPostgresDatabase));
    if (!findings.first.empty()) world_.fail("structure", findings.first);
    memory_.tables = findings.tables;
    memory_.indexes = findings.indexes;
    return {};
  }

  Status rest(Fiber& fiber) {
    stops_vacuum_ = true;
    server_->drain(Drain::gentle);
    TRY(server_->wait_until_empty(fiber));
    while (!vacuum_ended_) TRY(fiber.sleep(milliseconds(5)));
    if (memory_.sabotage != nullptr && memory_.sabotage->at_rest) {
      TRY(memory_.sabotage->at_rest(fiber, node_));
    }
    TRY(check_structure(fiber));
    check_leaks();
    std::string wrong = TRY(check_free_space(fiber, node_.parts(), kPostgresDatabase));
    if (!wrong.empty()) world_.fail("structure", std::move(wrong));
    TRY(node_.storage().checkpoint(fiber));
    wrong = TRY(check_files(fiber, node_.parts(), kPostgresDatabase, machine_.disk().tree()));
    if (!wrong.empty()) world_.fail("leak", std::move(wrong));
    const VerifyReport report = TRY(node_.storage().verify(fiber));
    if (!report.damaged.empty()) world_.fail("structure", report.damaged[0]);
    memory_.data_pages = report.pages;
    TRY(node_.close(fiber));
    if (fiber.scheduler().live_fibers() != 1) {
      world_.fail("leak", cat(fiber.scheduler().live_fibers() - 1, " fibers live after shutdown"));
    }
    return {};
  }

  void check_leaks() {
    node_.storage().check();
    node_.transactions().check();
    node_.locks().check();
    const auto none = [&](uint64_t count, const char* what) {
      if (count != 0) world_.fail("leak", cat(count, what));
    };
    none(node_.storage().pool().pinned_frames(), " frames are pinned at rest");
    none(node_.transactions().running_count(), " transactions run at rest");
    none(node_.locks().entries().size(), " locks are held at rest");
    none(node_.parts().activity.entries().size(), " sessions are listed at rest");
    none(node_.parts().memory.used_bytes(), " bytes are booked at rest");
    if (node_.transactions().has_snapshots()) {
      world_.fail("leak", "a snapshot is registered at rest");
    }
  }

  // False when the work is to be left or tried again.
  bool accept(const Status& status, std::string_view doing) {
    if (status.ok()) return true;
    if (!status.is_halted()) static_cast<void>(has_cause(world_, machine_, status, doing));
    return false;
  }

  void note_checkpoints() {
    if (node_.storage().redo_lsn() == redo_) return;
    redo_ = node_.storage().redo_lsn();
    ++memory_.checkpoints;
  }

  // ---- vacuum

  uint64_t pick(uint64_t candidates) {
    return world_.tape().pick(Site::workload, machine_.id(), candidates);
  }

  void vacuum(Fiber& fiber) {
    while (!stops_vacuum_) {
      const auto longest = static_cast<uint64_t>(memory_.vacuum_pause_max.ns);
      if (!fiber.sleep(nanoseconds(static_cast<int64_t>(1'000'000 + pick(longest)))).ok()) return;
      const Status status = vacuum_some(fiber);
      if (status.is_halted()) return;
      if (status.is(sqlstate::insufficient_resources) && !memory_.peace) continue;
      accept(status, "vacuum");
    }
  }

  Status vacuum_some(Fiber& fiber) {
    HeapStore store(node_.parts().catalog.database(kPostgresDatabase), node_.parts().access,
                    nullptr);
    std::vector<Oid> tables(std::begin(kBusyCatalogs), std::end(kBusyCatalogs));
    TRY(store.scan(fiber, kBusyCatalogs[0], Oid(), {}, [&](const CatalogRow& row, Tid) -> Status {
      constexpr int16_t kOid = 1;
      constexpr int16_t kRelkind = 17;
      const auto oid = row.get<Oid>(kOid);
      if (oid >= kFirstUserOid && row.get<char>(kRelkind) == 'r') tables.push_back(oid);
      return {};
    }));
    LockOwner owner(node_.locks(), kVacuumProcess);
    const Oid table = tables[pick(tables.size())];
    const LockResult locked = node_.locks().try_acquire(
        owner, LockTag::relation(kPostgresDatabase, table), LockMode::share_update_exclusive);
    if (locked == LockResult::not_available) return {};
    CatalogReader reader(node_.parts().catalog.builtin(), store);
    const RelationInfo* relation = TRY(reader.relation(fiber, table));
    if (relation == nullptr) return {};
    world_.note(machine_.id(), "vacuum", relation->name, table.v, relation->indexes.size());
    TRY(vacuum_one(fiber, *relation));
    if (relation->toast) {
      const RelationInfo* toast = TRY(reader.relation(fiber, relation->toast));
      if (toast != nullptr) TRY(vacuum_one(fiber, *toast));
    }
    world_.note(machine_.id(), "vacuumed", relation->name, table.v, relation->indexes.size());
    ++memory_.vacuums;
    return {};
  }

  Status vacuum_one(Fiber& fiber, const RelationInfo& relation) {
    std::vector<const IndexInfo*> indexes;
    for (const CatalogIndex& index : relation.indexes) indexes.push_back(&index.storage);
    const VacuumOptions options{
        .dead_tids_max = 64, .pause = microseconds(100), .pages_between_pauses = 4};
    TRY(vacuum_table(fiber, node_.parts().access, relation.storage, indexes, options));
    return {};
  }

  World& world_;
  Machine& machine_;
  SqlMemory& memory_;
  FakeQuorum gate_;
  DatabaseNode node_;
  std::unique_ptr<Server> server_;
  bool serving_ = false;
  bool stops_vacuum_ = false;
  bool vacuum_ended_ = false;
  Lsn redo_;
};

class ImageFactory final : public NodeFactory {
 public:
  ImageFactory(World& world, SqlMemory& memory) : world_(world), memory_(memory) {}
  std::unique_ptr<Node> boot(Machine& machine, Host& host, Scheduler& scheduler) override {
    return make_sql_node(world_, machine, host, scheduler, memory_);
  }

 private:
  World& world_;
  SqlMemory& memory_;
};

}  // namespace

std::unique_ptr<Node> make_sql_node(World& world, Machine& machine, Host& host,
                                    Scheduler& scheduler, SqlMemory& memory) {
  return std::make_unique<SqlNode>(world, machine, host, scheduler, memory);
}

std::unique_ptr<FileTree> make_database_image(uint64_t segment_bytes) {
  const std::unique_ptr<Policy> dull = make_replay_policy({});
  World world(*dull);
  SqlMemory memory;
  memory.options.from_settings = false;
  memory.options.storage.log.segment_bytes = segment_bytes;
  memory.options.storage.pool_pages = 4096;
  memory.quorum.enforced = false;
  memory.wants_rest = true;
  ImageFactory factory(world, memory);
  Machine& machine = world.add_machine(kSqlServer, nullptr);
  machine.set_factory(&factory);
  machine.start();
  while (!(memory.at_rest && !machine.is_up())) {
    const bool goes_on = world.step();
    CHECK(goes_on);
  }
  return std::make_unique<FileTree>(machine.disk().tree());
}

}  // namespace orrery
