// A whole node on a machine of the test: what sessions, the background vacuum and the dropping of
// things owe each other.
#include <gtest/gtest.h>

#include "catalog/bootstrap.h"
#include "fiber/scheduler.h"
#include "session/database_node.h"
#include "wal/crash_host.h"

namespace orrery {
namespace {

class FirstValue final : public ResultSink {
 public:
  std::optional<int64_t> value;  // of the first column of the first row, if it is an integer

  Status begin_rows(Fiber&, std::span<const ResultColumn> columns, std::span<const WireFormat>,
                    const TypeSettings&) override {
    is_long_ = columns[0].type_length == 8;
    return {};
  }
  Status add_rows(Fiber&, const Batch& batch) override {
    if (value || batch.rows.count == 0 || batch.columns[0].is_null(batch.rows[0])) return {};
    const Datum datum = batch.columns[0].value(batch.rows[0]);
    value = is_long_ ? datum.as<int64_t>() : datum.as<int32_t>();
    return {};
  }
  void end(std::string_view) override {}
  void end_suspended() override {}
  void end_empty() override {}
  void notice(Severity, const Error&) override {}
  Status begin_copy_in(Fiber&, const CopyShape&) override { return unsupported("COPY"); }
  Result<std::optional<Bytes>> copy_in(Fiber&) override { return unsupported("COPY"); }
  Status begin_copy_out(Fiber&, const CopyShape&) override { return unsupported("COPY"); }
  Status copy_out(Fiber&, Bytes) override { return unsupported("COPY"); }
  void end_copy_out() override {}

 private:
  bool is_long_ = false;
};

class TestSession {
 public:
  static Result<std::unique_ptr<TestSession>> open(Fiber& fiber, DatabaseNode& node,
                                                   std::string database = "postgres") {
    StartupRequest request{.user = "postgres", .database = std::move(database), .process_id = 1};
    auto backend = TRY(node.open(fiber, request));
    return std::make_unique<TestSession>(fiber, std::move(backend));
  }
  TestSession(Fiber& fiber, std::unique_ptr<SessionBackend> backend)
      : fiber_(fiber), backend_(std::move(backend)) {}
  ~TestSession() { backend_->end(fiber_); }
  Status run(Fiber& fiber, std::string_view sql) {
    FirstValue sink;
    return backend_->simple_query(fiber, sql, sink);
  }
  Result<int64_t> ask(Fiber& fiber, std::string_view sql) {
    FirstValue sink;
    TRY(backend_->simple_query(fiber, sql, sink));
    return sink.value.value_or(-1);
  }

 private:
  Fiber& fiber_;  // its life's
  std::unique_ptr<SessionBackend> backend_;
};

struct NodeLife {
  CrashDisk disk;
  std::vector<std::string> log_lines;

