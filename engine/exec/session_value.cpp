#include "exec/session_value.h"

#include "base/text.h"
#include "exec/functions.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

NullableDatum name_value(Arena& arena, std::string_view text) {
  constexpr size_t kNameBytes = 64;
  char* name = static_cast<char*>(arena.allocate(kNameBytes, 1));
  std::memset(name, 0, kNameBytes);
  std::memcpy(name, text.data(), std::min(text.size(), kNameBytes - 1));
  return {Datum::of(static_cast<const void*>(name)), false};
}

// timestamptz of the transaction's start, cast by the function named.
Result<NullableDatum> cast_now(ExecContext& context, Oid function, int32_t typmod, Oid type,
                               Oid length_function) {
  EvalContext eval{context.fiber, context.arena, context.arena, context.session};
  const auto call = [&](Oid oid, std::vector<Vector> args) -> Result<NullableDatum> {
    const FunctionBody* body = TRY(function_body(context, oid));
    CallSite site;
    site.function = oid;
    site.result_type = type;
    Vector out = Vector::make(context.arena, 1);
    TRY(body->kernel(eval, site, args, Rows{nullptr, 1}, out));
    return out.at(0);
  };
  NullableDatum value{Datum::of(context.session.types.now.v), false};
  if (function) value = TRY(call(function, {Vector::make_constant(context.arena, value)}));
  if (typmod < 0) return value;
  return call(length_function, {Vector::make_constant(context.arena, value),
                                Vector::make_constant(context.arena, {Datum::of(typmod), false})});
}

}  // namespace

Result<NullableDatum> session_value(ExecContext& context, const SqlValueExpr& expr) {
  // pg_proc: timestamptz to date 1178, timetz 1388, timestamp 2027, time 2019; and to a precision
  // 1961, 1967, 1968, 1969.
  switch (expr.kind) {
    case SqlValueKind::current_date:
      return cast_now(context, Oid(1178), -1, type_oid::date, kInvalidOid);
    case SqlValueKind::current_time:
      return cast_now(context, Oid(1388), expr.typmod, type_oid::timetz, Oid(1969));
    case SqlValueKind::current_timestamp:
      return cast_now(context, kInvalidOid, expr.typmod, type_oid::timestamptz, Oid(1967));
    case SqlValueKind::localtime:
      return cast_now(context, Oid(2019), expr.typmod, type_oid::time, Oid(1968));
    case SqlValueKind::localtimestamp:
      return cast_now(context, Oid(2027), expr.typmod, type_oid::timestamp, Oid(1961));
    case SqlValueKind::current_role:
    case SqlValueKind::current_user:
    case SqlValueKind::user:            return name_value(context.arena, context.session.current_user);
    case SqlValueKind::session_user:    return name_value(context.arena, context.session.session_user);
    case SqlValueKind::current_catalog: return name_value(context.arena, context.session.database);
    case SqlValueKind::current_schema:  {
      if (context.session.current_schema.empty()) return NullableDatum{};
      return name_value(context.arena, context.session.current_schema);
    }
  }
  UNREACHABLE();
}

}  // namespace orrery
