#include "sim/zoo/zoo.h"

#include <cstdio>

#include "base/plant.h"
#include "base/text.h"
#include "sim/run/jobs.h"
#include "sim/run/run.h"

#if defined(ORRERY_ZOO)

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <unistd.h>
#include <vector>

namespace orrery {
namespace {

enum class PlantKind : uint8_t { bug, equivalent, canary };
struct Plant {
  std::string_view name;
  PlantKind kind;
  std::string_view about;
};
constexpr Plant kPlants[] = {
#define PLANT(name, kind, about) {#name, PlantKind::kind, about},
#include "sim/zoo/plants.def"
#undef PLANT
};

bool is_known(std::string_view name) {
  return std::ranges::any_of(kPlants, [&](const Plant& known) { return known.name == name; });
}

constexpr uint64_t kSeeds = 2000;          // a bug must be found within so many
constexpr uint64_t kEnoughDetections = 5;  // then the estimate is good enough

struct Finding {
  uint64_t seeds = 0;
  uint64_t detections = 0;
  uint64_t hangs = 0;      // took too long, which shows nothing
  uint64_t unrelated = 0;  // fail with nothing planted too
  uint64_t first_seed = 0;
  std::string first_oracle;
  std::string first_sentence;
};

// 1.96 squared; Wilson's interval for detections out of seeds, as thousandths of a chance.
double wilson(double hits, double all, double sign) {
  constexpr double z2 = 3.8416;
  const double p = hits / all;
  const double inner = (p * (1 - p) + z2 / (4 * all)) / all;
  double root = inner;  // Newton's, so that no libm is needed
  for (int i = 0; i < 60 && root > 0; ++i) root = (root + inner / root) / 2;
  return (p + z2 / (2 * all) + sign * 1.96 * root) / (1 + z2 / all);
}

// Otherwise what the seed shows is something else than the plant.
bool passes_without(SweepOptions options, uint64_t seed) {
  options.planted.clear();
  options.first = options.last = seed;
  options.jobs = 1;
  bool passes = false;
  sweep(options, [&](SeedReport report) {
    passes = report.verdict == "ok";
    return true;
  });
  return passes;
}

Finding hunt(const Plant& plant, SweepOptions options) {
  options.planted = plant.name;
  Finding finding;
  std::vector<uint64_t> found;
  const uint64_t enough = plant.kind == PlantKind::equivalent ? 1 : kEnoughDetections;
  sweep(options, [&](SeedReport report) {
    ++finding.seeds;
    if (report.verdict == "ok") return true;
    if (report.verdict == "hang") {
      ++finding.hangs;
      return true;
    }
    ++finding.detections;
    found.push_back(report.seed);
    if (finding.first_seed == 0 || report.seed < finding.first_seed) {
      finding.first_seed = report.seed;
      finding.first_oracle = report.verdict;
      finding.first_sentence = report.sentence;
    }
    return finding.detections < enough;
  });
  for (const uint64_t seed : found) finding.unrelated += passes_without(options, seed) ? 0 : 1;
  return finding;
}

bool judge(const Plant& plant, const Finding& finding, std::string& line) {
  const auto seeds = static_cast<double>(finding.seeds);
  const auto hits = static_cast<double>(finding.detections);
  line = cat(plant.name, ": ");
  if (finding.hangs > 0) line += cat(finding.hangs, " seeds took too long; ");
  if (finding.unrelated > 0) {
    line += cat(finding.unrelated, " of ", finding.detections,
                " seeds that fail do so with nothing planted; ");
  }
  if (finding.detections == 0) {
    line += cat("not noticed in ", finding.seeds, " seeds");
    return plant.kind == PlantKind::equivalent && finding.seeds > 0;
  }
  const auto low = static_cast<uint64_t>(1.0 / wilson(hits, seeds, 1) + 0.5);
  const auto high = static_cast<uint64_t>(1.0 / wilson(hits, seeds, -1) + 0.5);
  line += cat(finding.seeds / finding.detections, " seeds to detection (95 %: ", low, " to ", high,
              "), first by ", finding.first_oracle, " at seed ", finding.first_seed, ": ",
              finding.first_sentence);
  return plant.kind != PlantKind::equivalent && finding.unrelated == 0;
}

struct ZooOptions {
  SweepOptions sweep;
  std::string_view only;  // empty: all plants
};

// What is wrong with the arguments, or nothing.
std::string read_options(std::span<const std::string_view> arguments, ZooOptions& options) {
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const std::string_view name = arguments[i];
    if (i + 1 == arguments.size()) return cat(name, " needs a value");
    const std::string_view text = arguments[i + 1];
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_number = error == std::errc() && end == text.data() + text.size() && value > 0;
    if (name == "--only") {
      options.only = text;
      if (!is_known(text)) return cat("no planted bug ", text);
    } else if (name == "--workload") {
      options.sweep.workload = text;
      if (choose_workload(text, 0) == nullptr) return cat("no workload ", text);
    } else if (name != "--seeds" && name != "--jobs") {
      return cat("no option ", name);
    } else if (!is_number || (name == "--jobs" && value > 1024)) {
      return cat(name, " takes a number, not ", text);
    } else if (name == "--seeds") {
      options.sweep.last = value;
    } else {
      options.sweep.jobs = static_cast<uint32_t>(value);
    }
  }
  return "";
}

}  // namespace

int zoo_command(std::span<const std::string_view> arguments) {
  ZooOptions options;
  options.sweep.last = kSeeds;
  options.sweep.jobs = static_cast<uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  if (const std::string wrong = read_options(arguments, options); !wrong.empty()) {
    std::fprintf(stderr, "sim: %s\n", wrong.c_str());
    return 2;
  }
  bool all_good = true;
  uint64_t found = 0;
  uint64_t bugs = 0;
  for (const Plant& plant : kPlants) {
    if (!options.only.empty() && plant.name != options.only) continue;
    const uint64_t start = real_microseconds();
    const Finding finding = hunt(plant, options.sweep);
    std::string line;
    const bool good = judge(plant, finding, line);
    std::printf("%s %s [%llu s]\n", good ? "ok  " : "FAIL", line.c_str(),
                static_cast<unsigned long long>((real_microseconds() - start) / 1'000'000));
    std::fflush(stdout);
    all_good = all_good && good;
    bugs += plant.kind == PlantKind::bug ? 1 : 0;
    found += plant.kind == PlantKind::bug && good ? 1 : 0;
  }
  std::printf("%llu of %llu planted bugs found\n", static_cast<unsigned long long>(found),
              static_cast<unsigned long long>(bugs));
  return all_good ? 0 : 1;
}

bool plant(std::string_view name) {
  if (!is_known(name)) return false;
  set_planted(name);
  return true;
}

}  // namespace orrery

#else

namespace orrery {

bool plant(std::string_view) { return false; }

int zoo_command(std::span<const std::string_view>) {
  std::fputs("sim: this build contains no planted bugs; use ./orrery zoo\n", stderr);
  return 2;
}

}  // namespace orrery

#endif
