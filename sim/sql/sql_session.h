// What the clients of one run share, and one client's session: it reconnects, and holds every
// answer to what a server may say. What the world gave no reason for fails the run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/run/run.h"
#include "sim/sql/pg_client.h"
#include "sim/sql/sql_node.h"

namespace orrery {

class SqlSession;

struct SqlContext {
  World& world;
  Machine& node;
  SqlMemory& memory;
  RunCounts& counts;
  LoadMeter meter;
  Duration patience_max{};  // of clients that do not wait for ever; 0: all do
  bool uses_extended = false;
  std::vector<SqlSession*> sessions;  // of the clients, while they play

  uint64_t pick(uint64_t candidates) { return world.tape().pick(Site::workload, 0, candidates); }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(pick(static_cast<uint64_t>(high - low) + 1));
  }
  void fail(std::string_view oracle, std::string sentence) {
    world.fail(oracle, std::move(sentence));
  }
};

// How a transaction ended, as its client knows it.
enum class Outcome : uint8_t { committed, aborted, unknown };

class SqlSession {
 public:
  // A patient one waits for every answer.
  SqlSession(SqlContext& context, uint32_t number, bool is_patient = false)
      : context_(context),
        number_(number),
        is_patient_(is_patient),
        client_(kSqlServer, kSqlPort, context.meter) {}

  SqlContext& context() { return context_; }
  uint32_t number() const { return number_; }
  bool is_open() const { return client_.is_open(); }
  // Until there is a session. False when the run is over.
  bool connect(Fiber& fiber);
  void disconnect(Fiber& fiber, bool politely) { client_.close(fiber, politely); }

  // A statement or several. `expected`: SQLSTATEs that the statement itself may earn.
  SqlResult run(Fiber& fiber, std::string_view text,
                std::initializer_list<std::string_view> expected = {});
  // The same in the extended protocol where the run uses it: $1... stand for `parameters`, else
  // their text is put in place.
  SqlResult run_with(Fiber& fiber, std::string_view text, std::span<const SqlValue> parameters,
                     std::initializer_list<std::string_view> expected = {});

  // BEGIN, `body` (false: it failed, or is to be rolled back), then COMMIT or ROLLBACK. `expected`:
  // SQLSTATEs that COMMIT itself may earn.
  Outcome transact(Fiber& fiber, std::string_view begin, FunctionRef<bool()> body,
                   std::initializer_list<std::string_view> expected = {});

  // The same with all its statements in one message, and no BEGIN.
  Outcome transact_at_once(Fiber& fiber, std::string_view text);

  // Somebody is about to cancel what it does, or to end it: from now on this connection may see
  // that.
  void expect_interrupt(bool ends) { (ends ? may_be_ended_ : may_be_cancelled_) = true; }
  // As a request over a connection of its own.
  void send_cancel(Fiber& fiber) { client_.cancel(fiber); }
  int32_t process_id() const { return client_.process_id(); }
  // Of the node, when the session was opened: process ids begin again with each.
  uint32_t boot() const { return ground_.boot; }

  // What it waits for, or did last; for a liveness failure.
  const std::string& doing() const { return doing_; }
  // SQLSTATE and message of what it met last; empty: nothing.
  const std::string& last_error() const { return last_error_; }

 private:
  // What may cost a connection.
  struct Ground {
    uint32_t boot = 0;
    bool is_serving = false;
    uint64_t resets = 0, refusals = 0;
  };
  Ground look_around() const;
  bool may_be_lost(bool opening, bool has_ended) const;
  bool has_cause(std::string_view code) const;
  void judge(const SqlResult& result, std::string_view text,
             std::initializer_list<std::string_view> expected);
  void expect_status(char expected, std::string_view after);
  Outcome count(Outcome outcome);
  Outcome transact_uncounted(Fiber& fiber, std::string_view begin, FunctionRef<bool()> body,
                             std::initializer_list<std::string_view> expected);
  void draw_patience();

  SqlContext& context_;
  const uint32_t number_;
  const bool is_patient_;
  PgClient client_;
  Ground ground_;                // when the session was opened
  bool began_in_peace_ = false;  // the statement
  bool may_be_cancelled_ = false, may_be_ended_ = false;
  std::string doing_ = "starting";
  std::string last_error_;
};

// Letters that no compression makes smaller, the same for the same salt.
std::string letters(size_t length, uint64_t salt);
// 'text' as an SQL literal; NULL for nothing.
std::string sql_literal(const SqlValue& value);

// What a client does. One role may be played by several sessions.
class SqlRole {
 public:
  virtual ~SqlRole() = default;
  // Makes its tables, in peace, before anybody plays.
  virtual bool set_up(Fiber& fiber, SqlSession& session) = 0;
  // A transaction or so. True when something was done that counts as progress.
  virtual bool step(Fiber& fiber, SqlSession& session) = 0;
  // Nobody works any more, so what was unknown is now so or not, for good: everything against the
  // ledger. False: not able to, try again.
  virtual bool audit(Fiber& fiber, SqlSession& session) = 0;
};

}  // namespace orrery
