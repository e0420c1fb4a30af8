// The extended protocol: statements prepared under names, bound to parameters as portals, run in
// pieces.

#include "base/text.h"
#include "func/large_work.h"
#include "session/session.h"
#include "session/statement_scope_internal.h"
#include "types/type_io.h"
#include "types/utf8.h"

namespace orrery {
namespace {

std::string quoted_or_unnamed(std::string_view kind, std::string_view name) {
  return name.empty() ? cat("unnamed ", kind) : cat(kind, " \"", name, "\"");
}

}  // namespace

Result<PreparedStatement*> Session::find_prepared(std::string_view name) {
  auto found = prepared_.find(name);
  if (found != prepared_.end()) return &found->second;
  return raise(sqlstate::invalid_sql_statement_name,
               name.empty() ? std::string("unnamed prepared statement does not exist")
                            : cat("prepared statement \"", name, "\" does not exist"));
}

Result<Portal*> Session::find_portal(std::string_view name) {
  auto found = portals_.find(name);
  if (found != portals_.end()) return found->second.get();
  return raise(sqlstate::invalid_cursor_name, cat("portal \"", name, "\" does not exist"));
}

void Session::drop_portal(std::string_view name) {
  auto found = portals_.find(name);
  if (found != portals_.end()) portals_.erase(found);
}

// A message of the extended protocol runs in the transaction of those before it, up to Sync.
Status Session::begin_message(Fiber& fiber) {
  block_.begin_statement(false);
  refresh_view(fiber);
  return {};
}

Status Session::failed(Fiber& fiber, Status error) {
  CHECK(!error.ok());
  block_.fail(fiber);
  return error;
}

Status Session::parse(Fiber& fiber, std::string_view name, std::string_view text,
                      std::span<const Oid> types) {
  auto work = [&]() -> Status {
    TRY(begin_message(fiber));
    StatementRef statement = TRY(parse_one(fiber, text, types));
    if (statement->statement != nullptr) {
      TRY(block_.check_allowed(*statement->statement));
      if (statement->is_query) TRY(analyze_and_plan(fiber, *statement));
    }
    if (!name.empty() && prepared_.contains(name)) {
      return raise(sqlstate::duplicate_pstatement,
                   cat("prepared statement \"", name, "\" already exists"));
    }
    prepared_.insert_or_assign(std::string(name),
                               PreparedStatement{.statement = std::move(statement)});
    return {};
  };
  Status status = work();
  return status.ok() ? Status() : failed(fiber, std::move(status));
}

Status Session::bind_parameters(Fiber& fiber, const BindRequest& request, Portal& portal) {
  const std::vector<Oid>& types = portal.statement->parameter_types;
  if (request.parameters.size() != types.size()) {
    return raise(sqlstate::protocol_violation,
                 cat("bind message supplies ", request.parameters.size(), " parameters, but ",
                     quoted_or_unnamed("prepared statement", request.statement), " requires ",
                     types.size()));
  }
  for (size_t i = 0; i < types.size(); ++i) {
    const BindParameter& given = request.parameters[i];
    NullableDatum value;
    if (!given.is_null) {
      value.is_null = false;
      const TypeInfo* const type = TRY(find_type(view_.types, types[i]));
      IoContext io{.arena = portal.arena, .settings = view_.types, .type = types[i]};
      if (given.format == WireFormat::text) {
        TRY(check_utf8(as_text(given.value)));
        if (type->input == nullptr) return unsupported(cat("text input of type ", type->name));
        value.value = TRY(read_text(fiber, io, *type, as_text(given.value)));
      } else {
        if (type->receive == nullptr) return unsupported(cat("binary input of type ", type->name));
        value.value = TRY(read_binary(fiber, io, *type, given.value));
      }
    }
    portal.parameters.push_back(value);
  }
  return {};
}

Status Session::bind(Fiber& fiber, const BindRequest& request, ResultSink& sink) {
  sink_ = &sink;
  auto work = [&]() -> Status {
    TRY(begin_message(fiber));
    PreparedStatement* prepared = TRY(find_prepared(request.statement));
    const Node* node = prepared->statement->statement;
    if (node != nullptr) TRY(block_.check_allowed(*node));
    if (!request.portal.empty() && portals_.contains(request.portal)) {
      return raise(sqlstate::duplicate_cursor,
                   cat("portal \"", request.portal, "\" already exists"));
    }
    auto portal = std::make_unique<Portal>(&memory_);
    portal->name = request.portal;
    if (node != nullptr && block_.has_transaction()) {
      prepared->statement = TRY(make_current(fiber, prepared->statement));
    }
    portal->statement = prepared->statement;
    TRY(bind_parameters(fiber, request, *portal));
    const size_t columns = portal->statement->columns.size();
    if (request.result_formats.size() > 1 && node != nullptr && prepared->statement->is_query &&
        request.result_formats.size() != columns) {
      return raise(sqlstate::protocol_violation,
                   cat("bind message has ", request.result_formats.size(),
                       " result formats but query has ", columns, " columns"));
    }
    portal->formats.assign(request.result_formats.begin(), request.result_formats.end());
    if (block_.has_transaction()) portal->level = block_.transaction().depth();
    portals_.insert_or_assign(portal->name, std::move(portal));
    return {};
  };
  Status status = work();
  sink_ = nullptr;
  return status.ok() ? Status() : failed(fiber, std::move(status));
}

Result<StatementDescription> Session::describe_statement(Fiber& fiber, std::string_view name) {
  auto work = [&]() -> Result<StatementDescription> {
    TRY(begin_message(fiber));
    PreparedStatement* prepared = TRY(find_prepared(name));
    const Node* node = prepared->statement->statement;
    StatementDescription description;
    if (node != nullptr) {
      TRY(block_.check_allowed(*node));
      prepared->statement = TRY(make_current(fiber, prepared->statement));
      if (prepared->statement->is_query) {
        description.has_rows = prepared->statement->plan->returns_rows;
        description.columns = prepared->statement->columns;
      } else {
        description = TRY(describe_utility(*node));
      }
    }
    description.parameter_types = prepared->statement->parameter_types;
    return description;
  };
  auto described = work();
  if (!described.ok()) return failed(fiber, std::move(described).status());
  return described;
}

Result<StatementDescription> Session::describe_portal(Fiber& fiber, std::string_view name) {
  auto work = [&]() -> Result<StatementDescription> {
    TRY(begin_message(fiber));
    Portal* portal = TRY(find_portal(name));
    StatementDescription description;
    const Node* node = portal->statement->statement;
    if (node != nullptr && portal->statement->is_query) {
      description.has_rows = portal->statement->plan->returns_rows;
      description.columns = portal->statement->columns;
    } else if (node != nullptr) {
      description = TRY(describe_utility(*node));
    }
    description.formats = portal->formats;
    return description;
  };
  auto described = work();
  if (!described.ok()) return failed(fiber, std::move(described).status());
  return described;
}

Status Session::start_portal(Fiber& fiber, Portal& portal) {
  if (portal.execution != nullptr) return {};
  TRY(check_may_run(fiber, *portal.statement));
  portal.execution = TRY(
      Execution::start(fiber, portal.statement, world(), statement_snapshot(), portal.parameters));
  return {};
}

// At most `limit` rows (0: all) of a portal that is started, to the sink. Returns how many came.
Result<uint64_t> Session::run_portal(Fiber& fiber, Portal& portal, uint64_t limit,
                                     ResultSink& sink) {
  uint64_t count = TRY(send_kept(fiber, portal, limit, sink));
  while (!portal.finished && (limit == 0 || count < limit)) {
    const Batch* batch = TRY(portal.execution->next(limit == 0 ? 0 : limit - count));
    if (batch == nullptr) {
      portal.finished = true;
      break;
    }
    count += batch->rows.count;
    portal.position += batch->rows.count;
    portal.passed = portal.position;
    portal.kept.clear();
    TRY(sink.add_rows(fiber, *batch));
  }
  return count;
}

Status Session::execute(Fiber& fiber, std::string_view name, uint64_t row_limit, ResultSink& sink) {
  auto work = [&]() -> Status {
    TRY(begin_message(fiber));
    Portal* portal = TRY(find_portal(name));
    const StatementRef statement = portal->statement;  // the portal may go meanwhile
    if (statement->statement == nullptr) {
      sink.end_empty();
      return {};
    }
    StatementScope scope(*this, fiber, statement->text, sink);
    TRY(block_.check_allowed(*statement->statement));
    if (!statement->is_query) {
      if (portal->utility_done) {
        return raise(sqlstate::object_not_in_prerequisite_state,
                     cat("portal \"", name, "\" cannot be run"));
      }
      portal->utility_done = true;
      const std::vector<WireFormat> formats = portal->formats;
      const std::string tag = TRY(run_one(fiber, statement, {}, formats, sink));
      sink.end(tag);
      return {};
    }
    const bool selects = statement->plan->command == CommandType::select;
    const bool over = portal->finished && portal->execution == nullptr && !portal->held;
    if (over && !selects) {
      return raise(sqlstate::object_not_in_prerequisite_state,
                   cat("portal \"", name, "\" cannot be run"));
    }
    if (!over && !portal->held) TRY(start_portal(fiber, *portal));
    if (statement->plan->returns_rows) {
      TRY(sink.begin_rows(fiber, statement->columns, portal->formats, view_.types));
    }
    if (over) {
      sink.end("SELECT 0");
      return {};
    }
    // All changes happen before the first row goes, however few are asked for.
    if (row_limit > 0 && (!selects || statement->plan->has_modifying_cte))
      TRY(keep_rows(*portal, kFetchAll));
    const uint64_t count = TRY(run_portal(fiber, *portal, row_limit, sink));
    TRY(block_.transaction().next_command());
    block_.statement_ran();
    if (row_limit > 0 && count == row_limit) {
      sink.end_suspended();
      return {};
    }
    // In pieces, each counts its own rows.
    const bool counts = selects || (row_limit > 0 && statement->plan->returns_rows);
    sink.end(counts ? command_tag(statement->plan->command, count)
                    : portal->execution->command_tag());
    if (!portal->cursor) Execution::end(std::move(portal->execution));
    return {};
  };
  Status status = work();
  return status.ok() ? Status() : failed(fiber, std::move(status));
}

Status Session::close_statement(Fiber&, std::string_view name) {
  if (auto found = prepared_.find(name); found != prepared_.end()) prepared_.erase(found);
  return {};
}

Status Session::close_portal(Fiber&, std::string_view name) {
  drop_portal(name);
  return {};
}

Status Session::sync(Fiber& fiber, ResultSink& sink) {
  sink_ = &sink;
  Status status = block_.end_implicit(fiber);
  sink_ = nullptr;
  free_memory(fiber);
  return status;
}

}  // namespace orrery
