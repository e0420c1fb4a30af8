#include "sim/sql/interrupts.h"

#include "base/text.h"
#include "fiber/scheduler.h"

namespace orrery {
namespace {

constexpr uint32_t kVictimNumber = 90;

class Interrupts final : public SqlRole {
 public:
  explicit Interrupts(SqlContext& context)
      : context_(context), victim_(context, kVictimNumber, true) {}

  bool set_up(Fiber& fiber, SqlSession& session) override {
    return session
        .run(fiber,
             "CREATE TABLE guarded (id int4 PRIMARY KEY, n int8 NOT NULL);"
             "INSERT INTO guarded VALUES (1, 0)")
        .ok();
  }

  bool step(Fiber& fiber, SqlSession& session) override {
    if (!context_.memory.peace && context_.pick(2) == 1) {
      disturb(fiber, session);
      return false;
    }
    return interrupt_own(fiber, session);
  }

  // What was cancelled has changed nothing.
  bool audit(Fiber& fiber, SqlSession& session) override {
    const SqlResult all = session.run(fiber, "SELECT id, n FROM guarded");
    if (!all.ok()) return false;
    const bool is_row = all.rows.size() == 1 && all.rows[0].size() == 2;
    const int64_t n = is_row ? sql_number(all.rows[0][1]).value_or(-1) : -1;
    if (n < least_ || n > most_ || n % kStep != 0) {
      context_.fail("isolation", "a statement that was cancelled has changed a row");
    }
    return true;
  }

 private:
  // Another client, whatever it does.
  void disturb(Fiber& fiber, SqlSession& session) {
    SqlSession& other = *context_.sessions[context_.pick(context_.sessions.size())];
    if (&other == &session || !other.is_open() || other.boot() != session.boot()) return;
    if (other.process_id() == 0) return;  // it is about to be told
    const bool ends = context_.pick(4) == 3;
    other.expect_interrupt(ends);
    if (!ends && context_.pick(2) == 0) {
      other.send_cancel(fiber);
      return;
    }
    session.run(fiber, call(ends, other));
  }

  static std::string call(bool ends, const SqlSession& victim) {
    return cat("SELECT ", ends ? "pg_terminate_backend(" : "pg_cancel_backend(",
               victim.process_id(), ")");
  }

  // True when a statement of the own victim was interrupted.
  bool interrupt_own(Fiber& fiber, SqlSession& session) {
    if (!victim_.connect(fiber)) return false;
    const char* blocker = nullptr;
    const char* statement = "SELECT pg_sleep(40)";
    bool updates = false;
    switch (context_.pick(3)) {
      case 1:
        blocker = "BEGIN; UPDATE guarded SET n = n + 1 WHERE id = 1";
        statement = "UPDATE guarded SET n = n + 10 WHERE id = 1";
        updates = true;
        break;
      case 2:
        blocker = "BEGIN; LOCK TABLE guarded IN ACCESS EXCLUSIVE MODE";
        statement = "SELECT count(*) FROM guarded";
        break;
      default: break;
    }
    if (blocker != nullptr && !session.run(fiber, blocker).ok()) {
      victim_.disconnect(fiber, true);
      leave_transaction(fiber, session);
      return false;
    }
    const bool ends = context_.pick(3) == 2;
    victim_.expect_interrupt(ends);
    is_over_ = false;
    const bool began_in_peace = context_.memory.peace;  // no clock jumps over a sleep any more
    fiber.scheduler().spawn("victim", [this, statement](Fiber& own) {
      answer_ = victim_.run(own, statement);
      is_over_ = true;
    });
    const bool kept = interrupt_until_over(fiber, session, ends);
    if (!is_over_) return false;  // the run is
    const bool was_interrupted = judge(ends, kept && (blocker != nullptr || began_in_peace));
    // The lock went with its session, or the node did while the answer was on its way.
    if (updates && answer_.ok()) least_ += kStep;
    if (updates && !was_interrupted) most_ += kStep;
    if (was_interrupted && !ends) victim_.run(fiber, "SELECT 1");  // it goes on
    victim_.disconnect(fiber, true);
    leave_transaction(fiber, session);
    return was_interrupted;
  }

  // True when `session` was there all the time, and so its lock.
  bool interrupt_until_over(Fiber& fiber, SqlSession& session, bool ends) {
    bool kept = session.is_open();
    while (!is_over_) {
      const auto pause = static_cast<int64_t>(context_.pick(20'000));
      if (!fiber.sleep(microseconds(pause)).ok() || is_over_) break;
      if (!ends && context_.pick(2) == 0) {
        victim_.send_cancel(fiber);
      } else if (session.is_open() && session.boot() == victim_.boot()) {
        session.run(fiber, call(ends, victim_));
      } else if (!session.is_open() && !session.connect(fiber)) {
        break;
      }
      kept = kept && session.is_open();
    }
    // A reset shows only to who speaks.
    return kept && session.run(fiber, "SELECT 1").ok();
  }

  bool judge(bool ends, bool had_to_wait) {
    if (answer_.code == (ends ? "57P01" : "57014")) return true;
    if (answer_.ok() && had_to_wait) {
      context_.fail("isolation", "a statement that had to wait came to its end by itself");
    }
    return false;
  }

  void leave_transaction(Fiber& fiber, SqlSession& session) {
    if (session.is_open()) session.run(fiber, "ROLLBACK");
  }

  SqlContext& context_;
  SqlSession victim_;
  SqlResult answer_;  // to the victim's statement
  bool is_over_ = false;
  static constexpr int64_t kStep = 10;
  int64_t least_ = 0, most_ = 0;  // what the row may hold by now
};

}  // namespace

std::unique_ptr<SqlRole> make_interrupts(SqlContext& context) {
  return std::make_unique<Interrupts>(context);
}

}  // namespace orrery
