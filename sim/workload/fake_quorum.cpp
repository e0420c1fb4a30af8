#include "sim/workload/fake_quorum.h"

#include "base/text.h"

namespace orrery {

FakeQuorum::FakeQuorum(World& world, Machine& machine, Host& host, QuorumMemory& memory)
    : world_(world), machine_(machine), host_(host), memory_(memory) {
  timer_.completion = this;
}

FakeQuorum::~FakeQuorum() { host_.clock().cancel(timer_); }

void FakeQuorum::durable_advanced(Log& log, Lsn durable) {
  note_open();
  log_ = &log;
  memory_.boundaries.push_back(durable);
  // The entries of this round carry what was durable before it.
  memory_.proven = memory_.last_durable;
  memory_.last_durable = durable;
  if (holding_) return;
  if (!world_.faults().strikes(Fault::gate_hold, Site::gate, machine_.id())) {
    commit();
    return;
  }
  holding_ = true;
  const int64_t hold = world_.tape().magnitude(Site::gate, machine_.id(), 10'000, 200'000'000);
  timer_.when = host_.clock().now() + nanoseconds(hold);
  host_.clock().set(timer_);
}

void FakeQuorum::complete() {
  holding_ = false;
  commit();
}

void FakeQuorum::commit() {
  const Lsn committed = memory_.boundaries.back();
  memory_.boundaries.clear();
  memory_.committed = committed;
  world_.note(machine_.id(), "committed", "", committed.v, 0);
  log_->set_committed(committed);
}

Lsn FakeQuorum::keep_at_restart(Lsn low, Lsn end) {
  if (memory_.enforced && end < memory_.committed) {
    world_.fail("ledger",
                cat("the log ends at ", end, ", but it was committed up to ", memory_.committed));
  }
  kept_end_ = end;
  const Lsn floor = std::max(low, memory_.committed);
  std::vector<Lsn> places;
  for (const Lsn boundary : memory_.boundaries) {
    if (boundary >= floor && boundary < end) places.push_back(boundary);
  }
  if (!places.empty() && world_.faults().strikes(Fault::gate_truncate, Site::gate, machine_.id())) {
    kept_end_ = places[world_.tape().pick(Site::gate, machine_.id(), places.size())];
    std::erase_if(memory_.boundaries, [&](Lsn boundary) { return boundary > kept_end_; });
    world_.note(machine_.id(), "suffix cut", "", kept_end_.v, end.v);
  }
  memory_.doubtful_from = std::min(memory_.doubtful_from, kept_end_);
  return kept_end_;
}

void FakeQuorum::note_open() {
  if (std::exchange(is_open_, true)) return;
  memory_.committed = kept_end_;
  memory_.boundaries.clear();
  memory_.last_durable = kept_end_;
  if (memory_.proven > kept_end_) memory_.proven = Lsn();  // the proof was cut off
}

}  // namespace orrery
