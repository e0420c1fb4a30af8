// What concurrent transactions may see of each other, told as scripts.
#include "access/test_table.h"
#include "base/text.h"
#include "txn/script.h"

namespace orrery {
namespace {

// begin rc|rr|async; read [id...]; write id value; insert id value; delete id; lock id
// keyshare|share|nokey|update [nowait|skip]; savepoint; rollback_to; release; commit; abort; upsert
// id value (ON CONFLICT DO NOTHING); newest id
class RowWorld final : public ScriptWorld {
 public:
  RowWorld(TestNode& node, Access& access, TestTable& table)
      : node_(node), access_(access), table_(table) {}

  std::string run(Fiber& fiber, const std::string& session, const Words& words) override {
    Session& s = sessions_[session];
    if (s.owner == nullptr)
      s.owner = std::make_unique<LockOwner>(node_.locks, std::atoi(session.c_str() + 1));
    const std::string& verb = words[0];
    if (verb == "begin") {
      s.t = node_.transactions.begin(
          *s.owner,
          {.isolation = words[1] == "rr" ? Isolation::repeatable_read : Isolation::read_committed});
      s.async = words[1] == "async";
      return "ok";
    }
    if (verb == "commit" || verb == "abort") {
      s.snapshot.reset();
      const Status status = verb == "commit" ? node_.transactions.commit(fiber, *s.t, !s.async)
                                             : node_.transactions.abort(fiber, *s.t);
      s.t.reset();
      return said(status);
    }
    CHECK_EQ_PRESENT(s.t != nullptr);
    Result<std::string> result = act(fiber, s, words);
    if (result.ok()) return *result;
    // As a statement's error: the transaction is over.
    s.snapshot.reset();
    const std::string text = said(result.status());
    EXPECT_TRUE(node_.transactions.abort(fiber, *s.t).ok());
    s.t.reset();
    return text;
  }
  void end(Fiber& fiber, const std::string& session) override {
    Session& s = sessions_[session];
    s.snapshot.reset();
    if (s.t != nullptr) EXPECT_TRUE(node_.transactions.abort(fiber, *s.t).ok());
    sessions_.erase(session);
  }

 private:
  struct Session {
    std::unique_ptr<LockOwner> owner;
    std::unique_ptr<Transaction> t;
    std::optional<RegisteredSnapshot> snapshot;
    bool async = false;
  };
  static void CHECK_EQ_PRESENT(bool there) { CHECK(there); }

  // The statement's snapshot: a new one, or the transaction's.
  const Snapshot& snapshot(Session& s) {
    if (!s.t->uses_one_snapshot() || !s.snapshot.has_value()) {
      s.snapshot.reset();
      s.snapshot.emplace(node_.transactions, node_.transactions.take_snapshot(s.t.get()));
    }
    s.snapshot->set_command(s.t->command());
    return *s.snapshot;
  }

  Result<std::string> act(Fiber& fiber, Session& s, const Words& words) {
    TRY(s.t->next_command());
    const Snapshot now = snapshot(s);
    const std::string& verb = words[0];
    const int id = words.size() > 1 ? std::atoi(words[1].c_str()) : 0;
    const int value = words.size() > 2 ? std::atoi(words[2].c_str()) : 0;
    if (verb == "savepoint") {
      node_.transactions.begin_level(*s.t);
      return std::string("ok");
    }
    if (verb == "release") {
      node_.transactions.release_level(*s.t, s.t->depth());
      return std::string("ok");
    }
    if (verb == "rollback_to") {
      TRY(node_.transactions.rollback_level(fiber, *s.t, s.t->depth()));
      return std::string("ok");
    }
    if (verb == "read") {
      std::string out;
      for (const TestRow& row : TRY(table_.scan(fiber, access_, now))) {
        out += cat(out.empty() ? "" : " ", row.id, "=", row.value);
      }
      return out.empty() ? "nothing" : out;
    }
    if (verb == "insert") {
      if (TRY(table_.insert(fiber, access_, *s.t, {id, value, ""}))) return std::string("ok");
      return raise(sqlstate::unique_violation,
                   "duplicate key value violates unique constraint \"t_pkey\"");
    }
    if (verb == "upsert") return upsert(fiber, s, {id, value, ""});
    Tid tid;
    if (!TRY(table_.find(fiber, access_, now, id, &tid)).has_value()) return std::string("no row");
    if (verb == "lock") return lock(fiber, s, tid, words, now);
    return change(fiber, s, tid, verb == "delete", {id, value, ""}, now);
  }

