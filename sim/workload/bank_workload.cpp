// Workload `bank`: transfers between accounts through transactions, heap and B-tree, with
// savepoints, both isolation levels, long readers and vacuum, while the machine crashes.
//
// Every transfer also writes a row of history in the same transaction, so any snapshot can be held
// to itself: balances must be the opening balance plus the history it sees. Beside that a ledger
// outside the disk: acknowledged transfers are in every later snapshot, aborted ones in none, and
// one whose outcome nobody heard is either, but for ever.
#include <set>

#include "base/text.h"
#include "fiber/scheduler.h"
#include "sim/workload/bank_table.h"
#include "sim/workload/draw_options.h"
#include "sim/workload/fake_quorum.h"
#include "sim/workload/judge.h"
#include "sim/workload/workloads.h"
#include "txn/redo_relay.h"

namespace orrery {
namespace {

constexpr FileId kStatusFile = make_file_id(1);
constexpr uint32_t kAccountsOid = 20000;
constexpr uint32_t kHistoryOid = 20010;
constexpr int64_t kOpening = 1000;
constexpr uint64_t kEnoughTransfers = 150;
constexpr uint64_t kPeaceTransfers = 20;

enum class Fate : uint8_t { running, acknowledged, aborted, unknown, present, absent };

struct Transfer {
  int32_t from = 0;
  int32_t to = 0;
  int64_t amount = 0;
  Fate fate = Fate::running;
};

// Lasts over crashes.
struct Memory {
  StorageOptions storage;
  TransactionManagerOptions transactions{.status_file = kStatusFile};
  QuorumMemory quorum;
  int32_t accounts = 8;
  uint32_t sessions = 4;
  BankFiles account_files, history_files;
  bool made = false;
  bool peace = false, at_rest = false, finished = false;
  std::vector<Transfer> ledger;  // by transfer id
  RunCounts counts;
  uint64_t after_peace = 0;
};

class BankNode final : public Node {
 public:
  BankNode(World& world, Machine& machine, Host& host, Scheduler& scheduler, Memory& memory)
      : world_(world),
        machine_(machine),
        memory_(memory),
        gate_(world, machine, host, memory.quorum),
        storage_(host, memory.storage, gate_, relay_),
        transactions_(host, storage_, locks_, memory.transactions),
        access_(storage_, transactions_),
        accounts_(kAccountsOid, memory.account_files),
        history_(kHistoryOid, memory.history_files) {
    relay_.connect(transactions_);
    // What was under way when the last boot ended may have happened or not.
    for (Transfer& transfer : memory.ledger) {
      if (transfer.fate == Fate::running) transfer.fate = Fate::unknown;
    }
    scheduler.spawn("main", [this](Fiber& fiber) { main(fiber); });
  }
  bool is_serving() const override { return serving_; }

 private:
  // ---- life of the node

  void main(Fiber& fiber) {
    if (!accept(start(fiber), "opening the database")) {
      if (!fiber.scheduler().halted()) machine_.crash_soon(CrashKind::kill);
      return;
    }
    serving_ = true;
    if (memory_.at_rest) {
      memory_.finished = true;
      return;
    }
    for (uint32_t i = 0; i < memory_.sessions; ++i) {
      spawn(fiber, "session", [this, i](Fiber& own) { session(own, i); });
    }
    spawn(fiber, "reader", [this](Fiber& own) { reader(own); });
    spawn(fiber, "vacuum", [this](Fiber& own) { vacuum(own); });
    while (running_ > 0) {
      if (!fiber.sleep(milliseconds(5)).ok()) return;
    }
    if (memory_.peace && accept(rest(fiber), "coming to rest")) {
      memory_.at_rest = true;
      machine_.crash_soon(CrashKind::power);
    }
  }

  template <class Body>
  void spawn(Fiber& fiber, const char* name, Body body) {
    ++running_;
    fiber.scheduler().spawn(name, [this, body](Fiber& own) {
      body(own);
      --running_;
    });
  }

