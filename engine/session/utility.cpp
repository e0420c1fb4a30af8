// Statements that are not queries: the session's own, and those that command/ runs for it.

#include "base/text.h"
#include "catalog/relation_info.h"
#include "session/explain.h"
#include "session/planner_world.h"
#include "session/services_internal.h"
#include "session/text_rows.h"

namespace orrery {

Result<std::string> Session::run_utility(Fiber& fiber, const PlannedStatement& statement,
                                         std::span<const WireFormat> formats, ResultSink& sink) {
  const Node& node = *statement.statement;
  if (const auto* set = as_if<VariableSetStmt>(&node)) return set_variable(fiber, *set);
  if (const auto* chosen = as_if<ConstraintsSetStmt>(&node)) return set_constraints(fiber, *chosen);
  if (const auto* show = as_if<VariableShowStmt>(&node))
    return show_variable(fiber, *show, formats, sink);
  if (const auto* prepare = as_if<PrepareStmt>(&node))
    return prepare_statement(fiber, statement, *prepare);
  if (const auto* run = as_if<ExecuteStmt>(&node))
    return execute_statement(fiber, statement, *run, formats, sink);
  if (const auto* drop = as_if<DeallocateStmt>(&node)) return deallocate(*drop);
  if (const auto* all = as_if<DiscardStmt>(&node)) return discard(fiber, *all);
  if (const auto* declare = as_if<DeclareCursorStmt>(&node))
    return declare_cursor(fiber, statement, *declare);
  if (const auto* fetched = as_if<FetchStmt>(&node)) return fetch(fiber, *fetched, formats, sink);
  if (const auto* closed = as_if<ClosePortalStmt>(&node)) return close_cursor(*closed);
  if (const auto* lock = as_if<LockStmt>(&node)) return lock_statement(fiber, statement, *lock);
  if (const auto* cleaned = as_if<VacuumStmt>(&node)) return vacuum(fiber, statement, *cleaned);
  if (const auto* explained = as_if<ExplainStmt>(&node))
    return explain(fiber, statement, *explained, formats, sink);
  if (const auto* altered = as_if<AlterSystemStmt>(&node))
    return alter_system_statement(fiber, *altered);
  if (const auto* copied = as_if<CopyStmt>(&node)) return copy(fiber, statement, *copied, sink);
  if (const auto* made = as_if<CreateTableAsStmt>(&node))
    return create_table_as(fiber, statement, *made);
  if (into_of(node) != nullptr) return select_into(fiber, statement);
  if (node.tag == NodeTag::CheckPointStmt) {
    if (settings_.get_text(SettingId::is_superuser) != "on") {
      return raise(sqlstate::insufficient_privilege,
                   "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT");
    }
    TRY(node_.access.storage().checkpoint(fiber));
    return std::string("CHECKPOINT");
  }
  return run_ddl(fiber, statement);
}

namespace {

// "LISTEN", "CREATE FUNCTION": what a statement is called by its leading words.
std::string leading_words(std::string_view text) {
  constexpr std::string_view kFirstOfTwo[] = {"CREATE",   "ALTER",  "DROP",    "REFRESH",
                                              "SECURITY", "IMPORT", "REASSIGN"};
  constexpr std::string_view kFillers[] = {"OR",       "REPLACE", "TEMP", "TEMPORARY",
                                           "UNLOGGED", "GLOBAL",  "LOCAL"};
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
    if (!is_letter(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    const std::string word = to_upper(text.substr(at, end - at));
    at = end;
    if (out.empty()) {
      out = word;
      if (std::ranges::find(kFirstOfTwo, word) == std::end(kFirstOfTwo)) return out;
    } else if (std::ranges::find(kFillers, word) == std::end(kFillers)) {
      return cat(out, " ", word);
    }
  }
  return out;
}

}  // namespace

Result<std::string> Session::run_ddl(Fiber& fiber, const PlannedStatement& statement) {
  Arena arena(&memory_);
  TRY(refresh_path(fiber));
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  CommandContext context = command_context(fiber, arena, *catalog, statement.text);
  if (!is_command(*statement.statement)) return unsupported(leading_words(own_text(statement)));
  if (block_.options().read_only && is_command(*statement.statement)) {
    return raise(sqlstate::read_only_sql_transaction,
                 "cannot execute this statement in a read-only transaction");
  }
  return run_command(context, *statement.statement);
}

Result<std::string> Session::prepare_statement(Fiber& fiber, const PlannedStatement& outer,
                                               const PrepareStmt& statement) {
  if (statement.name.empty()) {
    return raise(sqlstate::invalid_pstatement_definition,
                 "invalid statement name: must not be empty");
  }
  Arena arena(&memory_);
  TRY(refresh_path(fiber));
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  AnalyzeContext analysis = analyze_context(fiber, arena, *catalog, outer.text, nullptr);
  std::vector<Oid> types;
  for (const TypeName* name : statement.argtypes) {
    const TypeAndMod type = TRY(resolve_type_name(analysis, *name));
    types.push_back(type.type);
  }
  // The tree dies with its message, so the statement is parsed again from its own text.
  StatementRef inner = TRY(parse_one(fiber, own_text(outer), types));
  inner->statement = as<PrepareStmt>(*inner->statement).query;
  inner->is_query = true;
  TRY(analyze_and_plan(fiber, *inner));
  if (prepared_.contains(statement.name)) {
    return raise(sqlstate::duplicate_pstatement,
                 cat("prepared statement \"", statement.name, "\" already exists"));
  }
  prepared_.insert_or_assign(std::string(statement.name),
                             PreparedStatement{.statement = std::move(inner), .from_sql = true});
  return std::string("PREPARE");
}

// The protocol prepares any statement; SQL runs those that have a plan.
Result<StatementRef> Session::find_prepared_query(Fiber& fiber, std::string_view name,
                                                  std::string_view what) {
  PreparedStatement* prepared = TRY(find_prepared(name));
  if (!prepared->statement->is_query)
    return unsupported(cat(what, " of a prepared statement that is not a query"));
  prepared->statement = TRY(make_current(fiber, prepared->statement));
  return prepared->statement;
}

Result<StatementRef> Session::bind_execute(Fiber& fiber, const PlannedStatement& outer,
                                           const ExecuteStmt& statement, Arena& arena,
                                           std::vector<NullableDatum>& values) {
  const StatementRef inner = TRY(find_prepared_query(fiber, statement.name, "EXECUTE"));
  const std::vector<Oid>& types = inner->parameter_types;
  if (statement.params.size() != types.size()) {
    return raise(sqlstate::syntax_error,
                 cat("wrong number of parameters for prepared statement \"", statement.name, "\""))
        .detail(
            cat("Expected ", types.size(), " parameters but got ", statement.params.size(), "."));
  }
  TRY(refresh_path(fiber));
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  AnalyzeContext analysis = analyze_context(fiber, arena, *catalog, outer.text, nullptr);
  NodePlannerWorld world(node_.access, *catalog, path_, view_, memory_, oldest_visible());
  for (size_t i = 0; i < types.size(); ++i) {
    const Expr* expr = TRY(
        analyze_expression(analysis, *statement.params[i], nullptr, types[i], -1, cat("$", i + 1)));
    const NullableDatum value = TRY(world.evaluate(fiber, arena, *expr));
    values.push_back(value);
  }
  return inner;
}

Result<std::string> Session::execute_statement(Fiber& fiber, const PlannedStatement& outer,
                                               const ExecuteStmt& statement,
                                               std::span<const WireFormat> formats,
                                               ResultSink& sink) {
  Arena arena(&memory_);
  std::vector<NullableDatum> values;
  const StatementRef inner = TRY(bind_execute(fiber, outer, statement, arena, values));
  return run_query_statement(fiber, inner, values, formats, sink);
}

Result<std::string> Session::deallocate(const DeallocateStmt& statement) {
  if (statement.name.empty()) {
    prepared_.clear();
    return std::string("DEALLOCATE ALL");
  }
  TRY(find_prepared(statement.name));
  prepared_.erase(prepared_.find(statement.name));
  return std::string("DEALLOCATE");
}

Result<std::string> Session::discard(Fiber& fiber, const DiscardStmt& statement) {
  switch (statement.target) {
    case DiscardMode::plans: shared_.clear(); return std::string("DISCARD PLANS");
    case DiscardMode::sequences:
      services_->forget_sequences();
      return std::string("DISCARD SEQUENCES");
    case DiscardMode::temp:
      if (temporary_schema_) TRY(drop_contents(fiber, temporary_schema_));
      return std::string("DISCARD TEMP");
    case DiscardMode::all: break;
  }
  TRY(block_.check_alone("DISCARD ALL"));
  portals_.clear();
  prepared_.clear();
  TRY(reset_by_name(fiber, "session_authorization", Settings::Scope::session));
  TRY(reset_all());
  if (temporary_schema_) TRY(drop_contents(fiber, temporary_schema_));
  node_.transactions.locks().release_session_advisory(owner_);
  services_->forget_sequences();
  return std::string("DISCARD ALL");
}

Result<std::string> Session::lock_statement(Fiber& fiber, const PlannedStatement& outer,
                                            const LockStmt& statement) {
  if (!block_.is_in_block()) {
    return raise(sqlstate::no_active_sql_transaction,
                 "LOCK TABLE can only be used in transaction blocks");
  }
  if (statement.nowait) return unsupported("LOCK TABLE ... NOWAIT");
  Arena arena(&memory_);
  TRY(refresh_path(fiber));
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  AnalyzeContext analysis = analyze_context(fiber, arena, *catalog, outer.text, nullptr);
  for (const RangeVar* name : statement.relations)
    TRY(resolve_relation(analysis, *name, statement.mode));
  return std::string("LOCK TABLE");
}

Result<StatementDescription> Session::describe_utility(const Node& node) {
  StatementDescription description;
  if (const auto* show = as_if<VariableShowStmt>(&node)) {
    static constexpr std::string_view kAll[] = {"name", "setting", "description"};
    described_.clear();
    const std::optional<SettingId> id = find_setting(show->name);
    const std::string_view one[] = {id ? setting_def(*id).name : std::string_view(show->name)};
    const std::span<const std::string_view> names =
        show->name == "all" ? std::span<const std::string_view>(kAll) : one;
    const TextRows rows(names);
    described_.assign(rows.columns().begin(), rows.columns().end());
    description.has_rows = true;
    description.columns = described_;
  } else if (const auto* explained = as_if<ExplainStmt>(&node)) {
    static constexpr std::string_view kHeading[] = {"QUERY PLAN"};
    bool json = false;
    for (const DefElem* option : explained->options) {
      const auto* format = option->defname == "format" ? as_if<String>(option->arg) : nullptr;
      if (format != nullptr) json = format->sval == "json";
    }
    const TextRows rows(kHeading, explain_type(json));
    described_.assign(rows.columns().begin(), rows.columns().end());
    description.has_rows = true;
    description.columns = described_;
  } else if (const auto* execute = as_if<ExecuteStmt>(&node)) {
    PreparedStatement* prepared = TRY(find_prepared(execute->name));
    description.has_rows =
        prepared->statement->plan != nullptr && prepared->statement->plan->returns_rows;
    description.columns = prepared->statement->columns;
  } else if (const auto* fetched = as_if<FetchStmt>(&node);
             fetched != nullptr && !fetched->ismove) {
    Portal* portal = TRY(find_cursor(fetched->portalname));
    description.has_rows = true;
    description.columns = portal->statement->columns;
  }
  return description;
}

}  // namespace orrery
