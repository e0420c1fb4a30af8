// PostgreSQL's own parser against ours: the same statements accepted, and for the others the same
// message at the same place. The committed corpus runs always; PostgreSQL's regression suite when
// it is at hand (ORRERY_PG_SUITE, or ../shared/pg15 beside the project).
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <pg_query.h>
#include <sstream>

#include "base/text.h"
#include "sql/parser.h"
#include "sql/statement_splitter.h"

namespace orrery {
namespace {

struct Verdict {
  bool accepted = false;
  std::string message;
  int position = 0;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

Verdict ask_oracle(const std::string& text) {
  const PgQueryProtobufParseResult result = pg_query_parse_protobuf(text.c_str());
  Verdict verdict;
  verdict.accepted = result.error == nullptr;
  if (result.error != nullptr) {
    verdict.message = result.error->message;
    verdict.position = result.error->cursorpos;
  }
  pg_query_free_protobuf_parse_result(result);
  return verdict;
}

Verdict ask_ours(const std::string& text) {
  Arena arena;
  const auto result = parse(arena, text);
  Verdict verdict;
  verdict.accepted = result.ok();
  if (!result.ok()) {
    verdict.message = result.status().error().message;
    verdict.position = result.status().error().position;
  }
  return verdict;
}

std::string show(const Verdict& verdict) {
  return verdict.accepted ? "accepted" : cat("'", verdict.message, "' at ", verdict.position);
}

struct Tally {
  int statements = 0, same_verdict = 0, same_message = 0, same_position = 0, refused = 0;
};

void compare(const std::string& text, Tally& tally, std::string* differences) {
  const Verdict oracle = ask_oracle(text);
  const Verdict ours = ask_ours(text);
  ++tally.statements;
  tally.refused += !oracle.accepted;
  tally.same_verdict += oracle.accepted == ours.accepted;
  tally.same_message += oracle.accepted == ours.accepted && oracle.message == ours.message;
  tally.same_position += oracle == ours;
  if (!(oracle == ours) && differences != nullptr) {
    *differences += cat("--- ", text, "\n    PostgreSQL: ", show(oracle),
                        "\n    ours:       ", show(ours), "\n");
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Oracle, AgreesOnTheCommittedCorpus) {
  Tally tally;
  std::string differences;
  const std::string script = read_file("testdata/corpus.sql");
  for (size_t begin = 0; begin < script.size();) {
    const size_t end = std::min(script.find(";;\n", begin), script.size());
    compare(script.substr(begin, end - begin), tally, &differences);
    begin = end + 3;
  }
  EXPECT_GT(tally.statements, 650);
  EXPECT_GT(tally.refused, 150);
  EXPECT_EQ(differences, "");
}

std::string repeat(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(Parser, RefusesDeepNestingWithoutOverflowingTheStack) {
  for (const char* const piece :
       {"(", "f(", "(select ", "case when ", "not ", "- ", "a in (", "a[", "f() over (order by ",
        "array[", "a and (", "cast(", "exists (select "}) {
    const Verdict verdict = ask_ours("select " + repeat(piece, 100000) + "1");
    EXPECT_EQ(verdict.message, "stack depth limit exceeded") << piece;
  }
  EXPECT_TRUE(ask_ours("select " + repeat("(", 150) + "1" + repeat(")", 150)).accepted);
}

TEST(Parser, TakesLongChainsAndListsWithoutNesting) {
  EXPECT_TRUE(ask_ours("select 1" + repeat(" + 1", 100000)).accepted);
  EXPECT_TRUE(ask_ours("select true" + repeat(" and true", 100000)).accepted);
  EXPECT_TRUE(ask_ours("insert into t values (1)" + repeat(", (1)", 100000)).accepted);
  EXPECT_TRUE(ask_ours("select 1" + repeat(" union all select 1", 100000)).accepted);
}

std::filesystem::path suite_folder() {
  if (const char* const given = std::getenv("ORRERY_PG_SUITE")) return given;
  return "../../../shared/pg15";
}

TEST(Oracle, AgreesOnPostgresRegressionSuite) {
  const std::filesystem::path suite = suite_folder();
  if (!std::filesystem::exists(suite / "regress/sql")) {
    GTEST_SKIP() << "no PostgreSQL regression suite at " << suite
                 << "; set ORRERY_PG_SUITE to its folder";
  }
  std::vector<std::filesystem::path> files;
  for (const char* const part : {"regress/sql", "plpgsql/sql"}) {
    for (const auto& entry : std::filesystem::directory_iterator(suite / part)) {
      if (entry.path().extension() == ".sql") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  Tally tally;
  std::string differences;
  for (const auto& file : files) {
    std::string in_file;
    const std::string script = read_file(file);
    for (const ScriptPiece& piece : split_script(script)) {
      if (piece.kind == ScriptPiece::Kind::statement) {
        compare(std::string(piece.text), tally, &in_file);
      }
    }
    if (!in_file.empty()) differences += cat("====== ", file.filename().string(), "\n", in_file);
  }
  if (const char* const out = std::getenv("ORRERY_DIFFERENCES")) std::ofstream(out) << differences;
  std::printf(
      "%d statements (%d refused by PostgreSQL): accept/reject %d, message %d, position %d\n",
      tally.statements, tally.refused, tally.same_verdict, tally.same_message, tally.same_position);
  EXPECT_GT(tally.statements, 30000);
  EXPECT_EQ(tally.same_position, tally.statements) << differences.substr(0, 4000);
}

}  // namespace
}  // namespace orrery
