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

int compare_float4_with_float8(Datum a, Datum b) {
  return compare_float8(Datum::of(static_cast<double>(a.as<float>())), b);
}
int compare_date_with_timestamp(Datum a, Datum b) {
  return compare_int(Datum::of(place_of_date(a.as<int32_t>())), b);
}

// All with one `stored` have one `wide`. Whole numbers of any length are words of one order.
constexpr auto kSearches = std::to_array<CrossSearch>({
    {int2, int4, int8, nullptr},
    {int2, int8, int8, nullptr},
    {int4, int2, int8, nullptr},
    {int4, int8, int8, nullptr},
    {int8, int2, int8, nullptr},
    {int8, int4, int8, nullptr},
    {float4, float8, float8, compare_float4_with_float8},
    {float8, float4, float8, nullptr},
    {name, text, text, compare_name_text},
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
  if (from == wide || wide == int8) return value;
  if (wide == text) return make_varlena(arena, name_view(value.as<const char*>()));
  if (wide == float8) return Datum::of(static_cast<double>(value.as<float>()));
  const int64_t local = from == date ? place_of_date(value.as<int32_t>()) : value.as<int64_t>();
  return Datum::of(wide == timestamp ? local : place_in_zone(local, session_zone(settings)));
}

}  // namespace orrery
