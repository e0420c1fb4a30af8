#include "sim/run/jobs.h"

#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/plant.h"
#include "base/text.h"
#include "sim/run/run.h"
#include "sim/sql/database_images.h"

namespace orrery {
namespace {

constexpr char kFieldEnd = '\x1f';

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count <= 0) ::_exit(3);  // the parent is gone
    text.remove_prefix(static_cast<size_t>(count));
  }
}

// A line of fields; no field holds a newline.
std::string report_line(const RunRecord& record, uint64_t microseconds) {
  std::string sentence = record.sentence;
  std::replace(sentence.begin(), sentence.end(), '\n', ' ');
  std::string line = cat("R", record.seed, kFieldEnd, record.verdict, kFieldEnd, record.workload,
                         kFieldEnd, sentence, kFieldEnd, record_json(record, microseconds));
  line += kFieldEnd;
  for (const FaultCount& count : record.faults) line += cat(count.chances, " ", count.firings, " ");
  line += kFieldEnd;
  for (const auto& [name, hits] : record.probes) line += cat(name, "|");
  return line + '\n';
}

// The child: runs seeds first, first + stride, ... and says so.
[[noreturn]] void run_seeds(const SweepOptions& options, DatabaseImages& images, uint64_t first,
                            uint64_t stride, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (uint64_t seed = first; seed <= options.last; seed += stride) {
    write_all(out, cat("S", seed, "\n"));
    const uint64_t start = real_microseconds();
    const RunRecord record = run_seed(RunOptions{.seed = seed,
                                                 .workload = options.workload,
                                                 .unrestricted = options.unrestricted,
                                                 .images = &images});
    write_all(out, report_line(record, real_microseconds() - start));
  }
  ::_exit(0);
}

uint64_t in_microseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<uint64_t>(time.tv_nsec) / 1000;
}

