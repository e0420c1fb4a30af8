// EXPLAIN: the statement.

#include "base/text.h"
#include "command/helpers.h"
#include "session/explain.h"
#include "session/session.h"
#include "session/text_rows.h"
#include "sql/parser.h"

namespace orrery {
namespace {

Result<ExplainOptions> read_options(const ExplainStmt& statement, std::string_view text) {
  ExplainOptions options;
  bool timing_given = false, summary_given = false;
  for (const DefElem* option : statement.options) {
    const std::string_view name = option->defname;
    if (name == "format") {
      const std::string format = TRY(option_text(*option));
      if (format == "xml" || format == "yaml")
        return unsupported(cat("EXPLAIN (FORMAT ", to_upper(format), ")"));
      if (format != "text" && format != "json") {
        return raise(sqlstate::invalid_parameter_value,
                     cat("unrecognized value for EXPLAIN option \"format\": \"", format, "\""))
            .at(character_position(text, option->location));
      }
      options.format =
          format == "json" ? ExplainOptions::Format::json : ExplainOptions::Format::text;
      continue;
    }
    const bool on = TRY(option_boolean(*option));
    if (name == "analyze") {
      options.analyze = on;
    } else if (name == "verbose") {
      options.verbose = on;
    } else if (name == "costs") {
      options.costs = on;
    } else if (name == "timing") {
      options.timing = on;
      timing_given = true;
    } else if (name == "summary") {
      options.summary = on;
      summary_given = true;
    } else if (name == "buffers" || name == "wal" || name == "settings") {
      if (on) return unsupported(cat("EXPLAIN (", to_upper(name), ")"));
    } else {
      return raise(sqlstate::syntax_error, cat("unrecognized EXPLAIN option \"", name, "\""))
          .at(character_position(text, option->location));
    }
  }
  if (timing_given && options.timing && !options.analyze)
    return raise(sqlstate::invalid_parameter_value, "EXPLAIN option TIMING requires ANALYZE");
  if (!summary_given) options.summary = options.analyze;
  return options;
}

constexpr std::string_view kHeading[] = {"QUERY PLAN"};

}  // namespace

Oid explain_type(bool json) {
  // Until the type can be written out, its text goes as text.
  return json && find_builtin_type(type_oid::json) != nullptr ? type_oid::json : type_oid::text;
}

// The statement that is explained, planned now.
Result<StatementRef> Session::explained_statement(Fiber& fiber, const PlannedStatement& outer) {
  StatementRef inner = TRY(parse_one(fiber, own_text(outer), outer.parameter_types));
  const Node* query = as<ExplainStmt>(*inner->statement).query;
  if (const auto* cursor = as_if<DeclareCursorStmt>(query)) query = cursor->query;
  if (const auto* run = as_if<ExecuteStmt>(query)) {
    if (!run->params.empty()) return unsupported("EXPLAIN EXECUTE with parameters");
    return find_prepared_query(fiber, run->name, "EXPLAIN EXECUTE");
  }
  const auto* made = as_if<CreateTableAsStmt>(query);
  if (made != nullptr && made->query->tag != NodeTag::SelectStmt)
    return unsupported("EXPLAIN CREATE TABLE AS EXECUTE");
  if (made != nullptr || into_of(*query) != nullptr) return into_query(fiber, outer);
  inner->statement = query;
  inner->is_query = is_query_node(*query);
  if (!inner->is_query) return unsupported(cat("EXPLAIN of ", node_tag_name(query->tag)));
  TRY(analyze_and_plan(fiber, *inner));
  return inner;
}

Result<std::string> Session::explain(Fiber& fiber, const PlannedStatement& outer,
                                     const ExplainStmt& statement,
                                     std::span<const WireFormat> formats, ResultSink& sink) {
  const ExplainOptions options = TRY(read_options(statement, outer.text));
  const Instant start = fiber.now();
  const StatementRef inner = TRY(explained_statement(fiber, outer));
  const int64_t planning = fiber.now() - start;
  TRY(check_rights(fiber, *inner));
  if (options.analyze) TRY(check_read_only(*inner));
  const auto count = static_cast<size_t>(number_plan_nodes(*inner->plan));
  std::vector<NodeMeasure> measures;
  int64_t running = 0;
  if (options.analyze) {
    const Node& query = *statement.query;
    if (query.tag == NodeTag::CreateTableAsStmt || into_of(query) != nullptr)
      return unsupported("EXPLAIN ANALYZE of CREATE TABLE AS");
    measures.resize(count);
    const Instant begin = fiber.now();
    Execution::World around = world();
    around.measures = &measures;
    const std::unique_ptr<Execution> execution =
        TRY(Execution::start(fiber, inner, around, statement_snapshot(), {}));
    while (true) {
      const Batch* batch = TRY(execution->next(0));
      if (batch == nullptr) break;
    }
    running = fiber.now() - begin;
  }
  Arena arena(&memory_);
  const std::unique_ptr<CatalogReader> catalog = new_reader();
  AnalyzeContext context = analyze_context(fiber, arena, *catalog, outer.text, nullptr);
  const ExplainNode root = TRY(explain_plan(context, *inner->plan, options));
  const bool json = options.format == ExplainOptions::Format::json;
  std::string out;
  if (json) {
    out = "[\n  {\n    \"Plan\": ";
    append_explain_json(root, options, measures, 2, out);
    if (options.summary) {
      out += cat(",\n    \"Planning Time\": ", explain_milliseconds(planning));
      if (options.analyze) {
        out += cat(",\n    \"Triggers\": [\n    ],\n    \"Execution Time\": ",
                   explain_milliseconds(running));
      }
    }
    out += "\n  }\n]";
  } else {
    append_explain_text(root, options, measures, 0, out);
    if (options.summary) out += cat("Planning Time: ", explain_milliseconds(planning), " ms\n");
    if (options.summary && options.analyze)
      out += cat("Execution Time: ", explain_milliseconds(running), " ms\n");
  }
  TextRows rows(kHeading, explain_type(json));
  if (json) {
    rows.add({out});
  } else {
    for (size_t at = 0; at < out.size();) {
      const size_t end = out.find('\n', at);
      rows.add({out.substr(at, end - at)});
      at = end + 1;
    }
  }
  TRY(rows.send(fiber, formats, view_.types, sink));
  return std::string("EXPLAIN");
}

}  // namespace orrery
