// numeric as text and on the wire, its typmod, and its kin among other number types.
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "types/float_types.h"
#include "types/integer_types.h"
#include "types/numeric.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

constexpr uint16_t kWireNegative = 0x4000;
constexpr uint16_t kWireNan = 0xc000;
constexpr uint16_t kWirePositiveInfinity = 0xd000;
constexpr uint16_t kWireNegativeInfinity = 0xf000;

// The number that decimal digits, a point among them and an exponent mean.
struct Decimal {
  std::string digits;  // without the point
  int64_t whole = 0;   // how many stand before the point
};

Numeric from_decimal(const Decimal& decimal, bool negative, int32_t scale) {
  Numeric value;
  value.negative = negative;
  value.scale = scale;
  // Pad in front so that the point falls between digits of base 10000.
  const int64_t lead =
      ((-decimal.whole % Numeric::kDecimals) + Numeric::kDecimals) % Numeric::kDecimals;
  value.weight = static_cast<int32_t>((decimal.whole + lead) / Numeric::kDecimals - 1);
  const int64_t count = static_cast<int64_t>(decimal.digits.size()) + lead;
  const int groups = static_cast<int>((count + Numeric::kDecimals - 1) / Numeric::kDecimals);
  value.digits.resize(groups);
  for (int group = 0; group < groups; ++group) {
    int digit = 0;
    for (int64_t i = int64_t{group} * Numeric::kDecimals;
         i < int64_t{group + 1} * Numeric::kDecimals; ++i) {
      const int64_t at = i - lead;
      digit *= 10;
      if (at >= 0 && at < static_cast<int64_t>(decimal.digits.size()))
        digit += decimal.digits[static_cast<size_t>(at)] - '0';
    }
    value.digits[group] = static_cast<int16_t>(digit);
  }
  value.normalise();
  return value;
}

// mantissa / 10^scale. REQUIRES: mantissa < 10^kPlainDigits, 0 <= scale <= kPlainDigits.
constexpr int kPlainDigits = 16;
Numeric from_plain(uint64_t mantissa, int scale, bool negative) {
  Numeric value;
  value.scale = scale;
  const int decimal_groups = (scale + Numeric::kDecimals - 1) / Numeric::kDecimals;
  constexpr int kPowers[] = {1, 10, 100, 1000};
  mantissa *= static_cast<uint64_t>(kPowers[decimal_groups * Numeric::kDecimals - scale]);
  int16_t groups[kPlainDigits / Numeric::kDecimals + 1];  // the least first
  int count = 0;
  int zeros = 0;  // groups at the end that are zero
  for (; mantissa != 0; mantissa /= Numeric::kBase) {
    groups[count++] = static_cast<int16_t>(mantissa % Numeric::kBase);
    zeros += zeros == count - 1 && groups[count - 1] == 0;
  }
  if (count == 0) return value;
  value.negative = negative;
  value.weight = count - 1 - decimal_groups;
  value.digits.resize(count - zeros);
  for (int i = 0; i < count - zeros; ++i) value.digits[i] = groups[count - 1 - i];
  return value;
}

// [-]digits[.digits] of few digits, as most numbers are. nullopt: the rest of the grammar.
std::optional<Numeric> parse_plain(std::string_view text) {
  size_t at = text.starts_with('-') ? 1 : 0;
  const size_t first = at;
  size_t point = text.size();
  uint64_t mantissa = 0;
  if (text.size() > first + kPlainDigits) return std::nullopt;
  for (; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      mantissa = mantissa * 10 + static_cast<uint64_t>(text[at] - '0');
    } else if (text[at] == '.' && point == text.size()) {
      point = at;
    } else {
      return std::nullopt;
    }
  }
  const bool has_point = point < text.size();
  if (text.size() - first <= (has_point ? 1 : 0)) return std::nullopt;  // no digit
  const int scale = has_point ? static_cast<int>(text.size() - point - 1) : 0;
  return from_plain(mantissa, scale, first == 1);
}

std::optional<Numeric> parse_special(std::string_view word) {
  struct Word {
    std::string_view text;
    Numeric::Kind kind;
  };
  constexpr Word kWords[] = {
      {"nan", Numeric::Kind::nan},
      {"infinity", Numeric::Kind::positive_infinity},
      {"inf", Numeric::Kind::positive_infinity},
      {"+infinity", Numeric::Kind::positive_infinity},
      {"+inf", Numeric::Kind::positive_infinity},
      {"-infinity", Numeric::Kind::negative_infinity},
      {"-inf", Numeric::Kind::negative_infinity},
  };
  for (const Word& candidate : kWords) {
    if (equals_ignoring_case(word, candidate.text)) return Numeric::special(candidate.kind);
  }
  return std::nullopt;
}

