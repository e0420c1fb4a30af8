// Steps over arrays and rows, and conversions through text.
#include "base/text.h"
#include "exec/arrays.h"
#include "exec/eval_internal.h"
#include "func/jsonb_subscript.h"
#include "types/type_io.h"
#include "types/type_oids.h"

namespace orrery {

// x op ANY (array). A constant array, as IN makes one, or a parameter, is taken apart once in an
// execution; then each element is compared with the whole column.
Result<const Vector*> run_scalar_array(ExecContext& context, EvalNode& node, Arena& arena,
                                       const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  const Vector left = node.args[0];
  const Vector arrays = node.args[1];
  const Oid element_type = node.element_type;
  EvalContext eval{context.fiber, arena, context.arena, context.session};
  Vector pair[2];
  Vector answer = Vector::make(arena);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const auto row = static_cast<uint16_t>(rows[i]);
    if (arrays.is_null(row)) {
      node.out.set_null(row);
      continue;
    }
    const bool lasts =
        node.children[1]->step == Step::constant || node.children[1]->step == Step::external_param;
    if (!lasts || node.elements_of != context.execution + 1) {
      Arena& kept = lasts ? context.arena : arena;
      node.elements = TRY(deconstruct(context, kept, element_type, arrays.value(row)));
      node.elements_of = context.execution + 1;
    }
    const auto count = static_cast<uint32_t>(node.elements.size());
    bool unknown = false;
    bool decided = false;
    for (uint32_t at = 0; at < count && !decided; at += kBatchRows) {
      const uint32_t piece = std::min(kBatchRows, count - at);
      Vector column = Vector::make(arena, piece);
      for (uint32_t e = 0; e < piece; ++e) column.set(e, node.elements[at + e]);
      pair[0] = Vector::make_constant(arena, left.at(row));
      pair[1] = column;
      const std::span<const Vector> args(pair, 2);
      answer.may_have_nulls = false;
      TRY(node.kernel(eval, node.site, args, Rows{nullptr, piece}, answer));
      for (uint32_t e = 0; e < piece && !decided; ++e) {
        if (answer.is_null(e))
          unknown = true;
        else
          decided = answer.value(e).as<bool>() == node.use_or;
      }
      TRY(context.fiber.charge(piece));
    }
    if (decided)
      node.out.set(row, Datum::of(node.use_or));
    else if (unknown)
      node.out.set_null(row);
    else
      node.out.set(row, Datum::of(!node.use_or));
  }
  return &node.out;
}

// (a, b) < (c, d): the first pair that differs decides; a NULL before it makes the answer unknown.
Result<const Vector*> run_row_compare(ExecContext& context, EvalNode& node, Arena& arena,
                                      const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  const RowCompareKind kind = as<RowCompareExpr>(*node.source).kind;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    int order = 0;
    bool unknown = false;
    for (size_t pair = 0; pair < node.compares.size() && order == 0 && !unknown; ++pair) {
      const Vector& left = node.args[pair * 2];
      const Vector& right = node.args[pair * 2 + 1];
      unknown = left.is_null(row) || right.is_null(row);
      if (!unknown) order = node.compares[pair](left.value(row), right.value(row));
    }
    if (unknown) {
      node.out.set_null(row);
      continue;
    }
    bool holds = false;
    switch (kind) {
      case RowCompareKind::lt: holds = order < 0; break;
      case RowCompareKind::le: holds = order <= 0; break;
      case RowCompareKind::ge: holds = order >= 0; break;
      case RowCompareKind::gt: holds = order > 0; break;
    }
    node.out.set(row, Datum::of(holds));
  }
  return &node.out;
}

// The text of one type, read as another.
Result<const Vector*> run_coerce_via_io(ExecContext& context, EvalNode& node, Arena& arena,
                                        const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  const Oid from = as<CoerceViaIoExpr>(*node.source).arg->type;
  const TypeSettings& settings = context.session.types;
  const TypeInfo* const source = TRY(find_type(settings, from));
  const TypeInfo* const target = TRY(find_type(settings, node.type));
  if (source->output == nullptr) return unsupported(cat("text output of type ", source->name));
  if (target->input == nullptr) return unsupported(cat("text input of type ", target->name));
  IoContext in{.arena = arena, .settings = settings, .type = node.type};
  IoContext out{.arena = arena, .settings = settings, .type = from};
  std::string text;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (node.args[0].is_null(row)) {
      node.out.set_null(row);
      continue;
    }
    text.clear();
    const Datum value = node.args[0].value(row);
    if (from == type_oid::unknown)
      text = value.as<const char*>();
    else
      TRY(write_value(context.fiber, out, *source, source->output, value, text));
    const Datum made = TRY(read_text(context.fiber, in, *target, text));
    node.out.set(row, made);
  }
  return &node.out;
}

Result<const Vector*> run_array(ExecContext& context, EvalNode& node, Arena& arena,
                                const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  const auto& expr = as<ArrayExpr>(*node.source);
  std::vector<NullableDatum> elements;
  for (uint32_t i = 0; i < rows.count; ++i) {
    elements.clear();
    for (const Vector& arg : node.args) elements.push_back(arg.at(rows[i]));
    const NullableDatum made =
        expr.multidims ? TRY(build_nested_array(context, arena, expr.element_type, elements))
                       : TRY(build_array(context, arena, expr.element_type, elements));
    node.out.set(rows[i], made);
  }
  return &node.out;
}

