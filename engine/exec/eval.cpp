#include "exec/eval.h"

#include "base/text.h"
#include "exec/detoast.h"
#include "exec/eval_internal.h"
#include "exec/session_value.h"

namespace orrery {
namespace {

uint32_t rows_end(Rows rows) {
  if (rows.count == 0) return 0;
  return rows.index == nullptr ? rows.count : rows.index[rows.count - 1] + 1U;
}

uint16_t* scratch(ExecContext& context, uint16_t*& buffer) {
  if (buffer == nullptr) buffer = context.arena.make_array<uint16_t>(kBatchRows).data();
  return buffer;
}

// AND stops a row at the first false, OR at the first true; NULL is remembered and goes on.
Result<const Vector*> run_and_or(ExecContext& context, EvalNode& node, Arena& arena,
                                 const Batch& batch, Rows rows) {
  const bool deciding = node.step == Step::or_;
  prepare_output(context, node, rows);
  for (uint32_t i = 0; i < rows.count; ++i) node.out.set(rows[i], Datum::of(!deciding));
  uint16_t* open = scratch(context, node.scratch_a);
  Rows left = rows;
  for (EvalNode* child : node.children) {
    if (left.count == 0) break;
    const Vector* value = TRY(run_step(context, *child, arena, batch, left));
    uint32_t count = 0;
    for (uint32_t i = 0; i < left.count; ++i) {
      const uint32_t row = left[i];
      if (value->is_null(row)) {
        node.out.set_null(row);
      } else if (value->value(row).as<bool>() == deciding) {
        node.out.set(row, Datum::of(deciding));
        continue;
      }
      open[count++] = static_cast<uint16_t>(row);
    }
    left = Rows{open, count};
  }
  return &node.out;
}

// children: [arg] when ... then ... otherwise
Result<const Vector*> run_case(ExecContext& context, EvalNode& node, Arena& arena,
                               const Batch& batch, Rows rows) {
  prepare_output(context, node, rows);
  size_t at = 0;
  if (node.index == 1) {
    const Vector* arg = TRY(run_step(context, *node.children[0], arena, batch, rows));
    node.test_value->out = *arg;
    at = 1;
  }
  uint16_t* open = scratch(context, node.scratch_a);
  uint16_t* taken = scratch(context, node.scratch_b);
  Rows left = rows;
  for (; at + 1 < node.children.size() && left.count > 0; at += 2) {
    const Vector* when = TRY(run_step(context, *node.children[at], arena, batch, left));
    uint32_t open_count = 0;
    uint32_t taken_count = 0;
    for (uint32_t i = 0; i < left.count; ++i) {
      const auto row = static_cast<uint16_t>(left[i]);
      if (!when->is_null(row) && when->value(row).as<bool>()) {
        taken[taken_count++] = row;
      } else {
        open[open_count++] = row;
      }
    }
    if (taken_count > 0) {
      const Rows these{taken, taken_count};
      const Vector* then = TRY(run_step(context, *node.children[at + 1], arena, batch, these));
      for (uint32_t i = 0; i < taken_count; ++i) node.out.set(taken[i], then->at(taken[i]));
    }
    left = Rows{open, open_count};
  }
  if (left.count > 0) {
    const Vector* otherwise = TRY(run_step(context, *node.children.back(), arena, batch, left));
    for (uint32_t i = 0; i < left.count; ++i) node.out.set(left[i], otherwise->at(left[i]));
  }
  return &node.out;
}

Result<const Vector*> run_coalesce(ExecContext& context, EvalNode& node, Arena& arena,
                                   const Batch& batch, Rows rows) {
  prepare_output(context, node, rows);
  uint16_t* open = scratch(context, node.scratch_a);
  Rows left = rows;
  for (EvalNode* child : node.children) {
    if (left.count == 0) break;
    const Vector* value = TRY(run_step(context, *child, arena, batch, left));
    uint32_t count = 0;
    for (uint32_t i = 0; i < left.count; ++i) {
      const uint32_t row = left[i];
      if (value->is_null(row)) {
        open[count++] = static_cast<uint16_t>(row);
      } else {
        node.out.set(row, value->value(row));
      }
    }
    left = Rows{open, count};
  }
  for (uint32_t i = 0; i < left.count; ++i) node.out.set_null(left[i]);
  return &node.out;
}

Result<const Vector*> run_min_max(ExecContext& context, EvalNode& node, Arena& arena,
                                  const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    NullableDatum best;
    for (const Vector& arg : node.args) {
      if (arg.is_null(row)) continue;
      const Datum value = arg.value(row);
      const bool better =
          best.is_null || (node.step == Step::greatest ? node.compare(value, best.value) > 0
                                                       : node.compare(value, best.value) < 0);
      if (better) best = {value, false};
    }
    node.out.set(row, best);
  }
  return &node.out;
}

// Calls the equality function for the rows where both sides are there, then fits in the others.
Result<const Vector*> run_distinct_or_null_if(ExecContext& context, EvalNode& node, Arena& arena,
                                              const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  uint16_t* both = scratch(context, node.scratch_a);
  uint32_t count = 0;
  const Vector left = node.args[0];
  const Vector right = node.args[1];
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    const bool left_null = left.is_null(row);
    const bool right_null = right.is_null(row);
    if (!left_null && !right_null) {
      both[count++] = static_cast<uint16_t>(row);
    } else if (node.step == Step::distinct) {
      node.out.set(row, Datum::of(left_null != right_null));
    } else {
      node.out.set(row, left.at(row));
    }
  }
  EvalContext eval{context.fiber, arena, context.arena, context.session};
  TRY(node.kernel(eval, node.site, node.args, Rows{both, count}, node.out));
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t row = both[i];
    const bool equal = !node.out.is_null(row) && node.out.value(row).as<bool>();
    if (node.step == Step::distinct) {
      node.out.set(row, Datum::of(!equal));
    } else if (equal) {
      node.out.set_null(row);
    } else {
      node.out.set(row, left.value(row));
    }
  }
  return &node.out;
}

