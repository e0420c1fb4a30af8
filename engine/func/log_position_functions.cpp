// pg_lsn: positions in the log, plus and minus bytes.
#include <charconv>

#include "func/lift.h"
#include "types/numeric.h"

namespace orrery {
namespace {

// Distances are numerics: 64 bits may not hold them and a sign.
Numeric lsn_numeric(uint64_t lsn) { return Numeric::from_int128(static_cast<__int128>(lsn)); }
Result<uint64_t> numeric_lsn(const Numeric& value, std::string_view if_nan) {
  if (value.is_nan()) return raise(sqlstate::feature_not_supported, std::string(if_nan));
  if (value.is_infinite())
    return raise(sqlstate::feature_not_supported, "cannot convert infinity to pg_lsn");
  const auto out_of_range = [] {
    return raise(sqlstate::invalid_parameter_value, "pg_lsn out of range");
  };
  Numeric rounded = value;
  rounded.round(0);
  if (rounded.sign() < 0 || compare_numeric(rounded, lsn_numeric(UINT64_MAX)) > 0)
    return out_of_range();
  std::string text;
  append_numeric(text, rounded);
  uint64_t lsn = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lsn);
  CHECK(error == std::errc());
  return lsn;
}
Result<uint64_t> lsn_plus(uint64_t lsn, const Numeric& bytes) {
  return numeric_lsn(add(lsn_numeric(lsn), bytes), "cannot add NaN to pg_lsn");
}
Result<uint64_t> lsn_minus(uint64_t lsn, const Numeric& bytes) {
  return numeric_lsn(subtract(lsn_numeric(lsn), bytes), "cannot subtract NaN from pg_lsn");
}

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    body("pg_lsn_mi",
         lift([](uint64_t a, uint64_t b) { return subtract(lsn_numeric(a), lsn_numeric(b)); })),
    body("pg_lsn_pli", lift([](uint64_t a, const Numeric& b) { return lsn_plus(a, b); })),
    body("pg_lsn_mii", lift([](uint64_t a, const Numeric& b) { return lsn_minus(a, b); })),
    body("numeric_pg_lsn",
         lift([](const Numeric& v) { return numeric_lsn(v, "cannot convert NaN to pg_lsn"); })),
}));

}  // namespace

std::span<const FunctionBody> log_position_functions() { return kTable; }

}  // namespace orrery
