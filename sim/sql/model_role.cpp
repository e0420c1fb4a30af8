#include "sim/sql/model_role.h"

#include <algorithm>

#include "base/text.h"
#include "sim/sql/model_statements.h"

namespace orrery {
namespace {

std::string row_text(const SqlRow& row) {
  std::string text;
  for (const SqlValue& value : row) {
    text += cat(text.empty() ? "" : "|", value ? value->substr(0, 40) : "NULL");
  }
  return text;
}

class ModelRole final : public SqlRole {
 public:
  ModelRole(SqlContext& context, uint32_t number)
      : context_(context), schema_name_(cat("m", number)), maker_(context, schema_name_ + ".t") {}

  bool set_up(Fiber& fiber, SqlSession& session) override {
    return session
        .run(fiber, cat("CREATE SCHEMA ", schema_name_, "; CREATE TABLE ", schema_name_,
                        ".done (id int4 PRIMARY KEY, n int8); INSERT INTO ", schema_name_,
                        ".done VALUES (1, 0)"))
        .ok();
  }

  // The first statement of each transaction counts it in a row of its own. It waits for what an
  // earlier session of this client may still be doing, and tells how that ended.
  bool step(Fiber& fiber, SqlSession& session) override {
    set_planner(fiber, session);
    working_ = std::nullopt;
    const char* begin = context_.pick(3) == 2 ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN";
    const bool gives_up = context_.pick(10) == 9;
    const Outcome outcome = session.transact(
        fiber, begin, [&] { return count(fiber, session) && work(fiber, session) && !gives_up; });
    if (outcome == Outcome::committed) {
      committed_ = std::move(*working_);
      pending_ = std::nullopt;
    } else if (outcome == Outcome::unknown) {
      pending_ = std::move(working_);
    }
    return outcome == Outcome::committed;
  }

  bool audit(Fiber& fiber, SqlSession& session) override {
    const SqlResult done = session.run(fiber, cat("SELECT n FROM ", schema_name_, ".done"));
    if (!done.ok()) return false;
    if (done.rows.size() != 1 || !done.rows[0][0]) {
      context_.fail("ledger", cat("the count of schema ", schema_name_, " is gone"));
      return true;
    }
    settle(*done.rows[0][0], 0);
    const SqlResult there = session.run(
        fiber, cat("SELECT count(*) FROM pg_tables WHERE schemaname = '", schema_name_, "'"));
    if (!there.ok()) return false;
    const SqlRow expected{cat(committed_.tables.size() + 1)};  // and the count's own
    if (there.rows.size() != 1 || there.rows[0] != expected) {
      context_.fail("model", cat("schema ", schema_name_, " has ",
                                 there.rows.empty() ? "no count" : row_text(there.rows[0]),
                                 " tables instead of ", row_text(expected)));
    }
    for (const auto& [name, table] : committed_.tables) {
      const SqlResult all = session.run(fiber, maker_.read_all(committed_, table).sql);
      if (!all.ok()) return false;
      compare(maker_.read_all(committed_, table), all);
    }
    return true;
  }

 private:
  bool count(Fiber& fiber, SqlSession& session) {
    const SqlResult counted = session.run(
        fiber, cat("UPDATE ", schema_name_, ".done SET n = n + 1 WHERE id = 1 RETURNING n"));
    if (!counted.ok()) return false;
    if (counted.rows.size() != 1 || !counted.rows[0][0]) {
      context_.fail("ledger", cat("the count of schema ", schema_name_, " is gone"));
      return false;
    }
    settle(*counted.rows[0][0], 1);
    working_ = committed_;
    ++working_->done;
    return true;
  }

  // `more`: what the own transaction has added to the count.
  void settle(const std::string& count, int64_t more) {
    if (pending_ && count == cat(pending_->done + more)) committed_ = std::move(*pending_);
    pending_ = std::nullopt;
    if (count != cat(committed_.done + more)) {
      context_.fail("ledger", cat("schema ", schema_name_, " counts ", count,
                                  " transactions; acknowledged were ", committed_.done));
    }
  }

