#include "sim/run/command.h"

#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/text.h"
#include "sim/run/run.h"
#include "sim/run/summary.h"
#include "sim/zoo/zoo.h"

namespace orrery {
namespace {

constexpr std::string_view kUsage =
    R"(The simulator runs the engine in a world where a seed decides every delay and crash.

  sim                                     a short sweep, explained
  sim run --seeds A..B [--jobs N] [--workload W] [--jsonl FILE]  [--unrestricted]
  sim replay SEED [--workload W] [--trace] [--twice] [--tape FILE] [--save-tape FILE]
  sim zoo [--seeds N] [--jobs N] [--only NAME]   planted bugs; zoo builds only, which
                                          can also: sim replay SEED --plant NAME
  sim workloads                           lists them

Without --workload each seed chooses its own. Exit codes: 0 ok, 1 trouble, 2 usage; else the class
of the first failing seed: 10 ledger, 11 isolation, 12 structure, 13 model, 14 leak, 15 liveness,
16 assertion, 17 check, 18 crash, 19 hang, 20 fatal, 21 error, 22 corruption, 23 determinism,
24 protocol.
)";
constexpr int kTrouble = 1;
constexpr int kUsageError = 2;
constexpr uint64_t kShortSweepSeeds = 100;

void say(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
int complain(std::string_view text) {
  const std::string line = cat("sim: ", text, "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
  return kUsageError;
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Arguments {
  std::vector<std::string_view> plain;
  std::map<std::string_view, std::string_view> options;

  bool has(std::string_view name) const { return options.count(name) != 0; }
  std::string get(std::string_view name) const {
    const auto it = options.find(name);
    return it == options.end() ? "" : std::string(it->second);
  }
};

// "--name VALUE" for the names in `with_value`, "--name" for those in `flags`.
std::optional<std::string> parse(std::span<const std::string_view> from,
                                 std::span<const std::string_view> with_value,
                                 std::span<const std::string_view> flags, Arguments& out) {
  for (size_t i = 0; i < from.size(); ++i) {
    const std::string_view word = from[i];
    if (!word.starts_with("--")) {
      out.plain.push_back(word);
    } else if (std::find(flags.begin(), flags.end(), word) != flags.end()) {
      out.options[word] = "";
    } else if (std::find(with_value.begin(), with_value.end(), word) == with_value.end()) {
      return cat("no option ", word);
    } else if (i + 1 == from.size()) {
      return cat(word, " needs a value");
    } else {
      out.options[word] = from[++i];
    }
  }
  return std::nullopt;
}

bool parse_range(std::string_view text, uint64_t& first, uint64_t& last) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return false;
  const std::optional<uint64_t> low = number(text.substr(0, dots));
  const std::optional<uint64_t> high = number(text.substr(dots + 2));
  if (!low || !high || *low > *high) return false;
  first = *low;
  last = *high;
  return true;
}

int run_sweep(const SweepOptions& options, const std::string& jsonl) {
  std::FILE* file = nullptr;
  if (!jsonl.empty() && (file = std::fopen(jsonl.c_str(), "w")) == nullptr) {
    complain(cat("cannot write ", jsonl));
    return kTrouble;
  }
  Summary summary(options, ::isatty(STDERR_FILENO) == 1);
  sweep(options, [&](SeedReport report) {
    if (file != nullptr) std::fprintf(file, "%s\n", report.json.c_str());
    summary.add(report);
    summary.show_progress();
    return true;
  });
  summary.end_progress();
  if (file != nullptr && std::fclose(file) != 0) return kTrouble;
  summary.print("./orrery sim");
  return summary.exit_code();
}

int run_verb(std::span<const std::string_view> words) {
  constexpr std::string_view kValues[] = {"--seeds", "--jobs", "--workload", "--jsonl"};
  constexpr std::string_view kFlags[] = {"--unrestricted"};
  Arguments arguments;
  if (const auto wrong = parse(words, kValues, kFlags, arguments)) return complain(*wrong);
  SweepOptions options;
  if (!parse_range(arguments.get("--seeds"), options.first, options.last)) {
    return complain("run needs --seeds A..B");
  }
  options.jobs = static_cast<uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  if (arguments.has("--jobs")) {
    const std::optional<uint64_t> jobs = number(arguments.get("--jobs"));
    if (!jobs || *jobs == 0 || *jobs > 1024) return complain("--jobs is 1 to 1024");
    options.jobs = static_cast<uint32_t>(*jobs);
  }
  options.workload = arguments.get("--workload");
  options.unrestricted = arguments.has("--unrestricted");
  if (choose_workload(options.workload, 0) == nullptr)
    return complain("no such workload; see: sim workloads");
  return run_sweep(options, arguments.get("--jsonl"));
}

int short_sweep() {
  SweepOptions options;
  options.last = kShortSweepSeeds;
  options.jobs = static_cast<uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  say(cat(
      "Each of ", kShortSweepSeeds,
      " seeds builds a world, lets a workload run in it while disks, machines and clocks fail as "
      "the\n"
      "seed decides, then ends the faults and asks: is every acknowledged change there, is every\n"
      "structure whole, does work go on, is nothing left behind?\n\n"));
  const int code = run_sweep(options, "");
  say(code == 0
          ? "\nNothing was lost. The same seeds give the same sweep hash on every machine and "
            "build.\n"
            "More: ./orrery sim run --seeds 1..2000; one in detail: ./orrery sim replay 7 --trace\n"
          : "\nSomething is wrong: replay a failing seed by the command beside it.\n");
  return code;
}

class PrintingSink final : public TraceSink {
 public:
  explicit PrintingSink(bool prints) : prints_(prints) {}
  void event(const TraceEvent& event, const TraceHash& after) override {
    if (prints_) say(cat(trace_line(event), "\n"));
    lines_.push_back(after.low);
  }
  const std::vector<uint64_t>& lines() const { return lines_; }

 private:
  bool prints_;
  std::vector<uint64_t> lines_;
};

// Names the first event at which a second run of the same seed differs.
class ComparingSink final : public TraceSink {
 public:
  explicit ComparingSink(const std::vector<uint64_t>& expected) : expected_(expected) {}
  void event(const TraceEvent& event, const TraceHash& after) override {
    if (!difference_.empty()) return;
    if (at_ >= expected_.size() || expected_[at_] != after.low) {
      difference_ = cat("event ", at_, ": ", trace_line(event));
    }
    ++at_;
  }
  const std::string& difference() const { return difference_; }

 private:
  const std::vector<uint64_t>& expected_;
  size_t at_ = 0;
  std::string difference_;
};

std::string file_text(const std::string& name) {
  std::string text;
  std::FILE* file = std::fopen(name.c_str(), "r");
  if (file == nullptr) return text;
  char piece[4096];
  size_t count = 0;
  while ((count = std::fread(piece, 1, sizeof piece, file)) > 0) text.append(piece, count);
  std::fclose(file);
  return text;
}

int replay_verb(std::span<const std::string_view> words) {
  constexpr std::string_view kValues[] = {"--workload", "--tape", "--save-tape", "--plant"};
  constexpr std::string_view kFlags[] = {"--trace", "--twice", "--unrestricted"};
  Arguments arguments;
  if (const auto wrong = parse(words, kValues, kFlags, arguments)) return complain(*wrong);
  const std::optional<uint64_t> seed =
      arguments.plain.size() == 1 ? number(arguments.plain[0]) : std::nullopt;
  if (!seed) return complain("replay needs one SEED");
  if (arguments.has("--plant") && !plant(arguments.get("--plant")))
    return complain("no such planted bug in this build");
  RunOptions options{.seed = *seed, .workload = arguments.get("--workload")};
  options.unrestricted = arguments.has("--unrestricted");
  if (choose_workload(options.workload, *seed) == nullptr) return complain("no such workload");
  std::vector<Decision> given;
  if (arguments.has("--tape")) {
    Result<std::vector<Decision>> parsed = parse_tape(file_text(arguments.get("--tape")));
    if (!parsed.ok()) return complain(parsed.status().error().message);
    given = std::move(parsed).take_value();
    options.tape = &given;
  }
  std::vector<Decision> taken;
  if (arguments.has("--save-tape")) options.record_to = &taken;
  PrintingSink sink(arguments.has("--trace"));
  options.sink = &sink;
  const RunRecord record = run_seed(options);
  say(cat("seed ", record.seed, ", workload ", record.workload, ", faults: ", record.options, "\n",
          record_json(record, 0), "\n"));
  if (arguments.has("--save-tape")) {
    std::FILE* file = std::fopen(arguments.get("--save-tape").c_str(), "w");
    if (file == nullptr) return kTrouble;
    const std::string text = tape_text(taken);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  if (arguments.has("--twice")) {
    ComparingSink second(sink.lines());
    options.sink = &second;
    options.record_to = nullptr;
    const bool same = run_seed(options).hash == record.hash;
    if (!same || !second.difference().empty()) {
      say(cat("the second run differs: ", second.difference(), "\n"));
      return exit_code_of("determinism");
    }
    say("the second run is the same\n");
  }
  if (record.verdict != "ok") say(cat("FAIL ", record.verdict, ": ", record.sentence, "\n"));
  return exit_code_of(record.verdict);
}

}  // namespace

int simulator_command(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return short_sweep();
  const std::string_view verb = arguments[0];
  const std::span<const std::string_view> rest = arguments.subspan(1);
  if (verb == "run") return run_verb(rest);
  if (verb == "replay") return replay_verb(rest);
  if (verb == "zoo") return zoo_command(rest);
  if (verb == "workloads") {
    for (const WorkloadEntry& entry : workloads()) say(cat(entry.name, "  ", entry.about, "\n"));
    return 0;
  }
  if (verb == "help" || verb == "--help" || verb == "-h") {
    say(kUsage);
    return 0;
  }
  complain(cat("no verb ", verb));
  say(kUsage);
  return kUsageError;
}

}  // namespace orrery
