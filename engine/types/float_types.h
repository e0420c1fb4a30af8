// real and double precision. Text out is the shortest that reads back as the same number, laid out
// by PostgreSQL's rule: plain digits while the decimal exponent is in -4..14 (real: -4..5), else
// scientific with two exponent digits at least; extra_float_digits <= 0 asks for a fixed number of
// digits instead.
#pragma once

#include "types/type_io.h"

namespace orrery {

Result<float> parse_float4(std::string_view text);
Result<double> parse_float8(std::string_view text);
void append_float4(std::string& out, float value, int extra_float_digits = 1);
void append_float8(std::string& out, double value, int extra_float_digits = 1);

// NaN equals itself and is above all numbers: a total order.
template <class T>
int compare_floats(T a, T b) {
  if (a != a) return b != b ? 0 : 1;
  if (b != b) return -1;
  return (a > b) - (a < b);
}

Result<Datum> float4_in(IoContext& context, std::string_view text);
Result<Datum> float8_in(IoContext& context, std::string_view text);
Status float4_out(IoContext& context, Datum value, std::string& out);
Status float8_out(IoContext& context, Datum value, std::string& out);

}  // namespace orrery
