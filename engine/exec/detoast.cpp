#include "exec/detoast.h"

#include "access/toast.h"
#include "base/text.h"

namespace orrery {

Result<Datum> detoast(ExecContext& context, Arena& arena, Datum value) {
  const char* bytes = value.as<const char*>();
  if (varlena_is_plain(bytes)) return value;
  if (!varlena_is_external(bytes)) return decompress_inline(value, arena);
  const auto pointer = load<ToastPointer>(bytes + 2);
  const RelationInfo* relation =
      TRY(context.catalog.relation(context.fiber, Oid(pointer.toast_relation)));
  if (relation == nullptr || relation->indexes.empty() || context.access == nullptr) {
    return raise(sqlstate::data_corrupted, cat("value refers to TOAST table ",
                                               pointer.toast_relation, ", which does not exist"));
  }
  const ToastTable toast{relation->oid, relation->storage.file, relation->indexes[0].storage.file};
  return orrery::detoast(context.fiber, *context.access, &toast, value, arena);
}

namespace {

// A column in which some values are replaced. Its words may be shared with another column, so it
// gets words of its own.
template <class Replace>
Status replace_values(Arena& arena, Vector& column, Rows rows, Replace replace) {
  Vector replaced = Vector::make(arena, rows.count == 0 ? 0 : rows[rows.count - 1] + 1);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (column.is_null(row)) {
      replaced.set_null(row);
    } else {
      const Datum value = TRY(replace(column.value(row)));
      replaced.set(row, value);
    }
  }
  column = replaced;
  return {};
}

template <class Test>
bool any_value(const Vector& column, Rows rows, Test test) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (!column.is_null(row) && test(column.value(row).as<const char*>())) return true;
  }
  return false;
}

}  // namespace

Status detoast_column(ExecContext& context, Arena& arena, Vector& column, Rows rows,
                      const ColumnDesc& desc) {
  if (desc.length != -1) return {};
  const bool has_work =
      any_value(column, rows, [](const char* bytes) { return !varlena_is_plain(bytes); });
  if (!has_work) return {};
  return replace_values(arena, column, rows,
                        [&](Datum value) { return detoast(context, arena, value); });
}

Result<Datum> bring_in(ExecContext& context, Arena& arena, Datum value, Oid own) {
  const char* bytes = value.as<const char*>();
  if (!varlena_is_external(bytes)) return value;
  if (own && Oid(load<ToastPointer>(bytes + 2).toast_relation) == own) return value;
  return detoast(context, arena, value);
}

Status bring_in_column(ExecContext& context, Arena& arena, Vector& column, Rows rows,
                       const ColumnDesc& desc) {
  if (desc.length != -1) return {};
  const bool has_work =
      any_value(column, rows, [](const char* bytes) { return varlena_is_external(bytes); });
  if (!has_work) return {};
  return replace_values(arena, column, rows,
                        [&](Datum value) { return bring_in(context, arena, value, Oid()); });
}

}  // namespace orrery
