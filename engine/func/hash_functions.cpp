// The hashes SQL sees: hashtext(), hashint4extended() ... give what PostgreSQL gives, because
// tables are partitioned and rows are spread over servers by them. The engine's own hash tables
// use others (types/compare.h). The mixing is Jenkins' lookup3 [Bob Jenkins, 2006].
#include <bit>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "func/lift.h"
#include "types/array.h"
#include "types/inet.h"
#include "types/numeric.h"
#include "types/type_oids.h"

namespace orrery {
namespace {

// Three words that every input bit spreads over. Both widths of hash come from the same end state.
struct Lookup3 {
  uint32_t a, b, c;

  Lookup3(uint32_t length, uint64_t seed) {
    a = b = c = 0x9e3779b9 + length + 3923095;
    if (seed == 0) return;
    a += static_cast<uint32_t>(seed >> 32);
    b += static_cast<uint32_t>(seed);
    mix();
  }
  static void step(uint32_t& x, uint32_t& y, uint32_t& z, int by) {
    x -= z;
    x ^= std::rotl(z, by);
    z += y;
  }
  void mix() {
    step(a, b, c, 4);
    step(b, c, a, 6);
    step(c, a, b, 8);
    step(a, b, c, 16);
    step(b, c, a, 19);
    step(c, a, b, 4);
  }
  static void fold(uint32_t& x, uint32_t y, int by) {
    x ^= y;
    x -= std::rotl(y, by);
  }
  uint64_t finish() {
    fold(c, b, 14);
    fold(a, c, 11);
    fold(b, a, 25);
    fold(c, b, 16);
    fold(a, c, 4);
    fold(b, a, 14);
    fold(c, b, 24);
    return uint64_t{b} << 32 | c;
  }
};

uint64_t hash_any(std::string_view bytes, uint64_t seed) {
  Lookup3 state(static_cast<uint32_t>(bytes.size()), seed);
  const auto word = [](const char* at, size_t count) {
    uint32_t out = 0;
    for (size_t i = 0; i < count; ++i) out |= uint32_t{static_cast<uint8_t>(at[i])} << 8 * i;
    return out;
  };
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 12; left -= 12, at += 12) {
    state.a += word(at, 4);
    state.b += word(at + 4, 4);
    state.c += word(at + 8, 4);
    state.mix();
  }
  // The lowest byte of c stands for the length.
  if (left > 8) state.c += word(at + 8, left - 8) << 8;
  if (left > 4) state.b += word(at + 4, std::min<size_t>(left - 4, 4));
  if (left > 0) state.a += word(at, std::min<size_t>(left, 4));
  return state.finish();
}
uint64_t hash_word32(uint32_t value, uint64_t seed) {
  Lookup3 state(4, seed);
  state.a += value;
  return state.finish();
}

// One for each kind of type: 64 bits, of which the plain functions show the lower half.
uint64_t hash_int4(Datum v, uint64_t seed) { return hash_word32(v.as<uint32_t>(), seed); }
// Equal to hash_int4 of equal numbers.
uint64_t hash_int8(Datum v, uint64_t seed) {
  const auto value = v.as<int64_t>();
  const auto high = static_cast<uint32_t>(static_cast<uint64_t>(value) >> 32);
  return hash_word32(static_cast<uint32_t>(value) ^ (value >= 0 ? high : ~high), seed);
}
uint64_t hash_double(double value, uint64_t seed) {
  if (value == 0) return seed;
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  char bytes[8];
  store<double>(bytes, value);
  return hash_any({bytes, 8}, seed);
}
uint64_t hash_float4(Datum v, uint64_t seed) { return hash_double(double{v.as<float>()}, seed); }
uint64_t hash_float8(Datum v, uint64_t seed) { return hash_double(v.as<double>(), seed); }
uint64_t hash_text_value(Datum v, uint64_t seed) { return hash_any(v.text(), seed); }
uint64_t hash_bpchar_value(Datum v, uint64_t seed) {
  std::string_view text = v.text();
  while (text.ends_with(' ')) text.remove_suffix(1);
  return hash_any(text, seed);
}
uint64_t hash_name_value(Datum v, uint64_t seed) {
  return hash_any(name_view(v.as<const char*>()), seed);
}
template <size_t kBytes>
uint64_t hash_fixed(Datum v, uint64_t seed) {
  return hash_any({v.as<const char*>(), kBytes}, seed);
}
uint64_t hash_inet_value(Datum v, uint64_t seed) { return hash_any(v.text(), seed); }
uint64_t hash_interval_value(Datum v, uint64_t seed) {
  constexpr int64_t kDayMicros = int64_t{86400} * 1000000;
  const Interval i = load_interval(v);
  const auto span = static_cast<__int128>(i.micros) +
                    static_cast<__int128>(int64_t{i.months} * 30 + i.days) * kDayMicros;
  return hash_int8(Datum::of(static_cast<int64_t>(span)), seed);
}
uint64_t hash_timetz_value(Datum v, uint64_t seed) {
  const TimeTz t = load_timetz(v);
  return hash_int8(Datum::of(t.micros), seed) ^
         hash_word32(static_cast<uint32_t>(t.west_seconds), seed);
}
uint64_t hash_numeric_value(Datum v, uint64_t seed) {
  Numeric value = Numeric::from_datum(v);
  if (!value.is_finite()) return seed;
  value.normalise();
  if (value.digits.empty()) return seed - 1;
  const auto* bytes = reinterpret_cast<const char*>(value.digits.data());
  const auto weight = static_cast<uint64_t>(int64_t{value.weight});
  return hash_any({bytes, 2 * static_cast<size_t>(value.digits.size())}, seed) ^ weight;
}

using Hash = uint64_t (*)(Datum value, uint64_t seed);
struct TypeHash {
  Oid type;
  Hash hash;
};
namespace t = type_oid;
constexpr TypeHash kTypeHashes[] = {
    {t::bool_, hash_int4},
    {t::char_, hash_int4},
    {t::int2, hash_int4},
    {t::int4, hash_int4},
    {t::int8, hash_int8},
    {t::oid, hash_int4},
    {t::float4, hash_float4},
    {t::float8, hash_float8},
    {t::numeric, hash_numeric_value},
    {t::text, hash_text_value},
    {t::varchar, hash_text_value},
    {t::bpchar, hash_bpchar_value},
    {t::bytea, hash_text_value},
    {t::name, hash_name_value},
    {t::date, hash_int4},
    {t::time, hash_int8},
    {t::timetz, hash_timetz_value},
    {t::timestamp, hash_int8},
    {t::timestamptz, hash_int8},
    {t::interval, hash_interval_value},
    {t::uuid, hash_fixed<16>},
    {t::pg_lsn, hash_int8},
    {t::macaddr, hash_fixed<6>},
    {t::macaddr8, hash_fixed<8>},
    {t::inet, hash_inet_value},
    {t::cidr, hash_inet_value},
    {t::tid, hash_fixed<6>},
};

// Elements in order, a NULL as zero; each hash is of `kWide` bits.
template <bool kWide>
Result<uint64_t> hash_array_value(const Call& call, Datum array, uint64_t seed) {
  const Oid type = ArrayView::element_type(array);
  const TypeInfo* element = TRY(find_type(call.settings(), type));
  const auto* found = std::ranges::find(kTypeHashes, type, &TypeHash::type);
  if (found == std::end(kTypeHashes)) {
    return raise(sqlstate::undefined_function,
                 cat("could not identify ", kWide ? "an extended " : "a ",
                     "hash function for type ", element->name));
  }
  ArrayView view(array, *element);
  uint64_t result = 1;
  for (int64_t i = 0; i < view.count(); ++i) {
    const NullableDatum value = view.next();
    const uint64_t hash = value.is_null ? 0 : found->hash(value.value, seed);
    result = result * 31 + hash;
  }
  return result;
}

int32_t low_half(uint64_t hash) { return static_cast<int32_t>(static_cast<uint32_t>(hash)); }

template <Hash kHash>
constexpr Kernel kPlain = lift([](Datum v) { return low_half(kHash(v, 0)); });
template <Hash kHash>
constexpr Kernel kExtended = lift([](Datum v, int64_t seed) {
  return static_cast<int64_t>(kHash(v, static_cast<uint64_t>(seed)));
});

#define BOTH(name, extended, hash) body(name, kPlain<hash>), body(extended, kExtended<hash>)

constexpr auto kTable = sorted_by_name(std::to_array<FunctionBody>({
    BOTH("hashchar", "hashcharextended", hash_int4),
    BOTH("hashint2", "hashint2extended", hash_int4),
    BOTH("hashint4", "hashint4extended", hash_int4),
    BOTH("hashint8", "hashint8extended", hash_int8),
    BOTH("hashoid", "hashoidextended", hash_int4),
    BOTH("hashenum", "hashenumextended", hash_int4),
    BOTH("hashfloat4", "hashfloat4extended", hash_float4),
    BOTH("hashfloat8", "hashfloat8extended", hash_float8),
    BOTH("hash_numeric", "hash_numeric_extended", hash_numeric_value),
    BOTH("hashtext", "hashtextextended", hash_text_value),
    BOTH("hashvarlena", "hashvarlenaextended", hash_text_value),
    BOTH("hashbpchar", "hashbpcharextended", hash_bpchar_value),
    BOTH("hashname", "hashnameextended", hash_name_value),
    BOTH("time_hash", "time_hash_extended", hash_int8),
    BOTH("timestamp_hash", "timestamp_hash_extended", hash_int8),
    BOTH("timetz_hash", "timetz_hash_extended", hash_timetz_value),
    BOTH("interval_hash", "interval_hash_extended", hash_interval_value),
    BOTH("pg_lsn_hash", "pg_lsn_hash_extended", hash_int8),
    BOTH("uuid_hash", "uuid_hash_extended", hash_fixed<16>),
    BOTH("hashtid", "hashtidextended", hash_fixed<6>),
    BOTH("hashmacaddr", "hashmacaddrextended", hash_fixed<6>),
    BOTH("hashmacaddr8", "hashmacaddr8extended", hash_fixed<8>),
    BOTH("hashinet", "hashinetextended", hash_inet_value),
    body("hash_array", lift([](Call& call, Datum v) -> Result<int32_t> {
           const uint64_t hash = TRY(hash_array_value<false>(call, v, 0));
           return low_half(hash);
         })),
    body("hash_array_extended", lift([](Call& call, Datum v, int64_t seed) -> Result<int64_t> {
           const uint64_t hash = TRY(hash_array_value<true>(call, v, static_cast<uint64_t>(seed)));
           return static_cast<int64_t>(hash);
         })),
    body("hashoidvector", lift([](Call& call, Datum v) -> Result<int32_t> {
           const TypeInfo* oid = TRY(find_type(call.settings(), t::oid));
           std::string bytes;
           for (const NullableDatum& value : ArrayView(v, *oid).all()) {
             char word[4];
             store<uint32_t>(word, value.value.as<uint32_t>());
             bytes.append(word, 4);
           }
           return low_half(hash_any(bytes, 0));
         })),
    body("hashoidvectorextended", lift([](Call& call, Datum v, int64_t seed) -> Result<int64_t> {
           const TypeInfo* oid = TRY(find_type(call.settings(), t::oid));
           std::string bytes;
           for (const NullableDatum& value : ArrayView(v, *oid).all()) {
             char word[4];
             store<uint32_t>(word, value.value.as<uint32_t>());
             bytes.append(word, 4);
           }
           return static_cast<int64_t>(hash_any(bytes, static_cast<uint64_t>(seed)));
         })),
}));

}  // namespace

std::span<const FunctionBody> hash_functions() { return kTable; }

}  // namespace orrery
