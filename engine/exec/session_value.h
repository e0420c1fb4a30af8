// CURRENT_DATE and its kin: values of the session and of the transaction's start.
#pragma once

#include "exec/context.h"

namespace orrery {

Result<NullableDatum> session_value(ExecContext& context, const SqlValueExpr& expr);

}  // namespace orrery
