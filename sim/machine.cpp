#include "sim/machine.h"

#include "sim/world.h"

namespace orrery {
namespace {
constexpr int64_t kSwitchNs = 500;  // what a turn costs beside its units
constexpr int64_t kUnitNs = 20;
}  // namespace

Machine::Machine(World& world, uint16_t id, std::string name, const FileTree* image)
    : world_(world), id_(id), name_(std::move(name)), disk_(world, id, image) {}

Machine::~Machine() {
  if (is_up()) crash(CrashKind::kill);
}

void Machine::start() {
  CHECK(!is_up());
  ++boots_;
  world_.note(id_, "boot", name_, boots_, 0);
  turn_queued_ = false;
  crash_queued_ = false;
  cpu_free_at_ = world_.now();
  disk_.start(boots_);
  host_ = std::make_unique<SimHost>(world_, *this, boots_);
  scheduler_.emplace(*host_);
  if (factory_ != nullptr) node_ = factory_->boot(*this, *host_, *scheduler_);
}

void Machine::crash(CrashKind kind) {
  if (!is_up()) return;
  const bool in_recovery = node_ != nullptr && !node_->is_serving();
  world_.note(id_, kind == CrashKind::power ? "power failure" : "process killed", name_, boots_,
              in_recovery);
  ++(kind == CrashKind::power ? counts_.crashes : counts_.kills);
  if (in_recovery) ++counts_.crashes_in_recovery;
  // First the host lets go of everything, then the fibers learn that their machine is dead and
  // return.
  scheduler_->mark_halted();
  disk_.stop();
  host_->clock().forget_timers();
  host_->workers().forget_tasks();
  world_.network().on_crash(id_);
  scheduler_->halt();
  CHECK(scheduler_->live_fibers() == 0);
  node_.reset();
  scheduler_.reset();
  host_.reset();
  if (kind == CrashKind::power) disk_.lose_power();
}

void Machine::crash_soon(CrashKind kind) {
  if (!is_up() || crash_queued_) return;
  crash_queued_ = true;
  world_.schedule_urgent(EventKind::crash, id_, boots_, static_cast<uint64_t>(kind));
}

void Machine::start_after(Duration delay) {
  world_.schedule(EventKind::boot, id_, boots_, world_.now() + delay, 0);
}

void Machine::pause(Duration duration) {
  paused_until_ = std::max(paused_until_, world_.now() + duration);
  world_.note(id_, "pause", name_, static_cast<uint64_t>(duration.ns), 0);
}

void Machine::work_ready() {
  if (turn_queued_) return;
  turn_queued_ = true;
  world_.schedule(EventKind::turn, id_, boots_, std::max(world_.now(), cpu_free_at_), 0);
}

void Machine::run_turn() {
  turn_queued_ = false;
  const std::optional<WorkUnits> units = scheduler_->run_one();
  if (!units) return;
  ++counts_.turns;
  const int64_t busy = (kSwitchNs + static_cast<int64_t>(*units) * kUnitNs) * slowness_;
  const auto jitter = static_cast<int64_t>(world_.tape().pick(Site::cpu_turn, id_, 8));
  cpu_free_at_ = world_.now() + nanoseconds(busy + busy * jitter / 8);
  world_.trace().fold(*units);
  if (scheduler_->has_ready()) work_ready();
}

void Machine::note_fatal(std::string_view why) {
  fatal_text_ = why;
  ++counts_.fatals;
  world_.note(id_, "fatal", why, disk_.errors_given(), 0);
}

}  // namespace orrery
