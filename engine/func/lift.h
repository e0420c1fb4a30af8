// Turns scalar functions into kernels. A body is written for one row, as a lambda over C++ types,
//
//   {"int4abs", lift([](int32_t a) -> Result<int32_t> { ... })}
//   {"text_length", lift([](std::string_view a) { return static_cast<int32_t>(utf8_count(a)); })}
//   {"upper", lift([](Call& call, std::string_view a) { ... })}
//
// and its signature says everything else: argument types pick how Datums are read, the result type
// how one is made. The result may be T, Result<T>, std::optional<T> (NULL) or
// Result<std::optional<T>>. Functions are strict: a row with a NULL argument is NULL and the body
// is not asked. An argument of type NullableDatum (all or none of them) makes it non-strict.
//
// Bodies that take and return plain words and cannot fail compile to a loop over words without
// branches; NULLs are merged apart from it. overflow_checked<> is for arithmetic: overflow of any
// row is noticed after the loop.
//
//   SQL             C++
//   bool, ints      bool, int16_t, int32_t, int64_t; oid: Oid; xid, cid: uint32_t; xid8, pg_lsn: uint64_t
//   float4, float8  float, double;  "char": char
//   text, bytea...  std::string_view; results also std::string;  name: Name
//   numeric         Numeric;  interval: Interval;  timetz: TimeTz;  cstring: CString;  anything: Datum
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "func/kernel.h"
#include "func/registry.h"
#include "func/session_view.h"
#include "types/character_types.h"
#include "types/date_time.h"
#include "types/numeric.h"

