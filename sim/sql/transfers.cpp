#include "sim/sql/transfers.h"

#include <map>

#include "base/text.h"
#include "func/digest.h"

namespace orrery {
namespace {

constexpr int64_t kOpening = 1000;

// `unknown` becomes `present` when somebody sees it; it may also come true late, so that not being
// seen says nothing until nobody works any more: then it becomes `absent`.
enum class Fate : uint8_t { running, committed, aborted, unknown, present, absent };

struct Transfer {
  int64_t from = 0;
  int64_t to = 0;
  int64_t amount = 0;
  std::string note;  // in the ledger its length and MD5, as they are read
  Fate fate = Fate::running;
};

std::string fingerprint(std::string_view text) {
  const Result<std::string> digest = md5_hex(text, [](uint64_t) { return Status(); });
  CHECK(digest.ok());
  return cat(text.size(), " ", digest.value());
}

class Transfers final : public SqlRole {
 public:
  explicit Transfers(SqlContext& context)
      : context_(context), accounts_(context.world.tape().magnitude(Site::knob, 0, 2, 64)) {}

  bool set_up(Fiber& fiber, SqlSession& session) override {
    const bool made =
        session
            .run(fiber,
                 "CREATE TABLE accounts (id int8 PRIMARY KEY, balance int8 NOT NULL, note text);"
                 "CREATE TABLE transfers (id int8 PRIMARY KEY, from_id int8 NOT NULL,"
                 " to_id int8 NOT NULL, amount int8 NOT NULL CHECK (amount > 0), note text);"
                 "CREATE INDEX transfers_from ON transfers (from_id, amount)")
            .ok();
    if (!made) return false;
    std::string rows;
    for (int64_t id = 0; id < accounts_; ++id) {
      rows += cat(id == 0 ? "" : ", ", "(", id, ", ", kOpening, ", 'account')");
    }
    return session.run(fiber, cat("INSERT INTO accounts VALUES ", rows)).ok();
  }

  bool step(Fiber& fiber, SqlSession& session) override {
    if (context_.pick(8) == 7) {
      read(fiber, session);
      return false;
    }
    return transfer(fiber, session);
  }

  bool audit(Fiber& fiber, SqlSession& session) override {
    Reading reading = begin_reading();
    const SqlResult accounts = session.run(fiber, kReadAccounts);
    if (!accounts.ok()) return false;
    const SqlResult transfers = session.run(fiber, kReadTransfers);
    if (!transfers.ok()) return false;
    if (!parse(accounts, transfers, reading)) return true;
    check(reading);
    settle(reading);
    for (const auto& [id, balance] : reading.balances) {
      const SqlResult one = session.run(fiber, cat("SELECT balance FROM accounts WHERE id = ", id));
      if (!one.ok()) return false;
      if (one.rows.size() != 1 || sql_number(one.rows[0][0]) != balance) {
        context_.fail("structure", cat("account ", id, " is another by its index than in a scan"));
      }
    }
    return true;
  }

 private:
  static constexpr char kReadAccounts[] = "SELECT id, balance, note FROM accounts";
  static constexpr char kReadTransfers[] =
      "SELECT id, from_id, to_id, amount, length(note) || ' ' || md5(note) FROM transfers";

  // How long a reader may hold its snapshot between two looks: vacuums come and go.
  static constexpr Duration kLongest = milliseconds(300);

  struct Reading {
    std::vector<Fate> known;  // when the snapshot was not yet taken
    std::map<int64_t, int64_t> balances;
    std::map<int64_t, Transfer> transfers;
  };

  // ---- transfers

  bool transfer(Fiber& fiber, SqlSession& session) {
    const auto id = static_cast<int64_t>(ledger_.size());
    Transfer made;
    made.from = context_.between(0, accounts_ - 1);
    made.to = context_.between(0, accounts_ - 1);
    made.amount = context_.between(1, 20);
    const std::string note = make_note(id);
    made.note = fingerprint(note);
    ledger_.push_back(made);
    const bool gives_up = context_.pick(12) == 11;
    const char* begin = context_.pick(3) == 2 ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN";
    const Outcome outcome = session.transact(
        fiber, begin, [&] { return transfer_in(fiber, session, id, made, note) && !gives_up; });
    Fate& fate = ledger_[static_cast<size_t>(id)].fate;
    if (outcome == Outcome::committed) {
      fate = Fate::committed;
    } else if (outcome == Outcome::aborted) {
      if (fate == Fate::present) {
        context_.fail("isolation", cat("transfer ", id, " was seen and then rolled back"));
      }
      fate = Fate::aborted;
    } else if (fate == Fate::running) {
      fate = Fate::unknown;
    }
    return outcome == Outcome::committed;
  }

