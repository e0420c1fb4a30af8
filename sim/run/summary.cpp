#include "sim/run/summary.h"

#include <cstdio>

#include "base/hash.h"
#include "base/text.h"
#include "sim/faults.h"
#include "sim/trace.h"

namespace orrery {
namespace {

struct VerdictClass {
  std::string_view verdict;
  int exit_code;
};
constexpr VerdictClass kClasses[] = {
    {"ok", 0},     {"ledger", 10},     {"isolation", 11},   {"structure", 12},
    {"model", 13}, {"leak", 14},       {"liveness", 15},    {"assertion", 16},
    {"check", 17}, {"crash", 18},      {"hang", 19},        {"fatal", 20},
    {"error", 21}, {"corruption", 22}, {"determinism", 23}, {"protocol", 24},
};
constexpr size_t kMostFailuresShown = 20;

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

int exit_code_of(std::string_view verdict) {
  for (const VerdictClass& known : kClasses) {
    if (known.verdict == verdict) return known.exit_code;
  }
  return 29;
}

Summary::Summary(const SweepOptions& options, bool shows_progress)
    : options_(options),
      shows_progress_(shows_progress),
      started_at_(real_microseconds()),
      chances_(kFaults),
      firings_(kFaults) {}

void Summary::add(const SeedReport& report) {
  ++done_;
  ++workload_seeds_[report.workload];
  const size_t at = report.json.find("\"hash\": \"");
  hashes_[report.seed] = at == std::string::npos ? 0 : hash_text(report.json.substr(at + 9, 32));
  for (size_t i = 0; i < report.fault_firings.size() && i < kFaults; ++i) {
    chances_[i] += report.fault_chances[i];
    firings_[i] += report.fault_firings[i];
  }
  for (const std::string& probe : report.probes) ++probe_seeds_[probe];
  if (report.verdict != "ok") failures_[report.seed] = report;
}

void Summary::show_progress() {
  const uint64_t now = real_microseconds();
  if (!shows_progress_ || now - started_at_ < 500'000 || now - last_shown_at_ < 100'000) return;
  last_shown_at_ = now;
  const uint64_t total = options_.last - options_.first + 1;
  constexpr uint64_t kWidth = 40;
  const uint64_t filled = done_ * kWidth / total;
  const uint64_t left =
      (now - started_at_) / std::max<uint64_t>(done_, 1) * (total - done_) / 1'000'000;
  std::string line =
      cat("\r[", std::string(filled, '#'), std::string(kWidth - filled, '.'), "] ", done_, "/",
          total, " seeds, ", failures_.size(), " failed, ", left, " s left ");
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

void Summary::end_progress() {
  if (!shows_progress_ || last_shown_at_ == 0) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

void Summary::print(std::string_view program) const {
  TraceHash all;
  for (const auto& [seed, hash] : hashes_) {
    all.low = hash_combine(all.low, hash);
    all.high = hash_combine(all.high ^ hash, seed);
  }
  const uint64_t micros = std::max<uint64_t>(1, real_microseconds() - started_at_);
  const uint64_t per_core_hour = done_ * 3'600'000'000 / micros / std::max(1u, options_.jobs);
  std::string out;
  size_t shown = 0;
  for (const auto& [seed, report] : failures_) {
    if (++shown > kMostFailuresShown) {
      out += cat("... and ", failures_.size() - kMostFailuresShown, " more\n");
      break;
    }
    out += cat("FAIL seed ", seed, " (", report.workload, "): ", report.verdict, ": ",
               report.sentence, "\n     replay: ", program, " replay ", seed, " --workload ",
               report.workload, " --trace\n");
  }
  out += cat(done_, " seeds ", options_.first, "..", options_.last, ": ", done_ - failures_.size(),
             " ok, ", failures_.size(), " failed; ");
  bool first = true;
  for (const auto& [name, count] : workload_seeds_) {
    out += cat(first ? "" : ", ", count, " ", name);
    first = false;
  }
  out += cat("\n", micros / 1'000'000, ".", micros / 100'000 % 10, " s on ", options_.jobs,
             " process", options_.jobs == 1 ? "" : "es", ", ", per_core_hour,
             " seeds per core-hour; sweep hash ", all.text(), "\n");
  out += "faults that struck:";
  std::string silent;
  for (size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    if (firings_[i] != 0) {
      out += cat(" ", fault_name(fault), " ", firings_[i]);
    } else if (chances_[i] != 0) {
      silent += cat(" ", fault_name(fault));
    }
  }
  out += "\n";
  if (!silent.empty()) out += cat("faults that had chances and never struck:", silent, "\n");
  if (!probe_seeds_.empty()) {
    out += "probes reached (seeds):";
    for (const auto& [name, count] : probe_seeds_) out += cat("\n  ", count, "  ", name);
    out += "\n";
  }
  orrery::print(out);
}

int Summary::exit_code() const {
  return failures_.empty() ? 0 : exit_code_of(failures_.begin()->second.verdict);
}

}  // namespace orrery
