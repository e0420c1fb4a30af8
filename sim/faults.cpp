#include "sim/faults.h"

#include "base/text.h"

namespace orrery {
namespace {
struct FaultRow {
  std::string_view name;
  std::string_view text;
  uint32_t on_percent;
  uint32_t low;
  uint32_t high;
};
constexpr FaultRow kRows[] = {
#define FAULT(name, text, on, low, high) {#name, text, on, low, high},
#include "sim/faults.def"
#undef FAULT
};
constexpr uint32_t kOnOnly = 1'000'000;  // the rate of a class that is just on
constexpr uint32_t kUnrestrictedPercent = 30;
}  // namespace

std::string_view fault_text(Fault fault) { return kRows[static_cast<size_t>(fault)].text; }
std::string_view fault_name(Fault fault) { return kRows[static_cast<size_t>(fault)].name; }

void Faults::draw_swarm(bool unrestricted) {
  for (size_t i = 0; i < kFaults; ++i) {
    const FaultRow& row = kRows[i];
    const uint32_t on = row.on_percent == 0 && unrestricted ? kUnrestrictedPercent : row.on_percent;
    rates_[i] = Rate{};
    if (!tape_.chance(Site::swarm, 0, Rate{on * 10'000})) continue;
    rates_[i].per_million =
        row.high == 0 ? kOnOnly
                      : static_cast<uint32_t>(tape_.magnitude(Site::swarm, 0, row.low, row.high));
  }
}

bool Faults::strikes(Fault fault, Site site, uint16_t machine) {
  if (!is_on(fault)) return false;
  FaultCount& count = counts_[index(fault)];
  ++count.chances;
  if (!tape_.chance(site, machine, rates_[index(fault)])) return false;
  ++count.firings;
  return true;
}

uint64_t Faults::firings_of_disk() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kFaults; ++i) {
    if (kRows[i].text.starts_with("disk:") || kRows[i].text.starts_with("crash:"))
      sum += counts_[i].firings;
  }
  return sum;
}

std::string Faults::describe() const {
  std::string out;
  for (size_t i = 0; i < kFaults; ++i) {
    if (rates_[i].per_million == 0) continue;
    if (!out.empty()) out += ' ';
    out += kRows[i].name;
    if (rates_[i].per_million != kOnOnly) out += cat("=", rates_[i].per_million);
  }
  return out.empty() ? "none" : out;
}

}  // namespace orrery