  Status start(Fiber& fiber) {
    TRY(storage_.open(fiber));
    gate_.settle();
    redo_ = storage_.redo_lsn();
    if (!storage_.is_new()) {
      TRY(transactions_.start(fiber));
      return compare(fiber, true);
    }
    if (memory_.made) {
      world_.fail("ledger", "the database is gone: a new one was made in its place");
      return {};
    }
    TRY(transactions_.create(fiber));
    TRY(fill(fiber));
    TRY(storage_.finish_creation(fiber));
    memory_.made = memory_.quorum.enforced = true;
    return {};
  }

  Status fill(Fiber& fiber) {
    LockOwner owner(locks_, 1);
    const std::unique_ptr<Transaction> t = transactions_.begin(owner);
    Status filled = fill_in(fiber, *t);
    if (filled.ok()) return transactions_.commit(fiber, *t);
    static_cast<void>(transactions_.abort(fiber, *t));
    return filled;
  }
  Status fill_in(Fiber& fiber, Transaction& t) {
    memory_.account_files = TRY(BankTable::create(fiber, access_, t, kAccountsOid));
    memory_.history_files = TRY(BankTable::create(fiber, access_, t, kHistoryOid));
    accounts_ = BankTable(kAccountsOid, memory_.account_files);
    history_ = BankTable(kHistoryOid, memory_.history_files);
    for (int32_t id = 0; id < memory_.accounts; ++id) {
      TRY(accounts_.insert(fiber, access_, t, BankRow{id, kOpening, "account"}));
    }
    return {};
  }

  Status rest(Fiber& fiber) {
    TRY(compare(fiber, true));
    storage_.check();
    transactions_.check();
    locks_.check();
    if (storage_.pool().pinned_frames() != 0) {
      world_.fail("leak", cat(storage_.pool().pinned_frames(), " frames are pinned at rest"));
    }
    if (transactions_.running_count() != 0) {
      world_.fail("leak", cat(transactions_.running_count(), " transactions run at rest"));
    }
    TRY(storage_.checkpoint(fiber));
    const VerifyReport report = TRY(storage_.verify(fiber));
    if (!report.damaged.empty()) world_.fail("structure", report.damaged[0]);
    memory_.counts.data_pages = report.pages;
    TRY(storage_.shutdown(fiber));
    if (fiber.scheduler().live_fibers() != 1) {
      world_.fail("leak", cat(fiber.scheduler().live_fibers() - 1, " fibers live after shutdown"));
    }
    return {};
  }

  // False when the fiber is to stop.
  bool accept(const Status& status, std::string_view doing) {
    if (status.ok()) return true;
    if (status.is_halted()) return false;
    if (status.is(sqlstate::insufficient_resources) && !memory_.peace) return true;
    return has_cause(world_, machine_, status, doing) && serving_;
  }

  void note_checkpoints() {
    if (storage_.redo_lsn() == redo_) return;
    redo_ = storage_.redo_lsn();
    ++memory_.counts.checkpoints;
  }

  // ---- oracle

  // One snapshot against itself and the ledger. `settles`: nobody else runs, so what is unknown is
  // decided for good, and indexes are walked.
  Status compare(Fiber& fiber, bool settles) {
    std::vector<Fate> known;
    for (const Transfer& transfer : memory_.ledger) known.push_back(transfer.fate);
    const RegisteredSnapshot now(transactions_, transactions_.take_snapshot(nullptr));
    TRY(compare_snapshot(fiber, now, known, settles));
    if (!settles) return {};
    memory_.counts.tables = memory_.counts.indexes = 0;
    for (BankTable* table : {&accounts_, &history_}) {
      Result<uint64_t> indexes = table->check(fiber, access_);
      if (indexes.status().is(sqlstate::index_corrupted)) {
        world_.fail("structure", indexes.status().error().message);
        return {};
      }
      memory_.counts.indexes += TRY(std::move(indexes));
      ++memory_.counts.tables;
    }
    for (int32_t id = 0; id < memory_.accounts; ++id) {
      const BankTable::Found found = TRY(accounts_.find(fiber, access_, now, id));
      if (!found.tid.is_valid())
        world_.fail("structure", cat("the index does not find account ", id));
    }
    return {};
  }

