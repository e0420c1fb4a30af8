// Values that lie outside their row or are compressed are brought in before anything looks inside
// them.
#pragma once

#include "exec/context.h"
#include "types/tuple_desc.h"

namespace orrery {

// The plain form of a varlena, in `arena` unless it was plain already.
Result<Datum> detoast(ExecContext& context, Arena& arena, Datum value);
// The same for the rows named of a column, in place: sorts, groups and joins call it for their
// keys.
Status detoast_column(ExecContext& context, Arena& arena, Vector& column, Rows rows,
                      const ColumnDesc& desc);
// A value on its way into a table: what lies outside its row, and not in the table's own TOAST
// table `own` (0: in any), is brought in. Compressed values stay so.
Result<Datum> bring_in(ExecContext& context, Arena& arena, Datum value, Oid own);
Status bring_in_column(ExecContext& context, Arena& arena, Vector& column, Rows rows,
                       const ColumnDesc& desc);

}  // namespace orrery
