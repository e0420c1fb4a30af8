#include <gtest/gtest.h>

#include "fiber/host_suite.h"
#include "sim/nemesis.h"
#include "sim/world.h"

namespace orrery {
namespace {

// One machine, no faults but whatever the policy's delays do.
class SimUnderTest final : public HostUnderTest {
 public:
  explicit SimUnderTest(uint64_t seed) : policy_(make_random_policy(seed)), world_(*policy_) {
    machine_ = &world_.add_machine("node", nullptr);
    machine_->start();
  }
  Scheduler& scheduler() override { return *machine_->scheduler(); }
  void run_until_done() override {
    while (machine_->scheduler()->live_fibers() > 0) ASSERT_TRUE(world_.step());
    EXPECT_FALSE(world_.failure().has_value());
  }
  std::string own_address() override { return "node"; }
  World& world() { return world_; }

 private:
  std::unique_ptr<Policy> policy_;
  World world_;
  Machine* machine_;
};

TEST(SimHost, KeepsEveryClaimOfAHostUnderManySeeds) {
  for (const HostClaim& claim : host_claims()) {
    SCOPED_TRACE(claim.name);
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      SimUnderTest under_test(seed);
      claim.check(under_test);
    }
  }
}

TEST(SimHost, SameSeedGivesTheSameHashAndAnotherSeedAnother) {
  const auto hash_of = [](uint64_t seed) {
    SimUnderTest under_test(seed);
    for (const HostClaim& claim : host_claims()) claim.check(under_test);
    return under_test.world().trace().hash().text();
  };
  EXPECT_EQ(hash_of(7), hash_of(7));
  EXPECT_NE(hash_of(7), hash_of(8));
}

TEST(SimHost, PctPolicyRunsTheSuiteToo) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const std::unique_ptr<Policy> policy = make_pct_policy(seed, 3, 100);
    World world(*policy);
    Machine& machine = world.add_machine("node", nullptr);
    machine.start();
    Mutex mutex;
    int inside = 0;
    int done = 0;
    for (int i = 0; i < 5; ++i) {
      machine.scheduler()->spawn("worker", [&](Fiber& fiber) {
        for (int round = 0; round < 3; ++round) {
          if (!mutex.lock(fiber).ok()) return;
          EXPECT_EQ(++inside, 1);
          EXPECT_TRUE(fiber.yield().ok());
          --inside;
          mutex.unlock();
        }
        ++done;
      });
    }
    while (machine.scheduler()->live_fibers() > 0) ASSERT_TRUE(world.step());
    EXPECT_EQ(done, 5);
  }
}

TEST(SimHost, ARecordedTapeReplaysToTheSameHash) {
  std::vector<Decision> tape;
  const auto run = [](Policy& policy, std::vector<Decision>* record) {
    World world(policy);
    if (record != nullptr) world.tape().record_to(record);
    Machine& machine = world.add_machine("node", nullptr);
    machine.start();
    machine.scheduler()->spawn("writer", [](Fiber& fiber) {
      auto file = open_file(fiber, "a", true);
      ASSERT_TRUE(file.ok());
      for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(
            write_file(fiber, *file, static_cast<uint64_t>(i) * 100, as_bytes("hello")).ok());
        ASSERT_TRUE(sync_file(fiber, *file).ok());
      }
    });
    while (machine.scheduler()->live_fibers() > 0) world.step();
    return world.trace().hash().text();
  };
  const std::string first = run(*make_random_policy(3), &tape);
  Result<std::vector<Decision>> stored = parse_tape(tape_text(tape));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(run(*make_replay_policy(*stored), nullptr), first);
}

