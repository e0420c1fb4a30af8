#include "sim/sql/families.h"

#include "base/text.h"

namespace orrery {
namespace {

constexpr int64_t kParents = 12;
constexpr int64_t kChildren = 30;

// A transaction may break the key and mend it, or fail with 23503 where it is checked; what commits
// leaves no child without its parent, in no snapshot.
class Families final : public SqlRole {
 public:
  explicit Families(SqlContext& context) : context_(context) {}

  bool set_up(Fiber& fiber, SqlSession& session) override {
    const bool at_end = context_.pick(2) == 0;
    return session
        .run(fiber, cat("CREATE TABLE parents (id int4 PRIMARY KEY, note text);"
                        "CREATE TABLE children (id int4 PRIMARY KEY, parent int4 NOT NULL,"
                        " CONSTRAINT family FOREIGN KEY (parent) REFERENCES parents DEFERRABLE ",
                        at_end ? "INITIALLY DEFERRED" : "INITIALLY IMMEDIATE",
                        "); CREATE INDEX children_parent ON children (parent)"))
        .ok();
  }

  bool step(Fiber& fiber, SqlSession& session) override {
    if (context_.pick(4) == 3) {
      look(fiber, session);
      return false;
    }
    const char* begin = context_.pick(3) == 2 ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN";
    const bool gives_up = context_.pick(12) == 11;
    const Outcome outcome = session.transact(
        fiber, begin, [&] { return change(fiber, session) && !gives_up; }, {kOrphan});
    return outcome == Outcome::committed;
  }

  bool audit(Fiber& fiber, SqlSession& session) override { return look(fiber, session); }

 private:
  static constexpr std::string_view kOrphan = "23503";
  static constexpr std::string_view kTaken = "23505";  // by who came between
  static constexpr char kOrphans[] =
      "SELECT c.id, c.parent FROM children c LEFT JOIN parents p ON p.id = c.parent"
      " WHERE p.id IS NULL";

  bool change(Fiber& fiber, SqlSession& session) {
    if (context_.pick(8) != 7 && !do_it(fiber, session, "SET CONSTRAINTS ALL DEFERRED"))
      return false;
    const uint64_t changes = 1 + context_.pick(5);
    for (uint64_t i = 0; i < changes; ++i) {
      const uint64_t how = context_.pick(8);
      const bool has_savepoint = how >= 5;
      if (has_savepoint && !do_it(fiber, session, "SAVEPOINT s")) return false;
      if (!do_it(fiber, session, one_change())) return false;
      if (!has_savepoint) continue;
      if (!do_it(fiber, session, how == 7 ? "ROLLBACK TO SAVEPOINT s" : "RELEASE SAVEPOINT s"))
        return false;
    }
    return context_.pick(6) != 5 || do_it(fiber, session, "SET CONSTRAINTS family IMMEDIATE");
  }

  bool do_it(Fiber& fiber, SqlSession& session, const std::string& text) {
    return session.run(fiber, text, {kOrphan, kTaken}).ok();
  }

  std::string one_change() {
    const int64_t parent = context_.between(1, kParents);
    const int64_t child = context_.between(1, kChildren);
    switch (context_.pick(6)) {
      case 0: return cat("INSERT INTO parents VALUES (", parent, ", 'p') ON CONFLICT DO NOTHING");
      case 1:
        return cat("INSERT INTO children VALUES (", child, ", ", parent,
                   ") ON CONFLICT (id)"
                   " DO UPDATE SET parent = excluded.parent");
      case 2: return cat("DELETE FROM parents WHERE id = ", parent);
      case 3: return cat("DELETE FROM children WHERE parent = ", parent);
      case 4:
        return cat("UPDATE children SET parent = ", parent, " WHERE id BETWEEN ", child, " AND ",
                   child + 3);
      default:
        return cat("UPDATE parents SET id = ", parent,
                   " WHERE id = ", context_.between(1, kParents),
                   " AND NOT EXISTS (SELECT FROM parents WHERE id = ", parent, ")");
    }
  }

  bool look(Fiber& fiber, SqlSession& session) {
    const SqlResult orphans = session.run(fiber, kOrphans);
    if (!orphans.ok()) return false;
    if (!orphans.rows.empty()) {
      context_.fail("isolation", cat("child ", orphans.rows[0][0].value_or("NULL"),
                                     " has no parent ", orphans.rows[0][1].value_or("NULL")));
    }
    return true;
  }

  SqlContext& context_;
};

}  // namespace

std::unique_ptr<SqlRole> make_families(SqlContext& context) {
  return std::make_unique<Families>(context);
}

}  // namespace orrery
