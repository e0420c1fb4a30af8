#include "types/numeric.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"
#include "types/facts.h"
#include "types/float_types.h"

namespace orrery {
namespace {

Numeric parse(std::string_view text) {
  Result<Numeric> value = parse_numeric(text);
  CHECK(value.ok());
  return std::move(value).value();
}
std::string show(const Numeric& value) {
  std::string out;
  append_numeric(out, value);
  return out;
}
std::string show(const Result<Numeric>& value) {
  return value.ok() ? show(value.value()) : error_fact(value.status());
}

template <class T>
std::string narrowed(const Numeric& value, std::string_view type) {
  if (value.is_nan()) return cat("!0A000 cannot convert NaN to ", type);
  if (value.is_infinite()) return cat("!0A000 cannot convert infinity to ", type);
  const std::optional<int64_t> whole = numeric_to_int64(value);
  if (!whole || *whole > std::numeric_limits<T>::max() || *whole < std::numeric_limits<T>::min()) {
    return cat("!22003 ", type, " out of range");
  }
  return std::to_string(*whole);
}

std::string apply2(const std::string& operation, const Numeric& a, const Numeric& b) {
  if (operation == "add") return show(add(a, b));
  if (operation == "subtract") return show(subtract(a, b));
  if (operation == "multiply") return show(multiply(a, b));
  if (operation == "divide") return show(divide(a, b));
  if (operation == "modulo") return show(modulo(a, b));
  if (operation == "div") return show(divide_truncating(a, b));
  if (operation == "gcd") return show(gcd(a, b, nullptr));
  if (operation == "lcm") return show(lcm(a, b, nullptr));
  if (operation == "power") return show(power(a, b));
  if (operation == "log") return show(logarithm(a, b));
  if (operation == "compare") {
    const int order = compare_numeric(a, b);
    return order < 0 ? "-1" : order > 0 ? "1" : "0";
  }
  return "unknown " + operation;
}

std::string apply1(const std::string& operation, Numeric a) {
  if (operation == "sqrt") return show(square_root(a));
  if (operation == "ln") return show(natural_log(a));
  if (operation == "exp") return show(exponential(a));
  if (operation == "ceil") return show(ceiling(a));
  if (operation == "floor") return show(floor(a));
  if (operation == "abs") return show(absolute(a));
  if (operation == "sign") return a.is_nan() ? "NaN" : std::to_string(a.sign());
  if (operation == "scale") return a.is_finite() ? std::to_string(a.scale) : "\\N";
  if (operation == "min_scale") return a.is_finite() ? std::to_string(min_scale(a)) : "\\N";
  if (operation == "trim_scale") {
    if (a.is_finite()) a.scale = min_scale(a);
    return show(a);
  }
  if (operation == "int2") return narrowed<int16_t>(a, "smallint");
  if (operation == "int4") return narrowed<int32_t>(a, "integer");
  if (operation == "int8") return narrowed<int64_t>(a, "bigint");
  std::string out;
  if (operation == "float8") {
    append_float8(out, numeric_to_double(a));
    return out;
  }
  if (operation == "float4") {
    append_float4(out, numeric_to_float(a));
    return out;
  }
  return "unknown " + operation;
}

TEST(Numeric, AnswersAsPostgreSQLDigitForDigit) {
  int checked = 0;
  for (const Fact& fact : read_facts("testdata/numeric.facts")) {
    const std::string& operation = fact[0];
    if (operation == "float4" && fact.result().starts_with("!"))
      continue;  // the cast's own range check
    Numeric a = parse(fact[1]);
    std::string got;
    if (operation == "round" || operation == "trunc") {
      operation == "round" ? a.round(std::stoi(fact[2])) : a.truncate(std::stoi(fact[2]));
      got = show(a);
    } else {
      got = fact.fields.size() == 4 ? apply2(operation, a, parse(fact[2])) : apply1(operation, a);
    }
    if (got.size() > 200 && got != fact.result()) got.resize(200);
    EXPECT_EQ(got, fact.result()) << "numeric.facts:" << fact.line << " " << join(fact.fields, " ");
    ++checked;
  }
  EXPECT_GT(checked, 8000);
}

std::string int128_text(__int128 value) { return show(Numeric::from_int128(value)); }

RC_GTEST_PROP(NumericProperty, IntegersAgreeWithMachineArithmetic, (int64_t a, int64_t b)) {
  const Numeric x = Numeric::from_int(a);
  const Numeric y = Numeric::from_int(b);
  RC_ASSERT(show(x) == std::to_string(a));
  RC_ASSERT(show(add(x, y)) == int128_text(static_cast<__int128>(a) + b));
  RC_ASSERT(show(subtract(x, y)) == int128_text(static_cast<__int128>(a) - b));
  RC_ASSERT(show(multiply(x, y)) == int128_text(static_cast<__int128>(a) * b));
  RC_ASSERT((compare_numeric(x, y) > 0) == (a > b));
  if (b != 0 && !(a == INT64_MIN && b == -1)) {
    RC_ASSERT(show(divide_truncating(x, y).value()) == std::to_string(a / b));
    RC_ASSERT(show(modulo(x, y).value()) == std::to_string(a % b));
  }
  RC_ASSERT(numeric_to_int64(x) == a);
}

// Any number, as text: up to `digits` before and after the point.
rc::Gen<Numeric> any_numeric(size_t digits = 60) {
  return rc::gen::map(rc::gen::tuple(rc::gen::arbitrary<bool>(),
                                     rc::gen::container<std::string>(rc::gen::inRange('0', ':')),
                                     rc::gen::container<std::string>(rc::gen::inRange('0', ':'))),
                      [digits](const std::tuple<bool, std::string, std::string>& parts) {
                        const auto& [negative, whole, fraction] = parts;
                        return parse(cat(negative ? "-" : "", "0", whole.substr(0, digits), ".",
                                         fraction.substr(0, digits), "0"));
                      });
}

// "e0" sends the same digits through the whole grammar.
RC_GTEST_PROP(NumericProperty, PlainNumbersReadAsTheGrammarReadsThem, ()) {
  const auto digits = [] {
    std::string text;
    for (int i = *rc::gen::inRange(0, 10); i > 0; --i)
      text += *rc::gen::element('0', '0', '1', '5', '9');
    return text;
  };
  std::string text = *rc::gen::element<std::string>("", "-") + digits();
  if (*rc::gen::arbitrary<bool>()) text += "." + digits();
  const Result<Numeric> plain = parse_numeric(text);
  const Result<Numeric> whole = parse_numeric(text + "e0");
  RC_ASSERT(plain.ok() == whole.ok());
  if (!plain.ok()) return;
  RC_ASSERT(show(plain) == show(whole));
  RC_ASSERT(plain.value().weight == whole.value().weight);
  RC_ASSERT(plain.value().digits.size() == whole.value().digits.size());
  plain.value().check();
}

RC_GTEST_PROP(NumericProperty, DivisionInvertsMultiplication, ()) {
  const Numeric a = *any_numeric();
  const Numeric b = *any_numeric();
  RC_PRE(!b.is_zero());
  const Numeric quotient = divide_to(multiply(a, b), b, a.scale, true);
  RC_ASSERT(compare_numeric(quotient, a) == 0);
  const Numeric whole = divide_truncating(a, b).value();
  const Numeric rest = modulo(a, b).value();
  RC_ASSERT(compare_numeric(add(multiply(whole, b), rest), a) == 0);
  RC_ASSERT(compare_magnitude(rest, b) < 0);
  RC_CLASSIFY(b.digits.size() > 2, "long division");
}

RC_GTEST_PROP(NumericProperty, StoredFormRoundTripsAndOrdersAsTheValue, ()) {
  Arena arena;
  const Numeric a = *any_numeric(100);
  const Numeric b = *any_numeric(100);
  const Datum x = make_numeric(arena, a).value();
  const Datum y = make_numeric(arena, b).value();
  RC_ASSERT(show(Numeric::from_datum(x)) == show(a));
  RC_ASSERT((compare_numeric_datums(x, y) < 0) == (compare_numeric(a, b) < 0));
  RC_ASSERT(compare_numeric_datums(x, x) == 0);
  Numeric longer = a;
  longer.scale += 3;
  const Datum z = make_numeric(arena, longer).value();
  RC_ASSERT(compare_numeric_datums(x, z) == 0);
  RC_ASSERT(hash_numeric_datum(x) == hash_numeric_datum(z));
}

RC_GTEST_PROP(NumericProperty, SquareRootIsTheNearest, ()) {
  const Numeric a = absolute(*any_numeric(40));
  const Numeric root = square_root(a).value();
  Numeric half_unit = Numeric::from_int(5);  // half of the last decimal shown
  for (int i = 0; i <= root.scale; ++i)
    half_unit = divide_to(half_unit, Numeric::from_int(10), i + 1, true);
  const Numeric low = subtract(root, half_unit);
  const Numeric high = add(root, half_unit);
  RC_ASSERT(low.sign() <= 0 || compare_numeric(multiply(low, low), a) <= 0);
  RC_ASSERT(compare_numeric(multiply(high, high), a) >= 0);
}

}  // namespace
}  // namespace orrery
