// Every function with a body, against what PostgreSQL answered to calls of it.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/text.h"
#include "fiber/fiber.h"
#include "fiber/test_host.h"
#include "func/registry.h"
#include "func/session_view.h"
#include "types/facts.h"
#include "types/time_zone.h"
#include "types/type_io.h"

namespace orrery {
namespace {

class FunctionFacts : public testing::Test {
 protected:
  FunctionFacts() {
    session_.types.time_zone = &zone_;
    for (uint32_t oid = 16; oid < 10000; ++oid) {
      const TypeInfo* const info = find_builtin_type(Oid(oid));
      if (info != nullptr) types_[std::string(info->name)] = info->oid;
    }
  }
  static std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    if (text.empty()) return parts;
    size_t start = 0;
    for (size_t end; (end = text.find(at, start)) != std::string::npos; start = end + 1)
      parts.push_back(text.substr(start, end - start));
    parts.push_back(text.substr(start));
    return parts;
  }
  std::vector<Oid> type_oids(const std::string& names) {
    std::vector<Oid> oids;
    for (const std::string& name : split(names, ',')) oids.push_back(types_[name]);
    return oids;
  }
  Vector constant(Oid type, const std::string& text) {
    Result<Datum> value = input_value(arena_, session_.types, type, text);
    CHECK(value.ok());
    return Vector::make_constant(arena_, {*value, false});
  }
  std::string show(Oid type, NullableDatum value) {
    if (value.is_null) return "\\N";
    std::string out;
    const Status status = output_value(arena_, session_.types, type, value.value, out);
    return status.ok() ? out : error_fact(status);
  }

  Arena arena_;
  TimeZone zone_ = *TimeZone::find("PST8PDT");
  SessionView session_;
  std::map<std::string, Oid> types_;
};

TEST_F(FunctionFacts, AnswerAsPostgreSQL) {
  run_in_fiber([&](Fiber& fiber) {
    std::set<std::string> bodies;
    std::map<std::string, int> failures;
    for (const Fact& fact : read_facts("testdata/functions.facts")) {
      const FunctionBody* const body =
          find_function(Oid(static_cast<uint32_t>(std::stoul(fact[0]))), fact[1]);
      if (body == nullptr || body->kernel == nullptr) continue;
      const std::vector<Oid> types = type_oids(fact[3]);
      std::vector<Vector> args;
      for (size_t i = 0; i < types.size(); ++i) args.push_back(constant(types[i], fact[4 + i]));
      CallSite site{.function = body->oid, .result_type = types_[fact[2]], .argument_types = types};
      EvalContext context{fiber, arena_, arena_, session_};
      Vector out = Vector::make(arena_, 1);
      const Status status = body->kernel(context, site, args, {nullptr, 1}, out);
      const std::string got = status.ok() ? show(site.result_type, out.at(0)) : error_fact(status);
      bodies.insert(fact[1]);
      // Comparison functions promise a sign only.
      if (fact[1].ends_with("cmp") && std::stol(got) * std::stol(fact.result()) > 0) continue;
      if (got != fact.result() && ++failures[fact[1]] <= 2) {
        ADD_FAILURE() << "functions.facts:" << fact.line << " " << join(fact.fields, " | ")
                      << "\n  got " << got;
      }
    }
    for (const auto& [name, count] : failures) std::printf("  %s: %d\n", name.c_str(), count);
    EXPECT_GT(bodies.size(), 500U);
  });
}

TEST_F(FunctionFacts, AggregatesAnswerAsPostgreSQLAloneAndCombined) {
  run_in_fiber([&](Fiber& fiber) {
    int checked = 0;
    for (const Fact& fact : read_facts("testdata/aggregates.facts")) {
      const AggregateKernel* const kernel =
          find_aggregate(Oid(static_cast<uint32_t>(std::stoul(fact[0]))));
      if (kernel == nullptr) continue;
      const std::vector<Oid> types = type_oids(fact[2]);
      const std::vector<std::string> table = split(fact[3], ';');
      const auto count = static_cast<uint32_t>(types.empty() ? std::stoul(fact[3]) : table.size());
      std::vector<Vector> args(types.size());
      for (size_t c = 0; c < types.size(); ++c) {
        args[c] = Vector::make(arena_, std::max(count, 1U));
        for (uint32_t r = 0; r < count; ++r) {
          const std::string text = split(table[r] + "|", '|')[c];
          if (text == "NULL") {
            args[c].set_null(r);
          } else {
            args[c].set(r, input_value(arena_, session_.types, types[c], text).value());
          }
        }
      }
      CallSite site{.argument_types = types};
      EvalContext context{fiber, arena_, arena_, session_};
      // All rows into one state; then each half into its own, combined.
      for (const bool halves : {false, true}) {
        if (halves && kernel->combine == nullptr) continue;
        char* const first = arena_.make_array<char>(kernel->state_bytes + 16).data();
        char* const second = arena_.make_array<char>(kernel->state_bytes + 16).data();
        void* at[2] = {first + (16 - reinterpret_cast<uintptr_t>(first) % 16) % 16,
                       second + (16 - reinterpret_cast<uintptr_t>(second) % 16) % 16};
        if (kernel->init != nullptr) {
          ASSERT_TRUE(kernel->init(context, site, at[0]).ok());
          ASSERT_TRUE(kernel->init(context, site, at[1]).ok());
        }
        std::vector<void*> states(std::max(count, 1U), at[0]);
        for (uint32_t r = count / 2; halves && r < count; ++r) states[r] = at[1];
        Status status = kernel->update(context, site, states.data(), args, {nullptr, count});
        if (status.ok() && halves) status = kernel->combine(context, site, at[0], at[1]);
        NullableDatum out;
        if (status.ok()) status = kernel->finalize(context, site, at[0], &out);
        std::string got = status.ok() ? "" : error_fact(status);
        if (status.ok()) got = show(types_.contains(fact[1]) ? types_[fact[1]] : types[0], out);
        if (halves && fact.result() != got && !fact.result().starts_with("!")) {
          // Floats may differ in the last digits when summed in another order.
          const double a = std::strtod(got.c_str(), nullptr);
          const double b = std::strtod(fact.result().c_str(), nullptr);
          if (std::abs(a - b) <= 1e-9 * std::abs(b)) continue;
        }
        if (halves && (fact.result().starts_with("!") || got.starts_with("!"))) continue;
        EXPECT_EQ(got, fact.result()) << "aggregates.facts:" << fact.line << " "
                                      << join(fact.fields, " # ") << (halves ? " in halves" : "");
      }
      ++checked;
    }
    EXPECT_GT(checked, 350);
  });
}

}  // namespace
}  // namespace orrery
