#include "sim/run/run.h"

#include "base/probe.h"
#include "base/text.h"
#include "sim/sql/database_images.h"

namespace orrery {
namespace {

class Probes final : public ProbeSink {
 public:
  explicit Probes(std::map<std::string, uint64_t>& hits) : hits_(hits) { set_probe_sink(this); }
  ~Probes() { set_probe_sink(nullptr); }
  void hit(const char* name) override { ++hits_[name]; }

 private:
  std::map<std::string, uint64_t>& hits_;
};

std::unique_ptr<Policy> make_policy(const RunOptions& options) {
  if (options.tape != nullptr) return make_replay_policy(*options.tape);
  Prng root(hash_text("orrery", options.seed));
  // One seed in four schedules by priorities; the rest at random.
  Prng kind = root.child("policy");
  const uint64_t inner = root.child("decisions").next();
  if (kind.below(4) != 0) return make_random_policy(inner);
  const auto depth = static_cast<uint32_t>(2 + kind.below(4));
  return make_pct_policy(inner, depth, 1000u << kind.below(6));
}

void collect(World& world, RunRecord& record) {
  record.hash = world.trace().hash();
  record.simulated = world.now();
  record.events = world.steps();
  record.decisions = world.tape().decisions();
  RunCounts& counts = record.counts;
  counts.machines = 0;
  for (uint16_t id = 1; id <= world.machines(); ++id) {
    const Machine& machine = world.machine(id);
    if (machine.is_protected()) continue;
    ++counts.machines;
    counts.crashes += machine.counts().crashes + machine.counts().kills;
    counts.crashes_in_recovery += machine.counts().crashes_in_recovery;
  }
  for (size_t i = 0; i < kFaults; ++i) {
    record.faults[i] = world.faults().count(static_cast<Fault>(i));
    counts.faults += record.faults[i].firings;
  }
  counts.disk_faults = world.faults().firings_of_disk();
  if (world.failure()) {
    record.verdict = world.failure()->oracle;
    record.sentence = world.failure()->sentence;
  }
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      append_hex(out, static_cast<unsigned char>(c), 2);
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string seconds_text(int64_t ns) {
  std::string fraction = cat(ns % 1'000'000'000 / 1000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return cat(ns / 1'000'000'000, ".", fraction);
}

}  // namespace

const WorkloadEntry* choose_workload(std::string_view name, uint64_t seed) {
  const std::span<const WorkloadEntry> all = workloads();
  if (name.empty()) return &all[Prng(seed).child("workload").below(all.size())];
  for (const WorkloadEntry& entry : all) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

RunRecord run_seed(const RunOptions& options) {
  const WorkloadEntry* entry = choose_workload(options.workload, options.seed);
  CHECK(entry != nullptr);
  RunRecord record;
  record.seed = options.seed;
  record.workload = entry->name;
  DatabaseImages own_images;
  DatabaseImages* images = options.images != nullptr ? options.images : &own_images;
  if (entry->needs_images) images->prepare();
  const Probes probes(record.probes);
  const std::unique_ptr<Policy> policy = make_policy(options);
  const std::unique_ptr<Workload> workload = entry->make();
  World world(*policy);
  world.trace().set_sink(options.sink);
  if (options.record_to != nullptr) world.tape().record_to(options.record_to);
  world.faults().draw_swarm(options.unrestricted);
  record.options = world.faults().describe();
  Nemesis nemesis(world, workload->nemesis_options());
  Run run{world, nemesis, record.counts, options.sabotage, images};
  workload->set_up(run);
  nemesis.begin();
  workload->run(run);
  collect(world, record);
  return record;
}

std::string record_json(const RunRecord& record, uint64_t real_microseconds) {
  std::string out = cat("{\"seed\": ", record.seed, ", \"workload\": ");
  append_json_text(out, record.workload);
  out += ", \"verdict\": ";
  append_json_text(out, record.verdict);
  if (record.verdict != "ok") {
    out += ", \"sentence\": ";
    append_json_text(out, record.sentence);
  }
  out += cat(", \"hash\": \"", record.hash.text(),
             "\", \"simulated_seconds\": ", seconds_text(record.simulated.v),
             ", \"real_seconds\": ", seconds_text(static_cast<int64_t>(real_microseconds) * 1000));
  const RunCounts& c = record.counts;
  const std::pair<const char*, uint64_t> numbers[] = {
      {"events", record.events},
      {"decisions", record.decisions},
      {"machines", c.machines},
      {"sessions", c.sessions},
      {"tables", c.tables},
      {"indexes", c.indexes},
      {"transactions", c.transactions},
      {"committed", c.committed},
      {"aborted", c.aborted},
      {"unknown", c.unknown},
      {"crashes", c.crashes},
      {"crashes_in_recovery", c.crashes_in_recovery},
      {"checkpoints", c.checkpoints},
      {"disk_faults", c.disk_faults},
      {"faults", c.faults},
      {"pool_pages", c.pool_pages},
      {"data_pages", c.data_pages},
  };
  for (const auto& [name, value] : numbers) out += cat(", \"", name, "\": ", value);
  out += cat(", \"loaded_seconds\": ", seconds_text(c.loaded_ns), ", \"fault_counts\": {");
  bool first = true;
  for (size_t i = 0; i < kFaults; ++i) {
    if (record.faults[i].chances == 0) continue;
    out += cat(first ? "\"" : ", \"", fault_name(static_cast<Fault>(i)), "\": [",
               record.faults[i].chances, ", ", record.faults[i].firings, "]");
    first = false;
  }
  out += "}, \"probes\": {";
  first = true;
  for (const auto& [name, hits] : record.probes) {
    if (!first) out += ", ";
    append_json_text(out, name);
    out += cat(": ", hits);
    first = false;
  }
  return out + "}}";
}

}  // namespace orrery
