#include "sim/workload/judge.h"

#include <charconv>

#include "base/text.h"

namespace orrery {

bool has_cause(World& world, Machine& machine, const Status& status, std::string_view doing) {
  CHECK(!status.ok());
  if (status.is_halted()) return true;
  const SimDisk& disk = machine.disk();
  const bool is_io = status.is(sqlstate::io_error);
  const bool is_full = status.is(sqlstate::disk_full);
  const bool is_damage =
      status.is(sqlstate::data_corrupted) || status.is(sqlstate::index_corrupted);
  world.note(machine.id(), "error met", status.error().message);
  if ((is_io || is_full) && disk.errors_given() > 0) return true;
  if (is_damage && disk.damage_given() > 0) return true;
  const Error& error = status.error();
  world.fail(is_damage ? "corruption" : "error",
             cat(doing, " failed without cause: ", error.code.text(), " ", error.message,
                 error.detail.empty() ? "" : cat(" (", error.detail, ")")));
  return false;
}

bool run_until(World& world, Duration limit, FunctionRef<bool()> done) {
  const Instant end = world.now() + limit;
  while (!done()) {
    if (world.now() > end || !world.step()) return false;
  }
  return true;
}

void set_up_in_peace(World& world, FunctionRef<bool()> done) {
  world.faults().stop();
  if (!run_until(world, seconds(600), done)) world.fail("liveness", "the database was not made");
  world.faults().resume();
}

void run_phases(Run& run, const Phases& phases, FunctionRef<bool()> enough,
                FunctionRef<bool()> finished, FunctionRef<std::string()> pending) {
  World& world = run.world;
  run_until(world, phases.safety_limit, enough);
  if (world.failure()) return;
  run.nemesis.make_peace();
  world.note(0, "peace");
  if (run_until(world, phases.liveness_limit, finished) || world.failure()) return;
  world.fail("liveness", cat("no end in ", phases.liveness_limit.ns / 1'000'000'000,
                             " s without faults: ", pending()));
}

bool SingleMachineAtlas::may_damage(std::string_view name, uint64_t offset, uint64_t count) const {
  if (!name.starts_with("log/")) return name.starts_with("data/");
  uint64_t index = 0;
  const std::string_view digits = name.substr(4);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), index, 16);
  const bool is_segment = error == std::errc() && end == digits.data() + digits.size();
  return is_segment && index * segment_bytes_ + offset + count <= quorum_.proven.v;
}

}  // namespace orrery
