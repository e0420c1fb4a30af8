#include "session/transaction_block.h"

#include "base/text.h"

namespace orrery {
namespace {

constexpr std::string_view kIsolationNames[] = {"read uncommitted", "read committed",
                                                "repeatable read", "serializable"};

constexpr int kCommitOff = 4;  // of synchronous_commit's choices

Isolation default_isolation(const Settings& settings) {
  // The setting's choices are listed from the strongest on.
  const int choice = settings.get_choice(SettingId::default_transaction_isolation);
  return static_cast<Isolation>(static_cast<int>(std::size(kIsolationNames)) - 1 - choice);
}

// Statements that may end a failed block.
bool may_end_block(const Node& statement) {
  const auto* control = as_if<TransactionStmt>(&statement);
  if (control == nullptr) return false;
  switch (control->kind) {
    case TransactionStmtKind::commit:
    case TransactionStmtKind::rollback:
    case TransactionStmtKind::rollback_to:
    case TransactionStmtKind::prepare:           return true;
    case TransactionStmtKind::begin:
    case TransactionStmtKind::start:
    case TransactionStmtKind::savepoint:
    case TransactionStmtKind::release:
    case TransactionStmtKind::commit_prepared:
    case TransactionStmtKind::rollback_prepared: return false;
  }
  UNREACHABLE();
}

Status only_in_block(std::string_view what) {
  return raise(sqlstate::no_active_sql_transaction,
               cat(what, " can only be used in transaction blocks"));
}

}  // namespace

TransactionStatus TransactionBlock::status() const {
  switch (state_) {
    case State::idle:
    case State::implicit: return TransactionStatus::idle;
    case State::in_block: return TransactionStatus::active;
    case State::failed:   return TransactionStatus::failed;
  }
  UNREACHABLE();
}

void TransactionBlock::warn(const SqlState& code, std::string message) {
  observer_.notice(Severity::warning, raise(code, std::move(message)).error());
}

void TransactionBlock::begin(State state) {
  CHECK(transaction_ == nullptr);
  options_ = {.isolation = default_isolation(settings_),
              .read_only = settings_.get_bool(SettingId::default_transaction_read_only),
              .deferrable = settings_.get_bool(SettingId::default_transaction_deferrable)};
  took_snapshot_ = false;
  has_run_ = false;
  state_ = state;
  transaction_ = manager_.begin(owner_, options_);
  observer_.transaction_began(*transaction_);
}

void TransactionBlock::begin_statement(bool shared) {
  if (state_ == State::idle) begin(State::implicit);
  shared_ = shared && state_ == State::implicit;
}

Status TransactionBlock::check_allowed(const Node& statement) const {
  if (state_ != State::failed || may_end_block(statement)) return {};
  return raise(sqlstate::in_failed_sql_transaction,
               "current transaction is aborted, commands ignored until end of transaction block");
}

Status TransactionBlock::check_alone(std::string_view command) const {
  if (!is_in_block() && !has_run_) return {};
  return raise(sqlstate::active_sql_transaction,
               cat(command, is_in_block() ? " cannot run inside a transaction block"
                                          : " cannot be executed within a pipeline"));
}

void TransactionBlock::ended() {
  transaction_.reset();
  savepoints_.clear();
  state_ = State::idle;
  shared_ = false;
  observer_.transaction_ended();
}

Status TransactionBlock::commit(Fiber& fiber) {
  Status ready = observer_.before_commit(fiber);
  if (!ready.ok()) {
    rollback(fiber);
    return ready;
  }
  const bool synchronous = settings_.get_choice(SettingId::synchronous_commit) != kCommitOff;
  Status committed = manager_.commit(fiber, *transaction_, synchronous);
  settings_.end_level(1, committed.ok());
  observer_.level_ended(1, committed.ok());
  ended();
  return committed;
}

void TransactionBlock::rollback(Fiber& fiber) {
  if (transaction_ != nullptr) {
    // Fails only when the machine halts; then nobody asks any more.
    (void)manager_.abort(fiber, *transaction_);
    settings_.end_level(1, false);
    observer_.level_ended(1, false);
  }
  ended();
}

Status TransactionBlock::end_implicit(Fiber& fiber) {
  return state_ == State::implicit ? commit(fiber) : Status();
}

void TransactionBlock::fail(Fiber& fiber) {
  if (state_ == State::idle || state_ == State::failed) return;
  if (state_ == State::implicit) {
    rollback(fiber);
    return;
  }
  state_ = State::failed;
  const uint32_t level = transaction_->depth();
  if (level > 1) {
    (void)manager_.rollback_level(fiber, *transaction_, level);
  } else {
    (void)manager_.abort(fiber, *transaction_);
  }
  settings_.end_level(level, false);
  observer_.level_ended(level, false);
  if (level == 1) transaction_.reset();
}

void TransactionBlock::abandon(Fiber& fiber) {
  if (state_ != State::idle) rollback(fiber);
}

Result<std::string> TransactionBlock::run(Fiber& fiber, const TransactionStmt& statement) {
  switch (statement.kind) {
    case TransactionStmtKind::begin:
    case TransactionStmtKind::start:       return begin_block(statement);
    case TransactionStmtKind::commit:      return end_block(fiber, statement, true);
    case TransactionStmtKind::rollback:    return end_block(fiber, statement, false);
    case TransactionStmtKind::savepoint:   return savepoint(statement);
    case TransactionStmtKind::release:     return release(statement);
    case TransactionStmtKind::rollback_to: return rollback_to(fiber, statement);
    case TransactionStmtKind::prepare:
      if (state_ == State::failed) return end_block(fiber, statement, false);
      return raise(sqlstate::object_not_in_prerequisite_state, "prepared transactions are disabled")
          .hint("Set max_prepared_transactions to a nonzero value.");
    case TransactionStmtKind::commit_prepared:
    case TransactionStmtKind::rollback_prepared:
      return raise(sqlstate::undefined_object, cat("prepared transaction with identifier \"",
                                                   statement.gid, "\" does not exist"));
  }
  UNREACHABLE();
}

Result<std::string> TransactionBlock::begin_block(const TransactionStmt& statement) {
  if (state_ == State::in_block) {
    warn(sqlstate::active_sql_transaction, "there is already a transaction in progress");
  } else {
    CHECK(state_ == State::implicit);
    state_ = State::in_block;
    shared_ = false;
  }
  TRY(apply_options(statement.options));
  return std::string(statement.kind == TransactionStmtKind::begin ? "BEGIN" : "START TRANSACTION");
}

Status TransactionBlock::apply_options(ListOf<DefElem> options) {
  for (const DefElem* option : options) {
    const auto& value = as<A_Const>(*option->arg);
    if (option->defname == "transaction_isolation") {
      const auto* found =
          std::find(std::begin(kIsolationNames), std::end(kIsolationNames), value.text);
      TRY(set_isolation(static_cast<Isolation>(found - std::begin(kIsolationNames))));
    } else if (option->defname == "transaction_read_only") {
      TRY(set_read_only(value.ival != 0));
    } else {
      set_deferrable(value.ival != 0);
    }
  }
  return {};
}

Result<std::string> TransactionBlock::end_block(Fiber& fiber, const TransactionStmt& statement,
                                                bool to_commit) {
  const std::string_view name = to_commit ? "COMMIT" : "ROLLBACK";
  const bool in_block = state_ == State::in_block || state_ == State::failed;
  if (!in_block) {
    if (statement.chain) return only_in_block(cat(name, " AND CHAIN"));
    warn(sqlstate::no_active_sql_transaction, "there is no transaction in progress");
    // What the message did so far ends here; its other statements are another transaction.
    if (to_commit) {
      TRY(commit(fiber));
    } else {
      rollback(fiber);
    }
    return std::string(name);
  }
  const bool commits = to_commit && state_ == State::in_block;
  const TransactionOptions options = options_;
  if (commits) {
    TRY(commit(fiber));
  } else {
    rollback(fiber);
  }
  if (statement.chain) {
    begin(State::in_block);
    options_ = options;
    transaction_->set_options(options_);
  }
  return std::string(commits ? "COMMIT" : "ROLLBACK");
}

Result<size_t> TransactionBlock::find_savepoint(std::string_view name) const {
  for (size_t i = savepoints_.size(); i > 0; --i) {
    if (savepoints_[i - 1].name == name) return i - 1;
  }
  return raise(sqlstate::s_e_invalid_specification, cat("savepoint \"", name, "\" does not exist"));
}

Result<std::string> TransactionBlock::savepoint(const TransactionStmt& statement) {
  if (state_ != State::in_block) return only_in_block("SAVEPOINT");
  const uint32_t level = manager_.begin_level(*transaction_);
  savepoints_.push_back({.name = std::string(statement.savepoint_name), .level = level});
  return std::string("SAVEPOINT");
}

Result<std::string> TransactionBlock::release(const TransactionStmt& statement) {
  if (state_ != State::in_block) return only_in_block("RELEASE SAVEPOINT");
  const size_t index = TRY(find_savepoint(statement.savepoint_name));
  const uint32_t level = savepoints_[index].level;
  for (uint32_t open = transaction_->depth(); open >= level; --open) {
    settings_.end_level(open, true);
    observer_.level_ended(open, true);
  }
  manager_.release_level(*transaction_, level);
  savepoints_.resize(index);
  return std::string("RELEASE");
}

Result<std::string> TransactionBlock::rollback_to(Fiber& fiber, const TransactionStmt& statement) {
  if (state_ != State::in_block && state_ != State::failed)
    return only_in_block("ROLLBACK TO SAVEPOINT");
  const size_t index = TRY(find_savepoint(statement.savepoint_name));
  const uint32_t level = savepoints_[index].level;
  if (transaction_->depth() >= level) {  // a level that failed has gone already
    TRY(manager_.rollback_level(fiber, *transaction_, level));
    settings_.end_level(level, false);
    observer_.level_ended(level, false);
  }
  const uint32_t reopened = manager_.begin_level(*transaction_);
  CHECK(reopened == level);
  savepoints_.resize(index + 1);
  state_ = State::in_block;
  return std::string("ROLLBACK");
}

Status TransactionBlock::set_isolation(Isolation isolation) {
  if (isolation == Isolation::serializable) return unsupported("isolation level SERIALIZABLE");
  if (isolation == options_.isolation) return {};
  if (took_snapshot_) {
    return raise(sqlstate::active_sql_transaction,
                 "SET TRANSACTION ISOLATION LEVEL must be called before any query");
  }
  if (transaction_->depth() > 1) {
    return raise(sqlstate::active_sql_transaction,
                 "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
  }
  options_.isolation = isolation;
  transaction_->set_options(options_);
  return {};
}

Status TransactionBlock::set_read_only(bool read_only) {
  if (!read_only && options_.read_only && transaction_->depth() > 1) {
    return raise(sqlstate::active_sql_transaction,
                 "cannot set transaction read-write mode inside a read-only transaction");
  }
  if (!read_only && options_.read_only && took_snapshot_) {
    return raise(sqlstate::active_sql_transaction,
                 "transaction read-write mode must be set before any query");
  }
  options_.read_only = read_only;
  transaction_->set_options(options_);
  return {};
}

void TransactionBlock::set_deferrable(bool deferrable) {
  options_.deferrable = deferrable;
  transaction_->set_options(options_);
}

}  // namespace orrery
