// =, <>, <, <=, >, >=, the three-way comparisons behind B-trees, larger and smaller, for every type
// with an order.
#include "base/hash.h"
#include "func/lift.h"
#include "types/compare.h"
#include "types/float_types.h"
#include "types/small_types.h"

namespace orrery {
namespace {

// Orders on what the C++ types hold. Words of one signedness compare as themselves.
template <class A, class B>
int order(A a, B b) {
  return (a > b) - (a < b);
}

// Six operators over two word types, compiled to loops without branches.
template <class A, class B>
constexpr Kernel kEq = lift([](A a, B b) { return a == b; });
template <class A, class B>
constexpr Kernel kNe = lift([](A a, B b) { return a != b; });
template <class A, class B>
constexpr Kernel kLt = lift([](A a, B b) { return a < b; });
template <class A, class B>
constexpr Kernel kLe = lift([](A a, B b) { return a <= b; });
template <class A, class B>
constexpr Kernel kGt = lift([](A a, B b) { return a > b; });
template <class A, class B>
constexpr Kernel kGe = lift([](A a, B b) { return a >= b; });
template <class A, class B>
constexpr Kernel kCmp = lift([](A a, B b) { return int32_t{order(a, b)}; });
template <class T>
constexpr Kernel kLarger = lift([](T a, T b) { return a > b ? a : b; });
template <class T>
constexpr Kernel kSmaller = lift([](T a, T b) { return a < b ? a : b; });

// Floats: NaN equals NaN and is above all.
template <class A, class B>
int float_order(A a, B b) {
  return compare_floats(static_cast<double>(a), static_cast<double>(b));
}
template <class A, class B>
constexpr Kernel kFloatEq = lift([](A a, B b) { return float_order(a, b) == 0; });
template <class A, class B>
constexpr Kernel kFloatNe = lift([](A a, B b) { return float_order(a, b) != 0; });
template <class A, class B>
constexpr Kernel kFloatLt = lift([](A a, B b) { return float_order(a, b) < 0; });
template <class A, class B>
constexpr Kernel kFloatLe = lift([](A a, B b) { return float_order(a, b) <= 0; });
template <class A, class B>
constexpr Kernel kFloatGt = lift([](A a, B b) { return float_order(a, b) > 0; });
template <class A, class B>
constexpr Kernel kFloatGe = lift([](A a, B b) { return float_order(a, b) >= 0; });
template <class A, class B>
constexpr Kernel kFloatCmp = lift([](A a, B b) { return int32_t{float_order(a, b)}; });
template <class T>
constexpr Kernel kFloatLarger = lift([](T a, T b) { return float_order(a, b) > 0 ? a : b; });
template <class T>
constexpr Kernel kFloatSmaller = lift([](T a, T b) { return float_order(a, b) < 0 ? a : b; });

// By a Comparator.
template <Comparator C>
constexpr Kernel kEqBy = lift([](Datum a, Datum b) { return C(a, b) == 0; });
template <Comparator C>
constexpr Kernel kNeBy = lift([](Datum a, Datum b) { return C(a, b) != 0; });
template <Comparator C>
constexpr Kernel kLtBy = lift([](Datum a, Datum b) { return C(a, b) < 0; });
template <Comparator C>
constexpr Kernel kLeBy = lift([](Datum a, Datum b) { return C(a, b) <= 0; });
template <Comparator C>
constexpr Kernel kGtBy = lift([](Datum a, Datum b) { return C(a, b) > 0; });
template <Comparator C>
constexpr Kernel kGeBy = lift([](Datum a, Datum b) { return C(a, b) >= 0; });
template <Comparator C>
constexpr Kernel kCmpBy = lift([](Datum a, Datum b) {
  const int32_t o = C(a, b);
  return o < 0 ? -1 : o > 0 ? 1 : 0;
});
// The values point into batches that may go: results are copied by the caller's rules, words and
// pointers alike.
template <Comparator C>
constexpr Kernel kLargerBy = lift([](Datum a, Datum b) { return C(a, b) > 0 ? a : b; });
template <Comparator C>
constexpr Kernel kSmallerBy = lift([](Datum a, Datum b) { return C(a, b) < 0 ? a : b; });
// Of equal char(n) values the first is taken.
constexpr Kernel kBpcharLarger =
    lift([](Datum a, Datum b) { return compare_bpchar(a, b) >= 0 ? a : b; });
constexpr Kernel kBpcharSmaller =
    lift([](Datum a, Datum b) { return compare_bpchar(a, b) <= 0 ? a : b; });

// Texts of equal length differ or not: memcmp of the whole suffices.
constexpr Kernel kTextEq = lift([](std::string_view a, std::string_view b) { return a == b; });
constexpr Kernel kTextNe = lift([](std::string_view a, std::string_view b) { return a != b; });

int compare_text_name(Datum a, Datum b) { return -compare_name_text(b, a); }

#define SIX(eq, ne, lt, le, gt, ge, A, B)                                             \
  body(eq, kEq<A, B>), body(ne, kNe<A, B>), body(lt, kLt<A, B>), body(le, kLe<A, B>), \
      body(gt, kGt<A, B>), body(ge, kGe<A, B>)
#define SIX_PREFIX(p, A, B) SIX(p "eq", p "ne", p "lt", p "le", p "gt", p "ge", A, B)
#define SIX_BY(p, C)                                                                              \
  body(p "eq", kEqBy<C>), body(p "ne", kNeBy<C>), body(p "lt", kLtBy<C>), body(p "le", kLeBy<C>), \
      body(p "gt", kGtBy<C>), body(p "ge", kGeBy<C>)
#define SIX_FLOAT(p, A, B)                                                                  \
  body(p "eq", kFloatEq<A, B>), body(p "ne", kFloatNe<A, B>), body(p "lt", kFloatLt<A, B>), \
      body(p "le", kFloatLe<A, B>), body(p "gt", kFloatGt<A, B>), body(p "ge", kFloatGe<A, B>)

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    SIX_PREFIX("bool", bool, bool),
    SIX_PREFIX("int2", int16_t, int16_t),
    SIX_PREFIX("int4", int32_t, int32_t),
    SIX_PREFIX("int8", int64_t, int64_t),
    SIX_PREFIX("int24", int16_t, int32_t),
    SIX_PREFIX("int42", int32_t, int16_t),
    SIX_PREFIX("int28", int16_t, int64_t),
    SIX_PREFIX("int82", int64_t, int16_t),
    SIX_PREFIX("int48", int32_t, int64_t),
    SIX_PREFIX("int84", int64_t, int32_t),
    SIX_PREFIX("oid", uint32_t, uint32_t),
    SIX_PREFIX("date_", int32_t, int32_t),
    SIX_PREFIX("time_", int64_t, int64_t),
    SIX_PREFIX("timestamp_", int64_t, int64_t),
    SIX_PREFIX("pg_lsn_", uint64_t, uint64_t),
    SIX_PREFIX("xid8", uint64_t, uint64_t),
    SIX_PREFIX("cash_", int64_t, int64_t),
    SIX_FLOAT("float4", float, float),
    SIX_FLOAT("float8", double, double),
    SIX_FLOAT("float48", float, double),
    SIX_FLOAT("float84", double, float),
    SIX_BY("char", compare_byte),
    SIX_BY("name", compare_name),
    SIX_BY("numeric_", compare_numeric_datums),
    SIX_BY("bpchar", compare_bpchar),
    SIX_BY("bytea", compare_bytes),
    SIX_BY("uuid_", compare_uuid),
    SIX_BY("tid", compare_tid),
    SIX_BY("interval_", compare_interval),
    SIX_BY("timetz_", compare_timetz),
    body("nameeqtext", kEqBy<compare_name_text>),
    body("namenetext", kNeBy<compare_name_text>),
    body("namelttext", kLtBy<compare_name_text>),
    body("nameletext", kLeBy<compare_name_text>),
    body("namegttext", kGtBy<compare_name_text>),
    body("namegetext", kGeBy<compare_name_text>),
    body("texteqname", kEqBy<compare_text_name>),
    body("textnename", kNeBy<compare_text_name>),
    body("textltname", kLtBy<compare_text_name>),
    body("textlename", kLeBy<compare_text_name>),
    body("textgtname", kGtBy<compare_text_name>),
    body("textgename", kGeBy<compare_text_name>),
    body("btnametextcmp", kCmpBy<compare_name_text>),
    body("bttextnamecmp", kCmpBy<compare_text_name>),
    body("texteq", kTextEq),
    body("textne", kTextNe),
    body("text_lt", kLtBy<compare_bytes>),
    body("text_le", kLeBy<compare_bytes>),
    body("text_gt", kGtBy<compare_bytes>),
    body("text_ge", kGeBy<compare_bytes>),
    body("text_pattern_lt", kLtBy<compare_bytes>),
    body("text_pattern_le", kLeBy<compare_bytes>),
    body("text_pattern_gt", kGtBy<compare_bytes>),
    body("text_pattern_ge", kGeBy<compare_bytes>),
    body("bpchar_pattern_lt", kLtBy<compare_bpchar>),
    body("bpchar_pattern_le", kLeBy<compare_bpchar>),
    body("bpchar_pattern_gt", kGtBy<compare_bpchar>),
    body("bpchar_pattern_ge", kGeBy<compare_bpchar>),
    body("xideq", kEq<uint32_t, uint32_t>),
    body("xidneq", kNe<uint32_t, uint32_t>),
    body("cideq", kEq<uint32_t, uint32_t>),
    body("xidneqint4", kNe<uint32_t, uint32_t>),
    body("xideqint4", kEq<uint32_t, uint32_t>),
    body("btboolcmp", kCmp<bool, bool>),
    body("btint2cmp", kCmp<int16_t, int16_t>),
    body("btint4cmp", kCmp<int32_t, int32_t>),
    body("btint8cmp", kCmp<int64_t, int64_t>),
    body("btint24cmp", kCmp<int16_t, int32_t>),
    body("btint42cmp", kCmp<int32_t, int16_t>),
    body("btint28cmp", kCmp<int16_t, int64_t>),
    body("btint82cmp", kCmp<int64_t, int16_t>),
    body("btint48cmp", kCmp<int32_t, int64_t>),
    body("btint84cmp", kCmp<int64_t, int32_t>),
    body("btoidcmp", kCmp<uint32_t, uint32_t>),
    body("btfloat4cmp", kFloatCmp<float, float>),
    body("btfloat8cmp", kFloatCmp<double, double>),
    body("btfloat48cmp", kFloatCmp<float, double>),
    body("btfloat84cmp", kFloatCmp<double, float>),
    body("btcharcmp", kCmpBy<compare_byte>),
    body("btnamecmp", kCmpBy<compare_name>),
    body("bttextcmp", kCmpBy<compare_bytes>),
    body("bttext_pattern_cmp", kCmpBy<compare_bytes>),
    body("bpcharcmp", kCmpBy<compare_bpchar>),
    body("btbpchar_pattern_cmp", kCmpBy<compare_bpchar>),
    body("byteacmp", kCmpBy<compare_bytes>),
    body("numeric_cmp", kCmpBy<compare_numeric_datums>),
    body("date_cmp", kCmp<int32_t, int32_t>),
    body("time_cmp", kCmp<int64_t, int64_t>),
    body("timetz_cmp", kCmpBy<compare_timetz>),
    body("timestamp_cmp", kCmp<int64_t, int64_t>),
    body("interval_cmp", kCmpBy<compare_interval>),
    body("uuid_cmp", kCmpBy<compare_uuid>),
    body("bttidcmp", kCmpBy<compare_tid>),
    body("pg_lsn_cmp", kCmp<uint64_t, uint64_t>),
    body("xid8cmp", kCmp<uint64_t, uint64_t>),
    body("cash_cmp", kCmp<int64_t, int64_t>),
    body("int2larger", kLarger<int16_t>),
    body("int4larger", kLarger<int32_t>),
    body("int8larger", kLarger<int64_t>),
    body("oidlarger", kLarger<uint32_t>),
    body("date_larger", kLarger<int32_t>),
    body("timestamp_larger", kLarger<int64_t>),
    body("time_larger", kLarger<int64_t>),
    body("float4larger", kFloatLarger<float>),
    body("float8larger", kFloatLarger<double>),
    body("int2smaller", kSmaller<int16_t>),
    body("int4smaller", kSmaller<int32_t>),
    body("int8smaller", kSmaller<int64_t>),
    body("oidsmaller", kSmaller<uint32_t>),
    body("date_smaller", kSmaller<int32_t>),
    body("timestamp_smaller", kSmaller<int64_t>),
    body("time_smaller", kSmaller<int64_t>),
    body("float4smaller", kFloatSmaller<float>),
    body("float8smaller", kFloatSmaller<double>),
    body("text_larger", kLargerBy<compare_bytes>),
    body("text_smaller", kSmallerBy<compare_bytes>),
    body("bpchar_larger", kBpcharLarger),
    body("bpchar_smaller", kBpcharSmaller),
    body("numeric_larger", kLargerBy<compare_numeric_datums>),
    body("numeric_smaller", kSmallerBy<compare_numeric_datums>),
    body("interval_larger", kLargerBy<compare_interval>),
    body("interval_smaller", kSmallerBy<compare_interval>),
    body("timetz_larger", kLargerBy<compare_timetz>),
    body("timetz_smaller", kSmallerBy<compare_timetz>),
    body("tidlarger", kLargerBy<compare_tid>),
    body("tidsmaller", kSmallerBy<compare_tid>),
    body("pg_lsn_larger", kLarger<uint64_t>),
    body("pg_lsn_smaller", kSmaller<uint64_t>),
    body("xid8_larger", kLarger<uint64_t>),
    body("xid8_smaller", kSmaller<uint64_t>),
    body("bytea_larger", kLargerBy<compare_bytes>),
    body("text_starts_with",
         lift([](std::string_view a, std::string_view b) { return a.starts_with(b); })),
}));

}  // namespace

std::span<const FunctionBody> comparison_functions() { return kTable; }

}  // namespace orrery
