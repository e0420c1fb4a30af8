// real and double precision: arithmetic with overflow and underflow checks, roots, powers,
// logarithms, trigonometry.
#include <cmath>

#include "base/text.h"
#include "func/lift.h"

namespace orrery {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kRadiansPerDegree = 0.0174532925199432957692;

Status overflow() {
  return raise(sqlstate::numeric_value_out_of_range, "value out of range: overflow");
}
Status underflow() {
  return raise(sqlstate::numeric_value_out_of_range, "value out of range: underflow");
}
Status division_by_zero() { return raise(sqlstate::division_by_zero, "division by zero"); }
Status input_out_of_range() {
  return raise(sqlstate::numeric_value_out_of_range, "input is out of range");
}

// A result that became infinite from finite operands overflowed; one that became zero underflowed.
template <class T>
Result<T> checked(T result, bool may_be_infinite, bool may_be_zero) {
  if (std::isinf(result) && !may_be_infinite) return overflow();
  if (result == 0 && !may_be_zero) return underflow();
  return result;
}

template <class A, class B>
using Wider =
    std::conditional_t<std::is_same_v<A, float> && std::is_same_v<B, float>, float, double>;

template <class A, class B>
constexpr Kernel kAdd = lift([](A a, B b) -> Result<Wider<A, B>> {
  using R = Wider<A, B>;
  return checked<R>(static_cast<R>(a) + static_cast<R>(b), std::isinf(a) || std::isinf(b), true);
});
template <class A, class B>
constexpr Kernel kSub = lift([](A a, B b) -> Result<Wider<A, B>> {
  using R = Wider<A, B>;
  return checked<R>(static_cast<R>(a) - static_cast<R>(b), std::isinf(a) || std::isinf(b), true);
});
template <class A, class B>
constexpr Kernel kMul = lift([](A a, B b) -> Result<Wider<A, B>> {
  using R = Wider<A, B>;
  return checked<R>(static_cast<R>(a) * static_cast<R>(b), std::isinf(a) || std::isinf(b),
                    a == 0 || b == 0);
});
template <class A, class B>
constexpr Kernel kDiv = lift([](A a, B b) -> Result<Wider<A, B>> {
  using R = Wider<A, B>;
  if (b == 0 && !std::isnan(a)) return division_by_zero();
  return checked<R>(static_cast<R>(a) / static_cast<R>(b), std::isinf(a), a == 0 || std::isinf(b));
});

Result<double> power_of(double base, double exponent) {
  if (std::isnan(base)) return exponent == 0 ? 1.0 : base;
  if (std::isnan(exponent)) return base == 1 ? 1.0 : exponent;
  if (base == 0 && exponent < 0) {
    return raise(sqlstate::invalid_argument_for_power_function,
                 "zero raised to a negative power is undefined");
  }
  if (base < 0 && std::floor(exponent) != exponent) {
    return raise(sqlstate::invalid_argument_for_power_function,
                 "a negative number raised to a non-integer power yields a complex result");
  }
  if (std::isinf(base) || std::isinf(exponent)) return std::pow(base, exponent);
  return checked(std::pow(base, exponent), false, base == 0);
}

Result<double> exp_of(double x) {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) return x > 0 ? x : 0.0;
  const double result = std::exp(x);
  if (std::isinf(result)) return overflow();
  if (result == 0) return underflow();
  return result;
}

Result<double> log_of(double x, double (*function)(double)) {
  if (x == 0) return raise(sqlstate::invalid_argument_for_log, "cannot take logarithm of zero");
  if (x < 0)
    return raise(sqlstate::invalid_argument_for_log, "cannot take logarithm of a negative number");
  return checked(function(x), std::isinf(x), x == 1);
}

// Sine and friends of an infinity have no value.
template <double (*F)(double)>
constexpr Kernel kCircular = lift([](double x) -> Result<double> {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) return input_out_of_range();
  const double result = F(x);
  if (std::isinf(result)) return overflow();
  return result;
});
template <double (*F)(double)>
constexpr Kernel kArc = lift([](double x) -> Result<double> {
  if (std::isnan(x)) return x;
  if (x < -1 || x > 1) return input_out_of_range();
  return F(x);
});
double cotangent(double x) { return 1 / std::tan(x); }

