// Functions that PostgreSQL writes in SQL: found by OID, done by other bodies with arguments
// changed.
#include "base/text.h"
#include "catalog/quote.h"
#include "func/interval_math.h"
#include "func/lift.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr FunctionBody by_oid(uint32_t oid, Kernel kernel) {
  return {.oid = Oid(oid), .kernel = kernel};
}

// A name and an argument order as a template argument.
template <size_t N, size_t M, size_t T = 1>
struct To {
  char name[N];
  int order[M];
  char text[T] = {};
  constexpr To(const char (&n)[N], const int (&o)[M]) {
    std::copy(n, n + N, name);
    std::copy(o, o + M, order);
  }
  constexpr To(const char (&n)[N], const int (&o)[M], const char (&t)[T]) : To(n, o) {
    std::copy(t, t + T, text);
  }
  constexpr std::string_view body_name() const { return {name, N - 1}; }
  constexpr std::string_view constant() const { return {text, T - 1}; }
};

// Another body with the arguments of this call in another order; -1 stands for a constant text.
template <auto kTo>
constexpr Kernel kAs = [](EvalContext& context, CallSite& site, std::span<const Vector> args,
                          Rows rows, Vector& out) -> Status {
  const FunctionBody* const body = find_function({}, kTo.body_name());
  CHECK(body != nullptr && body->kernel != nullptr);
  std::vector<Vector> changed;
  std::vector<Oid> types;
  for (const int from : kTo.order) {
    if (from < 0) {
      changed.push_back(Vector::make_constant(
          context.arena, {make_varlena(context.arena, kTo.constant()), false}));
      types.push_back(type_oid::text);
    } else {
      changed.push_back(args[static_cast<size_t>(from)]);
      types.push_back(static_cast<size_t>(from) < site.argument_types.size()
                          ? site.argument_types[static_cast<size_t>(from)]
                          : Oid());
    }
  }
  CallSite inner = site;
  inner.argument_types = types;
  inner.cache = nullptr;
  return body->kernel(context, inner, changed, rows, out);
};
Result<Datum> literal_of(Call& call, Datum value) {
  std::string text;
  TRY(output_value(call.arena(), call.settings(), call.argument_type(0), value, text));
  return make_varlena(call.arena(), quote_literal(text));
}

// Start of today in the session's zone, for age(x).
int64_t midnight(Call& call) {
  DateTimeParts now = parts_of_timestamptz(call.settings().now.v, session_zone(call.settings()));
  set_time(now, 0);
  return timestamp_of_parts(now).value_or(0);
}

Status run_binary(const char* name, Call& call, Datum a, Datum b, Vector& out) {
  const FunctionBody* const body = find_function({}, name);
  CHECK(body != nullptr);
  const std::array<Vector, 2> args = {Vector::make_constant(call.arena(), {a, false}),
                                      Vector::make_constant(call.arena(), {b, false})};
  return body->kernel(call.context, call.site, args, {nullptr, 1}, out);
}
Result<Datum> binary(const char* name, Call& call, Datum a, Datum b) {
  Vector out = Vector::make(call.arena(), 1);
  TRY(run_binary(name, call, a, b, out));
  return out.value(0);
}

// (start, end or length) OVERLAPS (start, end or length): a length is added to its start by `plus`.
template <bool kFirstLength, bool kSecondLength, auto kPlus, auto kOverlaps>
constexpr Kernel kSpansOverlap =
    lift([](Call& call, NullableDatum a, NullableDatum b, NullableDatum c,
            NullableDatum d) -> Result<NullableDatum> {
      NullableDatum ends[] = {b, d};
      const NullableDatum starts[] = {a, c};
      for (int i = 0; i < 2; ++i) {
        if (!(i == 0 ? kFirstLength : kSecondLength) || ends[i].is_null) continue;
        if (starts[i].is_null) {
          ends[i] = {};
          continue;
        }
        ends[i].value = TRY(binary(kPlus.name, call, starts[i].value, ends[i].value));
      }
      const FunctionBody* const body = find_function({}, kOverlaps.body_name());
      CHECK(body != nullptr);
      const std::array<Vector, 4> args = {
          Vector::make_constant(call.arena(), a), Vector::make_constant(call.arena(), ends[0]),
          Vector::make_constant(call.arena(), c), Vector::make_constant(call.arena(), ends[1])};
      Vector out = Vector::make(call.arena(), 1);
      TRY(body->kernel(call.context, call.site, args, {nullptr, 1}, out));
      return out.at(0);
    });