namespace orrery {

// What a body may know beside its arguments.
struct Call {
  EvalContext& context;
  CallSite& site;
  Arena& arena() const { return context.arena; }
  const TypeSettings& settings() const { return context.session.types; }
  Oid argument_type(size_t i) const {
    return i < site.argument_types.size() ? site.argument_types[i] : Oid();
  }
};

struct Name {
  std::string_view text;
};
struct CString {
  const char* text;
};

// Refuses a value too long to be stored; asked before it is made.
inline Status check_length(uint64_t bytes) {
  if (bytes <= kMaxValueBytes - kVarlenaHeaderBytes) return {};
  return raise(sqlstate::program_limit_exceeded, "requested length too large");
}

// How a C++ type travels as a Datum. to() may fail (numeric overflow).
template <class T>
struct Codec {  // words
  static constexpr bool kWord = true;
  static T from(Datum v) { return v.as<T>(); }
  static Result<Datum> to(Arena&, T v) { return Datum::of(v); }
};
template <>
struct Codec<Datum> {
  static constexpr bool kWord = false;
  static Datum from(Datum v) { return v; }
  static Result<Datum> to(Arena&, Datum v) { return v; }
};
template <>
struct Codec<std::string_view> {
  static constexpr bool kWord = false;
  static std::string_view from(Datum v) { return v.text(); }
  static Result<Datum> to(Arena& arena, std::string_view v) {
    TRY(check_length(v.size()));
    return make_varlena(arena, v);
  }
};
template <>
struct Codec<std::string> {
  static constexpr bool kWord = false;
  static Result<Datum> to(Arena& arena, const std::string& v) {
    return Codec<std::string_view>::to(arena, v);
  }
};
template <>
struct Codec<Name> {
  static constexpr bool kWord = false;
  static Name from(Datum v) { return {name_view(v.as<const char*>())}; }
  static Result<Datum> to(Arena& arena, Name v) { return make_name(arena, v.text); }
};
template <>
struct Codec<CString> {
  static constexpr bool kWord = false;
  static CString from(Datum v) { return {v.as<const char*>()}; }
  static Result<Datum> to(Arena&, CString v) { return Datum::of(static_cast<const void*>(v.text)); }
};
template <>
struct Codec<Numeric> {
  static constexpr bool kWord = false;
  static Numeric from(Datum v) { return Numeric::from_datum(v); }
  static Result<Datum> to(Arena& arena, const Numeric& v) { return make_numeric(arena, v); }
};
template <>
struct Codec<Interval> {
  static constexpr bool kWord = false;
  static Interval from(Datum v) { return load_interval(v); }
  static Result<Datum> to(Arena& arena, const Interval& v) { return make_interval(arena, v); }
};
template <>
struct Codec<TimeTz> {
  static constexpr bool kWord = false;
  static TimeTz from(Datum v) { return load_timetz(v); }
  static Result<Datum> to(Arena& arena, const TimeTz& v) { return make_timetz(arena, v); }
};
template <class T>
concept Word = Codec<T>::kWord;

// The shape of a lambda: does it take a Call, what are its arguments, what does it return.
template <class M>
struct BodyOf;
template <class L, class R, class... A>
struct BodyOf<R (L::*)(A...) const> {
  using Return = R;
  static constexpr bool kTakesCall = false;
  template <template <class...> class To>
  using Arguments = To<std::remove_cvref_t<A>...>;
};
template <class L, class R, class... A>
struct BodyOf<R (L::*)(Call&, A...) const> {
  using Return = R;
  static constexpr bool kTakesCall = true;
  template <template <class...> class To>
  using Arguments = To<std::remove_cvref_t<A>...>;
};
template <class... A>
struct TypeList {
  static constexpr size_t kCount = sizeof...(A);
  static constexpr bool kNullable = (std::is_same_v<A, NullableDatum> || ...);
  static constexpr bool kWords = ((!std::is_same_v<A, NullableDatum> && Codec<A>::kWord) && ...);
};
template <>
struct TypeList<> {
  static constexpr size_t kCount = 0;
  static constexpr bool kNullable = false;
  static constexpr bool kWords = false;
};

inline bool any_null(std::span<const Vector> args, uint32_t row) {
  for (const Vector& arg : args) {
    if (arg.is_null(row)) return true;
  }
  return false;
}

// Stores what a body returned.
template <class T>
Status store_result(Arena& arena, Vector& out, uint32_t row, T&& value) {
  using V = std::remove_cvref_t<T>;
  if constexpr (requires { std::move(value).take_error(); }) {
    if (!value.ok()) [[unlikely]]
      return std::move(value).take_error();
    return store_result(arena, out, row, std::move(value).take_value());
  } else if constexpr (requires { value.has_value(); }) {
    if (!value.has_value()) {
      out.set_null(row);
      return {};
    }
    return store_result(arena, out, row, std::move(*value));
  } else if constexpr (std::is_same_v<V, NullableDatum>) {
    out.set(row, value);
    return {};
  } else if constexpr (Codec<V>::kWord) {
    out.set(row, Datum::of(value));
    return {};
  } else {
    Result<Datum> datum = Codec<V>::to(arena, value);
    if (!datum.ok()) [[unlikely]]
      return std::move(datum).take_error();
    out.set(row, *datum);
    return {};
  }
}

template <class T>
T load_argument(const Vector& vector, uint32_t row) {
  if constexpr (std::is_same_v<T, NullableDatum>) {
    return vector.at(row);
  } else {
    return Codec<T>::from(vector.value(row));
  }
}

template <class F, bool kTakesCall, class... A, size_t... I>
auto invoke_body(Call& call, std::span<const Vector> args, uint32_t row, TypeList<A...>,
                 std::index_sequence<I...>) {
  (void)args;
  (void)row;
  (void)call;
  if constexpr (kTakesCall) {
    return F()(call, load_argument<A>(args[I], row)...);
  } else {
    return F()(load_argument<A>(args[I], row)...);
  }
}

// NULL where any argument is NULL, else not. Returns whether any row is NULL.
inline bool merge_nulls(std::span<const Vector> args, Rows rows, Vector& out) {
  bool may = false;
  for (const Vector& arg : args) may |= arg.may_have_nulls;
  bool any = false;
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    const uint8_t null = may && any_null(args, row) ? 1 : 0;
    out.nulls[row] = null;
    any |= null != 0;
  }
  if (any) out.may_have_nulls = true;
  return any;
}

