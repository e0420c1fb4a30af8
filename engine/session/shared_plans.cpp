// Running a simple query by the plan of its shape; see statement_shape.h.

#include "base/text.h"
#include "catalog/relation_info.h"
#include "session/session.h"
#include "session/statement_scope_internal.h"
#include "types/type_oids.h"

namespace orrery {

// True: the text was a statement whose shape has a plan, and it has run.
Result<bool> Session::run_by_shape(Fiber& fiber, std::string_view text, ResultSink& sink) {
  if (block_.status() == TransactionStatus::failed || !read_shape(text, shape_)) return false;
  auto found = shared_.find(shape_.text);
  if (found == shared_.end()) {
    // Many shapes: a client that makes up its statements. None of them is worth keeping.
    if (shared_.size() >= kMostShapes) shared_.clear();
    shared_.emplace(shape_.text, SharedPlan{});
    return false;
  }
  SharedPlan& shared = found->second;
  if (shared.never) return false;
  block_.begin_statement(false);
  refresh_view(fiber);
  const bool usable = TRY(make_usable(fiber, shared));
  if (!usable) return false;
  fiber.charge_only(text.size() / 16 + 1);
  parameters_.clear();
  for (const int32_t value : shape_.values) parameters_.push_back({Datum::of(value), false});
  const StatementRef statement = shared.statement;  // the table of shapes may change meanwhile
  const std::string tag = TRY(run_current(fiber, statement, parameters_, {}, sink));
  TRY(block_.transaction().next_command());
  TRY(block_.end_implicit(fiber));
  sink.end(tag);
  return true;
}

// A plan that holds now, with its tables locked; false when this statement is better off alone.
Result<bool> Session::make_usable(Fiber& fiber, SharedPlan& shared) {
  if (!shared.statement) {
    shared.never = true;  // unless what follows goes well
    StatementRef made = TRY(plan_shape(fiber));
    if (!made || !takes_parameters(*made->statement) ||
        !is_steady(*made->plan, shared.read_whole)) {
      shared.read_whole.clear();
      return false;
    }
    shared.statement = std::move(made);
    shared.never = false;
  } else if (is_current(*shared.statement)) {
    TRY(lock_tables(fiber, *shared.statement));
  }
  bool holds = is_current(*shared.statement);
  for (const RelationInfo* relation : shared.read_whole) {
    if (!holds) break;
    const BlockNo pages = TRY(node_.access.storage().file_size(fiber, relation->storage.file));
    holds = pages.v <= kFewPages;
  }
  // Planned again when it comes again.
  if (!holds) shared = SharedPlan{};
  return holds;
}

// Null: what is wrong with the statement, if anything, will be said when it runs as it stands.
Result<StatementRef> Session::plan_shape(Fiber& fiber) {
  ResultSink* const sink = std::exchange(sink_, nullptr);
  auto work = [&]() -> Result<StatementRef> {
    const std::vector<Oid> types(shape_.values.size(), type_oid::int4);
    StatementRef made = TRY(parse_one(fiber, shape_.with_parameters(), types));
    if (!made->is_query) return StatementRef();
    TRY(analyze_and_plan(fiber, *made));
    return made;
  };
  Result<StatementRef> made = work();
  sink_ = sink;
  if (made.ok()) return made;
  const bool is_its_own = made.status().error().code.class_text() == "42" ||
                          made.status().error().code.class_text() == "22" ||
                          made.status().error().code.class_text() == "0A";
  if (!is_its_own) return std::move(made).status();
  return StatementRef();
}

}  // namespace orrery