  // One life, in which all goes well.
  template <class Body>
  void run(Body body) {
    CrashHost host(disk);
    Scheduler scheduler(host);
    GroupOfOne gate;
    DatabaseNodeOptions options;
    options.from_settings = false;
    options.storage.log.segment_bytes = 1 << 20;
    options.storage.log.zero_fill_segments = false;
    options.storage.pool_pages = 1024;
    options.settings = {{"autovacuum_naptime", "1"}};
    DatabaseNode node(host, gate, options);
    Status status;
    scheduler.spawn("main", [&](Fiber& fiber) { status = live(fiber, node, body); });
    host.run(scheduler);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
    EXPECT_EQ(host.fatal_reason, "");
    log_lines = host.log_lines;
  }
  bool has_logged(std::string_view text) const {
    return std::ranges::any_of(
        log_lines, [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }

 private:
  template <class Body>
  Status live(Fiber& fiber, DatabaseNode& node, Body& body) {
    TRY(node.open(fiber));
    auto session = TRY(TestSession::open(fiber, node));
    Status status = body(fiber, node, *session);
    session.reset();
    TRY(node.close(fiber));
    return status;
  }
};

constexpr std::string_view kMakeBig =
    "create table big (id int, note text); insert into big select g, (select "
    "string_agg(md5((g * 1000 + i)::text), '') from generate_series(1, 120) i) from "
    "generate_series(1, 100) g";
constexpr std::string_view kToastOfBig =
    "select reltoastrelid::int8 from pg_class where relname = 'big'";

LockTag toast_tag(int64_t oid) {
  return LockTag::relation(kPostgresDatabase, Oid(static_cast<uint32_t>(oid)));
}

// The background vacuum holds a TOAST table's lock and not the table's.
TEST(Node, VacuumTakesTheLockOfTheToastTableToo) {
  NodeLife life;
  life.run([](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(session.run(fiber, kMakeBig));
    const int64_t toast_oid = TRY(session.ask(fiber, kToastOfBig));
    const LockTag toast = toast_tag(toast_oid);
    LockOwner other(node.locks(), 7);
    EXPECT_EQ(node.locks().try_acquire(other, toast, LockMode::share_update_exclusive,
                                       LockScope::session),
              LockResult::granted);
    bool done = false;
    fiber.scheduler().spawn("vacuum big", [&](Fiber& own) {
      EXPECT_TRUE(session.run(own, "vacuum big").ok());
      done = true;
    });
    TRY(fiber.sleep(seconds(1)));
    EXPECT_FALSE(done);
    node.locks().release(other, toast, LockMode::share_update_exclusive, LockScope::session);
    TRY(fiber.sleep(seconds(1)));
    EXPECT_TRUE(done);
    EXPECT_EQ(node.locks().try_acquire(other, toast, LockMode::share_update_exclusive,
                                       LockScope::session),
              LockResult::granted);
    return session.run(fiber, "vacuum (skip_locked) big");
  });
}

TEST(Node, TruncateTakesTheLockOfTheToastTableToo) {
  NodeLife life;
  life.run([](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(session.run(fiber, kMakeBig));
    const int64_t toast_oid = TRY(session.ask(fiber, kToastOfBig));
    const LockTag toast = toast_tag(toast_oid);
    TRY(session.run(fiber, "begin"));
    TRY(session.run(fiber, "truncate big"));
    LockOwner other(node.locks(), 7);
    EXPECT_EQ(node.locks().try_acquire(other, toast, LockMode::share_update_exclusive,
                                       LockScope::session),
              LockResult::not_available);
    return session.run(fiber, "commit");
  });
}

// The files of a dropped database are named in the double-write area when its turn comes again, and
// the background vacuum knows of the database.
TEST(Node, ADroppedDatabaseStopsNeitherCheckpointsNorTheVacuum) {
  NodeLife life;
  life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(session.run(fiber, "create database vic"));
    auto inside = TRY(TestSession::open(fiber, node, "vic"));
    TRY(inside->run(fiber, kMakeBig));
    TRY(inside->run(fiber, "checkpoint"));
    inside.reset();
    TRY(session.run(fiber, "drop database vic"));
    TRY(session.run(fiber, "checkpoint"));
    TRY(fiber.sleep(seconds(3)));
    TRY(session.run(fiber, "create table t (a int)"));
    for (int i = 0; i < 140; ++i) {
      TRY(session.run(fiber, "insert into t values (1)"));
      TRY(session.run(fiber, "checkpoint"));
    }
    return {};
  });
  EXPECT_FALSE(life.has_logged("background vacuum"));
}

// Something in the way of the drop, after it has counted the sessions.
TEST(Node, ASessionDoesNotEnterADatabaseThatIsBeingDropped) {
  NodeLife life;
  life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(session.run(fiber, "create database vic"));
    auto blocker = TRY(TestSession::open(fiber, node));
    TRY(blocker->run(fiber, "begin"));
    TRY(blocker->run(fiber, "select 1 from pg_database where datname = 'vic' for update"));
    bool dropped = false;
    std::optional<Status> entered;
    fiber.scheduler().spawn("drop", [&](Fiber& own) {
      EXPECT_TRUE(session.run(own, "drop database vic").ok());
      dropped = true;
    });
    TRY(fiber.sleep(milliseconds(100)));
    fiber.scheduler().spawn("enter", [&](Fiber& own) {
      auto inside = TestSession::open(own, node, "vic");
      entered = inside.status().clone();
    });
    TRY(fiber.sleep(milliseconds(100)));
    EXPECT_FALSE(dropped);
    EXPECT_FALSE(entered.has_value());
    TRY(blocker->run(fiber, "rollback"));
    blocker.reset();
    TRY(fiber.sleep(seconds(1)));
    EXPECT_TRUE(dropped);
    EXPECT_TRUE(entered.has_value() && entered->is(sqlstate::invalid_catalog_name));
    return {};
  });
}

TEST(Node, ATableThatCannotBeReadDoesNotKeepTheVacuumFromOthers) {
  NodeLife life;
  int64_t bad = 0, good = 0;
  life.run([&](Fiber& fiber, DatabaseNode&, TestSession& session) -> Status {
    TRY(session.run(fiber, "create table bad (a int); create table good (a int)"));
    TRY(session.run(fiber, "insert into bad select generate_series(1, 1000)"));
    TRY(session.run(fiber, "insert into good select generate_series(1, 1000)"));
    bad = TRY(session.ask(fiber, "select pg_relation_filenode('bad')::int8"));
    good = TRY(session.ask(fiber, "select pg_relation_filenode('good')::int8"));
    return {};
  });
  (*life.disk.contents("data/" + std::to_string(bad)))[1000] ^= 1;
  life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    Access& access = node.parts().access;
    access.memory_of(make_file_id(static_cast<uint64_t>(bad))).dead_estimate = 1000;
    TRY(session.run(fiber, "delete from good where a > 10"));
    TRY(fiber.sleep(seconds(5)));
    EXPECT_EQ(access.memory_of(make_file_id(static_cast<uint64_t>(good))).dead_estimate, 0U);
    return {};
  });
  EXPECT_TRUE(life.has_logged("background vacuum of relation"));
}

