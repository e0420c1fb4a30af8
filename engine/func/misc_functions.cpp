// What fits nowhere else: hashes of values, random numbers, information about the session, I/O
// functions called as such.
#include <cmath>

#include "base/text.h"
#include "func/lift.h"
#include "types/compare.h"
#include "types/date_time.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

double uniform(Prng& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

Result<Prng*> random_of(Call& call) {
  if (call.context.session.random == nullptr) return unsupported("random numbers in this context");
  return call.context.session.random;
}

WallTime clock_now(const SessionView& session) {
  return session.clock != nullptr ? session.clock(session.clock_owner) : session.statement_start;
}

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
constexpr Kernel kOutput = lift<[](Call& call, Datum value) -> Result<Datum> {
  std::string text;
  TRY(output_value(call.arena(), call.settings(), call.argument_type(0), value, text));
  return Datum::of(static_cast<const void*>(call.arena().copy(text).data()));
}>;
constexpr Kernel kSend = lift<[](Call& call, Datum value) -> Result<Datum> {
  std::string bytes;
  TRY(send_value(call.arena(), call.settings(), call.argument_type(0), value, bytes));
  return make_varlena(call.arena(), bytes);
}>;

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("drandom", lift<[](Call& call) -> Result<double> {
           Prng* const random = TRY(random_of(call));
           return uniform(*random);
         }>),
    body("gen_random_uuid", lift<[](Call& call) -> Result<Datum> {
           Prng* const random = TRY(random_of(call));
           char* const uuid = static_cast<char*>(call.arena().allocate(16, 1));
           store(uuid, random->next());
           store(uuid + 8, random->next());
           uuid[6] = static_cast<char>((uuid[6] & 0x0f) | 0x40);  // version 4 [RFC 4122 §4.4]
           uuid[8] = static_cast<char>((uuid[8] & 0x3f) | 0x80);
           return Datum::of(static_cast<const void*>(uuid));
         }>),
    body("now", lift<[](Call& call) { return call.settings().now.v; }>),
    body("statement_timestamp",
         lift<[](Call& call) { return call.context.session.statement_start.v; }>),
    body("clock_timestamp", lift<[](Call& call) { return clock_now(call.context.session).v; }>),
    body("current_database", lift<[](Call& call) { return Name{call.context.session.database}; }>),
    body("current_user", lift<[](Call& call) { return Name{call.context.session.current_user}; }>),
    body("session_user", lift<[](Call& call) { return Name{call.context.session.session_user}; }>),
    body("pg_backend_pid", lift<[](Call& call) { return call.context.session.backend_pid; }>),
    body("pg_num_nulls",
         [](EvalContext&, CallSite&, std::span<const Vector> args, Rows rows,
            Vector& out) -> Status {
           for (uint32_t i = 0; i < rows.count; ++i) {
             int32_t count = 0;
             for (const Vector& arg : args) count += arg.is_null(rows[i]);
             out.set(rows[i], Datum::of(count));
           }
           return {};
         }),
    body("pg_num_nonnulls",
         [](EvalContext&, CallSite&, std::span<const Vector> args, Rows rows,
            Vector& out) -> Status {
           for (uint32_t i = 0; i < rows.count; ++i) {
             int32_t count = 0;
             for (const Vector& arg : args) count += !arg.is_null(rows[i]);
             out.set(rows[i], Datum::of(count));
           }
           return {};
         }),
    body("boolin", kInput),
    body("boolout", kOutput),
    body("boolsend", kSend),
    body("byteain", kInput),
    body("byteaout", kOutput),
    body("byteasend", kSend),
    body("charin", kInput),
    body("charout", kOutput),
    body("charsend", kSend),
    body("namein", kInput),
    body("nameout", kOutput),
    body("namesend", kSend),
    body("int2in", kInput),
    body("int2out", kOutput),
    body("int2send", kSend),
    body("int4in", kInput),
    body("int4out", kOutput),
    body("int4send", kSend),
    body("int8in", kInput),
    body("int8out", kOutput),
    body("int8send", kSend),
    body("textin", kInput),
    body("textout", kOutput),
    body("textsend", kSend),
    body("oidin", kInput),
    body("oidout", kOutput),
    body("oidsend", kSend),
    body("tidin", kInput),
    body("tidout", kOutput),
    body("tidsend", kSend),
    body("xidin", kInput),
    body("xidout", kOutput),
    body("xidsend", kSend),
    body("cidin", kInput),
    body("cidout", kOutput),
    body("cidsend", kSend),
    body("xid8in", kInput),
    body("xid8out", kOutput),
    body("xid8send", kSend),
    body("float4in", kInput),
    body("float4out", kOutput),
    body("float4send", kSend),
    body("float8in", kInput),
    body("float8out", kOutput),
    body("float8send", kSend),
    body("bpcharin", kInput),
    body("bpcharout", kOutput),
    body("bpcharsend", kSend),
    body("varcharin", kInput),
    body("varcharout", kOutput),
    body("varcharsend", kSend),
    body("date_in", kInput),
    body("date_out", kOutput),
    body("date_send", kSend),
    body("time_in", kInput),
    body("time_out", kOutput),
    body("time_send", kSend),
    body("timetz_in", kInput),
    body("timetz_out", kOutput),
    body("timetz_send", kSend),
    body("timestamp_in", kInput),
    body("timestamp_out", kOutput),
    body("timestamp_send", kSend),
    body("timestamptz_in", kInput),
    body("timestamptz_out", kOutput),
    body("timestamptz_send", kSend),
    body("interval_in", kInput),
    body("interval_out", kOutput),
    body("interval_send", kSend),
    body("numeric_in", kInput),
    body("numeric_out", kOutput),
    body("numeric_send", kSend),
    body("uuid_in", kInput),
    body("uuid_out", kOutput),
    body("uuid_send", kSend),
    body("pg_lsn_in", kInput),
    body("pg_lsn_out", kOutput),
    body("pg_lsn_send", kSend),
    body("bit_in", kInput),
    body("bit_out", kOutput),
    body("bit_send", kSend),
    body("varbit_in", kInput),
    body("varbit_out", kOutput),
    body("varbit_send", kSend),
    body("cash_in", kInput),
    body("cash_out", kOutput),
    body("cash_send", kSend),
    body("macaddr_in", kInput),
    body("macaddr_out", kOutput),
    body("macaddr_send", kSend),
    body("macaddr8_in", kInput),
    body("macaddr8_out", kOutput),
    body("macaddr8_send", kSend),
    body("inet_in", kInput),
    body("inet_out", kOutput),
    body("inet_send", kSend),
    body("cidr_in", kInput),
    body("cidr_out", kOutput),
    body("cidr_send", kSend),
    body("unknownin", kInput),
    body("unknownout", kOutput),
    body("void_in", kInput),
    body("void_out", kOutput),
    body("cstring_in", kInput),
    body("cstring_out", kOutput),
    body("array_in", kInput),
    body("array_out", kOutput),
    body("array_send", kSend),
    body("int2vectorin", kInput),
    body("int2vectorout", kOutput),
    body("oidvectorin", kInput),
    body("oidvectorout", kOutput),
    body("regprocin", kInput),
    body("regprocout", kOutput),
    body("regprocedurein", kInput),
    body("regprocedureout", kOutput),
    body("regoperin", kInput),
    body("regoperout", kOutput),
    body("regoperatorin", kInput),
    body("regoperatorout", kOutput),
    body("regclassin", kInput),
    body("regclassout", kOutput),
    body("regtypein", kInput),
    body("regtypeout", kOutput),
    body("regrolein", kInput),
    body("regroleout", kOutput),
    body("regnamespacein", kInput),
    body("regnamespaceout", kOutput),
    body("regcollationin", kInput),
    body("regcollationout", kOutput),
    body("regconfigin", kInput),
    body("regconfigout", kOutput),
    body("regdictionaryin", kInput),
    body("regdictionaryout", kOutput),
    body("text_regclass", lift<[](Call& call, std::string_view v) {
           return input_value(call.arena(), call.settings(), type_oid::regclass, v);
         }>),
}));