constexpr auto kPlusMoment = To("timestamp_pl_interval", {0, 1});
constexpr auto kPlusZoned = To("timestamptz_pl_interval", {0, 1});
constexpr auto kPlusTime = To("time_pl_interval", {0, 1});
constexpr auto kMomentsOverlap = To("overlaps_timestamp", {0, 1});
constexpr auto kTimesOverlap = To("overlaps_time", {0, 1});

constexpr FunctionBody kTable[] = {
    by_oid(1305, kSpansOverlap<true, true, kPlusZoned, kMomentsOverlap>),
    by_oid(1306, kSpansOverlap<false, true, kPlusZoned, kMomentsOverlap>),
    by_oid(1307, kSpansOverlap<true, false, kPlusZoned, kMomentsOverlap>),
    by_oid(1309, kSpansOverlap<true, true, kPlusTime, kTimesOverlap>),
    by_oid(1310, kSpansOverlap<false, true, kPlusTime, kTimesOverlap>),
    by_oid(1311, kSpansOverlap<true, false, kPlusTime, kTimesOverlap>),
    by_oid(2042, kSpansOverlap<true, true, kPlusMoment, kMomentsOverlap>),
    by_oid(2043, kSpansOverlap<false, true, kPlusMoment, kMomentsOverlap>),
    by_oid(2044, kSpansOverlap<true, false, kPlusMoment, kMomentsOverlap>),
    by_oid(2074, lift([](Call& call, Datum text, Datum pattern,
                         Datum escape) -> Result<NullableDatum> {  // SUBSTRING ... SIMILAR
             const Datum regex = TRY(binary("similar_to_escape_2", call, pattern, escape));
             Vector out = Vector::make(call.arena(), 1);
             TRY(run_binary("textregexsubstr", call, text, regex, out));
             return out.at(0);
           })),
    by_oid(879, kAs<To("lpad", {0, 1, -1}, " ")>),
    by_oid(880, kAs<To("rpad", {0, 1, -1}, " ")>),
    by_oid(1285, lift([](Call& call, Datum v) { return literal_of(call, v); })),
    by_oid(1290, lift([](Call& call, NullableDatum v) -> Result<Datum> {
             if (v.is_null) return make_varlena(call.arena(), "NULL");
             return literal_of(call, v.value);
           })),
    by_oid(1296, kAs<To("datetime_timestamp", {1, 0})>),
    by_oid(1298, kAs<To("datetimetz_timestamptz", {1, 0})>),
    by_oid(1848, kAs<To("time_pl_interval", {1, 0})>),
    by_oid(2546, kAs<To("date_pl_interval", {1, 0})>),
    by_oid(2547, kAs<To("timetz_pl_interval", {1, 0})>),
    by_oid(2548, kAs<To("timestamp_pl_interval", {1, 0})>),
    by_oid(2549, kAs<To("timestamptz_pl_interval", {1, 0})>),
    by_oid(5023, kAs<To("pg_lsn_pli", {1, 0})>),
    by_oid(2550, kAs<To("date_pli", {1, 0})>),
    by_oid(1176, lift([](Call& call, Datum date,
                         Datum time) -> Result<Datum> {  // timestamptz(date, time)
             const Datum local = TRY(binary("datetime_timestamp", call, date, time));
             const int64_t moment =
                 TRY(timestamp_to_timestamptz(local.as<int64_t>(), session_zone(call.settings())));
             return Datum::of(moment);
           })),
    by_oid(1384, lift([](Call& call, Datum unit,
                         Datum date) -> Result<std::optional<double>> {  // date_part(text, date)
             const Datum moment = TRY(binary("date_timestamp", call, date, date));
             Vector out = Vector::make(call.arena(), 1);
             TRY(run_binary("timestamp_part", call, unit, moment, out));
             if (out.is_null(0)) return std::optional<double>();
             return std::optional<double>(out.value(0).as<double>());
           })),
    by_oid(1386, lift([](Call& call, int64_t v) -> Result<Datum> {  // age(timestamptz)
             const int64_t today =
                 TRY(timestamp_to_timestamptz(midnight(call), session_zone(call.settings())));
             return binary("timestamptz_age", call, Datum::of(today), Datum::of(v));
           })),
    by_oid(2059, lift([](Call& call, int64_t v) {
             return binary("timestamp_age", call, Datum::of(midnight(call)), Datum::of(v));
           })),
};

}  // namespace

std::span<const FunctionBody> sql_functions() { return kTable; }

}  // namespace orrery
