#include "sim/sql/tpcb.h"

#include <map>
#include <set>

#include "base/text.h"

namespace orrery {
namespace {

constexpr int64_t kTellersOfABranch = 3;

class TpcB final : public SqlRole {
 public:
  explicit TpcB(SqlContext& context)
      : context_(context),
        branches_(context.world.tape().magnitude(Site::knob, 0, 1, 4)),
        accounts_of_a_branch_(context.world.tape().magnitude(Site::knob, 0, 2, 100)) {}

  bool set_up(Fiber& fiber, SqlSession& session) override {
    const int64_t tellers = branches_ * kTellersOfABranch;
    const int64_t accounts = branches_ * accounts_of_a_branch_;
    return session
        .run(fiber,
             cat("CREATE TABLE pgbench_branches (bid int4 PRIMARY KEY, bbalance int4 NOT NULL,"
                 " filler char(88));"
                 "CREATE TABLE pgbench_tellers (tid int4 PRIMARY KEY, bid int4 NOT NULL REFERENCES"
                 " pgbench_branches, tbalance int4 NOT NULL, filler char(84));"
                 "CREATE TABLE pgbench_accounts (aid int4 PRIMARY KEY, bid int4 NOT NULL REFERENCES"
                 " pgbench_branches, abalance int4 NOT NULL, filler char(84)) WITH (fillfactor=80);"
                 "CREATE TABLE pgbench_history (tid int4 REFERENCES pgbench_tellers, bid int4,"
                 " aid int4, delta int4, mtime timestamp, filler char(22));"
                 "INSERT INTO pgbench_branches SELECT b, 0, '' FROM generate_series(1, ",
                 branches_, ") b; INSERT INTO pgbench_tellers SELECT t, (t - 1) / ",
                 kTellersOfABranch, " + 1, 0, '' FROM generate_series(1, ", tellers,
                 ") t; INSERT INTO pgbench_accounts SELECT a, (a - 1) / ", accounts_of_a_branch_,
                 " + 1, 0, '' FROM generate_series(1, ", accounts, ") a"))
        .ok();
  }

  bool step(Fiber& fiber, SqlSession& session) override {
    const uint64_t what = context_.pick(10);
    if (what == 9) {
      compare_sums(fiber, session);
      return false;
    }
    if (what == 8) {
      compare_branches(fiber, session);
      return false;
    }
    return transact(fiber, session);
  }

  bool audit(Fiber& fiber, SqlSession& session) override {
    return compare_sums(fiber, session) && compare_branches(fiber, session) &&
           compare_ledger(fiber, session);
  }

 private:
  enum class Fate : uint8_t { running, committed, aborted, unknown };
  struct Transaction {
    int64_t teller = 0, branch = 0, account = 0, delta = 0;
    Fate fate = Fate::running;
  };

  // ---- transactions

  bool transact(Fiber& fiber, SqlSession& session) {
    Transaction made;
    made.branch = context_.between(1, branches_);
    made.teller = (made.branch - 1) * kTellersOfABranch + context_.between(1, kTellersOfABranch);
    made.account =
        (made.branch - 1) * accounts_of_a_branch_ + context_.between(1, accounts_of_a_branch_);
    made.delta = context_.between(-5000, 5000);
    const size_t number = ledger_.size();
    ledger_.push_back(made);
    Outcome outcome;
    if (context_.pick(4) == 3) {
      outcome = session.transact_at_once(fiber, script(made, number));
    } else {
      const bool repeats = context_.pick(4) == 3;
      const bool gives_up = context_.pick(12) == 11;
      outcome =
          session.transact(fiber, repeats ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN",
                           [&] { return statements(fiber, session, made, number) && !gives_up; });
    }
    ledger_[number].fate = outcome == Outcome::committed ? Fate::committed
                           : outcome == Outcome::aborted ? Fate::aborted
                                                         : Fate::unknown;
    return outcome == Outcome::committed;
  }