// Functions that PostgreSQL writes in SQL.
constexpr FunctionBody by_oid(uint32_t oid, Kernel kernel) {
  return {.oid = Oid(oid), .kernel = kernel};
}

Result<Datum> cast_text(Call& call, Datum value, Oid type) {
  std::string text;
  TRY(output_value(call.arena(), call.settings(), type, value, text));
  return make_varlena(call.arena(), text);
}

constexpr FunctionBody kByOid[] = {
    by_oid(1708, lift<[](Numeric a) {  // round(numeric)
             a.round(0);
             return a;
           }>),
    by_oid(1710, lift<[](Numeric a) {  // trunc(numeric)
             a.truncate(0);
             return a;
           }>),
    by_oid(1741, lift<[](const Numeric& a) {
             return logarithm(Numeric::from_int(10), a);
           }>),  // log(numeric)
    by_oid(1481, lift<[](const Numeric& a) {
             return logarithm(Numeric::from_int(10), a);
           }>),  // log10(numeric)
    by_oid(1810, lift<[](std::string_view v) {
             return static_cast<int32_t>(v.size() * 8);
           }>),  // bit_length(bytea)
    by_oid(1811, lift<[](std::string_view v) {
             return static_cast<int32_t>(v.size() * 8);
           }>),  // bit_length(text)
    by_oid(2003, lift<[](Call& call, std::string_view a, Datum b) -> Result<Datum> {  // text || any
             const Datum right = TRY(cast_text(call, b, call.argument_type(1)));
             return make_varlena(call.arena(), cat(a, right.text()));
           }>),
    by_oid(2004, lift<[](Call& call, Datum a, std::string_view b) -> Result<Datum> {  // any || text
             const Datum left = TRY(cast_text(call, a, call.argument_type(0)));
             return make_varlena(call.arena(), cat(left.text(), b));
           }>),
};

}  // namespace

std::span<const FunctionBody> misc_functions() { return kTable; }
std::span<const FunctionBody> functions_by_oid() { return kByOid; }

}  // namespace orrery
