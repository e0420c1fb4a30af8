#include "session/session.h"

#include "base/plant.h"
#include "base/probe.h"
#include "base/text.h"
#include "session/services_internal.h"
#include "session/statement_scope_internal.h"
#include "sql/parser.h"
#include "types/utf8.h"

namespace orrery {
namespace {

constexpr uint64_t kStatementMemory = uint64_t{4} << 30;

}  // namespace

Session::Session(Fiber& fiber, NodeParts& node, SessionIdentity identity)
    : node_(node),
      identity_(std::move(identity)),
      memory_(&node.memory, kStatementMemory),
      settings_(&node.settings),
      owner_(node.transactions.locks(), identity_.process_id),
      block_(node.transactions, owner_, settings_, *this),
      database_(node.catalog.database(identity_.database)),
      services_(std::make_unique<Services>(*this)),
      random_(node.host.random().next()),
      current_user_(identity_.user),
      current_user_name_(identity_.user_name) {
  owner_.memory = &memory_;
  memory_.defer_frees();
  store_.emplace(database_, node_.access, nullptr);
  settings_.set_default(SettingId::is_superuser, {.text = identity_.superuser ? "on" : "off"});
  settings_.set_default(
      SettingId::session_authorization,
      {.number = static_cast<double>(identity_.user.v), .text = identity_.user_name});
  activity_.process_id = identity_.process_id;
  activity_.database = identity_.database;
  activity_.database_name = identity_.database_name;
  activity_.user = identity_.user;
  activity_.user_name = identity_.user_name;
  activity_.client_address = identity_.client_address;
  activity_.session_start = activity_.state_change = fiber.host().clock().wall_now();
  activity_.fiber = &fiber;
  node_.activity.add(activity_);
  refresh_view(fiber);
}

Session::~Session() { CHECK(ended_); }

void Session::end(Fiber& fiber) {
  block_.abandon(fiber);
  portals_.clear();
  drop_temporary(fiber);
  prepared_.clear();
  related_.clear();
  shared_.clear();
  node_.transactions.locks().release_all(owner_, LockScope::session);
  node_.activity.remove(activity_);
  if (PLANTED(b46_memory_stays_booked)) node_.memory.add(64);
  ended_ = true;
}

Status Session::simple_query(Fiber& fiber, std::string_view text, ResultSink& sink) {
  StatementScope scope(*this, fiber, text, sink);
  drop_portal("");
  if (auto unnamed = prepared_.find(""); unnamed != prepared_.end()) prepared_.erase(unnamed);
  Status status = run_text(fiber, text, scope, sink);
  if (!status.ok()) block_.fail(fiber);
  free_memory(fiber);
  return status;
}

void Session::free_memory(Fiber& fiber) {
  constexpr uint64_t kFreedAtOnce = 4 << 20;
  if (!memory_.has_deferred()) return;
  PROBE("session: much memory was freed bit by bit");
  fiber.hold_cancel();
  do {
    memory_.free_some(kFreedAtOnce);
  } while (memory_.has_deferred() && fiber.yield().ok());
  fiber.release_cancel();
}

Status Session::run_text(Fiber& fiber, std::string_view text, StatementScope& scope,
                         ResultSink& sink) {
  const bool has_run = TRY(run_by_shape(fiber, text, sink));
  if (has_run) return {};
  TRY(check_utf8(text));
  Arena arena(&memory_);
  std::vector<ParseNotice> notices;
  const auto statements = TRY(orrery::parse(arena, text, parse_options(notices)));
  send_notices(notices);
  fiber.charge_only(text.size() / 16 + 1);
  if (statements.empty()) {
    sink.end_empty();
    return {};
  }
  for (size_t i = 0; i < statements.size(); ++i) {
    const bool last = i + 1 == statements.size();
    if (i > 0) scope.begin_timer();
    TRY(run_statement(fiber, text, *statements[i], statements.size() > 1, last, sink));
  }
  return {};
}

Status Session::run_statement(Fiber& fiber, std::string_view text, const RawStmt& raw, bool shared,
                              bool last, ResultSink& sink) {
  const Node& node = *raw.stmt;
  TRY(block_.check_allowed(node));
  block_.begin_statement(shared);
  refresh_view(fiber);
  StatementRef statement = StatementRef::make(&memory_);
  statement->text = text;
  statement->statement = &node;
  statement->text_start = raw.stmt_location;
  statement->text_length = raw.stmt_len;
  statement->is_query = is_query_node(node);
  const std::string tag = TRY(run_one(fiber, std::move(statement), {}, {}, sink));
  // The answer follows the commit: until then it could still become an error.
  if (last || !block_.is_in_block()) TRY(block_.end_implicit(fiber));
  sink.end(tag);
  return {};
}

Result<std::string> Session::run_one(Fiber& fiber, StatementRef statement,
                                     std::span<const NullableDatum> parameters,
                                     std::span<const WireFormat> formats, ResultSink& sink) {
  const Node& node = *statement->statement;
  if (const auto* control = as_if<TransactionStmt>(&node)) return block_.run(fiber, *control);
  std::string tag;
  if (statement->is_query) {
    tag = TRY(run_query_statement(fiber, std::move(statement), parameters, formats, sink));
  } else {
    tag = TRY(run_utility(fiber, *statement, formats, sink));
  }
  if (block_.has_transaction()) TRY(block_.transaction().next_command());
  block_.statement_ran();
  return tag;
}

Status Session::check_may_run(Fiber& fiber, PlannedStatement& statement) {
  TRY(check_read_only(statement));
  return check_rights(fiber, statement);
}

Status Session::check_read_only(const PlannedStatement& statement) {
  if (!block_.options().read_only) return {};
  constexpr std::string_view kNames[] = {"SELECT", "INSERT", "UPDATE", "DELETE"};
  if (statement.plan->command == CommandType::select && !statement.plan->has_modifying_cte)
    return {};
  return raise(sqlstate::read_only_sql_transaction,
               cat("cannot execute ", kNames[static_cast<int>(statement.plan->command)],
                   " in a read-only transaction"));
}

Result<std::string> Session::run_query_statement(Fiber& fiber, StatementRef statement,
                                                 std::span<const NullableDatum> parameters,
                                                 std::span<const WireFormat> formats,
                                                 ResultSink& sink) {
  const StatementRef current = TRY(make_current(fiber, std::move(statement)));
  return run_current(fiber, current, parameters, formats, sink);
}

Result<std::string> Session::run_current(Fiber& fiber, const StatementRef& current,
                                         std::span<const NullableDatum> parameters,
                                         std::span<const WireFormat> formats, ResultSink& sink) {
  TRY(check_may_run(fiber, *current));
  std::unique_ptr<Execution> execution =
      TRY(Execution::start(fiber, current, world(), statement_snapshot(), parameters));
  const bool has_rows = current->plan->returns_rows;
  if (has_rows) TRY(sink.begin_rows(fiber, current->columns, formats, view_.types));
  while (true) {
    const Batch* batch = TRY(execution->next(0));
    if (batch == nullptr) break;
    TRY(sink.add_rows(fiber, *batch));
  }
  std::string tag = execution->command_tag();
  Execution::end(std::move(execution));
  return tag;
}

// ---- BlockObserver

void Session::transaction_began(Transaction& transaction) {
  transaction_start_ = node_.host.clock().wall_now();
  activity_.transaction_start = transaction_start_;
  store_.emplace(database_, node_.access, &transaction);
}

Status Session::before_commit(Fiber& fiber) {
  TRY(make_deferred_checks(fiber, [](Oid) { return true; }));
  TRY(hold_cursors());
  return run_on_commit(fiber);
}

void Session::level_ended(uint32_t level, bool committed) {
  deferred_.level_ended(level, committed);
  for (auto portal = portals_.begin(); portal != portals_.end();) {
    Portal& open = *portal->second;
    const bool kept = open.level == 0 || (level == 1 && committed && open.held);
    const bool goes = !kept && (level == 1 || (!committed && open.level >= level));
    if (!goes && open.level == level) --open.level;
    portal = goes ? portals_.erase(portal) : std::next(portal);
  }
  end_temporary_level(level, committed);
  if (level > 1) {
    if (!committed) store_->forget_own_work();
    return;
  }
  transaction_snapshot_.reset();
  services_->end_transaction();
  // Plans made from what only this transaction saw go with it.
  for (auto& [name, prepared] : prepared_) {
    PlannedStatement& statement = *prepared.statement;
    if (!statement.reader || statement.cache == &database_.shared) continue;
    statement.resting.reset();
    statement.plan = nullptr;
    statement.reader.reset();
  }
  std::erase_if(related_,
                [this](const auto& entry) { return entry.second->cache != &database_.shared; });
  std::erase_if(shared_, [this](const auto& entry) {
    const SharedPlan& shared = entry.second;
    return shared.statement && shared.statement->cache != &database_.shared;
  });
  store_.emplace(database_, node_.access, nullptr);
}

void Session::transaction_ended() { activity_.transaction_start = {}; }

void Session::notice(Severity severity, const Error& error) {
  constexpr int kLeastNotice = 6;                     // of client_min_messages' choices
  constexpr int kOf[] = {4, 5, 99, kLeastNotice, 7};  // debug1, log, info always, notice, warning
  if (sink_ == nullptr ||
      kOf[static_cast<int>(severity)] < settings_.get_choice(SettingId::client_min_messages))
    return;
  sink_->notice(severity, error);
}

// ---- what the front door asks

void Session::report_settings(FunctionRef<void(std::string_view, std::string_view)> report) {
  if (settings_.generation() == reported_generation_) return;
  reported_generation_ = settings_.generation();
  for (size_t i = 0; i < kSettingCount; ++i) {
    const auto id = static_cast<SettingId>(i);
    if (!setting_def(id).report) continue;
    std::string value = settings_.show(id);
    auto found = reported_.find(id);
    if (found != reported_.end() && found->second == value) continue;
    report(setting_def(id).name, value);
    reported_[id] = std::move(value);
  }
}

std::optional<SessionBackend::IdleLimit> Session::idle_limit() const {
  const bool idle = block_.status() == TransactionStatus::idle;
  const int limit_ms = settings_.get_int(idle ? SettingId::idle_session_timeout
                                              : SettingId::idle_in_transaction_session_timeout);
  if (limit_ms == 0) return std::nullopt;
  return IdleLimit{
      .duration = milliseconds(limit_ms),
      .reason = idle ? raise(sqlstate::idle_session_timeout,
                             "terminating connection due to idle-session timeout")
                     : raise(sqlstate::idle_in_transaction_session_timeout,
                             "terminating connection due to idle-in-transaction timeout")};
}

void Session::trim() {
  for (auto& [name, prepared] : prepared_) prepared.statement->resting.reset();
  for (auto& [text, statement] : related_) statement->resting.reset();
  shared_.clear();
}

// Sees all work of the transaction so far, and what others have committed since the statement
// began: a referenced row must be there now, not then.
Result<uint64_t> Session::run(Fiber& fiber, std::string_view sql, std::span<const Oid> types,
                              std::span<const NullableDatum> values) {
  auto found = related_.find(sql);
  if (found == related_.end()) {
    StatementRef parsed = TRY(parse_one(fiber, sql, types));
    found = related_.emplace(std::string(sql), std::move(parsed)).first;
  }
  const StatementRef current = TRY(make_current(fiber, found->second));
  related_.insert_or_assign(std::string(sql), current);
  TRY(block_.transaction().next_command());
  std::unique_ptr<Execution> execution = TRY(Execution::start(
      fiber, current, world(), node_.transactions.take_snapshot(&block_.transaction()), values));
  while (true) {
    const Batch* batch = TRY(execution->next(0));
    if (batch == nullptr) break;
  }
  const uint64_t rows = execution->rows_processed();
  Execution::end(std::move(execution));
  return rows;
}

Status Session::run_query(Fiber& fiber, std::string_view sql,
                          FunctionRef<Status(std::span<const NullableDatum>)> row) {
  const StatementRef parsed = TRY(parse_one(fiber, sql, {}));
  CHECK(parsed->is_query);
  const StatementRef current = TRY(make_current(fiber, parsed));
  TRY(block_.transaction().next_command());
  const std::unique_ptr<Execution> execution = TRY(Execution::start(
      fiber, current, world(), node_.transactions.take_snapshot(&block_.transaction()), {}));
  std::vector<NullableDatum> values(current->columns.size());
  while (true) {
    const Batch* batch = TRY(execution->next(0));
    if (batch == nullptr) return {};
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      for (size_t c = 0; c < values.size(); ++c) values[c] = batch->columns[c].at(batch->rows[i]);
      TRY(row(values));
    }
  }
}

}  // namespace orrery
