#include "exec/window_frame.h"

#include "base/text.h"
#include "exec/functions.h"
#include "exec/projection.h"
#include "sql/ast.h"
#include "types/type_oids.h"

namespace orrery {

bool WindowFrame::excludes() const {
  return has(kFrameExcludeCurrentRow | kFrameExcludeGroup | kFrameExcludeTies);
}
bool WindowFrame::only_grows() const { return has(kFrameStartUnboundedPreceding) && !excludes(); }

Status WindowFrame::open() {
  const WindowClause& clause = *plan_.clause;
  if (clause.start_offset != nullptr) {
    start_ = TRY(Evaluator::compile(context_, *clause.start_offset, outer_column));
    if (clause.start_in_range)
      start_in_range_ = TRY(in_range_function(clause.start_in_range, *clause.start_offset));
  }
  if (clause.end_offset != nullptr) {
    end_ = TRY(Evaluator::compile(context_, *clause.end_offset, outer_column));
    if (clause.end_in_range)
      end_in_range_ = TRY(in_range_function(clause.end_in_range, *clause.end_offset));
  }
  return {};
}

Result<WindowFrame::InRange> WindowFrame::in_range_function(Oid function, const Expr& offset) {
  const FunctionBody* body = TRY(function_body(context_, function));
  if (body->kernel == nullptr) return unsupported("RANGE over this type");
  InRange made;
  made.kernel = body->kernel;
  made.site.function = function;
  made.site.result_type = type_oid::bool_;
  const size_t column = static_cast<size_t>(plan_.order_by[0].column - 1);
  const Oid value = plan_.left->targets[column].expr->type;
  made.site.argument_types = context_.arena.copy_array(
      std::vector<Oid>{value, value, offset.type, type_oid::bool_, type_oid::bool_});
  return made;
}

Status WindowFrame::start_scan(Arena& arena) {
  if (start_) {
    start_offset_ = TRY(start_->single(arena));
    TRY(check_offset(start_offset_, "starting"));
  }
  if (end_) {
    end_offset_ = TRY(end_->single(arena));
    TRY(check_offset(end_offset_, "ending"));
  }
  return {};
}

Status WindowFrame::check_offset(NullableDatum value, std::string_view which) const {
  if (value.is_null) {
    return raise(sqlstate::null_value_not_allowed,
                 cat("frame ", which, " offset must not be null"));
  }
  if (has(kFrameRows | kFrameGroups) && value.value.as<int64_t>() < 0) {
    return raise(sqlstate::invalid_preceding_or_following_size,
                 cat("frame ", which, " offset must not be negative"));
  }
  return {};
}

void WindowFrame::start_partition(PartitionRows& rows, const std::vector<uint64_t>& groups) {
  rows_ = &rows;
  groups_ = &groups;
  group = 0;
  begin = end = 0;
}

Status WindowFrame::move_to(uint64_t row) {
  current_ = row;
  while (group + 1 < groups_->size() && (*groups_)[group + 1] <= row) ++group;
  group_begin = (*groups_)[group];
  group_end = group + 1 < groups_->size() ? (*groups_)[group + 1] : rows_->size();
  if (has(kFrameRows)) {
    begin = TRY(rows_bound(true));
    end = TRY(rows_bound(false));
  } else if (has(kFrameGroups)) {
    begin = groups_bound(true);
    end = groups_bound(false);
  } else {
    begin = TRY(range_bound(true));
    end = TRY(range_bound(false));
  }
  excluded_begin = excluded_end = 0;
  keeps_current = has(kFrameExcludeTies);
  if (has(kFrameExcludeCurrentRow)) {
    excluded_begin = row;
    excluded_end = row + 1;
  } else if (has(kFrameExcludeGroup | kFrameExcludeTies)) {
    excluded_begin = group_begin;
    excluded_end = group_end;
  }
  return {};
}

Result<uint64_t> WindowFrame::rows_bound(bool start) const {
  const uint64_t count = rows_->size();
  const uint64_t one = start ? 0 : 1;  // an end is behind its row
  if (has(start ? kFrameStartUnboundedPreceding : kFrameEndUnboundedPreceding)) return uint64_t{0};
  if (has(start ? kFrameStartUnboundedFollowing : kFrameEndUnboundedFollowing)) return count;
  if (has(start ? kFrameStartCurrentRow : kFrameEndCurrentRow)) return current_ + one;
  const NullableDatum value = start ? start_offset_ : end_offset_;
  const auto offset = static_cast<uint64_t>(value.value.as<int64_t>());
  if (has(start ? kFrameStartOffsetPreceding : kFrameEndOffsetPreceding))
    return current_ + one > offset ? current_ + one - offset : 0;
  return std::min(count, current_ + one + std::min(offset, count));
}

uint64_t WindowFrame::groups_bound(bool start) const {
  const uint64_t count = rows_->size();
  if (has(start ? kFrameStartUnboundedPreceding : kFrameEndUnboundedPreceding)) return 0;
  if (has(start ? kFrameStartUnboundedFollowing : kFrameEndUnboundedFollowing)) return count;
  if (has(start ? kFrameStartCurrentRow : kFrameEndCurrentRow))
    return start ? group_begin : group_end;
  const NullableDatum value = start ? start_offset_ : end_offset_;
  const auto offset = static_cast<uint64_t>(value.value.as<int64_t>());
  const uint64_t groups = groups_->size();
  const uint64_t one = start ? 0 : 1;
  uint64_t wanted = 0;
  if (has(start ? kFrameStartOffsetPreceding : kFrameEndOffsetPreceding))
    wanted = group + one > offset ? group + one - offset : 0;
  else
    wanted = group + one + std::min(offset, groups);
  return wanted >= groups ? count : (*groups_)[wanted];
}

// With an offset the bound moves on from where it was while its row is not (or, for the end, still)
// within the offset of the current row's value. Against NULL only the order counts.
Result<uint64_t> WindowFrame::range_bound(bool start) {
  const uint64_t count = rows_->size();
  if (has(start ? kFrameStartUnboundedPreceding : kFrameEndUnboundedPreceding)) return uint64_t{0};
  if (has(start ? kFrameStartUnboundedFollowing : kFrameEndUnboundedFollowing)) return count;
  if (has(start ? kFrameStartCurrentRow : kFrameEndCurrentRow))
    return start ? group_begin : group_end;
  const SortKey& key = plan_.order_by[0];
  const auto column = static_cast<size_t>(key.column - 1);
  bool sub = has(start ? kFrameStartOffsetPreceding : kFrameEndOffsetPreceding);
  bool less = !start;
  if (key.descending) {
    sub = !sub;
    less = !less;
  }
  const StoredRow* now = TRY(rows_->row(current_));
  const bool now_null = now->nulls(rows_->width())[column] != 0;
  // The rows looked at below may take the place of this one.
  base_arena_.reset();
  const Datum base =
      now_null ? Datum() : copy_datum(base_arena_, now->values()[column], rows_->columns()[column]);
  uint64_t at = start ? begin : end;
  for (; at < count; ++at) {
    const StoredRow* row = TRY(rows_->row(at));
    const bool row_null = row->nulls(rows_->width())[column] != 0;
    bool stop = false;
    if (row_null || now_null) {
      if (start)
        stop = key.nulls_first ? !row_null || now_null : row_null || !now_null;
      else
        stop = key.nulls_first ? !row_null && now_null : row_null && !now_null;
    } else {
      const bool within =
          TRY(in_range(start ? start_in_range_ : end_in_range_, row->values()[column], base,
                       start ? start_offset_ : end_offset_, sub, less));
      stop = start ? within : !within;
    }
    if (stop) break;
    TRY(context_.fiber.charge(1));
  }
  return at;
}

Result<bool> WindowFrame::in_range(InRange& call, Datum value, Datum base, NullableDatum offset,
                                   bool sub, bool less) {
  arena_.reset();
  const NullableDatum values[] = {
      {value, false}, {base, false}, offset, {Datum::of(sub), false}, {Datum::of(less), false}};
  std::array<Vector, 5> args;
  for (size_t i = 0; i < 5; ++i) args[i] = Vector::make_constant(arena_, values[i]);
  Vector out = Vector::make(arena_, 1);
  EvalContext eval{context_.fiber, arena_, context_.arena, context_.session};
  TRY(call.kernel(eval, call.site, args, Rows{nullptr, 1}, out));
  return !out.is_null(0) && out.value(0).as<bool>();
}

}  // namespace orrery