Result<const Vector*> run_null_test(ExecContext& context, EvalNode& node, Arena& arena,
                                    const Batch& batch, Rows rows) {
  const Vector* arg = TRY(run_step(context, *node.children[0], arena, batch, rows));
  prepare_output(context, node, rows);
  const bool wanted = node.step == Step::is_null;
  for (uint32_t i = 0; i < rows.count; ++i) {
    node.out.set(rows[i], Datum::of(arg->is_null(rows[i]) == wanted));
  }
  return &node.out;
}

bool boolean_test(BooleanTestKind kind, NullableDatum value) {
  const bool truth = !value.is_null && value.value.as<bool>();
  const bool falsity = !value.is_null && !value.value.as<bool>();
  switch (kind) {
    case BooleanTestKind::is_true:        return truth;
    case BooleanTestKind::is_not_true:    return !truth;
    case BooleanTestKind::is_false:       return falsity;
    case BooleanTestKind::is_not_false:   return !falsity;
    case BooleanTestKind::is_unknown:     return value.is_null;
    case BooleanTestKind::is_not_unknown: return !value.is_null;
  }
  UNREACHABLE();
}

Result<const Vector*> run_row_null_test(ExecContext& context, EvalNode& node, Arena& arena,
                                        const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  const bool wanted = node.step == Step::row_is_null;
  for (uint32_t i = 0; i < rows.count; ++i) {
    bool all = true;
    for (const Vector& field : node.args) all = all && field.is_null(rows[i]) == wanted;
    node.out.set(rows[i], Datum::of(all));
  }
  return &node.out;
}

Result<const Vector*> run_detoast(ExecContext& context, EvalNode& node, Arena& arena,
                                  const Batch& batch, Rows rows) {
  const Vector* in = TRY(run_step(context, *node.children[0], arena, batch, rows));
  bool all_plain = true;
  for (uint32_t i = 0; i < rows.count && all_plain; ++i) {
    const uint32_t row = rows[i];
    all_plain = in->is_null(row) || varlena_is_plain(in->value(row).as<const void*>());
  }
  if (all_plain) return in;
  const Vector source = *in;
  prepare_output(context, node, rows);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (source.is_null(row)) {
      node.out.set_null(row);
    } else {
      const Datum plain = TRY(detoast(context, arena, source.value(row)));
      node.out.set(row, plain);
    }
  }
  return &node.out;
}

Result<const Vector*> run_call(ExecContext& context, EvalNode& node, Arena& arena,
                               const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  EvalContext eval{context.fiber, arena, context.arena, context.session};
  TRY(call_kernel(eval, node.site, node.shape, node.kernel, node.args, rows, node.out));
  return &node.out;
}

Result<const Vector*> run_not(ExecContext& context, EvalNode& node, Arena& arena,
                              const Batch& batch, Rows rows) {
  const Vector* arg = TRY(run_step(context, *node.children[0], arena, batch, rows));
  prepare_output(context, node, rows);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (arg->is_null(row)) {
      node.out.set_null(row);
    } else {
      node.out.set(row, Datum::of(!arg->value(row).as<bool>()));
    }
  }
  return &node.out;
}

const Vector* set_constant(ExecContext& context, EvalNode& node, NullableDatum value) {
  if (node.capacity == 0) {
    node.out = Vector::make(context.arena, 1);
    node.capacity = 1;
  }
  node.out.constant = true;
  node.out.set(0, value);
  return &node.out;
}

}  // namespace

Status evaluate_children(ExecContext& context, EvalNode& node, Arena& arena, const Batch& batch,
                         Rows rows) {
  for (size_t i = 0; i < node.children.size(); ++i) {
    node.args[i] = *TRY(run_step(context, *node.children[i], arena, batch, rows));
  }
  return {};
}

