// A session: one client's statements, one after another, against one database. It owns what
// outlives a statement: the transaction block, settings, prepared statements, portals; and it is
// what statements see of the world above them.
//
//   text -> parse -> for each statement: begin -> query: analyze, plan, execute -> end
//                                              \> utility: session's own, or command/
//
// Statements run one at a time on the session's fiber. The implementation is spread by subject:
// session.cpp (the cycle), shared_plans.cpp, extended.cpp (parse, bind, execute), planning.cpp,
// utility.cpp (dispatch), set_statements.cpp, cursors.cpp, session_view.cpp (what functions see).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "catalog/heap_store.h"
#include "catalog/object_address.h"
#include "command/command.h"
#include "plan/planner.h"
#include "session/backend.h"
#include "session/deferred_constraints.h"
#include "session/execution.h"
#include "session/node_parts.h"
#include "session/settings.h"
#include "session/statement_shape.h"
#include "session/transaction_block.h"
#include "sql/parser.h"
#include "types/time_zone.h"

namespace orrery {

struct SessionIdentity {
  int32_t process_id = 0;
  Oid database;
  std::string database_name;
  Oid user;
  std::string user_name;
  bool superuser = false;
  std::string client_address;
};

struct PreparedStatement {
  StatementRef statement;
  bool from_sql = false;  // PREPARE; otherwise a Parse message
};

struct Portal {
  explicit Portal(MemoryBudget* budget) : arena(budget) {}
  std::string name;
  StatementRef statement;
  Arena arena;  // of parameter values
  std::vector<NullableDatum> parameters;
  std::vector<WireFormat> formats;
  std::unique_ptr<Execution> execution;  // while it runs
  bool hold = false;                     // DECLARE ... WITH HOLD
  bool held = false;        // its transaction has committed, or is about to: all rows are kept
  bool cursor = false;      // DECLARE made it
  bool keeps_rows = false;  // of a cursor: it may go back
  std::vector<std::span<NullableDatum>> kept;  // of a cursor: rows fetched so far, in `arena`
  uint64_t passed = 0;                         // rows that went before those kept: sent, and gone
  uint64_t rows_seen() const { return passed + kept.size(); }
  bool finished = false;
  bool utility_done = false;  // of a utility statement: it has run
  uint32_t level = 1;         // of the transaction it was made at
  uint64_t position = 0;      // of a cursor: see cursors.cpp; else rows sent so far
};

class SharedRows;
struct VacuumOptions;
struct VacuumRequest;  // vacuum_statement.cpp

class Session final : public SessionBackend,
                      private BlockObserver,
                      private CommandHost,
                      private RelatedStatements {
 public:
  Session(Fiber& fiber, NodeParts& node, SessionIdentity identity);
  ~Session() override;

  // A setting from the startup packet.
  Status set_initial(std::string_view name, const std::string& text);

  Status simple_query(Fiber& fiber, std::string_view text, ResultSink& sink) override;
  Status parse(Fiber& fiber, std::string_view name, std::string_view text,
               std::span<const Oid> parameter_types) override;
  Status bind(Fiber& fiber, const BindRequest& request, ResultSink& sink) override;
  Result<StatementDescription> describe_statement(Fiber& fiber, std::string_view name) override;
  Result<StatementDescription> describe_portal(Fiber& fiber, std::string_view name) override;
  Status execute(Fiber& fiber, std::string_view portal, uint64_t row_limit,
                 ResultSink& sink) override;
  Status close_statement(Fiber& fiber, std::string_view name) override;
  Status close_portal(Fiber& fiber, std::string_view name) override;
  Status sync(Fiber& fiber, ResultSink& sink) override;
  void fail_transaction(Fiber& fiber) override { block_.fail(fiber); }
  TransactionStatus transaction_status() const override { return block_.status(); }
  void report_settings(FunctionRef<void(std::string_view, std::string_view)> report) override;
  std::optional<IdleLimit> idle_limit() const override;
  void trim() override;
  void end(Fiber& fiber) override;

 private:
  // One statement at a time: what it needs beside the session. Ends what it began.
  class StatementScope;
  // What functions ask of the session (services_internal.h).
  class Services;

  // shared_plans.cpp
  static constexpr size_t kMostShapes = 256;
  struct SharedPlan {  // of statements of one shape
    StatementRef statement;
    std::vector<const RelationInfo*> read_whole;  // while these are small
    bool never = false;
  };
  Result<bool> run_by_shape(Fiber& fiber, std::string_view text, ResultSink& sink);
  Result<bool> make_usable(Fiber& fiber, SharedPlan& shared);
  Result<StatementRef> plan_shape(Fiber& fiber);

  // session.cpp
  Status run_text(Fiber& fiber, std::string_view text, StatementScope& scope, ResultSink& sink);
  Status run_statement(Fiber& fiber, std::string_view text, const RawStmt& raw, bool shared,
                       bool last, ResultSink& sink);
  Result<std::string> run_one(Fiber& fiber, StatementRef statement,
                              std::span<const NullableDatum> parameters,
                              std::span<const WireFormat> formats, ResultSink& sink);
  Result<std::string> run_query_statement(Fiber& fiber, StatementRef statement,
                                          std::span<const NullableDatum> parameters,
                                          std::span<const WireFormat> formats, ResultSink& sink);
  // REQUIRES: its plan holds, its tables are locked.
  Result<std::string> run_current(Fiber& fiber, const StatementRef& current,
                                  std::span<const NullableDatum> parameters,
                                  std::span<const WireFormat> formats, ResultSink& sink);
  // 25006 and 42501: asked before any query starts.
  Status check_may_run(Fiber& fiber, PlannedStatement& statement);
  Status check_read_only(const PlannedStatement& statement);
  // 42501 without the rights on what the statement names.
  Status check_rights(Fiber& fiber, PlannedStatement& statement);

  // planning.cpp
  // The statement alone, the rest of its message blanked: positions stay true.
  static std::string own_text(const PlannedStatement& statement);
  Result<StatementRef> parse_one(Fiber& fiber, std::string_view text, std::span<const Oid> types);
  Status analyze_and_plan(Fiber& fiber, PlannedStatement& statement);
  // The same statement with a plan that holds now; its tables are locked.
  Result<StatementRef> make_current(Fiber& fiber, StatementRef statement);
  Status infer_parameters(Fiber& fiber, PlannedStatement& statement);
  Status lock_tables(Fiber& fiber, const PlannedStatement& statement);
  bool is_current(const PlannedStatement& statement);
  ParseOptions parse_options(std::vector<ParseNotice>& notices);
  void send_notices(std::span<const ParseNotice> notices);
  PlannerSettings planner_settings() const;

  // extended.cpp
  Result<PreparedStatement*> find_prepared(std::string_view name);
  Result<Portal*> find_portal(std::string_view name);
  Status start_portal(Fiber& fiber, Portal& portal);
  Result<uint64_t> run_portal(Fiber& fiber, Portal& portal, uint64_t limit, ResultSink& sink);
  Status begin_message(Fiber& fiber);
  Status failed(Fiber& fiber, Status error);
  void drop_portal(std::string_view name);
  Result<uint64_t> send_kept(Fiber& fiber, Portal& portal, uint64_t limit, ResultSink& sink);
  Status bind_parameters(Fiber& fiber, const BindRequest& request, Portal& portal);
  Result<StatementDescription> describe_utility(const Node& statement);

  // utility.cpp
  Result<std::string> run_utility(Fiber& fiber, const PlannedStatement& statement,
                                  std::span<const WireFormat> formats, ResultSink& sink);
  Result<std::string> run_ddl(Fiber& fiber, const PlannedStatement& statement);
  Result<std::string> prepare_statement(Fiber& fiber, const PlannedStatement& outer,
                                        const PrepareStmt& statement);
  // The prepared statement, current, and the values of its parameters, in `arena`.
  Result<StatementRef> find_prepared_query(Fiber& fiber, std::string_view name,
                                           std::string_view what);
  Result<StatementRef> bind_execute(Fiber& fiber, const PlannedStatement& outer,
                                    const ExecuteStmt& statement, Arena& arena,
                                    std::vector<NullableDatum>& values);
  Result<std::string> execute_statement(Fiber& fiber, const PlannedStatement& outer,
                                        const ExecuteStmt& statement,
                                        std::span<const WireFormat> formats, ResultSink& sink);
  Result<std::string> deallocate(const DeallocateStmt& statement);
  Result<std::string> discard(Fiber& fiber, const DiscardStmt& statement);
  Result<std::string> lock_statement(Fiber& fiber, const PlannedStatement& outer,
                                     const LockStmt& statement);

  // create_table_as.cpp
  Result<std::string> create_table_as(Fiber& fiber, const PlannedStatement& outer,
                                      const CreateTableAsStmt& statement);
  Result<std::string> select_into(Fiber& fiber, const PlannedStatement& outer);
  // A new statement that is the query of CREATE TABLE AS or SELECT INTO alone.
  Result<StatementRef> into_query(Fiber& fiber, const PlannedStatement& outer);
  // The table of the statement, with the columns of the query. 0: it was there already.
  Result<Oid> make_into_table(Fiber& fiber, std::string_view text,
                              const CreateTableAsStmt& statement, const PlannedStatement& query);
  Status fill_table(Fiber& fiber, Oid table, Execution& rows);

  // copy_statement.cpp
  Result<std::string> copy(Fiber& fiber, const PlannedStatement& outer, const CopyStmt& statement,
                           ResultSink& sink);
  Result<std::string> copy_from(Fiber& fiber, const PlannedStatement& outer,
                                const CopyStmt& statement, AnalyzeContext& analysis,
                                const RelationInfo& relation, ResultSink& sink);
  Result<std::string> copy_to(Fiber& fiber, const PlannedStatement& outer,
                              const CopyStmt& statement, const RelationInfo* relation,
                              ResultSink& sink);
  Status check_file_rights(Fiber& fiber, CatalogReader& catalog, const CopyStmt& statement);

  // vacuum_statement.cpp
  Result<std::string> vacuum(Fiber& fiber, const PlannedStatement& outer,
                             const VacuumStmt& statement);
  Result<std::vector<Oid>> vacuum_targets(Fiber& fiber, const VacuumStmt& statement,
                                          AnalyzeContext& analysis);
  Status vacuum_one(Fiber& fiber, Oid relation, Names columns, const VacuumRequest& request);
  Result<bool> may_vacuum(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                          std::string_view verb);
  Status clean_toast(Fiber& fiber, CatalogReader& catalog, Oid oid, const VacuumRequest& request,
                     const VacuumOptions& options);
  Status clean_relation(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                        const VacuumRequest& request);
  Status analyze_relation(Fiber& fiber, CatalogReader& catalog, const RelationInfo& relation,
                          Names columns, const VacuumRequest& request);

  // explain_statement.cpp
  Result<std::string> explain(Fiber& fiber, const PlannedStatement& outer,
                              const ExplainStmt& statement, std::span<const WireFormat> formats,
                              ResultSink& sink);
  Result<StatementRef> explained_statement(Fiber& fiber, const PlannedStatement& outer);

  // alter_system.cpp
  Result<std::string> alter_system_statement(Fiber& fiber, const AlterSystemStmt& statement);

  // temporary_tables.cpp
  Status drop_contents(Fiber& fiber, Oid schema);
  Status drop_quietly(Fiber& fiber, std::span<const ObjectAddress> objects);
  Status run_on_commit(Fiber& fiber);
  void end_temporary_level(uint32_t level, bool committed);
  void drop_temporary(Fiber& fiber);

  // set_statements.cpp
  // The value of SET or ALTER SYSTEM ... SET as text.
  Result<std::string> set_text(const VariableSetStmt& statement);
  Result<std::string> set_variable(Fiber& fiber, const VariableSetStmt& statement);
  Result<std::string> set_transaction(const VariableSetStmt& statement);
  Result<std::string> show_variable(Fiber& fiber, const VariableShowStmt& statement,
                                    std::span<const WireFormat> formats, ResultSink& sink);
  Status set_by_name(Fiber& fiber, std::string_view name, const std::string& text,
                     Settings::Scope scope);
  Status reset_by_name(Fiber& fiber, std::string_view name, Settings::Scope scope);
  Status reset_all();
  Result<std::string> show_by_name(std::string_view name) const;
  Status may_set(SettingId id) const;
  Result<std::string> time_zone_argument(const Node& argument, const std::string& text);
  Status set_role(Fiber& fiber, SettingId id, const std::string& name, Settings::Scope scope);

  // cursors.cpp
  Result<std::string> declare_cursor(Fiber& fiber, const PlannedStatement& outer,
                                     const DeclareCursorStmt& statement);
  Result<std::string> fetch(Fiber& fiber, const FetchStmt& statement,
                            std::span<const WireFormat> formats, ResultSink& sink);
  Result<Portal*> find_cursor(std::string_view name);
  Status keep_rows(Portal& portal, uint64_t wanted);
  Status hold_cursors();
  Result<std::vector<uint64_t>> move_cursor(Portal& portal, const FetchStmt& statement);
  Result<std::string> close_cursor(const ClosePortalStmt& statement);

  // session_view.cpp
  void refresh_view(Fiber& fiber);
  Status refresh_path(Fiber& fiber);
  Execution::World world();
  CommandContext command_context(Fiber& fiber, Arena& arena, CatalogReader& catalog,
                                 std::string_view text);
  // For executions that write rows: where, and what they see.
  void let_write(ExecContext& context, const RegisteredSnapshot& snapshot);
  AnalyzeContext analyze_context(Fiber& fiber, Arena& arena, CatalogReader& catalog,
                                 std::string_view text, std::vector<Oid>* parameter_types);
  Snapshot statement_snapshot();
  // No snapshot of the statement under way is older.
  Lsn oldest_visible() const {
    return transaction_snapshot_ ? transaction_snapshot_->get().visible
                                 : node_.transactions.visible_lsn();
  }
  std::unique_ptr<CatalogReader> new_reader();

  // BlockObserver
  void transaction_began(Transaction& transaction) override;
  Status before_commit(Fiber& fiber) override;
  void level_ended(uint32_t level, bool committed) override;
  void transaction_ended() override;
  void notice(Severity severity, const Error& error) override;
  // CommandHost
  void notice(const Error& error) override { notice(Severity::notice, error); }
  void warning(const Error& error) override { notice(Severity::warning, error); }
  Status rewrite_table(Fiber& fiber, Oid table, std::span<const ColumnRewrite> changed,
                       FunctionRef<Status()> change) override;
  Status write_rows(Fiber& fiber, Oid table, std::span<const int16_t> numbers, SharedRows& rows,
                    std::span<const ColumnRewrite> changed);
  Status run_query(Fiber& fiber, std::string_view sql,
                   FunctionRef<Status(std::span<const NullableDatum>)> row) override;
  // RelatedStatements
  Result<uint64_t> run(Fiber& fiber, std::string_view sql, std::span<const Oid> types,
                       std::span<const NullableDatum> values) override;
  // deferred_constraints.cpp
  Result<bool> put_off(const ConstraintInfo& constraint, const RowKey& key,
                       std::span<const ColumnDesc> types) override;
  // Frees what large arenas left while other sessions go on.
  void free_memory(Fiber& fiber);
  Status make_deferred_checks(Fiber& fiber, FunctionRef<bool(Oid constraint)> which);
  Status find_constraints(Fiber& fiber, const RangeVar& name, bool to_defer, std::vector<Oid>& out);
  Result<std::string> set_constraints(Fiber& fiber, const ConstraintsSetStmt& statement);
  Result<std::string> password_verifier(Fiber& fiber, std::string_view password) override;
  Status check_alone(std::string_view command) const override;
  Status check_not_in_use(Oid relation, std::string_view command) const override;
  Status lock_database(Fiber& fiber, Oid database, int mode) override;
  int other_sessions_in(Oid database) const override;
  Result<Oid> temporary_schema(Fiber& fiber) override;
  void on_commit(Oid relation, bool drop) override;
  Status lock_relation(Fiber& fiber, Oid relation, int mode) override;

  NodeParts& node_;
  SessionIdentity identity_;
  MemoryBudget memory_;
  TempSpace temp_space_;
  Settings settings_;
  LockOwner owner_;
  TransactionBlock block_;
  DeferredConstraints deferred_{&memory_};
  DatabaseCatalog& database_;
  std::optional<HeapStore> store_;  // of the transaction; a reading one without
  std::optional<RegisteredSnapshot> transaction_snapshot_;  // REPEATABLE READ's
  std::map<std::string, PreparedStatement, std::less<>> prepared_;
  std::map<std::string, std::unique_ptr<Portal>, std::less<>> portals_;
  std::map<std::string, StatementRef, std::less<>> related_;  // plans of run(), by text
  std::map<std::string, SharedPlan, std::less<>> shared_;     // by shape
  StatementShape shape_;                                      // of the statement that runs
  std::vector<NullableDatum> parameters_;                     // its values

  const std::unique_ptr<Services> services_;
  SessionView view_;
  SearchPath path_;
  // What path_ was worked out from: it holds until a schema or a setting changes.
  struct PathSource {
    const CatalogCache* cache = nullptr;
    uint64_t cache_generation = 0, settings_generation = 0;
    Oid temporary_schema, role;
    friend bool operator==(const PathSource&, const PathSource&) = default;
  };
  PathSource path_source_;
  std::string current_schema_;  // path_.creation's name
  TimeZone time_zone_;
  uint64_t view_generation_ = 0;
  Prng random_;
  Oid current_user_;  // follows the settings role and session_authorization
  std::string current_user_name_, session_user_name_;
  WallTime transaction_start_;

  struct OnCommit {
    Oid relation;
    bool drop;
    uint32_t level;        // of the transaction that made it; 0 once committed
    bool dropped = false;  // as the transaction that commits sees it
  };
  Oid temporary_schema_;          // 0: not made yet
  uint32_t temporary_level_ = 0;  // of the transaction that made it; 0 once committed
  std::vector<OnCommit> on_commit_;
  ResultSink* sink_ = nullptr;           // of the statement that runs
  std::vector<ResultColumn> described_;  // what describe_utility() made up
  std::map<SettingId, std::string> reported_;
  uint64_t reported_generation_ = 0;
  ActivityEntry activity_;
  bool ended_ = false;
};

}  // namespace orrery
