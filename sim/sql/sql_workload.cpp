// Workload `sql`, S of the design: one machine with the whole engine, clients on another that speak
// pgwire to it over the simulated network. Each client plays a role (sql_session.h); what the roles
// know of acknowledged commits lies outside the simulated disk.
//
//   in peace    tables are made in a copy of the database image
//   safety      faults strike, clients work
//   liveness    faults end; each client must still get work done, then each role audits its
//               tables; the node comes to rest (leaks, structure), loses power, starts again, and
//               is audited again
#include "base/text.h"
#include "sim/sql/database_images.h"
#include "sim/sql/families.h"
#include "sim/sql/interrupts.h"
#include "sim/sql/lists.h"
#include "sim/sql/model_role.h"
#include "sim/sql/tpcb.h"
#include "sim/sql/transfers.h"
#include "sim/workload/draw_options.h"
#include "sim/workload/judge.h"
#include "sim/workload/workloads.h"

namespace orrery {
namespace {

constexpr uint64_t kEnoughTransactions = 200;
constexpr uint64_t kPeaceSteps = 4;  // of each client

class SqlWorkload final : public Workload, private NodeFactory {
 public:
  void set_up(Run& run) override {
    world_ = &run.world;
    draw_options(run.world.tape());
    memory_.quorum.enforced = true;
    memory_.sabotage = run.sabotage;
    machine_ = &run.world.add_machine(kSqlServer,
                                      &run.images->get(memory_.options.storage.log.segment_bytes));
    machine_->set_factory(this);
    machine_->disk().set_atlas(&atlas_);
    clients_machine_ = &run.world.add_machine("clients", nullptr);
    clients_machine_->set_protected(true);
    context_.emplace(SqlContext{
        .world = run.world, .node = *machine_, .memory = memory_, .counts = counts_, .meter = {}});
    draw_clients(run.world.tape());
    machine_->start();
    clients_machine_->start();
    clients_machine_->scheduler()->spawn("setup", [this](Fiber& fiber) {
      SqlSession session(*context_, 0, true);
      for (const auto& role : roles_) {
        if (!session.connect(fiber)) return;
        if (role->set_up(fiber, session)) continue;
        context_->fail("error", cat("the tables could not be made: ", session.last_error(),
                                    ", from: ", session.doing()));
      }
      session.disconnect(fiber, true);
      made_ = true;
    });
    set_up_in_peace(run.world, [&] { return made_; });
    counts_ = RunCounts();
    context_->meter = LoadMeter();
    memory_.checkpoints = 0;
    for (uint32_t i = 0; i < sessions_.size(); ++i) {
      clients_machine_->scheduler()->spawn("client", [this, i](Fiber& fiber) { play(fiber, i); });
    }
  }

  void run(Run& run) override {
    run_phases(
        run, Phases{}, [&] { return counts_.transactions >= kEnoughTransactions; },
        [&] {
          begin_peace();
          return finished_;
        },
        [&] { return pending(); });
    run.counts = counts_;
    run.counts.sessions = sessions_.size();
    run.counts.checkpoints = memory_.checkpoints;
    run.counts.pool_pages = memory_.options.storage.pool_pages;
    run.counts.data_pages = memory_.data_pages;
    run.counts.loaded_ns = context_->meter.loaded_ns();
    run.counts.tables = memory_.tables;
    run.counts.indexes = memory_.indexes;
  }

  // Recovery of the whole engine takes long beside that of its storage alone.
  NemesisOptions nemesis_options() const override {
    return {.first = milliseconds(20), .shortest = milliseconds(20), .longest = seconds(4)};
  }

  std::unique_ptr<Node> boot(Machine& machine, Host& host, Scheduler& scheduler) override {
    return make_sql_node(*world_, machine, host, scheduler, memory_);
  }

 private:
  enum class Part : uint8_t { transfers, lists, model, tpcb, families, interrupts };
  struct Client {
    std::unique_ptr<SqlSession> session;
    SqlRole* role = nullptr;
    uint64_t peace_steps = 0;
    bool is_done = false;
  };