// Degrees: exact at multiples of 30 and 45, by reduction to the first octant and scaling with the
// functions' own values.
double sin_0_to_30(double x) {
  return std::sin(x * kRadiansPerDegree) / std::sin(30 * kRadiansPerDegree) / 2;
}
double cos_0_to_60(double x) {
  return 1 - (1 - std::cos(x * kRadiansPerDegree)) / (1 - std::cos(60 * kRadiansPerDegree)) / 2;
}
double sin_quadrant(double x) { return x <= 30 ? sin_0_to_30(x) : cos_0_to_60(90 - x); }
double cos_quadrant(double x) { return x <= 60 ? cos_0_to_60(x) : sin_0_to_30(90 - x); }
double sin_degrees(double x) {
  x = std::fmod(x, 360);
  double sign = 1;
  if (x < 0) {
    x = -x;
    sign = -1;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) x = 180 - x;
  return sign * sin_quadrant(x);
}
double cos_degrees(double x) {
  x = std::fabs(std::fmod(x, 360));
  double sign = 1;
  if (x > 180) x = 360 - x;
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  return sign * cos_quadrant(x);
}
double tan_ratio(double x) { return sin_quadrant(x) / cos_quadrant(x); }
double tan_degrees(double x) {
  x = std::fmod(x, 360);
  double sign = 1;
  if (x < 0) {
    x = -x;
    sign = -1;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  const double result = sign * (tan_ratio(x) / tan_ratio(45));
  return result == 0 ? 0 : result;
}
double cot_degrees(double x) {
  x = std::fmod(x, 360);
  double sign = 1;
  if (x < 0) {
    x = -x;
    sign = -1;
  }
  if (x > 180) {
    x = 360 - x;
    sign = -sign;
  }
  if (x > 90) {
    x = 180 - x;
    sign = -sign;
  }
  const double result =
      sign * ((cos_quadrant(x) / sin_quadrant(x)) / (cos_quadrant(45) / sin_quadrant(45)));
  return result == 0 ? 0 : result;
}
double asin_quadrant(double x) {
  return x <= 0.5 ? std::asin(x) / std::asin(0.5) * 30 : 90 - std::acos(x) / std::acos(0.5) * 60;
}
double acos_quadrant(double x) {
  return x <= 0.5 ? 90 - std::asin(x) / std::asin(0.5) * 30 : std::acos(x) / std::acos(0.5) * 60;
}
double asin_degrees(double x) { return x >= 0 ? asin_quadrant(x) : -asin_quadrant(-x); }
double acos_degrees(double x) { return x >= 0 ? acos_quadrant(x) : 90 + asin_quadrant(-x); }
double atan_degrees(double x) { return std::atan(x) / std::atan(1.0) * 45; }
double atan2_degrees(double y, double x) { return std::atan2(y, x) / std::atan(1.0) * 45; }

template <double (*F)(double)>
constexpr Kernel kPlain = lift([](double x) { return F(x); });

// std:: functions are overloaded; these are the ones for double.
double sin_of(double x) { return std::sin(x); }
double cos_of(double x) { return std::cos(x); }
double tan_of(double x) { return std::tan(x); }
double asin_of(double x) { return std::asin(x); }
double acos_of(double x) { return std::acos(x); }
double atan_of(double x) { return std::atan(x); }
double sinh_of(double x) { return std::sinh(x); }
double cosh_of(double x) { return std::cosh(x); }
double tanh_of(double x) { return std::tanh(x); }
double asinh_of(double x) { return std::asinh(x); }
double ceil_of(double x) { return std::ceil(x); }
double floor_of(double x) { return std::floor(x); }
double rint_of(double x) { return std::rint(x); }
double trunc_of(double x) { return std::trunc(x); }
double log_e(double x) { return std::log(x); }
double log_10(double x) { return std::log10(x); }
double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

Result<int32_t> width_bucket(double operand, double low, double high, int32_t count) {
  const auto bad = [](std::string_view what) {
    return raise(sqlstate::invalid_argument_for_width_bucket_function, std::string(what));
  };
  if (count <= 0) return bad("count must be greater than zero");
  if (std::isnan(operand) || std::isnan(low) || std::isnan(high))
    return bad("operand, lower bound, and upper bound cannot be NaN");
  if (std::isinf(low) || std::isinf(high)) return bad("lower and upper bounds must be finite");
  if (low == high) return bad("lower bound cannot equal upper bound");
  const bool rising = low < high;
  if (rising ? operand < low : operand > low) return 0;
  if (rising ? operand >= high : operand <= high) {
    if (count == INT32_MAX) return raise_out_of_range("integer");
    return count + 1;
  }
  const double position = std::isinf(high - low) ? (operand / 2 - low / 2) / (high / 2 - low / 2)
                                                 : (operand - low) / (high - low);
  const double bucket = static_cast<double>(count) * position;
  if (bucket >= INT32_MAX) return raise_out_of_range("integer");
  return static_cast<int32_t>(bucket) + 1;
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("float4pl", kAdd<float, float>),
    body("float8pl", kAdd<double, double>),
    body("float48pl", kAdd<float, double>),
    body("float84pl", kAdd<double, float>),
    body("float4mi", kSub<float, float>),
    body("float8mi", kSub<double, double>),
    body("float48mi", kSub<float, double>),
    body("float84mi", kSub<double, float>),
    body("float4mul", kMul<float, float>),
    body("float8mul", kMul<double, double>),
    body("float48mul", kMul<float, double>),
    body("float84mul", kMul<double, float>),
    body("float4div", kDiv<float, float>),
    body("float8div", kDiv<double, double>),
    body("float48div", kDiv<float, double>),
    body("float84div", kDiv<double, float>),
    body("float4um", lift([](float a) { return -a; })),
    body("float8um", lift([](double a) { return -a; })),
    body("float4up", lift([](float a) { return a; })),
    body("float8up", lift([](double a) { return a; })),
    body("float4abs", lift([](float a) { return std::fabs(a); })),
    body("float8abs", lift([](double a) { return std::fabs(a); })),
    body("dsqrt", lift([](double x) -> Result<double> {
           if (x < 0) {
             return raise(sqlstate::invalid_argument_for_power_function,
                          "cannot take square root of a negative number");
           }
           return std::sqrt(x);
         })),
    body("dcbrt", lift([](double x) { return std::cbrt(x); })),
    body("dpow", lift([](double a, double b) { return power_of(a, b); })),
    body("dexp", lift([](double x) { return exp_of(x); })),
    body("dlog1", lift([](double x) { return log_of(x, log_e); })),
    body("dlog10", lift([](double x) { return log_of(x, log_10); })),
    body("dround", kPlain<rint_of>),
    body("dtrunc", kPlain<trunc_of>),
    body("dceil", kPlain<ceil_of>),
    body("dfloor", kPlain<floor_of>),
    body("dsign", kPlain<sign_of>),
    body("dpi", lift([](Call&) { return kPi; })),
    body("degrees",
         lift([](double x) { return checked(x / kRadiansPerDegree, std::isinf(x), x == 0); })),
    body("radians",
         lift([](double x) { return checked(x * kRadiansPerDegree, std::isinf(x), x == 0); })),
    body("dsin", kCircular<sin_of>),
    body("dcos", kCircular<cos_of>),
    body("dtan", kCircular<tan_of>),
    body("dcot", lift([](double x) -> Result<double> {
           if (std::isnan(x)) return x;
           if (std::isinf(x)) return input_out_of_range();
           return cotangent(x);
         })),
    body("dasin", kArc<asin_of>),
    body("dacos", kArc<acos_of>),
    body("datan", kPlain<atan_of>),
    body("datan2", lift([](double y, double x) { return std::atan2(y, x); })),
    body("dsind", kCircular<sin_degrees>),
    body("dcosd", kCircular<cos_degrees>),
    body("dtand", lift([](double x) -> Result<double> {
           if (std::isnan(x)) return x;
           if (std::isinf(x)) return input_out_of_range();
           return tan_degrees(x);
         })),
    body("dcotd", lift([](double x) -> Result<double> {
           if (std::isnan(x)) return x;
           if (std::isinf(x)) return input_out_of_range();
           return cot_degrees(x);
         })),
    body("dasind", kArc<asin_degrees>),
    body("dacosd", kArc<acos_degrees>),
    body("datand", kPlain<atan_degrees>),
    body("datan2d", lift([](double y, double x) { return atan2_degrees(y, x); })),
    body("dsinh", kPlain<sinh_of>),
    body("dcosh", kPlain<cosh_of>),
    body("dtanh", kPlain<tanh_of>),
    body("dasinh", kPlain<asinh_of>),
    body("dacosh", lift([](double x) -> Result<double> {
           if (x < 1) return input_out_of_range();
           return std::acosh(x);
         })),
    body("datanh", lift([](double x) -> Result<double> {
           if (x < -1 || x > 1) return input_out_of_range();
           return std::atanh(x);
         })),
    body("width_bucket_float8", lift([](double operand, double low, double high, int32_t count) {
           return width_bucket(operand, low, high, count);
         })),
}));

}  // namespace

std::span<const FunctionBody> float_functions() { return kTable; }

}  // namespace orrery
