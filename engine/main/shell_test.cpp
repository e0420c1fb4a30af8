// Scripts through the shell against a database in memory: testdata/*.sql must print what psql
// prints of them against PostgreSQL 15 (testdata/make_golden.py wrote the .golden files).

#include "main/shell.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "base/text.h"

namespace orrery {
namespace {

class TextLines final : public LineSource {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next() override {
    if (rest_.empty()) return std::nullopt;
    const size_t end = std::min(rest_.find('\n'), rest_.size() - 1) + 1;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return line;
  }

 private:
  std::string_view rest_;
};

struct Printed {
  std::string text;
  bool good = false;
};

Printed run_script(std::string_view script, const std::string& path = ":memory:") {
  auto database = EmbeddedDatabase::open(path, {{"shared_buffers", "2000"}, {"fsync", "off"}});
  CHECK(database.ok());
  Printed printed;
  auto print = [&](bool, std::string_view text) { printed.text += text; };
  TextLines lines(script);
  Shell shell(**database, print, &lines);
  printed.good = shell.run_script(false);
  CHECK((*database)->close().ok());
  return printed;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Shell, PrintsScriptsAsPsqlDoes) {
  std::vector<std::filesystem::path> scripts;
  for (const auto& entry : std::filesystem::directory_iterator("testdata")) {
    if (entry.path().extension() == ".sql") scripts.push_back(entry.path());
  }
  std::sort(scripts.begin(), scripts.end());
  ASSERT_FALSE(scripts.empty());
  for (std::filesystem::path path : scripts) {
    const std::string script = read_file(path);
    path.replace_extension(".golden");
    // On a disk, so that COPY finds files where PostgreSQL does.
    char directory[] = "/tmp/orrery_shell_test_XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    EXPECT_EQ(run_script(script, directory).text, read_file(path)) << path;
    std::filesystem::remove_all(directory);
  }
}

TEST(Shell, AnswersTheLastStatementWithoutNewlineOrSemicolon) {
  for (const std::string_view end : {"", ";", "\n"}) {
    const Printed printed =
        run_script(cat("create table t(a int); insert into t values (1); select * from t", end));
    EXPECT_EQ(printed.text, "CREATE TABLE\nINSERT 0 1\n a \n---\n 1\n(1 row)\n\n") << end;
    EXPECT_TRUE(printed.good);
  }
}

TEST(Shell, SaysThatAStatementFailed) {
  EXPECT_FALSE(run_script("select 1/0; select 1;").good);
  EXPECT_TRUE(run_script("select 1;").good);
}

// What is not there is refused by name; nothing is half done.
TEST(Shell, RefusesByName) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"alter table g add unique (b) deferrable",
       "a DEFERRABLE unique constraint is not supported"},
      {"alter table g add primary key (b) deferrable", "a DEFERRABLE primary key is not supported"},
      {"create index concurrently on t (a)", "CREATE INDEX CONCURRENTLY is not supported"},
      {"create index on t (a) tablespace nowhere", "tablespace \"nowhere\" does not exist"},
      {"create table s (a int) with (autovacuum_enabled = off)",
       "storage parameter autovacuum_enabled is not supported"},
      {"create table s (a int) with (toast.autovacuum_enabled = off)",
       "storage parameter toast.autovacuum_enabled is not supported"},
      {"alter table g rename column b to c",
       "renaming a column of a table with generated columns is not supported"},
      {"grant other to member with admin option",
       "WITH ADMIN OPTION for one who is a member already is not supported"},
      {"revoke admin option for other from member", "REVOKE ADMIN OPTION FOR is not supported"},
      {"grant other to postgres granted by postgres", "GRANTED BY is not supported"},
      {"grant select on t to member granted by postgres", "GRANTED BY is not supported"},
      {"insert into pg_class select * from pg_class limit 0",
       "permission denied: \"pg_class\" is a system catalog"},
      {"copy pg_class from '/dev/null'", "permission denied: \"pg_class\" is a system catalog"},
      {"select format('%2147483647s', 'x')", "requested length too large"},
      {"select replace(repeat('x', 30000000), 'x', repeat('y', 40))", "requested length too large"},
      {"select 'x' ~ repeat('(a)b|', 6000)",
       "invalid regular expression: regular expression is too complex"}};
  for (const auto& [statement, error] : kCases) {
    const Printed printed = run_script(
        cat("set client_min_messages = 'error'; create role other; create role member in role "
            "other; create table t (a int primary key); grant select on t to other; create table "
            "g (b int, d int generated always as (b) stored);\n",
            statement, ";"));
    EXPECT_FALSE(printed.good) << statement;
    EXPECT_NE(printed.text.find(cat("ERROR:  ", error)), std::string::npos) << statement << "\n"
                                                                            << printed.text;
  }
}

TEST(Shell, ReadsLinesOfAnyLength) {
  const Printed printed =
      run_script(cat("select length('", std::string(20000, 'x'), "') as n;\nselect 2 as n;"));
  EXPECT_EQ(printed.text, "   n   \n-------\n 20000\n(1 row)\n\n n \n---\n 2\n(1 row)\n\n");
}

}  // namespace
}  // namespace orrery
