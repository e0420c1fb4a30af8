// From text to a plan, and keeping a plan true.

#include "base/text.h"
#include "catalog/acl.h"
#include "catalog/relation_info.h"
#include "command/helpers.h"
#include "session/planner_world.h"
#include "session/session.h"
#include "sql/parser.h"
#include "types/utf8.h"

namespace orrery {
namespace {

// The query that a PREPARE or DECLARE CURSOR keeps; the statement itself otherwise.
const Node* kept_query(const Node* statement) {
  if (const auto* prepare = as_if<PrepareStmt>(statement)) return prepare->query;
  if (const auto* declare = as_if<DeclareCursorStmt>(statement)) return declare->query;
  return statement;
}

bool same_columns(std::span<const ResultColumn> a, std::span<const ResultColumn> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ResultColumn& x, const ResultColumn& y) {
                      return x.type == y.type && x.typmod == y.typmod && x.name == y.name;
                    });
}

}  // namespace

ParseOptions Session::parse_options(std::vector<ParseNotice>& notices) {
  using Quote = ParseOptions::BackslashQuote;
  const std::string quote = settings_.show(SettingId::backslash_quote);
  return {.standard_conforming_strings = settings_.get_bool(SettingId::standard_conforming_strings),
          .escape_string_warning = settings_.get_bool(SettingId::escape_string_warning),
          .backslash_quote = quote == "on"    ? Quote::on
                             : quote == "off" ? Quote::off
                                              : Quote::safe_encoding,
          .notices = &notices};
}

void Session::send_notices(std::span<const ParseNotice> notices) {
  for (const ParseNotice& said : notices) {
    Status status = raise(said.code, said.message);
    status.error().hint = said.hint;
    status.error().position = said.position;
    notice(said.is_warning ? Severity::warning : Severity::notice, status.error());
  }
}

std::string Session::own_text(const PlannedStatement& statement) {
  const auto start = static_cast<size_t>(std::max(statement.text_start, 0));
  const auto length =
      statement.text_length > 0 ? static_cast<size_t>(statement.text_length) : std::string::npos;
  return std::string(start, ' ') + std::string(statement.text.substr(start, length));
}

Result<StatementRef> Session::parse_one(Fiber& fiber, std::string_view text,
                                        std::span<const Oid> types) {
  TRY(check_utf8(text));
  StatementRef made = StatementRef::make(&memory_);
  made->owned_text = text;
  made->text = made->owned_text;
  made->parameter_types.assign(types.begin(), types.end());
  std::vector<ParseNotice> notices;
  const auto statements = TRY(orrery::parse(made->arena, made->text, parse_options(notices)));
  send_notices(notices);
  fiber.charge_only(text.size() / 16 + 1);
  if (statements.size() > 1) {
    return raise(sqlstate::syntax_error,
                 "cannot insert multiple commands into a prepared statement");
  }
  if (!statements.empty()) {
    made->statement = statements[0]->stmt;
    made->is_query = is_query_node(*made->statement);
  }
  return made;
}

Status Session::analyze_and_plan(Fiber& fiber, PlannedStatement& statement) {
  CHECK(statement.is_query && !statement.is_planned());
  TRY(refresh_path(fiber));
  statement.columns.clear();
  statement.reader = new_reader();
  statement.cache = &store_->cache();
  statement.settings_generation = settings_.generation();
  statement.role = current_user_;
  statement.temporary_schema = temporary_schema_;
  statement.rights_checked = false;
  AnalyzeContext analysis = analyze_context(fiber, statement.arena, *statement.reader,
                                            statement.text, &statement.parameter_types);
  statement.query = TRY(analyze_statement(analysis, *statement.statement));
  for (size_t i = 0; i < statement.parameter_types.size(); ++i) {
    if (statement.parameter_types[i]) continue;
    return raise(sqlstate::indeterminate_datatype,
                 cat("could not determine data type of parameter $", i + 1));
  }
  const PlannerSettings settings = planner_settings();
  NodePlannerWorld world(node_.access, *statement.reader, path_, view_, memory_, oldest_visible());
  PlanContext planning{.fiber = fiber,
                       .arena = statement.arena,
                       .catalog = *statement.reader,
                       .world = world,
                       .settings = settings};
  Plan* plan = TRY(make_plan(planning, *statement.query));
  for (const TargetEntry& target : plan->result_columns) {
    const CatalogType* type = TRY(statement.reader->type(fiber, target.expr->type));
    CHECK(type != nullptr);
    statement.columns.push_back({.name = target.name,
                                 .table = target.origin_table,
                                 .attribute = static_cast<int16_t>(target.origin_column),
                                 .type = target.expr->type,
                                 .type_length = type->io.length,
                                 .typmod = target.expr->typmod});
  }
  statement.plan = plan;
  statement.was_planned = true;
  return {};
}

bool Session::is_current(const PlannedStatement& statement) {
  return statement.cache == &store_->cache() &&
         statement.settings_generation == settings_.generation() &&
         statement.role == current_user_ && statement.temporary_schema == temporary_schema_ &&
         statement.reader->is_current();
}

// Looked up through the statement's own reader, so that a change of roles or access lists makes the
// plan stale.
Status Session::check_rights(Fiber& fiber, PlannedStatement& statement) {
  if (statement.rights_checked || statement.plan == nullptr) return {};
  for (const RangeEntry* entry : statement.plan->range_table) {
    const RelationInfo* relation = entry->view != nullptr ? entry->view : entry->relation;
    const AclMode wanted = entry->view != nullptr ? kAclSelect : entry->required_privileges;
    if (relation == nullptr || wanted == 0) continue;
    const Oid role = entry->check_as ? entry->check_as : current_user_;
    TRY(check_relation_rights(fiber, *statement.reader, *relation, role, wanted));
    // Caches know of changes to catalogs by who made them: nobody writes them by hand.
    if (entry->lock_mode >= kRowExclusiveLock) TRY(check_not_catalog(*relation));
  }
  statement.rights_checked = true;
  return {};
}

Status Session::lock_tables(Fiber& fiber, const PlannedStatement& statement) {
  for (const RangeEntry* entry : statement.plan->range_table) {
    if (entry->kind != RangeKind::relation || entry->lock_mode == 0) continue;
    TRY(lock_relation(fiber, entry->relation->oid, entry->lock_mode));
  }
  return {};
}

Result<StatementRef> Session::make_current(Fiber& fiber, StatementRef statement) {
  if (!statement->is_query) return statement;
  if (statement->is_planned() && is_current(*statement)) {
    TRY(lock_tables(fiber, *statement));
    if (is_current(*statement)) return statement;
  }
  if (!statement->was_planned && !statement->reader) {
    TRY(analyze_and_plan(fiber, *statement));
    return statement;
  }
  StatementRef again = TRY(parse_one(fiber, statement->text, statement->parameter_types));
  again->statement = kept_query(again->statement);
  again->is_query = true;
  TRY(analyze_and_plan(fiber, *again));
  if (statement->was_planned && !same_columns(statement->columns, again->columns)) {
    return raise(sqlstate::feature_not_supported, "cached plan must not change result type");
  }
  return again;
}

}  // namespace orrery