void prepare_output(ExecContext& context, EvalNode& node, Rows rows) {
  const uint32_t needed = rows_end(rows);
  if (node.capacity < needed || node.out.values == nullptr) {
    uint32_t capacity = 1;
    while (capacity < needed) capacity *= 2;
    node.out = Vector::make(context.arena, capacity);
    node.capacity = capacity;
  }
  node.out.constant = false;
  node.out.may_have_nulls = false;
}

Result<const Vector*> run_step(ExecContext& context, EvalNode& node, Arena& arena,
                               const Batch& batch, Rows rows) {
  switch (node.step) {
    case Step::column:         return &batch.columns[static_cast<size_t>(node.index)];
    case Step::constant:       return set_constant(context, node, node.constant);
    case Step::external_param: {
      const auto number = static_cast<size_t>(node.index);
      if (number == 0 || number > context.params.size()) {
        return raise(sqlstate::undefined_object, cat("no value found for parameter ", number));
      }
      return set_constant(context, node, context.params[number - 1]);
    }
    case Step::exec_param:
      return set_constant(context, node, context.exec_params[static_cast<size_t>(node.index)]);
    case Step::case_test:       return &node.out;
    case Step::detoast:         return run_detoast(context, node, arena, batch, rows);
    case Step::call:            return run_call(context, node, arena, batch, rows);
    case Step::distinct:
    case Step::null_if:         return run_distinct_or_null_if(context, node, arena, batch, rows);
    case Step::and_:
    case Step::or_:             return run_and_or(context, node, arena, batch, rows);
    case Step::not_:            return run_not(context, node, arena, batch, rows);
    case Step::case_:           return run_case(context, node, arena, batch, rows);
    case Step::coalesce:        return run_coalesce(context, node, arena, batch, rows);
    case Step::greatest:
    case Step::least:           return run_min_max(context, node, arena, batch, rows);
    case Step::is_null:
    case Step::is_not_null:     return run_null_test(context, node, arena, batch, rows);
    case Step::row_is_null:
    case Step::row_is_not_null: return run_row_null_test(context, node, arena, batch, rows);
    case Step::boolean_test:    {
      const Vector* arg = TRY(run_step(context, *node.children[0], arena, batch, rows));
      prepare_output(context, node, rows);
      for (uint32_t i = 0; i < rows.count; ++i) {
        node.out.set(rows[i], Datum::of(boolean_test(node.test, arg->at(rows[i]))));
      }
      return &node.out;
    }
    case Step::scalar_array:  return run_scalar_array(context, node, arena, batch, rows);
    case Step::row_compare:   return run_row_compare(context, node, arena, batch, rows);
    case Step::array:         return run_array(context, node, arena, batch, rows);
    case Step::subscript:     return run_subscript(context, node, arena, batch, rows);
    case Step::coerce_via_io: return run_coerce_via_io(context, node, arena, batch, rows);
    case Step::array_coerce:  return run_array_coerce(context, node, arena, batch, rows);
    case Step::session_value: {
      if (node.constant_of != context.execution + 1) {
        node.constant = TRY(session_value(context, as<SqlValueExpr>(*node.source)));
        node.constant_of = context.execution + 1;
      }
      return set_constant(context, node, node.constant);
    }
    case Step::sub_plan: return run_sub_plan(context, node, arena, batch, rows);
  }
  UNREACHABLE();
}

Result<Rows> filter_step(ExecContext& context, EvalNode& node, Arena& arena, const Batch& batch,
                         Rows rows, uint16_t* kept) {
  if (node.step == Step::and_) {  // NULL and false both drop the row, so each child can narrow on
    Rows left = rows;
    for (EvalNode* child : node.children) {
      if (left.count == 0) break;
      left = TRY(filter_step(context, *child, arena, batch, left, kept));
    }
    return left;
  }
  const Vector* value = TRY(run_step(context, node, arena, batch, rows));
  if (value->constant) {
    if (value->is_null(0) || !value->value(0).as<bool>()) return Rows{kept, 0};
    return rows;
  }
  uint32_t count = 0;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    kept[count] = static_cast<uint16_t>(row);
    count += static_cast<uint32_t>(!value->is_null(row) && value->values[row].as<bool>());
  }
  return Rows{kept, count};
}

Result<const Vector*> Evaluator::evaluate(Arena& arena, const Batch& batch, Rows rows) {
  return run_step(*context_, *root_, arena, batch, rows);
}

Result<Rows> Evaluator::filter(Arena& arena, const Batch& batch, Rows rows, uint16_t* kept) {
  return filter_step(*context_, *root_, arena, batch, rows, kept);
}

Result<NullableDatum> Evaluator::single(Arena& arena) {
  const Batch none{{}, Rows{nullptr, 1}};
  const Vector* value = TRY(run_step(*context_, *root_, arena, none, none.rows));
  return value->at(0);
}

}  // namespace orrery
