// Workload `log`: fibers append records to the write-ahead log alone and wait for them, while the
// machine crashes. What control file and recovery would keep is kept here, outside the disk.
//
// Ledger: after each restart the log must hold exactly a prefix of what was appended, in order and
// byte for byte, and that prefix must hold every record whose commit was awaited.
#include "base/hash.h"
#include "base/text.h"
#include "sim/workload/fake_quorum.h"
#include "sim/workload/judge.h"
#include "sim/workload/workloads.h"
#include "wal/log_reader.h"
#include "wal/log_segments.h"

namespace orrery {
namespace {

constexpr uint64_t kEnoughRecords = 300;
constexpr uint64_t kPeaceRecords = 20;

struct Entry {
  Lsn lsn;
  uint64_t hash = 0;
  bool acknowledged = false;
};

// Lasts over crashes.
struct Memory {
  LogOptions options;
  bool created = false;
  QuorumMemory quorum;
  Lsn known_durable = kFirstEntryLsn;
  Lsn erase_from;
  std::vector<Entry> ledger;  // in LSN order
  uint64_t appended = 0;
  uint64_t acknowledged = 0;
  uint64_t after_peace = 0;
  bool peace = false;
  uint32_t writers = 4;
};

class LogNode final : public Node {
 public:
  LogNode(World& world, Machine& machine, Host& host, Scheduler& scheduler, Memory& memory)
      : world_(world),
        machine_(machine),
        memory_(memory),
        gate_(world, machine, host, memory.quorum),
        log_(host, memory.options, gate_) {
    scheduler.spawn("main", [this](Fiber& fiber) { start(fiber); });
  }
  bool is_serving() const override { return serving_; }

 private:
  void start(Fiber& fiber) {
    const Status opened = open(fiber);
    if (!opened.ok()) {
      // Damage is served as an error; the machine tries again when it has restarted.
      if (has_cause(world_, machine_, opened, "opening the log") && !opened.is_halted()) {
        machine_.crash_soon(CrashKind::kill);
      }
      return;
    }
    serving_ = true;
    for (uint32_t i = 0; i < memory_.writers; ++i) {
      fiber.scheduler().spawn("writer", [this](Fiber& own) { write(own); });
    }
  }

  Status open(Fiber& fiber) {
    if (!memory_.created) {
      TRY(log_.create(fiber));
      memory_.created = true;
    }
    const auto before_erasing = [this](Fiber&, Lsn end) -> Status {
      memory_.erase_from = end;
      return {};
    };
    const LogEnd end = TRY(log_.open(fiber, LogStart{.segment_bytes = memory_.options.segment_bytes,
                                                     .redo = kFirstEntryLsn,
                                                     .redo_previous_crc = {},
                                                     .known_durable = memory_.known_durable,
                                                     .known_committed = {},
                                                     .erase_from = memory_.erase_from,
                                                     .before_erasing = before_erasing}));
    memory_.erase_from = {};
    gate_.note_open();
    TRY(compare(fiber, end.end));
    log_.start_writing(fiber, Term(end.last_term.v + 1));
    return {};
  }

  // The log against the ledger, which is then cut to what the log has.
  Status compare(Fiber& fiber, Lsn end) {
    size_t at = 0;
    LogReader reader(log_, kFirstEntryLsn);
    while (reader.position() < end) {
      const Bytes bytes = TRY(reader.next_durable(fiber));
      if (bytes.empty()) break;
      for (EntryRecords records(bytes); !records.at_end(); ++at) {
        const Record record = TRY(records.next());
        if (at >= memory_.ledger.size()) {
          world_.fail("ledger",
                      cat("the log has a record at ", record.lsn, " that nobody appended"));
          return {};
        }
        const Entry& expected = memory_.ledger[at];
        if (record.lsn != expected.lsn || hash_bytes(record.payload) != expected.hash) {
          world_.fail("ledger", cat("the log has another record at ", record.lsn,
                                    " than was appended at ", expected.lsn));
          return {};
        }
      }
    }
    for (size_t i = at; i < memory_.ledger.size(); ++i) {
      if (!memory_.ledger[i].acknowledged) continue;
      world_.fail("ledger", cat("the record at ", memory_.ledger[i].lsn,
                                " was acknowledged and is gone; the log ends at ", end));
      return {};
    }
    memory_.ledger.resize(at);
    return {};
  }

