#include "session/statement_shape.h"

#include <gtest/gtest.h>

#include "sql/parser.h"

namespace orrery {
namespace {

struct Read {
  bool good = false;
  StatementShape shape;
};
Read read(std::string_view text) {
  Read result;
  result.good = read_shape(text, result.shape);
  return result;
}

TEST(StatementShape, TakesIntegersOut) {
  const Read taken = read(" UPDATE t1 SET a = a + -5 WHERE k=17 AND b < 2147483648 ;\n");
  ASSERT_TRUE(taken.good);
  EXPECT_EQ(taken.shape.text, "UPDATE t1 SET a = a + -? WHERE k=? AND b < 2147483648");
  EXPECT_EQ(taken.shape.values, (std::vector<int32_t>{5, 17}));
  EXPECT_EQ(taken.shape.with_parameters(),
            "UPDATE t1 SET a = a + - $1 WHERE k= $2 AND b < 2147483648");
}

TEST(StatementShape, LeavesOtherNumbersAlone) {
  const Read taken = read("select 1.5, 2e3, x2, .5, 7 from t where a = 1.");
  ASSERT_TRUE(taken.good);
  EXPECT_EQ(taken.shape.text, "select 1.5, 2e3, x2, .5, ? from t where a = 1.");
  EXPECT_EQ(taken.shape.values, std::vector<int32_t>{7});
}

TEST(StatementShape, LeavesStrangeTextsAlone) {
  for (const std::string_view text :
       {"select 1; select 2", "select '1', 2", "select 1 -- 2", "select 1 /* 2 */", "select $1, 2",
        "select \"a\" = 1", "begin", "", "  ;", "select a from t", "values (1)", "select 1 ? 2",
        "select \xc3\xa9 = 1"}) {
    EXPECT_FALSE(read(text).good) << text;
  }
  EXPECT_FALSE(read("select 1" + std::string(600, ' ') + "+ 2").good);
}

TEST(StatementShape, ParametersStandOnlyForValues) {
  auto takes = [](std::string_view text) {
    Arena arena;
    const auto parsed = parse(arena, text, {});
    CHECK(parsed.ok() && parsed.value().size() == 1);
    return takes_parameters(*parsed.value()[0]->stmt);
  };
  for (const std::string_view text :
       {"select a, 1 from t where b = 1", "select 1", "insert into t values (1, 2)",
        "update t set a = 1 where b = 2 returning a", "delete from t where a = 1"}) {
    EXPECT_TRUE(takes(text)) << text;
  }
  for (const std::string_view text :
       {"select a from t order by 1", "select a from t group by 1", "select a from t limit 1",
        "select a from t offset 1", "select distinct a from t where a = 1",
        "select a from t, u where a = 1", "select a from t where a = 1 for update",
        "select 1 union select 2", "select a from f(1)", "insert into t values (1), (2)",
        "insert into t select 1 limit 1", "insert into t values (1) on conflict do nothing",
        "update t set a = 1 from u where b = 2", "delete from t using u where t.a = 1"}) {
    EXPECT_FALSE(takes(text)) << text;
  }
}

}  // namespace
}  // namespace orrery
