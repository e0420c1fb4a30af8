#include <gtest/gtest.h>

#include "fiber/io.h"
#include "sim/nemesis.h"
#include "sim/world.h"

namespace orrery {
namespace {

class DamageAnything final : public FaultAtlas {
 public:
  bool may_damage(std::string_view, uint64_t, uint64_t) const override { return true; }
  bool may_misread(std::string_view) const override { return true; }
};

// Writes, reads back and syncs, again and again; talks to the other machine meanwhile.
class BusyNode final : public Node {
 public:
  BusyNode(Machine& machine, Scheduler& scheduler) {
    scheduler.spawn("disk", [this](Fiber& fiber) { disk_work(fiber); });
    scheduler.spawn("network", [](Fiber& fiber) { serve(fiber); });
    scheduler.spawn("nudged", [](Fiber& fiber) {
      while (fiber.sleep(milliseconds(1)).ok()) fiber.host().random().nudge("test");
    });
    static_cast<void>(machine);
  }
  bool is_serving() const override { return serving_; }

 private:
  void disk_work(Fiber& fiber) {
    Result<FileHandle> file = open_file(fiber, "a", true);
    if (!file.ok()) return;
    serving_ = true;
    const std::string page(8192, 'p');
    std::string back(8192, ' ');
    for (uint64_t i = 0; !fiber.scheduler().halted(); ++i) {
      static_cast<void>(write_file(fiber, *file, i % 64 * 8192, as_bytes(page)));
      static_cast<void>(
          read_file(fiber, *file, i % 7 * 8192, std::as_writable_bytes(std::span(back))));
      if (i % 5 == 4) static_cast<void>(sync_file(fiber, *file));
      if (i % 50 == 49) static_cast<void>(rename_file(fiber, "a", "b"));
      if (i % 50 == 49) static_cast<void>(rename_file(fiber, "b", "a"));
    }
  }
  static void serve(Fiber& fiber) {
    Result<Listener> listener = listen(fiber, "", 5432);
    if (!listener.ok()) return;
    while (true) {
      Result<Accepted> accepted = accept(fiber, listener->socket);
      if (!accepted.ok()) return;
      std::string buffer(1000, ' ');
      while (true) {
        Result<uint64_t> got =
            receive(fiber, accepted->socket, std::as_writable_bytes(std::span(buffer)));
        if (!got.ok() || *got == 0) break;
        if (!send_all(fiber, accepted->socket, as_bytes(buffer).first(*got)).ok()) break;
      }
      close_socket(fiber.host(), accepted->socket);
    }
  }
  bool serving_ = false;
};

class BusyFactory final : public NodeFactory {
 public:
  std::unique_ptr<Node> boot(Machine& machine, Host&, Scheduler& scheduler) override {
    return std::make_unique<BusyNode>(machine, scheduler);
  }
};

void call_node(Fiber& fiber) {
  const std::string message(3000, 'm');
  while (!fiber.scheduler().halted()) {
    Result<SocketId> socket = connect(fiber, "node", 5432);
    if (!socket.ok()) {
      if (!fiber.sleep(milliseconds(10)).ok()) return;
      continue;
    }
    std::string back(3000, ' ');
    for (int i = 0; i < 10; ++i) {
      if (!send_all(fiber, *socket, as_bytes(message)).ok()) break;
      size_t got = 0;
      while (got < message.size()) {
        Result<uint64_t> count =
            receive(fiber, *socket, std::as_writable_bytes(std::span(back)).subspan(got),
                    fiber.now() + seconds(1));
        if (!count.ok() || *count == 0) break;
        got += *count;
      }
      if (got < message.size()) break;
      EXPECT_EQ(back, message);
    }
    close_socket(fiber.host(), *socket);
  }
}

struct Outcome {
  std::string hash;
  std::array<FaultCount, kFaults> counts;
};

Outcome run(uint64_t seed) {
  const std::unique_ptr<Policy> policy = make_random_policy(seed);
  World world(*policy);
  world.faults().draw_swarm(true);
  DamageAnything atlas;
  BusyFactory factory;
  Machine& node = world.add_machine("node", nullptr);
  Machine& client = world.add_machine("client", nullptr);
  client.set_protected(true);
  node.set_factory(&factory);
  node.disk().set_atlas(&atlas);
  Nemesis nemesis(world, NemesisOptions{});
  nemesis.begin();
  node.start();
  client.start();
  client.scheduler()->spawn("caller", call_node);
  world.run_until(Instant(700'000'000));
  EXPECT_FALSE(world.failure().has_value()) << world.failure()->sentence;
  Outcome outcome;
  outcome.hash = world.trace().hash().text();
  for (size_t i = 0; i < kFaults; ++i)
    outcome.counts[i] = world.faults().count(static_cast<Fault>(i));
  return outcome;
}

TEST(Faults, EachClassFiresSomewhereInASweepAndEachSeedRepeats) {
  std::array<FaultCount, kFaults> sum{};
  for (uint64_t seed = 1; seed <= 80; ++seed) {
    const Outcome outcome = run(seed);
    if (seed <= 5) {
      EXPECT_EQ(run(seed).hash, outcome.hash);
    }
    for (size_t i = 0; i < kFaults; ++i) sum[i].firings += outcome.counts[i].firings;
  }
  for (size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    if (fault_text(fault).starts_with("gate:"))
      continue;  // the gate is the engine's, not this node's
    EXPECT_GT(sum[i].firings, 0u) << fault_text(fault);
  }
}

TEST(Faults, PeaceEndsThemAndHealsTheDisk) {
  const std::unique_ptr<Policy> policy = make_random_policy(1);
  World world(*policy);
  DamageAnything atlas;
  BusyFactory factory;
  Machine& node = world.add_machine("node", nullptr);
  node.set_factory(&factory);
  node.disk().set_atlas(&atlas);
  world.faults().set(Fault::disk_bit_rot, Rate{1'000'000});
  world.faults().set(Fault::machine_crash, Rate{1'000'000});
  Nemesis nemesis(world, NemesisOptions{});
  nemesis.begin();
  node.start();
  for (int64_t ms = 100; !node.disk().has_damage(); ms += 100)
    world.run_until(Instant(ms * 1'000'000));
  nemesis.make_peace();
  EXPECT_FALSE(node.disk().has_damage());
  world.run_until(world.now() + seconds(5));
  EXPECT_TRUE(node.is_up());
  const uint64_t crashes = node.counts().crashes;
  world.run_until(world.now() + seconds(5));
  EXPECT_EQ(node.counts().crashes, crashes);
}

}  // namespace
}  // namespace orrery