TEST(Node, RowsOfRolledBackInsertsBringTheVacuum) {
  NodeLife life;
  life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(session.run(fiber, "create table t (a int)"));
    const int64_t number = TRY(session.ask(fiber, "select pg_relation_filenode('t')::int8"));
    const FileId file = make_file_id(static_cast<uint64_t>(number));
    const auto dead = [&] { return node.parts().access.memory_of(file).dead_estimate; };
    TRY(session.run(fiber, "begin"));
    TRY(session.run(fiber, "savepoint s; insert into t select generate_series(1, 100)"));
    TRY(session.run(fiber, "insert into t values (1); rollback to s"));
    EXPECT_EQ(dead(), 101U);
    TRY(session.run(fiber, "savepoint u; insert into t values (2); release u"));
    TRY(session.run(fiber, "insert into t values (3)"));
    TRY(session.run(fiber, "rollback"));
    EXPECT_EQ(dead(), 103U);
    TRY(fiber.sleep(seconds(3)));
    EXPECT_EQ(dead(), 0U);
    return {};
  });
}

// An execution at rest keeps no page of any index from being used again.
TEST(Node, AnIndexScanAtRestIsNoDescentUnderWay) {
  NodeLife life;
  life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(session.run(fiber, "create table g (id int primary key, f text)"));
    TRY(session.run(fiber, "insert into g select x, 'f' from generate_series(1, 2000) x"));
    TRY(session.run(fiber, "set enable_seqscan = off; set enable_sort = off"));
    TRY(session.run(fiber, "prepare p as select id, f from g where id > 0 order by id limit 1"));
    TRY(session.run(fiber, "execute p"));
    TRY(session.run(fiber, "execute p"));
    Descents& descents = node.parts().access.descents();
    EXPECT_TRUE(descents.is_past(descents.moment()));
    return {};
  });
}

// The background vacuum sleeps within its table: a table of 100 pages takes it several seconds.
struct SlowVacuum {
  static constexpr std::string_view kTable =
      "create table wide (id int primary key, note text); insert into wide select g, "
      "repeat('x', 1500) from generate_series(1, 3000) g";
  static Status begin(Fiber& fiber, TestSession& session) {
    TRY(session.run(fiber, kTable));
    TRY(session.run(fiber, "delete from wide where id % 3 = 0"));
    return {};
  }
};

// How long a statement waits that begins while the background vacuum is in the table.
Result<Duration> wait_against_vacuum(Fiber& fiber, DatabaseNode& node, TestSession& session,
                                     std::string_view statement) {
  TRY(SlowVacuum::begin(fiber, session));
  const int64_t oid = TRY(session.ask(fiber, "select 'wide'::regclass::int8"));
  const LockTag tag = LockTag::relation(kPostgresDatabase, Oid(static_cast<uint32_t>(oid)));
  LockOwner probe(node.locks(), 7);
  const auto is_held = [&] {
    return node.locks().is_blocked(probe, tag, LockMode::share_update_exclusive);
  };
  for (int i = 0; i < 5000 && !is_held(); ++i) TRY(fiber.sleep(milliseconds(1)));
  EXPECT_TRUE(is_held());
  const Instant began = fiber.now();
  TRY(session.run(fiber, statement));
  return Duration{(fiber.now() - began)};
}

TEST(Node, TheBackgroundVacuumGivesWayToWhoWaitsForItsTable) {
  for (const std::string_view statement :
       {"truncate wide", "drop table wide", "alter table wide add column more int",
        "create index on wide (note)", "vacuum wide"}) {
    NodeLife life;
    life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
      const Duration waited = TRY(wait_against_vacuum(fiber, node, session, statement));
      EXPECT_LT(waited.ns, milliseconds(20).ns) << statement;
      return {};
    });
    EXPECT_TRUE(life.has_logged("canceling autovacuum task")) << statement;
  }
}

TEST(Node, TheTableThatTheVacuumGaveUpIsVacuumedLater) {
  NodeLife life;
  life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(wait_against_vacuum(fiber, node, session, "create index on wide (note)").status().clone());
    const int64_t number = TRY(session.ask(fiber, "select pg_relation_filenode('wide')::int8"));
    const FileId file = make_file_id(static_cast<uint64_t>(number));
    EXPECT_GT(node.parts().access.memory_of(file).dead_estimate, 0U);
    TRY(fiber.sleep(seconds(10)));
    EXPECT_EQ(node.parts().access.memory_of(file).dead_estimate, 0U);
    return {};
  });
}

// An operator who asks for a vacuum gets it.
TEST(Node, AVacuumThatWasAskedForGivesWayToNobody) {
  NodeLife life;
  life.run([&](Fiber& fiber, DatabaseNode& node, TestSession& session) -> Status {
    TRY(SlowVacuum::begin(fiber, session));
    auto other = TRY(TestSession::open(fiber, node));
    bool vacuumed = false;
    fiber.scheduler().spawn("vacuum", [&](Fiber& own) {
      EXPECT_TRUE(session.run(own, "vacuum wide").ok());
      vacuumed = true;
    });
    TRY(fiber.yield());
    TRY(other->run(fiber, "create index on wide (note)"));
    EXPECT_TRUE(vacuumed);
    return {};
  });
  EXPECT_FALSE(life.has_logged("canceling autovacuum task"));
}

}  // namespace
}  // namespace orrery