  bool statements(Fiber& fiber, SqlSession& session, const Transaction& made, size_t number) {
    const std::string delta = cat(made.delta);
    const SqlValue account[] = {cat(made.account), delta};
    const SqlResult updated = session.run_with(fiber,
                                               "UPDATE pgbench_accounts SET abalance = abalance + "
                                               "$2 WHERE aid = $1 RETURNING abalance",
                                               account);
    if (!updated.ok()) return false;
    const SqlResult read = session.run_with(
        fiber, "SELECT abalance FROM pgbench_accounts WHERE aid = $1", std::span(account).first(1));
    if (!read.ok()) return false;
    if (updated.rows.size() != 1 || read.rows != updated.rows) {
      context_.fail("isolation", cat("account ", made.account,
                                     " is another to the transaction that has just changed it"));
      return false;
    }
    const SqlValue teller[] = {cat(made.teller), delta};
    const SqlValue branch[] = {cat(made.branch), delta};
    const SqlValue history[] = {cat(made.teller), cat(made.branch), cat(made.account), delta,
                                cat(number)};
    return session
               .run_with(fiber,
                         "UPDATE pgbench_tellers SET tbalance = tbalance + $2 WHERE tid = $1",
                         teller)
               .ok() &&
           session
               .run_with(fiber,
                         "UPDATE pgbench_branches SET bbalance = bbalance + $2 WHERE bid = $1",
                         branch)
               .ok() &&
           session
               .run_with(fiber,
                         "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime, filler) VALUES"
                         " ($1, $2, $3, $4, CURRENT_TIMESTAMP, $5)",
                         history)
               .ok();
  }

  // All in one message: a transaction without BEGIN.
  static std::string script(const Transaction& made, size_t number) {
    return cat("UPDATE pgbench_accounts SET abalance = abalance + ", made.delta,
               " WHERE aid = ", made.account, "; UPDATE pgbench_tellers SET tbalance = tbalance + ",
               made.delta, " WHERE tid = ", made.teller,
               "; UPDATE pgbench_branches SET bbalance = bbalance + ", made.delta,
               " WHERE bid = ", made.branch,
               "; INSERT INTO pgbench_history (tid, bid, aid, delta, mtime, filler) VALUES (",
               made.teller, ", ", made.branch, ", ", made.account, ", ", made.delta,
               ", CURRENT_TIMESTAMP, '", number, "')");
  }

  // ---- oracles

  // False: could not be read.
  bool compare_sums(Fiber& fiber, SqlSession& session) {
    const uint64_t least = count_of({Fate::committed});
    const SqlResult sums = session.run(fiber,
                                       "SELECT (SELECT sum(abalance) FROM pgbench_accounts),"
                                       " (SELECT sum(tbalance) FROM pgbench_tellers),"
                                       " (SELECT sum(bbalance) FROM pgbench_branches),"
                                       " (SELECT coalesce(sum(delta), 0) FROM pgbench_history),"
                                       " (SELECT count(*) FROM pgbench_history)");
    if (!sums.ok()) return false;
    const uint64_t most = count_of({Fate::committed, Fate::running, Fate::unknown});
    if (sums.rows.size() != 1 || sums.rows[0].size() != 5) {
      context_.fail("model", "the sums of TPC-B are no row of five");
      return true;
    }
    const SqlRow& row = sums.rows[0];
    const auto count = static_cast<uint64_t>(sql_number(row[4]).value_or(-1));
    if (count < least || count > most) {
      context_.fail("ledger", cat("TPC-B's history has ", text(row[4]), " rows; ", least,
                                  " are acknowledged, ", most, " may be there"));
    }
    if (row[0] != row[1] || row[1] != row[2] || row[2] != row[3]) {
      context_.fail("isolation",
                    cat("the sums of TPC-B differ: accounts ", text(row[0]), ", tellers ",
                        text(row[1]), ", branches ", text(row[2]), ", history ", text(row[3])));
    }
    return true;
  }

  bool compare_branches(Fiber& fiber, SqlSession& session) {
    const SqlResult found = session.run(
        fiber,
        "SELECT b.bid, b.bbalance, t.s, a.s, coalesce(h.s, 0) FROM pgbench_branches b"
        " JOIN (SELECT bid, sum(tbalance) AS s FROM pgbench_tellers GROUP BY bid) t USING (bid)"
        " JOIN (SELECT bid, sum(abalance) AS s FROM pgbench_accounts GROUP BY bid) a USING (bid)"
        " LEFT JOIN (SELECT bid, sum(delta) AS s FROM pgbench_history GROUP BY bid) h USING (bid)");
    if (!found.ok()) return false;
    std::set<int64_t> seen;
    for (const SqlRow& row : found.rows) {
      if (row.size() == 5 && sql_number(row[0])) seen.insert(*sql_number(row[0]));
      if (row.size() != 5 || row[1] != row[2] || row[2] != row[3] || row[3] != row[4]) {
        context_.fail("isolation", cat("branch ", text(row[0]), " of TPC-B holds ", text(row[1]),
                                       ", its tellers and accounts other sums"));
      }
    }
    if (seen.size() != static_cast<size_t>(branches_) ||
        found.rows.size() != static_cast<size_t>(branches_)) {
      context_.fail("model", cat(found.rows.size(), " branches instead of ", branches_));
    }
    return true;
  }

