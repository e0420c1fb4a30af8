// Cursors: portals that SQL declares, moves and closes. What was fetched is kept, so that a cursor
// can go back whatever its plan; NO SCROLL says it never will.
//
// A position counts rows from 1; 0 is before the first, one more than there are is behind the last.

#include "base/text.h"
#include "exec/functions.h"
#include "session/session.h"

namespace orrery {
namespace {

// Rows by number, all of them kept, as batches to the sink.
Status send_rows(Fiber& fiber, const Portal& portal, std::span<const uint64_t> numbers,
                 ResultSink& sink) {
  const size_t columns = portal.statement->columns.size();
  Arena arena;
  for (size_t done = 0; done < numbers.size(); done += kBatchRows) {
    arena.reset();
    const auto count = static_cast<uint32_t>(std::min<size_t>(kBatchRows, numbers.size() - done));
    std::vector<Vector> vectors;
    for (size_t c = 0; c < columns; ++c) {
      Vector& vector = vectors.emplace_back(Vector::make(arena));
      for (uint32_t i = 0; i < count; ++i)
        vector.set(i, portal.kept[numbers[done + i] - 1 - portal.passed][c]);
    }
    TRY(sink.add_rows(fiber, Batch{.columns = vectors, .rows = {.count = count}}));
  }
  return {};
}

}  // namespace

Result<Portal*> Session::find_cursor(std::string_view name) {
  auto found = portals_.find(name);
  if (found != portals_.end()) return found->second.get();
  return raise(sqlstate::undefined_cursor, cat("cursor \"", name, "\" does not exist"));
}

Result<std::string> Session::declare_cursor(Fiber& fiber, const PlannedStatement& outer,
                                            const DeclareCursorStmt& statement) {
  const bool hold = (statement.options & kCursorHold) != 0;
  if (!hold && !block_.is_in_block()) {
    return raise(sqlstate::no_active_sql_transaction,
                 "DECLARE CURSOR can only be used in transaction blocks");
  }
  if (statement.portalname.empty()) {
    return raise(sqlstate::invalid_cursor_name, "invalid cursor name: must not be empty");
  }
  if (portals_.contains(statement.portalname)) {
    return raise(sqlstate::duplicate_cursor,
                 cat("cursor \"", statement.portalname, "\" already exists"));
  }
  // The tree dies with its message, so the query is parsed again from its own text.
  StatementRef query = TRY(parse_one(fiber, own_text(outer), outer.parameter_types));
  query->statement = as<DeclareCursorStmt>(*query->statement).query;
  query->is_query = true;
  TRY(analyze_and_plan(fiber, *query));
  if (hold && !query->plan->row_marks.empty()) {
    return raise(sqlstate::feature_not_supported,
                 "DECLARE CURSOR WITH HOLD ... FOR UPDATE is not supported")
        .detail("Holdable cursors must be READ ONLY.");
  }
  auto portal = std::make_unique<Portal>(&memory_);
  portal->name = statement.portalname;
  portal->statement = std::move(query);
  portal->cursor = true;
  portal->hold = hold;
  portal->keeps_rows = (statement.options & kCursorNoScroll) == 0;
  portal->level = block_.transaction().depth();
  if ((statement.options & kCursorBinary) != 0) portal->formats = {WireFormat::binary};
  TRY(start_portal(fiber, *portal));
  portals_.insert_or_assign(portal->name, std::move(portal));
  return std::string("DECLARE CURSOR");
}

// Fetches until the first `wanted` rows have been seen, or there are no more.
Status Session::keep_rows(Portal& portal, uint64_t wanted) {
  if (portal.finished || portal.rows_seen() >= wanted) return {};
  std::vector<ColumnDesc> descs;
  for (const ResultColumn& column : portal.statement->columns) {
    const ColumnDesc desc = TRY(type_desc(portal.execution->context(), column.type));
    descs.push_back(desc);
  }
  while (portal.rows_seen() < wanted && !portal.finished) {
    const uint64_t missing = wanted - portal.rows_seen();
    const Batch* batch = TRY(portal.execution->next(missing));
    if (batch == nullptr) {
      portal.finished = true;
      break;
    }
    for (uint32_t i = 0; i < batch->rows.count; ++i) {
      const std::span<NullableDatum> row = portal.arena.make_array<NullableDatum>(descs.size());
      for (size_t c = 0; c < descs.size(); ++c) {
        row[c] = batch->columns[c].at(batch->rows[i]);
        if (!row[c].is_null) row[c].value = copy_datum(portal.arena, row[c].value, descs[c]);
      }
      portal.kept.push_back(row);
    }
    TRY(memory_.check());
  }
  return {};
}

// The rows behind the position that are kept already, up to `limit` (0: all). Returns how many.
Result<uint64_t> Session::send_kept(Fiber& fiber, Portal& portal, uint64_t limit,
                                    ResultSink& sink) {
  std::vector<uint64_t> numbers;
  for (uint64_t row = portal.position + 1; row <= portal.rows_seen(); ++row) {
    if (limit > 0 && numbers.size() == limit) break;
    numbers.push_back(row);
  }
  TRY(send_rows(fiber, portal, numbers, sink));
  portal.position += numbers.size();
  return numbers.size();
}

// The transaction commits: cursors WITH HOLD read what is left of their rows while they can.
Status Session::hold_cursors() {
  for (auto& [name, portal] : portals_) {
    if (!portal->hold || portal->held) continue;
    TRY(keep_rows(*portal, kFetchAll));
    portal->execution.reset();
    portal->held = true;
  }
  return {};
}

// The rows a FETCH names, by number and in order; moves the cursor.
Result<std::vector<uint64_t>> Session::move_cursor(Portal& portal, const FetchStmt& statement) {
  const int64_t count = statement.how_many;
  const auto position = static_cast<int64_t>(portal.position);
  auto far = [](int64_t a, int64_t b) { return a > kFetchAll - b ? kFetchAll : a + b; };
  int64_t target = 0;  // where the cursor goes
  bool single = true;  // only the row it ends on is fetched
  switch (statement.direction) {
    case FetchDirection::absolute: target = count; break;
    case FetchDirection::relative: target = position + count; break;
    case FetchDirection::forward:
      single = count == 0;
      target = count >= 0 ? far(position, count) : std::max<int64_t>(position + count, 0);
      break;
    case FetchDirection::backward:
      single = count == 0;
      target = count >= 0 ? std::max<int64_t>(count == kFetchAll ? 0 : position - count, 0)
                          : far(position, -count);
      break;
  }
  const bool from_end = statement.direction == FetchDirection::absolute && count < 0;
  if (from_end) {
    TRY(keep_rows(portal, kFetchAll));
    target = std::max<int64_t>(static_cast<int64_t>(portal.rows_seen()) + 1 + count, 0);
  }
  target = std::max<int64_t>(target, 0);
  const bool back = target < position || (single && target == position &&
                                          statement.direction != FetchDirection::forward);
  // What the protocol's Execute sent is gone.
  const bool gone = target <= static_cast<int64_t>(portal.passed) && portal.passed > 0;
  if (back && (!portal.keeps_rows || gone)) {
    return raise(sqlstate::object_not_in_prerequisite_state, "cursor can only scan forward")
        .hint("Declare it with SCROLL option to enable backward scan.");
  }
  TRY(keep_rows(portal, static_cast<uint64_t>(target)));
  const auto rows = static_cast<int64_t>(portal.rows_seen());
  target = std::min(target, rows + 1);
  std::vector<uint64_t> numbers;
  if (single) {
    if (target >= 1 && target <= rows) numbers.push_back(static_cast<uint64_t>(target));
  } else if (target > position) {
    for (int64_t row = position + 1; row <= std::min(target, rows); ++row)
      numbers.push_back(static_cast<uint64_t>(row));
  } else {
    const bool to_start =
        statement.direction == FetchDirection::backward ? count >= position : -count >= position;
    for (int64_t row = position - 1; row >= std::max<int64_t>(to_start ? 1 : target, 1); --row) {
      numbers.push_back(static_cast<uint64_t>(row));
    }
  }
  portal.position = static_cast<uint64_t>(target);
  return numbers;
}

Result<std::string> Session::fetch(Fiber& fiber, const FetchStmt& statement,
                                   std::span<const WireFormat> formats, ResultSink& sink) {
  Portal* portal = TRY(find_cursor(statement.portalname));
  if (portal->execution == nullptr && !portal->held) {
    if (!portal->statement->is_query) {
      return raise(sqlstate::object_not_in_prerequisite_state,
                   cat("portal \"", portal->name, "\" cannot be run"));
    }
    TRY(start_portal(fiber, *portal));
  }
  const std::vector<uint64_t> numbers = TRY(move_cursor(*portal, statement));
  if (statement.ismove) return cat("MOVE ", numbers.size());
  const std::span<const WireFormat> chosen = portal->formats.empty() ? formats : portal->formats;
  TRY(sink.begin_rows(fiber, portal->statement->columns, chosen, view_.types));
  TRY(send_rows(fiber, *portal, numbers, sink));
  return cat("FETCH ", numbers.size());
}

Result<std::string> Session::close_cursor(const ClosePortalStmt& statement) {
  if (statement.portalname.empty()) {
    portals_.clear();
    return std::string("CLOSE CURSOR ALL");
  }
  TRY(find_cursor(statement.portalname));
  drop_portal(statement.portalname);
  return std::string("CLOSE CURSOR");
}

}  // namespace orrery