// What a process has used of processors: a busy machine makes no seed hang.
uint64_t processor_microseconds(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return in_microseconds(used);
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> pieces;
  while (true) {
    const size_t at = text.find(by);
    pieces.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

uint64_t number_in(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

SeedReport parse_report(std::string_view line) {
  const std::vector<std::string> fields = split(line, kFieldEnd);
  CHECK(fields.size() == 7);
  SeedReport report;
  report.seed = number_in(fields[0]);
  report.verdict = fields[1];
  report.workload = fields[2];
  report.sentence = fields[3];
  report.json = fields[4];
  const std::vector<std::string> counts = split(fields[5], ' ');
  for (size_t i = 0; i + 1 < counts.size(); i += 2) {
    report.fault_chances.push_back(number_in(counts[i]));
    report.fault_firings.push_back(number_in(counts[i + 1]));
  }
  for (const std::string& probe : split(fields[6], '|')) {
    if (!probe.empty()) report.probes.push_back(probe);
  }
  return report;
}

// One process and what the parent knows of it.
struct Worker {
  pid_t process = 0;
  int reports = -1;      // pipe
  int errors = -1;       // pipe: its stderr
  uint64_t next = 0;     // seed to go on with after the current one
  uint64_t current = 0;  // seed in progress
  bool is_running_seed = false;
  bool is_hung = false;
  uint64_t started_at = 0;
  uint64_t processor_limit = 0;  // of its processor time: then the seed in progress hangs
  std::string buffer;
  std::string said;  // the end of its stderr
};

class Sweep {
 public:
  Sweep(const SweepOptions& options, FunctionRef<bool(SeedReport)> report)
      : options_(options), report_(report), stride_(std::max(1u, options.jobs)) {}

  void run() {
#if defined(ORRERY_ZOO)
    set_planted(options_.planted);  // before images are made, whose format it may change
#endif
    // Made once here, shared by all children.
    for (const WorkloadEntry& entry : workloads()) {
      const bool may_run = options_.workload.empty() || options_.workload == entry.name;
      if (may_run && entry.needs_images) images_.prepare();
    }
    workers_.resize(stride_);
    for (uint64_t i = 0; i < stride_; ++i) {
      workers_[i].next = options_.first + i;
      start(workers_[i]);
    }
    while (!stopped_ && any_alive()) turn();
    for (Worker& worker : workers_) {
      if (worker.process == 0) continue;
      ::kill(worker.process, SIGKILL);
      reap(worker);
    }
  }

 private:
  void start(Worker& worker) {
    if (worker.next > options_.last || stopped_) return;
    int reports[2];
    int errors[2];
    CHECK(::pipe(reports) == 0 && ::pipe(errors) == 0);
    std::fflush(nullptr);
    const pid_t child = ::fork();
    CHECK(child >= 0);
    if (child == 0) {
      ::close(reports[0]);
      ::dup2(errors[1], STDERR_FILENO);
      run_seeds(options_, images_, worker.next, stride_, reports[1]);
    }
    ::close(reports[1]);
    ::close(errors[1]);
    ::fcntl(errors[0], F_SETFL, O_NONBLOCK);
    worker.process = child;
    worker.reports = reports[0];
    worker.errors = errors[0];
    worker.buffer.clear();
    worker.said.clear();
    worker.is_running_seed = worker.is_hung = false;
    worker.started_at = real_microseconds();
  }

  bool any_alive() const {
    return std::any_of(workers_.begin(), workers_.end(),
                       [](const Worker& worker) { return worker.process != 0; });
  }

  void turn() {
    std::vector<pollfd> waits;
    std::vector<Worker*> owners;
    for (Worker& worker : workers_) {
      if (worker.process == 0) continue;
      waits.push_back({worker.reports, POLLIN, 0});
      waits.push_back({worker.errors, POLLIN, 0});
      owners.push_back(&worker);
    }
    ::poll(waits.data(), waits.size(), 1000);
    for (size_t i = 0; i < owners.size() && !stopped_; ++i) {
      Worker& worker = *owners[i];
      if (waits[2 * i + 1].revents != 0) hear(worker);
      if (waits[2 * i].revents != 0) {
        read_reports(worker);
      } else if (worker.is_running_seed &&
                 processor_microseconds(worker.process) > worker.processor_limit) {
        ::kill(worker.process, SIGKILL);
        worker.is_hung = true;
      }
    }
  }

  void hear(Worker& worker) {
    char piece[4096];
    ssize_t count = 0;
    while ((count = ::read(worker.errors, piece, sizeof piece)) > 0) {
      worker.said.append(piece, static_cast<size_t>(count));
      constexpr size_t kKept = 16 * 1024;
      if (worker.said.size() > kKept) worker.said.erase(0, worker.said.size() - kKept);
    }
  }

  void read_reports(Worker& worker) {
    char piece[65536];
    const ssize_t count = ::read(worker.reports, piece, sizeof piece);
    if (count <= 0) {
      ended(worker);
      return;
    }
    worker.buffer.append(piece, static_cast<size_t>(count));
    size_t end = 0;
    while (!stopped_ && (end = worker.buffer.find('\n')) != std::string::npos) {
      const std::string line = worker.buffer.substr(0, end);
      worker.buffer.erase(0, end + 1);
      take_line(worker, line);
    }
  }

  void take_line(Worker& worker, const std::string& line) {
    const std::string_view rest = std::string_view(line).substr(1);
    if (line[0] == 'S') {
      worker.current = number_in(rest);
      worker.next = worker.current + stride_;
      worker.is_running_seed = true;
      worker.started_at = real_microseconds();
      worker.processor_limit =
          processor_microseconds(worker.process) + options_.seed_limit_seconds * 1'000'000;
      return;
    }
    worker.is_running_seed = false;
    stopped_ = !report_(parse_report(rest)) || stopped_;
  }

  void reap(Worker& worker) {
    hear(worker);
    ::close(worker.reports);
    ::close(worker.errors);
    ::waitpid(worker.process, &status_, 0);
    worker.process = 0;
  }

  void ended(Worker& worker) {
    reap(worker);
    if (!worker.is_running_seed) return;
    SeedReport report;
    report.seed = worker.current;
    const WorkloadEntry* entry = choose_workload(options_.workload, worker.current);
    report.workload = entry == nullptr ? "" : std::string(entry->name);
    report.verdict = worker.is_hung                                          ? "hang"
                     : worker.said.find("CHECK failed") != std::string::npos ? "check"
                                                                             : "crash";
    report.sentence = describe_death(worker);
    RunRecord record;
    record.seed = report.seed;
    record.workload = report.workload;
    record.verdict = report.verdict;
    record.sentence = report.sentence;
    report.json = record_json(record, real_microseconds() - worker.started_at);
    stopped_ = !report_(std::move(report)) || stopped_;
    start(worker);
  }

  std::string describe_death(const Worker& worker) const {
    for (const std::string_view sign : {"CHECK failed", "ERROR: ", "runtime error"}) {
      const size_t at = worker.said.find(sign);
      if (at != std::string::npos) return worker.said.substr(at, worker.said.find('\n', at) - at);
    }
    if (WIFSIGNALED(status_)) return cat("ended by signal ", WTERMSIG(status_));
    return cat("ended with status ", WEXITSTATUS(status_));
  }

  const SweepOptions& options_;
  FunctionRef<bool(SeedReport)> report_;
  uint64_t stride_;
  DatabaseImages images_;
  std::vector<Worker> workers_;
  bool stopped_ = false;
  int status_ = 0;
};

}  // namespace

uint64_t real_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return in_microseconds(now);
}

void sweep(const SweepOptions& options, FunctionRef<bool(SeedReport)> report) {
  ::signal(SIGPIPE, SIG_IGN);
  Sweep(options, report).run();
}

}  // namespace orrery