  // Nobody works: what the history does not hold never happened.
  bool compare_ledger(Fiber& fiber, SqlSession& session) {
    const SqlResult history =
        session.run(fiber, "SELECT filler, tid, bid, aid, delta FROM pgbench_history");
    if (!history.ok()) return false;
    const SqlResult accounts = session.run(fiber, "SELECT aid, abalance FROM pgbench_accounts");
    if (!accounts.ok()) return false;
    const SqlResult tellers = session.run(fiber, "SELECT tid, tbalance FROM pgbench_tellers");
    if (!tellers.ok()) return false;
    std::set<int64_t> there;
    for (const SqlRow& row : history.rows) take_history(row, there);
    std::map<int64_t, int64_t> balances, tills;
    for (size_t i = 0; i < ledger_.size(); ++i) {
      Transaction& made = ledger_[i];
      const bool is_there = there.contains(static_cast<int64_t>(i));
      if (made.fate == Fate::committed && !is_there) {
        context_.fail("ledger", cat("TPC-B transaction ", i, " was acknowledged and is gone"));
      }
      if (made.fate == Fate::aborted && is_there) {
        context_.fail("isolation", cat("TPC-B transaction ", i, " was rolled back and is seen"));
      }
      if (is_there) balances[made.account] += made.delta;
      if (is_there) tills[made.teller] += made.delta;
      made.fate = is_there ? Fate::committed : Fate::aborted;
    }
    compare_balances("account", branches_ * accounts_of_a_branch_, accounts, balances);
    compare_balances("teller", branches_ * kTellersOfABranch, tellers, tills);
    return true;
  }

  // Of those with the ids 1 to `count`.
  void compare_balances(std::string_view what, int64_t count, const SqlResult& found,
                        std::map<int64_t, int64_t>& expected) {
    std::set<int64_t> seen;
    for (const SqlRow& row : found.rows) {
      const auto id = sql_number(row[0]);
      if (!id || *id < 1 || *id > count || !seen.insert(*id).second) {
        context_.fail("model", cat(what, " ", text(row[0]), " of TPC-B is there twice, or none"));
      } else if (sql_number(row[1]) != expected[*id]) {
        context_.fail("isolation", cat(what, " ", *id, " of TPC-B holds ", text(row[1]),
                                       "; its history makes it ", expected[*id]));
      }
    }
    if (seen.size() != static_cast<size_t>(count)) {
      context_.fail("model", cat(seen.size(), " ", what, "s of TPC-B instead of ", count));
    }
  }

  void take_history(const SqlRow& row, std::set<int64_t>& there) {
    std::string filler = text(row[0]);
    filler.resize(std::min(filler.size(), filler.find(' ')));  // char(22) is padded
    const auto number = sql_number(filler);
    if (!number || *number < 0 || static_cast<size_t>(*number) >= ledger_.size() ||
        !there.insert(*number).second) {
      context_.fail("structure", cat("row ", filler,
                                     " of TPC-B's history is there twice, or is "
                                     "nobody's"));
      return;
    }
    const Transaction& made = ledger_[static_cast<size_t>(*number)];
    if (sql_number(row[1]) != made.teller || sql_number(row[2]) != made.branch ||
        sql_number(row[3]) != made.account || sql_number(row[4]) != made.delta) {
      context_.fail("model", cat("row ", filler, " of TPC-B's history is another than was made"));
    }
  }

  uint64_t count_of(std::initializer_list<Fate> fates) const {
    uint64_t count = 0;
    for (const Transaction& made : ledger_) {
      count += std::find(fates.begin(), fates.end(), made.fate) != fates.end() ? 1 : 0;
    }
    return count;
  }

  static std::string text(const SqlValue& value) { return value.value_or("NULL"); }

  SqlContext& context_;
  const int64_t branches_;
  const int64_t accounts_of_a_branch_;
  std::vector<Transaction> ledger_;  // by number, which the history's filler holds
};

}  // namespace

std::unique_ptr<SqlRole> make_tpcb(SqlContext& context) { return std::make_unique<TpcB>(context); }

}  // namespace orrery
