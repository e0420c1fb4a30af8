// Parse, analyze, plan and run, over a catalog in memory and no storage: what PostgreSQL answers to
// testdata/queries.sql, row by row and error by error.
#include <fstream>
#include <gtest/gtest.h>

#include "analyze/analyzer.h"
#include "base/text.h"
#include "catalog/memory_store.h"
#include "exec/executor.h"
#include "fiber/test_host.h"
#include "sql/parser.h"
#include "types/type_io.h"

namespace orrery {
namespace {

struct Case {
  std::string sql;
  std::string answer;
};

std::vector<Case> read_cases() {
  std::ifstream file("testdata/queries.golden");
  std::vector<Case> cases;
  std::string line;
  while (std::getline(file, line)) {
    Case one{line, ""};
    std::getline(file, line);  // ---
    while (std::getline(file, line) && !line.empty()) one.answer += line + "\n";
    cases.push_back(one);
  }
  return cases;
}

class Queries {
 public:
  std::string answer(Fiber& fiber, std::string_view sql) {
    Result<std::string> rows = run(fiber, sql);
    if (rows.ok()) return *rows;
    const Error& error = rows.status().error();
    return cat("ERROR ", error.code.text(), ": ", error.message, "\n");
  }

 private:
  Result<std::string> run(Fiber& fiber, std::string_view sql) {
    MemoryBudget budget(nullptr, uint64_t{1} << 30);
    Arena arena(&budget);
    CatalogReader reader(builtin_, store_);
    const SearchPath path{{kPgCatalogNamespace}, {}};
    SessionView session;
    session.database = "postgres";
    std::vector<Oid> parameters;
    const auto statements = TRY(parse(arena, sql));
    AnalyzeContext context{.fiber = fiber,
                           .arena = arena,
                           .catalog = reader,
                           .path = path,
                           .session = session,
                           .text = sql,
                           .param_types = &parameters};
    Query* query = TRY(analyze_statement(context, *statements[0]->stmt));
    StoredWorld world(nullptr, reader, session);
    const PlannerSettings settings;
    PlanContext planning{fiber, arena, reader, world, settings};
    Plan* plan = TRY(make_plan(planning, *query));
    auto execution = TRY(PlanRun::start(
        std::make_unique<ExecContext>(fiber, arena, budget, reader, session, *plan)));
    std::string out;
    while (Batch* batch = TRY(execution->next())) {
      for (uint32_t i = 0; i < batch->rows.count; ++i) {
        TRY(append_row(arena, session, *plan, *batch, batch->rows[i], out));
      }
    }
    return out;
  }

  static Status append_row(Arena& arena, const SessionView& session, const Plan& plan,
                           const Batch& batch, uint32_t row, std::string& out) {
    for (size_t c = 0; c < batch.columns.size(); ++c) {
      if (c > 0) out += '|';
      if (batch.columns[c].is_null(row)) {
        out += "NULL";
      } else {
        const Oid type = plan.result_columns[c].expr->type;
        TRY(output_value(arena, session.types, type, batch.columns[c].value(row), out));
      }
    }
    out += '\n';
    return {};
  }

  BuiltinCatalog builtin_;
  CatalogCache cache_{Oid(5)};
  MemoryStore store_{cache_};
};

TEST(Queries, AnswerAsPostgresDoes) {
  const std::vector<Case> cases = read_cases();
  ASSERT_GT(cases.size(), 50U);
  TestHost host;
  Scheduler scheduler(host);
  size_t asked = 0;
  scheduler.spawn("queries", [&](Fiber& fiber) {
    Queries queries;
    for (const Case& one : cases) {
      EXPECT_EQ(queries.answer(fiber, one.sql), one.answer) << one.sql;
      ++asked;
    }
  });
  host.run(scheduler);
  EXPECT_EQ(asked, cases.size());
}

}  // namespace
}  // namespace orrery
