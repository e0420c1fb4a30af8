#include "sim/nemesis.h"

namespace orrery {

Nemesis::Nemesis(World& world, NemesisOptions options) : world_(world), options_(options) {
  world_.set_nemesis(this);
}

void Nemesis::begin() {
  world_.network().draw_profile();
  for (uint16_t id = 1; id <= world_.machines(); ++id) {
    if (!world_.machine(id).is_protected()) prepare(world_.machine(id));
  }
  world_.schedule(EventKind::nemesis, 0, 0, world_.now() + options_.first, 0);
}

void Nemesis::prepare(Machine& machine) {
  Tape& tape = world_.tape();
  Faults& faults = world_.faults();
  DiskSpeed speed;
  speed.request_ns = tape.magnitude(Site::knob, machine.id(), 2'000, 2'000'000);
  speed.sync_ns = tape.magnitude(Site::knob, machine.id(), 20'000, 10'000'000);
  constexpr uint32_t kInline[] = {0, 50, 90};
  speed.inline_percent = kInline[tape.pick(Site::knob, machine.id(), 3)];
  machine.disk().set_speed(speed);
  if (faults.is_on(Fault::clock_skew)) {
    machine.clock_faults().skew_ns =
        tape.magnitude(Site::knob, machine.id(), 1'000, 1'000'000'000'000);
    faults.note(Fault::clock_skew, true);
  }
  if (faults.is_on(Fault::clock_drift)) {
    machine.clock_faults().drift_ppm =
        static_cast<int32_t>(tape.pick(Site::knob, machine.id(), 20'001)) - 10'000;
    faults.note(Fault::clock_drift, true);
  }
  if (faults.is_on(Fault::disk_full)) {
    const int64_t room = tape.magnitude(Site::knob, machine.id(), 64 * 1024, 8 * 1024 * 1024);
    machine.disk().set_capacity(machine.disk().tree().used_bytes() + static_cast<uint64_t>(room));
  }
}

Machine* Nemesis::choose_victim() {
  std::vector<Machine*> candidates;
  for (uint16_t id = 1; id <= world_.machines(); ++id) {
    Machine& machine = world_.machine(id);
    if (!machine.is_protected() && machine.is_up()) candidates.push_back(&machine);
  }
  if (candidates.empty()) return nullptr;
  return candidates[world_.tape().pick(Site::nemesis_what, 0, candidates.size())];
}

void Nemesis::strike() {
  if (at_peace_) return;
  Faults& faults = world_.faults();
  Tape& tape = world_.tape();
  std::vector<Deed> deeds;
  if (faults.is_on(Fault::machine_crash))
    deeds.insert(deeds.end(), {Deed::crash, Deed::crash_at_request});
  if (faults.is_on(Fault::machine_kill)) deeds.push_back(Deed::kill);
  if (faults.is_on(Fault::machine_pause)) deeds.push_back(Deed::pause);
  if (faults.is_on(Fault::machine_slow)) deeds.push_back(Deed::slow);
  if (faults.is_on(Fault::clock_jump)) deeds.push_back(Deed::clock);
  if (faults.is_on(Fault::network_partition)) deeds.push_back(Deed::partition);
  if (faults.is_on(Fault::network_reset)) deeds.push_back(Deed::reset);
  if (faults.is_on(Fault::disk_bit_rot)) deeds.push_back(Deed::rot);
  Machine* victim = choose_victim();
  // Pick 0 is to leave it.
  const uint64_t pick = victim == nullptr ? 0 : tape.pick(Site::nemesis_what, 0, deeds.size() + 1);
  if (pick != 0) do_deed(deeds[pick - 1], *victim);
  const int64_t wait =
      tape.magnitude(Site::nemesis_when, 0, options_.shortest.ns, options_.longest.ns);
  world_.schedule(EventKind::nemesis, 0, 0, world_.now() + nanoseconds(wait), 0);
}

void Nemesis::do_deed(Deed deed, Machine& victim) {
  Faults& faults = world_.faults();
  Tape& tape = world_.tape();
  switch (deed) {
    case Deed::crash:
      faults.note(Fault::machine_crash, true);
      victim.crash_soon(CrashKind::power);
      return;
    case Deed::crash_at_request:
      faults.note(Fault::machine_crash, true);
      victim.disk().crash_after(
          static_cast<uint64_t>(tape.magnitude(Site::nemesis_detail, victim.id(), 1, 256)));
      return;
    case Deed::kill:
      faults.note(Fault::machine_kill, true);
      victim.crash_soon(CrashKind::kill);
      return;
    case Deed::pause:
      faults.note(Fault::machine_pause, true);
      victim.pause(nanoseconds(
          tape.magnitude(Site::nemesis_detail, victim.id(), 1'000'000, 10'000'000'000)));
      return;
    case Deed::slow:
      faults.note(Fault::machine_slow, true);
      victim.set_slowness(
          static_cast<uint32_t>(tape.magnitude(Site::nemesis_detail, victim.id(), 1, 100)));
      return;
    case Deed::clock: {
      faults.note(Fault::clock_jump, true);
      const int64_t jump = tape.magnitude(Site::nemesis_detail, victim.id(), 1'000, 86'400'000'000);
      victim.clock_faults().wall_offset_us +=
          tape.pick(Site::nemesis_detail, victim.id(), 2) == 0 ? jump : -jump;
      return;
    }
    case Deed::partition: {
      faults.note(Fault::network_partition, true);
      const auto other =
          static_cast<uint16_t>(1 + tape.pick(Site::nemesis_detail, 0, world_.machines()));
      const int64_t length = tape.magnitude(Site::nemesis_detail, 0, 1'000'000, 5'000'000'000);
      if (other != victim.id())
        world_.network().partition(victim.id(), other, world_.now() + nanoseconds(length));
      return;
    }
    case Deed::reset: world_.network().reset_one(victim.id()); return;
    case Deed::rot:   victim.disk().rot(); return;
  }
}

void Nemesis::on_down(Machine& machine) {
  const int64_t wait =
      at_peace_ ? 1'000'000
                : world_.tape().magnitude(Site::nemesis_when, machine.id(), 100'000, 2'000'000'000);
  machine.start_after(nanoseconds(wait));
  aim_at_recovery(machine);
}

// The countdown starts with the machine's next request, which recovery makes.
void Nemesis::aim_at_recovery(Machine& machine) {
  Faults& faults = world_.faults();
  if (at_peace_ || !faults.is_on(Fault::machine_crash_in_recovery)) return;
  const bool aimed = world_.tape().pick(Site::nemesis_what, machine.id(), 3) == 2;
  faults.note(Fault::machine_crash_in_recovery, aimed);
  if (!aimed) return;
  machine.disk().crash_after(
      static_cast<uint64_t>(world_.tape().magnitude(Site::nemesis_detail, machine.id(), 1, 64)));
}

void Nemesis::make_peace() {
  at_peace_ = true;
  world_.faults().stop();
  for (uint16_t id = 1; id <= world_.machines(); ++id) {
    Machine& machine = world_.machine(id);
    machine.disk().heal();
    machine.disk().set_capacity(UINT64_MAX);
    machine.disk().crash_after(0);
    machine.set_slowness(1);
    if (!machine.is_up() && machine.boots() > 0) machine.start_after(milliseconds(1));
    for (uint16_t other = 1; other < id; ++other)
      world_.network().partition(id, other, world_.now());
  }
}

}  // namespace orrery