  // `known`: the fates when the snapshot was taken.
  Status compare_snapshot(Fiber& fiber, const Snapshot& snapshot, const std::vector<Fate>& known,
                          bool settles) {
    const std::vector<BankRow> accounts = TRY(accounts_.scan(fiber, access_, snapshot));
    const std::vector<BankRow> history = TRY(history_.scan(fiber, access_, snapshot));
    std::map<int32_t, int64_t> expected;
    for (int32_t id = 0; id < memory_.accounts; ++id) expected[id] = kOpening;
    std::set<int32_t> seen;
    for (const BankRow& row : history) {
      const auto id = static_cast<size_t>(row.id);
      if (row.id < 0 || id >= memory_.ledger.size()) {
        world_.fail("isolation",
                    cat("history row ", row.id, " of a savepoint rolled back is seen"));
        return {};
      }
      const Transfer& transfer = memory_.ledger[id];
      if (!seen.insert(row.id).second)
        world_.fail("structure", cat("transfer ", id, " is there twice"));
      if (transfer.amount != row.value)
        world_.fail("model", cat("transfer ", id, " has another amount"));
      if (transfer.fate == Fate::aborted || transfer.fate == Fate::absent) {
        world_.fail("isolation", cat("transfer ", id, " was rolled back and is seen"));
      }
      expected[transfer.from] -= transfer.amount;
      expected[transfer.to] += transfer.amount;
    }
    for (size_t id = 0; id < known.size(); ++id) {
      const bool must_be_there = known[id] == Fate::acknowledged || known[id] == Fate::present;
      if (must_be_there && !seen.contains(static_cast<int32_t>(id))) {
        world_.fail("ledger", cat("transfer ", id, " was acknowledged and is gone"));
      }
      if (settles && known[id] == Fate::unknown) {
        memory_.ledger[id].fate =
            seen.contains(static_cast<int32_t>(id)) ? Fate::present : Fate::absent;
      }
    }
    if (accounts.size() != expected.size()) {
      world_.fail("model", cat(accounts.size(), " accounts are seen instead of ", expected.size()));
    }
    for (const BankRow& row : accounts) {
      if (expected[row.id] == row.value) continue;
      world_.fail("isolation", cat("account ", row.id, " holds ", row.value,
                                   "; the history of the same "
                                   "snapshot makes it ",
                                   expected[row.id]));
      return {};
    }
    return {};
  }

  // ---- fibers

  uint64_t pick(uint64_t candidates) {
    return world_.tape().pick(Site::workload, machine_.id(), candidates);
  }
  bool is_enough() const { return memory_.peace && memory_.after_peace >= kPeaceTransfers; }

  void session(Fiber& fiber, uint32_t number) {
    LockOwner owner(locks_, static_cast<int32_t>(number + 10));
    while (!is_enough() && !world_.failure()) {
      const size_t id = memory_.ledger.size();
      Transfer transfer;
      transfer.from = static_cast<int32_t>(pick(static_cast<uint64_t>(memory_.accounts)));
      transfer.to = static_cast<int32_t>(pick(static_cast<uint64_t>(memory_.accounts)));
      transfer.amount = static_cast<int64_t>(1 + pick(20));
      memory_.ledger.push_back(transfer);
      ++memory_.counts.transactions;
      const bool is_repeatable = pick(3) == 2;
      const std::unique_ptr<Transaction> t = transactions_.begin(
          owner,
          {.isolation = is_repeatable ? Isolation::repeatable_read : Isolation::read_committed});
      Status status = transfer_in(fiber, *t, id);
      const bool gives_up = status.ok() && pick(12) == 11;
      if (status.ok() && !gives_up) {
        status = transactions_.commit(fiber, *t);
      } else if (!status.is_halted()) {
        const Status aborted = transactions_.abort(fiber, *t);
        if (!aborted.ok()) return;
      } else {
        static_cast<void>(transactions_.abort(fiber, *t));
        return;
      }
      if (status.is_halted()) return;
      conclude(id, status.ok() && !gives_up);
      const bool is_conflict = status.is(sqlstate::t_r_serialization_failure) ||
                               status.is(sqlstate::t_r_deadlock_detected);
      if (!is_conflict && !accept(status, "a transfer")) return;
      note_checkpoints();
      if (!status.ok() && !fiber.sleep(milliseconds(5)).ok()) return;
      if (!fiber.yield().ok()) return;
    }
  }

