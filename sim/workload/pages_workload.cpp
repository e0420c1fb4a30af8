#include "base/text.h"
#include "sim/workload/draw_options.h"
#include "sim/workload/pages_node.h"
#include "sim/workload/workloads.h"

namespace orrery {
namespace {

class PagesWorkload final : public Workload, private NodeFactory {
 public:
  void set_up(Run& run) override {
    world_ = &run.world;
    Tape& tape = run.world.tape();
    draw_storage_options(tape, memory_.options);
    memory_.workers = static_cast<uint32_t>(tape.between(Site::knob, 0, 2, 8));
    memory_.wanted_pages = memory_.options.pool_pages * 4;
    memory_.quorum.enforced = false;
    machine_ = &run.world.add_machine("node", nullptr);
    machine_->set_factory(this);
    machine_->disk().set_atlas(&atlas_);
    machine_->start();
    // One seed in four makes its database under fire.
    if (tape.pick(Site::knob, 0, 4) != 3) {
      set_up_in_peace(run.world, [&] { return memory_.made; });
    }
  }

  void run(Run& run) override {
    run_phases(
        run, Phases{}, [&] { return memory_.made && memory_.acknowledged >= kEnoughChanges; },
        [&] {
          memory_.peace = true;
          return memory_.finished;
        },
        [&] { return pending(); });
    RunCounts& counts = run.counts;
    counts.sessions = memory_.workers;
    counts.tables = memory_.live.files.size();
    counts.transactions = memory_.changes;
    counts.committed = memory_.acknowledged;
    counts.checkpoints = memory_.checkpoints;
    counts.pool_pages = memory_.options.pool_pages;
    counts.data_pages = memory_.live_pages();
  }

  std::unique_ptr<Node> boot(Machine& machine, Host& host, Scheduler& scheduler) override {
    return make_pages_node(*world_, machine, host, scheduler, memory_);
  }

 private:
  std::string pending() const {
    const char* state = !machine_->is_up()               ? "down"
                        : machine_->node()->is_serving() ? "serving"
                                                         : "recovering";
    return cat("the node is ", state, ", ", memory_.after_peace, " changes since peace",
               memory_.at_rest ? ", it had come to rest" : "");
  }

  World* world_ = nullptr;
  Machine* machine_ = nullptr;
  PagesMemory memory_;
  SingleMachineAtlas atlas_{memory_.quorum, memory_.options.log.segment_bytes};
};

}  // namespace

std::unique_ptr<Workload> make_pages_workload() { return std::make_unique<PagesWorkload>(); }

}  // namespace orrery