TEST(SimHost, ACrashEndsEveryFiberAndAnswersHalted) {
  const std::unique_ptr<Policy> policy = make_random_policy(1);
  World world(*policy);
  Machine& machine = world.add_machine("node", nullptr);
  machine.start();
  int halted = 0;
  machine.scheduler()->spawn("sleeper", [&](Fiber& fiber) {
    halted += fiber.sleep(seconds(100)).is_halted() ? 1 : 0;
    halted += write_file(fiber, FileHandle(1), 0, as_bytes("x")).is_halted() ? 1 : 0;
  });
  machine.scheduler()->spawn("writer", [&](Fiber& fiber) {
    auto file = open_file(fiber, "a", true);
    while (file.ok()) {
      const Status written = write_file(fiber, *file, 0, as_bytes("hello"));
      if (written.ok()) continue;
      halted += written.is_halted() ? 1 : 0;
      return;
    }
  });
  world.run_until(Instant(5'000'000));
  machine.crash(CrashKind::power);
  EXPECT_FALSE(machine.is_up());
  EXPECT_EQ(halted, 3);
  machine.start();
  EXPECT_EQ(machine.scheduler()->live_fibers(), 0u);
  world.run_until(Instant(200'000'000'000));  // stale events of the first boot pass by
}

TEST(SimHost, AFailedSyncDropsItsWritesAtTheNextPowerFailureEvenIfALaterSyncSucceeds) {
  int lost = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::unique_ptr<Policy> policy = make_random_policy(seed);
    World world(*policy);
    Machine& machine = world.add_machine("node", nullptr);
    machine.start();
    world.faults().set(Fault::crash_lost_write, Rate{1'000'000});
    machine.scheduler()->spawn("writer", [&](Fiber& fiber) {
      auto file = open_file(fiber, "a", true);
      EXPECT_TRUE(sync_directory(fiber, "").ok());
      EXPECT_TRUE(write_file(fiber, *file, 0, as_bytes("before")).ok());
      EXPECT_TRUE(sync_file(fiber, *file).ok());
      EXPECT_TRUE(write_file(fiber, *file, 0, as_bytes("after!")).ok());
      world.faults().set(Fault::disk_sync_error, Rate{1'000'000});
      EXPECT_TRUE(sync_file(fiber, *file).is(sqlstate::io_error));
      world.faults().set(Fault::disk_sync_error, Rate{});
      EXPECT_TRUE(sync_file(fiber, *file).ok());  // the lie that fsyncgate was about
      std::string cached(6, ' ');
      EXPECT_TRUE(read_file(fiber, *file, 0, std::as_writable_bytes(std::span(cached))).ok());
      EXPECT_EQ(cached, "after!");
    });
    while (machine.scheduler()->live_fibers() > 0) ASSERT_TRUE(world.step());
    machine.crash(CrashKind::power);
    std::string stored(6, ' ');
    const FileTree& tree = machine.disk().tree();
    tree.content(tree.named_files()[0]).read(0, std::as_writable_bytes(std::span(stored)));
    EXPECT_TRUE(stored == "before" || stored == "after!") << stored;
    lost += stored == "before" ? 1 : 0;
  }
  EXPECT_GT(lost, 10);
}

TEST(SimHost, AKilledProcessLeavesThePageCacheAlone) {
  const std::unique_ptr<Policy> policy = make_random_policy(5);
  World world(*policy);
  Machine& machine = world.add_machine("node", nullptr);
  machine.start();
  world.faults().set(Fault::crash_lost_write, Rate{1'000'000});
  machine.scheduler()->spawn("writer", [&](Fiber& fiber) {
    auto file = open_file(fiber, "a", true);
    EXPECT_TRUE(write_file(fiber, *file, 0, as_bytes("unsynced")).ok());
  });
  while (machine.scheduler()->live_fibers() > 0) ASSERT_TRUE(world.step());
  machine.crash(CrashKind::kill);
  const FileTree& tree = machine.disk().tree();
  ASSERT_EQ(tree.named_files().size(), 1u);
  EXPECT_EQ(tree.content(tree.named_files()[0]).size_bytes(), 8u);
  EXPECT_EQ(tree.unsynced_changes(), 1u);
}

TEST(SimHost, MachinesShareATemplateUntilOneWrites) {
  const std::unique_ptr<Policy> policy = make_random_policy(5);
  World world(*policy);
  FileTree image;
  Result<FileNumber> made = image.open("a", true, false);
  ASSERT_TRUE(made.ok());
  const std::string page(kBlockBytes * 3, 'p');
  image.mutable_content(*made).write(0, as_bytes(page));
  Machine& one = world.add_machine("one", &image);
  Machine& two = world.add_machine("two", &image);
  one.start();
  two.start();
  one.scheduler()->spawn("writer", [&](Fiber& fiber) {
    auto file = open_file(fiber, "a", false);
    EXPECT_TRUE(write_file(fiber, *file, kBlockBytes, as_bytes("changed")).ok());
  });
  while (one.scheduler()->live_fibers() > 0) ASSERT_TRUE(world.step());
  const auto text_at = [](const FileTree& tree) {
    std::string out(7, ' ');
    tree.content(FileNumber(0)).read(kBlockBytes, std::as_writable_bytes(std::span(out)));
    return out;
  };
  EXPECT_EQ(text_at(one.disk().tree()), "changed");
  EXPECT_EQ(text_at(two.disk().tree()), "ppppppp");
  EXPECT_EQ(text_at(image), "ppppppp");
}

}  // namespace
}  // namespace orrery
