#include "types/compare.h"

#include "base/hash.h"
#include "types/character_types.h"
#include "types/float_types.h"
#include "types/small_types.h"

namespace orrery {
namespace {
template <class T>
int order(T a, T b) {
  return (a > b) - (a < b);
}
// One word for all NaNs and one for both zeros.
uint64_t float_word(double value) {
  if (value != value) return 0x7ff8000000000000ULL;
  return std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
}
}  // namespace

int compare_int(Datum a, Datum b) { return order(a.as<int64_t>(), b.as<int64_t>()); }
int compare_unsigned(Datum a, Datum b) { return order(a.raw, b.raw); }
int compare_byte(Datum a, Datum b) {
  return order(static_cast<unsigned char>(a.as<char>()), static_cast<unsigned char>(b.as<char>()));
}
int compare_float4(Datum a, Datum b) { return compare_floats(a.as<float>(), b.as<float>()); }
int compare_float8(Datum a, Datum b) { return compare_floats(a.as<double>(), b.as<double>()); }
int compare_bytes(Datum a, Datum b) { return compare_text(a.text(), b.text()); }
int compare_bpchar(Datum a, Datum b) {
  return compare_text(trim_blanks(a.text()), trim_blanks(b.text()));
}
int compare_name(Datum a, Datum b) {
  return compare_text(name_view(a.as<const char*>()), name_view(b.as<const char*>()));
}
int compare_name_text(Datum name, Datum text) {
  return compare_text(name_view(name.as<const char*>()), text.text());
}
int compare_uuid(Datum a, Datum b) {
  return std::memcmp(a.as<const char*>(), b.as<const char*>(), 16);
}
int compare_tid(Datum a, Datum b) {
  const Tid left = load_tid(a);
  const Tid right = load_tid(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

uint64_t hash_word(Datum value) { return hash_u64(value.raw); }
// As double, so that real and double precision meet in one hash table.
uint64_t hash_float4(Datum value) {
  return hash_u64(float_word(static_cast<double>(value.as<float>())));
}
uint64_t hash_float8(Datum value) { return hash_u64(float_word(value.as<double>())); }
uint64_t hash_bytes_of(Datum value) { return hash_text(value.text()); }
uint64_t hash_bpchar(Datum value) { return hash_text(trim_blanks(value.text())); }
uint64_t hash_name(Datum value) { return hash_text(name_view(value.as<const char*>())); }
uint64_t hash_uuid(Datum value) { return hash_text({value.as<const char*>(), 16}); }
uint64_t hash_tid(Datum value) { return hash_text({value.as<const char*>(), 6}); }

}  // namespace orrery
