// Input, output and send functions called as such: textin('x'), date_out(d).
#include "base/text.h"
#include "func/lift.h"

namespace orrery {
namespace {

// xxxin(cstring, oid, typmod) as a function: the text is read as the function's result type.
constexpr Kernel kInput = [](EvalContext& context, CallSite& site, std::span<const Vector> args,
                             Rows rows, Vector& out) -> Status {
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    if (args[0].is_null(row)) {
      out.set_null(row);
      continue;
    }
    const int32_t typmod =
        args.size() == 3 && !args[2].is_null(row) ? args[2].value(row).as<int32_t>() : -1;
    const Datum value = TRY(input_value(context.arena, context.session.types, site.result_type,
                                        args[0].value(row).as<const char*>(), typmod));
    out.set(row, value);
  }
  return {};
};
constexpr Kernel kOutput = lift([](Call& call, Datum value) -> Result<Datum> {
  std::string text;
  TRY(output_value(call.arena(), call.settings(), call.argument_type(0), value, text));
  return Datum::of(static_cast<const void*>(call.arena().copy(text).data()));
});
constexpr Kernel kSend = lift([](Call& call, Datum value) -> Result<Datum> {
  std::string bytes;
  TRY(send_value(call.arena(), call.settings(), call.argument_type(0), value, bytes));
  return make_varlena(call.arena(), bytes);
});

#define TEXT(name) body(name "in", kInput), body(name "out", kOutput)
#define ALL(name) TEXT(name), body(name "send", kSend)

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    ALL("bool"),
    ALL("bytea"),
    ALL("char"),
    ALL("name"),
    ALL("int2"),
    ALL("int4"),
    ALL("int8"),
    ALL("text"),
    ALL("oid"),
    ALL("tid"),
    ALL("xid"),
    ALL("cid"),
    ALL("xid8"),
    ALL("float4"),
    ALL("float8"),
    ALL("bpchar"),
    ALL("varchar"),
    ALL("date_"),
    ALL("time_"),
    ALL("timetz_"),
    ALL("timestamp_"),
    ALL("timestamptz_"),
    ALL("interval_"),
    ALL("numeric_"),
    ALL("uuid_"),
    ALL("pg_lsn_"),
    ALL("bit_"),
    ALL("varbit_"),
    ALL("cash_"),
    ALL("macaddr_"),
    ALL("macaddr8_"),
    ALL("inet_"),
    ALL("cidr_"),
    ALL("json_"),
    ALL("jsonb_"),
    ALL("array_"),
    TEXT("unknown"),
    TEXT("void_"),
    TEXT("cstring_"),
    TEXT("int2vector"),
    TEXT("oidvector"),
    ALL("regproc"),
    ALL("regprocedure"),
    ALL("regoper"),
    ALL("regoperator"),
    ALL("regclass"),
    ALL("regtype"),
    ALL("regrole"),
    ALL("regnamespace"),
    ALL("regcollation"),
    body("pg_typeof", lift([](Call& call, NullableDatum) { return call.argument_type(0); })),
    ALL("regconfig"),
    ALL("regdictionary"),
}));

}  // namespace

std::span<const FunctionBody> input_output_functions() { return kTable; }

}  // namespace orrery