  // Some statements, some in savepoints.
  bool work(Fiber& fiber, SqlSession& session) {
    std::vector<ModelSchema> savepoints;
    const uint64_t statements = 1 + context_.pick(6);
    for (uint64_t i = 0; i < statements; ++i) {
      const uint64_t what = context_.pick(10);
      if (what == 9 && savepoints.size() < 3) {
        if (!session.run(fiber, cat("SAVEPOINT s", savepoints.size())).ok()) return false;
        savepoints.push_back(*working_);
      } else if (what == 8 && !savepoints.empty()) {
        const bool back = context_.pick(2) == 0;
        const std::string name = cat(" s", savepoints.size() - 1);
        if (!session.run(fiber, cat(back ? "ROLLBACK TO" : "RELEASE", name)).ok()) return false;
        if (back) working_ = savepoints.back();
        if (!back) savepoints.pop_back();
      }
      if (!run_one(fiber, session, savepoints)) return false;
    }
    return true;
  }

  bool run_one(Fiber& fiber, SqlSession& session, std::vector<ModelSchema>& savepoints) {
    ModelStatement statement = maker_.make(*working_);
    const SqlResult result = session.run(fiber, statement.sql, {"23505", "23502", "23514"});
    if (result.code.starts_with("23")) {
      if (!statement.errors.contains(result.code)) {
        context_.fail(
            "model", cat(result.code, " ", result.message, " from ", statement.sql.substr(0, 400)));
      }
      if (savepoints.empty()) return false;
      working_ = savepoints.back();
      return session.run(fiber, cat("ROLLBACK TO s", savepoints.size() - 1)).ok();
    }
    if (!result.ok()) return false;
    if (!statement.errors.empty()) {
      context_.fail("model", cat("no error ", *statement.errors.begin(), " from ",
                                 statement.sql.substr(0, 400)));
      return false;
    }
    compare(statement, result);
    working_ = std::move(statement.after);
    return !context_.world.failure();
  }

  void compare(const ModelStatement& statement, const SqlResult& result) {
    const std::string tag = result.tags.empty() ? "" : result.tags.back();
    if (!statement.tag.empty() && tag != statement.tag) {
      context_.fail("model", cat("\"", tag, "\" instead of \"", statement.tag, "\" from ",
                                 statement.sql.substr(0, 400)));
    }
    if (!statement.has_rows) return;
    std::vector<SqlRow> found = result.rows;
    std::vector<SqlRow> expected = statement.rows;
    if (!statement.is_ordered) {
      std::ranges::sort(found);
      std::ranges::sort(expected);
    }
    if (found == expected) return;
    size_t at = 0;
    while (at < found.size() && at < expected.size() && found[at] == expected[at]) ++at;
    context_.fail("model",
                  cat(found.size(), " rows instead of ", expected.size(), ", the first other is ",
                      at < found.size() ? row_text(found[at]) : "missing", " instead of ",
                      at < expected.size() ? row_text(expected[at]) : "nothing", ", from ",
                      statement.sql.substr(0, 400)));
  }

  // Other plans for the same queries.
  void set_planner(Fiber& fiber, SqlSession& session) {
    if (context_.pick(4) != 3) return;
    constexpr const char* kSettings[] = {"enable_seqscan",   "enable_indexscan", "enable_hashjoin",
                                         "enable_mergejoin", "enable_nestloop",  "enable_hashagg",
                                         "enable_sort",      "enable_bitmapscan"};
    const char* name = kSettings[context_.pick(std::size(kSettings))];
    session.run(fiber, cat("SET ", name, " = ", context_.pick(2) == 0 ? "on" : "off"));
  }

  SqlContext& context_;
  const std::string schema_name_;
  StatementMaker maker_;
  ModelSchema committed_;
  std::optional<ModelSchema> working_;  // of the transaction under way
  std::optional<ModelSchema> pending_;  // whose COMMIT nobody answered
};

}  // namespace

std::unique_ptr<SqlRole> make_model_role(SqlContext& context, uint32_t number) {
  return std::make_unique<ModelRole>(context, number);
}

}  // namespace orrery
