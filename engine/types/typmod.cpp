#include "types/typmod.h"

#include "base/text.h"
#include "types/date_time.h"
#include "types/date_time_decode.h"
#include "types/numeric.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

constexpr int32_t kMaxCharacters = 10485760;
constexpr int32_t kMaxSecondDecimals = 6;
constexpr int32_t kFullPrecision = 0xffff;

Status invalid(std::string message) {
  return raise(sqlstate::invalid_parameter_value, std::move(message));
}

Result<int32_t> length_typmod(std::string_view type, std::span<const int32_t> modifiers,
                              int32_t header) {
  if (modifiers.size() != 1) return invalid("invalid type modifier");
  if (modifiers[0] < 1) return invalid(cat("length for type ", type, " must be at least 1"));
  const int32_t most = header == 4 ? kMaxCharacters : kMaxCharacters * 8;
  if (modifiers[0] > most) return invalid(cat("length for type ", type, " cannot exceed ", most));
  return modifiers[0] + header;
}

Result<int32_t> make_numeric_typmod(std::span<const int32_t> modifiers) {
  if (modifiers.empty() || modifiers.size() > 2) return invalid("invalid NUMERIC type modifier");
  const int32_t precision = modifiers[0];
  const int32_t scale = modifiers.size() == 2 ? modifiers[1] : 0;
  if (precision < 1 || precision > Numeric::kMaxPrecision) {
    return invalid(
        cat("NUMERIC precision ", precision, " must be between 1 and ", Numeric::kMaxPrecision));
  }
  if (scale < -Numeric::kMaxPrecision || scale > Numeric::kMaxPrecision) {
    return invalid(cat("NUMERIC scale ", scale, " must be between ", -Numeric::kMaxPrecision,
                       " and ", Numeric::kMaxPrecision));
  }
  return numeric_typmod(precision, scale);
}

Result<int32_t> seconds_typmod(std::string_view type, std::string_view zone,
                               std::span<const int32_t> modifiers) {
  if (modifiers.size() != 1) return invalid("invalid type modifier");
  if (modifiers[0] < 0)
    return invalid(cat(type, "(", modifiers[0], ")", zone, " precision must not be negative"));
  return std::min(modifiers[0], kMaxSecondDecimals);
}

Result<int32_t> interval_typmod(std::span<const int32_t> modifiers) {
  if (modifiers.empty() || modifiers.size() > 2) return invalid("invalid INTERVAL type modifier");
  const int32_t range = modifiers[0];
  if (modifiers.size() == 1) {
    return range == kIntervalFullRange
               ? -1
               : static_cast<int32_t>(static_cast<uint32_t>(range) << 16 | kFullPrecision);
  }
  if (modifiers[1] < 0)
    return invalid(cat("INTERVAL(", modifiers[1], ") precision must not be negative"));
  return static_cast<int32_t>(static_cast<uint32_t>(range) << 16) |
         std::min(modifiers[1], kMaxSecondDecimals);
}

std::string_view interval_range_text(uint32_t range) {
  using namespace field_bit;
  struct Range {
    uint32_t bits;
    std::string_view text;
  };
  constexpr Range kRanges[] = {
      {year, " year"},
      {month, " month"},
      {day, " day"},
      {hour, " hour"},
      {minute, " minute"},
      {second, " second"},
      {year | month, " year to month"},
      {day | hour, " day to hour"},
      {day | hour | minute, " day to minute"},
      {day | hour | minute | second, " day to second"},
      {hour | minute, " hour to minute"},
      {hour | minute | second, " hour to second"},
      {minute | second, " minute to second"},
  };
  for (const Range& entry : kRanges) {
    if (entry.bits == range) return entry.text;
  }
  return "";
}

}  // namespace

Result<int32_t> make_typmod(Oid type, std::span<const int32_t> modifiers) {
  namespace t = type_oid;
  if (type == t::varchar || type == t::varchar_array) return length_typmod("varchar", modifiers, 4);
  if (type == t::bpchar || type == t::bpchar_array) return length_typmod("char", modifiers, 4);
  if (type == t::bit || type == t::bit_array) return length_typmod("bit", modifiers, 0);
  if (type == t::varbit || type == t::varbit_array) return length_typmod("varbit", modifiers, 0);
  if (type == t::numeric || type == t::numeric_array) return make_numeric_typmod(modifiers);
  if (type == t::time || type == t::time_array) return seconds_typmod("TIME", "", modifiers);
  if (type == t::timetz || type == t::timetz_array)
    return seconds_typmod("TIME", " WITH TIME ZONE", modifiers);
  if (type == t::timestamp || type == t::timestamp_array)
    return seconds_typmod("TIMESTAMP", "", modifiers);
  if (type == t::timestamptz || type == t::timestamptz_array)
    return seconds_typmod("TIMESTAMP", " WITH TIME ZONE", modifiers);
  if (type == t::interval || type == t::interval_array) return interval_typmod(modifiers);
  const TypeInfo* const info = find_builtin_type(type);
  return raise(sqlstate::syntax_error, cat("type modifier is not allowed for type \"",
                                           info != nullptr ? info->name : "unknown", "\""));
}

void append_typmod(Oid type, int32_t typmod, std::string& out) {
  namespace t = type_oid;
  if (typmod < 0) return;
  if (type == t::varchar || type == t::bpchar) {
    if (typmod > 4) out += cat("(", typmod - 4, ")");
  } else if (type == t::numeric) {
    out += cat("(", numeric_typmod_precision(typmod), ",", numeric_typmod_scale(typmod), ")");
  } else if (type == t::interval) {
    const auto range = static_cast<uint32_t>(interval_range(typmod));
    if (range != static_cast<uint32_t>(kIntervalFullRange)) out += interval_range_text(range);
    if (interval_precision(typmod) != kFullPrecision)
      out += cat("(", interval_precision(typmod), ")");
  } else {
    out += cat("(", typmod, ")");
  }
}

}  // namespace orrery
