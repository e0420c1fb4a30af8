#include "func/cross_search.h"

#include <array>

#include "func/interval_math.h"
#include "types/character_types.h"
#include "types/compare.h"
#include "types/date_time.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

using namespace type_oid;

template <class T>
int compare_with_int8(Datum a, Datum b) {
  const int64_t x = a.as<T>();
  const auto y = b.as<int64_t>();
  return (x > y) - (x < y);
}
int compare_float4_with_float8(Datum a, Datum b) {
  return compare_float8(Datum::of(static_cast<double>(a.as<float>())), b);
}
int compare_name_with_text(Datum a, Datum b) {
  return compare_text(name_view(a.as<const char*>()), b.text());
}

int64_t moment(const Result<int64_t>& found, bool above) {
  if (found.ok()) return found.value();
  return above ? kTimestampInfinity - 1 : kTimestampMinusInfinity + 1;
}
int64_t timestamp_of(Datum date) {
  const auto days = date.as<int32_t>();
  return moment(timestamp_of_date(days), days > 0);
}
int compare_date_with_timestamp(Datum a, Datum b) {
  const int64_t x = timestamp_of(a);
  const auto y = b.as<int64_t>();
  return (x > y) - (x < y);
}

// Within a group the same `wide`. `given` may be the stored type itself, beside another's bound.
constexpr auto kSearches = std::to_array<CrossSearch>({
    {int2, int4, int8, compare_with_int8<int16_t>},
    {int2, int8, int8, compare_with_int8<int16_t>},
    {int4, int2, int8, compare_with_int8<int32_t>},
    {int4, int8, int8, compare_with_int8<int32_t>},
    {int8, int2, int8, nullptr},
    {int8, int4, int8, nullptr},
    {float4, float8, float8, compare_float4_with_float8},
    {float8, float4, float8, nullptr},
    {name, text, text, compare_name_with_text},
    {text, name, text, nullptr},
    {date, timestamp, timestamp, compare_date_with_timestamp},
    {timestamp, date, timestamp, nullptr},
    {timestamptz, date, timestamptz, nullptr},
    {timestamptz, timestamp, timestamptz, nullptr},
});

}  // namespace

const CrossSearch* find_cross_search(Oid stored, Oid given) {
  for (const CrossSearch& search : kSearches) {
    if (search.stored == stored && search.given == given) return &search;
  }
  return nullptr;
}

Datum widen(Arena& arena, const TypeSettings& settings, Datum value, Oid from, Oid wide) {
  if (from == wide) return value;
  if (wide == text) return make_varlena(arena, name_view(value.as<const char*>()));
  if (wide == float8) return Datum::of(static_cast<double>(value.as<float>()));
  if (wide == int8)
    return Datum::of(from == int2 ? value.as<int16_t>() : int64_t{value.as<int32_t>()});
  const int64_t local = from == date ? timestamp_of(value) : value.as<int64_t>();
  if (wide == timestamp || is_infinite_timestamp(local)) return Datum::of(local);
  return Datum::of(moment(timestamp_to_timestamptz(local, session_zone(settings)), local > 0));
}

}  // namespace orrery