template <class F, class A>
void word_loop(std::span<const Vector> args, Rows rows, Vector& out, TypeList<A>) {
  const Datum* const a = args[0].values;
  if (rows.index == nullptr && !args[0].constant) {
    for (uint32_t i = 0; i < rows.count; ++i) out.values[i] = Datum::of(F()(Codec<A>::from(a[i])));
    return;
  }
  for (uint32_t i = 0; i < rows.count; ++i)
    out.values[rows[i]] = Datum::of(F()(Codec<A>::from(args[0].value(rows[i]))));
}
template <class F, class A, class B>
void word_loop(std::span<const Vector> args, Rows rows, Vector& out, TypeList<A, B>) {
  const Datum* const a = args[0].values;
  const Datum* const b = args[1].values;
  if (rows.index == nullptr && !args[0].constant && !args[1].constant) {
    for (uint32_t i = 0; i < rows.count; ++i)
      out.values[i] = Datum::of(F()(Codec<A>::from(a[i]), Codec<B>::from(b[i])));
  } else if (rows.index == nullptr && args[1].constant && !args[0].constant) {
    const B right = Codec<B>::from(b[0]);
    for (uint32_t i = 0; i < rows.count; ++i)
      out.values[i] = Datum::of(F()(Codec<A>::from(a[i]), right));
  } else {
    for (uint32_t i = 0; i < rows.count; ++i) {
      const uint32_t row = rows[i];
      out.values[row] =
          Datum::of(F()(Codec<A>::from(args[0].value(row)), Codec<B>::from(args[1].value(row))));
    }
  }
}

template <class T>
struct IsWord : std::bool_constant<false> {};
template <class T>
  requires requires { Codec<T>::kWord; }
struct IsWord<T>
    : std::bool_constant<Codec<T>::kWord && (std::is_arithmetic_v<T> || std::is_same_v<T, Oid>)> {};

template <class F>
Status lifted(EvalContext& context, CallSite& site, std::span<const Vector> args, Rows rows,
              Vector& out) {
  using Body = BodyOf<decltype(&F::operator())>;
  using Types = typename Body::template Arguments<TypeList>;
  Call call{context, site};
  if constexpr (!Body::kTakesCall && Types::kWords && Types::kCount <= 2 &&
                IsWord<typename Body::Return>::value) {
    merge_nulls(args, rows, out);
    word_loop<F>(args, rows, out, Types());
  } else {
    bool may_have_nulls = false;
    if constexpr (!Types::kNullable) {
      for (const Vector& arg : args) may_have_nulls |= arg.may_have_nulls;
    }
    for (uint32_t i = 0; i < rows.count; ++i) {
      const uint32_t row = rows[i];
      if (may_have_nulls && any_null(args, row)) {
        out.set_null(row);
        continue;
      }
      Status status =
          store_result(context.arena, out, row,
                       invoke_body<F, Body::kTakesCall>(call, args, row, Types(),
                                                        std::make_index_sequence<Types::kCount>()));
      if (!status.ok()) [[unlikely]]
        return status;
    }
  }
  return {};
}

// The kernel of a lambda that captures nothing.
template <class F>
constexpr Kernel lift(F) {
  static_assert(std::is_empty_v<F>);
  return lifted<F>;
}

// The kernel of a test of kCompare(a, b), which is -1, 0 or 1.
template <auto kCompare, class Test>
constexpr Kernel ordered(Test) {
  static_assert(std::is_empty_v<Test>);
  return lift([](Datum a, Datum b) { return Test()(kCompare(a, b)); });
}