  // READ COMMITTED goes on with the newest version; REPEATABLE READ gives up.
  Result<std::string> change(Fiber& fiber, Session& s, Tid tid, bool removes, const TestRow& row,
                             const Snapshot& now) {
    bool again = false;
    for (;;) {
      ChangeOutcome outcome;
      Tid next;
      if (removes) {
        const ChangeResult result =
            TRY(Heap(access_, table_.info).remove(fiber, *s.t, tid, now, RowWait::wait));
        outcome = result.outcome;
        next = result.tid;
      } else {
        const TestTable::Values values(row);
        const ChangeResult result = TRY(
            Heap(access_, table_.info).update(fiber, *s.t, tid, values.get(), now, RowWait::wait));
        outcome = result.outcome;
        next = result.tid;
        if (outcome == ChangeOutcome::ok && !result.hot) {
          TRY(BTree(access_, table_.index)
                  .insert(fiber, *s.t, table_.info, values.get(), next, UniqueCheck::wait));
        }
      }
      switch (outcome) {
        case ChangeOutcome::ok: return std::string(again ? "ok, on the newest version" : "ok");
        case ChangeOutcome::deleted:
        case ChangeOutcome::updated:
          if (s.t->uses_one_snapshot()) {
            return raise(sqlstate::t_r_serialization_failure,
                         outcome == ChangeOutcome::deleted
                             ? "could not serialize access due to concurrent delete"
                             : "could not serialize access due to concurrent update");
          }
          if (outcome == ChangeOutcome::deleted) return std::string("gone");
          tid = next;
          again = true;
          continue;
        case ChangeOutcome::self_modified: return std::string("self modified");
        case ChangeOutcome::invisible:     return std::string("invisible");
        case ChangeOutcome::would_block:   return std::string("would block");
      }
    }
  }

  Result<std::string> lock(Fiber& fiber, Session& s, Tid tid, const Words& words,
                           const Snapshot& now) {
    const RowLock mode = words[2] == "keyshare" ? RowLock::key_share
                         : words[2] == "share"  ? RowLock::share
                         : words[2] == "nokey"  ? RowLock::no_key_update
                                                : RowLock::update;
    const RowWait wait = words.size() < 4 ? RowWait::wait : RowWait::no_wait;
    const ChangeResult result =
        TRY(Heap(access_, table_.info).lock_newest(fiber, *s.t, tid, mode, now, wait));
    switch (result.outcome) {
      case ChangeOutcome::ok:
        return std::string(result.tid == tid ? "locked" : "locked the newest version");
      case ChangeOutcome::would_block:   return std::string("would block");
      case ChangeOutcome::deleted:       return std::string("gone");
      case ChangeOutcome::self_modified: return std::string("self modified");
      case ChangeOutcome::updated:
      case ChangeOutcome::invisible:     return std::string("invisible");
    }
    UNREACHABLE();
  }

  // INSERT ... ON CONFLICT DO NOTHING by speculative insertion.
  Result<std::string> upsert(Fiber& fiber, Session& s, const TestRow& row) {
    const TestTable::Values values(row);
    BTree tree(access_, table_.index);
    for (;;) {
      InsertResult found = TRY(tree.find_conflict(fiber, *s.t, table_.info, values.get(), {}));
      if (!found.conflict.is_valid()) {
        TRY(node_.transactions.assign_xid(fiber, *s.t));
        node_.transactions.begin_speculation(*s.t);
        const Tid tid = TRY(Heap(access_, table_.info).insert(fiber, *s.t, values.get()));
        found = TRY(tree.insert(fiber, *s.t, table_.info, values.get(), tid, UniqueCheck::report));
        if (!found.inserted) TRY(Heap(access_, table_.info).kill_inserted(fiber, *s.t, tid));
        node_.transactions.end_speculation(*s.t);
        if (found.inserted) return std::string("inserted");
      }
      if (found.in_progress == kInvalidXid) return std::string("conflict");
      TRY(node_.transactions.wait_for(fiber, *s.owner, found.in_progress));
    }
  }

  TestNode& node_;
  Access& access_;
  TestTable& table_;
  std::map<std::string, Session> sessions_;
};

void play(const std::string& file) {
  NodeDisk disk;
  live_ok(disk, [&](Fiber& fiber, TestNode& node) -> Status {
    Access access(node.storage, node.transactions);
    TestTable table;
    TRY(table.create(fiber, access, kBootstrapXid));
    RowWorld world(node, access, table);
    Script script("testdata/" + file);
    TRY(script.play(fiber, world));
    EXPECT_EQ(node.locks.entries().size(), 0U);
    EXPECT_EQ(node.transactions.running_count(), 0U);
    return BTree(access, table.index).check(fiber);
  });
}

TEST(Anomalies, DirtyReadsAndLostUpdatesAreKeptOut) { play("anomaly_read_committed.golden"); }
TEST(Anomalies, RepeatableReadSeesOneMomentAndLetsWriteSkewThrough) {
  play("anomaly_repeatable_read.golden");
}
TEST(Anomalies, RowLocksComeInFourModes) { play("row_locks.golden"); }
TEST(Anomalies, UniqueKeysWaitForTransactionsInProgress) { play("unique_waits.golden"); }
TEST(Anomalies, SavepointsUndoTheirPartOnly) { play("savepoints.golden"); }
TEST(Anomalies, DeadlocksOverRowsAreFound) { play("row_deadlock.golden"); }

}  // namespace
}  // namespace orrery