void append_digit(std::string& out, int digit, bool leading) {
  const int parts[] = {digit / 1000, digit / 100 % 10, digit / 10 % 10, digit % 10};
  bool started = !leading;
  for (int i = 0; i < Numeric::kDecimals; ++i) {
    started |= parts[i] != 0 || i == Numeric::kDecimals - 1;
    if (started) out.push_back(static_cast<char>('0' + parts[i]));
  }
}

Status field_overflow(int32_t precision, int32_t scale, std::string_view rest) {
  return raise(sqlstate::numeric_value_out_of_range, "numeric field overflow")
      .detail(cat("A field with precision ", precision, ", scale ", scale, rest));
}

Numeric from_short_double(double value, int digits) {
  if (std::isnan(value)) return Numeric::nan();
  if (std::isinf(value)) return Numeric::infinity(value < 0);
  char buffer[64];
  const int n = std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
  Result<Numeric> parsed = parse_numeric({buffer, static_cast<size_t>(n)});
  CHECK(parsed.ok());
  return std::move(parsed).value();
}

}  // namespace

Result<Numeric> parse_numeric(std::string_view text) {
  if (std::optional<Numeric> plain = parse_plain(text)) return std::move(*plain);
  const std::string_view body = trim_spaces(text);
  const bool negative = body.starts_with('-');
  size_t at = negative || body.starts_with('+') ? 1 : 0;
  Decimal decimal;
  bool point = false;
  int64_t scale = 0;
  for (; at < body.size(); ++at) {
    if (is_digit(body[at])) {
      decimal.digits.push_back(body[at]);
      decimal.whole += !point;
      scale += point;
    } else if (body[at] == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (decimal.digits.empty()) {
    if (std::optional<Numeric> special = parse_special(body)) return std::move(*special);
    return invalid_syntax("numeric", text);
  }
  if (at < body.size() && (body[at] == 'e' || body[at] == 'E')) {
    ++at;
    bool minus = false;
    if (at < body.size() && (body[at] == '-' || body[at] == '+')) minus = body[at++] == '-';
    if (at == body.size() || !is_digit(body[at])) return invalid_syntax("numeric", text);
    int64_t exponent = 0;
    for (; at < body.size() && is_digit(body[at]); ++at) {
      exponent = exponent * 10 + (body[at] - '0');
      if (exponent >= INT32_MAX / 2) return numeric_overflow();
    }
    if (minus) exponent = -exponent;
    decimal.whole += exponent;
    scale = std::max<int64_t>(scale - exponent, 0);
  }
  if (at != body.size()) return invalid_syntax("numeric", text);
  Numeric value =
      from_decimal(decimal, negative, static_cast<int32_t>(std::min<int64_t>(scale, INT32_MAX)));
  if (value.weight > INT16_MAX || value.weight < INT16_MIN || value.scale > Numeric::kMaxScale)
    return numeric_overflow();
  return value;
}

void append_numeric(std::string& out, const Numeric& value) {
  if (value.is_nan()) {
    out.append("NaN");
    return;
  }
  if (value.is_infinite()) {
    out.append(value.sign() < 0 ? "-Infinity" : "Infinity");
    return;
  }
  if (value.negative) out.push_back('-');
  const auto digit_at = [&](int power) {
    const int i = value.weight - power;
    return i >= 0 && i < value.digits.size() ? value.digits[i] : int16_t{0};
  };
  if (value.weight < 0 || value.digits.empty()) {
    out.push_back('0');
  } else {
    for (int power = value.weight; power >= 0; --power)
      append_digit(out, digit_at(power), power == value.weight);
  }
  if (value.scale <= 0) return;
  out.push_back('.');
  const size_t end = out.size() + static_cast<size_t>(value.scale);
  for (int power = -1; out.size() < end; --power) append_digit(out, digit_at(power), false);
  out.resize(end);
}

Status apply_numeric_typmod(Numeric& value, int32_t typmod) {
  if (typmod < 4 || value.is_nan()) return {};
  const int32_t precision = numeric_typmod_precision(typmod);
  const int32_t scale = numeric_typmod_scale(typmod);
  if (value.is_infinite())
    return field_overflow(precision, scale, " cannot hold an infinite value.");
  value.round(scale);
  if (value.digits.empty()) return {};
  const int most = precision - scale;
  int decimals = (value.weight + 1) * Numeric::kDecimals;  // before the point
  const int first = value.digits[0];
  decimals -= first < 10 ? 3 : first < 100 ? 2 : first < 1000 ? 1 : 0;
  if (decimals <= most) return {};
  return field_overflow(
      precision, scale,
      cat(" must round to an absolute value less than ", most != 0 ? cat("10^", most) : "1", "."));
}

std::optional<int64_t> numeric_to_int64(const Numeric& value) {
  if (!value.is_finite()) return std::nullopt;
  Numeric whole = value;
  whole.round(0);
  int64_t result = 0;
  if (whole.weight > 4) return std::nullopt;
  for (int i = 0; !whole.digits.empty() && i <= whole.weight; ++i) {
    const int64_t digit = i < whole.digits.size() ? whole.digits[i] : 0;
    if (__builtin_mul_overflow(result, int64_t{Numeric::kBase}, &result) ||
        __builtin_add_overflow(result, whole.negative ? -digit : digit, &result)) {
      return std::nullopt;
    }
  }
  return result;
}

double numeric_to_double(const Numeric& value) {
  if (value.is_nan()) return std::nan("");
  if (value.is_infinite()) return value.sign() * HUGE_VAL;
  std::string text;
  append_numeric(text, value);
  const Result<double> parsed = parse_float8(text);
  if (parsed.ok()) return parsed.value();
  return value.weight >= 0 ? value.sign() * HUGE_VAL : 0;  // out of range, by which side
}

float numeric_to_float(const Numeric& value) {
  if (!value.is_finite()) return static_cast<float>(numeric_to_double(value));
  std::string text;
  append_numeric(text, value);
  const Result<float> parsed = parse_float4(text);
  if (parsed.ok()) return parsed.value();
  return value.weight >= 0 ? static_cast<float>(value.sign()) * HUGE_VALF : 0;
}

Numeric numeric_from_double(double value) { return from_short_double(value, 15); }
Numeric numeric_from_float(float value) { return from_short_double(static_cast<double>(value), 6); }

Result<Datum> numeric_in(IoContext& context, std::string_view text) {
  Numeric value = TRY(parse_numeric(text));
  TRY(apply_numeric_typmod(value, context.typmod));
  return make_numeric(context.arena, value);
}

Status numeric_out(IoContext&, Datum value, std::string& out) {
  append_numeric(out, Numeric::from_datum(value));
  return {};
}

Result<Datum> numeric_receive(IoContext& context, Bytes bytes) {
  ByteReader reader(bytes);
  const auto count = reader.read_be<uint16_t>();
  Numeric value;
  value.weight = reader.read_be<int16_t>();
  const auto sign = reader.read_be<uint16_t>();
  const auto scale = reader.read_be<uint16_t>();
  if (!reader.ok()) return bad_binary_length(bytes, 8);
  const auto bad = [](std::string_view what) {
    return raise(sqlstate::invalid_binary_representation,
                 cat("invalid ", what, " in external \"numeric\" value"));
  };
  if (sign != 0 && sign != kWireNegative && sign != kWireNan && sign != kWirePositiveInfinity &&
      sign != kWireNegativeInfinity) {
    return bad("sign");
  }
  if ((scale & Numeric::kMaxScale) != scale) return bad("scale");
  value.digits.resize(count);
  for (int i = 0; i < count; ++i) {
    const auto digit = reader.read_be<int16_t>();
    if (digit < 0 || digit >= Numeric::kBase) return bad("digit");
    value.digits[i] = digit;
  }
  if (!reader.ok() || reader.remaining() != 0)
    return bad_binary_length(bytes, size_t{8} + size_t{count} * 2);
  if (sign == kWireNan) {
    value = Numeric::nan();
  } else if (sign == kWirePositiveInfinity || sign == kWireNegativeInfinity) {
    value = Numeric::infinity(sign == kWireNegativeInfinity);
  } else {
    value.negative = sign == kWireNegative;
    value.scale = scale;
    value.truncate(scale);  // digits the scale does not show are dropped
  }
  TRY(apply_numeric_typmod(value, context.typmod));
  return make_numeric(context.arena, value);
}

Status numeric_send(IoContext&, Datum datum, std::string& out) {
  const Numeric value = Numeric::from_datum(datum);
  ByteWriter writer(out);
  writer.write_be(static_cast<uint16_t>(value.digits.size()));
  writer.write_be(static_cast<uint16_t>(value.weight));
  writer.write_be(value.is_nan() ? kWireNan
                  : value.is_infinite()
                      ? (value.sign() > 0 ? kWirePositiveInfinity : kWireNegativeInfinity)
                  : value.negative ? kWireNegative
                                   : uint16_t{0});
  // PostgreSQL sends bits of an infinity's stored header as its scale; receivers ignore it,
  // checksums of dumps do not.
  writer.write_be(value.is_infinite() ? uint16_t{0x20} : static_cast<uint16_t>(value.scale));
  for (int i = 0; i < value.digits.size(); ++i)
    writer.write_be(static_cast<uint16_t>(value.digits[i]));
  return {};
}

}  // namespace orrery
