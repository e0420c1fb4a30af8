#include "sim/tape.h"

#include <charconv>

#include "base/text.h"

namespace orrery {
namespace {
constexpr std::string_view kSiteTexts[] = {
#define SITE(name, text) text,
#include "sim/sites.def"
#undef SITE
};
}  // namespace

std::string_view site_text(Site site) { return kSiteTexts[static_cast<size_t>(site)]; }

std::optional<Site> site_named(std::string_view text) {
  for (size_t i = 0; i < kSites; ++i) {
    if (kSiteTexts[i] == text) return static_cast<Site>(i);
  }
  return std::nullopt;
}

uint32_t& Tape::ordinal(Site site, uint16_t machine) {
  const size_t at = machine * kSites + static_cast<size_t>(site);
  if (at >= ordinals_.size()) ordinals_.resize((machine + 1u) * kSites);
  return ordinals_[at];
}

uint64_t Tape::decide(Site site, uint16_t machine, uint64_t candidates,
                      std::span<const uint64_t> who) {
  CHECK(candidates > 0);
  if (candidates == 1) return 0;
  Decision decision{site, machine, ordinal(site, machine)++, candidates, 0};
  decision.picked = policy_.pick(decision, who);
  CHECK(decision.picked < candidates);
  ++decisions_;
  trace_.fold(decision.picked ^ static_cast<uint64_t>(site) << 56);
  if (recording_ != nullptr && decision.picked != 0) recording_->push_back(decision);
  return decision.picked;
}

uint64_t Tape::pick_word(Site site, uint16_t machine) {
  Decision decision{site, machine, ordinal(site, machine)++, 0, 0};
  decision.picked = policy_.pick(decision, {});
  ++decisions_;
  trace_.fold(decision.picked);
  if (recording_ != nullptr && decision.picked != 0) recording_->push_back(decision);
  return decision.picked;
}

int64_t Tape::magnitude(Site site, uint16_t machine, int64_t low, int64_t high) {
  CHECK(low > 0 && low <= high);
  int64_t steps = 0;
  while ((low << (steps + 1)) <= high) ++steps;
  const int64_t base = low << pick(site, machine, static_cast<uint64_t>(steps) + 1);
  return between(site, machine, base, std::min(high, base * 2 - 1));
}

std::string tape_text(std::span<const Decision> tape) {
  std::string out;
  for (const Decision& d : tape) {
    out += cat(site_text(d.site), " ", d.machine, " ", d.ordinal, " ", d.candidates, " ", d.picked,
               "\n");
  }
  return out;
}

namespace {
bool take_number(std::string_view& line, uint64_t& value) {
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc()) return false;
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  return true;
}
}  // namespace

Result<std::vector<Decision>> parse_tape(std::string_view text) {
  std::vector<Decision> tape;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (line.empty()) continue;
    const size_t space = std::min(line.find(' '), line.size());
    const std::optional<Site> site = site_named(line.substr(0, space));
    line.remove_prefix(space);
    uint64_t numbers[4] = {};
    bool good = site.has_value();
    for (uint64_t& value : numbers) good = good && take_number(line, value);
    if (!good)
      return raise(sqlstate::data_exception,
                   cat("line ", number, " of the tape is not a decision"));
    tape.push_back(Decision{*site, static_cast<uint16_t>(numbers[0]),
                            static_cast<uint32_t>(numbers[1]), numbers[2], numbers[3]});
  }
  return tape;
}

}  // namespace orrery
