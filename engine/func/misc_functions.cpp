// What fits nowhere else: hashes of values, random numbers, information about the
// session.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "func/lift.h"
#include "types/array.h"
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

// How many arguments are NULL, or are not; those of VARIADIC are the elements of an array.
template <bool kNull>
constexpr Kernel kCountNulls = [](EvalContext& context, CallSite& site,
                                  std::span<const Vector> args, Rows rows, Vector& out) -> Status {
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    int32_t count = 0;
    if (!site.variadic) {
      for (const Vector& arg : args) count += arg.is_null(row) == kNull;
    } else if (args[0].is_null(row)) {
      out.set_null(row);
      continue;
    } else {
      const Datum array = args[0].value(row);
      const TypeInfo* const type =
          TRY(find_type(context.session.types, ArrayView::element_type(array)));
      ArrayView view(array, *type);
      for (int64_t n = view.count(); n > 0; --n) count += view.next().is_null == kNull;
    }
    out.set(row, Datum::of(count));
  }
  return {};
};

// The name of the argument's collation, as an expression would have it.
Result<std::optional<std::string>> collation_name(Call& call) {
  const TypeInfo* const type = TRY(find_type(call.settings(), call.argument_type(0)));
  constexpr Oid kCollatable[] = {type_oid::text, type_oid::varchar, type_oid::bpchar,
                                 type_oid::name, type_oid::unknown};
  const Oid base = type->element && type->length == -1 ? type->element : type->oid;
  if (std::ranges::find(kCollatable, base) == std::end(kCollatable)) {
    std::string name;
    TRY(output_value(call.arena(), call.settings(), type_oid::regtype, Datum::of(type->oid), name));
    return raise(sqlstate::datatype_mismatch, cat("collations are not supported by type ", name));
  }
  if (!call.site.collation) return std::optional<std::string>();
  std::string out;
  TRY(output_value(call.arena(), call.settings(), type_oid::regcollation,
                   Datum::of(call.site.collation), out));
  return std::optional<std::string>(std::move(out));
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("drandom", lift([](Call& call) -> Result<double> {
           Prng* const random = TRY(random_of(call));
           return uniform(*random);
         })),
    body("gen_random_uuid", lift([](Call& call) -> Result<Datum> {
           Prng* const random = TRY(random_of(call));
           char* const uuid = static_cast<char*>(call.arena().allocate(16, 1));
           store(uuid, random->next());
           store(uuid + 8, random->next());
           uuid[6] = static_cast<char>((uuid[6] & 0x0f) | 0x40);  // version 4 [RFC 4122 §4.4]
           uuid[8] = static_cast<char>((uuid[8] & 0x3f) | 0x80);
           return Datum::of(static_cast<const void*>(uuid));
         })),
    body("now", lift([](Call& call) { return call.settings().now.v; })),
    body("statement_timestamp",
         lift([](Call& call) { return call.context.session.statement_start.v; })),
    body("clock_timestamp", lift([](Call& call) { return clock_now(call.context.session).v; })),
    body("current_database", lift([](Call& call) { return Name{call.context.session.database}; })),
    body("current_user", lift([](Call& call) { return Name{call.context.session.current_user}; })),
    body("session_user", lift([](Call& call) { return Name{call.context.session.session_user}; })),
    body("pg_backend_pid", lift([](Call& call) { return call.context.session.backend_pid; })),
    body("pg_num_nulls", kCountNulls<true>),
    body("pg_num_nonnulls", kCountNulls<false>),
    body("pg_collation_for", lift([](Call& call, NullableDatum) -> Result<NullableDatum> {
           const std::optional<std::string> name = TRY(collation_name(call));
           if (!name) return NullableDatum{};
           return NullableDatum{make_varlena(call.arena(), *name), false};
         })),
    body("text_regclass", lift([](Call& call, std::string_view v) {
           return input_value(call.arena(), call.settings(), type_oid::regclass, v);
         })),
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
    by_oid(1708, lift([](Numeric a) {  // round(numeric)
             a.round(0);
             return a;
           })),
    by_oid(1710, lift([](Numeric a) {  // trunc(numeric)
             a.truncate(0);
             return a;
           })),
    by_oid(1741, lift([](const Numeric& a) {
             return logarithm(Numeric::from_int(10), a);
           })),  // log(numeric)
    by_oid(1481, lift([](const Numeric& a) {
             return logarithm(Numeric::from_int(10), a);
           })),  // log10(numeric)
    by_oid(1810, lift([](std::string_view v) {
             return static_cast<int32_t>(v.size() * 8);
           })),  // bit_length(bytea)
    by_oid(1811, lift([](std::string_view v) {
             return static_cast<int32_t>(v.size() * 8);
           })),  // bit_length(text)
    by_oid(2003, lift([](Call& call, std::string_view a, Datum b) -> Result<Datum> {  // text || any
             const Datum right = TRY(cast_text(call, b, call.argument_type(1)));
             return make_varlena(call.arena(), cat(a, right.text()));
           })),
    by_oid(2004, lift([](Call& call, Datum a, std::string_view b) -> Result<Datum> {  // any || text
             const Datum left = TRY(cast_text(call, a, call.argument_type(0)));
             return make_varlena(call.arena(), cat(left.text(), b));
           })),
};

}  // namespace

std::span<const FunctionBody> misc_functions() { return kTable; }
std::span<const FunctionBody> functions_by_oid() { return kByOid; }

}  // namespace orrery