  void conclude(size_t id, bool is_committed) {
    memory_.ledger[id].fate = is_committed ? Fate::acknowledged : Fate::aborted;
    ++(is_committed ? memory_.counts.committed : memory_.counts.aborted);
    if (is_committed && memory_.peace) ++memory_.after_peace;
  }

  Status transfer_in(Fiber& fiber, Transaction& t, size_t id) {
    const Transfer transfer = memory_.ledger[id];
    std::optional<RegisteredSnapshot> whole;
    if (t.uses_one_snapshot()) whole.emplace(transactions_, transactions_.take_snapshot(&t));
    if (pick(4) == 3) TRY(rolled_back_savepoint(fiber, t));
    if (transfer.from != transfer.to) {
      TRY(add(fiber, t, whole, transfer.from, -transfer.amount));
      TRY(add(fiber, t, whole, transfer.to, transfer.amount));
    }
    const size_t note = pick(20) == 19 ? 4000 + pick(20'000) : pick(1500);
    BankRow row{static_cast<int32_t>(id), transfer.amount, ""};
    for (size_t i = 0; i < note; ++i)
      row.note.push_back(static_cast<char>('a' + (i * i + id) % 26));
    TRY(history_.insert(fiber, access_, t, row));
    return t.next_command();
  }

  // A statement: balance = balance + amount. READ COMMITTED looks again when somebody was faster.
  Status add(Fiber& fiber, Transaction& t, std::optional<RegisteredSnapshot>& whole,
             int32_t account, int64_t amount) {
    while (true) {
      std::optional<RegisteredSnapshot> own;
      if (!whole) own.emplace(transactions_, transactions_.take_snapshot(&t));
      RegisteredSnapshot& snapshot = whole ? *whole : *own;
      if (whole) snapshot.set_command(t.command());
      BankTable::Found found = TRY(accounts_.find(fiber, access_, snapshot, account));
      if (!found.tid.is_valid()) {
        world_.fail("isolation", cat("account ", account, " is not found"));
        return raise(sqlstate::internal_error, "no account");
      }
      found.row.value += amount;
      const ChangeOutcome outcome =
          TRY(accounts_.update(fiber, access_, t, found.tid, found.row, snapshot));
      if (outcome == ChangeOutcome::ok) return t.next_command();
      if (outcome != ChangeOutcome::updated) {
        world_.fail("isolation", cat("account ", account, " cannot be updated: outcome ",
                                     static_cast<uint32_t>(outcome)));
        return raise(sqlstate::internal_error, "no update");
      }
      if (whole) {
        return raise(sqlstate::t_r_serialization_failure,
                     "could not serialize access due to concurrent update");
      }
      TRY(fiber.yield());
    }
  }

  Status rolled_back_savepoint(Fiber& fiber, Transaction& t) {
    const uint32_t depth = transactions_.begin_level(t);
    const BankRow row{static_cast<int32_t>(1'000'000 + memory_.ledger.size()), 0, "never"};
    TRY(history_.insert(fiber, access_, t, row));
    TRY(t.next_command());
    return transactions_.rollback_level(fiber, t, depth);
  }

  // Holds one snapshot for long and reads it again and again.
  void reader(Fiber& fiber) {
    while (!is_enough() && !world_.failure()) {
      if (!accept(read_long(fiber), "a reader") || !fiber.sleep(milliseconds(3)).ok()) return;
    }
  }
  Status read_long(Fiber& fiber) {
    std::vector<Fate> known;
    for (const Transfer& transfer : memory_.ledger) known.push_back(transfer.fate);
    const RegisteredSnapshot snapshot(transactions_, transactions_.take_snapshot(nullptr));
    const uint64_t rounds = 1 + pick(4);
    for (uint64_t i = 0; i < rounds; ++i) {
      TRY(compare_snapshot(fiber, snapshot, known, false));
      TRY(fiber.sleep(microseconds(static_cast<int64_t>(pick(20'000)))));
    }
    return {};
  }

  void vacuum(Fiber& fiber) {
    while (!is_enough() && !world_.failure()) {
      Status status = fiber.sleep(microseconds(static_cast<int64_t>(1000 + pick(30'000))));
      if (status.ok()) status = accounts_.vacuum(fiber, access_);
      if (status.ok()) status = history_.vacuum(fiber, access_);
      if (status.ok() && pick(4) == 3) status = storage_.checkpoint(fiber);
      if (!accept(status, "vacuum")) return;
    }
  }

  World& world_;
  Machine& machine_;
  Memory& memory_;
  FakeQuorum gate_;
  RedoRelay relay_;
  LockTable locks_;
  Storage storage_;
  TransactionManager transactions_;
  Access access_;
  BankTable accounts_;
  BankTable history_;
  bool serving_ = false;
  uint32_t running_ = 0;
  Lsn redo_;
};

class BankWorkload final : public Workload, private NodeFactory {
 public:
  void set_up(Run& run) override {
    world_ = &run.world;
    Tape& tape = run.world.tape();
    draw_storage_options(tape, memory_.storage);
    memory_.transactions.status_cache_entries = 1u << tape.between(Site::knob, 0, 2, 10);
    memory_.transactions.xid_step = static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 4, 8192));
    memory_.transactions.oid_step = memory_.transactions.xid_step;
    memory_.accounts = static_cast<int32_t>(tape.magnitude(Site::knob, 0, 2, 64));
    memory_.sessions = static_cast<uint32_t>(tape.between(Site::knob, 0, 4, 8));
    memory_.quorum.enforced = false;
    machine_ = &run.world.add_machine("node", nullptr);
    machine_->set_factory(this);
    machine_->disk().set_atlas(&atlas_);
    machine_->start();
    set_up_in_peace(run.world, [&] { return memory_.made; });
  }

  void run(Run& run) override {
    run_phases(
        run, Phases{}, [&] { return memory_.counts.committed >= kEnoughTransfers; },
        [&] {
          memory_.peace = true;
          return memory_.finished;
        },
        [&] {
          return cat("the node is ", machine_->is_up() ? "up" : "down", ", ", memory_.after_peace,
                     " transfers since peace", memory_.at_rest ? ", it had come to rest" : "");
        });
    const Instant now = run.world.now();
    run.counts = memory_.counts;
    for (const Transfer& transfer : memory_.ledger) {
      const bool was_unknown = transfer.fate == Fate::unknown || transfer.fate == Fate::present ||
                               transfer.fate == Fate::absent;
      run.counts.unknown += was_unknown ? 1 : 0;
    }
    run.counts.sessions = memory_.sessions;
    run.counts.pool_pages = memory_.storage.pool_pages;
    run.counts.loaded_ns = now.v;
  }

  std::unique_ptr<Node> boot(Machine& machine, Host& host, Scheduler& scheduler) override {
    return std::make_unique<BankNode>(*world_, machine, host, scheduler, memory_);
  }

 private:
  World* world_ = nullptr;
  Machine* machine_ = nullptr;
  Memory memory_;
  SingleMachineAtlas atlas_{memory_.quorum, memory_.storage.log.segment_bytes};
};

}  // namespace

std::unique_ptr<Workload> make_bank_workload() { return std::make_unique<BankWorkload>(); }

}  // namespace orrery
