#include "sim/world.h"

#include "base/text.h"

namespace orrery {

World::World(Policy& policy) : tape_(policy, trace_), faults_(tape_), network_(*this) {}

World::~World() {
  faults_.stop();
  machines_.clear();
}

Machine& World::add_machine(std::string name, const FileTree* image) {
  const auto id = static_cast<uint16_t>(machines_.size() + 1);
  machines_.push_back(std::make_unique<Machine>(*this, id, std::move(name), image));
  return *machines_.back();
}

Machine* World::find(std::string_view name) {
  for (const auto& machine : machines_) {
    if (machine->name() == name) return machine.get();
  }
  return nullptr;
}

void World::schedule(EventKind kind, uint16_t machine, uint32_t boot, Instant when, uint64_t slot) {
  CHECK(when >= now_);
  const auto tie = 1 + static_cast<uint32_t>(tape_.pick(Site::queue_tie, machine, 4));
  queue_.push(Event{when, tie, 0, kind, machine, boot, slot});
}

void World::schedule_urgent(EventKind kind, uint16_t machine, uint32_t boot, uint64_t slot) {
  queue_.push(Event{now_, 0, 0, kind, machine, boot, slot});
}

bool World::step() {
  if (failure_ || queue_.empty()) return false;
  Event event = queue_.pop();
  CHECK(event.time >= now_);
  now_ = event.time;
  ++steps_;
  if (event.machine != 0 && event.kind != EventKind::crash &&
      machine(event.machine).paused_until() > now_) {
    event.time = machine(event.machine).paused_until();
    queue_.push(event);
    return true;
  }
  dispatch(event);
  return true;
}

void World::run_until(Instant when) {
  while (!failure_ && !queue_.empty() && queue_.front().time <= when) step();
  if (!failure_ && now_ < when) now_ = when;
}

void World::dispatch(const Event& event) {
  trace_.fold(static_cast<uint64_t>(event.time.v) ^ static_cast<uint64_t>(event.kind) << 56 ^
              static_cast<uint64_t>(event.machine) << 40);
  if (event.kind == EventKind::nemesis) {
    if (nemesis_ != nullptr) nemesis_->strike();
    return;
  }
  Machine& target = machine(event.machine);
  if (event.kind == EventKind::boot) {
    if (!target.is_up() && event.boot == target.boots()) target.start();
    return;
  }
  if (!target.is_up() || event.boot != target.boots()) return;  // of a boot that is over
  if (event.kind == EventKind::crash) {
    target.crash(static_cast<CrashKind>(event.slot));
    if (nemesis_ != nullptr) nemesis_->on_down(target);
    return;
  }
  if (target.scheduler()->halted()) return;  // it died at this very moment
  switch (event.kind) {
    case EventKind::turn:            target.run_turn(); return;
    case EventKind::timer:           target.host()->clock().fire(event.slot); return;
    case EventKind::disk:            target.disk().finish(event.slot); return;
    case EventKind::worker:          target.host()->workers().finish(event.slot); return;
    case EventKind::network_request: network_.finish_connect(event.slot); return;
    case EventKind::network_deliver: network_.deliver(event.slot); return;
    case EventKind::nemesis:
    case EventKind::boot:
    case EventKind::crash:           break;
  }
  UNREACHABLE();
}

uint32_t World::pick_fiber(Machine& machine, uint32_t count) {
  who_.clear();
  machine.scheduler()->append_ready(who_);
  CHECK(who_.size() == count);
  return static_cast<uint32_t>(tape_.pick_among(Site::cpu_next, machine.id(), who_));
}

void World::on_fatal(Machine& machine) {
  // A node may give up only when the world gave it a reason.
  if (machine.disk().errors_given() == 0 && machine.disk().damage_given() == 0) {
    fail("fatal", cat(machine.name(), " stopped itself without cause: ", machine.fatal_text()));
  }
  const bool process_only =
      faults_.is_on(Fault::machine_kill) && tape_.pick(Site::crash_mode, machine.id(), 2) == 1;
  machine.crash_soon(process_only ? CrashKind::kill : CrashKind::power);
}

void World::fail(std::string_view oracle, std::string sentence) {
  note(0, "failure", sentence);
  if (!failure_) failure_ = Failure{std::string(oracle), std::move(sentence)};
}

}  // namespace orrery
