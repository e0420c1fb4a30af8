#include "func/large_work.h"

#include <gtest/gtest.h>

#include "fiber/test_host.h"
#include "func/jsonb_subscript.h"
#include "func/registry.h"
#include "func/session_view.h"
#include "types/jsonb.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// A function of texts, called as the executor calls it.
class LargeWork : public testing::Test {
 protected:
  // Starts a fiber that calls `source` for each of `rows`, and lets all fibers run as far as they
  // come without a worker.
  void call(std::string_view source, std::vector<std::vector<std::string>> rows, Oid result) {
    scheduler_.spawn("caller", [this, source, rows, result](Fiber& fiber) {
      caller_ = &fiber;
      const size_t width = rows[0].size();
      const std::vector<Oid> types(width, type_oid::text);
      CallSite site{.result_type = result, .argument_types = types};
      FunctionInfo info;
      info.source = source;
      info.volatility = Volatility::immutable;
      const CallShape shape = make_call_shape(arena_, info, site, find_builtin_type(result));
      std::vector<Vector> args(width);
      for (size_t a = 0; a < width; ++a) {
        args[a] = Vector::make(arena_, static_cast<uint32_t>(rows.size()));
        for (uint32_t r = 0; r < rows.size(); ++r) args[a].set(r, make_varlena(arena_, rows[r][a]));
      }
      EvalContext context{fiber, arena_, arena_, session_};
      status_ = call_kernel(context, site, shape, find_function({}, source)->kernel, args,
                            {nullptr, static_cast<uint32_t>(rows.size())}, out_);
      caller_ = nullptr;
    });
    run();
  }
  void run() {
    while (scheduler_.run_one()) continue;
  }
  std::deque<WorkerTask*>& tasks() { return host_.workers_test.pending; }

  Arena arena_;
  SessionView session_;
  TestHost host_;
  Scheduler scheduler_{host_};
  Fiber* caller_ = nullptr;  // while it has not returned
  Vector out_ = Vector::make(arena_);
  Status status_;
};

TEST_F(LargeWork, ALongRowIsComputedOnAWorkerWhileOtherFibersRun) {
  const std::string text(300'000, 'x');
  call("upper", {{"a"}, {text}, {"b"}}, type_oid::text);
  ASSERT_NE(caller_, nullptr);
  ASSERT_EQ(tasks().size(), 1U);
  bool other_ran = false;
  scheduler_.spawn("other", [&](Fiber&) { other_ran = true; });
  run();
  EXPECT_TRUE(other_ran);
  host_.workers_test.complete_one();
  run();
  EXPECT_EQ(caller_, nullptr);
  ASSERT_TRUE(status_.ok());
  EXPECT_EQ(out_.value(0).text(), "A");
  EXPECT_EQ(out_.value(1).text(), std::string(300'000, 'X'));
  EXPECT_EQ(out_.value(2).text(), "B");
}

TEST_F(LargeWork, ACancelledCallStopsItsWorkerAndFailsWithTheReason) {
  // Each place of the text is tried, and none fits.
  call("textlike", {{std::string(200'000, 'a'), "%" + std::string(1000, 'a') + "b%"}},
       type_oid::bool_);
  ASSERT_EQ(tasks().size(), 1U);
  caller_->cancel(raise(sqlstate::query_canceled, "canceling statement due to statement timeout"));
  run();
  ASSERT_NE(caller_, nullptr);  // its arguments are in use
  host_.workers_test.complete_one();
  run();
  EXPECT_EQ(caller_, nullptr);
  EXPECT_TRUE(status_.is(sqlstate::query_canceled));
  EXPECT_EQ(status_.error().message, "canceling statement due to statement timeout");
}

TEST_F(LargeWork, ManyRowsYieldBetweenSlices) {
  int turns = 0;
  scheduler_.spawn("other", [&](Fiber& fiber) {
    for (; turns < 1000; ++turns) {
      if (!fiber.yield().ok()) return;
      if (turns > 0 && caller_ == nullptr) return;
    }
  });
  std::vector<std::vector<std::string>> rows(1000, {std::string(2000, 'x')});
  call("upper", rows, type_oid::text);
  EXPECT_TRUE(tasks().empty());
  EXPECT_TRUE(status_.ok());
  EXPECT_GT(turns, 5);
  EXPECT_EQ(out_.value(999).text(), std::string(2000, 'X'));
}

TEST_F(LargeWork, WhatAWorkerRaisesComesBack) {
  call("textlike", {{std::string(200'000, 'a'), "%a\\"}}, type_oid::bool_);
  ASSERT_EQ(tasks().size(), 1U);
  host_.workers_test.complete_one();
  run();
  EXPECT_TRUE(status_.is(sqlstate::invalid_escape_sequence));
}

TEST_F(LargeWork, AFunctionThatIsNotImmutableStays) {
  scheduler_.spawn("caller", [&](Fiber&) {
    const std::vector<Oid> types{type_oid::text};
    FunctionInfo info;
    info.source = "anything";
    info.volatility = Volatility::stable;
    const CallSite site{.result_type = type_oid::text, .argument_types = types};
    const TypeInfo* const text = find_builtin_type(type_oid::text);
    EXPECT_FALSE(make_call_shape(arena_, info, site, text).may_leave);
    info.volatility = Volatility::immutable;
    EXPECT_TRUE(make_call_shape(arena_, info, site, text).may_leave);
    const std::vector<Oid> named{type_oid::regclass};
    const CallSite other{.result_type = type_oid::text, .argument_types = named};
    EXPECT_FALSE(make_call_shape(arena_, info, other, text).may_leave);
  });
  run();
}

// The nulls before an item far past an array's end are counted while they are made.
TEST_F(LargeWork, AGapInAnArrayIsBookedBeforeItIsMade) {
  MemoryBudget budget(nullptr, 64 << 20);
  const auto assign = [&](std::string_view index) {
    scheduler_.spawn("caller", [&, index](Fiber& fiber) {
      Arena arena(&budget);
      const std::vector<std::string_view> path{index};
      status_ = [&]() -> Status {
        const Datum made = TRY(assign_jsonb_element(fiber, arena, {}, path, true, {}));
        EXPECT_EQ(load_jsonb(made).items.size(), 200'001U);
        return {};
      }();
    });
    run();
  };
  assign("9000000");
  EXPECT_TRUE(status_.is(sqlstate::out_of_memory));
  assign("33554431");
  EXPECT_TRUE(status_.is(sqlstate::program_limit_exceeded));
  EXPECT_TRUE(tasks().empty());
  assign("200000");
  ASSERT_EQ(tasks().size(), 1U);
  EXPECT_GE(budget.used_bytes(), 200'000 * sizeof(Json));
  host_.workers_test.complete_one();
  run();
  EXPECT_TRUE(status_.ok());
  EXPECT_EQ(budget.used_bytes(), 0U);
}

}  // namespace
}  // namespace orrery