namespace {

// The steps of a jsonb's subscript in one row, numbers as text; false: one of them is NULL.
bool jsonb_path(const EvalNode& node, const SubscriptExpr& expr, Arena& arena, uint32_t row,
                std::vector<std::string_view>& path) {
  path.clear();
  for (size_t i = 0; i < expr.upper.size(); ++i) {
    const Vector& step = node.args[1 + i];
    if (step.is_null(row)) return false;
    path.push_back(expr.upper[i]->type == type_oid::int4
                       ? arena.copy(cat(step.value(row).as<int32_t>()))
                       : step.value(row).text());
  }
  return true;
}

Result<const Vector*> subscript_jsonb(Fiber& fiber, EvalNode& node, const SubscriptExpr& expr,
                                      Arena& arena, Rows rows) {
  const bool indexed = expr.upper[0]->type == type_oid::int4;
  std::vector<std::string_view> path;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    const NullableDatum container = node.args[0].at(row);
    const bool known = jsonb_path(node, expr, arena, row, path);
    if (expr.assign != nullptr) {
      if (!known) {
        return raise(sqlstate::null_value_not_allowed,
                     "jsonb subscript in assignment must not be null");
      }
      const Datum made = TRY(assign_jsonb_element(fiber, arena, container, path, indexed,
                                                  node.args[1 + expr.upper.size()].at(row)));
      node.out.set(row, made);
    } else if (!known || container.is_null) {
      node.out.set_null(row);
    } else {
      const NullableDatum found = TRY(jsonb_element(fiber, arena, container.value, path));
      node.out.set(row, found);
    }
  }
  return &node.out;
}

}  // namespace

Result<const Vector*> run_subscript(ExecContext& context, EvalNode& node, Arena& arena,
                                    const Batch& batch, Rows rows) {
  for (size_t c = 0; c < node.children.size(); ++c) {
    if (node.children[c] != nullptr)
      node.args[c] = *TRY(run_step(context, *node.children[c], arena, batch, rows));
  }
  prepare_output(context, node, rows);
  const auto& expr = as<SubscriptExpr>(*node.source);
  if (expr.container_type == type_oid::jsonb)
    return subscript_jsonb(context.fiber, node, expr, arena, rows);
  const size_t dims = expr.upper.size();
  std::vector<std::optional<int32_t>> upper(dims);
  std::vector<std::optional<int32_t>> lower(expr.lower.size());
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    bool null_bound = false;
    for (size_t d = 0; d < dims + lower.size(); ++d) {
      if (node.children[1 + d] == nullptr) continue;
      const Vector& bound = node.args[1 + d];
      null_bound = null_bound || bound.is_null(row);
      (d < dims ? upper[d] : lower[d - dims]) = bound.value(row).as<int32_t>();
    }
    const NullableDatum container = node.args[0].at(row);
    if (expr.assign != nullptr) {
      if (null_bound) {
        return raise(sqlstate::null_value_not_allowed,
                     "array subscript in assignment must not be null");
      }
      const NullableDatum made =
          TRY(assign_subscript(context, arena, expr.element_type, container, lower, upper,
                               node.args[dims + lower.size() + 1].at(row)));
      node.out.set(row, made);
      continue;
    }
    if (null_bound || container.is_null) {
      node.out.set_null(row);
      continue;
    }
    const NullableDatum value =
        expr.lower.empty()
            ? TRY(array_element(context, arena, expr.element_type, container.value, upper))
            : TRY(array_slice(context, arena, expr.element_type, container.value, lower, upper));
    node.out.set(row, value);
  }
  return &node.out;
}

// Element by element; shape and NULLs stay.
Result<const Vector*> run_array_coerce(ExecContext& context, EvalNode& node, Arena& arena,
                                       const Batch& batch, Rows rows) {
  TRY(evaluate_children(context, node, arena, batch, rows));
  prepare_output(context, node, rows);
  const Oid from = node.test_value->type;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (node.args[0].is_null(row)) {
      node.out.set_null(row);
      continue;
    }
    const auto elements = TRY(deconstruct(context, arena, from, node.args[0].value(row)));
    std::vector<NullableDatum> changed;
    for (size_t at = 0; at < elements.size(); at += kBatchRows) {
      const auto piece = static_cast<uint32_t>(std::min<size_t>(kBatchRows, elements.size() - at));
      Vector column = Vector::make(arena, piece);
      for (uint32_t e = 0; e < piece; ++e) column.set(e, elements[at + e]);
      node.test_value->out = column;
      const Vector* made = TRY(run_step(context, *node.element, arena,
                                        Batch{{}, Rows{nullptr, piece}}, Rows{nullptr, piece}));
      for (uint32_t e = 0; e < piece; ++e) changed.push_back(made->at(e));
    }
    const NullableDatum value =
        TRY(rebuild_array(context, arena, node.element->type, node.args[0].value(row), changed));
    node.out.set(row, value);
  }
  return &node.out;
}

}  // namespace orrery