  void draw_options(Tape& tape) {
    StorageOptions& storage = memory_.options.storage;
    draw_storage_options(tape, storage);
    storage.pool_pages = static_cast<uint32_t>(tape.magnitude(Site::knob, 0, 32, 255));
    storage.checkpoint_interval = milliseconds(tape.magnitude(Site::knob, 0, 10, 5'000));
    storage.log.segment_bytes = DatabaseImages::kSegmentBytes[tape.pick(Site::knob, 0, 2)];
    memory_.options.from_settings = false;
    memory_.options.transactions.status_cache_entries = 1u << tape.between(Site::knob, 0, 2, 10);
    const auto id_step = static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 4, 8192));
    memory_.options.transactions.xid_step = id_step;
    memory_.options.transactions.oid_step = id_step;
    memory_.vacuum_pause_max = nanoseconds(tape.magnitude(Site::knob, 0, 1'000'000, 1'000'000'000));
    memory_.checks_at_start = tape.pick(Site::knob, 0, 8) == 7;
  }

  void draw_clients(Tape& tape) {
    context_->uses_extended = tape.pick(Site::knob, 0, 2) == 1;
    if (tape.pick(Site::knob, 0, 3) == 2) {
      context_->patience_max =
          nanoseconds(tape.magnitude(Site::knob, 0, 50'000'000, 20'000'000'000));
    }
    const auto sessions = static_cast<uint32_t>(tape.between(Site::knob, 0, 4, 8));
    using enum Part;
    constexpr Part kParts[] = {transfers, lists, model, tpcb,      families,
                               transfers, lists, tpcb,  interrupts};
    const uint64_t first = tape.pick(Site::knob, 0, std::size(kParts));
    for (uint32_t i = 0; i < sessions; ++i) {
      SqlRole* role = role_of(kParts[(first + i) % std::size(kParts)], i);
      sessions_.push_back(Client{std::make_unique<SqlSession>(*context_, i + 1), role, 0, false});
    }
    for (const Client& client : sessions_) context_->sessions.push_back(client.session.get());
  }

  // Several clients play the same transfers, lists, TPC-B and families; the others are one
  // client's.
  SqlRole* role_of(Part part, uint32_t number) {
    const bool is_shared = part != Part::model && part != Part::interrupts;
    if (is_shared && shared_.contains(part)) return shared_[part];
    switch (part) {
      case Part::transfers:  roles_.push_back(make_transfers(*context_)); break;
      case Part::lists:      roles_.push_back(make_lists(*context_)); break;
      case Part::tpcb:       roles_.push_back(make_tpcb(*context_)); break;
      case Part::families:   roles_.push_back(make_families(*context_)); break;
      case Part::model:      roles_.push_back(make_model_role(*context_, number)); break;
      case Part::interrupts: roles_.push_back(make_interrupts(*context_)); break;
    }
    if (is_shared) shared_[part] = roles_.back().get();
    return roles_.back().get();
  }

  void play(Fiber& fiber, uint32_t number) {
    Client& client = sessions_[number];
    SqlSession& session = *client.session;
    while (client.peace_steps < kPeaceSteps) {
      if (!session.connect(fiber)) return;
      const bool progress = client.role->step(fiber, session);
      if (progress && memory_.peace) ++client.peace_steps;
      const bool leaves = context_->pick(40) == 39;
      if (leaves) session.disconnect(fiber, context_->pick(2) == 0);
      const auto pause = static_cast<int64_t>(context_->pick(2'000));
      if (!fiber.sleep(microseconds(pause)).ok()) return;
    }
    session.disconnect(fiber, true);
    client.is_done = true;
    if (std::ranges::all_of(sessions_, &Client::is_done)) {
      clients_machine_->scheduler()->spawn("auditor", [this](Fiber& own) { finish(own); });
    }
  }

  void begin_peace() { memory_.peace = true; }

  // Twice: as the clients left it, and after a rest and a restart.
  void finish(Fiber& fiber) {
    SqlSession& session = *sessions_[0].session;
    if (!wait_until_alone(fiber, session) || !sabotage(fiber, session) || !audit(fiber, session))
      return;
    session.disconnect(fiber, true);
    memory_.wants_rest = true;
    while (!memory_.at_rest) {
      if (!fiber.sleep(milliseconds(10)).ok()) return;
    }
    if (!audit(fiber, session)) return;
    session.disconnect(fiber, true);
    finished_ = true;
  }

  // Sessions whose clients left may still be at work.
  bool wait_until_alone(Fiber& fiber, SqlSession& session) {
    while (session.connect(fiber)) {
      const SqlResult count = session.run(
          fiber, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'");
      if (count.ok() && count.rows.size() == 1 && count.rows[0][0] == "1") return true;
      if (!fiber.sleep(milliseconds(5)).ok()) return false;
    }
    return false;
  }

  // For the tests of the oracles.
  bool sabotage(Fiber& fiber, SqlSession& session) {
    if (memory_.sabotage == nullptr || memory_.sabotage->sql.empty()) return true;
    while (session.connect(fiber)) {
      if (session.run(fiber, memory_.sabotage->sql).ok()) return true;
    }
    return false;
  }

  bool audit(Fiber& fiber, SqlSession& session) {
    for (const auto& role : roles_) {
      do {
        if (!session.connect(fiber)) return false;
      } while (!role->audit(fiber, session));
    }
    return !world_->failure();
  }

  std::string pending() const {
    std::string text =
        cat("the node is ", machine_->is_up() ? "up" : "down",
            machine_->is_up() && !machine_->node()->is_serving() ? ", recovering" : "",
            memory_.at_rest      ? ", had come to rest"
            : memory_.wants_rest ? ", comes to rest"
                                 : "");
    for (const Client& client : sessions_) {
      if (client.is_done) continue;
      text += cat("; client ", client.session->number(), " did ", client.peace_steps,
                  " steps in peace, last: ", client.session->doing());
    }
    return text;
  }

  World* world_ = nullptr;
  Machine* machine_ = nullptr;
  Machine* clients_machine_ = nullptr;
  SqlMemory memory_;
  RunCounts counts_;
  std::optional<SqlContext> context_;
  std::vector<std::unique_ptr<SqlRole>> roles_;
  std::map<Part, SqlRole*> shared_;
  std::vector<Client> sessions_;
  bool made_ = false;
  bool finished_ = false;
  SingleMachineAtlas atlas_{memory_.quorum, memory_.options.storage.log.segment_bytes};
};

}  // namespace

std::unique_ptr<Workload> make_sql_workload() { return std::make_unique<SqlWorkload>(); }

}  // namespace orrery
