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

Status detoast_column(ExecContext& context, Arena& arena, Vector& column, Rows rows,
                      const ColumnDesc& desc) {
  if (desc.length != -1) return {};
  bool all_plain = true;
  uint32_t end = 0;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    end = row + 1;
    if (!column.is_null(row))
      all_plain = all_plain && varlena_is_plain(column.value(row).as<const char*>());
  }
  if (all_plain) return {};
  // The column's words may be shared with another column, so the brought-in ones get words of their
  // own.
  Vector plain = Vector::make(arena, end);
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (column.is_null(row)) {
      plain.set_null(row);
    } else {
      const Datum value = TRY(detoast(context, arena, column.value(row)));
      plain.set(row, value);
    }
  }
  column = plain;
  return {};
}

}  // namespace orrery