  // Some are too large for a page, and of these some no smaller when compressed.
  std::string make_note(int64_t id) {
    const auto length = static_cast<size_t>(context_.pick(20) == 19 ? context_.between(2000, 20'000)
                                                                    : context_.between(0, 300));
    return id % 4 == 3 ? std::string(length, 'a') : letters(length, static_cast<uint64_t>(id));
  }

  bool transfer_in(Fiber& fiber, SqlSession& session, int64_t id, const Transfer& made,
                   const std::string& note) {
    if (context_.pick(5) == 4 && !rolled_back_savepoint(fiber, session)) return false;
    if (made.from != made.to) {
      if (!add(fiber, session, made.from, -made.amount)) return false;
      if (!add(fiber, session, made.to, made.amount)) return false;
    }
    const SqlValue values[] = {cat(id), cat(made.from), cat(made.to), cat(made.amount), note};
    const SqlResult inserted =
        session.run_with(fiber, "INSERT INTO transfers VALUES ($1, $2, $3, $4, $5)", values);
    return inserted.ok();
  }

  bool add(Fiber& fiber, SqlSession& session, int64_t account, int64_t amount) {
    const SqlValue values[] = {cat(account), cat(amount)};
    const SqlResult updated =
        session.run_with(fiber, "UPDATE accounts SET balance = balance + $2 WHERE id = $1", values);
    if (!updated.ok()) return false;
    if (updated.tags.size() != 1 || updated.tags[0] != "UPDATE 1") {
      context_.fail("isolation",
                    cat("account ", account, " could not be updated: ", join(updated.tags, " ")));
      return false;
    }
    return true;
  }

  bool rolled_back_savepoint(Fiber& fiber, SqlSession& session) {
    return session.run(fiber, "SAVEPOINT a").ok() &&
           session
               .run(fiber, cat("INSERT INTO transfers VALUES (", 1'000'000'000 + ledger_.size(),
                               ", 0, 0, 1, 'never')"))
               .ok() &&
           session.run(fiber, "UPDATE accounts SET note = 'never' WHERE id = 0").ok() &&
           session.run(fiber, "ROLLBACK TO SAVEPOINT a").ok();
  }

  // ---- reading

  Reading begin_reading() const {
    Reading reading;
    for (const Transfer& transfer : ledger_) reading.known.push_back(transfer.fate);
    return reading;
  }

  // One snapshot, read once or again and again.
  void read(Fiber& fiber, SqlSession& session) {
    if (!session.run(fiber, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").ok()) return;
    const Reading fresh = begin_reading();
    const uint64_t rounds = 1 + context_.pick(3);
    std::optional<Reading> first;
    for (uint64_t i = 0; i < rounds; ++i) {
      Reading reading = fresh;
      const SqlResult accounts = context_.pick(4) == 3 ? fetch_accounts(fiber, session)
                                                       : session.run(fiber, kReadAccounts);
      if (!accounts.ok()) break;
      const SqlResult transfers = session.run(fiber, kReadTransfers);
      if (!transfers.ok()) break;
      if (!parse(accounts, transfers, reading)) return;
      check(reading);
      if (first && first->balances != reading.balances) {
        context_.fail("isolation",
                      "a REPEATABLE READ transaction read other balances the second time");
      }
      if (!first) first = std::move(reading);
      const int64_t pause = context_.world.tape().magnitude(Site::workload, 0, 1'000, kLongest.ns);
      if (!fiber.sleep(nanoseconds(pause)).ok()) return;
    }
    session.run(fiber, "COMMIT");
  }

  // Through a cursor, a few at a time.
  SqlResult fetch_accounts(Fiber& fiber, SqlSession& session) {
    SqlResult all = session.run(fiber, cat("DECLARE c CURSOR FOR ", kReadAccounts));
    const int64_t count = context_.between(1, 10);
    while (all.ok()) {
      SqlResult some = session.run(fiber, cat("FETCH ", count, " FROM c"));
      if (!some.ok()) return some;
      if (some.rows.size() > static_cast<size_t>(count)) {
        context_.fail("model", cat("FETCH ", count, " gave ", some.rows.size(), " rows"));
      }
      all.rows.insert(all.rows.end(), some.rows.begin(), some.rows.end());
      if (some.rows.size() < static_cast<size_t>(count)) break;
      if (!fiber.sleep(microseconds(static_cast<int64_t>(context_.pick(5'000)))).ok()) break;
    }
    if (!all.ok()) return all;
    SqlResult closed = session.run(fiber, "CLOSE c");
    return closed.ok() ? std::move(all) : std::move(closed);
  }

  bool parse(const SqlResult& accounts, const SqlResult& transfers, Reading& reading) {
    for (const SqlRow& row : accounts.rows) {
      const auto id = row.size() == 3 ? sql_number(row[0]) : std::nullopt;
      const auto balance = row.size() == 3 ? sql_number(row[1]) : std::nullopt;
      if (id && row[2] != "account") {
        context_.fail("isolation", cat("account ", *id, " has the note ", row[2].value_or("NULL")));
        return false;
      }
      if (!id || !balance || !reading.balances.emplace(*id, *balance).second) {
        context_.fail("model", "an account is there twice, or is none");
        return false;
      }
    }
    for (const SqlRow& row : transfers.rows) {
      const auto id = row.size() == 5 ? sql_number(row[0]) : std::nullopt;
      if (!id || !sql_number(row[1]) || !sql_number(row[2]) || !sql_number(row[3]) || !row[4]) {
        context_.fail("model", "a transfer is no transfer");
        return false;
      }
      const Transfer seen{*sql_number(row[1]), *sql_number(row[2]), *sql_number(row[3]), *row[4],
                          Fate::present};
      if (!reading.transfers.emplace(*id, seen).second) {
        context_.fail("structure", cat("transfer ", *id, " is there twice"));
        return false;
      }
    }
    return true;
  }

  void check(const Reading& reading) {
    std::map<int64_t, int64_t> expected;
    for (int64_t id = 0; id < accounts_; ++id) expected[id] = kOpening;
    for (const auto& [id, seen] : reading.transfers) {
      if (id < 0 || id >= static_cast<int64_t>(ledger_.size())) {
        context_.fail("isolation", cat("transfer ", id, " of a savepoint rolled back is seen"));
        return;
      }
      Transfer& known = ledger_[static_cast<size_t>(id)];
      if (known.fate == Fate::aborted || known.fate == Fate::absent) {
        context_.fail("isolation", cat("transfer ", id, " was rolled back and is seen"));
      }
      if (known.fate == Fate::unknown || known.fate == Fate::running) known.fate = Fate::present;
      if (seen.from != known.from || seen.to != known.to || seen.amount != known.amount ||
          seen.note != known.note) {
        context_.fail("model", cat("transfer ", id, " is another than was made"));
      }
      expected[seen.from] -= seen.amount;
      expected[seen.to] += seen.amount;
    }
    for (size_t id = 0; id < reading.known.size(); ++id) {
      const Fate fate = reading.known[id];
      const bool must = fate == Fate::committed || fate == Fate::present;
      if (must && !reading.transfers.contains(static_cast<int64_t>(id))) {
        context_.fail("ledger", cat("transfer ", id, " was acknowledged and is gone"));
      }
    }
    if (reading.balances != expected) {
      for (const auto& [id, balance] : expected) {
        const auto found = reading.balances.find(id);
        if (found != reading.balances.end() && found->second == balance) continue;
        context_.fail("isolation",
                      cat("account ", id, " holds ",
                          found == reading.balances.end() ? "nothing" : cat(found->second),
                          "; the transfers of the same snapshot make it ", balance));
        return;
      }
    }
  }

  // What nobody has seen by now never happened.
  void settle(const Reading& reading) {
    for (size_t id = 0; id < reading.known.size(); ++id) {
      Fate& fate = ledger_[id].fate;
      if (fate == Fate::unknown || fate == Fate::running) fate = Fate::absent;
    }
  }

  SqlContext& context_;
  const int64_t accounts_;
  std::vector<Transfer> ledger_;  // by id
};

}  // namespace

std::unique_ptr<SqlRole> make_transfers(SqlContext& context) {
  return std::make_unique<Transfers>(context);
}

}  // namespace orrery