// Arithmetic that may overflow: F(a, b, &result) is true when it did. The loop does not branch on
// it.
Status raise_out_of_range(std::string_view type);
template <class T>
constexpr std::string_view kIntegerName = sizeof(T) == 2   ? "smallint"
                                          : sizeof(T) == 4 ? "integer"
                                                           : "bigint";

template <class A, class B, class R, bool (*F)(R, R, R*)>
Status overflow_checked(EvalContext&, CallSite&, std::span<const Vector> args, Rows rows,
                        Vector& out) {
  const bool has_nulls = merge_nulls(args, rows, out);
  bool overflow = false;
  if (!has_nulls && rows.index == nullptr && !args[0].constant) {
    const Datum* const a = args[0].values;
    const Datum* const b = args[1].values;
    const uint32_t stride = args[1].constant ? 0 : 1;
    for (uint32_t i = 0; i < rows.count; ++i) {
      R result;
      overflow |= F(static_cast<R>(a[i].as<A>()), static_cast<R>(b[i * stride].as<B>()), &result);
      out.values[i] = Datum::of(result);
    }
  } else {
    for (uint32_t i = 0; i < rows.count; ++i) {
      const uint32_t row = rows[i];
      R result;
      const bool over = F(static_cast<R>(args[0].value(row).as<A>()),
                          static_cast<R>(args[1].value(row).as<B>()), &result);
      overflow |= over && out.nulls[row] == 0;
      out.values[row] = Datum::of(result);
    }
  }
  if (overflow) [[unlikely]]
    return raise_out_of_range(kIntegerName<R>);
  return {};
}

// A table of bodies, sorted at compile time.
template <size_t N>
consteval std::array<FunctionBody, N> sorted_by_name(std::array<FunctionBody, N> table) {
  std::sort(table.begin(), table.end(),
            [](const FunctionBody& a, const FunctionBody& b) { return a.name < b.name; });
  return table;
}

constexpr FunctionBody body(std::string_view name, Kernel kernel) {
  return {.name = name, .kernel = kernel};
}

// One table a subject, in the .cpp of the subject.
std::span<const FunctionBody> integer_functions();
std::span<const FunctionBody> float_functions();
std::span<const FunctionBody> numeric_functions();
std::span<const FunctionBody> comparison_functions();
std::span<const FunctionBody> text_functions();
std::span<const FunctionBody> string_functions();
std::span<const FunctionBody> bytea_functions();
std::span<const FunctionBody> array_functions();
std::span<const FunctionBody> set_functions();
std::span<const FunctionBody> format_functions();
std::span<const FunctionBody> regex_functions();
std::span<const FunctionBody> cast_functions();
std::span<const FunctionBody> date_time_functions();
std::span<const FunctionBody> date_part_functions();
std::span<const FunctionBody> window_range_functions();
std::span<const FunctionBody> unicode_functions();
std::span<const FunctionBody> misc_functions();
std::span<const FunctionBody> log_position_functions();
std::span<const FunctionBody> sleep_functions();
// Few: searched from front to back.
std::span<const FunctionBody> functions_by_oid();
std::span<const FunctionBody> sql_functions();
std::span<const FunctionBody> catalog_functions();
std::span<const FunctionBody> catalog_functions_by_oid();
std::span<const FunctionBody> session_functions();
std::span<const FunctionBody> size_functions();
std::span<const FunctionBody> size_functions_by_oid();
std::span<const FunctionBody> privilege_functions();
std::span<const FunctionBody> system_functions();
std::span<const FunctionBody> bit_functions();
std::span<const FunctionBody> bit_functions_by_oid();
std::span<const FunctionBody> money_functions();
std::span<const FunctionBody> network_functions();
std::span<const FunctionBody> network_functions_by_oid();
std::span<const FunctionBody> hash_functions();
std::span<const FunctionBody> json_functions();
std::span<const FunctionBody> jsonb_functions();
std::span<const FunctionBody> jsonb_casts();
std::span<const FunctionBody> json_build_functions();
std::span<const FunctionBody> input_output_functions();

}  // namespace orrery