  void write(Fiber& fiber) {
    Tape& tape = world_.tape();
    std::string payload;
    while (!done()) {
      const auto size = static_cast<size_t>(tape.magnitude(Site::workload, machine_.id(), 1, 4096));
      payload.assign(size, static_cast<char>('a' + memory_.appended % 26));
      const Status reserved = log_.reserve(fiber, kRecordHeaderBytes + size);
      if (!reserved.ok()) {
        if (!has_cause(world_, machine_, reserved, "reserving log space")) return;
        if (!fiber.sleep(milliseconds(10)).ok()) return;
        continue;
      }
      const Lsn lsn = log_.append(RecordKind::padding, kInvalidXid, as_bytes(payload));
      memory_.ledger.push_back(Entry{lsn, hash_bytes(as_bytes(payload)), false});
      ++memory_.appended;
      if (tape.pick(Site::workload, machine_.id(), 4) == 3) continue;  // nobody waits for this one
      const Status committed = log_.wait_committed(fiber, lsn);
      if (!committed.ok()) {
        has_cause(world_, machine_, committed, "waiting for a commit");
        return;
      }
      acknowledge(lsn);
      if (!fiber.yield().ok()) return;
    }
  }

  void acknowledge(Lsn lsn) {
    for (size_t i = memory_.ledger.size(); i > 0; --i) {
      if (memory_.ledger[i - 1].lsn == lsn) memory_.ledger[i - 1].acknowledged = true;
      if (memory_.ledger[i - 1].lsn <= lsn) break;
    }
    ++memory_.acknowledged;
    if (memory_.peace) ++memory_.after_peace;
  }

  bool done() const { return memory_.peace && memory_.after_peace >= kPeaceRecords; }

  World& world_;
  Machine& machine_;
  Memory& memory_;
  FakeQuorum gate_;
  Log log_;
  bool serving_ = false;
};

class LogWorkload final : public Workload, private NodeFactory {
 public:
  void set_up(Run& run) override {
    world_ = &run.world;
    Tape& tape = run.world.tape();
    LogOptions& options = memory_.options;
    options.segment_bytes = static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 4, 64)) * 4096;
    options.segments_ahead = static_cast<uint32_t>(tape.between(Site::knob, 0, 1, 3));
    options.entry_bytes = static_cast<uint32_t>(tape.magnitude(Site::knob, 0, 1024, 65536));
    options.uncommitted_limit_bytes =
        static_cast<uint64_t>(tape.magnitude(Site::knob, 0, 16 << 10, 1 << 20));
    options.flush_delay = microseconds(tape.magnitude(Site::knob, 0, 1, 100'000));
    memory_.writers = static_cast<uint32_t>(tape.between(Site::knob, 0, 1, 6));
    machine_ = &run.world.add_machine("node", nullptr);
    machine_->set_factory(this);
    machine_->disk().set_atlas(&atlas_);
    // The database is made in a good hour; from then on nothing is.
    machine_->start();
    set_up_in_peace(run.world, [&] { return memory_.created; });
  }

  void run(Run& run) override {
    run_phases(
        run, Phases{}, [&] { return memory_.acknowledged >= kEnoughRecords; },
        [&] {
          memory_.peace = true;
          return memory_.after_peace >= kPeaceRecords;
        },
        [&] {
          return cat(memory_.after_peace, " records committed since peace, node ",
                     machine_->is_up() ? (machine_->node()->is_serving() ? "serving" : "recovering")
                                       : "down");
        });
    RunCounts& counts = run.counts;
    counts.sessions = memory_.writers;
    counts.transactions = memory_.appended;
    counts.committed = memory_.acknowledged;
  }

  std::unique_ptr<Node> boot(Machine& machine, Host& host, Scheduler& scheduler) override {
    return std::make_unique<LogNode>(*world_, machine, host, scheduler, memory_);
  }

 private:
  World* world_ = nullptr;
  Machine* machine_ = nullptr;
  Memory memory_;
  SingleMachineAtlas atlas_{memory_.quorum, memory_.options.segment_bytes};
};

}  // namespace

std::unique_ptr<Workload> make_log_workload() { return std::make_unique<LogWorkload>(); }

}  // namespace orrery
