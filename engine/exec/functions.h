// Where the executor finds the bodies of what the catalog lists.
#pragma once

#include "exec/context.h"
#include "func/kernel.h"
#include "func/registry.h"
#include "types/tuple_desc.h"

namespace orrery {

// 0A000 naming the function when it has no body; 42883 when there is no such row.
Result<const FunctionBody*> function_body(ExecContext& context, Oid function);
// The physical facts of a type.
Result<ColumnDesc> type_desc(ExecContext& context, Oid type);
// How values of a type are ordered and hashed; either may be null.
struct TypeOrder {
  Comparator compare = nullptr;
  Hasher hash = nullptr;
};
Result<TypeOrder> type_order(ExecContext& context, Oid type);

}  // namespace orrery
