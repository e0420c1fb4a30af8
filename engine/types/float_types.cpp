#include "types/float_types.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/text.h"
#include "types/text_scan.h"

namespace orrery {
namespace {

// Words that strtod knows, longest first.
struct SpecialWord {
  std::string_view text;
  double value;
};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr SpecialWord kSpecialWords[] = {
    {"nan", std::numeric_limits<double>::quiet_NaN()},
    {"infinity", kInfinity},
    {"inf", kInfinity},
    {"+infinity", kInfinity},
    {"+inf", kInfinity},
    {"-infinity", -kInfinity},
    {"-inf", -kInfinity},
};

template <class T>
Result<T> parse_float(std::string_view text, std::string_view type) {
  const std::string_view body = trim_spaces(text);
  if (body.empty()) return invalid_syntax(type, text);
  const char* at = body.data();
  const char* const end = at + body.size();
  bool negative = false;
  if (*at == '+' || *at == '-') negative = *at++ == '-';
  if (at < end && (is_digit(*at) || *at == '.')) {
    std::chars_format format = std::chars_format::general;
    if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
      at += 2;
      format = std::chars_format::hex;
    }
    T value = 0;
    const auto [stop, error] = std::from_chars(at, end, value, format);
    if (error == std::errc::invalid_argument || stop != end) return invalid_syntax(type, text);
    if (error == std::errc::result_out_of_range) {
      return raise(sqlstate::numeric_value_out_of_range,
                   cat("\"", body, "\" is out of range for type ", type));
    }
    return negative ? -value : value;
  }
  for (const SpecialWord& word : kSpecialWords) {
    if (body.size() == word.text.size() && starts_with_folded(body, word.text))
      return static_cast<T>(word.value);
  }
  return invalid_syntax(type, text);
}

// Whether digits * 10^power lies exactly half-way between `value` and a neighbour. to_chars gives
// such a number when it is the shortest that reads back as `value` under round-half-to-even;
// PostgreSQL prints as many more as every reader agrees on. Only whole numbers beyond the
// mantissa's reach can be half-way in so few digits.
template <class T>
bool is_half_way(T value, const char* digits, int count, int power) {
  constexpr int kMantissaBits = std::numeric_limits<T>::digits;
  if (power < 0 || power > 23) return false;  // 5^24 needs more bits than a mantissa has
  unsigned __int128 decimal = 0;
  for (int i = 0; i < count; ++i) decimal = decimal * 10 + static_cast<unsigned>(digits[i] - '0');
  for (int i = 0; i < power; ++i) decimal *= 5;
  int decimal_twos = power;
  for (; decimal != 0 && decimal % 2 == 0; decimal /= 2) ++decimal_twos;
  int exponent = 0;
  const T fraction = std::frexp(std::fabs(value), &exponent);
  const auto mantissa = static_cast<uint64_t>(std::ldexp(fraction, kMantissaBits));
  exponent -= kMantissaBits;
  const bool at_power = mantissa == uint64_t{1} << (kMantissaBits - 1);
  const bool above = decimal == 2 * mantissa + 1 && decimal_twos == exponent - 1;
  const bool below = at_power ? decimal == 4 * mantissa - 1 && decimal_twos == exponent - 2
                              : decimal == 2 * mantissa - 1 && decimal_twos == exponent - 1;
  return above || below;
}

// Digits and decimal exponent of a number in to_chars' scientific form "-d.ddde-XX".
struct Digits {
  char digits[32];
  int count = 0;
  int exponent = 0;

  Digits(const char* begin, const char* end) {
    const char* at = begin + (*begin == '-');
    for (; *at != 'e'; ++at) {
      if (*at != '.') digits[count++] = *at;
    }
    const bool negative = at[1] == '-';
    for (at += 2; at < end; ++at) exponent = exponent * 10 + (*at - '0');
    if (negative) exponent = -exponent;
  }
};

// The shortest digits, laid out anew.
template <class T>
void append_shortest(std::string& out, T value, int fixed_limit) {
  char buffer[48];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  if (buffer[0] == '-') out.push_back('-');
  Digits shortest(buffer, end);
  auto half_way = [&] {
    return is_half_way(value, shortest.digits, shortest.count,
                       shortest.exponent - shortest.count + 1);
  };
  bool reads_back = !half_way();
  for (int decimals = shortest.count; !reads_back; ++decimals) {
    const auto longer = std::to_chars(buffer, buffer + sizeof buffer, value,
                                      std::chars_format::scientific, decimals)
                            .ptr;
    shortest = Digits(buffer, longer);
    T again = 0;
    std::from_chars(buffer + (buffer[0] == '-'), longer, again);
    reads_back = again == std::fabs(value) && !half_way();
  }
  const auto& [digits, count, exponent] = shortest;
  if (exponent < -4 || exponent >= fixed_limit) {
    out.push_back(digits[0]);
    if (count > 1) {
      out.push_back('.');
      out.append(digits + 1, static_cast<size_t>(count - 1));
    }
    out.append(exponent < 0 ? "e-" : "e+");
    const int magnitude = std::abs(exponent);
    if (magnitude < 10) out.push_back('0');
    append_integer(out, int64_t{magnitude});
  } else if (exponent < 0) {
    out.append("0.");
    out.append(static_cast<size_t>(-exponent - 1), '0');
    out.append(digits, static_cast<size_t>(count));
  } else {
    const int whole = exponent + 1;
    out.append(digits, static_cast<size_t>(std::min(whole, count)));
    if (count < whole) out.append(static_cast<size_t>(whole - count), '0');
    if (count > whole) {
      out.push_back('.');
      out.append(digits + whole, static_cast<size_t>(count - whole));
    }
  }
}

template <class T>
void append_float(std::string& out, T value, int digits, int fixed_limit, int extra_float_digits) {
  if (std::isnan(value)) {
    out.append("NaN");
  } else if (std::isinf(value)) {
    out.append(value < 0 ? "-Infinity" : "Infinity");
  } else if (extra_float_digits > 0) {
    append_shortest(out, value, fixed_limit);
  } else {
    char buffer[64];
    const int n =
        std::snprintf(buffer, sizeof buffer, "%.*g", std::max(1, digits + extra_float_digits),
                      static_cast<double>(value));
    out.append(buffer, static_cast<size_t>(n));
  }
}

}  // namespace

Result<float> parse_float4(std::string_view text) { return parse_float<float>(text, "real"); }
Result<double> parse_float8(std::string_view text) {
  return parse_float<double>(text, "double precision");
}

void append_float4(std::string& out, float value, int extra_float_digits) {
  append_float(out, value, std::numeric_limits<float>::digits10, 6, extra_float_digits);
}
void append_float8(std::string& out, double value, int extra_float_digits) {
  append_float(out, value, std::numeric_limits<double>::digits10, 15, extra_float_digits);
}

Result<Datum> float4_in(IoContext&, std::string_view text) {
  return Datum::of(TRY(parse_float4(text)));
}
Result<Datum> float8_in(IoContext&, std::string_view text) {
  return Datum::of(TRY(parse_float8(text)));
}
Status float4_out(IoContext& context, Datum value, std::string& out) {
  append_float4(out, value.as<float>(), context.settings.extra_float_digits);
  return {};
}
Status float8_out(IoContext& context, Datum value, std::string& out) {
  append_float8(out, value.as<double>(), context.settings.extra_float_digits);
  return {};
}

}  // namespace orrery
